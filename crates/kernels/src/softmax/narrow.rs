//! A group of narrow rows, one lane for each.
//!
//! The rows are transposed on the stack, so maximum and sum need no step across lanes.
//! A sum adds in the order of the columns, for every vector length.

use std::ops::Range;

use super::{Found, LANES, Lanes, NARROW};
use crate::mat::{MatMut, MatRef};
use crate::math::exp::exp_below_highest;
use crate::simd::Simd;

/// Replaces the rows of a group by `factor · softmax(z)`.
#[inline(always)]
pub(super) fn replace<S: Simd>(
    s: S,
    z: &mut MatMut<'_>,
    group: Range<usize>,
    factor: f32,
) -> Found {
    let mut columns = [[0.0; LANES]; NARROW];
    let columns = &mut columns[..z.cols()];
    read(z.as_ref(), group.clone(), columns);
    let found = exponentials(s, columns);
    scale(s, columns, factor, &found.sum);
    write(columns, z, group);
    found
}

/// What [`replace`] returns, of rows that stay.
#[inline(always)]
pub(super) fn find<S: Simd>(s: S, z: MatRef<'_>, group: Range<usize>) -> Found {
    let mut columns = [[0.0; LANES]; NARROW];
    let columns = &mut columns[..z.cols()];
    read(z, group, columns);
    exponentials(s, columns)
}

/// Transposes the rows; lanes without a row stay as they are.
#[inline(always)]
fn read(z: MatRef<'_>, group: Range<usize>, columns: &mut [Lanes]) {
    for (i, row) in group.enumerate() {
        for (column, z) in columns.iter_mut().zip(z.row(row)) {
            column[i] = *z;
        }
    }
}

/// Transposes them back.
#[inline(always)]
fn write(columns: &[Lanes], z: &mut MatMut<'_>, group: Range<usize>) {
    for (i, row) in group.enumerate() {
        for (column, z) in columns.iter().zip(z.row_mut(row)) {
            *z = column[i];
        }
    }
}

/// `z ← e^(z − max)` in each lane.
#[inline(always)]
fn exponentials<S: Simd>(s: S, columns: &mut [Lanes]) -> Found {
    let mut found = Found::default();
    for start in (0..LANES).step_by(S::LEN) {
        let lanes = start..start + S::LEN;
        let mut max = s.splat(f32::NEG_INFINITY);
        let mut first = s.splat(0.0);
        let mut j = s.splat(0.0);
        for column in &*columns {
            let z = s.load(&column[lanes.clone()]);
            let larger = s.lt(max, z);
            max = s.select(larger, z, max);
            first = s.select(larger, j, first);
            j = s.add(j, s.splat(1.0));
        }
        let mut sum = s.splat(0.0);
        for column in &mut *columns {
            let z = &mut column[lanes.clone()];
            let e = exp_below_highest(s, s.sub(s.load(z), max));
            sum = s.add(sum, e);
            s.store(e, z);
        }
        s.store(max, &mut found.max[lanes.clone()]);
        s.store(first, &mut found.first[lanes.clone()]);
        s.store(sum, &mut found.sum[lanes]);
    }
    found
}

/// `e ← e · (factor / sum)` in each lane.
#[inline(always)]
fn scale<S: Simd>(s: S, columns: &mut [Lanes], factor: f32, sum: &Lanes) {
    for start in (0..LANES).step_by(S::LEN) {
        let lanes = start..start + S::LEN;
        let scale = s.div(s.splat(factor), s.load(&sum[lanes.clone()]));
        for column in &mut *columns {
            let e = &mut column[lanes.clone()];
            s.store(s.mul(s.load(e), scale), e);
        }
    }
}
