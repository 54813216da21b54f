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

/// The first column whose probability `e · inverse` is the largest, which is
/// `1 · inverse`; 0 if there is none.
#[inline(always)]
pub(super) fn most_probable(e: &[f32], inverse: f32) -> f32 {
    // A chunk that holds it, then its column: a chunk is compared without a branch for
    // each element.
    let mut start = 0;
    for chunk in e.as_chunks::<LANES>().0 {
        let mut holds = false;
        for e in chunk {
            holds |= *e * inverse == inverse;
        }
        if holds {
            break;
        }
        start += LANES;
    }
    let rest = e[start..].iter().position(|e| *e * inverse == inverse);
    rest.map_or(0.0, |offset| (start + offset) as f32)
}

/// What [`most_probable`] returns, of a row whose elements are still z.
#[inline(always)]
pub(super) fn most_probable_of<S: Simd>(s: S, z: &[f32], max: f32, inverse: f32) -> f32 {
    /// An element further below the largest has an exponential that is well below 1.
    const NEAR: f32 = 1e-6;
    for (i, chunk) in z.chunks(LANES).enumerate() {
        let mut near = false;
        for z in chunk {
            near |= *z >= max - NEAR;
        }
        if near {
            let mut e = [f32::NEG_INFINITY; LANES];
            e[..chunk.len()].copy_from_slice(chunk);
            map_inline(s, ExponentialOf { max }, &mut e);
            if let Some(j) = e.iter().position(|e| *e * inverse == inverse) {
                return (i * LANES + j) as f32;
            }
        }
    }
    0.0
}

/// `z ← e^(z − max)`; returns their sum.
#[inline(always)]
pub(super) fn exponentials<S: Simd>(s: S, z: &mut [f32], max: f32) -> f32 {
    let mut sums = [0.0; LANES];
    fold_and_replace(s, z, &mut sums, Exponential(ExponentialOf { max }));
    sums.iter().sum()
}

/// What [`exponentials`] returns, of a row that stays.
#[inline(always)]
pub(super) fn sum_of_exponentials<S: Simd>(s: S, z: &[f32], max: f32) -> f32 {
    let mut sums = [0.0; LANES];
    fold(s, z, &mut sums, Exponential(ExponentialOf { max }));
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

/// `e^(z − max)`.
#[derive(Clone, Copy)]
struct ExponentialOf {
    max: f32,
}

impl Unary for ExponentialOf {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, z: S::F32) -> S::F32 {
        exp_below_highest(s, s.sub(z, s.splat(self.max)))
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
struct Exponential(ExponentialOf);

impl Step for Exponential {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, state: S::F32, z: S::F32) -> (S::F32, S::F32) {
        let e = self.0.apply(s, z);
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
    for (z, state) in rest.chunks(S::LEN).zip(state.chunks_exact_mut(S::LEN)) {
        let (next, _) = f.step(s, s.load(state), s.load_partial(z));
        store_states(s, next, z.len(), state);
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
    for (z, state) in rest.chunks_mut(S::LEN).zip(state.chunks_exact_mut(S::LEN)) {
        let (next, e) = f.step(s, s.load(state), s.load_partial(z));
        store_states(s, next, z.len(), state);
        s.store_partial(e, z);
    }
}

/// Stores the first `n` lanes of `next`; the states of columns after the end stay. A blend
/// and a whole store, because the state is loaded again soon, and a load waits for more than
/// one store.
#[inline(always)]
fn store_states<S: Simd>(s: S, next: S::F32, n: usize, state: &mut [f32]) {
    const INDEX: Lanes =
        [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0];
    let inside = s.lt(s.load(&INDEX), s.splat(n as f32));
    s.store(s.select(inside, next, s.load(state)), state);
}
