//! Matrix products beside the Rust libraries that a user could choose instead, in
//! alternation: a shared machine is slow for a while and then fast, and both sides of a
//! ratio are to have the same share of it.
//!
//! ```text
//! cargo bench -p kernels --bench rivals
//! cargo bench -p kernels --bench rivals -- 128x784x30
//! ```
//!
//! In each round everybody computes the same product for a millisecond, one after the other,
//! and before them the machine shows its peak and what a bare tile reaches. The figures are
//! GFLOP/s on one thread in the ninth of ten rounds: what the machine gives while nobody else
//! has it. `python3 benches/table.py avx2 < output` puts the table into docs/performance.md.
//! A row whose bare tile is far below that of other rows wants another run.

use std::hint::black_box;
use std::time::{Duration, Instant};

use kernels::{
    AlignedBuf, Caches, Identity, Isa, MatMut, MatRef, PanelsRef, Simd, SimdOp, Start, Zeros,
    matmul, matmul_panels, pack, packed_len,
};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

/// m, k, n, and whether A is stored transposed, as activations are in the product for the
/// gradient of weights.
const SHAPES: &[(usize, usize, usize, bool)] = &[
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
    (4096, 4096, 4096, false),
];

const ROUNDS: usize = 40;
/// Rounds of a product that takes longer than a turn by far.
const FEW_ROUNDS: usize = 5;
/// A contestant's turn.
const TURN: Duration = Duration::from_millis(1);

/// Chains of fused multiply-adds: enough to keep every unit busy, and few enough
/// for the registers of every instruction set.
const CHAINS: usize = 12;

/// Nothing but fused multiply-adds, from registers to registers: the peak.
struct Peak;

impl SimdOp for Peak {
    type Output = f64;

    #[inline(always)]
    fn eval<S: Simd>(self, s: S) -> f64 {
        const ROUNDS: usize = 10_000;
        let (a, b) = (s.splat(black_box(0.999)), s.splat(black_box(1e-3)));
        let mut chains = [s.splat(1.0); CHAINS];
        for _ in 0..ROUNDS {
            for chain in &mut chains {
                *chain = s.fma(*chain, a, b);
            }
        }
        black_box(chains.into_iter().map(|chain| s.sum(chain)).sum::<f32>());
        (2 * CHAINS * ROUNDS * S::LEN) as f64
    }
}

/// A tile of C in registers, and A and B in the L1 cache: what a product can hardly exceed.
struct Bare<'a>(&'a [f32], &'a [f32]);

const BARE_K: usize = 128;

impl SimdOp for Bare<'_> {
    type Output = f64;

    #[inline(always)]
    fn eval<S: Simd>(self, s: S) -> f64 {
        match S::LEN {
            16 => bare::<S, 8, 3>(s, self.0, self.1),
            8 => bare::<S, 6, 2>(s, self.0, self.1),
            _ => bare::<S, 6, 4>(s, self.0, self.1),
        }
    }
}

#[inline(always)]
fn bare<S: Simd, const R: usize, const V: usize>(s: S, a: &[f32], b: &[f32]) -> f64 {
    const REPEATS: usize = 200;
    for _ in 0..REPEATS {
        let mut acc = [[s.splat(0.0); V]; R];
        let (a, b) = (black_box(a), black_box(b));
        for (a, b) in a.chunks_exact(R).zip(b.chunks_exact(V * S::LEN)).take(BARE_K) {
            let mut row = [s.splat(0.0); V];
            for (v, row) in row.iter_mut().enumerate() {
                *row = s.load(&b[v * S::LEN..]);
            }
            for (acc, a) in acc.iter_mut().zip(a) {
                let a = s.splat(*a);
                for (acc, b) in acc.iter_mut().zip(&row) {
                    *acc = s.fma(a, *b, *acc);
                }
            }
        }
        for acc in acc.as_flattened() {
            black_box(s.sum(*acc));
        }
    }
    (2 * R * V * S::LEN * BARE_K * REPEATS) as f64
}

fn random(len: usize, seed: u64) -> Vec<f32> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    (0..len).map(|_| rng.random::<f32>() - 0.5).collect()
}

/// GFLOP/s of `run`, which returns its operations, over a turn.
fn turn(run: &mut dyn FnMut() -> f64) -> f64 {
    let begin = Instant::now();
    let mut flops = 0.0;
    loop {
        flops += run();
        let passed = begin.elapsed();
        if passed >= TURN {
            return flops / passed.as_secs_f64() / 1e9;
        }
    }
}

