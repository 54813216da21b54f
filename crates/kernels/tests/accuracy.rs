//! How far tanh, sigmoid and exp are from the exact value, in units in the last
//! place of the exact value, against `f64` arithmetic.
//!
//! A run takes each 4099th of the 2³² bit patterns; the ignored test takes them
//! all, which is what the documented bounds come from:
//!
//! ```text
//! cargo test -p kernels --release --test accuracy -- --ignored --nocapture
//! ```

use kernels::{Exp, Isa, Sigmoid, Tanh, map};

struct Function {
    name: &'static str,
    kernel: fn(Isa, &mut [f32]),
    exact: fn(f64) -> f64,
    /// The documented bound, in ULPs.
    bound: f64,
}

const FUNCTIONS: [Function; 3] = [
    Function { name: "tanh", kernel: |isa, xs| map(isa, Tanh, xs), exact: f64::tanh, bound: 0.68 },
    Function {
        name: "sigmoid",
        kernel: |isa, xs| map(isa, Sigmoid, xs),
        exact: |x| 1.0 / (1.0 + (-x).exp()),
        bound: 0.97,
    },
    Function { name: "exp", kernel: |isa, xs| map(isa, Exp, xs), exact: f64::exp, bound: 0.90 },
];

/// Distance of the `f32`s around `exact`.
fn ulp(exact: f64) -> f64 {
    let exponent = (exact.abs().to_bits() >> 52) as i32 - 1023;
    2f64.powi(exponent.clamp(-126, 127) - 23)
}

/// The error of `found`, in ULPs; infinite where it is wrong in kind.
fn error(function: &Function, x: f32, found: f32) -> f64 {
    let exact = (function.exact)(f64::from(x));
    // What rounds to infinity, is.
    let overflows = exact >= f64::from(f32::MAX) + ulp(f64::from(f32::MAX)) / 2.0;
    let right = if x.is_nan() {
        found.is_nan()
    } else if overflows {
        found == f32::INFINITY
    } else {
        return if found.is_finite() {
            (f64::from(found) - exact).abs() / ulp(exact)
        } else {
            f64::INFINITY
        };
    };
    if right { 0.0 } else { f64::INFINITY }
}

/// The largest error over the given bit patterns, and where it is.
fn worst(function: &Function, isa: Isa, patterns: impl Iterator<Item = u32>) -> (f64, f32) {
    const CHUNK: usize = 4096;
    let mut worst = (0.0, 0.0);
    let mut patterns = patterns.peekable();
    while patterns.peek().is_some() {
        let xs: Vec<f32> = patterns.by_ref().take(CHUNK).map(f32::from_bits).collect();
        let mut ys = xs.clone();
        (function.kernel)(isa, &mut ys);
        for (x, y) in xs.into_iter().zip(ys) {
            let error = error(function, x, y);
            if error > worst.0 {
                worst = (error, x);
            }
        }
    }
    worst
}

fn check(function: &Function, isa: Isa, (error, x): (f64, f32)) {
    let Function { name, bound, .. } = function;
    println!("{name:8} {isa:8} {error:.4} ULP at {x:e}");
    assert!(error <= *bound, "{name} on {isa}: {error} ULP at {x:e}, more than {bound}");
}

#[test]
fn a_sample_of_all_floats_is_within_the_bound() {
    for function in &FUNCTIONS {
        for isa in Isa::available() {
            check(function, isa, worst(function, isa, (0..=u32::MAX).step_by(4099)));
        }
    }
}

#[test]
#[ignore = "takes minutes: every f32 there is"]
fn all_floats_are_within_the_bound() {
    for function in &FUNCTIONS {
        for isa in Isa::available() {
            let halves = [0..=i32::MAX as u32, 1 << 31..=u32::MAX];
            let found = std::thread::scope(|scope| {
                halves
                    .map(|half| scope.spawn(move || worst(function, isa, half)))
                    .map(|thread| thread.join().expect("a thread that does not panic"))
            });
            let largest = found.into_iter().max_by(|a, b| a.0.total_cmp(&b.0));
            check(function, isa, largest.expect("two halves"));
        }
    }
}

/// What a user relies on without reading of ULPs.
#[test]
fn special_values() {
    let x = [0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, 1e-45, -1e-45, 1e-30, 20.0, -20.0];
    for isa in Isa::available() {
        let mut y = x;
        map(isa, Tanh, &mut y);
        let expected = [0.0, -0.0, 1.0, -1.0, 1e-45, -1e-45, 1e-30, 1.0, -1.0f32];
        assert_eq!(y.map(f32::to_bits), expected.map(f32::to_bits), "tanh on {isa}: {y:?}");

        let mut y = x;
        map(isa, Exp, &mut y);
        assert_eq!(y[..4], [1.0, 1.0, f32::INFINITY, 0.0], "exp on {isa}");

        let mut y = x;
        map(isa, Sigmoid, &mut y);
        assert_eq!(y[..4], [0.5, 0.5, 1.0, 0.0], "sigmoid on {isa}");

        let mut edges = [88.72, 88.73, -87.0, -103.9, -104.0];
        map(isa, Exp, &mut edges);
        assert!(edges[0].is_finite() && edges[1] == f32::INFINITY, "{isa}: {edges:?}");
        assert!(edges[2].is_normal() && edges[3] == 1e-45 && edges[4] == 0.0, "{isa}: {edges:?}");
    }
}

#[test]
fn tanh_is_odd_and_never_leaves_its_range() {
    for isa in Isa::available() {
        let xs: Vec<f32> = (0..=0x4180_0000).step_by(997).map(f32::from_bits).collect();
        let (mut up, mut down) = (xs.clone(), xs.iter().map(|x| -x).collect::<Vec<_>>());
        map(isa, Tanh, &mut up);
        map(isa, Tanh, &mut down);
        for ((x, up), down) in xs.iter().zip(&up).zip(&down) {
            assert!((0.0..=1.0).contains(up), "{isa}: tanh {x} = {up}");
            assert_eq!(*down, -up, "{isa}: at {x}");
        }
    }
}

#[test]
#[ignore = "takes half a minute: every positive f32 up to 16"]
fn tanh_never_steps_back() {
    const CHUNK: usize = 4096;
    for isa in Isa::available() {
        let mut before = 0.0;
        for first in (0..16f32.to_bits()).step_by(CHUNK) {
            let xs: Vec<f32> = (first..).take(CHUNK).map(f32::from_bits).collect();
            let mut ys = xs.clone();
            map(isa, Tanh, &mut ys);
            for (x, y) in xs.into_iter().zip(ys) {
                assert!(y >= before, "{isa}: tanh {x:e} is {y:e}, behind {before:e}");
                before = y;
            }
        }
    }
}
