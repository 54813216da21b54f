//! The output layer: logits, the head's loss, and its gradient in their place.

use kernels::{MatMut, RowLoss};

use super::memory::Signals;
use super::node::stage;
use super::{Pass, backward, forward};
use crate::Executor;
use crate::fork::by;

/// Computes the outputs, their loss, and dz of the output layer. Rows are cut.
pub(super) fn layer<E: Executor>(pass: &Pass<'_, E>, signals: &mut Signals<'_>) {
    let Signals { first, inputs, tape, shards, outcome } = signals;
    let l = pass.cx.layers.len() - 1;
    let (rows, width) = (tape.rows(), pass.cx.layout.nodes[l].width);
    let (before, node) = tape.reborrow().split_cols(pass.cx.layout.nodes[l + 1].start);
    let x = |part| match l {
        0 => inputs.of(part, rows, width),
        _ => before.as_ref().sub(0, rows, pass.cx.layout.nodes[l].a, width),
    };
    let row = |part| pass.cx.plan.row(rows, part);
    let outcome = by(&row, &mut **outcome);
    stage(pass, l, (node, shards.reborrow()), outcome, &|part, mut node, outcome| {
        let x = x(part).sub(node.row, node.rows(), 0, width);
        forward::units(pass, l, *first, x, &mut node);
        loss(pass, *first + node.row, node.z.reborrow(), outcome);
        backward::to_affine(pass, l, &mut node);
    });
}

/// What each row says about its target, and the gradient in place of the outputs `z`:
/// rows × outputs, from row `first` of the batch.
fn loss<E>(pass: &Pass<'_, E>, first: usize, z: MatMut<'_>, outcome: &mut [RowLoss]) {
    /// Rows whose labels are on the stack; a multiple of what the kernel takes together.
    const ROWS: usize = 128;
    let (isa, batch) = (pass.cx.isa, pass.batch);
    let mut labels = [0; ROWS];
    let mut rest = z;
    let positions = batch.positions[first..][..outcome.len()].chunks(ROWS);
    for (positions, outcome) in positions.zip(outcome.chunks_mut(ROWS)) {
        let z;
        (z, rest) = rest.split_rows(positions.len());
        let labels = &mut labels[..positions.len()];
        for (label, position) in labels.iter_mut().zip(positions) {
            *label = batch.examples.label(*position as usize) as u32;
        }
        // The loss is the mean over the batch.
        if batch.loss.is_plain(batch.examples) {
            let factor = 1.0 / batch.len() as f32;
            kernels::cross_entropy_gradient(isa, z, labels, factor, outcome);
        } else {
            let share = |i: usize| {
                let weight = batch.examples.weight(positions[i] as usize);
                // A batch in which no sample counts moves nothing.
                if batch.total > 0.0 { weight / batch.total } else { 0.0 }
            };
            batch.loss.gradient(isa, z, labels, share, outcome);
        }
    }
}
