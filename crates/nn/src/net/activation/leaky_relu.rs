//! Leaky ReLU: `f(z) = z` where z > 0, else `slope·z`; `f′` is 1 where `f > 0`, else the
//! slope.
//!
//! Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models",
//! 2013.

use std::fmt;

use kernels::{Isa, LeakyRelu, LeakyReluGradient};

use super::{Activation, Kind, map, zip};
use crate::Error;

impl Kind for LeakyRelu {
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
        zip(isa, LeakyReluGradient { slope: self.slope }, da, mask, f);
    }

    fn parameter(&self) -> Option<&dyn fmt::Display> {
        Some(&self.slope)
    }

    fn with_parameter(&self, text: &str) -> Option<Activation> {
        Some(Activation::LeakyRelu { slope: text.parse().ok()? })
    }

    fn validate(&self) -> Result<(), Error> {
        if (0.0..1.0).contains(&self.slope) {
            return Ok(());
        }
        Err(Error::OutOfRange {
            name: "slope of leaky-relu",
            found: self.slope.into(),
            expected: "at least 0 and below 1",
        })
    }
}
