//! What a run reports while it trains, and how a caller stops it.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::{Evaluation, exact};

/// Watches a run and may stop it. A closure that takes an [`EpochReport`] is a callback,
/// where the type of its argument is written out, or within [`each_epoch`]; `()` is one that
/// does nothing.
///
/// ```
/// # use nn::*;
/// use nn::{Callback, EpochReport, StepReport};
/// use std::ops::ControlFlow;
///
/// struct Losses<'a>(&'a mut Vec<f64>);
///
/// impl Callback for Losses<'_> {
///     fn on_step(&mut self, report: &StepReport) -> ControlFlow<()> {
///         self.0.push(report.loss);
///         ControlFlow::Continue(())
///     }
///     fn on_epoch(&mut self, _: &EpochReport) -> ControlFlow<()> {
///         ControlFlow::Continue(())
///     }
/// }
///
/// # let x = [0., 0., 0., 1., 1., 0., 1., 1.];
/// # let y = [0u8, 1, 1, 0];
/// # let examples = Examples::new(Inputs::new(&x, 2)?, &y)?;
/// # let shape =
/// #     Architecture { inputs: 2, hidden: vec![8], outputs: 2, activation: Activation::Tanh };
/// # let mut network = Mlp::new(shape, Init::Xavier, 1)?;
/// let fit = Fit { epochs: 3, batch_size: 2, ..Fit::default() };
/// let mut losses = Vec::new();
/// fit.run(&mut network, &examples, None, &Sequential, Losses(&mut losses))?;
/// assert_eq!(losses.len(), 6); // two steps an epoch
/// # Ok::<(), nn::Error>(())
/// ```
pub trait Callback {
    /// Called after each step. Does nothing unless implemented.
    fn on_step(&mut self, report: &StepReport) -> ControlFlow<()> {
        let _ = report;
        ControlFlow::Continue(())
    }

    /// Called after each epoch.
    fn on_epoch(&mut self, report: &EpochReport) -> ControlFlow<()>;

    /// Calls both callbacks. Either may stop the run.
    fn and<B: Callback>(self, other: B) -> And<Self, B>
    where
        Self: Sized,
    {
        And(self, other)
    }
}

/// Never stops the run.
impl Callback for () {
    fn on_epoch(&mut self, _: &EpochReport) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl<F: FnMut(&EpochReport) -> ControlFlow<()>> Callback for F {
    fn on_epoch(&mut self, report: &EpochReport) -> ControlFlow<()> {
        self(report)
    }
}

/// A closure as a [`Callback`]. It changes nothing, but tells the compiler what the closure
/// takes, which it cannot know of an argument that any callback may be.
///
/// ```
/// # use nn::*;
/// use std::ops::ControlFlow;
/// # let x = [0., 0., 0., 1., 1., 0., 1., 1.];
/// # let y = [0u8, 1, 1, 0];
/// # let examples = Examples::new(Inputs::new(&x, 2)?, &y)?;
/// # let shape =
/// #     Architecture { inputs: 2, hidden: vec![8], outputs: 2, activation: Activation::Tanh };
/// # let mut network = Mlp::new(shape, Init::Xavier, 1)?;
/// # let fit = Fit { epochs: 3, ..Fit::default() };
/// let mut losses = Vec::new();
/// let callback = nn::each_epoch(|report| {
///     losses.push(report.train_loss);
///     ControlFlow::Continue(())
/// });
/// fit.run(&mut network, &examples, None, &Sequential, callback)?;
/// assert_eq!(losses.len(), 3);
/// # Ok::<(), nn::Error>(())
/// ```
pub fn each_epoch<F: FnMut(&EpochReport) -> ControlFlow<()>>(callback: F) -> F {
    callback
}

/// The report of one training step.
///
/// [`Callback`] has an example.
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
    /// Mean loss of the step's samples before its update: what the step minimises, with
    /// label smoothing and weights, but without the penalty.
    pub loss: f64,
    /// Share of the step's samples predicted exactly before its update, in `[0, 1]`
    /// (see [`Evaluation::accuracy`]).
    pub accuracy: f64,
}

/// The report of one epoch.
///
/// ```
/// # use nn::*;
/// use std::ops::ControlFlow;
/// # let x = [0., 0., 0., 1., 1., 0., 1., 1.];
/// # let y = [0u8, 1, 1, 0];
/// # let examples = Examples::new(Inputs::new(&x, 2)?, &y)?;
/// # let shape =
/// #     Architecture { inputs: 2, hidden: vec![8], outputs: 2, activation: Activation::Tanh };
/// # let mut network = Mlp::new(shape, Init::Xavier, 1)?;
/// let fit = Fit { epochs: 500, batch_size: 4, lr: 0.5, ..Fit::default() };
/// let good_enough = |report: &EpochReport| {
///     if report.train_loss < 0.1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
/// };
/// let history = fit.run(&mut network, &examples, None, &Sequential, good_enough)?;
/// assert!(history.stopped && history.epochs.len() < 500);
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EpochReport {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Epochs of the whole run.
    pub epochs: usize,
    /// Steps taken so far in all epochs.
    pub step: u64,
    /// Learning rate of this epoch's first step.
    #[serde(with = "exact")]
    pub lr: f64,
    /// Mean of the steps' losses, each weighted by its samples' weights.
    #[serde(with = "exact")]
    pub train_loss: f64,
    /// Share of the epoch's samples predicted exactly, each before the update of its step.
    #[serde(with = "exact")]
    pub train_accuracy: f64,
    /// The evaluation of the validation examples after the epoch, if there are any.
    pub validation: Option<Evaluation>,
    /// Seconds that this epoch's training steps took, without validation and callbacks; 0 on
    /// `wasm32-unknown-unknown`, which has no clock.
    #[serde(with = "exact")]
    pub train_seconds: f64,
    /// Samples trained on in this epoch.
    pub samples: usize,
}

/// A callback that stops a run after the current step, once any thread has called
/// [`stop`](Self::stop).
///
/// ```
/// use nn::{Callback, EpochReport, StopToken};
/// use std::ops::ControlFlow;
///
/// let token = StopToken::default();
/// let for_another_thread = token.clone();
/// let callback = token.and(|report: &EpochReport| {
///     println!("{}", report.train_loss);
///     ControlFlow::Continue(())
/// });
/// for_another_thread.stop();
/// # let _ = callback;
/// ```
#[derive(Clone, Debug, Default)]
pub struct StopToken(Arc<AtomicBool>);

impl StopToken {
    /// Requests that the run stop. The request cannot be withdrawn.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether [`stop`](Self::stop) was called.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn flow(&self) -> ControlFlow<()> {
        if self.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Callback for StopToken {
    fn on_step(&mut self, _: &StepReport) -> ControlFlow<()> {
        self.flow()
    }

    fn on_epoch(&mut self, _: &EpochReport) -> ControlFlow<()> {
        self.flow()
    }
}

/// Two callbacks. Either may stop the run: see [`Callback::and`].
///
/// [`StopToken`] has an example.
#[derive(Clone, Debug)]
pub struct And<A, B>(A, B);

impl<A: Callback, B: Callback> Callback for And<A, B> {
    fn on_step(&mut self, report: &StepReport) -> ControlFlow<()> {
        // Both callbacks see the report, even if the first one stops the run.
        let (a, b) = (self.0.on_step(report), self.1.on_step(report));
        if a.is_break() { a } else { b }
    }

    fn on_epoch(&mut self, report: &EpochReport) -> ControlFlow<()> {
        let (a, b) = (self.0.on_epoch(report), self.1.on_epoch(report));
        if a.is_break() { a } else { b }
    }
}
