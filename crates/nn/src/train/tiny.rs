//! Numbers that are too small to matter, and would take time.
//!
//! An operation on a subnormal number takes an Intel CPU a hundred cycles and more,
//! and what only decays ends among them: the momentum of a pixel's weights when the
//! pixel has gone dark stays there, since 0.9 times the smallest of them rounds to
//! itself; the gradient of a unit that is saturated comes near. They are far below
//! what moves a weight, so they become 0 long before.

use kernels::{Isa, MatMut, Simd, SimdOp};

/// `x`, or 0 if a small share of it would be subnormal.
#[inline(always)]
pub(crate) fn flush(x: f32) -> f32 {
    const TINY: f32 = 1.0 / (1u128 << 100) as f32;
    if x.abs() < TINY { 0.0 } else { x }
}

/// `x`, or 0 if its square would be subnormal, or a small share of its square.
#[inline(always)]
pub(crate) fn flush_square(x: f32) -> f32 {
    const TINY: f32 = 1.0 / (1u64 << 52) as f32;
    if x.abs() < TINY { 0.0 } else { x }
}

/// [`flush`] for each number of a matrix whose rows have no gaps.
pub(crate) fn flush_all(isa: Isa, matrix: MatMut<'_>) {
    struct Flush<'a>(MatMut<'a>);
    impl SimdOp for Flush<'_> {
        type Output = ();

        #[inline(always)]
        fn eval<S: Simd>(mut self, _: S) {
            for i in 0..self.0.rows() {
                for x in self.0.row_mut(i) {
                    *x = flush(*x);
                }
            }
        }
    }
    isa.dispatch(Flush(matrix));
}
