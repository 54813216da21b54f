//! What is found where a number is predicted.

use nn::{Evaluation, Preparation, Standard};
use serde_json::Value;

use super::MOST_SHOWN;
use super::show::{Look, Place, Shower};
use crate::report::chart::{Bars, histogram};
use crate::summary::ValueFigures;

/// Points of the scatter, at most.
const MOST_POINTS: usize = 1_000;

/// Figures of real values, in their own units.
pub(crate) struct ValueFindings {
    /// The name of what is predicted.
    pub(crate) target: String,
    /// True and predicted value of some samples, spread over all.
    pub(crate) points: Vec<(f64, f64)>,
    /// The distribution of prediction − truth.
    pub(crate) residuals: Option<Bars>,
    /// The largest errors first.
    pub(crate) worst: Vec<Worst>,
    pub(crate) rmse: Option<f64>,
    pub(crate) mae: Option<f64>,
    pub(crate) r2: Option<f64>,
}

/// A sample that is predicted badly.
pub(crate) struct Worst {
    pub(crate) place: Place,
    pub(crate) truth: f64,
    pub(crate) said: f64,
    pub(crate) look: Look,
}

impl ValueFindings {
    /// From samples × outputs; `None` where the samples have no values, or several.
    pub(super) fn new(
        shower: &Shower<'_>,
        evaluation: &Evaluation,
        outputs: &[f32],
    ) -> Option<Self> {
        let truths = shower.samples.values()?;
        if truths.len() != outputs.len() {
            return None;
        }
        let target = match shower.network.preparation() {
            Some(Preparation::Columns(columns)) => columns.target(),
            _ => None,
        };
        let standard = target.and_then(|target| target.standard).unwrap_or(Standard::NONE);
        let own = |value: &f32| f64::from(standard.invert(*value));
        let pairs: Vec<(f64, f64)> = truths.iter().map(own).zip(outputs.iter().map(own)).collect();
        let every = pairs.len().div_ceil(MOST_POINTS).max(1);
        let error = |at: &usize| (pairs[*at].1 - pairs[*at].0).abs();
        let mut order: Vec<usize> = (0..pairs.len()).collect();
        order.sort_by(|a, b| error(b).total_cmp(&error(a)));
        let worst = order.into_iter().take(MOST_SHOWN).map(|sample| {
            let ((truth, said), look) = (pairs[sample], shower.look(sample));
            Worst { place: shower.place(sample, sample), truth, said, look }
        });
        let figures = ValueFigures::new(shower.network, evaluation);
        let figures = serde_json::to_value(figures).unwrap_or_default();
        let figure = |key: &str| figures.get(key).and_then(Value::as_f64);
        Some(Self {
            target: target.map_or_else(|| "value".to_owned(), |target| target.name.clone()),
            points: pairs.iter().copied().step_by(every).collect(),
            residuals: histogram(pairs.iter().map(|(truth, said)| said - truth), false),
            worst: worst.collect(),
            rmse: figure("test_rmse"),
            mae: figure("test_mae"),
            r2: figure("test_r2"),
        })
    }
}
