//! The output layer: outputs, the head's loss, and its gradient in place of the outputs.

use super::memory::Signals;
use super::node::stage;
use super::{Pass, backward, forward};
use crate::Executor;
use crate::fork::by;

/// Computes the outputs, their loss, and dz of the output layer. The work is cut by rows.
pub(super) fn layer<E: Executor>(pass: &Pass<'_, E>, signals: &mut Signals<'_>) {
    let Signals { first, inputs, tape, shards, outcome, .. } = signals;
    let (batch, l) = (pass.batch, pass.cx.layers.len() - 1);
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
        let positions = &batch.positions[*first + node.row..][..node.rows()];
        let rows = batch.rows(pass.cx.isa, positions);
        batch.objective.gradient(&rows, node.z.reborrow(), outcome);
        backward::to_affine(pass, l, &mut node);
    });
}
