//! Early stopping returns the best network, whatever ended the run; a token ends a run
//! from another thread; and a session takes the same steps as a run.

use std::ops::ControlFlow;

use crate::common::{Recorder, examples, go_on, noise, start, train};
use nn::{
    Average, Callback, Curve, EarlyStopping, EpochReport, Error, Fit, Monitor, Sequential, Session,
    StopToken,
};

/// Labels are random, so training memorises them and the validation loss rises.
fn overfitting() -> Fit {
    Fit { epochs: 200, lr: 0.1, schedule: Curve::Constant.into(), ..start().1 }
}

#[test]
fn early_stopping_returns_the_best_network() {
    let (x, y) = noise();
    let (before, _) = start();
    let all = examples(&before, &x, &y);
    let (train_on, hold_out): (Vec<u32>, Vec<u32>) = (0..50).partition(|i| i % 2 == 0);
    let (seen, held_out) = (all.subset(&train_on).unwrap(), all.subset(&hold_out).unwrap());
    // The returned network is the one that was validated: with an average, the average.
    for (monitor, average) in [
        (Monitor::Accuracy, None),
        (Monitor::Loss, None),
        (Monitor::Loss, Some(Average { decay: 0.9 })),
    ] {
        let rule = EarlyStopping { monitor, patience: 7, min_delta: 0.0 };
        let fit = Fit { early_stopping: Some(rule), average, ..overfitting() };
        // The run ends by patience, by a callback, and after the last epoch.
        for (fit, last_epoch) in
            [(fit.clone(), None), (fit.clone(), Some(4)), (Fit { epochs: 4, ..fit }, None)]
        {
            let mut network = before.clone();
            let mut seen_reports = Recorder { last_epoch, ..Recorder::default() };
            let history = fit
                .run(&mut network, &seen, Some(&held_out), &Sequential, &mut seen_reports)
                .unwrap();

            let result = |report: &EpochReport| report.validation.unwrap();
            let score = |report: &EpochReport| match monitor {
                Monitor::Accuracy => result(report).accuracy,
                _ => -result(report).loss,
            };
            let best = history.epochs.iter().map(score).fold(f64::NEG_INFINITY, f64::max);
            // The first of the best epochs, if several are equally good.
            let first = history.epochs.iter().find(|report| score(report) == best).unwrap();
            assert_eq!(history.best, Some(first.epoch));
            let found = network.evaluate(&held_out, &Sequential).unwrap();
            assert_eq!(found.loss, result(first).loss);
            if fit.epochs == 200 && last_epoch.is_none() {
                assert!(history.stopped);
                assert_eq!(history.epochs.len(), first.epoch + 7);
            }
        }
    }
}

#[test]
fn early_stopping_without_validation_or_out_of_range_is_an_error() {
    let (x, y) = noise();
    let (mut network, fit) = start();
    let all = examples(&network, &x, &y);
    let before = network.to_bytes();
    let mut run = |rule| {
        let fit = Fit { early_stopping: Some(rule), ..fit.clone() };
        fit.run(&mut network, &all, None, &Sequential, go_on).unwrap_err()
    };
    let rule = EarlyStopping::default();
    assert!(matches!(run(rule), Error::NoValidation));
    assert!(matches!(run(EarlyStopping { patience: 0, ..rule }), Error::Zero { .. }));
    for min_delta in [-0.1, f64::NAN, f64::INFINITY] {
        assert!(matches!(run(EarlyStopping { min_delta, ..rule }), Error::OutOfRange { .. }));
    }
    assert_eq!(network.to_bytes(), before);
}

#[test]
fn a_token_ends_the_run_after_the_current_step() {
    let (x, y) = noise();
    let (mut network, fit) = start();
    let all = examples(&network, &x, &y);
    let (token, mut seen) = (StopToken::default(), Recorder::default());
    assert!(!token.is_stopped());
    let pull = token.clone();
    // Both callbacks get each report; `stop` is called in the first epoch.
    let pulling = |_: &EpochReport| {
        pull.stop();
        ControlFlow::Continue(())
    };
    let callback = pulling.and(token.clone()).and(&mut seen);
    let history = fit.run(&mut network, &all, None, &Sequential, callback).unwrap();
    assert!(history.stopped && token.is_stopped());
    assert_eq!((seen.steps.len(), seen.epochs.len()), (3, 1));

    let mut seen = Recorder::default();
    let callback = token.and(&mut seen);
    let history = fit.run(&mut network, &all, None, &Sequential, callback).unwrap();
    assert!(history.stopped && history.epochs.is_empty());
    assert_eq!(seen.steps.len(), 1);
}

#[test]
fn a_session_takes_the_same_steps_as_a_run() {
    let (x, y) = noise();
    let (network, fit) = start();
    let fit = Fit { epochs: 3, batch_size: 50, shuffle: false, ..fit };
    let all = examples(&network, &x, &y);
    let expected = train(network.clone(), &fit, &all).to_bytes();
    let mut session = Session::new(network, &fit).unwrap();
    for step in 1..=3 {
        session.step(&all, fit.lr, &Sequential).unwrap();
        assert_eq!(session.steps(), step);
    }
    assert!(session.network().to_bytes() == expected);

    // A step that fails changes nothing.
    for lr in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert!(matches!(session.step(&all, lr, &Sequential), Err(Error::OutOfRange { .. })));
    }
    let none = all.subset(&[]).unwrap();
    assert!(matches!(session.step(&none, 0.1, &Sequential), Err(Error::Empty)));
    // A batch that is larger than all before it needs new memory.
    let twice: Vec<u32> = (0..50).chain(0..50).collect();
    assert!(session.network().to_bytes() == expected);
    session.step(&all.subset(&twice).unwrap(), 0.1, &Sequential).unwrap();
    assert!(session.into_network().to_bytes() != expected);
}
