//! Metrics equal those computed by hand, by scikit-learn and by their definitions.

use crate::common::{examples, noise, start, train};
use nn::{Confusion, Error, Predictions, Sequential};
use proptest::collection::vec;
use proptest::prelude::*;

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-12 * expected.abs().max(1.0)
}

#[test]
fn the_scores_of_a_confusion_equal_those_computed_by_hand() {
    // Four classes: no sample is predicted as 2, and none is a 3.
    let labels = [0_u8, 0, 0, 1, 1, 2];
    let predicted = [0_u32, 0, 1, 1, 3, 0];
    let confusion = Confusion::new(&labels, &predicted, 4).unwrap();
    let rows: Vec<_> = confusion.rows().collect();
    assert_eq!(rows, [[2, 1, 0, 0], [0, 1, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0]]);
    assert_eq!((confusion.classes(), confusion.samples()), (4, 6));
    assert_eq!((confusion.count(0, 1), confusion.count(1, 0)), (1, 0));
    assert_eq!((confusion.count(4, 0), confusion.count(0, 4)), (0, 0));
    assert_eq!(confusion.accuracy(), 0.5);

    let scores = |class| {
        let scores = confusion.scores(class).unwrap();
        (scores.precision, scores.recall, scores.f1, scores.support)
    };
    assert_eq!(scores(0), (2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 3));
    assert_eq!(scores(1), (0.5, 0.5, 0.5, 2));
    assert_eq!(scores(2), (0.0, 0.0, 0.0, 1), "never predicted");
    assert_eq!(scores(3), (0.0, 0.0, 0.0, 0), "never there");
    assert_eq!(confusion.scores(4), None);

    let mean = confusion.macro_average();
    assert!(close(mean.precision, (2.0 / 3.0 + 0.5) / 4.0));
    assert_eq!(mean.support, 6);
    let mean = confusion.weighted_average();
    assert!(close(mean.f1, (3.0 * 2.0 / 3.0 + 2.0 * 0.5) / 6.0));
    assert_eq!(mean.support, 6);
}

#[test]
fn a_confusion_is_printed_as_a_table() {
    let confusion = Confusion::new(&[0_u8, 0, 1, 2], &[0_u8, 1, 1, 0], 3).unwrap();
    let expected = "\
true \\ predicted  0  1  2  precision  recall      f1  support
               0  1  1  .     0.5000  0.5000  0.5000        2
               1  .  1  .     0.5000  1.0000  0.6667        1
               2  1  .  .     0.0000  0.0000  0.0000        1
           macro              0.3333  0.5000  0.3889        4
        weighted              0.3750  0.5000  0.4167        4
accuracy 0.5000 (2 of 4 wrong)";
    assert_eq!(confusion.to_string(), expected);

    // With wide numbers all lines of the table, but not the last line, still have one
    // width.
    let many = vec![10_usize; 12345];
    let table = Confusion::new(&many, &many, 11).unwrap().to_string();
    let widths: Vec<_> = table.lines().map(str::len).collect();
    assert_eq!(widths.len(), 1 + 11 + 2 + 1);
    assert!(widths[..14].iter().all(|&width| width == widths[0]), "{table}");
}

/// Five samples of three classes.
const PROBABILITIES: [f32; 15] = [
    0.75, 0.25, 0.0, // a 0: right
    0.25, 0.5, 0.25, // a 0: wrong
    0.0, 0.0, 1.0, // a 1: wrong
    0.375, 0.375, 0.25, // a 1: wrong, since the first of equals is predicted
    0.25, 0.25, 0.5, // a 2: right
];
const LABELS: [usize; 5] = [0, 0, 1, 1, 2];

