//! A run that is left in the middle, saved, read again and continued ends with the same bits
//! as one that was never left.
//!
//! ```sh
//! cargo run -p nn --release --example resume
//! ```

use std::ops::ControlFlow;

use nn::{
    Activation, Architecture, Callback, Checkpoint, EpochReport, Error, Examples, Fit, Init,
    Inputs, Mlp, Optimizer, Run, Sequential, StepReport,
};

/// Leaves the run after this step.
struct LeaveAfter(u64);

impl Callback for LeaveAfter {
    fn on_step(&mut self, report: &StepReport) -> ControlFlow<()> {
        if report.step == self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn on_epoch(&mut self, _: &EpochReport) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

fn main() -> Result<(), Error> {
    // Points of the plane; the class says whether both coordinates have the same sign.
    let x: Vec<f32> = (0..800).map(|i| ((i * 37 % 101) as f32 - 50.0) / 50.0).collect();
    let y: Vec<u8> = x.chunks(2).map(|point| u8::from(point[0] * point[1] > 0.0)).collect();
    let train = Examples::new(Inputs::new(&x, 2)?, &y)?;
    let shape =
        Architecture { inputs: 2, hidden: vec![16], outputs: 2, activation: Activation::Tanh };
    let network = Mlp::new(shape, Init::Xavier, 1)?;
    let optimizer = Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    let fit = Fit { epochs: 50, batch_size: 32, lr: 0.01, optimizer, ..Fit::default() };

    let mut whole = Run::new(network.clone(), &fit, train, None)?;
    whole.train(&Sequential, ())?;

    let path = std::env::temp_dir().join(format!("nn-resume-{}", std::process::id()));
    let mut run = Run::new(network, &fit, train, None)?;
    run.train(&Sequential, LeaveAfter(123))?;
    run.save(&path)?;
    println!("left after step {} and saved", run.steps());
    drop(run);

    let mut run = Checkpoint::load(&path)?.resume(train, None)?;
    run.train(&Sequential, ())?;
    let _ = std::fs::remove_file(&path);
    let last = run.history().epochs.last().map_or(0.0, |epoch| epoch.train_accuracy);
    println!("continued to step {}, accuracy {:.1} %", run.steps(), 100.0 * last);

    let same = run.finish().0.to_bytes() == whole.finish().0.to_bytes();
    println!("the same bits as a run that was never left: {same}");
    assert!(same);
    Ok(())
}
