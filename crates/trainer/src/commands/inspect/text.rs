//! Rows of text for a terminal: tables as wide as it is, and 80 columns elsewhere.

use std::fmt::{Display, Write as _};

use console::Term;

use crate::error::one_line;

/// The columns of what is no terminal, and of a line that is wrapped between words.
const COLUMNS: usize = 80;

/// The columns of a terminal in which wide cells have room.
const WIDE: usize = 120;

/// Columns of a label and the space after it, as in the report of a run.
const LABEL: usize = 15;

/// The widest cell of a table: `checkpoint.safetensors` is whole.
const CELL: usize = 22;

/// The same in a wide terminal.
const WIDE_CELL: usize = 40;

/// Text in the making.
pub(super) struct Text {
    text: String,
    /// The columns that a table may have.
    columns: usize,
}

impl Default for Text {
    fn default() -> Self {
        let term = Term::stdout();
        let columns = term.features().is_attended().then(|| usize::from(term.size().1));
        Self::new(columns.unwrap_or(COLUMNS))
    }
}

impl Text {
    fn new(columns: usize) -> Self {
        Self { text: String::new(), columns }
    }

    /// Adds a label and its value, wrapped between words.
    pub(super) fn row(&mut self, label: &str, value: impl Display) {
        let value = one_line(&value.to_string());
        let _ = write!(self.text, "{:<width$} ", one_line(label), width = LABEL - 1);
        let mut column = LABEL;
        for (index, word) in value.split(' ').enumerate() {
            let width = word.chars().count();
            if index > 0 && column + 1 + width > COLUMNS {
                let _ = write!(self.text, "\n{:LABEL$}", "");
                column = LABEL;
            } else if index > 0 {
                self.text.push(' ');
                column += 1;
            }
            self.text.push_str(word);
            column += width;
        }
        self.text.push('\n');
    }

    /// Adds a line of its own.
    pub(super) fn line(&mut self, line: impl Display) {
        self.text += &one_line(&line.to_string());
        self.text.push('\n');
    }

    /// Adds text that has lines already.
    pub(super) fn block(&mut self, block: &str) {
        self.text.push_str(block);
    }

    /// Adds an empty line.
    pub(super) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// Adds a table, of which the columns are shown that fit. Each column of `align` is `<`
    /// or `>`.
    pub(super) fn table(&mut self, align: &str, head: &[&str], rows: &[Vec<String>]) {
        let columns = self.columns;
        let widest_cell = if columns < WIDE { CELL } else { WIDE_CELL };
        let cell = |text: &str| cell(text, widest_cell);
        let head: Vec<String> = head.iter().copied().map(cell).collect();
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|text| cell(text)).collect()).collect();
        let count = |text: &String| text.chars().count();
        let widest = |column: usize| {
            let cells = std::iter::once(&head).chain(&rows).filter_map(|row| row.get(column));
            cells.map(count).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..head.len()).map(widest).collect();
        let mut end = 0;
        let fits = |width: &&usize| {
            end += **width + 2;
            // The last column has no gap after it; the mark of what is left out needs one.
            end <= columns
        };
        let shown = widths.iter().take_while(fits).count().max(1);
        for row in std::iter::once(&head).chain(&rows) {
            let mut line = String::new();
            for ((cell, width), align) in row.iter().zip(&widths).zip(align.chars()).take(shown) {
                let gap = if line.is_empty() { "" } else { "  " };
                let _ = match align {
                    '<' => write!(line, "{gap}{cell:<width$}"),
                    _ => write!(line, "{gap}{cell:>width$}"),
                };
            }
            if shown < widths.len() {
                line += " …";
            }
            self.text += line.trim_end();
            self.text.push('\n');
        }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// A text as a cell, shortened.
fn cell(text: &str, widest: usize) -> String {
    let text = one_line(text);
    if text.chars().count() <= widest {
        return text;
    }
    text.chars().take(widest - 1).chain(['…']).collect()
}

/// A number with four digits that say something.
pub(super) fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let magnitude = value.abs().log10().floor();
    if !(-4.0..9.0).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let places = (3.0 - magnitude).clamp(0.0, 7.0) as usize;
    let text = format!("{value:.places$}");
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_four_digits() {
        for (value, expected) in [
            (0.0, "0"),
            (1.0, "1"),
            (-2.5, "-2.5"),
            (0.012_345, "0.01235"),
            (123.456, "123.5"),
            (123_456.0, "123456"),
            (1.5e12, "1.500e12"),
            (1e-7, "1.000e-7"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(number(value), expected, "{value}");
        }
    }

    #[test]
    fn rows_and_tables_stay_in_80_columns() {
        let mut text = Text::new(COLUMNS);
        text.row("classes", "word ".repeat(60).trim());
        text.row("name\u{7}", "a\nb");
        let wide: Vec<String> = (0..30).map(|i| format!("column {i}")).collect();
        let head: Vec<&str> = wide.iter().map(String::as_str).collect();
        text.table(&"<".repeat(30), &head, std::slice::from_ref(&wide));
        text.table("<>", &["name", "n"], &[vec!["x".repeat(50), "1".into()]]);
        let text = text.finish();
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
        assert!(text.contains("column 0  column 1") && text.contains('…'), "{text}");
        assert!(text.contains("a b\n"), "{text}");
        assert!(text.ends_with("…  1\n"), "{text}");
        // A wide terminal has more of both.
        let mut text = Text::new(160);
        text.table(&"<".repeat(30), &head, std::slice::from_ref(&wide));
        text.table("<>", &["name", "n"], &[vec!["x".repeat(50), "1".into()]]);
        let text = text.finish();
        assert!(text.lines().all(|line| line.chars().count() <= 160), "{text}");
        assert!(text.contains("column 12") && text.contains(&"x".repeat(39)), "{text}");
    }
}
