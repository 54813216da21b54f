//! Ten steps of SGD with momentum and a penalty end where PyTorch's end.
//!
//! The fixtures, and what is in them, are those of `golden/sgd_momentum.py`.

mod common;

use std::ops::ControlFlow;

use common::{distance, examples, wide};
use nn::{
    Activation, Architecture, Callback, EpochReport, Fit, Init, Mlp, Optimizer, Sequential,
    StepReport,
};
use safetensors::{Dtype, SafeTensors};

const STEPS: usize = 10;
const BATCH: usize = 32;

/// How far a parameter may be off: three times what it was, 3·10⁻⁸ with every
/// instruction set, which is a unit in the last place of 0.3. Already the first
/// step moves some parameter of each layer a thousand times as far.
const PARAMETERS: f64 = 1e-7;
/// The same for losses, which are around 1.6: they were off by 2.3·10⁻⁷.
const LOSSES: f64 = 7e-7;

/// One fixture.
struct Run(Vec<u8>);

impl Run {
    fn read(name: &str) -> Self {
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
        Self(std::fs::read(format!("{golden}/sgd_momentum_{name}.safetensors")).unwrap())
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

    fn number(&self, name: &str) -> f32 {
        let (_, header) = SafeTensors::read_metadata(&self.0).unwrap();
        header.metadata().as_ref().unwrap()[name].parse().unwrap()
    }

    /// The parameters that the fixture names with this prefix.
    fn layers(&self, prefix: &str) -> Vec<(Vec<f32>, Vec<f32>)> {
        let layer = |l| {
            let tensor = |letter| self.f32s(&format!("{prefix}{letter}{l}"));
            (tensor('w'), tensor('b'))
        };
        (0..3).map(layer).collect()
    }
}

/// Writes down the losses, and ends the run after some steps.
struct Losses {
    seen: Vec<f64>,
    steps: usize,
}

impl Callback for &mut Losses {
    fn on_step(&mut self, report: &StepReport) -> ControlFlow<()> {
        self.seen.push(report.loss);
        match self.seen.len() < self.steps {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    }

    fn on_epoch(&mut self, _: &EpochReport) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

#[test]
fn parameters_and_losses_are_those_of_pytorch() {
    for (activation, name) in Activation::ALL {
        let run = Run::read(name);
        let architecture =
            Architecture { inputs: 20, hidden: vec![16, 12], outputs: 5, activation };
        // The batches one after the other are an epoch, as long as its samples
        // come in the order that they have.
        let fit = Fit {
            epochs: 1,
            batch_size: BATCH,
            lr: run.number("lr"),
            optimizer: Optimizer::Sgd { momentum: run.number("momentum") },
            l2: run.number("l2"),
            shuffle: false,
            ..Fit::default()
        };
        let (x, y) = (run.f32s("x"), run.labels());
        assert_eq!(y.len(), STEPS * BATCH);
        let expected = wide(&run.f32s("loss"));

        for steps in [1, STEPS] {
            let mut network = Mlp::new(architecture.clone(), Init::Xavier, 0).unwrap();
            for (l, (weights, biases)) in run.layers("").iter().enumerate() {
                network.set_layer(l, weights, biases).unwrap();
            }
            let examples = examples(&network, &x, &y);
            let mut losses = Losses { seen: vec![], steps };
            fit.run(&mut network, &examples, None, &Sequential, &mut losses).unwrap();

            assert_eq!(losses.seen.len(), steps);
            let error = distance(&losses.seen, &expected[..steps]);
            assert!(error < LOSSES, "{name}, step {steps}: losses off by {error}");

            let before = run.layers("");
            for (l, after) in run.layers(&format!("step{steps}.")).iter().enumerate() {
                let found = network.layer(l).unwrap();
                for (what, before, after, found) in [
                    ("weights", &before[l].0, &after.0, &found.0),
                    ("biases", &before[l].1, &after.1, &found.1),
                ] {
                    let moved = distance(&wide(before), &wide(after));
                    assert!(moved > 1e3 * PARAMETERS, "{what} of layer {l} stood still");
                    let error = distance(&wide(found), &wide(after));
                    assert!(
                        error < PARAMETERS,
                        "{name}, step {steps}: {what} of layer {l} off by {error}",
                    );
                }
            }
        }
    }
}
