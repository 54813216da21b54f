//! The columns of a table.

use std::path::Path;

use super::dialect::Dialect;
use super::facts::Facts;
use super::marks::DecimalMark;
use super::options::TableOptions;
use super::{infer, names};
use crate::error::Error;

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Column {
    /// The name in the header; without one, `column 3` for the third.
    pub name: String,
    /// What its cells are.
    pub kind: ColumnKind,
}

impl Column {
    /// A column that is wanted of a table.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: ColumnKind) -> Self {
        Self { name: name.into(), kind }
    }
}

/// What the cells of a column are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColumnKind {
    /// Numbers.
    Number,
    /// One of some values. The cell is the index of its value.
    Category {
        /// The values, all different. Numbers are ordered by size if all are numbers;
        /// otherwise values are ordered by their text. So the order does not depend on
        /// the order of the rows.
        values: Vec<String>,
    },
    /// Texts of which there are too many for a category, such as names and dates: more
    /// than 1000, or more than 50 if more than half of the cells have a text of their
    /// own. Every cell is NaN.
    Text,
}

/// The columns of a table, and how it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Schema {
    /// How the table is written.
    pub dialect: Dialect,
    /// The decimal mark that other rows with these columns are to be read with, where they do
    /// not show it: the comma if this table has it, the point if it has commas between
    /// thousands. `None` if numbers have neither.
    pub decimal: Option<DecimalMark>,
    /// The columns, in the order of the file, without those that are ignored.
    pub columns: Vec<Column>,
}

impl Schema {
    /// Looks at all cells of the table at `path`, and keeps none.
    ///
    /// # Errors
    /// As for [`Table::read`](super::Table::read).
    pub fn infer(path: &Path, options: &TableOptions<'_>) -> Result<(Self, Facts), Error> {
        let whole = infer::whole_file(path, options, false)?;
        Ok((whole.schema, whole.facts))
    }

    /// The position of the column with this name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The position of a column that numbers the rows: the first one, if it has no name
    /// in the header and its cells count from 0, as pandas writes it, or from 1, as R
    /// does. Nothing can be learned from it.
    #[must_use]
    pub fn row_numbers(&self, facts: &Facts) -> Option<usize> {
        let nameless = self.dialect.header
            && self.columns.first().is_some_and(|c| c.name == names::of_index(0));
        let from = facts.columns.first()?.counts_from?;
        (nameless && facts.rows > 1 && (from == 0.0 || from == 1.0)).then_some(0)
    }
}
