//! ELU and leaky ReLU: linear above 0, and with a parameter below; and their
//! derivatives as functions of the output.
//!
//! None of them chooses between a new value and the one that was loaded: the
//! compiler makes a masked store of that, which AVX2 has, but on some CPUs as a
//! microprogram that takes four times as long as the function.

use crate::elementwise::Binary;
use crate::math::exp::{Reduced, reduce};
use crate::simd::{Simd, Unary};

/// `z` where z > 0, else `alpha·(eᶻ − 1)` (Clevert, Unterthiner and Hochreiter,
/// "Fast and Accurate Deep Network Learning by Exponential Linear Units", 2016).
///
/// With alpha = 1, within 0.95 ULP of the exact value for every `f32`, however near
/// 0 (measured over all of them, on each instruction set: `tests/accuracy.rs`);
/// another alpha rounds once more. `∞` gives ∞, `−∞` −alpha, `±0` itself, and NaN
/// gives NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elu {
    /// How far below 0 the function goes.
    pub alpha: f32,
}

/// `da` where h > 0, else `da·(h + alpha)`: the derivative of [`Elu`] as a function
/// of its output h. Right for an alpha of 0 or more: with less, the sign of h is
/// not that of z.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EluGradient {
    /// That of [`Elu`].
    pub alpha: f32,
}

/// `z` where z > 0, else `slope·z` (Maas, Hannun and Ng, "Rectifier Nonlinearities
/// Improve Neural Network Acoustic Models", 2013). NaN gives NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyRelu {
    /// The slope below 0.
    pub slope: f32,
}

/// `da` where h > 0, else `da·slope`: the derivative of [`LeakyRelu`] as a function
/// of its output h. Right for a slope of 0 or more: with less, the sign of h is not
/// that of z.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyReluGradient {
    /// That of [`LeakyRelu`].
    pub slope: f32,
}

/// Below this, eᶻ − 1 is −1 in `f32` (with a little room).
const LOWEST: f32 = -20.0;

impl Unary for Elu {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, z: S::F32) -> S::F32 {
        // Above 0, and where z is NaN, z itself is taken in the end.
        let Reduced { n, r, p } = reduce(s, s.max(s.splat(LOWEST), s.min(z, s.splat(0.0))));
        // 2ⁿ·eʳ − 1 = 2ⁿ·(eʳ − 1) + (2ⁿ − 1), where the last is exact; near 0 it is
        // 0, and the first has all bits of the small number that it is.
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

impl Unary for LeakyRelu {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, z: S::F32) -> S::F32 {
        s.mul(z, s.select(s.lt(z, s.splat(0.0)), s.splat(self.slope), s.splat(1.0)))
    }
}

impl Binary for LeakyReluGradient {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, da: S::F32, h: S::F32) -> S::F32 {
        s.mul(da, s.select(s.lt(s.splat(0.0), h), s.splat(1.0), s.splat(self.slope)))
    }
}
