//! tanh: `f(z) = tanh z`, `f′ = 1 − f²`.

use kernels::{Isa, Tanh, TanhGradient};

use super::{Kind, map, zip};

impl Kind for Tanh {
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
        Some([-1.0, 1.0])
    }

    fn backward(&self, isa: Isa, da: &mut [f32], mask: Option<&[f32]>, f: &[f32]) {
        zip(isa, TanhGradient, da, mask, f);
    }
}
