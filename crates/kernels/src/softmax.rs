//! Softmax, and cross-entropy with and without its gradient, row by row.
//!
//! With m the largest element of a row z,
//!
//! ```text
//! softmax(z)ⱼ = e^(zⱼ − m) / Σᵢ e^(zᵢ − m)
//! −ln softmax(z)ⱼ = ln Σᵢ e^(zᵢ − m) − (zⱼ − m)
//! ```
//!
//! which overflows for no finite z, because no exponent is positive and one is 0.
//! A row that contains NaN or +∞, and a row of only −∞, has no softmax: all its results
//! are NaN, because the sum is. A −∞ beside finite elements has probability 0.
//!
//! The rows are processed in groups of 16. A row of ten classes is shorter than a
//! vector, so a group of narrow rows is transposed first ([`narrow`]); a wide row is
//! processed along its columns ([`wide`]). The bits of a row depend neither on the
//! instruction set nor on the other rows.

mod narrow;
mod wide;

use std::ops::Range;

use self::narrow::Scratch;
use crate::isa::Isa;
use crate::mat::{MatMut, MatRef};
use crate::math::log::ln;
use crate::simd::{Simd, SimdOp};

/// Rows of a group, and partial sums of a wide row; a multiple of every vector length.
const LANES: usize = 16;

/// Rows of up to this many columns are narrow.
const NARROW: usize = 32;

/// One value for each row of a group, or for each partial sum of a wide row.
type Lanes = [f32; LANES];

/// `z ← softmax(z)` for each row.
///
/// # Panics
/// If the columns of `z` are not contiguous.
pub fn softmax_rows(isa: Isa, z: MatMut<'_>) {
    isa.dispatch(Softmax(z));
}

/// What a row of logits says about its label.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RowLoss {
    /// Cross-entropy `−ln softmax(z)[label]`, in nats; NaN where the row has no
    /// softmax.
    pub loss: f32,
    /// Whether the label is the first of the most probable classes. It goes by the
    /// probabilities that [`softmax_rows`] gives: logits that differ by less than a
    /// rounding error have equal ones.
    pub correct: bool,
}

/// Cross-entropy of each row of logits; and replaces the logits by its gradient
/// `dz = factor · (softmax(z) − onehot(label))`.
///
/// Shapes: `z` is rows × classes, `labels` and `losses` have one element for each row.
/// `factor` is 1 / batch size where the loss is averaged.
///
/// # Panics
/// If `labels` or `losses` does not have one element for each row, if a label is not
/// below the number of columns, or if the columns of `z` are not contiguous.
pub fn cross_entropy_gradient(
    isa: Isa,
    z: MatMut<'_>,
    labels: &[u32],
    factor: f32,
    losses: &mut [RowLoss],
) {
    check(z.as_ref(), labels, losses);
    isa.dispatch(Gradient { z, labels, factor, losses });
}

/// Cross-entropy of each row of logits: bit for bit the losses that
/// [`cross_entropy_gradient`] finds, without a gradient, and the logits stay.
///
/// Shapes: `logits` is rows × classes, `labels` and `losses` have one element for each
/// row.
///
/// # Panics
/// As [`cross_entropy_gradient`].
pub fn cross_entropy(isa: Isa, logits: MatRef<'_>, labels: &[u32], losses: &mut [RowLoss]) {
    check(logits, labels, losses);
    isa.dispatch(Losses { z: logits, labels, losses });
}

fn check(z: MatRef<'_>, labels: &[u32], losses: &[RowLoss]) {
    let (rows, cols) = (z.rows(), z.cols());
    assert!(
        labels.len() == rows && losses.len() == rows,
        "{rows} rows, {} labels, {} losses",
        labels.len(),
        losses.len(),
    );
    assert!(labels.iter().all(|&label| (label as usize) < cols), "a label of {cols} or more");
}

/// The rows of each group.
fn groups(rows: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows).step_by(LANES).map(move |first| first..rows.min(first + LANES))
}

struct Softmax<'a>(MatMut<'a>);

impl SimdOp for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<S: Simd>(self, s: S) {
        let Self(mut z) = self;
        let mut scratch = Scratch::new();
        for group in groups(z.rows()) {
            if z.cols() <= NARROW {
                narrow::softmax(s, &mut z, group, &mut scratch);
                continue;
            }
            for row in group {
                let z = z.row_mut(row);
                let max = wide::max(s, z);
                let sum = wide::exponentials(s, z, max);
                wide::scale(s, z, 1.0 / sum);
            }
        }
    }
}

