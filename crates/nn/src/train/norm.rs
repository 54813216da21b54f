//! Batch normalisation: its settings, its running averages, and how it is folded into the
//! weights.
//!
//! Only training normalises. The network that training returns has it folded in:
//!
//! ```text
//! z = gain·(x·W − μ)/√(σ² + ε) + bias
//!   = x·(s·W) + (bias − s·μ)              where s = gain/√(σ² + ε)
//! ```
//!
//! where μ and σ² are the running averages. So prediction needs no batch normalisation.

use serde::{Deserialize, Serialize};

use super::step::Moments;
use crate::net::dense::Dense;
use crate::{Error, Mlp};

/// Batch normalisation (Ioffe and Szegedy 2015) over a fixed number of rows
/// ("ghost batches", Hoffer, Hubara and Soudry 2017).
///
/// The input of each unit's activation, and each logit, is normalised to a mean of 0 and a
/// variance of 1 over `rows` samples of the batch, then multiplied by a learnt gain and added
/// to a learnt bias. `rows` does not depend on the batch size or the number of threads.
///
/// ```
/// use nn::{BatchNorm, Fit};
/// let batch_norm = Some(BatchNorm { rows: 32, ..BatchNorm::default() });
/// Fit { batch_norm, ..Fit::default() }.validate()?;
/// // One row has no variance.
/// let batch_norm = Some(BatchNorm { rows: 1, ..BatchNorm::default() });
/// assert!(Fit { batch_norm, ..Fit::default() }.validate().is_err());
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchNorm {
    /// Number of samples that are normalised together, at least 2. The last group of a batch
    /// may be smaller. If it is a single sample, which has no variance, its normalised values
    /// are 0: only biases learn from it, and the running averages leave it out. A batch size
    /// of 1 is an error, as is a step on one sample; the last batch of an epoch may have one.
    pub rows: usize,
    /// Weight of a step's mean and variance in the running averages, above 0 and at most 1.
    /// In the first 1/`momentum` steps it is 1/step instead, which gives the plain average.
    pub momentum: f32,
    /// ε, above 0.
    pub epsilon: f32,
}

impl Default for BatchNorm {
    fn default() -> Self {
        Self { rows: 100, momentum: 0.01, epsilon: 1e-5 }
    }
}

impl BatchNorm {
    pub(crate) fn validate(self) -> Result<(), Error> {
        let Self { rows, momentum, epsilon } = self;
        let out_of_range = |name, found, expected| Err(Error::OutOfRange { name, found, expected });
        if rows < 2 {
            return out_of_range("rows of batch normalisation", rows as f64, "at least 2");
        }
        if !(momentum > 0.0 && momentum <= 1.0) {
            let name = "momentum of batch normalisation";
            return out_of_range(name, momentum.into(), "above 0 and at most 1");
        }
        if !(epsilon.is_finite() && epsilon > 0.0) {
            let name = "epsilon of batch normalisation";
            return out_of_range(name, epsilon.into(), "a finite number above 0");
        }
        Ok(())
    }
}

/// Running averages of the mean and variance of each unit's z, over the steps.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    settings: BatchNorm,
    pub(super) steps: u64,
    /// For each layer, one element per unit.
    pub(super) mean: Vec<Vec<f32>>,
    pub(super) variance: Vec<Vec<f32>>,
}

impl Running {
    pub(crate) fn new(settings: BatchNorm, layers: &[Dense]) -> Self {
        let each = |start: f32| layers.iter().map(|layer| vec![start; layer.units]).collect();
        Self { settings, steps: 0, mean: each(0.0), variance: each(1.0) }
    }

    /// Updates the averages with the mean and variance of the next step.
    pub(crate) fn update(&mut self, moments: &Moments<'_>) {
        self.steps += 1;
        let share = self.settings.momentum.max(1.0 / self.steps as f32);
        let epsilon = self.settings.epsilon;
        for (l, (mean, variance)) in self.mean.iter_mut().zip(&mut self.variance).enumerate() {
            // One row has no variance.
            let shards = || moments.layer(l).filter(|(rows, ..)| *rows > 1);
            let weight = share / shards().count() as f32;
            if !weight.is_finite() {
                continue;
            }
            mean.iter_mut().chain(&mut *variance).for_each(|average| *average *= 1.0 - share);
            for (rows, shard_mean, inverse) in shards() {
                // Bessel's correction: the variance of n values is on average too small by
                // the factor (n − 1)/n.
                let unbiased = rows as f32 / (rows - 1) as f32;
                for (mean, found) in mean.iter_mut().zip(shard_mean) {
                    *mean += weight * found;
                }
                for (variance, inverse) in variance.iter_mut().zip(inverse) {
                    let found = (1.0 / (inverse * inverse) - epsilon).max(0.0);
                    *variance += weight * (unbiased * found);
                }
            }
        }
    }

    /// A copy of `network` without gains: gains and running averages are folded into its
    /// weights and biases.
    pub(crate) fn fold(&self, network: &Mlp) -> Mlp {
        let mut folded = network.with_gains(false);
        let epsilon = self.settings.epsilon;
        for (l, layer) in network.layers.iter().enumerate() {
            let to = &folded.layers[l];
            for panel in 0..layer.panels() {
                let gains = &network.params[layer.gains_of(panel)];
                let units = layer.units_of(panel);
                // 0 in the padding, so that the padding of the weights stays 0.
                let mut scale = vec![0.0; layer.width];
                for ((scale, gain), variance) in
                    scale.iter_mut().zip(gains).zip(&self.variance[l][units.clone()])
                {
                    *scale = gain / (variance + epsilon).sqrt();
                }
                for row in folded.params[to.weights_of(panel)].chunks_exact_mut(to.width) {
                    for (weight, scale) in row.iter_mut().zip(&scale) {
                        *weight *= scale;
                    }
                }
                let biases = &mut folded.params[to.biases_of(panel)];
                for ((bias, scale), mean) in biases.iter_mut().zip(&scale).zip(&self.mean[l][units])
                {
                    *bias -= scale * mean;
                }
            }
        }
        folded
    }
}
