//! How the work of a step is cut into tasks.
//!
//! A core that computes the same units in each step finds their weights in its own
//! cache: a line that another core has written comes from there, which takes as long
//! as a line from memory. So a layer is cut by *units*, forward, backward and in the
//! update alike, and part `i` of each is where part `i` of the others was. What goes
//! from core to core is activations, of which there are less as long as a batch has
//! fewer rows than a layer has units.
//!
//! The output layer and the loss are cut by *rows*, as are layers of few units; in
//! the update, a layer that has fewer panels than there are parts is cut by its inputs,
//! so that each core has those that it computed itself.
//!
//! A *narrow* first layer is one panel (see `dense.rs`), so it is cut like that too, and
//! with it other layers of few units. By units each part would convert all of the input
//! and look for all of its zeros, to fill the half of a tile's columns; the weights, which
//! go from core to core instead, are few.
use std::ops::Range;

use kernels::{PANEL, Stream};

use super::tape::Layout;
use crate::net::dense::Dense;
use crate::{Executor, Fit, Mlp};

/// How each layer is cut into as many parts as there are threads.
pub(super) struct Plan {
    /// Threads that take part.
    pub(super) parts: usize,
    /// Rows that are together in a part, if it is rows that are cut: whole tiles of
    /// registers, or shards.
    pub(super) whole_rows: usize,
    layers: Vec<Cut>,
    /// Whether something is done to all weights of a unit together.
    whole_units: bool,
}

#[derive(Clone, Copy)]
struct Cut {
    panels: usize,
    /// Panels that stay together.
    step: usize,
    by_units: bool,
    /// Too little for the second phase to cut.
    small: bool,
}

impl Plan {
    /// Rows for each unit up to which its weights are more to move than its
    /// activations, and the copies of the input less work.
    const ROWS_PER_UNIT: usize = 6;

    /// Numbers of the input up to which each part makes a copy of its own, because to
    /// read images is less work than to read what another core wrote.
    const COPIED: usize = 1 << 21;

    /// Operations from which on the second phase cuts a layer: a microsecond's.
    const LEAST: usize = 300_000;

    /// Threads for which work is cut. What an executor says of itself may be anything;
    /// more tasks than this are none the faster.
    const MOST_THREADS: usize = 1024;

    /// For batches of up to `rows` rows, and the tasks of an executor.
    pub(super) fn new(network: &Mlp, rows: usize, fit: &Fit, executor: &impl Executor) -> Self {
        let operations = |layer: &Dense| rows.saturating_mul(2 * layer.inputs * layer.units);
        // Forward, backward and for the gradient.
        let all = network.layers.iter().map(operations).fold(0_usize, usize::saturating_add);
        let threads = |share| {
            let operations = all.saturating_mul(3) / share;
            executor.threads_for(operations).clamp(1, Self::MOST_THREADS)
        };
        let parts = network.layers.first().map_or(1, |layer| match steps(layer, rows, fit) {
            0 | 1 if layer.panels() == 1 && fit.max_norm.is_none() => threads(1),
            // If rows are cut, more goes from core to core, or one has the whole update.
            0 | 1 => threads(7),
            most => threads(1).min(most),
        });
        let by_rows = network.layers.first().is_some_and(|layer| steps(layer, rows, fit) < parts);
        let layers = network.layers.iter().map(|layer| {
            let panels = layer.panels();
            // A join for each layer is more than few weights are worth.
            let joins = !by_rows || layer.units > Dense::NARROW;
            let by_units = joins && steps(layer, rows, fit) >= parts;
            let small = operations(layer) < Self::LEAST;
            Cut { panels, step: if by_units { step(fit) } else { 1 }, by_units, small }
        });
        let tile = network.isa.tile_rows();
        let whole_rows = fit.batch_norm.map_or(tile, |norm| norm.rows);
        let whole_units = fit.max_norm.is_some();
        Self { parts, whole_rows, layers: layers.collect(), whole_units }
    }

