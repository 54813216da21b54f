//! One training step: rows, then weights.
//!
//! 1. **Rows.** Each task takes some rows of the batch all the way: pixels,
//!    forward through every layer, loss, backward down to the first hidden
//!    layer. No row depends on another. What is left behind, for the whole
//!    batch, are the activations a and the gradients dz of each layer.
//! 2. **Weights.** Each task takes some units of a layer all the way: their
//!    gradient `dzᵀ·a` over the whole batch, then what the [`GradientSink`] does
//!    with it, which is the update, while the gradient is in the cache.
//!
//! Every number is computed by exactly one task, along one fixed chain, so the
//! result has the same bits for any number of threads.

use std::ops::Range;

use kernels::{
    AlignedBuf, Isa, MatMut, MatRef, PANEL, PanelsMut, PanelsRef, Product, RowLoss, Stream, Zeros,
    dropout_mask,
};

use crate::dense::Dense;
use crate::mlp::Mlp;
use crate::{Dropout, Examples, Executor};

/// The columns of the tape that belong to the input, or to a hidden layer.
///
/// The tape has one row for each sample of the batch, and in it everything that
/// the step knows of the sample: `x`, then `h`, `mask`, `a` and `dz` of each
/// hidden layer, then the logits, which become the output's `dz`. So to cut the
/// batch is to cut one matrix.
#[derive(Clone, Debug)]
struct Node {
    width: usize,
    /// Output of the activation; the features, of the input.
    h: usize,
    /// Factors of dropout, if the layer has it.
    mask: Option<usize>,
    /// What the next layer reads: `h`, or a copy that went through dropout.
    a: usize,
    /// Gradient of the loss with respect to what went into the activation.
    dz: usize,
    dropout: f32,
}

/// Some units of one layer: what a task of the second phase does in one go.
#[derive(Clone, Debug)]
pub(crate) struct Tile {
    layer: usize,
    panels: Range<usize>,
    /// Its parameters, biases included, in the parameter vector.
    pub(crate) params: Range<usize>,
    /// Its weights in the vector of transposed weights.
    pub(crate) transposed: Range<usize>,
}

/// Takes the gradient of the parameters, piece by piece.
pub(crate) trait GradientSink: Send + Sized {
    /// What lies before `tile`, and what begins with it.
    fn split_at(self, tile: &Tile) -> (Self, Self);

    /// The gradient of the weights that begin at `at` in the parameter vector,
    /// and at `transposed_at` in that of transposed weights.
    fn weights(&mut self, isa: Isa, at: usize, transposed_at: Option<usize>, gradient: &[f32]);

    /// The gradient of the biases that begin at `at` in the parameter vector.
    fn biases(&mut self, isa: Isa, at: usize, gradient: &[f32]);
}

/// Keeps the gradient as it is, in the order of the parameters.
pub(crate) struct Collect<'a> {
    gradient: &'a mut [f32],
    offset: usize,
}

impl<'a> Collect<'a> {
    pub(crate) fn new(gradient: &'a mut [f32]) -> Self {
        Self { gradient, offset: 0 }
    }
}

impl GradientSink for Collect<'_> {
    fn split_at(self, tile: &Tile) -> (Self, Self) {
        let (left, right) = self.gradient.split_at_mut(tile.params.start - self.offset);
        let right = Self { gradient: right, offset: tile.params.start };
        (Self { gradient: left, offset: self.offset }, right)
    }

    fn weights(&mut self, _: Isa, at: usize, _: Option<usize>, gradient: &[f32]) {
        let at = at - self.offset;
        self.gradient[at..at + gradient.len()].copy_from_slice(gradient);
    }

    fn biases(&mut self, isa: Isa, at: usize, gradient: &[f32]) {
        self.weights(isa, at, None, gradient);
    }
}

/// What a step trains on.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub(crate) examples: &'a Examples<'a>,
    /// Which examples, by position; at most as many as the tape has rows.
    pub(crate) positions: &'a [u32],
    /// Seed and index of the step, for dropout masks, and of the epoch, for
    /// augmentation.
    pub(crate) seed: u64,
    pub(crate) step: u64,
    pub(crate) epoch: u64,
}

/// The memory of a step, and the plan by which its work is cut.
pub(crate) struct Workspace {
    nodes: Vec<Node>,
    /// Where the logits begin.
    logits: usize,
    /// Numbers in a row of the tape.
    record: usize,
    tape: AlignedBuf,
    labels: Vec<u32>,
    losses: Vec<RowLoss>,
    tiles: Vec<Tile>,
    /// Tasks of the second phase, each with its part of the scratch memory.
    weight_tasks: usize,
    /// Threads for which the work is cut.
    threads: usize,
    scratch: AlignedBuf,
    scratch_len: usize,
}

