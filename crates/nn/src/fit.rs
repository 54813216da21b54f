//! The epoch loop.

use std::ops::ControlFlow;
use std::time::Instant;

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use crate::metrics::Evaluation;
use crate::optimizer::{Rule, State};
use crate::step::{Batch, Collect, Workspace};
use crate::{Dropout, Error, Examples, Executor, Mlp, Optimizer, Progress, Schedule, init, mlp};

/// Hyperparameters of training by minibatches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fit {
    /// Passes over the training set, at least 1.
    pub epochs: usize,
    /// Samples of a step, at least 1; an epoch's last step takes what is left.
    pub batch_size: usize,
    /// Learning rate, above 0: the first one, or what the schedule rises to.
    pub lr: f32,
    /// How the learning rate changes from step to step.
    pub schedule: Schedule,
    /// How a step moves the parameters: SGD with a momentum of 0.9 unless given.
    pub optimizer: Optimizer,
    /// λ of the penalty `½·λ·‖W‖²`, at least 0, or the weight decay of
    /// [`Optimizer::Adamw`]; biases have none.
    pub l2: f32,
    /// Dropout of inputs and of hidden units.
    pub dropout: Dropout,
    /// Whether each epoch draws a new order of the samples; otherwise they come
    /// as they are given.
    pub shuffle: bool,
    /// Seed of the order of samples and of the dropout masks.
    pub seed: u64,
}

impl Default for Fit {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch_size: 128,
            lr: 0.1,
            schedule: Schedule::default(),
            optimizer: Optimizer::Sgd { momentum: 0.9 },
            l2: 0.0,
            dropout: Dropout::default(),
            shuffle: true,
            seed: 0,
        }
    }
}

/// One training step, as it is reported.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct StepReport {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Steps taken so far in all epochs, this one included.
    pub step: u64,
    /// Steps of the whole run.
    pub steps: u64,
    /// Samples of this step.
    pub samples: usize,
    /// Learning rate of this step.
    pub lr: f64,
    /// Mean cross-entropy of the step's samples, before its update.
    pub loss: f64,
    /// Share of the step's samples classified rightly, before its update.
    pub accuracy: f64,
}

/// One epoch, as it is reported.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct EpochReport {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Epochs of the whole run.
    pub epochs: usize,
    /// Steps taken so far in all epochs.
    pub step: u64,
    /// Learning rate of this epoch's first step.
    pub lr: f64,
    /// Mean of the steps' own losses over the epoch's samples.
    pub train_loss: f64,
    /// Mean of the steps' own accuracies over the epoch's samples.
    pub train_accuracy: f64,
    /// The held-out part after the epoch, if there is one.
    pub validation: Option<Evaluation>,
    /// Seconds of this epoch's training steps alone.
    pub train_seconds: f64,
    /// Samples trained on in this epoch.
    pub samples: usize,
}

/// Watches a run and may stop it. A closure over [`EpochReport`] is one.
pub trait Callback {
    /// After each step.
    fn on_step(&mut self, report: &StepReport) -> ControlFlow<()> {
        let _ = report;
        ControlFlow::Continue(())
    }

    /// After each epoch.
    fn on_epoch(&mut self, report: &EpochReport) -> ControlFlow<()>;
}

impl<F: FnMut(&EpochReport) -> ControlFlow<()>> Callback for F {
    fn on_epoch(&mut self, report: &EpochReport) -> ControlFlow<()> {
        self(report)
    }
}

/// What happened in a run.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct History {
    /// One report for each whole epoch, first epoch first.
    pub epochs: Vec<EpochReport>,
    /// Whether a callback ended the run before its last epoch.
    pub stopped: bool,
}

impl Fit {
    /// Checks every hyperparameter against its range.
    ///
    /// # Errors
    /// [`Error::Zero`] and [`Error::OutOfRange`].
    pub fn validate(&self) -> Result<(), Error> {
        for (what, value) in [("number of epochs", self.epochs), ("batch size", self.batch_size)] {
            if value == 0 {
                return Err(Error::Zero { what: what.into() });
            }
        }
        let finite = |x: f32, low: bool| x.is_finite() && low;
        for (name, value, valid, expected) in [
            ("learning rate", self.lr, finite(self.lr, self.lr > 0.0), "a finite number above 0"),
            ("l2", self.l2, finite(self.l2, self.l2 >= 0.0), "a finite number of at least 0"),
        ] {
            if !valid {
                return Err(Error::OutOfRange { name, found: f64::from(value), expected });
            }
        }
        self.schedule.validate()?;
        self.optimizer.validate()?;
        self.dropout.validate()
    }

    /// Trains `network` on `train`, and looks at `validation` after each epoch.
    ///
    /// The result is a function of the network, the examples and these
    /// hyperparameters, seed included: `executor` changes the time that it takes
    /// and not a bit of it.
    ///
    /// # Errors
    /// Hyperparameters out of range, examples that do not fit the network, or
    /// [`Error::Diverged`]; the network is then as it was.
    pub fn run(
        &self,
        network: &mut Mlp,
        train: &Examples<'_>,
        validation: Option<&Examples<'_>>,
        executor: &impl Executor,
        callback: impl Callback,
    ) -> Result<History, Error> {
        self.validate()?;
        let (inputs, outputs) = (network.architecture().inputs, network.architecture().outputs);
        for examples in [Some(train), validation].into_iter().flatten() {
            examples.check(inputs, outputs)?;
        }
        let before = network.params.clone();
        let history = self.epochs(network, train, validation, executor, callback);
        if history.is_err() {
            network.params = before;
        }
        history
    }

