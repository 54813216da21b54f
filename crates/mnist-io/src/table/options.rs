//! What a user says about a table.

use super::error::TableError;
use super::marks::DecimalMark;
use super::names;

/// What a user says about a table. What is not said is found out by looking at it.
///
/// Columns have the names of the header. Without a name they are `column 1`, `column 2`
/// and so on.
#[derive(Clone, Copy, Debug, Default)]
pub struct TableOptions<'a> {
    /// The byte between two cells: a character of ASCII.
    pub separator: Option<u8>,
    /// Whether the first row has the names of the columns.
    pub header: Option<bool>,
    /// Columns that are categories, even if all their cells are numbers.
    pub categorical: &'a [String],
    /// Columns that are numbers. A text in one of them is an error.
    pub numeric: &'a [String],
    /// Columns that are left out. What is in them is never an error.
    pub ignore: &'a [String],
    /// The decimal mark of numbers such as `1.234` in a table that does not show what its marks
    /// are: that of the [`Schema`](super::Schema) with the columns.
    pub decimal: Option<DecimalMark>,
}

impl TableOptions<'_> {
    /// Whether cells can be separated by what is said.
    pub(crate) fn check(&self) -> Result<(), TableError> {
        match self.separator {
            Some(byte) if !is_separator(byte) => Err(TableError::Separator { found: byte.into() }),
            _ => Ok(()),
        }
    }

    /// Whether `columns` have all names that are said.
    pub(crate) fn check_names(&self, columns: &[String]) -> Result<(), TableError> {
        for name in self.categorical.iter().chain(self.numeric).chain(self.ignore) {
            if !columns.contains(name) {
                let advice = names::advice(name, columns);
                return Err(TableError::UnknownColumn { name: name.clone(), advice });
            }
        }
        Ok(())
    }
}

/// Whether cells can be separated by `byte`.
pub(crate) fn is_separator(byte: u8) -> bool {
    byte == b'\t' || (b' '..=b'~').contains(&byte) && byte != b'"'
}
