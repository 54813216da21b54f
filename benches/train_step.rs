//! Whole training steps, on one thread, of networks that people train on MNIST:
//! forward, backward and update. The trainer's thread pool is not part of this.
//!
//! ```text
//! cargo bench -p nn
//! ```
//!
//! Throughput is in samples.

use std::ops::ControlFlow;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nn::{
    Activation, Architecture, Dropout, EpochReport, Examples, Fit, Init, Inputs, Mlp, Sequential,
};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

const PIXELS: usize = 784;
const CLASSES: usize = 10;
const STEPS: usize = 10;

fn steps(c: &mut Criterion) {
    let mut group = c.benchmark_group("training step");
    for (hidden, batch_size, dropout) in
        [(&[30][..], 100, 0.0), (&[128], 64, 0.0), (&[512, 512], 128, 0.0), (&[512, 512], 128, 0.5)]
    {
        let samples = STEPS * batch_size;
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        // As in MNIST, a fifth of the pixels are not 0, and these are in the middle.
        let middle = |at: usize| (6..22).contains(&(at % 28)) && (4..24).contains(&(at / 28 % 28));
        let pixels: Vec<u8> = (0..samples * PIXELS)
            .map(|at| if middle(at) && rng.random::<f32>() < 0.5 { rng.random() } else { 0 })
            .collect();
        let labels: Vec<u8> = (0..samples).map(|i| (i % CLASSES) as u8).collect();
        let data = Inputs::pixels(&pixels, PIXELS).and_then(|x| Examples::new(x, &labels[..]));
        let data = data.unwrap_or_else(|error| panic!("{error}"));

        let shape = Architecture {
            inputs: PIXELS,
            hidden: hidden.to_vec(),
            outputs: CLASSES,
            activation: Activation::Relu,
        };
        let mut network = Mlp::new(shape, Init::He, 1).unwrap_or_else(|error| panic!("{error}"));
        let dropout = Dropout { input: 0.0, hidden: dropout, ..Dropout::default() };
        let fit = Fit { epochs: 1, batch_size, lr: 1e-3, dropout, ..Fit::default() };

        group.throughput(Throughput::Elements(samples as u64));
        let units: Vec<_> = hidden.iter().map(usize::to_string).collect();
        let units = units.join("-");
        let name = format!("784-{units}-10, batch {batch_size}, dropout {}", dropout.hidden);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let go_on = |_: &EpochReport| ControlFlow::Continue(());
                let history = fit.run(&mut network, &data, None, &Sequential, go_on);
                assert!(history.is_ok_and(|h| h.epochs[0].train_loss.is_finite()));
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = steps
}
criterion_main!(benches);
