//! What a source gives, whatever its format.

use std::fmt;

use crate::bytes::Bytes;
use crate::class_names::ClassNames;

/// The features of all samples: samples × width, row-major.
#[derive(Debug)]
pub enum Features {
    /// Bytes, such as pixels: 0 to 255.
    Bytes(Bytes),
    /// Real numbers.
    Real(Vec<f32>),
}

impl Features {
    fn len(&self) -> usize {
        match self {
            Self::Bytes(values) => values.len(),
            Self::Real(values) => values.len(),
        }
    }
}

/// What is to be learned about each sample.
#[derive(Debug)]
pub enum Targets {
    /// Which class it is of.
    Classes(Classes),
}

impl Targets {
    fn len(&self) -> usize {
        match self {
            Self::Classes(classes) => classes.labels().len(),
        }
    }
}

/// One class for each sample.
#[derive(Debug)]
pub struct Classes {
    labels: Bytes,
    count: usize,
    names: Option<ClassNames>,
}

impl Classes {
    /// One label for each sample; `names`, where the files give the classes names.
    ///
    /// The names are not compared with the labels: only a program knows whether a part
    /// without some class is an error.
    #[must_use]
    pub fn new(labels: Bytes, names: Option<ClassNames>) -> Self {
        let count = labels.iter().max().map_or(0, |&largest| usize::from(largest) + 1);
        Self { labels, count, names }
    }

    /// The label of each sample, below [`count`](Self::count).
    #[must_use]
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The number of classes: the largest label plus one.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The names of the classes, if the files have them.
    #[must_use]
    pub fn names(&self) -> Option<&ClassNames> {
        self.names.as_ref()
    }
}

/// The size of an image, in pixels. Displayed as `28 x 28`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageSize {
    /// Its height.
    pub rows: usize,
    /// Its width.
    pub cols: usize,
}

impl fmt::Display for ImageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {}", self.rows, self.cols)
    }
}

/// Samples of one part of a data set, each with its target. At least one.
///
/// ```
/// use mnist_io::{Classes, Features, ImageSize, Samples, Targets};
///
/// // Two samples of three measurements, of classes 0 and 1.
/// let features = Features::Real(vec![5.1, 3.5, 1.4, 7.0, 3.2, 4.7]);
/// let targets = Targets::Classes(Classes::new(vec![0, 1].into(), None));
/// let samples = Samples::new(features, 3, targets);
/// assert_eq!((samples.len(), samples.width(), samples.image_size()), (2, 3, None));
///
/// // One image of 2 × 2 pixels, of class 7.
/// let features = Features::Bytes(vec![0, 255, 255, 0].into());
/// let targets = Targets::Classes(Classes::new(vec![7].into(), None));
/// let size = ImageSize { rows: 2, cols: 2 };
/// let samples = Samples::new(features, 4, targets).with_image_size(size);
/// assert_eq!(samples.image_size(), Some(size));
/// ```
#[derive(Debug)]
pub struct Samples {
    features: Features,
    width: usize,
    image_size: Option<ImageSize>,
    targets: Targets,
}

impl Samples {
    /// Samples of `width` features each.
    ///
    /// # Panics
    /// If there is no sample, if `width` is 0, or if the features are not `width` for
    /// each target. A source checks its files for that first: it can say which byte or
    /// line is wrong.
    #[must_use]
    pub fn new(features: Features, width: usize, targets: Targets) -> Self {
        let (values, len) = (features.len(), targets.len());
        assert!(len > 0 && width > 0, "{len} samples of {width} features");
        let expected = len.checked_mul(width);
        assert!(expected == Some(values), "{values} values for {len} samples of {width} features");
        Self { features, width, image_size: None, targets }
    }

    /// Samples that are images of this size, row-major.
    ///
    /// # Panics
    /// If an image of this size does not have [`width`](Self::width) pixels.
    #[must_use]
    pub fn with_image_size(self, size: ImageSize) -> Self {
        let pixels = size.rows.checked_mul(size.cols);
        assert!(pixels == Some(self.width), "{size} pixels for {} features", self.width);
        Self { image_size: Some(size), ..self }
    }

    /// The number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there is no sample: never, since [`new`](Self::new) refuses that.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The features of all samples.
    #[must_use]
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// The number of features of one sample.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The size of a sample that is an image.
    #[must_use]
    pub fn image_size(&self) -> Option<ImageSize> {
        self.image_size
    }

    /// What is to be learned about each sample.
    #[must_use]
    pub fn targets(&self) -> &Targets {
        &self.targets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(labels: &[u8]) -> Targets {
        Targets::Classes(Classes::new(labels.to_vec().into(), None))
    }

    fn bytes(count: usize) -> Features {
        Features::Bytes(vec![0; count].into())
    }

    #[test]
    fn the_largest_label_counts_the_classes() {
        for (labels, count) in [(&[0][..], 1), (&[3, 1], 4), (&[0, 255], 256)] {
            let Targets::Classes(classes) = classes(labels);
            assert_eq!((classes.labels(), classes.count()), (labels, count));
        }
    }

    #[test]
    fn samples_are_counted() {
        let samples = Samples::new(bytes(6), 3, classes(&[1, 2]));
        assert_eq!((samples.len(), samples.is_empty()), (2, false));
    }

    #[test]
    #[should_panic(expected = "0 samples of 3 features")]
    fn no_samples() {
        let _ = Samples::new(bytes(0), 3, classes(&[]));
    }

    #[test]
    #[should_panic(expected = "2 samples of 0 features")]
    fn no_features() {
        let _ = Samples::new(bytes(0), 0, classes(&[1, 2]));
    }

    #[test]
    #[should_panic(expected = "7 values for 2 samples of 3 features")]
    fn features_that_do_not_belong_to_the_targets() {
        let _ = Samples::new(Features::Real(vec![0.0; 7]), 3, classes(&[1, 2]));
    }

    #[test]
    #[should_panic(expected = "for 2 samples of 9223372036854775808 features")]
    #[cfg(target_pointer_width = "64")]
    fn a_count_of_features_that_would_overflow() {
        let _ = Samples::new(bytes(0), 1 << 63, classes(&[1, 2]));
    }

    #[test]
    #[should_panic(expected = "2 x 3 pixels for 5 features")]
    fn an_image_size_that_does_not_belong_to_the_features() {
        let size = ImageSize { rows: 2, cols: 3 };
        let _ = Samples::new(bytes(5), 5, classes(&[1])).with_image_size(size);
    }
}
