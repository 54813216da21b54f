//! The health of networks that were made sick by hand.

use nn::{
    Activation, Architecture, Augment, Draw, Error, Examples, Fit, Health, Inputs, Mlp, Sequential,
};

use crate::common::{Threads, examples, network, noise};

/// A network of one input and one hidden layer, whose units have these weights and biases
/// (for maxout: these pieces).
fn units(activation: Activation, weights: &[f32], biases: &[f32]) -> Mlp {
    let hidden = vec![biases.len() / activation.pieces()];
    let mut network =
        Mlp::zeros(Architecture { inputs: 1, hidden, outputs: 2, activation }).unwrap();
    network.set_layer(0, weights, biases).unwrap();
    network
}

fn health(network: &Mlp, inputs: &[f32]) -> Health {
    let labels = vec![0u8; inputs.len()];
    let examples = Examples::new(Inputs::new(inputs, 1).unwrap(), &labels).unwrap();
    network.health(&examples, &Sequential).unwrap()
}

#[test]
fn units_without_slope_are_dead_and_those_at_an_end_are_saturated() {
    let mut untested: Vec<_> = Activation::ALL.iter().map(|(_, name)| *name).collect();
    // Inputs of the activation that are the same on each example; dead and saturated units.
    for (text, z, dead, saturated) in [
        ("relu", &[-9.0, -0.1, 0.1, -1e-6, 5.0][..], 3, 0),
        ("leaky-relu", &[-9.0, -0.1, 0.1], 0, 0),
        ("leaky-relu:0.0001", &[-9.0, -0.1, 0.1], 2, 0),
        // α·e^z is 9e-4 at the first and 1.2e-3 at the second.
        ("elu", &[-7.0, -6.7, 3.0], 1, 0),
        ("elu:100", &[-7.0, -12.0], 1, 0),
        ("gelu", &[-4.5, -2.0, 0.0, 9.0], 1, 0),
        ("silu", &[-12.0, -6.0, 0.0, 9.0], 1, 0),
        // tanh(2.65) is 0.990, and the slope is 1e-3 at 4.15.
        ("tanh", &[2.6, 2.7, -2.6, -2.7, 4.2, -4.2, 0.0], 2, 4),
        // σ(4.6) is 0.990, and the slope is 1e-3 at 6.9.
        ("sigmoid", &[4.5, 4.7, -4.5, -4.7, 7.0, -7.0, 0.0], 2, 4),
        // Two units of two pieces.
        ("maxout", &[-9.0, 0.0, -8.0, 1.0], 0, 0),
    ] {
        let activation = text.parse().unwrap();
        let network = units(activation, &vec![0.0; z.len()], z);
        for samples in [1, 40] {
            let found = health(&network, &vec![0.5; samples]);
            assert_eq!((found.samples, found.layers.len()), (samples, 2));
            let layer = found.layers[0];
            assert_eq!(layer.units, z.len() / activation.pieces(), "{text}");
            assert_eq!((layer.dead, layer.saturated), (dead, saturated), "{text}");
            let output = found.layers[1];
            assert_eq!((output.units, output.dead, output.saturated), (2, 0, 0), "{text}");
        }
        untested.retain(|name| text.split(':').next() != Some(name));
    }
    assert!(untested.is_empty(), "{untested:?}");
}

#[test]
fn one_example_keeps_a_unit_alive_and_more_than_half_saturate_it() {
    let inputs = [-1.0, -1.0, -1.0, 1.0];
    let relu = units(Activation::Relu, &[1.0, -1.0, 1.0], &[0.0, 0.0, -2.0]);
    assert_eq!(health(&relu, &inputs).layers[0].dead, 1);
    // The unit is at an end on three of the four examples, then on two.
    for (bias, saturated) in [(-2.0, 1), (-6.0, 0)] {
        let tanh = units(Activation::Tanh, &[4.0], &[bias]);
        let inputs = if saturated == 1 { inputs } else { [1.5, 1.5, 0.0, 0.0] };
        assert_eq!(health(&tanh, &inputs).layers[0].saturated, saturated, "{bias}");
    }
}

