//! ReLU, `max(z, 0)`, and its derivative.

use crate::elementwise::Binary;
use crate::simd::{Simd, Unary};

/// `max(z, 0)`. `−0` gives 0, and NaN gives NaN.
#[derive(Clone, Copy, Debug)]
pub struct Relu;

/// `da` where h > 0, else 0: the derivative of [`Relu`] as a function of its output h.
#[derive(Clone, Copy, Debug)]
pub struct ReluGradient;

impl Unary for Relu {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, z: S::F32) -> S::F32 {
        // `max` returns its second argument if one is NaN.
        s.max(s.splat(0.0), z)
    }
}

impl Binary for ReluGradient {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, da: S::F32, h: S::F32) -> S::F32 {
        s.select(s.lt(s.splat(0.0), h), da, s.splat(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::{Relu, ReluGradient};
    use crate::elementwise::{map, zip};
    use crate::isa::Isa;

    const Z: [f32; 6] = [f32::NAN, -0.0, 0.0, f32::NEG_INFINITY, f32::INFINITY, 1e-45];

    #[test]
    fn relu_keeps_nan() {
        for isa in Isa::available() {
            let mut h = Z;
            map(isa, Relu, &mut h);
            assert!(h[0].is_nan(), "{isa}");
            assert_eq!(h[1..], [0.0, 0.0, 0.0, f32::INFINITY, 1e-45], "{isa}");
        }
    }

    #[test]
    fn the_derivative_is_one_only_above_zero() {
        for isa in Isa::available() {
            let mut dz = [-2.0; 6];
            zip(isa, ReluGradient, &mut dz, &Z);
            assert_eq!(dz, [0.0, 0.0, 0.0, 0.0, -2.0, -2.0], "{isa}");
            // Where h is 0, nothing of da is left, not even NaN.
            let mut dz = [f32::NAN, f32::INFINITY];
            zip(isa, ReluGradient, &mut dz, &[0.0; 2]);
            assert_eq!(dz, [0.0; 2], "{isa}");
        }
    }
}
