//! One pass over a table whose columns are not known, or two.
//!
//! A column is taken for numbers unless one of the first rows has a text in it. If a later
//! row has, the pass goes on without keeping cells, so that it finds all such columns, and
//! a second pass takes these for texts from the start. In the first pass each column is read
//! with the decimal mark that its own cells show; where the table has the other one, the
//! second pass reads with that. There is never a third, because no cell contradicts a column
//! of texts, and a text is none with either mark.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use super::ahead::RowReader;
use super::block::Block;
use super::categories::{Dictionary, MOST_FOUND, MOST_SAID};
use super::dialect::{Dialect, Sample, find_out};
use super::error::{TableError, shown};
use super::evidence::{Decided, Seen, decide};
use super::facts::{ColumnFacts, Facts, NumberFacts, Place, number_of};
use super::looks::Counter;
use super::marks::{DecimalMark, Marks};
use super::names;
use super::number::{Cell, is_missing, read};
use super::options::TableOptions;
use super::records::{Record, Records};
use super::schema::{Column, ColumnKind, Schema};
use crate::error::Error;
use crate::mapped;

/// Texts are no category if there are more of them than this, and more than half of the
/// cells have a text of their own.
const FEW: usize = 50;

/// A table.
pub(crate) struct Whole {
    pub(crate) schema: Schema,
    pub(crate) facts: Facts,
    /// rows × columns. Empty if they were not to be kept.
    pub(crate) cells: Vec<f32>,
}

/// Reads the table at `path`.
pub(crate) fn whole_file(
    path: &Path,
    options: &TableOptions<'_>,
    keep: bool,
) -> Result<Whole, Error> {
    let open = || Block::open(path.into(), mapped::open(path)?);
    whole(path, open, RowReader::whole_file, options, keep)
}

/// Reads a table from the bytes of a file, which errors call `path`.
pub(crate) fn whole_bytes(
    path: &Path,
    bytes: &[u8],
    options: &TableOptions<'_>,
) -> Result<Whole, Error> {
    let open = || Block::open(path.into(), bytes);
    whole(path, open, |records, _| RowReader::Here(Box::new(records)), options, true)
}

/// Reads the table that `open` opens, which it does for a look at the first rows and for each
/// pass. `reader` reads the rows of a pass; it is told what the marks of numbers seem to be.
pub(crate) fn whole<R: Read>(
    path: &Path,
    open: impl Fn() -> Result<Block<R>, Error>,
    reader: impl Fn(Records<R>, Marks) -> RowReader<R>,
    options: &TableOptions<'_>,
    keep: bool,
) -> Result<Whole, Error> {
    let failed = |error| Error::Table { path: path.into(), error };
    options.check().map_err(failed)?;
    let sample = find_out(open()?, options)?;
    // The columns that are known to have texts, and the first of them.
    let mut texts = HashMap::new();
    let separator = sample.dialect.separator;
    let mut marks = Marks::of_separator(separator);
    let mut decided: Option<Decided> = None;
    loop {
        let records = reader(Records::new(open()?, separator), sample.marks(marks));
        let mut pass = Pass::new(records, &sample, &texts, options, marks, keep)?;
        pass.run()?;
        let found = pass.contradictions();
        // A second pass finds nothing new.
        let decided = match &mut decided {
            Some(decided) => decided,
            none => none.insert(pass.decide(separator).map_err(failed)?),
        };
        if found.is_empty() && !pass.is_misread(decided) {
            return pass.finish(sample.dialect, decided);
        }
        texts.extend(found);
        marks = decided.decimal.map_or(marks, Marks::shown);
    }
}

/// What is done with the cells of a column of the file.
enum Use {
    Ignored,
    Numbers {
        facts: NumberFacts,
        marks: Marks,
        /// The cells that say something of the marks.
        seen: Box<Seen>,
        /// The first cell that is infinite.
        infinite: Option<Place>,
        /// The first cell that is no number. From then on nothing is collected.
        text: Option<Place>,
    },
    Texts {
        dictionary: Dictionary,
        missing: u64,
        looks: Counter,
        /// The first cell that is no number.
        first: Option<Place>,
    },
}

/// What became of a cell.
enum Added {
    Cell(f32),
    Ignored,
    /// The column has a text, in this cell or in one before, and was taken for numbers.
    Contradiction,
}

/// Where a cell is.
struct At<'a> {
    line: u64,
    /// The position of the column.
    index: usize,
    name: &'a String,
    options: &'a TableOptions<'a>,
}

