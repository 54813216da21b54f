//! Copies a part of a matrix into the order in which the micro-kernel reads it.

use super::operands::{Strips, strip_len};
use crate::buffer::AlignedBuf;
use crate::isa::Isa;
use crate::mat::MatRef;
use crate::panels::{BLOCK, PANEL, PanelsRef, packed_len};
use crate::simd::{MAX_TILE_ROWS, Simd, SimdOp, Tile};

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
    for (panel, dst) in dst.chunks_exact_mut(rows * PANEL).enumerate() {
        let left = panel * PANEL;
        copy(s, src.sub(0, rows, left, PANEL.min(cols - left)), factor, dst);
    }
}

/// Writes `factor · src`, a matrix of at most 16 columns whose rows have no gaps, as one panel.
#[inline(always)]
fn copy<S: Simd>(s: S, src: MatRef<'_>, factor: f32, dst: &mut [f32]) {
    let factor = s.splat(factor);
    let (rows, _) = dst.as_chunks_mut::<PANEL>();
    for (i, to) in rows.iter_mut().enumerate() {
        let from = src.row(i);
        if let Some(from) = from.first_chunk::<PANEL>() {
            for v in (0..PANEL).step_by(S::LEN) {
                s.store(s.mul(factor, s.load(&from[v..])), &mut to[v..]);
            }
        } else {
            for v in (0..PANEL).step_by(S::LEN) {
                let from = &from[from.len().min(v)..];
                let x = if from.len() >= S::LEN { s.load(from) } else { s.load_partial(from) };
                s.store(s.mul(factor, x), &mut to[v..]);
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

/// Copies A into strips: the elements that a tile reads in one step of k are neighbours, and
/// steps follow each other.
///
/// # Panics
/// If A has gaps between its rows and between its columns.
#[inline(always)]
pub(super) fn strips<'a, S: Simd>(s: S, a: MatRef<'_>, to: &'a mut AlignedBuf) -> Strips<'a> {
    let (rows, cols, height) = (a.rows(), a.cols(), S::Tile::ROWS);
    let len = strip_len(height, cols);
    let to = to.at_least(rows.div_ceil(height) * len);
    if a.col_stride() == 1 {
        for (strip, to) in to.chunks_exact_mut(len).take(rows.div_ceil(height)).enumerate() {
            let first = strip * height;
            strip_of_rows(s, a.sub(first, height.min(rows - first), 0, cols), to);
        }
    } else {
        let columns = a.t();
        for k in 0..cols {
            let column = columns.row(k);
            for (strip, first) in (0..rows).step_by(height).enumerate() {
                let (from, to) = (&column[first..], &mut to[strip * len + k * height..]);
                // One copy of a constant length: what it writes after the strip's rows is
                // written again in the next step, or lies after the last one.
                match (from.first_chunk::<8>(), to.first_chunk_mut::<8>()) {
                    (Some(from), Some(to)) => *to = *from,
                    _ => to[..from.len().min(height)]
                        .copy_from_slice(&from[..from.len().min(height)]),
                }
            }
        }
    }
    Strips::packed(to, rows, cols, height)
}

/// Copies at most [`Tile::ROWS`] rows without gaps into a strip. Missing rows repeat the
/// last one.
#[inline(always)]
fn strip_of_rows<S: Simd>(s: S, a: MatRef<'_>, to: &mut [f32]) {
    const { assert!(MAX_TILE_ROWS == 8) };
    let (cols, height) = (a.cols(), S::Tile::ROWS);
    let rows: [&[f32]; 8] = std::array::from_fn(|i| a.row(i.min(a.rows() - 1)));
    let whole = cols / 8 * 8;
    for k in (0..whole).step_by(8) {
        let mut parts = rows;
        for part in &mut parts {
            *part = &part[k..];
        }
        s.columns_of_8(parts, &mut to[k * height..], height);
    }
    for k in whole..cols {
        for (to, row) in to[k * height..][..height].iter_mut().zip(rows) {
            *to = row[k];
        }
    }
}
