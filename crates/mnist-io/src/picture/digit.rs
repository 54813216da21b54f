//! A digit as people take it, brought into the form that the makers of MNIST gave theirs:
//! Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits": "normalized to
//! fit in a 20x20 pixel box while preserving their aspect ratio", with grey levels from
//! anti-aliasing, and "centered in a 28x28 image by computing the center of mass of the
//! pixels, and translating the image so as to position this point at the center".
//!
//! 1. The picture is made smaller, to [`MOST`] pixels a side, and what is darker (or lighter)
//!    than the paper becomes ink (`ink.rs`).
//! 2. Ink that is connected is a stroke; specks are left out (`strokes.rs`).
//! 3. The box around the strokes is scaled, brightened and centred, here.

mod ink;
mod strokes;

use super::Picture;
use super::error::PictureError;
use super::resize::{Span, inside, resize, to_byte, window};
use crate::samples::ImageSize;
use ink::Ink;
use strokes::Strokes;

/// The side of a picture that ink is looked for in. A digit of a tenth of that is still larger
/// than its box.
const MOST: usize = 800;

/// The pixels with ink that are brighter than this part of them have full ink.
const FULL: [usize; 2] = [3, 4];

/// MNIST's box is 20 of 28 pixels.
const BOX: [usize; 2] = [20, 28];

pub(super) fn digit(picture: &Picture, size: ImageSize) -> Result<Vec<u8>, PictureError> {
    if has_form(picture, size) {
        return Ok(picture.grey.clone());
    }
    // Whoever made the picture may have inverted such an image.
    if picture.size == size
        && let inverted = picture.inverted()
        && has_form(&inverted, size)
    {
        return Ok(inverted.grey);
    }
    let grey = working(picture);
    let ink = Ink::find(&grey)?;
    let strokes = Strokes::find(&ink);
    let scaled = scale(&ink.amounts(&strokes), strokes.area, digit_box(size));
    Ok(centre(&scaled, size))
}

/// Values in rows and columns.
#[derive(Clone, Debug)]
struct Plane {
    size: ImageSize,
    values: Vec<f64>,
}

impl Plane {
    fn in_size(&self, size: ImageSize) -> Self {
        Self { size, values: resize(&self.values, self.size, size) }
    }

    /// Grey levels with black and white exchanged.
    fn inverted(&self) -> Self {
        let values = self.values.iter().map(|value| 255.0 - value).collect();
        Self { size: self.size, values }
    }
}

/// Rows and columns from the first to before the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Area {
    rows: [usize; 2],
    cols: [usize; 2],
}

impl Area {
    fn size(self) -> ImageSize {
        let [rows, cols] = [self.rows, self.cols].map(|[first, after]| after - first);
        ImageSize { rows, cols }
    }
}

fn digit_box(size: ImageSize) -> ImageSize {
    let side = |pixels: usize| (pixels * BOX[0] / BOX[1]).max(1);
    ImageSize { rows: side(size.rows), cols: side(size.cols) }
}

/// The picture, at the most [`MOST`] pixels high and wide.
fn working(picture: &Picture) -> Plane {
    let size = working_size(picture.size);
    Plane { size, values: resize(&picture.grey, picture.size, size) }
}

/// The size in which the digit of a picture is looked for.
pub(super) fn working_size(picture: ImageSize) -> ImageSize {
    let most = ImageSize { rows: MOST, cols: MOST };
    let ImageSize { rows, cols } = picture;
    if rows.max(cols) > MOST { inside(picture, most) } else { picture }
}

/// Whether this is an image as MNIST's are: ink on black, its longer side that of the box,
/// give or take two pixels, and its centre of mass in the middle, give or take one. (All of
/// MNIST's are within half a pixel, and have 19 or 20 pixels.)
fn has_form(picture: &Picture, size: ImageSize) -> bool {
    if picture.size != size || picture.paper() != 0 {
        return false;
    }
    let Some((area, mass)) = mass(&picture.grey, size.cols) else { return false };
    let (found, most) = (area.size(), digit_box(size));
    let fits = found.rows <= most.rows && found.cols <= most.cols;
    let fills = found.rows + 2 >= most.rows || found.cols + 2 >= most.cols;
    let centred = [size.rows, size.cols].into_iter().zip(mass);
    fits && fills && centred.into_iter().all(|(side, at)| (at - middle(side)).abs() <= 1.0)
}

/// The row or column where MNIST's images have their centre of mass: 14 of 28. Pixel 14 covers
/// 14 to 15, so that is half a pixel after the middle.
fn middle(side: usize) -> f64 {
    (side / 2) as f64
}

/// Where pixels are not 0, and the row and the column of their centre of mass.
fn mass<T: Copy + Into<f64>>(image: &[T], cols: usize) -> Option<(Area, [f64; 2])> {
    let (mut area, mut sums) = (None::<Area>, [0.0; 3]);
    for (row, pixels) in image.chunks_exact(cols).enumerate() {
        for (col, &pixel) in pixels.iter().enumerate() {
            let value: f64 = pixel.into();
            if value > 0.0 {
                sums[0] += value;
                sums[1] += value * row as f64;
                sums[2] += value * col as f64;
                let area = area.get_or_insert(Area { rows: [row, row], cols: [col, col] });
                area.rows[1] = row + 1;
                area.cols = [area.cols[0].min(col), area.cols[1].max(col + 1)];
            }
        }
    }
    area.map(|area| (area, [sums[1] / sums[0], sums[2] / sums[0]]))
}

/// The ink in an area, scaled to the largest image that fits into `most`, with its strokes at
/// 255, also where a thin pen covers no pixel as a whole.
fn scale(ink: &Plane, area: Area, most: ImageSize) -> Plane {
    let found = area.size();
    let size = inside(found, most);
    let ratio = |found: usize, most: usize| found as f64 / most as f64;
    // One step for both axes: the aspect stays, though the sides are whole pixels.
    let step = ratio(found.rows, most.rows).max(ratio(found.cols, most.cols));
    let span = |[first, after]: [usize; 2], count: usize| {
        let middle = (first + after) as f64 / 2.0;
        Span { start: middle - step * count as f64 / 2.0, step, count }
    };
    let mut values =
        window(&ink.values, ink.size, [span(area.rows, size.rows), span(area.cols, size.cols)]);
    let mut bright: Vec<f64> = values.iter().copied().filter(|&value| value > 0.0).collect();
    bright.sort_unstable_by(f64::total_cmp);
    let full = bright.get(bright.len() * FULL[0] / FULL[1]).copied().unwrap_or(1.0);
    values.iter_mut().for_each(|value| *value = (*value * 255.0 / full).min(255.0));
    Plane { size, values }
}

/// The digit on black, moved by whole pixels until its centre of mass is in the middle, as
/// far as the image has room.
fn centre(digit: &Plane, size: ImageSize) -> Vec<u8> {
    let mut image = vec![0; size.rows * size.cols];
    let Some((_, [row, col])) = mass(&digit.values, digit.size.cols) else { return image };
    let offset = |side: usize, digit: usize, at: f64| {
        (middle(side) - at).round().clamp(0.0, (side - digit) as f64) as usize
    };
    let top = offset(size.rows, digit.size.rows, row);
    let left = offset(size.cols, digit.size.cols, col);
    let rows = image.chunks_exact_mut(size.cols).skip(top);
    for (row, digit) in rows.zip(digit.values.chunks_exact(digit.size.cols)) {
        for (pixel, value) in row[left..].iter_mut().zip(digit) {
            *pixel = to_byte(*value);
        }
    }
    image
}
