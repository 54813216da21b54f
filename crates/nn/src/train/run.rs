//! The epoch loop: a run that can be left after any step and continued.

use std::collections::BTreeMap;
use std::fmt;

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::clock::Started;
use super::stopping::Best;
use crate::net::seeded;
use crate::{
    Architecture, Callback, EpochReport, Error, Examples, Executor, Fit, Head, Mlp, Progress,
    Session, StepReport, memory,
};

/// What happened in a run.
///
/// [`Fit`] and [`EarlyStopping`](crate::EarlyStopping) have examples.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct History {
    /// One report for each completed epoch, in order.
    pub epochs: Vec<EpochReport>,
    /// Whether something ended the run before its last epoch.
    pub stopped: bool,
    /// The epoch (from 1) whose network was returned; `None` without early stopping, or where
    /// no epoch was completed.
    pub best: Option<usize>,
    /// What ended the run, or ended it for now.
    pub ended: Ended,
}

/// What ended a run.
///
/// ```
/// # use nn::*;
/// # let x = [0., 0., 0., 1., 1., 0., 1., 1.];
/// # let y = [0u8, 1, 1, 0];
/// # let examples = Examples::new(Inputs::new(&x, 2)?, &y)?;
/// # let shape =
/// #     Architecture { inputs: 2, hidden: vec![8], outputs: 2, activation: Activation::Tanh };
/// # let mut network = Mlp::new(shape, Init::Xavier, 1)?;
/// let fit = Fit { epochs: 3, ..Fit::default() };
/// let history = fit.run(&mut network, &examples, None, &Sequential, ())?;
/// assert_eq!(history.ended, nn::Ended::LastEpoch);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Ended {
    /// All epochs were trained.
    #[default]
    LastEpoch,
    /// Early stopping: its patience was used up.
    EarlyStopping,
    /// The callback stopped the run. It can go on.
    Callback,
    /// The loss or a parameter became NaN or infinite. [`Run::finish`] returns the best
    /// network with early stopping, otherwise the last one.
    Diverged,
}

/// A run of [`Fit`] that can be left after any step, saved, and continued.
///
/// A run that is continued takes the same steps as one that was never left: the network and
/// the history have the same bits, except for seconds. The callback leaves it, by
/// [`Break`](std::ops::ControlFlow::Break). [`Fit::run`] is a run that is never continued.
///
/// ```
/// # use nn::*;
/// # use std::ops::ControlFlow;
/// # let x = [0., 0., 0., 1., 1., 0., 1., 1.];
/// # let y = [0u8, 1, 1, 0];
/// # let shape =
/// #     Architecture { inputs: 2, hidden: vec![8], outputs: 2, activation: Activation::Tanh };
/// # let network = Mlp::new(shape, Init::Xavier, 1)?;
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("checkpoint.safetensors");
/// let examples = Examples::new(Inputs::new(&x, 2)?, &y)?;
/// let fit = Fit { epochs: 20, batch_size: 2, ..Fit::default() };
/// let mut run = Run::new(network, &fit, examples, None)?;
/// run.train(&Sequential, |_: &EpochReport| ControlFlow::Break(()))?; // one epoch
/// run.save(&path)?;
///
/// let mut run = Checkpoint::load(&path)?.resume(examples, None)?;
/// assert_eq!(run.train(&Sequential, ())?, Ended::LastEpoch);
/// let (network, history) = run.finish();
/// assert_eq!(history.epochs.len(), 20);
/// # let _ = network;
/// # Ok::<(), Error>(())
/// ```
pub struct Run<'a> {
    pub(super) state: RunState,
    train: Examples<'a>,
    validation: Option<Examples<'a>>,
    /// The order of the samples in the current epoch; empty where it is not made yet.
    order: Vec<u32>,
}

/// Everything of a run but its examples.
pub(super) struct RunState {
    /// It has the hyperparameters.
    pub(super) session: Session,
    /// With early stopping.
    pub(super) best: Option<Best>,
    pub(super) history: History,
    pub(super) sums: Sums,
    /// Training examples.
    pub(super) samples: usize,
    pub(super) notes: BTreeMap<String, String>,
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RunState { session, history, samples, .. } = &self.state;
        let mut shown = f.debug_struct("Run");
        shown.field("session", session).field("samples", samples).field("history", history);
        shown.finish_non_exhaustive()
    }
}

