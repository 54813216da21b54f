//! How the work of a step is cut into tasks.
//!
//! A core that computes the same units in every step finds their weights in its own
//! cache. (To read a line that another core has written takes as long as to read
//! memory.) So a layer is cut by *units*, forward, backward and in the update, and
//! part `i` of every layer runs on the same core. What moves between cores is
//! activations, which are fewer than weights as long as a batch has fewer rows than a
//! layer has units.
//!
//! The output layer and the loss are cut by *rows*, and so are layers of few units.
//! In the update, a layer with fewer panels than parts is cut by its *inputs*: each
//! core updates the weights of the inputs that it computed itself.
//!
//! A *narrow* first layer is one panel (see `net/dense.rs`). Cut by units, each thread
//! would convert and scan the whole input to fill half a register tile. So the pass
//! is cut by rows, and the update by inputs. The weights move between cores instead,
//! but they are few.
//!
//! Before all this, the units of a wide hidden layer are divided among the ranks, and what
//! a rank has of them is cut into its tasks: see `share.rs`.

use std::ops::Range;

use kernels::{PANEL, Stream};

use super::share::Share;
use super::tape::Layout;
use crate::net::dense::Dense;
use crate::{Executor, Fit, Mlp};

/// How some work is cut into tasks, one for each part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// One task does all of it.
    Whole,
    /// A task takes some rows of the batch.
    Rows,
    /// A task takes some units of a layer.
    Units,
    /// A task takes some inputs of a layer.
    Inputs,
}

/// How each stage of a step is cut.
pub(super) struct Plan {
    /// Tasks of a stage that is cut.
    pub(super) parts: usize,
    /// Rows that stay together where rows are cut: a register tile, or a shard.
    pub(super) whole_rows: usize,
    /// Rows of a shard; 1 without batch normalisation.
    shard_rows: usize,
    /// How the pass is cut: by rows, where a task takes some rows through all layers
    /// and back; or by units, where each layer is a stage of its own.
    pub(super) pass: Cut,
    /// How the input is gathered, unless it is augmented.
    input: Cut,
    layers: Vec<LayerPlan>,
    /// What this rank has of each layer.
    pub(super) share: Share,
}

struct LayerPlan {
    panels: usize,
    /// Panels that stay together where units are cut.
    step: usize,
    /// How the layer is cut in the pass: by rows or by units.
    pass: Cut,
    /// How its update is cut: whole, by units or by inputs.
    update: Cut,
}

impl Plan {
    /// A layer is cut by units up to this many rows of the batch for each unit. With
    /// more rows, its activations are more to move than its weights.
    const ROWS_PER_UNIT: usize = 6;

    /// The input is copied for each part up to this many elements in all: to convert
    /// an image again takes less time than to read what another core wrote.
    const COPIED: usize = 1 << 21;

    /// Floating-point operations from which the update of a layer is cut: about a
    /// microsecond.
    const CUT_FROM: usize = 300_000;

    /// Where rows of a wide first layer are cut, fewer threads take part: only a seventh of
    /// the operations count. Its weights move between cores in each step, or one core
    /// updates all of them. (docs/performance.md has the measurement.)
    const SHARE_OF_ROWS: usize = 7;

    /// An executor may claim any number of threads; more tasks than this are no faster.
    const MOST_THREADS: usize = 1024;

    /// Rows that go forward and back together, so that their activations are still in
    /// the L2 cache in the backward pass.
    const ROWS: usize = 256;

    /// A plan for batches of up to `rows` rows.
    pub(super) fn new(network: &Mlp, rows: usize, fit: &Fit, executor: &impl Executor) -> Self {
        let layers = &network.layers;
        let share = Share::new(layers, rows, fit, executor.ranks());
        let parts = parts(layers, rows, fit, &share, executor);
        let rows_first = layers.first().is_some_and(|layer| steps(layer, rows, fit) < parts);
        let whole_units = fit.max_norm.is_some();
        let plan = |(l, layer): (usize, &Dense)| {
            let panels = layer.panels();
            // For few weights, a fork costs more than it saves.
            let forks = !rows_first || layer.units > Dense::NARROW;
            let shared = share.of(l).is_some();
            let by_units = shared || forks && steps(layer, rows, fit) >= parts;
            let small = operations(layer, rows) < Self::CUT_FROM;
            let update = match panels {
                _ if shared => Cut::Units,
                _ if small => Cut::Whole,
                1 if whole_units => Cut::Whole,
                _ if panels < parts && !whole_units => Cut::Inputs,
                _ => Cut::Units,
            };
            let step = if by_units { whole_panels(fit) } else { 1 };
            LayerPlan { panels, step, pass: if by_units { Cut::Units } else { Cut::Rows }, update }
        };
        let layers: Vec<_> = layers.iter().enumerate().map(plan).collect();
        let by_rows = layers.iter().all(|layer| layer.pass == Cut::Rows);
        let shard_rows = fit.batch_norm.map_or(1, |norm| norm.rows);
        let whole_rows = fit.batch_norm.map_or(network.isa.tile_rows(), |norm| norm.rows);
        let pass = if by_rows { Cut::Rows } else { Cut::Units };
        let mut plan =
            Self { parts, whole_rows, shard_rows, pass, input: Cut::Rows, layers, share };
        plan.input = plan.input_of(rows, network.architecture().inputs, fit);
        plan
    }

