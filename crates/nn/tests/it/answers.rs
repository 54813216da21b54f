//! A network gives one answer, whoever asks: predictions, probabilities, evaluations, the
//! accuracy of a step, the confusion matrix. Where an output is not a number, all of them
//! refuse.

use nn::{
    Activation, Architecture, ClassWeights, Confusion, Error, Examples, Fit, Head, Inputs, Mlp,
    Predictions, Predictor, Sequential, Session, Targets, Values,
};

use crate::common::uniform;

/// A network whose outputs are its inputs, so that a test chooses the outputs.
fn identity(head: Head, outputs: usize) -> Mlp {
    let shape =
        Architecture { inputs: outputs, hidden: vec![], outputs, activation: Activation::Tanh };
    let mut network = Mlp::zeros(shape).unwrap().with_head(head).unwrap();
    let mut weights = vec![0.0; outputs * outputs];
    weights.iter_mut().step_by(outputs + 1).for_each(|w| *w = 1.0);
    network.set_layer(0, &weights, &vec![0.0; outputs]).unwrap();
    network
}

/// Rows of logits: ordinary ones, ties, ties but for a rounding error, and huge ones.
fn logits(outputs: usize) -> Vec<f32> {
    let mut rows = uniform(outputs as u64, 40 * outputs);
    let gaps = [0.0, 1e-20, 1e-9, 3e-8, 6e-8, 1e-7, 2e-7, 1e-6, -1e-9, -1e-7, 1e-3];
    for (i, gap) in gaps.into_iter().enumerate() {
        for base in [0.0, 1.0, -0.25] {
            let mut row = vec![base; outputs];
            row[i % outputs] = base + gap;
            rows.extend(row);
        }
    }
    for scale in [1e-30, 1e3, 1e10, 1e30, 3e38] {
        rows.extend(uniform(7, 4 * outputs).into_iter().map(|z| z * scale));
    }
    rows
}

/// The first of the largest.
fn argmax(row: &[f32]) -> u32 {
    (0..row.len()).rev().max_by(|i, j| row[*i].total_cmp(&row[*j])).unwrap() as u32
}

/// The errors that an evaluation and a step find, which must be the same.
fn errors(network: &Mlp, x: &[f32], targets: Targets<'_>) -> usize {
    let inputs = Inputs::new(x, network.architecture().inputs).unwrap();
    let examples = Examples::new(inputs, targets).unwrap();
    let evaluation = network.evaluate(&examples, &Sequential).unwrap();
    assert_eq!(network.accuracy(&examples).unwrap(), evaluation.accuracy);
    // The loss of huge logits overflows, and then a step is refused.
    let mut session = Session::new(network.clone(), &Fit::default()).unwrap();
    if let Ok(step) = session.step(&examples, 1e-30, &Sequential) {
        assert_eq!(step.errors, evaluation.errors);
    }
    evaluation.errors
}

#[test]
fn classes_are_those_of_the_probabilities_everywhere() {
    for (head, outputs) in [
        (Head::Softmax, 1),
        (Head::Softmax, 2),
        (Head::Softmax, 10),
        (Head::Softmax, 33),
        (Head::Softmax, 70),
        (Head::Logistic, 1),
    ] {
        let network = identity(head, outputs);
        let x = logits(outputs);
        let inputs = Inputs::new(&x, outputs).unwrap();
        let classes = network.predict(&inputs).unwrap();
        let probabilities = network.predict_proba(&inputs).unwrap();
        assert_eq!(network.outputs(&inputs).unwrap(), probabilities);
        let (answer, count): (fn(&[f32]) -> u32, _) = match head {
            Head::Logistic => (|row| u32::from(row[0] > 0.5), 2),
            _ => (argmax, outputs),
        };
        let expected: Vec<u32> = probabilities.chunks_exact(outputs).map(answer).collect();
        assert_eq!(classes, expected, "{head}, {outputs}");

        let rows = || x.chunks_exact(outputs);
        for (row, class) in rows().zip(&classes) {
            // Each row by itself, with each label: exactly the predicted one is right.
            for label in 0..count as u32 {
                let found = errors(&network, row, (&[label]).into());
                assert_eq!(found == 0, label == *class, "{head}: {row:?} and {label}");
            }
        }
        for shift in 0..count as u32 {
            let shifted =
                |(i, class): (usize, &u32)| (class + (i as u32 % (shift + 1))) % count as u32;
            let labels: Vec<u32> = classes.iter().enumerate().map(shifted).collect();
            let wrong = labels.iter().zip(&classes).filter(|(a, b)| a != b).count();
            assert_eq!(errors(&network, &x, (&labels).into()), wrong, "{head}, {outputs}");
            let confusion = Confusion::new(&labels, &classes, count).unwrap();
            assert_eq!(confusion.accuracy(), (labels.len() - wrong) as f64 / labels.len() as f64);
            if head == Head::Softmax {
                let judged = Predictions::new(&probabilities, outputs, &labels).unwrap();
                assert_eq!(judged.confusion().unwrap(), confusion);
                assert_eq!(judged.mistakes().len(), wrong);
                assert_eq!(judged.top_k_accuracy(1), confusion.accuracy());
            }
        }
    }
}

