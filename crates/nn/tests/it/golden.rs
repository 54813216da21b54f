//! Ten steps with weight decay give the parameters that PyTorch gives: with each
//! optimizer, each activation, each head, label smoothing, weights and batch normalisation; and
//! those that ONNX's optimizers give.
//!
//! The fixtures are in `tests/golden`. `sgd_momentum.py`, `optimizers.py`, `training.py`,
//! `heads.py` and `onnx_optimizers.py` there wrote them, and say what they hold.

use crate::common::{Recorder, distance, examples, wide};
use nn::{
    Activation, Architecture, Examples, Fit, Head, Init, Inputs, Mlp, Optimizer, Sequential,
    Session, Targets, Values,
};
use safetensors::{Dtype, SafeTensors};

/// One fixture.
struct Run(Vec<u8>);

impl Run {
    fn read(name: &str) -> Self {
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
        Self(std::fs::read(format!("{golden}/{name}.safetensors")).unwrap())
    }

    /// The shape of the tensor of that name, if there is one.
    fn shape(&self, name: &str) -> Option<Vec<usize>> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        tensors.tensor(name).ok().map(|tensor| tensor.shape().to_vec())
    }

    /// The elements of a tensor, as little-endian words.
    fn words(&self, name: &str, dtype: Dtype) -> Vec<[u8; 4]> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        let tensor = tensors.tensor(name).unwrap();
        assert_eq!(tensor.dtype(), dtype, "{name}");
        tensor.data().as_chunks().0.to_vec()
    }

    fn f32s(&self, name: &str) -> Vec<f32> {
        let words = self.words(name, Dtype::F32);
        words.into_iter().map(f32::from_le_bytes).collect()
    }

    fn labels(&self) -> Vec<u32> {
        let words = self.words("y", Dtype::I32);
        words.into_iter().map(u32::from_le_bytes).collect()
    }

    fn text(&self, name: &str) -> String {
        self.metadata(name).unwrap_or_else(|| panic!("the fixture has no {name}"))
    }

    fn metadata(&self, name: &str) -> Option<String> {
        let (_, header) = SafeTensors::read_metadata(&self.0).unwrap();
        header.metadata().as_ref().unwrap().get(name).cloned()
    }

    fn head(&self) -> Head {
        self.metadata("head").map_or(Head::Softmax, |head| head.parse().unwrap())
    }

    fn number(&self, name: &str) -> f32 {
        self.text(name).parse().unwrap()
    }

    /// The architecture of the network that the fixture starts from.
    fn architecture(&self) -> Architecture {
        let units = (0..).map_while(|l| self.shape(&format!("b{l}")));
        let mut hidden: Vec<usize> = units.map(|shape| shape[0]).collect();
        let outputs = hidden.pop().unwrap();
        let inputs = self.shape("x").unwrap()[2];
        let activation: Activation = self.text("activation").parse().unwrap();
        hidden.iter_mut().for_each(|units| *units /= activation.pieces());
        Architecture { inputs, hidden, outputs, activation }
    }

    /// The weights and biases of each layer, whose names in the fixture have this
    /// prefix.
    fn layers(&self, prefix: &str) -> Vec<(Vec<f32>, Vec<f32>)> {
        let layer = |l| {
            let tensor = |letter| self.f32s(&format!("{prefix}{letter}{l}"));
            (tensor('w'), tensor('b'))
        };
        (0..=self.architecture().hidden.len()).map(layer).collect()
    }

    /// The network that the fixture starts from.
    fn start(&self) -> Mlp {
        let network = Mlp::new(self.architecture(), Init::Xavier, 0).unwrap();
        let mut network = network.with_head(self.head()).unwrap();
        for (l, (weights, biases)) in self.layers("").iter().enumerate() {
            network.set_layer(l, weights, biases).unwrap();
        }
        network
    }

    /// Takes the same steps and compares losses and parameters.
    fn check(&self, name: &str, fit: Fit, bounds: Bounds) {
        // Without shuffling, the batches of the fixture are the batches of one epoch.
        let batch_size = self.shape("y").unwrap()[1];
        let fit = Fit { epochs: 1, batch_size, shuffle: false, ..fit };
        let x = self.f32s("x");
        let inputs = Inputs::new(&x, self.architecture().inputs).unwrap();
        // Classes are one number a sample, values one for each output.
        let (mut labels, mut values) = (Vec::new(), Vec::new());
        if self.shape("y").unwrap().len() == 2 {
            labels = self.labels();
        } else {
            values = self.f32s("y");
        }
        let targets = if values.is_empty() {
            Targets::from(&labels)
        } else {
            Values::new(&values, self.architecture().outputs).unwrap().into()
        };
        let weights = self.shape("sample_weights").map(|_| self.f32s("sample_weights"));
        self.compare(name, bounds, |steps| {
            let mut network = self.start();
            let mut examples = Examples::new(inputs, targets).unwrap();
            if let Some(weights) = &weights {
                examples = examples.weighted(weights).unwrap();
            }
            let mut seen = Recorder { last_step: Some(steps as u64), ..Recorder::default() };
            fit.run(&mut network, &examples, None, &Sequential, &mut seen).unwrap();
            (seen.steps.iter().map(|step| step.loss).collect(), network)
        });
    }

    /// Compares losses and parameters with those of `run`, which takes the given number
    /// of steps.
    fn compare(&self, name: &str, bounds: Bounds, run: impl Fn(usize) -> (Vec<f64>, Mlp)) {
        let expected = wide(&self.f32s("loss"));
        let all = self.shape("y").unwrap()[0];
        assert_eq!(all, 10, "{name}");
        for steps in [1, all] {
            let (losses, network) = run(steps);
            assert_eq!(losses.len(), steps);
            let error = distance(&losses, &expected[..steps]);
            assert!(error < bounds.losses, "{name}, step {steps}: losses off by {error}");

            let before = self.layers("");
            for (l, after) in self.layers(&format!("step{steps}.")).iter().enumerate() {
                let found = network.layer(l).unwrap();
                for (what, before, after, found) in [
                    ("weights", &before[l].0, &after.0, &found.0),
                    ("biases", &before[l].1, &after.1, &found.1),
                ] {
                    let moved = distance(&wide(before), &wide(after));
                    assert!(moved > 1e3 * bounds.parameters, "{what} of layer {l} stood still");
                    let error = distance(&wide(found), &wide(after));
                    assert!(
                        error < bounds.parameters,
                        "{name}, step {steps}: {what} of layer {l} off by {error}",
                    );
                }
            }
        }
    }

    /// The fixture's learning rate and penalty, with an optimizer.
    fn fit(&self, optimizer: Optimizer) -> Fit {
        Fit { lr: self.number("lr"), l2: self.number("l2"), optimizer, ..Fit::default() }
    }
}

