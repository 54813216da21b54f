//! The executor changes no bit of the result: neither the number of threads, nor the order
//! of the tasks, nor the number of ranks.

use std::ops::ControlFlow;

use crate::common::meeting::meet;
use crate::common::{Threads, examples, go_on, labels, network, uniform};
use nn::{
    Activation, Average, BatchNorm, Callback, Checkpoint, Dropout, DropoutKind, DynExecutor,
    EpochReport, Executor, Fit, Noise, Optimizer, Run, Sequential, StepReport, Team,
};

/// Claims some number of threads, and runs the second task before the first on one thread.
struct Backwards(usize);

impl Executor for Backwards {
    fn threads(&self) -> usize {
        self.0
    }

    // Small steps are cut too.
    fn threads_for(&self, _: usize) -> usize {
        self.0
    }

    fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
        b();
        a();
    }
}

/// Dropout and a penalty, for three epochs.
fn fit(batch_size: usize, seed: u64) -> Fit {
    Fit {
        epochs: 3,
        batch_size,
        lr: 0.02,
        l2: 1e-3,
        dropout: Dropout { input: 0.1, hidden: 0.3, ..Dropout::default() },
        seed,
        ..Fit::default()
    }
}

/// Everything that training a network of these sizes returns, as bits.
fn outcome(
    sizes: &[usize],
    activation: Activation,
    rows: usize,
    fit: &Fit,
    executor: &impl Executor,
) -> (Vec<u8>, Vec<u64>) {
    let mut network = network(sizes, activation, 1);
    let (x, y) = (uniform(2, rows * sizes[0]), labels(3, rows, sizes[sizes.len() - 1]));
    let examples = examples(&network, &x, &y);
    let gradient = fit.gradient(&network, &examples, 5, executor).unwrap();
    let history = fit.run(&mut network, &examples, Some(&examples), executor, go_on).unwrap();

    let mut numbers = vec![gradient.loss];
    numbers.extend(gradient.gains.concat().into_iter().map(f64::from));
    for (weights, biases) in gradient.layers {
        numbers.extend(weights.into_iter().chain(biases).map(f64::from));
    }
    for epoch in history.epochs {
        let evaluation = epoch.validation.unwrap();
        numbers.extend([epoch.train_loss, epoch.train_accuracy]);
        numbers.extend([evaluation.loss, evaluation.accuracy]);
    }
    let bits = numbers.into_iter().map(f64::to_bits).collect();
    (network.to_bytes(), bits)
}

/// Compares every executor with [`Sequential`].
fn check(sizes: &[usize], activation: Activation, rows: usize, fit: &Fit) {
    let expected = outcome(sizes, activation, rows, fit, &Sequential);
    let (batch_size, optimizer) = (fit.batch_size, fit.optimizer);
    let case = format!("{sizes:?}, {activation}, {optimizer}, {batch_size} of {rows}");
    for threads in [1, 2, 3, 7] {
        // assert_eq would print both models.
        let found = outcome(sizes, activation, rows, fit, &Threads(threads));
        assert!(found == expected, "{case}: {threads} threads");
    }
    for parts in [1, 2, 5, 64] {
        let found = outcome(sizes, activation, rows, fit, &Backwards(parts));
        assert!(found == expected, "{case}: backwards in {parts} parts");
    }
    for count in [1, 2, 3, 4, 7] {
        let found = meet(count, |ranks| {
            // They need not have the same number of threads.
            let executor = Backwards(1 + nn::Ranks::rank(&ranks) % 3);
            outcome(sizes, activation, rows, fit, &Team { executor, ranks })
        });
        for (rank, found) in found.iter().enumerate() {
            assert!(*found == expected, "{case}: rank {rank} of {count}");
        }
    }
}

#[test]
fn every_executor_computes_the_same_bits_for_every_activation() {
    for (activation, _) in Activation::ALL {
        // With 100 the last batch has 11 rows; 211 rows are more than a task takes, and
        // 5 are fewer than there are threads.
        for batch_size in [100, 211, 5] {
            check(&[50, 33, 17, 10], activation, 211, &fit(batch_size, 4));
        }
    }
}

#[test]
fn the_same_bits_with_products_of_several_blocks_and_layers_of_several_tiles() {
    check(&[300, 130, 40, 10], Activation::Relu, 700, &fit(300, 4));
    check(&[100, 10], Activation::Tanh, 700, &fit(300, 4));
}

#[test]
fn the_same_bits_with_every_optimizer() {
    let mut models = Vec::new();
    for (optimizer, _) in Optimizer::ALL {
        let fit = Fit { lr: 0.01, optimizer, ..fit(100, 4) };
        check(&[50, 130, 70, 10], Activation::Tanh, 211, &fit);
        let model = outcome(&[50, 130, 70, 10], Activation::Tanh, 211, &fit, &Sequential).0;
        assert!(!models.contains(&model), "{optimizer} does what another does");
        models.push(model);
    }
}

#[test]
fn the_same_bits_with_batch_normalisation_and_noise() {
    let dropout = Dropout { input: 0.1, hidden: 0.3, kind: DropoutKind::Gaussian };
    let noise = Noise { input: 0.1, hidden: 0.2 };
    for rows in [7, 40, 500] {
        let batch_norm = Some(BatchNorm { rows, ..BatchNorm::default() });
        let fit = Fit { batch_norm, noise, dropout, ..fit(100, 4) };
        for activation in [Activation::Relu, Activation::Maxout { pieces: 2 }] {
            check(&[50, 140, 170, 10], activation, 211, &fit);
        }
    }
}

