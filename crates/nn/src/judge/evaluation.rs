//! Evaluation: the loss and accuracy of a network on examples.

use kernels::{MatMut, RowLoss};
use serde::{Deserialize, Serialize};

use crate::fork::{by, fork};
use crate::head::{Positions, Rows, counted};
use crate::{Error, Examples, Executor, Figures, Mlp, Predictor, Ranks, exact};

/// Loss and accuracy of a network on examples.
///
/// ```
/// use nn::{Activation, Architecture, Examples, Inputs, Mlp, Sequential};
/// // All parameters are 0: both classes are equally probable, and the first is predicted.
/// let shape =
///     Architecture { inputs: 1, hidden: vec![], outputs: 2, activation: Activation::Tanh };
/// let network = Mlp::zeros(shape)?;
/// let examples = Examples::new(Inputs::new(&[0.5, 1.0], 1)?, &[0u8, 1])?;
/// let result = network.evaluate(&examples, &Sequential)?;
/// assert_eq!((result.errors, result.samples, result.accuracy), (1, 2, 0.5));
/// assert!((result.loss - 2f64.ln()).abs() < 1e-6);
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Evaluation {
    /// Mean loss of the head, without penalty: cross-entropy in nats, or a squared or Huber
    /// error. It is weighted if [the examples](crate::Examples::weighted) are. Only the loss of
    /// a training step includes label smoothing and class weights.
    #[serde(with = "exact")]
    pub loss: f64,
    /// Share of the examples that are predicted exactly, in `[0, 1]`: with classes, the right
    /// class; with a multilabel head, every label right; with real values, equal to the last
    /// bit, which hardly ever happens.
    #[serde(with = "exact")]
    pub accuracy: f64,
    /// Examples that are not predicted exactly.
    pub errors: usize,
    /// Number of examples.
    pub samples: usize,
    /// Further figures of the head. `None` for softmax, where loss and accuracy are all, and
    /// for a training step.
    pub figures: Option<Figures>,
}

impl Evaluation {
    /// Sums the rows in order, so that the result does not depend on which thread computed
    /// which row.
    pub(crate) fn from_rows(rows: &[RowLoss]) -> Self {
        let loss = rows.iter().map(|row| f64::from(row.loss));
        Self::new(loss.sum::<f64>() / rows.len() as f64, rows)
    }

    /// Like [`from_rows`](Self::from_rows), but the loss is `Σ weight(i)·lossᵢ / total`, or 0
    /// where `total` is 0.
    pub(crate) fn weighted(rows: &[RowLoss], weight: impl Fn(usize) -> f64, total: f64) -> Self {
        let rows_of = rows.iter().enumerate();
        let sum: f64 = rows_of.map(|(i, row)| counted(weight(i), row.loss.into())).sum();
        Self::new(if total > 0.0 { sum / total } else { counted(0.0, sum) }, rows)
    }

    fn new(loss: f64, rows: &[RowLoss]) -> Self {
        let correct = rows.iter().filter(|row| row.correct).count();
        let samples = rows.len();
        let accuracy = correct as f64 / samples as f64;
        Self { loss, accuracy, errors: samples - correct, samples, figures: None }
    }
}

impl Mlp {
    /// Evaluates the network on examples. `executor` runs the work in parallel, and changes no
    /// bit of the result.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::Width`], [`Error::NotFinite`] and [`Error::NoWeight`] for
    /// examples that do not fit; [`Error::Targets`], [`Error::TargetWidth`],
    /// [`Error::Target`] and [`Error::Label`] for their targets; [`Error::Overflow`] where a
    /// number overflows on the way, as in a prediction.
    pub fn evaluate(
        &self,
        examples: &Examples<'_>,
        executor: &impl Executor,
    ) -> Result<Evaluation, Error> {
        self.judged(examples, executor, false).map(|(evaluation, _)| evaluation)
    }

    /// The evaluation of [`evaluate`](Self::evaluate), and the predictions that it judged, those of
    /// [`outputs`](Self::outputs): examples × outputs, row-major. It is one pass over the examples.
    ///
    /// ```
    /// # use nn::{Activation, Architecture, Examples, Init, Inputs, Mlp, Sequential};
    /// # let shape =
    /// #     Architecture { inputs: 1, hidden: vec![], outputs: 2, activation: Activation::Tanh };
    /// # let network = Mlp::new(shape, Init::Xavier, 1)?;
    /// let inputs = Inputs::new(&[0.5, 1.0], 1)?;
    /// let examples = Examples::new(inputs, &[0u8, 1])?;
    /// let (evaluation, outputs) = network.evaluate_outputs(&examples, &Sequential)?;
    /// assert_eq!(evaluation, network.evaluate(&examples, &Sequential)?);
    /// assert_eq!(outputs, network.outputs(&inputs)?);
    /// # Ok::<(), nn::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`evaluate`](Self::evaluate).
    pub fn evaluate_outputs(
        &self,
        examples: &Examples<'_>,
        executor: &impl Executor,
    ) -> Result<(Evaluation, Vec<f32>), Error> {
        self.judged(examples, executor, true)
    }

