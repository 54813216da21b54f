//! One tile of C, held in registers while k runs: the body of the micro-kernel.
//!
//! ```text
//! for each k:                            a row of B is P panels of V vectors
//!     load row k of B          P·V loads
//!     for each row r of A:
//!         broadcast a[r][k]      1 load
//!         acc[r] += a[r][k]·B    P·V fused multiply-adds
//! ```
//!
//! Each accumulator is one chain of fused multiply-adds in the order of k. It begins where
//! [`Start`] says, so a product that is cut along k is the same chain, interrupted by a
//! store and a load: the bits of C depend on k alone.
//!
//! A tile has up to `R` rows. If C has fewer, the last row is computed again in place of
//! the missing ones, and stored once. All loops over accumulators have constant lengths, so
//! that the compiler unrolls them and keeps each accumulator in a register of its own.

use std::hint::black_box;

use super::active::Active;
use super::operands::{Start, Strips};
use crate::mat::MatRef;
use crate::panels::{PANEL, PanelsMut, PanelsRef};
use crate::simd::Simd;

/// What all tiles of a column read.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) a: Strips<'a>,
    pub(super) b: PanelsRef<'a>,
    pub(super) start: Start<'a>,
    pub(super) active: Option<&'a Active<'a>>,
    pub(super) prefetch_a: bool,
}

/// The accumulators of a tile.
type Accumulators<F32, const R: usize, const P: usize, const V: usize> = [[[F32; V]; P]; R];

/// Row of a tile of `rows` rows that is computed as row `r`.
#[inline(always)]
fn existing(r: usize, rows: usize) -> usize {
    r.min(rows - 1)
}

/// Elements of vector `v` of panel `p` in a matrix with `cols` columns.
#[inline(always)]
fn width<S: Simd>(cols: usize, p: usize, v: usize) -> usize {
    cols.saturating_sub(p * PANEL + v * S::LEN).min(S::LEN)
}

/// Address of vector `v` of panel `p` in row `r` of a tile: C has the first [`width`]
/// elements there.
#[inline(always)]
fn address<S: Simd>(c: &mut PanelsMut<'_>, r: usize, p: usize, v: usize) -> *mut f32 {
    let row = existing(r, c.rows());
    c.address_mut(row, p).wrapping_add(v * S::LEN)
}

/// Addresses of the elements (i, 0) of strip `strip` of A, for each row i of a tile.
///
/// # Panics
/// If the tile has no rows, or more than `R`.
#[inline(always)]
fn rows_of<const R: usize>(a: &Strips<'_>, strip: usize, rows: usize) -> [*const f32; R] {
    assert!(0 < rows && rows <= R, "a tile of {rows} rows, in registers for {R}");
    std::array::from_fn(|r| a.address(strip, existing(r, rows)))
}

/// Computes the tile C, whose rows are those of strip `strip` of A, with B in panels.
///
/// # Safety
/// - A has such a strip, with at least the rows of C; B has the columns of A as rows.
/// - B and C have `P` panels, and so has a start that is a row.
/// - The list of active steps, if there is one, is of this A. Blocks of B then have no
///   gaps between them.
#[inline(always)]
pub(super) unsafe fn tile<
    S: Simd,
    const R: usize,
    const P: usize,
    const V: usize,
    const LISTED: bool,
>(
    s: S,
    sources: Sources<'_>,
    strip: usize,
    mut c: PanelsMut<'_>,
) {
    let Sources { a, b, start: from, active, prefetch_a } = sources;
    // Opaque, so that each address keeps a register of its own. Otherwise the compiler
    // computes the address of each row from the row before, in every step of k: in the
    // dense loop, that is 29 instructions instead of 24 for AVX2, and 46 instead of 39 for
    // AVX-512.
    let a_rows = black_box(rows_of::<R>(&a, strip, c.rows()));
    // SAFETY: by this function's contract, which is that of the functions called.
    unsafe {
        let acc = start::<S, R, P, V>(s, from, &mut c);
        let acc = if LISTED {
            let active = active.expect("a list of steps");
            listed(s, acc, &a_rows, a.col_stride(), b, active.of(strip))
        } else {
            dense(s, acc, &a_rows, a, b, &c, prefetch_a)
        };
        store(s, &acc, c);
    }
}

/// Computes the tile C, whose rows are those of the first strip of A, with the rows `from`
/// of B, and packs these into `to`.
///
/// # Safety
/// - A has at least the rows of C; `from` has the columns of A as rows, the columns of C,
///   and no gaps between its columns; `to` has the same rows.
/// - `to` and C have `P` panels, and so has a start that is a row.
#[inline(always)]
pub(super) unsafe fn packing_tile<S: Simd, const R: usize, const P: usize, const V: usize>(
    s: S,
    a: Strips<'_>,
    from: MatRef<'_>,
    to: PanelsMut<'_>,
    first: Start<'_>,
    mut c: PanelsMut<'_>,
) {
    let a_rows = rows_of::<R>(&a, 0, c.rows());
    // SAFETY: by this function's contract, which is that of the functions called.
    unsafe {
        let acc = start::<S, R, P, V>(s, first, &mut c);
        let acc = packing(s, acc, &a_rows, a, from, to, c.cols());
        store(s, &acc, c);
    }
}