/// The largest errors that pass: three times the largest that was measured on any
/// instruction set.
#[derive(Clone, Copy)]
struct Bounds {
    /// The first step already moves some parameter of each layer a thousand times
    /// as far.
    parameters: f64,
    /// Losses are around 1.6.
    losses: f64,
}

#[test]
fn sgd_with_momentum_matches_pytorch() {
    // Measured: 3·10⁻⁸, which is a unit in the last place of 0.3, and 2.3·10⁻⁷.
    let bounds = Bounds { parameters: 1e-7, losses: 7e-7 };
    for activation in ["tanh", "sigmoid", "relu"] {
        let run = Run::read(&format!("sgd_momentum_{activation}"));
        assert_eq!(run.text("activation"), activation);
        let optimizer = Optimizer::Sgd { momentum: run.number("momentum") };
        run.check(activation, run.fit(optimizer), bounds);
    }
}

#[test]
fn every_other_optimizer_matches_pytorch() {
    for (known, name) in Optimizer::ALL {
        // The comment after each is its measured error in 10⁻⁷; a unit in the last place
        // of 1 is 1.2.
        let parameters = match known {
            Optimizer::Sgd { .. } => continue,
            Optimizer::Nesterov { .. } => 1.8e-7, // 0.60
            Optimizer::Adagrad { .. } => 3.6e-7,  // 1.19
            Optimizer::Rmsprop { .. } => 4.0e-7,  // 1.34
            Optimizer::Adadelta { .. } => 3.6e-7, // 1.19
            Optimizer::Adam { .. } => 3.2e-7,     // 1.04
            Optimizer::Adamw { .. } => 2.7e-7,    // 0.89
            _ => panic!("{name} has no bound"),
        };
        let run = Run::read(name);
        let optimizer: Optimizer = serde_json::from_str(&run.text("optimizer")).unwrap();
        assert_eq!(optimizer.to_string(), name);
        run.check(name, run.fit(optimizer), Bounds { parameters, losses: 7e-7 });
    }
}