#[test]
fn the_figures_of_predictions_equal_those_computed_by_hand() {
    let predictions = Predictions::new(&PROBABILITIES, 3, &LABELS).unwrap();
    assert_eq!((predictions.samples(), predictions.classes()), (5, 3));
    assert_eq!(predictions.predicted(), [0, 1, 2, 0, 2]);
    let confusion = predictions.confusion().unwrap();
    assert_eq!(confusion, Confusion::new(&LABELS, &[0_u8, 1, 2, 0, 2], 3).unwrap());

    // The label of a wrong sample comes second, except in the third sample: there both
    // other classes have probability 0, class 0 comes second and the label third.
    let top_k = [0, 1, 2, 3, usize::MAX].map(|k| predictions.top_k_accuracy(k));
    assert_eq!(top_k, [0.0, 0.4, 0.6 + 0.2, 1.0, 1.0]);

    // Class 0: (0.75, 0.25) against (0, 0.375, 0.25): 3 + 1½ of 6 pairs.
    assert_eq!(predictions.auc(0), Some(4.5 / 6.0));
    // Class 1: (0, 0.375) against (0.25, 0.5, 0.25): 2 of 6.
    assert_eq!(predictions.auc(1), Some(2.0 / 6.0));
    // Class 2: 0.5 against (0, 0.25, 1, 0.25): 3 of 4.
    assert_eq!(predictions.auc(2), Some(0.75));
    assert_eq!(predictions.auc(3), None);
    assert!(close(predictions.macro_auc().unwrap(), (0.75 + 1.0 / 3.0 + 0.75) / 3.0));

    assert_eq!(predictions.log_loss(), f64::INFINITY);
    let mean = -(0.75_f64.ln() + 0.25_f64.ln()) / 2.0;
    let first = Predictions::new(&PROBABILITIES[..6], 3, &LABELS[..2]).unwrap();
    assert!(close(first.log_loss(), mean));

    // Two bins: (0, ½] has 0.5 (wrong), 0.375 (wrong), 0.5 (right), and (½, 1] has
    // 0.75 (right), 1 (wrong).
    let expected = ((1.0_f64 - 1.375).abs() + (1.0_f64 - 1.75).abs()) / 5.0;
    assert!(close(predictions.calibration_error(2).unwrap(), expected));
    // One bin: 2 are right, and the probabilities add up to 3.125.
    assert!(close(predictions.calibration_error(1).unwrap(), 1.125 / 5.0));
    // Each confidence has a bin of its own, except the two of 0.5.
    let expected = (0.25 + 1.0 + 0.375 + 0.0) / 5.0;
    assert!(close(predictions.calibration_error(usize::MAX).unwrap(), expected));

    let mistakes = predictions.mistakes();
    let found: Vec<_> = mistakes
        .iter()
        .map(|m| (m.sample, m.label, m.predicted, m.probability, m.label_probability))
        .collect();
    assert_eq!(found, [(2, 1, 2, 1.0, 0.0), (1, 0, 1, 0.5, 0.25), (3, 1, 0, 0.375, 0.375)]);
}

#[test]
fn figures_of_certain_predictions_and_of_one_class() {
    let sure = Predictions::new(&[1.0, 0.0, 0.0, 1.0], 2, &[0_u8, 1]).unwrap();
    assert_eq!(sure.log_loss().to_bits(), 0.0_f64.to_bits(), "0, not -0");
    assert_eq!((sure.calibration_error(15).unwrap(), sure.macro_auc()), (0.0, Some(1.0)));
    assert!(sure.mistakes().is_empty());
    // −0 equals 0.
    let zeros = Predictions::new(&[1.0, -0.0, 1.0, 0.0], 2, &[0_u8, 1]).unwrap();
    assert_eq!(zeros.auc(1), Some(0.5));
    // Without a sample of the class, or of another class, there is no area.
    let alike = Predictions::new(&[0.5, 0.5, 0.25, 0.75], 2, &[1_u8, 1]).unwrap();
    assert_eq!((alike.auc(0), alike.auc(1), alike.macro_auc()), (None, None, None));
    // Of mistakes with equal probabilities, the earlier sample comes first.
    let equal = Predictions::new(&[0.5; 6], 2, &[1_u8, 1, 1]).unwrap();
    assert!(equal.mistakes().iter().map(|m| m.sample).eq(0..3));
}

#[test]
fn labels_come_in_any_of_the_usual_containers() {
    let confusion = Confusion::new(&[1_u8, 0][..], &[1_u32, 0], 2).unwrap();
    let (labels, predicted) = (vec![1_usize, 0], vec![1_u32, 0]);
    assert_eq!(Confusion::new(&labels, &predicted, 2).unwrap(), confusion);
}