impl Use {
    /// Adds any cell.
    fn add(&mut self, cell: &[u8], at: &At<'_>) -> Result<Added, TableError> {
        let line = at.line;
        let place = |cell: &[u8]| Place { line, value: shown(cell) };
        match self {
            Self::Ignored => Ok(Added::Ignored),
            Self::Numbers { text: Some(_), .. } => Ok(Added::Contradiction),
            Self::Numbers { facts, marks, seen, infinite, text } => {
                let said = read_cell(cell, marks);
                if let Some(value) = number_of(said, facts) {
                    return Ok(Added::Cell(value));
                }
                if matches!(said, Cell::Marked(_) | Cell::Contrary) {
                    seen.add(line, super::records::trimmed(cell));
                    // One that contradicts is read again, or an error.
                    said.number().into_iter().for_each(|value| facts.add(value));
                    return Ok(Added::Cell(said.number().map_or(f32::NAN, |value| value as f32)));
                }
                if said == Cell::Infinite {
                    // An error, unless a later row shows that these are texts.
                    infinite.get_or_insert_with(|| place(cell));
                    return Ok(Added::Cell(f32::NAN));
                }
                *text = Some(place(cell));
                if at.options.numeric.contains(at.name) {
                    let (column, found) = (shown(at.name.as_bytes()), shown(cell));
                    return Err(TableError::NotANumber { line, column, found });
                }
                Ok(Added::Contradiction)
            }
            Self::Texts { dictionary, missing, looks, first } => {
                let cell = super::records::trimmed(cell);
                if is_missing(cell) {
                    *missing += 1;
                    return Ok(Added::Cell(f32::NAN));
                }
                let Some((value, new)) = dictionary.add(cell) else {
                    looks.add_beyond(cell);
                    return Ok(Added::Cell(f32::NAN));
                };
                let is_number = looks.add(value, cell);
                if new {
                    if str::from_utf8(cell).is_err() {
                        let (column, found) = (at.index + 1, shown(cell));
                        return Err(TableError::NotUtf8 { line, column, found });
                    }
                    if first.is_none() && !is_number {
                        *first = Some(place(cell));
                    }
                }
                Ok(Added::Cell(value as f32))
            }
        }
    }
}

struct Pass<'a, R> {
    records: RowReader<R>,
    options: &'a TableOptions<'a>,
    names: Vec<String>,
    uses: Vec<Use>,
    rows: u64,
    cells: Vec<f32>,
    keep: bool,
}

impl<'a, R: Read> Pass<'a, R> {
    fn new(
        mut records: RowReader<R>,
        sample: &Sample,
        texts: &HashMap<usize, Place>,
        options: &'a TableOptions<'a>,
        marks: Marks,
        keep: bool,
    ) -> Result<Self, Error> {
        let header = sample.dialect.header;
        let columns = sample.rows.first().map_or(0, Vec::len);
        let names = if header {
            let named = match records.next()? {
                Some(row) => names::of_header(row.line, row.cells()),
                None => Err(TableError::Empty),
            };
            named.map_err(|error| records.error(error))?
        } else {
            (0..columns).map(names::of_index).collect()
        };
        options.check_names(&names).map_err(|error| records.error(error))?;
        let rows = &sample.rows[usize::from(header)..];
        let of_column = |(index, name): (usize, &String)| {
            if options.ignore.contains(name) {
                return Use::Ignored;
            }
            let mut of_sample = marks;
            let numbers = options.numeric.contains(name)
                || !texts.contains_key(&index)
                    && rows
                        .iter()
                        .filter_map(|row| row.get(index))
                        .all(|cell| read(cell, &mut of_sample) != Cell::Text);
            if options.categorical.contains(name) || !numbers {
                let most = if options.categorical.contains(name) { MOST_SAID } else { MOST_FOUND };
                let first = texts.get(&index).cloned();
                let (dictionary, looks) = (Dictionary::new(most), Counter::new(marks));
                return Use::Texts { dictionary, missing: 0, looks, first };
            }
            let (facts, seen) = (NumberFacts::new(), Box::default());
            Use::Numbers { facts, marks, seen, infinite: None, text: None }
        };
        let uses = names.iter().enumerate().map(of_column).collect();
        Ok(Self { records, options, names, uses, rows: 0, cells: Vec::new(), keep })
    }

    fn run(&mut self) -> Result<(), Error> {
        let width = self.uses.iter().filter(|one| !matches!(one, Use::Ignored)).count();
        loop {
            // What is not kept is a row at a time.
            if !self.keep {
                self.cells.clear();
            }
            if self.cells.try_reserve(width).is_err() {
                let bytes = (self.cells.len() as u64 + width as u64).saturating_mul(4);
                return Err(Error::Memory { path: self.records.path().into(), bytes });
            }
            let Some(record) = self.records.next()? else { return Ok(()) };
            let (line, found, expected) = (record.line, record.len(), self.uses.len());
            if found != expected {
                return Err(self.records.error(TableError::Ragged { line, found, expected }));
            }
            match add(record, &self.names, &mut self.uses, self.options, &mut self.cells) {
                Ok(true) => {}
                // This pass gives no table.
                Ok(false) if self.keep => {
                    self.keep = false;
                    self.cells = Vec::new();
                }
                Ok(false) => {}
                Err(error) => return Err(self.records.error(error)),
            }
            self.rows += 1;
        }
    }

    /// The columns of numbers in which there was a text.
    fn contradictions(&self) -> HashMap<usize, Place> {
        let text = |(index, one): (usize, &Use)| match one {
            Use::Numbers { text: Some(place), .. } => Some((index, place.clone())),
            _ => None,
        };
        self.uses.iter().enumerate().filter_map(text).collect()
    }

