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
//! its results are NaN, because the sum is. A −∞ beside finite numbers has
//! probability 0.
//!
//! A row of ten classes is shorter than a vector, and its maximum and its sum
//! would go across lanes. So narrow rows are taken sixteen at a time, transposed
//! on the stack: one lane a row, no step across lanes, and a sum in the order of
//! the columns. In a wide row a lane is a column instead, and the sum is that of
//! 16 partial sums, whatever the vector length. Either way the bits do not depend
//! on the instruction set, or on what other rows there are.

use crate::isa::Isa;
use crate::mat::MatMut;
use crate::math::exp::exp_below_highest;
use crate::math::log::ln;
use crate::simd::{Simd, SimdOp};

/// Rows side by side, and partial sums of a wide row; a multiple of every vector.
const LANES: usize = 16;

/// Columns up to which rows are taken side by side.
const NARROW: usize = 32;

/// One number for each of the rows side by side.
type Lanes = [f32; LANES];

/// `z ← softmax(z)` for each row.
///
/// # Panics
/// If the columns of `z` are not neighbours.
pub fn softmax_rows(isa: Isa, z: MatMut<'_>) {
    isa.dispatch(Rows(z, Form::Probabilities { factor: 1.0 }));
}

/// `z ← log-softmax(z)` for each row.
///
/// # Panics
/// If the columns of `z` are not neighbours.
pub fn log_softmax_rows(isa: Isa, z: MatMut<'_>) {
    isa.dispatch(Rows(z, Form::Logarithms));
}

struct Rows<'a>(MatMut<'a>, Form);

impl SimdOp for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<S: Simd>(self, s: S) {
        let Self(mut z, form) = self;
        for first in (0..z.rows()).step_by(LANES) {
            replace(s, form, &mut z, first, None);
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
    let (rows, cols) = (z.rows(), z.cols());
    assert!(
        labels.len() == rows && losses.len() == rows,
        "{rows} rows, {} labels, {} losses",
        labels.len(),
        losses.len(),
    );
    assert!(labels.iter().all(|&label| (label as usize) < cols), "a label of {cols} or more");
    isa.dispatch(CrossEntropy { z, labels, factor, losses });
}

struct CrossEntropy<'a> {
    z: MatMut<'a>,
    labels: &'a [u32],
    factor: f32,
    losses: &'a mut [RowLoss],
}

impl SimdOp for CrossEntropy<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<S: Simd>(self, s: S) {
        let Self { mut z, labels, factor, losses } = self;
        let form = Form::Probabilities { factor };
        let groups = labels.chunks(LANES).zip(losses.chunks_mut(LANES));
        for (group, (labels, losses)) in groups.enumerate() {
            let first = group * LANES;
            let mut logits = [0.0; LANES];
            for (i, (logit, &label)) in logits.iter_mut().zip(labels).enumerate() {
                *logit = z.row_mut(first + i)[label as usize];
            }
            let mut found = Found::default();
            replace(s, form, &mut z, first, Some(&mut found));
            for (i, (row, &label)) in losses.iter_mut().zip(labels).enumerate() {
                let loss = found.log_sum[i] - (logits[i] - found.max[i]);
                let correct = found.first[i] as u32 == label && !loss.is_nan();
                *row = RowLoss { loss, correct };
                z.row_mut(first + i)[label as usize] -= factor;
            }
        }
    }
}

/// What takes the place of a row.
#[derive(Clone, Copy)]
enum Form {
    /// The probabilities times a factor.
    Probabilities { factor: f32 },
    /// Their logarithms.
    Logarithms,
}

/// What was found out about some rows.
#[derive(Default)]
struct Found {
    /// Their largest numbers.
    max: Lanes,
    /// The first columns that hold them; exact, as no row has 2²⁴ columns.
    first: Lanes,
    /// `ln Σ e^(z − max)`.
    log_sum: Lanes,
}

/// Replaces the rows from `first` on, at most [`LANES`] of them.
#[inline(always)]
fn replace<S: Simd>(
    s: S,
    form: Form,
    z: &mut MatMut<'_>,
    first: usize,
    mut found: Option<&mut Found>,
) {
    let rows = LANES.min(z.rows() - first);
    if z.cols() <= NARROW {
        return side_by_side(s, form, z, first, rows, found);
    }
    for i in 0..rows {
        let row = z.row_mut(first + i);
        wide(s, form, row, found.as_deref_mut().map(|found| (found, i)));
    }
}

