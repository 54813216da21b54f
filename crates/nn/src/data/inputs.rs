//! The features of samples, borrowed.

use std::ops::Range;

use kernels::{Isa, MatRef};

use crate::{Error, math};

/// The features of samples: samples × features, row-major, borrowed.
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
    pub(super) features: Features<'a>,
    /// Above 0; the number of elements is a multiple of it.
    pub(super) width: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Features<'a> {
    F32(&'a [f32]),
    U8(&'a [u8]),
}

impl<'a> Inputs<'a> {
    /// Real features, `width` per sample.
    ///
    /// # Errors
    /// [`Error::Zero`] where `width` is 0, and [`Error::Ragged`] where the length of
    /// `values` is not a multiple of it.
    ///
    /// ```
    /// let xor = nn::Inputs::new(&[0., 0., 0., 1., 1., 0., 1., 1.], 2)?;
    /// assert_eq!(xor.len(), 4);
    /// # Ok::<(), nn::Error>(())
    /// ```
    pub fn new(values: &'a [f32], width: usize) -> Result<Self, Error> {
        Self::whole(Features::F32(values), values.len(), width)
    }

    /// Features as bytes, `width` per sample. A network multiplies each byte that it reads by
    /// its [`pixel_scale`](crate::Mlp::pixel_scale).
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

    /// Number of features per sample.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Copies sample `index` into `row`, which has `width` elements.
    pub(crate) fn copy_row(&self, isa: Isa, index: usize, pixel_scale: f32, row: &mut [f32]) {
        self.copy_columns(isa, index, 0..self.width, pixel_scale, row);
    }

    /// Copies `columns` of sample `index` into `row`, which has the same length.
    pub(super) fn copy_columns(
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

    /// The feature that no byte exceeds; `None` if the features are no bytes.
    pub(crate) fn largest_byte(&self, pixel_scale: f32) -> Option<f32> {
        matches!(self.features, Features::U8(_)).then_some(255.0 * pixel_scale)
    }

    /// The offsets of some features of sample `index`.
    fn range(&self, index: usize, columns: Range<usize>) -> Range<usize> {
        index * self.width + columns.start..index * self.width + columns.end
    }

    /// Prefetches some features of sample `index`.
    pub(super) fn prefetch(&self, isa: Isa, index: usize, columns: Range<usize>) {
        let range = self.range(index, columns);
        match self.features {
            Features::F32(values) => kernels::prefetch(isa, &values[range]),
            Features::U8(values) => kernels::prefetch(isa, &values[range]),
        }
    }

    /// Samples `range` as a matrix; `None` if the features are bytes.
    pub(crate) fn rows(&self, range: Range<usize>) -> Option<MatRef<'a>> {
        let Features::F32(values) = self.features else { return None };
        let elements = range.start * self.width..range.end * self.width;
        Some(MatRef::new(&values[elements], range.len(), self.width))
    }

    /// The largest feature in samples `range`, in absolute value; of bytes, the largest that
    /// there can be. It costs the one pass that [`check_finite`](Self::check_finite) does.
    ///
    /// # Errors
    /// The first feature that is NaN or infinite.
    pub(crate) fn largest(
        &self,
        isa: Isa,
        range: Range<usize>,
        pixel_scale: f32,
    ) -> Result<f32, Error> {
        let Features::F32(values) = self.features else { return Ok(255.0 * pixel_scale) };
        let largest = math::largest(isa, &values[range.start * self.width..range.end * self.width]);
        if !largest.is_finite() {
            self.check_finite(range)?;
        }
        Ok(largest)
    }

    /// Returns an error for the first feature in samples `range` that is NaN or infinite.
    pub(crate) fn check_finite(&self, range: Range<usize>) -> Result<(), Error> {
        let Features::F32(values) = self.features else { return Ok(()) };
        let first = range.start * self.width;
        let values = &values[first..range.end * self.width];
        // No early exit: with one, the compiler would not vectorise the loop.
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
