//! Logistic: yes or no, from one output. With σ the sigmoid and t the weighted target of
//! yes, s that of no,
//!
//! ```text
//! l = −t·ln σ(z) − s·ln(1 − σ(z)) = t·softplus(−z) + s·softplus(z)
//! ∂l/∂z = (t + s)·σ(z) − t
//! ```
//!
//! Without weights and label smoothing, t is the label and s is 1 − t, as in PyTorch's
//! `BCEWithLogitsLoss`. With them, the loss is that of softmax with two classes whose
//! logits are 0 and z: `t = c₁·((1 − ε)·[y = 1] + ε/2)`, `s = c₀·((1 − ε)·[y = 0] + ε/2)`.

use kernels::{Isa, MatMut, MatRef, RowLoss, Sigmoid, Softplus};

use super::figures::binary;
use super::{Figures, Head, Kind, Objective, Rows, check_classes, counted};
use crate::{Error, Examples};

pub(super) struct Logistic;

/// Logits that are computed together, on the stack.
pub(super) const CHUNK: usize = 64;

/// Binary cross-entropy of some logits z, at most [`CHUNK`].
pub(super) struct Binary {
    /// softplus(−z) and softplus(z): the losses where the target is yes, and no.
    yes: [f32; CHUNK],
    no: [f32; CHUNK],
    sigmoid: [f32; CHUNK],
}

impl Binary {
    /// # Panics
    /// If there are more than [`CHUNK`] logits.
    pub(super) fn new(isa: Isa, logits: impl ExactSizeIterator<Item = f32>) -> Self {
        let (mut yes, mut no, mut sigmoid) = ([0.0; CHUNK], [0.0; CHUNK], [0.0; CHUNK]);
        let count = logits.len();
        for (i, z) in logits.enumerate() {
            (yes[i], no[i], sigmoid[i]) = (-z, z, z);
        }
        kernels::map(isa, Softplus, &mut yes[..count]);
        kernels::map(isa, Softplus, &mut no[..count]);
        kernels::map(isa, Sigmoid, &mut sigmoid[..count]);
        Self { yes, no, sigmoid }
    }

    /// The loss of logit `i`, for the weighted targets t of yes and s of no.
    pub(super) fn loss(&self, i: usize, t: f64, s: f64) -> f64 {
        counted(t, self.yes[i].into()) + counted(s, self.no[i].into())
    }

    /// Whether the answer to logit `i` is `yes`. It goes by the probability, as predictions
    /// do: that of a tiny logit above 0 is one half, which is no.
    pub(super) fn says(&self, i: usize, yes: bool) -> bool {
        !self.sigmoid[i].is_nan() && (self.sigmoid[i] > 0.5) == yes
    }

    /// The derivative of the loss of logit `i` with respect to it.
    pub(super) fn slope(&self, i: usize, t: f64, s: f64) -> f64 {
        (t + s) * f64::from(self.sigmoid[i]) - t
    }
}

/// The weighted targets of yes and no, where the class of a sample is `label`.
fn targets(objective: &Objective, label: usize) -> (f64, f64) {
    let half = 0.5 * objective.smoothing;
    let target = |class| {
        let own = if label == class { 1.0 - objective.smoothing } else { 0.0 };
        objective.class(class) * (own + half)
    };
    (target(1), target(0))
}

impl Kind for Logistic {
    fn check_outputs(&self, outputs: usize) -> Result<(), Error> {
        if outputs != 1 {
            let (head, expected) = (Head::Logistic.name(), 1);
            return Err(Error::Outputs { head, found: outputs, expected });
        }
        Ok(())
    }

    fn check_targets(&self, examples: &Examples<'_>, _: usize) -> Result<(), Error> {
        check_classes(Head::Logistic, examples, 2)
    }

    fn classes(&self, _: usize) -> Option<usize> {
        Some(2)
    }

    fn gradient(
        &self,
        objective: &Objective,
        rows: &Rows<'_>,
        mut z: MatMut<'_>,
        losses: &mut [RowLoss],
    ) {
        for (chunk, losses) in losses.chunks_mut(CHUNK).enumerate() {
            let first = chunk * CHUNK;
            let logits = z.as_ref();
            let binary = Binary::new(rows.isa, (0..losses.len()).map(|i| logits.get(first + i, 0)));
            for (i, row) in losses.iter_mut().enumerate() {
                let label = rows.examples.label(rows.position(first + i));
                let (t, s) = targets(objective, label);
                let correct = binary.says(i, label == 1);
                *row = RowLoss { loss: binary.loss(i, t, s) as f32, correct };
                let slope = objective.share(rows, first + i) * binary.slope(i, t, s);
                z.set(first + i, 0, slope as f32);
            }
        }
    }

    fn loss(&self, rows: &Rows<'_>, z: MatRef<'_>, losses: &mut [RowLoss]) {
        for (chunk, losses) in losses.chunks_mut(CHUNK).enumerate() {
            let first = chunk * CHUNK;
            let binary = Binary::new(rows.isa, (0..losses.len()).map(|i| z.get(first + i, 0)));
            for (i, row) in losses.iter_mut().enumerate() {
                let yes = rows.examples.label(rows.position(first + i)) == 1;
                let t = f64::from(u8::from(yes));
                let correct = binary.says(i, yes);
                *row = RowLoss { loss: binary.loss(i, t, 1.0 - t) as f32, correct };
            }
        }
    }

    fn link(&self, isa: Isa, z: MatMut<'_>) {
        sigmoid(isa, z);
    }

    fn class(&self, predictions: &[f32]) -> Option<u32> {
        Some(u32::from(predictions[0] > 0.5))
    }

    fn figures(&self) -> Option<fn(&[f32], &Examples<'_>) -> Figures> {
        Some(binary)
    }
}

/// `z ← σ(z)`.
pub(super) fn sigmoid(isa: Isa, mut z: MatMut<'_>) {
    for i in 0..z.rows() {
        kernels::map(isa, Sigmoid, z.row_mut(i));
    }
}
