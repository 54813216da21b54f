//! A predictor writes what the reference computes, for any number of samples in a call
//! and after any earlier calls.

use crate::common::{distance, largest, network, reference, uniform, wide};
use nn::{Activation, Inputs, Mlp, Predictor};

const SIZES: [usize; 4] = [50, 33, 17, 10];
/// Two whole passes of 128 rows and a part of a third.
const ROWS: usize = 300;

/// Bytes, of which half are 0, and the features that they become.
fn pixels(network: &Mlp) -> (Vec<u8>, Vec<f32>) {
    let bytes: Vec<u8> = uniform(2, ROWS * 50).iter().map(|x| (x * 255.0) as u8).collect();
    let features = bytes.iter().map(|&byte| f32::from(byte) * network.pixel_scale()).collect();
    (bytes, features)
}

#[test]
fn logits_probabilities_and_classes_equal_those_of_the_reference() {
    for (activation, name) in Activation::ALL {
        let network = network(&SIZES, activation, 1);
        let (bytes, features) = pixels(&network);
        let plain = reference(&network);

        let mut predictor = Predictor::new(&network);
        let (mut logits, mut probabilities) = ([0.0; ROWS * 10], [0.0; ROWS * 10]);
        let mut classes = [99; ROWS];
        let inputs = Inputs::pixels(&bytes, 50).unwrap();
        predictor.logits(&inputs, &mut logits).unwrap();
        predictor.probabilities(&inputs, &mut probabilities).unwrap();
        predictor.classes(&inputs, &mut classes).unwrap();

        for (i, x) in features.chunks_exact(50).enumerate() {
            let expected = plain.logits(&wide(x));
            let row = wide(&logits[i * 10..][..10]);
            let error = distance(&row, &expected) / largest(expected.iter().copied());
            assert!(error < 1e-5, "{name}, sample {i}: {error}");

            let sum: f64 = row.iter().map(|z| z.exp()).sum();
            let expected: Vec<f64> = row.iter().map(|z| z.exp() / sum).collect();
            let row = wide(&probabilities[i * 10..][..10]);
            assert!(distance(&row, &expected) < 1e-6, "{name}, sample {i}");

            let most = row.iter().copied().fold(0.0, f64::max);
            let first = row.iter().position(|&p| p == most);
            assert_eq!(first, Some(classes[i] as usize), "{name}, sample {i}");
        }
        assert_eq!(network.predict(&inputs).unwrap(), classes);
        assert_eq!(network.predict_proba(&inputs).unwrap(), probabilities);
    }
}

#[test]
fn the_number_of_samples_and_earlier_calls_change_no_bit() {
    for (activation, name) in Activation::ALL {
        let network = network(&SIZES, activation, 1);
        let (bytes, features) = pixels(&network);
        let all = network.predict_proba(&Inputs::pixels(&bytes, 50).unwrap()).unwrap();
        let mut predictor = Predictor::new(&network);
        for rows in [1, 7, 128, 150, 3] {
            let (mut from_bytes, mut from_features) = (vec![0.0; rows * 10], vec![0.0; rows * 10]);
            let parts = bytes.chunks_exact(rows * 50).zip(features.chunks_exact(rows * 50));
            for ((bytes, features), expected) in parts.zip(all.chunks_exact(rows * 10)) {
                let inputs = Inputs::pixels(bytes, 50).unwrap();
                predictor.probabilities(&inputs, &mut from_bytes).unwrap();
                let inputs = Inputs::new(features, 50).unwrap();
                predictor.probabilities(&inputs, &mut from_features).unwrap();
                assert!(from_bytes == expected && from_features == expected, "{name}, {rows}");
            }
        }
    }
}

#[test]
fn invalid_input_is_an_error_and_writes_nothing() {
    let network = network(&[7, 4, 3], Activation::Tanh, 1);
    let mut predictor = Predictor::new(&network);
    let mut features = [0.0; 14];
    let mut check = |features: &[f32], width, numbers, classes, expected: [&str; 3]| {
        let inputs = Inputs::new(features, width).unwrap();
        let (mut numbers, mut classes) = (vec![9.0; numbers], vec![9; classes]);
        let errors = [
            predictor.logits(&inputs, &mut numbers).unwrap_err(),
            predictor.probabilities(&inputs, &mut numbers).unwrap_err(),
            predictor.classes(&inputs, &mut classes).unwrap_err(),
        ];
        assert_eq!(errors.map(|error| error.to_string()), expected);
        assert!(numbers.iter().all(|x| *x == 9.0) && classes.iter().all(|x| *x == 9));
    };
    let lengths = [
        "list of logits has 5 elements: expected 6",
        "list of probabilities has 5 elements: expected 6",
        "list of classes has 3 elements: expected 2",
    ];
    check(&features, 7, 5, 3, lengths);
    check(&features, 2, 21, 7, ["layer 0 takes 7 features a sample: the samples have 2"; 3]);
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        features[10] = value;
        let expected = format!("feature 3 of sample 1 is {value}: expected a finite number");
        check(&features, 7, 6, 2, [&expected; 3]);
    }
}
