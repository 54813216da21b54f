//! Prediction: the forward pass over some rows at a time, in memory that is kept.

use kernels::{AlignedBuf, MatMut, MatRef};

use super::dense::Dense;
use crate::{Error, Inputs, Mlp};

/// Predicts with a network again and again, in memory of its own.
///
/// A call allocates only where it has more samples than any before it, up to 128,
/// which is as many as are computed at a time: predict once beforehand, and no call
/// of that size or below allocates. What is written has the same bits for any
/// number of samples in a call.
///
/// It borrows the network, so that one network serves many threads, each with a
/// predictor of its own. `logits` and `probabilities` are samples × classes,
/// row-major, `classes` is one for each sample.
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
    /// What the layer at hand reads.
    x: AlignedBuf,
    /// What goes into its activation, or has come out where the activation works
    /// number by number.
    z: AlignedBuf,
}

impl<'a> Predictor<'a> {
    /// Rows at a time: enough to use what is loaded of the weights, and few
    /// enough to stay in the cache.
    pub(crate) const ROWS: usize = 128;

    /// A predictor that has no memory yet.
    #[must_use]
    pub fn new(network: &'a Mlp) -> Self {
        Self { network, x: AlignedBuf::default(), z: AlignedBuf::default() }
    }

    /// Writes what the last layer computes, before the head's link, such as softmax.
    ///
    /// # Errors
    /// [`Error::Width`] for inputs that do not fit and [`Error::Length`] where
    /// `logits` is not as long as there are samples times classes; nothing is
    /// written then. [`Error::NotFinite`] for a feature that is NaN or infinite:
    /// what belongs to samples before it may have been written.
    pub fn logits(&mut self, inputs: &Inputs<'_>, logits: &mut [f32]) -> Result<(), Error> {
        let classes = self.network.architecture().outputs;
        self.chunks(inputs, "list of logits", logits, classes, |_, found, logits| {
            logits.copy_from_slice(found);
        })
    }

    /// Writes what the network predicts for each sample, in the form of its head:
    /// probabilities, or real values. `outputs` is samples × outputs, row-major.
    ///
    /// # Errors
    /// As for [`logits`](Self::logits).
    pub fn outputs(&mut self, inputs: &Inputs<'_>, outputs: &mut [f32]) -> Result<(), Error> {
        self.linked(inputs, "list of outputs", outputs)
    }

    /// Writes the probability of each class, those of a sample summing to 1; of a logistic
    /// head that of yes, and of a multilabel head that of each label.
    ///
    /// # Errors
    /// As for [`logits`](Self::logits), and [`Error::NoClasses`] where the head has real
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

    /// Writes the most probable class of each sample; the first of several that
    /// are equally probable.
    ///
    /// # Errors
    /// As for [`logits`](Self::logits), `classes` being one for each sample, and
    /// [`Error::NoClasses`] where the head has no classes.
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

    /// Checks, and runs all of the inputs; `write` takes the logits of some of them
    /// to their part of `out`, which has `width` elements for each.
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
            // Here and not of all samples at once: each is still in the cache when
            // the first layer wants it.
            inputs.check_finite(first..first + rows)?;
            let logits = match inputs.rows(first..first + rows) {
                Some(features) => {
                    self.reserve(rows);
                    self.forward(rows, Some(features))
                }
                None => self.run(rows, |i, row| {
                    inputs.copy_row(network.isa, first + i, network.pixel_scale(), row);
                }),
            };
            write(network, logits, out);
        }
        Ok(())
    }

    /// Logits of `rows` rows, at most [`ROWS`](Self::ROWS), which `input` writes
    /// one by one: rows × classes.
    pub(crate) fn run(
        &mut self,
        rows: usize,
        mut input: impl FnMut(usize, &mut [f32]),
    ) -> &mut [f32] {
        let width = self.network.architecture().inputs;
        self.reserve(rows);
        for (i, row) in self.x[..rows * width].chunks_exact_mut(width).enumerate() {
            input(i, row);
        }
        self.forward(rows, None)
    }

    /// Has room for what goes into and comes out of each layer.
    fn reserve(&mut self, rows: usize) {
        let layers = self.network.layers.iter();
        let widest = layers.map(|layer| layer.units.max(layer.inputs)).max();
        let len = rows * widest.unwrap_or(0);
        if self.x.len() < len {
            self.x.resize(len);
            self.z.resize(len);
        }
    }

    /// Logits of `rows` rows of `features`, or of what is in `x`; there is room.
    fn forward(&mut self, rows: usize, mut features: Option<MatRef<'_>>) -> &mut [f32] {
        let Self { network, x, z } = self;
        let isa = network.isa;
        for (l, layer) in network.layers.iter().enumerate() {
            let Dense { inputs, units, .. } = *layer;
            let own = || MatRef::new(&x[..rows * inputs], rows, inputs);
            let input = features.take().unwrap_or_else(own);
            let h = MatMut::new(&mut z[..rows * units], rows, units);
            network.dense(l).forward(input, h);
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
        &mut x[..rows * network.architecture().outputs]
    }
}
