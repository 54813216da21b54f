//! The map that makes the ink of an image stand upright in the middle, whatever the hand
//! that wrote it.
//!
//! The ink of an image has a center and a lean. The lean says how many pixels further right
//! the ink is for each pixel further down:
//!
//! ```text
//! lean = Σ p·(x − x̄)·(y − ȳ) / Σ p·(y − ȳ)²
//! ```
//!
//! summed over the pixels p. Sheared back by the lean and moved to the middle, the digits
//! of different hands are more alike (LeCun, Bottou, Bengio and Haffner, "Gradient-Based
//! Learning Applied to Document Recognition", Proc. IEEE 86(11), 1998, where some networks
//! of the table are given "deskewed" images).

use kernels::{AlignedBuf, Isa, Simd, SimdOp};

use super::matrix::Matrix;

/// The largest lean that is sheared back, 45 degrees: ink that lies does not have to stand.
const MAX_LEAN: f64 = 1.0;

/// The map from each pixel of the upright image to its point in `image`, which has rows of
/// `cols` pixels. An image without ink does not move; ink without height is not sheared.
/// `sums` is scratch memory.
pub(super) fn upright(isa: Isa, cols: usize, sums: &mut AlignedBuf, image: &[f32]) -> Matrix {
    sums.resize(3 * cols);
    isa.dispatch(Columns { image, cols, sums });
    let [center_x, center_y] = [cols, image.len() / cols].map(|count| (count - 1) as f64 / 2.0);

    let [mut ink, mut x, mut y, mut xy, mut yy] = [0.0; 5];
    for col in 0..cols {
        let [col_ink, col_y, col_yy] = [0, 1, 2].map(|sum| f64::from(sums[sum * cols + col]));
        let col_x = col as f64 - center_x;
        ink += col_ink;
        x += col_x * col_ink;
        y += col_y;
        xy += col_x * col_y;
        yy += col_yy;
    }
    let (x, y) = (x / ink, y / ink);
    // Negative or infinite pixels, and NaN, have no center within the image.
    if !(ink > 0.0 && x.abs() <= center_x && y.abs() <= center_y) {
        return Matrix::IDENTITY;
    }
    let (covariance, variance) = (xy / ink - x * y, yy / ink - y * y);
    let lean =
        if variance > 1e-3 { (covariance / variance).clamp(-MAX_LEAN, MAX_LEAN) } else { 0.0 };
    Matrix { x: [1.0, lean as f32, (x - lean * center_y) as f32], y: [0.0, 1.0, y as f32] }
}

/// For each column the sums over its pixels of p, p·y and p·y², where y counts from the
/// middle: 3 × columns, one sum after another.
struct Columns<'a> {
    image: &'a [f32],
    cols: usize,
    sums: &'a mut [f32],
}

impl SimdOp for Columns<'_> {
    type Output = ();

    /// Plain Rust, which the compiler vectorises: each column is a lane and has its own sum,
    /// so the bits are the same for every width of a vector.
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
