//! Steps of a session, with what they keep and return.

use super::Session;
use crate::net::unpack;
use crate::{
    Activation, Architecture, Average, BatchNorm, Examples, Executor, Fit, Init, Inputs, Mlp,
    Optimizer, Sequential,
};

const INPUTS: usize = 70;

/// Forty samples in three classes.
fn samples() -> (Vec<f32>, Vec<u8>) {
    let x = (0..40 * INPUTS).map(|i| (i * 7 % 31) as f32 / 31.0).collect();
    (x, (0..40).map(|i| i % 3).collect())
}

fn network() -> Mlp {
    let shape = Architecture {
        inputs: INPUTS,
        hidden: vec![100, 20],
        outputs: 3,
        activation: Activation::Tanh,
    };
    Mlp::new(shape, Init::Xavier, 1).unwrap()
}

/// The norm of the update, gains included, is the clipped norm times the learning rate.
#[test]
fn a_step_is_the_clipped_gradient_of_all_parameters() {
    let (x, y) = samples();
    let examples = Examples::new(Inputs::new(&x, INPUTS).unwrap(), &y).unwrap();
    for batch_norm in [None, Some(BatchNorm::default())] {
        let optimizer = Optimizer::Sgd { momentum: 0.0 };
        let clip_norm = Some(0.25);
        let fit = Fit { batch_norm, clip_norm, optimizer, ..Fit::default() };
        let mut session = Session::new(network(), &fit).unwrap();
        let before = session.network.params.to_vec();
        session.step(&examples, 0.5, &Sequential).unwrap();
        let moved = before.iter().zip(&session.network.params[..]).map(|(a, b)| f64::from(a - b));
        let length = moved.map(|d| d * d).sum::<f64>().sqrt();
        // The tolerance covers the 10⁻⁶ in the formula, and rounding.
        assert!((length / 0.125 - 1.0).abs() < 1e-5, "{length} with {fit:?}");
    }
}

/// A step with frozen layers, against the same step without.
fn check_frozen(fit: &Fit, executor: &impl Executor) {
    let (x, y) = samples();
    let examples = Examples::new(Inputs::new(&x, INPUTS).unwrap(), &y).unwrap();
    let after = |frozen| {
        let mut session = Session::new(network(), &Fit { frozen, ..fit.clone() }).unwrap();
        session.step(&examples, 0.05, executor).unwrap();
        session.into_network()
    };
    let (before, all) = (network(), after(0));
    for frozen in [1, 2] {
        let some = after(frozen);
        for l in 0..3 {
            let expected = if l < frozen { &before } else { &all };
            assert!(some.layer(l) == expected.layer(l), "{frozen} frozen, layer {l}, {fit:?}");
        }
    }
    assert!((0..3).all(|l| before.layer(l) != all.layer(l)));
}

/// Penalties and max-norm would move them, and the average would.
#[test]
fn frozen_layers_stay_and_the_others_move_as_ever() {
    struct Three;
    impl Executor for Three {
        fn threads(&self) -> usize {
            3
        }

        fn threads_for(&self, _: usize) -> usize {
            3
        }

        fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
            b();
            a();
        }
    }
    for (optimizer, _) in Optimizer::ALL {
        let fit = Fit { optimizer, l1: 1e-3, l2: 1e-2, max_norm: Some(0.5), ..Fit::default() };
        check_frozen(&fit, &Sequential);
        check_frozen(&fit, &Three);
    }
    let average = Some(Average { decay: 0.5 });
    check_frozen(&Fit { average, ..Fit::default() }, &Three);
}

/// The norm that clipping takes is that of the layers that are trained.
#[test]
fn a_clipped_step_has_its_norm_in_the_layers_that_are_trained() {
    let (x, y) = samples();
    let examples = Examples::new(Inputs::new(&x, INPUTS).unwrap(), &y).unwrap();
    let optimizer = Optimizer::sgd(0.0);
    let fit = Fit { frozen: 1, clip_norm: Some(0.01), optimizer, ..Fit::default() };
    let mut session = Session::new(network(), &fit).unwrap();
    let before = session.network.params.to_vec();
    session.step(&examples, 1.0, &Sequential).unwrap();
    let moved = before.iter().zip(&session.network.params[..]).map(|(a, b)| f64::from(a - b));
    let length = moved.map(|d| d * d).sum::<f64>().sqrt();
    assert!((length / 0.01 - 1.0).abs() < 1e-3, "{length}");
    assert_eq!(session.network.layer(0), network().layer(0));
}

