//! Matrix products of a multilayer perceptron, compared with the Rust libraries
//! that a user could choose instead, on one thread.
//!
//! ```text
//! cargo bench -p kernels --bench matmul
//! cargo bench -p kernels --bench matmul -- 128x784x30
//! ```
//!
//! Throughput is in elements, and an element is one floating-point operation here:
//! `Gelem/s` means GFLOP/s. The first group measures the peak of fused multiply-adds
//! that the machine reaches at this moment, to compare the products with. In the
//! last group the caller splits the rows of C over two threads.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use kernels::{AlignedBuf, Isa, MatMut, MatRef, matmul, pack, packed_len};
use product::{Peak, Product, SHAPES};

mod product;

fn peak(c: &mut Criterion) {
    let mut group = c.benchmark_group("peak");
    for isa in Isa::available().into_iter().filter(|isa| isa.name() != "scalar") {
        group.throughput(Throughput::Elements(isa.dispatch(Peak) as u64));
        group.bench_function(isa.name(), |bencher| bencher.iter(|| isa.dispatch(Peak)));
    }
    group.finish();
}

fn products(c: &mut Criterion) {
    let isa = Isa::active().unwrap_or_else(|error| panic!("{error}"));
    // The largest takes seconds; `rivals` has it.
    for &shape in SHAPES.iter().filter(|shape| shape.0 <= 2048) {
        let (m, k, n, transposed) = shape;
        let mut product = Product::new(shape);
        let mut panels = AlignedBuf::zeros(packed_len(k, n));
        pack(isa, MatRef::new(&product.b, k, n), &mut panels);

        let name = format!("{m}x{k}x{n}{}", if transposed { " A transposed" } else { "" });
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Elements(2 * (m * k * n) as u64));
        type Run<'a> = (&'a str, &'a dyn Fn(&mut Product));
        let runs: [Run<'_>; 4] = [
            ("kernels", &|p| p.ours(isa)),
            ("kernels, B kept in panels", &|p| p.ours_kept(isa, &panels)),
            ("gemm", &Product::gemm),
            ("matrixmultiply", &Product::matrixmultiply),
        ];
        for (who, run) in runs {
            product.c.fill(f32::NAN);
            run(&mut product);
            product.check(who);
            group.bench_function(BenchmarkId::from_parameter(who), |bencher| {
                bencher.iter(|| {
                    run(&mut product);
                    black_box(product.c.as_ptr());
                });
            });
        }
        group.finish();
    }
}

/// The upper half of the rows on one thread, the lower half on another.
fn halves(c: &mut Criterion) {
    let isa = Isa::active().unwrap_or_else(|error| panic!("{error}"));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build();
    let pool = pool.unwrap_or_else(|error| panic!("{error}"));
    let mut group = c.benchmark_group("threads");
    for size in [256, 512, 1024, 2048] {
        let mut product = Product::new((size, size, size, false));
        group.throughput(Throughput::Elements(2 * (size * size * size) as u64));
        let a = MatRef::new(&product.a, size, size);
        let b = MatRef::new(&product.b, size, size);
        group.bench_function(format!("{size}, one"), |bencher| {
            bencher.iter(|| {
                matmul(isa, 1.0, a, b, 0.0, MatMut::new(&mut product.c, size, size));
            });
        });
        let half = size / 2;
        group.bench_function(format!("{size}, two"), |bencher| {
            pool.install(|| {
                bencher.iter(|| {
                    let (top, bottom) = MatMut::new(&mut product.c, size, size).split_rows(half);
                    rayon::join(
                        || matmul(isa, 1.0, a.sub(0, half, 0, size), b, 0.0, top),
                        || matmul(isa, 1.0, a.sub(half, half, 0, size), b, 0.0, bottom),
                    );
                });
            });
        });
        product.check("two threads");
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = peak, products, halves
}
criterion_main!(benches);
