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

use std::ops::Range;

use kernels::{PANEL, Stream};

use crate::dense::Dense;
use crate::mlp::Mlp;
use crate::{Executor, Fit};

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
}

impl Plan {
    /// Rows for each unit up to which its weights are more to move than its
    /// activations, and the copies of the input less work.
    const ROWS_PER_UNIT: usize = 6;

    /// For batches of up to `rows` rows.
    pub(super) fn new(network: &Mlp, rows: usize, fit: &Fit, parts: usize) -> Self {
        let layers = network.layers.iter().map(|layer| {
            let panels = layer.panels();
            let by_units = steps(layer, rows, fit) >= parts;
            Cut { panels, step: if by_units { step(fit) } else { 1 }, by_units }
        });
        let tile = network.isa.tile_rows();
        let whole_rows = fit.batch_norm.map_or(tile, |norm| norm.rows);
        let whole_units = fit.max_norm.is_some();
        Self { parts, whole_rows, layers: layers.collect(), whole_units }
    }

    /// Parts that the units of the first layer can be cut into; 0 or 1, if it is its rows
    /// that are cut.
    pub(super) fn most_by_units(network: &Mlp, rows: usize, fit: &Fit) -> usize {
        network.layers.first().map_or(0, |layer| steps(layer, rows, fit))
    }

    /// Whether the first phase cuts the units of layer `l`, not the rows of the batch.
    pub(super) fn by_units(&self, l: usize) -> bool {
        self.layers[l].by_units
    }

    /// Whether the second phase cuts the panels of layer `l`, of which there are fewer
    /// than parts, into pieces of some inputs each.
    pub(super) fn by_inputs(&self, l: usize) -> bool {
        self.layers[l].panels < self.parts && !self.whole_units
    }

    /// The first panel of part `part` of layer `l`; of the part behind the last, their
    /// number.
    pub(super) fn panel(&self, l: usize, part: usize) -> usize {
        let Cut { panels, step, .. } = self.layers[l];
        (panels.div_ceil(step) * part / self.parts * step).min(panels)
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