/// The ninth decile.
fn decile(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) * 9 / 10]
}

/// Who computes, in the order of the columns.
const WHO: [&str; 6] = ["peak", "bare tile", "kernels", "B kept", "gemm", "matrixmultiply"];

/// One product, computed by everybody in turn: their speeds, in the order of [`WHO`].
fn compete(isa: Isa, (m, k, n, transposed): (usize, usize, usize, bool)) -> [f64; 6] {
    let (rows, cols) = if transposed { (1, m) } else { (k, 1) };
    let (a, b) = (random(m * k, 1), random(k * n, 2));
    let [mut c0, mut c1, mut c2, mut c3] = std::array::from_fn(|_| vec![0.0; m * n]);
    let mut panels = AlignedBuf::zeros(packed_len(k, n));
    pack(isa, MatRef::new(&b, k, n), &mut panels);
    let mat = MatRef::strided(&a, m, k, rows, cols);
    let flops = (2 * m * k * n) as f64;
    let (bare_a, bare_b) = (random(8 * BARE_K, 3), random(64 * BARE_K, 4));

    let mut peak = || isa.dispatch(Peak);
    let mut bare = || isa.dispatch(Bare(&bare_a, &bare_b));
    let mut ours = || {
        matmul(isa, 1.0, mat, MatRef::new(&b, k, n), 0.0, MatMut::new(&mut c0, m, n));
        flops
    };
    let mut kept = || {
        let (b, c) = (PanelsRef::packed(&panels, k, n), MatMut::new(&mut c1, m, n));
        matmul_panels(isa, mat, b, Start::Zero, c, Identity, Zeros::Multiply);
        flops
    };
    let (rows, cols, width) = (rows as isize, cols as isize, n as isize);
    let mut gemm = || {
        // SAFETY: pointers, sizes and strides are those of the three vectors.
        unsafe {
            gemm::gemm(
                m,
                n,
                k,
                c2.as_mut_ptr(),
                1,
                width,
                false,
                a.as_ptr(),
                cols,
                rows,
                b.as_ptr(),
                1,
                width,
                0.0,
                1.0,
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
        flops
    };
    let mut matrixmultiply = || {
        // SAFETY: pointers, sizes and strides are those of the three vectors.
        unsafe {
            matrixmultiply::sgemm(
                m,
                k,
                n,
                1.0,
                a.as_ptr(),
                rows,
                cols,
                b.as_ptr(),
                width,
                1,
                0.0,
                c3.as_mut_ptr(),
                width,
                1,
            );
        }
        flops
    };
    let mut runs: [&mut dyn FnMut() -> f64; 6] =
        [&mut peak, &mut bare, &mut ours, &mut kept, &mut gemm, &mut matrixmultiply];
    for run in &mut runs {
        run();
    }
    let rounds = if flops > 1e11 { FEW_ROUNDS } else { ROUNDS };
    let rounds: Vec<[f64; 6]> =
        (0..rounds).map(|_| std::array::from_fn(|who| turn(runs[who]))).collect();
    for other in [&c1, &c2, &c3] {
        let worst = other.iter().zip(&c0).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-3, "{m} × {k} × {n}: they differ by {worst}");
    }
    std::array::from_fn(|who| decile(rounds.iter().map(|round| round[who])))
}

fn main() {
    // `cargo bench` passes options on.
    let wanted: Vec<_> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let isa = Isa::active().unwrap_or_else(|error| panic!("{error}"));
    println!("Instruction set {isa}; L1, L2 and L3 caches: {}.\n", Caches::active());
    println!("| m × k × n | {} | ratio | ratio, kept | kept, of bare tile |", WHO.join(" | "));
    println!("|{}", " --- |".repeat(WHO.len() + 4));
    for shape in SHAPES {
        let (m, k, n, transposed) = *shape;
        let name = format!("{m}x{k}x{n}");
        if !wanted.is_empty() && !wanted.iter().any(|part| name.contains(part.as_str())) {
            continue;
        }
        let speeds = compete(isa, *shape);
        let [_, bare, ours, kept, gemm, matrixmultiply] = speeds;
        let best = gemm.max(matrixmultiply);
        let cells: Vec<_> = speeds.iter().map(|speed| format!("{speed:.1}")).collect();
        println!(
            "| {}{} | {} | {:.2} | {:.2} | {:.0} % |",
            name.replace('x', " × "),
            if transposed { ", A transposed" } else { "" },
            cells.join(" | "),
            ours / best,
            kept / best,
            100.0 * kept / bare,
        );
    }
}
