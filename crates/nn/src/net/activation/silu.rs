//! SiLU: `f(z) = z·σ(z)`, `f′ = σ·(1 + z·(1 − σ))`, with σ the logistic sigmoid of z.
//!
//! Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016; also called swish.

use kernels::{Isa, Silu, SiluGradient};

use super::{Kind, map, zip};

impl Kind for Silu {
    type Function = Self;

    fn function(&self) -> Self {
        *self
    }

    fn forward(&self, isa: Isa, z: &[f32], h: &mut [f32]) {
        map(isa, *self, z, h);
    }

    fn keeps_z(&self) -> bool {
        true
    }

    fn backward(&self, isa: Isa, da: &mut [f32], mask: Option<&[f32]>, f: &[f32]) {
        zip(isa, SiluGradient, da, mask, f);
    }
}
