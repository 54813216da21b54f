//! A run that is saved after any step and continued ends with the bits of a run that was
//! never left.

use std::ops::ControlFlow;

use nn::{
    Activation, Augment, Average, BatchNorm, Callback, Checkpoint, ClassWeights, Curve, Draw,
    Dropout, DropoutKind, EarlyStopping, Ended, EpochReport, Error, Examples, Fit, Head, History,
    Inputs, Mlp, Monitor, Noise, Optimizer, Preparation, Run, Schedule, Sequential, Session,
    StepReport, Values,
};

use crate::common::{Threads, go_on, labels, network, uniform, until};

/// 50 samples in steps of 20, 20 and 10.
const STEPS_PER_EPOCH: u64 = 3;

/// Leaves the run after each step and after each epoch.
struct Leave;

impl Callback for Leave {
    fn on_step(&mut self, _: &StepReport) -> ControlFlow<()> {
        ControlFlow::Break(())
    }

    fn on_epoch(&mut self, _: &EpochReport) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
}

/// Leaves the run after this step.
struct LeaveAt(u64);

impl Callback for LeaveAt {
    fn on_step(&mut self, report: &StepReport) -> ControlFlow<()> {
        until(report.step == self.0)
    }

    fn on_epoch(&mut self, _: &EpochReport) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Adds something that depends on all that an augmentation may depend on.
struct Shift;

impl Augment for Shift {
    fn augment(&self, draw: Draw, features: &mut [f32]) {
        let Draw { seed, epoch, sample } = draw;
        features[0] += (seed + 3 * epoch + sample) as f32 / 100.0;
    }
}

/// What a run returns, without its seconds.
fn outcome(run: Run<'_>) -> (Vec<u8>, History) {
    let (network, mut history) = run.finish();
    history.epochs.iter_mut().for_each(|epoch| epoch.train_seconds = 0.0);
    (network.to_bytes(), history)
}

/// Every hyperparameter by itself, and many at once.
fn fits() -> Vec<Fit> {
    let plain = Fit { epochs: 3, batch_size: 20, lr: 0.05, seed: 3, ..Fit::default() };
    let some = |change: &dyn Fn(&mut Fit)| {
        let mut fit = plain.clone();
        change(&mut fit);
        fit
    };
    let mut fits = vec![
        plain.clone(),
        some(&|fit| fit.shuffle = false),
        some(&|fit| (fit.l1, fit.l2) = (1e-3, 1e-2)),
        some(&|fit| fit.max_norm = Some(0.5)),
        some(&|fit| fit.clip_norm = Some(0.1)),
        some(&|fit| fit.average = Some(Average { decay: 0.9 })),
        some(&|fit| fit.dropout = Dropout { input: 0.1, hidden: 0.3, ..Dropout::default() }),
        some(&|fit| {
            fit.dropout = Dropout { input: 0.1, hidden: 0.3, kind: DropoutKind::Gaussian };
        }),
        some(&|fit| fit.noise = Noise { input: 0.1, hidden: 0.2 }),
        some(&|fit| fit.batch_norm = Some(BatchNorm { rows: 10, ..BatchNorm::default() })),
        some(&|fit| fit.label_smoothing = 0.1),
        some(&|fit| fit.class_weights = Some(ClassWeights::Balanced)),
        some(&|fit| fit.schedule.warmup = 0.5),
    ];
    for (optimizer, _) in Optimizer::ALL {
        fits.push(some(&|fit| fit.optimizer = optimizer));
    }
    for curve in [
        Curve::Compounding { decay: 0.1 },
        Curve::InverseTime { decay: 0.1 },
        Curve::Step { every: 1, factor: 0.5 },
        Curve::Exponential { factor: 0.9 },
        Curve::Linear { from: 0.2 },
        Curve::Cosine,
        Curve::OneCycle { pct_start: 0.3, div_factor: 25.0, final_div_factor: 1e4 },
    ] {
        fits.push(some(&|fit| fit.schedule = curve.into()));
    }
    // A rate that grows makes a network worse, so that the best is not the last one.
    for monitor in [Monitor::Accuracy, Monitor::Loss] {
        let early_stopping = Some(EarlyStopping { monitor, patience: 2, min_delta: 0.0 });
        fits.push(some(&|fit| {
            fit.epochs = 8;
            fit.schedule = Curve::Exponential { factor: 3.0 }.into();
            fit.early_stopping = early_stopping;
        }));
    }
    fits.push(Fit {
        optimizer: Optimizer::Adamw { beta1: 0.8, beta2: 0.9, epsilon: 1e-8 },
        schedule: Schedule { curve: Curve::Cosine, warmup: 0.2 },
        l1: 1e-4,
        l2: 1e-2,
        max_norm: Some(2.0),
        clip_norm: Some(0.5),
        average: Some(Average { decay: 0.99 }),
        dropout: Dropout { input: 0.1, hidden: 0.3, ..Dropout::default() },
        noise: Noise { input: 0.1, hidden: 0.2 },
        batch_norm: Some(BatchNorm { rows: 10, ..BatchNorm::default() }),
        early_stopping: Some(EarlyStopping { patience: 3, ..EarlyStopping::default() }),
        label_smoothing: 0.1,
        lr: 0.01,
        ..plain
    });
    fits
}

/// Compares a run that is never left with runs that are left after each single step, and
/// with one that is left after every step.
fn check(network: &Mlp, fit: &Fit, train: Examples<'_>, validation: Option<Examples<'_>>) {
    let start = || Run::new(network.clone(), fit, train, validation).unwrap();
    let mut whole = start();
    let ended = whole.train(&Sequential, go_on).unwrap();
    let steps = whole.steps();
    let expected = outcome(whole);
    assert_eq!(steps, STEPS_PER_EPOCH * expected.1.epochs.len() as u64);

    for step in 1..=steps {
        let mut run = start();
        run.train(&Threads(2), LeaveAt(step)).unwrap();
        assert_eq!(run.steps(), step);
        let saved = Checkpoint::from_bytes(&run.to_bytes()).unwrap();
        assert_eq!((saved.steps(), saved.fit()), (step, fit));
        let mut run = saved.resume(train, validation).unwrap();
        assert_eq!(run.train(&Threads(3), ()).unwrap(), ended, "after step {step}, {fit:?}");
        // assert_eq would print the models.
        assert!(outcome(run) == expected, "after step {step}, {fit:?}");
    }

    let mut run = start();
    let mut times = 0;
    while run.train(&Sequential, Leave).unwrap() == Ended::Callback {
        let bytes = run.to_bytes();
        run = Checkpoint::from_bytes(&bytes).unwrap().resume(train, validation).unwrap();
        assert!(run.to_bytes() == bytes, "after step {}, {fit:?}", run.steps());
        times += 1;
    }
    assert!(times >= steps, "left {times} times in {steps} steps");
    assert!(outcome(run) == expected, "{fit:?}");
}

#[test]
fn every_run_continues_from_every_step() {
    let (x, y) = (uniform(1, 50 * 7), labels(2, 50, 3));
    let weights: Vec<f32> = (0..50).map(|i| (1 + i % 3) as f32).collect();
    let examples = Examples::new(Inputs::new(&x, 7).unwrap(), &y).unwrap();
    for fit in fits() {
        let network = network(&[7, 9, 5, 3], Activation::Tanh, 4);
        check(&network, &fit, examples, Some(examples));
    }
    // Wide enough that layers have several panels, and what is not a hyperparameter.
    let every = fits().pop().unwrap();
    for (activation, _) in Activation::ALL {
        let mut network = network(&[7, 60, 20, 3], activation, 4);
        network.set_class_names(["a", "b", "c"]).unwrap();
        network.set_preparation(Some(Preparation::Named("none".into()))).unwrap();
        let train = examples.weighted(&weights).unwrap().augmented(&Shift);
        check(&network, &every, train, Some(examples));
    }
}

#[test]
fn runs_of_every_head_continue() {
    let x = uniform(1, 50 * 7);
    let labels = labels(2, 50, 2);
    let values: Vec<f32> = labels.iter().map(|label| *label as f32).collect();
    let inputs = Inputs::new(&x, 7).unwrap();
    let by_label = Examples::new(inputs, &labels).unwrap();
    let by_value = Examples::new(inputs, Values::new(&values, 1).unwrap()).unwrap();
    let rule = EarlyStopping { monitor: Monitor::Loss, patience: 3, min_delta: 0.0 };
    let fit =
        Fit { epochs: 3, batch_size: 20, lr: 0.01, early_stopping: Some(rule), ..Fit::default() };
    for (head, _) in Head::ALL.iter().filter(|(head, _)| *head != Head::Softmax) {
        let network = network(&[7, 9, 1], Activation::Tanh, 4).with_head(*head).unwrap();
        let examples = if *head == Head::Logistic { by_label } else { by_value };
        check(&network, &fit, examples, Some(examples));
    }
}

#[test]
fn a_session_continues_from_every_step() {
    let (x, y) = (uniform(1, 50 * 7), labels(2, 50, 3));
    let examples = Examples::new(Inputs::new(&x, 7).unwrap(), &y).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("session");
    for fit in fits() {
        let network = network(&[7, 9, 3], Activation::Tanh, 4);
        let mut whole = Session::new(network.clone(), &fit).unwrap();
        let mut left = Session::new(network, &fit).unwrap();
        for step in 0..6 {
            let expected = whole.step(&examples, 0.01, &Sequential).unwrap();
            assert_eq!(left.step(&examples, 0.01, &Sequential).unwrap(), expected, "{step}");
            left.save(&path).unwrap();
            left = Session::load(&path).unwrap();
        }
        assert_eq!(left.steps(), 6);
        assert!(left.into_network().to_bytes() == whole.into_network().to_bytes(), "{fit:?}");
    }
}

/// With a schedule that does not depend on the length of the run.
#[test]
fn more_epochs_go_on_from_the_end() {
    let (x, y) = (uniform(1, 50 * 7), labels(2, 50, 3));
    let train = Examples::new(Inputs::new(&x, 7).unwrap(), &y).unwrap();
    let network = network(&[7, 9, 3], Activation::Tanh, 4);
    let run = |epochs| {
        let fit = Fit { epochs, batch_size: 20, ..Fit::default() };
        let mut run = Run::new(network.clone(), &fit, train, None).unwrap();
        run.train(&Sequential, ()).unwrap();
        run
    };
    let mut saved = Checkpoint::from_bytes(&run(2).to_bytes()).unwrap();
    for epochs in [0, 1] {
        assert!(matches!(saved.set_epochs(epochs), Err(Error::OutOfRange { .. })));
    }
    saved.set_epochs(5).unwrap();
    let mut longer = saved.resume(train, None).unwrap();
    assert_eq!(longer.train(&Sequential, ()).unwrap(), Ended::LastEpoch);
    assert!(outcome(longer) == outcome(run(5)));
}

#[test]
fn a_rate_that_the_caller_chooses_is_that_of_a_schedule() {
    let (x, y) = (uniform(1, 50 * 7), labels(2, 50, 3));
    let train = Examples::new(Inputs::new(&x, 7).unwrap(), &y).unwrap();
    let network = network(&[7, 9, 3], Activation::Tanh, 4);
    let fit = Fit { epochs: 4, batch_size: 20, lr: 0.5, ..Fit::default() };
    let halved = Fit { schedule: Curve::Exponential { factor: 0.5 }.into(), ..fit.clone() };
    let mut expected = Run::new(network.clone(), &halved, train, None).unwrap();
    expected.train(&Sequential, ()).unwrap();

    let mut run = Run::new(network.clone(), &fit, train, None).unwrap();
    for lr in [0.5, 0.25, 0.125, 0.0625] {
        for wrong in [0.0, -0.1, f32::NAN, f32::INFINITY] {
            assert!(matches!(run.set_lr(wrong), Err(Error::OutOfRange { .. })), "{wrong}");
        }
        run.set_lr(lr).unwrap();
        run.train(&Sequential, |_: &EpochReport| ControlFlow::Break(())).unwrap();
    }
    assert!(outcome(run).0 == outcome(expected).0);

    // sgd's penalty makes weights grow without bound from `lr·l2 = 2·(1 + momentum)` on.
    let mut run = Run::new(network, &Fit { l2: 1.0, ..fit }, train, None).unwrap();
    assert!(run.set_lr(3.5).is_ok() && run.set_lr(4.0).is_err());
    assert_eq!(run.fit().lr, 3.5);
}

#[test]
fn a_run_that_diverges_keeps_its_best_network() {
    let (x, y) = (uniform(1, 50 * 7), labels(2, 50, 3));
    let train = Examples::new(Inputs::new(&x, 7).unwrap(), &y).unwrap();
    let schedule = Curve::Exponential { factor: 1e20 }.into();
    let plain = Fit { epochs: 9, batch_size: 50, lr: 1e-3, schedule, ..Fit::default() };
    let early_stopping = Some(EarlyStopping { patience: 50, ..EarlyStopping::default() });
    let fit = Fit { early_stopping, ..plain.clone() };
    let start = network(&[7, 9, 3], Activation::Relu, 4);

    let mut trained = start.clone();
    let history = fit.run(&mut trained, &train, Some(&train), &Sequential, ()).unwrap();
    assert_eq!(history.ended, Ended::Diverged);
    assert!(history.stopped && history.best.is_some());
    let best = history.epochs[history.best.unwrap() - 1].validation.unwrap();
    assert_eq!(trained.evaluate(&train, &Sequential).unwrap(), best);

    // Without early stopping there is nothing to return.
    let mut trained = start.clone();
    let result = plain.run(&mut trained, &train, Some(&train), &Sequential, ());
    assert!(matches!(result, Err(Error::Diverged { .. })));
    assert_eq!(trained.to_bytes(), start.to_bytes());
}

#[test]
fn a_saved_run_is_a_file_of_about_the_size_that_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("checkpoint");
    let (x, y) = (uniform(1, 50 * 7), labels(2, 50, 3));
    let train = Examples::new(Inputs::new(&x, 7).unwrap(), &y).unwrap();
    let network = network(&[7, 2000, 3], Activation::Tanh, 4);
    for (optimizer, _) in Optimizer::ALL {
        let early_stopping = Some(EarlyStopping::default());
        let average = Some(Average { decay: 0.9 });
        let fit = Fit { epochs: 1, optimizer, early_stopping, average, ..Fit::default() };
        let mut run = Run::new(network.clone(), &fit, train, Some(train)).unwrap();
        run.train(&Sequential, ()).unwrap();
        run.save(&path).unwrap();
        let (len, said) = (std::fs::metadata(&path).unwrap().len(), run.saved_len());
        assert!(len <= said && said - len <= 10_000, "{optimizer:?}: {len} bytes, said {said}");
        let saved = Checkpoint::load(&path).unwrap();
        assert_eq!(saved.history(), run.history());
        assert!(["avx512", "avx2", "neon", "scalar"].contains(&saved.isa()), "{}", saved.isa());
    }
}

