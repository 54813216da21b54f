//! Functions of one and of two variables over whole slices.

use crate::isa::Isa;
use crate::simd::{Simd, SimdOp, Unary};

/// `x ← f(x)` for each element.
pub fn map<F: Unary>(isa: Isa, f: F, xs: &mut [f32]) {
    struct Map<'a, F>(F, &'a mut [f32]);
    impl<F: Unary> SimdOp for Map<'_, F> {
        type Output = ();
        #[inline(always)]
        fn eval<S: Simd>(self, s: S) {
            map_inline(s.wide(), self.0, self.1);
        }
    }
    isa.dispatch(Map(f, xs));
}

/// `x ← f(x)` for each element, inside another kernel.
#[inline(always)]
pub(crate) fn map_inline<S: Simd, F: Unary>(s: S, f: F, xs: &mut [f32]) {
    let mut chunks = xs.chunks_exact_mut(S::LEN);
    for chunk in &mut chunks {
        let y = f.apply(s, s.load(chunk));
        s.store(y, chunk);
    }
    let tail = chunks.into_remainder();
    if !tail.is_empty() {
        let y = f.apply(s, s.load_partial(tail));
        s.store_partial(y, tail);
    }
}

/// A function of two variables, lane by lane.
pub trait Binary: Copy + Send + Sync {
    /// The function. Implementations are marked `#[inline(always)]`.
    fn apply<S: Simd>(self, simd: S, x: S::F32, y: S::F32) -> S::F32;
}

/// `x ← f(x, y)` for each pair of elements.
///
/// # Panics
/// If the slices differ in length.
pub fn zip<F: Binary>(isa: Isa, f: F, xs: &mut [f32], ys: &[f32]) {
    struct Zip<'a, F>(F, &'a mut [f32], &'a [f32]);
    impl<F: Binary> SimdOp for Zip<'_, F> {
        type Output = ();
        #[inline(always)]
        fn eval<S: Simd>(self, s: S) {
            let s = s.wide();
            let Self(f, xs, ys) = self;
            let whole = xs.len() - xs.len() % S::Wide::LEN;
            let (xs, x_tail) = xs.split_at_mut(whole);
            let (ys, y_tail) = ys.split_at(whole);
            for (x, y) in xs.chunks_exact_mut(S::Wide::LEN).zip(ys.chunks_exact(S::Wide::LEN)) {
                let z = f.apply(s, s.load(x), s.load(y));
                s.store(z, x);
            }
            if !x_tail.is_empty() {
                let z = f.apply(s, s.load_partial(x_tail), s.load_partial(y_tail));
                s.store_partial(z, x_tail);
            }
        }
    }
    assert_eq!(xs.len(), ys.len(), "slices of different lengths");
    isa.dispatch(Zip(f, xs, ys));
}

/// `x ← f(x · m, y)` for each element, where m is its element of `mask`: in one pass the
/// same bits as [`zip`] with [`Product`] and then [`zip`] with `f`.
///
/// # Panics
/// If the slices differ in length.
pub fn zip_masked<F: Binary>(isa: Isa, f: F, xs: &mut [f32], mask: &[f32], ys: &[f32]) {
    struct Masked<'a, F>(F, &'a mut [f32], &'a [f32], &'a [f32]);
    impl<F: Binary> SimdOp for Masked<'_, F> {
        type Output = ();
        #[inline(always)]
        fn eval<S: Simd>(self, s: S) {
            let s = s.wide();
            let Self(f, xs, mask, ys) = self;
            let whole = xs.len() - xs.len() % S::Wide::LEN;
            let (xs, x_tail) = xs.split_at_mut(whole);
            let (mask, mask_tail) = mask.split_at(whole);
            let (ys, y_tail) = ys.split_at(whole);
            let pairs = mask.chunks_exact(S::Wide::LEN).zip(ys.chunks_exact(S::Wide::LEN));
            for (x, (m, y)) in xs.chunks_exact_mut(S::Wide::LEN).zip(pairs) {
                let z = f.apply(s, s.mul(s.load(x), s.load(m)), s.load(y));
                s.store(z, x);
            }
            if !x_tail.is_empty() {
                let masked = s.mul(s.load_partial(x_tail), s.load_partial(mask_tail));
                let z = f.apply(s, masked, s.load_partial(y_tail));
                s.store_partial(z, x_tail);
            }
        }
    }
    assert_eq!(xs.len(), mask.len(), "slices of different lengths");
    assert_eq!(xs.len(), ys.len(), "slices of different lengths");
    isa.dispatch(Masked(f, xs, mask, ys));
}

