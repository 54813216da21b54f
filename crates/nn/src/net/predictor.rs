//! Prediction: the forward pass over chunks of rows, in memory that is reused.

use kernels::{AlignedBuf, Isa, MatMut, MatRef};

use super::dense::Dense;
use crate::{Error, Inputs, Mlp, math};

/// Predicts with a network repeatedly, in memory that it keeps.
///
/// It computes 128 samples at a time. A call allocates only if it has more samples than
/// every earlier call, and only up to 128: after one call of a size, no call of that size or
/// below allocates. The results have the same bits for any number of samples per call.
///
/// It borrows the network, so that many threads can share a network, each with its own
/// predictor. `logits`, `outputs` and `probabilities` are samples × outputs, row-major;
/// `classes` has one element per sample.
///
/// ```
/// use nn::{Activation, Architecture, Init, Inputs, Mlp, Predictor};
///
/// let shape =
///     Architecture { inputs: 4, hidden: vec![3], outputs: 2, activation: Activation::Tanh };
/// let network = Mlp::new(shape, Init::Xavier, 1)?;
/// let mut predictor = Predictor::new(&network);
/// let mut probabilities = [0.0; 2];
/// for image in [[0, 255, 255, 0], [255, 0, 0, 255]] {
///     predictor.probabilities(&Inputs::pixels(&image, 4)?, &mut probabilities)?;
///     assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-6);
/// }
/// # Ok::<(), nn::Error>(())
/// ```
pub struct Predictor<'a> {
    network: &'a Mlp,
    /// How many layers are computed: all, unless it is hidden units that are wanted.
    depth: usize,
    /// The largest parameter in absolute value, once it is known.
    weight: Option<f32>,
    /// Input of the current layer: rows × inputs.
    x: AlignedBuf,
    /// Output of the current layer: rows × units. For maxout it is still the input of the
    /// activation, which then writes to `x`.
    z: AlignedBuf,
}

impl<'a> Predictor<'a> {
    /// Rows per chunk: enough to reuse each loaded weight, and few enough to stay in the
    /// cache.
    pub(crate) const ROWS: usize = 128;

    /// A predictor that has not allocated memory yet.
    #[must_use]
    pub fn new(network: &'a Mlp) -> Self {
        Self::until(network, network.layers.len())
    }

    /// A predictor that computes the first `depth` layers, at least 1.
    pub(super) fn until(network: &'a Mlp, depth: usize) -> Self {
        Self { network, depth, weight: None, x: AlignedBuf::default(), z: AlignedBuf::default() }
    }

    /// Writes what the last of the layers gives: samples × its units.
    pub(super) fn write(&mut self, inputs: &Inputs<'_>, out: &mut [f32]) -> Result<(), Error> {
        let width = self.width();
        self.chunks(inputs, "list of units", out, width, |_, found, out| {
            out.copy_from_slice(found);
        })
    }

    /// Outputs of the last layer that is computed.
    fn width(&self) -> usize {
        self.network.layers[self.depth - 1].outputs()
    }

    /// Writes the logits: the outputs of the last layer before the head's link, such as
    /// softmax. `logits` is samples × outputs, row-major.
    ///
    /// # Errors
    /// [`Error::Width`] for inputs that do not fit, and [`Error::Length`] where the length of
    /// `logits` is not samples × outputs; nothing is written then. [`Error::NotFinite`] for a
    /// feature that is NaN or infinite, and [`Error::Overflow`] where a number became so on
    /// the way; the results of earlier samples may have been written.
    pub fn logits(&mut self, inputs: &Inputs<'_>, logits: &mut [f32]) -> Result<(), Error> {
        let classes = self.network.architecture().outputs;
        self.chunks(inputs, "list of logits", logits, classes, |_, found, logits| {
            logits.copy_from_slice(found);
        })
    }

    /// Writes the predictions of the head for each sample: probabilities or real values.
    /// `outputs` is samples × outputs, row-major.
    ///
    /// # Errors
    /// As for [`logits`](Self::logits).
    pub fn outputs(&mut self, inputs: &Inputs<'_>, outputs: &mut [f32]) -> Result<(), Error> {
        self.linked(inputs, "list of outputs", outputs)
    }

