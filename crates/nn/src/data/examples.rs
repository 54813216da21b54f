//! Borrowed views of samples and labels: nothing here copies a data set.

use std::ops::Range;

use kernels::{Isa, MatRef};

use super::augment::Augmented;
use crate::head::check_weights;
use crate::{Augment, Draw, Error};

/// Samples × features, row-major, borrowed.
///
/// ```
/// use nn::Inputs;
/// // Two samples of three features, and two images of four pixels.
/// let numbers = Inputs::new(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 3)?;
/// let images = Inputs::pixels(&[0, 255, 255, 0, 128, 0, 0, 128], 4)?;
/// assert_eq!((numbers.len(), numbers.width()), (2, 3));
/// assert_eq!((images.len(), images.width()), (2, 4));
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    features: Features<'a>,
    width: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Features<'a> {
    F32(&'a [f32]),
    U8(&'a [u8]),
}

impl<'a> Inputs<'a> {
    /// Real features, `width` a sample.
    ///
    /// # Errors
    /// [`Error::Zero`] and [`Error::Ragged`] when `values` does not divide into
    /// samples.
    ///
    /// ```
    /// let xor = nn::Inputs::new(&[0., 0., 0., 1., 1., 0., 1., 1.], 2)?;
    /// assert_eq!(xor.len(), 4);
    /// # Ok::<(), nn::Error>(())
    /// ```
    pub fn new(values: &'a [f32], width: usize) -> Result<Self, Error> {
        Self::whole(Features::F32(values), values.len(), width)
    }

    /// Bytes, `width` a sample; a network multiplies each by its
    /// [`pixel_scale`](crate::Mlp::pixel_scale) as it reads it.
    ///
    /// # Errors
    /// As for [`Inputs::new`].
    pub fn pixels(values: &'a [u8], width: usize) -> Result<Self, Error> {
        Self::whole(Features::U8(values), values.len(), width)
    }

    fn whole(features: Features<'a>, elements: usize, width: usize) -> Result<Self, Error> {
        if width == 0 {
            return Err(Error::Zero { what: "features of a sample".into() });
        }
        if !elements.is_multiple_of(width) {
            return Err(Error::Ragged { elements, width });
        }
        Ok(Self { features, width })
    }

    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        match self.features {
            Features::F32(values) => values.len() / self.width,
            Features::U8(values) => values.len() / self.width,
        }
    }

    /// Whether there is no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Features of a sample.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Writes sample `index`, as real numbers, into `row` (`width` long).
    pub(crate) fn copy_row(&self, isa: Isa, index: usize, pixel_scale: f32, row: &mut [f32]) {
        self.copy_columns(isa, index, 0..self.width, pixel_scale, row);
    }

    /// Writes some features of sample `index`, as real numbers, into `row`, as many.
    fn copy_columns(
        &self,
        isa: Isa,
        index: usize,
        columns: Range<usize>,
        pixel_scale: f32,
        row: &mut [f32],
    ) {
        let range = self.range(index, columns);
        match self.features {
            Features::F32(values) => row.copy_from_slice(&values[range]),
            Features::U8(values) => kernels::scale_bytes(isa, &values[range], pixel_scale, row),
        }
    }

    /// Where some features of sample `index` lie.
    fn range(&self, index: usize, columns: Range<usize>) -> Range<usize> {
        index * self.width + columns.start..index * self.width + columns.end
    }

    /// Asks for some features of sample `index`, which are wanted soon.
    fn prefetch(&self, isa: Isa, index: usize, columns: Range<usize>) {
        let range = self.range(index, columns);
        match self.features {
            Features::F32(values) => kernels::prefetch(isa, &values[range]),
            Features::U8(values) => kernels::prefetch(isa, &values[range]),
        }
    }

    /// Samples `range`, where they are real numbers already.
    pub(crate) fn rows(&self, range: Range<usize>) -> Option<MatRef<'a>> {
        let Features::F32(values) = self.features else { return None };
        let elements = range.start * self.width..range.end * self.width;
        Some(MatRef::new(&values[elements], range.len(), self.width))
    }

    /// The first feature that is NaN or infinite in samples `range`, as an error.
    pub(crate) fn check_finite(&self, range: Range<usize>) -> Result<(), Error> {
        let Features::F32(values) = self.features else { return Ok(()) };
        let first = range.start * self.width;
        let values = &values[first..range.end * self.width];
        // Without a way out of the loop, which would keep it from vectors.
        if values.iter().fold(true, |finite, v| finite & v.is_finite()) {
            return Ok(());
        }
        match values.iter().position(|v| !v.is_finite()) {
            None => Ok(()),
            Some(at) => Err(Error::NotFinite {
                sample: (first + at) / self.width,
                feature: at % self.width,
                value: values[at],
            }),
        }
    }

    pub(crate) fn check_width(&self, width: usize) -> Result<(), Error> {
        if self.width != width {
            return Err(Error::Width { found: self.width, expected: width });
        }
        Ok(())
    }

    pub(crate) fn check(&self, width: usize) -> Result<(), Error> {
        self.check_width(width)?;
        self.check_finite(0..self.len())
    }
}

