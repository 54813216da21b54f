//! The distributions of initial weights.

use std::fmt;
use std::str::FromStr;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::error::one_of;
use crate::{Error, math};

/// Distribution of a layer's initial weights. Biases start at 0 unless stated.
///
/// The normal distributions have mean 0 and are not truncated.
///
/// ```
/// use nn::{Activation, Architecture, Init, Mlp};
/// let init: Init = "he-normal".parse()?;
/// assert_eq!(init, Init::HeNormal);
///
/// let shape =
///     Architecture { inputs: 2, hidden: vec![3], outputs: 2, activation: Activation::Relu };
/// let network = Mlp::new(shape, init, 1)?;
/// assert_eq!(network.layer(0).unwrap().1, [0.0; 3]); // the biases
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Init {
    /// Uniform on (−1, 1), biases too, as in the article.
    Uniform,
    /// Uniform on ±√(1 / inputs) (Glorot and Bengio 2010, eq. 1). PyTorch's
    /// `Linear` draws its weights like this, and its biases too; here they start at 0.
    FanIn,
    /// Uniform on ±√(6 / (inputs + units)) (Glorot and Bengio 2010, eq. 16).
    #[default]
    Xavier,
    /// Normal with a variance of 2 / (inputs + units) (Glorot and Bengio 2010,
    /// eq. 12).
    XavierNormal,
    /// Uniform on ±√(6 / inputs), with the variance of He et al. 2015, eq. 10.
    He,
    /// Normal with a variance of 2 / inputs (He et al. 2015, eq. 10).
    HeNormal,
}

impl Init {
    /// Every distribution with its name in files and on the command line.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Uniform, "uniform"),
        (Self::FanIn, "fan-in"),
        (Self::Xavier, "xavier"),
        (Self::XavierNormal, "xavier-normal"),
        (Self::He, "he"),
        (Self::HeNormal, "he-normal"),
    ];

    /// Weights (units × inputs, row-major) and biases (units) of layer `layer`. They depend on
    /// the seed, the layer's index and its shape, and not on the other layers.
    pub(crate) fn draw(
        self,
        inputs: usize,
        units: usize,
        seed: u64,
        layer: usize,
    ) -> (Vec<f32>, Vec<f32>) {
        let mut rng = seeded(seed, layer as u64);
        let (fan_in, fans) = (inputs as f64, (inputs + units) as f64);
        let n = units * inputs;
        let weights = match self {
            Self::Uniform => uniform(&mut rng, 1.0, n),
            Self::FanIn => uniform(&mut rng, (1.0 / fan_in).sqrt(), n),
            Self::Xavier => uniform(&mut rng, (6.0 / fans).sqrt(), n),
            Self::XavierNormal => normal(&mut rng, (2.0 / fans).sqrt(), n),
            Self::He => uniform(&mut rng, (6.0 / fan_in).sqrt(), n),
            Self::HeNormal => normal(&mut rng, (2.0 / fan_in).sqrt(), n),
        };
        let biases = match self {
            Self::Uniform => uniform(&mut rng, 1.0, units),
            _ => vec![0.0; units],
        };
        (weights, biases)
    }
}

/// `n` random numbers, uniform on [−bound, bound).
fn uniform(rng: &mut Xoshiro256PlusPlus, bound: f64, n: usize) -> Vec<f32> {
    let bound = bound as f32;
    (0..n).map(|_| (2.0 * rng.random::<f32>() - 1.0) * bound).collect()
}

/// `n` random numbers, normal with mean 0, by the polar method (Marsaglia and Bray 1964),
/// which gives two at a time.
fn normal(rng: &mut Xoshiro256PlusPlus, deviation: f64, n: usize) -> Vec<f32> {
    let mut numbers = Vec::with_capacity(n + 1);
    while numbers.len() < n {
        // A point of the square, kept if it is in the unit disc and not at its centre.
        let [u, v] = [(); 2].map(|()| 2.0 * rng.random::<f64>() - 1.0);
        let square = u * u + v * v;
        if square > 0.0 && square < 1.0 {
            let factor = deviation * (-2.0 * math::ln(square) / square).sqrt();
            numbers.extend([u, v].map(|x| (x * factor) as f32));
        }
    }
    numbers.truncate(n);
    numbers
}

/// The random generator of a seed for one purpose. Different purposes have independent
/// generators.
pub(crate) fn seeded(seed: u64, purpose: u64) -> Xoshiro256PlusPlus {
    // Multiplication by an odd number gives each purpose a different state, and
    // `seed_from_u64` mixes the bits.
    Xoshiro256PlusPlus::seed_from_u64(
        seed ^ purpose.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15),
    )
}

impl fmt::Display for Init {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = Self::ALL.iter().find(|(init, _)| init == self);
        f.write_str(row.map_or("?", |(_, name)| name))
    }
}

