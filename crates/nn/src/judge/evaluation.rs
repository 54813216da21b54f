//! How good a network is: the figures of a run in [`Evaluation`], what it takes
//! for what in [`Confusion`], and what its probabilities are worth in
//! [`Predictions`].

use kernels::RowLoss;

/// Result of running a network over labelled examples.
///
/// ```
/// use nn::{Activation, Architecture, Examples, Inputs, Mlp, Sequential};
/// // All parameters are 0: both classes are as probable, and the first is taken.
/// let shape =
///     Architecture { inputs: 1, hidden: vec![], outputs: 2, activation: Activation::Tanh };
/// let network = Mlp::zeros(shape)?;
/// let examples = Examples::new(Inputs::new(&[0.5, 1.0], 1)?, &[0u8, 1])?;
/// let result = network.evaluate(&examples, &Sequential)?;
/// assert_eq!((result.errors, result.samples, result.accuracy), (1, 2, 0.5));
/// assert!((result.loss - 2f64.ln()).abs() < 1e-6);
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// Mean cross-entropy in nats, without penalty; weighted where
    /// [the examples](crate::Examples::weighted) are. That of a training step is
    /// with label smoothing and class weights.
    pub loss: f64,
    /// Share of examples whose most probable class is their label, in `[0, 1]`.
    pub accuracy: f64,
    /// Examples whose most probable class is not their label.
    pub errors: usize,
    /// Number of examples.
    pub samples: usize,
}

impl Evaluation {
    /// Sums up rows, first to last, so that the result does not depend on who
    /// computed which.
    pub(crate) fn from_rows(rows: &[RowLoss]) -> Self {
        let loss = rows.iter().map(|row| f64::from(row.loss));
        Self::new(loss.sum::<f64>() / rows.len() as f64, rows)
    }

    /// The same, where the loss of row i counts `weight(i)` times and `total` is
    /// what it is divided by. Of rows of which none counts, the loss is 0.
    pub(crate) fn weighted(rows: &[RowLoss], weight: impl Fn(usize) -> f64, total: f64) -> Self {
        let terms = rows.iter().enumerate().map(|(i, row)| weight(i) * f64::from(row.loss));
        let sum: f64 = terms.sum();
        // A sum that is NaN stays what it is.
        Self::new(if total > 0.0 { sum / total } else { 0.0 * sum }, rows)
    }

    fn new(loss: f64, rows: &[RowLoss]) -> Self {
        let correct = rows.iter().filter(|row| row.correct).count();
        let samples = rows.len();
        Self { loss, accuracy: correct as f64 / samples as f64, errors: samples - correct, samples }
    }
}

/// `a / b`, and 0 where nothing was counted.
pub(super) fn ratio(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}

/// Index of the largest number; the first of several.
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
