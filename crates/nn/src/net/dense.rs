//! A dense layer: its layout in the parameter vector, its forward and its backward pass.
//!
//! Weights W are units × inputs, one row per unit. They are *stored* as panels of 16 units
//! (see `kernels::PanelsRef`), and the biases of a panel follow its weights:
//!
//! ```text
//! unit panel 0: [16 inputs × 16 units][16 inputs × 16 units]…[16 biases]
//! unit panel 1: …
//! ```
//!
//! So the forward kernel reads the weights without packing, and a training step can update
//! a panel with its biases as one slice. Units and inputs are padded to multiples of 16.
//! The padding is 0 and stays 0, because its gradient is 0.
//!
//! A first layer with few units has one panel, as wide as the layer. Then the weights of
//! some of its inputs are one slice too; `step/plan.rs` says why that is needed.
//!
//! While a network trains with batch normalisation, 16 gains follow the biases of a panel.

use std::ops::Range;

use kernels::{BLOCK, Identity, Isa, MatMut, MatRef, PANEL, PanelsRef, Start, Unary, Zeros};

use super::activation::WithUnary;
use crate::Activation;

/// Shape of one layer, and its offset in the parameter vector.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dense {
    pub(crate) inputs: usize,
    /// Rows of W: the number of elements of z, which goes into the activation.
    pub(crate) units: usize,
    /// `None` for the output layer, whose link (such as softmax) belongs to the head.
    pub(crate) activation: Option<Activation>,
    /// Whether its panels have gains, for batch normalisation.
    pub(crate) gains: bool,
    /// Units per panel, padding included.
    pub(crate) width: usize,
    /// Whether it is the first layer, whose input is data.
    first: bool,
    /// Offset of the layer in the parameter vector.
    offset: usize,
}

impl Dense {
    /// Up to this number of units, the first layer has a single panel.
    pub(crate) const NARROW: usize = 3 * PANEL;

    /// The layers of a network, first to last. `sizes` holds the inputs of the network, then
    /// the outputs of each layer.
    pub(crate) fn stack(sizes: &[usize], activation: Activation, gains: bool) -> Vec<Self> {
        let mut layers: Vec<Self> = Vec::with_capacity(sizes.len() - 1);
        for (l, pair) in sizes.windows(2).enumerate() {
            let hidden = l + 2 < sizes.len();
            let before = layers.last();
            let units = if hidden { pair[1] * activation.pieces() } else { pair[1] };
            let narrow = l == 0 && units <= Self::NARROW;
            layers.push(Self {
                inputs: pair[0],
                units,
                activation: hidden.then_some(activation),
                gains,
                width: if narrow { units.next_multiple_of(PANEL) } else { PANEL },
                first: l == 0,
                offset: before.map_or(0, |layer| layer.range().end),
            });
        }
        layers
    }

    /// Number of panels, of [`width`](Self::width) units each.
    pub(crate) fn panels(&self) -> usize {
        self.units.div_ceil(self.width)
    }

    /// The units of panel `panel`, without padding.
    pub(crate) fn units_of(&self, panel: usize) -> Range<usize> {
        panel * self.width..((panel + 1) * self.width).min(self.units)
    }

    /// Number of weights in a panel, padding included.
    fn panel_weights(&self) -> usize {
        self.inputs.next_multiple_of(PANEL) * self.width
    }

    /// Number of weights, biases and gains in a panel, padding included.
    fn panel_len(&self) -> usize {
        self.panel_weights() + if self.gains { 2 * self.width } else { self.width }
    }

    /// Number of outputs of the layer, after its activation.
    pub(crate) fn outputs(&self) -> usize {
        self.units / self.activation.map_or(1, Activation::pieces)
    }

    /// Weights, biases and gains of panel `panel` in the parameter vector.
    pub(crate) fn panel(&self, panel: usize) -> Range<usize> {
        let start = self.offset + panel * self.panel_len();
        start..start + self.panel_len()
    }

    /// The layer's parameters in the parameter vector.
    pub(crate) fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.panels() * self.panel_len()
    }

    /// Weights of panel `panel` in the parameter vector.
    pub(crate) fn weights_of(&self, panel: usize) -> Range<usize> {
        let start = self.panel(panel).start;
        start..start + self.panel_weights()
    }

    /// Biases of panel `panel` in the parameter vector.
    pub(crate) fn biases_of(&self, panel: usize) -> Range<usize> {
        let start = self.weights_of(panel).end;
        start..start + self.width
    }

    /// Gains of panel `panel` in the parameter vector; an empty range if there are none.
    pub(crate) fn gains_of(&self, panel: usize) -> Range<usize> {
        self.biases_of(panel).end..self.panel(panel).end
    }

    /// Offset of the weight of `unit` and `input` in the parameter vector.
    pub(crate) fn weight_at(&self, unit: usize, input: usize) -> usize {
        self.weights_of(unit / self.width).start + input * self.width + unit % self.width
    }

    /// Offset of the bias of `unit` in the parameter vector.
    pub(crate) fn bias_at(&self, unit: usize) -> usize {
        self.biases_of(unit / self.width).start + unit % self.width
    }

    /// Offset of the gain of `unit` in the parameter vector, where there are gains.
    pub(crate) fn gain_at(&self, unit: usize) -> usize {
        self.gains_of(unit / self.width).start + unit % self.width
    }

    /// The weights of `unit`, one for each input, in a vector in the layout of the parameter
    /// vector.
    pub(crate) fn row<'a>(&self, unit: usize, vector: &'a [f32]) -> impl Iterator<Item = &'a f32> {
        vector[self.weight_at(unit, 0)..].iter().step_by(self.width).take(self.inputs)
    }

    /// The same, to be written.
    pub(crate) fn row_mut<'a>(
        &self,
        unit: usize,
        vector: &'a mut [f32],
    ) -> impl Iterator<Item = &'a mut f32> {
        vector[self.weight_at(unit, 0)..].iter_mut().step_by(self.width).take(self.inputs)
    }

    /// Whether the product should look for zeros in the layer's input. Pixels have many.
    /// After an activation, the elements that a register tile reads in one step of k are
    /// hardly ever all 0.
    pub(crate) fn zeros(&self) -> Zeros {
        if self.first { Zeros::Skip } else { Zeros::Multiply }
    }
}

