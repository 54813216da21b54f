//! The range test: training with a rate that rises from step to step.

use std::ops::ControlFlow;

use nn::{Callback, EpochReport, Examples, Fit, Mlp, Run, Schedule, StepReport};

use super::curve::{Curve, Watch};
use crate::error::Error;
use crate::pool::Pool;
use crate::progress::Count;
use crate::stop::Stop;

/// The range of `--steps`.
const FEWEST: u64 = 20;
const MOST: u64 = 100_000;

/// Steps without `--steps`: those of one pass, within these bounds. Fewer say little of each
/// decade of rates, and more say nothing new.
const USUAL: std::ops::RangeInclusive<u64> = 200..=1000;

/// Reads the value of `--from` or `--to`.
pub(super) fn rate(text: &str) -> Result<f32, String> {
    let rate = text.trim().parse::<f32>().ok();
    let rate = rate.filter(|rate| rate.is_normal() && *rate > 0.0);
    rate.ok_or_else(|| "expected a finite number above 0, such as 1e-7".to_owned())
}

/// Reads the value of `--steps`.
pub(super) fn steps(text: &str) -> Result<u64, String> {
    let steps = text.trim().parse().ok().filter(|steps| (FEWEST..=MOST).contains(steps));
    steps.ok_or_else(|| format!("expected a whole number from {FEWEST} to {MOST}"))
}

/// What a range test needs but the samples.
pub(super) struct RangeTest {
    pub(super) network: Mlp,
    pub(super) fit: Fit,
    /// The first and the last rate.
    pub(super) rates: (f32, f32),
    pub(super) steps: Option<u64>,
    /// Whether no bar is shown.
    pub(super) quiet: bool,
}

impl RangeTest {
    /// Trains until the loss has risen or the last rate is reached.
    ///
    /// # Errors
    /// Settings that cannot be trained with at all, and a signal.
    pub(super) fn run(self, train: Examples<'_>, pool: &Pool, stop: &Stop) -> Result<Curve, Error> {
        let per_pass = train.len().div_ceil(self.fit.batch_size.min(train.len().max(1))) as u64;
        let steps = self.steps.unwrap_or(per_pass.clamp(*USUAL.start(), *USUAL.end()));
        let fit = Fit {
            lr: self.rates.0,
            epochs: steps.div_ceil(per_pass.max(1)) as usize,
            schedule: Schedule::default(),
            early_stopping: None,
            // It is of the network that is returned, and has no part in the loss.
            average: None,
            ..self.fit
        };
        let mut run = Run::new(self.network, &fit, train, None)?;
        let mut bar = Count::new(self.quiet, "steps of the range test", steps);
        let mut watch = Watch::new(steps as usize);
        let curve = pool.install(|| {
            for step in 0..steps {
                if let Some(signal) = stop.signal() {
                    return Err(Error::Interrupted { signal });
                }
                let rate = rate_of(step, steps, self.rates);
                // A rate that the penalty would not allow is as good as one that diverges.
                if step > 0 && run.set_lr(rate).is_err() {
                    return Ok(watch.end(true));
                }
                let mut loss = None;
                match run.train(pool, OneStep(&mut loss)) {
                    Ok(_) => (),
                    Err(nn::Error::Diverged { .. }) => return Ok(watch.end(true)),
                    Err(error) => return Err(error.into()),
                }
                let Some(loss) = loss else { break };
                if watch.add(rate.into(), loss).is_break() {
                    return Ok(watch.end(true));
                }
                bar.add();
            }
            Ok(watch.end(false))
        });
        bar.close();
        curve
    }
}

/// The rate of step `step` of `steps`: each is that before it times the same factor.
fn rate_of(step: u64, steps: u64, (from, to): (f32, f32)) -> f32 {
    let share = step as f64 / (steps - 1).max(1) as f64;
    let (from, to) = (f64::from(from).ln(), f64::from(to).ln());
    (from + share * (to - from)).exp() as f32
}

/// Leaves the run after a step, with its loss.
struct OneStep<'a>(&'a mut Option<f64>);

impl Callback for OneStep<'_> {
    fn on_step(&mut self, report: &StepReport) -> ControlFlow<()> {
        *self.0 = Some(report.loss);
        ControlFlow::Break(())
    }

    fn on_epoch(&mut self, _: &EpochReport) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_rise_by_a_factor() {
        let rates: Vec<f32> = (0..5).map(|step| rate_of(step, 5, (1e-3, 10.0))).collect();
        for (found, expected) in rates.iter().zip([1e-3, 1e-2, 1e-1, 1.0, 10.0]) {
            assert!((found / expected - 1.0).abs() < 1e-6, "{rates:?}");
        }
    }

    #[test]
    fn values_of_flags() {
        assert_eq!((rate("1e-7"), rate(" 10 ")), (Ok(1e-7), Ok(10.0)));
        for wrong in ["0", "-1", "inf", "nan", "", "1e-60", "fast"] {
            assert!(rate(wrong).unwrap_err().contains("such as 1e-7"), "{wrong}");
        }
        assert_eq!((steps("20"), steps("100000")), (Ok(20), Ok(100_000)));
        for wrong in ["19", "100001", "-1", "1.5", ""] {
            assert!(steps(wrong).unwrap_err().contains("from 20 to 100000"), "{wrong}");
        }
    }
}