    /// Copies of the input of up to `rows` rows, if it is not augmented: one, or one for
    /// each part.
    pub(super) fn copies(&self, rows: usize, layout: &Layout) -> usize {
        let input = &layout.nodes[0];
        let copied = if self.by_rows() {
            // Of other parts' rows some inputs, as the examples have them.
            let plain = input.mask.is_none() && input.noise == 0.0;
            plain && self.layers[0].panels == 1 && self.by_inputs(0)
        } else {
            self.by_units(0)
        };
        let numbers = rows.saturating_mul(layout.input_record).saturating_mul(self.parts);
        if copied && numbers <= Self::COPIED { self.parts } else { 1 }
    }

    /// Whether the first phase cuts the units of layer `l`, not the rows of the batch.
    pub(super) fn by_units(&self, l: usize) -> bool {
        self.layers[l].by_units
    }

    /// Whether the second phase cuts the panels of layer `l`, of which there are fewer
    /// than parts, into pieces of some inputs each.
    pub(super) fn by_inputs(&self, l: usize) -> bool {
        let Cut { panels, small, .. } = self.layers[l];
        panels < self.parts && !small && !self.whole_units
    }

    /// The panels of layer `l` that the second phase leaves to part `part`.
    pub(super) fn updated(&self, l: usize, part: usize) -> Range<usize> {
        let Cut { panels, small, .. } = self.layers[l];
        match part {
            0 if small => 0..panels,
            _ if small => panels..panels,
            _ => self.panel(l, part)..self.panel(l, part + 1),
        }
    }

    /// Whether it is the rows of all layers that the first phase cuts.
    pub(super) fn by_rows(&self) -> bool {
        self.layers.iter().all(|cut| !cut.by_units)
    }

    /// The first panel of part `part` of layer `l`; of the part behind the last, their
    /// number.
    pub(super) fn panel(&self, l: usize, part: usize) -> usize {
        let Cut { panels, step, .. } = self.layers[l];
        ((panels.div_ceil(step) * part).div_ceil(self.parts) * step).min(panels)
    }

    /// The first of `rows` rows that part `part` has.
    pub(super) fn row(&self, rows: usize, part: usize) -> usize {
        (rows.div_ceil(self.whole_rows) * part / self.parts * self.whole_rows).min(rows)
    }
}

/// Panels that stay together where units are cut: a row's random numbers come in groups.
fn step(fit: &Fit) -> usize {
    let random = fit.dropout.hidden > 0.0 || fit.noise.hidden > 0.0;
    if random { Stream::GROUP / PANEL } else { 1 }
}

/// Pieces that the units of a layer can be cut into, if they are cut at all.
fn steps(layer: &Dense, rows: usize, fit: &Fit) -> usize {
    let hidden = layer.activation.is_some_and(|activation| activation.pieces() == 1);
    let few_rows = rows / Plan::ROWS_PER_UNIT <= layer.units;
    if hidden && few_rows { layer.panels().div_ceil(step(fit)) } else { 0 }
}

/// Piece `i` of `count` of so many inputs: whole blocks.
pub(super) fn piece_of(inputs: usize, i: usize, count: usize) -> Range<usize> {
    let first = |i: usize| ((inputs.div_ceil(PANEL) * i).div_ceil(count) * PANEL).min(inputs);
    first(i)..first(i + 1)
}

/// Does the work of some parts, each in a task of its own. `cut(work, parts, at)` cuts
/// the work of `parts` in two: those before `at` and the others.
pub(super) fn share<W: Send>(
    parts: Range<usize>,
    work: W,
    cut: &(impl Fn(W, Range<usize>, usize) -> (W, W) + Sync),
    run: &(impl Fn(usize, W) + Sync),
    executor: &impl Executor,
) {
    if parts.len() < 2 {
        return run(parts.start, work);
    }
    let middle = parts.start + parts.len() / 2;
    let (left, right) = cut(work, parts.clone(), middle);
    executor.join(
        || share(parts.start..middle, left, cut, run, executor),
        || share(middle..parts.end, right, cut, run, executor),
    );
}
