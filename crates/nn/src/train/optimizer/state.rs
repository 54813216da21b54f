//! What training keeps beside the parameters, and the sink that applies a
//! gradient to both.

use std::array;
use std::ops::Range;

use kernels::{AlignedBuf, Isa};

use super::formula::MAX_SLOTS;
use super::rule::Rule;
use super::{average, max_norm};
use crate::Mlp;
use crate::fork::SplitAt;
use crate::net::dense::Dense;
use crate::train::step::{GradientSink, Tile};

/// What training keeps beside the parameters, in their order.
#[derive(Clone)]
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

    /// The values that the optimizer keeps, a vector in the layout of the parameter vector
    /// for each of its slots.
    pub(crate) fn vectors(&self) -> impl Iterator<Item = &[f32]> {
        self.slots.iter().map(|slot| &**slot).filter(|slot| !slot.is_empty())
    }

    /// The same, to be set.
    pub(crate) fn vectors_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.slots.iter_mut().map(|slot| &mut **slot).filter(|slot| !slot.is_empty())
    }

    /// A sink that applies each piece of the gradient to `params` as it comes, and takes
    /// `params` into their `average`, if there is one.
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

/// Applies each piece of the gradient as soon as it has been computed.
pub(crate) struct Apply<'a> {
    isa: Isa,
    rule: Rule,
    /// The offset of the slices below in the vectors of the whole network.
    offset: usize,
    params: &'a mut [f32],
    /// As long as `params`.
    average: Option<&'a mut [f32]>,
    /// Each as long as `params`; `None` for a slot that the optimizer does not use.
    slots: [Option<&'a mut [f32]>; MAX_SLOTS],
}

impl Apply<'_> {
    /// Applies a piece of the gradient to the parameters from `offset` on.
    fn update(&mut self, rule: Rule, offset: usize, gradient: &[f32]) {
        let range = within(offset..offset + gradient.len(), self.offset);
        let slots = self.slots.each_mut().map(|slot| match slot {
            Some(slot) => &mut slot[range.clone()],
            None => &mut [],
        });
        rule.update(self.isa, &mut self.params[range], slots, gradient);
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
        self.update(self.rule, offset, gradient);
    }

    fn biases(&mut self, offset: usize, gradient: &[f32]) {
        self.update(self.rule.without_penalty(), offset, gradient);
    }

    fn prefetch(&self, offset: usize, len: usize) {
        let params = &self.params[within(offset..offset + len, self.offset)];
        kernels::prefetch_write(self.isa, params);
    }

    fn end(&mut self, layer: &Dense, tile: &Tile) {
        if let Some(limit) = self.rule.max_norm {
            // With max-norm a tile has all inputs of its units: see `step/plan.rs`.
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

/// A range of the whole vector, as a range of a slice that begins at `offset`.
fn within(range: Range<usize>, offset: usize) -> Range<usize> {
    range.start - offset..range.end - offset
}
