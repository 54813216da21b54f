//! What is ink in a picture, and how much: the difference from the paper, of which light makes
//! one part darker than another.

use std::ops::Range;

use super::super::error::PictureError;
use super::super::resize::inside;
use super::strokes::Strokes;
use super::{ImageSize, Plane};

/// Ink differs from its paper by this number of standard deviations of the noise. Of a million pixels
/// without ink about 60 do, of which none are many enough together.
const DEVIATIONS: f64 = 4.0;

/// And by this number of grey levels, since JPEG makes rings of a few levels around a stroke.
const LEVELS: f64 = 8.0;

/// A pixel with this part of full ink is part of a stroke.
const STROKE: f64 = 0.4;

/// Below the first of these parts of full ink is paper, above the second is full ink. The
/// middle is where the edge of a blurred stroke is.
const EDGE: [f64; 2] = [0.15, 0.85];

/// The side of the coarse picture that the paper is estimated in.
const COARSE: usize = 96;

/// How much ink there is: 0 where there is paper.
pub(super) struct Ink {
    /// Grey levels between the pixel and its paper.
    pub(super) plane: Plane,
    /// The levels of full ink.
    pub(super) full: f64,
    /// From this level on a pixel is part of a stroke.
    pub(super) threshold: f64,
    /// The most that noise does.
    floor: f64,
}

impl Ink {
    pub(super) fn find(grey: &Plane) -> Result<Self, PictureError> {
        let mut plane = flat(grey);
        // The same bits as of the inverted picture: a median of two middles is one of them.
        if is_light(&plane) {
            plane = flat(&grey.inverted());
        }
        let paper = paper(&plane);
        for (value, paper) in plane.values.iter_mut().zip(&paper.values) {
            *value = paper - *value;
        }

        // Of the levels of all pixels, most of them paper. Their middle is the paper's, and from
        // there to the lower end is noise alone.
        let mut levels = plane.values.clone();
        levels.sort_unstable_by(f64::total_cmp);
        let at = |part: f64| levels[(part * (levels.len() - 1) as f64) as usize];
        let (level, deviation) = (at(0.35), at(0.5) - at(0.16));
        plane.values.iter_mut().for_each(|value| *value = (*value - level).max(0.0));

        let floor = LEVELS.max(DEVIATIONS * deviation);
        let inked = &levels[levels.partition_point(|value| value - level <= floor)..];
        let between = otsu(inked);
        let full = &inked[inked.partition_point(|value| *value <= between)..];
        let mean = full.iter().sum::<f64>() / full.len().max(1) as f64 - level;
        let expected = 1.5 * floor;
        if full.is_empty() || mean < expected {
            let found = if full.is_empty() { at(1.0) - level } else { mean };
            let (found, expected) = (found as u32, expected.ceil() as u32);
            return Err(PictureError::NoInk { found, expected });
        }
        Ok(Self { plane, full: mean, threshold: floor.max(STROKE * mean), floor })
    }

    /// The share of ink of each pixel, 0 to 1; none where a stroke was left out.
    pub(super) fn amounts(&self, strokes: &Strokes) -> Plane {
        let low = self.floor.min(self.threshold / 2.0).max(EDGE[0] * self.full);
        let range = (EDGE[1] * self.full - low).max(1.0);
        let values = self.plane.values.iter().zip(&strokes.left_out);
        let share = |(value, left_out): (&f64, &bool)| match left_out {
            true => 0.0,
            false => ((value - low) / range).clamp(0.0, 1.0),
        };
        Plane { size: self.plane.size, values: values.map(share).collect() }
    }
}

/// The part of each side of a picture that shows the paper.
const BAND: usize = 8;

