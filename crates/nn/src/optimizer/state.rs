//! What training keeps beside the parameters, and the sink that applies a
//! gradient to both.

use std::ops::Range;

use kernels::{AlignedBuf, Isa};

use super::rule::{Part, Rule};
use super::{average, max_norm};
use crate::dense::Dense;
use crate::mlp::Mlp;
use crate::step::{GradientSink, Tile};

/// What training keeps beside the parameters, in their order.
pub(crate) struct State {
    /// The numbers that the optimizer keeps for each parameter; those that it
    /// does not need are empty.
    slots: [AlignedBuf; 2],
    /// The weights of all layers but the first, each 16 × 16 block transposed:
    /// what the backward pass reads.
    pub(crate) transposed: AlignedBuf,
}

impl State {
    /// The state before the first step, of an optimizer with so many slots.
    pub(crate) fn new(network: &Mlp, slots: usize) -> Self {
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
        let slot = |i| AlignedBuf::zeros(if i < slots { network.params.len() } else { 0 });
        Self { slots: [slot(0), slot(1)], transposed }
    }

    /// A sink that applies gradients to the parameters as they come, and these to
    /// their average, which is empty if there is none.
    pub(crate) fn apply<'a>(
        &'a mut self,
        rule: Rule,
        params: &'a mut [f32],
        average: &'a mut [f32],
    ) -> Apply<'a> {
        Apply {
            rule,
            params,
            average,
            slots: self.slots.each_mut().map(|slot| &mut **slot),
            transposed: &mut self.transposed,
            offset: 0,
            transposed_offset: 0,
        }
    }
}

/// Applies each piece of the gradient as soon as it is there.
pub(crate) struct Apply<'a> {
    rule: Rule,
    params: &'a mut [f32],
    /// As long as `params`, or empty.
    average: &'a mut [f32],
    /// As long as `params`, or empty.
    slots: [&'a mut [f32]; 2],
    transposed: &'a mut [f32],
    /// Where the slices begin in the whole vectors.
    offset: usize,
    transposed_offset: usize,
}

impl Apply<'_> {
    fn update(&mut self, isa: Isa, part: Part, range: Range<usize>, gradient: &[f32]) {
        let slots = self.slots.each_mut().map(|slot| match slot.is_empty() {
            true => &mut [],
            false => &mut slot[range.clone()],
        });
        self.rule.update(isa, part, &mut self.params[range], slots, gradient);
    }
}

impl<'a> GradientSink for Apply<'a> {
    fn split_at(self, tile: &Tile) -> (Self, Self) {
        let middle = tile.params.start - self.offset;
        let (params, params_right) = self.params.split_at_mut(middle);
        let split = |slot: &'a mut [f32]| match slot.is_empty() {
            true => (&mut [][..], &mut [][..]),
            false => slot.split_at_mut(middle),
        };
        let (average, average_right) = split(self.average);
        let slots = self.slots.map(split);
        let [(first, first_right), (second, second_right)] = slots;
        let (transposed, transposed_right) =
            self.transposed.split_at_mut(tile.transposed.start - self.transposed_offset);
        let right = Self {
            rule: self.rule,
            params: params_right,
            average: average_right,
            slots: [first_right, second_right],
            transposed: transposed_right,
            offset: tile.params.start,
            transposed_offset: tile.transposed.start,
        };
        (Self { params, average, slots: [first, second], transposed, ..self }, right)
    }

    fn weights(&mut self, isa: Isa, at: usize, transposed_at: Option<usize>, gradient: &[f32]) {
        let at = at - self.offset;
        self.update(isa, Part::Weights, at..at + gradient.len(), gradient);
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
        self.update(isa, Part::Biases, at..at + gradient.len(), gradient);
    }

    fn end(&mut self, isa: Isa, layer: &Dense, tile: &Tile) {
        if let Some(limit) = self.rule.max_norm {
            // A tile then has all inputs of its units: see `Plan::by_inputs`.
            for panel in tile.panels.clone() {
                let weights = &mut self.params[within(layer.weights_of(panel), self.offset)];
                let transposed = within(layer.transposed_of(panel), self.transposed_offset);
                if max_norm::limit(isa, weights, limit) && !transposed.is_empty() {
                    kernels::transpose_blocks(isa, weights, &mut self.transposed[transposed]);
                }
            }
        }
        if let Some(share) = self.rule.average {
            let range = within(tile.params.clone(), self.offset);
            let (w, e) = (&self.params[range.clone()], &mut self.average[range]);
            average::take_in(isa, share, w, e);
        }
    }
}

/// A range of the whole vector, in a slice that begins at `offset`.
fn within(range: Range<usize>, offset: usize) -> Range<usize> {
    range.start - offset..range.end - offset
}
