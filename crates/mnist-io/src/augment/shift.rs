//! Images that are shifted and nothing else: all pixels have the same neighbours and the
//! same weights, so no table is needed.

use kernels::{AlignedBuf, Isa, Simd, SimdOp};

use super::sample::BLOCK;

/// Replaces pixel (x, y) by the value at (x + `by[0]`, y + `by[1]`); `padded` is scratch
/// memory.
pub(super) fn shift(
    isa: Isa,
    rows: usize,
    cols: usize,
    by: [f64; 2],
    padded: &mut AlignedBuf,
    image: &mut [f32],
) {
    let [right, down] = by.map(f64::floor);
    let [fraction_x, fraction_y] = [(by[0] - right) as f32, (by[1] - down) as f32];
    // A shift is at most 1024 pixels.
    let (right, down) = (right as isize, down as isize);
    if fraction_x == 0.0 && fraction_y == 0.0 {
        whole(rows, cols, right, down, image);
    } else if right.unsigned_abs() > cols || down.unsigned_abs() > rows {
        image.fill(0.0);
    } else {
        let margin = Fraction::margin(cols);
        padded.resize(image.len() + 2 * margin + 2 * cols.next_multiple_of(BLOCK));
        let op = Fraction { rows, cols, right, down, fraction_x, fraction_y, padded, image };
        isa.dispatch(op);
    }
}

/// A shift by whole pixels moves the image as one long row. Pixels that crossed into another
/// row are then set to 0.
fn whole(rows: usize, cols: usize, right: isize, down: isize, image: &mut [f32]) {
    let sideways = right.unsigned_abs();
    if sideways >= cols || down.unsigned_abs() >= rows {
        return image.fill(0.0);
    }
    let len = image.len();
    let by = down * cols as isize + right;
    let distance = by.unsigned_abs();
    if by >= 0 {
        image.copy_within(distance.., 0);
        image[len - distance..].fill(0.0);
    } else {
        image.copy_within(..len - distance, distance);
        image[..distance].fill(0.0);
    }
    let outside = if right >= 0 { cols - sideways..cols } else { 0..sideways };
    if !outside.is_empty() {
        for row in image.chunks_exact_mut(cols) {
            row[outside.clone()].fill(0.0);
        }
    }
}

struct Fraction<'a> {
    rows: usize,
    cols: usize,
    right: isize,
    down: isize,
    fraction_x: f32,
    fraction_y: f32,
    /// The image between zeros; then, for each column, the weights of its left and of its
    /// right neighbour: one array after another.
    padded: &'a mut [f32],
    image: &'a mut [f32],
}

impl Fraction<'_> {
    /// Zeros before the image and after it: one row outside, and the columns that a sideways
    /// shift reads.
    fn margin(cols: usize) -> usize {
        (2 * cols + 2).next_multiple_of(BLOCK) + BLOCK
    }
}

impl SimdOp for Fraction<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<S: Simd>(self, s: S) {
        let Self { rows, cols, right, down, fraction_x, fraction_y, padded, image } = self;
        let margin = Self::margin(cols);
        let (padded, weights) = padded.split_at_mut(image.len() + 2 * margin);
        padded[..margin].fill(0.0);
        padded[margin..][..image.len()].copy_from_slice(image);
        padded[margin + image.len()..].fill(0.0);

        // A column outside has the weight 0: its offset is that of a pixel in the row before
        // or after.
        let (left_weights, right_weights) = weights.split_at_mut(cols.next_multiple_of(BLOCK));
        let inside = 0..cols as isize;
        for col in 0..cols {
            let left = col as isize + right;
            left_weights[col] = if inside.contains(&left) { 1.0 - fraction_x } else { 0.0 };
            right_weights[col] = if inside.contains(&(left + 1)) { fraction_x } else { 0.0 };
        }

        let fraction_y = s.splat(fraction_y);
        for (row, to) in image.chunks_exact_mut(cols).enumerate() {
            let from = row as isize + down;
            if !(-1..rows as isize).contains(&from) {
                to.fill(0.0);
                continue;
            }
            // Not negative: at least `margin − 2·cols`.
            let first = (margin as isize + from * cols as isize + right) as usize;
            for at in (0..cols).step_by(S::LEN) {
                // The last vector begins earlier, so that it is whole, if the row is that long.
                let col = at.min(cols.saturating_sub(S::LEN));
                let to = &mut to[col..];
                let weights = [s.load(&left_weights[col..]), s.load(&right_weights[col..])];
                let between = |row: usize| {
                    let left = s.load(&padded[row + col..]);
                    let right = s.load(&padded[row + col + 1..]);
                    s.fma(weights[1], right, s.mul(weights[0], left))
                };
                let (upper, lower) = (between(first), between(first + cols));
                let pixel = s.fma(fraction_y, s.sub(lower, upper), upper);
                if to.len() >= S::LEN {
                    s.store(pixel, to);
                } else {
                    s.store_partial(pixel, to);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Beyond one side, and by nothing or a little in the other direction.
    #[test]
    fn a_shift_beyond_one_side_leaves_nothing() {
        for isa in Isa::available() {
            for [far, near] in [[1000.5, 0.0], [1000.5, 2.25], [-1000.5, 0.0], [-1000.5, -2.25]] {
                for by in [[far, near], [near, far]] {
                    let mut image = [1.0; 20 * 28];
                    shift(isa, 20, 28, by, &mut AlignedBuf::zeros(0), &mut image);
                    assert_eq!(image, [0.0; 20 * 28], "{isa}, {by:?}");
                }
            }
        }
    }
}