impl<'a> Run<'a> {
    /// A run that starts from `network`, before its first step.
    ///
    /// # Errors
    /// As for [`Fit::run`], except [`Error::Diverged`].
    pub fn new(
        network: Mlp,
        fit: &Fit,
        train: Examples<'a>,
        validation: Option<Examples<'a>>,
    ) -> Result<Self, Error> {
        // Both before memory is requested.
        fit.check(&network, &train, validation.as_ref())?;
        memory::probe(fit.memory(network.architecture(), train.len()))?;
        let state = RunState {
            session: Session::new(network, fit)?,
            best: fit.early_stopping.map(Best::new),
            history: History::default(),
            sums: Sums::default(),
            samples: train.len(),
            notes: BTreeMap::new(),
        };
        Self::with_examples(state, train, validation)
    }

    /// A run in this state, on examples that have to fit it.
    pub(super) fn with_examples(
        mut state: RunState,
        train: Examples<'a>,
        validation: Option<Examples<'a>>,
    ) -> Result<Self, Error> {
        let Session { fit, network, .. } = &state.session;
        let objective = fit.objective(network, &train, validation.as_ref())?;
        state.session.objective = objective;
        Ok(Self { state, train, validation, order: Vec::new() })
    }

    /// The hyperparameters.
    #[must_use]
    pub fn fit(&self) -> &Fit {
        &self.state.session.fit
    }