/// Narrow rows, one lane each.
#[inline(always)]
fn side_by_side<S: Simd>(
    s: S,
    form: Form,
    z: &mut MatMut<'_>,
    first: usize,
    rows: usize,
    mut found: Option<&mut Found>,
) {
    // Column by column; lanes without a row compute with zeros.
    let mut columns = [[0.0; LANES]; NARROW];
    let columns = &mut columns[..z.cols()];
    for i in 0..rows {
        for (column, x) in columns.iter_mut().zip(z.row_mut(first + i)) {
            column[i] = *x;
        }
    }
    for at in (0..LANES).step_by(S::LEN) {
        let lanes = at..at + S::LEN;
        let mut max = s.splat(f32::NEG_INFINITY);
        let mut first = s.splat(0.0);
        let mut j = s.splat(0.0);
        for column in &*columns {
            let x = s.load(&column[lanes.clone()]);
            let larger = s.lt(max, x);
            max = s.select(larger, x, max);
            first = s.select(larger, j, first);
            j = s.add(j, s.splat(1.0));
        }
        let mut sum = s.splat(0.0);
        for column in &mut *columns {
            let x = &mut column[lanes.clone()];
            let shifted = s.sub(s.load(x), max);
            let e = exp_below_highest(s, shifted);
            sum = s.add(sum, e);
            s.store(if let Form::Logarithms = form { shifted } else { e }, x);
        }
        let log_sum = ln(s, sum);
        match form {
            Form::Probabilities { factor } => {
                let scale = s.div(s.splat(factor), sum);
                for column in &mut *columns {
                    let x = &mut column[lanes.clone()];
                    s.store(s.mul(s.load(x), scale), x);
                }
            }
            Form::Logarithms => {
                for column in &mut *columns {
                    let x = &mut column[lanes.clone()];
                    s.store(s.sub(s.load(x), log_sum), x);
                }
            }
        }
        if let Some(found) = found.as_deref_mut() {
            s.store(max, &mut found.max[lanes.clone()]);
            s.store(first, &mut found.first[lanes.clone()]);
            s.store(log_sum, &mut found.log_sum[lanes]);
        }
    }
    for i in 0..rows {
        for (column, x) in columns.iter().zip(z.row_mut(first + i)) {
            *x = column[i];
        }
    }
}

/// One wide row, which is number `i` of those found out about.
#[inline(always)]
fn wide<S: Simd>(s: S, form: Form, z: &mut [f32], found: Option<(&mut Found, usize)>) {
    let mut maxima = [f32::NEG_INFINITY; LANES];
    along(s, z, &mut maxima, Maximum);
    let max = maxima.iter().fold(f32::NEG_INFINITY, |max, &x| if x > max { x } else { max });
    let first = match found {
        Some(_) => z.iter().position(|&x| x == max).unwrap_or(0),
        None => 0,
    };

    let mut sums = [0.0; LANES];
    along(s, z, &mut sums, Exponential { max, form });
    let sum: f32 = sums.iter().sum();
    let mut logs = [0.0; LANES];
    s.store(ln(s, s.splat(sum)), &mut logs);
    let log_sum = logs[0];

    let mut unused = [0.0; LANES];
    match form {
        Form::Probabilities { factor } => along(s, z, &mut unused, Scale(factor / sum)),
        Form::Logarithms => along(s, z, &mut unused, Shift(log_sum)),
    }
    if let Some((found, i)) = found {
        found.max[i] = max;
        found.first[i] = first as f32;
        found.log_sum[i] = log_sum;
    }
}

/// What is done with a number of a wide row and the state of its lane.
///
/// A trait and no closure, because a closure cannot be marked `#[inline(always)]`.
trait Step: Copy {
    /// The next state, and what takes the number's place.
    fn step<S: Simd>(self, s: S, state: S::F32, x: S::F32) -> (S::F32, S::F32);
}

#[derive(Clone, Copy)]
struct Maximum;

impl Step for Maximum {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, state: S::F32, x: S::F32) -> (S::F32, S::F32) {
        (s.max(x, state), x)
    }
}

#[derive(Clone, Copy)]
struct Exponential {
    max: f32,
    form: Form,
}

impl Step for Exponential {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, state: S::F32, x: S::F32) -> (S::F32, S::F32) {
        let shifted = s.sub(x, s.splat(self.max));
        let e = exp_below_highest(s, shifted);
        (s.add(state, e), if let Form::Logarithms = self.form { shifted } else { e })
    }
}

#[derive(Clone, Copy)]
struct Scale(f32);

impl Step for Scale {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, state: S::F32, x: S::F32) -> (S::F32, S::F32) {
        (state, s.mul(x, s.splat(self.0)))
    }
}

#[derive(Clone, Copy)]
struct Shift(f32);

impl Step for Shift {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, state: S::F32, x: S::F32) -> (S::F32, S::F32) {
        (state, s.sub(x, s.splat(self.0)))
    }
}

/// Takes a step with each number of a wide row; column j goes with state j mod 16.
#[inline(always)]
fn along<S: Simd, F: Step>(s: S, z: &mut [f32], state: &mut Lanes, f: F) {
    let mut chunks = z.chunks_exact_mut(LANES);
    for chunk in &mut chunks {
        for (x, state) in chunk.chunks_exact_mut(S::LEN).zip(state.chunks_exact_mut(S::LEN)) {
            let (next, y) = f.step(s, s.load(state), s.load(x));
            s.store(next, state);
            s.store(y, x);
        }
    }
    for (x, state) in chunks.into_remainder().chunks_mut(S::LEN).zip(state.chunks_mut(S::LEN)) {
        let (next, y) = f.step(s, s.load(state), s.load_partial(x));
        // The state that goes with columns behind the end is left alone.
        s.store_partial(next, &mut state[..x.len()]);
        s.store_partial(y, x);
    }
}