#[test]
fn activations_losses_and_batch_normalisation_match_pytorch() {
    // The comment after each is its measured error in 10⁻⁷; folded weights are as large
    // as 10.
    for (name, parameters) in [
        ("leaky_relu", 1.8e-7),       // 0.60
        ("elu", 1.8e-7),              // 0.60
        ("gelu", 1e-7),               // 0.30
        ("silu", 1.2e-7),             // 0.37
        ("maxout", 2.7e-7),           // 0.89
        ("label_smoothing", 1e-7),    // 0.30
        ("class_weights", 1e-7),      // 0.30
        ("smoothed_weights", 1.8e-7), // 0.60
        ("sample_weights", 1.8e-7),   // 0.60
        ("batch_norm", 2.5e-6),       // 8.3
        ("ghost_batch_norm", 4.7e-6), // 15.5
    ] {
        let run = Run::read(&format!("training_{name}"));
        let fit: Fit = serde_json::from_str(&run.text("fit")).unwrap();
        run.check(name, fit, Bounds { parameters, losses: 9e-7 });
    }
}

#[test]
fn every_head_matches_pytorch() {
    // After each, the largest error that was measured, in 10⁻⁷; losses were off by 5.6·10⁻⁷.
    for (name, parameters) in [
        ("squared", 1.8e-7),                 // 0.60
        ("squared_sample_weights", 2.7e-7),  // 0.89
        ("huber", 1e-7),                     // 0.30
        ("logistic", 1e-7),                  // 0.30
        ("logistic_weights", 3.6e-7),        // 1.19
        ("multilabel", 1e-7),                // 0.30
        ("multilabel_sample_weights", 1e-7), // 0.15
    ] {
        let run = Run::read(&format!("head_{name}"));
        let fit: Fit = serde_json::from_str(&run.text("fit")).unwrap();
        run.check(name, fit, Bounds { parameters, losses: 1.7e-6 });
    }
}

#[test]
fn optimizers_that_onnx_defines_match_onnx() {
    // The comment after each is its measured error in 10⁻⁷.
    for (name, parameters) in [
        ("adagrad", 3.6e-7),  // 1.19
        ("adam", 3.2e-7),     // 1.04
        ("momentum", 1.4e-7), // 0.45
        ("nesterov", 1.8e-7), // 0.60
    ] {
        let run = Run::read(&format!("onnx_{name}"));
        let optimizer: Optimizer = serde_json::from_str(&run.text("optimizer")).unwrap();
        let fit = Fit { optimizer, l2: run.number("l2"), ..Fit::default() };
        let (x, y, rates) = (run.f32s("x"), run.labels(), run.f32s("rates"));
        run.compare(name, Bounds { parameters, losses: 7e-7 }, |steps| {
            let network = run.start();
            let mut session = Session::new(network.clone(), &fit).unwrap();
            let rows = y.len() / rates.len();
            let batches = x.chunks(rows * network.architecture().inputs).zip(y.chunks(rows));
            let steps = batches.zip(&rates).take(steps).map(|((x, y), lr)| {
                session.step(&examples(&network, x, y), *lr, &Sequential).unwrap().loss
            });
            (steps.collect(), session.into_network())
        });
    }
}
