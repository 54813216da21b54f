//! What to say of a column that has texts.

use mnist_io::{ColumnFacts, ColumnKind, Facts, Place, Schema};

use crate::config::Config;
use crate::words::plural;

/// What a column of texts has, for a reason: the number of different ones, or dates.
pub(super) fn texts(facts: &ColumnFacts, rows: u64) -> String {
    if let Some(almost) = almost(facts, rows) {
        return almost;
    }
    let first = first_text(facts);
    if facts.looks.dates > (rows - facts.missing) / 2 {
        return format!("dates, which are not read{first}: give days or months as numbers");
    }
    let count = facts.distinct;
    let count = if facts.more { format!("more than {}", count - 1) } else { count.to_string() };
    format!("{count} different texts{first}")
}

/// What keeps a column of texts from being numbers, if nine of ten cells are.
fn almost(facts: &ColumnFacts, rows: u64) -> Option<String> {
    let (cells, looks) = (rows - facts.missing, &facts.looks);
    let (numbers, first) = (looks.numbers, first_text(facts));
    let most = |count: u64| count.saturating_mul(10) >= cells.saturating_mul(9);
    if most(numbers) && numbers < cells {
        let others = plural((cells - numbers) as usize, "cell");
        let unit = match &looks.unit {
            Some(unit) if looks.with_unit == cells - numbers => format!(", which have `{unit}`"),
            _ => String::new(),
        };
        return Some(format!("numbers, except {others}{unit}{first}"));
    }
    let unit =
        looks.unit.as_ref().filter(|_| looks.with_unit > 0 && most(numbers + looks.with_unit))?;
    Some(format!("numbers with `{unit}` beside them{first}: write the numbers alone"))
}

/// Where the first text of a column is, of which more cells may be numbers.
pub(super) fn first_text(facts: &ColumnFacts) -> String {
    let first = facts.first_text.as_ref();
    first.map_or_else(String::new, |Place { line, value, .. }| {
        format!(", the first is `{value}` in line {line}")
    })
}

/// The notes on columns that are almost numbers, each with its position.
pub(super) fn slips(config: &Config, schema: &Schema, facts: &Facts) -> Vec<(usize, String)> {
    let note = |(at, (column, of_column)): (usize, (&mnist_io::Column, &ColumnFacts))| {
        if column.kind == ColumnKind::Number || config.data.categorical.contains(&column.name) {
            return None;
        }
        let almost = almost(of_column, facts.rows)?;
        let is = if column.kind == ColumnKind::Text { "not used" } else { "taken for a category" };
        let what = format!("column `{}` is {is}, because it has {almost}", column.name);
        let advice = if of_column.looks.with_unit > 0 {
            String::new()
        } else {
            format!(
                ": write NA, NaN, null, ? or nothing for a missing number (--missing says what \
                 becomes of it), or correct the cell; or say --categorical \"{}\"",
                column.name
            )
        };
        Some((at, what + &advice))
    };
    schema.columns.iter().zip(&facts.columns).enumerate().filter_map(note).collect()
}
