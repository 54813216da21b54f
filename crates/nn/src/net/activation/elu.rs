//! ELU: `f(z) = z` where z > 0, else `α·(eᶻ − 1)`; `f′` is 1 where `f > 0`, else `f + α`.
//!
//! Clevert, Unterthiner and Hochreiter, "Fast and Accurate Deep Network Learning by
//! Exponential Linear Units", 2016.

use std::fmt;

use kernels::{Elu, EluGradient, Isa};

use super::{Activation, Kind, map, zip};
use crate::Error;

impl Kind for Elu {
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
        zip(isa, EluGradient { alpha: self.alpha }, da, mask, f);
    }

    fn parameter(&self) -> Option<&dyn fmt::Display> {
        Some(&self.alpha)
    }

    fn with_parameter(&self, text: &str) -> Option<Activation> {
        Some(Activation::Elu { alpha: text.parse().ok()? })
    }

    fn validate(&self) -> Result<(), Error> {
        // For a subnormal α, 1/α would be infinite.
        if self.alpha.is_finite() && self.alpha >= f32::MIN_POSITIVE {
            return Ok(());
        }
        Err(Error::OutOfRange {
            name: "alpha of elu",
            found: self.alpha.into(),
            expected: "a finite number above 0",
        })
    }
}
