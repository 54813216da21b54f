//! The error of the functions of one variable against `f64` arithmetic, in ULPs: units in
//! the last place of the exact value.
//!
//! A normal run takes every 4099th of the 2³² bit patterns. The ignored tests, one for
//! each function, take them all; the documented bounds come from them:
//!
//! ```text
//! cargo test -p kernels --release --test accuracy -- --ignored --nocapture
//! cargo test -p kernels --release --test accuracy -- --ignored --nocapture softplus
//! ```

use kernels::{
    Binary, Elu, Exp, Gelu, GeluGradient, Isa, LeakyRelu, Sigmoid, Silu, SiluGradient, Softplus,
    Tanh, map, zip,
};

struct Function {
    name: &'static str,
    kernel: fn(Isa, &mut [f32]),
    exact: fn(f64) -> f64,
    /// The value whose ULP is the unit of the error: the exact value, or the larger of
    /// its two terms if they may cancel.
    size: fn(f64) -> f64,
    /// The documented bound, in ULPs.
    bound: f64,
}

impl Function {
    const fn new(
        name: &'static str,
        kernel: fn(Isa, &mut [f32]),
        exact: fn(f64) -> f64,
        bound: f64,
    ) -> Self {
        Self { name, kernel, exact, size: exact, bound }
    }
}

const TANH: Function = Function::new("tanh", |isa, xs| map(isa, Tanh, xs), f64::tanh, 0.68);
const SIGMOID: Function = Function::new("sigmoid", |isa, xs| map(isa, Sigmoid, xs), sigmoid, 0.90);
const EXP: Function = Function::new("exp", |isa, xs| map(isa, Exp, xs), f64::exp, 0.90);
const SOFTPLUS: Function =
    Function::new("softplus", |isa, xs| map(isa, Softplus, xs), softplus, 1.87);
const GELU: Function = Function::new("GELU", |isa, xs| map(isa, Gelu, xs), gelu, 4.02);
const GELU_GRADIENT: Function = Function {
    name: "GELU′",
    kernel: |isa, xs| derivative(isa, GeluGradient, xs),
    exact: |z| normal(z) + times_density(z),
    size: |z| f64::max(normal(z), times_density(z).abs()),
    bound: 2.85,
};
const SILU: Function = Function::new("SiLU", |isa, xs| map(isa, Silu, xs), silu, 3.35);
const SILU_GRADIENT: Function = Function {
    name: "SiLU′",
    kernel: |isa, xs| derivative(isa, SiluGradient, xs),
    exact: |z| sigmoid(z) + times_slope_of_sigmoid(z),
    size: |z| f64::max(sigmoid(z), times_slope_of_sigmoid(z).abs()),
    bound: 5.01,
};
const ELU: Function = Function::new(
    "ELU",
    |isa, xs| map(isa, Elu { alpha: 1.0 }, xs),
    |z| if z > 0.0 { z } else { z.exp_m1() },
    0.95,
);
const LEAKY_RELU: Function = Function::new(
    "leaky ReLU",
    |isa, xs| map(isa, LeakyRelu { slope: 0.01 }, xs),
    |z| if z > 0.0 { z } else { f64::from(0.01f32) * z },
    0.5,
);

