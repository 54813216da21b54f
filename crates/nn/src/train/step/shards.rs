//! What batch normalisation finds out: a row for each shard of rows that are
//! normalised together, and in it, for each layer, four vectors of its units.

use kernels::MatRef;

use crate::{BatchNorm, Mlp};

/// The columns of the matrix of shards.
#[derive(Clone, Debug)]
pub(super) struct ShardLayout {
    /// The offset of each layer, and the length of each of its four vectors.
    layers: Vec<(usize, usize)>,
    /// Elements in a row.
    pub(super) record: usize,
}

/// What a shard has for each unit of a layer: views into its row, padded to panels.
pub(super) struct Shard<'a> {
    /// μ.
    pub(super) mean: &'a [f32],
    /// 1/√(σ² + ε).
    pub(super) inverse: &'a [f32],
    /// Σ dz, the gradient of the bias.
    pub(super) bias: &'a [f32],
    /// Σ dz·n, the gradient of the gain.
    pub(super) gain: &'a [f32],
}

impl ShardLayout {
    /// Without batch normalisation there are no columns.
    pub(super) fn new(network: &Mlp, norm: Option<BatchNorm>) -> Self {
        let mut record = 0;
        let mut layers = Vec::new();
        for layer in network.layers.iter().filter(|_| norm.is_some()) {
            let len = layer.panels() * layer.width;
            layers.push((record, len));
            record += 4 * len;
        }
        Self { layers, record }
    }

    /// The vectors of layer `l` in a shard's row.
    pub(super) fn of<'a>(&self, l: usize, row: &'a [f32]) -> Shard<'a> {
        let (start, len) = self.layers[l];
        let vector = |i: usize| &row[start + i * len..][..len];
        Shard { mean: vector(0), inverse: vector(1), bias: vector(2), gain: vector(3) }
    }

    /// The columns of the four vectors of layer `l`: the offset and length of each, of
    /// which the first `units` elements count.
    pub(super) fn columns(&self, l: usize, units: usize) -> [(usize, usize); 4] {
        let (start, len) = self.layers.get(l).copied().unwrap_or_default();
        [0, 1, 2, 3].map(|i| (start + i * len, units.min(len)))
    }
}

/// Mean and variance of each unit in each shard of a step.
pub(crate) struct Moments<'a> {
    pub(super) layout: &'a ShardLayout,
    pub(super) matrix: MatRef<'a>,
    /// Rows of the batch.
    pub(super) rows: usize,
    /// Rows of each shard but the last.
    pub(super) shard_rows: usize,
}

impl Moments<'_> {
    /// The shards of layer `l`: the rows of each, and μ and 1/√(σ² + ε) of each unit.
    pub(crate) fn layer(&self, l: usize) -> impl Iterator<Item = (usize, &[f32], &[f32])> {
        (0..self.matrix.rows()).map(move |i| {
            let shard = self.layout.of(l, self.matrix.row(i));
            let rows = self.shard_rows.min(self.rows - i * self.shard_rows);
            (rows, shard.mean, shard.inverse)
        })
    }
}
