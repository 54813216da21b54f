//! The fast code computes what the `f64` reference computes: losses, gradients of every
//! layer, with and without dropout, and probabilities; and a run applies these gradients
//! by the formula of its optimizer.

use crate::common::{
    distance, examples, go_on, labels, largest, masks, network, reference, uniform, wide,
};
use nn::reference::{Draws, Layer};
use nn::{
    Activation, Architecture, Curve, Dropout, Examples, Fit, Inputs, Mlp, Optimizer, Sequential,
};

/// Hidden layers and classes: no hidden layer, one unit, one panel of 16 units, one unit
/// more, several tiles of panels.
const SHAPES: [(&[usize], usize); 6] =
    [(&[], 10), (&[1], 2), (&[16], 17), (&[17, 3], 3), (&[33, 48, 5], 10), (&[100], 4)];
/// Numbers of inputs around a panel of 16, and above the 64 that are updated at once.
const INPUTS: [usize; 5] = [1, 15, 16, 17, 100];
/// Batch sizes around the 128 rows of a task, and above the 256 of a block of the
/// product.
const BATCHES: [usize; 6] = [1, 2, 7, 16, 129, 300];

/// The largest error of a gradient that passes, relative to the layer's scale (see
/// [`Expected`]). Measured: 8·10⁻⁶ here and 1.9·10⁻⁵ with other seeds, in rows where the
/// few units that are not dropped happen to be saturated; all but a few in a thousand
/// layers have errors below 10⁻⁶.
const GRADIENT: f64 = 4e-5;
/// The largest error of a loss that passes. Losses are around 2; measured: 4.1·10⁻⁷.
const LOSS: f64 = 1.3e-6;
/// The largest error of a probability that passes; measured: 1.7·10⁻⁷.
const PROBABILITY: f64 = 5e-7;

fn sizes(inputs: usize, (hidden, classes): (&[usize], usize)) -> Vec<usize> {
    [&[inputs], hidden, &[classes]].concat()
}

/// What the reference computes for some samples.
struct Expected {
    /// Means over the samples.
    loss: f64,
    gradient: Vec<Layer>,
    /// For each layer, the largest derivative by a weight and by a bias in each sample,
    /// averaged over the samples. Rounding errors are proportional to these, also where
    /// the derivatives of different samples cancel each other.
    scales: Vec<(f64, f64)>,
}

fn expected(network: &Mlp, fit: &Fit, step: u64, x: &[f32], y: &[u32]) -> Expected {
    let plain = reference(network);
    let share = 1.0 / y.len() as f64;
    let mut loss = 0.0;
    let mut sum: Option<Vec<Layer>> = None;
    let mut scales = vec![(0.0, 0.0); plain.layers.len()];
    let samples = x.chunks_exact(network.architecture().inputs).map(wide);
    for (row, (x, &label)) in samples.zip(y).enumerate() {
        let masks = masks(network, fit, step, row);
        loss += plain.loss(&x, label as usize, &masks) * share;
        let mut gradient = plain.gradient(&x, label as usize, &masks);
        for (scale, layer) in scales.iter_mut().zip(&gradient) {
            scale.0 += largest(layer.weights.concat()) * share;
            scale.1 += largest(layer.biases.clone()) * share;
        }
        for slope in gradient.iter_mut().flat_map(parameters) {
            *slope *= share;
        }
        let Some(sum) = &mut sum else {
            sum = Some(gradient);
            continue;
        };
        for (sum, layer) in sum.iter_mut().zip(&mut gradient) {
            for (sum, slope) in parameters(sum).zip(parameters(layer)) {
                *sum += *slope;
            }
        }
    }
    let gradient = sum.expect("a sample");
    Expected { loss, gradient, scales }
}

fn parameters(layer: &mut Layer) -> impl Iterator<Item = &mut f64> {
    layer.weights.iter_mut().flatten().chain(&mut layer.biases)
}

/// The largest difference, relative to `scale`.
fn error(found: &[f32], expected: &[f64], scale: f64) -> f64 {
    match distance(&wide(found), expected) {
        // The scale is 0 too after a layer whose units are all dropped.
        0.0 => 0.0,
        distance => distance / scale,
    }
}

