//! Ten steps of each optimizer, with weight decay, end where PyTorch's end.
//!
//! The fixtures, and what is in them, are those of `golden/sgd_momentum.py` and
//! `golden/optimizers.py`.

mod common;

use common::{Recorder, distance, examples, wide};
use nn::{Architecture, Fit, Init, Mlp, Optimizer, Sequential};
use safetensors::{Dtype, SafeTensors};

/// One fixture.
struct Run(Vec<u8>);

impl Run {
    fn read(name: &str) -> Self {
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
        Self(std::fs::read(format!("{golden}/{name}.safetensors")).unwrap())
    }

    /// The shape of a tensor, if there is one of that name.
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
        let (_, header) = SafeTensors::read_metadata(&self.0).unwrap();
        header.metadata().as_ref().unwrap()[name].clone()
    }

    fn number(&self, name: &str) -> f32 {
        self.text(name).parse().unwrap()
    }

    /// The network that the fixture starts from, with its parameters still to
    /// come.
    fn architecture(&self) -> Architecture {
        let units = (0..).map_while(|l| self.shape(&format!("b{l}")));
        let mut hidden: Vec<usize> = units.map(|shape| shape[0]).collect();
        let outputs = hidden.pop().unwrap();
        let inputs = self.shape("x").unwrap()[2];
        Architecture {
            inputs,
            hidden,
            outputs,
            activation: self.text("activation").parse().unwrap(),
        }
    }

    /// The parameters that the fixture names with this prefix.
    fn layers(&self, prefix: &str) -> Vec<(Vec<f32>, Vec<f32>)> {
        let layer = |l| {
            let tensor = |letter| self.f32s(&format!("{prefix}{letter}{l}"));
            (tensor('w'), tensor('b'))
        };
        (0..=self.architecture().hidden.len()).map(layer).collect()
    }

    /// Takes the same steps and compares losses and parameters.
    fn check(&self, name: &str, optimizer: Optimizer, bounds: Bounds) {
        // The batches one after the other are an epoch, as long as its samples
        // come in the order that they have.
        let shape = self.shape("y").unwrap();
        let (all, batch_size) = (shape[0], shape[1]);
        let fit = Fit {
            epochs: 1,
            batch_size,
            lr: self.number("lr"),
            optimizer,
            l2: self.number("l2"),
            shuffle: false,
            ..Fit::default()
        };
        let (x, y) = (self.f32s("x"), self.labels());
        let expected = wide(&self.f32s("loss"));
        assert_eq!(all, 10, "{name}");

        for steps in [1, all] {
            let mut network = Mlp::new(self.architecture(), Init::Xavier, 0).unwrap();
            for (l, (weights, biases)) in self.layers("").iter().enumerate() {
                network.set_layer(l, weights, biases).unwrap();
            }
            let examples = examples(&network, &x, &y);
            let mut seen = Recorder { last_step: Some(steps as u64), ..Recorder::default() };
            fit.run(&mut network, &examples, None, &Sequential, &mut seen).unwrap();

            let losses: Vec<f64> = seen.steps.iter().map(|step| step.loss).collect();
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
}

/// How far numbers may be off: three times what they were with every instruction
/// set.
#[derive(Clone, Copy)]
struct Bounds {
    /// Already the first step moves some parameter of each layer a thousand times
    /// as far.
    parameters: f64,
    /// Losses are around 1.6.
    losses: f64,
}

#[test]
fn momentum_is_that_of_pytorch() {
    // They were off by 3·10⁻⁸, which is a unit in the last place of 0.3, and by
    // 2.3·10⁻⁷.
    let bounds = Bounds { parameters: 1e-7, losses: 7e-7 };
    for activation in ["tanh", "sigmoid", "relu"] {
        let run = Run::read(&format!("sgd_momentum_{activation}"));
        assert_eq!(run.text("activation"), activation);
        let optimizer = Optimizer::Sgd { momentum: run.number("momentum") };
        run.check(activation, optimizer, bounds);
    }
}

#[test]
fn every_other_optimizer_is_that_of_pytorch() {
    for (known, name) in Optimizer::ALL {
        // Behind each, what it was off by in 10⁻⁷; a unit in the last place of 1 is
        // 1.2.
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
        run.check(name, optimizer, Bounds { parameters, losses: 7e-7 });
    }
}
