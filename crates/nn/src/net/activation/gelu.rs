//! GELU: `f(z) = z·Φ(z)`, `f′ = Φ(z) + z·φ(z)`, with distribution function and density of
//! N(0, 1).
//!
//! Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016; the exact function.

use kernels::{Gelu, GeluGradient, Isa};

use super::{Kind, map, zip};

impl Kind for Gelu {
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
        zip(isa, GeluGradient, da, mask, f);
    }
}
