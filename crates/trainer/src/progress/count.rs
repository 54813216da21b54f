//! A bar for work of which only the count of its parts is known.

use std::time::Instant;

use super::REFRESH;
use super::estimate::{Estimate, time_left};
use crate::stop;
use crate::terminal::Live;

/// Columns of the bar between its brackets.
const WIDTH: usize = 20;

/// Shows on stderr, if that is a terminal, how many parts are done.
pub(crate) struct Count {
    live: Option<Live>,
    /// What the parts are, such as `epochs of all folds`.
    parts: &'static str,
    all: u64,
    done: u64,
    since: Instant,
    /// When it was drawn last, in seconds after `since`.
    shown: f64,
    estimate: Estimate,
}

impl Count {
    /// Of `all` parts. With `quiet`, nothing is shown.
    pub(crate) fn new(quiet: bool, parts: &'static str, all: u64) -> Self {
        let live = if quiet { None } else { Live::new() };
        if let Some(live) = &live {
            // Without it, the bar goes when the work ends.
            let _ = stop::tidy(live.clone());
        }
        let estimate = Estimate::new(all, all);
        Self { live, parts, all, done: 0, since: Instant::now(), shown: 0.0, estimate }
    }

    /// One more part is done.
    pub(crate) fn add(&mut self) {
        self.done += 1;
        let now = self.since.elapsed().as_secs_f64();
        self.estimate.step(now, self.done);
        if now - self.shown < REFRESH {
            return;
        }
        self.shown = now;
        if let Some(live) = &self.live {
            let size = live.size();
            live.draw(vec![self.line(size.cols.saturating_sub(1))], size);
        }
    }

    /// The line for `cols` columns.
    fn line(&self, cols: usize) -> String {
        let done = (u128::from(self.done) * WIDTH as u128 / u128::from(self.all.max(1))) as usize;
        let head = if done < WIDTH { ">" } else { "" };
        let bar = "=".repeat(done) + head;
        let mut text = format!("[{bar:<WIDTH$}] {} of {} {}", self.done, self.all, self.parts);
        if let Some(left) = self.estimate.left(self.done) {
            text += &format!("  {} left", time_left(left));
        }
        text.chars().take(cols).collect()
    }

    /// Writes to the terminal, above the bar.
    pub(crate) fn suspend(&self, write: impl FnOnce()) {
        match &self.live {
            Some(live) => live.suspend(write),
            None => write(),
        }
    }

    /// Takes the bar away.
    pub(crate) fn close(&self) {
        if let Some(live) = &self.live {
            live.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_fits_its_columns() {
        let mut count = Count::new(true, "epochs of all folds", 40);
        (0..10).for_each(|_| count.add());
        assert_eq!(count.line(79), "[=====>              ] 10 of 40 epochs of all folds");
        assert_eq!(count.line(12), "[=====>     ");
        (0..30).for_each(|_| count.add());
        assert_eq!(count.line(79), "[====================] 40 of 40 epochs of all folds");
    }
}
