//! How fast this machine computes now: the peak of multiply-adds, and what of it is left for
//! matrix products and functions.

use std::hint::black_box;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use kernels::{Exp, Isa, MatMut, MatRef, Simd, SimdOp, Tanh, map, matmul};
use nn::Executor;
use serde::Serialize;

use super::check::Check;
use crate::pool::Pool;

/// Rows and columns of the matrices: large enough to be as fast as products get, and a few
/// milliseconds.
const SIDE: usize = 512;

/// The time for all figures of peak and product, and the fewest rounds in it.
const TIME: Duration = Duration::from_millis(800);
const ROUNDS: usize = 5;

/// Time of a turn of the peak.
const TURN: Duration = Duration::from_millis(3);

/// Below this share of the peak, something is in the way of a product.
const LOW_SHARE: f64 = 0.5;

/// Speeds on one thread and on all.
#[derive(Debug, Serialize)]
pub(super) struct Speed {
    /// Whether the instruction set has multiply-adds, which no product can be faster than.
    #[serde(skip)]
    fuses: bool,
    threads: usize,
    /// Fused multiply-adds from registers to registers, in GFLOP/s; both operations count.
    peak_gflops_one: f64,
    peak_gflops_all: f64,
    /// Products of 512 × 512 matrices, in GFLOP/s.
    matmul_gflops_one: f64,
    matmul_gflops_all: f64,
    /// Nanoseconds for an element, on one thread.
    tanh_ns: f64,
    exp_ns: f64,
}

/// Chains of fused multiply-adds: enough to keep every unit busy, and few enough for the
/// registers of every instruction set.
const CHAINS: usize = 12;

/// Nothing but fused multiply-adds, from registers to registers. Returns the number of
/// operations.
struct Peak;

impl SimdOp for Peak {
    type Output = f64;

    #[inline(always)]
    fn eval<S: Simd>(self, s: S) -> f64 {
        const REPEATS: usize = 10_000;
        let (a, b) = (s.splat(black_box(0.999)), s.splat(black_box(1e-3)));
        let mut chains = [s.splat(1.0); CHAINS];
        for _ in 0..REPEATS {
            for chain in &mut chains {
                *chain = s.fma(*chain, a, b);
            }
        }
        black_box(chains.into_iter().map(|chain| s.sum(chain)).sum::<f32>());
        (2 * CHAINS * REPEATS * S::LEN) as f64
    }
}

impl Speed {
    pub(super) fn measure(isa: Isa, pool: &Pool) -> Self {
        let mut product = Product::new();
        let begin = Instant::now();
        let rounds = (0..).take_while(|done| *done < ROUNDS || begin.elapsed() < TIME).map(|_| {
            [
                peak(isa),
                product.on_one(isa),
                pool.install(|| on_all(pool, &|| peak(isa))),
                pool.install(|| product.on_all(isa, pool)),
            ]
        });
        let [peak_gflops_one, matmul_gflops_one, peak_gflops_all, matmul_gflops_all] = best(rounds);
        Self {
            fuses: isa.fuses(),
            threads: pool.threads(),
            peak_gflops_one,
            peak_gflops_all,
            matmul_gflops_one,
            matmul_gflops_all,
            tanh_ns: nanoseconds(|xs| map(isa, Tanh, xs)),
            exp_ns: nanoseconds(|xs| map(isa, Exp, xs)),
        }
    }

    pub(super) fn checks(&self) -> [Check; 3] {
        let share_one = self.matmul_gflops_one / self.peak_gflops_one;
        let share_all = self.matmul_gflops_all / self.peak_gflops_all;
        let several = self.threads > 1;
        let mut peak =
            format!("{:.1} GFLOP/s of multiply-adds on one thread", self.peak_gflops_one);
        // Without fused multiply-adds, the compiler may make more of a product than of chains.
        let of_peak = |share: f64, what: &str| match share {
            ..=1.0 => format!(" ({:.0} %{what})", 100.0 * share),
            _ => String::new(),
        };
        let first = of_peak(share_one, " of the peak");
        let mut matmul = format!("{:.1} GFLOP/s{first} on one thread", self.matmul_gflops_one);
        if several {
            let (threads, share) = (self.threads, of_peak(share_all, ""));
            peak += &format!(", {:.1} on {threads}", self.peak_gflops_all);
            matmul += &format!(", {:.1}{share} on {threads}", self.matmul_gflops_all);
        }
        let lowest = if several { share_one.min(share_all) } else { share_one };
        let highest = if several { share_one.max(share_all) } else { share_one };
        let falls = |one: f64, all: f64| several && all < one;
        let threads = self.threads;
        let slower = format!(
            "{threads} threads are slower than one: the machine is busy, or has fewer cores free; \
             measure again when it is idle"
        );
        let peak = if falls(self.peak_gflops_one, self.peak_gflops_all) {
            Check::warn("peak", peak, &*slower)
        } else {
            Check::ok("peak", peak)
        };
        let matmul = if self.fuses && highest > 1.0 {
            let advice = "a product is faster than the peak, which cannot be: the machine is busy; \
                          measure again when it is idle";
            Check::warn("matmul", matmul, advice)
        } else if falls(self.matmul_gflops_one, self.matmul_gflops_all) {
            Check::warn("matmul", matmul, slower)
        } else if lowest < LOW_SHARE {
            Check::warn(
                "matmul",
                matmul,
                "other programs take time or caches: close them and try again",
            )
        } else {
            Check::ok("matmul", matmul)
        };
        let functions = format!(
            "tanh {:.2} ns, exp {:.2} ns for an element on one thread",
            self.tanh_ns, self.exp_ns
        );
        [peak, matmul, Check::ok("functions", functions)]
    }
}