#[test]
fn gradients_vanish_through_small_slopes_and_explode_through_large_weights() {
    let chain = |activation, depth: usize, weight: f32| {
        let shape = Architecture { inputs: 1, hidden: vec![1; depth], outputs: 2, activation };
        let mut network = Mlp::zeros(shape).unwrap();
        for l in 0..depth {
            network.set_layer(l, &[weight], &[0.0]).unwrap();
        }
        network.set_layer(depth, &[1.0, -1.0], &[0.0, 0.0]).unwrap();
        health(&network, &[1.0])
    };
    // Each sigmoid has a slope of at most 1/4, and its weight is 1/4: a factor of 1/16.
    let sick = chain(Activation::Sigmoid, 10, 0.25);
    assert_eq!((sick.vanishing(), sick.exploding()), (Some(0), None));
    let ratios: Vec<f64> = sick.gradient_ratios().collect();
    assert!(ratios[..10].is_sorted() && ratios[10] == 1.0, "{ratios:?}");
    assert!(ratios[0] < 16f64.powi(-8) && ratios[7] > Health::VANISHING, "{ratios:?}");
    let well = chain(Activation::Sigmoid, 2, 1.0);
    assert_eq!((well.vanishing(), well.exploding()), (None, None));

    // Four layers, whose gradients grow with the product of the other three.
    let mut network = network(&[7, 30, 30, 30, 3], Activation::Relu, 1);
    for l in 0..4 {
        let (mut weights, biases) = network.layer(l).unwrap();
        weights.iter_mut().for_each(|weight| *weight *= 200.0);
        network.set_layer(l, &weights, &biases).unwrap();
    }
    let (x, y) = noise();
    let found = network.health(&examples(&network, &x, &y), &Sequential).unwrap();
    assert_eq!((found.vanishing(), found.exploding()), (None, Some(0)), "{found:?}");
}

#[test]
fn the_gradient_is_relative_to_the_weights() {
    let (x, y) = noise();
    let network = network(&[7, 9, 5, 3], Activation::Tanh, 4);
    let examples = examples(&network, &x, &y);
    let found = network.health(&examples, &Sequential).unwrap();
    let gradient = Fit::default().gradient(&network, &examples, 0, &Sequential).unwrap();
    let norm = |values: &[f32]| values.iter().map(|v| f64::from(v * v)).sum::<f64>().sqrt();
    for (l, (layer, (slopes, _))) in found.layers.iter().zip(&gradient.layers).enumerate() {
        let expected = norm(slopes) / norm(&network.layer(l).unwrap().0);
        assert!((layer.gradient / expected - 1.0).abs() < 1e-6, "layer {l}");
    }
    // Weights of 0 have a gradient all the same, and without a gradient nothing vanishes.
    let mut start = network.clone();
    start.set_layer(2, &[0.0; 15], &[0.0; 3]).unwrap();
    assert!(start.health(&examples, &Sequential).unwrap().layers[2].gradient > 1e100);
    let zeros = Mlp::zeros(network.architecture().clone()).unwrap();
    let found = zeros.health(&examples, &Sequential).unwrap();
    assert_eq!((found.layers[0].gradient, found.vanishing()), (0.0, None));
}

/// Makes every example the same, on which no unit would be alive.
struct Darken;

impl Augment for Darken {
    fn augment(&self, _: Draw, features: &mut [f32]) {
        features.fill(-100.0);
    }
}

#[test]
fn examples_are_taken_as_they_are_and_checked() {
    let (x, y) = noise();
    let network = network(&[7, 9, 3], Activation::Relu, 4);
    let examples = examples(&network, &x, &y);
    let found = network.health(&examples, &Sequential).unwrap();
    assert_eq!(network.health(&examples.augmented(&Darken), &Sequential).unwrap(), found);
    assert_eq!(network.health(&examples, &Threads(3)).unwrap(), found);
    let some = network.health(&examples.subset(&[3, 1]).unwrap(), &Sequential).unwrap();
    assert_eq!(some.samples, 2);

    let error = |examples: &Examples<'_>| network.health(examples, &Sequential).unwrap_err();
    assert!(matches!(error(&examples.subset(&[]).unwrap()), Error::Empty));
    let narrow = Examples::new(Inputs::new(&x[..50], 1).unwrap(), &y).unwrap();
    assert!(matches!(error(&narrow), Error::Width { .. }));
    let wrong = vec![3u32; 50];
    let labels = Examples::new(Inputs::new(&x, 7).unwrap(), &wrong).unwrap();
    assert!(matches!(error(&labels), Error::Label { .. }));
}
