//! A file of features and a file of labels that belong together.

use super::file::IdxFile;
use super::header::Dtype;
use super::labels::Labels;
use crate::class_names::ClassNames;
use crate::error::Error;
use crate::samples::{Classes, Features, ImageSize, Samples, Targets, transpose};

/// A file of features and a file with a label for each sample. At least one.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) features: IdxFile,
    pub(super) labels: Labels,
    pub(super) shape: Shape,
}

/// What the dimensions of a file of features say. No number is 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    count: usize,
    /// Of images.
    pub(super) size: Option<ImageSize>,
    /// Features of a sample.
    pub(super) width: usize,
}

impl Shape {
    /// Images have the shape n x rows x columns, also with one channel, which may come
    /// before the rows or after the columns. Other features have the shape n x features.
    fn of(features: &IdxFile) -> Result<Self, Error> {
        let (path, dims) = (features.path(), features.header().dims());
        let (count, width, size) = match *dims {
            [count, features] => (count, features, None),
            [count, rows, cols] | [count, rows, cols, 1] | [count, 1, rows, cols] => {
                // With a count of 0 the product need not fit; there are no images then.
                (count, rows.saturating_mul(cols), Some(ImageSize { rows, cols }))
            }
            _ => return Err(Error::ImageDims { path: path.into(), found: dims.to_vec() }),
        };
        Ok(Self { count, size, width })
    }

    fn check(self, features: &IdxFile) -> Result<Self, Error> {
        let (path, dims) = (features.path(), features.header().dims());
        if self.count == 0 {
            return Err(Error::NoImages { path: path.into() });
        }
        if self.width == 0 {
            return Err(Error::NoPixels { path: path.into(), found: dims[1..].to_vec() });
        }
        Ok(self)
    }
}

impl Pair {
    pub(super) fn new(features: IdxFile, labels: IdxFile) -> Result<Self, Error> {
        let shape = Shape::of(&features)?;
        let labels = Labels::new(labels)?;
        let found = labels.classes().len();
        if found != shape.count {
            return Err(Error::Counts {
                images: features.path().into(),
                labels: labels.file().path().into(),
                found,
                expected: shape.count,
            });
        }
        let shape = shape.check(&features)?;
        Ok(Self { features, labels, shape })
    }

    /// The samples.
    pub(super) fn into_samples(self, names: Option<ClassNames>) -> Result<Samples, Error> {
        let Self { features, labels, shape } = self;
        let features = features.into_values()?;
        let targets = Targets::Classes(Classes::new(labels.into_classes(), names));
        let samples = Samples::new(features, shape.width, targets);
        Ok(match shape.size {
            Some(size) => samples.with_image_size(size),
            None => samples,
        })
    }
}

impl IdxFile {
    /// The features of all samples of a file of images or of rows, how many each has, and the
    /// size of images. Images of EMNIST become upright. What is said of shapes and types in [`Idx`](crate::Idx) holds here too.
    ///
    /// # Errors
    /// If the shape is not that of samples, there is none, or the elements are signed bytes.
    pub fn into_features(self) -> Result<(Features, usize, Option<ImageSize>), Error> {
        let Shape { width, size, .. } = Shape::of(&self)?.check(&self)?;
        let upright = if self.is_transposed() { size } else { None };
        let features = self.into_values()?;
        let Some(ImageSize { rows, cols }) = upright else { return Ok((features, width, size)) };
        let features = match features {
            Features::Bytes(bytes) => Features::Bytes(transpose(&bytes, rows, cols).into()),
            Features::Real(values) => Features::Real(transpose(&values, rows, cols)),
        };
        Ok((features, width, Some(ImageSize { rows: cols, cols: rows })))
    }

    /// The elements. Bytes are not copied. Other integers become bytes if all of them fit,
    /// because they are pixels in a wider type than they need; the rest becomes `f32`.
    fn into_values(self) -> Result<Features, Error> {
        Ok(match self.header().dtype() {
            Dtype::U8 => Features::Bytes(self.into_body()),
            // Nobody publishes signed bytes: this is a u8 of the header that was damaged.
            found @ Dtype::I8 => {
                return Err(Error::NotBytes { path: self.path().into(), found });
            }
            Dtype::I16 | Dtype::I32 => {
                let values = self.to_f32()?;
                match bytes(&values) {
                    Some(bytes) => Features::Bytes(bytes.into()),
                    None => Features::Real(values),
                }
            }
            Dtype::F32 | Dtype::F64 => Features::Real(self.to_f32()?),
        })
    }
}

