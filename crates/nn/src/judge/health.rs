//! Health: whether the units of a network still learn.

use kernels::{Isa, MatMut, MatRef};

use crate::{Activation, Error, Examples, Executor, Fit, Mlp};

/// Whether the units and layers of a network can still learn, found on some examples.
///
/// A few hundred examples of the training set are enough: they cost about as much as a step
/// of that batch size. Each layer is judged by the slope f′ of its activation, which is a
/// factor of every gradient that passes a unit, and by its gradient.
///
/// ```
/// use nn::{Activation, Architecture, Examples, Inputs, Mlp, Sequential};
/// let shape =
///     Architecture { inputs: 1, hidden: vec![2], outputs: 2, activation: Activation::Relu };
/// let mut network = Mlp::zeros(shape)?;
/// // For inputs in [0, 1], the second unit is never above 0.
/// network.set_layer(0, &[1.0, 1.0], &[0.0, -2.0])?;
/// let examples = Examples::new(Inputs::new(&[0.5, 1.0], 1)?, &[0u8, 1])?;
/// let health = network.health(&examples, &Sequential)?;
/// assert_eq!((health.layers[0].dead, health.layers[0].units), (1, 2));
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Health {
    /// The layers, first to last. The last one is the output, whose units are neither dead nor
    /// saturated.
    pub layers: Vec<LayerHealth>,
    /// Number of examples.
    pub samples: usize,
}

/// The health of one layer; [`Health`] has an example.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct LayerHealth {
    /// Units of the layer.
    pub units: usize,
    /// Units with `|f′(z)| <` [`Health::DEAD_SLOPE`] on every example. Their incoming weights
    /// hardly change any more: the dead units of ReLU (Maas, Hannun and Ng 2013; Lu et al.
    /// 2019). A maxout unit has a piece of slope 1 on every example, and is never dead.
    pub dead: usize,
    /// Units whose output is within [`Health::SATURATION`] of an end of the activation's range
    /// on more than half of the examples: `|tanh(z)| > 0.99`, or a sigmoid outside
    /// `[0.01, 0.99]` (Glorot and Bengio 2010, section 3). 0 for activations without two ends.
    pub saturated: usize,
    /// `‖∂C/∂W‖ / ‖W‖`, by Euclidean norms, where C is the mean loss of the head and W are the
    /// weights without biases.
    pub gradient: f64,
}

impl Health {
    /// Slope below which a unit counts as dead. It then learns a thousand times more slowly
    /// than a unit of slope 1. The units of leaky ReLU, of slope 0.01, are not dead; ELU is at
    /// this slope for z = −7, GELU at −4 and SiLU at −9.
    pub const DEAD_SLOPE: f32 = 1e-3;

    /// Distance from an end of the range at which an output counts as saturated: tanh then has
    /// 1/50 of its largest slope, and sigmoid 1/25.
    pub const SATURATION: f32 = 0.01;

    /// Ratio of a layer's gradient to that of the last layer below which it vanishes, as it
    /// does where each layer multiplies it by a small slope (Bengio, Simard and Frasconi 1994).
    /// Both gradients are relative to the weights: in the steps of SGD in which the last layer
    /// changes by all of its size, such a layer changes by a ten-thousandth. Networks that
    /// learn have ratios above 1/1000.
    pub const VANISHING: f64 = 1e-4;

    /// Gradient of a layer above which it explodes (Pascanu, Mikolov and Bengio 2013). Even
    /// with a learning rate of 0.001 a step of SGD then changes the weights by more than
    /// their size.
    pub const EXPLODING: f64 = 1e3;

    /// The gradient of each layer, as a multiple of that of the last layer. Where that is 0,
    /// they are NaN or infinite.
    pub fn gradient_ratios(&self) -> impl Iterator<Item = f64> {
        let last = self.layers.last().map_or(0.0, |layer| layer.gradient);
        self.layers.iter().map(move |layer| layer.gradient / last)
    }

    /// The first layer (from 0) whose gradient [vanishes](Self::VANISHING).
    #[must_use]
    pub fn vanishing(&self) -> Option<usize> {
        self.gradient_ratios().position(|ratio| ratio < Self::VANISHING)
    }

