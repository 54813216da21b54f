//! `eˣ`.
//!
//! ```text
//! n = round(x / ln 2),  r = x − n·ln 2        |r| ≤ ln 2 / 2
//! eˣ = 2ⁿ · (1 + r + r²·P(r))
//! ```

use crate::math::polynomial;
use crate::simd::{Simd, Unary};

/// `eˣ`, within 0.90 ULP of the exact value, subnormal results included
/// (measured over all `f32`, on each instruction set: `tests/accuracy.rs`).
///
/// `e^−∞ = 0`, `e^∞ = ∞`, and NaN gives NaN.
#[derive(Clone, Copy, Debug)]
pub struct Exp;

/// `1 / ln 2`.
const LOG2_E: f32 = std::f32::consts::LOG2_E;
/// `ln 2` in two parts. With a fused multiply-add, `x − n·LN2_HI` is exact for every
/// n that occurs, and the rounding of the rest is too small to count.
pub(crate) const LN2_HI: f32 = 0.693_145_75;
pub(crate) const LN2_LO: f32 = 1.428_606_8e-6;

/// `P(r) ≈ (eʳ − 1 − r) / r²` on `|r| ≤ ln 2 / 2`, lowest order first: within
/// 0.03 ULP of 1 + r + r²·P(r), before the rounding of its evaluation
/// (`coefficients/exp.py`).
const P: [f32; 5] = [0.499_999_94, 0.166_665_23, 0.041_668_292, 0.008_368_533, 0.001_381_830_5];

/// Beyond these bounds, eˣ is 0 or infinite in `f32`. They lie a little further out
/// than necessary, so that the clamp changes no other result.
const LOWEST: f32 = -104.0;
const HIGHEST: f32 = 89.0;

impl Unary for Exp {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, x: S::F32) -> S::F32 {
        // `min` and `max` return their second argument if one is NaN.
        exp_below_highest(s, s.min(s.splat(HIGHEST), x))
    }
}

/// `eˣ` for `x ≤ 89`. Softmax needs no more: its exponents are not positive.
#[inline(always)]
pub(crate) fn exp_below_highest<S: Simd>(s: S, x: S::F32) -> S::F32 {
    let Scaled { m, n } = scaled_exp(s, s.max(s.splat(LOWEST), x));
    s.mul_power_of_two(m, n)
}

/// `eˣ` as m·2ⁿ, which does not overflow or lose bits where eˣ itself would, for
/// `|x| ≤ 170`; NaN gives an m of NaN.
#[inline(always)]
pub(crate) fn scaled_exp<S: Simd>(s: S, x: S::F32) -> Scaled<S::F32> {
    exp_of_reduced(s, reduce(s, x))
}

/// `m · 2ⁿ`; n is an integer.
pub(crate) struct Scaled<V> {
    pub(crate) m: V,
    pub(crate) n: V,
}

/// `x = n·ln 2 + r`, and `P(r)`.
pub(crate) struct Reduced<V> {
    pub(crate) n: V,
    pub(crate) r: V,
    /// P(r)
    pub(crate) p: V,
}

/// Splits x into `n·ln 2 + r`.
#[inline(always)]
pub(crate) fn reduce<S: Simd>(s: S, x: S::F32) -> Reduced<S::F32> {
    let n = s.round(s.mul(x, s.splat(LOG2_E)));
    let r = s.fnma(n, s.splat(LN2_HI), x);
    let r = s.fnma(n, s.splat(LN2_LO), r);
    Reduced { n, r, p: exp_polynomial(s, r) }
}

/// `e^(n·ln 2 + r)` for `|r| ≤ ln 2 / 2`.
#[inline(always)]
pub(crate) fn exp_of_reduced<S: Simd>(
    s: S,
    Reduced { n, r, p }: Reduced<S::F32>,
) -> Scaled<S::F32> {
    // As 1 + r·(1 + r·P) and not as 1 + (r + r²·P): the error of the inner sum is
    // multiplied by r before the last rounding.
    let one = s.splat(1.0);
    Scaled { m: s.fma(s.fma(p, r, one), r, one), n }
}

/// `P(r)`.
#[inline(always)]
pub(crate) fn exp_polynomial<S: Simd>(s: S, r: S::F32) -> S::F32 {
    polynomial(s, &P, r)
}
