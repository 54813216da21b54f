//! The plainest correct network, in `f64`: the oracle of the tests, and the
//! mathematics of this crate in one page.
//!
//! One sample at a time, one unit at a time, one weight at a time. It shares no
//! code with the fast path.

use crate::Activation;

/// A dense layer: `weights[unit][input]` and `biases[unit]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// A row a unit.
    pub weights: Vec<Vec<f64>>,
    /// One a unit.
    pub biases: Vec<f64>,
}

/// A network of dense layers with one activation between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// First to last; the last is the output layer.
    pub layers: Vec<Layer>,
    /// Of all layers but the last.
    pub activation: Activation,
}

/// Dropout factors of one sample: `masks[0]` for the inputs, `masks[l]` for the
/// units of hidden layer l. Empty where nothing is dropped.
pub type Masks = Vec<Vec<f64>>;

/// f(z) and f′(z).
fn activate(activation: Activation, z: f64) -> (f64, f64) {
    match activation {
        Activation::Tanh => (z.tanh(), 1.0 - z.tanh() * z.tanh()),
        Activation::Sigmoid => {
            let f = 1.0 / (1.0 + (-z).exp());
            (f, f * (1.0 - f))
        }
        Activation::Relu => (z.max(0.0), if z > 0.0 { 1.0 } else { 0.0 }),
    }
}

impl Network {
    /// Logits of one sample.
    #[must_use]
    pub fn logits(&self, x: &[f64]) -> Vec<f64> {
        let (_, a) = self.forward(x, &Masks::new());
        a.last().cloned().unwrap_or_default()
    }

    /// Cross-entropy of one sample in nats.
    #[must_use]
    pub fn loss(&self, x: &[f64], label: usize, masks: &Masks) -> f64 {
        let (_, a) = self.forward(x, masks);
        -softmax(&a[a.len() - 1])[label].ln()
    }

    /// `½·λ·‖W‖²`.
    #[must_use]
    pub fn penalty(&self, l2: f64) -> f64 {
        let weights = self.layers.iter().flat_map(|layer| layer.weights.iter().flatten());
        0.5 * l2 * weights.map(|w| w * w).sum::<f64>()
    }

    /// z of each layer, and a of each layer with the input (after its dropout)
    /// first; the last a is the logits.
    fn forward(&self, x: &[f64], masks: &Masks) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
        let mut zs: Vec<Vec<f64>> = Vec::new();
        let mut activations = vec![masked(x.to_vec(), masks.first())];
        for (l, layer) in self.layers.iter().enumerate() {
            let x = &activations[l];
            let mut z = layer.biases.clone();
            for (unit, z) in z.iter_mut().enumerate() {
                for (input, x) in x.iter().enumerate() {
                    *z += layer.weights[unit][input] * x;
                }
            }
            let a = if l + 1 < self.layers.len() {
                let a = z.iter().map(|&z| activate(self.activation, z).0).collect();
                masked(a, masks.get(l + 1))
            } else {
                z.clone()
            };
            zs.push(z);
            activations.push(a);
        }
        (zs, activations)
    }

    /// Gradient of one sample's cross-entropy with respect to every parameter.
    #[must_use]
    pub fn gradient(&self, x: &[f64], label: usize, masks: &Masks) -> Vec<Layer> {
        let (zs, activations) = self.forward(x, masks);
        // dz of the output layer: softmax minus one-hot.
        let mut dz = softmax(&activations[activations.len() - 1]);
        dz[label] -= 1.0;
        let mut gradient = Vec::new();
        for l in (0..self.layers.len()).rev() {
            let x = &activations[l];
            let weights = dz.iter().map(|dz| x.iter().map(|x| dz * x).collect()).collect();
            gradient.insert(0, Layer { weights, biases: dz.clone() });
            if l > 0 {
                let mut da = vec![0.0; x.len()];
                for (unit, dz) in dz.iter().enumerate() {
                    for (input, da) in da.iter_mut().enumerate() {
                        *da += self.layers[l].weights[unit][input] * dz;
                    }
                }
                let da = masked(da, masks.get(l));
                let slopes = zs[l - 1].iter().map(|&z| activate(self.activation, z).1);
                dz = da.iter().zip(slopes).map(|(da, slope)| da * slope).collect();
            }
        }
        gradient
    }
}

fn masked(mut values: Vec<f64>, mask: Option<&Vec<f64>>) -> Vec<f64> {
    for (value, factor) in values.iter_mut().zip(mask.into_iter().flatten()) {
        *value *= factor;
    }
    values
}

fn softmax(z: &[f64]) -> Vec<f64> {
    let max = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let e: Vec<f64> = z.iter().map(|z| (z - max).exp()).collect();
    let sum: f64 = e.iter().sum();
    e.iter().map(|e| e / sum).collect()
}