#[test]
fn invalid_labels_and_probabilities_are_errors_that_say_where() {
    let confusion = |labels: &[usize], predicted: &[usize], classes| {
        Confusion::new(labels, predicted, classes).unwrap_err().to_string()
    };
    let large = confusion(&[0], &[0], usize::MAX);
    assert_eq!(large, "number of classes is 1.8446744e19: expected at most 16384");
    assert_eq!(confusion(&[0], &[0], 0), "number of classes is 0: it must be at least 1");
    assert_eq!(confusion(&[], &[], 2), "there are no samples: expected at least one");
    assert_eq!(confusion(&[0, 1], &[0], 2), "list of predictions has 1 elements: expected 2");
    assert_eq!(
        confusion(&[0, 2], &[0, 0], 2),
        "sample 1 has label 2: the network knows classes 0 to 1"
    );
    assert_eq!(
        confusion(&[0, 1], &[0, 2], 2),
        "sample 1 is predicted as 2: there are classes 0 to 1"
    );

    let predictions = |probabilities: &[f32], classes, labels: &[u32]| {
        Predictions::new(probabilities, classes, labels).unwrap_err()
    };
    assert!(matches!(predictions(&[], 0, &[]), Error::Zero { .. }));
    assert!(matches!(predictions(&[], 2, &[]), Error::Empty));
    assert!(matches!(predictions(&[0.5; 4], 2, &[0, 2]), Error::Label { sample: 1, .. }));
    for (classes, expected) in [(3, 6), (usize::MAX, usize::MAX)] {
        let error = predictions(&[0.5; 5], classes, &[0, 1]).to_string();
        assert_eq!(error, format!("list of probabilities has 5 elements: expected {expected}"));
    }
    for (value, text) in [(f32::NAN, "NaN"), (-0.5, "-0.5"), (1.5, "1.5"), (f32::INFINITY, "inf")] {
        let error = predictions(&[0.5, 0.5, 0.5, value], 2, &[0, 1]).to_string();
        let expected = "the probability of class 1 for sample 1 is";
        assert_eq!(error, format!("{expected} {text}: expected a number from 0 to 1"));
    }
    let wide = vec![0.0; 16385];
    let predictions = Predictions::new(&wide, 16385, &[0_u8]).unwrap();
    assert!(matches!(predictions.confusion().unwrap_err(), Error::OutOfRange { .. }));
    assert!(matches!(predictions.calibration_error(0).unwrap_err(), Error::Zero { .. }));
}

#[test]
fn predictions_and_evaluation_of_a_network_agree() {
    let (network, fit) = start();
    let (x, y) = noise();
    let examples = examples(&network, &x, &y);
    let network = train(network, &fit, &examples);
    let own = network.evaluate(&examples, &Sequential).unwrap();
    let probabilities = network.predict_proba(&examples.inputs()).unwrap();
    let predictions = Predictions::new(&probabilities, 3, &y).unwrap();
    assert!(
        network
            .predict(&examples.inputs())
            .unwrap()
            .iter()
            .map(|&c| c as usize)
            .eq(predictions.predicted())
    );
    assert_eq!(predictions.confusion().unwrap().accuracy(), own.accuracy);
    assert_eq!(predictions.mistakes().len(), own.errors);
    // The probabilities were rounded to f32: a few times 6e-8 for each sample.
    assert!((predictions.log_loss() - own.loss).abs() < 1e-6);
}

/// `tests/golden/metrics.py` wrote the fixture, and says what it holds.
#[test]
fn all_figures_equal_those_of_scikit_learn() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/metrics.json");
    let text = std::fs::read_to_string(path).unwrap();
    let cases: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(cases.len(), 2);
    for case in &cases {
        let numbers = |name: &str| -> Vec<f64> {
            let list = case[name].as_array().unwrap();
            list.iter().map(|value| value.as_f64().unwrap()).collect()
        };
        let same = |name: &str, found: &[f64]| {
            let expected = numbers(name);
            assert_eq!(found.len(), expected.len(), "{name}");
            let all = found.iter().zip(&expected).all(|(&f, &e)| close(f, e));
            assert!(all, "{name}: {found:?}, expected {expected:?}");
        };
        let number = |name: &str| case[name].as_f64().unwrap();
        let classes = number("classes") as usize;
        let counts = case["counts"].as_array().unwrap().iter();
        let probabilities: Vec<f32> = counts
            .flat_map(|row| row.as_array().unwrap())
            .map(|count| (count.as_f64().unwrap() / number("total")) as f32)
            .collect();
        let labels: Vec<usize> = numbers("labels").iter().map(|&label| label as usize).collect();

        let predictions = Predictions::new(&probabilities, classes, &labels).unwrap();
        let confusion = predictions.confusion().unwrap();
        let rows: Vec<Vec<usize>> = confusion.rows().map(<[_]>::to_vec).collect();
        assert_eq!(serde_json::json!(rows), case["confusion"]);
        assert!(close(confusion.accuracy(), number("accuracy")));
        let scores: Vec<_> = (0..classes).map(|c| confusion.scores(c).unwrap()).collect();
        let each = |of: &dyn Fn(&nn::Scores) -> f64| scores.iter().map(of).collect::<Vec<_>>();
        same("precision", &each(&|s| s.precision));
        same("recall", &each(&|s| s.recall));
        same("f1", &each(&|s| s.f1));
        same("support", &each(&|s| s.support as f64));
        for (name, mean) in
            [("macro", confusion.macro_average()), ("weighted", confusion.weighted_average())]
        {
            same(name, &[mean.precision, mean.recall, mean.f1]);
        }

        same("top_k", &[1, 2, 3].map(|k| predictions.top_k_accuracy(k)));
        for (class, expected) in case["auc"].as_array().unwrap().iter().enumerate() {
            let found = predictions.auc(class);
            let same = match (found, expected.as_f64()) {
                (Some(found), Some(expected)) => close(found, expected),
                (found, expected) => found == expected,
            };
            assert!(same, "auc of {class}: {found:?}, expected {expected}");
        }
        assert!(close(predictions.macro_auc().unwrap(), number("macro_auc")));
        assert!(close(predictions.log_loss(), number("log_loss")));
        same("calibration", &[8, 10, 15].map(|bins| predictions.calibration_error(bins).unwrap()));
    }
}