    fn input_of(&self, rows: usize, inputs: usize, fit: &Fit) -> Cut {
        let record = Layout::input_record(inputs, fit);
        let copied = rows.saturating_mul(record).saturating_mul(self.parts);
        let Some(first) = self.layers.first().filter(|_| copied <= Self::COPIED) else {
            return Cut::Rows;
        };
        if self.pass == Cut::Units {
            return first.pass;
        }
        // What a part copies of other parts' rows has no dropout and no noise.
        let plain = fit.dropout.input == 0.0 && fit.noise.input == 0.0;
        let by_inputs = first.panels == 1 && first.update == Cut::Inputs;
        if plain && by_inputs { Cut::Inputs } else { Cut::Rows }
    }

    /// How the input is gathered: by rows, each of them once; by units, where each part
    /// has a copy of all rows; or by inputs, where each part has its own rows, and of
    /// all other rows the inputs whose weights it updates.
    pub(super) fn input(&self, augmented: bool) -> Cut {
        // To augment an image takes longer than to fetch it from another core.
        if augmented { Cut::Rows } else { self.input }
    }

    /// Copies of the input.
    pub(super) fn copies(&self, augmented: bool) -> usize {
        if self.input(augmented) == Cut::Rows { 1 } else { self.parts }
    }

    /// How layer `l` is cut in the pass: by rows or by units.
    pub(super) fn layer(&self, l: usize) -> Cut {
        self.layers[l].pass
    }

    /// How the update of layer `l` is cut: whole, by units or by inputs.
    pub(super) fn update(&self, l: usize) -> Cut {
        self.layers[l].update
    }

    /// Rows of a batch that go through the layers and back together.
    pub(super) fn chunk(&self) -> usize {
        if self.share.is_any() {
            // The same on every rank, whatever its threads and its instruction set.
            let whole = self.shard_rows;
            return whole * (Self::ROWS / whole).max(1);
        }
        let most = if self.layer(0) == Cut::Units { Self::ROWS } else { Self::ROWS * self.parts };
        self.whole_rows * (most / self.whole_rows).max(1)
    }

    /// The first panel of part `part` of layer `l`; for the part after the last, the end of
    /// the panels that this rank has.
    pub(super) fn panel(&self, l: usize, part: usize) -> usize {
        let LayerPlan { panels, step, .. } = self.layers[l];
        let own = self.share.panels(l).unwrap_or(0..panels);
        let pieces = own.len().div_ceil(step);
        own.start + ((pieces * part).div_ceil(self.parts) * step).min(own.len())
    }

    /// The first of `rows` rows that part `part` takes.
    pub(super) fn row(&self, rows: usize, part: usize) -> usize {
        (rows.div_ceil(self.whole_rows) * part / self.parts * self.whole_rows).min(rows)
    }
}

/// Floating-point operations of a layer's product on `rows` rows.
pub(super) fn operations(layer: &Dense, rows: usize) -> usize {
    rows.saturating_mul(2 * layer.inputs * layer.units)
}

/// Tasks that a step on `rows` rows is cut into.
fn parts(
    layers: &[Dense],
    rows: usize,
    fit: &Fit,
    share: &Share,
    executor: &impl Executor,
) -> usize {
    let own =
        |(l, layer)| operations(layer, rows) / if share.of(l).is_some() { share.ranks } else { 1 };
    let all = layers.iter().enumerate().map(own);
    // Forward, backward and for the gradient.
    let all = all.fold(0_usize, usize::saturating_add).saturating_mul(3);
    let threads = |share| executor.threads_for(all / share).clamp(1, Plan::MOST_THREADS);
    layers.first().map_or(1, |layer| match steps(layer, rows, fit) {
        0 | 1 if layer.panels() == 1 && fit.max_norm.is_none() => threads(1),
        0 | 1 => threads(Plan::SHARE_OF_ROWS),
        most if share.of(0).is_some() => threads(1).min(most.div_ceil(share.ranks)),
        most => threads(1).min(most),
    })
}

/// Panels that stay together where units are cut: the random numbers of a row come in
/// groups.
pub(super) fn whole_panels(fit: &Fit) -> usize {
    let random = fit.dropout.hidden > 0.0 || fit.noise.hidden > 0.0;
    if random { Stream::GROUP / PANEL } else { 1 }
}

/// Pieces that the units of a layer can be cut into; 0 where rows are cut instead.
fn steps(layer: &Dense, rows: usize, fit: &Fit) -> usize {
    let few_rows = rows / Plan::ROWS_PER_UNIT <= layer.units;
    if few_rows { groups(layer, fit) } else { 0 }
}

/// Groups of panels that stay together; 0 where the units of a layer cannot be cut.
pub(super) fn groups(layer: &Dense, fit: &Fit) -> usize {
    let hidden = layer.activation.is_some_and(|activation| activation.pieces() == 1);
    if hidden { layer.panels().div_ceil(whole_panels(fit)) } else { 0 }
}

