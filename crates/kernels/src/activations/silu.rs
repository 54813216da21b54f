//! SiLU, `z / (1 + e⁻ᶻ)`, and its derivative.
//!
//! ```text
//! t = |z|,  y = e⁻ᵗ,  r = 1/(1 + y)
//! z·σ(z) = max(z, 0) − t·y·r
//! σ(z)·(1 + z·(1 − σ(z))) = D where z < 0, else 1 − D,
//!     D = y·r·(1 − t·r)
//! ```
//!
//! The name SiLU is that of Hendrycks and Gimpel, "Gaussian Error Linear Units",
//! 2016, and of PyTorch; the function is also called swish. y cannot overflow, and
//! for z > 0 at most z/2 is subtracted. y stays m·2ⁿ until the end, because t·y may be
//! a float where y underflows.

use crate::elementwise::Binary;
use crate::math::exp::{Scaled, scaled_exp};
use crate::simd::{Simd, Unary};

/// `z·σ(z)` with the logistic sigmoid σ, within 3.35 ULP of the exact value for
/// every `f32`, subnormal results included (measured over all of them, on each
/// instruction set: `tests/accuracy.rs`).
///
/// `∞` gives ∞, `−∞` gives −0, `±0` gives itself, and NaN gives NaN.
#[derive(Clone, Copy, Debug)]
pub struct Silu;

/// `da · σ(z)·(1 + z·(1 − σ(z)))`: the derivative of [`Silu`] as a function of its input
/// z. (Its output would not do: two z may have the same one.)
///
/// The derivative is within 5.01 ULP of the larger of its two terms. That is its own
/// ULP except for z near −1.28, where the terms cancel. `∞` gives da, `−∞` gives −0·da,
/// and NaN gives NaN.
#[derive(Clone, Copy, Debug)]
pub struct SiluGradient;

/// For a larger t, t·e⁻ᵗ is 0 in `f32`.
const LARGEST: f32 = 110.0;

impl Unary for Silu {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, z: S::F32) -> S::F32 {
        // `min` and `max` return their second argument if one is NaN.
        let t = s.min(s.splat(LARGEST), s.abs(z));
        let Scaled { m, n } = exp_of_minus(s, t);
        let d = s.add(s.splat(1.0), s.mul_power_of_two(m, n));
        let lost = s.div(s.mul(t, m), d);
        // −0 and not 0, so that a result that underflows keeps the sign of z.
        s.sub(s.max(s.splat(-0.0), z), s.mul_power_of_two(lost, n))
    }
}

impl Binary for SiluGradient {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, da: S::F32, z: S::F32) -> S::F32 {
        let one = s.splat(1.0);
        let t = s.min(s.splat(LARGEST), s.abs(z));
        let Scaled { m, n } = exp_of_minus(s, t);
        let r = s.div(one, s.add(one, s.mul_power_of_two(m, n)));
        let below = s.mul(s.mul(m, r), s.fnma(t, r, one));
        let below = s.mul_power_of_two(below, n);
        let slope = s.select(s.lt(z, s.splat(0.0)), below, s.sub(one, below));
        s.mul(da, slope)
    }
}

/// `e⁻ᵗ` for t up to [`LARGEST`].
#[inline(always)]
fn exp_of_minus<S: Simd>(s: S, t: S::F32) -> Scaled<S::F32> {
    scaled_exp(s, s.sub(s.splat(0.0), t))
}