    /// Shape of the network.
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        self.state.session.trained().architecture()
    }

    /// What the outputs of the network mean.
    #[must_use]
    pub fn head(&self) -> Head {
        self.state.session.trained().head()
    }

    /// Samples of each epoch.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.state.samples
    }

    /// What has happened so far.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.state.history
    }

    /// Steps taken so far in all epochs.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.state.session.steps()
    }

    /// Steps of an epoch.
    #[must_use]
    pub fn steps_per_epoch(&self) -> u64 {
        self.state.steps_per_epoch()
    }

    /// A copy of the network that the run would return if it ended now: the best one with
    /// early stopping, once an epoch has ended, otherwise the current one.
    #[must_use]
    pub fn network(&self) -> Mlp {
        let best = self.state.best.as_ref().and_then(|best| best.network.clone());
        best.unwrap_or_else(|| self.state.session.network())
    }

    /// What the program around the run wants to keep with it, by name. It is saved with the
    /// run.
    #[must_use]
    pub fn notes(&mut self) -> &mut BTreeMap<String, String> {
        &mut self.state.notes
    }

    /// Changes the number of epochs. What depends on the length of the whole run, as some
    /// [`schedules`](crate::Schedule) do, is from now on that of the new length.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where the run is already longer.
    pub fn set_epochs(&mut self, epochs: usize) -> Result<(), Error> {
        self.state.set_epochs(epochs)
    }

    /// Changes the learning rate of the steps from now on: what the
    /// [schedule](crate::Schedule) multiplies. A loop that leaves the run after each step
    /// chooses the rate of each, as a learning-rate range test does.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where it is not above 0, or too large for the penalty. The run
    /// then keeps its rate.
    ///
    /// ```
    /// # use nn::*;
    /// # use std::ops::ControlFlow;
    /// # let x = [0., 0., 0., 1., 1., 0., 1., 1.];
    /// # let y = [0u8, 1, 1, 0];
    /// # let shape =
    /// #     Architecture { inputs: 2, hidden: vec![8], outputs: 2, activation: Activation::Tanh };
    /// # let network = Mlp::new(shape, Init::Xavier, 1)?;
    /// # let examples = Examples::new(Inputs::new(&x, 2)?, &y)?;
    /// // All four samples are one batch, so an epoch is a step.
    /// let mut run = Run::new(network, &Fit::default(), examples, None)?;
    /// for lr in [0.125, 0.25, 0.5] {
    ///     run.set_lr(lr)?;
    ///     run.train(&Sequential, |_: &EpochReport| ControlFlow::Break(()))?;
    /// }
    /// let rates: Vec<f64> = run.history().epochs.iter().map(|epoch| epoch.lr).collect();
    /// assert_eq!(rates, [0.125, 0.25, 0.5]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn set_lr(&mut self, lr: f32) -> Result<(), Error> {
        if !(lr.is_finite() && lr > 0.0) {
            let (name, expected) = ("learning rate", "a finite number above 0");
            return Err(Error::OutOfRange { name, found: lr.into(), expected });
        }
        let session = &mut self.state.session;
        let rows = session.fit.batch_size.min(self.train.len());
        session.fit.check_steps(session.network.architecture(), rows, lr)?;
        session.fit.lr = lr;
        Ok(())
    }

    /// Trains until the last epoch, early stopping or the callback ends the run. If the
    /// callback ended it, another call continues it.
    ///
    /// # Errors
    /// [`Error::Diverged`]. The network is then the best one with early stopping, otherwise
    /// that of the last step whose loss was finite.
    pub fn train(
        &mut self,
        executor: &impl Executor,
        mut callback: impl Callback,
    ) -> Result<Ended, Error> {
        let ended = self.epochs(executor, &mut callback);
        let ended = ended.inspect_err(|_| self.state.end(Ended::Diverged))?;
        self.state.end(ended);
        Ok(ended)
    }

    /// The network that the run returns, and what happened: the best network with early
    /// stopping, otherwise the last one.
    #[must_use]
    pub fn finish(self) -> (Mlp, History) {
        let RunState { session, best, history, .. } = self.state;
        let best = best.and_then(|best| best.network);
        (best.unwrap_or_else(|| session.into_network()), history)
    }

    fn epochs(
        &mut self,
        executor: &impl Executor,
        callback: &mut impl Callback,
    ) -> Result<Ended, Error> {
        loop {
            let epoch = self.state.history.epochs.len();
            if epoch >= self.state.session.fit.epochs {
                return Ok(Ended::LastEpoch);
            }
            if self.state.best.as_ref().is_some_and(|best| best.is_over(epoch)) {
                return Ok(Ended::EarlyStopping);
            }
            if self.order.is_empty() {
                self.shuffle(epoch);
            }
            let stop = self.take_steps(epoch, executor, callback)?;
            if stop || self.report(epoch, executor, callback)? {
                return Ok(self.state.ended_by_callback());
            }
        }
    }

    /// Makes the order of epoch `epoch` (from 0). Each epoch shuffles the ascending order,
    /// so that its order depends only on the seed and the epoch's index, not on the epochs
    /// before it.
    fn shuffle(&mut self, epoch: usize) {
        let fit = &self.state.session.fit;
        self.order.extend(0..self.train.len() as u32);
        if fit.shuffle {
            self.order.shuffle(&mut seeded(fit.seed, 1 << 32 | epoch as u64));
        }
    }

    /// Takes the remaining steps of epoch `epoch` (from 0). Returns whether the callback
    /// stopped the run.
    fn take_steps(
        &mut self,
        epoch: usize,
        executor: &impl Executor,
        callback: &mut impl Callback,
    ) -> Result<bool, Error> {
        let Self { state, train, order, .. } = self;
        let steps_per_epoch = state.steps_per_epoch();
        let RunState { session, sums, .. } = state;
        let Fit { epochs, batch_size, lr: base, schedule, .. } = session.fit;
        let batch_size = batch_size.min(train.len());
        let steps = steps_per_epoch.saturating_mul(epochs as u64);
        let taken = session.steps() - epoch as u64 * steps_per_epoch;
        for positions in order.chunks(batch_size).skip(taken as usize) {
            let started = Started::now();
            let at = Progress { step: session.steps(), steps, epoch, epochs };
            let lr = schedule.rate(f64::from(base), at);
            let result = session.step_on(train, positions, epoch as u64, lr, executor);
            let (result, weight) = result.inspect_err(|_| session.settle(executor.ranks()))?;
            sums.seconds += started.seconds();
            sums.lr.get_or_insert(lr);
            sums.loss += result.loss * weight;
            sums.weight += weight;
            sums.correct += result.samples - result.errors;
            let report = StepReport {
                epoch: epoch + 1,
                step: session.steps(),
                steps,
                samples: result.samples,
                lr,
                loss: result.loss,
                accuracy: result.accuracy,
            };
            // The loss of the next step shows whether this update overflowed. After the
            // last step of an epoch or of the run there may be no next step, so check the
            // parameters.
            let stop = callback.on_step(&report).is_break();
            let last = stop || session.steps().is_multiple_of(steps_per_epoch);
            if last {
                // Outside of this loop, all of the run is the same on every rank.
                session.settle(executor.ranks());
            }
            if last && !session.is_finite() {
                return Err(Error::Diverged { step: session.steps(), loss: result.loss, lr });
            }
            if stop {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Evaluates the network after epoch `epoch` (from 0) and reports the epoch. Returns
    /// whether the callback stopped the run.
    fn report(
        &mut self,
        epoch: usize,
        executor: &impl Executor,
        callback: &mut impl Callback,
    ) -> Result<bool, Error> {
        let RunState { session, best, history, sums, .. } = &mut self.state;
        let evaluation = self.validation.map(|examples| session.evaluate(&examples, executor));
        let evaluation = evaluation.transpose().map_err(|error| match error {
            // Its parameters are finite, but too large to be of use.
            Error::Overflow { .. } => {
                let (step, loss) = (session.steps(), sums.loss / sums.weight);
                Error::Diverged { step, loss, lr: sums.lr.unwrap_or_default() }
            }
            error => error,
        })?;
        let sums = std::mem::take(sums);
        let report = EpochReport {
            epoch: epoch + 1,
            epochs: session.fit.epochs,
            step: session.steps(),
            lr: sums.lr.unwrap_or_default(),
            train_loss: sums.loss / sums.weight,
            train_accuracy: sums.correct as f64 / self.train.len() as f64,
            validation: evaluation,
            train_seconds: sums.seconds,
            samples: self.train.len(),
        };
        history.epochs.push(report);
        self.order.clear();
        if let (Some(best), Some(result)) = (best, &evaluation) {
            best.update(epoch + 1, result, || session.network());
            history.best = Some(best.epoch);
        }
        Ok(callback.on_epoch(&report).is_break())
    }
}

impl RunState {
    pub(super) fn steps_per_epoch(&self) -> u64 {
        self.samples.div_ceil(self.session.fit.batch_size.min(self.samples)) as u64
    }

    pub(super) fn set_epochs(&mut self, epochs: usize) -> Result<(), Error> {
        let begun = self.session.steps().div_ceil(self.steps_per_epoch());
        if epochs == 0 || (epochs as u64) < begun {
            let (name, found) = ("number of epochs", epochs as f64);
            let expected = "at least the epochs that the run has begun";
            return Err(Error::OutOfRange { name, found, expected });
        }
        self.session.fit.epochs = epochs;
        for report in &mut self.history.epochs {
            report.epochs = epochs;
        }
        Ok(())
    }

    /// What the end is where the callback stopped: perhaps nothing was left to do.
    fn ended_by_callback(&self) -> Ended {
        let epochs = self.history.epochs.len();
        if epochs >= self.session.fit.epochs {
            Ended::LastEpoch
        } else if self.best.as_ref().is_some_and(|best| best.is_over(epochs)) {
            Ended::EarlyStopping
        } else {
            Ended::Callback
        }
    }

    fn end(&mut self, ended: Ended) {
        self.history.ended = ended;
        self.history.stopped = self.history.epochs.len() < self.session.fit.epochs;
    }
}

/// Sums over the steps of an epoch.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Sums {
    /// Each step's mean loss times its weight.
    #[serde(with = "crate::exact")]
    loss: f64,
    /// The weights of the samples.
    #[serde(with = "crate::exact")]
    weight: f64,
    /// Samples that were predicted exactly.
    correct: usize,
    seconds: f64,
    /// Learning rate of the first step.
    lr: Option<f64>,
}
