//! The logistic sigmoid: `f(z) = 1 / (1 + e⁻ᶻ)`, `f′ = f·(1 − f)`.

use kernels::{Isa, Sigmoid, SigmoidGradient};

use super::{Kind, map, zip};

impl Kind for Sigmoid {
    type Function = Self;

    fn function(&self) -> Self {
        *self
    }

    fn forward(&self, isa: Isa, z: &[f32], h: &mut [f32]) {
        map(isa, *self, z, h);
    }

    fn keeps_z(&self) -> bool {
        false
    }

    fn ends(&self) -> Option<[f32; 2]> {
        Some([0.0, 1.0])
    }

    fn backward(&self, isa: Isa, da: &mut [f32], mask: Option<&[f32]>, f: &[f32]) {
        zip(isa, SigmoidGradient, da, mask, f);
    }
}
