//! The values of features, and what images look like.

use std::path::Path;

use mnist_io::{Features, Paper, Samples, Targets};

use super::finding::Finding;
use crate::data::PIXEL_SCALE;
use crate::error::Error;

/// Samples that are looked at.
const SAMPLES: usize = 128;

/// Bytes that go up to less are not scaled by 1/255: the network would be given features of
/// less than half the range.
const BRIGHT: u8 = 128;

/// Features beyond this are worth a word.
const LARGE: f32 = 100.0;

/// Features that none of them exceeds in absolute value are worth one too.
const SMALL: f32 = 0.01;

/// One part reaches further than the other by this factor, if they are scaled differently.
const OTHER_RANGE: f32 = 8.0;

/// Ink that is so much wider than tall is that of transposed digits or letters.
const WIDE: f64 = 1.1;

/// The share of an image's sides that MNIST's digits were scaled to, with rounding.
const BOX: f64 = 20.5 / 28.0;

/// The share of images that have to be like MNIST's.
const NEARLY_ALL: f64 = 0.95;

/// Some samples, evenly from all, in the units of the data.
pub(super) struct Sample {
    width: usize,
    values: Vec<f32>,
}

impl Sample {
    pub(super) fn of(samples: &Samples) -> Self {
        let (len, width) = (samples.len(), samples.width());
        let count = len.min(SAMPLES);
        let rows = (0..count).map(|index| (index as u128 * len as u128 / count as u128) as usize);
        let values = match samples.features() {
            Features::Bytes(bytes) => {
                let row = |row: usize| &bytes[row * width..][..width];
                rows.flat_map(row).map(|byte| f32::from(*byte)).collect()
            }
            Features::Real(values) => {
                let row = |row: usize| &values[row * width..][..width];
                rows.flat_map(row).copied().collect()
            }
        };
        Self { width, values }
    }

    pub(super) fn paper(&self, rows: usize, cols: usize) -> Paper {
        Paper::find(rows, cols, &self.values)
    }

    /// Whether the ink is wider than tall.
    pub(super) fn lies(&self, paper: Paper, rows: usize, cols: usize) -> bool {
        self.breadth(paper, rows, cols) > WIDE
    }

    /// The width of the ink over its height, on average and as shares of the image's sides;
    /// NaN where there is none.
    pub(super) fn breadth(&self, paper: Paper, rows: usize, cols: usize) -> f64 {
        let boxes = self.values.chunks_exact(self.width);
        let (mut height, mut width) = (0, 0);
        for [rows, cols] in boxes.filter_map(|image| paper.ink_box(cols, image)) {
            height += rows;
            width += cols;
        }
        (width as f64 / cols as f64) / (height as f64 / rows as f64)
    }

    /// Whether the ink of nearly all images is where MNIST has it: in a box of 20/28 of the
    /// image, its centre of mass within a pixel of the middle.
    pub(super) fn is_centred(&self, paper: Paper, rows: usize, cols: usize) -> bool {
        let centred = |image: &[f32]| {
            let (Some(ink_box), Some(centre)) =
                (paper.ink_box(cols, image), paper.ink_centre(cols, image))
            else {
                return true;
            };
            let sides = [rows, cols].map(|side| side as f64);
            let fits = |i: usize| {
                ink_box[i] as f64 <= BOX * sides[i]
                    && (centre[i] - (sides[i] - 1.0) / 2.0).abs() <= 1.0
            };
            fits(0) && fits(1)
        };
        let images = self.values.chunks_exact(self.width);
        let (all, found) = (images.len(), images.filter(|image| centred(image)).count());
        found as f64 >= NEARLY_ALL * all as f64
    }

    /// The value that is furthest from the paper on the side of the ink.
    pub(super) fn ink(&self, paper: Paper) -> f32 {
        let further = if paper.dark_ink { f32::min } else { f32::max };
        self.values.iter().copied().fold(paper.level, further)
    }

