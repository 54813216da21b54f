//! Tables in text: CSV, TSV and their relatives, raw or gzip; for rows with known columns
//! JSON lines too. docs/formats.md describes what is read.

// What goes wrong, and what a user says.
mod error;
mod options;
// From bytes to rows: the text, the part of it in memory, its rows.
mod input;
mod block;
mod separators;
mod records;
mod batch;
mod ahead;
mod json;
// From cells to values: numbers and their marks, categories, what is known of them, names.
mod word;
mod short;
mod number;
mod written;
mod marks;
mod evidence;
mod looks;
mod categories;
mod facts;
mod names;
// Tables: how they are written, their columns, reading without knowing these and with.
mod dialect;
mod schema;
mod infer;
mod wanted;
mod rows;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::Read;
use std::path::Path;

pub use dialect::Dialect;
pub use error::TableError;
pub use facts::{ColumnFacts, DISTINCT, Facts, Place, Undecided, Unknown};
pub use looks::Looks;
pub use marks::DecimalMark;
pub use options::TableOptions;
pub use rows::Rows;
pub use schema::{Column, ColumnKind, Schema};
pub use wanted::Wanted;

use crate::error::Error;
use crate::mapped;
use crate::other_files::ENOUGH;

/// What the names of tables end in, before `.gz` if that follows.
const EXTENSIONS: [&str; 5] = ["csv", "tsv", "tab", "txt", "data"];

/// Whether the file at `path` looks like a table: it is text, raw or gzip, and more than one
/// of its names; or it has the name of a table, so that whoever reads it as one says what is
/// wrong with its text. A file that is empty or cannot be opened is none.
#[must_use]
pub fn is_table(path: &Path) -> bool {
    let Ok(file) = mapped::open(path) else { return false };
    let mut start = Vec::new();
    let read = input::Input::new(file)
        .and_then(|text| text.take(ENOUGH as u64).read_to_end(&mut start))
        .is_ok();
    // A character may be cut off at the end; no control characters, but for tabs and lines.
    let text = match str::from_utf8(&start) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => "",
    };
    let plain = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
    let is_text = read && text.len() > 1 && text.chars().all(plain);
    // Two zeros are the beginning of IDX. Gzip data may be damaged from the first byte on.
    let is_other = start.starts_with(&[0, 0]) || read && start.is_empty();
    is_text || !is_other && has_name_of_table(path)
}

fn has_name_of_table(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.rsplit_once('.').is_some_and(|(_, extension)| EXTENSIONS.contains(&extension))
}

/// A table in memory.
///
/// ```
/// use mnist_io::{ColumnKind, Table, TableOptions};
///
/// let text = b"length;colour\n5,1;red\n4,9;blue\n;red\n";
/// let table = Table::parse(text, &TableOptions::default())?;
/// assert_eq!(table.rows(), 3);
/// let [length, colour] = &table.schema().columns[..] else { panic!("two columns") };
/// assert_eq!((&length.name[..], &length.kind), ("length", &ColumnKind::Number));
/// let values = vec!["blue".to_owned(), "red".to_owned()];
/// assert_eq!(colour.kind, ColumnKind::Category { values });
/// assert_eq!(table.row(0), [5.1, 1.0]);
/// assert_eq!(table.row(1), [4.9, 0.0]);
/// assert!(table.row(2)[0].is_nan());
/// assert_eq!(table.facts().columns[0].missing, 1);
/// # Ok::<(), mnist_io::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Table {
    schema: Schema,
    facts: Facts,
    cells: Vec<f32>,
}

impl Table {
    /// Reads the table at `path`, of which nothing is known.
    ///
    /// The file is read once, and once more if a column that begins with numbers goes on
    /// with texts. A large one is read on two threads, where there are threads; the result is
    /// the same.
    ///
    /// # Errors
    /// If the file cannot be opened or read, does not fit into memory, is no table of
    /// text in UTF-8, or has no rows; if two columns have one name, or a row has another
    /// number of cells than the first; if a column of numbers has an infinite one; if
    /// the options name a column that is not there, or one as `numeric` that has texts,
    /// or as `categorical` that has more than 65536 values.
    pub fn read(path: &Path, options: &TableOptions<'_>) -> Result<Self, Error> {
        infer::whole_file(path, options, true).map(Self::from)
    }

    /// Reads a table from the bytes of a file. Errors name the file `table`.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn parse(bytes: &[u8], options: &TableOptions<'_>) -> Result<Self, Error> {
        infer::whole_bytes(Path::new("table"), bytes, options).map(Self::from)
    }

    /// Reads the columns that are wanted of the table at `path`. An optional column that
    /// is absent is NaN in every row. What the values of categories are is known, so
    /// one that is unknown is NaN, and the [`facts`](Self::facts) tell of it.
    ///
    /// # Errors
    /// As for [`Rows::open`] and [`Rows::next_batch`].
    pub fn read_with(
        path: &Path,
        wanted: Wanted<'_>,
        options: &TableOptions<'_>,
    ) -> Result<Self, Error> {
        let mut rows = Rows::open_whole(path, wanted, options)?;
        let mut cells = Vec::new();
        rows.next_batch(usize::MAX, &mut cells)?;
        cells.shrink_to_fit();
        let dialect = rows.dialect().unwrap_or(Dialect { separator: b',', header: true });
        let (decimal, columns) = (rows.decimal(), wanted.columns.to_vec());
        let schema = Schema { dialect, decimal, columns };
        Ok(Self { schema, facts: rows.facts(), cells })
    }

    /// The columns.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// What is known of the cells.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.facts.rows as usize
    }

    /// The cells, rows × columns, row-major. A missing one is NaN, and that of a category
    /// is the index of its value.
    #[must_use]
    pub fn cells(&self) -> &[f32] {
        &self.cells
    }

    /// The cells of the row at `index`.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn row(&self, index: usize) -> &[f32] {
        let width = self.schema.columns.len();
        &self.cells[index * width..][..width]
    }

    /// The columns, the facts, and the cells as [`cells`](Self::cells) has them.
    #[must_use]
    pub fn into_parts(self) -> (Schema, Facts, Vec<f32>) {
        (self.schema, self.facts, self.cells)
    }
}

impl From<infer::Whole> for Table {
    fn from(infer::Whole { schema, facts, mut cells }: infer::Whole) -> Self {
        cells.shrink_to_fit();
        Self { schema, facts, cells }
    }
}

/// Without the cells, of which there are millions.
impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("schema", &self.schema)
            .field("rows", &self.facts.rows)
            .finish_non_exhaustive()
    }
}
