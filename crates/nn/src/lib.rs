//! Feed-forward networks for classification and regression: dense layers,
//! backpropagation and minibatch gradient descent, with optimizers from SGD with momentum
//! to AdamW. It runs on hand-written kernels, without a framework.
//!
//! The modules, in reading order, with their public items:
//!
//! - `data`, what a network learns from. [`Inputs`] and [`Targets`] borrow your data:
//!   features as `f32` or bytes ([`OwnedInputs`] makes them of rows of `f64`), targets as [`Labels`] (class indices) or [`Values`] (real
//!   numbers). [`Examples`] pairs them. [`Split`] divides samples into training and
//!   validation. [`Augment`] changes samples during training, with a [`Draw`] as its source
//!   of random numbers. A [`Preparation`] says what is done to raw data before all that:
//!   [`Columns`] make rows of a table features, each [`Column`] by its [`ColumnKind`], with
//!   a [`Standard`] for numbers, and have a [`Target`]; an [`ImageForm`] is that of images.
//! - `net`, the network. [`Mlp`] has an [`Architecture`] with an [`Activation`], and
//!   parameters, whose initial values an [`Init`] draws. It predicts, and it can be saved
//!   and loaded. A [`Predictor`] predicts without allocating.
//! - `head`, what the outputs mean. A [`Head`] names the loss and the form of the targets
//!   and predictions. [`Figures`] holds what accuracy and loss do not say, such as R² or
//!   F1. [`ClassWeights`] weights the classes. [`one_hot`] and [`cross_entropy`] are the
//!   formulas of the softmax head by themselves.
//! - `train`, training. [`Fit`] holds the hyperparameters and runs the epochs; its parts
//!   are [`Optimizer`], [`Schedule`] with a [`Curve`], [`Dropout`] with its
//!   [`DropoutKind`], [`Noise`], [`BatchNorm`], [`Average`], and [`EarlyStopping`] with its
//!   [`Monitor`]. [`Progress`] says how far a run is. A [`Callback`] watches a run through
//!   [`StepReport`] and [`EpochReport`] and may stop it, as [`StopToken`] does; [`And`]
//!   joins two callbacks, and [`each_epoch`] makes a closure one. A run returns a [`History`], which says how it [`Ended`]. A [`Run`]
//!   can be left after any step, and its [`Weights`] compared with those of a later one; a
//!   [`Checkpoint`] is one that was saved and read again. A
//!   [`Session`] takes single steps, and a [`Gradient`] is what a step would apply.
//! - `judge`, how good a network is. [`Evaluation`] has loss and accuracy. [`Confusion`]
//!   counts predictions for each class, with [`Scores`]. [`Predictions`] judges
//!   probabilities and lists each [`Mistake`]; [`Reliability`] is a point of its calibration.
//!   [`search()`] cross-validates a
//!   [`Candidate`] as a [`Trial`] and returns [`Trials`]; [`vary`] makes a grid of
//!   candidates, [`random_candidates`] draws them with a [`Sampler`]. [`Health`] counts, by
//!   [`LayerHealth`], the units that no longer learn. [`GradientCheck`]
//!   compares the gradient with the same network in plain `f64`.
//!
//! Beside them stand some things. [`Executor`] runs the tasks of a step: [`Sequential`], or
//! your own threads; a [`DynExecutor`] is one that is chosen while the program runs. This crate starts no threads, and the result has the same bits for
//! any executor. [`Perceptron`] and [`OneVsAll`] are older linear classifiers to compare
//! with. [`Error`] is the only error type. Models and checkpoints are written by [`files`],
//! whole or not at all.
//!
//! Debug builds of a program that depends on this crate are thirty to a hundred times
//! slower, unless its own workspace has the crates with the loops optimised:
//!
//! ```toml
//! [profile.dev.package.nn]
//! opt-level = 3
//! [profile.dev.package.kernels]
//! opt-level = 3
//! ```
//!
//! Invalid data does not panic: every failure is an [`Error`], and a call that fails has not
//! changed the network. (Methods that take an index may panic, and say so.) The crate prints
//! nothing, and its only randomness comes from the seeds you give. Its only global state is
//! the choice of the instruction set: it is made once per process, from the CPU and the
//! environment variable `KERNELS_ISA`.

#![forbid(unsafe_code)]

mod error;
mod exact;
mod executor;
pub mod files;
mod fork;
mod math;
mod memory;
mod ranks;
mod tensor_file;

mod data;
mod net;

mod head;

mod train;

mod judge;

mod perceptron;

pub use data::{
    Augment, Column, ColumnKind, Columns, Draw, Examples, ImageForm, Inputs, Labels, OwnedInputs,
    Preparation, Split, Standard, Target, Targets, Values,
};
pub use error::Error;
pub use executor::{DynExecutor, Executor, Sequential};
pub use head::{ClassWeights, Figures, Head, cross_entropy, one_hot};
pub use judge::{
    Candidate, Confusion, Evaluation, GradientCheck, Health, LayerHealth, Mistake, Predictions,
    Reliability, Sampler, Scores, Trial, Trials, random_candidates, search, vary,
};
/// What [`Error::Isa`] holds.
pub use kernels::UnknownIsa;
// The oracle of the tests, of this crate and of programs around it. It is slow, and free to
// change: no interface for programs.
#[doc(hidden)]
pub use judge::reference;
pub use net::{Activation, Architecture, Init, Mlp, Predictor};
pub use perceptron::{OneVsAll, Perceptron};
pub use ranks::{Alone, Ranks, Team};
pub use train::{
    And, Average, BatchNorm, Callback, Checkpoint, Curve, Dropout, DropoutKind, EarlyStopping,
    Ended, EpochReport, Fit, Gradient, History, Monitor, Noise, Optimizer, Progress, Run, Schedule,
    Session, StepReport, StopToken, Weights, each_epoch,
};

/// Compiles and runs the example of the README. (`.ci/run test` does that with the README of
/// the repository, which is not in the package.)
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
