//! A polynomial for each of 16 intervals of `[0, 15)`.
//!
//! ```text
//! u = t + 1
//! j = exponent and two leading fraction bits of u
//! ```
//!
//! The intervals are [0, ¼), [¼, ½), [½, ¾), [¾, 1), [1, 1½), [1½, 2), [2, 2½),
//! [2½, 3), [3, 4), [4, 5), [5, 6), [6, 7), [7, 9), [9, 11), [11, 13) and [13, 15).
//!
//! A lookup in a table of 16 values is one permutation of a register, so an interval
//! costs less than the division that a rational function would need; and on a short
//! interval a low degree is enough.

use crate::simd::{Simd, Table16};

/// The interval of t, from `u = t + 1` with `0 ≤ t < 15`, as an index for
/// [`Simd::lookup`]. Where t is NaN, any interval.
#[inline(always)]
pub(crate) fn interval<S: Simd>(s: S, u: S::F32) -> S::I32 {
    // `lookup` reads only the four low bits of the index, so subtracting the exponent
    // of 1.0 need only make the first interval 0.
    s.sub_i32(s.shr::<21>(s.bits(u)), s.splat_i32(127 << 2))
}

/// `c[0][j] + c[1][j]·d + c[2][j]·d² + …`, from the highest order down.
#[inline(always)]
pub(crate) fn polynomial<S: Simd, const N: usize>(
    s: S,
    c: &[Table16; N],
    j: S::I32,
    d: S::F32,
) -> S::F32 {
    let mut sum = s.lookup(&c[N - 1], j);
    for table in c[..N - 1].iter().rev() {
        sum = s.fma(sum, d, s.lookup(table, j));
    }
    sum
}