/// A product of two square matrices.
struct Product {
    a: Vec<f32>,
    b: Vec<f32>,
    c: Vec<f32>,
}

impl Product {
    fn new() -> Self {
        let values = |step: usize| {
            (0..SIDE * SIDE).map(|i| (i * step % 251) as f32 / 251.0 - 0.5).collect::<Vec<_>>()
        };
        Self { a: values(7), b: values(11), c: vec![0.0; SIDE * SIDE] }
    }

    /// Computes it; GFLOP/s.
    fn on_one(&mut self, isa: Isa) -> f64 {
        let begin = Instant::now();
        let c = MatMut::new(&mut self.c, SIDE, SIDE);
        rows(isa, MatRef::new(&self.a, SIDE, SIDE), MatRef::new(&self.b, SIDE, SIDE), c);
        gflops((2 * SIDE * SIDE * SIDE) as f64, begin)
    }

    /// The same, with some rows for each thread.
    fn on_all(&mut self, isa: Isa, pool: &Pool) -> f64 {
        let begin = Instant::now();
        let c = MatMut::new(&mut self.c, SIDE, SIDE);
        let (a, b) = (MatRef::new(&self.a, SIDE, SIDE), MatRef::new(&self.b, SIDE, SIDE));
        halves(pool, pool.threads(), isa, a, b, c);
        gflops((2 * SIDE * SIDE * SIDE) as f64, begin)
    }
}

fn rows(isa: Isa, a: MatRef<'_>, b: MatRef<'_>, c: MatMut<'_>) {
    matmul(isa, 1.0, a, b, 0.0, c);
}

/// Halves the rows until there are `parts`, each a multiple of the register tile.
fn halves(pool: &Pool, parts: usize, isa: Isa, a: MatRef<'_>, b: MatRef<'_>, c: MatMut<'_>) {
    let tile = isa.tile_rows();
    let (all, left) = (a.rows(), parts / 2);
    let row = (all * left / parts.max(1)).next_multiple_of(tile).min(all);
    if left == 0 || row == 0 || row == all {
        return rows(isa, a, b, c);
    }
    let (top, bottom) = c.split_rows(row);
    let width = a.cols();
    let a_top = a.sub(0, row, 0, width);
    let a_bottom = a.sub(row, all - row, 0, width);
    pool.join(
        || halves(pool, left, isa, a_top, b, top),
        || halves(pool, parts - left, isa, a_bottom, b, bottom),
    );
}

fn gflops(operations: f64, begin: Instant) -> f64 {
    operations / begin.elapsed().as_secs_f64().max(1e-9) / 1e9
}

/// GFLOP/s of the peak over a turn.
fn peak(isa: Isa) -> f64 {
    let (begin, mut operations) = (Instant::now(), 0.0);
    loop {
        operations += isa.dispatch(Peak);
        if begin.elapsed() >= TURN {
            return gflops(operations, begin);
        }
    }
}

/// The sum of what `turn` returns on each thread at the same time.
fn on_all(pool: &Pool, turn: &(dyn Fn() -> f64 + Sync)) -> f64 {
    fn each(pool: &Pool, parts: usize, work: &(dyn Fn() + Sync)) {
        match parts {
            0 | 1 => work(),
            _ => pool.join(|| each(pool, parts / 2, work), || each(pool, parts - parts / 2, work)),
        }
    }
    let sum = Mutex::new((0.0, Duration::ZERO));
    let begin = Instant::now();
    each(pool, pool.threads(), &|| {
        let own = Instant::now();
        let speed = turn();
        let mut sum = sum.lock().unwrap_or_else(|sum| sum.into_inner());
        // Not all of them began at the same time: what counts is the work in all the time.
        sum.0 += speed * own.elapsed().as_secs_f64();
        sum.1 = begin.elapsed();
    });
    let (work, time) = *sum.lock().unwrap_or_else(|sum| sum.into_inner());
    work / time.as_secs_f64().max(1e-9)
}

