//! Images paired with their labels.

use std::path::Path;

use crate::error::Error;
use crate::file::IdxFile;
use crate::idx::Dtype;
use crate::part::Part;

/// Images of `u8` pixels, each with a `u8` label. At least one.
#[derive(Debug)]
pub struct Dataset {
    images: IdxFile,
    labels: IdxFile,
    rows: usize,
    cols: usize,
    class_counts: Vec<usize>,
}

impl Dataset {
    /// Pairs a file of images with its file of labels.
    ///
    /// The images have three dimensions (images, rows, columns), or two (images,
    /// features), which is taken for images of one row. The labels have one.
    ///
    /// # Errors
    ///
    /// If either has other elements than `u8` or other dimensions, if there are
    /// not as many labels as images, or if there is no image or no pixel.
    pub fn new(images: IdxFile, labels: IdxFile) -> Result<Dataset, Error> {
        for file in [&images, &labels] {
            let found = file.header().dtype();
            if found != Dtype::U8 {
                return Err(Error::NotBytes { path: file.path().into(), found });
            }
        }
        let (count, rows, cols) = match *images.header().dims() {
            [count, rows, cols] => (count, rows, cols),
            [count, features] => (count, 1, features),
            ref dims => {
                return Err(Error::ImageDims { path: images.path().into(), found: dims.to_vec() });
            }
        };
        let label_count = match *labels.header().dims() {
            [count] => count,
            ref dims => {
                return Err(Error::LabelDims { path: labels.path().into(), found: dims.to_vec() });
            }
        };
        if label_count != count {
            return Err(Error::Counts {
                images: images.path().into(),
                labels: labels.path().into(),
                found: label_count,
                expected: count,
            });
        }
        if count == 0 {
            return Err(Error::NoImages { path: images.path().into() });
        }
        if rows == 0 || cols == 0 {
            return Err(Error::NoPixels {
                path: images.path().into(),
                found: images.header().dims()[1..].to_vec(),
            });
        }
        let class_counts = count_classes(labels.body());
        Ok(Dataset { images, labels, rows, cols, class_counts })
    }

    /// Reads a file of images and its file of labels into memory.
    ///
    /// # Errors
    ///
    /// If [`IdxFile::read`] fails for either, or [`Dataset::new`] for both.
    pub fn read(images: impl AsRef<Path>, labels: impl AsRef<Path>) -> Result<Dataset, Error> {
        Dataset::new(IdxFile::read(images)?, IdxFile::read(labels)?)
    }

    /// Finds the files of `part` in the folder `dir` and reads them into memory.
    ///
    /// For [`Part::Train`] these are `train-images-idx3-ubyte` and
    /// `train-labels-idx1-ubyte`. Also found are the spelling
    /// `train-images.idx3-ubyte`, with a dot, and either with `.gz` behind it.
    /// If there are several, the raw one is taken, and of those the hyphen.
    ///
    /// # Errors
    ///
    /// If there is no such folder, if it lacks a file, or if
    /// [`read`](Dataset::read) fails.
    pub fn read_dir(dir: impl AsRef<Path>, part: Part) -> Result<Dataset, Error> {
        let (images, labels) = part.find(dir.as_ref())?;
        Dataset::read(images, labels)
    }

    /// How many images there are, and labels.
    pub fn len(&self) -> usize {
        self.labels.header().elements()
    }

    /// Whether there are none: never, since [`new`](Dataset::new) refuses that.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The height of an image.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The width of an image.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The pixels of an image: rows × columns.
    pub fn features(&self) -> usize {
        self.rows * self.cols
    }

    /// All pixels: images × features, row-major.
    pub fn images(&self) -> &[u8] {
        self.images.body()
    }

    /// The pixels of image `i`: rows × columns, row-major.
    ///
    /// # Panics
    ///
    /// If `i` is not below [`len`](Dataset::len).
    pub fn image(&self, i: usize) -> &[u8] {
        // Checked here, so that the product below cannot overflow.
        assert!(i < self.len(), "image {i} of {}", self.len());
        &self.images()[i * self.features()..][..self.features()]
    }

    /// The labels, one for each image.
    pub fn labels(&self) -> &[u8] {
        self.labels.body()
    }

    /// How many classes there are: the largest label and one.
    pub fn classes(&self) -> usize {
        self.class_counts.len()
    }

    /// How many images there are of each class.
    pub fn class_counts(&self) -> Vec<usize> {
        self.class_counts.clone()
    }

    /// The file the images come from.
    pub fn images_file(&self) -> &IdxFile {
        &self.images
    }

    /// The file the labels come from.
    pub fn labels_file(&self) -> &IdxFile {
        &self.labels
    }
}

