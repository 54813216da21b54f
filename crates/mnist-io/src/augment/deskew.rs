//! Images whose ink stands upright in the middle, whatever the hand that wrote it.
//!
//! The ink of an image has a centre and a lean: how far it lies to the right for each
//! pixel further down,
//!
//! ```text
//! lean = Σ p·(x − x̄)·(y − ȳ) / Σ p·(y − ȳ)²
//! ```
//!
//! summed over the pixels p. Sheared back by that much and moved to the middle, the
//! digits of different hands are more alike (LeCun, Bottou, Bengio and Haffner,
//! "Gradient-Based Learning Applied to Document Recognition", Proc. IEEE 86(11), 1998,
//! where the networks of the table are given "deskewed" images).

use kernels::{AlignedBuf, Isa, Simd, SimdOp};

use super::matrix::Matrix;

/// The lean is at most this, 45 degrees: what lies is not made to stand.
const MOST: f64 = 1.0;

/// The map from an upright image to where each of its pixels was in `image`, of rows of
/// `cols` pixels; where there is no ink, or what there is has no height, nothing is
/// sheared, or moved. `sums` is scratch memory.
pub(super) fn upright(isa: Isa, cols: usize, sums: &mut AlignedBuf, image: &[f32]) -> Matrix {
    sums.resize(3 * cols);
    isa.dispatch(Columns { image, cols, sums });
    let [center_x, center_y] = [cols, image.len() / cols].map(|count| (count - 1) as f64 / 2.0);

    let [mut ink, mut x, mut y, mut xy, mut yy] = [0.0; 5];
    for col in 0..cols {
        let [of_ink, of_y, of_yy] = [0, 1, 2].map(|sum| f64::from(sums[sum * cols + col]));
        let at = col as f64 - center_x;
        ink += of_ink;
        x += at * of_ink;
        y += of_y;
        xy += at * of_y;
        yy += of_yy;
    }
    let (x, y) = (x / ink, y / ink);
    // Where they are anything else, they are no shares of ink.
    if !(ink > 0.0 && x.abs() <= center_x && y.abs() <= center_y) {
        return Matrix::IDENTITY;
    }
    let (covariance, variance) = (xy / ink - x * y, yy / ink - y * y);
    let lean = if variance > 1e-3 { (covariance / variance).clamp(-MOST, MOST) } else { 0.0 };
    Matrix { x: [1.0, lean as f32, (x - lean * center_y) as f32], y: [0.0, 1.0, y as f32] }
}

/// For each column the sums over its pixels of p, p·y and p·y², where y counts from the
/// middle.
struct Columns<'a> {
    image: &'a [f32],
    cols: usize,
    sums: &'a mut [f32],
}

impl SimdOp for Columns<'_> {
    type Output = ();

    /// Plain Rust, of the same bits everywhere: a column is a lane.
    #[inline(always)]
    fn eval<S: Simd>(self, _: S) {
        let Self { image, cols, sums } = self;
        sums.fill(0.0);
        let (ink, rest) = sums.split_at_mut(cols);
        let (y_sums, yy_sums) = rest.split_at_mut(cols);
        let rows = image.chunks_exact(cols);
        let center = (rows.len() - 1) as f32 / 2.0;
        for (row, pixels) in rows.enumerate() {
            let y = row as f32 - center;
            let sums = ink.iter_mut().zip(&mut *y_sums).zip(&mut *yy_sums);
            for (((ink, of_y), of_yy), pixel) in sums.zip(pixels) {
                *ink += pixel;
                *of_y += y * pixel;
                *of_yy += y * y * pixel;
            }
        }
    }
}
