//! What a trial found out.

use nn::{Figures as HeadFigures, Run};
use serde::{Deserialize, Serialize};

/// How a trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    Done,
    Diverged,
    /// The settings cannot be trained with.
    Refused,
}

/// The figures of a trial: those of its last epoch, and with early stopping those of the best.
/// Accuracies are fractions of 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) status: Outcome,
    /// Epochs that were trained.
    pub(crate) epochs: usize,
    /// The epoch that the figures are of, from 1; `None` if it diverged in the first.
    pub(crate) kept_epoch: Option<usize>,
    pub(crate) train_loss: Option<f64>,
    pub(crate) val_loss: Option<f64>,
    /// Where classes are predicted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) val_accuracy: Option<f64>,
    /// Root of the mean squared error, where numbers are predicted, in their unit.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) val_rmse: Option<f64>,
    pub(crate) val_samples: usize,
    /// Why the settings are refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) reason: Option<String>,
    /// Wall clock since the trial began, or was continued.
    pub(crate) seconds: f64,
}

impl Outcome {
    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Diverged => "diverged",
            Self::Refused => "refused",
        }
    }
}

impl Figures {
    /// `deviation` is that of the target, which a network learns standardised.
    pub(super) fn new(status: Outcome, run: &Run<'_>, deviation: f64, seconds: f64) -> Self {
        let history = run.history();
        let epochs = &history.epochs;
        let kept_epoch = history.best.or((!epochs.is_empty()).then_some(epochs.len()));
        let kept = kept_epoch.and_then(|epoch| epochs.get(epoch - 1));
        let validation = kept.and_then(|kept| kept.validation);
        let rmse = |found: HeadFigures| match found {
            HeadFigures::Values { root_mean_squared_error, .. } => {
                Some(deviation * root_mean_squared_error)
            }
            _ => None,
        };
        let accuracy = validation.filter(|_| run.head().has_classes()).map(|found| found.accuracy);
        Self {
            status,
            epochs: epochs.len(),
            kept_epoch,
            train_loss: kept.map(|kept| kept.train_loss),
            val_loss: validation.map(|found| found.loss),
            val_accuracy: accuracy,
            val_rmse: validation.and_then(|found| found.figures).and_then(rmse),
            val_samples: validation.map_or(0, |found| found.samples),
            reason: None,
            seconds,
        }
    }

    /// Of settings that cannot be trained with.
    pub(crate) fn refused(reason: String) -> Self {
        Self {
            status: Outcome::Refused,
            epochs: 0,
            kept_epoch: None,
            train_loss: None,
            val_loss: None,
            val_accuracy: None,
            val_rmse: None,
            val_samples: 0,
            reason: Some(reason),
            seconds: 0.0,
        }
    }

    /// Whether there are no figures to compare it by.
    pub(crate) fn failed(&self) -> bool {
        self.status != Outcome::Done
    }
}
