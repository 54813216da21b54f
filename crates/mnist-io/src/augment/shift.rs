//! Images that are shifted and nothing else: no place needs to be looked up, as
//! all pixels have the same neighbours and the same weights.

use kernels::{AlignedBuf, Isa, Simd, SimdOp};

use super::sample::BLOCK;

/// Replaces pixel (x, y) by what lies at (x + `by[0]`, y + `by[1]`); `padded` is
/// scratch memory.
pub(super) fn shift(
    isa: Isa,
    rows: usize,
    cols: usize,
    by: [f64; 2],
    padded: &mut AlignedBuf,
    image: &mut [f32],
) {
    let [right, down] = by.map(f64::floor);
    let [part_x, part_y] = [(by[0] - right) as f32, (by[1] - down) as f32];
    // A shift is at most 1024 pixels.
    let (right, down) = (right as isize, down as isize);
    if part_x == 0.0 && part_y == 0.0 {
        whole(rows, cols, right, down, image);
    } else if right.unsigned_abs() > cols || down.unsigned_abs() > rows {
        image.fill(0.0);
    } else {
        let margin = Fraction::margin(cols);
        padded.resize(image.len() + 2 * margin + 2 * cols.next_multiple_of(BLOCK));
        let op = Fraction { rows, cols, right, down, part_x, part_y, padded, image };
        isa.dispatch(op);
    }
}

/// A shift by whole pixels moves the image in one go, as if its rows were one
/// long one; what crossed from one row to the next is then outside.
fn whole(rows: usize, cols: usize, right: isize, down: isize, image: &mut [f32]) {
    let sideways = right.unsigned_abs();
    if sideways >= cols || down.unsigned_abs() >= rows {
        return image.fill(0.0);
    }
    let len = image.len();
    let by = down * cols as isize + right;
    let far = by.unsigned_abs();
    if by >= 0 {
        image.copy_within(far.., 0);
        image[len - far..].fill(0.0);
    } else {
        image.copy_within(..len - far, far);
        image[..far].fill(0.0);
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
    part_x: f32,
    part_y: f32,
    /// The image between zeros, then two weights for each column.
    padded: &'a mut [f32],
    image: &'a mut [f32],
}

impl Fraction<'_> {
    /// Zeros before the image and behind it: a row that is outside, and as far as
    /// one reads sideways.
    fn margin(cols: usize) -> usize {
        (2 * cols + 2).next_multiple_of(BLOCK) + BLOCK
    }
}

impl SimdOp for Fraction<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<S: Simd>(self, s: S) {
        let Self { rows, cols, right, down, part_x, part_y, padded, image } = self;
        let margin = Self::margin(cols);
        let (padded, weights) = padded.split_at_mut(image.len() + 2 * margin);
        padded[..margin].fill(0.0);
        padded[margin..][..image.len()].copy_from_slice(image);
        padded[margin + image.len()..].fill(0.0);

        // A column that is outside has no weight: what is read in its place lies
        // in the row before or behind.
        let (left_weights, right_weights) = weights.split_at_mut(cols.next_multiple_of(BLOCK));
        let inside = 0..cols as isize;
        for col in 0..cols {
            let at = col as isize + right;
            left_weights[col] = if inside.contains(&at) { 1.0 - part_x } else { 0.0 };
            right_weights[col] = if inside.contains(&(at + 1)) { part_x } else { 0.0 };
        }

        let part_y = s.splat(part_y);
        for (row, to) in image.chunks_exact_mut(cols).enumerate() {
            let from = row as isize + down;
            if !(-1..rows as isize).contains(&from) {
                to.fill(0.0);
                continue;
            }
            // At least `margin − 2·cols`, which is not negative.
            let first = (margin as isize + from * cols as isize + right) as usize;
            for at in (0..cols).step_by(S::LEN) {
                // The last vector begins early enough to be whole, if it can.
                let col = at.min(cols.saturating_sub(S::LEN));
                let to = &mut to[col..];
                let weights = [s.load(&left_weights[col..]), s.load(&right_weights[col..])];
                let between = |at: usize| {
                    let left = s.load(&padded[at + col..]);
                    let right = s.load(&padded[at + col + 1..]);
                    s.fma(weights[1], right, s.mul(weights[0], left))
                };
                let (upper, lower) = (between(first), between(first + cols));
                let pixel = s.fma(part_y, s.sub(lower, upper), upper);
                if to.len() >= S::LEN {
                    s.store(pixel, to);
                } else {
                    s.store_partial(pixel, to);
                }
            }
        }
    }
}
