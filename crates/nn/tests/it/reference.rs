//! The `f64` reference is right: its outputs equal those computed by hand, and its
//! gradient is the slope of its own loss, by central differences.
//!
//! The other tests rely on the reference; these rely on no other code of the crate.

use crate::common::{labels, largest, network, reference, uniform, wide};
use nn::Activation;
use nn::reference::{Draws, Layer, Network};

/// The largest relative error of a slope that passes: three times the largest measured,
/// 3.5·10⁻⁸.
const TOLERANCE: f64 = 1e-7;

/// Half the distance between the two points of a central difference. The error of the
/// method is about its square, and the error of rounding about 10⁻¹⁶ / STEP.
const STEP: f64 = 1e-5;

/// Random masks: factors of 0 and of at least 1, without a dropout rate.
fn masks(seed: u64, widths: &[usize]) -> Draws {
    let factor = |u: f32| if u < -0.3 { 0.0 } else { 1.0 + f64::from(u.abs()) };
    let rows = widths.iter().enumerate();
    let masks = rows.map(|(l, &width)| {
        let draw = uniform(seed + 100 * l as u64, width);
        draw.into_iter().map(factor).collect()
    });
    Draws { masks: masks.collect(), noise: Vec::new() }
}

/// The input of the activation of layer `l`: the logits of the layers up to `l`, with the
/// masks multiplied into the weights.
fn before_activation(network: &Network, l: usize, x: &[f64], masks: &Draws) -> Vec<f64> {
    let mut head = network.clone();
    head.layers.truncate(l + 1);
    for (layer, mask) in head.layers.iter_mut().zip(&masks.masks) {
        for row in &mut layer.weights {
            for (weight, factor) in row.iter_mut().zip(mask) {
                *weight *= factor;
            }
        }
    }
    head.logits(x)
}

/// Every parameter of the network: layer by layer, weights, then biases.
fn parameters(layers: &mut [Layer]) -> impl Iterator<Item = &mut f64> {
    layers.iter_mut().flat_map(|layer| layer.weights.iter_mut().flatten().chain(&mut layer.biases))
}

/// Compares all the partial derivatives of `loss + penalty` for one sample;
/// returns the largest error relative to the derivative or, if that is smaller, to 10⁻³.
fn largest_error(network: &Network, x: &[f64], label: usize, masks: &Draws) -> f64 {
    let (l1, l2) = (0.05, 0.1);
    let cost = |network: &Network| network.loss(x, label, masks) + network.penalty(l1, l2);

    let mut gradient = network.gradient(x, label, masks);
    for (slopes, layer) in gradient.iter_mut().zip(&network.layers) {
        let weights = layer.weights.iter().flatten();
        for (slope, weight) in slopes.weights.iter_mut().flatten().zip(weights) {
            *slope += l1 * weight.signum() + l2 * weight;
        }
    }

    let mut moved = network.clone();
    let expected: Vec<f64> = parameters(&mut gradient).map(|slope| *slope).collect();
    assert_eq!(expected.len(), parameters(&mut moved.layers).count());
    largest(expected.into_iter().enumerate().map(|(i, expected)| {
        let mut cost_at = |offset: f64| {
            let parameter = parameters(&mut moved.layers).nth(i).unwrap();
            let before = *parameter;
            *parameter += offset;
            let cost = cost(&moved);
            *parameters(&mut moved.layers).nth(i).unwrap() = before;
            cost
        };
        let found = (cost_at(STEP) - cost_at(-STEP)) / (2.0 * STEP);
        (found - expected) / expected.abs().max(1e-3)
    }))
}

#[test]
fn the_gradient_is_the_slope_of_the_loss() {
    for sizes in [&[4, 3][..], &[3, 1, 2], &[5, 4, 3], &[4, 6, 5, 3]] {
        for (activation, _) in Activation::ALL {
            for seed in 0..5 {
                let network = reference(&network(sizes, activation, seed));
                let (last, others) = sizes.split_last().unwrap();
                let x = wide(&uniform(seed + 50, sizes[0]));
                let label = labels(seed, 1, *last)[0] as usize;
                for masks in [Draws::default(), masks(seed, others)] {
                    check(&network, &x, label, &masks);
                }
            }
        }
    }
}

fn check(network: &Network, x: &[f64], label: usize, masks: &Draws) {
    // ReLU has no slope at 0, and a difference across 0 measures the slope of neither
    // side.
    if network.activation == Activation::Relu {
        for l in 0..network.layers.len() - 1 {
            let z = before_activation(network, l, x, masks);
            assert!(z.iter().all(|z| z.abs() > 100.0 * STEP), "{z:?}: choose another seed");
        }
    }
    let error = largest_error(network, x, label, masks);
    assert!(error < TOLERANCE, "off by {error}: {network:?}, {x:?}, {label}, {masks:?}");
}

/// One input, one hidden unit, two classes.
fn small(activation: Activation) -> Network {
    let layer = |weights: &[f64], biases: &[f64]| Layer {
        weights: weights.iter().map(|weight| vec![*weight]).collect(),
        biases: biases.to_vec(),
        gains: Vec::new(),
    };
    Network {
        layers: vec![layer(&[2.0], &[-1.0]), layer(&[5.0, -10.0], &[1.0, 2.0])],
        activation,
        batch_norm: None,
    }
}

#[test]
fn logits_and_losses_equal_those_computed_by_hand() {
    // tanh(ln 2) = (2 − ½) / (2 + ½) and sigmoid(ln 3) = 3 / (1 + 3).
    for (activation, z, a) in [
        (Activation::Tanh, 2f64.ln(), 0.6),
        (Activation::Sigmoid, 3f64.ln(), 0.75),
        (Activation::Relu, 0.5, 0.5),
        (Activation::Relu, -0.5, 0.0),
    ] {
        let network = small(activation);
        let x = [(z + 1.0) / 2.0];
        let expected = [5.0 * a + 1.0, -10.0 * a + 2.0];
        for (found, expected) in network.logits(&x).iter().zip(expected) {
            assert!((found - expected).abs() < 1e-14, "{activation}: {found}");
        }
        // For two classes, −ln of the softmax is ln(1 + e^(other − own)).
        for (own, other) in [(0, 1), (1, 0)] {
            let loss = (1.0 + (expected[other] - expected[own]).exp()).ln();
            let found = network.loss(&x, own, &Draws::default());
            assert!((found - loss).abs() < 1e-14, "{activation}: {found}");
        }
    }
}

#[test]
fn masks_multiply_inputs_and_hidden_units() {
    let network = small(Activation::Relu);
    // relu(2·(3·0.5) − 1) = 2, times ¼: the logits are 3.5 and −3.
    let draws = Draws { masks: vec![vec![3.0], vec![0.25]], noise: Vec::new() };
    let loss = network.loss(&[0.5], 0, &draws);
    assert!((loss - (1.0 + (-6.5_f64).exp()).ln()).abs() < 1e-14);
}

#[test]
fn penalties_are_absolute_values_and_half_the_squares_of_the_weights() {
    let network = small(Activation::Tanh);
    assert_eq!(network.penalty(0.0, 0.5), 0.25 * (4.0 + 25.0 + 100.0));
    assert_eq!(network.penalty(0.5, 0.0), 0.5 * (2.0 + 5.0 + 10.0));
}
