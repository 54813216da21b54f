//! Which ink is the digit: strokes are pixels that touch each other.

use super::ink::Ink;
use super::{Area, ImageSize};

/// A stroke of less than this part of the largest is dust, wherever it is.
const DUST: f64 = 0.01;

/// A stroke of less than this part of the largest is a speck if it is far away: the bar of a
/// 5 and the stroke through a 7 are larger or closer.
const SPECK: f64 = 0.05;

/// Far away is more than this part of the longer side of the largest stroke.
const FAR: f64 = 0.25;

/// What touches the border of the picture is often no digit but the edge of the paper or a
/// shadow, so this part of its pixels count.
const AT_BORDER: f64 = 0.2;

pub(super) struct Strokes {
    /// The smallest area that has the digit.
    pub(super) area: Area,
    /// The pixels of strokes that are not part of the digit, and their neighbours.
    pub(super) left_out: Vec<bool>,
}

/// Pixels of ink that touch each other, at a side or a corner.
struct Stroke {
    area: Area,
    pixels: Vec<usize>,
    at_border: bool,
}

impl Stroke {
    fn weight(&self) -> f64 {
        self.pixels.len() as f64 * if self.at_border { AT_BORDER } else { 1.0 }
    }

    /// The pixels between the areas of two strokes, along the axis where there are more.
    fn gap(&self, other: &Self) -> usize {
        let gap = |[first, after]: [usize; 2], [other_first, other_after]: [usize; 2]| {
            other_first.saturating_sub(after).max(first.saturating_sub(other_after))
        };
        gap(self.area.rows, other.area.rows).max(gap(self.area.cols, other.area.cols))
    }

    fn belongs_to(&self, largest: &Self) -> bool {
        let part = self.pixels.len() as f64 / largest.pixels.len() as f64;
        let ImageSize { rows, cols } = largest.area.size();
        let far = self.gap(largest) as f64 > FAR * rows.max(cols) as f64;
        let foreign = self.at_border && !largest.at_border;
        part >= DUST && !(far && (part < SPECK || foreign))
    }
}

impl Strokes {
    /// There is at least one pixel of ink.
    pub(super) fn find(ink: &Ink) -> Self {
        let size = ink.plane.size;
        let is_ink: Vec<bool> = ink.plane.values.iter().map(|&v| v >= ink.threshold).collect();
        let strokes = connected(is_ink, size);
        let heaviest = strokes.iter().max_by(|a, b| a.weight().total_cmp(&b.weight()));
        let mut left_out = vec![false; size.rows * size.cols];
        let Some(largest) = heaviest else {
            let area = Area { rows: [0, size.rows], cols: [0, size.cols] };
            return Self { area, left_out };
        };
        let mut area = largest.area;
        for stroke in &strokes {
            if stroke.belongs_to(largest) {
                let join = |a: [usize; 2], b: [usize; 2]| [a[0].min(b[0]), a[1].max(b[1])];
                area.rows = join(area.rows, stroke.area.rows);
                area.cols = join(area.cols, stroke.area.cols);
            } else {
                for &pixel in &stroke.pixels {
                    neighbours(pixel, size).for_each(|near| left_out[near] = true);
                }
            }
        }
        Self { area, left_out }
    }
}

/// A pixel and those around it.
fn neighbours(pixel: usize, size: ImageSize) -> impl Iterator<Item = usize> {
    let (row, col) = (pixel / size.cols, pixel % size.cols);
    let near = |at: usize, len: usize| at.saturating_sub(1)..(at + 2).min(len);
    near(row, size.rows)
        .flat_map(move |row| near(col, size.cols).map(move |col| row * size.cols + col))
}

/// All strokes, by their first pixel.
fn connected(mut is_ink: Vec<bool>, size: ImageSize) -> Vec<Stroke> {
    let mut strokes = Vec::new();
    for first in 0..is_ink.len() {
        if !std::mem::take(&mut is_ink[first]) {
            continue;
        }
        let (row, col) = (first / size.cols, first % size.cols);
        let mut area = Area { rows: [row, row + 1], cols: [col, col + 1] };
        let (mut pixels, mut next) = (vec![first], 0);
        while let Some(&pixel) = pixels.get(next) {
            next += 1;
            let (row, col) = (pixel / size.cols, pixel % size.cols);
            area.rows[1] = area.rows[1].max(row + 1);
            area.cols = [area.cols[0].min(col), area.cols[1].max(col + 1)];
            pixels
                .extend(neighbours(pixel, size).filter(|&near| std::mem::take(&mut is_ink[near])));
        }
        let Area { rows, cols } = area;
        let at_border =
            rows[0] == 0 || cols[0] == 0 || rows[1] == size.rows || cols[1] == size.cols;
        strokes.push(Stroke { area, pixels, at_border });
    }
    strokes
}
