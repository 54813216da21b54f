//! ELU, `z` above 0 and `alpha·(eᶻ − 1)` below, and its derivative.
//!
//! `select` never chooses between a new value and the one that was loaded. The compiler
//! turns such a choice into a masked store, which AVX2 has, but which some CPUs run as
//! a microprogram that takes four times as long as the function.

use crate::elementwise::Binary;
use crate::math::exp::{Reduced, reduce};
use crate::simd::{Simd, Unary};

/// `z` where z > 0, else `alpha·(eᶻ − 1)` (Clevert, Unterthiner and Hochreiter,
/// "Fast and Accurate Deep Network Learning by Exponential Linear Units", 2016).
///
/// With alpha = 1, within 0.95 ULP of the exact value for every `f32`, however near
/// 0 (measured over all of them, on each instruction set: `tests/accuracy.rs`);
/// another alpha rounds once more. `∞` gives ∞, `−∞` gives −alpha, `±0` gives itself,
/// and NaN gives NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elu {
    /// −alpha is the limit at −∞.
    pub alpha: f32,
}

/// `da` where h > 0, else `da·(h + alpha)`: the derivative of [`Elu`] as a function
/// of its output h. Valid for an alpha of 0 or more: with a negative alpha, h and z
/// have different signs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EluGradient {
    /// The alpha of [`Elu`].
    pub alpha: f32,
}

/// Below this value, eᶻ − 1 is −1 in `f32`, with a margin.
const LOWEST: f32 = -20.0;

impl Unary for Elu {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, z: S::F32) -> S::F32 {
        // Above 0, and where z is NaN, the last line selects z itself.
        let Reduced { n, r, p } = reduce(s, s.max(s.splat(LOWEST), s.min(z, s.splat(0.0))));
        // 2ⁿ·eʳ − 1 = 2ⁿ·(eʳ − 1) + (2ⁿ − 1). The last term is exact. Near 0 it is 0,
        // and the first term keeps all bits of the small result.
        let power = s.mul_power_of_two(s.splat(1.0), n);
        let small = s.fma(s.mul(p, r), r, r);
        let below = s.fma(power, small, s.sub(power, s.splat(1.0)));
        let above = s.max(s.splat(-0.0), z);
        s.select(s.lt(z, s.splat(0.0)), s.mul(below, s.splat(self.alpha)), above)
    }
}

impl Binary for EluGradient {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, da: S::F32, h: S::F32) -> S::F32 {
        let below = s.add(h, s.splat(self.alpha));
        s.mul(da, s.select(s.lt(s.splat(0.0), h), s.splat(1.0), below))
    }
}
