//! SiLU, `z / (1 + e⁻ᶻ)`, and its derivative.
//!
//! ```text
//! t = |z|,  y = e⁻ᵗ,  r = 1/(1 + y)
//! z·σ(z) = max(z, 0) − t·y·r
//! σ(z)·(1 + z·(1 − σ(z))) = D where z < 0, and 1 − D where it is not,
//!     D = y·r·(1 − t·r)
//! ```
//!
//! The names are those of Hendrycks and Gimpel, "Gaussian Error Linear Units",
//! 2016, and of PyTorch; the function is also called swish. y cannot overflow, and
//! for z > 0 what is subtracted is at most z/2. y is kept as m·2ⁿ until the end,
//! for t·y may be a float where y is none.

use crate::elementwise::Binary;
use crate::math::exp::{Scaled, exp_of_reduced, reduce};
use crate::simd::{Simd, Unary};

/// `z·σ(z)` with the logistic sigmoid σ, within 3.35 ULP of the exact value for
/// every `f32`, subnormal results included (measured over all of them, on each
/// instruction set: `tests/accuracy.rs`).
///
/// `∞` gives ∞, `−∞` gives −0, `±0` itself, and NaN gives NaN.
#[derive(Clone, Copy, Debug)]
pub struct Silu;

/// `da · σ(z)·(1 + z·(1 − σ(z)))`: the derivative of [`Silu`], a function of z and
/// not of its output, which two z may share.
///
/// The derivative is within 5.01 ULP of the larger of its two terms, which is
/// itself but for z near −1.28, where they cancel. `∞` gives da, `−∞` −0·da, and NaN
/// gives NaN.
#[derive(Clone, Copy, Debug)]
pub struct SiluGradient;

/// Beyond this t, t·e⁻ᵗ is 0 in `f32`.
const LARGEST: f32 = 110.0;

impl Unary for Silu {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, z: S::F32) -> S::F32 {
        // `min` and `max` give their second argument where one is NaN.
        let t = s.min(s.splat(LARGEST), s.abs(z));
        let Scaled { m, n } = exp_of_minus(s, t);
        let d = s.add(s.splat(1.0), s.mul_power_of_two(m, n));
        let lost = s.div(s.mul(t, m), d);
        // From −0 on, so that what is lost to underflow keeps the sign of z.
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
    exp_of_reduced(s, reduce(s, s.sub(s.splat(0.0), t)))
}
