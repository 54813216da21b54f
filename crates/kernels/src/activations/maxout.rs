//! The step of maxout: the larger of two pieces (Goodfellow, Warde-Farley, Mirza,
//! Courville and Bengio, "Maxout Networks", 2013).
//!
//! The derivative sends `da` to the first largest piece. That concerns all pieces of a
//! unit at once and not one element, so it stands with the network.

use crate::elementwise::Binary;
use crate::simd::Simd;

/// `max(x, y)`: x if it is larger, else y; NaN if either is NaN.
#[derive(Clone, Copy, Debug)]
pub struct Larger;

impl Binary for Larger {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, x: S::F32, y: S::F32) -> S::F32 {
        // `max` returns its second argument if one is NaN.
        s.select(s.eq(x, x), s.max(x, y), x)
    }
}