struct Gradient<'a> {
    z: MatMut<'a>,
    labels: &'a [u32],
    factor: f32,
    losses: &'a mut [RowLoss],
}

impl SimdOp for Gradient<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<S: Simd>(self, s: S) {
        let Self { mut z, labels, factor, losses } = self;
        let mut scratch = Scratch::new();
        for group in groups(z.rows()) {
            let labels = &labels[group.clone()];
            let logits = logits_of(labels, z.as_ref(), group.start);
            let found = replace(s, &mut z, group.clone(), factor, &mut scratch);
            for (row, &label) in group.clone().zip(labels) {
                z.row_mut(row)[label as usize] -= factor;
            }
            found.judge(s, labels, &logits, &mut losses[group]);
        }
    }
}

struct Losses<'a> {
    z: MatRef<'a>,
    labels: &'a [u32],
    losses: &'a mut [RowLoss],
}

impl SimdOp for Losses<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<S: Simd>(self, s: S) {
        let Self { z, labels, losses } = self;
        let mut scratch = Scratch::new();
        for group in groups(z.rows()) {
            let labels = &labels[group.clone()];
            let logits = logits_of(labels, z, group.start);
            let found = find(s, z, group.clone(), &mut scratch);
            found.judge(s, labels, &logits, &mut losses[group]);
        }
    }
}

/// The logit of the label of each row from `first` on.
#[inline(always)]
fn logits_of(labels: &[u32], z: MatRef<'_>, first: usize) -> Lanes {
    let mut logits = [0.0; LANES];
    for (i, (logit, &label)) in logits.iter_mut().zip(labels).enumerate() {
        *logit = z.row(first + i)[label as usize];
    }
    logits
}

/// What the losses of a group need to know of its rows; lanes without a row are
/// meaningless.
#[derive(Default)]
struct Found {
    /// The largest element.
    max: Lanes,
    /// The first column with the largest probability; exact up to 2²⁴ columns.
    first: Lanes,
    /// `Σ e^(z − max)`.
    sum: Lanes,
}

impl Found {
    /// The losses of rows with these labels, whose logits were `logits`.
    #[inline(always)]
    fn judge<S: Simd>(&self, s: S, labels: &[u32], logits: &Lanes, losses: &mut [RowLoss]) {
        let mut log_sum = [0.0; LANES];
        for (to, sum) in log_sum.chunks_exact_mut(S::LEN).zip(self.sum.chunks_exact(S::LEN)) {
            s.store(ln(s, s.load(sum)), to);
        }
        for (i, (row, &label)) in losses.iter_mut().zip(labels).enumerate() {
            let loss = log_sum[i] - (logits[i] - self.max[i]);
            let correct = self.first[i] as u32 == label && !loss.is_nan();
            *row = RowLoss { loss, correct };
        }
    }
}

/// Replaces the rows of a group by `factor · softmax(z)`.
#[inline(always)]
fn replace<S: Simd>(
    s: S,
    z: &mut MatMut<'_>,
    group: Range<usize>,
    factor: f32,
    scratch: &mut Scratch,
) -> Found {
    if z.cols() <= NARROW {
        return narrow::replace(s, z, group, factor, scratch);
    }
    let mut found = Found::default();
    for (i, row) in (0..LANES).zip(group) {
        let z = z.row_mut(row);
        let max = wide::max(s, z);
        let sum = wide::exponentials(s, z, max);
        found.first[i] = wide::most_probable(z, 1.0 / sum);
        wide::scale(s, z, factor / sum);
        found.max[i] = max;
        found.sum[i] = sum;
    }
    found
}

/// What [`replace`] returns, of rows that stay.
#[inline(always)]
fn find<S: Simd>(s: S, z: MatRef<'_>, group: Range<usize>, scratch: &mut Scratch) -> Found {
    if z.cols() <= NARROW {
        return narrow::find(s, z, group, scratch);
    }
    let mut found = Found::default();
    for (i, row) in (0..LANES).zip(group) {
        let z = z.row(row);
        let max = wide::max(s, z);
        found.max[i] = max;
        let sum = wide::sum_of_exponentials(s, z, max);
        found.first[i] = wide::most_probable_of(s, z, max, 1.0 / sum);
        found.sum[i] = sum;
    }
    found
}
