//! The terminal that the bar is drawn on.

use std::io;

use console::Term;
use indicatif::{ProgressDrawTarget, TermLike};

/// Columns at the right that the bar leaves free: for the `^C` that a terminal shows where
/// the cursor is, and for the cursor after it.
pub(crate) const MARGIN: u16 = 3;

/// Where the bar is drawn: stderr, if that is a terminal.
pub(crate) fn target() -> ProgressDrawTarget {
    let term = Term::stderr();
    if term.features().is_attended() {
        ProgressDrawTarget::term_like(Box::new(Narrow(term)))
    } else {
        ProgressDrawTarget::hidden()
    }
}

/// A terminal that seems a little narrower than it is. indicatif fills the line of the bar
/// with spaces up to the right, so `^C` would stand in the next line, and the line that is
/// cleared then would not be that of the bar.
#[derive(Debug)]
struct Narrow(Term);

impl TermLike for Narrow {
    fn width(&self) -> u16 {
        narrower(self.0.size().1)
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_left(n)
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        self.0.write_line(line)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}

/// At least one column: indicatif divides by it.
fn narrower(columns: u16) -> u16 {
    columns.saturating_sub(MARGIN).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_a_column() {
        assert_eq!([0, 1, 3, 4, 80].map(narrower), [1, 1, 1, 1, 77]);
    }
}
