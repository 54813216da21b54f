//! No kernel reads or writes a byte outside of its operands: each operand ends where a
//! forbidden page begins, or begins where one ends. A kernel that goes too far ends the
//! process.
//!
//! Miri finds such accesses by itself, and cannot forbid pages.
#![cfg(all(unix, not(miri)))]

use std::ops::{Deref, DerefMut};
use std::ptr;

use kernels::{
    Exp, Identity, Isa, MatMut, MatRef, PANEL, PanelsMut, PanelsRef, Product, RowLoss, Sigmoid,
    Simd, SimdOp, Start, Stream, Tanh, Zeros, add_gaussian, cross_entropy, cross_entropy_gradient,
    dropout, dropout_in_place, dropout_mask, gaussian_mask, map, matmul, matmul_into_panels,
    matmul_panels, matmul_transposed_panels, pack, packed_len, scale_bytes, softmax_rows, uniform,
    zip, zip_masked,
};

/// The side of the elements on which the forbidden page is.
#[derive(Clone, Copy, Debug)]
enum Edge {
    Before,
    After,
}

/// Elements beside a forbidden page.
struct Guarded<T> {
    map: *mut libc::c_void,
    bytes: usize,
    first: *mut T,
    len: usize,
}

impl<T: Copy> Guarded<T> {
    fn new(len: usize, edge: Edge, value: T) -> Self {
        // SAFETY: reads a setting of the system.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
        let wanted = len * size_of::<T>();
        let inside = wanted.next_multiple_of(page);
        let bytes = inside + 2 * page;
        let (protection, flags) = (libc::PROT_NONE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping, which overlaps nothing.
        let map = unsafe { libc::mmap(ptr::null_mut(), bytes, protection, flags, -1, 0) };
        assert!(map != libc::MAP_FAILED);
        let inner = map.wrapping_byte_add(page);
        // SAFETY: the pages between the first and the last of the mapping above.
        let done = unsafe { libc::mprotect(inner, inside, libc::PROT_READ | libc::PROT_WRITE) };
        assert_eq!(done, 0);
        let offset = match edge {
            Edge::Before => 0,
            Edge::After => inside - wanted,
        };
        let first = inner.wrapping_byte_add(offset).cast();
        let mut guarded = Self { map, bytes, first, len };
        guarded.fill(value);
        guarded
    }
}

impl<T> Deref for Guarded<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the `len` elements from `first` on may be read. The system made them
        // zeros, and `new` filled them.
        unsafe { std::slice::from_raw_parts(self.first, self.len) }
    }
}

impl<T> DerefMut for Guarded<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and they may be written too.
        unsafe { std::slice::from_raw_parts_mut(self.first, self.len) }
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        // SAFETY: the mapping that `new` made; all references into it have ended.
        unsafe { libc::munmap(self.map, self.bytes) };
    }
}

const EDGES: [Edge; 2] = [Edge::Before, Edge::After];

#[test]
fn products() {
    for isa in Isa::available() {
        for edge in EDGES {
            for (m, k, n) in [
                (1, 1, 1),
                (7, 3, 15),
                (8, 16, 16),
                (9, 17, 17),
                (3, 5, 33),
                (13, 31, 48),
                (17, 2, 49),
                (21, 1025, 50),
                (135, 20, 180),
                (13, 230, 190),
            ] {
                let a = Guarded::new(m * k, edge, 0.5);
                let mut back = Guarded::new(m * k, edge, f32::NAN);
                let b = Guarded::new(k * n, edge, 2.0);
                let mut c = Guarded::new(m * n, edge, f32::NAN);
                let (a, at) = (MatRef::new(&a, m, k), MatRef::strided(&a, m, k, 1, m));
                let (b, bt) = (MatRef::new(&b, k, n), MatRef::strided(&b, k, n, 1, k));
                for (a, b) in [(a, b), (at, b), (a, bt), (at, bt)] {
                    matmul(isa, 1.0, a, b, 0.0, MatMut::new(&mut c, m, n));
                    assert!(c.iter().all(|c| *c == k as f32), "{isa}, {edge:?}: {m} × {k} × {n}");
                    matmul(isa, 1.0, a, b, 1.0, MatMut::strided(&mut c, m, n, 1, m));
                    assert!(c.iter().all(|c| *c == 2.0 * k as f32), "{isa}, {edge:?}");
                }

                let mut panels = Guarded::new(packed_len(k, n), edge, f32::NAN);
                pack(isa, b, &mut panels);
                let b = PanelsRef::packed(&panels, k, n);
                matmul_panels(isa, a, b, Start::Zero, MatMut::new(&mut c, m, n), Tanh, Zeros::Skip);
                let dx = MatMut::new(&mut back, m, k);
                matmul_transposed_panels(isa, MatRef::new(&c, m, n), b, dx);
                assert!(back.iter().all(|x| !x.is_nan()), "{isa}, {edge:?}");
                let width = n.div_ceil(PANEL);
                let mut c = Guarded::new(m * width * PANEL, edge, f32::NAN);
                matmul_into_panels(isa, a, b, PanelsMut::packed(&mut c, m, width), Zeros::Skip);
                assert!(c.iter().all(|c| !c.is_nan()), "{isa}, {edge:?}");

                let wide = Guarded::new(packed_len(k, n), edge, 2.0);
                let bias = Guarded::new(packed_len(1, n), edge, 1.0);
                let b = PanelsRef::row_major(&wide, k, n);
                let start = Start::Row(PanelsRef::row_major(&bias, 1, n));
                let expected = k as f32 + 1.0;
                let mut z = Guarded::new(m * n, edge, f32::NAN);
                let view = MatMut::new(&mut z, m, n);
                matmul_panels(isa, a, b, start, view, Identity, Zeros::Skip);
                assert!(z.iter().all(|z| *z == expected), "{isa}, {edge:?}");
                matmul_into_panels(isa, a, b, PanelsMut::row_major(&mut c, m, width), Zeros::Skip);
                assert!(c.iter().all(|c| *c == k as f32), "{isa}, {edge:?}");
            }
        }
    }
}