/// The network after a clipped step, of a layer whose update is cut by inputs where there
/// are threads.
fn clipped(executor: &impl Executor) -> Vec<u8> {
    let (inputs, rows) = (512, 40);
    let x: Vec<f32> = (0..rows * inputs).map(|i| (i * 7 % 31) as f32 / 31.0).collect();
    let y: Vec<u8> = (0..40).map(|i| i % 10).collect();
    let examples = Examples::new(Inputs::new(&x, inputs).unwrap(), &y).unwrap();
    let activation = Activation::Tanh;
    let shape = Architecture { inputs, hidden: vec![], outputs: 10, activation };
    let network = Mlp::new(shape, Init::Xavier, 1).unwrap();
    let fit = Fit { clip_norm: Some(0.25), ..Fit::default() };
    let mut session = Session::new(network, &fit).unwrap();
    session.step(&examples, 0.5, executor).unwrap();
    session.network().to_bytes()
}

/// Of several tiles of a panel only the last one has the biases, clipped or not.
#[test]
fn a_clipped_gradient_in_tiles_of_inputs_is_the_same() {
    struct Four;
    impl Executor for Four {
        fn threads(&self) -> usize {
            4
        }

        // A small step is cut too.
        fn threads_for(&self, _: usize) -> usize {
            4
        }

        fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
            b();
            a();
        }
    }
    assert!(clipped(&Four) == clipped(&Sequential));
}

/// Gains are averaged too, and the returned network has them and the running averages
/// folded in.
#[test]
fn the_average_is_that_of_all_parameters() {
    let (x, y) = samples();
    let examples = Examples::new(Inputs::new(&x, INPUTS).unwrap(), &y).unwrap();
    for batch_norm in [None, Some(BatchNorm::default())] {
        let average = Some(Average { decay: 0.25 });
        let fit = Fit { batch_norm, average, ..Fit::default() };
        let mut session = Session::new(network(), &fit).unwrap();
        let mut expected: Vec<f64> = session.network.params.iter().map(|w| (*w).into()).collect();
        for d in [2.0 / 11.0, 0.25, 0.25] {
            session.step(&examples, 0.5, &Sequential).unwrap();
            for (e, w) in expected.iter_mut().zip(&session.network.params[..]) {
                *e = d * *e + (1.0 - d) * f64::from(*w);
            }
        }
        let average = session.average.as_ref().unwrap();
        for (e, expected) in average.params.iter().zip(&expected) {
            assert!((f64::from(*e) - expected).abs() < 1e-6, "{e} for {expected}");
        }
        let folded = match &session.running {
            Some(running) => running.fold(average).to_bytes(),
            None => average.to_bytes(),
        };
        assert!(session.network().to_bytes() == folded);
        assert!(session.into_network().to_bytes() == folded);
    }
}

#[test]
fn a_clone_takes_the_same_steps() {
    let (x, y) = samples();
    let examples = Examples::new(Inputs::new(&x, INPUTS).unwrap(), &y).unwrap();
    let (batch_norm, average) = (Some(BatchNorm::default()), Some(Average { decay: 0.5 }));
    let fit = Fit { batch_norm, average, optimizer: Optimizer::adam(), ..Fit::default() };
    let mut session = Session::new(network(), &fit).unwrap();
    session.step(&examples, 0.01, &Sequential).unwrap();
    let mut clone = session.clone();
    assert!(clone.to_bytes() == session.to_bytes());
    session.step(&examples, 0.01, &Sequential).unwrap();
    assert!(clone.to_bytes() != session.to_bytes());
    clone.step(&examples, 0.01, &Sequential).unwrap();
    assert!(clone.to_bytes() == session.to_bytes());
    assert!(format!("{clone:?}").starts_with("Session { steps: 2, network: Mlp {"));
}

/// With and without batch normalisation, and with a clipped gradient.
#[test]
fn no_unit_has_longer_weights_than_max_norm() {
    let (x, y) = samples();
    let examples = Examples::new(Inputs::new(&x, INPUTS).unwrap(), &y).unwrap();
    for batch_norm in [None, Some(BatchNorm::default())] {
        for (max_norm, clip_norm) in
            [(None, None), (None, Some(0.5)), (Some(0.75), None), (Some(0.75), Some(0.5))]
        {
            let fit = Fit { batch_norm, max_norm, clip_norm, ..Fit::default() };
            let mut session = Session::new(network(), &fit).unwrap();
            for _ in 0..3 {
                session.step(&examples, 0.5, &Sequential).unwrap();
            }
            let mut longest: f32 = 0.0;
            for dense in &session.network.layers {
                let (weights, _) = unpack(dense, &session.network.params);
                for unit in weights.chunks_exact(dense.inputs) {
                    longest = longest.max(unit.iter().map(|w| w * w).sum::<f32>().sqrt());
                }
            }
            let limit = max_norm.unwrap_or(f32::INFINITY);
            assert!(longest > 0.749 && longest < limit * 1.000_001, "{longest} with {fit:?}");
        }
    }
}
