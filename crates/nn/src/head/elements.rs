//! Losses that are a mean over the outputs of a row, each with a target of its own.

use kernels::{MatMut, MatRef, RowLoss};

use super::{Objective, Rows};

/// The loss of one output `y` and its derivative with respect to `y`, for target `t`.
pub(super) trait Element {
    fn at(&self, y: f64, t: f64) -> (f64, f64);
}

/// The loss of each row and, in place of the outputs, the gradient of the batch's mean
/// loss: `share·∂l/∂y / outputs`.
pub(super) fn gradient(
    element: &impl Element,
    objective: &Objective,
    rows: &Rows<'_>,
    mut z: MatMut<'_>,
    losses: &mut [RowLoss],
) {
    let outputs = z.cols() as f64;
    for (i, row) in losses.iter_mut().enumerate() {
        let targets = rows.examples.values(rows.position(i));
        *row = loss_of_row(element, z.as_ref().row(i), targets);
        let factor = objective.share(rows, i) / outputs;
        for (z, t) in z.row_mut(i).iter_mut().zip(targets) {
            *z = (factor * element.at((*z).into(), (*t).into()).1) as f32;
        }
    }
}

/// The loss of each row of outputs.
pub(super) fn loss(element: &impl Element, rows: &Rows<'_>, z: MatRef<'_>, losses: &mut [RowLoss]) {
    for (i, row) in losses.iter_mut().enumerate() {
        *row = loss_of_row(element, z.row(i), rows.examples.values(rows.position(i)));
    }
}

fn loss_of_row(element: &impl Element, outputs: &[f32], targets: &[f32]) -> RowLoss {
    let pairs = outputs.iter().zip(targets);
    let sum: f64 = pairs.map(|(y, t)| element.at((*y).into(), (*t).into()).0).sum();
    RowLoss { loss: (sum / outputs.len() as f64) as f32, correct: outputs == targets }
}
