//! Stochastic gradient descent with momentum, on slices of the parameters.

use kernels::{AlignedBuf, Isa, Simd, SimdOp};

use crate::mlp::Mlp;
use crate::step::{GradientSink, Tile};

/// The rule of one step (Sutskever et al. 2013, in the form that PyTorch uses):
///
/// ```text
/// g ← ∂loss/∂w + λ·w        λ = 0 for biases
/// v ← μ·v + g
/// w ← w − lr·v
/// ```
#[derive(Clone, Copy, Debug)]
pub(crate) struct Momentum {
    pub(crate) lr: f32,
    /// μ
    pub(crate) momentum: f32,
    /// λ
    pub(crate) l2: f32,
}

impl Momentum {
    /// Updates some parameters and their velocities.
    fn update(self, isa: Isa, l2: f32, w: &mut [f32], v: &mut [f32], gradient: &[f32]) {
        // Plain Rust: inside `dispatch` it becomes vector instructions.
        struct Update<'a>(Momentum, f32, &'a mut [f32], &'a mut [f32], &'a [f32]);
        impl SimdOp for Update<'_> {
            type Output = ();
            #[inline(always)]
            fn eval<S: Simd>(self, _: S) {
                let Self(rule, l2, w, v, gradient) = self;
                for ((w, v), g) in w.iter_mut().zip(v).zip(gradient) {
                    let g = g + l2 * *w;
                    *v = rule.momentum * *v + g;
                    *w -= rule.lr * *v;
                }
            }
        }
        isa.dispatch(Update(self, l2, w, v, gradient));
    }
}

/// What training keeps beside the parameters, in their order.
pub(crate) struct State {
    velocity: AlignedBuf,
    /// The weights of all layers but the first, each 16 × 16 block transposed:
    /// what the backward pass reads.
    pub(crate) transposed: AlignedBuf,
}

impl State {
    /// The state before the first step.
    pub(crate) fn new(network: &Mlp) -> Self {
        let len = network.layers.last().map_or(0, |layer| layer.transposed_range().end);
        let mut transposed = AlignedBuf::zeros(len);
        for layer in &network.layers {
            for panel in 0..layer.panels() {
                let to = layer.transposed_of(panel);
                if !to.is_empty() {
                    let from = &network.params[layer.weights_of(panel)];
                    kernels::transpose_blocks(network.isa, from, &mut transposed[to]);
                }
            }
        }
        Self { velocity: AlignedBuf::zeros(network.params.len()), transposed }
    }

    /// A sink that applies gradients to the parameters as they come.
    pub(crate) fn apply<'a>(&'a mut self, rule: Momentum, params: &'a mut [f32]) -> Apply<'a> {
        Apply {
            rule,
            params,
            velocity: &mut self.velocity,
            transposed: &mut self.transposed,
            offset: 0,
            transposed_offset: 0,
        }
    }
}

/// Applies each piece of the gradient as soon as it is there.
pub(crate) struct Apply<'a> {
    rule: Momentum,
    params: &'a mut [f32],
    velocity: &'a mut [f32],
    transposed: &'a mut [f32],
    /// Where the slices begin in the whole vectors.
    offset: usize,
    transposed_offset: usize,
}

impl GradientSink for Apply<'_> {
    fn split_at(self, tile: &Tile) -> (Self, Self) {
        let middle = tile.params.start - self.offset;
        let (params, params_right) = self.params.split_at_mut(middle);
        let (velocity, velocity_right) = self.velocity.split_at_mut(middle);
        let (transposed, transposed_right) =
            self.transposed.split_at_mut(tile.transposed.start - self.transposed_offset);
        let right = Self {
            rule: self.rule,
            params: params_right,
            velocity: velocity_right,
            transposed: transposed_right,
            offset: tile.params.start,
            transposed_offset: tile.transposed.start,
        };
        (Self { params, velocity, transposed, ..self }, right)
    }

    fn weights(&mut self, isa: Isa, at: usize, transposed_at: Option<usize>, gradient: &[f32]) {
        let at = at - self.offset;
        let range = at..at + gradient.len();
        let (w, v) = (&mut self.params[range.clone()], &mut self.velocity[range]);
        self.rule.update(isa, self.rule.l2, w, v, gradient);
        if let Some(to) = transposed_at {
            // The last block of a layer may be padding in part, and is whole.
            let len = gradient.len().next_multiple_of(kernels::BLOCK);
            let to = to - self.transposed_offset;
            let from = &self.params[at..at + len];
            kernels::transpose_blocks(isa, from, &mut self.transposed[to..to + len]);
        }
    }

    fn biases(&mut self, isa: Isa, at: usize, gradient: &[f32]) {
        let at = at - self.offset;
        let range = at..at + gradient.len();
        let (b, v) = (&mut self.params[range.clone()], &mut self.velocity[range]);
        self.rule.update(isa, 0.0, b, v, gradient);
    }
}