    /// The largest value, without its sign.
    pub(super) fn largest(&self) -> f32 {
        self.values.iter().fold(0.0, |largest, value| value.abs().max(largest))
    }

    /// The number of features that are the same in all samples.
    fn constant(&self) -> usize {
        let Some(first) = self.values.get(..self.width) else { return 0 };
        let mut constant = vec![true; self.width];
        for row in self.values.chunks_exact(self.width) {
            for (constant, (value, first)) in constant.iter_mut().zip(row.iter().zip(first)) {
                *constant &= value == first;
            }
        }
        constant.into_iter().filter(|constant| *constant).count()
    }
}

/// The values of all features. What is odd is looked for in the whole training set.
pub(super) fn check(
    dir: &Path,
    (train, sample): (&Samples, &Sample),
    (test, test_sample): (&Samples, &Sample),
) -> Result<Vec<Finding>, Error> {
    let width = train.width();
    let mut findings = Vec::new();
    if 2 * sample.constant() > width {
        let features = constant(train);
        if features == width {
            return Err(Error::AllAlike { dir: dir.into(), samples: train.len() });
        }
        if 2 * features > width {
            findings.push(Finding::Constant { features, of: width });
        }
    }
    let [in_train, in_test] = [sample.largest(), test_sample.largest()];
    if in_train.max(in_test) > OTHER_RANGE * in_train.min(in_test) {
        findings.push(Finding::OtherRange { train: in_train, test: in_test });
    }
    if matches!(train.features(), Features::Real(_)) && in_train > LARGE && in_train.is_finite() {
        findings.push(Finding::LargeFeatures { largest: in_train });
    }
    if matches!(train.features(), Features::Real(_)) && in_train > 0.0 && in_train < SMALL {
        findings.push(Finding::SmallFeatures { largest: in_train });
    }
    if same(train, test) {
        findings.push(Finding::SameSamples);
    }
    Ok(findings)
}

/// The factor that turns the bytes of the training samples into features: 1/255, or one over
/// the largest byte, if that is far below.
pub(super) fn pixel_scale(train: &Samples) -> f32 {
    let Features::Bytes(bytes) = train.features() else { return PIXEL_SCALE };
    // In blocks, so that an image or two are enough as a rule, and the loop is fast if not.
    let mut largest = 0;
    for block in bytes.chunks(1 << 12) {
        largest = block.iter().fold(largest, |largest, byte| largest.max(*byte));
        if largest >= BRIGHT {
            return PIXEL_SCALE;
        }
    }
    if largest == 0 { PIXEL_SCALE } else { 1.0 / f32::from(largest) }
}

/// The number of features that are the same in all of the samples.
fn constant(samples: &Samples) -> usize {
    fn count<T: PartialEq + Copy>(values: &[T], width: usize) -> usize {
        let first = &values[..width];
        let mut constant: Vec<usize> = (0..width).collect();
        for row in values.chunks_exact(width) {
            if row != first {
                constant.retain(|&feature| row[feature] == first[feature]);
            }
        }
        constant.len()
    }
    match samples.features() {
        Features::Bytes(bytes) => count(bytes, samples.width()),
        Features::Real(values) => count(values, samples.width()),
    }
}

/// Whether the test samples are the first or the last of the training samples.
fn same(train: &Samples, test: &Samples) -> bool {
    fn ends<T: PartialEq>(train: &[T], test: &[T]) -> bool {
        train.starts_with(test) || train.ends_with(test)
    }
    // Equal targets alone say little, but a difference is found sooner in them.
    let targets = match (train.targets(), test.targets()) {
        (Targets::Classes(train), Targets::Classes(test)) => ends(train.labels(), test.labels()),
        (Targets::Values(train), Targets::Values(test)) => ends(train, test),
        _ => false,
    };
    targets
        && match (train.features(), test.features()) {
            (Features::Bytes(train), Features::Bytes(test)) => ends(train, test),
            (Features::Real(train), Features::Real(test)) => ends(train, test),
            _ => false,
        }
}
