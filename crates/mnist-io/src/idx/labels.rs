//! A file of labels as one class for each sample.

use super::file::IdxFile;
use super::header::Dtype;
use crate::bytes::Bytes;
use crate::error::Error;
use crate::mapped::reserved;

/// The numbers that QMNIST has for each sample. The first is the class, the others are the
/// writer, the sheet and the like.
const QMNIST_COLUMNS: usize = 8;

/// One class for each sample, from a file of labels: of any type of elements, if the labels
/// are whole numbers from 0 to 255, and of the shape n or n x 1, or n x 8 as QMNIST has it.
#[derive(Debug)]
pub(super) struct Labels {
    file: IdxFile,
    /// Those that are not the bytes of the file.
    converted: Option<Vec<u8>>,
}

impl Labels {
    pub(super) fn new(file: IdxFile) -> Result<Self, Error> {
        let (header, path) = (*file.header(), file.path());
        let (count, columns) = match *header.dims() {
            [count] => (count, 1),
            [count, 1] | [count, 1, 1] => (count, 1),
            [count, QMNIST_COLUMNS] if header.dtype() == Dtype::I32 => (count, QMNIST_COLUMNS),
            ref dims => {
                return Err(Error::LabelDims { path: path.into(), found: dims.to_vec() });
            }
        };
        if (header.dtype(), columns) == (Dtype::U8, 1) {
            return Ok(Self { file, converted: None });
        }
        let mut classes = reserved(path, count as u64)?;
        for (sample, found) in file.to_f64().into_iter().step_by(columns).enumerate() {
            // No whole number but these survives both conversions.
            let class = found as u8;
            if f64::from(class) != found {
                let offset = header.body_offset() + sample * columns * header.dtype().size();
                return Err(Error::LabelValue { path: path.into(), offset, sample, found });
            }
            classes.push(class);
        }
        Ok(Self { file, converted: Some(classes) })
    }

    pub(super) fn classes(&self) -> &[u8] {
        self.converted.as_deref().unwrap_or_else(|| self.file.body())
    }

    pub(super) fn into_classes(self) -> Bytes {
        self.converted.map_or_else(|| self.file.into_body(), Bytes::from)
    }

    pub(super) fn file(&self) -> &IdxFile {
        &self.file
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{encode, file};
    use super::*;

    fn read(code: u8, dims: &[u32], body: &[u8]) -> Result<Labels, Error> {
        let (_dir, path) = file(&encode(code, dims, body));
        Labels::new(IdxFile::read(path).unwrap())
    }

    fn be<const N: usize, const B: usize>(numbers: [[u8; B]; N]) -> Vec<u8> {
        numbers.concat()
    }

    #[test]
    fn labels_of_every_type_and_shape() {
        for dims in [&[3][..], &[3, 1], &[3, 1, 1]] {
            for (code, body) in [
                (0x08, vec![4, 0, 200]),
                (0x0b, be([4i16, 0, 200].map(i16::to_be_bytes))),
                (0x0c, be([4i32, 0, 200].map(i32::to_be_bytes))),
                (0x0d, be([4f32, -0.0, 200.0].map(f32::to_be_bytes))),
                (0x0e, be([4f64, 0.0, 200.0].map(f64::to_be_bytes))),
            ] {
                let labels = read(code, dims, &body).unwrap();
                assert_eq!(labels.classes(), [4, 0, 200], "{code}");
                assert_eq!(labels.into_classes()[..], [4, 0, 200], "{code}");
            }
            assert_eq!(read(0x09, dims, &[4, 0, 100]).unwrap().classes(), [4, 0, 100]);
        }
    }

    #[test]
    fn the_first_number_of_qmnist_is_the_class() {
        let rows: Vec<i32> = (0..24).map(|i| if i % 8 == 0 { i / 8 } else { 1000 * i }).collect();
        let body: Vec<u8> = rows.into_iter().flat_map(i32::to_be_bytes).collect();
        assert_eq!(read(0x0c, &[3, 8], &body).unwrap().classes(), [0, 1, 2]);
    }

    #[test]
    fn labels_that_are_no_class() {
        for (code, body, offset, found) in [
            (0x09, vec![1, 0xff], 9, -1.0),
            (0x0b, be([1i16, 256].map(i16::to_be_bytes)), 10, 256.0),
            (0x0c, be([1i32, i32::MIN].map(i32::to_be_bytes)), 12, -2147483648.0),
            (0x0d, be([1f32, 0.5].map(f32::to_be_bytes)), 12, 0.5),
            (0x0e, be([1f64, f64::INFINITY].map(f64::to_be_bytes)), 16, f64::INFINITY),
        ] {
            let error = read(code, &[2], &body).unwrap_err();
            let expected = format!(
                "at byte {offset}: found label {found} of sample 1, expected a whole number from \
                 0 to 255; number the classes from 0"
            );
            assert!(error.to_string().ends_with(&expected), "{error}");
        }
        let nan = be([f64::NAN].map(f64::to_be_bytes));
        assert!(matches!(read(0x0e, &[1], &nan), Err(Error::LabelValue { .. })));
    }
}
