//! Max-norm: the incoming weights of a unit have at most a given norm (Srivastava et
//! al. 2014, section 5.1).

use kernels::{Isa, PANEL, Simd, SimdOp};

use crate::train::tiny::normal;

/// Rows of a panel that are summed side by side, so that an addition need not
/// wait for the one before it.
const ROWS: usize = 4;

/// Scales the incoming weights of each unit of a panel down to `limit`, if their
/// norm is larger:
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
    /// The first of the 16 units to scale.
    first: usize,
}

impl SimdOp for Limit<'_> {
    type Output = ();

    /// Plain Rust, with the same bits on every instruction set: a unit is a lane, and
    /// the order of a lane's sum is fixed.
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
                // A norm that overflows means that training diverged: NaN shows it,
                // a factor of 0 would hide it.
                *factor = if norm.is_finite() { limit / norm } else { f32::NAN };
                longer = true;
            }
        }
        if longer {
            for row in weights.chunks_exact_mut(width) {
                for (w, factor) in row[first..].iter_mut().zip(&factors) {
                    *w = normal(*w * factor);
                }
            }
        }
    }
}
