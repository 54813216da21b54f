//! The network: an architecture and its parameters.

use std::collections::HashMap;

use kernels::{AlignedBuf, Isa};
use serde::{Deserialize, Serialize};

use super::dense::{Dense, Layer};
use crate::{
    Activation, Error, Examples, Head, Init, Inputs, Predictor, Preparation, Sequential, memory,
};

/// The factor that turns a byte into a feature, unless the network has another.
pub(crate) const PIXEL_SCALE: f32 = 1.0 / 255.0;

/// Shape of a network: its inputs, hidden layers, outputs and activation.
///
/// ```
/// use nn::{Activation, Architecture};
/// // Four features, two hidden layers and three classes: three layers of weights.
/// let shape =
///     Architecture { inputs: 4, hidden: vec![16, 8], outputs: 3, activation: Activation::Relu };
/// assert_eq!(shape.layers(), [4, 16, 8, 3]);
/// assert_eq!(shape.parameters(), 5 * 16 + 17 * 8 + 9 * 3);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// Number of features per sample.
    pub inputs: usize,
    /// Units of each hidden layer, first to last; empty for a linear model.
    pub hidden: Vec<usize>,
    /// Number of outputs; with softmax, the number of classes.
    pub outputs: usize,
    /// Activation of the hidden layers.
    pub activation: Activation,
}

impl Architecture {
    /// Units of every layer, inputs first: `[784, 30, 10]`.
    #[must_use]
    pub fn layers(&self) -> Vec<usize> {
        let ends = [self.inputs, self.outputs];
        [&ends[..1], &self.hidden, &ends[1..]].concat()
    }

    /// Inputs and outputs of each layer's affine map. A maxout unit has several outputs of
    /// the map, its pieces.
    pub(crate) fn maps(&self) -> Vec<(usize, usize)> {
        let layers = self.layers();
        let last = layers.len() - 2;
        let pieces = |l| if l < last { self.activation.pieces() } else { 1 };
        let pairs = layers.windows(2).enumerate();
        pairs.map(|(l, pair)| (pair[0], pair[1].saturating_mul(pieces(l)))).collect()
    }

    /// Number of weights and biases.
    ///
    /// ```
    /// use nn::{Activation, Architecture};
    /// let article = Architecture {
    ///     inputs: 784,
    ///     hidden: vec![30],
    ///     outputs: 10,
    ///     activation: Activation::Tanh,
    /// };
    /// assert_eq!(article.parameters(), 785 * 30 + 31 * 10);
    /// ```
    #[must_use]
    pub fn parameters(&self) -> usize {
        let counts = self.maps().into_iter().map(|(x, z)| z.saturating_mul(x.saturating_add(1)));
        counts.fold(0, usize::saturating_add)
    }

    /// Floating-point operations to train on one sample. Each weight costs a multiplication
    /// and an addition in the forward pass, in its own gradient, and in the gradient of the
    /// layer's input. The first layer does not need the last of these.
    #[must_use]
    pub fn training_flops(&self) -> u64 {
        let maps = self.maps();
        let weights = |&(x, z): &(usize, usize)| (x as u64).saturating_mul(z as u64);
        let all = maps.iter().map(weights).fold(0, u64::saturating_add);
        all.saturating_mul(6) - weights(&maps[0]).saturating_mul(2)
    }

    pub(crate) fn validate(&self) -> Result<(), Error> {
        self.activation.validate()?;
        let layers = self.layers();
        if let Some(l) = layers.iter().position(|&units| units == 0) {
            let what = match l {
                0 => "inputs of the network".to_owned(),
                _ if l + 1 == layers.len() => "outputs of the network".to_owned(),
                _ => format!("units of hidden layer {l}"),
            };
            return Err(Error::Zero { what });
        }
        // Storage is padded to multiples of 16 in both dimensions; 2⁴⁰ parameters are 4 TiB.
        let padded = self.maps().into_iter().map(|(inputs, units)| {
            let (inputs, units) = (inputs as u128 + 32, units as u128 + 16);
            inputs.saturating_mul(units)
        });
        if padded.fold(0, u128::saturating_add) >= 1 << 40 {
            return Err(Error::TooLarge { layers });
        }
        Ok(())
    }
}

