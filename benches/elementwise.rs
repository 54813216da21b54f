//! tanh, sigmoid, exp, other activations, softmax, cross-entropy, dropout masks
//! and Gaussian numbers, in cache and on one thread. tanh, sigmoid and exp are
//! compared with a plain loop over the standard library's functions.
//!
//! ```text
//! cargo bench -p kernels --bench elementwise
//! ```

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kernels::{
    AlignedBuf, Elu, EluGradient, Exp, Gelu, GeluGradient, Isa, LeakyRelu, LeakyReluGradient,
    MatMut, MatRef, RowLoss, Sigmoid, Silu, SiluGradient, Softplus, Stream, Tanh, cross_entropy,
    cross_entropy_gradient, dropout, dropout_mask, gaussian_mask, map, softmax_rows, zip,
};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

/// 16 KiB, which fits in the L1 cache of any CPU.
const LEN: usize = 4096;

fn random(len: usize) -> AlignedBuf {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut buffer = AlignedBuf::zeros(len);
    buffer.fill_with(|| 8.0 * rng.random::<f32>() - 4.0);
    buffer
}

/// Copies `x` to `y` and runs `f` on the copy, because the functions overwrite
/// their argument. Every printed time includes the copy.
fn pass(x: &[f32], y: &mut [f32], f: impl FnOnce(&mut [f32])) {
    y.copy_from_slice(x);
    f(y);
    black_box(y.as_ptr());
}

fn close(found: &[f32], exact: impl Fn(f32) -> f32, x: &[f32]) {
    for (found, x) in found.iter().zip(x) {
        let exact = exact(*x);
        assert!((found - exact).abs() <= 1e-5 * exact.abs(), "f({x}) is {found}, not {exact}");
    }
}

fn functions(c: &mut Criterion) {
    type Function = (&'static str, fn(Isa, &mut [f32]), fn(f32) -> f32);
    let functions: [Function; 3] = [
        ("tanh", |isa, y| map(isa, Tanh, y), f32::tanh),
        ("sigmoid", |isa, y| map(isa, Sigmoid, y), |x| 1.0 / (1.0 + (-x).exp())),
        ("exp", |isa, y| map(isa, Exp, y), f32::exp),
    ];
    let x = random(LEN);
    let mut y = AlignedBuf::zeros(LEN);
    for (name, kernel, std) in functions {
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Elements(LEN as u64));
        for isa in Isa::available() {
            pass(&x, &mut y, |y| kernel(isa, y));
            close(&y, std, &x);
            group.bench_function(isa.name(), |bencher| {
                bencher.iter(|| pass(&x, &mut y, |y| kernel(isa, y)));
            });
        }
        group.bench_function("std", |bencher| {
            bencher.iter(|| pass(&x, &mut y, |y| y.iter_mut().for_each(|y| *y = std(*y))));
        });
        group.finish();
    }
}

/// Functions that the standard library does not have. Derivatives take z, or the
/// output f(z), from another slice.
fn activations(c: &mut Criterion) {
    type Function = (&'static str, fn(Isa, &mut [f32], &[f32]));
    let functions: [Function; 9] = [
        ("softplus", |isa, y, _| map(isa, Softplus, y)),
        ("GELU", |isa, y, _| map(isa, Gelu, y)),
        ("GELU, derivative", |isa, y, x| zip(isa, GeluGradient, y, x)),
        ("SiLU", |isa, y, _| map(isa, Silu, y)),
        ("SiLU, derivative", |isa, y, x| zip(isa, SiluGradient, y, x)),
        ("ELU", |isa, y, _| map(isa, Elu { alpha: 1.0 }, y)),
        ("ELU, derivative", |isa, y, x| zip(isa, EluGradient { alpha: 1.0 }, y, x)),
        ("leaky ReLU", |isa, y, _| map(isa, LeakyRelu { slope: 0.01 }, y)),
        ("leaky ReLU, derivative", |isa, y, x| zip(isa, LeakyReluGradient { slope: 0.01 }, y, x)),
    ];
    let x = random(LEN);
    let mut y = AlignedBuf::zeros(LEN);
    for (name, kernel) in functions {
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Elements(LEN as u64));
        for isa in Isa::available() {
            group.bench_function(isa.name(), |bencher| {
                bencher.iter(|| pass(&x, &mut y, |y| kernel(isa, y, &x)));
            });
        }
        group.finish();
    }
}

fn rows(c: &mut Criterion) {
    let isa = Isa::active().unwrap_or_else(|error| panic!("{error}"));
    for (count, width) in [(400, 10), (8, 512)] {
        let len = count * width;
        let x = random(len);
        let mut y = AlignedBuf::zeros(len);
        let mut group = c.benchmark_group(format!("rows of {width}"));
        group.throughput(Throughput::Elements(len as u64));

        pass(&x, &mut y, |y| softmax_rows(isa, MatMut::new(y, count, width)));
        for row in y.chunks_exact(width) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
        group.bench_function("softmax", |bencher| {
            bencher.iter(|| {
                pass(&x, &mut y, |y| softmax_rows(isa, MatMut::new(y, count, width)));
            });
        });
        let labels: Vec<u32> = (0..count).map(|i| (i % width) as u32).collect();
        let mut losses = vec![RowLoss::default(); count];
        group.bench_function("cross-entropy", |bencher| {
            let logits = MatRef::new(&x, count, width);
            bencher.iter(|| {
                cross_entropy(isa, logits, &labels, &mut losses);
                black_box(losses.as_ptr());
            });
        });
        group.bench_function("cross-entropy with its gradient", |bencher| {
            bencher.iter(|| {
                pass(&x, &mut y, |y| {
                    let logits = MatMut::new(y, count, width);
                    cross_entropy_gradient(isa, logits, &labels, 1.0, &mut losses);
                });
            });
        });
        group.finish();
    }
}

fn masks(c: &mut Criterion) {
    let isa = Isa::active().unwrap_or_else(|error| panic!("{error}"));
    let mut mask = AlignedBuf::zeros(512);
    let mut group = c.benchmark_group("dropout mask");
    group.throughput(Throughput::Elements(512));
    let mut row = 0;
    group.bench_function("rows of 512", |bencher| {
        bencher.iter(|| {
            row += 1;
            dropout_mask(isa, Stream { seed: 1, counter: [row, 0, 0], first: 0 }, 0.5, &mut mask);
            black_box(mask.as_ptr());
        });
    });
    let h = random(512);
    let mut a = AlignedBuf::zeros(512);
    group.bench_function("rows of 512, and the product", |bencher| {
        bencher.iter(|| {
            row += 1;
            let stream = Stream { seed: 1, counter: [row, 0, 0], first: 0 };
            dropout(isa, stream, 0.5, &h, &mut mask, &mut a);
            black_box(a.as_ptr());
        });
    });
    group.finish();

    let mut group = c.benchmark_group("Gaussian numbers");
    group.throughput(Throughput::Elements(512));
    group.bench_function("rows of 512", |bencher| {
        bencher.iter(|| {
            row += 1;
            gaussian_mask(isa, Stream { seed: 1, counter: [row, 0, 0], first: 0 }, 0.5, &mut mask);
            black_box(mask.as_ptr());
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = functions, activations, rows, masks
}
criterion_main!(benches);
