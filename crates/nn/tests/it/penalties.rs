//! Penalties, clipping, max-norm and the average: each run is compared with a plain run
//! in `f64`, for every activation, with and without dropout.

use crate::common::{
    distance, examples, go_on, labels, masks, network, reference, train, uniform, wide,
};
use nn::reference::{Layer, Network};
use nn::{Activation, Average, Curve, Dropout, Fit, Mlp, Optimizer, Sequential};

/// Layers of two panels, three panels and one panel of units. No number of inputs is a
/// multiple of 16.
const SIZES: [usize; 4] = [17, 20, 33, 5];
const SAMPLES: usize = 50;

/// The largest error of a parameter that passes: three times the largest measured, 7.5·10⁻⁸.
const TOLERANCE: f64 = 2.3e-7;

fn parameters(layer: &mut Layer) -> impl Iterator<Item = &mut f64> {
    layer.weights.iter_mut().flatten().chain(&mut layer.biases)
}

fn norm(weights: &[f64]) -> f64 {
    weights.iter().map(|w| w * w).sum::<f64>().sqrt()
}

/// The mean gradient of a batch in step `step`.
fn gradient(network: &Mlp, plain: &Network, fit: &Fit, step: u64, x: &[f32], y: &[u32]) -> Network {
    let mut mean = plain.clone();
    mean.layers.iter_mut().flat_map(parameters).for_each(|slope| *slope = 0.0);
    for (row, (x, &label)) in x.chunks_exact(SIZES[0]).zip(y).enumerate() {
        let masks = masks(network, fit, step, row);
        let mut slopes = plain.gradient(&wide(x), label as usize, &masks);
        let slopes = slopes.iter_mut().flat_map(parameters);
        for (mean, slope) in mean.layers.iter_mut().flat_map(parameters).zip(slopes) {
            *mean += *slope / y.len() as f64;
        }
    }
    mean
}

/// The run of `fit` in `f64`. Its optimizer must be SGD, and it takes the samples in their
/// order.
fn run(network: &Mlp, fit: &Fit, x: &[f32], y: &[u32]) -> Network {
    let Optimizer::Sgd { momentum } = fit.optimizer else { panic!("expected SGD") };
    let [lr, momentum, l1, l2] = [fit.lr, momentum, fit.l1, fit.l2].map(f64::from);
    let mut plain = reference(network);
    let mut average = plain.clone();
    let mut velocity = plain.clone();
    velocity.layers.iter_mut().flat_map(parameters).for_each(|v| *v = 0.0);
    let mut step = 0;
    for _ in 0..fit.epochs {
        let batches = x.chunks(fit.batch_size * SIZES[0]).zip(y.chunks(fit.batch_size));
        for (x, y) in batches {
            let mut slopes = gradient(network, &plain, fit, step, x, y);
            if let Some(limit) = fit.clip_norm {
                let slopes = slopes.layers.iter_mut().flat_map(parameters).collect::<Vec<_>>();
                let length = norm(&slopes.iter().map(|slope| **slope).collect::<Vec<_>>());
                let factor = (f64::from(limit) / (length + 1e-6)).min(1.0);
                slopes.into_iter().for_each(|slope| *slope *= factor);
            }
            let layers = plain.layers.iter_mut().zip(&mut velocity.layers);
            for ((layer, velocity), slopes) in layers.zip(&mut slopes.layers) {
                let weights = layer.weights.iter().flatten();
                for (slope, w) in slopes.weights.iter_mut().flatten().zip(weights) {
                    *slope += l2 * w;
                }
                let all = parameters(layer).zip(parameters(velocity));
                for ((w, v), g) in all.zip(parameters(slopes)) {
                    *v = momentum * *v + *g;
                    *w -= lr * *v;
                }
                for w in layer.weights.iter_mut().flatten() {
                    *w = w.signum() * (w.abs() - lr * l1 / (1.0 - momentum)).max(0.0);
                }
                for unit in &mut layer.weights {
                    let length = norm(unit);
                    if let Some(limit) = fit.max_norm.map(f64::from).filter(|c| length > *c) {
                        unit.iter_mut().for_each(|w| *w *= limit / length);
                    }
                }
            }
            step += 1;
            if let Some(rule) = fit.average {
                let decay = f64::from(rule.decay).min((1 + step) as f64 / (10 + step) as f64);
                let after = plain.layers.iter_mut().flat_map(parameters);
                for (e, w) in average.layers.iter_mut().flat_map(parameters).zip(after) {
                    *e = decay * *e + (1.0 - decay) * *w;
                }
            }
        }
    }
    if fit.average.is_some() { average } else { plain }
}