/// The differences from a plane through the paper at the four sides, since light often falls
/// from one. The median of a band along each side does not see a digit that reaches into it, nor
/// the edge of a table.
fn flat(grey: &Plane) -> Plane {
    let ImageSize { rows, cols } = grey.size;
    let median = |rows: Range<usize>, cols: Range<usize>| {
        let band = rows.flat_map(|row| &grey.values[row * grey.size.cols..][cols.clone()]);
        let mut band: Vec<f64> = band.copied().collect();
        let middle = band.len() / 2;
        *band.select_nth_unstable_by(middle, f64::total_cmp).1
    };
    let [high, wide] = [rows, cols].map(|len| len.div_ceil(BAND));
    let [top, bottom] = [0..high, rows - high..rows].map(|rows| median(rows, 0..cols));
    let [left, right] = [0..wide, cols - wide..cols].map(|cols| median(0..rows, cols));
    let level = (top + bottom + left + right) / 4.0;
    // The middles of two bands are that far from each other.
    let steps = |len: usize, band: usize| (len - band).max(1) as f64;
    let slope = [(bottom - top) / steps(rows, high), (right - left) / steps(cols, wide)];
    let from_middle = |index: usize, len: usize| index as f64 - (len - 1) as f64 / 2.0;
    let mut values = grey.values.clone();
    for (row, pixels) in values.chunks_exact_mut(cols).enumerate() {
        for (col, pixel) in pixels.iter_mut().enumerate() {
            let [down, right] = [from_middle(row, rows), from_middle(col, cols)];
            *pixel -= level + down * slope[0] + right * slope[1];
        }
    }
    Plane { size: grey.size, values }
}

/// Whether ink is lighter than the paper: ink is few pixels that differ much from it, and third
/// powers count these.
fn is_light(flat: &Plane) -> bool {
    flat.values.iter().map(|difference| difference * difference * difference).sum::<f64>() > 0.0
}

/// The paper under dark ink: a morphological closing of a coarse picture. It takes away what is
/// dark and narrower than a part of the picture, and leaves what is dark and wide, as a shadow.
fn paper(grey: &Plane) -> Plane {
    let coarse = ImageSize { rows: COARSE, cols: COARSE };
    let ImageSize { rows, cols } = grey.size;
    let size = if rows.max(cols) > COARSE { inside(grey.size, coarse) } else { grey.size };
    let radius = (size.rows.min(size.cols) / 5).max(2);
    let plane = each_line(&grey.in_size(size), |line| means(line, 1));
    let plane = each_line(&plane, |line| extremes(line, radius, f64::max));
    let plane = each_line(&plane, |line| extremes(line, radius, f64::min));
    each_line(&plane, |line| means(line, radius / 2)).in_size(grey.size)
}

/// A function of each row, then of each column.
fn each_line(plane: &Plane, line: impl Fn(&[f64]) -> Vec<f64>) -> Plane {
    let ImageSize { rows, cols } = plane.size;
    let mut values: Vec<f64> = plane.values.chunks_exact(cols).flat_map(&line).collect();
    for col in 0..cols {
        let column: Vec<f64> = (0..rows).map(|row| values[row * cols + col]).collect();
        for (row, value) in line(&column).into_iter().enumerate() {
            values[row * cols + col] = value;
        }
    }
    Plane { size: plane.size, values }
}

/// Each element and its neighbours up to `radius` away.
fn around(line: &[f64], radius: usize) -> impl Iterator<Item = &[f64]> {
    (0..line.len())
        .map(move |at| &line[at.saturating_sub(radius)..(at + radius + 1).min(line.len())])
}

fn extremes(line: &[f64], radius: usize, which: fn(f64, f64) -> f64) -> Vec<f64> {
    around(line, radius).map(|near| near[1..].iter().copied().fold(near[0], which)).collect()
}

fn means(line: &[f64], radius: usize) -> Vec<f64> {
    around(line, radius).map(|near| near.iter().sum::<f64>() / near.len() as f64).collect()
}

/// The value that divides sorted values into two groups whose means are farthest apart (N.
/// Otsu, "A threshold selection method from gray-level histograms", 1979).
fn otsu(sorted: &[f64]) -> f64 {
    let total: f64 = sorted.iter().sum();
    let (mut below, mut best) = (0.0, (0.0, f64::NEG_INFINITY));
    for (index, &value) in sorted.iter().enumerate() {
        below += value;
        let counts = [index + 1, sorted.len() - index - 1].map(|count| count as f64);
        if counts[1] == 0.0 {
            break;
        }
        let difference = below / counts[0] - (total - below) / counts[1];
        let variance = counts[0] * counts[1] * difference * difference;
        if variance > best.0 {
            best = (variance, value);
        }
    }
    best.1
}
