//! How fast a run is, and how long it still takes.
//!
//! What is measured is the time of a step, and the time between the last step of an epoch and
//! the first one of the next: validation, and saving. Both are means in which what is recent
//! counts most, because a machine has other work too.

use crate::words;

/// Seconds that are measured before anything is said.
const ENOUGH: f64 = 0.5;

/// The shortest time that is measured within an epoch, in seconds.
const LEAST: f64 = 0.05;

/// The mean of the steps is over about this share of the run so far, within these seconds.
const SHARE: f64 = 0.25;
const SECONDS: [f64; 2] = [2.0, 60.0];

/// How many times what is expected a measurement is, at least, where the machine has slept.
const SLEEP: f64 = 20.0;

/// Weight of the newest time between two epochs.
const NEWEST: f64 = 0.3;

/// The estimates of a run. Times are in seconds since any moment.
#[derive(Debug)]
pub(super) struct Estimate {
    /// Of the whole run, and of an epoch.
    steps: u64,
    per_epoch: u64,
    /// The end of the first step that this process took. It took longer than others will:
    /// memory was touched for the first time.
    begun: Option<f64>,
    /// The end of the last measurement, and the step that it was after.
    last: (f64, u64),
    /// Seconds measured so far.
    measured: f64,
    of_step: Option<f64>,
    between_epochs: f64,
    /// Whether the last measurement was left out.
    slept: bool,
}

impl Estimate {
    /// For a run of `steps` steps, with `per_epoch` steps an epoch.
    pub(super) fn new(steps: u64, per_epoch: u64) -> Self {
        Self {
            steps,
            per_epoch: per_epoch.max(1),
            begun: None,
            last: (0.0, 0),
            measured: 0.0,
            of_step: None,
            between_epochs: 0.0,
            slept: false,
        }
    }

    /// Step `step` (from 1) has ended at `now`.
    pub(super) fn step(&mut self, now: f64, step: u64) {
        let Some(begun) = self.begun else {
            self.begun = Some(now);
            self.last = (now, step);
            return;
        };
        let (since, steps) = (now - self.last.0, step - self.last.1);
        let is_first = self.per_epoch > 1 && step % self.per_epoch == 1;
        let is_last = step.is_multiple_of(self.per_epoch);
        if is_first {
            // The steps before it were measured when the epoch ended.
            let pause = (since - self.of_step.unwrap_or_default()).max(0.0);
            let weight = if self.between_epochs == 0.0 { 1.0 } else { NEWEST };
            if self.of_step.is_some() {
                self.between_epochs += weight * (pause - self.between_epochs);
            }
        } else if since >= LEAST || is_last {
            self.measure(since, steps, now - begun);
        } else {
            return;
        }
        self.last = (now, step);
    }

    /// `steps` steps took `seconds`, at `age` seconds of the run.
    fn measure(&mut self, seconds: f64, steps: u64, age: f64) {
        let found = seconds / steps.max(1) as f64;
        let mean = *self.of_step.get_or_insert(found);
        // A laptop that was closed, or a process that was paused, says nothing of the speed.
        // What is slow for longer does.
        self.slept = !self.slept && found > SLEEP * mean && seconds > 1.0;
        if self.slept {
            return;
        }
        let [least, most] = SECONDS;
        let weight = 1.0 - (-seconds / (SHARE * age).clamp(least, most)).exp();
        self.of_step = Some(mean + weight * (found - mean));
        self.measured += seconds;
    }

    /// Seconds of a step, once they are known.
    pub(super) fn of_step(&self) -> Option<f64> {
        self.of_step.filter(|_| self.measured >= ENOUGH)
    }

    /// Seconds that the run still takes after step `step`, once they are known.
    pub(super) fn left(&self, step: u64) -> Option<f64> {
        let steps = self.steps.saturating_sub(step);
        let epochs = steps.div_ceil(self.per_epoch);
        Some(self.of_step()? * steps as f64 + self.between_epochs * epochs as f64)
    }
}

/// A time in words: `42s`, `4m 12s`, `2h 05m`, `3d 4h`. At least a second; at most 999 days.
pub(super) fn time_left(seconds: f64) -> String {
    words::duration(seconds.ceil().clamp(1.0, 86_399_999.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run of 10 epochs of 100 steps.
    fn estimate() -> Estimate {
        Estimate::new(1000, 100)
    }

    fn near(found: Option<f64>, expected: f64, error: f64) {
        let found = found.unwrap();
        assert!((found - expected).abs() <= error, "{found}, expected {expected}");
    }

    #[test]
    fn nothing_is_said_before_it_is_known() {
        let mut estimate = estimate();
        // The first step takes a minute, which says nothing of the others.
        estimate.step(60.0, 1);
        assert_eq!((estimate.of_step(), estimate.left(1)), (None, None));
        for step in 2..=5 {
            estimate.step(60.0 + 0.1 * (step - 1) as f64, step);
        }
        assert_eq!(estimate.left(5), None);
        estimate.step(60.5, 6);
        near(estimate.of_step(), 0.1, 1e-9);
        near(estimate.left(6), 99.4, 1e-6);
    }

    #[test]
    fn the_time_between_epochs_counts() {
        let mut estimate = estimate();
        let mut now = 0.0;
        for step in 1..=350 {
            now += 0.01;
            if step % 100 == 1 && step > 1 {
                now += 2.0;
            }
            estimate.step(now, step);
        }
        near(estimate.of_step(), 0.01, 1e-9);
        // 650 steps, and the ends of seven epochs.
        near(estimate.left(350), 6.5 + 14.0, 0.01);
        assert_eq!(estimate.left(1000), Some(0.0));
    }

    #[test]
    fn a_machine_that_becomes_slow_and_one_that_sleeps() {
        let mut estimate = Estimate::new(1_000_000, 1_000_000);
        let mut now = 0.0;
        let mut run = |estimate: &mut Estimate, steps: std::ops::Range<u64>, seconds: f64| {
            for step in steps {
                now += seconds;
                estimate.step(now, step);
            }
        };
        run(&mut estimate, 1..100, 0.1);
        near(estimate.of_step(), 0.1, 1e-9);
        run(&mut estimate, 100..101, 3600.0);
        near(estimate.of_step(), 0.1, 1e-9);
        run(&mut estimate, 101..200, 0.1);
        near(estimate.of_step(), 0.1, 1e-9);
        run(&mut estimate, 200..300, 10.0);
        near(estimate.of_step(), 10.0, 0.01);
    }

    #[test]
    fn epochs_of_one_step() {
        let mut estimate = Estimate::new(100, 1);
        for step in 1..=10 {
            estimate.step(step as f64, step);
        }
        near(estimate.left(10), 90.0, 1e-6);
    }

    #[test]
    fn times() {
        for (seconds, expected) in [
            (0.0, "1s"),
            (41.2, "42s"),
            (60.0, "1m 00s"),
            (252.0, "4m 12s"),
            (7500.0, "2h 05m"),
            (273_600.0, "3d 4h"),
            (1e300, "999d 23h"),
        ] {
            assert_eq!(time_left(seconds), expected);
        }
    }
}
