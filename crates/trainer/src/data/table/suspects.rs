//! Numbers that may not be what they seem: codes, such as -9999 for a cell that is missing,
//! and numbers with more digits than are kept.

use mnist_io::{ColumnKind, Facts, Schema};

use crate::words::plural;

/// Fewer different values than this say nothing of what is usual.
const DISTINCT: usize = 10;

/// Rows with the same value, from which on it is no accident.
const ROWS: usize = 3;

/// Rows that are looked at, of a larger table: enough to see any value that matters, and few
/// enough to take far less time than reading it.
const LOOKED_AT: usize = 100_000;

/// Whole numbers beyond this are not all kept apart.
const EXACT: f64 = 16_777_216.0;

/// One end of the values of a column.
struct End {
    value: f32,
    rows: usize,
    /// The next value inside.
    next: f32,
}

impl End {
    /// The smallest of `values`, or the largest of those with their signs changed.
    fn of(values: impl Iterator<Item = f32>) -> Self {
        let start = Self { value: f32::INFINITY, rows: 0, next: f32::INFINITY };
        values.fold(start, |end, value| {
            if value < end.value {
                Self { value, rows: 1, next: end.value }
            } else if value == end.value {
                Self { rows: end.rows + 1, ..end }
            } else {
                Self { next: end.next.min(value), ..end }
            }
        })
    }

    /// Whether many rows have this value, and all others, up to `last`, are nearer to each
    /// other than to it.
    fn is_alone(&self, last: f32) -> bool {
        self.rows >= ROWS && self.next - self.value > last - self.next
    }
}

/// A line for each column with numbers that are far from all others and often the same, or
/// that are too large. `wanted` are the positions of columns.
pub(super) fn notes(
    schema: &Schema,
    facts: &Facts,
    cells: &[f32],
    wanted: impl Iterator<Item = usize>,
) -> Vec<String> {
    let width = schema.columns.len();
    let step = (cells.len() / width).div_ceil(LOOKED_AT).max(1) * width;
    let of_column = |at: usize| {
        let (column, facts) = (&schema.columns[at], &facts.columns[at]);
        if column.kind != ColumnKind::Number {
            return None;
        }
        if let Some((low, high)) = facts.range
            && facts.whole
            && low.abs().max(high.abs()) > EXACT
        {
            return Some(format!(
                "`{}` has whole numbers from {low} to {high}, of which only about seven digits \
                 count: subtract the smallest one, or name the column with --categorical or \
                 --ignore",
                column.name
            ));
        }
        if facts.distinct <= DISTINCT {
            return None;
        }
        let values = || cells.iter().skip(at).step_by(step).copied();
        let (low, high) = (End::of(values()), End::of(values().map(|value| -value)));
        let (name, last, first) = (&column.name, -high.value, low.value);
        let (value, [from, to]) = if low.is_alone(last) {
            (first, [low.next, last])
        } else if high.is_alone(-first) {
            (last, [first, -high.next])
        } else {
            return None;
        };
        let rows = cells.iter().skip(at).step_by(width).filter(|cell| **cell == value).count();
        let rows = plural(rows, "row");
        Some(format!(
            "`{name}` is {value} in {rows}, far from all other values, {from} to {to}: if that \
             means that there is no value, empty these cells"
        ))
    };
    wanted.filter_map(of_column).collect()
}