/// `x · y`: applies a mask, or scales by another slice.
#[derive(Clone, Copy, Debug)]
pub struct Product;

impl Binary for Product {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, x: S::F32, y: S::F32) -> S::F32 {
        s.mul(x, y)
    }
}

/// `to[i] = scale · from[i]`: converts bytes to floats.
///
/// # Panics
/// If the slices differ in length.
pub fn scale_bytes(isa: Isa, from: &[u8], scale: f32, to: &mut [f32]) {
    // Plain Rust: inside `dispatch` the compiler has the instruction set's own
    // widening loads.
    struct Scale<'a>(&'a [u8], f32, &'a mut [f32]);
    impl SimdOp for Scale<'_> {
        type Output = ();
        #[inline(always)]
        fn eval<S: Simd>(self, _: S) {
            for (to, from) in self.2.iter_mut().zip(self.0) {
                *to = self.1 * f32::from(*from);
            }
        }
    }
    assert_eq!(from.len(), to.len(), "slices of different lengths");
    isa.dispatch(Scale(from, scale, to));
}

#[cfg(test)]
mod tests {
    use super::{Binary, Product, map, scale_bytes, zip, zip_masked};
    use crate::isa::Isa;
    use crate::simd::{Simd, Unary};

    #[derive(Clone, Copy)]
    struct Square;

    impl Unary for Square {
        #[inline(always)]
        fn apply<S: Simd>(self, s: S, x: S::F32) -> S::F32 {
            s.mul(x, x)
        }
    }

    /// Not symmetric, so that swapped operands show.
    #[derive(Clone, Copy)]
    struct Difference;

    impl Binary for Difference {
        #[inline(always)]
        fn apply<S: Simd>(self, s: S, x: S::F32, y: S::F32) -> S::F32 {
            s.sub(x, y)
        }
    }

    #[test]
    fn every_length_around_a_vector_and_nothing_after_it() {
        for isa in Isa::available() {
            for len in 0..70u8 {
                let n = usize::from(len);
                let mut xs: Vec<f32> = (0..=len).map(|i| f32::from(i) - 9.5).collect();
                let before = xs.clone();
                map(isa, Square, &mut xs[..n]);
                for (x, was) in xs[..n].iter().zip(&before) {
                    assert_eq!(*x, was * was);
                }
                assert_eq!(xs[n], before[n], "{isa}: wrote after {n}");

                let mut ys = before.clone();
                zip(isa, Product, &mut ys[..n], &before[..n]);
                for (y, was) in ys[..n].iter().zip(&before) {
                    assert_eq!(*y, was * was);
                }
                assert_eq!(ys[n], before[n], "{isa}: wrote after {n}");

                let mut ys = before.clone();
                let mask: Vec<f32> = (0..n).map(|i| (i % 3) as f32).collect();
                zip_masked(isa, Difference, &mut ys[..n], &mask, &vec![0.5; n]);
                for ((y, was), m) in ys[..n].iter().zip(&before).zip(&mask) {
                    assert_eq!(*y, was * m - 0.5);
                }
                assert_eq!(ys[n], before[n], "{isa}: wrote after {n}");
            }
        }
    }

    #[test]
    fn bytes_are_scaled_one_rounding_each() {
        let bytes: Vec<u8> = (0..=255).collect();
        for isa in Isa::available() {
            let mut xs = [0.0; 256];
            scale_bytes(isa, &bytes, 1.0 / 255.0, &mut xs);
            for (x, b) in xs.iter().zip(&bytes) {
                assert_eq!(*x, f32::from(*b) * (1.0 / 255.0));
            }
        }
    }
}