    /// The columns of numbers, with the cells that say something of the marks.
    fn seen(&self) -> impl Iterator<Item = (&str, &Seen)> {
        let seen = |(name, one): (_, _)| match one {
            &Use::Numbers { ref seen, text: None, .. } => Some((name, &**seen)),
            _ => None,
        };
        self.names.iter().map(|name| &name[..]).zip(&self.uses).filter_map(seen)
    }

    fn decide(&self, separator: u8) -> Result<Decided, TableError> {
        decide(self.seen(), separator, self.options.decimal)
    }

    /// Whether a column was read with another decimal mark than that of the table.
    fn is_misread(&self, decided: &Decided) -> bool {
        decided.decimal.is_some_and(|decimal| self.seen().any(|(_, seen)| seen.is_misread(decimal)))
    }

    fn finish(self, dialect: Dialect, decided: &Decided) -> Result<Whole, Error> {
        let Self { records, options, names, uses, rows, mut cells, .. } = self;
        if rows == 0 {
            return Err(records.error(TableError::NoRows { columns: names.len() }));
        }
        let (mut columns, mut facts) = (Vec::new(), Vec::new());
        let marks = decided.decimal.map_or(Marks::of_separator(dialect.separator), Marks::shown);
        let mut grouped = false;
        // For each column of texts, its position and the order of its values.
        let mut orders = Vec::new();
        for (name, one) in names.into_iter().zip(uses) {
            let (kind, of_column) = match one {
                Use::Ignored => continue,
                Use::Numbers { infinite: Some(Place { line, value }), .. } => {
                    let column = shown(name.as_bytes());
                    let error = TableError::Infinite { line, column, found: value };
                    return Err(records.error(error));
                }
                Use::Numbers { facts, marks, .. } => {
                    grouped |= marks.grouped;
                    (ColumnKind::Number, facts.facts())
                }
                Use::Texts { dictionary, missing, looks, first } => {
                    let distinct = dictionary.len();
                    let said = options.categorical.contains(&name);
                    if said && dictionary.is_full() {
                        let column = shown(name.as_bytes());
                        let error = TableError::TooManyValues { column, most: MOST_SAID };
                        return Err(records.error(error));
                    }
                    let own = distinct > FEW && 2 * distinct as u64 > rows - missing;
                    let of_column = ColumnFacts {
                        missing,
                        distinct,
                        more: dictionary.is_full(),
                        first_text: first,
                        looks: looks.finish(),
                        ..Default::default()
                    };
                    if dictionary.is_full() || own && !said {
                        orders.push((columns.len(), None));
                        (ColumnKind::Text, of_column)
                    } else {
                        let (values, order) = dictionary.finish(marks);
                        orders.push((columns.len(), Some(order)));
                        let distinct = values.len();
                        let facts = ColumnFacts { distinct, ..of_column };
                        (ColumnKind::Category { values }, facts)
                    }
                }
            };
            columns.push(Column { name, kind });
            facts.push(of_column);
        }
        if !orders.is_empty() {
            for row in cells.chunks_exact_mut(columns.len().max(1)) {
                for (position, order) in &orders {
                    let cell = &mut row[*position];
                    *cell = match order {
                        Some(order) if !cell.is_nan() => order[*cell as usize] as f32,
                        _ => f32::NAN,
                    };
                }
            }
        }
        let point = grouped.then_some(DecimalMark::Point);
        let decimal = decided.decimal.filter(|mark| *mark == DecimalMark::Comma).or(point);
        let schema = Schema { dialect, decimal, columns };
        let undecided = decided.undecided.clone();
        Ok(Whole { schema, facts: Facts { rows, columns: facts, undecided }, cells })
    }
}

/// Adds a row of the file, and appends its cells to `cells`. False if a column of numbers
/// has a text in it, in this row or in one before.
fn add(
    record: Record<'_>,
    names: &[String],
    uses: &mut [Use],
    options: &TableOptions<'_>,
    cells: &mut Vec<f32>,
) -> Result<bool, TableError> {
    let mut agrees = true;
    for (index, (cell, one)) in record.raw().zip(uses).enumerate() {
        // Most cells of most tables.
        if let Use::Numbers { facts, marks, text: None, .. } = one
            && let Some(value) = record.short(index, cell, marks)
        {
            facts.add(value);
            cells.push(value as f32);
            continue;
        }
        let at = At { line: record.line, index, name: &names[index], options };
        match one.add(cell, &at)? {
            Added::Cell(value) => cells.push(value),
            Added::Ignored => {}
            Added::Contradiction => agrees = false,
        }
    }
    Ok(agrees)
}

/// What a cell says, also one that has white space before its quotes.
#[inline]
pub(crate) fn read_cell(cell: &[u8], marks: &mut Marks) -> Cell {
    match read(cell, marks) {
        Cell::Text => read(super::records::trimmed(cell), marks),
        said => said,
    }
}