/// The values as bytes, if they are whole numbers from 0 to 255.
fn bytes(values: &[f32]) -> Option<Vec<u8>> {
    let byte = |value: &f32| Some(*value as u8).filter(|byte| f32::from(*byte) == *value);
    values.iter().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{encode, file};
    use super::*;

    fn pair(code: u8, dims: &[u32], body: &[u8]) -> Result<Pair, Error> {
        let (_images, images) = file(&encode(code, dims, body));
        let (_labels, labels) = file(&encode(0x08, &[2], &[1, 0]));
        Pair::new(IdxFile::read(images).unwrap(), IdxFile::read(labels).unwrap())
    }

    #[test]
    fn shapes_of_images_and_of_rows() {
        let size = |rows, cols| Some(ImageSize { rows, cols });
        for (dims, expected) in [
            (&[2, 6][..], None),
            (&[2, 2, 3], size(2, 3)),
            (&[2, 2, 3, 1], size(2, 3)),
            (&[2, 1, 2, 3], size(2, 3)),
            (&[2, 1, 6], size(1, 6)),
        ] {
            let body: Vec<u8> = (0..12).collect();
            let samples = pair(0x08, dims, &body).unwrap().into_samples(None).unwrap();
            assert_eq!((samples.len(), samples.width()), (2, 6), "{dims:?}");
            assert_eq!(samples.image_size(), expected, "{dims:?}");
            let Features::Bytes(bytes) = samples.features() else { panic!("{samples:?}") };
            assert_eq!(bytes[..], body);
        }
    }

    #[test]
    fn real_features() {
        let body: Vec<u8> =
            [0.5f64, -1.0, 2.0, 1e-3].into_iter().flat_map(f64::to_be_bytes).collect();
        let samples = pair(0x0e, &[2, 2], &body).unwrap().into_samples(None).unwrap();
        let Features::Real(values) = samples.features() else { panic!("{samples:?}") };
        assert_eq!(values[..], [0.5, -1.0, 2.0, 1e-3]);
    }

    #[test]
    fn integers_are_bytes_if_they_fit() {
        let samples = |numbers: [i32; 4]| {
            let body: Vec<u8> = numbers.into_iter().flat_map(i32::to_be_bytes).collect();
            pair(0x0c, &[2, 2], &body).unwrap().into_samples(None).unwrap()
        };
        let fit = samples([0, 255, 7, 1]);
        let Features::Bytes(found) = fit.features() else { panic!("{fit:?}") };
        assert_eq!(found[..], [0, 255, 7, 1]);
        let signed = pair(0x09, &[2, 2], &[0; 4]).unwrap().into_samples(None).unwrap_err();
        assert!(matches!(signed, Error::NotBytes { found: Dtype::I8, .. }));
        for other in [256, -1] {
            let samples = samples([0, 255, other, 1]);
            let Features::Real(found) = samples.features() else { panic!("{samples:?}") };
            assert_eq!(found[..], [0.0, 255.0, other as f32, 1.0]);
        }
    }

    #[test]
    fn shapes_that_are_neither() {
        for (dims, advice) in [
            (&[2][..], "were images and labels exchanged?"),
            (&[2, 2, 2, 3], "images in colour have to be made grey first"),
            (&[2, 3, 2, 2], "images in colour have to be made grey first"),
            (&[2, 2, 2, 2], "save the images with one of these shapes"),
        ] {
            let count = dims.iter().product::<u32>() as usize;
            let error = pair(0x08, dims, &vec![0; count]).unwrap_err();
            assert!(matches!(&error, Error::ImageDims { .. }));
            assert!(error.to_string().ends_with(advice), "{error}");
        }
        // A product that overflows, of an empty file.
        let error = pair(0x08, &[0, u32::MAX, u32::MAX, 1], &[]).unwrap_err();
        assert!(matches!(error, Error::Counts { .. }));
    }
}
