//! Rows with known columns, read one after another.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::ahead::RowReader;
use super::block::Block;
use super::categories::Lookup;
use super::dialect::Dialect;
use super::error::{TableError, shown};
use super::evidence::Running;
use super::facts::{ColumnFacts, Facts, NumberFacts, Place, Unknown, number_of};
use super::infer::read_cell;
use super::json::{Lines, Object};
use super::marks::{DecimalMark, Marks};
use super::number::{Cell, is_missing};
use super::options::TableOptions;
use super::records::{Records, trimmed};
use super::schema::{Column, ColumnKind};
use super::wanted::{Wanted, plan};
use crate::error::Error;
use crate::mapped;

/// Reads rows whose columns are known, from a file or any other reader, in memory that
/// does not grow with their number.
///
/// If the file has a header, the columns are found by their names, in any order, and
/// others are ignored. Without one they are found by position. If the text begins with
/// `{`, each line is a JSON object with a value for each column.
pub struct Rows<R: Read> {
    source: Source<R>,
    slots: Vec<Slot>,
    present: Vec<bool>,
    running: Running,
    rows: u64,
    /// One row.
    row: Vec<f32>,
}

enum Source<R> {
    Cells {
        records: RowReader<R>,
        dialect: Dialect,
        /// For each cell of a row, the position of its column.
        places: Vec<Option<usize>>,
    },
    Json {
        lines: Lines<R>,
        /// The first line, which was looked at.
        first: Option<(u64, Object)>,
    },
}

/// What becomes of the cells of a column.
struct Slot {
    name: String,
    reader: CellReader,
}

enum CellReader {
    Number { facts: NumberFacts },
    Category { lookup: Lookup, seen: Vec<bool>, missing: u64, unknown: Option<Unknown> },
    Text,
}

impl Rows<File> {
    /// Opens the table at `path`.
    ///
    /// # Errors
    /// If the file cannot be opened, is no table, or lacks a column that is wanted and is
    /// not optional. The error has the names of all such columns.
    pub fn open(
        path: &Path,
        wanted: Wanted<'_>,
        options: &TableOptions<'_>,
    ) -> Result<Self, Error> {
        Self::new(mapped::open(path)?, path, wanted, options)
    }

    /// As [`open`](Rows::open), for one who reads all rows.
    pub(crate) fn open_whole(
        path: &Path,
        wanted: Wanted<'_>,
        options: &TableOptions<'_>,
    ) -> Result<Self, Error> {
        let block = Block::open(path.into(), mapped::open(path)?)?;
        Self::of_block(block, RowReader::whole_file, wanted, options)
    }
}

impl<R: Read> Rows<R> {
    /// Reads the first row that `reader` gives. Errors name `path`, such as `stdin`.
    /// Of the options only `separator`, `header` and `decimal` matter.
    ///
    /// # Errors
    /// As for [`open`](Rows::open).
    pub fn new(
        reader: R,
        path: &Path,
        wanted: Wanted<'_>,
        options: &TableOptions<'_>,
    ) -> Result<Self, Error> {
        let here = |records, _| RowReader::Here(Box::new(records));
        Self::of_block(Block::open(path.into(), reader)?, here, wanted, options)
    }

