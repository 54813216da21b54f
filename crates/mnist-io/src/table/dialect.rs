//! How a table is written: what separates its cells, and whether it has a header.

use std::collections::HashSet;
use std::io::Read;

use super::block::{Block, MOST};
use super::error::TableError;
use super::json;
use super::marks::Marks;
use super::number::{Cell, read};
use super::options::TableOptions;
use super::records::Records;
use crate::error::Error;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dialect {
    /// The byte between two cells.
    pub separator: u8,
    /// Whether the first row has the names of the columns.
    pub header: bool,
}

/// The separators that are looked for. The comma is the last, because where another
/// separates cells, commas may be in numbers.
pub(crate) const SEPARATORS: [u8; 4] = [b'\t', b';', b'|', b','];

/// The rows that are looked at.
const ROWS: usize = 100;

/// The bytes that are looked at, if they have two lines.
const SAMPLE: usize = 1 << 20;

/// A row of text.
pub(crate) type Row = Vec<Vec<u8>>;

/// The first rows of a table.
pub(crate) struct Sample {
    pub(crate) dialect: Dialect,
    /// The first rows, the header among them.
    pub(crate) rows: Vec<Row>,
}

impl Sample {
    /// What the marks of most numbers seem to be, if before them they are `marks`.
    pub(crate) fn marks(&self, mut marks: Marks) -> Marks {
        for cell in self.rows.iter().flatten() {
            read(cell, &mut marks);
        }
        marks.decimal().map_or(Marks::UNKNOWN, Marks::shown)
    }
}

/// Looks at the start of a text. What `options` force, or the text says, is not looked for.
///
/// # Errors
/// If there is no row, or the first one cannot be read.
pub(crate) fn find_out<R: Read>(
    mut block: Block<R>,
    options: &TableOptions<'_>,
) -> Result<Sample, Error> {
    let lines = |bytes: &[u8]| bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
    while !block.ended
        && (block.bytes().len() < SAMPLE || lines(block.bytes()) < 4)
        && block.bytes().len() < MOST
    {
        block.more()?;
    }
    if json::begins(block.bytes()) {
        let advice = "save the data as CSV: lines of JSON are read for columns that are known, as \
                      those of a model";
        return Err(block.error(TableError::OtherFile { found: "JSON", advice }));
    }
    let said = options.separator.or(block.separator);
    let candidates = said.as_ref().map_or(&SEPARATORS[..], std::slice::from_ref);
    // The greatest share of rows with the number of cells of the first, which must be two.
    let mut best: Option<(f64, u8, Vec<Row>)> = None;
    let mut failed = None;
    for &separator in candidates {
        let rows = match first_rows(&block, separator) {
            Ok(rows) => rows,
            Err(error) => {
                failed.get_or_insert(error);
                continue;
            }
        };
        let Some(first) = rows.first() else { return Err(block.error(TableError::Empty)) };
        let same = rows.iter().filter(|row| row.len() == first.len()).count();
        let share = if first.len() < 2 { 0.0 } else { same as f64 / rows.len() as f64 };
        // Of equals the first; the comma, which is the last, where there is none at all.
        let better =
            best.as_ref().is_none_or(|(most, ..)| share > *most || share == 0.0 && *most == 0.0);
        if better {
            best = Some((share, separator, rows));
        }
    }
    // A row that cannot be cut is an error if no separator cuts it.
    let cut = best.filter(|(share, ..)| *share > 0.0 || failed.is_none());
    let Some((_, separator, rows)) = cut else {
        return Err(failed.unwrap_or_else(|| block.error(TableError::Empty)));
    };
    let header = options.header.unwrap_or_else(|| has_header(&rows, separator));
    Ok(Sample { dialect: Dialect { separator, header }, rows })
}

/// The first rows of what is in memory. One that may be cut off is left out.
fn first_rows<R: Read>(block: &Block<R>, separator: u8) -> Result<Vec<Row>, Error> {
    let mut records = Records::new(block.copy()?, separator);
    let mut rows: Vec<Row> = Vec::new();
    let mut cells = 0;
    // A row of many cells is looked at as long as a hundred of few.
    while rows.len() < ROWS && (rows.len() < 4 || cells < SAMPLE) {
        match records.next() {
            Ok(Some(row)) => {
                cells += row.len();
                rows.push(row.cells().map(<[u8]>::to_vec).collect());
            }
            Ok(None) => {
                if !block.ended && rows.len() > 1 {
                    rows.pop();
                }
                break;
            }
            Err(error) if rows.is_empty() => return Err(error),
            Err(_) => break,
        }
    }
    Ok(rows)
}

/// Whether the first row has names.
fn has_header(rows: &[Row], separator: u8) -> bool {
    let Some((first, rest)) = rows.split_first() else { return false };
    let says = |cell: &[u8]| read(cell, &mut Marks::of_separator(separator));
    // pandas names the columns of an array 0, 1, 2, …, after an empty name of its index.
    let numbered = first.strip_prefix(&[Vec::new()]).unwrap_or(first);
    let counts = |(index, cell): (usize, &Vec<u8>)| *cell == index.to_string().into_bytes();
    if first.len() >= 4 && numbered.iter().enumerate().all(counts) {
        return true;
    }
    // Text over a column of numbers is its name.
    let over_numbers = |(column, cell): (usize, &Vec<u8>)| {
        let below = || rest.iter().filter_map(|row| row.get(column)).map(|cell| says(cell));
        says(cell) == Cell::Text
            && below().all(|cell| cell != Cell::Text)
            && below().any(|cell| cell.number().is_some())
    };
    if first.iter().enumerate().any(over_numbers) {
        return true;
    }
    let is_number = |cell: Cell| cell.number().is_some() || cell == Cell::Infinite;
    if first.iter().any(|cell| is_number(says(cell))) {
        return false;
    }
    // A table of texts. Names are there, are all different, and are none of the values.
    let names: HashSet<_> = first.iter().collect();
    let is_value = |(column, cell): (usize, &Vec<u8>)| {
        rest.iter().any(|row| row.get(column).is_some_and(|below| below == cell))
    };
    names.len() == first.len()
        && first.iter().skip(1).all(|cell| says(cell) == Cell::Text)
        && !first.iter().enumerate().any(is_value)
}
