//! The second phase of a step: some units of a layer, all the way.

use std::ops::Range;

use kernels::{Isa, MatRef, PANEL, PanelsMut, PanelsRef, Zeros};

use super::tape::{Layout, Shards};
use crate::Executor;
use crate::dense::Dense;
use crate::mlp::Mlp;

/// Inputs whose weights get their gradient in one go: 64 × 256 numbers are
/// 64 KiB, which the update finds in the L2 cache.
pub(super) const CHUNK: usize = 64;

/// Panels of the widest tile. For each tile the layer's inputs are read, and
/// searched for zeros, once.
pub(super) const PANELS: usize = 16;

/// Some units of one layer: what a task does in one go.
#[derive(Clone, Debug)]
pub(crate) struct Tile {
    pub(super) layer: usize,
    pub(super) panels: Range<usize>,
    /// Its parameters, biases and gains included, in the parameter vector.
    pub(crate) params: Range<usize>,
    /// Its weights in the vector of transposed weights.
    pub(crate) transposed: Range<usize>,
}

impl Tile {
    /// All units of a network, cut for so many threads.
    pub(super) fn cut(network: &Mlp, threads: usize) -> Vec<Self> {
        let mut tiles = Vec::new();
        for (layer, dense) in network.layers.iter().enumerate() {
            let width = dense.panels().div_ceil(threads).min(PANELS);
            for first in (0..dense.panels()).step_by(width) {
                let panels = first..dense.panels().min(first + width);
                let last = panels.end - 1;
                tiles.push(Self {
                    layer,
                    params: dense.weights_of(first).start..dense.panel(last).end,
                    transposed: dense.transposed_of(first).start..dense.transposed_of(last).end,
                    panels,
                });
            }
        }
        tiles
    }
}

/// The tiles of the first `parts / 2` tasks and of the others; `None` where one
/// task does them all.
pub(super) fn halve(tiles: &[Tile], parts: usize) -> Option<(&[Tile], &[Tile])> {
    let near = parts / 2;
    if near == 0 || tiles.len() < 2 {
        return None;
    }
    // Work goes with the number of parameters.
    let (begin, end) = (tiles[0].params.start, tiles[tiles.len() - 1].params.end);
    let goal = begin + (end - begin) * near / parts;
    let middle = tiles.partition_point(|tile| tile.params.start + tile.params.len() / 2 < goal);
    Some(tiles.split_at(middle.clamp(1, tiles.len() - 1)))
}

/// Takes the gradient of the parameters, piece by piece.
pub(crate) trait GradientSink: Send + Sized {
    /// What lies before `tile`, and what begins with it.
    fn split_at(self, tile: &Tile) -> (Self, Self);

    /// The gradient of the weights that begin at `at` in the parameter vector,
    /// and at `transposed_at` in that of transposed weights.
    fn weights(&mut self, isa: Isa, at: usize, transposed_at: Option<usize>, gradient: &[f32]);

    /// The gradient of the biases, or gains, that begin at `at` in the parameter
    /// vector.
    fn biases(&mut self, isa: Isa, at: usize, gradient: &[f32]);

    /// The gradient of panel `panel` of a layer was given, all of it.
    fn panel(&mut self, _: Isa, _: &Dense, _panel: usize) {}
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

/// The second phase.
pub(super) struct WeightPass<'a> {
    pub(super) isa: Isa,
    pub(super) layers: &'a [Dense],
    pub(super) layout: &'a Layout,
    pub(super) tape: MatRef<'a>,
    pub(super) shards: &'a Shards,
    pub(super) shard_rows: MatRef<'a>,
    pub(super) scratch_len: usize,
}

impl WeightPass<'_> {
    /// Runs the tiles in `parts` tasks, each with its own part of `scratch`.
    pub(super) fn run<S: GradientSink>(
        &self,
        tiles: &[Tile],
        sink: S,
        scratch: &mut [f32],
        parts: usize,
        executor: &impl Executor,
    ) {
        let Some((left, right)) = halve(tiles, parts) else {
            return self.tiles(tiles, sink, scratch);
        };
        let near = parts / 2;
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
            let x = &self.layout.nodes[*l];
            let node = &self.layout.nodes[l + 1];
            let left = panels.start * PANEL;
            let units = (panels.end * PANEL).min(layer.units) - left;

            let width = panels.len() * PANEL;
            let (packed, gradient) = scratch.split_at_mut(rows * width);
            kernels::pack(self.isa, self.tape.sub(0, rows, node.dz + left, units), packed);
            let dz = PanelsRef::packed(packed, rows, units);

            for input in (0..layer.inputs).step_by(CHUNK) {
                let inputs = CHUNK.min(layer.inputs - input);
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

            if layer.gains {
                for panel in panels.clone() {
                    self.gains(*l, panel, &mut sink);
                }
            } else {
                // A bias is the weight of an input that is always 1.
                let ones = MatRef::strided(&[1.0], 1, rows, 0, 0);
                let gradient = &mut gradient[..width];
                let c = PanelsMut::packed(gradient, 1, panels.len());
                kernels::matmul_into_panels(self.isa, ones, dz, c, Zeros::Multiply);
                for (panel, gradient) in panels.clone().zip(gradient.chunks_exact(PANEL)) {
                    sink.biases(self.isa, layer.biases_of(panel).start, gradient);
                }
            }
            for panel in panels.clone() {
                sink.panel(self.isa, layer, panel);
            }
        }
    }

    /// Gains and biases of a panel of layer `l`, of which each shard has its sum.
    fn gains<S: GradientSink>(&self, l: usize, panel: usize, sink: &mut S) {
        let layer = &self.layers[l];
        let (mut gain, mut bias) = ([0.0; PANEL], [0.0; PANEL]);
        for i in 0..self.shard_rows.rows() {
            let shard = self.shards.of(l, self.shard_rows.row(i));
            for (sum, of_shard) in [(&mut gain, shard.gain), (&mut bias, shard.bias)] {
                for (sum, x) in sum.iter_mut().zip(&of_shard[panel * PANEL..]) {
                    *sum += x;
                }
            }
        }
        sink.biases(self.isa, layer.biases_of(panel).start, &bias);
        sink.biases(self.isa, layer.gains_of(panel).start, &gain);
    }
}
