//! The second phase of a step: some units of a layer, all the way.

use std::ops::Range;

use kernels::{Isa, MatRef, PANEL, PanelsMut, PanelsRef, Zeros};

use super::plan::{Plan, piece_of};
use super::tape::{Layout, Shards};
use crate::net::dense::Dense;
use crate::{Executor, Mlp};

/// Inputs whose weights get their gradient in one go: 64 × 256 numbers are
/// 64 KiB, which the update finds in the L2 cache.
pub(super) const CHUNK: usize = 64;

/// Panels of the widest tile. For each tile the layer's inputs are read, and
/// searched for zeros, once.
pub(super) const PANELS: usize = 16;

/// Some units of one layer, or some of the inputs of one panel: what a task does in one
/// go.
#[derive(Clone, Debug)]
pub(crate) struct Tile {
    pub(super) layer: usize,
    /// The part that it belongs to.
    part: usize,
    pub(crate) panels: Range<usize>,
    /// All of them, if there is more than one panel.
    inputs: Range<usize>,
    /// Its parameters, in the parameter vector. Biases and gains go with the last
    /// inputs.
    pub(crate) params: Range<usize>,
}

impl Tile {
    /// All parameters of a network, in their order.
    pub(super) fn cut(network: &Mlp, plan: &Plan) -> Vec<Self> {
        let mut tiles = Vec::new();
        for (l, layer) in network.layers.iter().enumerate() {
            if plan.by_inputs(l) {
                let parts = |panel| panel * plan.parts / layer.panels();
                for panel in 0..layer.panels() {
                    let (first, count) = (parts(panel), parts(panel + 1) - parts(panel));
                    let pieces = (0..count).map(|i| (first + i, piece_of(layer.inputs, i, count)));
                    let pieces = pieces.filter(|(_, inputs)| !inputs.is_empty());
                    tiles.extend(pieces.map(|(part, inputs)| {
                        Self::new((l, layer), part, panel..panel + 1, inputs)
                    }));
                }
            } else {
                for part in 0..plan.parts {
                    let all = plan.updated(l, part);
                    for first in all.clone().step_by(PANELS) {
                        let panels = first..all.end.min(first + PANELS);
                        tiles.push(Self::new((l, layer), part, panels, 0..layer.inputs));
                    }
                }
            }
        }
        tiles
    }

    fn new(
        (l, layer): (usize, &Dense),
        part: usize,
        panels: Range<usize>,
        inputs: Range<usize>,
    ) -> Self {
        let (first, last) = (panels.start, panels.end - 1);
        let weights = layer.weights_of(first).start;
        let end = if inputs.end == layer.inputs {
            layer.panel(last).end
        } else {
            weights + inputs.end * layer.width
        };
        let params = weights + inputs.start * layer.width..end;
        Self { layer: l, part, panels, inputs, params }
    }

    /// The inputs whose weights it has, and whether it has the biases and gains.
    pub(super) fn inputs(&self, layer: &Dense) -> (Range<usize>, bool) {
        (self.inputs.clone(), self.inputs.end == layer.inputs)
    }
}

/// The tiles of each layer, and the first of the next.
pub(super) fn by_layer(tiles: &[Tile]) -> impl Iterator<Item = (&[Tile], Option<&Tile>)> {
    let mut layers = tiles.chunk_by(|a, b| a.layer == b.layer).peekable();
    std::iter::from_fn(move || {
        let layer = layers.next()?;
        Some((layer, layers.peek().map(|next| &next[0])))
    })
}

/// The tiles of a layer, cut in two between `parts`, and the parts of each half; `None`
/// where they belong to one.
pub(super) fn halve(
    tiles: &[Tile],
    mut parts: Range<usize>,
) -> Option<[(&[Tile], Range<usize>); 2]> {
    while parts.len() > 1 {
        let middle = parts.start + parts.len() / 2;
        match tiles.partition_point(|tile| tile.part < middle) {
            0 => parts.start = middle,
            at if at == tiles.len() => parts.end = middle,
            at => {
                let (left, right) = tiles.split_at(at);
                return Some([(left, parts.start..middle), (right, middle..parts.end)]);
            }
        }
    }
    None
}

/// Takes the gradient of the parameters, piece by piece.
pub(crate) trait GradientSink: Send + Sized {
    /// What lies before `tile`, and what begins with it.
    fn split_at(self, tile: &Tile) -> (Self, Self);

    /// The gradient of the weights that begin at `at` in the parameter vector.
    fn weights(&mut self, isa: Isa, at: usize, gradient: &[f32]);

    /// The gradient of so many weights from `at` on comes next.
    fn expect(&self, _: Isa, _: usize, _: usize) {}

    /// The gradient of the biases, or gains, that begin at `at` in the parameter
    /// vector.
    fn biases(&mut self, isa: Isa, at: usize, gradient: &[f32]);

    /// The gradient of a tile was given, all of it.
    fn end(&mut self, _: Isa, _: &Dense, _: &Tile) {}
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

    fn weights(&mut self, _: Isa, at: usize, gradient: &[f32]) {
        let at = at - self.offset;
        self.gradient[at..at + gradient.len()].copy_from_slice(gradient);
    }

    fn biases(&mut self, isa: Isa, at: usize, gradient: &[f32]) {
        self.weights(isa, at, gradient);
    }
}

