//! Figures that say how good predictions are, one kind for each kind of target.

use serde::{Deserialize, Serialize};

use crate::{Examples, exact};

/// What an evaluation says beyond loss and accuracy. Samples count alike, whatever their
/// weights. (For one of several classes, [`Confusion`](crate::Confusion) and
/// [`Predictions`](crate::Predictions) say more.)
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Figures {
    /// Real values.
    #[non_exhaustive]
    Values {
        /// Mean absolute error over samples and outputs, in the unit of the targets.
        #[serde(with = "exact")]
        mean_absolute_error: f64,
        /// Root of the mean squared error over samples and outputs, in the unit of the
        /// targets.
        #[serde(with = "exact")]
        root_mean_squared_error: f64,
        /// R², `1 − Σ(y − t)²/Σ(t − t̄)²`, the mean over the outputs. For an output whose
        /// targets are all equal it is 1 if every prediction is exact, else 0.
        #[serde(with = "exact")]
        r_squared: f64,
    },
    /// Yes or no.
    #[non_exhaustive]
    Binary {
        /// Share of the samples predicted as yes that are; 0 if none is predicted so.
        #[serde(with = "exact")]
        precision: f64,
        /// Share of the yes samples that are predicted so; 0 if there is none.
        #[serde(with = "exact")]
        recall: f64,
        /// `2·precision·recall/(precision + recall)`; 0 where both are 0.
        #[serde(with = "exact")]
        f1: f64,
        /// Area under the ROC curve; `None` where all samples are of one class.
        auc: Option<f64>,
    },
    /// Several labels.
    #[non_exhaustive]
    Labels {
        /// Share of all labels, over samples and outputs, that are predicted rightly.
        #[serde(with = "exact")]
        label_accuracy: f64,
        /// Share of the samples of which every label is predicted rightly.
        #[serde(with = "exact")]
        exact_match: f64,
        /// F1 of each output, the mean over the outputs.
        #[serde(with = "exact")]
        f1: f64,
        /// Area under the ROC curve of each output, the mean over the outputs that have
        /// samples of both kinds; `None` where none has.
        auc: Option<f64>,
    },
}

impl Figures {
    /// Each figure with its name, for a report.
    ///
    /// ```
    /// use nn::{Activation, Architecture, Examples, Head, Inputs, Mlp, Sequential, Values};
    /// let shape =
    ///     Architecture { inputs: 1, hidden: vec![], outputs: 1, activation: Activation::Tanh };
    /// let network = Mlp::zeros(shape)?.with_head(Head::Squared)?;
    /// let (x, y) = ([1.0, 2.0], [3.0, -1.0]);
    /// let examples = Examples::new(Inputs::new(&x, 1)?, Values::new(&y, 1)?)?;
    /// let result = network.evaluate(&examples, &Sequential)?;
    /// assert_eq!(result.figures.unwrap().named()[0], ("mean absolute error", 2.0));
    /// # Ok::<(), nn::Error>(())
    /// ```
    #[must_use]
    pub fn named(&self) -> Vec<(&'static str, f64)> {
        let (some, auc) = match *self {
            Self::Values { mean_absolute_error, root_mean_squared_error, r_squared } => {
                let error = ("mean absolute error", mean_absolute_error);
                let root = ("root mean squared error", root_mean_squared_error);
                (vec![error, root, ("R²", r_squared)], None)
            }
            Self::Binary { precision, recall, f1, auc } => {
                (vec![("precision", precision), ("recall", recall), ("F1", f1)], auc)
            }
            Self::Labels { label_accuracy, exact_match, f1, auc } => {
                let label = ("label accuracy", label_accuracy);
                (vec![label, ("exact match", exact_match), ("F1", f1)], auc)
            }
        };
        some.into_iter().chain(auc.map(|auc| ("AUC", auc))).collect()
    }
}

/// `a / b`, and 0 where nothing was counted.
fn ratio(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}

/// The pairs (prediction, target) of one output, first example to last.
fn column<'a>(
    predictions: &'a [f32],
    examples: &'a Examples<'_>,
    output: usize,
) -> impl Iterator<Item = (f64, f64)> + Clone + 'a {
    let outputs = predictions.len() / examples.len();
    (0..examples.len()).map(move |position| {
        let target = examples.values(position)[output];
        (f64::from(predictions[position * outputs + output]), f64::from(target))
    })
}

/// Figures of real values. Shape: predictions are examples × outputs.
pub(super) fn regression(predictions: &[f32], examples: &Examples<'_>) -> Figures {
    let outputs = predictions.len() / examples.len();
    let (mut absolute, mut squared, mut r_squared) = (0.0, 0.0, 0.0);
    for output in 0..outputs {
        let pairs = column(predictions, examples, output);
        let errors: f64 = pairs.clone().map(|(y, t)| (y - t).powi(2)).sum();
        let mean = pairs.clone().map(|(_, t)| t).sum::<f64>() / examples.len() as f64;
        let spread: f64 = pairs.clone().map(|(_, t)| (t - mean).powi(2)).sum();
        absolute += pairs.map(|(y, t)| (y - t).abs()).sum::<f64>();
        squared += errors;
        r_squared +=
            if spread > 0.0 { 1.0 - errors / spread } else { f64::from(u8::from(errors == 0.0)) };
    }
    let count = predictions.len() as f64;
    Figures::Values {
        mean_absolute_error: absolute / count,
        root_mean_squared_error: (squared / count).sqrt(),
        r_squared: r_squared / outputs as f64,
    }
}

