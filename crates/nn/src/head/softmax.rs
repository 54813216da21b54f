//! Softmax with cross-entropy: one of several classes.
//!
//! The kernel has softmax, cross-entropy and their gradient in one pass, for one-hot
//! targets and samples that count alike. Label smoothing and weights are built on its
//! results: with s the softmax of the logits z, y the label, w the weight of the sample,
//! c the weights of the K classes, ε the smoothing, and Σ the sum of w·c_y over the batch,
//!
//! ```text
//! tₖ   = cₖ·((1 − ε)·[k = y] + ε/K)               the target, T = Σₖ tₖ
//! L    = −Σₖ tₖ·ln sₖ = T·(−ln s_y) + Σₖ tₖ·(z_y − zₖ)
//! C    = Σ w·L / Σ w·c_y                          over the batch
//! ∂C/∂zₖ = w/Σ·(T·sₖ − tₖ)
//! ```
//!
//! These are PyTorch's `CrossEntropyLoss` with `weight` and `label_smoothing`
//! (Szegedy et al. 2016, section 7) for w = 1.

use kernels::{Isa, MatMut, MatRef, RowLoss, softmax_rows};

use super::{Head, Kind, Objective, Rows, check_classes, counted};
use crate::{Error, Examples};

pub(super) struct Softmax;

/// Rows whose labels are on the stack; a multiple of the rows that the kernel takes
/// together.
const ROWS: usize = 128;

impl Kind for Softmax {
    fn check_targets(&self, examples: &Examples<'_>, outputs: usize) -> Result<(), Error> {
        check_classes(Head::Softmax, examples, outputs)
    }

    fn classes(&self, outputs: usize) -> Option<usize> {
        Some(outputs)
    }

    fn gradient(
        &self,
        objective: &Objective,
        rows: &Rows<'_>,
        z: MatMut<'_>,
        losses: &mut [RowLoss],
    ) {
        let plain = objective.is_plain(rows.examples);
        let mut rest = z;
        for (chunk, losses) in losses.chunks_mut(ROWS).enumerate() {
            let (first, z);
            (first, (z, rest)) = (chunk * ROWS, rest.split_rows(losses.len()));
            with_labels(rows, first, losses.len(), |labels| {
                if plain {
                    // The loss is the mean over the batch.
                    let factor = 1.0 / rows.total as f32;
                    kernels::cross_entropy_gradient(rows.isa, z, labels, factor, losses);
                } else {
                    let share = |i| objective.share(rows, first + i);
                    weighted_gradient(objective, rows.isa, z, labels, share, losses);
                }
            });
        }
    }

    fn loss(&self, rows: &Rows<'_>, z: MatRef<'_>, losses: &mut [RowLoss]) {
        for (chunk, losses) in losses.chunks_mut(ROWS).enumerate() {
            let first = chunk * ROWS;
            let z = z.sub(first, losses.len(), 0, z.cols());
            with_labels(rows, first, losses.len(), |labels| {
                kernels::cross_entropy(rows.isa, z, labels, losses);
            });
        }
    }

    fn link(&self, isa: Isa, z: MatMut<'_>) {
        softmax_rows(isa, z);
    }

    /// Of the probabilities and not of the logits, as everywhere: two logits that differ may
    /// have equal probabilities.
    fn class(&self, predictions: &[f32]) -> Option<u32> {
        Some(argmax(predictions) as u32)
    }
}

/// Runs `then` with the labels of `count` rows from `first`, at most [`ROWS`].
fn with_labels(rows: &Rows<'_>, first: usize, count: usize, then: impl FnOnce(&[u32])) {
    let mut labels = [0; ROWS];
    let labels = &mut labels[..count];
    for (i, label) in labels.iter_mut().enumerate() {
        *label = rows.examples.label(rows.position(first + i)) as u32;
    }
    then(labels);
}

/// L of each row and, in place of the logits, `∂C/∂z`, where `share(i)` is the w/Σ of row
/// i.
fn weighted_gradient(
    objective: &Objective,
    isa: Isa,
    z: MatMut<'_>,
    labels: &[u32],
    share: impl Fn(usize) -> f64,
    losses: &mut [RowLoss],
) {
    /// Rows that the kernel takes together.
    const ROWS: usize = 16;
    let classes = z.cols();
    let uniform = objective.smoothing / classes as f64;
    // Σ of tₖ without the label's own share.
    let spread: f64 = uniform * (0..classes).map(|k| objective.class(k)).sum::<f64>();
    let mut rest = z;
    let chunks = labels.chunks(ROWS).zip(losses.chunks_mut(ROWS));
    for (chunk, (labels, losses)) in chunks.enumerate() {
        let mut z;
        (z, rest) = rest.split_rows(labels.len());
        // Σ tₖ·(z_y − zₖ), which the kernel does not compute.
        let mut below = [0.0; ROWS];
        if objective.smoothing > 0.0 {
            for (i, (below, &label)) in below.iter_mut().zip(labels).enumerate() {
                let row = z.row_mut(i);
                let of_label = f64::from(row[label as usize]);
                let terms = row.iter().enumerate();
                let terms =
                    terms.map(|(k, &z)| counted(objective.class(k), of_label - f64::from(z)));
                *below = uniform * terms.sum::<f64>();
            }
        }
        kernels::cross_entropy_gradient(isa, z.reborrow(), labels, 1.0, losses);
        for (i, (loss, &label)) in losses.iter_mut().zip(labels).enumerate() {
            let label = label as usize;
            let of_label = (1.0 - objective.smoothing) * objective.class(label);
            let sum = of_label + spread;
            loss.loss = (counted(sum, loss.loss.into()) + below[i]) as f32;
            // The row is s − [k = y]. Scale by T; subtract tₖ for k ≠ y, and add their
            // sum back at y.
            let share = share(chunk * ROWS + i);
            let factor = (share * sum) as f32;
            let row = z.row_mut(i);
            row.iter_mut().for_each(|dz| *dz *= factor);
            if objective.smoothing > 0.0 {
                for (k, dz) in row.iter_mut().enumerate() {
                    let elsewhere = uniform * objective.class(k);
                    let less = if k == label { elsewhere - spread } else { elsewhere };
                    *dz -= (share * less) as f32;
                }
            }
        }
    }
}

/// Index of the largest element; the first of equal ones.
pub(crate) fn argmax(row: &[f32]) -> usize {
    let mut best = 0;
    for (j, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = j;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::argmax;

    #[test]
    fn the_first_of_equals_wins() {
        assert_eq!(argmax(&[0.0, 2.0, 1.0, 2.0]), 1);
        assert_eq!(argmax(&[1.0]), 0);
    }
}
