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
    /// A real number.
    Values(Vec<f32>),
}

impl Targets {
    /// The number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Classes(classes) => classes.labels().len(),
            Self::Values(values) => values.len(),
        }
    }

    /// Whether there is no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Those of the samples that `indices` names, in its order.
    ///
    /// # Panics
    /// If there is no such sample.
    #[must_use]
    pub fn subset(&self, indices: &[u32]) -> Self {
        match self {
            Self::Classes(classes) => {
                let labels = gather(&classes.labels, 1, indices);
                let (count, names) = (classes.count, classes.names.clone());
                Self::Classes(Classes { labels: labels.into(), count, names })
            }
            Self::Values(values) => Self::Values(gather(values, 1, indices)),
        }
    }
}

/// The rows of `width` values that `indices` names.
fn gather<T: Copy>(values: &[T], width: usize, indices: &[u32]) -> Vec<T> {
    let rows = indices.iter().map(|&index| &values[index as usize * width..][..width]);
    rows.flatten().copied().collect()
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

    /// The same with this many classes, of which the last ones have no sample.
    ///
    /// # Panics
    /// If a label is not below `count`.
    #[must_use]
    pub fn with_count(self, count: usize) -> Self {
        assert!(self.count <= count, "{count} classes for a label of {}", self.count - 1);
        Self { count, ..self }
    }

    /// The label of each sample, below [`count`](Self::count).
    #[must_use]
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The number of classes: the largest label plus one, unless there are more.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The same samples in the classes that `names` lists, whose indices their labels become,
    /// for data that another program or another folder numbered otherwise. Without names of
    /// their own, the labels stay.
    ///
    /// # Errors
    /// The name of a class that a sample is of and that `names` does not have.
    pub fn renumbered(&self, names: &[String]) -> Result<Self, String> {
        let Some(own) = &self.names else {
            return Ok(Self::new(self.labels.to_vec().into(), None));
        };
        let position = |name: &String| names.iter().position(|known| known == name);
        let new: Vec<Option<usize>> = own.names.iter().map(position).collect();
        let label = |label: &u8| {
            let label = usize::from(*label);
            let found = new.get(label).copied().flatten().and_then(|new| u8::try_from(new).ok());
            found.ok_or_else(|| {
                own.names.get(label).map_or_else(|| label.to_string(), String::clone)
            })
        };
        let labels: Vec<u8> = self.labels.iter().map(label).collect::<Result<_, _>>()?;
        let renamed = ClassNames { path: own.path.clone(), names: names.to_vec() };
        Ok(Self::new(labels.into(), Some(renamed)).with_count(names.len()))
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

/// Images of `rows` × `cols` pixels, row-major, with rows and columns exchanged.
///
/// ```
/// let two = [1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60];
/// let upright = mnist_io::transpose(&two, 2, 3);
/// assert_eq!(upright, [1, 4, 2, 5, 3, 6, 10, 40, 20, 50, 30, 60]);
/// ```
///
/// # Panics
/// If `pixels` has no whole number of images.
#[must_use]
pub fn transpose<T: Copy>(pixels: &[T], rows: usize, cols: usize) -> Vec<T> {
    let size = rows * cols;
    assert!(
        size > 0 && pixels.len().is_multiple_of(size),
        "{} pixels of {rows} x {cols}",
        pixels.len()
    );
    let images = pixels.chunks_exact(size);
    images.flat_map(|image| (0..size).map(move |to| image[to % rows * cols + to / rows])).collect()
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

    /// The samples that `indices` names, in its order, copied.
    ///
    /// # Panics
    /// If there is no such sample, or no index.
    #[must_use]
    pub fn subset(&self, indices: &[u32]) -> Self {
        let features = match &self.features {
            Features::Bytes(bytes) => Features::Bytes(gather(bytes, self.width, indices).into()),
            Features::Real(values) => Features::Real(gather(values, self.width, indices)),
        };
        let samples = Self::new(features, self.width, self.targets.subset(indices));
        Self { image_size: self.image_size, ..samples }
    }

    /// The same images with rows and columns exchanged, copied; samples that are no images as
    /// they are.
    #[must_use]
    pub fn transposed(self) -> Self {
        let Some(ImageSize { rows, cols }) = self.image_size else { return self };
        let features = match &self.features {
            Features::Bytes(bytes) => Features::Bytes(transpose(bytes, rows, cols).into()),
            Features::Real(values) => Features::Real(transpose(values, rows, cols)),
        };
        let image_size = Some(ImageSize { rows: cols, cols: rows });
        Self { features, image_size, ..self }
    }

    /// The same samples with other targets.
    ///
    /// # Panics
    /// If these are not one for each sample.
    #[must_use]
    pub fn with_targets(self, targets: Targets) -> Self {
        let samples = Self::new(self.features, self.width, targets);
        Self { image_size: self.image_size, ..samples }
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
            let Targets::Classes(classes) = classes(labels) else { panic!() };
            assert_eq!((classes.labels(), classes.count()), (labels, count));
        }
    }

    #[test]
    fn samples_are_counted() {
        let samples = Samples::new(bytes(6), 3, classes(&[1, 2]));
        assert_eq!((samples.len(), samples.is_empty()), (2, false));
    }

    #[test]
    fn some_samples_in_any_order() {
        let size = ImageSize { rows: 1, cols: 2 };
        for features in [
            Features::Bytes(vec![1, 2, 3, 4, 5, 6].into()),
            Features::Real(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        ] {
            let samples = Samples::new(features, 2, classes(&[7, 0, 9])).with_image_size(size);
            let some = samples.subset(&[2, 0]);
            assert_eq!((some.len(), some.image_size()), (2, Some(size)));
            let Targets::Classes(classes) = some.targets() else { panic!() };
            // Which classes there are does not depend on the samples that were taken.
            assert_eq!((classes.labels(), classes.count()), (&[9, 7][..], 10));
            match some.features() {
                Features::Bytes(found) => assert_eq!(found[..], [5, 6, 1, 2]),
                Features::Real(found) => assert_eq!(found[..], [5.0, 6.0, 1.0, 2.0]),
            }
        }
        let values = Targets::Values(vec![0.5, 1.5, 2.5]).subset(&[1]);
        assert!(matches!(values, Targets::Values(found) if found == [1.5]));
    }

    #[test]
    fn classes_get_the_numbers_of_others_by_their_names() {
        let named = |labels: &[u8], names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            Classes::new(labels.to_vec().into(), Some(ClassNames { path: "x".into(), names }))
        };
        let known = ["a", "b", "c"].map(String::from);
        let found = named(&[0, 1, 1], &["c", "a"]).renumbered(&known).unwrap();
        assert_eq!(
            (found.labels(), &found.names().unwrap().names[..]),
            (&[2, 0, 0][..], &known[..])
        );
        assert_eq!(named(&[0, 1], &["c", "d"]).renumbered(&known).unwrap_err(), "d");
        // A class without samples does no harm.
        assert_eq!(named(&[0], &["c", "d"]).renumbered(&known).unwrap().labels(), [2]);
        assert_eq!(named(&[0, 2], &["c"]).renumbered(&known).unwrap_err(), "2");
        let nameless = Classes::new(vec![1].into(), None);
        assert_eq!(nameless.renumbered(&known).unwrap().labels(), [1]);
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