impl Workspace {
    /// Inputs whose weights get their gradient in one go: 64 × 48 numbers are
    /// 12 KiB, which the update finds in the L1 cache.
    const CHUNK: usize = 64;

    /// Rows that a task takes at the most, so that their activations stay in the
    /// L2 cache from the forward pass to the backward pass.
    const ROWS: usize = 128;

    /// Threads for which work is cut.
    const MOST_THREADS: usize = 1024;

    /// For batches of up to `rows` samples and the tasks of an executor.
    pub(crate) fn new(
        network: &Mlp,
        rows: usize,
        dropout: Dropout,
        executor: &impl Executor,
    ) -> Self {
        // What an executor says of itself may be anything; more tasks than this
        // are none the faster.
        let threads = executor.threads().clamp(1, Self::MOST_THREADS);
        let mut at = 0;
        let mut take = |width: usize| {
            at += width;
            at - width
        };
        let mut nodes = Vec::with_capacity(network.layers.len());
        for (l, Dense { inputs: width, .. }) in network.layers.iter().enumerate() {
            let width = *width;
            let dropout = if l == 0 { dropout.input } else { dropout.hidden };
            let h = take(width);
            let mask = (dropout > 0.0).then(|| take(width));
            // The derivative of the activation needs h as it was before dropout;
            // the input has none, and is overwritten.
            let a = if mask.is_some() && l > 0 { take(width) } else { h };
            let dz = if l > 0 { take(width) } else { h };
            nodes.push(Node { width, h, mask, a, dz, dropout });
        }
        let logits = take(network.architecture().outputs);
        // An odd number of cache lines, so that the rows of a column do not meet
        // in the same set of a cache.
        let record = (at.div_ceil(PANEL) | 1) * PANEL;

        let widest = network.isa.tile_panels();
        let mut tiles = Vec::new();
        for (layer, dense) in network.layers.iter().enumerate() {
            // Tiles as wide as the kernel likes, unless threads would go without.
            let width = dense.panels().div_ceil(threads).min(widest);
            for first in (0..dense.panels()).step_by(width) {
                let panels = first..dense.panels().min(first + width);
                let last = panels.end - 1;
                tiles.push(Tile {
                    layer,
                    params: dense.weights_of(first).start..dense.biases_of(last).end,
                    transposed: dense.transposed_of(first).start..dense.transposed_of(last).end,
                    panels,
                });
            }
        }
        let weight_tasks = tiles.len().min(4 * threads);
        let scratch_len = (rows + Self::CHUNK) * widest * PANEL;
        Self {
            nodes,
            logits,
            record,
            tape: AlignedBuf::zeros(rows * record),
            labels: vec![0; rows],
            losses: vec![RowLoss::default(); rows],
            weight_tasks: if threads == 1 { 1 } else { weight_tasks },
            tiles,
            threads,
            scratch: AlignedBuf::zeros(weight_tasks * scratch_len),
            scratch_len,
        }
    }

    /// The first phase: fills the tape. Returns what each row says about its
    /// label, before any update.
    pub(crate) fn rows(
        &mut self,
        network: &Mlp,
        transposed: &[f32],
        batch: Batch<'_>,
        executor: &impl Executor,
    ) -> &[RowLoss] {
        let rows = batch.positions.len();
        let pass = RowPass { network, transposed, batch, nodes: &self.nodes, logits: self.logits };
        let parts = rows.div_ceil(Self::ROWS).next_multiple_of(self.threads);
        let part = Rows {
            first: 0,
            tape: MatMut::new(&mut self.tape[..rows * self.record], rows, self.record),
            labels: &mut self.labels[..rows],
            losses: &mut self.losses[..rows],
        };
        pass.run(part, parts, executor);
        &self.losses[..rows]
    }

    /// The second phase: the gradient of every parameter, averaged over the
    /// `rows` rows of the tape, into `sink`.
    pub(crate) fn weights<S: GradientSink>(
        &mut self,
        isa: Isa,
        layers: &[Dense],
        rows: usize,
        sink: S,
        executor: &impl Executor,
    ) {
        let pass = WeightPass {
            isa,
            layers,
            nodes: &self.nodes,
            logits: self.logits,
            tape: MatRef::new(&self.tape[..rows * self.record], rows, self.record),
            scratch_len: self.scratch_len,
        };
        pass.run(&self.tiles, sink, &mut self.scratch, self.weight_tasks, executor);
    }
}

