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

mod activation;
mod augment;
mod checkpoint;
mod data;
mod dense;
mod error;
mod executor;
mod fit;
mod gradient_check;
mod init;
mod loss;
mod math;
mod metrics;
mod mlp;
mod noise;
mod norm;
mod optimizer;
mod perceptron;
mod predictor;
pub mod reference;
mod schedule;
mod search;
mod session;
mod split;
mod step;
mod stopping;
mod tiny;

pub use activation::Activation;
pub use augment::{Augment, Draw};
pub use data::{Examples, Inputs, Labels};
pub use error::Error;
pub use executor::{Executor, Sequential};
pub use fit::{Callback, EpochReport, Fit, History, StepReport};
pub use gradient_check::GradientCheck;
pub use init::Init;
pub use loss::{ClassWeights, cross_entropy, one_hot};
pub use metrics::{Confusion, Evaluation, Mistake, Predictions, Scores};
pub use mlp::{Architecture, Mlp};
pub use noise::{Dropout, DropoutKind, Noise};
pub use norm::BatchNorm;
pub use optimizer::{Average, Optimizer};
pub use perceptron::{OneVsAll, Perceptron};
pub use predictor::Predictor;
pub use schedule::{Curve, Progress, Schedule};
pub use search::{Candidate, Sampler, Trial, Trials, random_candidates, search, vary};
pub use session::{Gradient, Session};
pub use split::Split;
pub use stopping::{And, EarlyStopping, Monitor, StopToken};

/// The example of the README, so that it goes on compiling.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