#[test]
fn labels_are_those_of_the_probabilities_everywhere() {
    for outputs in [1, 3, 70] {
        let network = identity(Head::Multilabel, outputs);
        let x = logits(outputs);
        let probabilities = network.predict_proba(&Inputs::new(&x, outputs).unwrap()).unwrap();
        let answers: Vec<f32> =
            probabilities.iter().map(|p| if *p > 0.5 { 1.0 } else { 0.0 }).collect();
        let targets = Values::new(&answers, outputs).unwrap();
        assert_eq!(errors(&network, &x, targets.into()), 0);
        // One label changed in every second row.
        let mut others = answers;
        for (i, row) in others.chunks_exact_mut(outputs).enumerate().step_by(2) {
            row[i % outputs] = 1.0 - row[i % outputs];
        }
        let rows = others.len() / outputs;
        let targets = Values::new(&others, outputs).unwrap();
        assert_eq!(errors(&network, &x, targets.into()), rows.div_ceil(2));
    }
}

#[test]
fn real_values_are_right_where_they_are_equal() {
    for head in [Head::Squared, Head::Huber { delta: 1.0 }] {
        let network = identity(head, 3);
        let x = logits(3);
        let mut targets = network.outputs(&Inputs::new(&x, 3).unwrap()).unwrap();
        assert_eq!(targets, x);
        assert_eq!(errors(&network, &x, Values::new(&targets, 3).unwrap().into()), 0);
        targets[4] = targets[4].next_up();
        assert_eq!(errors(&network, &x, Values::new(&targets, 3).unwrap().into()), 1);
    }
}

/// The error that every question about `inputs` has as its answer.
fn refused(network: &Mlp, inputs: &Inputs<'_>, targets: Targets<'_>) -> String {
    let width = inputs.len() * network.architecture().outputs;
    let mut predictor = Predictor::new(network);
    let evaluated = network.evaluate(&Examples::new(*inputs, targets).unwrap(), &Sequential);
    let mut found = vec![
        predictor.logits(inputs, &mut vec![0.0; width]).unwrap_err(),
        predictor.outputs(inputs, &mut vec![0.0; width]).unwrap_err(),
        network.outputs(inputs).unwrap_err(),
        evaluated.unwrap_err(),
    ];
    let others = [
        network.predict(inputs).err(),
        network.predict_proba(inputs).err(),
        predictor.classes(inputs, &mut vec![0; inputs.len()]).err(),
        predictor.probabilities(inputs, &mut vec![0.0; width]).err(),
    ];
    for error in others {
        // Heads without classes have none to predict, whatever the input.
        match error.expect("not an answer") {
            Error::NoClasses { .. } => assert_ne!(network.head(), Head::Softmax),
            error => found.push(error),
        }
    }
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(found.iter().all(|error| *error == found[0]), "{found:?}");
    found[0].clone()
}

const WHY: &str = "expected a finite number; the features or the weights are too large";

