//! Images paired with their labels.

use std::path::Path;

use super::file::IdxFile;
use super::folder;
use super::header::Dtype;
use crate::error::Error;
use crate::mapped::Access;
use crate::source::Part;

/// Images of `u8` pixels, each with a `u8` label. At least one image.
#[derive(Debug)]
pub struct Dataset {
    images: IdxFile,
    labels: IdxFile,
    rows: usize,
    cols: usize,
}

impl Dataset {
    /// Pairs a file of images with its file of labels.
    ///
    /// The images have three dimensions (images, rows, columns), or two (images,
    /// features), which stand for images of one row. The labels have one.
    ///
    /// # Errors
    /// If either file has other elements than `u8` or other dimensions, if the counts of
    /// labels and images differ, or if there is no image or no pixel.
    pub fn new(images: IdxFile, labels: IdxFile) -> Result<Self, Error> {
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
        Ok(Self { images, labels, rows, cols })
    }

    /// Finds the files of `part` in the folder `dir` and reads them into memory.
    ///
    /// For [`Part::Train`] these are `train-images-idx3-ubyte` and
    /// `train-labels-idx1-ubyte`, for [`Part::Test`] `t10k-images-idx3-ubyte` and
    /// `t10k-labels-idx1-ubyte`. The spelling `train-images.idx3-ubyte`, with a dot, is
    /// found too, and either spelling with `.gz` at the end. Of several files, a raw one
    /// comes first, and then one with a hyphen.
    ///
    /// # Errors
    /// If there is no such folder, if it lacks a file, if [`IdxFile::read`] fails for
    /// either file, or [`new`](Self::new) for both.
    pub fn read_dir(dir: impl AsRef<Path>, part: Part) -> Result<Self, Error> {
        Self::open_dir(dir, part, Access::read())
    }

    /// As [`read_dir`](Self::read_dir), with files that are read or mapped.
    ///
    /// # Errors
    /// As for [`read_dir`](Self::read_dir), and if a file cannot be mapped.
    pub fn open_dir(dir: impl AsRef<Path>, part: Part, access: Access) -> Result<Self, Error> {
        let (images, labels) = folder::find(dir.as_ref(), part)?;
        Self::new(IdxFile::open(images, access)?, IdxFile::open(labels, access)?)
    }

    /// The number of images, and of labels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.header().elements()
    }

    /// Whether there is no image: never, since [`new`](Self::new) refuses that.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The height of an image.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The width of an image.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The number of pixels of an image: rows × columns.
    #[must_use]
    pub fn features(&self) -> usize {
        self.rows * self.cols
    }

    /// All pixels: images × features, row-major.
    #[must_use]
    pub fn images(&self) -> &[u8] {
        self.images.body()
    }

    /// The pixels of image `i`: rows × columns, row-major.
    ///
    /// # Panics
    /// If `i` is not below [`len`](Self::len).
    #[must_use]
    pub fn image(&self, i: usize) -> &[u8] {
        // Checked here, so that the product below cannot overflow.
        assert!(i < self.len(), "image {i} of {}", self.len());
        &self.images()[i * self.features()..][..self.features()]
    }

    /// The labels, one for each image.
    #[must_use]
    pub fn labels(&self) -> &[u8] {
        self.labels.body()
    }

    /// The number of classes: the largest label plus one.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.labels().iter().max().map_or(0, |&largest| usize::from(largest) + 1)
    }

    /// The file that the images come from.
    #[must_use]
    pub fn images_file(&self) -> &IdxFile {
        &self.images
    }

    /// The file that the labels come from.
    #[must_use]
    pub fn labels_file(&self) -> &IdxFile {
        &self.labels
    }

    /// The file of images and the file of labels.
    #[must_use]
    pub fn into_files(self) -> (IdxFile, IdxFile) {
        (self.images, self.labels)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::super::fixtures::{encode, gzip, images, labels, message};
    use super::*;

    /// Reads a pair of files, `images` and `labels`, from a folder of its own.
    fn pair(images: &[u8], labels: &[u8]) -> (TempDir, Result<Dataset, Error>) {
        let dir = tempfile::tempdir().unwrap();
        let paths = ["images", "labels"].map(|name| dir.path().join(name));
        fs::write(&paths[0], images).unwrap();
        fs::write(&paths[1], labels).unwrap();
        let [images, labels] = paths;
        let files = IdxFile::read(images).and_then(|images| Ok((images, IdxFile::read(labels)?)));
        let dataset = files.and_then(|(images, labels)| Dataset::new(images, labels));
        (dir, dataset)
    }

    /// The error of a pair, with its folder written as `DIR`.
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
    fn the_largest_label_counts_the_classes() {
        let (_dir, dataset) = pair(&images(), &encode(0x08, &[2], &[0, 255]));
        assert_eq!(dataset.unwrap().classes(), 256);
    }

    #[test]
    fn every_spelling_is_found_and_a_raw_one_comes_first() {
        let dir = tempfile::tempdir().unwrap();
        for (part, stem) in [(Part::Train, "train"), (Part::Test, "t10k")] {
            // From the last choice to the first: each comes before all that are there.
            for (spelling, gz) in [(".", ".gz"), ("-", ".gz"), (".", ""), ("-", "")] {
                let wrap = |raw: Vec<u8>| if gz.is_empty() { raw } else { gzip(&raw) };
                let name = |what, dims| format!("{stem}-{what}{spelling}idx{dims}-ubyte{gz}");
                let [images_name, labels_name] = [name("images", 3), name("labels", 1)];
                fs::write(dir.path().join(&images_name), wrap(images())).unwrap();
                fs::write(dir.path().join(&labels_name), wrap(labels())).unwrap();

                let read = Dataset::read_dir(dir.path(), part).unwrap();
                assert!(read.images_file().path().ends_with(&images_name));
                assert!(read.labels_file().path().ends_with(&labels_name));
                assert!(!read.images_file().is_mapped());
                assert_eq!(read.image(1), [4, 5, 6]);
            }
        }
    }

    #[test]
    #[should_panic(expected = "image 2 of 2")]
    fn an_image_beyond_the_last() {
        let (_dir, dataset) = pair(&images(), &labels());
        let _ = dataset.unwrap().image(2);
    }

    #[test]
    #[should_panic(expected = "image 18446744073709551615 of 2")]
    #[cfg(target_pointer_width = "64")]
    fn an_image_whose_offset_would_overflow() {
        let (_dir, dataset) = pair(&images(), &labels());
        let _ = dataset.unwrap().image(usize::MAX);
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
             one for each image in DIR/images; pass two files that belong together"
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
