//! Which cells of a file are the columns that are wanted.

use std::collections::{HashMap, HashSet};
use std::io::Read;

use super::block::Block;
use super::dialect::{Dialect, Row, SEPARATORS};
use super::error::{TableError, shown};
use super::marks::Marks;
use super::names::{self, LISTED};
use super::number::{Cell, read};
use super::options::TableOptions;
use super::records::Records;
use super::schema::{Column, ColumnKind};
use crate::error::Error;

/// The columns that are wanted of a file, in the order that they are wanted in.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The columns: those that a saved model was trained with.
    pub columns: &'a [Column],
    /// Names of columns that may be absent, such as the target's. Their cells are then NaN.
    pub optional: &'a [String],
}

impl Wanted<'_> {
    pub(crate) fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    fn is_optional(&self, column: &Column) -> bool {
        self.optional.contains(&column.name)
    }

    /// For each of `found`, the position of the column that is wanted with this name.
    ///
    /// # Errors
    /// If a column is missing that is not optional.
    pub(crate) fn match_names(
        &self,
        line: u64,
        found: &[String],
    ) -> Result<Vec<Option<usize>>, TableError> {
        let there: HashSet<&str> = found.iter().map(|name| &name[..]).collect();
        let missing: Vec<_> = self
            .columns
            .iter()
            .map(|column| &column.name)
            .filter(|name| !self.optional.contains(name) && !there.contains(&name[..]))
            .collect();
        if missing.is_empty() {
            let positions = self.positions();
            return Ok(found.iter().map(|name| positions.get(&name[..]).copied()).collect());
        }
        let text = |name: &&String| {
            let near = names::nearest(name, found);
            let near = near.map(|near| format!(" (did you mean `{}`?)", shown(near.as_bytes())));
            format!("`{}`{}", shown(name.as_bytes()), near.unwrap_or_default())
        };
        let shown = missing.iter().take(LISTED).map(text).collect::<Vec<_>>().join(", ");
        let more = missing.len().saturating_sub(LISTED);
        let missing = if more > 0 { format!("{shown} and {more} more") } else { shown };
        let advice = format!("the columns are {}", names::list(found));
        Err(TableError::MissingColumns { line, missing, advice })
    }

    /// The position of each name.
    fn positions(&self) -> HashMap<&str, usize> {
        self.columns.iter().map(|column| &column.name[..]).zip(0..).collect()
    }

    /// For each of `count` cells of a row without names, the position of its column: all
    /// are there, or all that are not optional. `None` if the count is another.
    ///
    /// Columns that never had names are called by their position, and found by it where there
    /// are cells enough: the target may stand between them.
    fn by_position(&self, count: usize) -> Option<Vec<Option<usize>>> {
        if let Some(numbers) = self.numbers().filter(|numbers| numbers.iter().all(|n| *n < count)) {
            let place = |cell| numbers.iter().position(|number| *number == cell);
            return Some((0..count).map(place).collect());
        }
        let all = 0..self.columns.len();
        if count == all.len() {
            return Some(all.map(Some).collect());
        }
        let needed: Vec<_> = all.filter(|&index| !self.is_optional(&self.columns[index])).collect();
        (count == needed.len()).then(|| needed.into_iter().map(Some).collect())
    }

    /// Where the columns had no names: their positions in the file that they come from. Those
    /// of optional ones may be beyond the end of another file.
    fn numbers(&self) -> Option<Vec<usize>> {
        let number = |column: &Column| {
            let digits = column.name.strip_prefix("column ")?;
            digits.parse::<usize>().ok()?.checked_sub(1)
        };
        self.columns.iter().map(number).collect()
    }

    /// Whether the columns had no names where they come from.
    fn is_nameless(&self) -> bool {
        self.numbers().is_some()
    }

    /// Whether no cell is a text where a number is wanted.
    fn can_be(&self, row: &Row, places: &[Option<usize>], separator: u8) -> bool {
        row.iter().zip(places).all(|(cell, place)| {
            let kind = place.map(|position| &self.columns[position].kind);
            kind != Some(&ColumnKind::Number)
                || read(cell, &mut Marks::of_separator(separator)) != Cell::Text
        })
    }
}

