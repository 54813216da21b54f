//! More invalid input, as tables of an input and the error text that it must give. A
//! call that fails leaves what it was to change as it was, to the byte.
//!
//! `errors.rs` has the other hyperparameters and examples, `files.rs` the damaged files.

use crate::common::{self, Recorder, examples, noise, refused, start};
use nn::{
    Activation, Architecture, BatchNorm, Candidate, ClassWeights, EarlyStopping, Error, Examples,
    Fit, Init, Inputs, Mlp, Sequential, Session, Split, search,
};

const ABOVE: &str = "expected a finite number above 0";
const AT_LEAST: &str = "expected a finite number of at least 0";

/// The error that `Fit`, `Session` and `search` all give for `fit` and `train`. None of
/// them changes the network.
fn complaint(fit: &Fit, train: &Examples<'_>) -> String {
    let (network, good) = start();
    let before = network.to_bytes();
    let error = refused(fit, train, None).to_string();

    // A session fails when it is made, or in its first step, which it then does not
    // count.
    match Session::new(network.clone(), fit) {
        Err(found) => assert_eq!(found.to_string(), error),
        Ok(mut session) => {
            let found = session.step(train, 0.1, &Sequential).unwrap_err();
            assert_eq!((found.to_string(), session.steps()), (error.clone(), 0));
            if fit.batch_norm.is_none() {
                assert_eq!(session.network().to_bytes(), before);
            }
        }
    }

    let shape = network.architecture().clone();
    let candidate = Candidate::new("it", shape, Init::Xavier, fit.clone());
    let all: Vec<u32> = (0..50).collect();
    let fold = Split { train: all.clone(), validation: all };
    let found = search([candidate], train, &[fold], &Sequential).unwrap_err().to_string();
    assert!(found == error || found == format!("candidate `it`: {error}"), "{found}");

    // With valid input the same run succeeds.
    let mut trained = network.clone();
    let mut seen = Recorder::default();
    let (x, y) = noise();
    good.run(&mut trained, &examples(&network, &x, &y), None, &Sequential, &mut seen).unwrap();
    error
}

