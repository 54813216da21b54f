//! The simplest correct network, in `f64`: the oracle of the tests, and the mathematics of
//! this crate in one file.
//!
//! It computes one sample, one unit and one weight at a time. It shares no code with the fast
//! path.

use crate::{Activation, BatchNorm, Head};

/// A dense layer: `weights[unit][input]` and `biases[unit]`.
///
/// [`Network`] has an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// One row per unit; with maxout, the first pieces of all units, then the second pieces,
    /// and so on.
    pub weights: Vec<Vec<f64>>,
    /// One per unit.
    pub biases: Vec<f64>,
    /// One per unit; used only with batch normalisation.
    pub gains: Vec<f64>,
}

/// A network of dense layers with one activation between them.
///
/// ```
/// use nn::Activation;
/// use nn::reference::{Draws, Layer, Network};
/// let layer =
///     Layer { weights: vec![vec![1.0], vec![-1.0]], biases: vec![0.0; 2], gains: vec![1.0; 2] };
/// let network =
///     Network { layers: vec![layer], activation: Activation::Tanh, batch_norm: None };
/// assert_eq!(network.logits(&[3.0]), [3.0, -3.0]);
/// // For an input of 0 both classes have the probability ½.
/// assert_eq!(network.loss(&[0.0], 1, &Draws::default()), 2f64.ln());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// First to last; the last is the output layer.
    pub layers: Vec<Layer>,
    /// The activation of all layers except the last.
    pub activation: Activation,
    /// Normalises z of each layer: the inputs of the activations, and the logits.
    pub batch_norm: Option<BatchNorm>,
}

/// The random numbers of one sample; empty where there are none.
///
/// ```
/// # use nn::Activation;
/// # use nn::reference::{Draws, Layer, Network, Weights};
/// # let layer =
/// #     Layer { weights: vec![vec![1.0], vec![-1.0]], biases: vec![0.0; 2], gains: vec![1.0; 2] };
/// # let network =
/// #     Network { layers: vec![layer], activation: Activation::Tanh, batch_norm: None };
/// // Dropout drops the only input, so the network sees 0.
/// let draws = Draws { masks: vec![vec![0.0]], ..Draws::default() };
/// assert_eq!(network.loss(&[3.0], 0, &draws), network.loss(&[0.0], 0, &Draws::default()));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draws {
    /// Factors of dropout: `masks[0]` for the inputs, `masks[l]` for the units of
    /// hidden layer l.
    pub masks: Vec<Vec<f64>>,
    /// Noise: `noise[0]` is added to the inputs, `noise[l]` to z of layer l (from 1), so the
    /// last one to the logits.
    pub noise: Vec<Vec<f64>>,
}

/// Label smoothing and weights in the loss of a batch. An empty list means weights of 1.
///
/// ```
/// # use nn::Activation;
/// # use nn::reference::{Draws, Layer, Network, Weights};
/// # let layer =
/// #     Layer { weights: vec![vec![1.0], vec![-1.0]], biases: vec![0.0; 2], gains: vec![1.0; 2] };
/// # let network =
/// #     Network { layers: vec![layer], activation: Activation::Tanh, batch_norm: None };
/// // The second sample has a weight of 0.
/// let (xs, draws) = ([vec![3.0], vec![0.5]], [Draws::default(), Draws::default()]);
/// let weights = Weights { samples: vec![2.0, 0.0], ..Weights::default() };
/// let loss = network.weighted_loss(&xs, &[0, 1], &draws, &weights);
/// assert!((loss - network.loss(&xs[0], 0, &draws[0])).abs() < 1e-12);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    /// ε of label smoothing.
    pub smoothing: f64,
    /// One per class.
    pub classes: Vec<f64>,
    /// One per sample.
    pub samples: Vec<f64>,
}

/// What a network should predict for one sample.
///
/// ```
/// # use nn::{Activation, Head};
/// # use nn::reference::{Draws, Layer, Network, Target, Weights};
/// # let layer =
/// #     Layer { weights: vec![vec![1.0], vec![-1.0]], biases: vec![0.0; 2], gains: vec![1.0; 2] };
/// # let network =
/// #     Network { layers: vec![layer], activation: Activation::Tanh, batch_norm: None };
/// // The outputs are 3 and −3: the errors are 1 and −2.
/// let (xs, targets) = ([vec![3.0]], [Target::Values(vec![2.0, -1.0])]);
/// let (draws, weights) = ([Draws::default()], Weights::default());
/// let loss = network.head_loss(Head::Squared, &xs, &targets, &draws, &weights);
/// assert_eq!(loss, (1.0 + 4.0) / 2.0);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// The index of a class.
    Class(usize),
    /// A value for each output.
    Values(Vec<f64>),
}

