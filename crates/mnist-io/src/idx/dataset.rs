//! Images paired with their labels.

use std::path::Path;

use super::file::IdxFile;
use super::folder::Folder;
use super::header::Dtype;
use super::pair::Pair;
use crate::error::Error;
use crate::mapped::Access;
use crate::samples::ImageSize;
use crate::source::Part;

/// Images of `u8` pixels, each with a label. At least one image.
#[derive(Debug)]
pub struct Dataset {
    pair: Pair,
    size: ImageSize,
}

impl Dataset {
    /// Pairs a file of images with its file of labels.
    ///
    /// The images have three dimensions (images, rows, columns), and may have a fourth of
    /// one channel; or two (images, features), which stand for images of one row. The
    /// labels have one, or a second of size 1, or the eight columns of QMNIST, of which
    /// the first is the class. They may be of any type.
    ///
    /// # Errors
    /// If pixels are no bytes, if a label is no whole number from 0 to 255, if a file has
    /// other dimensions, if the counts of labels and images differ, or if there is no image
    /// or no pixel.
    pub fn new(images: IdxFile, labels: IdxFile) -> Result<Self, Error> {
        let pair = Pair::new(images, labels)?;
        let found = pair.features.header().dtype();
        if found != Dtype::U8 {
            return Err(Error::NotBytes { path: pair.features.path().into(), found });
        }
        let size = pair.shape.size.unwrap_or(ImageSize { rows: 1, cols: pair.shape.width });
        Ok(Self { pair, size })
    }

    /// Finds the files of `part` in the folder `dir` and reads them into memory.
    ///
    /// For [`Part::Train`] these are `train-images-idx3-ubyte` and
    /// `train-labels-idx1-ubyte`, for [`Part::Test`] `t10k-images-idx3-ubyte` and
    /// `t10k-labels-idx1-ubyte`. The spelling `train-images.idx3-ubyte`, with a dot, is
    /// found too, `test` for `t10k`, upper case, and all of it with `.gz` at the end. Of
    /// several files, a raw one comes first, and then one with a hyphen. The name of a data
    /// set may come before, as in `emnist-letters-train-images-idx3-ubyte`.
    ///
    /// If the folder has no such file, its folders are searched, and the folder `raw` of
    /// each, which is where torchvision keeps its files. `dir` may also be the path of one
    /// of the files: that chooses one of several data sets.
    ///
    /// # Errors
    /// If there is no such folder, if it lacks a file, if there are several data sets, if
    /// [`IdxFile::read`] fails for either file, or [`new`](Self::new) for both.
    pub fn read_dir(dir: impl AsRef<Path>, part: Part) -> Result<Self, Error> {
        Self::open_dir(dir, part, Access::read())
    }

    /// As [`read_dir`](Self::read_dir), with files that are read or mapped.
    ///
    /// # Errors
    /// As for [`read_dir`](Self::read_dir), and if a file cannot be mapped.
    pub fn open_dir(dir: impl AsRef<Path>, part: Part, access: Access) -> Result<Self, Error> {
        let folder = Folder::find(dir.as_ref())?;
        let [images, labels] = folder.pair(part)?;
        Self::new(IdxFile::open(images, access)?, IdxFile::open(labels, access)?)
    }

    /// The number of images, and of labels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels().len()
    }

    /// Whether there is no image: never, since [`new`](Self::new) refuses that.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The height of an image.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.size.rows
    }

    /// The width of an image.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.size.cols
    }

    /// The number of pixels of an image: rows × columns.
    #[must_use]
    pub fn features(&self) -> usize {
        self.pair.shape.width
    }

    /// All pixels: images × features, row-major.
    #[must_use]
    pub fn images(&self) -> &[u8] {
        self.pair.features.body()
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
        self.pair.labels.classes()
    }

    /// The number of classes: the largest label plus one.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.labels().iter().max().map_or(0, |&largest| usize::from(largest) + 1)
    }

    /// The file that the images come from.
    #[must_use]
    pub fn images_file(&self) -> &IdxFile {
        &self.pair.features
    }

    /// The file that the labels come from.
    #[must_use]
    pub fn labels_file(&self) -> &IdxFile {
        self.pair.labels.file()
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
        let (found, text) = error(&encode(0x0b, &[2, 1, 1], &[0; 4]), &labels());
        assert!(matches!(found, Error::NotBytes { found: Dtype::I16, .. }));
        assert_eq!(text, "DIR/images: at byte 2: found elements of type i16, expected u8");
        // Labels may be of any type.
        let (_dir, dataset) = pair(&images(), &encode(0x0c, &[2], &[0, 0, 0, 7, 0, 0, 0, 3]));
        assert_eq!(dataset.unwrap().labels(), [7, 3]);
    }

    #[test]
    fn image_dims() {
        let (found, text) = error(&labels(), &images());
        assert!(matches!(found, Error::ImageDims { found, .. } if found == [2]));
        assert_eq!(
            text,
            "DIR/images: at byte 3: found 1 dimensions (2), expected images x rows x columns, \
             with or without one channel, or samples x features; a file of labels looks like \
             this: were images and labels exchanged?"
        );
    }

    #[test]
    fn label_dims() {
        let (found, text) = error(&images(), &images());
        assert!(matches!(found, Error::LabelDims { found, .. } if found == [2, 1, 3]));
        assert_eq!(
            text,
            "DIR/labels: at byte 3: found 3 dimensions (2 x 1 x 3), expected one label for each \
             sample; a file of images looks like this: were images and labels exchanged?"
        );
        let (_, text) = error(&images(), &encode(0x08, &[2, 2], &[0, 1, 1, 0]));
        assert!(text.ends_with(
            "(2 x 2), expected one label for each sample; if a row has a 1 \
                                for its class and 0 elsewhere, save the position of the 1"
        ));
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
        let (found, text) = error(b"\x08\x03\0\0", &labels());
        assert!(matches!(found, Error::Idx { .. }));
        assert!(text.starts_with("DIR/images: at byte 0: found 0x08 0x03, expected 0x00 0x00"));
    }
}
