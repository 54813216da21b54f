//! Copies a part of a matrix into the order in which the micro-kernel reads it.

use super::microkernel::{Strips, strip_len};
use super::reserve;
use crate::buffer::AlignedBuf;
use crate::mat::MatRef;
use crate::panels::{BLOCK, PANEL, PanelsRef, packed_len};
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

/// Writes `factor · src`, a matrix of at most 16 columns that are far apart, as one
/// panel.
#[inline(always)]
fn gather(src: MatRef<'_>, factor: f32, dst: &mut [f32]) {
    let cols = src.cols();
    if cols < PANEL {
        dst.fill(0.0);
    }
    // A few rows at a time, so that what is read and what is written both stay in
    // the first-level cache.
    for (block, dst) in dst.chunks_mut(PANEL * PANEL).enumerate() {
        for j in 0..cols {
            for (i, dst) in dst.chunks_exact_mut(PANEL).enumerate() {
                dst[j] = factor * src.get(block * PANEL + i, j);
            }
        }
    }
}

/// Writes `srcᵀ` as panels, one behind the other, each filled up with zeros to 16
/// columns and to whole blocks of rows.
///
/// # Panics
/// If `dst` is not as long as that takes.
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

/// Copies A, whose columns have no gaps, into strips: the rows of a tile side by
/// side, step of k after step of k.
#[inline(always)]
pub(super) fn strips<'a, S: Simd>(a: MatRef<'_>, to: &'a mut AlignedBuf) -> Strips<'a> {
    let (rows, height) = (a.rows(), S::TILE_ROWS);
    let len = strip_len(height, a.cols());
    let to = reserve(to, rows.div_ceil(height) * len);
    let columns = a.t();
    for k in 0..a.cols() {
        let column = columns.row(k);
        for (strip, from) in column.chunks(height).enumerate() {
            let to = &mut to[strip * len + k * height..][..height];
            // In one piece where the compiler may know its length.
            match from.first_chunk::<8>() {
                Some(from) if height == 8 => to.copy_from_slice(from),
                _ => to[..from.len()].copy_from_slice(from),
            }
        }
    }
    Strips::packed(to, rows, a.cols(), height)
}