/// How often each label occurs, up to the largest that does.
fn count_classes(labels: &[u8]) -> Vec<usize> {
    let mut counts = vec![0; 256];
    for &label in labels {
        counts[usize::from(label)] += 1;
    }
    let classes = counts.iter().rposition(|&count| count > 0);
    counts.truncate(classes.map_or(0, |last| last + 1));
    counts
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::idx::tests::encode;
    use crate::part::tests::{images, labels, message};

    /// Reads a pair of files, `images` and `labels`, from a folder of its own.
    fn pair(images: &[u8], labels: &[u8]) -> (TempDir, Result<Dataset, Error>) {
        let dir = tempfile::tempdir().unwrap();
        let paths = ["images", "labels"].map(|name| dir.path().join(name));
        fs::write(&paths[0], images).unwrap();
        fs::write(&paths[1], labels).unwrap();
        let [images, labels] = paths;
        let dataset = Dataset::read(images, labels);
        (dir, dataset)
    }

    /// The error of a pair, with the folder it lies in written as `DIR`.
    fn error(images: &[u8], labels: &[u8]) -> (Error, String) {
        let (dir, dataset) = pair(images, labels);
        let error = dataset.unwrap_err();
        let text = message(&error, dir.path());
        (error, text)
    }

    #[test]
    fn can_be_shared_between_threads() {
        fn check<T: Send + Sync>() {}
        check::<Dataset>();
    }

    #[test]
    fn three_dimensions() {
        let (dir, dataset) = pair(&images(), &labels());
        let dataset = dataset.unwrap();
        assert_eq!((dataset.len(), dataset.is_empty()), (2, false));
        assert_eq!((dataset.rows(), dataset.cols()), (1, 3));
        assert_eq!(dataset.features(), 3);
        assert_eq!(dataset.images(), [1, 2, 3, 4, 5, 6]);
        assert_eq!(dataset.image(0), [1, 2, 3]);
        assert_eq!(dataset.image(1), [4, 5, 6]);
        assert_eq!(dataset.labels(), [4, 2]);
        assert_eq!(dataset.classes(), 5);
        assert_eq!(dataset.class_counts(), [0, 0, 1, 0, 1]);
        assert_eq!(dataset.images_file().path(), dir.path().join("images"));
        assert_eq!(dataset.labels_file().path(), dir.path().join("labels"));
    }

    #[test]
    fn two_dimensions_are_images_of_one_row() {
        let (_dir, dataset) = pair(&encode(0x08, &[2, 2], &[1, 2, 3, 4]), &labels());
        let dataset = dataset.unwrap();
        assert_eq!((dataset.rows(), dataset.cols()), (1, 2));
        assert_eq!(dataset.image(1), [3, 4]);
    }

    #[test]
    fn the_largest_label() {
        let (_dir, dataset) = pair(&images(), &encode(0x08, &[2], &[0, 255]));
        let counts = dataset.unwrap().class_counts();
        assert_eq!((counts.len(), counts[0], counts[255]), (256, 1, 1));
    }

    #[test]
    #[should_panic(expected = "image 2 of 2")]
    fn an_image_that_is_not_there() {
        let (_dir, dataset) = pair(&images(), &labels());
        dataset.unwrap().image(2);
    }

    #[test]
    #[should_panic(expected = "image 18446744073709551615 of 2")]
    #[cfg(target_pointer_width = "64")]
    fn an_image_whose_offset_would_overflow() {
        let (_dir, dataset) = pair(&images(), &labels());
        dataset.unwrap().image(usize::MAX);
    }

    #[test]
    fn not_bytes() {
        let (found, text) = error(&encode(0x0b, &[1, 1, 1], &[0; 2]), &labels());
        assert!(matches!(found, Error::NotBytes { found: Dtype::I16, .. }));
        assert_eq!(text, "DIR/images: at byte 2: found elements of type i16, expected u8");
        let (found, text) = error(&images(), &encode(0x0c, &[2], &[0; 8]));
        assert!(matches!(found, Error::NotBytes { found: Dtype::I32, .. }));
        assert_eq!(text, "DIR/labels: at byte 2: found elements of type i32, expected u8");
    }

    #[test]
    fn image_dims() {
        let (found, text) = error(&labels(), &images());
        assert!(matches!(found, Error::ImageDims { found, .. } if found == [2]));
        assert_eq!(
            text,
            "DIR/images: at byte 3: found 1 dimensions (2), \
             expected 3 (images, rows, columns) or 2 (images, features); \
             were images and labels exchanged?"
        );
        let (found, _) = error(&encode(0x08, &[2, 1, 1, 1], &[0; 2]), &labels());
        assert!(matches!(found, Error::ImageDims { found, .. } if found == [2, 1, 1, 1]));
    }

    #[test]
    fn label_dims() {
        let (found, text) = error(&images(), &images());
        assert!(matches!(found, Error::LabelDims { found, .. } if found == [2, 1, 3]));
        assert_eq!(
            text,
            "DIR/labels: at byte 3: found 3 dimensions (2 x 1 x 3), expected 1 (labels); \
             were images and labels exchanged?"
        );
    }

    #[test]
    fn counts() {
        let (found, text) = error(&images(), &encode(0x08, &[3], &[0; 3]));
        assert!(matches!(found, Error::Counts { found: 3, expected: 2, .. }));
        assert_eq!(
            text,
            "DIR/labels: at byte 4: found 3 labels, expected 2, \
             as many as there are images in DIR/images; pass two files that belong together"
        );
    }

    #[test]
    fn no_images() {
        let (found, text) = error(&encode(0x08, &[0, 28, 28], &[]), &encode(0x08, &[0], &[]));
        assert!(matches!(found, Error::NoImages { .. }));
        assert_eq!(text, "DIR/images: at byte 4: found 0 images, expected at least one");
    }

    #[test]
    fn no_pixels() {
        let (found, text) = error(&encode(0x08, &[2, 28, 0], &[]), &labels());
        assert!(matches!(found, Error::NoPixels { found, .. } if found == [28, 0]));
        assert_eq!(
            text,
            "DIR/images: at byte 8: found images of 28 x 0 pixels, \
             expected at least one row and one column"
        );
        let (found, _) = error(&encode(0x08, &[2, 0, 28], &[]), &labels());
        assert!(matches!(found, Error::NoPixels { .. }));
        let (found, _) = error(&encode(0x08, &[2, 0], &[]), &labels());
        assert!(matches!(found, Error::NoPixels { .. }));
    }

    #[test]
    fn a_file_that_is_not_idx() {
        let (found, text) = error(b"PK\x03\x04", &labels());
        assert!(matches!(found, Error::Idx { .. }));
        assert!(text.starts_with("DIR/images: at byte 0: found 0x50 0x4b, expected 0x00 0x00"));
    }
}