/// What the sums start from.
///
/// # Safety
/// C has `P` panels, and so has a start that is a row.
#[inline(always)]
unsafe fn start<S: Simd, const R: usize, const P: usize, const V: usize>(
    s: S,
    start: Start<'_>,
    c: &mut PanelsMut<'_>,
) -> Accumulators<S::F32, R, P, V> {
    let mut acc = [[[s.splat(0.0); V]; P]; R];
    match start {
        Start::Zero => {}
        Start::Scaled(beta) => {
            let beta = s.splat(beta);
            for (r, acc) in acc.iter_mut().enumerate() {
                for (p, acc) in acc.iter_mut().enumerate() {
                    for (v, acc) in acc.iter_mut().enumerate() {
                        let width = width::<S>(c.cols(), p, v);
                        // SAFETY: C has `width` elements there, as it has a panel `p`.
                        let c = unsafe { s.load_first(address::<S>(c, r, p, v), width) };
                        *acc = s.mul(beta, c);
                    }
                }
            }
        }
        Start::Row(row) => {
            for acc in &mut acc {
                for (p, acc) in acc.iter_mut().enumerate() {
                    for (v, acc) in acc.iter_mut().enumerate() {
                        let at = row.as_ptr().wrapping_add(p * row.panel_stride() + v * S::LEN);
                        // SAFETY: the constructor of `row` checked that its
                        // panels are in its slice, padding included.
                        let bias = unsafe { s.load_ptr(at) };
                        // Turns −0 into +0, as a step with a zero would: so it makes no
                        // difference whether that step is left out.
                        *acc = s.add(bias, s.splat(0.0));
                    }
                }
            }
        }
    }
    acc
}

/// All steps of k; packs the rows of B that it reads. C has `cols` columns.
///
/// # Safety
/// As for [`packing_tile`]; `a_rows` are rows of `a`.
#[inline(always)]
unsafe fn packing<S: Simd, const R: usize, const P: usize, const V: usize>(
    s: S,
    mut acc: Accumulators<S::F32, R, P, V>,
    a_rows: &[*const f32; R],
    a: Strips<'_>,
    from: MatRef<'_>,
    mut to: PanelsMut<'_>,
    cols: usize,
) -> Accumulators<S::F32, R, P, V> {
    let (mut source, mut target) = (from.as_ptr(), to.address_mut(0, 0));
    for k in 0..a.cols() {
        let mut row = [[s.splat(0.0); V]; P];
        for (p, vectors) in row.iter_mut().enumerate() {
            for (v, vector) in vectors.iter_mut().enumerate() {
                let source = source.wrapping_add(p * PANEL + v * S::LEN);
                let target = target.wrapping_add(p * to.panel_stride() + v * S::LEN);
                // SAFETY: `from` has a row k, with the columns of C; `to` has a row k,
                // padding included.
                unsafe {
                    *vector = s.load_first(source, width::<S>(cols, p, v));
                    s.store_ptr(*vector, target);
                }
            }
        }
        // SAFETY: A has a column k.
        unsafe { rank_one(s, &mut acc, &row, a_rows, k * a.col_stride()) };
        source = source.wrapping_add(from.row_stride());
        target = target.wrapping_add(PANEL);
    }
    acc
}

/// The steps of k in a list.
///
/// # Safety
/// - `a_rows` are rows of A, whose columns have the distance `a_col`; `steps` are columns of A.
/// - B has a row for each column of A, `P` panels, and no gaps between blocks.
#[inline(always)]
unsafe fn listed<S: Simd, const R: usize, const P: usize, const V: usize>(
    s: S,
    mut acc: Accumulators<S::F32, R, P, V>,
    a_rows: &[*const f32; R],
    a_col: usize,
    b: PanelsRef<'_>,
    steps: &[u32],
) -> Accumulators<S::F32, R, P, V> {
    for &k in steps {
        let k = k as usize;
        // SAFETY: A has a column k and B a row k, whose offset is k rows, as blocks
        // have no gaps.
        unsafe {
            let row = b.as_ptr().wrapping_add(k * b.row_stride());
            if R < P * V {
                rank_one_of_few_rows(s, &mut acc, row, b.panel_stride(), a_rows, k * a_col);
            } else {
                let row = load_row(s, row, b.panel_stride());
                rank_one(s, &mut acc, &row, a_rows, k * a_col);
            }
        }
    }
    acc
}

