//! `eˣ` and the logistic sigmoid.
//!
//! ```text
//! n = round(x / ln 2),  r = x − n·ln 2        |r| ≤ ln 2 / 2
//! eˣ = 2ⁿ · (1 + r + r²·P(r))
//! ```

use crate::simd::{Simd, Unary};

/// `1 / ln 2`.
const LOG2_E: f32 = std::f32::consts::LOG2_E;
/// `ln 2` in two parts: with a fused multiply-add, `n·LN2_HI` is subtracted
/// exactly for every n that occurs, and the rest loses nothing that counts.
const LN2_HI: f32 = 0.693_145_75;
const LN2_LO: f32 = 1.428_606_8e-6;

/// `P(r) ≈ (eʳ − 1 − r) / r²` on `|r| ≤ ln 2 / 2`, lowest order first: within
/// 0.03 ULP of 1 + r + r²·P(r), before the rounding of its evaluation
/// (`coefficients/exp.py`).
const P: [f32; 5] = [0.499_999_94, 0.166_665_23, 0.041_668_292, 0.008_368_533, 0.001_381_830_5];

/// Beyond these, eˣ is 0 or infinite in `f32` (with a little room, so that the
/// clamp does not touch a result that isn't).
const LOWEST: f32 = -104.0;
const HIGHEST: f32 = 89.0;

/// `x = n·ln 2 + r`: n and `r + r²·P(r) = eʳ − 1`, the latter as a large and a
/// small part.
#[inline(always)]
fn reduce<S: Simd>(s: S, x: S::F32) -> (S::I32, S::F32, S::F32) {
    let n = s.round_i32(s.mul(x, s.splat(LOG2_E)));
    let nf = s.to_f32(n);
    let r = s.fnma(nf, s.splat(LN2_HI), x);
    let r = s.fnma(nf, s.splat(LN2_LO), r);
    let mut p = s.splat(P[4]);
    for &c in P[..4].iter().rev() {
        p = s.fma(p, r, s.splat(c));
    }
    (n, r, s.mul(s.mul(r, r), p))
}

/// `2ⁿ` for `−126 ≤ n ≤ 127`.
#[inline(always)]
fn power_of_two<S: Simd>(s: S, n: S::I32) -> S::F32 {
    s.with_bits(s.shl::<23>(s.add_i32(n, s.splat_i32(127))))
}

/// `eˣ`, within 1 ULP of the exact value, subnormal results included.
///
/// `e^−∞ = 0`, `e^∞ = ∞`, and NaN gives NaN.
#[derive(Clone, Copy, Debug)]
pub struct Exp;

impl Unary for Exp {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, x: S::F32) -> S::F32 {
        // `min` and `max` give their second argument where one is NaN.
        let x = s.max(s.splat(LOWEST), s.min(s.splat(HIGHEST), x));
        let (n, r, tail) = reduce(s, x);
        let y = s.add(s.splat(1.0), s.add(r, tail));
        // In two factors, because 2¹²⁸ and 2⁻¹⁵⁰ are no floats; only the last
        // product can round.
        let half = s.shr::<1>(n);
        let y = s.mul(y, power_of_two(s, half));
        s.mul(y, power_of_two(s, s.sub_i32(n, half)))
    }
}

/// `eˣ` for `x ≤ 0`, where results below the smallest normal number become 0.
///
/// What softmax needs: one factor instead of two.
#[inline(always)]
pub(crate) fn exp_nonpositive<S: Simd>(s: S, x: S::F32) -> S::F32 {
    /// ln 2⁻¹²⁶.
    const SMALLEST: f32 = -87.336_54;
    let (n, r, tail) = reduce(s, s.max(s.splat(SMALLEST), x));
    let y = s.add(s.splat(1.0), s.add(r, tail));
    let y = s.mul(y, power_of_two(s, n));
    s.select(s.lt(x, s.splat(SMALLEST)), s.splat(0.0), y)
}

/// `1 / (1 + e⁻ˣ)`, within 1 ULP of the exact value for `x > −87`; results below
/// the smallest normal number become 0. NaN gives NaN.
#[derive(Clone, Copy, Debug)]
pub struct Sigmoid;

impl Unary for Sigmoid {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, x: S::F32) -> S::F32 {
        // With y = e^−|x|, which cannot overflow: 1 / (1 + y), or y / (1 + y)
        // where x is negative.
        let one = s.splat(1.0);
        let y = exp_nonpositive(s, s.sub(s.splat(0.0), s.abs(x)));
        let numerator = s.select(s.lt(x, s.splat(0.0)), y, one);
        s.div(numerator, s.add(one, y))
    }
}
