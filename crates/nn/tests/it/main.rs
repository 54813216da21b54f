//! The tests of `nn` from outside, by its public items alone: one binary, so that it is
//! linked once. `allocations.rs` is a binary of its own.

#![forbid(unsafe_code)]

mod common;

// The `f64` network that the other modules compare with.
mod reference;

// A step: its gradient, its loss, what it does to the parameters, what ranks move.
mod batch_norm;
mod golden;
mod gradients;
mod heads;
mod losses;
mod penalties;
mod threads;
mod traffic;

// A run of steps.
mod augment;
mod schedules;
mod stopping;
mod training;
mod weights;

// Data and networks.
mod answers;
mod classes;
mod files;
mod hostile_checkpoints;
mod hostile_models;
mod resume;
mod predictor;
mod splits;
mod unread;

// How good a network is, and whether it can still learn.
mod health;
mod metrics;
mod search;

mod perceptron;

// What does not fit.
mod bad_input;
mod errors;
mod extremes;
