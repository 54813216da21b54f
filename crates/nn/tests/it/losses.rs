//! Label smoothing and weights: the loss and its gradient equal the reference's, losses
//! equal those computed by hand, and a sample of weight n counts like n copies of it.

use crate::common::{
    Recorder, Threads, distance, examples, go_on, labels, network, reference, train, uniform, wide,
};
use nn::reference::{Draws, Network, Weights};
use nn::{
    Activation, BatchNorm, Candidate, ClassWeights, Error, Evaluation, Examples, Fit, Init, Inputs,
    Mlp, Optimizer, Sequential, Session, Split, search,
};

const CLASSES: usize = 5;

/// Weights of samples, of which some are 0.
fn sample_weights(rows: usize) -> Vec<f32> {
    uniform(77, rows).into_iter().map(|u| (3.0 * u).max(0.0)).collect()
}

fn class_weights() -> Vec<f32> {
    vec![0.5, 2.0, 0.0, 1.0, 3.25]
}

/// Every combination of smoothing and class weights, first without either: the settings,
/// and the same for the reference.
fn settings() -> Vec<(Fit, Weights)> {
    let mut all = Vec::new();
    for label_smoothing in [0.0, 0.125] {
        for class_weights in [None, Some(class_weights())] {
            let weights = Weights {
                smoothing: label_smoothing.into(),
                classes: class_weights.as_deref().map(wide).unwrap_or_default(),
                samples: Vec::new(),
            };
            let class_weights = class_weights.map(ClassWeights::Each);
            let fit = Fit { label_smoothing, class_weights, seed: 7, ..Fit::default() };
            all.push((fit, weights));
        }
    }
    all
}

/// Compares every derivative of the loss of a batch with the reference's slope.
fn check(network: &Mlp, fit: &Fit, weights: &Weights, examples: &Examples<'_>, x: &[f32]) {
    let found = fit.gradient(network, examples, 3, &Sequential).unwrap();
    let mut plain = Network { batch_norm: fit.batch_norm, ..reference(network) };
    let xs: Vec<_> = x.chunks_exact(network.architecture().inputs).map(wide).collect();
    let ys: Vec<_> = labels(2, xs.len(), CLASSES).into_iter().map(|y| y as usize).collect();
    let draws = vec![Draws::default(); xs.len()];
    let loss = plain.weighted_loss(&xs, &ys, &draws, weights);
    let case = format!("{fit:?}, {weights:?}");
    assert!((loss - found.loss).abs() < LOSS, "{case}: {} for {loss}", found.loss);

    const STEP: f64 = 1e-5;
    for l in 0..plain.layers.len() {
        let mut slope = |place: &dyn Fn(&mut Network) -> &mut f64| {
            let mut at = |offset: f64| {
                let before = *place(&mut plain);
                *place(&mut plain) = before + offset;
                let loss = plain.weighted_loss(&xs, &ys, &draws, weights);
                *place(&mut plain) = before;
                loss
            };
            (at(STEP) - at(-STEP)) / (2.0 * STEP)
        };
        let (weights, biases) = &found.layers[l];
        let inputs = weights.len() / biases.len();
        let mut slopes = Vec::new();
        for at in 0..weights.len() {
            slopes.push(slope(&|n| &mut n.layers[l].weights[at / inputs][at % inputs]));
        }
        for unit in 0..biases.len() {
            slopes.push(slope(&|n| &mut n.layers[l].biases[unit]));
        }
        let found = wide(&[&weights[..], biases].concat());
        let error = distance(&found, &slopes);
        assert!(error < SLOPE, "{case}: layer {l} off by {error}");
    }
}

/// The largest errors of a slope and of a loss that pass: three times those measured,
/// 8.8·10⁻⁸ and 4.8·10⁻⁸.
const SLOPE: f64 = 2.7e-7;
const LOSS: f64 = 1.5e-7;

