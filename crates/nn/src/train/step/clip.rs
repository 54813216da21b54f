//! Clipping of the gradient by its norm, which is known only when all of the gradient
//! is there. So the gradient is collected first, then given to the sink.

use kernels::{AlignedBuf, PANEL, Simd, SimdOp};

use super::Context;
use super::sink::GradientSink;
use super::tile::{CHUNK, Tile, fork_tiles};
use crate::Executor;
use crate::fork::{SplitAt, for_each};
use crate::net::dense::Dense;

/// The memory of a gradient that is clipped.
pub(super) struct Clip {
    /// The gradient of all parameters, in their order.
    pub(super) gradient: AlignedBuf,
    /// The norm that it is clipped to.
    pub(super) limit: f32,
}

/// Gives `sink` the gradient times
///
/// ```text
/// min(1, limit/(‖g‖ + 10⁻⁶))
/// ```
///
/// where ‖g‖ is the norm of all parameters together, as in PyTorch's `clip_grad_norm_`.
pub(super) fn replay<E: Executor, S: GradientSink>(
    cx: &Context<'_, E>,
    tiles: &[Tile],
    gradient: &mut [f32],
    limit: f32,
    sink: S,
) {
    let norm = norm(cx, gradient);
    // `min` would pass over NaN, but the gradient has it anyway.
    let factor = (f64::from(limit) / (norm + 1e-6)).min(1.0) as f32;
    let clipped = Clipped { gradient, offset: 0, sink };
    fork_tiles(cx, tiles, clipped, (&mut [], 0), &|tiles, mut clipped, _| {
        for tile in tiles {
            clipped.tile(&cx.layers[tile.layer], tile, factor);
        }
    });
}

/// The Euclidean norm of a gradient. Each panel has a sum of its own, and these are added
/// in their order, so it does not depend on the threads.
fn norm<E: Executor>(cx: &Context<'_, E>, gradient: &[f32]) -> f64 {
    let panels = |l: usize| {
        let layer = &cx.layers[l];
        // The sums of other ranks' panels are theirs.
        let own = cx.plan.share.panels(l).unwrap_or(0..layer.panels());
        (0..layer.panels()).map(move |i| (own.contains(&i), &gradient[layer.panel(i)], 0.0))
    };
    let mut sums: Vec<_> = (0..cx.layers.len()).flat_map(panels).collect();
    for_each(&mut sums, cx.executor, |(own, panel, sum)| {
        if *own {
            *sum = cx.isa.dispatch(Squares(panel));
        }
    });
    let mut all: Vec<_> = sums.into_iter().map(|(.., sum)| sum).collect();
    let mut rest = &mut all[..];
    for (l, layer) in cx.layers.iter().enumerate() {
        let (sums, others) = rest.split_at_mut(layer.panels());
        cx.plan.share.settle_panels(l, cx.executor.ranks(), sums);
        rest = others;
    }
    all.iter().sum::<f64>().sqrt()
}

/// The sum of squares of rows of 16, lane by lane. The square of an `f32` is exact in
/// `f64` and does not overflow.
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

/// A collected gradient, and the sink that gets it.
struct Clipped<'a, S> {
    gradient: &'a mut [f32],
    /// Of `gradient`, in the parameter vector.
    offset: usize,
    sink: S,
}

impl<S: SplitAt> SplitAt for Clipped<'_, S> {
    fn split_at(self, at: usize) -> (Self, Self) {
        let (gradient, right) = self.gradient.split_at_mut(at);
        let (sink, sink_right) = self.sink.split_at(at);
        let right = Self { gradient: right, offset: self.offset + at, sink: sink_right };
        (Self { gradient, offset: self.offset, sink }, right)
    }
}

impl<S: GradientSink> Clipped<'_, S> {
    /// Gives the gradient of a tile, times `factor`, in the pieces in which an unclipped
    /// gradient comes.
    fn tile(&mut self, layer: &Dense, tile: &Tile, factor: f32) {
        let Self { gradient, offset, sink } = self;
        let (width, last) = (layer.width, tile.has_biases(layer));
        for panel in tile.panels.clone() {
            let weights = layer.weights_of(panel);
            // The padding of the inputs goes with the last of them.
            let end = if last { weights.len() } else { tile.inputs.end * width };
            for first in (tile.inputs.start * width..end).step_by(CHUNK * width) {
                let start = weights.start + first;
                let end = (weights.start + end).min(start + CHUNK * width);
                let piece = &mut gradient[start - *offset..end - *offset];
                sink.weights(start, scale(piece, factor));
            }
            let others = [layer.biases_of(panel), layer.gains_of(panel)];
            for range in others.into_iter().filter(|range| last && !range.is_empty()) {
                let piece = &mut gradient[range.start - *offset..range.end - *offset];
                sink.biases(range.start, scale(piece, factor));
            }
        }
        if tile.own {
            sink.end(layer, tile);
        }
    }
}

/// Multiplies a gradient by `factor`.
fn scale(gradient: &mut [f32], factor: f32) -> &[f32] {
    gradient.iter_mut().for_each(|g| *g *= factor);
    gradient
}
