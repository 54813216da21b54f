//! Leaky ReLU, `z` above 0 and `slope·z` below, and its derivative.
//!
//! `select` chooses between two factors, not between two results, as in `elu.rs`.

use crate::elementwise::Binary;
use crate::simd::{Simd, Unary};

/// `z` where z > 0, else `slope·z` (Maas, Hannun and Ng, "Rectifier Nonlinearities
/// Improve Neural Network Acoustic Models", 2013). NaN gives NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyRelu {
    /// The slope below 0.
    pub slope: f32,
}

/// `da` where h > 0, else `da·slope`: the derivative of [`LeakyRelu`] as a function
/// of its output h. Valid for a slope of 0 or more: with a negative slope, h and z
/// have different signs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyReluGradient {
    /// The slope of [`LeakyRelu`].
    pub slope: f32,
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
