//! `--checkpoint-every`: how often a run is saved on the way.

use std::str::FromStr;
use std::time::{Duration, Instant};

/// How often a run is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Every {
    /// After [`USUAL`], and so rarely that it takes less than a hundredth of the time.
    Auto,
    Epochs(usize),
    Time(Duration),
    /// Only when the run ends or is stopped.
    Never,
}

const USUAL: Duration = Duration::from_secs(10);

/// The time from one save to the next is at least this many times what a save takes.
const RATIO: u32 = 100;

impl FromStr for Every {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected a number of epochs such as 5, a time such as 30s, 10m or \
                                2h, or none";
        let text = text.trim().to_ascii_lowercase();
        let above_0 = |digits: &str| digits.parse::<u32>().ok().filter(|n| *n > 0).ok_or(EXPECTED);
        match &*text {
            "auto" => return Ok(Self::Auto),
            "none" => return Ok(Self::Never),
            _ => (),
        }
        for (unit, seconds) in [('s', 1), ('m', 60), ('h', 3600)] {
            if let Some(digits) = text.strip_suffix(unit) {
                let seconds = u64::from(above_0(digits.trim_end())?) * seconds;
                return Ok(Self::Time(Duration::from_secs(seconds)));
            }
        }
        Ok(Self::Epochs(above_0(&text)? as usize))
    }
}

/// When a run was saved, and when it is to be saved next.
pub(super) struct Clock {
    every: Every,
    /// The end of the last save.
    since: Instant,
    /// What it took.
    cost: Duration,
    /// Epochs at that time.
    epochs: usize,
}

impl Clock {
    pub(super) fn new(every: Every, epochs: usize) -> Self {
        Self { every, since: Instant::now(), cost: Duration::ZERO, epochs }
    }

    /// Whether the run is to be saved after `epochs` epochs.
    pub(super) fn is_due(&self, epochs: usize) -> bool {
        match self.every {
            Every::Auto => self.since.elapsed() >= USUAL.max(RATIO * self.cost),
            Every::Epochs(every) => epochs - self.epochs >= every,
            Every::Time(time) => self.since.elapsed() >= time,
            Every::Never => false,
        }
    }

    /// Notes a save that began at `begun`, after `epochs` epochs.
    pub(super) fn saved(&mut self, begun: Instant, epochs: usize) {
        (self.since, self.cost, self.epochs) = (Instant::now(), begun.elapsed(), epochs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_and_times() {
        let time = |seconds| Ok(Every::Time(Duration::from_secs(seconds)));
        for (text, expected) in [
            ("5", Ok(Every::Epochs(5))),
            (" 1 ", Ok(Every::Epochs(1))),
            ("30s", time(30)),
            ("10 m", time(600)),
            ("2H", time(7200)),
            ("none", Ok(Every::Never)),
            ("auto", Ok(Every::Auto)),
        ] {
            assert_eq!(text.parse(), expected, "{text}");
        }
        for wrong in ["", "0", "0s", "-1", "1.5s", "5 epochs", "s", "1d", "99999999999"] {
            let error = wrong.parse::<Every>().unwrap_err();
            assert!(error.contains("such as 5"), "{wrong}");
        }
    }
}
