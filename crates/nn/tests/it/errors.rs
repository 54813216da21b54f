//! Invalid input is an error that says where it is wrong, and changes nothing.

use crate::common::{Recorder, examples, go_on, noise, refused, start};
use nn::{
    Activation, Architecture, Average, Curve, Error, Examples, Executor, Fit, Init, Inputs, Mlp,
    Optimizer, Sequential,
};

#[test]
fn hyperparameters_out_of_range_are_errors_that_name_them() {
    let (network, good) = start();
    let (x, y) = noise();
    let examples = examples(&network, &x, &y);
    let check = |change: &dyn Fn(&mut Fit), expected: &str| {
        let mut fit = good.clone();
        change(&mut fit);
        let error = refused(&fit, &examples, None);
        assert!(matches!(error, Error::Zero { .. } | Error::OutOfRange { .. }));
        let error = error.to_string();
        assert!(error.starts_with(expected), "{error}: expected {expected}");
        assert_eq!(fit.validate().unwrap_err().to_string(), error);
    };
    check(&|fit| fit.epochs = 0, "number of epochs is 0: it must be");
    check(&|fit| fit.batch_size = 0, "batch size is 0: it must be");
    for (value, text) in [(0.0, "0"), (-0.1, "-0.1"), (f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        check(&|fit| fit.lr = value, &format!("learning rate is {text}: expected"));
        check(&|fit| fit.max_norm = Some(value), &format!("max-norm is {text}: expected"));
        check(&|fit| fit.clip_norm = Some(value), &format!("clip-norm is {text}: expected"));
        let (epsilon, fine) = (value, 0.5);
        for optimizer in [
            Optimizer::Adagrad { epsilon },
            Optimizer::Rmsprop { alpha: fine, epsilon, momentum: fine },
            Optimizer::Adadelta { rho: fine, epsilon },
            Optimizer::Adam { beta1: fine, beta2: fine, epsilon },
            Optimizer::Adamw { beta1: fine, beta2: fine, epsilon },
        ] {
            check(&|fit| fit.optimizer = optimizer, &format!("epsilon is {text}: expected"));
        }
    }
    for (value, text) in [(1.0, "1"), (-0.1, "-0.1"), (f32::NAN, "NaN")] {
        let (epsilon, fine) = (1e-8, 0.5);
        for (name, optimizer) in [
            ("momentum", Optimizer::Sgd { momentum: value }),
            ("momentum", Optimizer::Nesterov { momentum: value }),
            ("alpha", Optimizer::Rmsprop { alpha: value, epsilon, momentum: fine }),
            ("momentum", Optimizer::Rmsprop { alpha: fine, epsilon, momentum: value }),
            ("rho", Optimizer::Adadelta { rho: value, epsilon }),
            ("beta1", Optimizer::Adam { beta1: value, beta2: fine, epsilon }),
            ("beta2", Optimizer::Adam { beta1: fine, beta2: value, epsilon }),
            ("beta1", Optimizer::Adamw { beta1: value, beta2: fine, epsilon }),
            ("beta2", Optimizer::Adamw { beta1: fine, beta2: value, epsilon }),
        ] {
            check(&|fit| fit.optimizer = optimizer, &format!("{name} is {text}: expected"));
        }
        let input = format!("dropout of inputs is {text}: expected");
        check(&|fit| fit.dropout.input = value, &input);
        let average = format!("decay of the average is {text}: expected");
        check(&|fit| fit.average = Some(Average { decay: value }), &average);
        check(&|fit| fit.dropout.hidden = value, &format!("dropout is {text}: expected"));
    }
    for (value, text) in [(-0.1, "-0.1"), (f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        check(&|fit| fit.l2 = value, &format!("l2 is {text}: expected"));
        check(&|fit| fit.l1 = value, &format!("l1 is {text}: expected"));
        for curve in [Curve::InverseTime { decay: value }, Curve::Compounding { decay: value }] {
            check(&|fit| fit.schedule = curve.into(), &format!("decay is {text}: expected"));
        }
    }
    for (value, text) in [(0.0, "0"), (-0.1, "-0.1"), (f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        for curve in [Curve::Step { every: 2, factor: value }, Curve::Exponential { factor: value }]
        {
            let expected = format!("factor of the learning rate is {text}: expected");
            check(&|fit| fit.schedule = curve.into(), &expected);
        }
    }
    check(&|fit| fit.schedule = Curve::Step { every: 0, factor: 0.5 }.into(), "epochs of a");
    for (value, text) in [(1.0, "1"), (-0.1, "-0.1"), (f32::NAN, "NaN")] {
        let curve = Curve::Linear { from: value };
        let expected = format!("start of the decay is {text}: expected");
        check(&|fit| fit.schedule = curve.into(), &expected);
        check(&|fit| fit.schedule.warmup = value, &format!("warm-up is {text}: expected"));
    }
    let cycle = |pct_start, div_factor, final_div_factor| {
        let curve = Curve::OneCycle { pct_start, div_factor, final_div_factor };
        move |fit: &mut Fit| fit.schedule = curve.into()
    };
    for (value, text) in [(1.5, "1.5"), (-0.1, "-0.1"), (f32::NAN, "NaN")] {
        check(&cycle(value, 2.0, 2.0), &format!("pct-start is {text}: expected"));
    }
    for (value, text) in [(0.5, "0.5"), (f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        check(&cycle(0.5, value, 2.0), &format!("div-factor is {text}: expected"));
        check(&cycle(0.5, 2.0, value), &format!("final-div-factor is {text}: expected"));
    }
}

/// The error that training, evaluation and accuracy all give for some examples.
fn complaint(x: &[f32], width: usize, y: &[u32], subset: Option<&[u32]>) -> Error {
    let (network, fit) = start();
    let mut bad = Examples::new(Inputs::new(x, width).unwrap(), y).unwrap();
    if let Some(indices) = subset {
        bad = bad.subset(indices).unwrap();
    }
    let error = refused(&fit, &bad, None);
    let (x, y) = noise();
    let good = examples(&network, &x, &y);
    let others = [
        refused(&fit, &good, Some(&bad)),
        network.evaluate(&bad, &Sequential).unwrap_err(),
        network.accuracy(&bad).unwrap_err(),
    ];
    for other in others {
        assert_eq!(other.to_string(), error.to_string());
    }
    error
}

#[test]
fn examples_that_do_not_fit_the_network_are_errors_that_say_where() {
    let (x, y) = noise();

    let error = complaint(&x, 14, &y[..25], None);
    assert!(matches!(error, Error::Width { found: 14, expected: 7 }), "{error}");

    let mut labels = y.clone();
    labels[41] = 3;
    let error = complaint(&x, 7, &labels, None);
    assert!(matches!(error, Error::Label { sample: 41, label: 3, classes: 3 }), "{error}");
    assert_eq!(error.to_string(), "sample 41 has label 3: the network knows classes 0 to 2");
    // In a subset too, the error names the index in the whole set.
    let error = complaint(&x, 7, &labels, Some(&[0, 41, 2]));
    assert!(matches!(error, Error::Label { sample: 41, .. }), "{error}");
    labels[41] = u32::MAX;
    let error = complaint(&x, 7, &labels, None);
    assert!(matches!(error, Error::Label { label: 0xffff_ffff, .. }), "{error}");

    for (value, text) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (-f32::INFINITY, "-inf")] {
        let mut features = x.clone();
        features[30 * 7 + 4] = value;
        let error = complaint(&features, 7, &y, None);
        assert!(matches!(error, Error::NotFinite { sample: 30, feature: 4, .. }), "{error}");
        let expected = format!("feature 4 of sample 30 is {text}: expected a finite number");
        assert_eq!(error.to_string(), expected);
    }

    assert!(matches!(complaint(&[], 7, &[], None), Error::Empty));
    assert!(matches!(complaint(&x, 7, &y, Some(&[])), Error::Empty));
}

#[test]
fn a_prediction_of_no_samples_is_empty_and_of_wrong_samples_an_error() {
    let (network, _) = start();
    let none = Inputs::new(&[], 7).unwrap();
    assert!(network.predict(&none).unwrap().is_empty());
    assert!(network.predict_proba(&none).unwrap().is_empty());

    let wide = [0.0; 8];
    let wide = Inputs::new(&wide, 8).unwrap();
    let mut features = [0.0; 14];
    features[10] = f32::NAN;
    let nan = Inputs::new(&features, 7).unwrap();
    let errors = |inputs| {
        let errors =
            [network.predict(inputs).unwrap_err(), network.predict_proba(inputs).unwrap_err()];
        errors.map(|error| error.to_string())
    };
    let error = "layer 0 takes 7 features a sample: the samples have 8";
    assert_eq!(errors(&wide), [error; 2]);
    let error = "feature 3 of sample 1 is NaN: expected a finite number";
    assert_eq!(errors(&nan), [error; 2]);
}

#[test]
fn invalid_views_shapes_and_parameters_are_errors() {
    let x = [0.0; 12];
    for (error, expected) in [
        (Inputs::new(&x, 0).unwrap_err(), "features of a sample is 0: it must be at least 1"),
        (
            Inputs::pixels(&[0; 12], 5).unwrap_err(),
            "12 values are not a whole number of samples of 5 features",
        ),
    ] {
        assert_eq!(error.to_string(), expected);
    }
    let inputs = Inputs::new(&x, 4).unwrap();
    let error = Examples::new(inputs, &[0_u8; 4][..]).unwrap_err();
    assert!(matches!(error, Error::Unpaired { samples: 3, labels: 4 }), "{error}");
    let examples = Examples::new(inputs, &[0_u8; 3][..]).unwrap();
    let error = examples.subset(&[2, 3]).unwrap_err();
    assert!(matches!(error, Error::Subset { index: 3, samples: 3 }), "{error}");

    let shape = |inputs, hidden: &[usize], outputs| Architecture {
        inputs,
        hidden: hidden.to_vec(),
        outputs,
        activation: Activation::Relu,
    };
    for (shape, expected) in [
        (shape(0, &[2], 2), "inputs of the network is 0"),
        (shape(2, &[2, 0], 2), "units of hidden layer 2 is 0"),
        (shape(2, &[2], 0), "outputs of the network is 0"),
        (shape(2, &[1 << 45], 2), "a network of [2, 35184372088832, 2] has too many"),
        // Products that would wrap around: to a small number, and in 128 bits to 0.
        (shape(usize::MAX, &[], usize::MAX), "a network of [18446744073709551615, "),
        (shape(usize::MAX - 31, &[], usize::MAX - 15), "a network of [18446744073709551584, "),
    ] {
        let _ = (shape.parameters(), shape.training_flops());
        let error = Mlp::new(shape, Init::He, 0).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }

    let (mut network, _) = start();
    let before = network.to_bytes();
    for (layer, weights, biases, expected) in [
        (0, 62, 9, "weights of layer 0 has 62 elements: expected 63"),
        (1, 27, 4, "biases of layer 1 has 4 elements: expected 3"),
        (2, 27, 3, "the network's list of layers has 2 elements: expected 3"),
    ] {
        let error = network.set_layer(layer, &vec![1.0; weights], &vec![1.0; biases]).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    for wrong in [f32::NAN, f32::INFINITY] {
        let error = network.set_layer(1, &[wrong; 27], &[1.0; 3]).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("a weight or bias is {wrong}: expected a finite number")
        );
    }
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY, f32::MAX] {
        let error = network.set_pixel_scale(scale).unwrap_err();
        assert!(matches!(error, Error::OutOfRange { name: "pixel scale", .. }), "{error}");
    }
    assert_eq!(network.to_bytes(), before);
    assert_eq!(network.layer(2), None);
}

#[test]
fn an_update_that_overflows_in_the_last_step_is_an_error() {
    let (x, y) = noise();
    let (network, fit) = start();
    let examples = examples(&network, &x, &y);
    // A run of one step, and a run that a callback ends after its first step. With
    // max-norm also finite weights whose norm is infinite.
    for (batch_size, last_step, lr, max_norm) in [
        (50, None, f32::MAX, None),
        (20, Some(1), f32::MAX, None),
        (50, None, f32::MAX, Some(1.0)),
        (50, None, 1e25, Some(1.0)),
    ] {
        // Such a penalty alone would be refused with sgd and without max-norm.
        let optimizer = if max_norm.is_none() { "rmsprop" } else { "sgd" }.parse().unwrap();
        let fit = Fit { epochs: 1, batch_size, lr, l2: 10.0, max_norm, optimizer, ..fit.clone() };
        let mut trained = network.clone();
        let mut seen = Recorder { last_step, ..Recorder::default() };
        let error = fit.run(&mut trained, &examples, None, &Sequential, &mut seen).unwrap_err();
        assert!(matches!(error, Error::Diverged { step: 1, .. }), "{error}");
        assert_eq!(trained.to_bytes(), network.to_bytes());
    }
}

/// An executor that claims a number of threads which it cannot have.
struct Boaster(usize);

impl Executor for Boaster {
    fn threads(&self) -> usize {
        self.0
    }

    // Small steps are cut too.
    fn threads_for(&self, _: usize) -> usize {
        self.0
    }

    fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
        a();
        b();
    }
}

#[test]
fn an_executor_may_claim_any_number_of_threads() {
    let (x, y) = noise();
    let (network, fit) = start();
    let examples = examples(&network, &x, &y);
    let run = |executor: &Boaster| {
        let mut network = network.clone();
        fit.run(&mut network, &examples, Some(&examples), executor, go_on).unwrap();
        network.to_bytes()
    };
    let expected = run(&Boaster(1));
    for threads in [0, usize::MAX] {
        assert!(run(&Boaster(threads)) == expected, "{threads} threads");
    }
}
