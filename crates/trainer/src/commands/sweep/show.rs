//! What a sweep shows while it runs: in a terminal a table that changes in place, elsewhere a
//! line for each trial that ends.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use console::Term;

use crate::error::one_line;

/// Time between two drawings of the table.
const REFRESH: Duration = Duration::from_millis(200);

/// Rows of the table that are drawn.
const MOST_ROWS: u16 = 10;

pub(super) struct Board {
    /// Where the table is drawn; `None` where nobody would see it change.
    term: Option<Term>,
    /// Lines above the cursor that were drawn.
    height: usize,
    quiet: bool,
    begun: Instant,
    budget: Option<Duration>,
    drawn: Option<Instant>,
    /// Jobs: all of this rung, those that have ended, and those that are running.
    all: usize,
    ended: usize,
    running: usize,
    /// Epochs that were trained by this process.
    epochs: usize,
    rung: String,
}

impl Board {
    pub(super) fn new(quiet: bool, budget: Option<Duration>) -> Self {
        // Each drawing is one write, so that nothing flickers.
        let term = Some(Term::buffered_stderr());
        let term = term.filter(|term| !quiet && term.features().is_attended());
        Self {
            term,
            height: 0,
            quiet,
            begun: Instant::now(),
            budget,
            drawn: None,
            all: 0,
            ended: 0,
            running: 0,
            epochs: 0,
            rung: String::new(),
        }
    }

    /// A rung begins, with `all` jobs, of which some have ended before.
    pub(super) fn rung(&mut self, name: String, all: usize, ended: usize) {
        (self.rung, self.all, self.ended, self.running) = (name, all, ended, 0);
        self.drawn = None;
    }

    pub(super) fn begun(&mut self) {
        self.running += 1;
    }

    pub(super) fn epoch(&mut self) {
        self.epochs += 1;
    }

    /// A job has ended. Where there is no table, `line` says so.
    pub(super) fn ended(&mut self, line: Option<String>) {
        (self.running, self.ended) = (self.running.saturating_sub(1), self.ended + 1);
        if let Some(line) = line.filter(|_| !self.quiet && self.term.is_none()) {
            let _ = writeln!(io::stderr(), "{}", one_line(&line));
        }
        self.drawn = None;
    }

    /// Whether `draw` would draw.
    pub(super) fn is_due(&self) -> bool {
        self.term.is_some() && self.drawn.is_none_or(|drawn| drawn.elapsed() >= REFRESH)
    }

    /// Rows that the terminal has room for.
    pub(super) fn rows(&self) -> usize {
        Term::stderr().size().0.saturating_sub(4).min(MOST_ROWS).into()
    }

    /// Draws the table, and a line that says how far the sweep is. The cursor is below it, so
    /// that the `^C` of a terminal is cleared with it.
    pub(super) fn draw(&mut self, table: &str) {
        let status = self.status();
        let Some(term) = &self.term else { return };
        let columns = usize::from(term.size().1.saturating_sub(1)).max(1);
        // What cannot be shown is no reason to stop.
        let _ = term.move_cursor_up(self.height).and_then(|()| term.clear_to_end_of_screen());
        self.height = 0;
        for line in table.lines().chain(["", &*status]) {
            let short: String = line.chars().take(columns).collect();
            let _ = term.write_line(&short);
            self.height += 1;
        }
        let _ = term.flush();
        self.drawn = Some(Instant::now());
    }

    fn status(&self) -> String {
        let seconds = self.begun.elapsed().as_secs();
        let time = |seconds: u64| match seconds {
            0..60 => format!("{seconds} s"),
            60..3600 => format!("{} m {:02} s", seconds / 60, seconds % 60),
            _ => format!("{} h {:02} m", seconds / 3600, seconds / 60 % 60),
        };
        let of = self.budget.map_or_else(String::new, |all| format!(" of {}", time(all.as_secs())));
        format!(
            "{}{} of {} ended, {} running, {} epochs in {}{of}",
            self.rung,
            self.ended,
            self.all,
            self.running,
            self.epochs,
            time(seconds)
        )
    }

    /// Takes the table away.
    pub(super) fn close(&mut self) {
        if let Some(term) = &self.term {
            let _ = term.move_cursor_up(self.height).and_then(|()| term.clear_to_end_of_screen());
            let _ = term.flush();
            self.height = 0;
        }
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        self.close();
    }
}
