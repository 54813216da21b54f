//! A run learns, reports each step and epoch, and stops when a callback says so.

use crate::common::{Recorder, examples, go_on, network, noise, start, train, uniform};
use nn::{
    Activation, Curve, Dropout, Error, Examples, Fit, Init, Inputs, Mlp, Progress, Schedule,
    Sequential, StepReport,
};

#[test]
fn every_activation_learns_exclusive_or() {
    let x = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    let y = [0, 1, 1, 0];
    let fit = Fit { epochs: 1000, batch_size: 4, lr: 0.5, ..Fit::default() };
    for (activation, name) in Activation::ALL {
        let network = network(&[2, 16, 2], activation, 1);
        let examples = examples(&network, &x, &y);
        let network = train(network, &fit, &examples);
        assert_eq!(network.predict(&examples.inputs()).unwrap(), y, "{name}");
        let loss = network.evaluate(&examples, &Sequential).unwrap().loss;
        assert!(loss < 0.01, "{name}: {loss}");
    }
}

#[test]
fn separate_clouds_are_learnt_and_held_out_samples_classified() {
    // Five clouds around corners of a cube; half of the samples are held out.
    let (width, classes, rows) = (10, 5, 400);
    let corner =
        |class: u32, feature: usize| if (class >> (feature % 3)) & 1 == 1 { 1.5 } else { -1.5 };
    let y: Vec<u32> = (0..rows).map(|i| i as u32 % classes).collect();
    let mut x = uniform(5, rows * width);
    for (row, &label) in x.chunks_exact_mut(width).zip(&y) {
        for (feature, x) in row.iter_mut().enumerate() {
            *x += corner(label, feature);
        }
    }
    let fit = Fit {
        epochs: 40,
        batch_size: 16,
        lr: 0.02,
        dropout: Dropout { input: 0.1, hidden: 0.2, ..Dropout::default() },
        l2: 1e-4,
        ..Fit::default()
    };
    for (activation, name) in Activation::ALL {
        let mut network = network(&[width, 20, 15, classes as usize], activation, 1);
        let (seen, held_out) = x.split_at(x.len() / 2);
        let train = examples(&network, seen, &y[..rows / 2]);
        let validation = examples(&network, held_out, &y[rows / 2..]);
        let history = fit.run(&mut network, &train, Some(&validation), &Sequential, go_on).unwrap();
        let last = history.epochs.last().unwrap();
        assert_eq!(last.validation.unwrap().errors, 0, "{name}");
        assert!(last.train_loss < history.epochs[0].train_loss, "{name}");
    }
}

#[test]
fn each_step_and_each_epoch_is_reported_with_its_numbers() {
    let (mut network, fit) = start();
    let fit = Fit { schedule: Curve::InverseTime { decay: 1.0 }.into(), lr: 0.5, ..fit };
    let (x, y) = noise();
    let examples = examples(&network, &x, &y);
    let mut seen = Recorder::default();
    let history = fit.run(&mut network, &examples, None, &Sequential, &mut seen).unwrap();

    let steps = seen.steps.iter().map(|step| (step.epoch, step.step, step.samples));
    let expected = [
        (1, 1, 20),
        (1, 2, 20),
        (1, 3, 10),
        (2, 4, 20),
        (2, 5, 20),
        (2, 6, 10),
        (3, 7, 20),
        (3, 8, 20),
        (3, 9, 10),
    ];
    assert!(steps.eq(expected), "{:?}", seen.steps);
    assert!(seen.steps.iter().all(|step| step.steps == 9));

    let epochs = seen.epochs.iter().map(|epoch| (epoch.epoch, epoch.step));
    assert!(epochs.eq([(1, 3), (2, 6), (3, 9)]), "{:?}", seen.epochs);
    for (epoch, lr) in seen.epochs.iter().zip([0.5, 0.25, 0.5 / 3.0]) {
        assert_eq!((epoch.epochs, epoch.samples), (3, 50));
        assert!((epoch.lr - lr).abs() < 1e-12);
        assert!(epoch.train_seconds >= 0.0);
        assert!(epoch.validation.is_none());
        // In the means, a step counts by its number of samples.
        let steps: Vec<_> = seen.steps.iter().filter(|step| step.epoch == epoch.epoch).collect();
        let mean = |of: fn(&StepReport) -> f64| {
            let sum: f64 = steps.iter().map(|step| of(step) * step.samples as f64).sum();
            sum / 50.0
        };
        assert!((epoch.train_loss - mean(|step| step.loss)).abs() < 1e-12);
        assert!((epoch.train_accuracy - mean(|step| step.accuracy)).abs() < 1e-12);
        assert!(steps.iter().all(|step| step.lr == epoch.lr));
    }

    assert!(!history.stopped);
    assert_eq!(format!("{:?}", history.epochs), format!("{:?}", seen.epochs));
}

