//! Hyperparameter search: cross-validation of candidates from a grid or drawn at random.

mod candidates;

use std::cmp::Ordering;
use std::fmt;

pub use candidates::{Candidate, Sampler, random_candidates, vary};

use crate::fork::for_each;
use crate::{Error, Evaluation, Examples, Executor, Mlp, Sequential, Split};

/// A candidate, and its evaluation on the held-out samples of each fold.
///
/// [`search()`] has an example.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Trial {
    /// The candidate.
    pub candidate: Candidate,
    /// For each fold, in order, the evaluation of its held-out samples after training on the
    /// rest. Folds in which training diverged are left out.
    pub folds: Vec<Evaluation>,
    /// Number of folds in which training diverged, or gave a network whose outputs overflow
    /// on the held-out samples.
    pub diverged: usize,
}

impl Trial {
    /// Number of held-out samples of all folds.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.folds.iter().map(|fold| fold.samples).sum()
    }

    /// Number of held-out samples that are not predicted exactly (see
    /// [`Evaluation::errors`]).
    #[must_use]
    pub fn errors(&self) -> usize {
        self.folds.iter().map(|fold| fold.errors).sum()
    }

    /// Mean accuracy of the folds, in `[0, 1]`; NaN if there are none.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        self.mean(|fold| fold.accuracy)
    }

    /// Mean loss of the folds; NaN if there are none.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.mean(|fold| fold.loss)
    }

    /// Standard deviation of the folds' accuracies, `√(Σ (aᵢ − ā)²/(n − 1))`: how far the
    /// accuracy of a single fold can be trusted. 0 for one fold.
    #[must_use]
    pub fn deviation(&self) -> f64 {
        let mean = self.accuracy();
        let squares: f64 = self.folds.iter().map(|fold| (fold.accuracy - mean).powi(2)).sum();
        (squares / (self.folds.len().max(2) - 1) as f64).sqrt()
    }

    /// Orders better trials first. NaN is the worst, whatever its sign.
    fn compare(&self, other: &Self) -> Ordering {
        let or_worst = |x: f64, worst| if x.is_nan() { worst } else { x };
        let accuracy = |trial: &Self| or_worst(trial.accuracy(), f64::NEG_INFINITY);
        let loss = |trial: &Self| or_worst(trial.loss(), f64::INFINITY);
        let by_accuracy = accuracy(other).total_cmp(&accuracy(self));
        let by_loss = loss(self).total_cmp(&loss(other));
        self.diverged.cmp(&other.diverged).then(by_accuracy).then(by_loss)
    }

    fn mean(&self, of: impl Fn(&Evaluation) -> f64) -> f64 {
        self.folds.iter().map(of).sum::<f64>() / self.folds.len() as f64
    }
}

/// The result of a search: a row for each candidate, in their order until
/// [`sort`](Self::sort) is called.
///
/// ```text
/// candidate  accuracy  deviation    loss  wrong
/// lr 0.1       0.9667     0.0236  0.1102  5 of 150
/// lr 0.01      0.9400     0.0435  0.2310  9 of 150
/// lr 1000      diverged in 3 of 5 folds
/// ```
///
/// [`search()`] has an example.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Trials {
    /// The rows.
    pub rows: Vec<Trial>,
}

impl Trials {
    /// Sorts the rows, best first: fewest diverged folds, then highest accuracy, then lowest
    /// loss. Equal rows keep their order.
    pub fn sort(&mut self) {
        self.rows.sort_by(Trial::compare);
    }

    /// The best row, which [`sort`](Self::sort) would put first; `None` if there are no rows.
    #[must_use]
    pub fn best(&self) -> Option<&Trial> {
        self.rows.iter().min_by(|a, b| a.compare(b))
    }
}