    /// Writes the probabilities of each sample: samples × outputs, row-major. With softmax
    /// each row has one probability per class and sums to 1; with a logistic head it has the
    /// probability of class 1, with a multilabel head that of each label.
    ///
    /// # Errors
    /// As for [`logits`](Self::logits), and [`Error::NoClasses`] where the head predicts real
    /// values.
    pub fn probabilities(
        &mut self,
        inputs: &Inputs<'_>,
        probabilities: &mut [f32],
    ) -> Result<(), Error> {
        let head = self.network.head();
        if !head.with(|kind| kind.is_exact()) {
            return Err(Error::NoClasses { name: "a probability", head: head.name() });
        }
        self.linked(inputs, "list of probabilities", probabilities)
    }

    fn linked(&mut self, inputs: &Inputs<'_>, what: &str, out: &mut [f32]) -> Result<(), Error> {
        let width = self.network.architecture().outputs;
        self.chunks(inputs, what, out, width, |network, logits, out| {
            out.copy_from_slice(logits);
            let out = MatMut::new(out, logits.len() / width, width);
            network.head().with(|kind| kind.link(network.isa, out));
        })
    }

    /// Writes the most probable class of each sample; the first of equally probable ones.
    /// `classes` has one element per sample.
    ///
    /// # Errors
    /// As for [`logits`](Self::logits), and [`Error::NoClasses`] where the head has no
    /// classes.
    pub fn classes(&mut self, inputs: &Inputs<'_>, classes: &mut [u32]) -> Result<(), Error> {
        let (outputs, head) = (self.network.architecture().outputs, self.network.head());
        if head.with(|kind| kind.classes(outputs)).is_none() {
            return Err(Error::NoClasses { name: "a class", head: head.name() });
        }
        self.chunks(inputs, "list of classes", classes, 1, |network, logits, classes| {
            head.with(|kind| {
                kind.link(network.isa, MatMut::new(logits, classes.len(), outputs));
                for (class, row) in classes.iter_mut().zip(logits.chunks_exact(outputs)) {
                    *class = kind.class(row).unwrap_or_default();
                }
            });
        })
    }

    /// Checks the inputs and computes them in chunks. For each chunk, `write` gets its logits
    /// and its part of `out`, which has `width` elements per sample.
    fn chunks<T>(
        &mut self,
        inputs: &Inputs<'_>,
        what: &str,
        out: &mut [T],
        width: usize,
        write: impl Fn(&Mlp, &mut [f32], &mut [T]),
    ) -> Result<(), Error> {
        let network = self.network;
        inputs.check_width(network.architecture().inputs)?;
        let (found, expected) = (out.len(), inputs.len().saturating_mul(width));
        if found != expected {
            return Err(Error::Length { what: what.into(), found, expected });
        }
        for (chunk, out) in out.chunks_mut(Self::ROWS * width).enumerate() {
            let first = chunk * Self::ROWS;
            let rows = out.len() / width;
            // Checking chunk by chunk leaves the samples in the cache for the first layer.
            let (isa, scale) = (network.isa, network.pixel_scale());
            let largest = Some(inputs.largest(isa, first..first + rows, scale)?);
            let logits = match inputs.rows(first..first + rows) {
                Some(features) => {
                    self.reserve(rows);
                    self.forward(rows, Some(features), largest)
                }
                None => self.run(rows, largest, |i, row| {
                    inputs.copy_row(isa, first + i, scale, row);
                }),
            };
            let logits = logits.map_err(|overflow| overflow.error(|row| first + row))?;
            write(network, logits, out);
        }
        Ok(())
    }

