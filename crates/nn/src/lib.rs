//! A feed-forward classifier: dense layers, backpropagation, gradient descent
//! by minibatches, from momentum to Adam; on hand-written kernels, without a framework.
//!
//! - [`Mlp`] is the network: [`Architecture`] and parameters; it predicts, and is
//!   saved and loaded.
//! - [`Predictor`] predicts again and again without allocating.
//! - [`Fit`] holds the hyperparameters of training and runs it.
//! - [`Inputs`], [`Labels`] and [`Examples`] borrow your data, as `f32` or bytes,
//!   and [`Split`] deals the samples out to train with and to validate with.
//! - [`Augment`] changes examples while they are trained on.
//! - [`Evaluation`], [`Confusion`] and [`Predictions`] say how good a network is,
//!   and [`Mistake`] where it is wrong.
//! - [`search()`] cross-validates candidates, from a grid or drawn at random.
//! - [`Perceptron`] and [`OneVsAll`] are what came before networks, to compare with.
//! - [`Executor`] is who runs the tasks of a step: [`Sequential`], or your
//!   threads. This crate starts none, and the result has the same bits for any.
//!
//! Nothing from outside panics: every failure is a variant of [`Error`], and a
//! call that fails has changed nothing. There is no global state, no printing,
//! and no randomness but from the seeds you give.

#![forbid(unsafe_code)]

mod error;
mod executor;
mod fork;
mod math;

mod data;
mod net;

mod head;

mod train;

mod judge;

mod perceptron;

pub use data::{Augment, Draw, Examples, Inputs, Labels, Split, Targets, Values};
pub use error::Error;
pub use executor::{Executor, Sequential};
pub use head::{ClassWeights, Figures, Head, cross_entropy, one_hot};
pub use judge::{
    Candidate, Confusion, Evaluation, GradientCheck, Mistake, Predictions, Sampler, Scores, Trial,
    Trials, random_candidates, reference, search, vary,
};
pub use net::{Activation, Architecture, Init, Mlp, Predictor};
pub use perceptron::{OneVsAll, Perceptron};
pub use train::{
    And, Average, BatchNorm, Callback, Curve, Dropout, DropoutKind, EarlyStopping, EpochReport,
    Fit, Gradient, History, Monitor, Noise, Optimizer, Progress, Schedule, Session, StepReport,
    StopToken,
};

/// The example of the README, so that it goes on compiling.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
