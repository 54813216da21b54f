//! Copies a part of a matrix into the order in which the micro-kernel reads it.

use crate::mat::MatRef;
use crate::panels::{PANEL, packed_len};

/// Writes `factor · src` as panels, one behind the other, each filled up with
/// zeros to 16 columns.
///
/// # Panics
/// If `dst` is not as long as that takes.
pub(crate) fn panels(src: MatRef<'_>, factor: f32, dst: &mut [f32]) {
    let rows = src.rows();
    assert_eq!(dst.len(), packed_len(rows, src.cols()), "panels of the packed matrix");
    if dst.is_empty() {
        return;
    }
    for (panel, dst) in dst.chunks_exact_mut(rows * PANEL).enumerate() {
        let left = panel * PANEL;
        let cols = PANEL.min(src.cols() - left);
        strip(src.sub(0, rows, left, cols), PANEL, factor, dst);
    }
}

/// Writes A in strips of `height` rows, each column by column; the last is
/// filled up with zeros.
///
/// # Panics
/// If `dst` is not as long as that takes.
pub(super) fn strips(a: MatRef<'_>, height: usize, dst: &mut [f32]) {
    let (rows, cols) = (a.rows(), a.cols());
    assert_eq!(dst.len(), rows.next_multiple_of(height) * cols);
    if dst.is_empty() {
        return;
    }
    for (i, dst) in dst.chunks_exact_mut(height * cols).enumerate() {
        let first = i * height;
        let a = a.sub(first, height.min(rows - first), 0, cols);
        strip(a.t(), height, 1.0, dst);
    }
}

/// Writes `factor · src`, a matrix of at most `width` columns, row after row,
/// each filled up with zeros to `width`.
///
/// # Panics
/// If `dst` is not `src.rows() × width` long or `src` is wider.
fn strip(src: MatRef<'_>, width: usize, factor: f32, dst: &mut [f32]) {
    let (rows, cols) = (src.rows(), src.cols());
    assert!(cols <= width && dst.len() == rows * width);
    let (row_stride, col_stride) = (src.row_stride(), src.col_stride());
    let src = src.as_ptr();
    if cols < width {
        dst.fill(0.0);
    }
    if col_stride == 1 {
        for (i, dst) in dst.chunks_exact_mut(width).enumerate() {
            // SAFETY: row i of `src` is `cols` numbers without gaps, all of them
            // inside the slice that `src` borrows.
            let row = unsafe { std::slice::from_raw_parts(src.add(i * row_stride), cols) };
            for (to, from) in dst.iter_mut().zip(row) {
                *to = factor * from;
            }
        }
        return;
    }
    // Columns are far apart, as in a transposed matrix: a few rows at a time, so
    // that what is read and what is written both stay in the first-level cache.
    const ROWS: usize = 16;
    for (block, dst) in dst.chunks_mut(ROWS * width).enumerate() {
        for j in 0..cols {
            for (i, dst) in dst.chunks_exact_mut(width).enumerate() {
                // SAFETY: row `block·ROWS + i` and column j exist, so the element
                // is inside the slice that `src` borrows.
                let from = unsafe { *src.add((block * ROWS + i) * row_stride + j * col_stride) };
                dst[j] = factor * from;
            }
        }
    }
}
