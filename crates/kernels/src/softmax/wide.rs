//! One wide row, along its columns.
//!
//! A sum is that of 16 partial sums, for every vector length: column j is added to
//! partial sum j mod 16.

use super::{LANES, Lanes};
use crate::elementwise::map_inline;
use crate::math::exp::exp_below_highest;
use crate::simd::{Simd, Unary};

/// The largest element; a NaN does not count.
#[inline(always)]
pub(super) fn max<S: Simd>(s: S, z: &[f32]) -> f32 {
    let mut maxima = [f32::NEG_INFINITY; LANES];
    fold(s, z, &mut maxima, Maximum);
    maxima.iter().fold(f32::NEG_INFINITY, |max, &x| if x > max { x } else { max })
}

/// The first column that holds `max`; 0 if none does.
#[inline(always)]
pub(super) fn first(z: &[f32], max: f32) -> f32 {
    // A chunk that holds it, then its column: a chunk is compared without a branch for
    // each element.
    let mut start = 0;
    for chunk in z.as_chunks::<LANES>().0 {
        let mut holds = false;
        for z in chunk {
            holds |= *z == max;
        }
        if holds {
            break;
        }
        start += LANES;
    }
    z[start..].iter().position(|z| *z == max).map_or(0.0, |offset| (start + offset) as f32)
}

/// `z ← e^(z − max)`; returns their sum.
#[inline(always)]
pub(super) fn exponentials<S: Simd>(s: S, z: &mut [f32], max: f32) -> f32 {
    let mut sums = [0.0; LANES];
    fold_and_replace(s, z, &mut sums, Exponential { max });
    sums.iter().sum()
}

/// What [`exponentials`] returns, of a row that stays.
#[inline(always)]
pub(super) fn sum_of_exponentials<S: Simd>(s: S, z: &[f32], max: f32) -> f32 {
    let mut sums = [0.0; LANES];
    fold(s, z, &mut sums, Exponential { max });
    sums.iter().sum()
}

/// `e ← e · factor`.
#[inline(always)]
pub(super) fn scale<S: Simd>(s: S, e: &mut [f32], factor: f32) {
    map_inline(s, Scale(factor), e);
}

#[derive(Clone, Copy)]
struct Scale(f32);

impl Unary for Scale {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, e: S::F32) -> S::F32 {
        s.mul(e, s.splat(self.0))
    }
}

/// What a pass along a row does with an element and the state of its lane.
///
/// A trait and not a closure, because a closure cannot be marked `#[inline(always)]`.
trait Step: Copy {
    /// The next state of the lane, and what may replace the element.
    fn step<S: Simd>(self, s: S, state: S::F32, z: S::F32) -> (S::F32, S::F32);
}

#[derive(Clone, Copy)]
struct Maximum;

impl Step for Maximum {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, state: S::F32, z: S::F32) -> (S::F32, S::F32) {
        (s.max(z, state), z)
    }
}

#[derive(Clone, Copy)]
struct Exponential {
    max: f32,
}

impl Step for Exponential {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, state: S::F32, z: S::F32) -> (S::F32, S::F32) {
        let e = exp_below_highest(s, s.sub(z, s.splat(self.max)));
        (s.add(state, e), e)
    }
}

/// Takes a step with each element; column j goes with state j mod 16.
#[inline(always)]
fn fold<S: Simd, F: Step>(s: S, z: &[f32], state: &mut Lanes, f: F) {
    let (chunks, rest) = z.as_chunks::<LANES>();
    for chunk in chunks {
        for (z, state) in chunk.chunks_exact(S::LEN).zip(state.chunks_exact_mut(S::LEN)) {
            let (next, _) = f.step(s, s.load(state), s.load(z));
            s.store(next, state);
        }
    }
    for (z, state) in rest.chunks(S::LEN).zip(state.chunks_mut(S::LEN)) {
        let (next, _) = f.step(s, s.load(state), s.load_partial(z));
        // The states of columns after the end stay.
        s.store_partial(next, &mut state[..z.len()]);
    }
}

/// [`fold`], and each element becomes what may replace it.
#[inline(always)]
fn fold_and_replace<S: Simd, F: Step>(s: S, z: &mut [f32], state: &mut Lanes, f: F) {
    let (chunks, rest) = z.as_chunks_mut::<LANES>();
    for chunk in chunks {
        for (z, state) in chunk.chunks_exact_mut(S::LEN).zip(state.chunks_exact_mut(S::LEN)) {
            let (next, e) = f.step(s, s.load(state), s.load(z));
            s.store(next, state);
            s.store(e, z);
        }
    }
    for (z, state) in rest.chunks_mut(S::LEN).zip(state.chunks_mut(S::LEN)) {
        let (next, e) = f.step(s, s.load(state), s.load_partial(z));
        // The states of columns after the end stay.
        s.store_partial(next, &mut state[..z.len()]);
        s.store_partial(e, z);
    }
}
