//! Targets, which a network learns to predict: a class for each sample, or real values.

use crate::Error;

/// What a network should predict for each sample. The [`Head`](crate::Head) decides which
/// form it takes.
///
/// Slices of class indices (`u8`, `u32` or `usize`) and [`Values`] convert into it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Targets<'a> {
    /// A class index for each sample.
    Classes(Labels<'a>),
    /// Real values for each sample.
    Values(Values<'a>),
}

impl Targets<'_> {
    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Classes(labels) => labels.len(),
            Self::Values(values) => values.len(),
        }
    }

    /// Whether there is no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'a, T: Into<Labels<'a>>> From<T> for Targets<'a> {
    fn from(labels: T) -> Self {
        Self::Classes(labels.into())
    }
}

impl<'a> From<Values<'a>> for Targets<'a> {
    fn from(values: Values<'a>) -> Self {
        Self::Values(values)
    }
}

/// Real targets: samples × outputs, row-major, borrowed.
///
/// ```
/// use nn::{Examples, Inputs, Values};
/// // Two samples of one feature, and two values to predict from each.
/// let values = Values::new(&[0.5, 1.5, -0.5, 2.5], 2)?;
/// assert_eq!((values.len(), values.width()), (2, 2));
/// let examples = Examples::new(Inputs::new(&[0.1, 0.2], 1)?, values)?;
/// assert_eq!(examples.len(), 2);
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    values: &'a [f32],
    width: usize,
}

impl<'a> Values<'a> {
    /// Targets with `width` values for each sample.
    ///
    /// # Errors
    /// [`Error::Zero`] where `width` is 0, and [`Error::Length`] where the length of `values`
    /// is not a multiple of it.
    pub fn new(values: &'a [f32], width: usize) -> Result<Self, Error> {
        if width == 0 {
            return Err(Error::Zero { what: "values of a target".into() });
        }
        let (found, rest) = (values.len(), values.len() % width);
        if rest != 0 {
            let what = format!("list of targets of {width} values each");
            return Err(Error::Length { what, found, expected: found - rest });
        }
        Ok(Self { values, width })
    }

    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// Whether there is no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Number of values per sample.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The values of sample `index`.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Self::len).
    #[must_use]
    pub fn row(&self, index: usize) -> &'a [f32] {
        &self.values[index * self.width..][..self.width]
    }
}

/// One class index per sample, borrowed, as `u8`, `u32` or `usize`.
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

// `&labels` converts for a slice, a vector and an array.
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

    /// The labels of some samples, in the order of `indices`.
    ///
    /// # Errors
    /// [`Error::Subset`] when an index is out of range.
    pub fn gather(&self, indices: &[u32]) -> Result<Vec<usize>, Error> {
        let samples = self.len();
        let label = |index: &u32| match *index as usize {
            index if index < samples => Ok(self.get(index)),
            index => Err(Error::Subset { index, samples }),
        };
        indices.iter().map(label).collect()
    }

    /// The labels in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// Checks that there is a sample, and that each label is below `classes`.
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