/// The number of classes, probabilities and labels. The probabilities are sixteenths, so
/// that many are equal; their sum need not be 1.
fn judged() -> impl Strategy<Value = (usize, Vec<f32>, Vec<u32>)> {
    (1..6_usize, 1..40_usize).prop_flat_map(|(classes, samples)| {
        let probability = (0..=16_u8).prop_map(|p| f32::from(p) / 16.0);
        let labels = vec(0..classes as u32, samples);
        (Just(classes), vec(probability, samples * classes), labels)
    })
}

/// The area under the ROC curve by its definition: the fraction of pairs in the right
/// order.
fn auc_by_pairs(
    probabilities: &[f32],
    classes: usize,
    labels: &[u32],
    class: usize,
) -> Option<f64> {
    let (mut won, mut pairs) = (0.0, 0.0);
    for (i, &a) in labels.iter().enumerate() {
        for (j, &b) in labels.iter().enumerate() {
            if a as usize == class && b as usize != class {
                let (p, q) =
                    (probabilities[i * classes + class], probabilities[j * classes + class]);
                won += if p > q {
                    1.0
                } else if p == q {
                    0.5
                } else {
                    0.0
                };
                pairs += 1.0;
            }
        }
    }
    (pairs > 0.0).then(|| won / pairs)
}

/// The classes of a sample, the most probable first, and the earlier of equals.
fn ranking(row: &[f32]) -> Vec<usize> {
    let mut classes: Vec<usize> = (0..row.len()).collect();
    classes.sort_by(|&i, &j| row[j].partial_cmp(&row[i]).unwrap());
    classes
}