#[test]
fn a_setting_out_of_range_is_an_error_that_names_it() {
    let (network, good) = start();
    let (x, y) = noise();
    let examples = examples(&network, &x, &y);
    let check = |change: &dyn Fn(&mut Fit), expected: &str| {
        let mut fit = good.clone();
        change(&mut fit);
        assert_eq!(complaint(&fit, &examples), expected);
    };
    for (value, text) in [(-0.1, "-0.1"), (1.0, "1"), (f32::NAN, "NaN")] {
        let expected = format!("label smoothing is {text}: expected at least 0 and below 1");
        check(&|fit| fit.label_smoothing = value, &expected);
    }
    for (value, text) in [(-0.1, "-0.1"), (f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        let each = ClassWeights::Each(vec![1.0, value, 1.0]);
        let expected = format!("the weight of class 1 is {text}: {AT_LEAST}");
        check(&|fit| fit.class_weights = Some(each.clone()), &expected);
        check(&|fit| fit.noise.input = value, &format!("noise on inputs is {text}: {AT_LEAST}"));
        check(&|fit| fit.noise.hidden = value, &format!("noise is {text}: {AT_LEAST}"));
    }
    for (weights, expected) in [
        (&[0.0; 3][..], "no class has a weight above 0: expected one at least"),
        (&[], "no class has a weight above 0: expected one at least"),
        (&[1.0; 2], "list of class weights has 2 elements: expected 3"),
        (&[1.0; 4], "list of class weights has 4 elements: expected 3"),
    ] {
        check(&|fit| fit.class_weights = Some(ClassWeights::Each(weights.to_vec())), expected);
    }
    let norm = BatchNorm::default();
    for (norm, expected) in [
        (
            BatchNorm { rows: 1, ..norm },
            "rows of batch normalisation is 1: expected at least 2".to_owned(),
        ),
        (
            BatchNorm { momentum: 0.0, ..norm },
            "momentum of batch normalisation is 0: expected above 0 and at most 1".to_owned(),
        ),
        (
            BatchNorm { epsilon: -1.0, ..norm },
            format!("epsilon of batch normalisation is -1: {ABOVE}"),
        ),
    ] {
        check(&|fit| fit.batch_norm = Some(norm), &expected);
    }
    let early = EarlyStopping::default();
    let expected = "patience of early stopping is 0: it must be at least 1";
    check(&|fit| fit.early_stopping = Some(EarlyStopping { patience: 0, ..early }), expected);
    let expected = format!("min-delta of early stopping is -1: {AT_LEAST}");
    check(&|fit| fit.early_stopping = Some(EarlyStopping { min_delta: -1.0, ..early }), &expected);
}

#[test]
fn invalid_sample_weights_are_errors() {
    let (network, fit) = start();
    let (x, y) = noise();
    let all = examples(&network, &x, &y);
    let mut one_wrong = [1.0; 50];
    for (value, text) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (-1.5, "-1.5")] {
        one_wrong[17] = value;
        let error = all.weighted(&one_wrong).unwrap_err().to_string();
        assert_eq!(error, format!("the weight of sample 17 is {text}: {AT_LEAST}"));
    }
    for (weights, expected) in [
        (&[1.0; 49][..], "list of sample weights has 49 elements: expected 50"),
        (&[], "list of sample weights has 0 elements: expected 50"),
        (&[0.0; 50], "no sample has a weight above 0: expected one at least"),
    ] {
        assert_eq!(all.weighted(weights).unwrap_err().to_string(), expected);
    }

    // Some samples of the set have a weight above 0, but none of the subset.
    let mut last = [0.0; 50];
    last[49] = 1.0;
    let first: Vec<u32> = (0..49).collect();
    let weighted = all.weighted(&last).unwrap();
    let bad = weighted.subset(&first).unwrap();
    let (mut trained, mut seen) = (network.clone(), Recorder::default());
    let errors = [
        fit.run(&mut trained, &bad, None, &Sequential, &mut seen).unwrap_err(),
        fit.run(&mut trained, &all, Some(&bad), &Sequential, &mut seen).unwrap_err(),
        fit.gradient(&network, &bad, 0, &Sequential).unwrap_err(),
        network.evaluate(&bad, &Sequential).unwrap_err(),
        network.accuracy(&bad).unwrap_err(),
        network.check_gradient(&bad, &fit, 1).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.to_string(), "no sample has a weight above 0: expected one at least");
    }
    assert_eq!(trained.to_bytes(), network.to_bytes());
    assert!(seen.steps.is_empty());

    // Some samples and some classes have a weight above 0, but no sample belongs to
    // such a class.
    let mut weights = [0.0, 0.0, 0.0];
    weights[(y[49] as usize + 1) % 3] = 1.0;
    let fit = Fit { class_weights: Some(ClassWeights::Each(weights.to_vec())), ..fit };
    let expected = "no sample's class has a weight above 0: expected one at least";
    assert_eq!(complaint(&fit, &weighted), expected);
}