/// Some rows of the batch.
struct Rows<'a> {
    /// Index of the first in the batch.
    first: usize,
    tape: MatMut<'a>,
    labels: &'a mut [u32],
    losses: &'a mut [RowLoss],
}

impl Rows<'_> {
    fn split_at(self, row: usize) -> (Self, Self) {
        let (tape, tape_right) = self.tape.split_rows(row);
        let (labels, labels_right) = self.labels.split_at_mut(row);
        let (losses, losses_right) = self.losses.split_at_mut(row);
        let first = self.first + row;
        (
            Self { first: self.first, tape, labels, losses },
            Self { first, tape: tape_right, labels: labels_right, losses: losses_right },
        )
    }
}

/// The first phase.
struct RowPass<'a> {
    network: &'a Mlp,
    transposed: &'a [f32],
    batch: Batch<'a>,
    nodes: &'a [Node],
    logits: usize,
}

impl RowPass<'_> {
    /// Runs the rows in `parts` tasks.
    fn run(&self, rows: Rows<'_>, parts: usize, executor: &impl Executor) {
        if rows.labels.is_empty() {
            return;
        }
        if parts <= 1 {
            return self.all_the_way(rows);
        }
        let near = parts / 2;
        let len = rows.labels.len();
        // Whole register tiles, as far as there are rows.
        let middle = (len * near).div_ceil(parts);
        let middle = middle.next_multiple_of(self.network.isa.tile_rows()).min(len);
        let (left, right) = rows.split_at(middle);
        executor
            .join(|| self.run(left, near, executor), || self.run(right, parts - near, executor));
    }

    fn all_the_way(&self, mut rows: Rows<'_>) {
        self.gather(&mut rows);
        self.forward(&mut rows);
        let classes = self.network.architecture().outputs;
        let (_, logits) = rows.tape.reborrow().split_cols(self.logits);
        let (logits, _) = logits.split_cols(classes);
        // The loss is the mean over the batch.
        let factor = 1.0 / self.batch.positions.len() as f32;
        kernels::cross_entropy_gradient(self.network.isa, logits, rows.labels, factor, rows.losses);
        self.backward(&mut rows);
    }

    /// Features and labels of each row.
    fn gather(&self, rows: &mut Rows<'_>) {
        let Batch { examples, positions, seed, epoch, .. } = self.batch;
        let isa = self.network.isa;
        let scale = self.network.pixel_scale();
        for (i, label) in rows.labels.iter_mut().enumerate() {
            let position = positions[rows.first + i] as usize;
            *label = examples.label(position) as u32;
            let record = rows.tape.row_mut(i);
            let features = &mut record[..self.nodes[0].width];
            examples.copy_row(isa, position, scale, features);
            examples.augment_row(seed, epoch, position, features);
            self.drop_units(0, rows.first + i, record);
        }
    }

    fn forward(&self, rows: &mut Rows<'_>) {
        let len = rows.labels.len();
        for (l, layer) in self.network.layers.iter().enumerate() {
            let x = &self.nodes[l];
            let to = self.nodes.get(l + 1).map_or(self.logits, |node| node.h);
            let (before, after) = rows.tape.reborrow().split_cols(to);
            let x = before.as_ref().sub(0, len, x.a, x.width);
            let (h, _) = after.split_cols(layer.units);
            layer.forward(self.network.isa, &self.network.params, x, h);
            if self.nodes.get(l + 1).is_some_and(|node| node.mask.is_some()) {
                for i in 0..len {
                    self.drop_units(l + 1, rows.first + i, rows.tape.row_mut(i));
                }
            }
        }
    }

    /// `a = h·mask` in one row of the tape, where the node has dropout.
    fn drop_units(&self, l: usize, row: usize, record: &mut [f32]) {
        let node = &self.nodes[l];
        let Some(mask) = node.mask else { return };
        let isa = self.network.isa;
        let Batch { seed, step, .. } = self.batch;
        // A batch has fewer than 2³² rows and a network fewer than 2³² layers;
        // the upper half of the step, which takes years to reach, is left out.
        let stream = Stream { seed, counter: [row as u32, step as u32, l as u32] };
        let (before, from_mask) = record.split_at_mut(mask);
        let h = &mut before[node.h..][..node.width];
        let (mask, rest) = from_mask.split_at_mut(node.width);
        dropout_mask(isa, stream, node.dropout, mask);
        if node.a == node.h {
            kernels::zip(isa, Product, h, mask);
        } else {
            let a = &mut rest[..node.width];
            a.copy_from_slice(h);
            kernels::zip(isa, Product, a, mask);
        }
    }

    /// `dz` of every hidden layer, last to first.
    fn backward(&self, rows: &mut Rows<'_>) {
        let isa = self.network.isa;
        let len = rows.labels.len();
        for l in (1..self.network.layers.len()).rev() {
            let layer = &self.network.layers[l];
            let node = &self.nodes[l];
            let behind = self.nodes.get(l + 1).map_or(self.logits, |node| node.dz);
            // dz of this node lies before the one behind it.
            let (before, after) = rows.tape.reborrow().split_cols(behind);
            let dz_behind = after.as_ref().sub(0, len, 0, layer.units);
            let (_, da) = before.split_cols(node.dz);
            let (da, _) = da.split_cols(node.width);
            layer.backward(isa, self.transposed, dz_behind, da);
            let activation = self.network.architecture().activation;
            for i in 0..len {
                let (before, dz) = rows.tape.row_mut(i).split_at_mut(node.dz);
                let dz = &mut dz[..node.width];
                if let Some(mask) = node.mask {
                    kernels::zip(isa, Product, dz, &before[mask..][..node.width]);
                }
                activation.backward(isa, dz, &before[node.h..][..node.width]);
            }
        }
    }
}

