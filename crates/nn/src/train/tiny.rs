//! Flushing of tiny values to 0, because subnormal numbers are slow.
//!
//! An operation on a subnormal number takes a hundred cycles or more on an Intel CPU. A value
//! that only decays becomes subnormal in the end. For example, the momentum of a pixel's
//! weights decays once the pixel is always 0, and it never reaches 0, because 0.9 times the
//! smallest subnormal number rounds to itself. The gradient of a saturated unit gets almost
//! as small. Such values are far too small to change a weight, so they are set to 0 long
//! before they become subnormal.

use kernels::{Isa, MatMut, Simd, SimdOp};

/// `x`, or 0 below 2⁻¹⁰⁰ in absolute value, where a small fraction of it would be subnormal.
#[inline(always)]
pub(crate) fn flush(x: f32) -> f32 {
    const TINY: f32 = 1.0 / (1u128 << 100) as f32;
    if x.abs() < TINY { 0.0 } else { x }
}

/// `x`, or 0 below 2⁻⁵⁸ in absolute value, where the thousandth of its square that an
/// average of squares takes in would be subnormal.
#[inline(always)]
pub(crate) fn flush_square(x: f32) -> f32 {
    const TINY: f32 = 1.0 / (1u64 << 58) as f32;
    if x.abs() < TINY { 0.0 } else { x }
}

/// `x`, or 0 where it is subnormal. For numbers that may count however small they are: a
/// weight, and an average of squares, whose root is divided by.
#[inline(always)]
pub(crate) fn normal(x: f32) -> f32 {
    if x.abs() < f32::MIN_POSITIVE { 0.0 } else { x }
}

/// Applies [`flush`] to each element of a matrix whose rows are contiguous.
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
