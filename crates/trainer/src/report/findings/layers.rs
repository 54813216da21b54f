//! What is to be seen in the layers of a network.

use nn::{Examples, Executor, Fit, Mlp};

use crate::error::Error;
use crate::report::chart::{Bars, histogram};

/// Values of which a distribution is made, at most: more of them would draw the same bars.
const MOST_VALUES: usize = 1 << 20;

/// A layer: how its numbers are distributed, and how many of its units do not learn.
pub(crate) struct LayerFindings {
    pub(crate) units: usize,
    pub(crate) dead: usize,
    pub(crate) saturated: usize,
    pub(crate) weights: Option<Bars>,
    /// Outputs of the units after their activation; of the last layer, the predictions.
    pub(crate) activations: Option<Bars>,
    /// The decimal logarithm of the size of each gradient that is not 0.
    pub(crate) gradients: Option<Bars>,
    /// The share of the gradients that are 0.
    pub(crate) without_gradient: f64,
}

/// The layers of a network, first to last. Activations and gradients are those of the examples;
/// the gradient is that of their mean loss. The examples are no subset of others.
pub(super) fn of(
    network: &Mlp,
    examples: &Examples<'_>,
    executor: &impl Executor,
) -> Result<Vec<LayerFindings>, Error> {
    let health = network.health(examples, executor)?;
    let gradient = Fit::default().gradient(network, examples, 0, executor)?;
    let hidden = network.architecture().hidden.len();
    let inputs = examples.inputs();
    let layers = health.layers.iter().zip(&gradient.layers).enumerate();
    layers
        .map(|(at, (health, (slopes, _)))| {
            let (weights, _) = network.layer(at).unwrap_or_default();
            let is_hidden = at < hidden;
            let outputs =
                if is_hidden { network.hidden(&inputs, at) } else { network.outputs(&inputs) };
            let sizes = slopes.iter().filter(|slope| **slope != 0.0);
            let sizes: Vec<f32> = sizes.map(|slope| slope.abs().log10()).collect();
            let zeros = slopes.len() - sizes.len();
            Ok(LayerFindings {
                units: health.units,
                dead: health.dead,
                saturated: health.saturated,
                weights: bars(&weights, true),
                activations: bars(&outputs?, true),
                gradients: bars(&sizes, false),
                without_gradient: zeros as f64 / slopes.len().max(1) as f64,
            })
        })
        .collect()
}

fn bars(values: &[f32], without_zeros: bool) -> Option<Bars> {
    // An odd step, which does not fall on the same column of every row.
    let every = values.len().div_ceil(MOST_VALUES).max(1) | 1;
    histogram(values.iter().step_by(every).map(|value| f64::from(*value)), without_zeros)
}