/// The second phase.
struct WeightPass<'a> {
    isa: Isa,
    layers: &'a [Dense],
    nodes: &'a [Node],
    logits: usize,
    tape: MatRef<'a>,
    scratch_len: usize,
}

impl WeightPass<'_> {
    /// Runs the tiles in `parts` tasks, each with its own part of `scratch`.
    fn run<S: GradientSink>(
        &self,
        tiles: &[Tile],
        sink: S,
        scratch: &mut [f32],
        parts: usize,
        executor: &impl Executor,
    ) {
        let near = parts / 2;
        if near == 0 || tiles.len() < 2 {
            return self.tiles(tiles, sink, scratch);
        }
        // Work goes with the number of parameters.
        let (begin, end) = (tiles[0].params.start, tiles[tiles.len() - 1].params.end);
        let goal = begin + (end - begin) * near / parts;
        let middle = tiles.partition_point(|tile| tile.params.start + tile.params.len() / 2 < goal);
        let middle = middle.clamp(1, tiles.len() - 1);
        let (left, right) = tiles.split_at(middle);
        let (sink_left, sink_right) = sink.split_at(&right[0]);
        let (scratch_left, scratch_right) = scratch.split_at_mut(near * self.scratch_len);
        executor.join(
            || self.run(left, sink_left, scratch_left, near, executor),
            || self.run(right, sink_right, scratch_right, parts - near, executor),
        );
    }

    fn tiles<S: GradientSink>(&self, tiles: &[Tile], mut sink: S, scratch: &mut [f32]) {
        let rows = self.tape.rows();
        for Tile { layer: l, panels, .. } in tiles {
            let layer = &self.layers[*l];
            let x = &self.nodes[*l];
            let dz = self.nodes.get(l + 1).map_or(self.logits, |node| node.dz);
            let left = panels.start * PANEL;
            let units = (panels.end * PANEL).min(layer.units) - left;

            let width = panels.len() * PANEL;
            let (packed, gradient) = scratch.split_at_mut(rows * width);
            kernels::pack(self.isa, self.tape.sub(0, rows, dz + left, units), packed);
            let dz = PanelsRef::packed(packed, rows, units);

            for input in (0..layer.inputs).step_by(Workspace::CHUNK) {
                let inputs = Workspace::CHUNK.min(layer.inputs - input);
                let a = self.tape.sub(0, rows, x.a + input, inputs);
                let gradient = &mut gradient[..inputs * width];
                let c = PanelsMut::packed(gradient, inputs, panels.len());
                kernels::matmul_into_panels(self.isa, a.t(), dz, c, layer.zeros());
                let pieces = gradient.chunks_exact(inputs * PANEL);
                for (panel, gradient) in panels.clone().zip(pieces) {
                    let at = layer.weights_of(panel).start + input * PANEL;
                    let transposed = layer.transposed_of(panel);
                    let transposed_at =
                        (!transposed.is_empty()).then(|| transposed.start + input * PANEL);
                    sink.weights(self.isa, at, transposed_at, gradient);
                }
            }

            // A bias is the weight of an input that is always 1.
            let ones = MatRef::strided(&[1.0], 1, rows, 0, 0);
            let gradient = &mut gradient[..width];
            let c = PanelsMut::packed(gradient, 1, panels.len());
            kernels::matmul_into_panels(self.isa, ones, dz, c, Zeros::Multiply);
            for (panel, gradient) in panels.clone().zip(gradient.chunks_exact(PANEL)) {
                sink.biases(self.isa, layer.biases_of(panel).start, gradient);
            }
        }
    }
}