#[test]
fn gradients_are_slopes_of_the_references_loss() {
    // More rows than the kernel takes at once, and more than a task takes.
    for (sizes, rows) in [(&[5, 9, CLASSES][..], 37), (&[3, CLASSES], 150)] {
        let network = network(sizes, Activation::Tanh, 6);
        let (x, y) = (uniform(1, rows * sizes[0]), labels(2, rows, CLASSES));
        let all = examples(&network, &x, &y);
        let samples = sample_weights(rows);
        let norms = [None, Some(BatchNorm { rows: 8, epsilon: 1e-2, ..BatchNorm::default() })];
        for (fit, weights) in settings() {
            for batch_norm in norms {
                let fit = Fit { batch_norm, ..fit.clone() };
                check(&network, &fit, &weights, &all, &x);
                let weights = Weights { samples: wide(&samples), ..weights.clone() };
                check(&network, &fit, &weights, &all.weighted(&samples).unwrap(), &x);
            }
        }
    }
}

/// A network whose logits are always these: an output layer with only biases.
fn constant(logits: &[f32]) -> Mlp {
    let mut network = network(&[1, logits.len()], Activation::Tanh, 1);
    network.set_layer(0, &vec![0.0; logits.len()], logits).unwrap();
    network
}

#[test]
fn losses_equal_those_computed_by_hand() {
    // Probabilities ½, ¼, ¼.
    let network = constant(&[2f32.ln(), 0.0, 0.0]);
    let (x, y) = ([0.0; 2], [0, 1]);
    let all = examples(&network, &x, &y);
    let (half, quarter) = (2f64.ln(), 4f64.ln());
    let loss = |fit: &Fit, all: &Examples<'_>| fit.gradient(&network, all, 0, &Sequential).unwrap();
    let close = |found: f64, expected: f64| {
        assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
    };

    // A smoothing of 0.3 over three classes: 0.8 at the label, 0.1 elsewhere.
    let smooth = Fit { label_smoothing: 0.3, ..Fit::default() };
    let first = 0.8 * half + 0.2 * quarter;
    let second = 0.8 * quarter + 0.1 * quarter + 0.1 * half;
    let found = loss(&smooth, &all);
    close(found.loss, (first + second) / 2.0);
    // s − t, the mean of (½ − 0.8, ¼ − 0.1, ¼ − 0.1) and (½ − 0.1, ¼ − 0.8, ¼ − 0.1).
    for (found, expected) in found.layers[0].1.iter().zip([0.05, -0.2, 0.15]) {
        close((*found).into(), expected);
    }

    let weighted = all.weighted(&[3.0, 1.0]).unwrap();
    close(loss(&Fit::default(), &weighted).loss, (3.0 * half + quarter) / 4.0);
    let evaluation = network.evaluate(&weighted, &Sequential).unwrap();
    close(evaluation.loss, (3.0 * half + quarter) / 4.0);
    assert_eq!((evaluation.errors, evaluation.samples, evaluation.accuracy), (1, 2, 0.5));

    let class_weights = Some(ClassWeights::Each(vec![1.0, 2.0, 9.0]));
    let classes = Fit { class_weights: class_weights.clone(), ..Fit::default() };
    close(loss(&classes, &all).loss, (half + 2.0 * quarter) / 3.0);
    close(loss(&classes, &weighted).loss, (3.0 * half + 2.0 * quarter) / 5.0);
    // Each term of a smoothed loss has the weight of its class.
    let both = Fit { class_weights, ..smooth };
    let first = 0.8 * half + 0.1 * 2.0 * quarter + 0.1 * 9.0 * quarter;
    let second = 0.1 * half + 0.8 * 2.0 * quarter + 0.1 * 9.0 * quarter;
    close(loss(&both, &all).loss, (first + second) / 3.0);
}