/// Speeds that are measured in turn, so that all have the same share of what else the machine
/// does: the best of each over many short rounds, which is what the machine gives while nobody
/// else has it.
fn best<const N: usize>(rounds: impl Iterator<Item = [f64; N]>) -> [f64; N] {
    rounds.fold([0.0; N], |best, round| std::array::from_fn(|i| best[i].max(round[i])))
}

/// Nanoseconds that a function takes for an element.
fn nanoseconds(function: impl Fn(&mut [f32])) -> f64 {
    const LEN: usize = 4096;
    const CALLS: usize = 200;
    let values: Vec<f32> = (0..LEN).map(|i| i as f32 / 512.0 - 4.0).collect();
    let mut times: Vec<f64> = (0..CALLS)
        .map(|_| {
            let mut xs = values.clone();
            let begin = Instant::now();
            function(black_box(&mut xs));
            black_box(&xs);
            begin.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    // A tenth of the calls is not disturbed by anything.
    times[CALLS / 10] * 1e9 / LEN as f64
}

#[cfg(test)]
mod tests {
    use super::super::check::Mark;
    use super::*;

    /// A product that is computed in parts is the product.
    #[test]
    fn parts_of_a_product_are_all_of_it() {
        let isa = Isa::active().unwrap();
        let mut whole = Product::new();
        whole.on_one(isa);
        for threads in [1, 2, 3, 5] {
            let pool = Pool::new(Some(threads.to_string().as_ref())).unwrap();
            let mut product = Product::new();
            pool.install(|| product.on_all(isa, &pool));
            assert!(product.c == whole.c, "{threads} threads");
            let turns = Mutex::new(0);
            let turn = || {
                *turns.lock().unwrap() += 1;
                1.0
            };
            pool.install(|| on_all(&pool, &turn));
            assert_eq!(turns.into_inner().unwrap(), threads);
        }
    }

    #[test]
    fn a_low_share_of_the_peak_is_a_warning() {
        let speed = |threads, matmul_gflops_all| Speed {
            fuses: false,
            threads,
            peak_gflops_one: 50.0,
            peak_gflops_all: 100.0,
            matmul_gflops_one: 40.0,
            matmul_gflops_all,
            tanh_ns: 0.5,
            exp_ns: 0.4,
        };
        let [peak, matmul, functions] = speed(2, 80.0).checks();
        assert_eq!(peak.text, "50.0 GFLOP/s of multiply-adds on one thread, 100.0 on 2");
        assert_eq!(matmul.text, "40.0 GFLOP/s (80 % of the peak) on one thread, 80.0 (80 %) on 2");
        assert_eq!(functions.text, "tanh 0.50 ns, exp 0.40 ns for an element on one thread");
        assert_eq!(matmul.mark, Mark::Ok);
        assert_eq!(speed(2, 30.0).checks()[1].mark, Mark::Warn);
        let [_, matmul, _] = speed(2, 120.0).checks();
        assert_eq!(matmul.text, "40.0 GFLOP/s (80 % of the peak) on one thread, 120.0 on 2");
        // Without fused multiply-adds that is no contradiction.
        assert_eq!(matmul.mark, Mark::Ok);
        assert_eq!(speed(1, 30.0).checks()[1].mark, Mark::Ok);
    }

    #[test]
    fn figures_that_contradict_each_other_are_a_warning() {
        let marks = |threads, peaks: [f64; 2], products: [f64; 2]| {
            let speed = Speed {
                fuses: true,
                threads,
                peak_gflops_one: peaks[0],
                peak_gflops_all: peaks[1],
                matmul_gflops_one: products[0],
                matmul_gflops_all: products[1],
                tanh_ns: 0.5,
                exp_ns: 0.4,
            };
            let [peak, matmul, _] = speed.checks();
            let asks = |check: &Check| {
                let advice = check.advice.as_deref().unwrap_or_default();
                assert_eq!(check.mark == Mark::Warn, advice.contains("measure again"), "{check:?}");
                check.mark
            };
            [asks(&peak), asks(&matmul)]
        };
        let (ok, warn) = (Mark::Ok, Mark::Warn);
        assert_eq!(marks(2, [50.0, 100.0], [40.0, 80.0]), [ok, ok]);
        assert_eq!(marks(2, [50.0, 100.0], [51.0, 80.0]), [ok, warn]);
        assert_eq!(marks(2, [50.0, 100.0], [40.0, 101.0]), [ok, warn]);
        assert_eq!(marks(2, [50.0, 49.0], [40.0, 41.0]), [warn, ok]);
        assert_eq!(marks(2, [50.0, 70.0], [40.0, 39.0]), [ok, warn]);
        // Of one thread, both figures are of the same thing.
        assert_eq!(marks(1, [50.0, 49.0], [40.0, 39.0]), [ok, ok]);
    }

    #[test]
    fn the_best_round_counts_for_each_figure() {
        let found = best([[1.0, 2.0], [7.0, 2.0], [1.0, 9.0], [3.0, 4.0]].into_iter());
        assert_eq!(found, [7.0, 9.0]);
    }
}
