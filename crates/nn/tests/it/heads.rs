//! What every head has to do: a gradient that is the slope of its loss, the same bits for
//! any executor, files that lead back, figures that are right, and errors for targets that
//! it cannot learn from.

use std::ops::ControlFlow;

use nn::{
    Activation, Architecture, Average, BatchNorm, Candidate, ClassWeights, Dropout, EarlyStopping,
    EpochReport, Error, Evaluation, Examples, Executor, Figures, Fit, Head, Init, Inputs, Mlp,
    Monitor, Noise, Predictor, Sequential, Session, Split, Targets, Values, search,
};

use crate::common::{Threads, go_on, labels, network, uniform};

const INPUTS: usize = 7;
const ROWS: usize = 45;

/// Samples and targets of every form.
struct Data {
    x: Vec<f32>,
    classes: Vec<u32>,
    yes: Vec<u32>,
    values: Vec<f32>,
    flags: Vec<f32>,
    weights: Vec<f32>,
}

impl Data {
    fn new() -> Self {
        let flags = labels(4, ROWS * 3, 2).into_iter().map(|flag| flag as f32);
        Self {
            x: uniform(1, ROWS * INPUTS),
            classes: labels(2, ROWS, 3),
            yes: labels(3, ROWS, 2),
            values: uniform(5, ROWS * 3),
            flags: flags.collect(),
            weights: uniform(6, ROWS).iter().map(|w| w + 1.0).collect(),
        }
    }

    fn targets(&self, head: Head) -> Targets<'_> {
        match head {
            Head::Softmax => (&self.classes).into(),
            Head::Logistic => (&self.yes).into(),
            Head::Multilabel => Values::new(&self.flags, 3).unwrap().into(),
            _ => Values::new(&self.values, 3).unwrap().into(),
        }
    }

    fn examples(&self, head: Head) -> Examples<'_> {
        let inputs = Inputs::new(&self.x, INPUTS).unwrap();
        Examples::new(inputs, self.targets(head)).unwrap()
    }
}

/// A network of two hidden layers.
fn start(head: Head) -> Mlp {
    let outputs = if head == Head::Logistic { 1 } else { 3 };
    network(&[INPUTS, 20, 18, outputs], Activation::Tanh, 9).with_head(head).unwrap()
}

fn all() -> impl Iterator<Item = Head> {
    Head::ALL.into_iter().map(|(head, _)| head).chain([Head::Huber { delta: 0.25 }])
}

#[test]
fn gradients_are_slopes() {
    let data = Data::new();
    for head in all() {
        let batch_norm = Some(BatchNorm { rows: 10, ..BatchNorm::default() });
        let mut fits = vec![Fit::default(), Fit { batch_norm, ..Fit::default() }];
        if head == Head::Logistic || head == Head::Softmax {
            let weights = if head == Head::Logistic { vec![0.5, 3.0] } else { vec![1.0, 0.0, 2.0] };
            let class_weights = Some(ClassWeights::Each(weights));
            fits.push(Fit { label_smoothing: 0.2, class_weights, ..Fit::default() });
        }
        for fit in fits {
            for weighted in [false, true] {
                let mut examples = data.examples(head);
                if weighted {
                    examples = examples.weighted(&data.weights).unwrap();
                }
                let check = start(head).check_gradient(&examples, &fit, 40).unwrap();
                let case = format!("{head}, weighted {weighted}, {:?}", fit.batch_norm);
                assert!(check.checked > 80 && check.largest_error < 3e-5, "{case}: {check:?}");
                assert!(check.loss_error < 1e-6, "{case}: {check:?}");
            }
        }
    }
}