/// One class index a sample, borrowed, in any of the usual integer types.
///
/// ```
/// use nn::Labels;
/// let bytes = Labels::from(&[2u8, 0, 1]);
/// let indices = vec![2usize, 0, 1];
/// let indices = Labels::from(&indices);
/// assert_eq!(bytes.len(), 3);
/// assert_eq!(bytes.get(0), indices.get(0));
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Labels<'a> {
    /// Bytes, as in IDX files.
    U8(&'a [u8]),
    /// 32-bit indices.
    U32(&'a [u32]),
    /// Native indices.
    Usize(&'a [usize]),
}

/// Slices, and what holds one: `&labels` will do for a vector or an array.
macro_rules! labels_from {
    ($($variant:ident($integer:ty)),*) => {$(
        impl<'a> From<&'a [$integer]> for Labels<'a> {
            fn from(labels: &'a [$integer]) -> Self {
                Self::$variant(labels)
            }
        }

        impl<'a> From<&'a Vec<$integer>> for Labels<'a> {
            fn from(labels: &'a Vec<$integer>) -> Self {
                Self::$variant(labels)
            }
        }

        impl<'a, const N: usize> From<&'a [$integer; N]> for Labels<'a> {
            fn from(labels: &'a [$integer; N]) -> Self {
                Self::$variant(labels)
            }
        }
    )*};
}

labels_from!(U8(u8), U32(u32), Usize(usize));

impl Labels<'_> {
    /// Number of labels.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::U8(labels) => labels.len(),
            Self::U32(labels) => labels.len(),
            Self::Usize(labels) => labels.len(),
        }
    }

    /// Whether there is no label.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The labels, first to last.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// That there is a sample, and that each label is one of the classes.
    pub(crate) fn check(&self, classes: usize) -> Result<(), Error> {
        if classes == 0 {
            return Err(Error::Zero { what: "number of classes".into() });
        }
        if self.is_empty() {
            return Err(Error::Empty);
        }
        match self.iter().enumerate().find(|&(_, label)| label >= classes) {
            Some((sample, label)) => Err(Error::Label { sample, label, classes }),
            None => Ok(()),
        }
    }

    /// The class of sample `index`.
    ///
    /// # Panics
    /// If `index` is not below [`Labels::len`].
    #[must_use]
    pub fn get(&self, index: usize) -> usize {
        match self {
            Self::U8(labels) => usize::from(labels[index]),
            Self::U32(labels) => labels[index] as usize,
            Self::Usize(labels) => labels[index],
        }
    }
}

/// Samples with their labels, all of them or a subset.
///
/// ```
/// use nn::{Examples, Inputs};
/// let examples = Examples::new(Inputs::new(&[0.1, 0.2, 0.3], 1)?, &[0u8, 1, 1])?;
/// assert_eq!(examples.len(), 3);
/// // The last and the first.
/// assert_eq!(examples.subset(&[2, 0])?.len(), 2);
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Examples<'a> {
    inputs: Inputs<'a>,
    labels: Labels<'a>,
    subset: Option<&'a [u32]>,
    /// One a sample of the whole set.
    weights: Option<&'a [f32]>,
    augment: Option<Augmented<'a>>,
}

