//! Multilabel: any of several labels, yes or no for each output. The loss of an output is
//! that of `logistic.rs`, as in PyTorch's `BCEWithLogitsLoss`.

use kernels::{Isa, MatMut, MatRef, RowLoss};

use super::figures::labels;
use super::logistic::{Binary, CHUNK, sigmoid};
use super::{Figures, Head, Kind, Objective, Rows, check_values};
use crate::{Error, Examples};

pub(super) struct Multilabel;

/// The loss of a row of logits.
fn loss_of_row(isa: Isa, z: &[f32], targets: &[f32]) -> RowLoss {
    let (mut sum, mut correct) = (0.0, true);
    for (z, targets) in z.chunks(CHUNK).zip(targets.chunks(CHUNK)) {
        let binary = Binary::new(isa, z.iter().copied());
        for (i, t) in targets.iter().enumerate() {
            correct &= binary.says(i, *t == 1.0);
            sum += binary.loss(i, f64::from(*t), f64::from(1.0 - t));
        }
    }
    RowLoss { loss: (sum / z.len() as f64) as f32, correct }
}

/// Replaces a row of logits by the derivative of its loss, times `factor`.
fn slopes(isa: Isa, z: &mut [f32], targets: &[f32], factor: f64) {
    for (z, targets) in z.chunks_mut(CHUNK).zip(targets.chunks(CHUNK)) {
        let binary = Binary::new(isa, z.iter().copied());
        for (i, (z, t)) in z.iter_mut().zip(targets).enumerate() {
            *z = (factor * binary.slope(i, f64::from(*t), f64::from(1.0 - t))) as f32;
        }
    }
}

impl Kind for Multilabel {
    fn check_targets(&self, examples: &Examples<'_>, outputs: usize) -> Result<(), Error> {
        let valid = |value| value == 0.0 || value == 1.0;
        check_values(Head::Multilabel, examples, outputs, "0 or 1", valid)
    }

    fn gradient(
        &self,
        objective: &Objective,
        rows: &Rows<'_>,
        mut z: MatMut<'_>,
        losses: &mut [RowLoss],
    ) {
        let outputs = z.cols() as f64;
        for (i, loss) in losses.iter_mut().enumerate() {
            let targets = rows.examples.values(rows.position(i));
            *loss = loss_of_row(rows.isa, z.row_mut(i), targets);
            slopes(rows.isa, z.row_mut(i), targets, objective.share(rows, i) / outputs);
        }
    }

    fn loss(&self, rows: &Rows<'_>, z: MatRef<'_>, losses: &mut [RowLoss]) {
        for (i, loss) in losses.iter_mut().enumerate() {
            let targets = rows.examples.values(rows.position(i));
            *loss = loss_of_row(rows.isa, z.row(i), targets);
        }
    }

    fn link(&self, isa: Isa, z: MatMut<'_>) {
        sigmoid(isa, z);
    }

    fn figures(&self) -> Option<fn(&[f32], &Examples<'_>) -> Figures> {
        Some(labels)
    }
}
