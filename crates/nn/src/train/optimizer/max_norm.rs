//! Max-norm: no unit's incoming weights are longer than a constant.

use kernels::{Isa, PANEL, Simd, SimdOp};

/// Rows of a panel that are summed side by side, so that an addition need not
/// wait for the one before.
const ROWS: usize = 4;

/// Scales those of a panel's units that are longer than `limit` down to it:
///
/// ```text
/// w ← w·min(1, limit/‖w‖)
/// ```
///
/// `weights` are whole blocks of a panel of `width` units.
pub(super) fn limit(isa: Isa, weights: &mut [f32], width: usize, limit: f32) {
    for first in (0..width).step_by(PANEL) {
        isa.dispatch(Limit { limit, weights, width, first });
    }
}

struct Limit<'a> {
    limit: f32,
    weights: &'a mut [f32],
    width: usize,
    /// Its units are the 16 from here on.
    first: usize,
}

impl SimdOp for Limit<'_> {
    type Output = ();

    /// Plain Rust, of the same bits everywhere: a unit is a lane, and each lane
    /// has its sum in one order.
    #[inline(always)]
    fn eval<S: Simd>(self, _: S) {
        let Self { limit, weights, width, first } = self;
        let mut sums = [[0.0; PANEL]; ROWS];
        for rows in weights.chunks_exact(ROWS * width) {
            for (sums, row) in sums.iter_mut().zip(rows.chunks_exact(width)) {
                for (sum, w) in sums.iter_mut().zip(&row[first..]) {
                    *sum += w * w;
                }
            }
        }
        let mut factors = [1.0; PANEL];
        let mut longer = false;
        for (unit, factor) in factors.iter_mut().enumerate() {
            let [a, b, c, d] = sums.map(|row| row[unit]);
            let norm = ((a + b) + (c + d)).sqrt();
            if norm > limit {
                // What has no norm has diverged, and is not to look like 0.
                *factor = if norm.is_finite() { limit / norm } else { f32::NAN };
                longer = true;
            }
        }
        if longer {
            for row in weights.chunks_exact_mut(width) {
                for (w, factor) in row[first..].iter_mut().zip(&factors) {
                    *w *= factor;
                }
            }
        }
    }
}