    /// Logits of `rows` rows (rows × outputs), where `rows` is at most [`ROWS`](Self::ROWS).
    /// `input` writes the features of each row, none of them larger than `largest` in
    /// absolute value, where that is known.
    pub(crate) fn run(
        &mut self,
        rows: usize,
        largest: Option<f32>,
        mut input: impl FnMut(usize, &mut [f32]),
    ) -> Result<&mut [f32], Overflow> {
        let width = self.network.architecture().inputs;
        self.reserve(rows);
        for (i, row) in self.x[..rows * width].chunks_exact_mut(width).enumerate() {
            input(i, row);
        }
        self.forward(rows, None, largest)
    }

    /// Makes `x` and `z` large enough for the input and output of each layer.
    fn reserve(&mut self, rows: usize) {
        let layers = self.network.layers.iter();
        let widest = layers.map(|layer| layer.units.max(layer.inputs)).max();
        let len = rows * widest.unwrap_or(0);
        if self.x.len() < len {
            self.x.resize(len);
            self.z.resize(len);
        }
    }

    /// Logits of `rows` rows of `features`, or of `x` if there are none. `x` and `z` are
    /// large enough. No feature is larger than `largest`, where that is known.
    fn forward(
        &mut self,
        rows: usize,
        mut features: Option<MatRef<'_>>,
        mut largest: Option<f32>,
    ) -> Result<&mut [f32], Overflow> {
        let width = self.width();
        let Self { network, depth, weight, x, z } = self;
        let isa = network.isa;
        let weight = *weight.get_or_insert_with(|| math::largest(isa, &network.params));
        for (l, layer) in network.layers.iter().take(*depth).enumerate() {
            let Dense { inputs, units, .. } = *layer;
            let own = || MatRef::new(&x[..rows * inputs], rows, inputs);
            let input = features.take().unwrap_or_else(own);
            let h = MatMut::new(&mut z[..rows * units], rows, units);
            let largest = largest.take().unwrap_or_else(|| largest_of(isa, input));
            if can_overflow(largest, weight, inputs) {
                network.dense(l).affine(input, h);
                let z = &mut z[..rows * units];
                if let Some(at) = z.iter().position(|z| !z.is_finite()) {
                    let (row, unit) = (at / units, at % units);
                    return Err(Overflow { row, layer: l, unit, value: z[at] });
                }
                // It is the identity where it does not work element by element.
                if let Some(f) = layer.activation {
                    f.apply(isa, z);
                }
            } else {
                network.dense(l).forward(input, h);
            }
            match layer.activation {
                Some(f) if f.pieces() > 1 => {
                    let outputs = x.chunks_exact_mut(layer.outputs());
                    for (z, h) in z.chunks_exact(units).zip(outputs).take(rows) {
                        f.forward(isa, z, h);
                    }
                }
                _ => std::mem::swap(x, z),
            }
        }
        Ok(&mut x[..rows * width])
    }
}

/// Where a pass over some rows met a number that is not finite.
pub(crate) struct Overflow {
    row: usize,
    layer: usize,
    unit: usize,
    value: f32,
}

impl Overflow {
    /// The error, where `sample` is the index of the sample of a row.
    pub(crate) fn error(self, sample: impl FnOnce(usize) -> usize) -> Error {
        let Self { row, layer, unit, value } = self;
        Error::Overflow { sample: sample(row), layer, unit, value }
    }
}

/// Whether a chain of `inputs` products, none of its factors larger than these, could leave
/// the range of `f32`. Beyond it there is no right answer: ∞ − ∞ is anything, and a unit
/// that saturates would hide it. Only then the pass looks at every number.
fn can_overflow(largest: f32, weight: f32, inputs: usize) -> bool {
    let [x, w] = [largest, weight].map(f64::from);
    let bound = w * (x * inputs as f64 + 1.0);
    // Half of the range leaves room for the rounding of each addition.
    bound.is_nan() || bound >= f64::from(f32::MAX) / 2.0
}

/// The largest element of a matrix whose rows are contiguous, in absolute value.
fn largest_of(isa: Isa, x: MatRef<'_>) -> f32 {
    (0..x.rows()).map(|i| math::largest(isa, x.row(i))).fold(0.0, f32::max)
}