    pub(crate) fn of_block(
        mut block: Block<R>,
        reader: impl FnOnce(Records<R>, Marks) -> RowReader<R>,
        wanted: Wanted<'_>,
        options: &TableOptions<'_>,
    ) -> Result<Self, Error> {
        options.check().map_err(|error| block.error(error))?;
        let columns = wanted.columns;
        let mut present = vec![false; columns.len()];
        // An empty name and a tab may begin a header, so white space stays.
        block.skip_line_ends()?;
        let json = block.bytes().trim_ascii_start().starts_with(b"{");
        let source = if json {
            let mut lines = Lines::new(block);
            let first = lines.next()?;
            if let Some((line, object)) = &first {
                let names: Vec<_> = object.keys().cloned().collect();
                let places = wanted.match_names(*line, &names);
                for place in places.map_err(|error| lines.error(error))?.into_iter().flatten() {
                    present[place] = true;
                }
            }
            Source::Json { lines, first }
        } else {
            let plan = plan(&mut block, wanted, options)?;
            let mut records = Records::new(block, plan.dialect.separator);
            if plan.dialect.header {
                records.next()?;
            }
            for place in plan.places.iter().flatten() {
                present[*place] = true;
            }
            let seem = match plan.dialect.separator {
                b',' => Some(DecimalMark::Point),
                _ => options.decimal,
            };
            let records = reader(records, seem.map_or(Marks::UNKNOWN, Marks::shown));
            Source::Cells { records, dialect: plan.dialect, places: plan.places }
        };
        let marks = match &source {
            Source::Cells { dialect, .. } if dialect.separator != b',' => {
                Marks::assuming(options.decimal)
            }
            _ => Marks::said(DecimalMark::Point),
        };
        let slots = columns.iter().map(Slot::new).collect();
        let row = vec![f32::NAN; columns.len()];
        Ok(Self { source, slots, present, running: Running::new(marks), rows: 0, row })
    }

    /// Appends at most `rows` rows to `cells`: the columns in the order that they are
    /// wanted in, NaN for a cell that is missing or has an unknown value. Gives the number
    /// of rows, which is smaller than `rows` at the end alone.
    ///
    /// # Errors
    /// If a row has another number of cells than the first row, or a cell is no number
    /// where one is wanted. The rows before it are in `cells`.
    pub fn next_batch(&mut self, rows: usize, cells: &mut Vec<f32>) -> Result<usize, Error> {
        for count in 0..rows {
            if !self.next_row()? {
                return Ok(count);
            }
            if cells.try_reserve(self.row.len()).is_err() {
                let bytes = (cells.len() as u64).saturating_mul(4);
                return Err(Error::Memory { path: self.path().into(), bytes });
            }
            cells.extend_from_slice(&self.row);
            self.rows += 1;
        }
        Ok(rows)
    }

    /// Appends the rows that are there, at most `rows`: it waits for the first one, and takes of
    /// the others those that are in memory as a whole. So a row that comes through a pipe is
    /// here as soon as it was written, and a file is read many rows at a time. Gives the number
    /// of rows, which is 0 at the end alone.
    ///
    /// # Errors
    /// As for [`next_batch`](Self::next_batch).
    pub fn next_ready(&mut self, rows: usize, cells: &mut Vec<f32>) -> Result<usize, Error> {
        let mut count = 0;
        while count < rows && (count == 0 || self.is_ready()) {
            match self.next_batch(1, cells)? {
                0 => break,
                more => count += more,
            }
        }
        Ok(count)
    }

    /// Whether the next row, or the end, needs no reading.
    fn is_ready(&self) -> bool {
        match &self.source {
            Source::Cells { records, .. } => records.is_ready(),
            Source::Json { lines, first } => first.is_some() || lines.is_ready(),
        }
    }

    /// Reads a row into `self.row`. False at the end.
    fn next_row(&mut self) -> Result<bool, Error> {
        self.row.fill(f32::NAN);
        let (row, slots, running) = (&mut self.row, &mut self.slots, &mut self.running);
        match &mut self.source {
            Source::Cells { records, places, .. } => {
                let Some(record) = records.next()? else { return Ok(false) };
                let (line, found, expected) = (record.line, record.len(), places.len());
                let added = if found == expected {
                    record.raw().zip(places).enumerate().try_for_each(|(index, (cell, place))| {
                        let Some(position) = *place else { return Ok(()) };
                        let slot = &mut slots[position];
                        row[position] = if let CellReader::Number { facts } = &mut slot.reader
                            && let Some(value) = record.short(index, cell, &running.marks)
                        {
                            facts.add(value);
                            value as f32
                        } else {
                            slot.add(line, cell, running)?
                        };
                        Ok(())
                    })
                } else {
                    Err(TableError::Ragged { line, found, expected })
                };
                added.map_err(|error| records.error(error))?;
            }
            Source::Json { lines, first } => {
                let next = match first.take() {
                    Some(first) => Some(first),
                    None => lines.next()?,
                };
                let Some((line, object)) = next else { return Ok(false) };
                for (slot, cell) in slots.iter_mut().zip(row) {
                    let text = super::json::cell(line, &slot.name, &object);
                    let added = text.and_then(|text| slot.add(line, text.as_bytes(), running));
                    *cell = added.map_err(|error| lines.error(error))?;
                }
            }
        }
        Ok(true)
    }

