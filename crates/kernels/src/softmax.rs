//! Softmax, log-softmax, and cross-entropy with its gradient, row by row.
//!
//! With m the largest number of a row z,
//!
//! ```text
//! softmax(z)ⱼ     = e^(zⱼ − m) / Σᵢ e^(zᵢ − m)
//! log-softmax(z)ⱼ = zⱼ − m − ln Σᵢ e^(zᵢ − m)
//! ```
//!
//! which overflows for no finite z, because no exponent is positive and one is 0.
//! A row that holds NaN or +∞, and a row of nothing but −∞, has no softmax: all
//! its results are NaN. A −∞ beside finite numbers has probability 0.

use crate::exp::exp_nonpositive;
use crate::isa::Isa;
use crate::mat::MatMut;
use crate::simd::{Simd, SimdOp};

/// `z ← softmax(z)` for each row.
///
/// # Panics
/// If the columns of `z` are not neighbours.
pub fn softmax_rows(isa: Isa, z: MatMut<'_>) {
    isa.dispatch(Rows(z, Form::Probabilities));
}

/// `z ← log-softmax(z)` for each row.
///
/// # Panics
/// If the columns of `z` are not neighbours.
pub fn log_softmax_rows(isa: Isa, z: MatMut<'_>) {
    isa.dispatch(Rows(z, Form::Logarithms));
}

#[derive(Clone, Copy)]
enum Form {
    Probabilities,
    Logarithms,
}

struct Rows<'a>(MatMut<'a>, Form);

impl SimdOp for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<S: Simd>(self, s: S) {
        let Self(mut z, form) = self;
        for i in 0..z.rows() {
            let z = z.row_mut(i);
            match form {
                Form::Probabilities => {
                    let (_, sum) = exponentials(s, z);
                    scale(s, z, 1.0 / sum);
                }
                Form::Logarithms => {
                    let (max, sum) = largest_and_sum(s, z);
                    shift(s, z, max, sum.ln());
                }
            }
        }
    }
}

/// What a row of logits says about its label.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RowLoss {
    /// Cross-entropy `−ln softmax(z)[label]`, in nats; NaN where the row has no
    /// softmax.
    pub loss: f32,
    /// Whether no number of the row is larger than the label's, and no earlier
    /// one as large: whether the first of the most probable classes is the label.
    pub correct: bool,
}

/// Cross-entropy of each row of logits and, in place of the logits, its gradient
/// `dz = factor · (softmax(z) − onehot(label))`.
///
/// `factor` is 1 / batch size where the loss is averaged.
///
/// # Panics
/// If there are not as many labels and losses as rows, if a label is not below
/// the number of columns, or if the columns of `z` are not neighbours.
pub fn cross_entropy_gradient(
    isa: Isa,
    z: MatMut<'_>,
    labels: &[u32],
    factor: f32,
    losses: &mut [RowLoss],
) {
    struct Gradient<'a>(MatMut<'a>, &'a [u32], f32, &'a mut [RowLoss]);
    impl SimdOp for Gradient<'_> {
        type Output = ();
        #[inline(always)]
        fn eval<S: Simd>(self, s: S) {
            let Self(mut z, labels, factor, losses) = self;
            for (i, (&label, row)) in labels.iter().zip(losses).enumerate() {
                let z = z.row_mut(i);
                let label = label as usize;
                let logit = z[label];
                let earlier_as_large = z[..label].iter().any(|&other| other >= logit);
                let (max, sum) = exponentials(s, z);
                *row = RowLoss {
                    loss: sum.ln() - (logit - max),
                    correct: logit >= max && !earlier_as_large,
                };
                scale(s, z, factor / sum);
                z[label] -= factor;
            }
        }
    }
    let (rows, cols) = (z.rows(), z.cols());
    assert!(
        labels.len() == rows && losses.len() == rows,
        "{rows} rows, {} labels, {} losses",
        labels.len(),
        losses.len(),
    );
    assert!(labels.iter().all(|&label| (label as usize) < cols), "a label of {cols} or more");
    isa.dispatch(Gradient(z, labels, factor, losses));
}