/// Four steps; the last of each epoch has fewer samples.
fn fit(dropout: Dropout) -> Fit {
    let optimizer = Optimizer::Sgd { momentum: 0.5 };
    Fit { epochs: 2, batch_size: 30, lr: 0.3, optimizer, dropout, shuffle: false, ..Fit::default() }
}

/// Runs `fit` and its `f64` copy with every activation, and compares the parameters.
/// Returns both networks of each run.
fn compare(change: impl Fn(&mut Fit)) -> Vec<(Mlp, Network)> {
    let mut results = Vec::new();
    for dropout in [Dropout::default(), Dropout { input: 0.2, hidden: 0.3, ..Dropout::default() }] {
        let mut fit = fit(dropout);
        change(&mut fit);
        for (activation, name) in Activation::ALL {
            let before = network(&SIZES, activation, 1);
            let (x, y) = (uniform(3, SAMPLES * SIZES[0]), labels(3, SAMPLES, SIZES[3]));
            let after = train(before.clone(), &fit, &examples(&before, &x, &y));
            let mut expected = run(&before, &fit, &x, &y);
            for (l, layer) in expected.layers.iter_mut().enumerate() {
                let (weights, biases) = after.layer(l).unwrap();
                let found = [wide(&weights), wide(&biases)].concat();
                let expected: Vec<f64> = parameters(layer).map(|p| *p).collect();
                let error = distance(&found, &expected);
                assert!(error < TOLERANCE, "{name}: layer {l} off by {error} with {fit:?}");
            }
            results.push((after, expected));
        }
    }
    results
}

#[test]
fn max_norm_bounds_the_norm_of_every_unit() {
    for (limit, l2) in [(0.9f32, 0.0), (0.8, 0.01)] {
        let limited = compare(|fit| (fit.max_norm, fit.l2) = (Some(limit), l2));
        let (mut at, mut below) = (0, 0);
        for (found, _) in &limited {
            let plain = reference(found);
            for length in plain.layers.iter().flat_map(|layer| &layer.weights).map(|w| norm(w)) {
                // Scaling rounds each weight once more.
                assert!(length < f64::from(limit) * (1.0 + 1e-6), "{length}");
                let is_at = length > f64::from(limit) * (1.0 - 1e-6);
                *(if is_at { &mut at } else { &mut below }) += 1;
            }
        }
        assert!(at > 50 && below > 50, "{at} units at {limit}, {below} below");
    }
}

#[test]
fn clip_norm_bounds_the_norm_of_the_gradient() {
    let without = compare(|_| ());
    for limit in [0.05, 0.2] {
        let clipped = compare(|fit| fit.clip_norm = Some(limit));
        for ((found, _), (without, _)) in clipped.iter().zip(&without) {
            assert!(found.to_bytes() != without.to_bytes(), "{limit} clips nothing");
        }
    }
    compare(|fit| {
        (fit.clip_norm, fit.l1, fit.l2, fit.max_norm) = (Some(0.3), 0.02, 0.1, Some(0.8))
    });
    // A limit that is never reached changes no bit.
    for ((found, _), (without, _)) in compare(|fit| fit.clip_norm = Some(1e6)).iter().zip(&without)
    {
        assert!(found.to_bytes() == without.to_bytes());
    }
}

#[test]
fn with_an_average_the_returned_network_is_the_average_of_the_steps() {
    // d is the bound (1 + t)/(10 + t) in all steps, the decay from the second step on,
    // and the decay in all steps.
    for decay in [0.999, 0.2, 0.05] {
        let average = Some(Average { decay });
        compare(|fit| fit.average = average);
        compare(|fit| {
            (fit.average, fit.l1, fit.l2) = (average, 0.02, 0.1);
            (fit.max_norm, fit.clip_norm) = (Some(0.8), Some(0.3));
        });
    }
    let without = compare(|_| ());
    for ((found, _), (without, _)) in
        compare(|fit| fit.average = Some(Average::default())).iter().zip(&without)
    {
        assert!(found.to_bytes() != without.to_bytes());
    }
}