/// The loss of one sample's outputs, with label smoothing and class weights.
fn loss_of(head: Head, outputs: &[f64], target: &Target, weights: &Weights) -> f64 {
    let mean = |of: &dyn Fn(f64, f64) -> f64, targets: &[f64]| {
        outputs.iter().zip(targets).map(|(y, t)| of(*y, *t)).sum::<f64>() / outputs.len() as f64
    };
    match (head, target) {
        (Head::Softmax, Target::Class(label)) => cross_entropy(outputs, *label, weights),
        // Softmax of two classes, whose logits are 0 and z.
        (Head::Logistic, Target::Class(label)) => {
            cross_entropy(&[0.0, outputs[0]], *label, weights)
        }
        (Head::Squared, Target::Values(targets)) => mean(&|y, t| (y - t).powi(2), targets),
        (Head::Huber { delta }, Target::Values(targets)) => {
            let delta = f64::from(delta);
            let huber = |error: f64| {
                if error.abs() <= delta {
                    error * error / 2.0
                } else {
                    delta * (error.abs() - delta / 2.0)
                }
            };
            mean(&|y, t| huber(y - t), targets)
        }
        (Head::Multilabel, Target::Values(targets)) => mean(
            &|z, t| {
                let p = 1.0 / (1.0 + (-z).exp());
                if t == 1.0 { -p.ln() } else { -(1.0 - p).ln() }
            },
            targets,
        ),
        (_, target) => panic!("a target {target:?} for the head {head}"),
    }
}

/// `Σₖ −cₖ·tₖ·ln sₖ`, where s is softmax, tₖ = `(1 − ε)·[k = y] + ε/K` is the target of class
/// k, and cₖ is its weight.
fn cross_entropy(logits: &[f64], label: usize, weights: &Weights) -> f64 {
    let s = softmax(logits);
    let mut sum = 0.0;
    for (k, s_k) in s.iter().enumerate() {
        let class = if weights.classes.is_empty() { 1.0 } else { weights.classes[k] };
        let mut target = weights.smoothing / s.len() as f64;
        if k == label {
            target += 1.0 - weights.smoothing;
        }
        if target > 0.0 {
            sum -= class * target * s_k.ln();
        }
    }
    sum
}

/// f(z) and f′(z).
fn activate(activation: Activation, z: f64) -> (f64, f64) {
    match activation {
        Activation::Tanh => (z.tanh(), 1.0 - z.tanh() * z.tanh()),
        Activation::Sigmoid => {
            let f = 1.0 / (1.0 + (-z).exp());
            (f, f * (1.0 - f))
        }
        Activation::Relu => (z.max(0.0), if z > 0.0 { 1.0 } else { 0.0 }),
        Activation::LeakyRelu { slope } => {
            let slope = if z > 0.0 { 1.0 } else { f64::from(slope) };
            (slope * z, slope)
        }
        Activation::Elu { alpha } => {
            let alpha = f64::from(alpha);
            if z > 0.0 { (z, 1.0) } else { (alpha * z.exp_m1(), alpha * z.exp()) }
        }
        Activation::Gelu => {
            let below = normal_distribution(z);
            let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
            (z * below, below + z * density)
        }
        Activation::Silu => {
            let sigmoid = 1.0 / (1.0 + (-z).exp());
            (z * sigmoid, sigmoid * (1.0 + z * (1.0 - sigmoid)))
        }
        Activation::Maxout { .. } => (z, 1.0),
    }
}

