//! Copies a part of a matrix into the order in which the micro-kernel reads it.

use std::marker::PhantomData;

use crate::mat::MatRef;
use crate::panels::{PANEL, packed_len};
use crate::simd::Simd;

/// Rows that are copied side by side. Each is read as a stream, and few enough
/// that the prefetcher follows them all; together they fill whole cache lines of
/// what is written.
const ROWS: usize = 8;

/// Writes `factor · src` as panels, one behind the other, each filled up with
/// zeros to 16 columns.
///
/// # Panics
/// If `dst` is not as long as that takes.
#[inline(always)]
pub(crate) fn panels<S: Simd>(s: S, src: MatRef<'_>, factor: f32, dst: &mut [f32]) {
    let (rows, cols) = (src.rows(), src.cols());
    assert_eq!(dst.len(), packed_len(rows, cols), "panels of the packed matrix");
    if dst.is_empty() {
        return;
    }
    if src.col_stride() != 1 {
        for (panel, dst) in dst.chunks_exact_mut(rows * PANEL).enumerate() {
            let left = panel * PANEL;
            gather(src.sub(0, rows, left, PANEL.min(cols - left)), PANEL, factor, dst);
        }
        return;
    }
    let factor = s.splat(factor);
    for first in (0..rows).step_by(ROWS) {
        for (panel, dst) in dst.chunks_exact_mut(rows * PANEL).enumerate() {
            let left = panel * PANEL;
            for i in first..rows.min(first + ROWS) {
                let from = &src.row(i)[left..cols.min(left + PANEL)];
                let to = &mut dst[i * PANEL..][..PANEL];
                for (v, to) in to.chunks_exact_mut(S::LEN).enumerate() {
                    let from = &from[from.len().min(v * S::LEN)..];
                    let x = if from.len() >= S::LEN { s.load(from) } else { s.load_partial(from) };
                    s.store(s.mul(factor, x), to);
                }
            }
        }
    }
}

/// Some rows of A, strip by strip: as they lie, or packed.
#[derive(Clone, Copy)]
pub(super) struct Strips<'a> {
    ptr: *const f32,
    rows: usize,
    cols: usize,
    strip_stride: usize,
    row_stride: usize,
    col_stride: usize,
    data: PhantomData<&'a [f32]>,
}

impl<'a> Strips<'a> {
    /// A as it is, in strips of `height` rows.
    #[inline]
    pub(super) fn in_place(a: MatRef<'a>, height: usize) -> Self {
        Self {
            ptr: a.as_ptr(),
            rows: a.rows(),
            cols: a.cols(),
            strip_stride: height * a.row_stride(),
            row_stride: a.row_stride(),
            col_stride: a.col_stride(),
            data: PhantomData,
        }
    }

    /// A copy of A in `dst`: strips of `height` rows, each column by column; the
    /// last is filled up with zeros.
    ///
    /// # Panics
    /// If `dst` is not as long as that takes.
    #[inline(always)]
    pub(super) fn packed(a: MatRef<'_>, height: usize, dst: &'a mut [f32]) -> Self {
        let (rows, cols) = (a.rows(), a.cols());
        assert_eq!(dst.len(), rows.next_multiple_of(height) * cols);
        if cols > 0 {
            for (strip, dst) in dst.chunks_exact_mut(height * cols).enumerate() {
                let first = strip * height;
                let a = a.sub(first, height.min(rows - first), 0, cols);
                gather(a.t(), height, 1.0, dst);
            }
        }
        Self {
            ptr: dst.as_ptr(),
            rows,
            cols,
            strip_stride: height * cols,
            row_stride: 1,
            col_stride: height,
            data: PhantomData,
        }
    }

    /// Number of rows, filling not counted.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub(super) fn cols(&self) -> usize {
        self.cols
    }

    /// Places from a column to the next.
    pub(super) fn col_stride(&self) -> usize {
        self.col_stride
    }

    /// Where row `row` of strip `strip` begins.
    #[inline(always)]
    pub(super) fn place(&self, strip: usize, row: usize) -> *const f32 {
        self.ptr.wrapping_add(strip * self.strip_stride + row * self.row_stride)
    }
}

/// Writes `factor · src`, a matrix of at most `width` columns, row after row,
/// each filled up with zeros to `width`.
///
/// # Panics
/// If `dst` is not `src.rows() × width` long or `src` is wider.
#[inline(always)]
fn gather(src: MatRef<'_>, width: usize, factor: f32, dst: &mut [f32]) {
    let (rows, cols) = (src.rows(), src.cols());
    assert!(cols <= width && dst.len() == rows * width);
    let (row_stride, col_stride) = (src.row_stride(), src.col_stride());
    if cols < width {
        dst.fill(0.0);
    }
    if col_stride == 1 {
        for (i, dst) in dst.chunks_exact_mut(width).enumerate() {
            for (to, from) in dst.iter_mut().zip(src.row(i)) {
                *to = factor * from;
            }
        }
        return;
    }
    // Columns are far apart, as in a transposed matrix: a few rows at a time, so
    // that what is read and what is written both stay in the first-level cache.
    const BLOCK: usize = 16;
    let src = src.as_ptr();
    for (block, dst) in dst.chunks_mut(BLOCK * width).enumerate() {
        for j in 0..cols {
            for (i, dst) in dst.chunks_exact_mut(width).enumerate() {
                // SAFETY: row `block·BLOCK + i` and column j exist, so the element
                // is inside the slice that `src` borrows.
                let from = unsafe { *src.add((block * BLOCK + i) * row_stride + j * col_stride) };
                dst[j] = factor * from;
            }
        }
    }
}