#[test]
fn a_sample_of_weight_three_counts_like_three_copies() {
    let network = network(&[7, 9, CLASSES], Activation::Relu, 4);
    let (x, y) = (uniform(1, 30 * 7), labels(2, 30, CLASSES));
    let times: Vec<usize> = (0..30).map(|i| i * 7 % 4).collect();
    let weights: Vec<f32> = times.iter().map(|&times| times as f32).collect();
    let indices = times.iter().enumerate().flat_map(|(i, &times)| vec![i as u32; times]);
    let indices: Vec<u32> = indices.collect();
    let all = examples(&network, &x, &y);
    let (weighted, repeated) = (all.weighted(&weights).unwrap(), all.subset(&indices).unwrap());
    let balanced = Fit { class_weights: Some(ClassWeights::Balanced), ..Fit::default() };
    for fit in settings().into_iter().map(|(fit, _)| fit).chain([balanced]) {
        let [a, b] =
            [&weighted, &repeated].map(|e| fit.gradient(&network, e, 0, &Sequential).unwrap());
        assert!((a.loss - b.loss).abs() < 1e-6, "{fit:?}");
        for (a, b) in a.layers.iter().zip(&b.layers) {
            assert!(distance(&wide(&a.0), &wide(&b.0)) < 1e-6, "{fit:?}");
        }
    }
    let [a, b] = [&weighted, &repeated].map(|e| network.evaluate(e, &Sequential).unwrap());
    assert!((a.loss - b.loss).abs() < 1e-6);
}

#[test]
fn balanced_weights_are_samples_over_classes_times_count() {
    let network = network(&[3, CLASSES], Activation::Tanh, 4);
    // Two of class 0, one of 1, five of 3, none of the others: 8/(3·count).
    let y = [0, 3, 3, 1, 3, 0, 3, 3];
    let x = uniform(1, 8 * 3);
    let all = examples(&network, &x, &y);
    let each = vec![8.0 / 6.0, 8.0 / 3.0, 0.0, 8.0 / 15.0, 0.0];
    let gradient = |class_weights, all: &Examples<'_>| {
        let fit =
            Fit { label_smoothing: 0.2, class_weights: Some(class_weights), ..Fit::default() };
        fit.gradient(&network, all, 0, &Sequential).unwrap()
    };
    let close = |all: &Examples<'_>, each: Vec<f32>| {
        let (a, b) =
            (gradient(ClassWeights::Balanced, all), gradient(ClassWeights::Each(each), all));
        assert!((a.loss - b.loss).abs() < 1e-6);
        assert!(distance(&wide(&a.layers[0].0), &wide(&b.layers[0].0)) < 1e-6);
    };
    close(&all, each);
    // Only the samples of a subset count: one of class 0 and three of class 3.
    let subset = all.subset(&[0, 1, 2, 4]).unwrap();
    close(&subset, vec![2.0, 0.0, 0.0, 4.0 / 6.0, 0.0]);
}

#[test]
fn a_run_reports_the_loss_that_it_minimises_for_any_number_of_threads() {
    let network = network(&[50, 33, CLASSES], Activation::Relu, 1);
    let (x, y) = (uniform(2, 311 * 50), labels(3, 311, CLASSES));
    let weights = sample_weights(311);
    let all = examples(&network, &x, &y);
    let mut models = Vec::new();
    for (fit, _) in settings() {
        for examples in [all, all.weighted(&weights).unwrap()] {
            // The epoch is one step, so its loss is that of the gradient.
            let fit = Fit { epochs: 1, batch_size: 311, lr: 0.02, shuffle: false, ..fit.clone() };
            let gradient = fit.gradient(&network, &examples, 0, &Sequential).unwrap();
            let mut one = network.clone();
            let history = fit.run(&mut one, &examples, None, &Sequential, go_on).unwrap();
            assert_eq!(history.epochs[0].train_loss, gradient.loss);

            let fit = Fit { epochs: 2, batch_size: 100, ..fit };
            let run = |threads| {
                let mut trained = network.clone();
                let history =
                    fit.run(&mut trained, &examples, Some(&examples), &Threads(threads), go_on);
                let last = history.unwrap().epochs[1];
                let losses = [last.train_loss, last.validation.unwrap().loss];
                (trained.to_bytes(), losses.map(f64::to_bits))
            };
            let expected = run(1);
            assert!(run(2) == expected && run(5) == expected, "{fit:?}");
            assert!(!models.contains(&expected.0), "{fit:?} does what another does");
            models.push(expected.0);
        }
    }
}