#[test]
fn an_output_that_overflows_is_no_answer() {
    for (head, _) in Head::ALL {
        let outputs = if head == Head::Logistic { 1 } else { 2 };
        let mut network = identity(head, 2.min(outputs));
        let (classes, values) = ([1u8; 300], vec![1.0; 300 * outputs]);
        let targets = || match head {
            Head::Softmax | Head::Logistic => Targets::from(&classes),
            _ => Values::new(&values, outputs).unwrap().into(),
        };
        let weights: &[f32] = if outputs == 1 { &[-10.0] } else { &[1.0, 0.0, 0.0, -10.0] };
        network.set_layer(0, weights, &vec![0.0; outputs]).unwrap();
        // In the first chunk of rows, and in a later one; of the first row that overflows.
        for at in [0, 5, 299] {
            let mut x = vec![0.5; 300 * outputs];
            x[at * outputs + outputs - 1] = 3e38;
            x[299 * outputs + outputs - 1] = 3e38;
            let inputs = Inputs::new(&x, outputs).unwrap();
            let error = refused(&network, &inputs, targets());
            let unit = outputs - 1;
            let expected = format!("unit {unit} of layer 0 gets -inf for sample {at}: {WHY}");
            assert_eq!(error, expected, "{head}");
        }
    }
    // The example of two logits at both ends.
    let shape =
        Architecture { inputs: 1, hidden: vec![], outputs: 2, activation: Activation::Tanh };
    let mut network = Mlp::zeros(shape).unwrap();
    network.set_layer(0, &[-10.0, 10.0], &[0.0, 0.0]).unwrap();
    let inputs = Inputs::new(&[3e38], 1).unwrap();
    let error = refused(&network, &inputs, (&[1u8]).into());
    assert_eq!(error, format!("unit 0 of layer 0 gets -inf for sample 0: {WHY}"));
}

/// 3e39 − 3e39 in a hidden layer is ∞, or NaN without fused additions, where 0 is right. No
/// activation may turn it into a number.
#[test]
fn a_hidden_unit_that_is_not_a_number_shows() {
    for (activation, _) in Activation::ALL {
        // Each piece of the first unit in turn is 3e38·10 − 3e38·10.
        for piece in 0..activation.pieces() {
            for head in [Head::Softmax, Head::Squared, Head::Multilabel] {
                let shape = Architecture { inputs: 2, hidden: vec![20, 3], outputs: 2, activation };
                let mut network = Mlp::zeros(shape).unwrap().with_head(head).unwrap();
                let units = 20 * activation.pieces();
                let mut weights = vec![0.0; units * 2];
                weights[piece * 40..][..2].copy_from_slice(&[10.0, -10.0]);
                network.set_layer(0, &weights, &vec![0.0; units]).unwrap();
                for (l, inputs, units) in [(1, 20, 3 * activation.pieces()), (2, 3, 2)] {
                    let weights = vec![0.5; inputs * units];
                    network.set_layer(l, &weights, &vec![0.0; units]).unwrap();
                }
                let inputs = Inputs::new(&[3e38, 3e38], 2).unwrap();
                let values = Values::new(&[1.0, 1.0], 2).unwrap();
                let targets =
                    if head == Head::Softmax { (&[1u8]).into() } else { Targets::from(values) };
                let error = refused(&network, &inputs, targets);
                let unit = piece * 20;
                let expected = format!("unit {unit} of layer 0 gets ");
                assert!(error.starts_with(&expected), "{activation}, piece {piece}: {error}");
            }
        }
    }
}

/// A sample or a class with a weight of 0 counts nothing, even where its loss is infinite.
#[test]
fn a_weight_of_0_takes_away_an_infinite_loss() {
    let x = [0.5, -0.5, 3e38, -3e38];
    let (y, inputs) = ([0u8, 1], Inputs::new(&x, 2).unwrap());
    let examples = Examples::new(inputs, &y).unwrap();
    let softmax = identity(Head::Softmax, 2);
    assert_eq!(softmax.evaluate(&examples, &Sequential).unwrap().loss, f64::INFINITY);
    let weighted = examples.weighted(&[1.0, 0.0]).unwrap();
    let alone = softmax.evaluate(&examples.subset(&[0]).unwrap(), &Sequential).unwrap().loss;
    assert_eq!(softmax.evaluate(&weighted, &Sequential).unwrap().loss, alone);

    let logistic = identity(Head::Logistic, 1);
    let one = Examples::new(Inputs::new(&[-1.0, -3e38], 1).unwrap(), &[0u8, 1]).unwrap();
    for (network, examples) in [(softmax, examples), (logistic, one)] {
        for label_smoothing in [0.0, 0.1] {
            let each = Some(ClassWeights::Each(vec![1.0, 0.0]));
            let fit = Fit { class_weights: each, label_smoothing, ..Fit::default() };
            let found = fit.gradient(&network, &examples, 0, &Sequential).unwrap();
            let alone = examples.subset(&[0]).unwrap();
            let expected = fit.gradient(&network, &alone, 0, &Sequential).unwrap();
            // With smoothing, the loss of the other class counts too.
            let huge = label_smoothing > 0.0 && found.loss > 1e30;
            assert!(found.loss == expected.loss || huge, "{}: {}", network.head(), found.loss);
        }
    }
}