/// `x ← f(1, x)`.
fn derivative(isa: Isa, f: impl Binary, xs: &mut [f32]) {
    let z = xs.to_vec();
    xs.fill(1.0);
    zip(isa, f, xs, &z);
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn softplus(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

fn silu(z: f64) -> f64 {
    // Every float result is 0 there; the product would be 0·∞ at −∞.
    if z < -500.0 { 0.0 } else { z * sigmoid(z) }
}

fn times_slope_of_sigmoid(z: f64) -> f64 {
    if z.abs() > 500.0 { 0.0 } else { z * sigmoid(z) * sigmoid(-z) }
}

fn gelu(z: f64) -> f64 {
    if z < -50.0 { 0.0 } else { z * normal(z) }
}

fn density(z: f64) -> f64 {
    (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt()
}

fn times_density(z: f64) -> f64 {
    if z.abs() > 50.0 { 0.0 } else { z * density(z) }
}

/// Distribution function of N(0, 1): by its power series where |z| is small, otherwise
/// by Laplace's continued fraction, from its 80th term down.
fn normal(z: f64) -> f64 {
    let t = z.abs();
    let below = if t < 3.0 {
        let (mut term, mut sum, mut n) = (t, 0.0, 1.0);
        while term > 1e-18 * t {
            sum += term;
            n += 2.0;
            term *= t * t / n;
        }
        0.5 - sum * density(t)
    } else if t < 50.0 {
        density(t) / (1..=80).rev().fold(t, |rest, k| t + f64::from(k) / rest)
    } else {
        0.0
    };
    if z < 0.0 { below } else { 1.0 - below }
}

/// Distance between neighbouring `f32`s around a value.
fn ulp(size: f64) -> f64 {
    let exponent = (size.abs().to_bits() >> 52) as i32 - 1023;
    2f64.powi(exponent.clamp(-126, 127) - 23)
}

/// The error of `found`, in ULPs; infinite where one of `found` and the exact value is NaN
/// or infinite and the other is not.
fn error(function: &Function, x: f32, found: f32) -> f64 {
    let exact = (function.exact)(f64::from(x));
    // An exact value that rounds to infinity in `f32`.
    let overflows = exact.abs() >= f64::from(f32::MAX) + ulp(f64::from(f32::MAX)) / 2.0;
    let right = if x.is_nan() {
        found.is_nan()
    } else if overflows {
        f64::from(found) == f64::INFINITY.copysign(exact)
    } else {
        let error = (f64::from(found) - exact).abs() / ulp((function.size)(f64::from(x)));
        return if error.is_nan() { f64::INFINITY } else { error };
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
    println!("{name:10} {isa:8} {error:.4} ULP at {x:e}");
    assert!(error <= *bound, "{name} on {isa}: {error} ULP at {x:e}, more than {bound}");
}

fn sample(function: &Function) {
    for isa in Isa::available() {
        check(function, isa, worst(function, isa, (0..=u32::MAX).step_by(4099)));
    }
}

fn every_f32(function: &Function) {
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

#[test]
fn a_sample_of_all_floats_is_within_the_bound() {
    for function in
        [TANH, SIGMOID, EXP, SOFTPLUS, GELU, GELU_GRADIENT, SILU, SILU_GRADIENT, ELU, LEAKY_RELU]
    {
        sample(&function);
    }
}

#[test]
#[ignore = "takes a minute: every f32"]
fn every_f32_of_tanh() {
    every_f32(&TANH);
}

#[test]
#[ignore = "takes a minute: every f32"]
fn every_f32_of_sigmoid() {
    every_f32(&SIGMOID);
}

#[test]
#[ignore = "takes a minute: every f32"]
fn every_f32_of_exp() {
    every_f32(&EXP);
}

#[test]
#[ignore = "takes a minute: every f32"]
fn every_f32_of_softplus() {
    every_f32(&SOFTPLUS);
}

#[test]
#[ignore = "takes a minute: every f32"]
fn every_f32_of_gelu() {
    every_f32(&GELU);
}

#[test]
#[ignore = "takes a minute: every f32"]
fn every_f32_of_gelu_gradient() {
    every_f32(&GELU_GRADIENT);
}

#[test]
#[ignore = "takes a minute: every f32"]
fn every_f32_of_silu() {
    every_f32(&SILU);
}

#[test]
#[ignore = "takes a minute: every f32"]
fn every_f32_of_silu_gradient() {
    every_f32(&SILU_GRADIENT);
}

#[test]
#[ignore = "takes a minute: every f32"]
fn every_f32_of_elu() {
    every_f32(&ELU);
}

#[test]
#[ignore = "takes a minute: every f32"]
fn every_f32_of_leaky_relu() {
    every_f32(&LEAKY_RELU);
}

/// Values that a caller may rely on exactly.
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

        let mut y = x;
        map(isa, Softplus, &mut y);
        let ln_2 = std::f32::consts::LN_2;
        assert_eq!(y[..4], [ln_2, ln_2, f32::INFINITY, 0.0], "softplus on {isa}");

        let mut edges = [-87.0, -103.2, -104.0, f32::MAX, f32::MIN];
        map(isa, Softplus, &mut edges);
        assert!(edges[0].is_normal(), "softplus on {isa}: {edges:?}");
        assert_eq!(edges[1..], [1e-45, 0.0, f32::MAX, 0.0], "softplus on {isa}");

        let mut edges = [88.72, 88.73, -87.0, -103.9, -104.0];
        map(isa, Exp, &mut edges);
        assert!(edges[0].is_finite() && edges[1] == f32::INFINITY, "{isa}: {edges:?}");
        assert!(edges[2].is_normal() && edges[3] == 1e-45 && edges[4] == 0.0, "{isa}: {edges:?}");
    }
}

#[test]
fn tanh_is_odd_and_stays_within_its_range() {
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
fn tanh_is_monotone() {
    const CHUNK: usize = 4096;
    for isa in Isa::available() {
        let mut before = 0.0;
        for first in (0..16f32.to_bits()).step_by(CHUNK) {
            let xs: Vec<f32> = (first..).take(CHUNK).map(f32::from_bits).collect();
            let mut ys = xs.clone();
            map(isa, Tanh, &mut ys);
            for (x, y) in xs.into_iter().zip(ys) {
                assert!(y >= before, "{isa}: tanh {x:e} is {y:e}, less than {before:e} before it");
                before = y;
            }
        }
    }
}