    /// The evaluation, and the predictions, which are empty where neither the figures nor the
    /// caller wants them.
    fn judged(
        &self,
        examples: &Examples<'_>,
        executor: &impl Executor,
        keep: bool,
    ) -> Result<(Evaluation, Vec<f32>), Error> {
        let (shape, head) = (self.architecture(), self.head());
        head.check(examples, shape.inputs, shape.outputs)?;
        let figures = head.with(|kind| kind.figures());
        let kept = keep || figures.is_some();
        let (len, width) = (examples.len(), if kept { shape.outputs } else { 0 });
        let mut losses = vec![RowLoss::default(); len];
        let mut predictions = vec![0.0; len * width];

        let ranks = executor.ranks();
        let row: usize = self.layers.iter().map(|layer| 2 * layer.inputs * layer.units).sum();
        let count = if ranks.shares(row.saturating_mul(len)) { ranks.count() } else { 1 };
        let end = |rank: usize| share(len, rank + 1, count);
        let own =
            if count > 1 { share(len, ranks.rank(), count)..end(ranks.rank()) } else { 0..len };
        let kept_of_own = &mut predictions[own.start * width..own.end * width];
        let mut done =
            self.judge_all(examples, own.start, &mut losses[own.clone()], kept_of_own, executor);
        if count > 1 {
            let ends = |width: usize| (0..count).map(|rank| end(rank) * width).collect::<Vec<_>>();
            if is_on_any(ranks, done.is_err()) {
                // Every rank finds the error that a single one would.
                done = self.judge_all(examples, 0, &mut losses, &mut predictions, executor);
            } else {
                gather_losses(ranks, &ends(2), &mut losses);
                ranks.all_gather(&mut predictions, &ends(width));
            }
        }
        done?;

        let plain = !examples.has_weights();
        let weight = |position| examples.weight(position);
        let mut result = if plain {
            Evaluation::from_rows(&losses)
        } else {
            Evaluation::weighted(&losses, weight, (0..len).map(weight).sum())
        };
        result.figures = figures.map(|figures| figures(&predictions, examples));
        Ok((result, predictions))
    }

    /// As [`judge`](Self::judge), on the threads of this rank.
    fn judge_all(
        &self,
        examples: &Examples<'_>,
        start: usize,
        losses: &mut [RowLoss],
        predictions: &mut [f32],
        executor: &impl Executor,
    ) -> Result<(), Error> {
        let len = losses.len();
        let width = predictions.len() / len.max(1);
        // One part per thread, but no more parts than forward passes.
        let parts = executor.threads().min(len.div_ceil(Predictor::ROWS)).max(1);
        let first = |part| share(len, part, parts);
        let prediction = |part| first(part) * width;
        let mut outcomes: Vec<Result<(), Error>> = (0..parts).map(|_| Ok(())).collect();
        let own = |part| part;
        let work =
            ((by(&first, losses), by(&prediction, predictions)), by(&own, &mut outcomes[..]));
        fork(executor, 0..parts, work, &|part, ((losses, predictions), outcome)| {
            outcome[0] = self.judge(examples, start + first(part), losses, predictions);
        });
        outcomes.into_iter().collect()
    }

    /// Writes the losses (rows) of the examples from position `first` on, and their
    /// predictions (rows × outputs), unless `predictions` is empty.
    fn judge(
        &self,
        examples: &Examples<'_>,
        first: usize,
        losses: &mut [RowLoss],
        predictions: &mut [f32],
    ) -> Result<(), Error> {
        let (isa, outputs, head) = (self.isa, self.architecture().outputs, self.head());
        let mut predictor = Predictor::new(self);
        for (chunk, losses) in losses.chunks_mut(Predictor::ROWS).enumerate() {
            let skipped = chunk * Predictor::ROWS;
            let scale = self.pixel_scale();
            let largest = examples.inputs().largest_byte(scale);
            let z = predictor.run(losses.len(), largest, |i, row| {
                examples.copy_row(isa, first + skipped + i, scale, row);
            });
            let sample = |row| examples.index(first + skipped + row);
            let z = z.map_err(|overflow| overflow.error(sample))?;
            let mut z = MatMut::new(z, losses.len(), outputs);
            let positions = Positions::From(first + skipped);
            let rows = Rows { isa, examples, positions, total: losses.len() as f64 };
            head.loss(&rows, z.as_ref(), losses);
            if !predictions.is_empty() {
                head.with(|kind| kind.link(isa, z.reborrow()));
                let kept = &mut predictions[skipped * outputs..][..losses.len() * outputs];
                for (i, kept) in kept.chunks_exact_mut(outputs).enumerate() {
                    kept.copy_from_slice(z.row_mut(i));
                }
            }
        }
        Ok(())
    }
}

/// The first of `len` elements that part `part` of `parts` takes.
fn share(len: usize, part: usize, parts: usize) -> usize {
    (len as u128 * part as u128 / parts as u128) as usize
}

/// Whether `own` is so on any rank.
fn is_on_any(ranks: &dyn Ranks, own: bool) -> bool {
    let mut all = vec![0.0; ranks.count()];
    all[ranks.rank()] = f32::from(u8::from(own));
    ranks.all_gather(&mut all, &(1..=ranks.count()).collect::<Vec<_>>());
    all.contains(&1.0)
}

/// Gives every rank the losses of all. A loss is two words, and `ends` counts words.
fn gather_losses(ranks: &dyn Ranks, ends: &[usize], losses: &mut [RowLoss]) {
    let words = |row: &RowLoss| [row.loss, f32::from(u8::from(row.correct))];
    let mut moved: Vec<_> = losses.iter().flat_map(words).collect();
    ranks.all_gather(&mut moved, ends);
    for (row, [loss, correct]) in losses.iter_mut().zip(moved.as_chunks::<2>().0) {
        *row = RowLoss { loss: *loss, correct: *correct == 1.0 };
    }
}

/// `a / b`, or 0 where `b` is 0.
pub(super) fn ratio(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}
