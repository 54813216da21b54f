//! ReLU: `f(z) = max(z, 0)`, `f′ = 1` where `f > 0`, else 0.

use kernels::{Isa, Relu, ReluGradient};

use super::{Kind, map, zip};

impl Kind for Relu {
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

    fn backward(&self, isa: Isa, da: &mut [f32], mask: Option<&[f32]>, f: &[f32]) {
        zip(isa, ReluGradient, da, mask, f);
    }
}
