//! When a run ends before its last epoch.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use super::fit::{Callback, EpochReport, StepReport};
use crate::{Error, Evaluation, Mlp};

/// Stops a run that no longer gets better on the validation examples, and gives
/// back the best network that it had, whatever ended it.
///
/// ```
/// # use nn::*;
/// # use std::ops::ControlFlow;
/// # let x = [0., 0., 0., 1., 1., 0., 1., 1.];
/// # let y = [0u8, 1, 1, 0];
/// # let examples = Examples::new(Inputs::new(&x, 2)?, &y)?;
/// # let shape =
/// #     Architecture { inputs: 2, hidden: vec![8], outputs: 2, activation: Activation::Tanh };
/// # let mut network = Mlp::new(shape, Init::Xavier, 1)?;
/// # let validation = examples;
/// let early_stopping = Some(EarlyStopping { patience: 5, ..EarlyStopping::default() });
/// let fit = Fit { epochs: 300, batch_size: 4, early_stopping, ..Fit::default() };
/// let go_on = |_: &_| ControlFlow::Continue(());
/// let history = fit.run(&mut network, &examples, Some(&validation), &Sequential, go_on)?;
/// assert!(history.stopped);
/// let best = history.epochs[history.best.unwrap() - 1].validation.unwrap();
/// assert_eq!(network.accuracy(&validation)?, best.accuracy);
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct EarlyStopping {
    /// What is watched.
    pub monitor: Monitor,
    /// Epochs without improvement after which the run ends, at least 1.
    pub patience: usize,
    /// What counts as improvement: more than this, at least 0.
    pub min_delta: f64,
}

/// What early stopping watches, of the validation examples after an epoch.
///
/// ```
/// use nn::{EarlyStopping, Monitor};
/// assert_eq!(EarlyStopping::default().monitor, Monitor::Accuracy);
/// let rule = EarlyStopping { monitor: Monitor::Loss, min_delta: 0.001, ..Default::default() };
/// assert_eq!(rule.patience, 10);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Monitor {
    /// The share that is classified rightly.
    #[default]
    Accuracy,
    /// The mean cross-entropy.
    Loss,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        Self { monitor: Monitor::default(), patience: 10, min_delta: 0.0 }
    }
}

impl EarlyStopping {
    pub(crate) fn validate(self) -> Result<(), Error> {
        if self.patience == 0 {
            return Err(Error::Zero { what: "patience of early stopping".into() });
        }
        if !(self.min_delta.is_finite() && self.min_delta >= 0.0) {
            return Err(Error::OutOfRange {
                name: "min-delta of early stopping",
                found: self.min_delta,
                expected: "a finite number of at least 0",
            });
        }
        Ok(())
    }
}

/// The best network of a run so far.
pub(crate) struct Best {
    rule: EarlyStopping,
    /// Larger is better.
    score: f64,
    /// Epoch, from 1; 0 before the first.
    pub(crate) epoch: usize,
    network: Option<Mlp>,
}

impl Best {
    pub(crate) fn new(rule: EarlyStopping) -> Self {
        Self { rule, score: f64::NEG_INFINITY, epoch: 0, network: None }
    }

    /// Takes in the result of an epoch (from 1); whether the run should go on.
    pub(crate) fn update(
        &mut self,
        epoch: usize,
        result: &Evaluation,
        network: impl FnOnce() -> Mlp,
    ) -> ControlFlow<()> {
        let score = match self.rule.monitor {
            Monitor::Accuracy => result.accuracy,
            Monitor::Loss => -result.loss,
        };
        // No number compares with NaN, and so none would be better.
        let score = if score.is_nan() { f64::NEG_INFINITY } else { score };
        if score > self.score + self.rule.min_delta || self.network.is_none() {
            self.score = score;
            self.epoch = epoch;
            self.network = Some(network());
        }
        match epoch - self.epoch >= self.rule.patience {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    /// The best network, if an epoch has ended.
    pub(crate) fn into_network(self) -> Option<Mlp> {
        self.network
    }
}

/// A callback that ends a run after the step at hand, once any thread has pulled
/// it.
///
/// ```
/// use nn::{Callback, EpochReport, StopToken};
/// use std::ops::ControlFlow;
///
/// let token = StopToken::default();
/// let pull = token.clone(); // for another thread
/// let callback = token.and(|report: &EpochReport| {
///     println!("{}", report.train_loss);
///     ControlFlow::Continue(())
/// });
/// pull.stop();
/// # let _ = callback;
/// ```
#[derive(Clone, Debug, Default)]
pub struct StopToken(Arc<AtomicBool>);

impl StopToken {
    /// Asks the run to end; it cannot be taken back.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn flow(&self) -> ControlFlow<()> {
        match self.is_stopped() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

impl Callback for StopToken {
    fn on_step(&mut self, _: &StepReport) -> ControlFlow<()> {
        self.flow()
    }

    fn on_epoch(&mut self, _: &EpochReport) -> ControlFlow<()> {
        self.flow()
    }
}

/// Two callbacks, of which either may stop the run: see [`Callback::and`].
///
/// [`StopToken`] has an example.
#[derive(Clone, Debug)]
pub struct And<A, B>(pub(crate) A, pub(crate) B);

impl<A: Callback, B: Callback> Callback for And<A, B> {
    fn on_step(&mut self, report: &StepReport) -> ControlFlow<()> {
        // Both see the report, whatever the first says.
        let (a, b) = (self.0.on_step(report), self.1.on_step(report));
        if a.is_break() { a } else { b }
    }

    fn on_epoch(&mut self, report: &EpochReport) -> ControlFlow<()> {
        let (a, b) = (self.0.on_epoch(report), self.1.on_epoch(report));
        if a.is_break() { a } else { b }
    }
}

#[cfg(test)]
mod tests {
    use super::{Best, EarlyStopping, Monitor};
    use crate::Evaluation;
    use crate::{Activation, Architecture, Mlp};

    #[test]
    fn a_loss_that_is_no_number_is_the_worst() {
        let shape =
            Architecture { inputs: 1, hidden: vec![], outputs: 2, activation: Activation::Tanh };
        let network = Mlp::zeros(shape).unwrap();
        let mut best = Best::new(EarlyStopping { monitor: Monitor::Loss, ..Default::default() });
        for (epoch, loss) in [(1, f64::NAN), (2, 3.0), (3, f64::NAN), (4, 4.0)] {
            let result = Evaluation { loss, ..Evaluation::from_rows(&[]) };
            assert!(best.update(epoch, &result, || network.clone()).is_continue());
        }
        assert_eq!(best.epoch, 2);
    }
}
