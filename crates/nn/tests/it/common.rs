//! Helpers that the test modules share: numbers and networks from seeds, a copy of a
//! network in the reference's form, executors and callbacks.

pub(crate) mod meeting;
mod seeded;

use std::ops::ControlFlow;
use std::thread;

use kernels::{Isa, Stream, dropout_mask};
use nn::reference::{Draws, Layer, Network};
use nn::{
    Activation, Callback, EpochReport, Error, Examples, Executor, Fit, Mlp, Sequential, StepReport,
};

pub(crate) use seeded::{examples, labels, network, uniform};

/// The same numbers, in `f64`.
pub(crate) fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// The largest absolute value; NaN if any number is NaN, so that no bound accepts it.
pub(crate) fn largest(numbers: impl IntoIterator<Item = f64>) -> f64 {
    numbers
        .into_iter()
        .map(f64::abs)
        .fold(0.0, |largest, size| if largest.is_nan() || size <= largest { largest } else { size })
}

/// The largest absolute difference between elements with the same index.
pub(crate) fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    largest(a.iter().zip(b).map(|(a, b)| a - b))
}

/// A copy of the network in the reference's form.
pub(crate) fn reference(network: &Mlp) -> Network {
    let sizes = network.architecture().layers();
    let layer = |(l, &inputs): (usize, &usize)| {
        let (weights, biases) = network.layer(l).unwrap();
        let weights = weights.chunks_exact(inputs).map(wide).collect();
        Layer { weights, biases: wide(&biases), gains: vec![1.0; biases.len()] }
    };
    let layers = sizes[..sizes.len() - 1].iter().enumerate().map(layer);
    let activation = network.architecture().activation;
    Network { layers: layers.collect(), activation, batch_norm: None }
}

/// The dropout masks of row `row` in step `step`, from the same random streams as in a
/// step: those of row, step and layer, where layer 0 is the input.
pub(crate) fn masks(network: &Mlp, fit: &Fit, step: u64, row: usize) -> Draws {
    let widths = network.architecture().layers();
    let mask = |(l, width): (usize, &usize)| {
        let rate = match l {
            0 => fit.dropout.input,
            _ => fit.dropout.hidden,
        };
        let stream =
            Stream { seed: fit.seed, counter: [row as u32, step as u32, l as u32], first: 0 };
        let mut mask = vec![0.0; *width];
        dropout_mask(Isa::active().unwrap(), stream, rate, &mut mask);
        wide(&mask)
    };
    let before_logits = &widths[..widths.len() - 1];
    let masks = before_logits.iter().enumerate().map(mask).collect();
    Draws { masks, noise: Vec::new() }
}

/// The callback that lets a run go on to its end.
pub(crate) fn go_on(_: &EpochReport) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Records every report, and ends the run after the given step or epoch.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) steps: Vec<StepReport>,
    pub(crate) epochs: Vec<EpochReport>,
    pub(crate) last_step: Option<u64>,
    pub(crate) last_epoch: Option<usize>,
}

pub(crate) fn until(end: bool) -> ControlFlow<()> {
    if end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

impl Callback for &mut Recorder {
    fn on_step(&mut self, report: &StepReport) -> ControlFlow<()> {
        self.steps.push(*report);
        until(self.last_step == Some(report.step))
    }

    fn on_epoch(&mut self, report: &EpochReport) -> ControlFlow<()> {
        self.epochs.push(*report);
        until(self.last_epoch == Some(report.epoch))
    }
}

/// Fifty samples of seven random features, with random labels of three classes.
pub(crate) fn noise() -> (Vec<f32>, Vec<u32>) {
    (uniform(1, 50 * 7), labels(2, 50, 3))
}

/// A network for [`noise`], and three epochs of steps with 20, 20 and 10 samples.
pub(crate) fn start() -> (Mlp, Fit) {
    let fit = Fit { epochs: 3, batch_size: 20, seed: 3, ..Fit::default() };
    (network(&[7, 9, 3], Activation::Tanh, 4), fit)
}

pub(crate) fn train(mut network: Mlp, fit: &Fit, examples: &Examples<'_>) -> Mlp {
    fit.run(&mut network, examples, None, &Sequential, go_on).unwrap();
    network
}

/// Claims some number of threads, and starts a thread for every second task.
pub(crate) struct Threads(pub(crate) usize);

impl Executor for Threads {
    fn threads(&self) -> usize {
        self.0
    }

    // Small steps are cut too.
    fn threads_for(&self, _: usize) -> usize {
        self.0
    }

    fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
        thread::scope(|scope| {
            scope.spawn(b);
            a();
        });
    }
}

/// The error of a run that must fail. [`Fit::check`] and [`Fit::gradient`] must give the
/// same error, the network must not change, and the callback must not be called.
pub(crate) fn refused(fit: &Fit, train: &Examples<'_>, validation: Option<&Examples<'_>>) -> Error {
    let (network, _) = start();
    let mut trained = network.clone();
    let mut seen = Recorder::default();
    let error = fit.run(&mut trained, train, validation, &Sequential, &mut seen).unwrap_err();
    let text = error.to_string();
    assert_eq!(trained.to_bytes(), network.to_bytes(), "{text}");
    assert_eq!((seen.steps.len(), seen.epochs.len()), (0, 0), "{text}");
    assert_eq!(fit.check(&network, train, validation).unwrap_err().to_string(), text);
    if validation.is_none() {
        assert_eq!(fit.gradient(&network, train, 0, &Sequential).unwrap_err().to_string(), text);
    }
    error
}