#[test]
fn the_loss_of_an_epoch_is_the_weighted_mean_over_its_samples() {
    // With such a small learning rate each batch sees the same network.
    let network = network(&[4, CLASSES], Activation::Tanh, 1);
    let (x, y) = (uniform(2, 50 * 4), labels(3, 50, CLASSES));
    let weights = sample_weights(50);
    let examples = examples(&network, &x, &y).weighted(&weights).unwrap();
    let class_weights = Some(ClassWeights::Each(class_weights()));
    let fit = Fit { epochs: 1, batch_size: 7, lr: 1e-30, class_weights, ..Fit::default() };
    let whole = fit.gradient(&network, &examples, 0, &Sequential).unwrap().loss;
    let history = fit.run(&mut network.clone(), &examples, None, &Sequential, go_on).unwrap();
    assert!((history.epochs[0].train_loss - whole).abs() < 1e-6);
}

#[test]
fn weights_of_one_and_a_smoothing_of_zero_change_nothing() {
    let network = network(&[7, 9, CLASSES], Activation::Tanh, 4);
    let (x, y) = (uniform(1, 50 * 7), labels(2, 50, CLASSES));
    let all = examples(&network, &x, &y);
    let ones = vec![1.0; 50];
    let plain = Fit { epochs: 2, batch_size: 20, ..Fit::default() };
    let each = Some(ClassWeights::Each(vec![1.0; CLASSES]));
    let expected = train(network.clone(), &plain, &all);
    for (fit, examples) in
        [(plain.clone(), all.weighted(&ones).unwrap()), (Fit { class_weights: each, ..plain }, all)]
    {
        let found = train(network.clone(), &fit, &examples);
        for l in 0..2 {
            let [found, expected] = [&found, &expected].map(|n| wide(&n.layer(l).unwrap().0));
            assert!(distance(&found, &expected) < 1e-6);
        }
    }
}

#[test]
fn samples_and_classes_of_weight_zero_train_nothing() {
    let start = network(&[7, 9, CLASSES], Activation::Tanh, 4);
    let (x, y) = (uniform(1, 20 * 7), labels(2, 20, CLASSES));
    let mut weights = vec![1.0; 20];
    weights[..10].fill(0.0);
    let all = examples(&start, &x, &y).weighted(&weights).unwrap();
    let fit = Fit {
        epochs: 1,
        batch_size: 10,
        optimizer: Optimizer::Sgd { momentum: 0.0 },
        shuffle: false,
        ..Fit::default()
    };
    // The first batch has no weight: its loss is finite and the network does not change.
    let second: Vec<u32> = (10..20).collect();
    let expected = train(start.clone(), &fit, &all.subset(&second).unwrap());
    assert!(train(start.clone(), &fit, &all).to_bytes() == expected.to_bytes());
    // The same for a batch of a class without weight, although smoothing gives weight to
    // the other classes.
    let mut of_two = vec![2; 10];
    of_two.extend([0, 1, 3, 4, 0, 1, 3, 4, 0, 1]);
    let classes = examples(&start, &x, &of_two);
    let class_weights = Some(ClassWeights::Each(class_weights()));
    let smooth = Fit { label_smoothing: 0.1, class_weights, ..fit.clone() };
    let alone = train(start.clone(), &smooth, &classes.subset(&second).unwrap());
    let mut trained = start.clone();
    let mut seen = Recorder::default();
    let history = smooth.run(&mut trained, &classes, None, &Sequential, &mut seen).unwrap();
    assert!(trained.to_bytes() == alone.to_bytes());
    assert_eq!(seen.steps[0].loss, 0.0);
    let loss = smooth.gradient(&start, &classes.subset(&second).unwrap(), 0, &Sequential);
    assert_eq!(history.epochs[0].train_loss, loss.unwrap().loss);
    // For a session such a batch is an error.
    let first: Vec<u32> = (0..10).collect();
    let mut session = Session::new(start.clone(), &fit).unwrap();
    let error = session.step(&all.subset(&first).unwrap(), 0.1, &Sequential).unwrap_err();
    assert!(matches!(error, Error::NoWeight { what: "sample" }), "{error}");
    session.step(&all.subset(&second).unwrap(), 0.1, &Sequential).unwrap();
    assert!(session.into_network().to_bytes() == expected.to_bytes());
}