    /// The first layer (from 0) whose gradient [explodes](Self::EXPLODING).
    #[must_use]
    pub fn exploding(&self) -> Option<usize> {
        self.layers.iter().position(|layer| layer.gradient > Self::EXPLODING)
    }
}

impl Mlp {
    /// Finds the health of the network on the examples, as they are without augmentation. It
    /// needs memory for the activations of all examples at a time, and for a gradient.
    /// `executor` changes no bit of the result.
    ///
    /// # Errors
    /// As for [`Mlp::evaluate`].
    pub fn health(
        &self,
        examples: &Examples<'_>,
        executor: &impl Executor,
    ) -> Result<Health, Error> {
        let examples = examples.plain();
        // It checks the examples. Its loss is that of the head alone.
        let gradient = Fit::default().gradient(self, &examples, 0, executor)?;
        let (isa, samples) = (self.isa, examples.len());

        let width = self.architecture().inputs;
        let mut x = vec![0.0; samples * width];
        for (position, row) in x.chunks_exact_mut(width).enumerate() {
            examples.copy_row(isa, position, self.pixel_scale(), row);
        }
        let mut layers = Vec::new();
        for (l, (dense, (slopes, _))) in self.layers.iter().zip(&gradient.layers).enumerate() {
            let (mut dead, mut saturated) = (0, 0);
            if let Some(activation) = dense.activation {
                let mut z = vec![0.0; samples * dense.units];
                let affine = MatMut::new(&mut z, samples, dense.units);
                self.dense(l).affine(MatRef::new(&x, samples, dense.inputs), affine);
                x = vec![0.0; samples * dense.outputs()];
                let mut units = Units::new(dense.outputs());
                let rows = z.chunks_exact(dense.units).zip(x.chunks_exact_mut(dense.outputs()));
                for (z, h) in rows {
                    activation.forward(isa, z, h);
                    units.observe(isa, activation, z, h);
                }
                (dead, saturated) = (units.dead(), units.saturated(samples));
            }
            let (weights, _) = crate::net::unpack(dense, &self.params);
            // Weights of 0 would hide a gradient.
            let gradient = norm(slopes) / norm(&weights).max(f64::MIN_POSITIVE);
            layers.push(LayerHealth { units: dense.outputs(), dead, saturated, gradient });
        }
        Ok(Health { layers, samples })
    }
}

/// What was seen of the units of a layer.
struct Units {
    /// Whether some example had a slope at which the unit learns.
    alive: Vec<bool>,
    /// Examples on which the output was at an end of the range.
    at_ends: Vec<usize>,
    /// Memory for the slopes on one example.
    slopes: Vec<f32>,
}

impl Units {
    fn new(units: usize) -> Self {
        Self { alive: vec![false; units], at_ends: vec![0; units], slopes: vec![0.0; units] }
    }

    /// Looks at the units on one example.
    fn observe(&mut self, isa: Isa, activation: Activation, z: &[f32], h: &[f32]) {
        self.slopes.fill(1.0);
        // The largest piece of a maxout unit has slope 1.
        if activation.pieces() == 1 {
            let f = if activation.keeps_z() { z } else { h };
            activation.backward(isa, &mut self.slopes, None, f);
        }
        for (alive, slope) in self.alive.iter_mut().zip(&self.slopes) {
            *alive |= slope.abs() >= Health::DEAD_SLOPE;
        }
        if let Some([low, high]) = activation.ends() {
            for (at_ends, h) in self.at_ends.iter_mut().zip(h) {
                let distance = (h - low).min(high - h);
                *at_ends += usize::from(distance < Health::SATURATION);
            }
        }
    }

    fn dead(&self) -> usize {
        self.alive.iter().filter(|alive| !**alive).count()
    }

    /// Units that were at an end on more than half of the examples.
    fn saturated(&self, samples: usize) -> usize {
        self.at_ends.iter().filter(|at_ends| **at_ends > samples / 2).count()
    }
}

/// The Euclidean norm.
fn norm(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt()
}