/// The second phase.
pub(super) struct WeightPass<'a> {
    pub(super) isa: Isa,
    pub(super) layers: &'a [Dense],
    pub(super) layout: &'a Layout,
    /// The input of the batch, as often as there are copies: one, or one for each part.
    pub(super) inputs: MatRef<'a>,
    pub(super) tape: MatRef<'a>,
    pub(super) shards: &'a Shards,
    pub(super) shard_rows: MatRef<'a>,
    pub(super) scratch_len: usize,
}

impl WeightPass<'_> {
    /// Does the tiles, layer by layer, in a task for each part, with its own part of
    /// `scratch`.
    pub(super) fn run<S: GradientSink>(
        &self,
        tiles: &[Tile],
        mut sink: S,
        scratch: &mut [f32],
        parts: usize,
        executor: &impl Executor,
    ) {
        for (tiles, next) in by_layer(tiles) {
            let Some(next) = next else {
                return self.parts(tiles, 0..parts, sink, scratch, executor);
            };
            let (of_layer, rest) = sink.split_at(next);
            self.parts(tiles, 0..parts, of_layer, scratch, executor);
            sink = rest;
        }
    }

    fn parts<S: GradientSink>(
        &self,
        tiles: &[Tile],
        parts: Range<usize>,
        sink: S,
        scratch: &mut [f32],
        executor: &impl Executor,
    ) {
        let Some([(left, near), (right, far)]) = halve(tiles, parts) else {
            return self.tiles(tiles, sink, scratch);
        };
        let (sink, sink_right) = sink.split_at(&right[0]);
        let (scratch, scratch_right) = scratch.split_at_mut(near.len() * self.scratch_len);
        executor.join(
            || self.parts(left, near, sink, scratch, executor),
            || self.parts(right, far, sink_right, scratch_right, executor),
        );
    }

    /// What layer `l` reads, where it is layer 0 in part `part`.
    fn input(&self, l: usize, part: usize) -> MatRef<'_> {
        let (rows, node) = (self.tape.rows(), &self.layout.nodes[l]);
        if l > 0 {
            return self.tape.sub(0, rows, node.a, node.width);
        }
        let copy = if self.inputs.rows() == rows { 0 } else { part };
        self.inputs.sub(copy * rows, rows, node.a, node.width)
    }

    fn tiles<S: GradientSink>(&self, tiles: &[Tile], mut sink: S, scratch: &mut [f32]) {
        let rows = self.tape.rows();
        for tile in tiles {
            let Tile { layer: l, part, panels, .. } = tile;
            let layer = &self.layers[*l];
            let x = self.input(*l, *part);
            let node = &self.layout.nodes[l + 1];
            let left = panels.start * layer.width;
            let units = (panels.end * layer.width).min(layer.units) - left;

            let width = panels.len() * layer.width;
            let (packed, gradient) = scratch.split_at_mut(rows * width);
            kernels::pack(self.isa, self.tape.sub(0, rows, node.dz + left, units), packed);
            let dz = PanelsRef::packed(packed, rows, units);

            let (inputs, all) = tile.inputs(layer);
            for input in inputs.clone().step_by(CHUNK) {
                let inputs = CHUNK.min(inputs.end - input);
                let a = x.sub(0, rows, input, inputs);
                if tile.inputs.len() < layer.inputs {
                    // The other cores have read them, each one all of them.
                    let at = layer.weights_of(panels.start).start + input * layer.width;
                    sink.expect(self.isa, at, inputs * layer.width);
                }
                let gradient = &mut gradient[..inputs * width];
                let c = if layer.width > PANEL {
                    PanelsMut::row_major(gradient, inputs, width / PANEL)
                } else {
                    PanelsMut::packed(gradient, inputs, width / PANEL)
                };
                kernels::matmul_into_panels(self.isa, a.t(), dz, c, layer.zeros());
                let pieces = gradient.chunks_exact(inputs * layer.width);
                for (panel, gradient) in panels.clone().zip(pieces) {
                    let at = layer.weights_of(panel).start + input * layer.width;
                    sink.weights(self.isa, at, gradient);
                }
            }

            if !all {
                // Nothing but weights.
            } else if layer.gains {
                for panel in panels.clone() {
                    self.gains(*l, panel, &mut sink);
                }
            } else {
                // A bias is the weight of an input that is always 1.
                let ones = MatRef::strided(&[1.0], 1, rows, 0, 0);
                let gradient = &mut gradient[..width];
                let c = PanelsMut::packed(gradient, 1, width / PANEL);
                kernels::matmul_into_panels(self.isa, ones, dz, c, Zeros::Multiply);
                for (panel, gradient) in panels.clone().zip(gradient.chunks_exact(layer.width)) {
                    sink.biases(self.isa, layer.biases_of(panel).start, gradient);
                }
            }
            sink.end(self.isa, layer, tile);
        }
    }

    /// Gains and biases of a panel of layer `l`, of which each shard has its sum.
    fn gains<S: GradientSink>(&self, l: usize, panel: usize, sink: &mut S) {
        let layer = &self.layers[l];
        for at in (0..layer.width).step_by(PANEL) {
            let (mut gain, mut bias) = ([0.0; PANEL], [0.0; PANEL]);
            for i in 0..self.shard_rows.rows() {
                let shard = self.shards.of(l, self.shard_rows.row(i));
                for (sum, of_shard) in [(&mut gain, shard.gain), (&mut bias, shard.bias)] {
                    for (sum, x) in sum.iter_mut().zip(&of_shard[panel * layer.width + at..]) {
                        *sum += x;
                    }
                }
            }
            sink.biases(self.isa, layer.biases_of(panel).start + at, &bias);
            sink.biases(self.isa, layer.gains_of(panel).start + at, &gain);
        }
    }
}
