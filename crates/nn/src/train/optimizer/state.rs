//! What training keeps beside the parameters, and the sink that applies a
//! gradient to both.

use std::array;
use std::ops::Range;

use kernels::{AlignedBuf, Isa};

use super::formula::MAX_SLOTS;
use super::rule::Rule;
use super::{average, max_norm};
use crate::Mlp;
use crate::net::dense::Dense;
use crate::train::step::{GradientSink, Tile};

/// What training keeps beside the parameters, in their order.
pub(crate) struct State {
    /// The values that the optimizer keeps for each parameter. A slot that the
    /// optimizer does not use is empty.
    slots: [AlignedBuf; MAX_SLOTS],
}

impl State {
    /// The state before the first step, of an optimizer that uses `slots` slots.
    pub(crate) fn new(network: &Mlp, slots: usize) -> Self {
        let len = |slot| if slot < slots { network.params.len() } else { 0 };
        Self { slots: array::from_fn(|slot| AlignedBuf::zeros(len(slot))) }
    }

    /// A sink that applies each piece of the gradient to `params` as it comes, and
    /// takes `params` into `average`, which is empty if no average is wanted.
    pub(crate) fn apply<'a>(
        &'a mut self,
        rule: Rule,
        params: &'a mut [f32],
        average: &'a mut [f32],
    ) -> Apply<'a> {
        let slots = self.slots.each_mut().map(|slot| &mut **slot);
        Apply { rule, params, average, slots, offset: 0 }
    }
}

/// Applies each piece of the gradient as soon as it has been computed.
pub(crate) struct Apply<'a> {
    rule: Rule,
    params: &'a mut [f32],
    /// As long as `params`, or empty.
    average: &'a mut [f32],
    /// Each as long as `params`, or empty.
    slots: [&'a mut [f32]; MAX_SLOTS],
    /// The offset of these slices in the vectors of the whole network.
    offset: usize,
}

impl Apply<'_> {
    /// Applies a piece of the gradient to the parameters from `at` on.
    fn update(&mut self, isa: Isa, rule: Rule, at: usize, gradient: &[f32]) {
        let range = within(at..at + gradient.len(), self.offset);
        let slots = self
            .slots
            .each_mut()
            .map(|slot| if slot.is_empty() { &mut [][..] } else { &mut slot[range.clone()] });
        rule.update(isa, &mut self.params[range], slots, gradient);
    }
}

impl GradientSink for Apply<'_> {
    fn split_at(self, tile: &Tile) -> (Self, Self) {
        let Self { rule, params, average, slots, offset } = self;
        let middle = tile.params.start - offset;
        let (params, params_right) = params.split_at_mut(middle);
        let (average, average_right) = split(average, middle);
        let [(first, first_right), (second, second_right)] = slots.map(|slot| split(slot, middle));
        let left = Self { rule, params, average, slots: [first, second], offset };
        let right = Self {
            rule,
            params: params_right,
            average: average_right,
            slots: [first_right, second_right],
            offset: tile.params.start,
        };
        (left, right)
    }

    fn weights(&mut self, isa: Isa, at: usize, gradient: &[f32]) {
        self.update(isa, self.rule, at, gradient);
    }

    fn expect(&self, isa: Isa, at: usize, len: usize) {
        kernels::prefetch_write(isa, &self.params[within(at..at + len, self.offset)]);
    }

    fn biases(&mut self, isa: Isa, at: usize, gradient: &[f32]) {
        self.update(isa, self.rule.without_penalty(), at, gradient);
    }

    fn end(&mut self, isa: Isa, layer: &Dense, tile: &Tile) {
        if let Some(limit) = self.rule.max_norm {
            // With max-norm a tile has all inputs of its units: see `Plan::by_inputs`.
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

/// A range of the whole vector, as a range of a slice that begins at `offset`.
fn within(range: Range<usize>, offset: usize) -> Range<usize> {
    range.start - offset..range.end - offset
}

/// Splits a slice, which is empty if it is not used.
fn split(slice: &mut [f32], middle: usize) -> (&mut [f32], &mut [f32]) {
    if slice.is_empty() { (&mut [], &mut []) } else { slice.split_at_mut(middle) }
}
