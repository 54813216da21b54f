//! What is found where classes are told apart.

use nn::{Confusion, Mistake, Predictions, Reliability};

use super::MOST_SHOWN;
use super::show::{Look, Place, Shower};
use crate::error::Error;
use crate::interval::wilson;

/// Intervals of the reliability diagram, as in `eval`.
pub(crate) const BINS: usize = 15;

/// Figures of classes.
pub(crate) struct ClassFindings {
    pub(crate) names: Vec<String>,
    pub(crate) confusion: Confusion,
    /// Wilson's interval of the accuracy.
    pub(crate) interval: [f64; 2],
    pub(crate) reliability: Vec<Reliability>,
    pub(crate) calibration_error: f64,
    /// The most confident mistakes.
    pub(crate) mistakes: Vec<Shown>,
    /// Of all.
    pub(crate) wrong: usize,
}

/// A sample whose class and prediction differ.
pub(crate) struct Shown {
    pub(crate) place: Place,
    pub(crate) truth: String,
    pub(crate) said: String,
    /// The probabilities of both.
    pub(crate) of_said: f64,
    pub(crate) of_truth: f64,
    pub(crate) look: Look,
}

/// Labels that are probably wrong.
pub(crate) struct Doubtful {
    /// The most doubtful ones, then those whose label has the least probability.
    pub(crate) shown: Vec<Shown>,
    /// Labels that confident learning finds wrong.
    pub(crate) found: usize,
    /// Samples that were checked, and all that were trained on.
    pub(crate) checked: usize,
    pub(crate) of: usize,
}

impl ClassFindings {
    /// From samples × outputs; `None` where the network predicts no class, or the samples have
    /// none.
    pub(super) fn new(shower: &Shower<'_>, outputs: Vec<f32>) -> Result<Option<Self>, Error> {
        let (Some(names), Some(labels)) = (shower.class_names(), shower.samples.labels()) else {
            return Ok(None);
        };
        let probabilities = of_classes(outputs, names.len(), labels.len());
        let predictions = Predictions::new(&probabilities, names.len(), &labels[..])?;
        let confusion = predictions.confusion()?;
        let mistakes = predictions.mistakes();
        let shown = |mistake: &Mistake| Shown::new(shower, &names, mistake, mistake.sample);
        Ok(Some(Self {
            interval: wilson(confusion.accuracy(), confusion.samples()),
            reliability: predictions.reliability(BINS)?,
            calibration_error: predictions.calibration_error(BINS)?,
            mistakes: mistakes.iter().take(MOST_SHOWN).map(shown).collect(),
            wrong: mistakes.len(),
            confusion,
            names,
        }))
    }
}

impl Doubtful {
    /// From samples × outputs of the training samples at `positions`, of `of` in all.
    pub(super) fn new(
        shower: &Shower<'_>,
        outputs: Vec<f32>,
        positions: &[u32],
        of: usize,
    ) -> Result<Option<Self>, Error> {
        let (Some(names), Some(labels)) = (shower.class_names(), shower.samples.labels()) else {
            return Ok(None);
        };
        let probabilities = of_classes(outputs, names.len(), labels.len());
        let predictions = Predictions::new(&probabilities, names.len(), &labels[..])?;
        let doubtful = predictions.doubtful_labels();
        let found = doubtful.len();
        // A network that has learned the samples lists few.
        let mut others = predictions.mistakes();
        others.retain(|other| doubtful.iter().all(|listed| listed.sample != other.sample));
        others.sort_by(|a, b| a.label_probability.total_cmp(&b.label_probability));
        let shown = |mistake: &Mistake| {
            Shown::new(shower, &names, mistake, positions[mistake.sample] as usize)
        };
        let shown = doubtful.iter().chain(&others).take(MOST_SHOWN).map(shown).collect();
        Ok(Some(Self { shown, found, checked: positions.len(), of }))
    }
}

impl Shown {
    /// `index` is that of the sample in its part, of which only some may be looked at.
    fn new(shower: &Shower<'_>, names: &[String], mistake: &Mistake, index: usize) -> Self {
        Self {
            place: shower.place(mistake.sample, index),
            truth: names[mistake.label].clone(),
            said: names[mistake.predicted].clone(),
            of_said: mistake.probability.into(),
            of_truth: mistake.label_probability.into(),
            look: shower.look(mistake.sample),
        }
    }
}

/// Probabilities, samples × classes: of yes or no, the network gives that of yes.
fn of_classes(outputs: Vec<f32>, classes: usize, samples: usize) -> Vec<f32> {
    if outputs.len() == samples && classes == 2 {
        return outputs.iter().flat_map(|yes| [1.0 - yes, *yes]).collect();
    }
    outputs
}