#[test]
fn a_session_and_a_run_take_the_same_step() {
    let start = network(&[7, 9, CLASSES], Activation::Tanh, 4);
    let (x, y) = (uniform(1, 20 * 7), labels(2, 20, CLASSES));
    let all = examples(&start, &x, &y);
    let balanced = Fit { class_weights: Some(ClassWeights::Balanced), ..Fit::default() };
    for fit in settings().into_iter().map(|(fit, _)| fit).chain([balanced]) {
        let fit = Fit { epochs: 1, batch_size: 20, shuffle: false, ..fit };
        let expected = train(start.clone(), &fit, &all);
        let mut session = Session::new(start.clone(), &fit).unwrap();
        let found = session.step(&all, fit.lr, &Sequential).unwrap();
        assert_eq!(found.loss, fit.gradient(&start, &all, 0, &Sequential).unwrap().loss);
        assert!(session.into_network().to_bytes() == expected.to_bytes(), "{fit:?}");
    }
}

#[test]
fn a_search_trains_and_evaluates_with_weights() {
    let (x, y) = (uniform(1, 40 * 7), labels(2, 40, CLASSES));
    let inputs = Inputs::new(&x, 7).unwrap();
    let weights = sample_weights(40);
    let all = Examples::new(inputs, &y).unwrap();
    let folds = Split::k_fold(40, 2, 1).unwrap();
    let shape = network(&[7, 9, CLASSES], Activation::Tanh, 4).architecture().clone();
    let fit = Fit { epochs: 2, label_smoothing: 0.1, batch_size: 10, ..Fit::default() };
    let candidate = Candidate::new("one", shape, Init::Xavier, fit.clone());
    let evaluations = |examples: &Examples<'_>| -> Vec<Evaluation> {
        search([candidate.clone()], examples, &folds, &Sequential).unwrap().rows.remove(0).folds
    };
    let weighted = all.weighted(&weights).unwrap();
    let by_hand = folds.iter().map(|fold| {
        let start = Mlp::new(candidate.architecture.clone(), Init::Xavier, fit.seed).unwrap();
        let trained = train(start, &fit, &weighted.subset(&fold.train).unwrap());
        trained.evaluate(&weighted.subset(&fold.validation).unwrap(), &Sequential).unwrap()
    });
    let found = evaluations(&weighted);
    assert_eq!(found, by_hand.collect::<Vec<_>>());
    assert_ne!(found, evaluations(&all));

    // A fold without weight in its training set is an error before any training.
    let mut one = vec![0.0; 40];
    one[folds[0].validation[0] as usize] = 1.0;
    let error = search([candidate], &all.weighted(&one).unwrap(), &folds[..1], &Sequential);
    assert!(matches!(error.unwrap_err(), Error::NoWeight { what: "sample" }));
}

#[test]
fn the_gradient_check_uses_smoothing_and_weights() {
    let network = network(&[7, 9, CLASSES], Activation::Gelu, 4);
    let (x, y) = (uniform(1, 20 * 7), labels(2, 20, CLASSES));
    let weights = sample_weights(20);
    let all = examples(&network, &x, &y);
    for (fit, _) in settings() {
        for examples in [all, all.weighted(&weights).unwrap()] {
            let check = network.check_gradient(&examples, &fit, usize::MAX).unwrap();
            assert!(check.largest_error < 2e-6 && check.loss_error < 1e-6, "{fit:?}: {check:?}");
        }
    }
}