fn check_gradients(dropout: Dropout) {
    // The gradient must not include the penalty.
    let fit = Fit { dropout, l2: 1.0, seed: 5, ..Fit::default() };
    for inputs in INPUTS {
        for shape in SHAPES {
            for (activation, _) in Activation::ALL {
                let network = network(&sizes(inputs, shape), activation, 4);
                for rows in BATCHES {
                    check_gradient(&network, &fit, rows);
                }
            }
        }
    }
}

fn check_gradient(network: &Mlp, fit: &Fit, rows: usize) {
    let Architecture { inputs, outputs, .. } = *network.architecture();
    let x = uniform(rows as u64, rows * inputs);
    let y = labels(rows as u64, rows, outputs);
    let step = 7;
    let found = fit.gradient(network, &examples(network, &x, &y), step, &Sequential).unwrap();
    let expected = expected(network, fit, step, &x, &y);

    let case = format!("{:?}, {rows} rows", network.architecture());
    let loss = (found.loss - expected.loss).abs();
    assert!(loss < LOSS, "{case}: loss off by {loss}");
    assert_eq!(found.layers.len(), expected.gradient.len(), "{case}");
    for (l, (weights, biases)) in found.layers.iter().enumerate() {
        let (layer, scale) = (&expected.gradient[l], expected.scales[l]);
        let weights = error(weights, &layer.weights.concat(), scale.0);
        let biases = error(biases, &layer.biases, scale.1);
        assert!(weights < GRADIENT, "{case}: weights of layer {l} off by {weights}");
        assert!(biases < GRADIENT, "{case}: biases of layer {l} off by {biases}");
    }
}

#[test]
fn gradients_equal_those_of_the_reference() {
    check_gradients(Dropout::default());
}

#[test]
fn gradients_with_dropout_equal_those_of_the_reference_with_the_same_masks() {
    check_gradients(Dropout { input: 0.2, hidden: 0.5, ..Dropout::default() });
}

#[test]
fn one_step_subtracts_the_gradient_and_from_weights_the_penalty_too() {
    for (activation, name) in Activation::ALL {
        let before = network(&[17, 20, 33, 5], activation, 1);
        let (x, y) = (uniform(2, 70 * 17), labels(2, 70, 5));
        let examples = examples(&before, &x, &y);
        let fit = Fit {
            epochs: 1,
            batch_size: y.len(),
            lr: 0.5,
            optimizer: Optimizer::Sgd { momentum: 0.0 },
            l2: 0.25,
            ..Fit::default()
        };
        let mut after = before.clone();
        fit.run(&mut after, &examples, None, &Sequential, go_on).unwrap();

        let expected = expected(&before, &fit, 0, &x, &y);
        let (before, after) = (reference(&before), reference(&after));
        for (l, slopes) in expected.gradient.iter().enumerate() {
            let (before, after) = (&before.layers[l], &after.layers[l]);
            let weights = [before, after, slopes].map(|layer| layer.weights.concat());
            let biases = [before, after, slopes].map(|layer| layer.biases.clone());
            for (what, l2, [before, after, slopes]) in
                [("weights", fit.l2, weights), ("biases", 0.0, biases)]
            {
                let moved = before.iter().zip(&after);
                let found: Vec<f64> =
                    moved.map(|(before, after)| (before - after) / f64::from(fit.lr)).collect();
                let penalised = slopes.iter().zip(&before);
                let expected: Vec<f64> =
                    penalised.map(|(slope, before)| slope + f64::from(l2) * before).collect();
                // The rounding of the parameters, divided by the learning rate. Measured:
                // 4.3·10⁻⁸.
                let error = distance(&found, &expected);
                assert!(error < 1.3e-7, "{name}: {what} of layer {l} off by {error}");
            }
        }
    }
}

