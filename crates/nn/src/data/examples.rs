//! Samples with their targets: views that copy no data.

use std::ops::Range;

use kernels::Isa;

use super::augment::Augmented;
use crate::{Augment, Draw, Error, Inputs, Targets};

/// Samples with their targets, all of them or a subset.
///
/// ```
/// use nn::{Examples, Inputs};
/// let examples = Examples::new(Inputs::new(&[0.1, 0.2, 0.3], 1)?, &[0u8, 1, 1])?;
/// assert_eq!(examples.len(), 3);
/// // The last and the first sample.
/// assert_eq!(examples.subset(&[2, 0])?.len(), 2);
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Examples<'a> {
    inputs: Inputs<'a>,
    targets: Targets<'a>,
    subset: Option<&'a [u32]>,
    /// One per sample of the whole set.
    weights: Option<&'a [f32]>,
    augment: Option<Augmented<'a>>,
}

impl<'a> Examples<'a> {
    /// Pairs samples with class labels, or with [`Values`](crate::Values).
    ///
    /// # Errors
    /// [`Error::Unpaired`] when the counts differ.
    pub fn new(inputs: Inputs<'a>, targets: impl Into<Targets<'a>>) -> Result<Self, Error> {
        let targets = targets.into();
        if inputs.len() != targets.len() {
            return Err(Error::Unpaired { samples: inputs.len(), labels: targets.len() });
        }
        Ok(Self { inputs, targets, subset: None, weights: None, augment: None })
    }

    /// The samples at `indices`, in that order. Indices refer to the whole set, even if
    /// `self` is already a subset. Samples keep their weights.
    ///
    /// # Errors
    /// [`Error::Subset`] when an index is out of range.
    pub fn subset(self, indices: &'a [u32]) -> Result<Self, Error> {
        let samples = self.inputs.len();
        match indices.iter().find(|&&index| index as usize >= samples) {
            Some(&index) => Err(Error::Subset { index: index as usize, samples }),
            None => Ok(Self { subset: Some(indices), ..self }),
        }
    }

    /// Gives each sample a weight in the loss, in training and in evaluation: the mean loss
    /// is `Σ w·loss / Σ w` (as with scikit-learn's `sample_weight`). Accuracy, errors and the
    /// number of samples ignore the weights. `weights` has one element per sample of the
    /// whole set, also where `self` is a subset.
    ///
    /// Mean and variance of batch normalisation ignore the weights too, and so do
    /// perceptrons, which have no loss.
    ///
    /// # Errors
    /// [`Error::Length`] where the number of weights is not the number of samples,
    /// [`Error::Weight`] for a weight that is negative, NaN or infinite, [`Error::NoWeight`]
    /// where all are 0.
    ///
    /// ```
    /// use nn::{Examples, Inputs};
    /// let (x, y) = ([0.1, 0.2, 0.3], [0u8, 1, 1]);
    /// // The first counts twice, the last not at all.
    /// let examples = Examples::new(Inputs::new(&x, 1)?, &y)?.weighted(&[2.0, 1.0, 0.0])?;
    /// # let _ = examples;
    /// # Ok::<(), nn::Error>(())
    /// ```
    pub fn weighted(self, weights: &'a [f32]) -> Result<Self, Error> {
        let (found, expected) = (weights.len(), self.inputs.len());
        if found != expected {
            return Err(Error::Length { what: "list of sample weights".into(), found, expected });
        }
        check_weights("sample", weights)?;
        Ok(Self { weights: Some(weights), ..self })
    }

    /// Makes training pass each sample through `augment`, again in each epoch. Evaluation
    /// does not use it.
    #[must_use]
    pub fn augmented(self, augment: &'a dyn Augment) -> Self {
        Self { augment: Some(Augmented(augment)), ..self }
    }