impl FromStr for Init {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let row = Self::ALL.iter().find(|(_, known)| *known == name);
        row.map(|(init, _)| *init).ok_or_else(|| Error::Unknown {
            kind: "initialiser",
            found: name.to_owned(),
            expected: one_of(&Self::ALL),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Init;

    const INPUTS: usize = 200;
    const UNITS: usize = 300;

    /// Quantiles of the standard normal distribution, from a table: (share of all numbers
    /// that are below, quantile).
    const NORMAL: [(f64, f64); 7] = [
        (0.01, -2.3263),
        (0.1, -1.2816),
        (0.25, -0.6745),
        (0.5, 0.0),
        (0.75, 0.6745),
        (0.9, 1.2816),
        (0.99, 2.3263),
    ];

    /// The largest difference between the found and the expected share of numbers below a
    /// quantile.
    fn distance(numbers: &[f32], quantile: impl Fn((f64, f64)) -> f64) -> f64 {
        let distances = NORMAL.map(|row| {
            let below = numbers.iter().filter(|&&x| f64::from(x) < quantile(row)).count();
            (below as f64 / numbers.len() as f64 - row.0).abs()
        });
        distances.into_iter().fold(0.0, f64::max)
    }

    #[test]
    fn weights_are_distributed_as_the_name_says() {
        for (init, name) in Init::ALL {
            let (weights, biases) = init.draw(INPUTS, UNITS, 3, 0);
            assert_eq!((weights.len(), biases.len()), (INPUTS * UNITS, UNITS));
            let uniform = |bound: f64| {
                let largest = weights.iter().fold(0.0f32, |max, w| max.max(w.abs()));
                assert!(f64::from(largest) <= bound * 1.000_001, "{name}: {largest}");
                distance(&weights, |(share, _)| bound * (2.0 * share - 1.0))
            };
            let normal = |variance: f64| distance(&weights, |(_, z)| z * variance.sqrt());
            let distance = match init {
                Init::Uniform => uniform(1.0),
                Init::FanIn => uniform((1.0f64 / 200.0).sqrt()),
                Init::Xavier => uniform((6.0f64 / 500.0).sqrt()),
                Init::XavierNormal => normal(2.0 / 500.0),
                Init::He => uniform((6.0f64 / 200.0).sqrt()),
                Init::HeNormal => normal(2.0 / 200.0),
            };
            // The share of 60,000 numbers has a standard deviation of at most 0.002.
            assert!(distance < 0.006, "{name}: a quantile is off by {distance}");
            assert_eq!(biases.iter().any(|b| *b != 0.0), init == Init::Uniform, "{name}");
        }
    }

    #[test]
    fn neighbours_are_uncorrelated() {
        for (init, name) in Init::ALL {
            let (w, _) = init.draw(INPUTS, UNITS, 4, 1);
            let square: f32 = w.iter().map(|w| w * w).sum();
            // Also at a distance of two, because normal numbers are drawn in pairs.
            for lag in [1, 2, INPUTS] {
                let product: f32 = w.iter().zip(&w[lag..]).map(|(a, b)| a * b).sum();
                assert!((product / square).abs() < 0.015, "{name}, {lag} apart");
            }
        }
    }

    /// Earlier versions drew these values. They must not change, so that runs can be
    /// repeated.
    #[test]
    fn draws_keep_their_bits() {
        for (init, weights, biases) in [
            (
                Init::Uniform,
                [0x3dbd_8a00, 0x3f52_ea54, 0x3f60_42aa, 0x3d48_ff40],
                [0xbe9b_d254, 0x3d90_72e0],
            ),
            (Init::Xavier, [0x3de8_2313, 0x3f81_28a4, 0x3f89_54b6, 0x3d76_2b8e], [0; 2]),
            (Init::He, [0x3e24_2549, 0x3fb6_a875, 0x3fc2_3718, 0x3dae_118e], [0; 2]),
        ] {
            let (found, found_biases) = init.draw(2, 2, 7, 1);
            assert_eq!(found, weights.map(f32::from_bits), "{init}");
            assert_eq!(found_biases, biases.map(f32::from_bits), "{init}");
        }
    }

    #[test]
    fn seeds_and_layers_differ() {
        for (init, name) in Init::ALL {
            let draw = |seed, layer| init.draw(3, 3, seed, layer).0;
            assert_eq!(draw(1, 0).len(), 9, "{name}");
            assert_eq!(draw(1, 0), draw(1, 0), "{name}");
            assert_ne!(draw(1, 0), draw(2, 0), "{name}");
            assert_ne!(draw(1, 0), draw(1, 1), "{name}");
        }
    }

    #[test]
    fn names_parse_and_are_those_of_files() {
        for (init, name) in Init::ALL {
            assert_eq!(init.to_string(), name);
            assert_eq!(name.parse::<Init>().unwrap(), init);
            assert_eq!(serde_json::to_string(&init).unwrap(), format!("{name:?}"));
        }
        let names: Vec<_> = Init::ALL.iter().map(|(_, name)| *name).collect();
        let error = "hee".parse::<Init>().unwrap_err().to_string();
        let expected = format!("`hee` is no initialiser: expected one of {}", names.join(", "));
        assert_eq!(error, expected);
    }
}
