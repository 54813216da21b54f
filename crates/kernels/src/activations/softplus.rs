//! Softplus, `ln(1 + eᶻ)`.
//!
//! ```text
//! y = e^(−|z|) = m·2ⁿ
//! ln(1 + eᶻ) = max(z, 0) + ln(1 + y)
//! ln(1 + y) = y + y²·Q(y) = 2ⁿ·(m + m·y·Q(y))        0 ≤ y ≤ 1
//! ```
//!
//! y cannot overflow. ln(1 + y) is y times a factor between ln 2 and 1, so a small
//! result keeps all its bits. The factor 2ⁿ comes last: where the result is subnormal,
//! it is rounded once.
//!
//! The coefficients come from `coefficients/softplus.py`.

use crate::math::exp::{Scaled, scaled_exp};
use crate::math::polynomial;
use crate::simd::{Simd, Unary};

/// `ln(1 + eᶻ)`, within 1.87 ULP of the exact value for every `f32`, subnormal results
/// included (measured over all of them, on each instruction set: `tests/accuracy.rs`).
///
/// With logits z and a target t of 0 or 1, `softplus(z) − t·z` is the binary
/// cross-entropy in nats. The derivative is [`Sigmoid`](crate::Sigmoid) of z. `∞` gives
/// ∞, `−∞` gives 0, and NaN gives NaN.
#[derive(Clone, Copy, Debug)]
pub struct Softplus;

/// For a larger |z|, e^(−|z|) is 0 in `f32`, with a margin.
const LARGEST: f32 = 110.0;

/// `Q(y) ≈ (ln(1 + y) − y) / y²` on [0, 1], lowest order first: within 0.09 · 2⁻²⁴ of
/// ln(1 + y), before the rounding of its evaluation.
const Q: [f32; 9] = [
    -0.499_999_3,
    0.333_304_64,
    -0.249_580_17,
    0.196_920_84,
    -0.153_447_99,
    0.106_609_41,
    -0.057_454_96,
    0.020_084_832,
    -0.003_290_116_6,
];

impl Unary for Softplus {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, z: S::F32) -> S::F32 {
        let zero = s.splat(0.0);
        // `min` and `max` return their second argument if one is NaN.
        let t = s.min(s.splat(LARGEST), s.abs(z));
        let Scaled { m, n } = scaled_exp(s, s.sub(zero, t));
        let y = s.mul_power_of_two(m, n);
        let log = s.fma(s.mul(m, y), polynomial(s, &Q, y), m);
        s.add(s.max(zero, z), s.mul_power_of_two(log, n))
    }
}
