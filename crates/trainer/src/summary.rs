//! The result of a run, for `summary.json` and `--json`.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use kernels::Isa;
use mnist_io::Targets;
use nn::{Ended, Evaluation, Executor, Figures, History, Mlp, Preparation};
use serde::{Serialize, Serializer};

use crate::config::Config;
use crate::data::Checksums;
use crate::data::table::ColumnUse;
use crate::error::one_line;
use crate::limits;
use crate::model::class_name;
use crate::pool::Pool;
use crate::run_dir::timestamp;
use crate::words::percent;

/// The version of the program, which summaries have.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Status {
    Running,
    Done,
    Stopped,
    Diverged,
}

impl Status {
    /// As in `summary.json`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Diverged => "diverged",
        }
    }
}

/// The measurements of a run.
pub(crate) struct Measured<'a> {
    pub(crate) status: Status,
    /// The directory of the run.
    pub(crate) run: &'a Path,
    pub(crate) history: &'a History,
    /// Of the kept network; `None` if the run did not end, or was not to be tested.
    pub(crate) test: Option<Evaluation>,
    /// Of the test samples; `None` as well where numbers are predicted.
    pub(crate) commonest: Option<Commonest>,
    /// Samples that were held out.
    pub(crate) held_out: usize,
    pub(crate) checksums: Checksums,
    /// What was made of the columns of a table.
    pub(crate) columns: Option<&'a [ColumnUse]>,
    /// How many ranks shared it, if there were several.
    pub(crate) ranks: Option<usize>,
    /// Seconds of all processes that worked at the run.
    pub(crate) seconds: f64,
    /// Seconds in which this process wrote models and checkpoints.
    pub(crate) saving: f64,
}

/// Accuracies are fractions of 1, times are seconds of wall clock.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) status: Status,
    /// The directory of the run, as the program was given it or chose it.
    pub(crate) run: String,
    /// When this was written, in UTC.
    pub(crate) time: String,
    pub(crate) recipe: String,
    pub(crate) seed: u64,
    /// Units of every layer, inputs first.
    pub(crate) layers: Vec<usize>,
    pub(crate) parameters: usize,
    /// Share of each layer's weights that are 0, first layer first.
    pub(crate) sparsity: Vec<f64>,
    pub(crate) epochs: usize,
    /// What ended the training.
    #[serde(serialize_with = "ended")]
    pub(crate) ended: Ended,
    /// The epoch whose network is in the model, from 1; `None` before the first has ended.
    pub(crate) kept_epoch: Option<usize>,
    /// Samples trained on in each epoch, and those that were held out.
    pub(crate) train_samples: usize,
    pub(crate) held_out_samples: usize,
    pub(crate) train_loss: Option<f64>,
    pub(crate) train_accuracy: Option<f64>,
    pub(crate) val_loss: Option<f64>,
    pub(crate) val_accuracy: Option<f64>,
    /// The best of all epochs, each with its epoch.
    #[serde(flatten)]
    pub(crate) best: Best,
    pub(crate) test_accuracy: Option<f64>,
    pub(crate) test_errors: Option<usize>,
    /// Where numbers are predicted.
    #[serde(flatten)]
    pub(crate) test_values: Option<ValueFigures>,
    pub(crate) test_loss: Option<f64>,
    pub(crate) test_samples: Option<usize>,
    /// Where classes are predicted.
    #[serde(flatten)]
    pub(crate) commonest: Option<Commonest>,
    /// What went wrong in a run that came to its end, a line each.
    pub(crate) notes: Vec<String>,
    pub(crate) data: Checksums,
    /// What was made of the columns, where the data are a table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) columns: Option<Vec<ColumnUse>>,
    /// Of the training steps alone, without evaluation.
    pub(crate) train_seconds: f64,
    /// Of the whole process, until the summary; if the run was continued, of all processes.
    pub(crate) total_seconds: f64,
    /// In which this process saved the run.
    pub(crate) saving_seconds: f64,
    pub(crate) samples_per_second: f64,
    pub(crate) gflops: f64,
    /// `None` on systems that do not report it.
    pub(crate) peak_rss_bytes: Option<u64>,
    /// Of each rank, where there are several.
    pub(crate) threads: usize,
    /// How many ranks the last process was one of, if they were several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ranks: Option<usize>,
    pub(crate) isa: &'static str,
    pub(crate) version: &'static str,
}

impl Summary {
    /// The figures of training and validation are those of the kept epoch.
    pub(crate) fn new(
        config: &Config,
        network: &Mlp,
        measured: Measured<'_>,
        pool: &Pool,
        isa: Isa,
    ) -> Self {
        let Measured {
            status,
            run,
            history,
            test,
            commonest,
            held_out,
            checksums,
            columns,
            ranks,
            seconds,
            saving,
        } = measured;
        let shape = network.architecture();
        let epochs = &history.epochs;
        let train_seconds: f64 = epochs.iter().map(|e| e.train_seconds).sum();
        let samples: usize = epochs.iter().map(|e| e.samples).sum();
        // Nothing was trained yet where both are 0.
        let samples_per_second = samples as f64 / train_seconds.max(f64::MIN_POSITIVE);
        let kept_epoch = history.best.or((!epochs.is_empty()).then_some(epochs.len()));
        let kept = kept_epoch.and_then(|epoch| epochs.get(epoch - 1));
        let validation = kept.and_then(|kept| kept.validation);
        let classes = network.head().has_classes();
        let accuracy = |accuracy| classes.then_some(accuracy);
        Self {
            status,
            run: run.to_string_lossy().into_owned(),
            time: timestamp(SystemTime::now()),
            recipe: config.recipe.clone(),
            seed: config.training.seed,
            layers: shape.layers(),
            parameters: shape.parameters(),
            sparsity: network.sparsity(),
            epochs: epochs.len(),
            ended: history.ended,
            kept_epoch,
            train_samples: epochs.last().map_or(0, |epoch| epoch.samples),
            held_out_samples: held_out,
            train_loss: kept.map(|kept| kept.train_loss),
            train_accuracy: kept.and_then(|kept| accuracy(kept.train_accuracy)),
            val_loss: validation.map(|found| found.loss),
            val_accuracy: validation.and_then(|found| accuracy(found.accuracy)),
            best: Best::of(history, classes),
            test_accuracy: test.and_then(|test| accuracy(test.accuracy)),
            test_errors: test.filter(|_| classes).map(|test| test.errors),
            test_values: test.and_then(|test| ValueFigures::new(network, &test)),
            test_loss: test.map(|test| test.loss),
            test_samples: test.map(|test| test.samples),
            commonest,
            notes: Vec::new(),
            data: checksums,
            columns: columns.map(<[ColumnUse]>::to_vec),
            train_seconds,
            total_seconds: seconds,
            saving_seconds: saving,
            samples_per_second,
            gflops: shape.training_flops() as f64 * samples_per_second / 1e9,
            peak_rss_bytes: peak_rss_bytes(),
            threads: pool.threads(),
            ranks,
            isa: isa.name(),
            version: VERSION,
        }
    }
}

