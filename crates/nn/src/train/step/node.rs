//! What a task of the pass writes of a layer: some rows and some units of its node.

use std::ops::Range;

use kernels::MatMut;

use super::plan::Cut;
use super::shards::ShardLayout;
use super::tape::Node;
use super::{Pass, rows_of};
use crate::Executor;
use crate::fork::{Lines, Split, by, fork};

/// Some rows and units of a node, as matrices of rows × units. A matrix that the node does
/// not have has 0 columns.
pub(super) struct NodeMut<'a> {
    /// The first row, among the rows of the pass.
    pub(super) row: usize,
    /// The first unit of the layer.
    pub(super) unit: usize,
    pub(super) n: MatMut<'a>,
    pub(super) noisy: MatMut<'a>,
    pub(super) z: MatMut<'a>,
    /// Without columns if h overwrites z.
    pub(super) h: MatMut<'a>,
    pub(super) mask: MatMut<'a>,
    /// Without columns if a is h.
    pub(super) a: MatMut<'a>,
    /// Without columns if da overwrites z.
    pub(super) da: MatMut<'a>,
    pub(super) shards: ShardsMut<'a>,
}

/// The same rows and units in the matrix of shards: a row for each shard.
pub(super) struct ShardsMut<'a> {
    pub(super) mean: MatMut<'a>,
    pub(super) inverse: MatMut<'a>,
    pub(super) bias: MatMut<'a>,
    pub(super) gain: MatMut<'a>,
}

impl<'a> NodeMut<'a> {
    fn new(row: usize, unit: usize, tape: [MatMut<'a>; 7], shards: [MatMut<'a>; 4]) -> Self {
        let [n, noisy, z, h, mask, a, da] = tape;
        let [mean, inverse, bias, gain] = shards;
        let shards = ShardsMut { mean, inverse, bias, gain };
        Self { row, unit, n, noisy, z, h, mask, a, da, shards }
    }

    pub(super) fn rows(&self) -> usize {
        self.z.rows()
    }

    /// Units of the layer, as columns of z.
    pub(super) fn units(&self) -> Range<usize> {
        self.unit..self.unit + self.z.cols()
    }
}

/// Runs a stage of layer `l`: `run` gets the part of the node that a task computes, and
/// the task's piece of `more`, which is cut as the rows are. `tape` begins with the
/// layer's node. Of a layer that ranks share, only the units of this rank are computed.
pub(super) fn stage<E: Executor, W: Split>(
    pass: &Pass<'_, E>,
    l: usize,
    (tape, shards): (MatMut<'_>, MatMut<'_>),
    more: W,
    run: &(impl Fn(usize, NodeMut<'_>, W::Piece) + Sync),
) {
    let plan = pass.cx.plan;
    let (rows, width) = (tape.rows(), pass.cx.layers[l].width);
    let row = |part| plan.row(rows, part);
    let shard = |part| row(part).div_ceil(plan.whole_rows);
    let unit = |part| plan.panel(l, part) * width;

    let tape = columns(tape, tape_columns(&pass.cx.layout.nodes[l + 1]));
    let shards = columns(shards, shard_columns(pass.cx.shards, l, &pass.cx.layout.nodes[l + 1]));
    let by_units = plan.layer(l) == Cut::Units;
    let own = unit(0)..unit(plan.parts);
    let (tape, shards) = if by_units {
        (tape.map(|m| columns_of(m, &own)), shards.map(|m| columns_of(m, &own)))
    } else {
        (tape, shards)
    };
    let work = if by_units {
        (by(&unit, tape.map(Lines::Columns)), by(&unit, shards.map(Lines::Columns)), more)
    } else {
        (by(&row, tape.map(Lines::Rows)), by(&shard, shards.map(Lines::Rows)), more)
    };
    fork(pass.cx.executor, 0..pass.parts, work, &|part, (tape, shards, more)| {
        let (row, unit) = if by_units { (0, unit(part)) } else { (row(part), 0) };
        let node = NodeMut::new(row, unit, tape.map(Lines::matrix), shards.map(Lines::matrix));
        // There may be fewer rows, or fewer panels, than parts.
        if node.rows() > 0 && !node.units().is_empty() {
            run(part, node, more);
        }
    });
}

/// dz of a node: it overwrites da, or z where da is narrower.
pub(super) fn dz_of<'b, 'a>(z: &'b mut MatMut<'a>, da: &'b mut MatMut<'a>) -> &'b mut MatMut<'a> {
    if da.cols() == z.cols() { da } else { z }
}

/// Offset and length of each matrix of a node; `None` for those that it does not have.
fn tape_columns(node: &Node) -> [(Option<usize>, usize); 7] {
    let unless = |column: usize, other: usize| (column != other).then_some(column);
    let columns = [
        (node.n, node.units),
        (node.noisy, node.units),
        (Some(node.z), node.units),
        (unless(node.h, node.z), node.width),
        (node.mask, node.width),
        (unless(node.a, node.h), node.width),
        (unless(node.da, node.z), node.width),
    ];
    columns.map(|(column, len)| (column.map(|column| column - node.start), len))
}

fn shard_columns(layout: &ShardLayout, l: usize, node: &Node) -> [(Option<usize>, usize); 4] {
    layout.columns(l, node.units).map(|(start, len)| (Some(start), len))
}

/// Some columns of a matrix, from left to right.
fn columns<const N: usize>(
    matrix: MatMut<'_>,
    columns: [(Option<usize>, usize); N],
) -> [MatMut<'_>; N] {
    let (mut rest, mut end) = (Some(matrix), 0);
    columns.map(|(start, len)| {
        let matrix = rest.take().expect("put back");
        let (start, len) = start.map_or((end, 0), |start| (start, len));
        let (piece, right) = matrix.split_cols(start - end).1.split_cols(len);
        (rest, end) = (Some(right), start + len);
        piece
    })
}

/// Some columns of a matrix, as far as it has them.
fn columns_of<'a>(matrix: MatMut<'a>, columns: &Range<usize>) -> MatMut<'a> {
    let cols = matrix.cols();
    let (first, end) = (columns.start.min(cols), columns.end.min(cols));
    matrix.split_cols(first).1.split_cols(end - first).0
}

/// The rows of shard `shard`, of `len` rows each; the last may have fewer.
pub(super) fn shard_of<'a>(matrix: &'a mut MatMut<'_>, shard: usize, len: usize) -> MatMut<'a> {
    let first = shard * len;
    let rows = len.min(matrix.rows() - first);
    rows_of(matrix.reborrow(), first, rows)
}
