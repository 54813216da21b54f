//! The loss by the learning rate: as it was measured, and smoothed.

use std::fmt::Write as _;
use std::ops::ControlFlow;

use serde::Serialize;

/// The test ends where the smoothed loss is this many times its lowest.
const TOO_HIGH: f64 = 4.0;

/// Steps whose median replaces each loss: spikes of up to two steps disappear.
const MEDIAN: usize = 5;

/// The smoothing looks back over this share of the steps, on average: with eight decades, a
/// sixth of one.
const MEMORY: f64 = 0.02;

/// What a range test measured.
#[derive(Debug)]
pub(super) struct Curve {
    /// The rate of each step, rising.
    pub(super) rates: Vec<f64>,
    /// The loss of the step's samples before its update.
    pub(super) losses: Vec<f64>,
    /// The losses, smoothed forwards and backwards, so that the curve is not late.
    pub(super) smoothed: Vec<f64>,
    /// Whether the loss has risen so far that the test ended.
    pub(super) diverged: bool,
}

/// A row of the table that `--json` and `--csv` print.
#[derive(Serialize)]
pub(super) struct Point {
    step: usize,
    lr: f64,
    loss: f64,
    smoothed_loss: f64,
}

/// Collects the losses of a test that goes on, and says when it is over.
pub(super) struct Watch {
    memory: f64,
    rates: Vec<f64>,
    losses: Vec<f64>,
    average: Average,
    lowest: f64,
}

impl Watch {
    /// For a test of at most `steps` steps.
    pub(super) fn new(steps: usize) -> Self {
        let memory = (MEMORY * steps as f64).max(2.0);
        let (rates, losses) = (Vec::new(), Vec::new());
        Self { memory, rates, losses, average: Average::new(memory), lowest: f64::INFINITY }
    }

    /// Adds a step. It breaks where the loss has risen so far that more steps say nothing.
    pub(super) fn add(&mut self, rate: f64, loss: f64) -> ControlFlow<()> {
        self.rates.push(rate);
        self.losses.push(loss);
        let recent = &self.losses[self.losses.len().saturating_sub(MEDIAN)..];
        let smoothed = self.average.next(median(recent));
        // The first ones are no average yet.
        if self.losses.len() as f64 >= self.memory.max(MEDIAN as f64) {
            self.lowest = self.lowest.min(smoothed);
        }
        match smoothed > TOO_HIGH * self.lowest {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    pub(super) fn end(&mut self, diverged: bool) -> Curve {
        let (rates, losses) = (std::mem::take(&mut self.rates), std::mem::take(&mut self.losses));
        let smoothed = smooth(&losses, self.memory);
        Curve { rates, losses, smoothed, diverged }
    }
}

impl Curve {
    pub(super) fn points(&self) -> impl Iterator<Item = Point> {
        let rows = self.rates.iter().zip(&self.losses).zip(&self.smoothed);
        rows.enumerate().map(|(step, ((lr, loss), smoothed))| Point {
            step: step + 1,
            lr: *lr,
            loss: *loss,
            smoothed_loss: *smoothed,
        })
    }

    pub(super) fn csv(&self) -> String {
        let mut text = "step,lr,loss,smoothed_loss\n".to_owned();
        for Point { step, lr, loss, smoothed_loss } in self.points() {
            let _ = writeln!(text, "{step},{lr:e},{loss},{smoothed_loss}");
        }
        text
    }
}

/// An exponential average, whose first values are not drawn towards 0 (Kingma and Ba 2015,
/// section 3).
struct Average {
    beta: f64,
    sum: f64,
    weight: f64,
}

impl Average {
    /// That looks back over `memory` values on average.
    fn new(memory: f64) -> Self {
        Self { beta: 1.0 - 1.0 / memory, sum: 0.0, weight: 0.0 }
    }

    fn next(&mut self, value: f64) -> f64 {
        self.sum = self.beta * self.sum + (1.0 - self.beta) * value;
        self.weight = self.beta * self.weight + 1.0 - self.beta;
        self.sum / self.weight
    }
}

/// The losses without spikes, and averaged in both directions: one direction alone would show
/// each rate what rates before it did.
fn smooth(losses: &[f64], memory: f64) -> Vec<f64> {
    let half = MEDIAN / 2;
    let medians: Vec<f64> = (0..losses.len())
        .map(|i| median(&losses[i.saturating_sub(half)..losses.len().min(i + half + 1)]))
        .collect();
    let mut forwards = Average::new(memory);
    let mut smoothed: Vec<f64> = medians.iter().map(|loss| forwards.next(*loss)).collect();
    let mut backwards = Average::new(memory);
    for (smoothed, loss) in smoothed.iter_mut().zip(&medians).rev() {
        *smoothed = f64::midpoint(*smoothed, backwards.next(*loss));
    }
    smoothed
}

/// The value in the middle; the lower one of two.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The curve of these losses; rates do not matter here.
    fn watch(losses: impl IntoIterator<Item = f64>) -> (usize, bool) {
        let mut watch = Watch::new(100);
        for (step, loss) in losses.into_iter().enumerate() {
            if watch.add(step as f64, loss).is_break() {
                return (step, true);
            }
        }
        (watch.losses.len(), false)
    }

    #[test]
    fn the_test_ends_where_the_loss_has_risen_and_not_at_a_spike() {
        let falls = |step: usize| 2.0 - 1.5 * step as f64 / 60.0;
        let all = (0..60).map(falls).chain([0.5; 40]);
        assert_eq!(watch(all.clone()), (100, false));
        let spike =
            all.enumerate().map(|(step, loss)| if step == 3 || step == 70 { 1e9 } else { loss });
        assert_eq!(watch(spike), (100, false));
        let rises = (0..60).map(falls).chain((0..40).map(|step| 0.5 * 1.3f64.powi(step)));
        let (step, ended) = watch(rises);
        // 0.5·1.3^5.3 is four times the lowest; the median and the average are late by some.
        assert!(ended && (65..72).contains(&step), "{step}");
    }

    #[test]
    fn smoothing_is_not_late_and_keeps_a_constant() {
        assert!(smooth(&[3.0; 50], 5.0).iter().all(|loss| (loss - 3.0).abs() < 1e-12));
        // A step from 1 to 0 is in the middle where it was.
        let losses: Vec<f64> = (0..100).map(|i| if i < 50 { 1.0 } else { 0.0 }).collect();
        let smoothed = smooth(&losses, 5.0);
        assert!(smoothed[49] > 0.5 && smoothed[50] < 0.5, "{smoothed:?}");
        assert!(smoothed[30] > 0.98 && smoothed[70] < 0.02, "{smoothed:?}");
        assert!(smooth(&[], 5.0).is_empty());
    }

    #[test]
    fn a_table_of_the_curve() {
        let mut watch = Watch::new(20);
        let _ = (watch.add(1e-7, 2.5), watch.add(0.5, 2.0));
        let csv = watch.end(false).csv();
        let lines: Vec<_> = csv.lines().collect();
        assert_eq!(lines[0], "step,lr,loss,smoothed_loss");
        assert!(lines[1].starts_with("1,1e-7,2.5,") && lines[2].starts_with("2,5e-1,2,"), "{csv}");
    }
}