    /// Number of examples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.subset.map_or(self.inputs.len(), <[u32]>::len)
    }

    /// Whether there is no example.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The samples of the whole set.
    #[must_use]
    pub fn inputs(&self) -> Inputs<'a> {
        self.inputs
    }

    /// The index of example `position` in the whole set.
    pub(crate) fn index(&self, position: usize) -> usize {
        self.subset.map_or(position, |subset| subset[position] as usize)
    }

    /// The targets of the whole set.
    pub(crate) fn targets(&self) -> Targets<'a> {
        self.targets
    }

    /// The class of example `position`. The targets must be classes.
    pub(crate) fn label(&self, position: usize) -> usize {
        match self.targets {
            Targets::Classes(labels) => labels.get(self.index(position)),
            Targets::Values(_) => unreachable!("the head has checked the targets"),
        }
    }

    /// The target values of example `position`. The targets must be values.
    pub(crate) fn values(&self, position: usize) -> &'a [f32] {
        match self.targets {
            Targets::Values(values) => values.row(self.index(position)),
            Targets::Classes(_) => unreachable!("the head has checked the targets"),
        }
    }

    /// Whether the examples have weights.
    pub(crate) fn has_weights(&self) -> bool {
        self.weights.is_some()
    }

    /// The weight of example `position`.
    pub(crate) fn weight(&self, position: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[self.index(position)].into())
    }

    /// Checks that some example has a weight above 0.
    pub(crate) fn check_weights(&self) -> Result<(), Error> {
        let counts = |position| self.weight(position) > 0.0;
        match self.weights {
            Some(_) if !(0..self.len()).any(counts) => Err(Error::NoWeight { what: "sample" }),
            _ => Ok(()),
        }
    }

    /// Copies the features of example `position` into `row`.
    pub(crate) fn copy_row(&self, isa: Isa, position: usize, pixel_scale: f32, row: &mut [f32]) {
        self.inputs.copy_row(isa, self.index(position), pixel_scale, row);
    }

    /// Copies `columns` of example `position` into `row`, which has the same length.
    pub(crate) fn copy_columns(
        &self,
        isa: Isa,
        position: usize,
        columns: Range<usize>,
        pixel_scale: f32,
        row: &mut [f32],
    ) {
        self.inputs.copy_columns(isa, self.index(position), columns, pixel_scale, row);
    }

    /// Prefetches some features of example `position`.
    pub(crate) fn prefetch(&self, isa: Isa, position: usize, columns: Range<usize>) {
        self.inputs.prefetch(isa, self.index(position), columns);
    }

    /// The examples without augmentation.
    pub(crate) fn plain(self) -> Self {
        Self { augment: None, ..self }
    }

    pub(crate) fn is_augmented(&self) -> bool {
        self.augment.is_some()
    }

    /// Augments `row`, which holds the features of example `position`.
    pub(crate) fn augment_row(&self, seed: u64, epoch: u64, position: usize, row: &mut [f32]) {
        if let Some(Augmented(augment)) = self.augment {
            let sample = self.index(position) as u64;
            augment.augment(Draw { seed, epoch, sample }, row);
        }
    }

    /// Checks everything that a network with `width` inputs relies on, except the targets.
    /// This is done once, so that the hot path need not check.
    pub(crate) fn check_inputs(&self, width: usize) -> Result<(), Error> {
        if self.is_empty() {
            return Err(Error::Empty);
        }
        // Positions are stored as u32.
        if self.len() > u32::MAX as usize {
            return Err(Error::TooMany { samples: self.len() });
        }
        self.inputs.check(width)?;
        self.check_weights()
    }
}

/// Checks that all weights are finite and at least 0, and that at least one is above 0.
pub(crate) fn check_weights(what: &'static str, weights: &[f32]) -> Result<(), Error> {
    match weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
        Some(index) => Err(Error::Weight { what, index, value: weights[index] }),
        None if weights.iter().all(|weight| *weight == 0.0) => Err(Error::NoWeight { what }),
        None => Ok(()),
    }
}