/// A multilayer perceptron: dense layers with an activation between them, and a [`Head`]
/// after the last. The head is softmax unless set.
///
/// ```
/// use nn::{Activation, Architecture, Examples, Fit, Init, Inputs, Mlp, Sequential};
///
/// // Exclusive or: four samples of two features.
/// let x = [0., 0., 0., 1., 1., 0., 1., 1.];
/// let y = [0u8, 1, 1, 0];
/// let examples = Examples::new(Inputs::new(&x, 2)?, &y[..])?;
///
/// let shape =
///     Architecture { inputs: 2, hidden: vec![8], outputs: 2, activation: Activation::Tanh };
/// let mut network = Mlp::new(shape, Init::Xavier, 1)?;
/// let fit = Fit { epochs: 300, batch_size: 4, lr: 0.5, ..Fit::default() };
/// fit.train(&mut network, &examples, None, &Sequential)?;
/// assert_eq!(network.predict(&examples.inputs())?, [0, 1, 1, 0]);
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone)]
pub struct Mlp {
    architecture: Architecture,
    pub(crate) isa: Isa,
    pub(crate) layers: Vec<Dense>,
    /// All weights and biases, in the order that [`Dense`] describes.
    pub(crate) params: AlignedBuf,
    head: Head,
    pixel_scale: f32,
    /// One per class, or per output where the head has no classes; or empty.
    class_names: Vec<String>,
    preparation: Option<Preparation>,
}

impl Mlp {
    /// A network with random weights, which depend only on architecture, `init` and `seed`.
    ///
    /// # Errors
    /// [`Error::Zero`] and [`Error::TooLarge`] for invalid sizes, [`Error::Memory`] where
    /// there is too little, [`Error::OutOfRange`] for the activation's parameter, and [`Error::Isa`] where the environment selects an
    /// instruction set that the CPU lacks.
    pub fn new(architecture: Architecture, init: Init, seed: u64) -> Result<Self, Error> {
        let mut network = Self::zeros(architecture)?;
        let largest = network.layers.iter().map(|dense| dense.units * dense.inputs).max();
        memory::probe(4 * largest.unwrap_or(0) as u64)?;
        for l in 0..network.layers.len() {
            let Dense { inputs, units, .. } = network.layers[l];
            let (weights, biases) = init.draw(inputs, units, seed, l);
            network.set_layer(l, &weights, &biases)?;
        }
        Ok(network)
    }

    /// A network whose parameters are all 0; [`set_layer`](Self::set_layer) sets them.
    ///
    /// # Errors
    /// As for [`Mlp::new`].
    pub fn zeros(architecture: Architecture) -> Result<Self, Error> {
        architecture.validate()?;
        let layers = Dense::stack(&architecture.layers(), architecture.activation, false);
        let len = layers.last().map_or(0, |layer| layer.range().end);
        Ok(Self {
            architecture,
            isa: Isa::active()?,
            layers,
            params: AlignedBuf::try_zeros(len).ok_or(Error::Memory { bytes: 4 * len as u64 })?,
            head: Head::Softmax,
            pixel_scale: PIXEL_SCALE,
            class_names: Vec::new(),
            preparation: None,
        })
    }

    /// A copy of the network with gains of 1 in its panels, or without gains.
    pub(crate) fn with_gains(&self, gains: bool) -> Self {
        let architecture = self.architecture.clone();
        let layers = Dense::stack(&architecture.layers(), architecture.activation, gains);
        let len = layers.last().map_or(0, |layer| layer.range().end);
        let mut params = AlignedBuf::zeros(len);
        for (from, to) in self.layers.iter().zip(&layers) {
            for panel in 0..to.panels() {
                params[to.weights_of(panel)].copy_from_slice(&self.params[from.weights_of(panel)]);
                params[to.biases_of(panel)].copy_from_slice(&self.params[from.biases_of(panel)]);
                if gains {
                    params[to.gains_of(panel)].fill(1.0);
                }
            }
        }
        let (class_names, preparation) = (self.class_names.clone(), self.preparation.clone());
        Self { architecture, layers, params, class_names, preparation, ..*self }
    }