/// Cross-validates candidates.
///
/// Each candidate is trained once per fold, from the initial weights that the seed of its
/// [`Fit`](crate::Fit) draws, and evaluated on the fold's held-out samples. `folds` are splits
/// of all the examples, such as those of [`Split::stratified_k_fold`], or a single split. The
/// best of many candidates is the best partly by chance. To report how good it is, evaluate it
/// on samples that were in no fold.
///
/// The trainings are independent: `executor` runs them in parallel, each on one thread, and
/// changes no bit of the result.
///
/// # Errors
/// [`Error::Candidate`], which names the first candidate whose hyperparameters are out of
/// range, that does not fit the examples, or that uses early stopping, because the held-out
/// samples must not influence training; [`Error::Zero`] where there is no fold,
/// [`Error::Subset`] for a fold with an index out of range, and [`Error::Empty`] or
/// [`Error::NoWeight`] for a fold without training or held-out samples. A training that
/// diverges is not an error; the result counts it.
///
/// ```
/// use nn::{Activation, Architecture, Candidate, Examples, Fit, Init, Inputs};
/// use nn::{Sequential, Split, search, vary};
///
/// // Is the first of two numbers the larger?
/// let x: Vec<f32> = (0..120u16).map(|i| f32::from(i * 37 % 101) / 101.0).collect();
/// let y: Vec<u8> = x.chunks(2).map(|pair| u8::from(pair[0] > pair[1])).collect();
/// let examples = Examples::new(Inputs::new(&x, 2)?, &y)?;
/// let folds = Split::stratified_k_fold(&y, 3, 1)?;
///
/// let shape =
///     Architecture { inputs: 2, hidden: vec![4], outputs: 2, activation: Activation::Tanh };
/// let fit = Fit { epochs: 20, batch_size: 10, ..Fit::default() };
/// // A grid: every learning rate with every number of hidden units.
/// let grid = vec![Candidate::new("", shape, Init::Xavier, fit)];
/// let grid = vary(grid, "lr", [0.01, 0.1], |candidate, lr| candidate.fit.lr = lr);
/// let grid = vary(grid, "hidden", [4, 8], |candidate, units| {
///     candidate.architecture.hidden = vec![units];
/// });
/// let mut trials = search(grid, &examples, &folds, &Sequential)?;
/// trials.sort();
/// println!("{trials}");
/// assert!(trials.rows[0].accuracy() > 0.9);
/// # Ok::<(), nn::Error>(())
/// ```
pub fn search(
    candidates: impl IntoIterator<Item = Candidate>,
    examples: &Examples<'_>,
    folds: &[Split],
    executor: &impl Executor,
) -> Result<Trials, Error> {
    let candidates: Vec<Candidate> = candidates.into_iter().collect();
    if folds.is_empty() {
        return Err(Error::Zero { what: "number of folds".into() });
    }
    let mut parts = Vec::new();
    for Split { train, validation } in folds {
        let part = (examples.subset(train)?, examples.subset(validation)?);
        if part.0.is_empty() || part.1.is_empty() {
            return Err(Error::Empty);
        }
        part.0.check_weights()?;
        part.1.check_weights()?;
        parts.push(part);
    }
    for candidate in &candidates {
        let folds = || parts.iter().try_for_each(|(train, _)| candidate.check_fold(train));
        candidate
            .check(examples)
            .and_then(|()| folds())
            .map_err(|source| candidate.named(source))?;
    }

    let jobs = candidates.iter().flat_map(|candidate| {
        parts.iter().map(move |(train, held_out)| Job { candidate, train, held_out, outcome: None })
    });
    let mut jobs: Vec<Job<'_>> = jobs.collect();
    for_each(&mut jobs, executor, |job| job.outcome = Some(job.run()));

    let mut outcomes = jobs.into_iter().map(|job| job.outcome).collect::<Vec<_>>().into_iter();
    let mut rows = Vec::new();
    for candidate in candidates {
        let mut trial = Trial { candidate, folds: Vec::new(), diverged: 0 };
        for outcome in outcomes.by_ref().take(folds.len()).flatten() {
            match outcome {
                Ok(evaluation) => trial.folds.push(evaluation),
                Err(Error::Diverged { .. } | Error::Overflow { .. }) => trial.diverged += 1,
                Err(source) => return Err(trial.candidate.named(source)),
            }
        }
        rows.push(trial);
    }
    Ok(Trials { rows })
}

/// One training, of one candidate on one fold.
struct Job<'a> {
    candidate: &'a Candidate,
    train: &'a Examples<'a>,
    held_out: &'a Examples<'a>,
    outcome: Option<Result<Evaluation, Error>>,
}

impl Job<'_> {
    fn run(&self) -> Result<Evaluation, Error> {
        let Candidate { architecture, head, init, fit, .. } = self.candidate;
        let mut network = Mlp::new(architecture.clone(), *init, fit.seed)?.with_head(*head)?;
        fit.run(&mut network, self.train, None, &Sequential, ())?;
        network.evaluate(self.held_out, &Sequential)
    }
}

impl fmt::Display for Trials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = "candidate";
        let names = self.rows.iter().map(|row| row.candidate.name.chars().count());
        let width = names.max().unwrap_or_default().max(head.len());
        write!(f, "{head:width$}  accuracy  deviation    loss  wrong")?;
        for row in &self.rows {
            write!(f, "\n{:width$}", row.candidate.name)?;
            if row.diverged > 0 {
                let folds = row.folds.len() + row.diverged;
                write!(f, "  diverged in {} of {folds} folds", row.diverged)?;
            } else {
                let (accuracy, deviation, loss) = (row.accuracy(), row.deviation(), row.loss());
                write!(f, "  {accuracy:>8.4}  {deviation:>9.4}  {loss:>6.4}")?;
                write!(f, "  {} of {}", row.errors(), row.samples())?;
            }
        }
        Ok(())
    }
}
