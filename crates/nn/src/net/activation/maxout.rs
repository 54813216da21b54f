//! Maxout: `f(z₁, …, zₖ) = max(z₁, …, zₖ)` of the k pieces of a unit, which are affine maps
//! with weights of their own; `f′` is 1 for the first largest piece, 0 for the others.
//!
//! Goodfellow, Warde-Farley, Mirza, Courville and Bengio, "Maxout Networks", 2013.

use std::fmt;

use kernels::{Identity, Isa, Larger};

use super::{Activation, Kind};
use crate::Error;

pub(super) struct Maxout {
    pub(super) pieces: usize,
}

impl Kind for Maxout {
    type Function = Identity;

    fn function(&self) -> Identity {
        Identity
    }

    fn forward(&self, isa: Isa, z: &[f32], h: &mut [f32]) {
        let (first, others) = z.split_at(h.len());
        h.copy_from_slice(first);
        for z in others.chunks_exact(h.len()) {
            kernels::zip(isa, Larger, h, z);
        }
    }

    fn keeps_z(&self) -> bool {
        true
    }

    fn backward(&self, _: Isa, _: &mut [f32], _: Option<&[f32]>, _: &[f32]) {
        unreachable!("a unit of several pieces: see `backward` below")
    }

    fn pieces(&self) -> usize {
        self.pieces
    }

    fn parameter(&self) -> Option<&dyn fmt::Display> {
        Some(&self.pieces)
    }

    fn with_parameter(&self, text: &str) -> Option<Activation> {
        Some(Activation::Maxout { pieces: text.parse().ok()? })
    }

    fn validate(&self) -> Result<(), Error> {
        if (2..=64).contains(&self.pieces) {
            return Ok(());
        }
        Err(Error::OutOfRange {
            name: "pieces of maxout",
            found: self.pieces as f64,
            expected: "from 2 to 64",
        })
    }
}

/// `z ← dz` for the units of one sample; `h` are the largest pieces.
pub(super) fn backward(z: &mut [f32], h: &[f32], da: &[f32]) {
    let units = h.len();
    for (unit, (h, da)) in h.iter().zip(da).enumerate() {
        // The first largest piece takes all of it.
        let mut rest = *da;
        for z in z.iter_mut().skip(unit).step_by(units) {
            *z = if *z == *h { std::mem::take(&mut rest) } else { 0.0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::backward;

    #[test]
    fn only_the_first_of_equal_pieces_gets_the_gradient() {
        // Two units of three pieces each.
        let mut z = [1.0, 5.0, 3.0, 5.0, 3.0, 2.0];
        backward(&mut z, &[3.0, 5.0], &[0.5, 0.25]);
        assert_eq!(z, [0.0, 0.25, 0.5, 0.0, 0.0, 0.0]);
    }
}