/// How a file is written, and for each cell of a row the position of its column.
pub(crate) struct Plan {
    pub(crate) dialect: Dialect,
    pub(crate) places: Vec<Option<usize>>,
}

/// Looks at the first row, and moves to it. A file with names has them in any order; one
/// without has the columns in the order that they are wanted in.
pub(crate) fn plan<R: Read>(
    block: &mut Block<R>,
    wanted: Wanted<'_>,
    options: &TableOptions<'_>,
) -> Result<Plan, Error> {
    let said = options.separator.or(block.separator);
    let candidates = said.as_ref().map_or(&SEPARATORS[..], std::slice::from_ref);
    let firsts = first_rows(block, candidates)?;
    decide(block.line, &firsts, wanted, options).map_err(|error| block.error(error))
}

fn decide(
    line: u64,
    firsts: &[(u8, Row)],
    wanted: Wanted<'_>,
    options: &TableOptions<'_>,
) -> Result<Plan, TableError> {
    let positions = wanted.positions();
    let known = |row: &Row| {
        let is_name =
            |cell: &&Vec<u8>| str::from_utf8(cell).is_ok_and(|name| positions.contains_key(name));
        row.iter().filter(is_name).count()
    };
    // Of equals the one that cuts the row at all, then the first.
    let best = firsts.iter().rev().max_by_key(|(_, row)| (known(row), row.len() > 1));
    let Some((separator, row)) = best else { return Err(TableError::Empty) };
    let separator = *separator;
    if options.header != Some(false) && known(row) > 0 {
        let names = names::of_header(line, row.iter())?;
        let places = wanted.match_names(line, &names)?;
        return Ok(Plan { dialect: Dialect { separator, header: true }, places });
    }
    // The one that cuts the row most, of those that fit.
    let fits = firsts.iter().filter_map(|(separator, row)| {
        wanted.by_position(row.len()).map(|places| (*separator, row, places))
    });
    let fits = fits.min_by_key(|(_, row, _)| usize::MAX - row.len());
    if let Some((separator, row, places)) = fits {
        let names = options.header.unwrap_or(!wanted.can_be(row, &places, separator));
        if !names || wanted.is_nameless() {
            return Ok(Plan { dialect: Dialect { separator, header: names }, places });
        }
    }
    let is_number =
        |cell: &Vec<u8>| read(cell, &mut Marks::of_separator(separator)).number().is_some();
    if options.header.unwrap_or_else(|| !row.iter().any(is_number)) {
        let names = names::of_header(line, row.iter())?;
        let places = wanted.match_names(line, &names)?;
        return Ok(Plan { dialect: Dialect { separator, header: true }, places });
    }
    let all = wanted.columns.len();
    let needed = wanted.columns.iter().filter(|column| !wanted.is_optional(column)).count();
    let expected = if needed == all { all.to_string() } else { format!("{all} (or {needed})") };
    let names = names::list(&wanted.names());
    Err(TableError::CellCount { line, found: row.len(), expected, names })
}

/// The first row of the text, cut at each of `candidates`.
fn first_rows<R: Read>(block: &mut Block<R>, candidates: &[u8]) -> Result<Vec<(u8, Row)>, Error> {
    loop {
        if !block.skip_line_ends()? {
            return Err(block.error(TableError::Empty));
        }
        let mut failed = None;
        let mut rows = Vec::new();
        for &separator in candidates {
            let mut records = Records::new(block.copy()?, separator);
            let row =
                records.next().map(|row| row.map(|row| row.cells().map(<[u8]>::to_vec).collect()));
            match row {
                // What is in memory may end within the row.
                Ok(_) if !block.ended && !records.has_more() && !ends_line(block.bytes()) => {}
                Ok(Some(row)) => rows.push((separator, row)),
                Ok(None) => {}
                Err(error) => failed = Some(error),
            }
        }
        if !rows.is_empty() {
            return Ok(rows);
        }
        if block.ended {
            return Err(failed.unwrap_or_else(|| block.error(TableError::Empty)));
        }
        block.more()?;
    }
}

fn ends_line(bytes: &[u8]) -> bool {
    matches!(bytes.last(), Some(b'\n' | b'\r'))
}
