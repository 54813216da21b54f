//! Early stopping: when a run ends before its last epoch, and which network it returns.

use serde::{Deserialize, Serialize};

use crate::{Error, Evaluation, Mlp};

/// Stops a run that no longer improves on the validation examples. The run then returns
/// its best network, also where something else ended it.
///
/// ```
/// # use nn::*;
/// # let x = [0., 0., 0., 1., 1., 0., 1., 1.];
/// # let y = [0u8, 1, 1, 0];
/// # let examples = Examples::new(Inputs::new(&x, 2)?, &y)?;
/// # let shape =
/// #     Architecture { inputs: 2, hidden: vec![8], outputs: 2, activation: Activation::Tanh };
/// # let mut network = Mlp::new(shape, Init::Xavier, 1)?;
/// # let validation = examples;
/// let early_stopping = Some(EarlyStopping { patience: 5, ..EarlyStopping::default() });
/// let fit = Fit { epochs: 300, batch_size: 4, early_stopping, ..Fit::default() };
/// let history = fit.run(&mut network, &examples, Some(&validation), &Sequential, ())?;
/// assert!(history.stopped);
/// let best = history.epochs[history.best.unwrap() - 1].validation.unwrap();
/// assert_eq!(network.accuracy(&validation)?, best.accuracy);
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct EarlyStopping {
    /// The figure that is watched.
    pub monitor: Monitor,
    /// Epochs without improvement after which the run ends, at least 1.
    pub patience: usize,
    /// A change counts as an improvement if it is larger than this; at least 0.
    pub min_delta: f64,
}

/// The figure of the validation examples that early stopping watches.
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
    /// The share that is predicted exactly (see [`Evaluation::accuracy`]): larger is better.
    #[default]
    Accuracy,
    /// The mean loss of the head: smaller is better.
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
    pub(crate) score: f64,
    /// Epoch, from 1; 0 before the first.
    pub(crate) epoch: usize,
    /// `None` before the first epoch has ended.
    pub(crate) network: Option<Mlp>,
}

impl Best {
    pub(crate) fn new(rule: EarlyStopping) -> Self {
        Self { rule, score: f64::NEG_INFINITY, epoch: 0, network: None }
    }

    /// Compares the result of an epoch (from 1) with the best so far, and keeps the network
    /// if it is better.
    pub(crate) fn update(
        &mut self,
        epoch: usize,
        result: &Evaluation,
        network: impl FnOnce() -> Mlp,
    ) {
        let score = match self.rule.monitor {
            Monitor::Accuracy => result.accuracy,
            Monitor::Loss => -result.loss,
        };
        // Every comparison with NaN is false, so a best score of NaN could not be beaten.
        let score = if score.is_nan() { f64::NEG_INFINITY } else { score };
        if score > self.score + self.rule.min_delta || self.network.is_none() {
            self.score = score;
            self.epoch = epoch;
            self.network = Some(network());
        }
    }

    /// Whether the run is over after `epochs` epochs.
    pub(crate) fn is_over(&self, epochs: usize) -> bool {
        epochs - self.epoch >= self.rule.patience
    }
}

#[cfg(test)]
mod tests {
    use super::{Best, EarlyStopping, Monitor};
    use crate::Evaluation;
    use crate::{Activation, Architecture, Mlp};

    #[test]
    fn a_loss_of_nan_is_the_worst() {
        let shape =
            Architecture { inputs: 1, hidden: vec![], outputs: 2, activation: Activation::Tanh };
        let network = Mlp::zeros(shape).unwrap();
        let mut best = Best::new(EarlyStopping { monitor: Monitor::Loss, ..Default::default() });
        for (epoch, loss) in [(1, f64::NAN), (2, 3.0), (3, f64::NAN), (4, 4.0)] {
            let result = Evaluation { loss, ..Evaluation::from_rows(&[]) };
            best.update(epoch, &result, || network.clone());
            assert!(!best.is_over(epoch));
        }
        assert_eq!(best.epoch, 2);
        assert!(!best.is_over(11) && best.is_over(12));
    }
}
