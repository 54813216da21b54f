//! Where the gradient goes.

use super::tile::Tile;
use crate::fork::SplitAt;
use crate::net::dense::Dense;

/// Takes the gradient of the parameters, piece by piece. Offsets are those of the whole
/// parameter vector; to split a sink is to split its parameters.
pub(crate) trait GradientSink: SplitAt {
    /// The gradient of the weights from `offset` on.
    fn weights(&mut self, offset: usize, gradient: &[f32]);

    /// The gradient of the biases, or of the gains, from `offset` on.
    fn biases(&mut self, offset: usize, gradient: &[f32]);

    /// Prefetches what the gradient of `len` weights from `offset` on will change.
    fn prefetch(&self, offset: usize, len: usize) {
        let _ = (offset, len);
    }

    /// All of the gradient of a tile was given, which has this rank's own units.
    fn end(&mut self, layer: &Dense, tile: &Tile) {
        let _ = (layer, tile);
    }
}

/// Keeps the gradient as it is, in the order of the parameters.
pub(crate) struct Collect<'a> {
    gradient: &'a mut [f32],
    /// Of `gradient`, in the parameter vector.
    offset: usize,
}

impl<'a> Collect<'a> {
    /// `gradient` is as long as the parameter vector.
    pub(crate) fn new(gradient: &'a mut [f32]) -> Self {
        Self { gradient, offset: 0 }
    }
}

impl SplitAt for Collect<'_> {
    fn split_at(self, at: usize) -> (Self, Self) {
        let (left, right) = self.gradient.split_at_mut(at);
        let right = Self { gradient: right, offset: self.offset + at };
        (Self { gradient: left, offset: self.offset }, right)
    }
}

impl GradientSink for Collect<'_> {
    fn weights(&mut self, offset: usize, gradient: &[f32]) {
        self.gradient[offset - self.offset..][..gradient.len()].copy_from_slice(gradient);
    }

    fn biases(&mut self, offset: usize, gradient: &[f32]) {
        self.weights(offset, gradient);
    }
}
