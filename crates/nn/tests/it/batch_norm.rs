//! Batch normalisation and noise: gradients equal the slopes of the reference's loss, by
//! central differences; and the network that training returns computes what the
//! network in training did.

use crate::common::{examples, labels, network, reference, train, uniform, wide};
use kernels::{Isa, Stream, add_gaussian};
use nn::reference::{Draws, Network};
use nn::{
    Activation, BatchNorm, Dropout, DropoutKind, Fit, Mlp, Noise, Optimizer, Sequential, Session,
};

/// Half the distance between the two points of a central difference.
const STEP: f64 = 1e-5;

/// The noise of row `row`, from the same streams as in a step: those of dropout, with
/// the highest bit of the last word set.
fn draws(network: &Mlp, fit: &Fit, step: u64, row: usize) -> Draws {
    let isa = Isa::active().unwrap();
    let widths = network.architecture().layers();
    let noise = widths.iter().enumerate().map(|(node, &width)| {
        let hidden = (1..widths.len() - 1).contains(&node);
        let width = if hidden { width * network.architecture().activation.pieces() } else { width };
        let sigma = if node == 0 { fit.noise.input } else { fit.noise.hidden };
        let counter = [row as u32, step as u32, node as u32 | 1 << 31];
        let mut noise = vec![0.0; width];
        add_gaussian(isa, Stream { seed: fit.seed, counter, first: 0 }, sigma, &mut noise);
        wide(&noise)
    });
    Draws { masks: Vec::new(), noise: noise.collect() }
}

/// Compares every derivative of the loss of a batch. All gains are 1.
fn check(network: &Mlp, fit: &Fit, rows: usize) {
    let shape = network.architecture().clone();
    let x = uniform(rows as u64, rows * shape.inputs);
    let y = labels(rows as u64, rows, shape.outputs);
    let step = 3;
    let found = fit.gradient(network, &examples(network, &x, &y), step, &Sequential).unwrap();

    let mut plain = Network { batch_norm: fit.batch_norm, ..reference(network) };
    let xs: Vec<_> = x.chunks_exact(shape.inputs).map(wide).collect();
    let ys: Vec<_> = y.iter().map(|&label| label as usize).collect();
    let draws: Vec<_> = (0..rows).map(|row| draws(network, fit, step, row)).collect();
    let case = format!("{shape:?}, {rows} rows, {fit:?}");
    let loss = plain.batch_loss(&xs, &ys, &draws);
    assert!((loss - found.loss).abs() < 3e-6, "{case}: {} for {loss}", found.loss);

    for l in 0..plain.layers.len() {
        let mut slope = |place: &dyn Fn(&mut Network) -> &mut f64| {
            let mut at = |offset: f64| {
                let before = *place(&mut plain);
                *place(&mut plain) = before + offset;
                let loss = plain.batch_loss(&xs, &ys, &draws);
                *place(&mut plain) = before;
                loss
            };
            (at(STEP) - at(-STEP)) / (2.0 * STEP)
        };
        let close = |what: &str, found: f32, expected: f64| {
            let error = (f64::from(found) - expected).abs();
            // Three times the largest error that was measured.
            assert!(error < 1.2e-5, "{case}: {what} of layer {l} is {found} for {expected}");
        };
        let (weights, biases) = &found.layers[l];
        let inputs = weights.len() / biases.len();
        for (unit, &found) in biases.iter().enumerate() {
            close("a bias", found, slope(&|n| &mut n.layers[l].biases[unit]));
        }
        for (at, &found) in weights.iter().enumerate() {
            let (unit, input) = (at / inputs, at % inputs);
            close("a weight", found, slope(&|n| &mut n.layers[l].weights[unit][input]));
        }
        assert_eq!(found.gains.is_empty(), fit.batch_norm.is_none());
        for (unit, &found) in found.gains.get(l).into_iter().flatten().enumerate() {
            close("a gain", found, slope(&|n| &mut n.layers[l].gains[unit]));
        }
    }
}

/// Batch normalisation. Its momentum does not change a gradient.
fn norm(rows: usize) -> Option<BatchNorm> {
    Some(BatchNorm { rows, epsilon: 1e-2, ..BatchNorm::default() })
}

#[test]
fn gradients_are_slopes_of_the_loss() {
    let noise = Noise { input: 0.3, hidden: 0.2 };
    for (activation, _) in Activation::ALL {
        // A first layer of 18 units is one panel, and a second one is two.
        for sizes in [[5, 18, 3, 4], [5, 3, 18, 4]] {
            let network = network(&sizes, activation, 6);
            for (batch_norm, noise) in
                [(norm(8), Noise::default()), (norm(8), noise), (norm(100), noise), (None, noise)]
            {
                let fit = Fit { batch_norm, noise, seed: 7, ..Fit::default() };
                // Two whole shards, and one of three rows.
                check(&network, &fit, 19);
            }
        }
    }
}

#[test]
fn the_returned_network_computes_what_the_network_in_training_did() {
    const ROWS: usize = 1000;
    for activation in [Activation::Relu, Activation::Maxout { pieces: 3 }] {
        let network = network(&[5, 18, 3, 4], activation, 6);
        let (x, y) = (uniform(1, ROWS * 5), labels(2, ROWS, 4));
        let examples = examples(&network, &x, &y);
        let batch_norm = Some(BatchNorm { rows: ROWS, momentum: 1.0, ..BatchNorm::default() });
        let optimizer = Optimizer::Sgd { momentum: 0.0 };
        let mut session =
            Session::new(network, &Fit { batch_norm, optimizer, ..Fit::default() }).unwrap();
        // Move the gains away from 1; then take a step that changes only the averages.
        for _ in 0..20 {
            session.step(&examples, 0.5, &Sequential).unwrap();
        }
        let trained = session.step(&examples, f32::MIN_POSITIVE, &Sequential).unwrap();
        let returned = session.network().evaluate(&examples, &Sequential).unwrap();
        // The returned network has the unbiased variance, larger by a thousandth.
        let error = (trained.loss - returned.loss).abs() / trained.loss;
        assert!(error < 1e-3, "{activation}: {} and {}", trained.loss, returned.loss);
        let same = session.network().to_bytes();
        assert!(same == session.into_network().to_bytes());
    }
}

#[test]
fn each_kind_of_dropout_and_noise_trains_a_different_network() {
    let network = network(&[5, 18, 3, 4], Activation::Relu, 6);
    let (x, y) = (uniform(1, 50 * 5), labels(2, 50, 4));
    let examples = examples(&network, &x, &y);
    let dropout = |kind| Dropout { input: 0.2, hidden: 0.4, kind };
    let noise = |input, hidden| Noise { input, hidden };
    let mut models = Vec::new();
    for (dropout, noise) in [
        (Dropout::default(), Noise::default()),
        (dropout(DropoutKind::Bernoulli), Noise::default()),
        (dropout(DropoutKind::Gaussian), Noise::default()),
        (Dropout::default(), noise(0.1, 0.0)),
        (Dropout::default(), noise(0.0, 0.1)),
        (dropout(DropoutKind::Gaussian), noise(0.1, 0.1)),
    ] {
        for batch_norm in [None, norm(20)] {
            let fit =
                Fit { epochs: 2, batch_size: 50, dropout, noise, batch_norm, ..Fit::default() };
            let model = train(network.clone(), &fit, &examples).to_bytes();
            assert!(!models.contains(&model), "{fit:?}");
            models.push(model);
        }
    }
}
