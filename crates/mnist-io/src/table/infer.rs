//! One pass over a table whose columns are not known, or two.
//!
//! A column is taken for numbers unless one of the first rows has a text in it. If a later
//! row has, the pass goes on without keeping cells, so that it finds all such columns, and
//! a second pass takes these for texts from the start. There is never a third, because no
//! cell contradicts a column of texts.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::block::Block;
use super::categories::{Dictionary, MOST_FOUND, MOST_SAID};
use super::dialect::{Dialect, Sample, find_out};
use super::error::{TableError, shown};
use super::facts::{ColumnFacts, Facts, NumberFacts, Place, number_of};
use super::names;
use super::number::{Cell, Decimal, is_missing, read};
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

pub(crate) fn open(path: &Path) -> Result<File, Error> {
    mapped::open(path)
}

/// Reads the table that `open` opens, as often as it is called.
pub(crate) fn whole<R: Read>(
    path: &Path,
    open: &mut dyn FnMut() -> Result<R, Error>,
    options: &TableOptions<'_>,
    keep: bool,
) -> Result<Whole, Error> {
    let mut block = || Block::open(path.into(), open()?);
    let failed = |error| Error::Table { path: path.into(), error };
    options.check().map_err(failed)?;
    let sample = find_out(block()?, options)?;
    // The columns that are known to have texts, and the first of them.
    let mut texts = HashMap::new();
    loop {
        let records = Records::new(block()?, sample.dialect.separator);
        let mut pass = Pass::new(records, &sample, &texts, options, keep)?;
        pass.run()?;
        let found = pass.contradictions();
        if found.is_empty() {
            return pass.finish(sample.dialect);
        }
        texts.extend(found);
    }
}

/// What is done with the cells of a column of the file.
enum Use {
    Ignored,
    Numbers {
        facts: NumberFacts,
        decimal: Decimal,
        /// The first cell that is infinite.
        infinite: Option<Place>,
        /// The first cell that is no number. From then on nothing is collected.
        text: Option<Place>,
    },
    Texts {
        dictionary: Dictionary,
        missing: u64,
        /// The first cell that is no number.
        first: Option<Place>,
    },
}

struct Pass<'a, R> {
    records: Records<R>,
    options: &'a TableOptions<'a>,
    names: Vec<String>,
    uses: Vec<Use>,
    rows: u64,
    cells: Vec<f32>,
    keep: bool,
}

