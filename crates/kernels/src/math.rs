//! Exponential, logarithm and polynomials, a vector at a time.

pub(crate) mod exp;
pub(crate) mod intervals;
pub(crate) mod log;

use crate::simd::Simd;

pub use exp::Exp;

/// `c[0] + c[1]·x + c[2]·x² + …`, from the highest order down.
#[inline(always)]
pub(crate) fn polynomial<S: Simd, const N: usize>(s: S, c: &[f32; N], x: S::F32) -> S::F32 {
    let mut sum = s.splat(c[N - 1]);
    for &c in c[..N - 1].iter().rev() {
        sum = s.fma(sum, x, s.splat(c));
    }
    sum
}
