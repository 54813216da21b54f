//! Where training starts: the distributions of initial weights.

use std::str::FromStr;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::Error;

/// Distribution of a layer's initial weights; biases start at 0 unless stated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Init {
    /// Uniform on (−1, 1), biases too: the article's.
    Uniform,
    /// Uniform on ±√(6 / (inputs + units)) (Glorot and Bengio 2010, eq. 16).
    #[default]
    Xavier,
    /// Uniform on ±√(6 / inputs) (He et al. 2015, eq. 10, as a uniform).
    He,
}

impl Init {
    /// Weights, units × inputs, and biases of layer `layer`: a function of
    /// (seed, layer, shape), whatever the other layers are.
    pub(crate) fn draw(
        self,
        inputs: usize,
        units: usize,
        seed: u64,
        layer: usize,
    ) -> (Vec<f32>, Vec<f32>) {
        let mut rng = seeded(seed, layer as u64);
        let bound = match self {
            Self::Uniform => 1.0,
            Self::Xavier => (6.0 / (inputs + units) as f64).sqrt(),
            Self::He => (6.0 / inputs as f64).sqrt(),
        } as f32;
        let mut draw = |n: usize| (0..n).map(|_| uniform(&mut rng, bound)).collect();
        let weights = draw(units * inputs);
        let biases = if self == Self::Uniform { draw(units) } else { vec![0.0; units] };
        (weights, biases)
    }
}

/// Uniform on [−bound, bound).
fn uniform(rng: &mut Xoshiro256PlusPlus, bound: f32) -> f32 {
    (2.0 * rng.random::<f32>() - 1.0) * bound
}

/// A generator for one purpose of one seed.
pub(crate) fn seeded(seed: u64, purpose: u64) -> Xoshiro256PlusPlus {
    // An odd multiplier keeps purposes apart; `seed_from_u64` mixes the bits.
    Xoshiro256PlusPlus::seed_from_u64(
        seed ^ purpose.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15),
    )
}

impl FromStr for Init {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "uniform" => Ok(Self::Uniform),
            "xavier" => Ok(Self::Xavier),
            "he" => Ok(Self::He),
            _ => Err(Error::Unknown {
                kind: "initialiser",
                found: name.to_owned(),
                expected: "uniform, xavier, he",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Init;

    #[test]
    fn weights_fill_their_range_and_biases_are_zero_but_for_the_articles() {
        for (init, bound) in [
            (Init::Uniform, 1.0),
            (Init::Xavier, (6.0f32 / 150.0).sqrt()),
            (Init::He, (6.0f32 / 100.0).sqrt()),
        ] {
            let (weights, biases) = init.draw(100, 50, 3, 0);
            assert_eq!((weights.len(), biases.len()), (5000, 50));
            let largest = weights.iter().fold(0.0f32, |max, w| max.max(w.abs()));
            assert!(largest <= bound && largest > 0.99 * bound, "{init:?}: {largest}");
            let mean = weights.iter().sum::<f32>() / 5000.0;
            assert!(mean.abs() < 0.03 * bound, "{init:?}: {mean}");
            assert_eq!(biases.iter().any(|b| *b != 0.0), init == Init::Uniform);
        }
    }

    #[test]
    fn seeds_and_layers_differ() {
        let draw = |seed, layer| Init::He.draw(4, 4, seed, layer).0;
        assert_eq!(draw(1, 0), draw(1, 0));
        assert_ne!(draw(1, 0), draw(2, 0));
        assert_ne!(draw(1, 0), draw(1, 1));
    }
}
