//! Some rows and some units of a layer: what a task of the first phase writes.

use kernels::MatMut;

use super::tape::{Node, Shards};

/// A rectangle of what the tape has of a layer, as matrices of its rows and units;
/// those that the node does not have are without columns.
pub(super) struct Block<'a> {
    /// Index of the first row in the tape.
    pub(super) row: usize,
    /// Index of the first unit in the layer.
    pub(super) unit: usize,
    pub(super) n: MatMut<'a>,
    pub(super) noisy: MatMut<'a>,
    pub(super) z: MatMut<'a>,
    /// Unless it takes the place of z.
    pub(super) h: MatMut<'a>,
    pub(super) mask: MatMut<'a>,
    /// Unless it takes the place of h.
    pub(super) a: MatMut<'a>,
    /// Unless it takes the place of z.
    pub(super) da: MatMut<'a>,
    pub(super) shards: ShardBlock<'a>,
}

/// What the matrix of shards has of the same rows and units: a row for each shard.
pub(super) struct ShardBlock<'a> {
    pub(super) mean: MatMut<'a>,
    pub(super) inverse: MatMut<'a>,
    pub(super) bias: MatMut<'a>,
    pub(super) gain: MatMut<'a>,
}

impl<'a> Block<'a> {
    /// All of layer `l`; `tape` begins with its node.
    pub(super) fn new(
        (l, node): (usize, &Node),
        tape: MatMut<'a>,
        layout: &Shards,
        shards: MatMut<'a>,
    ) -> Self {
        let (units, width) = (node.units, node.width);
        let unless = |place: usize, other: usize| (place != other).then_some(place);
        let columns = [
            (node.n, units),
            (node.noisy, units),
            (Some(node.z), units),
            (unless(node.h, node.z), width),
            (node.mask, width),
            (unless(node.a, node.h), width),
            (unless(node.da, node.z), width),
        ];
        let columns = columns.map(|(place, len)| (place.map(|place| place - node.start), len));
        let (start, len) = layout.columns(l).unwrap_or_default();
        let of_shards = [0, 1, 2, 3].map(|i| (Some(start + i * len), units.min(len)));
        Self::of(0, 0, pieces(tape, columns), pieces(shards, of_shards))
    }

    fn of(row: usize, unit: usize, tape: [MatMut<'a>; 7], shards: [MatMut<'a>; 4]) -> Self {
        let [n, noisy, z, h, mask, a, da] = tape;
        let [mean, inverse, bias, gain] = shards;
        let shards = ShardBlock { mean, inverse, bias, gain };
        Self { row, unit, n, noisy, z, h, mask, a, da, shards }
    }

    fn into_matrices(self) -> ([MatMut<'a>; 7], [MatMut<'a>; 4]) {
        let Self { n, noisy, z, h, mask, a, da, shards, .. } = self;
        let ShardBlock { mean, inverse, bias, gain } = shards;
        ([n, noisy, z, h, mask, a, da], [mean, inverse, bias, gain])
    }

    /// The rows before `row`, counted from its own first, and the others. Where there
    /// are shards, of `shard` rows each, `row` is a multiple of that, or the end.
    pub(super) fn split_rows(self, row: usize, shard: usize) -> (Self, Self) {
        let (first, unit) = (self.row, self.unit);
        let (tape, shards) = self.into_matrices();
        let (tape, tape_right) = unzip(tape.map(|matrix| matrix.split_rows(row)));
        let (shards, shards_right) = unzip(shards.map(|matrix| {
            let row = row.div_ceil(shard).min(matrix.rows());
            matrix.split_rows(row)
        }));
        let left = Self::of(first, unit, tape, shards);
        (left, Self::of(first + row, unit, tape_right, shards_right))
    }

    /// The units before `unit`, counted from its own first, and the others, where a
    /// unit hands on one number.
    pub(super) fn split_units(self, unit: usize) -> (Self, Self) {
        let (row, first) = (self.row, self.unit);
        let split = |matrix: MatMut<'a>| {
            let unit = unit.min(matrix.cols());
            matrix.split_cols(unit)
        };
        let (tape, shards) = self.into_matrices();
        let (tape, tape_right) = unzip(tape.map(split));
        let (shards, shards_right) = unzip(shards.map(split));
        let left = Self::of(row, first, tape, shards);
        (left, Self::of(row, first + unit, tape_right, shards_right))
    }

    pub(super) fn rows(&self) -> usize {
        self.z.rows()
    }

    /// Columns of z.
    pub(super) fn units(&self) -> usize {
        self.z.cols()
    }
}

/// Where dz has its place: that of da, if it is as wide, else that of z.
pub(super) fn place_of_dz<'b, 'a>(
    z: &'b mut MatMut<'a>,
    da: &'b mut MatMut<'a>,
) -> &'b mut MatMut<'a> {
    if da.cols() == z.cols() { da } else { z }
}

/// Matrices of some columns of `matrix`, from left to right, each with its first and their
/// number; without columns where there is no first.
fn pieces<const N: usize>(
    matrix: MatMut<'_>,
    columns: [(Option<usize>, usize); N],
) -> [MatMut<'_>; N] {
    let (mut rest, mut at) = (Some(matrix), 0);
    columns.map(|(first, len)| {
        let matrix = rest.take().expect("put back");
        let (first, len) = first.map_or((at, 0), |first| (first, len));
        let (piece, right) = matrix.split_cols(first - at).1.split_cols(len);
        (rest, at) = (Some(right), first + len);
        piece
    })
}

fn unzip<T, const N: usize>(pairs: [(T, T); N]) -> ([T; N], [T; N]) {
    let mut pairs = pairs.map(|(left, right)| (Some(left), right));
    let left = pairs.each_mut().map(|pair| pair.0.take().expect("taken once"));
    (left, pairs.map(|pair| pair.1))
}
