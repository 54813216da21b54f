//! Bring your own threads: an executor of scoped threads, no more of them at a
//! time than it is told, and the same bits for any number.
//!
//! ```sh
//! cargo run -p nn --release --example custom_executor
//! ```
//!
//! A thread is started for each task that is handed over, some ten microseconds
//! a piece. A pool keeps them: `crates/trainer/src/pool.rs` lends rayon's.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use nn::{Activation, Architecture, EpochReport, Error};
use nn::{Examples, Executor, Fit, Init, Inputs, Mlp};

struct ScopedThreads {
    threads: usize,
    /// How many more may be started now; the calling one is not among them.
    free: AtomicUsize,
    /// How many were started in all.
    started: AtomicUsize,
}

impl ScopedThreads {
    fn new(threads: usize) -> Self {
        Self { threads, free: AtomicUsize::new(threads - 1), started: AtomicUsize::new(0) }
    }
}

impl Executor for ScopedThreads {
    fn threads(&self) -> usize {
        self.threads
    }

    // The steps of this example are too small to share by nn's own measure.
    fn threads_for(&self, _operations: usize) -> usize {
        self.threads
    }

    fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
        if self.free.fetch_update(Relaxed, Relaxed, |free| free.checked_sub(1)).is_err() {
            a();
            b();
            return;
        }
        self.started.fetch_add(1, Relaxed);
        // The scope ends when both have.
        std::thread::scope(|scope| {
            scope.spawn(b);
            a();
        });
        self.free.fetch_add(1, Relaxed);
    }
}

/// The bytes of a network trained by this executor.
fn trained(executor: &impl Executor) -> Result<Vec<u8>, Error> {
    // Points of a square: are they in the circle?
    let grid = (0..50_u8).flat_map(|i| (0..50_u8).map(move |j| [i, j]));
    let x: Vec<f32> = grid.flatten().map(|step| f32::from(step) / 25.0 - 1.0).collect();
    let y: Vec<u8> = x.chunks(2).map(|point| u8::from(point[0].hypot(point[1]) < 0.8)).collect();
    let examples = Examples::new(Inputs::new(&x, 2)?, &y)?;
    let shape =
        Architecture { inputs: 2, hidden: vec![64], outputs: 2, activation: Activation::Tanh };
    let mut network = Mlp::new(shape, Init::Xavier, 1)?;
    let go_on = |_: &EpochReport| ControlFlow::Continue(());
    let fit = Fit { epochs: 60, batch_size: 64, ..Fit::default() };
    fit.run(&mut network, &examples, None, executor, go_on)?;
    assert!(network.accuracy(&examples)? > 0.95);
    Ok(network.to_bytes())
}

fn main() -> Result<(), Error> {
    let expected = trained(&nn::Sequential)?;
    for threads in 1..=4 {
        let executor = ScopedThreads::new(threads);
        assert!(trained(&executor)? == expected, "{threads} threads train another network");
        let started = executor.started.into_inner();
        assert_eq!(started > 0, threads > 1);
        println!("up to {threads} at a time, {started} threads started: the same bits");
    }
    Ok(())
}