/// Everything at once, as bits: the model, and what the run reports.
fn outcome(head: Head, data: &Data, executor: &impl Executor) -> (Vec<u8>, Vec<u64>) {
    let fit = Fit {
        epochs: 4,
        batch_size: 16,
        lr: 0.02,
        dropout: Dropout { input: 0.1, hidden: 0.2, ..Dropout::default() },
        noise: Noise { hidden: 0.1, input: 0.1 },
        batch_norm: Some(BatchNorm { rows: 6, ..BatchNorm::default() }),
        average: Some(Average { decay: 0.9 }),
        clip_norm: Some(1.0),
        early_stopping: Some(EarlyStopping { monitor: Monitor::Loss, ..Default::default() }),
        ..Fit::default()
    };
    let examples = data.examples(head).weighted(&data.weights).unwrap();
    let mut network = start(head);
    let history = fit.run(&mut network, &examples, Some(&examples), executor, go_on).unwrap();
    let mut numbers = Vec::new();
    for epoch in &history.epochs {
        let evaluation = epoch.validation.unwrap();
        numbers.extend([epoch.train_loss, epoch.train_accuracy]);
        numbers.extend([evaluation.loss, evaluation.accuracy]);
        let figures = evaluation.figures.map_or(Vec::new(), |figures| figures.named());
        numbers.extend(figures.into_iter().map(|(_, figure)| figure));
    }
    (network.to_bytes(), numbers.into_iter().map(f64::to_bits).collect())
}

/// Cuts small steps too.
struct Eager(usize);

impl Executor for Eager {
    fn threads(&self) -> usize {
        self.0
    }
    fn threads_for(&self, _: usize) -> usize {
        self.0
    }
    fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
        Threads(self.0).join(a, b);
    }
}

#[test]
fn every_executor_computes_the_same_bits() {
    let data = Data::new();
    for head in all() {
        let expected = outcome(head, &data, &Sequential);
        for threads in [1, 2, 3, 7] {
            assert!(outcome(head, &data, &Eager(threads)) == expected, "{head}, {threads}");
        }
    }
}

#[test]
fn a_run_lowers_the_loss_and_an_evaluation_agrees_with_the_step() {
    let data = Data::new();
    for head in all() {
        let examples = data.examples(head);
        let mut session = Session::new(start(head), &Fit::default()).unwrap();
        let before = session.network().evaluate(&examples, &Sequential).unwrap();
        let step = session.step(&examples, 0.1, &Sequential).unwrap();
        assert_eq!((before.loss, before.errors), (step.loss, step.errors), "{head}");
        for _ in 0..400 {
            session.step(&examples, 0.1, &Sequential).unwrap();
        }
        let after = session.network().evaluate(&examples, &Sequential).unwrap();
        assert!(after.loss < 0.5 * before.loss, "{head}: {} to {}", before.loss, after.loss);
    }
}