#[test]
fn l1_alone_and_with_l2_sets_weights_to_zero() {
    for (l1, l2, max_norm) in [(0.02, 0.0, None), (0.02, 0.1, None), (0.02, 0.1, Some(0.5))] {
        let results = compare(|fit| (fit.l1, fit.l2, fit.max_norm) = (l1, l2, max_norm));
        for (found, expected) in results {
            let layers = expected.layers.iter().zip(found.sparsity());
            for (l, (layer, share)) in layers.enumerate() {
                // Exactly +0.
                let (weights, biases) = found.layer(l).unwrap();
                let zeros = weights.iter().filter(|w| w.to_bits() == 0).count();
                assert_eq!(share, zeros as f64 / weights.len() as f64);
                assert!(share > 0.02 && share < 0.5, "layer {l}: {share}");
                let differ = weights.iter().zip(layer.weights.iter().flatten());
                let differ = differ.filter(|(found, w)| (**found == 0.0) != (**w == 0.0));
                // Rounding may decide one weight.
                assert!(differ.count() <= 1, "layer {l}");
                assert!(biases.iter().all(|bias| *bias != 0.0));
            }
        }
    }
}

/// The cost of a linear classifier is convex: if no small change of a weight lowers it, it
/// is at its minimum.
#[test]
fn every_optimizer_finds_the_minimum_of_the_penalised_cost() {
    let before = network(&[17, 5], Activation::Tanh, 1);
    let (x, y) = (uniform(3, SAMPLES * 17), labels(3, SAMPLES, 5));
    let examples = examples(&before, &x, &y);
    for (optimizer, name) in Optimizer::ALL {
        let (lr, optimizer) = match optimizer {
            Optimizer::Sgd { .. } => (0.5, Optimizer::Sgd { momentum: 0.75 }),
            Optimizer::Nesterov { .. } => (0.5, optimizer),
            Optimizer::Adagrad { .. } => (0.1, optimizer),
            Optimizer::Rmsprop { alpha, epsilon, .. } => {
                (1e-3, Optimizer::Rmsprop { alpha, epsilon, momentum: 0.5 })
            }
            Optimizer::Adadelta { .. } => (0.5, optimizer),
            _ => (5e-3, optimizer),
        };
        let adamw = matches!(optimizer, Optimizer::Adamw { .. });
        for (l1, l2) in [(0.02, 0.0), (0.02, 0.1)] {
            let fit = Fit {
                epochs: 6000,
                batch_size: SAMPLES,
                lr,
                schedule: Curve::Linear { from: 0.3 }.into(),
                optimizer,
                l1,
                l2: if adamw { 0.0 } else { l2 },
                ..Fit::default()
            };
            let mut after = before.clone();
            fit.run(&mut after, &examples, None, &Sequential, go_on).unwrap();
            let slopes = fit.gradient(&after, &examples, 0, &Sequential).unwrap();
            let (weights, _) = after.layer(0).unwrap();
            let mut uphill: f64 = 0.0;
            for (w, slope) in wide(&weights).into_iter().zip(wide(&slopes.layers[0].0)) {
                let slope = slope + f64::from(fit.l2) * w;
                // At 0 the cost must rise to both sides.
                let error = match w {
                    0.0 => slope.abs() - f64::from(l1),
                    _ => (slope + f64::from(l1) * w.signum()).abs(),
                };
                uphill = uphill.max(error);
            }
            // The slope of l1 alone is 0.02. Measured: 1.2·10⁻⁴ with RMSProp, less with
            // the others.
            assert!(uphill < 3.5e-4, "{name}, {l2}: a slope of {uphill}");
            let zeros = after.sparsity()[0];
            assert!(zeros > 0.4 && zeros < 0.7, "{name}, {l2}: {zeros}");
        }
    }
}