/// The calibration error, bin by bin; bin i holds confidences in (i/bins, (i + 1)/bins].
fn calibration_by_bins(probabilities: &[f32], classes: usize, labels: &[u32], bins: usize) -> f64 {
    let mut error = 0.0;
    for bin in 0..bins {
        let (low, high) = (bin as f64 / bins as f64, (bin + 1) as f64 / bins as f64);
        let (mut hits, mut confidence, mut samples) = (0.0, 0.0, 0.0);
        for (row, &label) in probabilities.chunks(classes).zip(labels) {
            let best = ranking(row)[0];
            let p = f64::from(row[best]);
            if p > low && p <= high || p == 0.0 && bin == 0 {
                samples += 1.0;
                confidence += p;
                hits += f64::from(u8::from(best == label as usize));
            }
        }
        if samples > 0.0 {
            let (accuracy, confidence): (f64, f64) = (hits / samples, confidence / samples);
            error += samples / labels.len() as f64 * (accuracy - confidence).abs();
        }
    }
    error
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn a_confusion_counts_every_sample_once((classes, probabilities, labels) in judged()) {
        let predictions = Predictions::new(&probabilities, classes, &labels).unwrap();
        let predicted = predictions.predicted();
        let confusion = predictions.confusion().unwrap();
        prop_assert_eq!(confusion.rows().flatten().sum::<usize>(), labels.len());
        for label in 0..classes {
            for prediction in 0..classes {
                let both = labels.iter().zip(&predicted)
                    .filter(|&(&l, &p)| (l as usize, p) == (label, prediction));
                prop_assert_eq!(confusion.count(label, prediction), both.count());
            }
        }
        // Exchanging labels and predictions transposes the matrix: precision becomes
        // recall.
        let exchanged = Confusion::new(&predicted, &labels, classes).unwrap();
        let support = (0..classes).map(|c| confusion.scores(c).unwrap().support);
        prop_assert_eq!(support.sum::<usize>(), labels.len());
        for class in 0..classes {
            let scores = confusion.scores(class).unwrap();
            let other = exchanged.scores(class).unwrap();
            prop_assert_eq!((scores.precision, scores.recall), (other.recall, other.precision));
            prop_assert_eq!(scores.f1, other.f1);
            let (p, r) = (scores.precision, scores.recall);
            let harmonic = if p + r == 0.0 { 0.0 } else { 2.0 * p * r / (p + r) };
            prop_assert!(close(scores.f1, harmonic));
        }
        prop_assert!(close(confusion.weighted_average().recall, confusion.accuracy()));
        let lines = confusion.to_string().lines().count();
        prop_assert_eq!(lines, classes + 4);
    }

    #[test]
    fn top_k_accuracy_equals_that_by_sorting((classes, probabilities, labels) in judged()) {
        let predictions = Predictions::new(&probabilities, classes, &labels).unwrap();
        for k in 0..=classes + 1 {
            let hits = probabilities.chunks(classes).zip(&labels)
                .filter(|&(row, &label)| ranking(row).iter().take(k).any(|&c| c == label as usize));
            let expected = hits.count() as f64 / labels.len() as f64;
            prop_assert_eq!(predictions.top_k_accuracy(k), expected);
        }
        let accuracy = predictions.confusion().unwrap().accuracy();
        prop_assert_eq!(predictions.top_k_accuracy(1), accuracy);
    }

    #[test]
    fn auc_equals_the_fraction_of_pairs_in_order((classes, probabilities, labels) in judged()) {
        let predictions = Predictions::new(&probabilities, classes, &labels).unwrap();
        let reversed: Vec<f32> = probabilities.iter().map(|p| 1.0 - p).collect();
        let reversed = Predictions::new(&reversed, classes, &labels).unwrap();
        let mut areas = vec![];
        for class in 0..classes {
            let area = predictions.auc(class);
            let expected = auc_by_pairs(&probabilities, classes, &labels, class);
            prop_assert_eq!(area, expected);
            areas.extend(area);
            if let Some(area) = area {
                prop_assert!(close(reversed.auc(class).unwrap(), 1.0 - area));
            }
        }
        let mean = areas.iter().sum::<f64>() / areas.len() as f64;
        match predictions.macro_auc() {
            Some(found) => prop_assert!(close(found, mean)),
            None => prop_assert!(areas.is_empty()),
        }
    }

    #[test]
    fn log_loss_and_calibration_error_equal_plain_sums((classes, probabilities, labels) in judged()) {
        let predictions = Predictions::new(&probabilities, classes, &labels).unwrap();
        let loss = predictions.log_loss();
        let natural: Vec<usize> = labels.iter().map(|&label| label as usize).collect();
        let targets = nn::one_hot(&natural, classes).unwrap();
        let expected = nn::cross_entropy(&probabilities, &targets, classes).unwrap();
        prop_assert!(loss == expected || close(loss, expected), "{loss}, {expected}");
        // With 8 and 16 bins every edge is a possible probability, with 10 and 15 only
        // some are.
        for bins in [1, 2, 8, 10, 15, 16, 1000] {
            let found = predictions.calibration_error(bins).unwrap();
            let expected = calibration_by_bins(&probabilities, classes, &labels, bins);
            prop_assert!(close(found, expected), "{bins} bins: {found}, {expected}");
            prop_assert!((0.0..=1.0).contains(&found));
        }
    }

    #[test]
    fn mistakes_are_the_samples_off_the_diagonal((classes, probabilities, labels) in judged()) {
        let predictions = Predictions::new(&probabilities, classes, &labels).unwrap();
        let mistakes = predictions.mistakes();
        let accuracy = predictions.confusion().unwrap().accuracy();
        let right = labels.len() - mistakes.len();
        prop_assert_eq!(accuracy, right as f64 / labels.len() as f64);
        for m in &mistakes {
            prop_assert_eq!(labels[m.sample] as usize, m.label);
            let row = &probabilities[m.sample * classes..][..classes];
            prop_assert_eq!((row[m.predicted], row[m.label]), (m.probability, m.label_probability));
            prop_assert!(m.predicted != m.label && m.label_probability <= m.probability);
        }
        let sorted = mistakes.is_sorted_by(|a, b| {
            a.probability > b.probability || a.probability == b.probability && a.sample < b.sample
        });
        prop_assert!(sorted);
    }
}
