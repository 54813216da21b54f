//! Numbers, labels, networks and examples from seeds.

use nn::{Activation, Architecture, Examples, Init, Inputs, Mlp};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

/// `len` numbers, uniform on [−1, 1).
pub(crate) fn uniform(seed: u64, len: usize) -> Vec<f32> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    (0..len).map(|_| 2.0 * rng.random::<f32>() - 1.0).collect()
}

/// `len` labels below `classes`.
pub(crate) fn labels(seed: u64, len: usize, classes: usize) -> Vec<u32> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    (0..len).map(|_| rng.random_range(0..classes as u32)).collect()
}

/// A network whose biases are not 0, unlike those at the start of training.
pub(crate) fn network(sizes: &[usize], activation: Activation, seed: u64) -> Mlp {
    let architecture = Architecture {
        inputs: sizes[0],
        hidden: sizes[1..sizes.len() - 1].to_vec(),
        outputs: sizes[sizes.len() - 1],
        activation,
    };
    let mut network = Mlp::new(architecture, Init::Xavier, seed).unwrap();
    for l in 0..sizes.len() - 1 {
        let (weights, biases) = network.layer(l).unwrap();
        let mut biases = uniform(seed + 1000 * (l as u64 + 1), biases.len());
        biases.iter_mut().for_each(|bias| *bias *= 0.25);
        network.set_layer(l, &weights, &biases).unwrap();
    }
    network
}

/// Samples with labels. A sample of `x` has as many features as the network has inputs.
pub(crate) fn examples<'a>(network: &Mlp, x: &'a [f32], y: &'a [u32]) -> Examples<'a> {
    let inputs = Inputs::new(x, network.architecture().inputs).unwrap();
    Examples::new(inputs, y).unwrap()
}
