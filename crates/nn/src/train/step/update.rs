//! The update: the gradient of every parameter, tile by tile, into a [`GradientSink`].

use std::mem;

use kernels::{MatRef, PANEL, PanelsMut, PanelsRef, Zeros};

use super::clip::{self, Clip};
use super::sink::{Collect, GradientSink};
use super::tile::{CHUNK, PANELS, Tile, fork_tiles};
use super::{Context, Memory};
use crate::Executor;

/// Elements of scratch memory for each part, for batches of `rows` rows.
pub(super) const fn scratch_len(rows: usize) -> usize {
    (rows + CHUNK) * PANELS * PANEL
}

/// What the update reads.
pub(super) struct Reads<'a, E> {
    pub(super) cx: Context<'a, E>,
    /// The input of the batch: one matrix, or a copy for each part, one below the other.
    pub(super) inputs: MatRef<'a>,
    pub(super) tape: MatRef<'a>,
    pub(super) shard_rows: MatRef<'a>,
}

/// Gives `sink`, which may have borrowed the parameters, the gradient averaged over the
/// `rows` rows of the tape, and clipped where that is wanted.
pub(super) fn gradient<E: Executor>(
    memory: &mut Memory,
    rows: usize,
    sink: impl GradientSink,
    executor: &E,
) {
    let mut scratch = mem::take(&mut memory.scratch);
    let mut clip = memory.clip.take();
    let (reads, tiles) = (memory.reads(rows, executor), &memory.tiles);
    if let Some(Clip { gradient, limit }) = &mut clip {
        reads.tiles(tiles, Collect::new(gradient), &mut scratch);
        clip::replay(&reads.cx, tiles, gradient, *limit, sink);
    } else {
        reads.tiles(tiles, sink, &mut scratch);
    }
    memory.scratch = scratch;
    memory.clip = clip;
}

impl<E: Executor> Reads<'_, E> {
    fn tiles<S: GradientSink>(&self, tiles: &[Tile], sink: S, scratch: &mut [f32]) {
        let scratch = (scratch, scratch_len(self.tape.rows()));
        fork_tiles(&self.cx, tiles, sink, scratch, &|tiles, mut sink, scratch| {
            for tile in tiles {
                self.tile(tile, &mut sink, scratch);
            }
        });
    }

    /// The gradient of a tile.
    fn tile<S: GradientSink>(&self, tile: &Tile, sink: &mut S, scratch: &mut [f32]) {
        let layer = &self.cx.layers[tile.layer];
        let node = &self.cx.layout.nodes[tile.layer + 1];
        let rows = self.tape.rows();
        let left = tile.panels.start * layer.width;
        let units = (tile.panels.end * layer.width).min(layer.units) - left;
        let width = tile.panels.len() * layer.width;
        let (packed, gradient) = scratch.split_at_mut(rows * width);
        kernels::pack(self.cx.isa, self.tape.sub(0, rows, node.dz + left, units), packed);
        let dz = PanelsRef::packed(packed, rows, units);

        self.weights(tile, dz, sink, gradient);
        if tile.has_biases(layer) {
            if layer.gains {
                tile.panels.clone().for_each(|panel| self.gains(tile.layer, panel, sink));
            } else {
                self.biases(tile, dz, sink, &mut gradient[..width]);
            }
        }
        if tile.own {
            sink.end(layer, tile);
        }
    }

    /// `dW = aᵀ·dz`, some inputs at a time.
    fn weights<S: GradientSink>(
        &self,
        tile: &Tile,
        dz: PanelsRef<'_>,
        sink: &mut S,
        gradient: &mut [f32],
    ) {
        let layer = &self.cx.layers[tile.layer];
        let (x, rows) = (self.input(tile), self.tape.rows());
        let width = tile.panels.len() * layer.width;
        for first in tile.inputs.clone().step_by(CHUNK) {
            let inputs = CHUNK.min(tile.inputs.end - first);
            let a = x.sub(0, rows, first, inputs);
            let offset = |panel| layer.weights_of(panel).start + first * layer.width;
            if tile.inputs.len() < layer.inputs {
                // Other cores have these weights in their caches.
                sink.prefetch(offset(tile.panels.start), inputs * layer.width);
            }
            let gradient = &mut gradient[..inputs * width];
            let c = if layer.width > PANEL {
                PanelsMut::row_major(gradient, inputs, width / PANEL)
            } else {
                PanelsMut::packed(gradient, inputs, width / PANEL)
            };
            kernels::matmul_into_panels(self.cx.isa, a.t(), dz, c, layer.zeros());
            let pieces = gradient.chunks_exact(inputs * layer.width);
            for (panel, gradient) in tile.panels.clone().zip(pieces) {
                sink.weights(offset(panel), gradient);
            }
        }
    }

    /// `db = Σ dz` over the rows: a bias is the weight of an input that is always 1.
    fn biases<S: GradientSink>(
        &self,
        tile: &Tile,
        dz: PanelsRef<'_>,
        sink: &mut S,
        gradient: &mut [f32],
    ) {
        let layer = &self.cx.layers[tile.layer];
        let ones = MatRef::strided(&[1.0], 1, self.tape.rows(), 0, 0);
        let panels = gradient.len() / PANEL;
        let c = PanelsMut::packed(gradient, 1, panels);
        kernels::matmul_into_panels(self.cx.isa, ones, dz, c, Zeros::Multiply);
        for (panel, gradient) in tile.panels.clone().zip(gradient.chunks_exact(layer.width)) {
            sink.biases(layer.biases_of(panel).start, gradient);
        }
    }

    /// Gains and biases of a panel with batch normalisation: each shard has its sums.
    fn gains<S: GradientSink>(&self, l: usize, panel: usize, sink: &mut S) {
        let layer = &self.cx.layers[l];
        for at in (0..layer.width).step_by(PANEL) {
            let (mut gain, mut bias) = ([0.0; PANEL], [0.0; PANEL]);
            for i in 0..self.shard_rows.rows() {
                let shard = self.cx.shards.of(l, self.shard_rows.row(i));
                for (sum, of_shard) in [(&mut gain, shard.gain), (&mut bias, shard.bias)] {
                    for (sum, x) in sum.iter_mut().zip(&of_shard[panel * layer.width + at..]) {
                        *sum += x;
                    }
                }
            }
            sink.biases(layer.biases_of(panel).start + at, &bias);
            sink.biases(layer.gains_of(panel).start + at, &gain);
        }
    }

    /// What the layer of a tile reads: of the first layer, the copy of the tile's part.
    fn input(&self, tile: &Tile) -> MatRef<'_> {
        let (rows, node) = (self.tape.rows(), &self.cx.layout.nodes[tile.layer]);
        if tile.layer > 0 {
            return self.tape.sub(0, rows, node.a, node.width);
        }
        let copy = if self.inputs.rows() == rows { 0 } else { tile.part };
        self.inputs.sub(copy * rows, rows, node.a, node.width)
    }
}