/// A layer with its parameters, and the instruction set that computes it.
#[derive(Clone, Copy)]
pub(crate) struct Layer<'a> {
    isa: Isa,
    dense: Dense,
    /// The parameter vector of the network.
    params: &'a [f32],
}

impl<'a> Layer<'a> {
    pub(crate) fn new(isa: Isa, dense: Dense, params: &'a [f32]) -> Self {
        Self { isa, dense, params }
    }

    /// The units of some panels as a layer of their own, for the forward pass only.
    pub(crate) fn panels(self, panels: Range<usize>) -> Self {
        let Dense { width, units, .. } = self.dense;
        let units = (panels.end * width).min(units) - panels.start * width;
        let offset = self.dense.panel(panels.start).start;
        Self { dense: Dense { units, offset, ..self.dense }, ..self }
    }

    /// `h = f(x·Wᵀ + b)`. For the output layer and for maxout it computes only `x·Wᵀ + b`.
    ///
    /// Shapes: x is rows × inputs, h is rows × units.
    pub(crate) fn forward(self, x: MatRef<'_>, h: MatMut<'_>) {
        match self.dense.activation {
            Some(f) => f.with(Affine { layer: self, x, h }),
            None => self.affine(x, h),
        }
    }

    /// `z = x·Wᵀ + b`. With batch normalisation it computes only `x·Wᵀ`: normalisation
    /// subtracts the mean, and adds the bias itself.
    ///
    /// Shapes: x is rows × inputs, z is rows × units.
    pub(crate) fn affine(self, x: MatRef<'_>, z: MatMut<'_>) {
        Affine { layer: self, x, h: z }.with(Identity);
    }

    /// `dx = dz·W`, the gradient with respect to the layer's inputs from index `first` on.
    /// `first` is a multiple of 16.
    ///
    /// Shapes: dz is rows × units, dx is rows × (some inputs).
    pub(crate) fn backward(self, dz: MatRef<'_>, first: usize, dx: MatMut<'_>) {
        let Self { isa, dense, params } = self;
        debug_assert_eq!(dense.width, PANEL, "blocks of 16 × 16");
        let weights = &params[dense.range()][first / PANEL * BLOCK..];
        let weights = PanelsRef::new(weights, dx.cols(), dense.units, BLOCK, dense.panel_len());
        kernels::matmul_transposed_panels(isa, dz, weights, dx);
    }
}

/// A layer's forward pass, which still needs its activation function.
struct Affine<'a> {
    layer: Layer<'a>,
    x: MatRef<'a>,
    h: MatMut<'a>,
}

impl WithUnary for Affine<'_> {
    fn with<F: Unary>(self, f: F) {
        let Self { layer: Layer { isa, dense, params }, x, h } = self;
        let params = &params[dense.range()];
        let (inputs, units) = (dense.inputs, dense.units);
        let biases = &params[dense.panel_weights()..];
        // The single panel of a narrow layer is row-major for the kernel. Otherwise the
        // layer's panels are the kernel's panels.
        let (weights, bias) = if dense.width > PANEL {
            (PanelsRef::row_major(params, inputs, units), PanelsRef::row_major(biases, 1, units))
        } else {
            let panels = |data, rows| PanelsRef::new(data, rows, units, BLOCK, dense.panel_len());
            (panels(params, inputs), panels(biases, 1))
        };
        let start = if dense.gains { Start::Zero } else { Start::Row(bias) };
        kernels::matmul_panels(isa, x, weights, start, h, f, dense.zeros());
    }
}

#[cfg(test)]
mod tests {
    use super::Dense;
    use crate::Activation;

    #[test]
    fn every_parameter_has_its_own_offset() {
        for (gains, units) in [(false, 33), (true, 33), (false, 49), (true, 49)] {
            let layers = Dense::stack(&[20, units, 5], Activation::Tanh, gains);
            assert_eq!(layers[0].panels(), if units == 33 { 1 } else { 4 });
            let len = layers.last().unwrap().range().end;
            let mut seen = vec![false; len];
            for layer in &layers {
                for unit in 0..layer.units {
                    for at in (0..layer.inputs)
                        .map(|input| layer.weight_at(unit, input))
                        .chain([layer.bias_at(unit)])
                        .chain(gains.then(|| layer.gain_at(unit)))
                    {
                        assert!(!std::mem::replace(&mut seen[at], true));
                        assert!(layer.range().contains(&at));
                    }
                }
            }
            let vectors = if gains { 2 } else { 1 };
            let count = 20 * units + units * vectors + units * 5 + 5 * vectors;
            assert_eq!(seen.iter().filter(|s| **s).count(), count);
        }
    }
}
