//! Bring your own threads: an executor with scoped threads, which limits how many run at
//! the same time. Any number of threads gives the same bits.
//!
//! ```sh
//! cargo run -p nn --release --example custom_executor
//! ```
//!
//! It starts a new thread for each second task, which takes about ten microseconds. A pool
//! keeps its threads: `crates/trainer/src/pool.rs` uses rayon's.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use nn::{Activation, Architecture, Error};
use nn::{Examples, Executor, Fit, Init, Inputs, Mlp};

struct ScopedThreads {
    threads: usize,
    /// How many more threads may be started now, not counting the calling one.
    free: AtomicUsize,
    /// How many threads were started in total.
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

    // By default, nn would not divide the small steps of this example.
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
        // The scope returns when both tasks have ended.
        std::thread::scope(|scope| {
            scope.spawn(b);
            a();
        });
        self.free.fetch_add(1, Relaxed);
    }
}

/// The bytes of a network trained by this executor.
fn trained(executor: &impl Executor) -> Result<Vec<u8>, Error> {
    // Classify points of a square: are they inside a circle?
    let grid = (0..50_u8).flat_map(|i| (0..50_u8).map(move |j| [i, j]));
    let x: Vec<f32> = grid.flatten().map(|step| f32::from(step) / 25.0 - 1.0).collect();
    let y: Vec<u8> = x.chunks(2).map(|point| u8::from(point[0].hypot(point[1]) < 0.8)).collect();
    let examples = Examples::new(Inputs::new(&x, 2)?, &y)?;
    let shape =
        Architecture { inputs: 2, hidden: vec![64], outputs: 2, activation: Activation::Tanh };
    let mut network = Mlp::new(shape, Init::Xavier, 1)?;
    let fit = Fit { epochs: 60, batch_size: 64, ..Fit::default() };
    fit.run(&mut network, &examples, None, executor, ())?;
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
        println!("at most {threads} threads at a time, {started} started: the same bits");
    }
    Ok(())
}