#[test]
fn each_step_has_the_learning_rate_of_the_schedule() {
    let (network, fit) = start();
    let schedule = Schedule { curve: Curve::Cosine, warmup: 0.25 };
    let fit = Fit { schedule, batch_size: 3, ..fit };
    let (x, y) = noise();
    let examples = examples(&network, &x, &y);
    let mut seen = Recorder::default();
    fit.run(&mut network.clone(), &examples, None, &Sequential, &mut seen).unwrap();
    // 17 steps in each of 3 epochs.
    assert_eq!(seen.steps.len(), 51);
    for (step, report) in seen.steps.iter().enumerate() {
        let at = Progress { step: step as u64, steps: 51, epoch: step / 17, epochs: 3 };
        assert_eq!(report.lr, schedule.rate(f64::from(fit.lr), at));
    }
    let first = seen.epochs.iter().map(|epoch| epoch.lr);
    assert!(first.eq(seen.steps.iter().step_by(17).map(|step| step.lr)));
}

#[test]
fn the_first_loss_is_that_of_the_network_before_training() {
    let (mut network, fit) = start();
    let (x, y) = noise();
    let fit = Fit { batch_size: 50, ..fit };
    let examples = examples(&network, &x, &y);
    let before = network.evaluate(&examples, &Sequential).unwrap();
    let mut seen = Recorder::default();
    fit.run(&mut network, &examples, None, &Sequential, &mut seen).unwrap();
    // The samples are summed in another order, so the bits may differ.
    assert!((seen.steps[0].loss - before.loss).abs() < 1e-12);
    assert_eq!(seen.steps[0].accuracy, before.accuracy);
}

#[test]
fn validation_evaluates_after_each_epoch_and_changes_nothing() {
    let (network, fit) = start();
    let (x, y) = noise();
    let examples = examples(&network, &x, &y);
    let held_out: Vec<u32> = (0..17).collect();
    let validation = examples.subset(&held_out).unwrap();

    let mut watched = network.clone();
    let history = fit.run(&mut watched, &examples, Some(&validation), &Sequential, go_on).unwrap();
    assert!(history.epochs.iter().all(|epoch| epoch.validation.unwrap().samples == 17));
    assert_eq!(
        history.epochs[2].validation,
        Some(watched.evaluate(&validation, &Sequential).unwrap()),
    );
    assert_eq!(
        watched.accuracy(&validation).unwrap(),
        history.epochs[2].validation.unwrap().accuracy
    );
    assert_eq!(watched.to_bytes(), train(network, &fit, &examples).to_bytes());
}

#[test]
fn a_run_ends_after_the_step_or_epoch_in_which_a_callback_breaks() {
    let (network, fit) = start();
    let (x, y) = noise();
    let examples = examples(&network, &x, &y);
    let one_epoch = train(network.clone(), &Fit { epochs: 1, ..fit.clone() }, &examples);

    // The step or epoch to end at; the steps and epochs that are reported; the whole
    // epochs in the history; whether the run stopped early.
    for (end, reported, whole, stopped) in [
        ((Some(1), None), (1, 0), 0, true),
        ((Some(3), None), (3, 0), 0, true),
        ((Some(4), None), (4, 1), 1, true),
        ((None, Some(1)), (3, 1), 1, true),
        ((None, Some(2)), (6, 2), 2, true),
        // The last epoch: nothing is left to stop.
        ((None, Some(3)), (9, 3), 3, false),
        ((None, None), (9, 3), 3, false),
    ] {
        let mut recorder = Recorder { last_step: end.0, last_epoch: end.1, ..Recorder::default() };
        let mut stopped_network = network.clone();
        let history =
            fit.run(&mut stopped_network, &examples, None, &Sequential, &mut recorder).unwrap();
        assert_eq!((recorder.steps.len(), recorder.epochs.len()), reported, "{end:?}");
        assert_eq!((history.epochs.len(), history.stopped), (whole, stopped), "{end:?}");
        // Three steps are an epoch. The network keeps the steps that were taken, and no
        // others.
        let same = stopped_network.to_bytes() == one_epoch.to_bytes();
        assert_eq!(same, reported.0 == 3, "{end:?}");
    }
}

#[test]
fn a_run_that_diverges_leaves_the_network_as_it_was() {
    let (x, y) = noise();
    for (activation, name) in Activation::ALL {
        for dropout in [0.0, 0.2] {
            let mut network = network(&[7, 9, 3], activation, 4);
            let before = network.to_bytes();
            let fit = Fit {
                lr: f32::MAX,
                dropout: Dropout { input: dropout, hidden: dropout, ..Dropout::default() },
                ..start().1
            };
            let examples = examples(&network, &x, &y);
            let mut seen = Recorder::default();
            let error = fit.run(&mut network, &examples, None, &Sequential, &mut seen).unwrap_err();
            let Error::Diverged { step, loss, lr } = error else {
                panic!("{name}: {error}");
            };
            // The first loss is that of the network before training, which is finite.
            assert!(step > 1 && !loss.is_finite(), "{name}: {step}, {loss}");
            assert_eq!(lr, f64::from(f32::MAX));
            assert_eq!(seen.steps.len() as u64, step - 1, "{name}");
            assert_eq!(network.to_bytes(), before, "{name}");
        }
    }
}