#[test]
fn damaged_and_other_files_are_no_checkpoints() {
    let (x, y) = (uniform(1, 50 * 7), labels(2, 50, 3));
    let train = Examples::new(Inputs::new(&x, 7).unwrap(), &y).unwrap();
    let fit = fits().pop().unwrap();
    let network = network(&[7, 2, 3], Activation::Tanh, 4);
    let mut run = Run::new(network.clone(), &fit, train, Some(train)).unwrap();
    run.train(&Sequential, LeaveAt(4)).unwrap();
    run.notes().insert("who".into(), "me".into());
    let bytes = run.to_bytes();
    let saved = Checkpoint::from_bytes(&bytes).unwrap();
    assert_eq!(saved.notes()["who"], "me");
    assert_eq!(saved.history(), run.history());

    for len in 0..bytes.len() {
        assert!(Checkpoint::from_bytes(&bytes[..len]).is_err(), "{len}");
    }
    for at in 0..bytes.len() {
        let mut other = bytes.clone();
        for bit in [0, 3, 7] {
            other[at] ^= 1 << bit;
            assert!(Checkpoint::from_bytes(&other).is_err(), "bit {bit} of byte {at}");
            other[at] ^= 1 << bit;
        }
    }
    let error = Checkpoint::from_bytes(&network.to_bytes()).err().unwrap().to_string();
    assert_eq!(
        error,
        "the input is not a checkpoint: its format is `nn.mlp`, expected `nn.checkpoint`"
    );
    let session = Session::new(network, &fit).unwrap();
    let error = Checkpoint::from_bytes(&session.to_bytes()).err().unwrap().to_string();
    assert!(error.ends_with("it is a session by itself, expected a run"), "{error}");
    // The session of a run is a session.
    assert_eq!(Session::from_bytes(&bytes).unwrap().steps(), 4);

    let fewer: Vec<u32> = (0..40).collect();
    let error = saved.resume(train.subset(&fewer).unwrap(), Some(train)).err().unwrap();
    assert_eq!(error.to_string(), "the run was trained on 50 samples: there are 40 now");
}