#[test]
fn a_run_applies_the_formula_of_sgd_to_the_gradient_of_each_batch() {
    let momentum = 0.75;
    let fit = Fit {
        epochs: 2,
        batch_size: 20,
        lr: 0.25,
        schedule: Curve::InverseTime { decay: 1.0 }.into(),
        optimizer: Optimizer::Sgd { momentum },
        l2: 0.125,
        dropout: Dropout { input: 0.2, hidden: 0.5, ..Dropout::default() },
        shuffle: false,
        seed: 9,
        ..Fit::default()
    };
    for (activation, name) in Activation::ALL {
        let mut found = network(&[70, 17, 33, 5], activation, 1);
        let mut expected = found.clone();
        let mut velocity: Vec<(Vec<f32>, Vec<f32>)> = (0..3)
            .map(|l| expected.layer(l).unwrap())
            .map(|(weights, biases)| (vec![0.0; weights.len()], vec![0.0; biases.len()]))
            .collect();

        // The last batch of each epoch is smaller.
        let (x, y) = (uniform(3, 50 * 70), labels(3, 50, 5));
        let mut step = 0;
        for lr in [fit.lr, fit.lr / 2.0] {
            for (x, y) in x.chunks(fit.batch_size * 70).zip(y.chunks(fit.batch_size)) {
                let batch = examples(&expected, x, y);
                let gradient = fit.gradient(&expected, &batch, step, &Sequential).unwrap();
                for (l, gradient) in gradient.layers.iter().enumerate() {
                    let (mut weights, mut biases) = expected.layer(l).unwrap();
                    let update = |l2: f32, w: &mut [f32], v: &mut [f32], g: &[f32]| {
                        for ((w, v), g) in w.iter_mut().zip(v).zip(g) {
                            *v = momentum * *v + (g + l2 * *w);
                            *w -= lr * *v;
                        }
                    };
                    let velocity = &mut velocity[l];
                    update(fit.l2, &mut weights, &mut velocity.0, &gradient.0);
                    update(0.0, &mut biases, &mut velocity.1, &gradient.1);
                    expected.set_layer(l, &weights, &biases).unwrap();
                }
                step += 1;
            }
        }

        let examples = examples(&found, &x, &y);
        fit.run(&mut found, &examples, None, &Sequential, go_on).unwrap();
        // Measured: 0. But the order in which a step rounds is not promised.
        let all = |network: &Mlp| -> Vec<f64> {
            reference(network).layers.iter_mut().flat_map(parameters).map(|p| *p).collect()
        };
        let error = distance(&all(&found), &all(&expected));
        assert!(error < 1e-6, "{name}: {error}");
    }
}

#[test]
fn probabilities_and_evaluations_equal_those_of_the_reference() {
    for shape in SHAPES {
        for (activation, name) in Activation::ALL {
            let sizes = sizes(17, shape);
            let case = format!("{sizes:?}, {name}");
            let network = network(&sizes, activation, 6);
            let plain = reference(&network);
            let rows = 300;
            let (x, y) = (uniform(7, rows * 17), labels(7, rows, shape.1));
            let examples = examples(&network, &x, &y);
            let found = network.predict_proba(&examples.inputs()).unwrap();
            let predicted = network.predict(&examples.inputs()).unwrap();
            assert_eq!((found.len(), predicted.len()), (rows * shape.1, rows));

            let (mut loss, mut errors) = (0.0, 0);
            for (i, x) in x.chunks_exact(17).map(wide).enumerate() {
                // No masks: prediction drops nothing.
                let loss_of = |class| plain.loss(&x, class, &Draws::default());
                for class in 0..shape.1 {
                    let probability = (-loss_of(class)).exp();
                    let found = f64::from(found[i * shape.1 + class]);
                    assert!((found - probability).abs() < PROBABILITY, "{case}, sample {i}");
                }
                let label = y[i] as usize;
                loss += loss_of(label) / rows as f64;
                let best = (0..shape.1).min_by(|&a, &b| loss_of(a).total_cmp(&loss_of(b)));
                assert_eq!(predicted[i] as usize, best.unwrap(), "{case}, sample {i}");
                errors += usize::from(best != Some(label));
            }
            let evaluation = network.evaluate(&examples, &Sequential).unwrap();
            assert!((evaluation.loss - loss).abs() < LOSS, "{case}: {loss}");
            assert_eq!((evaluation.errors, evaluation.samples), (errors, rows));
            let accuracy = 1.0 - errors as f64 / rows as f64;
            assert!((evaluation.accuracy - accuracy).abs() < 1e-12, "{case}");
        }
    }
}