/// Φ(z) = ½ + φ(z)·(z + z³/3 + z⁵/(3·5) + …) (Marsaglia 2004). For |z| above 9 it returns 0
/// or 1, which differ from Φ(z) by less than 10⁻¹⁸.
fn normal_distribution(z: f64) -> f64 {
    if z.abs() > 9.0 {
        return if z > 0.0 { 1.0 } else { 0.0 };
    }
    let (mut term, mut sum, mut i) = (z, z, 1.0);
    while term.abs() > 1e-18 {
        i += 2.0;
        term *= z * z / i;
        sum += term;
    }
    0.5 + sum * (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// The indices in z of the pieces of unit `unit`.
fn pieces(activation: Activation, z: &[f64], unit: usize) -> impl Iterator<Item = usize> + use<> {
    (unit..z.len()).step_by(z.len() / activation.pieces())
}

/// The index in z of the largest piece of unit `unit`; the first of equal ones.
fn winner(activation: Activation, z: &[f64], unit: usize) -> usize {
    let largest = |best, piece| if z[piece] > z[best] { piece } else { best };
    pieces(activation, z, unit).fold(unit, largest)
}

/// The values of one sample's forward pass.
struct Trace {
    /// z of each layer.
    z: Vec<Vec<f64>>,
    /// The input of each layer, then the logits.
    a: Vec<Vec<f64>>,
}

impl Network {
    /// Logits of one sample, without batch normalisation.
    #[must_use]
    pub fn logits(&self, x: &[f64]) -> Vec<f64> {
        self.trace(x, &Draws::default()).a.pop().unwrap_or_default()
    }

    /// Outputs of each sample of a batch, before the head's link.
    #[must_use]
    pub fn batch_outputs(&self, xs: &[Vec<f64>], draws: &[Draws]) -> Vec<Vec<f64>> {
        let traces = self.forward(xs, draws).into_iter();
        traces.map(|mut trace| trace.a.pop().unwrap_or_default()).collect()
    }

    /// Cross-entropy of one sample in nats, without batch normalisation.
    #[must_use]
    pub fn loss(&self, x: &[f64], label: usize, draws: &Draws) -> f64 {
        let plain = Self { batch_norm: None, ..self.clone() };
        plain.batch_loss(&[x.to_vec()], &[label], std::slice::from_ref(draws))
    }

    /// Mean cross-entropy of a batch in nats.
    #[must_use]
    pub fn batch_loss(&self, xs: &[Vec<f64>], labels: &[usize], draws: &[Draws]) -> f64 {
        self.weighted_loss(xs, labels, draws, &Weights::default())
    }

    /// Mean cross-entropy of a batch in nats, with label smoothing and weights.
    #[must_use]
    pub fn weighted_loss(
        &self,
        xs: &[Vec<f64>],
        labels: &[usize],
        draws: &[Draws],
        weights: &Weights,
    ) -> f64 {
        let targets: Vec<_> = labels.iter().map(|&label| Target::Class(label)).collect();
        self.head_loss(Head::Softmax, xs, &targets, draws, weights)
    }

    /// Mean loss of a batch for any head: `Σ w·loss / Σ w·c`, where w is the weight of a sample
    /// and c is the weight of its class.
    ///
    /// # Panics
    /// If a target does not have the form that the head takes.
    #[must_use]
    pub fn head_loss(
        &self,
        head: Head,
        xs: &[Vec<f64>],
        targets: &[Target],
        draws: &[Draws],
        weights: &Weights,
    ) -> f64 {
        let one = |list: &[f64], i: usize| if list.is_empty() { 1.0 } else { list[i] };
        let (mut sum, mut total) = (0.0, 0.0);
        for (i, (outputs, target)) in self.batch_outputs(xs, draws).iter().zip(targets).enumerate()
        {
            let w = one(&weights.samples, i);
            sum += w * loss_of(head, outputs, target, weights);
            total += match target {
                Target::Class(label) => w * one(&weights.classes, *label),
                Target::Values(_) => w,
            };
        }
        sum / total
    }

    /// `l1·‖W‖₁ + ½·l2·‖W‖²`.
    #[must_use]
    pub fn penalty(&self, l1: f64, l2: f64) -> f64 {
        let weights = self.layers.iter().flat_map(|layer| layer.weights.iter().flatten());
        weights.map(|w| l1 * w.abs() + 0.5 * l2 * w * w).sum()
    }

    fn trace(&self, x: &[f64], draws: &Draws) -> Trace {
        let plain = Self { batch_norm: None, ..self.clone() };
        plain.forward(&[x.to_vec()], std::slice::from_ref(draws)).remove(0)
    }

    /// The forward pass of a batch, layer by layer.
    fn forward(&self, xs: &[Vec<f64>], draws: &[Draws]) -> Vec<Trace> {
        let start = |(x, draws): (&Vec<f64>, &Draws)| {
            let x = masked(x.clone(), draws.masks.first());
            Trace { z: Vec::new(), a: vec![plus(x, draws.noise.first())] }
        };
        let mut traces: Vec<Trace> = xs.iter().zip(draws).map(start).collect();
        for (l, layer) in self.layers.iter().enumerate() {
            let mut us: Vec<Vec<f64>> = traces.iter().map(|trace| layer.map(&trace.a[l])).collect();
            if let Some(norm) = self.batch_norm {
                for shard in us.chunks_mut(norm.rows) {
                    normalise(shard, norm.epsilon.into());
                }
            }
            for ((trace, draws), u) in traces.iter_mut().zip(draws).zip(us) {
                let mut z = plus(u, draws.noise.get(l + 1));
                for (unit, z) in z.iter_mut().enumerate() {
                    if self.batch_norm.is_some() {
                        *z *= layer.gains[unit];
                    }
                    *z += layer.biases[unit];
                }
                let a = if l + 1 < self.layers.len() {
                    let units = 0..z.len() / self.activation.pieces();
                    let largest = units.map(|unit| z[winner(self.activation, &z, unit)]);
                    let h = largest.map(|z| activate(self.activation, z).0).collect();
                    masked(h, draws.masks.get(l + 1))
                } else {
                    z.clone()
                };
                trace.z.push(z);
                trace.a.push(a);
            }
        }
        traces
    }

    /// Gradient of one sample's cross-entropy with respect to every parameter,
    /// without batch normalisation.
    #[must_use]
    pub fn gradient(&self, x: &[f64], label: usize, draws: &Draws) -> Vec<Layer> {
        let Trace { z, a } = self.trace(x, draws);
        // dz of the output layer: softmax minus one-hot.
        let mut dz = softmax(&a[a.len() - 1]);
        dz[label] -= 1.0;
        let mut gradient = Vec::new();
        for l in (0..self.layers.len()).rev() {
            let x = &a[l];
            let weights = dz.iter().map(|dz| x.iter().map(|x| dz * x).collect()).collect();
            gradient.insert(0, Layer { weights, biases: dz.clone(), gains: Vec::new() });
            if l > 0 {
                let mut da = vec![0.0; x.len()];
                for (unit, dz) in dz.iter().enumerate() {
                    for (input, da) in da.iter_mut().enumerate() {
                        *da += self.layers[l].weights[unit][input] * dz;
                    }
                }
                let da = masked(da, draws.masks.get(l));
                let z = &z[l - 1];
                dz = vec![0.0; z.len()];
                for (unit, da) in da.iter().enumerate() {
                    let piece = winner(self.activation, z, unit);
                    dz[piece] = da * activate(self.activation, z[piece]).1;
                }
            }
        }
        gradient
    }
}

impl Layer {
    /// `W·x`.
    fn map(&self, x: &[f64]) -> Vec<f64> {
        let unit = |row: &Vec<f64>| row.iter().zip(x).map(|(w, x)| w * x).sum();
        self.weights.iter().map(unit).collect()
    }
}

/// Normalises each unit to a mean of 0 and a variance of 1 over the samples.
fn normalise(us: &mut [Vec<f64>], epsilon: f64) {
    let count = us.len() as f64;
    for unit in 0..us[0].len() {
        let mean = us.iter().map(|u| u[unit]).sum::<f64>() / count;
        let variance = us.iter().map(|u| (u[unit] - mean).powi(2)).sum::<f64>() / count;
        for u in us.iter_mut() {
            u[unit] = (u[unit] - mean) / (variance + epsilon).sqrt();
        }
    }
}

fn masked(mut values: Vec<f64>, mask: Option<&Vec<f64>>) -> Vec<f64> {
    for (value, factor) in values.iter_mut().zip(mask.into_iter().flatten()) {
        *value *= factor;
    }
    values
}

fn plus(mut values: Vec<f64>, noise: Option<&Vec<f64>>) -> Vec<f64> {
    for (value, noise) in values.iter_mut().zip(noise.into_iter().flatten()) {
        *value += noise;
    }
    values
}

fn softmax(z: &[f64]) -> Vec<f64> {
    let max = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let e: Vec<f64> = z.iter().map(|z| (z - max).exp()).collect();
    let sum: f64 = e.iter().sum();
    e.iter().map(|e| e / sum).collect()
}