#[test]
fn files_lead_back_and_only_other_heads_need_a_new_version() {
    let data = Data::new();
    let inputs = Inputs::new(&data.x, INPUTS).unwrap();
    for head in all() {
        let network = start(head);
        let bytes = network.to_bytes();
        let same = Mlp::from_bytes(&bytes).unwrap();
        assert_eq!((same.head(), same.to_bytes()), (head, bytes.clone()));
        assert_eq!(same.outputs(&inputs).unwrap(), network.outputs(&inputs).unwrap());
        let version = if head == Head::Softmax { r#""version":"1""# } else { r#""version":"2""# };
        let header = String::from_utf8_lossy(&bytes);
        assert!(header.contains(version), "{head}");
        assert_eq!(header.contains("\"head\""), head != Head::Softmax);
    }
    let bytes = start(Head::Squared).to_bytes();
    for (from, to, expected) in [
        ("\"squared\"", "\"sqaured\"", "`sqaured` is no head: expected one of softmax, squared"),
        ("\"version\":\"2\"", "\"version\":\"1\"", "its version is `1`, which has no `head`"),
        ("\"version\":\"2\"", "\"version\":\"3\"", "its version is `3`, expected `1` or `2`"),
    ] {
        let at = bytes.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
        let mut other = bytes.clone();
        other[at..at + from.len()].copy_from_slice(to.as_bytes());
        let error = Mlp::from_bytes(&other).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// An evaluation of a network without layers between: its outputs are `w·x + b`, here the
/// single feature itself.
fn evaluated(head: Head, outputs: usize, x: &[f32], targets: Targets<'_>) -> Evaluation {
    let shape =
        Architecture { inputs: outputs, hidden: vec![], outputs, activation: Activation::Tanh };
    let mut network = Mlp::zeros(shape).unwrap().with_head(head).unwrap();
    let diagonal = |i| if i / outputs == i % outputs { 1.0 } else { 0.0 };
    let weights: Vec<f32> = (0..outputs * outputs).map(diagonal).collect();
    network.set_layer(0, &weights, &vec![0.0; outputs]).unwrap();
    let examples = Examples::new(Inputs::new(x, outputs).unwrap(), targets).unwrap();
    network.evaluate(&examples, &Sequential).unwrap()
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-6, "{found}, expected {expected}");
}

#[test]
fn figures_of_real_values() {
    // Two outputs, three samples; the errors are 1, 0, −2 and 0, 0, 0.
    let (x, t) = ([2.0, 5.0, 2.0, 5.0, 1.0, 5.0], [1.0, 5.0, 2.0, 5.0, 3.0, 5.0]);
    for (head, loss) in [
        (Head::Squared, (0.5 + 0.0 + 2.0) / 3.0),
        (Head::Huber { delta: 1.0 }, (0.25 + 0.0 + 0.75) / 3.0),
    ] {
        let found = evaluated(head, 2, &x, Values::new(&t, 2).unwrap().into());
        close(found.loss, loss);
        assert_eq!((found.errors, found.samples), (2, 3));
        let Some(Figures::Values {
            mean_absolute_error, root_mean_squared_error, r_squared, ..
        }) = found.figures
        else {
            panic!("{:?}", found.figures)
        };
        close(mean_absolute_error, 3.0 / 6.0);
        close(root_mean_squared_error, (5.0f64 / 6.0).sqrt());
        // 1 − 5/2 of the first output; the second is constant, and exact.
        close(r_squared, f64::midpoint(-1.5, 1.0));
    }
}

#[test]
fn figures_of_yes_or_no() {
    let (z, y) = ([3.0, 0.5, -1.0, -2.0, 2.0], [1u8, 0, 1, 0, 1]);
    let found = evaluated(Head::Logistic, 1, &z, (&y).into());
    let losses = z.iter().zip(y).map(|(z, y)| {
        let p = 1.0 / (1.0 + f64::from(-z).exp());
        -(if y == 1 { p } else { 1.0 - p }).ln()
    });
    close(found.loss, losses.sum::<f64>() / 5.0);
    assert_eq!((found.errors, found.accuracy), (2, 0.6));
    let Some(Figures::Binary { precision, recall, f1, auc, .. }) = found.figures else {
        panic!("{:?}", found.figures)
    };
    close(precision, 2.0 / 3.0);
    close(recall, 2.0 / 3.0);
    close(f1, 2.0 / 3.0);
    // Of the six pairs of a yes and a no, one is in the wrong order.
    close(auc.unwrap(), 5.0 / 6.0);
    // A logit above 0 whose probability is one half is answered no, here as in `predict`.
    let tiny = evaluated(Head::Logistic, 1, &[1e-12], (&[0u8]).into());
    assert_eq!(tiny.errors, 0);
    let alone = evaluated(Head::Logistic, 1, &[1.0], (&[1u8]).into());
    assert!(matches!(alone.figures, Some(Figures::Binary { auc: None, .. })));
}

#[test]
fn figures_of_labels() {
    let z = [1.0, -1.0, 1.0, 1.0, -1.0, -1.0];
    let t = [1.0, 0.0, 0.0, 1.0, 1.0, 0.0];
    let found = evaluated(Head::Multilabel, 2, &z, Values::new(&t, 2).unwrap().into());
    // Samples 0 is right, 1 has one label wrong, 2 too.
    assert_eq!((found.errors, found.samples), (2, 3));
    let Some(Figures::Labels { label_accuracy, exact_match, f1, auc, .. }) = found.figures else {
        panic!("{:?}", found.figures)
    };
    close(label_accuracy, 4.0 / 6.0);
    close(exact_match, 1.0 / 3.0);
    // Of the first output 1 hit, 1 false yes and 1 false no; of the second 1 hit.
    close(f1, f64::midpoint(0.5, 1.0));
    // Of the first output 1 pair of 2 is ordered, and 1 is tied with half; the second has
    // both in order.
    close(auc.unwrap(), f64::midpoint(0.25, 1.0));
}

#[test]
fn predictions_are_what_the_head_makes_of_outputs() {
    let inputs = Inputs::new(&[2.0, -1.0, 0.5], 1).unwrap();
    let shape =
        Architecture { inputs: 1, hidden: vec![], outputs: 1, activation: Activation::Tanh };
    let mut network = Mlp::zeros(shape).unwrap();
    network.set_layer(0, &[1.0], &[0.0]).unwrap();

    let logistic = network.clone().with_head(Head::Logistic).unwrap();
    let p = logistic.predict_proba(&inputs).unwrap();
    for (p, z) in p.iter().zip([2.0f64, -1.0, 0.5]) {
        close((*p).into(), 1.0 / (1.0 + (-z).exp()));
    }
    assert_eq!(logistic.outputs(&inputs).unwrap(), p);
    assert_eq!(logistic.predict(&inputs).unwrap(), [1, 0, 1]);
    let mut logits = [0.0; 3];
    Predictor::new(&logistic).logits(&inputs, &mut logits).unwrap();
    assert_eq!(logits, [2.0, -1.0, 0.5]);

    for head in [Head::Squared, Head::Huber { delta: 1.0 }] {
        let real = network.clone().with_head(head).unwrap();
        assert_eq!(real.outputs(&inputs).unwrap(), [2.0, -1.0, 0.5]);
        assert!(matches!(real.predict(&inputs), Err(Error::NoClasses { .. })));
        assert!(matches!(real.predict_proba(&inputs), Err(Error::NoClasses { .. })));
    }
    let labels = network.with_head(Head::Multilabel).unwrap();
    assert_eq!(labels.predict_proba(&inputs).unwrap(), p);
    assert!(matches!(labels.predict(&inputs), Err(Error::NoClasses { .. })));
}

#[test]
fn what_a_head_cannot_learn_is_an_error() {
    let data = Data::new();
    let inputs = Inputs::new(&data.x, INPUTS).unwrap();
    let error = |head: Head, targets: Targets<'_>, fit: &Fit| {
        let examples = Examples::new(inputs, targets).unwrap();
        let network = start(head);
        let error = fit.check(&network, &examples, Some(&examples)).unwrap_err().to_string();
        let mut trained = network.clone();
        let run = fit.run(&mut trained, &examples, Some(&examples), &Sequential, go_on);
        assert_eq!(run.unwrap_err().to_string(), error);
        error
    };
    let plain = Fit::default();
    let classes = || Targets::from(&data.classes);
    let values = |values, width| Targets::from(Values::new(values, width).unwrap());
    let one = |at: usize, value: f32| {
        let mut values = vec![0.0; ROWS * 3];
        values[at] = value;
        values
    };
    for (head, targets, expected) in [
        (Head::Squared, classes(), "the targets are class indices: the head squared takes real"),
        (Head::Multilabel, classes(), "the targets are class indices: the head multilabel takes"),
        (Head::Softmax, values(&data.values, 3), "the targets are real values: the head softmax"),
        (Head::Logistic, values(&data.values, 3), "the targets are real values: the head logisti"),
        (Head::Squared, values(&data.x[..ROWS * 2], 2), "a target has 2 values: the network has 3"),
        (Head::Logistic, classes(), "sample "),
        (Head::Squared, values(&one(7, f32::NAN), 3), "the target of output 1 for sample 2 is NaN"),
        (Head::Multilabel, values(&one(8, 0.5), 3), "the target of output 2 for sample 2 is 0.5: "),
    ] {
        let found = error(head, targets, &plain);
        assert!(found.starts_with(expected), "{head}: {found}");
    }

    let smoothed = Fit { label_smoothing: 0.1, ..Fit::default() };
    let found = error(Head::Squared, data.targets(Head::Squared), &smoothed);
    assert_eq!(found, "label smoothing needs classes: the head squared has none");
    let class_weights = Some(ClassWeights::Balanced);
    let weighted = Fit { class_weights, ..Fit::default() };
    let found = error(Head::Multilabel, data.targets(Head::Multilabel), &weighted);
    assert_eq!(found, "class weights needs classes: the head multilabel has none");
    let early = Fit { early_stopping: Some(EarlyStopping::default()), ..Fit::default() };
    let found = error(Head::Squared, data.targets(Head::Squared), &early);
    assert!(found.starts_with("early stopping watches accuracy"), "{found}");

    let three = network(&[INPUTS, 3], Activation::Tanh, 1);
    let error = three.with_head(Head::Logistic).unwrap_err().to_string();
    assert_eq!(error, "the network has 3 outputs: the head logistic takes 1");
}

#[test]
fn names_are_those_of_classes_or_outputs() {
    let names = |count: usize| (0..count).map(|i| format!("name {i}"));
    for (head, count) in
        [(Head::Softmax, 3), (Head::Squared, 3), (Head::Multilabel, 3), (Head::Logistic, 2)]
    {
        let mut network = start(head);
        network.set_class_names(names(count)).unwrap();
        let same = Mlp::from_bytes(&network.to_bytes()).unwrap();
        assert_eq!(same.class_names().unwrap().len(), count);
        assert!(network.set_class_names(names(count + 1)).is_err());
    }
}

#[test]
fn a_search_finds_the_better_candidate() {
    let data = Data::new();
    let folds = Split::stratified_k_fold(&data.yes, 3, 1).unwrap();
    for head in all() {
        let examples = data.examples(head);
        let shape = start(head).architecture().clone();
        let candidate = |name: &str, lr| {
            let fit = Fit { epochs: 5, lr, ..Fit::default() };
            Candidate::new(name, shape.clone(), Init::Xavier, fit).with_head(head)
        };
        let trials =
            search([candidate("a", 0.05), candidate("b", 0.1)], &examples, &folds, &Sequential);
        let trials = trials.unwrap();
        assert_eq!(trials.rows.len(), 2);
        for trial in &trials.rows {
            assert_eq!((trial.folds.len(), trial.samples()), (3, ROWS));
            assert_eq!(trial.folds[0].figures.is_some(), head != Head::Softmax);
        }
    }
}

#[test]
fn early_stopping_gives_back_the_network_with_the_lowest_loss() {
    let data = Data::new();
    for head in all() {
        let examples = data.examples(head);
        let rule = EarlyStopping { monitor: Monitor::Loss, patience: 3, ..Default::default() };
        let fit = Fit {
            epochs: 30,
            batch_size: 5,
            lr: 0.3,
            early_stopping: Some(rule),
            ..Fit::default()
        };
        let mut network = start(head);
        let mut losses = Vec::new();
        let seen = |epoch: &EpochReport| {
            losses.push(epoch.validation.unwrap().loss);
            ControlFlow::Continue(())
        };
        let history = fit.run(&mut network, &examples, Some(&examples), &Sequential, seen).unwrap();
        let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
        assert_eq!(losses[history.best.unwrap() - 1], best, "{head}");
        assert_eq!(network.evaluate(&examples, &Sequential).unwrap().loss, best, "{head}");
    }
}
