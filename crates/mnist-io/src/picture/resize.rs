//! Pictures made smaller or larger. Sums are in f64 and in a fixed order, with no fused
//! operations, so that each CPU gives the same bits.

use crate::samples::ImageSize;

/// The largest size with the aspect of `picture` that fits into `frame`.
pub(super) fn inside(picture: ImageSize, frame: ImageSize) -> ImageSize {
    let ratio = |frame: usize, picture: usize| frame as f64 / picture as f64;
    let scale = ratio(frame.rows, picture.rows).min(ratio(frame.cols, picture.cols));
    let scaled = |from: usize, most: usize| ((from as f64 * scale).round() as usize).clamp(1, most);
    ImageSize { rows: scaled(picture.rows, frame.rows), cols: scaled(picture.cols, frame.cols) }
}

/// The whole picture in another size.
pub(super) fn resize<T: Copy + Into<f64>>(from: &[T], size: ImageSize, to: ImageSize) -> Vec<f64> {
    let span =
        |from: usize, to: usize| Span { start: 0.0, step: from as f64 / to as f64, count: to };
    window(from, size, [span(size.rows, to.rows), span(size.cols, to.cols)])
}

/// Where the pixels of a result lie along one axis of a picture: pixel i covers what is from
/// `start + i · step` to `start + (i + 1) · step`. Pixel j of the picture is from j to j + 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: f64,
    pub(super) step: f64,
    pub(super) count: usize,
}

/// A part of a picture in another size, rows × columns. What is outside of the picture is
/// like its border.
pub(super) fn window<T: Copy + Into<f64>>(
    from: &[T],
    size: ImageSize,
    [rows, cols]: [Span; 2],
) -> Vec<f64> {
    let (row_taps, col_taps) = (rows.taps(size.rows), cols.taps(size.cols));
    let mut result = vec![0.0; rows.count * cols.count];
    let mut line = vec![0.0; size.cols];
    for (taps, result) in row_taps.iter().zip(result.chunks_exact_mut(cols.count)) {
        // A row of the result: first the sum over rows, then that over columns.
        line.fill(0.0);
        let used = from[taps.first * size.cols..].chunks_exact(size.cols);
        for (weight, row) in taps.weights.iter().zip(used) {
            for (sum, &value) in line.iter_mut().zip(row) {
                *sum += weight * value.into();
            }
        }
        for (taps, pixel) in col_taps.iter().zip(result) {
            let used = taps.weights.iter().zip(&line[taps.first..]);
            *pixel = used.map(|(weight, value)| weight * value).sum();
        }
    }
    result
}

/// The pixels that a pixel of the result is made of, from the first, and their weights.
struct Taps {
    first: usize,
    weights: Vec<f64>,
}

impl Span {
    /// For each pixel of the result, those among the `len` pixels of a line. Where the result
    /// is smaller, each weight is the part of the area; where it is larger, the two nearest
    /// are interpolated.
    fn taps(self, len: usize) -> Vec<Taps> {
        let last = len - 1;
        // A position that may be outside, as the pixel that stands for it.
        let pixel = |position: f64| (position.max(0.0) as usize).min(last);
        let taps = |index| {
            let start = self.start + index as f64 * self.step;
            if self.step < 1.0 {
                let centre = start + 0.5 * self.step - 0.5;
                let part = centre - centre.floor();
                let (first, second) = (pixel(centre.floor()), pixel(centre.floor() + 1.0));
                let weights = if first == second { vec![1.0] } else { vec![1.0 - part, part] };
                return Taps { first, weights };
            }
            let end = start + self.step;
            let (first, after) = (pixel(start), pixel(end) + 1);
            let part = |at: usize| {
                // The first and the last pixel stand for all that is beyond them.
                let from = if at == 0 { start } else { start.max(at as f64) };
                let to = if at == last { end } else { end.min((at + 1) as f64) };
                (to - from).max(0.0) / self.step
            };
            Taps { first, weights: (first..after).map(part).collect() }
        };
        (0..self.count).map(taps).collect()
    }
}

/// The nearest byte.
pub(super) fn to_byte(value: f64) -> u8 {
    (value + 0.5) as u8
}
