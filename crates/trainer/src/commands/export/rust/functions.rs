//! The functions of a Rust file, as text.
//!
//! `core` has no exponential function, so the file has its own. Its error, and that of
//! everything here, is a few times that of rounding to f32.

use super::Helper;

/// The text of a function.
pub(super) fn text(helper: Helper) -> &'static str {
    match helper {
        Helper::Split => SPLIT,
        Helper::Exp => EXP,
        Helper::ExpM1 => EXP_M1,
        Helper::Sigmoid => SIGMOID,
        Helper::Tanh => TANH,
        Helper::Relu => RELU,
        Helper::LeakyRelu => LEAKY_RELU,
        Helper::Elu => ELU,
        Helper::Gelu => GELU,
        Helper::Silu => SILU,
        Helper::Maxout => MAXOUT,
        Helper::Softmax => SOFTMAX,
        Helper::Dense => DENSE,
        Helper::DenseInt8 => DENSE_INT8,
        Helper::Number => NUMBER,
        Helper::Category => CATEGORY,
        Helper::Missing => MISSING,
    }
}

pub(super) const CLASS_OF: &str = "\
/// The index of the most probable class, the first of equal ones.
#[allow(dead_code)]
pub fn class_of(probabilities: &[f32; OUTPUTS]) -> usize {
    let mut best = 0;
    for (class, probability) in probabilities.iter().enumerate() {
        if *probability > probabilities[best] {
            best = class;
        }
    }
    best
}

";

const SPLIT: &str = "\
/// (s, p) with e^x = s + s * p, where s is a power of two: e^x = 2^n * e^r with |r| at most
/// ln(2) / 2, and p = e^r - 1 is Taylor's series. ln(2) is in two parts, of which the first
/// has few bits, so that n times it is exact.
fn split(x: f32) -> (f32, f32) {
    let x = x.clamp(-87.0, 88.0);
    let n = (x * core::f32::consts::LOG2_E + if x < 0.0 { -0.5 } else { 0.5 }) as i32;
    let r = x - n as f32 * 0.693_359_4 - n as f32 * -2.121_944_4e-4;
    let p = 1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0));
    let p = r + r * r * (0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * p)));
    (f32::from_bits(((n + 127) as u32) << 23), p)
}

";

const EXP: &str = "\
fn exp(x: f32) -> f32 {
    let (s, p) = split(x);
    s + s * p
}

";

const EXP_M1: &str = "\
/// e^x - 1
fn exp_m1(x: f32) -> f32 {
    let (s, p) = split(x);
    (s - 1.0) + s * p
}

";

const SIGMOID: &str = "\
/// 1 / (1 + e^-x)
fn sigmoid(x: f32) -> f32 {
    let e = exp(-x.abs());
    if x < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
}

";

const TANH: &str = "\
fn tanh(x: f32) -> f32 {
    let e = exp_m1(-2.0 * x.abs());
    let y = -e / (2.0 + e);
    if x < 0.0 { -y } else { y }
}

";

const RELU: &str = "\
fn relu(x: f32) -> f32 {
    if x > 0.0 { x } else { 0.0 }
}

";

const LEAKY_RELU: &str = "\
fn leaky_relu(x: f32, slope: f32) -> f32 {
    if x > 0.0 { x } else { slope * x }
}

";

const ELU: &str = "\
fn elu(x: f32, alpha: f32) -> f32 {
    if x > 0.0 { x } else { alpha * exp_m1(x) }
}

";

const GELU: &str = "\
/// x times the distribution function of the normal distribution. With t = |x| / sqrt(2) it is
/// erfc(t) / 2 below 0, by formula 7.1.26 of Abramowitz and Stegun (1964), whose error is at
/// most 1.5e-7.
fn gelu(x: f32) -> f32 {
    let t = x.abs() * core::f32::consts::FRAC_1_SQRT_2;
    let u = 1.0 / (1.0 + 0.327_591_1 * t);
    let p = 1.421_413_7 + u * (-1.453_152 + u * 1.061_405_4);
    let p = u * (0.254_829_6 + u * (-0.284_496_74 + u * p));
    let tail = 0.5 * p * exp(-t * t);
    x * if x < 0.0 { tail } else { 1.0 - tail }
}

";

const SILU: &str = "\
fn silu(x: f32) -> f32 {
    x * sigmoid(x)
}

";

const MAXOUT: &str = "\
/// The largest piece of each unit; z has the first piece of all units, then the second.
fn maxout<const Z: usize, const U: usize>(z: &[f32; Z]) -> [f32; U] {
    let mut x = [f32::NEG_INFINITY; U];
    for piece in z.chunks_exact(U) {
        for (x, z) in x.iter_mut().zip(piece) {
            if *z > *x {
                *x = *z;
            }
        }
    }
    x
}

";

const SOFTMAX: &str = "\
fn softmax<const N: usize>(mut z: [f32; N]) -> [f32; N] {
    let largest = z.iter().fold(f32::NEG_INFINITY, |largest, z| largest.max(*z));
    let mut sum = 0.0;
    for z in &mut z {
        *z = exp(*z - largest);
        sum += *z;
    }
    z.iter_mut().for_each(|z| *z /= sum);
    z
}

";

const DENSE: &str = "\
/// W * x + b
fn dense<const I: usize, const O: usize>(
    x: &[f32; I],
    w: &[[f32; I]; O],
    b: &[f32; O],
) -> [f32; O] {
    let mut z = *b;
    for (z, row) in z.iter_mut().zip(w) {
        for (x, w) in x.iter().zip(row) {
            *z += x * w;
        }
    }
    z
}

";

const DENSE_INT8: &str = "\
/// W * x + b, where each row of W has a scale
fn dense<const I: usize, const O: usize>(
    x: &[f32; I],
    w: &[[i8; I]; O],
    scale: &[f32; O],
    b: &[f32; O],
) -> [f32; O] {
    let mut z = *b;
    for ((z, row), scale) in z.iter_mut().zip(w).zip(scale) {
        let mut sum = 0.0;
        for (x, w) in x.iter().zip(row) {
            sum += x * f32::from(*w);
        }
        *z += scale * sum;
    }
    z
}

";

const NUMBER: &str = "\
/// A number, standardised; the mean where it is missing.
fn number(cell: f32, mean: f64, deviation: f64) -> f32 {
    if cell.is_nan() { 0.0 } else { ((f64::from(cell) - mean) / deviation) as f32 }
}

";

const CATEGORY: &str = "\
/// 1 at the index of a category's value, 0 elsewhere.
fn category(cell: f32, x: &mut [f32]) {
    for (value, x) in x.iter_mut().enumerate() {
        *x = if cell == value as f32 { 1.0 } else { 0.0 };
    }
}

";

const MISSING: &str = "\
fn missing(cell: f32) -> f32 {
    if cell.is_nan() { 1.0 } else { 0.0 }
}

";