#[test]
fn a_batch_size_above_the_number_of_samples_means_all_samples() {
    let (network, fit) = start();
    let (x, y) = noise();
    let examples = examples(&network, &x, &y);
    let bytes = |batch_size| {
        let fit = Fit { batch_size, ..fit.clone() };
        train(network.clone(), &fit, &examples).to_bytes()
    };
    assert_eq!(bytes(51), bytes(50));
    assert_eq!(bytes(usize::MAX), bytes(50));
    assert_ne!(bytes(49), bytes(50));
}

#[test]
fn the_seed_decides_order_and_masks_and_nothing_else_is_random() {
    let (network, fit) = start();
    let (x, y) = noise();
    let examples = examples(&network, &x, &y);
    let bytes = |seed, shuffle, rate| {
        let fit = Fit {
            seed,
            shuffle,
            dropout: Dropout { input: rate, hidden: rate, ..Dropout::default() },
            ..fit.clone()
        };
        train(network.clone(), &fit, &examples).to_bytes()
    };
    for shuffle in [false, true] {
        for rate in [0.0, 0.25] {
            assert_eq!(bytes(1, shuffle, rate), bytes(1, shuffle, rate));
            let chance = shuffle || rate > 0.0;
            assert_eq!(bytes(1, shuffle, rate) != bytes(2, shuffle, rate), chance);
        }
    }
    assert_ne!(bytes(1, true, 0.0), bytes(1, false, 0.0));

    let weights =
        |seed| Mlp::new(network.architecture().clone(), Init::He, seed).unwrap().to_bytes();
    assert_eq!(weights(1), weights(1));
    assert_ne!(weights(1), weights(2));
}

#[test]
fn each_epoch_shuffles_all_samples_again() {
    // With a learning rate too small to move a weight, and batches of one sample, a step
    // reports the loss of its sample.
    let (network, fit) = start();
    let (x, y) = noise();
    let examples = examples(&network, &x, &y);
    let orders = |shuffle| {
        let fit = Fit { epochs: 2, batch_size: 1, lr: f32::MIN_POSITIVE, shuffle, ..fit.clone() };
        let mut seen = Recorder::default();
        fit.run(&mut network.clone(), &examples, None, &Sequential, &mut seen).unwrap();
        let losses: Vec<u64> = seen.steps.iter().map(|step| step.loss.to_bits()).collect();
        let (first, second) = losses.split_at(50);
        (first.to_vec(), second.to_vec())
    };
    let sorted = |mut losses: Vec<u64>| {
        losses.sort_unstable();
        losses
    };
    let (given, again) = orders(false);
    assert_eq!(given, again);
    let one_by_one = (0..50).map(|i| {
        let position = [i];
        let sample = examples.subset(&position).unwrap();
        network.evaluate(&sample, &Sequential).unwrap().loss.to_bits()
    });
    assert!(given.iter().copied().eq(one_by_one));

    let (first, second) = orders(true);
    assert!(first != given && second != given && first != second);
    assert_eq!(sorted(first), sorted(given.clone()));
    assert_eq!(sorted(second), sorted(given));
}

#[test]
fn a_subset_trains_like_a_copy_of_its_samples_in_their_order() {
    let (network, fit) = start();
    let (x, y) = noise();
    let indices: Vec<u32> = (0..60).map(|i| i * 31 % 50).collect();
    let subset = examples(&network, &x, &y).subset(&indices).unwrap();
    assert_eq!(subset.len(), 60);

    let rows = indices.iter().map(|&i| &x[i as usize * 7..][..7]);
    let (x, y): (Vec<f32>, Vec<u32>) =
        (rows.flatten().copied().collect(), indices.iter().map(|&i| y[i as usize]).collect());
    let copied = examples(&network, &x, &y);
    assert_eq!(
        train(network.clone(), &fit, &subset).to_bytes(),
        train(network, &fit, &copied).to_bytes(),
    );
}

#[test]
fn labels_of_every_type_train_the_same_network() {
    let (network, fit) = start();
    let (x, y) = noise();
    let inputs = Inputs::new(&x, 7).unwrap();
    let bytes: Vec<u8> = y.iter().map(|&label| label as u8).collect();
    let natives: Vec<usize> = y.iter().map(|&label| label as usize).collect();
    let trained = [
        Examples::new(inputs, &y[..]),
        Examples::new(inputs, &bytes[..]),
        Examples::new(inputs, &natives[..]),
    ]
    .map(|examples| train(network.clone(), &fit, &examples.unwrap()).to_bytes());
    assert!(trained[0] == trained[1] && trained[0] == trained[2]);
}