/// True and false positives and negatives of yes-or-no answers.
#[derive(Default)]
struct Counts {
    true_yes: f64,
    false_yes: f64,
    false_no: f64,
    true_no: f64,
}

impl Counts {
    /// Of (probability, truth) pairs: the answer is yes above one half. NaN is the wrong
    /// answer.
    fn of(pairs: &[(f32, bool)]) -> Self {
        let mut counts = Self::default();
        for &(probability, truth) in pairs {
            let answer = if probability.is_nan() { !truth } else { probability > 0.5 };
            match (answer, truth) {
                (true, true) => counts.true_yes += 1.0,
                (true, false) => counts.false_yes += 1.0,
                (false, true) => counts.false_no += 1.0,
                (false, false) => counts.true_no += 1.0,
            }
        }
        counts
    }

    fn precision(&self) -> f64 {
        ratio(self.true_yes, self.true_yes + self.false_yes)
    }

    fn recall(&self) -> f64 {
        ratio(self.true_yes, self.true_yes + self.false_no)
    }

    /// The harmonic mean of precision and recall.
    fn f1(&self) -> f64 {
        ratio(2.0 * self.true_yes, 2.0 * self.true_yes + self.false_yes + self.false_no)
    }

    fn right(&self) -> f64 {
        self.true_yes + self.true_no
    }
}

/// Figures of yes-or-no answers. Shape: predictions are one for each example.
pub(super) fn binary(predictions: &[f32], examples: &Examples<'_>) -> Figures {
    let truth = |position| examples.label(position) == 1;
    let pairs = predictions.iter().enumerate();
    let pairs: Vec<_> = pairs.map(|(position, p)| (*p, truth(position))).collect();
    let counts = Counts::of(&pairs);
    let (precision, recall, f1) = (counts.precision(), counts.recall(), counts.f1());
    Figures::Binary { precision, recall, f1, auc: area_under_curve(pairs) }
}

/// Figures of several labels. Shape: predictions are examples × outputs.
pub(super) fn labels(predictions: &[f32], examples: &Examples<'_>) -> Figures {
    let outputs = predictions.len() / examples.len();
    let (mut right, mut f1, mut areas) = (0.0, 0.0, Vec::new());
    for output in 0..outputs {
        let pairs = column(predictions, examples, output);
        let pairs: Vec<_> = pairs.map(|(p, t)| (p as f32, t == 1.0)).collect();
        let counts = Counts::of(&pairs);
        right += counts.right();
        f1 += counts.f1();
        areas.extend(area_under_curve(pairs));
    }
    let rows = predictions.chunks_exact(outputs).enumerate();
    let exact = rows.filter(|(position, row)| {
        let targets = examples.values(*position);
        row.iter().zip(targets).all(|(p, t)| !p.is_nan() && (*p > 0.5) == (*t == 1.0))
    });
    Figures::Labels {
        label_accuracy: right / predictions.len() as f64,
        exact_match: exact.count() as f64 / examples.len() as f64,
        f1: f1 / outputs as f64,
        auc: (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64),
    }
}

/// Area under the ROC curve of (score, truth) pairs: the chance that a sample that is true
/// has a higher score than one that is not, a tie counting half. From the sum R of the
/// ranks of the n₁ true ones among all n₁ + n₀, equal scores sharing their mean rank, it is
/// (R − n₁·(n₁ + 1)/2) / (n₁·n₀) (Mann and Whitney 1947; Fawcett, *An introduction to ROC
/// analysis*, 2006). `None` where all are true or none is.
pub(crate) fn area_under_curve(mut samples: Vec<(f32, bool)>) -> Option<f64> {
    samples.sort_unstable_by(|(p, _), (q, _)| p.total_cmp(q));
    let (mut ranks, mut positives, mut before) = (0.0, 0.0, 0.0);
    // Not `total_cmp`: −0 and 0 are equal scores, and neighbours.
    for ties in samples.chunk_by(|(p, _), (q, _)| p == q) {
        let hits = ties.iter().filter(|(_, truth)| *truth).count() as f64;
        // The mean of the ranks before + 1 to before + n.
        ranks += hits * (before + (ties.len() as f64 + 1.0) / 2.0);
        positives += hits;
        before += ties.len() as f64;
    }
    let pairs = positives * (before - positives);
    (pairs > 0.0).then(|| (ranks - positives * (positives + 1.0) / 2.0) / pairs)
}
