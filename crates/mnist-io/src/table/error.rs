//! What can be wrong with a table.

use thiserror::Error as ThisError;

/// Why a text is not a table, or not the table that is wanted. Lines count from 1, in the
/// inflated text if the file is gzip; a row that has several lines counts as its first.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum TableError {
    /// There is nothing in the file but white space.
    #[error("found an empty file, expected a table with a line for each sample; check the path")]
    Empty,

    /// There is a header, and no row after it.
    #[error(
        "line 1: found a header of {columns} columns and no row, expected a row for each sample; if the first line is no header, say so"
    )]
    NoRows {
        /// The number of columns.
        columns: usize,
    },

    /// The file is in another format.
    #[error("found {found}, expected a table of text (CSV or TSV); {advice}")]
    OtherFile {
        /// What it is.
        found: &'static str,
        /// What to do.
        advice: &'static str,
    },

    /// A text that a program must read is not UTF-8.
    #[error(
        "line {line}: column {column}: found bytes that are not UTF-8 (`{found}`), expected UTF-8; save the file as UTF-8, or convert it: iconv -f WINDOWS-1252 -t UTF-8"
    )]
    NotUtf8 {
        /// The line.
        line: u64,
        /// The number of the column, from 1.
        column: usize,
        /// The cell, with the replacement character for what is wrong.
        found: String,
    },

    /// A row has more cells than the first row, or fewer.
    #[error("line {line}: found {found} cells, expected {expected}, as in the first row; {}", ragged(*.line, *.found, *.expected))]
    Ragged {
        /// The line.
        line: u64,
        /// The number of cells.
        found: usize,
        /// The number of cells of the first row.
        expected: usize,
    },

    /// Two columns have the same name.
    #[error(
        "line {line}: found the name `{name}` for columns {first} and {second}, expected a name of its own for each column; rename one of them"
    )]
    DuplicateName {
        /// The line of the header.
        line: u64,
        /// The name.
        name: String,
        /// The number of the first column with it, from 1.
        first: usize,
        /// The number of the second one.
        second: usize,
    },

    /// A quoted cell does not end.
    #[error(
        "line {line}: found a quote that is never closed, expected another before the end of the file; close it, or write a quote within a cell twice"
    )]
    UnclosedQuote {
        /// The line where the row begins.
        line: u64,
    },

    /// A row is longer than any row of a table.
    #[error(
        "line {line}: found a row of more than {most} bytes, expected no more; check that each row is a line, and that each quote is closed"
    )]
    LongRow {
        /// The line where the row begins.
        line: u64,
        /// The largest size of a row.
        most: usize,
    },

    /// There are more columns than any table has.
    #[error("line {line}: found {found} columns, expected {most} at the most")]
    Columns {
        /// The line.
        line: u64,
        /// The number of columns.
        found: usize,
        /// The largest number.
        most: usize,
    },

    /// A cell of a column of numbers is no number.
    #[error("line {line}: column `{column}`: found `{found}`, expected a number, or nothing")]
    NotANumber {
        /// The line.
        line: u64,
        /// The name of the column.
        column: String,
        /// The cell.
        found: String,
    },

    /// A cell of a column of numbers is infinite, or beyond what f32 holds.
    #[error(
        "line {line}: column `{column}`: found `{found}`, expected a finite number of at most 3.4e38; replace it, or leave the cell empty"
    )]
    Infinite {
        /// The line.
        line: u64,
        /// The name of the column.
        column: String,
        /// The cell.
        found: String,
    },

    /// A table has a decimal point and a decimal comma.
    #[error(
        "line {line}: column `{column}`: {found}, expected one decimal mark in the whole table; write both numbers in one way, or leave the column out"
    )]
    DecimalMarks {
        /// The line.
        line: u64,
        /// The name of the column.
        column: String,
        /// The cell and one before it, and what each has.
        found: String,
    },

    /// A column that is to be a category has too many values.
    #[error(
        "column `{column}`: found more than {most} different values, expected no more in a category"
    )]
    TooManyValues {
        /// The name of the column.
        column: String,
        /// The largest number of values.
        most: usize,
    },

    /// An option names a column that is not there.
    #[error("found no column `{name}`; {advice}")]
    UnknownColumn {
        /// The name.
        name: String,
        /// What was probably meant, or all names.
        advice: String,
    },

    /// Columns that are wanted are not in the header.
    #[error("line {line}: found no column {missing}; {advice}")]
    MissingColumns {
        /// The line of the header.
        line: u64,
        /// The names, each with what was probably meant.
        missing: String,
        /// The names that are there.
        advice: String,
    },

    /// A file without a header has another number of columns than is wanted.
    #[error(
        "line {line}: found {found} cells and no header, expected {expected}: {names}; write the columns in this order, or a header with these names"
    )]
    CellCount {
        /// The line of the first row.
        line: u64,
        /// The number of cells.
        found: usize,
        /// The number of columns that are wanted.
        expected: String,
        /// Their names.
        names: String,
    },

    /// Cells cannot be separated by this byte.
    #[error(
        "found separator {found:?}, expected a character of ASCII such as `,` `;` `|` or a tab"
    )]
    Separator {
        /// The separator.
        found: char,
    },

    /// The gzip data are damaged.
    #[error(
        "line {line}: found damaged gzip data ({error}), expected it to inflate to its end; fetch the file again"
    )]
    Gzip {
        /// The line where the text ends.
        line: u64,
        /// What the decoder says.
        error: std::io::Error,
    },

    /// A line of JSON lines is no JSON object.
    #[error(
        "line {line}: found {found}, expected a JSON object with a value for each column, such as {{\"x\": 1.5}}"
    )]
    Json {
        /// The line.
        line: u64,
        /// What is wrong.
        found: String,
    },
}

fn ragged(line: u64, found: usize, expected: usize) -> &'static str {
    // What R writes with `row.names = TRUE` is such a table.
    if found == expected + 1 && line == 2 {
        "if the first column has the names of the rows, give it a name in the header too"
    } else {
        "write a separator between any two cells, and quote a cell that has a separator in it"
    }
}

/// The longest text of a file that a message repeats, in characters.
const SHOWN: usize = 40;

/// A text of a file as messages have it: on one line, and not too long.
pub(crate) fn shown(text: &[u8]) -> String {
    let start = &text[..text.len().min(4 * SHOWN + 4)];
    let text = String::from_utf8_lossy(start);
    let escaped = |c: char| {
        let plain = !c.is_control() && c != '\u{2028}' && c != '\u{2029}';
        if plain { c.to_string() } else { c.escape_default().to_string() }
    };
    let shown: String = text.trim().chars().take(SHOWN).map(escaped).collect();
    if text.trim().chars().count() > SHOWN { shown + "…" } else { shown }
}
