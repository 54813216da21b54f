//! What holds weights down: a run beside the same run in `f64`, a weight at a
//! time, for every activation, with dropout and without.

mod common;

use common::{distance, examples, labels, masks, network, reference, train, uniform, wide};
use nn::reference::{Layer, Network};
use nn::{Activation, Dropout, Fit, Mlp, Optimizer};

/// Two panels of units and one, blocks of inputs that are not whole.
const SIZES: [usize; 4] = [17, 20, 33, 5];
const SAMPLES: usize = 50;

/// How far parameters may be off after the run: three times what they were, 7.5·10⁻⁸.
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

/// The same run as that of `fit`, whose optimizer is SGD, on batches in the order
/// of the samples.
fn run(network: &Mlp, fit: &Fit, x: &[f32], y: &[u32]) -> Network {
    let Optimizer::Sgd { momentum } = fit.optimizer else { panic!("SGD alone") };
    let (lr, momentum, l2) = (f64::from(fit.lr), f64::from(momentum), f64::from(fit.l2));
    let mut plain = reference(network);
    let mut velocity = plain.clone();
    velocity.layers.iter_mut().flat_map(parameters).for_each(|v| *v = 0.0);
    let mut step = 0;
    for _ in 0..fit.epochs {
        let batches = x.chunks(fit.batch_size * SIZES[0]).zip(y.chunks(fit.batch_size));
        for (x, y) in batches {
            let mut slopes = gradient(network, &plain, fit, step, x, y);
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
                for unit in &mut layer.weights {
                    let length = norm(unit);
                    if let Some(limit) = fit.max_norm.map(f64::from).filter(|c| length > *c) {
                        unit.iter_mut().for_each(|w| *w *= limit / length);
                    }
                }
            }
            step += 1;
        }
    }
    plain
}

/// Four steps, the last of each epoch on fewer samples.
fn fit(dropout: Dropout) -> Fit {
    let optimizer = Optimizer::Sgd { momentum: 0.5 };
    Fit { epochs: 2, batch_size: 30, lr: 0.3, optimizer, dropout, shuffle: false, ..Fit::default() }
}

/// Both runs, of every activation; the two results.
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
fn no_unit_is_longer_than_max_norm() {
    for (limit, l2) in [(0.9f32, 0.0), (0.8, 0.01)] {
        let limited = compare(|fit| (fit.max_norm, fit.l2) = (Some(limit), l2));
        let (mut at, mut below) = (0, 0);
        for (found, _) in &limited {
            let plain = reference(found);
            for length in plain.layers.iter().flat_map(|layer| &layer.weights).map(|w| norm(w)) {
                // Each weight is rounded once more.
                assert!(length < f64::from(limit) * (1.0 + 1e-6), "{length}");
                let is_at = length > f64::from(limit) * (1.0 - 1e-6);
                *(if is_at { &mut at } else { &mut below }) += 1;
            }
        }
        assert!(at > 50 && below > 50, "{at} units at {limit}, {below} below");
    }
}