    /// Layer `l` with its parameters.
    pub(crate) fn dense(&self, l: usize) -> Layer<'_> {
        Layer::new(self.isa, self.layers[l], &self.params)
    }

    /// Shape of the network.
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// What the outputs mean: [`Head::Softmax`] unless set.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// The network with another head. The head is saved with the network.
    ///
    /// # Errors
    /// [`Error::Outputs`] where the head requires another number of outputs,
    /// [`Error::OutOfRange`] for its parameter, and [`Error::Length`] where the number of
    /// class names does not fit the head.
    ///
    /// ```
    /// use nn::{Activation, Architecture, Head, Init, Inputs, Mlp};
    /// let shape =
    ///     Architecture { inputs: 2, hidden: vec![4], outputs: 1, activation: Activation::Relu };
    /// let network = Mlp::new(shape, Init::He, 1)?.with_head(Head::Logistic)?;
    /// let yes = network.outputs(&Inputs::new(&[0.5, -0.5], 2)?)?;
    /// assert!(yes[0] > 0.0 && yes[0] < 1.0);
    /// # Ok::<(), nn::Error>(())
    /// ```
    pub fn with_head(mut self, head: Head) -> Result<Self, Error> {
        head.validate(self.architecture.outputs)?;
        self.head = head;
        let names = std::mem::take(&mut self.class_names);
        self.set_class_names(names)?;
        Ok(self)
    }

    /// The factor that turns a byte into a feature: 1/255 unless set.
    #[must_use]
    pub fn pixel_scale(&self) -> f32 {
        self.pixel_scale
    }

    /// Sets the factor that turns a byte into a feature. It is saved with the network.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where `scale` is not above 0, or `255 * scale` is infinite.
    pub fn set_pixel_scale(&mut self, scale: f32) -> Result<(), Error> {
        if !(scale > 0.0 && (255.0 * scale).is_finite()) {
            return Err(Error::OutOfRange {
                name: "pixel scale",
                found: f64::from(scale),
                expected: "a number above 0 whose product with 255 is finite",
            });
        }
        self.pixel_scale = scale;
        Ok(())
    }

    /// The names of the classes, first to last, if they were set. Where the head has no
    /// classes, they are the names of the outputs.
    #[must_use]
    pub fn class_names(&self) -> Option<&[String]> {
        (!self.class_names.is_empty()).then_some(&self.class_names)
    }

    /// Sets the names of the classes, first to last, or of the outputs where the head has no
    /// classes. They are saved with the network. An empty list removes them.
    ///
    /// # Errors
    /// [`Error::Length`] unless there is exactly one name for each, and [`Error::SameName`]
    /// where two are equal.
    pub fn set_class_names(
        &mut self,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<(), Error> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let expected = self.head.names(self.architecture.outputs);
        let found = names.len();
        if found != expected && found > 0 {
            return Err(Error::Length { what: "list of class names".into(), found, expected });
        }
        let mut seen = HashMap::new();
        for (second, name) in names.iter().enumerate() {
            if let Some(first) = seen.insert(name, second) {
                return Err(Error::SameName { name: name.clone(), first, second });
            }
        }
        self.class_names = names;
        Ok(())
    }

    /// What is done to raw data before this network reads them, if it was set.
    #[must_use]
    pub fn preparation(&self) -> Option<&Preparation> {
        self.preparation.as_ref()
    }

    /// Sets what is done to raw data before this network reads them. It is saved with the
    /// network, for the programs that predict with it; the network does not apply it.
    ///
    /// # Errors
    /// [`Error::PreparationWidth`] where it gives another number of features than the network
    /// takes, and [`Error::Preparation`] for values out of range.
    pub fn set_preparation(&mut self, preparation: Option<Preparation>) -> Result<(), Error> {
        if let Some(preparation) = &preparation {
            preparation.validate()?;
            let expected = self.architecture.inputs;
            if let Some(found) = preparation.width().filter(|found| *found != expected) {
                return Err(Error::PreparationWidth { found, expected });
            }
        }
        self.preparation = preparation;
        Ok(())
    }

    /// Weights (rows × inputs, row-major) and biases (rows) of layer `layer`, from 0; `None`
    /// if there is no such layer.
    ///
    /// There is a row for each unit. A hidden layer of maxout with k pieces has k rows for
    /// each: first those of the first piece of all units, then those of the second.
    #[must_use]
    pub fn layer(&self, layer: usize) -> Option<(Vec<f32>, Vec<f32>)> {
        let dense = self.layers.get(layer)?;
        Some(unpack(dense, &self.params))
    }

    /// For each layer, the share of its weights that are exactly 0, in `[0, 1]`, without
    /// biases. [`Fit::l1`](crate::Fit::l1) increases it.
    #[must_use]
    pub fn sparsity(&self) -> Vec<f64> {
        let share = |dense: &Dense| {
            let (weights, _) = unpack(dense, &self.params);
            weights.iter().filter(|w| **w == 0.0).count() as f64 / weights.len() as f64
        };
        self.layers.iter().map(share).collect()
    }

    /// Sets the weights (rows × inputs, row-major) and biases (rows) of layer `layer`, from 0,
    /// with rows as in [`layer`](Self::layer).
    ///
    /// # Errors
    /// [`Error::Length`] where a slice has another length or there is no such layer;
    /// [`Error::OutOfRange`] for NaN and infinity.
    pub fn set_layer(
        &mut self,
        layer: usize,
        weights: &[f32],
        biases: &[f32],
    ) -> Result<(), Error> {
        let layers = self.layers.len();
        let dense = self.layers.get(layer).ok_or_else(|| Error::Length {
            what: "the network's list of layers".into(),
            found: layers,
            expected: layer.saturating_add(1),
        })?;
        for (name, found, expected) in [
            ("weights", weights.len(), dense.units * dense.inputs),
            ("biases", biases.len(), dense.units),
        ] {
            if found != expected {
                let what = format!("{name} of layer {layer}");
                return Err(Error::Length { what, found, expected });
            }
        }
        if let Some(found) = weights.iter().chain(biases).find(|v| !v.is_finite()) {
            let (name, found) = ("a weight or bias", f64::from(*found));
            return Err(Error::OutOfRange { name, found, expected: "a finite number" });
        }
        for (unit, (row, bias)) in weights.chunks_exact(dense.inputs).zip(biases).enumerate() {
            for (input, weight) in row.iter().enumerate() {
                self.params[dense.weight_at(unit, input)] = *weight;
            }
            self.params[dense.bias_at(unit)] = *bias;
        }
        Ok(())
    }

    /// The most probable class of each sample; the first of equally probable ones.
    ///
    /// # Errors
    /// [`Error::Width`] and [`Error::NotFinite`] for inputs that do not fit,
    /// [`Error::Overflow`] where a number overflows on the way, and [`Error::NoClasses`] where
    /// the head has no classes.
    pub fn predict(&self, inputs: &Inputs<'_>) -> Result<Vec<u32>, Error> {
        let mut classes = vec![0; inputs.len()];
        Predictor::new(self).classes(inputs, &mut classes)?;
        Ok(classes)
    }

    /// The predictions of the head for each sample: probabilities or real values, samples ×
    /// outputs, row-major. A [`Predictor`] computes them without allocating.
    ///
    /// # Errors
    /// [`Error::Width`], [`Error::NotFinite`] and [`Error::Overflow`], as for
    /// [`Mlp::predict`].
    pub fn outputs(&self, inputs: &Inputs<'_>) -> Result<Vec<f32>, Error> {
        let mut outputs = vec![0.0; inputs.len() * self.architecture.outputs];
        Predictor::new(self).outputs(inputs, &mut outputs)?;
        Ok(outputs)
    }

    /// The probabilities that the network predicts: samples × outputs, row-major. With
    /// softmax each row has one probability per class and sums to 1; with a logistic head it
    /// has the probability of class 1, with a multilabel head that of each label. A
    /// [`Predictor`] computes them without allocating.
    ///
    /// # Errors
    /// [`Error::Width`] and [`Error::NotFinite`] for inputs that do not fit,
    /// [`Error::Overflow`] where a number overflows on the way, and [`Error::NoClasses`] where
    /// the head predicts real values.
    pub fn predict_proba(&self, inputs: &Inputs<'_>) -> Result<Vec<f32>, Error> {
        let mut probabilities = vec![0.0; inputs.len() * self.architecture.outputs];
        Predictor::new(self).probabilities(inputs, &mut probabilities)?;
        Ok(probabilities)
    }

    /// Share of the examples that are predicted exactly, in `[0, 1]`; with softmax, whose most
    /// probable class is their label (see [`Evaluation`](crate::Evaluation)).
    ///
    /// # Errors
    /// As for [`Mlp::evaluate`].
    pub fn accuracy(&self, examples: &Examples<'_>) -> Result<f64, Error> {
        Ok(self.evaluate(examples, &Sequential)?.accuracy)
    }
}

impl std::fmt::Debug for Mlp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mlp").field("architecture", &self.architecture).finish_non_exhaustive()
    }
}

/// Weights (units × inputs, row-major) and biases (units) of a layer, copied from a vector
/// in the layout of the parameter vector.
pub(crate) fn unpack(dense: &Dense, params: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let weights = (0..dense.units).flat_map(|unit| dense.row(unit, params)).copied().collect();
    let biases = (0..dense.units).map(|unit| params[dense.bias_at(unit)]).collect();
    (weights, biases)
}