/// Without batch normalisation the noise is added to z in place.
#[test]
fn the_same_bits_with_noise_alone() {
    let noise = Noise { input: 0.1, hidden: 0.2 };
    let fit = Fit { noise, dropout: Dropout::default(), ..fit(100, 4) };
    for activation in [Activation::Relu, Activation::Gelu] {
        check(&[50, 140, 170, 10], activation, 211, &fit);
    }
}

#[test]
fn the_same_bits_with_max_norm_clipping_and_average() {
    for batch_norm in [None, Some(BatchNorm { rows: 40, ..BatchNorm::default() })] {
        for clip_norm in [None, Some(0.5)] {
            let fit = Fit {
                l1: 1e-3,
                max_norm: Some(0.5),
                clip_norm,
                average: clip_norm.map(|_| Average::default()),
                batch_norm,
                ..fit(100, 4)
            };
            check(&[50, 130, 140, 10], Activation::Relu, 211, &fit);
        }
    }
}

/// Without random numbers, units are cut between any two panels, each part copies the
/// input, and the update of the output layer is cut by its inputs.
#[test]
fn the_same_bits_without_random_numbers() {
    for batch_norm in [None, Some(BatchNorm { rows: 40, ..BatchNorm::default() })] {
        for clip_norm in [None, Some(0.5)] {
            let average = clip_norm.map(|_| Average::default());
            let dropout = Dropout::default();
            let fit = Fit { dropout, clip_norm, average, batch_norm, ..fit(100, 4) };
            for activation in [Activation::Tanh, Activation::Gelu] {
                check(&[50, 130, 70, 10], activation, 211, &fit);
                check(&[50, 40, 35], activation, 211, &fit);
            }
        }
    }
}

/// A first layer of one panel: each part keeps its own rows of the input, and of the other
/// rows the inputs that it updates.
#[test]
fn the_same_bits_with_a_narrow_first_layer() {
    // More rows than two parts take through the layers at once.
    let dropout = Dropout { input: 0.0, hidden: 0.3, ..Dropout::default() };
    for dropout in [Dropout::default(), dropout] {
        // 70 units are panels of 16, but fewer panels than threads.
        for units in [10, 30, 48, 70] {
            let batch_norm = Some(BatchNorm { rows: 40, ..BatchNorm::default() });
            for (clip_norm, batch_norm) in [(None, None), (Some(0.5), None), (None, batch_norm)] {
                let average = clip_norm.map(|_| Average::default());
                let fit = Fit { dropout, clip_norm, average, batch_norm, ..fit(530, 4) };
                check(&[150, units, 20, 10], Activation::Tanh, 541, &fit);
                check(&[150, units], Activation::Tanh, 541, &fit);
            }
        }
    }
}

/// The first layer is cut by rows, and its update by inputs, but the next layer by units.
#[test]
fn the_same_bits_with_a_wide_layer_after_a_narrow_one() {
    let fit = Fit { dropout: Dropout::default(), ..fit(100, 4) };
    check(&[300, 10, 130, 10], Activation::Tanh, 211, &fit);
}

/// A batch that is too large to copy its input.
#[test]
fn the_same_bits_with_a_batch_of_all_samples() {
    let fit = Fit { epochs: 1, dropout: Dropout::default(), ..fit(1100, 4) };
    check(&[1000, 190, 10], Activation::Relu, 1100, &fit);
    // And so many rows for each unit that rows are cut and not units.
    check(&[50, 40, 30, 10], Activation::Relu, 1100, &fit);
}

#[test]
fn another_seed_gives_another_result() {
    let run = |seed| {
        let fit = fit(100, seed);
        outcome(&[50, 33, 17, 10], Activation::Tanh, 211, &fit, &Threads(2))
    };
    let (one, other) = (run(4), run(5));
    assert!(one == run(4));
    assert!(one.0 != other.0 && one.1 != other.1);
}

/// A run stops within its second epoch, and goes on with another number of ranks.
#[test]
fn a_run_goes_on_with_any_number_of_ranks() {
    let shape = [50, 130, 140, 10];
    let data = (uniform(2, 211 * 50), labels(3, 211, 10));
    let fit = Fit {
        lr: 0.01,
        optimizer: Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
        batch_norm: Some(BatchNorm { rows: 20, ..BatchNorm::default() }),
        average: Some(Average::default()),
        ..fit(40, 4)
    };
    // Steps until the stop; the rest.
    let begin = |executor: &dyn DynExecutor, steps: u64| {
        let network = network(&shape, Activation::Tanh, 1);
        let examples = examples(&network, &data.0, &data.1);
        let mut run = Run::new(network.clone(), &fit, examples, None).unwrap();
        run.train(&executor, Until(steps)).unwrap();
        run.to_bytes()
    };
    let end = |executor: &dyn DynExecutor, bytes: &[u8]| {
        let network = network(&shape, Activation::Tanh, 1);
        let examples = examples(&network, &data.0, &data.1);
        let mut run = Checkpoint::from_bytes(bytes).unwrap().resume(examples, None).unwrap();
        run.train(&executor, ()).unwrap();
        run.finish().0.to_bytes()
    };
    let expected = end(&Sequential, &begin(&Sequential, 0));
    for (count, others) in [(1, 3), (4, 1), (3, 2)] {
        let stopped = meet(count, |ranks| begin(&Team { executor: Sequential, ranks }, 9));
        for bytes in &stopped {
            let found = meet(others, |ranks| end(&Team { executor: Sequential, ranks }, bytes));
            assert!(found.iter().all(|found| *found == expected), "{count} ranks, then {others}");
        }
    }
}

/// Stops after some number of steps.
struct Until(u64);

impl Callback for Until {
    fn on_step(&mut self, report: &StepReport) -> ControlFlow<()> {
        if report.step == self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn on_epoch(&mut self, _: &EpochReport) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}
