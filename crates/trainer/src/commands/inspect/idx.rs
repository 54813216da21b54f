//! A file of IDX.

use std::path::Path;

use mnist_io::{Dtype, IdxFile, transpose};
use serde::Serialize;

use super::text::{Text, number};
use crate::data;
use crate::draw;
use crate::error::Error;
use crate::limits;
use crate::words::plural;

/// Images that are drawn.
const DRAWN: usize = 4;

/// The longest side of an image that is drawn.
const LONGEST: usize = 100;

#[derive(Serialize)]
pub(super) struct IdxInfo {
    path: String,
    bytes: u64,
    /// The type of an element.
    #[serde(rename = "type")]
    dtype: String,
    dims: Vec<usize>,
    elements: usize,
    /// Of the finite elements; `None` if there is none.
    min: Option<f64>,
    max: Option<f64>,
    mean: Option<f64>,
    /// Elements that are NaN or infinite.
    not_finite: usize,
    /// How often there is each label, if it is a file of labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Vec<Label>>,
    #[serde(skip)]
    drawn: String,
}

#[derive(Serialize)]
struct Label {
    label: u8,
    samples: usize,
}

impl IdxInfo {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let file = data::map(path)?;
        let (dtype, dims) = (file.header().dtype(), file.header().dims().to_vec());
        let (mut count, mut not_finite, mut sum) = (0_usize, 0, 0.0);
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values(&file) {
            if value.is_finite() {
                (count, sum) = (count + 1, sum + value);
                (min, max) = (min.min(value), max.max(value));
            } else {
                not_finite += 1;
            }
        }
        let some = |value: f64| (count > 0).then_some(value);
        let labels = file.as_u8().filter(|_| dims.len() == 1).map(counts);
        let drawn = draw(&file, &dims, (min, max));
        Ok(Self {
            path: path.display().to_string(),
            bytes: super::size_of(path),
            dtype: dtype.to_string(),
            elements: file.header().elements(),
            dims,
            min: some(min),
            max: some(max),
            mean: some(sum / count as f64),
            not_finite,
            labels,
            drawn,
        })
    }

    pub(super) fn text(&self) -> String {
        let mut text = Text::default();
        text.row("IDX file", format!("{} ({})", self.path, limits::bytes(self.bytes)));
        let dims: Vec<String> = self.dims.iter().map(usize::to_string).collect();
        let dims = dims.join(" x ");
        text.row("elements", format!("{dims} of type {}", self.dtype));
        if let (Some(min), Some(max), Some(mean)) = (self.min, self.max, self.mean) {
            let [min, max, mean] = [min, max, mean].map(number);
            text.row("values", format!("from {min} to {max}, mean {mean}"));
        }
        if self.not_finite > 0 {
            text.row("not finite", plural(self.not_finite, "element"));
        }
        if let Some(labels) = &self.labels {
            let label = |label: &Label| vec![label.label.to_string(), label.samples.to_string()];
            let rows: Vec<Vec<String>> = labels.iter().map(label).collect();
            text.gap();
            text.table(">>", &["label", "samples"], &rows);
        }
        if !self.drawn.is_empty() {
            text.gap();
            text.block(&self.drawn);
        }
        text.finish()
    }
}

/// How often there is each label that there is.
fn counts(labels: &[u8]) -> Vec<Label> {
    let mut counts = [0; 256];
    labels.iter().for_each(|label| counts[usize::from(*label)] += 1);
    let found = (0..=255).zip(counts).filter(|(_, samples)| *samples > 0);
    found.map(|(label, samples)| Label { label, samples }).collect()
}

/// The elements, which are big-endian. A copy of all of them as f64 may not fit into memory.
fn values(file: &IdxFile) -> impl Iterator<Item = f64> {
    let dtype = file.header().dtype();
    file.body().chunks_exact(dtype.size()).map(move |bytes| value(dtype, bytes))
}

fn value(dtype: Dtype, bytes: &[u8]) -> f64 {
    match (dtype, bytes) {
        (Dtype::U8, &[a]) => a.into(),
        (Dtype::I8, &[a]) => i8::from_be_bytes([a]).into(),
        (Dtype::I16, &[a, b]) => i16::from_be_bytes([a, b]).into(),
        (Dtype::I32, &[a, b, c, d]) => i32::from_be_bytes([a, b, c, d]).into(),
        (Dtype::F32, &[a, b, c, d]) => f32::from_be_bytes([a, b, c, d]).into(),
        (Dtype::F64, bytes) => bytes.try_into().map_or(f64::NAN, f64::from_be_bytes),
        _ => f64::NAN,
    }
}

/// The first images, their smallest element for paper and the largest for full ink.
fn draw(file: &IdxFile, dims: &[usize], (min, max): (f64, f64)) -> String {
    let &[count, rows, cols] = dims else { return String::new() };
    if rows == 0 || cols == 0 || rows > LONGEST || cols > LONGEST || min >= max {
        return String::new();
    }
    let size = rows * cols;
    let pixels: Vec<f32> = values(file)
        .take(DRAWN.min(count) * size)
        .map(|x| ((x - min) / (max - min)) as f32)
        .collect();
    let (pixels, cols) =
        if file.is_transposed() { (transpose(&pixels, rows, cols), rows) } else { (pixels, cols) };
    let images = pixels.chunks_exact(size).map(|image| draw::image(cols, image, |ink| ink));
    draw::side_by_side(&images.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_those_of_the_reader() {
        let dir = tempfile::tempdir().unwrap();
        for (code, body) in [
            (8, vec![0, 255]),
            (9, vec![0, 255]),
            (11, vec![0x80, 0, 0, 1]),
            (12, vec![0xff, 0xff, 0xff, 0xfe]),
            (13, 1.5_f32.to_be_bytes().to_vec()),
            (14, (-0.1_f64).to_be_bytes().to_vec()),
        ] {
            let size = [1, 1, 0, 2, 4, 4, 8][code - 8];
            let count = body.len() / size;
            let path = dir.path().join(code.to_string());
            let header = [0, 0, code as u8, 1, 0, 0, 0, count as u8];
            std::fs::write(&path, [&header[..], &body].concat()).unwrap();
            let file = IdxFile::read(&path).unwrap();
            assert_eq!(values(&file).collect::<Vec<_>>(), file.to_f64(), "{code}");
        }
    }
}