#[test]
fn slices() {
    for isa in Isa::available() {
        for edge in EDGES {
            for len in 1..70 {
                let y = Guarded::new(len, edge, 0.5);
                let bytes = Guarded::new(len, edge, 7u8);
                let mut x = Guarded::new(len, edge, 0.0);
                map(isa, Tanh, &mut x);
                map(isa, Sigmoid, &mut x);
                map(isa, Exp, &mut x);
                zip(isa, Product, &mut x, &y);
                scale_bytes(isa, &bytes, 0.1, &mut x);
                let stream = Stream { seed: 1, counter: [0; 3], first: 0 };
                dropout_mask(isa, stream, 0.5, &mut x);
                assert!(x.iter().all(|x| *x == 0.0 || *x == 2.0), "{isa}, {edge:?}: {len}");
                let (mut mask, h) = (x, y);
                let mut a = Guarded::new(len, edge, f32::NAN);
                dropout(isa, stream, 0.5, &h, &mut mask, &mut a);
                dropout_in_place(isa, stream, 0.5, &mut mask, &mut a);
                zip_masked(isa, Product, &mut a, &mask, &h);
                assert!(a.iter().all(|a| *a == 0.0 || *a == 2.0), "{isa}, {edge:?}: {len}");
                gaussian_mask(isa, stream, 0.1, &mut mask);
                add_gaussian(isa, stream, 0.1, &mut a);
                assert!(mask.iter().all(|m| (0.0..2.0).contains(m)), "{isa}, {edge:?}: {len}");
                uniform(isa, stream, &mut a);
                assert!(a.iter().all(|a| a.abs() < 1.0), "{isa}, {edge:?}: {len}");
            }
        }
    }
}

#[test]
fn rows() {
    for isa in Isa::available() {
        for edge in EDGES {
            for width in 1..70 {
                let rows = 1 + width % 18;
                let labels = Guarded::new(rows, edge, 0u32);
                let mut losses = Guarded::new(rows, edge, RowLoss::default());
                let mut z = Guarded::new(rows * width, edge, 1.0);
                softmax_rows(isa, MatMut::new(&mut z, rows, width));
                cross_entropy(isa, MatRef::new(&z, rows, width), &labels, &mut losses);
                let view = MatMut::new(&mut z, rows, width);
                cross_entropy_gradient(isa, view, &labels, 1.0, &mut losses);
                assert!(losses.iter().all(|row| row.correct), "{isa}, {edge:?}: {width}");
            }
        }
    }
}

#[test]
fn tables() {
    struct Gather<'a>(&'a [f32], i32);
    impl SimdOp for Gather<'_> {
        type Output = f32;
        #[inline(always)]
        fn eval<S: Simd>(self, s: S) -> f32 {
            s.gather4(self.0, s.splat_i32(self.1)).map(|lanes| s.sum(lanes)).iter().sum::<f32>()
                / S::LEN as f32
        }
    }
    for isa in Isa::available() {
        for edge in EDGES {
            for len in 4..70 {
                let table = Guarded::new(len, edge, 0.5);
                for i in [0, 1, len as i32 - 4, len as i32, -1, i32::MIN, i32::MAX] {
                    assert_eq!(isa.dispatch(Gather(&table, i)), 2.0, "{isa}, {edge:?}: {len}");
                }
            }
        }
    }
}
