//! How far the weights of a run have moved, and its latest network.

use std::ops::ControlFlow;

use nn::{
    Activation, Average, BatchNorm, EarlyStopping, EpochReport, Fit, Mlp, Optimizer, Run,
    Sequential,
};

use crate::common::{examples, labels, network, uniform};

fn norm(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt()
}

fn one_epoch(_: &EpochReport) -> ControlFlow<()> {
    ControlFlow::Break(())
}

/// A step of plain SGD moves the weights by the learning rate times their gradient.
#[test]
fn a_step_of_gradient_descent() {
    let before = network(&[5, 20, 7, 3], Activation::Tanh, 1);
    let (x, y) = (uniform(2, 30 * 5), labels(3, 30, 3));
    let data = examples(&before, &x, &y);
    let fit = Fit {
        batch_size: 30,
        lr: 0.1,
        optimizer: Optimizer::sgd(0.0),
        frozen: 1,
        ..Fit::default()
    };
    let gradient = fit.gradient(&before, &data, 0, &Sequential).unwrap();
    let mut run = Run::new(before.clone(), &fit, data, None).unwrap();
    let start = run.weights();
    assert_eq!(run.weights().changes(&start), [0.0; 3]);
    run.train(&Sequential, one_epoch).unwrap();
    assert_eq!(run.steps(), 1);
    let changes = run.weights().changes(&start);
    assert_eq!((changes.len(), changes[0]), (3, 0.0), "the first layer is frozen");
    for l in 1..3 {
        let expected = 0.1 * norm(&gradient.layers[l].0) / norm(&before.layer(l).unwrap().0);
        assert!((changes[l] / expected - 1.0).abs() < 1e-4, "{l}: {changes:?}, {expected}");
    }
}

/// What is compared is what steps change, and not what is kept or returned.
#[test]
fn averages_and_folded_networks_do_not_count() {
    let (x, y) = (uniform(2, 40 * 5), labels(3, 40, 3));
    let start = network(&[5, 20, 3], Activation::Relu, 1);
    let data = examples(&start, &x, &y);
    let change = |fit: &Fit| {
        let mut run = Run::new(start.clone(), fit, data, None).unwrap();
        let before = run.weights();
        run.train(&Sequential, one_epoch).unwrap();
        run.weights().changes(&before)
    };
    let fit = Fit { batch_size: 20, lr: 0.1, ..Fit::default() };
    let averaged = Fit { average: Some(Average::default()), ..fit.clone() };
    assert_eq!(change(&averaged), change(&fit));
    // The running averages divide the weights by the deviation of the samples.
    let normalised =
        Fit { batch_norm: Some(BatchNorm { rows: 20, ..BatchNorm::default() }), ..fit };
    assert!(change(&normalised).iter().all(|change| (1e-4..0.5).contains(change)));
}

#[test]
fn the_latest_network_is_not_the_best_one() {
    let start = network(&[5, 20, 3], Activation::Relu, 1);
    let (x, y) = (uniform(2, 40 * 5), labels(3, 40, 3));
    let data = examples(&start, &x, &y);
    let fit = Fit {
        batch_size: 20,
        lr: 0.1,
        epochs: 4,
        // No later epoch is better by that much.
        early_stopping: Some(EarlyStopping {
            patience: 10,
            min_delta: 0.99,
            ..EarlyStopping::default()
        }),
        ..Fit::default()
    };
    let mut run = Run::new(start.clone(), &fit, data, Some(data)).unwrap();
    let mut seen: Vec<Mlp> = Vec::new();
    for _ in 0..3 {
        run.train(&Sequential, one_epoch).unwrap();
        seen.push(run.latest());
    }
    assert_eq!(run.history().best, Some(1));
    assert!(run.network().to_bytes() == seen[0].to_bytes());
    // The run without early stopping takes the same steps.
    let fit = Fit { early_stopping: None, ..fit };
    let mut plain = Run::new(start, &fit, data, None).unwrap();
    for latest in seen {
        plain.train(&Sequential, one_epoch).unwrap();
        assert!(plain.network().to_bytes() == latest.to_bytes());
    }
}
