//! What a run does, step by step and as a whole: it learns, it reports, it stops
//! when it is told, it says what is wrong with its input; and a network outlives
//! its process.

mod common;

use std::ops::ControlFlow;

use common::{examples, go_on, labels, network, reference, uniform};
use nn::{
    Activation, Architecture, Callback, Dropout, EpochReport, Error, Examples, Fit, Init, Inputs,
    Mlp, Schedule, Sequential, StepReport,
};

/// Keeps every report; ends the run after a step or after an epoch.
#[derive(Default)]
struct Recorder {
    steps: Vec<StepReport>,
    epochs: Vec<EpochReport>,
    last_step: Option<u64>,
    last_epoch: Option<usize>,
}

fn until(end: bool) -> ControlFlow<()> {
    match end {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    }
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

/// Fifty samples of seven features in three classes, without rhyme or reason.
fn noise() -> (Vec<f32>, Vec<u32>) {
    (uniform(1, 50 * 7), labels(2, 50, 3))
}

/// A network for them, and three epochs of steps with 20, 20 and 10 samples.
fn start() -> (Mlp, Fit) {
    let fit = Fit { epochs: 3, batch_size: 20, seed: 3, ..Fit::default() };
    (network(&[7, 9, 3], Activation::Tanh, 4), fit)
}

fn train(mut network: Mlp, fit: &Fit, examples: &Examples<'_>) -> Mlp {
    fit.run(&mut network, examples, None, &Sequential, go_on).unwrap();
    network
}

#[test]
fn every_activation_learns_the_exclusive_or() {
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
fn samples_in_separate_clouds_are_learnt_and_told_apart() {
    // Five clouds around corners of a cube, half of each held out.
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
        epochs: 20,
        batch_size: 16,
        lr: 0.05,
        dropout: Dropout { input: 0.1, hidden: 0.2 },
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
    let fit = Fit { schedule: Schedule::InverseTime { decay: 1.0 }, lr: 0.5, ..fit };
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
        // The means weigh each step with its samples.
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
fn the_first_loss_is_that_of_the_network_as_it_was() {
    let (mut network, fit) = start();
    let (x, y) = noise();
    let fit = Fit { batch_size: 50, ..fit };
    let examples = examples(&network, &x, &y);
    let before = network.evaluate(&examples, &Sequential).unwrap();
    let mut seen = Recorder::default();
    fit.run(&mut network, &examples, None, &Sequential, &mut seen).unwrap();
    // In another order, so not to the bit.
    assert!((seen.steps[0].loss - before.loss).abs() < 1e-12);
    assert_eq!(seen.steps[0].accuracy, before.accuracy);
}

#[test]
fn validation_is_an_evaluation_after_each_epoch_and_changes_nothing() {
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
fn a_run_ends_after_the_step_or_epoch_that_breaks_it() {
    let (network, fit) = start();
    let (x, y) = noise();
    let examples = examples(&network, &x, &y);
    let one_epoch = train(network.clone(), &Fit { epochs: 1, ..fit.clone() }, &examples);

    // (step, epoch) to end at; steps and epochs reported; whole epochs in the
    // history; whether it stopped early.
    for (end, reported, whole, stopped) in [
        ((Some(1), None), (1, 0), 0, true),
        ((Some(3), None), (3, 0), 0, true),
        ((Some(4), None), (4, 1), 1, true),
        ((None, Some(1)), (3, 1), 1, true),
        ((None, Some(2)), (6, 2), 2, true),
        // There was nothing left to stop.
        ((None, Some(3)), (9, 3), 3, false),
        ((None, None), (9, 3), 3, false),
    ] {
        let mut recorder = Recorder { last_step: end.0, last_epoch: end.1, ..Recorder::default() };
        let mut stopped_network = network.clone();
        let history =
            fit.run(&mut stopped_network, &examples, None, &Sequential, &mut recorder).unwrap();
        assert_eq!((recorder.steps.len(), recorder.epochs.len()), reported, "{end:?}");
        assert_eq!((history.epochs.len(), history.stopped), (whole, stopped), "{end:?}");
        // Three steps are an epoch: what they taught is kept, and nothing else.
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
                dropout: Dropout { input: dropout, hidden: dropout },
                ..start().1
            };
            let examples = examples(&network, &x, &y);
            let mut seen = Recorder::default();
            let error = fit.run(&mut network, &examples, None, &Sequential, &mut seen).unwrap_err();
            let Error::Diverged { step, loss, lr } = error else {
                panic!("{name}: {error}");
            };
            // The first loss is that of a network in order.
            assert!(step > 1 && !loss.is_finite(), "{name}: {step}, {loss}");
            assert_eq!(lr, f64::from(f32::MAX));
            assert_eq!(seen.steps.len() as u64, step - 1, "{name}");
            assert_eq!(network.to_bytes(), before, "{name}");
        }
    }
}

#[test]
fn a_batch_may_be_larger_than_the_set() {
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
fn the_seed_decides_order_and_masks_and_all_else_is_given() {
    let (network, fit) = start();
    let (x, y) = noise();
    let examples = examples(&network, &x, &y);
    let bytes = |seed, shuffle, rate| {
        let fit =
            Fit { seed, shuffle, dropout: Dropout { input: rate, hidden: rate }, ..fit.clone() };
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
fn each_epoch_shuffles_all_the_samples_anew() {
    // With a rate too small to move a weight, what a step reports is the loss of
    // the one sample that it took.
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
fn a_subset_is_its_samples_in_its_order() {
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
fn labels_of_every_type_are_the_same_labels() {
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

/// A run that is to fail; the network must be as it was, and nobody called.
fn failure(fit: &Fit, train: &Examples<'_>, validation: Option<&Examples<'_>>) -> Error {
    let (network, _) = start();
    let mut trained = network.clone();
    let mut seen = Recorder::default();
    let error = fit.run(&mut trained, train, validation, &Sequential, &mut seen).unwrap_err();
    assert_eq!(trained.to_bytes(), network.to_bytes(), "{error}");
    assert_eq!((seen.steps.len(), seen.epochs.len()), (0, 0), "{error}");
    if validation.is_none() {
        let gradient = fit.gradient(&network, train, 0, &Sequential).unwrap_err();
        assert_eq!(gradient.to_string(), error.to_string());
    }
    error
}

#[test]
fn hyperparameters_out_of_range_are_errors_that_name_them() {
    let (network, good) = start();
    let (x, y) = noise();
    let examples = examples(&network, &x, &y);
    let check = |change: &dyn Fn(&mut Fit), expected: &str| {
        let mut fit = good.clone();
        change(&mut fit);
        let error = failure(&fit, &examples, None);
        assert!(matches!(error, Error::Zero { .. } | Error::OutOfRange { .. }));
        let error = error.to_string();
        assert!(error.starts_with(expected), "{error}: expected {expected}");
        assert_eq!(fit.validate().unwrap_err().to_string(), error);
    };
    check(&|fit| fit.epochs = 0, "number of epochs is 0: it must be");
    check(&|fit| fit.batch_size = 0, "batch size is 0: it must be");
    for (value, text) in [(0.0, "0"), (-0.5, "-0.5"), (f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        check(&|fit| fit.lr = value, &format!("learning rate is {text}: expected"));
    }
    for (value, text) in [(1.0, "1"), (-0.5, "-0.5"), (f32::NAN, "NaN")] {
        check(&|fit| fit.momentum = value, &format!("momentum is {text}: expected"));
        let input = format!("dropout of inputs is {text}: expected");
        check(&|fit| fit.dropout.input = value, &input);
        check(&|fit| fit.dropout.hidden = value, &format!("dropout is {text}: expected"));
    }
    for (value, text) in [(-0.5, "-0.5"), (f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        check(&|fit| fit.l2 = value, &format!("l2 is {text}: expected"));
        for schedule in
            [Schedule::InverseTime { decay: value }, Schedule::Compounding { decay: value }]
        {
            check(&|fit| fit.schedule = schedule, &format!("decay is {text}: expected"));
        }
    }
}

/// What is wrong with some examples, in the eyes of everyone who takes them.
fn complaint(x: &[f32], width: usize, y: &[u32], subset: Option<&[u32]>) -> Error {
    let (network, fit) = start();
    let mut bad = Examples::new(Inputs::new(x, width).unwrap(), y).unwrap();
    if let Some(indices) = subset {
        bad = bad.subset(indices).unwrap();
    }
    let error = failure(&fit, &bad, None);
    let (x, y) = noise();
    let good = examples(&network, &x, &y);
    let others = [
        failure(&fit, &good, Some(&bad)),
        network.evaluate(&bad, &Sequential).unwrap_err(),
        network.accuracy(&bad).unwrap_err(),
    ];
    for other in others {
        assert_eq!(other.to_string(), error.to_string());
    }
    error
}

#[test]
fn examples_that_do_not_fit_the_network_are_errors_that_say_where() {
    let (x, y) = noise();

    let error = complaint(&x, 14, &y[..25], None);
    assert!(matches!(error, Error::Width { found: 14, expected: 7 }), "{error}");

    let mut labels = y.clone();
    labels[41] = 3;
    let error = complaint(&x, 7, &labels, None);
    assert!(matches!(error, Error::Label { sample: 41, label: 3, classes: 3 }), "{error}");
    assert_eq!(error.to_string(), "sample 41 has label 3: the network knows classes 0 to 2");
    // Of a subset too, the sample is counted from the whole set.
    let error = complaint(&x, 7, &labels, Some(&[0, 41, 2]));
    assert!(matches!(error, Error::Label { sample: 41, .. }), "{error}");
    labels[41] = u32::MAX;
    let error = complaint(&x, 7, &labels, None);
    assert!(matches!(error, Error::Label { label: 0xffff_ffff, .. }), "{error}");

    for (value, text) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (-f32::INFINITY, "-inf")] {
        let mut features = x.clone();
        features[30 * 7 + 4] = value;
        let error = complaint(&features, 7, &y, None);
        assert!(matches!(error, Error::NotFinite { sample: 30, feature: 4, .. }), "{error}");
        let expected = format!("feature 4 of sample 30 is {text}: expected a finite number");
        assert_eq!(error.to_string(), expected);
    }

    assert!(matches!(complaint(&[], 7, &[], None), Error::Empty));
    assert!(matches!(complaint(&x, 7, &y, Some(&[])), Error::Empty));
}

#[test]
fn a_prediction_needs_samples_that_fit_but_may_have_none() {
    let (network, _) = start();
    let none = Inputs::new(&[], 7).unwrap();
    assert!(network.predict(&none).unwrap().is_empty());
    assert!(network.predict_proba(&none).unwrap().is_empty());

    let wide = [0.0; 8];
    let wide = Inputs::new(&wide, 8).unwrap();
    let mut features = [0.0; 14];
    features[10] = f32::NAN;
    let nan = Inputs::new(&features, 7).unwrap();
    let errors = |inputs| {
        let errors =
            [network.predict(inputs).unwrap_err(), network.predict_proba(inputs).unwrap_err()];
        errors.map(|error| error.to_string())
    };
    let error = "layer 0 takes 7 features a sample: the samples have 8";
    assert_eq!(errors(&wide), [error; 2]);
    let error = "feature 3 of sample 1 is NaN: expected a finite number";
    assert_eq!(errors(&nan), [error; 2]);
}

#[test]
fn views_and_networks_without_sense_are_errors() {
    let x = [0.0; 12];
    for (error, expected) in [
        (Inputs::new(&x, 0).unwrap_err(), "features of a sample is 0: it must be at least 1"),
        (
            Inputs::pixels(&[0; 12], 5).unwrap_err(),
            "12 values are not a whole number of samples of 5 features",
        ),
    ] {
        assert_eq!(error.to_string(), expected);
    }
    let inputs = Inputs::new(&x, 4).unwrap();
    let error = Examples::new(inputs, &[0_u8; 4][..]).unwrap_err();
    assert!(matches!(error, Error::Unpaired { samples: 3, labels: 4 }), "{error}");
    let examples = Examples::new(inputs, &[0_u8; 3][..]).unwrap();
    let error = examples.subset(&[2, 3]).unwrap_err();
    assert!(matches!(error, Error::Subset { index: 3, samples: 3 }), "{error}");

    let shape = |inputs, hidden: &[usize], outputs| Architecture {
        inputs,
        hidden: hidden.to_vec(),
        outputs,
        activation: Activation::Relu,
    };
    for (shape, expected) in [
        (shape(0, &[2], 2), "inputs of the network is 0"),
        (shape(2, &[2, 0], 2), "units of hidden layer 2 is 0"),
        (shape(2, &[2], 0), "classes of the network is 0"),
        (shape(2, &[1 << 45], 2), "a network of [2, 35184372088832, 2] has too many"),
    ] {
        let error = Mlp::new(shape, Init::He, 0).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }

    let (mut network, _) = start();
    let before = network.to_bytes();
    for (layer, weights, biases, expected) in [
        (0, 62, 9, "weights of layer 0 has 62 elements: expected 63"),
        (1, 27, 4, "biases of layer 1 has 4 elements: expected 3"),
        (2, 27, 3, "the network's list of layers has 2 elements: expected 3"),
    ] {
        let error = network.set_layer(layer, &vec![1.0; weights], &vec![1.0; biases]).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let error = network.set_pixel_scale(scale).unwrap_err();
        assert!(matches!(error, Error::OutOfRange { name: "pixel scale", .. }), "{error}");
    }
    assert_eq!(network.to_bytes(), before);
    assert_eq!(network.layer(2), None);
}

#[test]
fn a_network_outlives_its_process() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("network.safetensors");
    let (network, fit) = start();
    let (x, y) = noise();
    let examples = examples(&network, &x, &y);
    // Over a file that was there before.
    network.save(&path).unwrap();
    let mut trained = train(network, &fit, &examples);
    trained.set_pixel_scale(0.7).unwrap();
    trained.save(&path).unwrap();

    let loaded = Mlp::load(&path).unwrap();
    assert_eq!(loaded.architecture(), trained.architecture());
    assert_eq!(loaded.pixel_scale(), 0.7);
    assert_eq!(reference(&loaded), reference(&trained));
    let pixels: Vec<u8> = (0..7 * 30).collect();
    for inputs in [examples.inputs(), Inputs::pixels(&pixels, 7).unwrap()] {
        let bits = |network: &Mlp| -> Vec<u32> {
            let probabilities = network.predict_proba(&inputs).unwrap();
            probabilities.into_iter().map(f32::to_bits).collect()
        };
        assert_eq!(bits(&loaded), bits(&trained));
    }
    // The temporary file is gone.
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 1);
    // What was loaded goes on as what was saved would have.
    let again = train(loaded, &fit, &examples).to_bytes();
    assert_eq!(again, train(trained, &fit, &examples).to_bytes());
}

#[test]
fn files_that_are_not_there_or_cannot_be_are_errors_with_their_path() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("no").join("network");
    let (network, _) = start();
    for error in [Mlp::load(&path).unwrap_err(), network.save(&path).unwrap_err()] {
        assert!(matches!(&error, Error::Io { path: named, .. } if *named == path), "{error}");
    }
    let path = dir.path().join("text");
    std::fs::write(&path, "not a network").unwrap();
    let error = Mlp::load(&path).unwrap_err().to_string();
    let expected = format!("{} is not a saved network: ", path.display());
    assert!(error.starts_with(&expected), "{error}");
}

#[test]
fn no_byte_that_is_wrong_makes_reading_a_network_panic() {
    let bytes = network(&[3, 2, 2], Activation::Sigmoid, 1).to_bytes();
    let x = uniform(1, 6);
    let (mut read, mut refused) = (0, 0);
    for at in 0..bytes.len() {
        // Every bit, all bits, and what a number or a list might turn into.
        let flips = (0..8).map(|bit| bytes[at] ^ 1 << bit);
        let others = [!bytes[at], 0, b'0', b'9', b'-', b'e', b',', b'"', b'}'];
        for byte in flips.chain(others) {
            let mut wrong = bytes.clone();
            wrong[at] = byte;
            match Mlp::from_bytes(&wrong) {
                // A weight may be another: then it is a network like any.
                Ok(network) => {
                    read += 1;
                    let width = network.architecture().inputs;
                    let inputs = Inputs::new(&x[..width], width).unwrap();
                    network.predict(&inputs).unwrap();
                    let again = Mlp::from_bytes(&network.to_bytes()).unwrap();
                    assert_eq!(again.to_bytes(), network.to_bytes());
                }
                Err(error) => {
                    refused += 1;
                    assert!(matches!(error, Error::Model { .. }), "byte {at}: {error}");
                }
            }
        }
    }
    // Both happen, so neither arm is dead.
    assert!(read > 100 && refused > 1000, "{read} read, {refused} refused");
}

#[test]
fn a_file_with_a_weight_that_is_no_number_is_an_error_that_names_it() {
    // The file ends with the weights of the last layer.
    let good = network(&[3, 2, 2], Activation::Sigmoid, 1).to_bytes();
    let (before, _) = good.split_at(good.len() - 4);
    for (value, text) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        let wrong = [before, &value.to_le_bytes()].concat();
        let error = Mlp::from_bytes(&wrong).unwrap_err().to_string();
        let expected = format!("element 3 of `layer.1.weight` is {text}");
        assert!(error.ends_with(&expected), "{error}");
    }
}
