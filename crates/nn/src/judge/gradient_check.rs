//! Gradient check: compares the gradient of a network with central differences.

use super::reference::{Draws, Layer, Network, Target, Weights};
use crate::head::Objective;
use crate::{BatchNorm, Dropout, Error, Examples, Fit, Mlp, Noise, Sequential, Targets};

/// The difference between the gradient and the slope of the loss.
///
/// [`Mlp::check_gradient`] has an example.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct GradientCheck {
    /// Number of parameters that were checked.
    pub checked: usize,
    /// The largest difference between a derivative and the measured slope, relative to the
    /// largest slope that was measured in the same layer.
    pub largest_error: f64,
    /// The layer (from 0) with the largest error.
    pub layer: usize,
    /// Absolute difference between the losses that training and the reference compute.
    pub loss_error: f64,
}

impl Mlp {
    /// Compares the gradient of the mean loss over the examples, as training computes it,
    /// with central differences `(C(w + h) − C(w − h)) / 2h`, where `h = 10⁻⁶` and
    /// the loss `C` is computed in `f64`, one sample and one weight at a time. The check uses the
    /// network's head, the examples' weights, and `fit`'s batch normalisation, label smoothing
    /// and class weights.
    ///
    /// At most `parameters` parameters of each layer are checked, spread evenly over its
    /// weights and biases. Each needs two slow passes over the examples. Rounding gives errors
    /// of about 10⁻⁶. If the activation has a kink, such as ReLU at 0, and the difference
    /// crosses it, then the measured slope is neither that of the left nor that of the right
    /// side. So a larger error may mean nothing there; try other examples.
    ///
    /// # Errors
    /// [`Error::Zero`] where `parameters` is 0; examples that do not fit the
    /// network; hyperparameters out of range.
    ///
    /// ```
    /// use nn::{Activation, Architecture, Examples, Fit, Init, Inputs, Mlp};
    /// let shape =
    ///     Architecture { inputs: 3, hidden: vec![4], outputs: 2, activation: Activation::Gelu };
    /// let network = Mlp::new(shape, Init::Xavier, 1)?;
    /// let examples = Examples::new(Inputs::new(&[0.5, -1.0, 0.25], 3)?, &[1u8])?;
    /// let check = network.check_gradient(&examples, &Fit::default(), usize::MAX)?;
    /// assert_eq!(check.checked, 4 * 4 + 5 * 2);
    /// assert!(check.largest_error < 1e-5);
    /// # Ok::<(), nn::Error>(())
    /// ```
    pub fn check_gradient(
        &self,
        examples: &Examples<'_>,
        fit: &Fit,
        parameters: usize,
    ) -> Result<GradientCheck, Error> {
        if parameters == 0 {
            return Err(Error::Zero { what: "number of parameters to check".into() });
        }
        let (dropout, noise) = (Dropout::default(), Noise::default());
        let fit = Fit { dropout, noise, frozen: 0, ..fit.clone() };
        let found = fit.gradient(self, examples, 0, &Sequential)?;

        let mut plain = self.reference(fit.batch_norm);
        let head = self.head();
        let classes = Objective::new(head, &fit, examples, self.architecture().outputs)?;
        let width = self.architecture().inputs;
        let (mut xs, mut targets, mut samples) = (Vec::new(), Vec::new(), Vec::new());
        let mut row = vec![0.0; width];
        for position in 0..examples.len() {
            examples.copy_row(self.isa, position, self.pixel_scale(), &mut row);
            xs.push(wide(&row));
            targets.push(match examples.targets() {
                Targets::Classes(_) => Target::Class(examples.label(position)),
                Targets::Values(_) => Target::Values(wide(examples.values(position))),
            });
            samples.push(examples.weight(position));
        }
        let (smoothing, classes) = (fit.label_smoothing.into(), classes.into_classes());
        let counts = Weights { smoothing, classes, samples };
        let draws = vec![Draws::default(); xs.len()];
        let loss = plain.head_loss(head, &xs, &targets, &draws, &counts);

        let loss_error = (loss - found.loss).abs();
        let mut check = GradientCheck { checked: 0, largest_error: 0.0, layer: 0, loss_error };
        for (l, (weights, biases)) in found.layers.iter().enumerate() {
            let count = weights.len() + biases.len();
            let (mut difference, mut scale) = (0.0f64, 0.0f64);
            for at in (0..count).step_by(count.div_ceil(parameters)) {
                let mut loss_at = |offset: f64| {
                    let value = parameter(&mut plain.layers[l], at);
                    let before = *value;
                    *value += offset;
                    let loss = plain.head_loss(head, &xs, &targets, &draws, &counts);
                    *parameter(&mut plain.layers[l], at) = before;
                    loss
                };
                const STEP: f64 = 1e-6;
                let slope = (loss_at(STEP) - loss_at(-STEP)) / (2.0 * STEP);
                let derivative = weights.get(at).unwrap_or_else(|| &biases[at - weights.len()]);
                let error = (f64::from(*derivative) - slope).abs();
                // `max` ignores NaN.
                difference = difference.max(if error.is_nan() { f64::INFINITY } else { error });
                scale = scale.max(slope.abs());
                check.checked += 1;
            }
            let error = if difference == 0.0 { 0.0 } else { difference / scale };
            if error > check.largest_error {
                (check.largest_error, check.layer) = (error, l);
            }
        }
        Ok(check)
    }

    /// The network in the form of the reference, with gains of 1.
    fn reference(&self, batch_norm: Option<BatchNorm>) -> Network {
        let layers = self.layers.iter().map(|dense| {
            let (weights, biases) = crate::net::unpack(dense, &self.params);
            Layer {
                weights: weights.chunks_exact(dense.inputs).map(wide).collect(),
                biases: wide(&biases),
                gains: vec![1.0; dense.units],
            }
        });
        Network { layers: layers.collect(), activation: self.architecture().activation, batch_norm }
    }
}

/// Converts values to `f64`.
fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// Parameter `at` of a layer: the weights come first, row by row, then the biases.
fn parameter(layer: &mut Layer, at: usize) -> &mut f64 {
    let (units, inputs) = (layer.weights.len(), layer.weights[0].len());
    match at.checked_sub(units * inputs) {
        None => &mut layer.weights[at / inputs][at % inputs],
        Some(unit) => &mut layer.biases[unit],
    }
}