/// All steps of k, block by block.
///
/// # Safety
/// `a_rows` are rows of A. B has a row for each column of A, and `P` panels.
#[inline(always)]
unsafe fn dense<S: Simd, const R: usize, const P: usize, const V: usize>(
    s: S,
    mut acc: Accumulators<S::F32, R, P, V>,
    a_rows: &[*const f32; R],
    a: Strips<'_>,
    b: PanelsRef<'_>,
    c: &PanelsMut<'_>,
    prefetch_a: bool,
) -> Accumulators<S::F32, R, P, V> {
    let mut a_offset = 0;
    let mut b_block = b.as_ptr();
    let mut left = a.cols();
    // Prefetches the tile below, which is the next, while this one is computed.
    let mut next_c = c.address(R, 0);
    while left > 0 {
        if left > PANEL {
            for p in 0..P {
                s.prefetch(next_c.wrapping_add(p * c.panel_stride()));
                s.prefetch(next_c.wrapping_add(p * c.panel_stride() + PANEL - 1));
            }
            next_c = next_c.wrapping_add(c.row_stride());
        }
        if prefetch_a {
            for row in a_rows {
                s.prefetch_l2(row.wrapping_add(a.strip_stride().wrapping_add(a_offset)));
            }
        }
        let mut b_row = b_block;
        for _ in 0..left.min(PANEL) {
            // SAFETY: B has this row and A this column: B has a row for each column of A,
            // and `left` columns follow.
            unsafe {
                let row = load_row(s, b_row, b.panel_stride());
                rank_one(s, &mut acc, &row, a_rows, a_offset);
            }
            a_offset = a_offset.wrapping_add(a.col_stride());
            b_row = b_row.wrapping_add(b.row_stride());
        }
        left -= left.min(PANEL);
        b_block = b_block.wrapping_add(b.block_stride());
    }
    acc
}

/// Writes the accumulators to C.
///
/// # Safety
/// C has `P` panels.
#[inline(always)]
unsafe fn store<S: Simd, const R: usize, const P: usize, const V: usize>(
    s: S,
    acc: &Accumulators<S::F32, R, P, V>,
    mut c: PanelsMut<'_>,
) {
    let (rows, cols) = (c.rows(), c.cols());
    for (r, acc) in acc.iter().enumerate() {
        if r >= rows {
            return;
        }
        for (p, acc) in acc.iter().enumerate() {
            for (v, acc) in acc.iter().enumerate() {
                let (width, to) = (width::<S>(cols, p, v), address::<S>(&mut c, r, p, v));
                // SAFETY: C has `width` elements there, as it has a panel `p`.
                unsafe {
                    if width == S::LEN {
                        s.store_ptr(*acc, to);
                    } else {
                        s.store_first(*acc, to, width);
                    }
                }
            }
        }
    }
}

/// A row of B.
///
/// # Safety
/// At `b`, and at each further distance of `b_panel`, is a row of one of its `P` panels,
/// padding included.
#[inline(always)]
unsafe fn load_row<S: Simd, const P: usize, const V: usize>(
    s: S,
    b: *const f32,
    b_panel: usize,
) -> [[S::F32; V]; P] {
    let mut row = [[s.splat(0.0); V]; P];
    for (p, vectors) in row.iter_mut().enumerate() {
        for (v, vector) in vectors.iter_mut().enumerate() {
            // SAFETY: by this function's contract.
            *vector = unsafe { s.load_ptr(b.wrapping_add(p * b_panel + v * S::LEN)) };
        }
    }
    row
}

/// One step of k: `acc += a·b` for a column of A and a row of B.
///
/// # Safety
/// Each of `a_rows` has an element of A at the offset `a_offset`.
#[inline(always)]
unsafe fn rank_one<S: Simd, const R: usize, const P: usize, const V: usize>(
    s: S,
    acc: &mut Accumulators<S::F32, R, P, V>,
    b: &[[S::F32; V]; P],
    a_rows: &[*const f32; R],
    a_offset: usize,
) {
    for (acc, a) in acc.iter_mut().zip(a_rows) {
        // SAFETY: by this function's contract.
        let a = s.splat(unsafe { *a.wrapping_add(a_offset) });
        for (acc, b) in acc.iter_mut().zip(b) {
            for (acc, b) in acc.iter_mut().zip(b) {
                *acc = s.fma(a, *b, *acc);
            }
        }
    }
}

/// The same, for a row of B at `b` and a tile that is wider than high: the column of A stays
/// in registers, and not the row of B.
///
/// # Safety
/// As for [`rank_one`] and [`load_row`].
#[inline(always)]
unsafe fn rank_one_of_few_rows<S: Simd, const R: usize, const P: usize, const V: usize>(
    s: S,
    acc: &mut Accumulators<S::F32, R, P, V>,
    b: *const f32,
    b_panel: usize,
    a_rows: &[*const f32; R],
    a_offset: usize,
) {
    let mut column = [s.splat(0.0); R];
    for (a, row) in column.iter_mut().zip(a_rows) {
        // SAFETY: by this function's contract.
        *a = s.splat(unsafe { *row.wrapping_add(a_offset) });
    }
    for p in 0..P {
        for v in 0..V {
            // SAFETY: by this function's contract.
            let b = unsafe { s.load_ptr(b.wrapping_add(p * b_panel + v * S::LEN)) };
            for (acc, a) in acc.iter_mut().zip(&column) {
                acc[p][v] = s.fma(*a, b, acc[p][v]);
            }
        }
    }
}
