//! Any bytes as a saved session and as a saved run, with a right checksum if bit 1 of the
//! first byte is 0. What is read is written again, reads as the same, and trains.

#![no_main]

use std::ops::ControlFlow;

use fuzz::{check_message, mend_checksum, tensor_file};
use libfuzzer_sys::fuzz_target;
use nn::{
    Callback, Checkpoint, EpochReport, Error, Examples, Head, Inputs, Labels, Mlp, Sequential,
    Session, StepReport, Values,
};

/// The most samples of a run that is continued.
const MOST: usize = 64;

/// Leaves the run after its first step.
struct Leave;

impl Callback for Leave {
    fn on_step(&mut self, _: &StepReport) -> ControlFlow<()> {
        ControlFlow::Break(())
    }

    fn on_epoch(&mut self, _: &EpochReport) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
}

fuzz_target!(|data: &[u8]| {
    let mut file = tensor_file(data);
    if data.first().is_some_and(|mode| mode & 2 == 0) {
        mend_checksum(&mut file);
    }
    session(&file);
    run(&file);
});

fn session(file: &[u8]) {
    let mut session = match Session::from_bytes(file) {
        Ok(session) => session,
        Err(error) => return check_message(&error),
    };
    let written = session.to_bytes();
    let again = Session::from_bytes(&written).expect("what was written is read");
    assert_eq!(again.steps(), session.steps());
    assert!(again.to_bytes() == written, "the bytes are another");
    let network = session.network();
    with_examples(&network, 3, |examples| {
        if let Err(error) = session.step(&examples, 0.1, &Sequential) {
            check_message(&error);
        }
    });
}

fn run(file: &[u8]) {
    let saved = match Checkpoint::from_bytes(file) {
        Ok(saved) => saved,
        Err(error) => return check_message(&error),
    };
    let network = saved.network().clone();
    // Only the error says how many samples the run has.
    let found = with_examples(&network, 1, |examples| saved.resume(examples, None).err());
    let samples = match found {
        None => 1,
        Some(Error::Resumed { expected, .. }) if expected <= MOST => expected,
        Some(error) => return check_message(&error),
    };
    with_examples(&network, samples, |examples| {
        let saved = Checkpoint::from_bytes(file).expect("it was read before");
        let mut run = match saved.resume(examples, Some(examples)) {
            Ok(run) => run,
            Err(error) => return check_message(&error),
        };
        let written = run.to_bytes();
        let again = Checkpoint::from_bytes(&written).expect("what was written is read");
        let again = again.resume(examples, Some(examples)).expect("it was continued before");
        assert!(again.to_bytes() == written, "the bytes are another");
        if let Err(error) = run.train(&Sequential, Leave) {
            check_message(&error);
        }
    });
}

/// Calls `f` with samples that suit the network.
fn with_examples<T>(network: &Mlp, count: usize, f: impl FnOnce(Examples<'_>) -> T) -> T {
    let (width, outputs) = (network.architecture().inputs, network.architecture().outputs);
    let x: Vec<f32> = (0..count * width).map(|i| (i % 7) as f32 / 7.0).collect();
    let labels: Vec<u8> = (0..count).map(|i| (i % 2) as u8).collect();
    let values: Vec<f32> = (0..count * outputs).map(|i| (i % 2) as f32).collect();
    let inputs = Inputs::new(&x, width).unwrap();
    f(match network.head() {
        Head::Softmax | Head::Logistic => Examples::new(inputs, Labels::from(&labels)).unwrap(),
        _ => Examples::new(inputs, Values::new(&values, outputs).unwrap()).unwrap(),
    })
}
