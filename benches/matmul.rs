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
use kernels::{
    AlignedBuf, Identity, Isa, MatMut, MatRef, PanelsRef, Simd, SimdOp, Start, Zeros, matmul,
    matmul_panels, pack, packed_len,
};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

/// m, k, n, and whether A is stored transposed, as activations are in the product
/// for the gradient of weights.
const SHAPES: [(usize, usize, usize, bool); 13] = [
    (128, 784, 30, false),
    (128, 784, 100, false),
    (128, 784, 512, false),
    (128, 512, 512, false),
    (128, 512, 10, false),
    (784, 128, 30, true),
    (784, 128, 100, true),
    (784, 128, 512, true),
    (128, 10, 512, false),
    (256, 256, 256, false),
    (512, 512, 512, false),
    (1024, 1024, 1024, false),
    (2048, 2048, 2048, false),
];

/// Chains of fused multiply-adds: enough to keep every unit busy, and few enough
/// for the registers of every instruction set.
const CHAINS: usize = 12;
const ROUNDS: usize = 10_000;

/// Nothing but fused multiply-adds, from registers to registers.
struct Peak;

impl SimdOp for Peak {
    type Output = f32;

    #[inline(always)]
    fn eval<S: Simd>(self, s: S) -> f32 {
        let (a, b) = (s.splat(black_box(0.999)), s.splat(black_box(1e-3)));
        let mut chains = [s.splat(1.0); CHAINS];
        for _ in 0..ROUNDS {
            for chain in &mut chains {
                *chain = s.fma(*chain, a, b);
            }
        }
        chains.into_iter().map(|chain| s.sum(chain)).sum()
    }
}

/// Lanes of a vector.
struct Lanes;

impl SimdOp for Lanes {
    type Output = usize;

    #[inline(always)]
    fn eval<S: Simd>(self, _: S) -> usize {
        S::LEN
    }
}

fn peak(c: &mut Criterion) {
    let mut group = c.benchmark_group("peak");
    for isa in Isa::available().into_iter().filter(|isa| isa.name() != "scalar") {
        let flops = 2 * CHAINS * ROUNDS * isa.dispatch(Lanes);
        group.throughput(Throughput::Elements(flops as u64));
        group.bench_function(isa.name(), |bencher| bencher.iter(|| isa.dispatch(Peak)));
    }
    group.finish();
}

fn random(len: usize, seed: u64) -> Vec<f32> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    (0..len).map(|_| rng.random::<f32>() - 0.5).collect()
}

/// One product C = A·B, and the libraries that compute it. A (m × k), B (k × n) and
/// C (m × n) are row-major, except A where it is stored transposed.
struct Product {
    m: usize,
    k: usize,
    n: usize,
    a: Vec<f32>,
    /// Elements from a row of A to the next, and from a column to the next.
    a_strides: (usize, usize),
    b: Vec<f32>,
    c: Vec<f32>,
}

impl Product {
    fn new((m, k, n, transposed): (usize, usize, usize, bool)) -> Self {
        let a_strides = if transposed { (1, m) } else { (k, 1) };
        Self { m, k, n, a: random(m * k, 1), a_strides, b: random(k * n, 2), c: vec![0.0; m * n] }
    }

    fn a(&self) -> MatRef<'_> {
        MatRef::strided(&self.a, self.m, self.k, self.a_strides.0, self.a_strides.1)
    }

    fn ours(&mut self, isa: Isa) {
        let a = MatRef::strided(&self.a, self.m, self.k, self.a_strides.0, self.a_strides.1);
        let b = MatRef::new(&self.b, self.k, self.n);
        matmul(isa, 1.0, a, b, 0.0, MatMut::new(&mut self.c, self.m, self.n));
    }

    /// With B in panels already, as a layer keeps its weights.
    fn ours_kept(&mut self, isa: Isa, panels: &[f32]) {
        let a = MatRef::strided(&self.a, self.m, self.k, self.a_strides.0, self.a_strides.1);
        let b = PanelsRef::packed(panels, self.k, self.n);
        let c = MatMut::new(&mut self.c, self.m, self.n);
        matmul_panels(isa, a, b, Start::Zero, c, Identity, Zeros::Multiply);
    }

    fn gemm(&mut self) {
        let (rows, cols) = (self.a_strides.0 as isize, self.a_strides.1 as isize);
        let n = self.n as isize;
        // SAFETY: pointers, sizes and strides are those of the three vectors.
        unsafe {
            gemm::gemm(
                self.m,
                self.n,
                self.k,
                self.c.as_mut_ptr(),
                1,
                n,
                false,
                self.a.as_ptr(),
                cols,
                rows,
                self.b.as_ptr(),
                1,
                n,
                0.0,
                1.0,
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
    }

    fn matrixmultiply(&mut self) {
        let (rows, cols) = (self.a_strides.0 as isize, self.a_strides.1 as isize);
        let n = self.n as isize;
        // SAFETY: pointers, sizes and strides are those of the three vectors.
        unsafe {
            matrixmultiply::sgemm(
                self.m,
                self.k,
                self.n,
                1.0,
                self.a.as_ptr(),
                rows,
                cols,
                self.b.as_ptr(),
                n,
                1,
                0.0,
                self.c.as_mut_ptr(),
                n,
                1,
            );
        }
    }

    /// Compares some elements with sums in `f64`, so that no wrong product is timed.
    fn check(&self, who: &str) {
        let a = self.a();
        for at in (0..self.m * self.n).step_by(self.m * self.n / 50 + 1) {
            let (i, j) = (at / self.n, at % self.n);
            let products =
                (0..self.k).map(|p| f64::from(a.get(i, p)) * f64::from(self.b[p * self.n + j]));
            let exact: f64 = products.sum();
            let found = f64::from(self.c[at]);
            assert!((found - exact).abs() < 1e-3, "{who}: ({i}, {j}) is {found}, not {exact}");
        }
    }
}

fn products(c: &mut Criterion) {
    let isa = Isa::active().unwrap_or_else(|error| panic!("{error}"));
    for shape in SHAPES {
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
