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

use kernels::{AlignedBuf, Caches, Isa, MatRef, Simd, SimdOp, pack, packed_len};
use product::{Peak, Product, SHAPES, random};

mod product;

/// Rounds of a product.
const ROUNDS: usize = 40;
/// Rounds of a product that takes longer than a turn by far.
const FEW_ROUNDS: usize = 5;
/// A contestant's turn.
const TURN: Duration = Duration::from_millis(1);

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

/// GFLOP/s of `run`, which returns its operations, over a turn.
fn turn(mut run: impl FnMut() -> f64) -> f64 {
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
fn compete(isa: Isa, shape: (usize, usize, usize, bool)) -> [f64; 6] {
    let (m, k, n, _) = shape;
    let flops = (2 * m * k * n) as f64;
    let mut product = Product::new(shape);
    let mut panels = AlignedBuf::zeros(packed_len(k, n));
    pack(isa, MatRef::new(&product.b, k, n), &mut panels);
    let (bare_a, bare_b) = (random(8 * BARE_K, 3), random(64 * BARE_K, 4));

    type Run<'a> = &'a dyn Fn(&mut Product) -> f64;
    let of = |run: fn(&mut Product)| {
        move |product: &mut Product| {
            run(product);
            flops
        }
    };
    let runs: [Run<'_>; 6] = [
        &|_| isa.dispatch(Peak),
        &|_| isa.dispatch(Bare(&bare_a, &bare_b)),
        &|product| {
            product.ours(isa);
            flops
        },
        &|product| {
            product.ours_kept(isa, &panels);
            flops
        },
        &of(Product::gemm),
        &of(Product::matrixmultiply),
    ];
    for (who, run) in WHO.iter().zip(runs).skip(2) {
        product.c.fill(f32::NAN);
        run(&mut product);
        product.check(who);
    }
    let rounds = if flops > 1e11 { FEW_ROUNDS } else { ROUNDS };
    let rounds: Vec<[f64; 6]> =
        (0..rounds).map(|_| runs.map(|run| turn(|| run(&mut product)))).collect();
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
