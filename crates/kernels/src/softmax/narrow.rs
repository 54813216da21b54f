//! A group of narrow rows, one lane for each.
//!
//! The rows are transposed on the stack, so maximum and sum need no step across lanes.
//! A sum adds in the order of the columns, for every vector length.

use std::ops::Range;

use super::{Found, LANES, Lanes, NARROW};
use crate::mat::{MatMut, MatRef};
use crate::math::exp::exp_below_highest;
use crate::simd::Simd;

/// Memory for the columns of a group. What an earlier group left does not matter: it is
/// zeroed once and not for each group, because that takes longer than some groups.
#[repr(align(64))]
pub(super) struct Scratch([Lanes; NARROW]);

impl Scratch {
    pub(super) fn new() -> Self {
        Self([[0.0; LANES]; NARROW])
    }
}

/// Replaces the rows of a group by `softmax(z)`.
#[inline(always)]
pub(super) fn softmax<S: Simd>(
    s: S,
    z: &mut MatMut<'_>,
    group: Range<usize>,
    scratch: &mut Scratch,
) {
    let (columns, rows) = (&mut scratch.0[..z.cols()], group.len());
    read(z.as_ref(), group.clone(), columns);
    for start in (0..rows).step_by(S::LEN) {
        let lanes = start..start + S::LEN;
        let max = largest(s, columns, lanes.clone());
        let sum = exponentials(s, columns, lanes.clone(), max);
        scale(s, columns, lanes, s.div(s.splat(1.0), sum));
    }
    write(columns, z, group);
}

/// Replaces the rows of a group by `factor · softmax(z)`.
#[inline(always)]
pub(super) fn replace<S: Simd>(
    s: S,
    z: &mut MatMut<'_>,
    group: Range<usize>,
    factor: f32,
    scratch: &mut Scratch,
) -> Found {
    let (columns, rows) = (&mut scratch.0[..z.cols()], group.len());
    read(z.as_ref(), group.clone(), columns);
    let mut found = Found::default();
    for start in (0..rows).step_by(S::LEN) {
        let lanes = start..start + S::LEN;
        let max = largest(s, columns, lanes.clone());
        let sum = exponentials(s, columns, lanes.clone(), max);
        found.set(s, lanes.clone(), columns, max, sum);
        scale(s, columns, lanes, s.div(s.splat(factor), sum));
    }
    write(columns, z, group);
    found
}

/// What [`replace`] returns, of rows that stay.
#[inline(always)]
pub(super) fn find<S: Simd>(
    s: S,
    z: MatRef<'_>,
    group: Range<usize>,
    scratch: &mut Scratch,
) -> Found {
    let (columns, rows) = (&mut scratch.0[..z.cols()], group.len());
    read(z, group.clone(), columns);
    let mut found = Found::default();
    for start in (0..rows).step_by(S::LEN) {
        let lanes = start..start + S::LEN;
        let max = largest(s, columns, lanes.clone());
        let sum = exponentials(s, columns, lanes.clone(), max);
        found.set(s, lanes, columns, max, sum);
    }
    found
}

impl Found {
    /// `e` are the exponentials of the rows, one column after the other.
    #[inline(always)]
    fn set<S: Simd>(&mut self, s: S, lanes: Range<usize>, e: &[Lanes], max: S::F32, sum: S::F32) {
        let first = most_probable(s, e, lanes.clone(), s.div(s.splat(1.0), sum));
        s.store(max, &mut self.max[lanes.clone()]);
        s.store(first, &mut self.first[lanes.clone()]);
        s.store(sum, &mut self.sum[lanes]);
    }
}

/// Transposes the rows; lanes without a row stay as they are. (The range of lanes tells the
/// compiler that i is one, so that it need not check.)
#[inline(always)]
fn read(z: MatRef<'_>, group: Range<usize>, columns: &mut [Lanes]) {
    for (i, row) in (0..LANES).zip(group) {
        for (column, z) in columns.iter_mut().zip(z.row(row)) {
            column[i] = *z;
        }
    }
}

/// Transposes them back.
#[inline(always)]
fn write(columns: &[Lanes], z: &mut MatMut<'_>, group: Range<usize>) {
    for (i, row) in (0..LANES).zip(group) {
        for (column, z) in columns.iter().zip(z.row_mut(row)) {
            *z = column[i];
        }
    }
}

/// The largest element in each lane; a NaN does not count.
#[inline(always)]
fn largest<S: Simd>(s: S, columns: &[Lanes], lanes: Range<usize>) -> S::F32 {
    let mut max = s.splat(f32::NEG_INFINITY);
    for column in columns {
        let z = s.load(&column[lanes.clone()]);
        max = s.max(z, max);
    }
    max
}

/// The first column in each lane whose probability `e · inverse` is the largest, which is
/// `1 · inverse`.
#[inline(always)]
fn most_probable<S: Simd>(s: S, e: &[Lanes], lanes: Range<usize>, inverse: S::F32) -> S::F32 {
    let mut first = s.splat(0.0);
    let mut j = s.splat(e.len() as f32);
    for column in e.iter().rev() {
        j = s.sub(j, s.splat(1.0));
        let p = s.mul(s.load(&column[lanes.clone()]), inverse);
        first = s.select(s.eq(p, inverse), j, first);
    }
    first
}

/// `z ← e^(z − max)` in each lane; returns their sum.
#[inline(always)]
fn exponentials<S: Simd>(s: S, columns: &mut [Lanes], lanes: Range<usize>, max: S::F32) -> S::F32 {
    let mut sum = s.splat(0.0);
    for column in columns {
        let z = &mut column[lanes.clone()];
        let e = exp_below_highest(s, s.sub(s.load(z), max));
        sum = s.add(sum, e);
        s.store(e, z);
    }
    sum
}

/// `e ← e · factor` in each lane.
#[inline(always)]
fn scale<S: Simd>(s: S, columns: &mut [Lanes], lanes: Range<usize>, factor: S::F32) {
    for column in columns {
        let e = &mut column[lanes.clone()];
        s.store(s.mul(s.load(e), factor), e);
    }
}
