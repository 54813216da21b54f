//! What training keeps beside the parameters, and the sink that applies a
//! gradient to both.

use std::ops::Range;

use kernels::{AlignedBuf, Isa};

use super::rule::{Part, Rule};
use super::{average, max_norm};
use crate::Mlp;
use crate::net::dense::Dense;
use crate::train::step::{GradientSink, Tile};

/// What training keeps beside the parameters, in their order.
pub(crate) struct State {
    /// The numbers that the optimizer keeps for each parameter; those that it
    /// does not need are empty.
    slots: [AlignedBuf; 2],
}

impl State {
    /// The state before the first step, of an optimizer with so many slots.
    pub(crate) fn new(network: &Mlp, slots: usize) -> Self {
        let slot = |i| AlignedBuf::zeros(if i < slots { network.params.len() } else { 0 });
        Self { slots: [slot(0), slot(1)] }
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
            offset: 0,
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
    /// Where the slices begin in the whole vectors.
    offset: usize,
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
        let right = Self {
            rule: self.rule,
            params: params_right,
            average: average_right,
            slots: [first_right, second_right],
            offset: tile.params.start,
        };
        (Self { params, average, slots: [first, second], ..self }, right)
    }

    fn weights(&mut self, isa: Isa, at: usize, gradient: &[f32]) {
        let at = at - self.offset;
        self.update(isa, Part::Weights, at..at + gradient.len(), gradient);
    }

    fn expect(&self, isa: Isa, at: usize, len: usize) {
        kernels::prefetch_write(isa, &self.params[at - self.offset..][..len]);
    }

    fn biases(&mut self, isa: Isa, at: usize, gradient: &[f32]) {
        let at = at - self.offset;
        self.update(isa, Part::Biases, at..at + gradient.len(), gradient);
    }

    fn end(&mut self, isa: Isa, layer: &Dense, tile: &Tile) {
        if let Some(limit) = self.rule.max_norm {
            // A tile then has all inputs of its units: see `Plan::by_inputs`.
            for panel in tile.panels.clone() {
                let weights = within(layer.weights_of(panel), self.offset);
                max_norm::limit(isa, &mut self.params[weights], layer.width, limit);
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
