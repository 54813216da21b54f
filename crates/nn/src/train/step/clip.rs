//! The second phase where the gradient is clipped: its norm is known only when all
//! of it is there, so it is collected first, then given to the sink.

use std::ops::Range;

use kernels::{Isa, PANEL, Simd, SimdOp};

use super::weights::{CHUNK, GradientSink, Tile, by_layer, halve};
use crate::Executor;
use crate::executor::for_each;
use crate::net::dense::Dense;

/// What a gradient is multiplied by so that it is no longer than `limit`, all
/// parameters together:
///
/// ```text
/// min(1, limit/(‖g‖ + 10⁻⁶))
/// ```
///
/// which is that of PyTorch's `clip_grad_norm_`.
pub(super) fn clip_factor(
    isa: Isa,
    layers: &[Dense],
    gradient: &[f32],
    limit: f32,
    executor: &impl Executor,
) -> f32 {
    // A sum a panel, and then over these: one order, whoever adds.
    let panels = layers.iter().flat_map(|layer| (0..layer.panels()).map(|i| layer.panel(i)));
    let mut sums: Vec<_> = panels.map(|panel| (&gradient[panel], 0.0)).collect();
    for_each(&mut sums, executor, |(panel, sum)| *sum = isa.dispatch(Squares(panel)));
    let norm = sums.iter().map(|(_, sum)| sum).sum::<f64>().sqrt();
    // `min` would pass over NaN, which is in the gradient anyway.
    (f64::from(limit) / (norm + 1e-6)).min(1.0) as f32
}

/// The sum of squares of rows of 16, lane by lane. In `f64` their squares are
/// exact and do not overflow.
struct Squares<'a>(&'a [f32]);

impl SimdOp for Squares<'_> {
    type Output = f64;

    #[inline(always)]
    fn eval<S: Simd>(self, _: S) -> f64 {
        let mut sums = [0.0; PANEL];
        for row in self.0.as_chunks::<PANEL>().0 {
            for (sum, g) in sums.iter_mut().zip(row) {
                *sum += f64::from(*g) * f64::from(*g);
            }
        }
        sums.iter().sum()
    }
}

/// A gradient, from where the tiles at hand begin, and what it is given to, times a
/// factor.
pub(super) struct Clipped<'a, S> {
    pub(super) gradient: &'a mut [f32],
    pub(super) factor: f32,
    pub(super) sink: S,
}

impl<S: GradientSink> Clipped<'_, S> {
    /// What lies before `tile` and what begins with it, where `first` is the first.
    fn split_at(self, first: &Tile, tile: &Tile) -> (Self, Self) {
        let Self { gradient, factor, sink } = self;
        let (gradient, right) = gradient.split_at_mut(tile.params.start - first.params.start);
        let (sink, sink_right) = sink.split_at(tile);
        (Self { gradient, factor, sink }, Self { gradient: right, factor, sink: sink_right })
    }

    /// Gives all of it, layer by layer, in a task for each of `parts` parts.
    pub(super) fn replay(
        mut self,
        isa: Isa,
        layers: &[Dense],
        tiles: &[Tile],
        parts: usize,
        executor: &impl Executor,
    ) {
        for (tiles, next) in by_layer(tiles) {
            let Some(next) = next else {
                return self.replay_parts(isa, layers, tiles, 0..parts, executor);
            };
            let (of_layer, rest) = self.split_at(&tiles[0], next);
            of_layer.replay_parts(isa, layers, tiles, 0..parts, executor);
            self = rest;
        }
    }

    fn replay_parts(
        self,
        isa: Isa,
        layers: &[Dense],
        tiles: &[Tile],
        parts: Range<usize>,
        executor: &impl Executor,
    ) {
        let Some([(left, near), (right, far)]) = halve(tiles, parts) else {
            let Self { gradient, factor, sink } = self;
            return replay_tiles(isa, layers, tiles, (gradient, factor), sink);
        };
        let (first, second) = self.split_at(&left[0], &right[0]);
        executor.join(
            || first.replay_parts(isa, layers, left, near, executor),
            || second.replay_parts(isa, layers, right, far, executor),
        );
    }
}

fn replay_tiles<S: GradientSink>(
    isa: Isa,
    layers: &[Dense],
    tiles: &[Tile],
    (gradient, factor): (&mut [f32], f32),
    mut sink: S,
) {
    let Some(offset) = tiles.first().map(|tile| tile.params.start) else { return };
    for tile in tiles {
        let layer = &layers[tile.layer];
        let (inputs, all) = tile.inputs(layer);
        for panel in tile.panels.clone() {
            let (weights, biases) = (layer.weights_of(panel), layer.biases_of(panel));
            let gains = layer.gains_of(panel);
            // With the last inputs goes their padding.
            let width = layer.width;
            let end = if all { weights.len() } else { inputs.end * width };
            for first in (inputs.start * width..end).step_by(CHUNK * width) {
                let at = weights.start + first;
                let end = (weights.start + end).min(at + CHUNK * width);
                let piece = &mut gradient[at - offset..end - offset];
                piece.iter_mut().for_each(|g| *g *= factor);
                sink.weights(isa, at, piece);
            }
            for range in [biases, gains].into_iter().filter(|range| all && !range.is_empty()) {
                let piece = &mut gradient[range.start - offset..range.end - offset];
                piece.iter_mut().for_each(|g| *g *= factor);
                sink.biases(isa, range.start, piece);
            }
        }
        sink.end(isa, layer, tile);
    }
}
