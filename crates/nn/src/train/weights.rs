//! The weights of a run, to be compared with those of a later step.

use super::run::Run;
use crate::Mlp;

/// The weights of each layer after some step of a [`Run`], as steps change them: not averaged,
/// and batch normalisation not folded in.
///
/// ```
/// # use nn::*;
/// # use std::ops::ControlFlow;
/// # let x = [0., 0., 0., 1., 1., 0., 1., 1.];
/// # let y = [0u8, 1, 1, 0];
/// # let shape =
/// #     Architecture { inputs: 2, hidden: vec![8], outputs: 2, activation: Activation::Tanh };
/// # let network = Mlp::new(shape, Init::Xavier, 1)?;
/// let examples = Examples::new(Inputs::new(&x, 2)?, &y)?;
/// let fit = Fit { epochs: 2, lr: 0.01, ..Fit::default() };
/// let mut run = Run::new(network, &fit, examples, None)?;
/// let before = run.weights();
/// run.train(&Sequential, |_: &EpochReport| ControlFlow::Break(()))?;
/// let changes = run.weights().changes(&before);
/// assert!(changes.len() == 2 && changes.iter().all(|change| (1e-5..0.1).contains(change)));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Weights {
    /// Without biases.
    layers: Vec<Vec<f32>>,
}

impl Weights {
    fn of(network: &Mlp) -> Self {
        let layers = network.layers.iter();
        Self { layers: layers.map(|dense| crate::net::unpack(dense, &network.params).0).collect() }
    }

    /// For each layer, first to last, how far its weights are from those of an earlier step of
    /// the same run: `‖W − W₀‖ / ‖W₀‖` by Euclidean norms. A layer whose weights were all 0
    /// gives an infinite change, or 0.
    #[must_use]
    pub fn changes(&self, before: &Self) -> Vec<f64> {
        let change = |(now, before): (&Vec<f32>, &Vec<f32>)| {
            let (mut moved, mut size) = (0.0, 0.0);
            for (now, before) in now.iter().zip(before) {
                let (now, before) = (f64::from(*now), f64::from(*before));
                moved += (now - before).powi(2);
                size += before.powi(2);
            }
            if moved == 0.0 { 0.0 } else { (moved / size).sqrt() }
        };
        self.layers.iter().zip(&before.layers).map(change).collect()
    }
}

impl Run<'_> {
    /// A copy of the weights after the last step, to be compared with those of a later one.
    #[must_use]
    pub fn weights(&self) -> Weights {
        Weights::of(self.state.session.trained())
    }

    /// A copy of the network after the last step, ready to predict, also where early stopping
    /// would return an earlier one. With an average of the weights, it is the average.
    #[must_use]
    pub fn latest(&self) -> Mlp {
        self.state.session.network()
    }
}