/// The best figures of the held-out samples over the epochs; of equal ones the first.
/// A run without early stopping keeps its last network, and these say what it gave away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Best {
    pub(crate) best_val_loss: Option<f64>,
    /// From 1.
    pub(crate) best_val_loss_epoch: Option<usize>,
    pub(crate) best_val_accuracy: Option<f64>,
    pub(crate) best_val_accuracy_epoch: Option<usize>,
}

impl Best {
    fn of(history: &History, classes: bool) -> Self {
        let mut best = Self::default();
        for epoch in &history.epochs {
            let Some(found) = epoch.validation else { continue };
            if best.best_val_loss.is_none_or(|least| found.loss < least) {
                best.best_val_loss = Some(found.loss);
                best.best_val_loss_epoch = Some(epoch.epoch);
            }
            if classes && best.best_val_accuracy.is_none_or(|most| found.accuracy > most) {
                best.best_val_accuracy = Some(found.accuracy);
                best.best_val_accuracy_epoch = Some(epoch.epoch);
            }
        }
        best
    }
}

/// The end of a run in the words of a user, who knows no callback: it is a signal that leaves
/// a run before its end.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn ended<S: Serializer>(ended: &Ended, serializer: S) -> Result<S::Ok, S::Error> {
    match ended {
        Ended::Callback => serializer.serialize_str("signal"),
        ended => ended.serialize(serializer),
    }
}

/// How good a network is that predicts numbers, in their own units.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct ValueFigures {
    test_rmse: f64,
    test_mae: f64,
    test_r2: f64,
}

impl ValueFigures {
    /// `None` where the network predicts no numbers.
    pub(crate) fn new(network: &Mlp, test: &Evaluation) -> Option<Self> {
        let Figures::Values { mean_absolute_error, root_mean_squared_error, r_squared, .. } =
            test.figures?
        else {
            return None;
        };
        // The network learns them standardised.
        let deviation = match network.preparation() {
            Some(Preparation::Columns(columns)) => columns.target().and_then(|t| t.standard),
            _ => None,
        }
        .map_or(1.0, |standard| standard.deviation);
        Some(Self {
            test_rmse: deviation * root_mean_squared_error,
            test_mae: deviation * mean_absolute_error,
            test_r2: r_squared,
        })
    }

    /// As a line of a report.
    pub(crate) fn text(&self) -> String {
        let Self { test_rmse, test_mae, test_r2 } = self;
        format!(
            "test error     {} (root of the mean square), {} (mean), R2 {}",
            short(*test_rmse),
            short(*test_mae),
            // A bad network has one far below 0.
            if *test_r2 > -100.0 { format!("{test_r2:.4}") } else { format!("{test_r2:.1e}") }
        )
    }
}

/// The commonest class of the test samples: what a network has to be better than.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Commonest {
    #[serde(skip)]
    class: String,
    /// Its share of the samples, in `(0, 1]`: the accuracy of always naming it.
    #[serde(rename = "test_commonest")]
    share: f64,
}

impl Commonest {
    /// `None` where the targets are numbers.
    pub(crate) fn of(network: &Mlp, targets: &Targets) -> Option<Self> {
        let Targets::Classes(classes) = targets else { return None };
        let labels = classes.labels();
        let mut counts = [0usize; 256];
        labels.iter().for_each(|label| counts[usize::from(*label)] += 1);
        // The first of several.
        let (class, count) = counts.iter().enumerate().rev().max_by_key(|(_, count)| **count)?;
        let share = *count as f64 / labels.len() as f64;
        (*count > 0).then(|| Self { class: class_name(network, class), share })
    }

    /// What follows an accuracy, which says little where most samples are of one class;
    /// otherwise nothing.
    pub(crate) fn text(&self) -> String {
        let Self { class, share } = self;
        let most = *share > 0.5;
        let always = || one_line(&format!(" (always `{class}`: {})", percent(*share)));
        most.then(always).unwrap_or_default()
    }
}

/// A number with four digits.
fn short(value: f64) -> String {
    let whole = value.abs().log10().floor().max(-6.0);
    let places = if whole.is_finite() { (3.0 - whole).clamp(0.0, 9.0) as usize } else { 0 };
    format!("{value:.places$}")
}

/// The most memory that this process had at one time, which Linux reports: the high-water
/// mark of its resident set.
fn peak_rss_bytes() -> Option<u64> {
    limits::kib(&fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")
}
