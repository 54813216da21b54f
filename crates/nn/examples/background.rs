//! Train in the background: a thread trains and reports each epoch through a channel, while
//! this one shows the progress and cancels when it has seen enough.
//!
//! ```sh
//! cargo run -p nn --release --example background
//! ```

use std::error::Error;
use std::ops::ControlFlow;
use std::sync::mpsc;
use std::thread;

use nn::{Activation, Architecture, Callback, Ended, Examples, Fit, Init, Inputs, Mlp};
use nn::{Run, Sequential, StopToken, each_epoch};

fn main() -> Result<(), Box<dyn Error>> {
    // Classify points of a square: are they inside a circle?
    let grid = (0..40_u8).flat_map(|i| (0..40_u8).map(move |j| [i, j]));
    let x: Vec<f32> = grid.flatten().map(|step| f32::from(step) / 20.0 - 1.0).collect();
    let y: Vec<u8> = x.chunks(2).map(|point| u8::from(point[0].hypot(point[1]) < 0.8)).collect();
    let examples = Examples::new(Inputs::new(&x, 2)?, &y)?;

    let shape =
        Architecture { inputs: 2, hidden: vec![32], outputs: 2, activation: Activation::Tanh };
    let network = Mlp::new(shape, Init::Xavier, 1)?;
    // Far more epochs than anyone would wait for.
    let fit = Fit { epochs: 100_000, batch_size: 64, ..Fit::default() };
    let mut run = Run::new(network, &fit, examples, None)?;

    let cancel = StopToken::default();
    let (sender, reports) = mpsc::channel();
    let ended = thread::scope(|scope| {
        let token = cancel.clone();
        let training = scope.spawn(|| {
            // A receiver that is gone ends the run too.
            let report = each_epoch(move |report| match sender.send(*report) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            });
            run.train(&Sequential, token.and(report))
        });
        // A program with a window would look with `try_recv` each time that it draws.
        for report in reports {
            if report.epoch % 10 == 0 {
                println!("epoch {:3}  loss {:.4}", report.epoch, report.train_loss);
            }
            if report.train_accuracy >= 0.98 {
                // Ends the run after its current step.
                cancel.stop();
            }
        }
        training.join().expect("the training does not panic")
    })?;
    // `train` could now be called again, to go on.
    assert_eq!(ended, Ended::Callback);

    let (network, history) = run.finish();
    println!("cancelled after {} epochs", history.epochs.len());
    assert!(network.accuracy(&examples)? > 0.95);
    Ok(())
}