impl<'a> Examples<'a> {
    /// Pairs samples with labels.
    ///
    /// # Errors
    /// [`Error::Unpaired`] when the counts differ.
    pub fn new(inputs: Inputs<'a>, labels: impl Into<Labels<'a>>) -> Result<Self, Error> {
        let labels = labels.into();
        if inputs.len() != labels.len() {
            return Err(Error::Unpaired { samples: inputs.len(), labels: labels.len() });
        }
        Ok(Self { inputs, labels, subset: None, weights: None, augment: None })
    }

    /// Only the samples that `indices` names, in that order; the indices count
    /// from the whole set even when `self` is a subset already. Samples keep their
    /// weights.
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

    /// Has the loss of each sample count so many times, in training and in
    /// evaluation: a mean of losses is `Σ w·loss / Σ w` (as with scikit-learn's
    /// `sample_weight`). Accuracy, errors and the number of samples count samples.
    /// `weights` has one a sample of the whole set, also where `self` is a subset.
    ///
    /// Batch normalisation takes its mean and variance over all samples alike, and
    /// perceptrons, which have no loss, do not look at weights.
    ///
    /// # Errors
    /// [`Error::Length`] when there are not as many as samples, [`Error::Weight`]
    /// for one that is not finite or below 0, [`Error::NoWeight`] where all are 0.
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

    /// Has training pass each row through `augment`, anew in each epoch; what only
    /// evaluates does not.
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

    /// Where example `position` stands in the whole set.
    pub(crate) fn index(&self, position: usize) -> usize {
        self.subset.map_or(position, |subset| subset[position] as usize)
    }

    /// The class of example `position`.
    pub(crate) fn label(&self, position: usize) -> usize {
        self.labels.get(self.index(position))
    }

    /// Whether some examples may count more than others.
    pub(crate) fn has_weights(&self) -> bool {
        self.weights.is_some()
    }

    /// How many times the loss of example `position` counts.
    pub(crate) fn weight(&self, position: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[self.index(position)].into())
    }

    /// That an example counts, of those there are.
    pub(crate) fn check_weights(&self) -> Result<(), Error> {
        let counts = |position| self.weight(position) > 0.0;
        match self.weights {
            Some(_) if !(0..self.len()).any(counts) => Err(Error::NoWeight { what: "sample" }),
            _ => Ok(()),
        }
    }

    /// Writes example `position`, as real numbers, into `row`.
    pub(crate) fn copy_row(&self, isa: Isa, position: usize, pixel_scale: f32, row: &mut [f32]) {
        self.inputs.copy_row(isa, self.index(position), pixel_scale, row);
    }

    /// Writes some features of example `position` into `row`, as many.
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

    /// Asks for some features of example `position`, which are wanted soon.
    pub(crate) fn prefetch(&self, isa: Isa, position: usize, columns: Range<usize>) {
        self.inputs.prefetch(isa, self.index(position), columns);
    }

    pub(crate) fn is_augmented(&self) -> bool {
        self.augment.is_some()
    }

    /// Changes `row`, which holds example `position`, as training wants it.
    pub(crate) fn augment_row(&self, seed: u64, epoch: u64, position: usize, row: &mut [f32]) {
        if let Some(Augmented(augment)) = self.augment {
            let sample = self.index(position) as u64;
            augment.augment(Draw { seed, epoch, sample }, row);
        }
    }

    /// Everything a network of this shape relies on, checked once so that the
    /// hot path need not.
    pub(crate) fn check(&self, width: usize, classes: usize) -> Result<(), Error> {
        if self.is_empty() {
            return Err(Error::Empty);
        }
        // The order of samples is kept in 32 bits.
        if self.len() > u32::MAX as usize {
            return Err(Error::TooMany { samples: self.len() });
        }
        self.inputs.check(width)?;
        self.check_weights()?;
        for position in 0..self.len() {
            let label = self.label(position);
            if label >= classes {
                return Err(Error::Label { sample: self.index(position), label, classes });
            }
        }
        Ok(())
    }
}