/// Piece `i` of `count` pieces of a layer's inputs: whole blocks.
pub(super) fn piece_of(inputs: usize, i: usize, count: usize) -> Range<usize> {
    let first = |i: usize| ((inputs.div_ceil(PANEL) * i).div_ceil(count) * PANEL).min(inputs);
    first(i)..first(i + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Architecture, BatchNorm, Dropout, Init, Noise};

    /// Claims four threads.
    struct Four;

    impl Executor for Four {
        fn threads(&self) -> usize {
            4
        }

        fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
            a();
            b();
        }
    }

    fn plan(sizes: &[usize], rows: usize, fit: &Fit) -> Plan {
        let (outputs, hidden) = sizes[1..].split_last().unwrap();
        let shape = Architecture {
            inputs: sizes[0],
            hidden: hidden.to_vec(),
            outputs: *outputs,
            activation: Activation::Tanh,
        };
        Plan::new(&Mlp::new(shape, Init::Xavier, 1).unwrap(), rows, fit, &Four)
    }

    /// Parts, the cut of the input, and those of each layer: in the pass, in the update.
    fn cuts(sizes: &[usize], rows: usize, fit: &Fit) -> (usize, Cut, Vec<(Cut, Cut)>) {
        let plan = plan(sizes, rows, fit);
        let layers = plan.layers.iter().map(|layer| (layer.pass, layer.update)).collect();
        (plan.parts, plan.input(false), layers)
    }

    /// A wrong cut is no wrong result, only a slow one, so no other test would notice.
    #[test]
    fn work_is_cut_as_the_shapes_ask() {
        use Cut::{Inputs, Rows, Units, Whole};
        let fit = Fit::default();
        let wide = [784, 512, 256, 10];
        let by_units = vec![(Units, Units), (Units, Units), (Rows, Inputs)];
        assert_eq!(cuts(&wide, 128, &fit), (4, Units, by_units));
        // Many rows for each unit, and an input that is too large to copy.
        let by_rows = vec![(Rows, Units), (Rows, Units), (Rows, Inputs)];
        assert_eq!(cuts(&wide, 4096, &fit), (4, Rows, by_rows));
        // Panels of the second layer stay together: there are two groups for four parts.
        let grouped = vec![(Units, Units), (Rows, Units), (Rows, Inputs)];
        for (dropout, noise) in [(0.5, 0.0), (0.0, 0.5)] {
            let dropout = Dropout { hidden: dropout, ..Dropout::default() };
            let noise = Noise { hidden: noise, ..Noise::default() };
            let fit = Fit { dropout, noise, ..Fit::default() };
            assert_eq!(cuts(&wide, 128, &fit), (4, Units, grouped.clone()));
        }
        // A narrow layer, and an output layer that is too small to cut.
        let narrow = [784, 30, 10];
        let layers = vec![(Rows, Inputs), (Rows, Whole)];
        assert_eq!(cuts(&narrow, 128, &fit), (4, Inputs, layers.clone()));
        for (dropout, noise) in [(0.5, 0.0), (0.0, 0.5)] {
            let dropout = Dropout { input: dropout, ..Dropout::default() };
            let noise = Noise { input: noise, ..Noise::default() };
            let fit = Fit { dropout, noise, ..Fit::default() };
            assert_eq!(cuts(&narrow, 128, &fit), (4, Rows, layers.clone()));
        }
        // Six million operations are enough for two threads. Of a wide first layer that is
        // cut by rows only a seventh counts.
        assert_eq!(cuts(&[784, 10], 128, &fit), (2, Inputs, vec![(Rows, Inputs)]));
        assert_eq!(cuts(&[50, 64, 10], 600, &fit).0, 1);
        let limited = Fit { max_norm: Some(1.0), ..Fit::default() };
        assert_eq!(cuts(&narrow, 128, &limited).0, 1);
        // Six rows for each unit are still few.
        assert_eq!(cuts(&[300, 64, 10], 384, &fit).2[0].0, Units);
        assert_eq!(cuts(&[300, 64, 10], 390, &fit).2[0].0, Rows);
    }

    #[test]
    fn an_augmented_input_is_not_copied() {
        for sizes in [&[784, 512, 10][..], &[784, 30, 10]] {
            let plan = plan(sizes, 128, &Fit::default());
            assert_eq!((plan.copies(false), plan.copies(true)), (4, 1));
            assert_eq!(plan.input(true), Cut::Rows);
        }
    }

    /// Whole shards of up to 256 rows; where rows are cut, up to 256 rows for each part.
    #[test]
    fn chunks_fit_into_a_cache() {
        let batch_norm = Some(BatchNorm { rows: 100, ..BatchNorm::default() });
        let fit = Fit { batch_norm, ..Fit::default() };
        assert_eq!(plan(&[784, 512, 10], 128, &fit).chunk(), 200);
        assert_eq!(plan(&[784, 30, 10], 128, &fit).chunk(), 1000);
    }
}