impl<'a, R: Read> Pass<'a, R> {
    fn new(
        mut records: Records<R>,
        sample: &Sample,
        texts: &HashMap<usize, Place>,
        options: &'a TableOptions<'a>,
        keep: bool,
    ) -> Result<Self, Error> {
        let Dialect { header, separator } = sample.dialect;
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
            let mut decimal = Decimal::of_separator(separator);
            let numbers = options.numeric.contains(name)
                || !texts.contains_key(&index)
                    && rows
                        .iter()
                        .filter_map(|row| row.get(index))
                        .all(|cell| read(cell, &mut decimal) != Cell::Text);
            if options.categorical.contains(name) || !numbers {
                let most = if options.categorical.contains(name) { MOST_SAID } else { MOST_FOUND };
                let first = texts.get(&index).cloned();
                return Use::Texts { dictionary: Dictionary::new(most), missing: 0, first };
            }
            let decimal = Decimal::of_separator(separator);
            Use::Numbers { facts: NumberFacts::new(), decimal, infinite: None, text: None }
        };
        let uses = names.iter().enumerate().map(of_column).collect();
        Ok(Self { records, options, names, uses, rows: 0, cells: Vec::new(), keep })
    }

    fn run(&mut self) -> Result<(), Error> {
        let width = self.uses.iter().filter(|one| !matches!(one, Use::Ignored)).count();
        let mut row = Vec::with_capacity(width);
        while let Some(record) = self.records.next()? {
            let (line, found, expected) = (record.line, record.len(), self.uses.len());
            if found != expected {
                return Err(self.records.error(TableError::Ragged { line, found, expected }));
            }
            row.clear();
            let agrees = add(record, &self.names, &mut self.uses, self.options, &mut row);
            match agrees {
                Ok(true) => {}
                // This pass gives no table.
                Ok(false) => {
                    self.keep = false;
                    self.cells = Vec::new();
                }
                Err(error) => return Err(self.records.error(error)),
            }
            if self.keep {
                append(&self.records, &mut self.cells, &row)?;
            }
            self.rows += 1;
        }
        Ok(())
    }

    /// The columns of numbers in which there was a text.
    fn contradictions(&self) -> HashMap<usize, Place> {
        let text = |(index, one): (usize, &Use)| match one {
            Use::Numbers { text: Some(place), .. } => Some((index, place.clone())),
            _ => None,
        };
        self.uses.iter().enumerate().filter_map(text).collect()
    }

    fn finish(self, dialect: Dialect) -> Result<Whole, Error> {
        let Self { records, options, names, uses, rows, mut cells, .. } = self;
        if rows == 0 {
            return Err(records.error(TableError::NoRows { columns: names.len() }));
        }
        let (mut columns, mut facts) = (Vec::new(), Vec::new());
        let mut decimal_comma = false;
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
                Use::Numbers { facts, decimal, .. } => {
                    decimal_comma |= decimal == Decimal::Comma;
                    (ColumnKind::Number, facts.facts())
                }
                Use::Texts { dictionary, missing, first } => {
                    let distinct = dictionary.len();
                    let said = options.categorical.contains(&name);
                    if said && dictionary.is_full() {
                        let column = shown(name.as_bytes());
                        let error = TableError::TooManyValues { column, most: MOST_SAID };
                        return Err(records.error(error));
                    }
                    let own = distinct > FEW && 2 * distinct as u64 > rows - missing;
                    let of_column =
                        ColumnFacts { missing, distinct, first_text: first, ..Default::default() };
                    if dictionary.is_full() || own && !said {
                        orders.push((columns.len(), None));
                        (ColumnKind::Text, of_column)
                    } else {
                        let decimal = Decimal::of_separator(dialect.separator);
                        let (values, order) = dictionary.finish(decimal);
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
        let schema = Schema { dialect, decimal_comma, columns };
        Ok(Whole { schema, facts: Facts { rows, columns: facts }, cells })
    }
}

/// Adds a row of the file, and puts its cells into `row`. False if a column of numbers has
/// a text in it, in this row or in one before.
fn add(
    record: Record<'_>,
    names: &[String],
    uses: &mut [Use],
    options: &TableOptions<'_>,
    row: &mut Vec<f32>,
) -> Result<bool, TableError> {
    let line = record.line;
    let mut agrees = true;
    for (index, (cell, one)) in record.raw().zip(uses).enumerate() {
        let place = |cell: &[u8]| Place { line, value: shown(cell) };
        match one {
            Use::Ignored => {}
            Use::Numbers { text: Some(_), .. } => agrees = false,
            Use::Numbers { facts, decimal, infinite, text } => {
                let said = read_cell(cell, decimal);
                if let Some(value) = number_of(said, facts) {
                    row.push(value);
                    continue;
                }
                if said == Cell::Infinite {
                    // An error, unless a later row shows that these are texts.
                    infinite.get_or_insert_with(|| place(cell));
                    row.push(f32::NAN);
                    continue;
                }
                agrees = false;
                *text = Some(place(cell));
                if options.numeric.contains(&names[index]) {
                    let (column, found) = (shown(names[index].as_bytes()), shown(cell));
                    return Err(TableError::NotANumber { line, column, found });
                }
            }
            Use::Texts { dictionary, missing, first } => {
                let cell = super::records::trimmed(cell);
                if is_missing(cell) {
                    *missing += 1;
                    row.push(f32::NAN);
                    continue;
                }
                let Some((value, new)) = dictionary.add(cell) else {
                    row.push(f32::NAN);
                    continue;
                };
                row.push(value as f32);
                if new {
                    if str::from_utf8(cell).is_err() {
                        let found = shown(cell);
                        return Err(TableError::NotUtf8 { line, column: index + 1, found });
                    }
                    if first.is_none() && read(cell, &mut Decimal::Unknown) == Cell::Text {
                        *first = Some(place(cell));
                    }
                }
            }
        }
    }
    Ok(agrees)
}

/// What a cell says, also one that has white space before its quotes.
#[inline]
pub(crate) fn read_cell(cell: &[u8], decimal: &mut Decimal) -> Cell {
    match read(cell, decimal) {
        Cell::Text => read(super::records::trimmed(cell), decimal),
        said => said,
    }
}

/// Appends a row to the cells of a table, if there is memory for it.
pub(crate) fn append<R: Read>(
    records: &Records<R>,
    cells: &mut Vec<f32>,
    row: &[f32],
) -> Result<(), Error> {
    if cells.try_reserve(row.len()).is_err() {
        let bytes = (cells.len() as u64 + row.len() as u64).saturating_mul(4);
        return Err(Error::Memory { path: records.path().into(), bytes });
    }
    cells.extend_from_slice(row);
    Ok(())
}
