//! The input of a batch: gathered from the examples, augmented, with its dropout and
//! noise. This is the only file that does so.

use std::ops::Range;

use kernels::MatMut;

use super::memory::Signals;
use super::plan::{Cut, piece_of};
use super::random::{Purpose, add_noise, gaussian_dropout, stream};
use super::{Pass, rows_of};
use crate::fork::{Lines, by, fork};
use crate::{DropoutKind, Executor};

/// Rows that are prefetched: a data set is larger than the caches, so its rows come from
/// memory.
const AHEAD: usize = 4;

/// Writes the input of the rows of a pass.
pub(super) fn gather<E: Executor>(pass: &Pass<'_, E>, signals: &mut Signals<'_>) {
    let (plan, rows, first) = (pass.cx.plan, signals.tape.rows(), signals.first);
    let inputs = &mut signals.inputs;
    let (start, matrix) = (inputs.start, inputs.matrix.reborrow());
    match pass.input {
        // Each row once.
        Cut::Rows | Cut::Whole => {
            let row = |part| plan.row(rows, part);
            let work = by(&row, Lines::Rows(matrix));
            fork(pass.cx.executor, 0..pass.parts, work, &|part, inputs: Lines<'_>| {
                let inputs = inputs.matrix();
                rows_from(pass, first + row(part), 0..inputs.rows(), 0..0, inputs);
            });
        }
        // All rows, once for each part.
        Cut::Units => {
            let copy = matrix.rows() / inputs.copies;
            let first_of = |part| part * copy;
            let work = by(&first_of, Lines::Rows(matrix));
            fork(pass.cx.executor, 0..pass.parts, work, &|_, inputs: Lines<'_>| {
                let inputs = rows_of(inputs.matrix(), start, rows);
                rows_from(pass, first, 0..rows, 0..0, inputs);
            });
        }
        // The part's own rows, and of all others the inputs whose weights it updates.
        Cut::Inputs => {
            let columns = piece_of(pass.cx.layout.nodes[0].width, pass.part, plan.parts);
            let (chunk, all) = pass.chunk;
            let own = first - chunk..first - chunk + rows;
            rows_from(pass, chunk, own, columns, rows_of(matrix, chunk, all));
        }
    }
}

/// Writes the rows of the batch from `first`. Those in `whole` get all features, augmented,
/// with dropout and noise; the others get only the features in `columns`, as they are.
fn rows_from<E>(
    pass: &Pass<'_, E>,
    first: usize,
    whole: Range<usize>,
    columns: Range<usize>,
    mut inputs: MatMut<'_>,
) {
    let (isa, batch) = (pass.cx.isa, pass.batch);
    let width = pass.cx.layout.nodes[0].width;
    let positions = &batch.positions[first..first + inputs.rows()];
    let columns = |i| if whole.contains(&i) { 0..width } else { columns.clone() };
    let prefetch = |i: usize| {
        if let Some(position) = positions.get(i) {
            batch.examples.prefetch(isa, *position as usize, columns(i));
        }
    };
    (0..AHEAD).for_each(prefetch);
    for (i, position) in positions.iter().enumerate() {
        prefetch(i + AHEAD);
        let (columns, row) = (columns(i), inputs.row_mut(i));
        let x = &mut row[columns.clone()];
        batch.examples.copy_columns(isa, *position as usize, columns, batch.pixel_scale, x);
        if whole.contains(&i) {
            disturb(pass, first + i, row);
        }
    }
}

/// What training does to row `row` of the batch: augmentation, dropout, noise. The mask
/// of the row comes after its features.
fn disturb<E>(pass: &Pass<'_, E>, row: usize, input: &mut [f32]) {
    let (isa, batch) = (pass.cx.isa, pass.batch);
    let node = &pass.cx.layout.nodes[0];
    let (x, rest) = input.split_at_mut(node.width);
    batch.examples.augment_row(batch.seed, batch.epoch, batch.positions[row] as usize, x);
    if let Some(mask) = node.mask {
        let mask = &mut rest[mask - node.width..][..node.width];
        let stream = stream(batch, Purpose::Dropout, 0, row, 0);
        match pass.cx.layout.dropout {
            DropoutKind::Bernoulli => {
                kernels::dropout_in_place(isa, stream, node.dropout, mask, x);
            }
            DropoutKind::Gaussian => gaussian_dropout(isa, stream, node.dropout, mask, x),
        }
    }
    add_noise(pass, 0, row, 0, x);
}