    /// All epochs of a run whose arguments were checked.
    fn epochs(
        &self,
        network: &mut Mlp,
        train: &Examples<'_>,
        validation: Option<&Examples<'_>>,
        executor: &impl Executor,
        mut callback: impl Callback,
    ) -> Result<History, Error> {
        let batch_size = self.batch_size.min(train.len());
        let steps_per_epoch = train.len().div_ceil(batch_size) as u64;
        let steps = steps_per_epoch.saturating_mul(self.epochs as u64);
        let mut workspace = Workspace::new(network, batch_size, self.dropout, executor);
        let mut state = State::new(network, self.optimizer.slots());
        let mut history = History::default();
        let mut order: Vec<u32> = Vec::with_capacity(train.len());
        let mut step = 0;

        for epoch in 0..self.epochs {
            let rate = |step| {
                let at = Progress { step, steps, epoch, epochs: self.epochs };
                self.schedule.rate(f64::from(self.lr), at)
            };
            let first_rate = rate(step);
            // Shuffled afresh from the same start, so that the order depends on
            // the epoch's number and not on the epochs before it.
            order.clear();
            order.extend(0..train.len() as u32);
            if self.shuffle {
                order.shuffle(&mut init::seeded(self.seed, 1 << 32 | epoch as u64));
            }

            let (mut loss, mut correct, mut seconds) = (0.0, 0, 0.0);
            for positions in order.chunks(batch_size) {
                let started = Instant::now();
                let lr = rate(step);
                let batch = Batch { examples: train, positions, seed: self.seed, step };
                let rows = workspace.rows(network, &state.transposed, batch, executor);
                let result = Evaluation::from_rows(rows);
                if !result.loss.is_finite() {
                    return Err(Error::Diverged { step: step + 1, loss: result.loss, lr });
                }
                let Mlp { isa, layers, params, .. } = &mut *network;
                let rule = Rule::new(self.optimizer, lr, self.l2, step + 1);
                let sink = state.apply(rule, params);
                workspace.weights(*isa, layers, positions.len(), sink, executor);
                seconds += started.elapsed().as_secs_f64();

                step += 1;
                loss += result.loss * result.samples as f64;
                correct += result.samples - result.errors;
                let report = StepReport {
                    epoch: epoch + 1,
                    step,
                    steps,
                    samples: result.samples,
                    lr,
                    loss: result.loss,
                    accuracy: result.accuracy,
                };
                // The next step's loss shows that this one's update overflowed, but
                // after this one there may be none.
                let stop = callback.on_step(&report).is_break();
                let last = stop || step.is_multiple_of(steps_per_epoch);
                if last && !network.params.iter().all(|w| w.is_finite()) {
                    return Err(Error::Diverged { step, loss: result.loss, lr });
                }
                if stop {
                    history.stopped = true;
                    return Ok(history);
                }
            }

            let samples = train.len();
            let report = EpochReport {
                epoch: epoch + 1,
                epochs: self.epochs,
                step,
                lr: first_rate,
                train_loss: loss / samples as f64,
                train_accuracy: correct as f64 / samples as f64,
                validation: match validation {
                    Some(examples) => Some(network.evaluate(examples, executor)?),
                    None => None,
                },
                train_seconds: seconds,
                samples,
            };
            history.epochs.push(report);
            if callback.on_epoch(&report).is_break() {
                history.stopped = epoch + 1 < self.epochs;
                break;
            }
        }
        Ok(history)
    }

    /// The gradient of the mean loss over all the examples, as one step of
    /// training computes it: without the penalty, with the dropout masks of step
    /// `step`. Weights (units × inputs) and biases of each layer, and the loss.
    ///
    /// # Errors
    /// As for [`Fit::run`].
    pub fn gradient(
        &self,
        network: &Mlp,
        examples: &Examples<'_>,
        step: u64,
        executor: &impl Executor,
    ) -> Result<Gradient, Error> {
        self.validate()?;
        examples.check(network.architecture().inputs, network.architecture().outputs)?;
        let rows = examples.len();
        let mut workspace = Workspace::new(network, rows, self.dropout, executor);
        let state = State::new(network, 0);
        let positions: Vec<u32> = (0..rows as u32).collect();
        let batch = Batch { examples, positions: &positions, seed: self.seed, step };
        let result = workspace.rows(network, &state.transposed, batch, executor);
        let loss = Evaluation::from_rows(result).loss;
        let mut gradient = vec![0.0; network.params.len()];
        let sink = Collect::new(&mut gradient);
        workspace.weights(network.isa, &network.layers, rows, sink, executor);
        let layers = network.layers.iter().map(|dense| mlp::unpack(dense, &gradient)).collect();
        Ok(Gradient { loss, layers })
    }
}

/// A loss and its gradient.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Gradient {
    /// Mean cross-entropy, in nats.
    pub loss: f64,
    /// For each layer, first to last, the gradient of its weights (units ×
    /// inputs, row-major) and of its biases (units).
    pub layers: Vec<(Vec<f32>, Vec<f32>)>,
}