#[test]
fn an_invalid_learning_rate_of_a_session_is_an_error() {
    let (network, fit) = start();
    let (x, y) = noise();
    let examples = examples(&network, &x, &y);
    let mut session = Session::new(network.clone(), &fit).unwrap();
    for (lr, text) in [(0.0, "0"), (-0.1, "-0.1"), (f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        let error = session.step(&examples, lr, &Sequential).unwrap_err().to_string();
        assert_eq!(error, format!("learning rate is {text}: {ABOVE}"));
    }
    assert_eq!((session.steps(), session.network().to_bytes()), (0, network.to_bytes()));
}

#[test]
fn invalid_architectures_are_errors() {
    let shape = |inputs, hidden: &[usize], outputs, activation| Architecture {
        inputs,
        hidden: hidden.to_vec(),
        outputs,
        activation,
    };
    let relu = Activation::Relu;
    for (shape, expected) in [
        (shape(0, &[3], 2, relu), "inputs of the network is 0: it must be at least 1"),
        (shape(3, &[0], 2, relu), "units of hidden layer 1 is 0: it must be at least 1"),
        (shape(3, &[3], 0, relu), "outputs of the network is 0: it must be at least 1"),
        (
            shape(3, &[3], 2, Activation::Maxout { pieces: 1 }),
            "pieces of maxout is 1: expected from 2 to 64",
        ),
        (
            shape(3, &[3], 2, Activation::LeakyRelu { slope: 1.0 }),
            "slope of leaky-relu is 1: expected at least 0 and below 1",
        ),
        (
            shape(3, &[3], 2, Activation::Elu { alpha: -1.0 }),
            "alpha of elu is -1: expected a finite number above 0",
        ),
        (
            shape(1 << 20, &[1 << 20], 2, relu),
            "a network of [1048576, 1048576, 2] has too many parameters to address",
        ),
        // Too large only because of the pieces.
        (
            shape(1 << 17, &[1 << 17], 2, Activation::Maxout { pieces: 64 }),
            "a network of [131072, 131072, 2] has too many parameters to address",
        ),
    ] {
        for error in
            [Mlp::new(shape.clone(), Init::He, 1).unwrap_err(), Mlp::zeros(shape).unwrap_err()]
        {
            assert_eq!(error.to_string(), expected);
        }
    }
}

/// A model file with `from` in its header replaced by `to`, and the length of the header
/// corrected.
fn with_header(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let (len, rest) = bytes.split_at(8);
    let (header, data) = rest.split_at(u64::from_le_bytes(len.try_into().unwrap()) as usize);
    let text = std::str::from_utf8(header).unwrap();
    assert!(text.contains(from), "{text} has no {from}");
    let mut header = text.replace(from, to).trim_end().to_owned();
    header.push_str(&" ".repeat(header.len().next_multiple_of(8) - header.len()));
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

#[test]
fn invalid_model_files_are_errors() {
    let (network, _) = start();
    let good = network.to_bytes();
    assert_eq!(with_header(&good, "nn.mlp", "nn.mlp"), good);
    let model = |bytes: &[u8]| match Mlp::from_bytes(bytes).unwrap_err() {
        Error::Model { origin, reason } => {
            assert_eq!(origin, "the input");
            reason
        }
        error => panic!("{error}"),
    };
    for (from, to, expected) in [
        ("nn.mlp", "nn.cnn", "its format is `nn.cnn`, expected `nn.mlp`"),
        (r#""version":"1""#, r#""version":"3""#, "its version is `3`, expected `1` or `2`"),
        (r#""pixel_scale""#, r#""scale""#, "its metadata has no `pixel_scale`"),
        (
            r#"\"inputs\":7"#,
            r#"\"inputs\":8"#,
            "`layer.0.weight` is F32 [9, 7], expected F32 [9, 8]",
        ),
        (
            r#"\"outputs\":3"#,
            r#"\"outputs\":4"#,
            "`layer.1.weight` is F32 [3, 9], expected F32 [4, 9]",
        ),
        (
            r#"\"hidden\":[9]"#,
            r#"\"hidden\":[]"#,
            "`layer.0.weight` is F32 [9, 7], expected F32 [3, 7]",
        ),
        // One layer too many; and a size that fits in no memory.
        (
            r#"\"hidden\":[9]"#,
            r#"\"hidden\":[9,3]"#,
            "`layer.2.weight`: tensor `layer.2.weight` not found",
        ),
        (
            r#"\"hidden\":[9]"#,
            r#"\"hidden\":[18446744073709551615]"#,
            "expected F32 [18446744073709551615, 7]",
        ),
        (
            r#"\"hidden\":[9]"#,
            r#"\"hidden\":[-9]"#,
            "its architecture: invalid value: integer `-9`, expected usize",
        ),
        ("tanh", "tahn", "its architecture: `tahn` is no activation: expected one of tanh, "),
        ("tanh", "maxout:2", "`layer.0.weight` is F32 [9, 7], expected F32 [18, 7]"),
        ("layer.1.bias", "layer.2.bias", "`layer.1.bias`: "),
    ] {
        let reason = model(&with_header(&good, from, to));
        assert!(reason.contains(expected), "{from} for {to}: {reason}");
    }
    // A byte too few, a byte too many, and an empty file.
    model(&good[..good.len() - 1]);
    model(&[&good[..], &[0]].concat());
    model(&[]);

    // The file of a network with other inputs is valid, but does not fit the samples.
    let other = common::network(&[5, 9, 2], Activation::Tanh, 4);
    let other = Mlp::from_bytes(&other.to_bytes()).unwrap();
    let (x, y) = noise();
    let inputs = Inputs::new(&x, 7).unwrap();
    let error = other.evaluate(&Examples::new(inputs, &y).unwrap(), &Sequential).unwrap_err();
    assert_eq!(error.to_string(), "layer 0 takes 5 features a sample: the samples have 7");
    assert_eq!(other.predict(&inputs).unwrap_err().to_string(), error.to_string());
}
