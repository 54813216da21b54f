//! What training keeps beside the parameters, and the sink that applies a
//! gradient to both.

use std::ops::Range;

use kernels::{AlignedBuf, Isa};

use super::rule::{Part, Rule};
use super::{average, max_norm};
use crate::Mlp;
use crate::fork::SplitAt;
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

    /// A sink that applies gradients to the parameters as they come, and takes these into
    /// their average, if there is one.
    pub(crate) fn apply<'a>(
        &'a mut self,
        isa: Isa,
        rule: Rule,
        params: &'a mut [f32],
        average: Option<&'a mut [f32]>,
    ) -> Apply<'a> {
        let slots = self.slots.each_mut().map(|slot| (!slot.is_empty()).then_some(&mut **slot));
        Apply { isa, rule, offset: 0, params, average, slots }
    }
}

/// Applies each piece of the gradient as soon as it is there.
pub(crate) struct Apply<'a> {
    isa: Isa,
    rule: Rule,
    /// Of the slices below, in the whole vectors.
    offset: usize,
    params: &'a mut [f32],
    /// The slices below are as long as `params`.
    average: Option<&'a mut [f32]>,
    slots: [Option<&'a mut [f32]>; 2],
}

impl Apply<'_> {
    fn update(&mut self, part: Part, offset: usize, gradient: &[f32]) {
        let range = offset - self.offset..offset - self.offset + gradient.len();
        let slots = self.slots.each_mut().map(|slot| match slot {
            Some(slot) => &mut slot[range.clone()],
            None => &mut [],
        });
        self.rule.update(self.isa, part, &mut self.params[range], slots, gradient);
    }
}

impl SplitAt for Apply<'_> {
    fn split_at(self, at: usize) -> (Self, Self) {
        let Self { isa, rule, offset, params, average, slots } = self;
        let (left, right) = (params, (average, slots)).split_at(at);
        let apply = |offset, (params, (average, slots))| Apply {
            isa,
            rule,
            offset,
            params,
            average,
            slots,
        };
        (apply(offset, left), apply(offset + at, right))
    }
}

impl GradientSink for Apply<'_> {
    fn weights(&mut self, offset: usize, gradient: &[f32]) {
        self.update(Part::Weights, offset, gradient);
    }

    fn biases(&mut self, offset: usize, gradient: &[f32]) {
        self.update(Part::Biases, offset, gradient);
    }

    fn prefetch(&self, offset: usize, len: usize) {
        kernels::prefetch_write(self.isa, &self.params[offset - self.offset..][..len]);
    }

    fn end(&mut self, layer: &Dense, tile: &Tile) {
        if let Some(limit) = self.rule.max_norm {
            // The plan then gives a tile all inputs of its units.
            for panel in tile.panels.clone() {
                let weights = within(layer.weights_of(panel), self.offset);
                max_norm::limit(self.isa, &mut self.params[weights], layer.width, limit);
            }
        }
        if let (Some(share), Some(average)) = (self.rule.average, &mut self.average) {
            let range = within(tile.params.clone(), self.offset);
            average::take_in(self.isa, share, &self.params[range.clone()], &mut average[range]);
        }
    }
}

/// A range of the whole vector, in a slice that begins at `offset`.
fn within(range: Range<usize>, offset: usize) -> Range<usize> {
    range.start - offset..range.end - offset
}
