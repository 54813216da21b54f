//! Copies a part of a matrix into the order in which the micro-kernel reads it.

use super::operands::{Strips, strip_len};
use crate::buffer::AlignedBuf;
use crate::isa::Isa;
use crate::mat::MatRef;
use crate::panels::{BLOCK, PANEL, PanelsRef, packed_len};
use crate::simd::{Simd, SimdOp, Tile};

/// Rows that are copied side by side. Each is read as a stream; 8 streams are few enough
/// for the hardware prefetcher.
const ROWS: usize = 8;

/// Writes `src` as panels without gaps, for [`PanelsRef::packed`]; padding columns become
/// 0.
///
/// # Panics
/// If `dst` is not [`packed_len`] long.
pub fn pack(isa: Isa, src: MatRef<'_>, dst: &mut [f32]) {
    struct Pack<'a>(MatRef<'a>, &'a mut [f32]);
    impl SimdOp for Pack<'_> {
        type Output = ();
        #[inline(always)]
        fn eval<S: Simd>(self, s: S) {
            panels(s, self.0, 1.0, self.1);
        }
    }
    isa.dispatch(Pack(src, dst));
}

/// Writes `factor · src` as panels without gaps; padding columns become 0.
///
/// # Panics
/// If `dst` is not [`packed_len`] long.
#[inline(always)]
pub(super) fn panels<S: Simd>(s: S, src: MatRef<'_>, factor: f32, dst: &mut [f32]) {
    let (rows, cols) = (src.rows(), src.cols());
    let needed = packed_len(rows, cols);
    assert!(
        dst.len() == needed,
        "a {rows} × {cols} matrix in panels needs {needed} elements, found {}",
        dst.len()
    );
    if dst.is_empty() {
        return;
    }
    if src.col_stride() != 1 {
        for (panel, dst) in dst.chunks_exact_mut(rows * PANEL).enumerate() {
            let left = panel * PANEL;
            gather(src.sub(0, rows, left, PANEL.min(cols - left)), factor, dst);
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

/// Writes `factor · src`, a matrix of at most 16 columns with any strides, as one panel.
#[inline(always)]
fn gather(src: MatRef<'_>, factor: f32, dst: &mut [f32]) {
    let cols = src.cols();
    if cols < PANEL {
        dst.fill(0.0);
    }
    // 16 rows at a time, so that both the lines that are read and those that are written
    // stay in the L1 cache.
    for (block, dst) in dst.chunks_mut(PANEL * PANEL).enumerate() {
        for j in 0..cols {
            for (i, dst) in dst.chunks_exact_mut(PANEL).enumerate() {
                dst[j] = factor * src.get(block * PANEL + i, j);
            }
        }
    }
}

/// Writes `srcᵀ` as panels without gaps, padded with zeros to 16 columns and to whole
/// blocks of rows.
///
/// # Panics
/// If `dst` has another length.
#[inline(always)]
pub(super) fn transposed<S: Simd>(s: S, src: PanelsRef<'_>, dst: &mut [f32]) {
    let blocks = src.cols().div_ceil(PANEL);
    assert_eq!(dst.len(), src.rows().div_ceil(PANEL) * blocks * BLOCK);
    let (dst, _) = dst.as_chunks_mut::<BLOCK>();
    for (at, dst) in dst.iter_mut().enumerate() {
        let block = src.block(at / blocks, at % blocks);
        match block.first_chunk() {
            Some(whole) => s.transpose(whole, dst),
            None => {
                let mut padded = [0.0; BLOCK];
                padded[..block.len()].copy_from_slice(block);
                s.transpose(&padded, dst);
            }
        }
    }
}

/// Copies A, whose columns have no gaps, into strips: the elements that a tile reads in one
/// step of k are neighbours, and steps follow each other.
#[inline(always)]
pub(super) fn strips<'a, S: Simd>(a: MatRef<'_>, to: &'a mut AlignedBuf) -> Strips<'a> {
    let (rows, height) = (a.rows(), S::Tile::ROWS);
    let len = strip_len(height, a.cols());
    let to = to.at_least(rows.div_ceil(height) * len);
    let columns = a.t();
    for k in 0..a.cols() {
        let column = columns.row(k);
        for (strip, from) in column.chunks(height).enumerate() {
            let to = &mut to[strip * len + k * height..][..height];
            // One copy of a constant length where that is possible.
            match from.first_chunk::<8>() {
                Some(from) if height == 8 => to.copy_from_slice(from),
                _ => to[..from.len()].copy_from_slice(from),
            }
        }
    }
    Strips::packed(to, rows, a.cols(), height)
}