#[test]
fn pixels_equal_features_of_byte_times_scale_bit_for_bit() {
    let (width, rows) = (41, 150);
    let pixels: Vec<u8> = (0..width * rows).map(|i| (i * 7 % 256) as u8).collect();
    let y = labels(8, rows, 10);
    for scale in [1.0 / 255.0, 0.3] {
        let mut network = network(&[width, 17, 10], Activation::Tanh, 2);
        network.set_pixel_scale(scale).unwrap();
        let x: Vec<f32> = pixels.iter().map(|&byte| f32::from(byte) * scale).collect();
        let reals = examples(&network, &x, &y);
        let bytes = Examples::new(Inputs::pixels(&pixels, width).unwrap(), &y[..]).unwrap();

        let fit = Fit {
            epochs: 2,
            dropout: Dropout { input: 0.1, hidden: 0.1, ..Dropout::default() },
            ..Fit::default()
        };
        let results = [reals, bytes].map(|examples| {
            let mut trained = network.clone();
            fit.run(&mut trained, &examples, None, &Sequential, go_on).unwrap();
            (
                trained.to_bytes(),
                fit.gradient(&network, &examples, 0, &Sequential).unwrap(),
                network.predict_proba(&examples.inputs()).unwrap(),
                network.evaluate(&examples, &Sequential).unwrap(),
            )
        });
        assert!(results[0] == results[1], "scale {scale}");
        assert!(results[0].0 != network.to_bytes());
    }
}

/// Subnormal numbers slow a CPU down and move no weight.
#[test]
fn gradients_have_no_numbers_that_are_subnormal_or_nearly_so() {
    // The label is the first class. e^z of the others: a normal number, a number that is
    // much smaller than any weight, and a subnormal one.
    let biases = [0.0, -60.0, -80.0, -95.0];
    let mut network = network(&[3, 2, 4], Activation::Tanh, 1);
    network.set_layer(1, &[0.0; 8], &biases).unwrap();
    let examples = Examples::new(Inputs::new(&[0.5; 3], 3).unwrap(), &[0u8]).unwrap();
    let gradient = Fit::default().gradient(&network, &examples, 0, &Sequential).unwrap();
    let (_, of_biases) = &gradient.layers[1];
    assert!((of_biases[1] / 8.756_511e-27 - 1.0).abs() < 1e-3, "{of_biases:?}");
    assert_eq!(of_biases[2..], [0.0; 2]);

    // The same for a hidden layer, by the weights of the layer after it.
    for (weight, found) in [(1e-20, true), (1e-32, false), (1e-42, false)] {
        let weights: Vec<f32> = (0..8).map(|i| i as f32 * weight).collect();
        network.set_layer(1, &weights, &[0.0; 4]).unwrap();
        let gradient = Fit::default().gradient(&network, &examples, 0, &Sequential).unwrap();
        let (weights, biases) = &gradient.layers[0];
        assert!(weights.iter().chain(biases).all(|x| (*x != 0.0) == found), "{gradient:?}");
    }
}

#[test]
fn the_gradient_check_checks_as_many_parameters_as_it_is_told() {
    for (activation, name) in Activation::ALL {
        let network = network(&[7, 9, 3], activation, 4);
        let (x, y) = (uniform(1, 20 * 7), labels(2, 20, 3));
        let examples = examples(&network, &x, &y);
        let all = network.architecture().parameters();
        for (parameters, checked) in [(usize::MAX, all), (5, 10), (1, 2)] {
            let check = network.check_gradient(&examples, &Fit::default(), parameters).unwrap();
            // Measured: 5·10⁻⁷.
            assert!(check.largest_error < 2e-6, "{name}: {check:?}");
            assert!(check.loss_error < LOSS, "{name}: {check:?}");
            assert!(check.checked <= checked && check.checked >= 2, "{name}: {check:?}");
            assert!(parameters != usize::MAX || check.checked == all);
        }
        assert!(matches!(
            network.check_gradient(&examples, &Fit::default(), 0),
            Err(nn::Error::Zero { .. })
        ));
    }
}
