//! What training minimises: the head's loss, with weights of samples and classes and with
//! label smoothing.

use kernels::{Isa, MatMut, MatRef, RowLoss};

use super::{ClassWeights, Head};
use crate::{Error, Examples, Fit};

/// The loss of a run on some examples.
#[derive(Clone, Debug, Default)]
pub(crate) struct Objective {
    head: Head,
    /// ε of label smoothing.
    pub(super) smoothing: f64,
    /// The weight of each class; empty where every class counts 1.
    classes: Vec<f64>,
}

/// Some rows of a batch or of a data set.
pub(crate) struct Rows<'a> {
    pub(crate) isa: Isa,
    pub(crate) examples: &'a Examples<'a>,
    pub(crate) positions: Positions<'a>,
    /// The sum of the weights of the whole batch.
    pub(crate) total: f64,
}

/// The positions of rows among the examples.
#[derive(Clone, Copy)]
pub(crate) enum Positions<'a> {
    /// One for each row.
    Of(&'a [u32]),
    /// Consecutive ones.
    From(usize),
}

impl Rows<'_> {
    /// The position of row `row`.
    pub(super) fn position(&self, row: usize) -> usize {
        match self.positions {
            Positions::Of(positions) => positions[row] as usize,
            Positions::From(first) => first + row,
        }
    }
}

/// `weight·loss`. A weight of 0 takes away even an infinite loss, but NaN stays.
pub(crate) fn counted(weight: f64, loss: f64) -> f64 {
    if weight == 0.0 && loss.is_infinite() { 0.0 } else { weight * loss }
}

impl Objective {
    /// The loss of `fit` for examples that were checked, of a network with this head and
    /// `outputs` outputs.
    ///
    /// # Errors
    /// Label smoothing and class weights for a head without classes, and class weights
    /// that do not fit the classes or the examples.
    pub(crate) fn new(
        head: Head,
        fit: &Fit,
        examples: &Examples<'_>,
        outputs: usize,
    ) -> Result<Self, Error> {
        let classes = head.with(|kind| kind.classes(outputs));
        for (name, wanted) in [
            ("label smoothing", fit.label_smoothing > 0.0),
            ("class weights", fit.class_weights.is_some()),
        ] {
            if wanted && classes.is_none() {
                return Err(Error::NoClasses { name, head: head.name() });
            }
        }
        let weights = match (&fit.class_weights, classes) {
            (Some(weights), Some(classes)) => weights.of(examples, classes)?,
            _ => Vec::new(),
        };
        let smoothing = fit.label_smoothing.into();
        let objective = Self { head, smoothing, classes: weights };
        let counts = |position| objective.weight(examples, position) > 0.0;
        if !objective.classes.is_empty() && !(0..examples.len()).any(counts) {
            return Err(Error::NoWeight { what: "sample's class" });
        }
        Ok(objective)
    }

    /// Whether there are no weights and no label smoothing.
    pub(crate) fn is_plain(&self, examples: &Examples<'_>) -> bool {
        self.smoothing == 0.0 && self.classes.is_empty() && !examples.has_weights()
    }

    /// The weight of every class; empty where each is 1.
    pub(crate) fn into_classes(self) -> Vec<f64> {
        self.classes
    }

    /// The weight of a class.
    pub(super) fn class(&self, class: usize) -> f64 {
        self.classes.get(class).copied().unwrap_or(1.0)
    }

    /// The weight of an example times that of its class.
    fn weight(&self, examples: &Examples<'_>, position: usize) -> f64 {
        let of_sample = examples.weight(position);
        if self.classes.is_empty() {
            return of_sample;
        }
        of_sample * self.class(examples.label(position))
    }

    /// The sum of the weights of a batch, in the order of its rows: what its losses are
    /// divided by.
    pub(crate) fn total(&self, examples: &Examples<'_>, positions: &[u32]) -> f64 {
        if self.is_plain(examples) {
            return positions.len() as f64;
        }
        positions.iter().map(|&position| self.weight(examples, position as usize)).sum()
    }

    /// What the gradient of row `row` is multiplied by: the weight of its sample, divided by
    /// the sum of the batch's weights. (The weight of its class is in the target.)
    pub(super) fn share(&self, rows: &Rows<'_>, row: usize) -> f64 {
        // A batch in which no sample counts moves nothing.
        if rows.total > 0.0 { rows.examples.weight(rows.position(row)) / rows.total } else { 0.0 }
    }

    /// The loss of each row and, in place of the outputs z, the gradient of the mean loss
    /// of the batch.
    ///
    /// Shapes: z is rows × outputs, `losses` has an element for each row.
    pub(crate) fn gradient(&self, rows: &Rows<'_>, z: MatMut<'_>, losses: &mut [RowLoss]) {
        self.head.with(|kind| kind.gradient(self, rows, z, losses));
    }
}

impl Head {
    /// The loss of each row of outputs, without weights of classes or label smoothing.
    ///
    /// Shapes: z is rows × outputs, `losses` has an element for each row.
    pub(crate) fn loss(self, rows: &Rows<'_>, z: MatRef<'_>, losses: &mut [RowLoss]) {
        self.with(|kind| kind.loss(rows, z, losses));
    }
}

impl Fit {
    /// Checks label smoothing and class weights against their ranges.
    pub(crate) fn validate_loss(&self) -> Result<(), Error> {
        if !(0.0..1.0).contains(&self.label_smoothing) {
            return Err(Error::OutOfRange {
                name: "label smoothing",
                found: self.label_smoothing.into(),
                expected: "at least 0 and below 1",
            });
        }
        self.class_weights.as_ref().map_or(Ok(()), ClassWeights::validate)
    }
}