/// Largest number of the row; NaN if it holds one, or only −∞, or +∞.
#[inline(always)]
fn maximum<S: Simd>(s: S, z: &[f32]) -> f32 {
    let mut max = s.splat(f32::NEG_INFINITY);
    // Sums up to NaN exactly where a number is NaN: the comparison in `max`
    // passes over those.
    let mut nan = s.splat(0.0);
    let mut chunks = z.chunks_exact(S::LEN);
    for chunk in &mut chunks {
        let x = s.load(chunk);
        max = s.max(x, max);
        nan = s.fma(x, s.splat(0.0), nan);
    }
    let mut largest = s.largest(max);
    let mut poison = s.sum(nan);
    for &x in chunks.remainder() {
        largest = if x > largest { x } else { largest };
        poison += x * 0.0;
    }
    // −∞ · 0 is NaN too, and is harmless beside a finite number.
    if poison.is_nan() && (!largest.is_finite() || z.iter().any(|x| x.is_nan())) {
        return f32::NAN;
    }
    largest
}

/// `z ← e^(z − max)`; returns the maximum and the sum of the row.
#[inline(always)]
fn exponentials<S: Simd>(s: S, z: &mut [f32]) -> (f32, f32) {
    let max = maximum(s, z);
    let shift = s.splat(max);
    let mut sum = s.splat(0.0);
    let mut chunks = z.chunks_exact_mut(S::LEN);
    for chunk in &mut chunks {
        let e = exp_nonpositive(s, s.sub(s.load(chunk), shift));
        sum = s.add(sum, e);
        s.store(e, chunk);
    }
    let mut total = s.sum(sum);
    let tail = chunks.into_remainder();
    if !tail.is_empty() {
        let e = exp_nonpositive(s, s.sub(s.load_partial(tail), shift));
        s.store_partial(e, tail);
        total += tail.iter().sum::<f32>();
    }
    // A NaN in `shift` is not passed on by every comparison of `exp`.
    (max, if max.is_nan() { f32::NAN } else { total })
}

/// The maximum of the row and `Σ e^(z − max)`.
#[inline(always)]
fn largest_and_sum<S: Simd>(s: S, z: &[f32]) -> (f32, f32) {
    let max = maximum(s, z);
    let shift = s.splat(max);
    let mut sum = s.splat(0.0);
    let mut chunks = z.chunks_exact(S::LEN);
    for chunk in &mut chunks {
        sum = s.add(sum, exp_nonpositive(s, s.sub(s.load(chunk), shift)));
    }
    let mut total = s.sum(sum);
    let tail = chunks.remainder();
    if !tail.is_empty() {
        let e = exp_nonpositive(s, s.sub(s.load_partial(tail), shift));
        total += s.to_array(e)[..tail.len()].iter().sum::<f32>();
    }
    (max, if max.is_nan() { f32::NAN } else { total })
}

/// `z ← factor · z`.
#[inline(always)]
fn scale<S: Simd>(s: S, z: &mut [f32], factor: f32) {
    let factor = s.splat(factor);
    let mut chunks = z.chunks_exact_mut(S::LEN);
    for chunk in &mut chunks {
        s.store(s.mul(s.load(chunk), factor), chunk);
    }
    let tail = chunks.into_remainder();
    let y = s.mul(s.load_partial(tail), factor);
    s.store_partial(y, tail);
}

/// `z ← (z − a) − b`.
#[inline(always)]
fn shift<S: Simd>(s: S, z: &mut [f32], a: f32, b: f32) {
    let (a, b) = (s.splat(a), s.splat(b));
    let mut chunks = z.chunks_exact_mut(S::LEN);
    for chunk in &mut chunks {
        s.store(s.sub(s.sub(s.load(chunk), a), b), chunk);
    }
    let tail = chunks.into_remainder();
    let y = s.sub(s.sub(s.load_partial(tail), a), b);
    s.store_partial(y, tail);
}