    fn path(&self) -> &Path {
        match &self.source {
            Source::Cells { records, .. } => records.path(),
            Source::Json { lines, .. } => lines.path(),
        }
    }

    /// The line of the next row, from 1, or that of the end.
    #[must_use]
    pub fn line(&self) -> u64 {
        match &self.source {
            Source::Cells { records, .. } => records.line(),
            Source::Json { first: Some((line, _)), .. } => *line,
            Source::Json { lines, .. } => lines.line(),
        }
    }

    /// How the table is written; `None` if it is JSON lines.
    #[must_use]
    pub fn dialect(&self) -> Option<Dialect> {
        match &self.source {
            Source::Cells { dialect, .. } => Some(*dialect),
            Source::Json { .. } => None,
        }
    }

    /// Whether the file has the column that is wanted at `position`. Only one that is
    /// optional can be absent. Of JSON lines the first one tells.
    #[must_use]
    pub fn is_present(&self, position: usize) -> bool {
        self.present[position]
    }

    /// What is known of the cells that were read so far.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let columns = self.slots.iter().map(Slot::facts).collect();
        Facts { rows: self.rows, columns, undecided: self.running.undecided() }
    }

    /// As [`Schema`](super::Schema) has it.
    pub(crate) fn decimal(&self) -> Option<DecimalMark> {
        let marks = &self.running.marks;
        marks.decimal().filter(|mark| *mark == DecimalMark::Comma || marks.grouped)
    }
}

impl Slot {
    fn new(column: &Column) -> Self {
        let reader = match &column.kind {
            ColumnKind::Number => CellReader::Number { facts: NumberFacts::new() },
            ColumnKind::Category { values } => CellReader::Category {
                lookup: Lookup::new(values),
                seen: vec![false; values.len()],
                missing: 0,
                unknown: None,
            },
            ColumnKind::Text => CellReader::Text,
        };
        Self { name: column.name.clone(), reader }
    }

    /// The number that stands for a cell.
    fn add(&mut self, line: u64, cell: &[u8], running: &mut Running) -> Result<f32, TableError> {
        match &mut self.reader {
            CellReader::Text => Ok(f32::NAN),
            CellReader::Number { facts } => {
                let said = read_cell(cell, &mut running.marks);
                if let Some(value) = number_of(said, facts) {
                    return Ok(value);
                }
                if let Some(value) = running.take(said, &self.name, line, trimmed(cell))? {
                    facts.add(value);
                    return Ok(value as f32);
                }
                let (column, found) = (shown(self.name.as_bytes()), shown(cell));
                Err(if said == Cell::Infinite {
                    TableError::Infinite { line, column, found }
                } else {
                    TableError::NotANumber { line, column, found }
                })
            }
            CellReader::Category { lookup, seen, missing, unknown } => {
                let cell = trimmed(cell);
                // A model may know a value that is a word for none in other columns.
                if let Some(index) = lookup.find(cell) {
                    seen[index as usize] = true;
                    return Ok(index as f32);
                }
                if is_missing(cell) {
                    *missing += 1;
                } else {
                    let first = || Place { line, value: shown(cell) };
                    unknown.get_or_insert_with(|| Unknown { count: 0, first: first() }).count += 1;
                }
                Ok(f32::NAN)
            }
        }
    }

    fn facts(&self) -> ColumnFacts {
        match &self.reader {
            CellReader::Number { facts, .. } => facts.facts(),
            CellReader::Category { seen, missing, unknown, .. } => ColumnFacts {
                missing: *missing,
                distinct: seen.iter().filter(|seen| **seen).count(),
                unknown: unknown.clone(),
                ..ColumnFacts::default()
            },
            CellReader::Text => ColumnFacts::default(),
        }
    }
}
