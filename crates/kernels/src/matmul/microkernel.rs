//! The micro-kernel: one tile of C, held in registers while k runs.
//!
//! ```text
//! for each k:                            a row of B is P panels of V vectors
//!     load row k of B          P·V loads
//!     for each row r of A:
//!         broadcast a[r][k]      1 load
//!         acc[r] += a[r][k]·B    P·V fused multiply-adds
//! ```
//!
//! Each accumulator is one chain of fused multiply-adds in the order of k. It
//! begins where [`Start`] says, so a product that is cut along k is the same
//! chain, interrupted by a store and a load: the bits of C depend on k alone.

use std::marker::PhantomData;

use crate::mat::MatRef;
use crate::matmul::active::Active;
use crate::panels::{PANEL, PanelsMut, PanelsRef};
use crate::simd::Simd;

/// What the sum over k starts from.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    /// 0; C is not read.
    Zero,
    /// `beta · C`.
    Scaled(f32),
    /// The same row for each row of C, such as a bias; C is not read.
    Row(PanelsRef<'a>),
}

impl<'a> Start<'a> {
    /// The start of the panels `panel..panel + panels`.
    #[inline]
    pub(super) fn sub(self, panel: usize, panels: usize) -> Self {
        match self {
            Self::Row(row) => Self::Row(row.sub(0, 1, panel, panels)),
            other => other,
        }
    }
}

/// A in strips of as many rows as a tile has; element (i, k) of a strip lies
/// `i·row_stride + k·col_stride` places behind its first.
#[derive(Clone, Copy)]
pub(super) struct Strips<'a> {
    ptr: *const f32,
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
    strip_stride: usize,
    data: PhantomData<&'a [f32]>,
}

impl<'a> Strips<'a> {
    /// A as it is.
    #[inline(always)]
    pub(super) fn of<S: Simd>(a: MatRef<'a>) -> Self {
        Self {
            ptr: a.as_ptr(),
            rows: a.rows(),
            cols: a.cols(),
            row_stride: a.row_stride(),
            col_stride: a.col_stride(),
            strip_stride: S::TILE_ROWS * a.row_stride(),
            data: PhantomData,
        }
    }

    /// Strips without gaps, `height` rows each, column after column; the last has
    /// room for as many.
    ///
    /// # Panics
    /// If `data` is shorter.
    #[inline(always)]
    pub(super) fn packed(data: &'a [f32], rows: usize, cols: usize, height: usize) -> Self {
        let strip_stride = strip_len(height, cols);
        assert!(data.len() >= rows.div_ceil(height) * strip_stride);
        Self {
            ptr: data.as_ptr(),
            rows,
            cols,
            row_stride: 1,
            col_stride: height,
            strip_stride,
            data: PhantomData,
        }
    }
}

/// Places from a packed strip to the next, a cache line of which keep the same
/// row of all strips out of one set of the cache.
pub(super) fn strip_len(height: usize, cols: usize) -> usize {
    height * cols + PANEL
}

/// One call of the micro-kernel: `C = start + A·B`, where C is no wider than the
/// register tile, and of any height.
pub struct Column<'a> {
    a: Strips<'a>,
    b: PanelsRef<'a>,
    start: Start<'a>,
    c: PanelsMut<'a>,
    /// The steps of k that are taken; all, if there is no list.
    active: Option<&'a Active<'a>>,
    /// Where the first tile finds B, to leave it in `b` for the others.
    unpacked: Option<MatRef<'a>>,
    /// Whether it is the first that reads A, of which the strip below is then asked for:
    /// another core may have written it.
    first: bool,
    /// What the next column reads, to be asked for.
    ahead: Option<Ahead>,
}

/// Where the next column finds its B: line `k` of panel `p` lies `k / 16` block strides,
/// `k % 16` line strides and `p` panel strides on.
#[derive(Clone, Copy)]
pub(super) struct Ahead {
    ptr: *const f32,
    line_stride: usize,
    block_stride: usize,
    panel_stride: usize,
}

impl Ahead {
    /// B in panels.
    pub(super) fn panels(b: PanelsRef<'_>) -> Self {
        Self {
            ptr: b.as_ptr(),
            line_stride: b.row_stride(),
            block_stride: b.block_stride(),
            panel_stride: b.panel_stride(),
        }
    }

    /// Bᵀ in panels: its blocks stand side by side where those of B stand one below the
    /// other.
    pub(super) fn transposed(b: PanelsRef<'_>) -> Self {
        let Self { block_stride, panel_stride, .. } = Self::panels(b);
        Self { block_stride: panel_stride, panel_stride: block_stride, ..Self::panels(b) }
    }
}

impl<'a> Column<'a> {
    /// # Panics
    /// If the shapes do not fit.
    #[inline]
    pub(super) fn new(
        a: Strips<'a>,
        b: PanelsRef<'a>,
        start: Start<'a>,
        c: PanelsMut<'a>,
        active: Option<&'a Active<'a>>,
    ) -> Self {
        assert!(a.rows == c.rows() && a.cols == b.rows());
        let panels = c.cols().div_ceil(PANEL);
        assert!(b.cols().div_ceil(PANEL) == panels);
        if let Start::Row(row) = start {
            assert!(row.rows() == 1 && row.cols().div_ceil(PANEL) == panels);
        }
        if let Some(active) = active {
            assert!(active.cols() == a.cols && b.block_stride() == PANEL * b.row_stride());
        }
        Self { a, b, start, c, active, unpacked: None, first: false, ahead: None }
    }

    /// B is rows without gaps, which the first tile writes to `packed` as panels
    /// while it computes, and the tiles below read there.
    ///
    /// # Panics
    /// If the shapes do not fit, or `packed` is not as long as B in panels.
    #[inline]
    pub(super) fn packing(
        a: Strips<'a>,
        b: MatRef<'a>,
        packed: &'a mut [f32],
        start: Start<'a>,
        c: PanelsMut<'a>,
    ) -> Self {
        assert!(b.col_stride() == 1 && b.cols() == c.cols());
        let panels = PanelsMut::packed(packed, b.rows(), b.cols().div_ceil(PANEL)).into_ref();
        Self { unpacked: Some(b), ..Self::new(a, panels, start, c, None) }
    }
}

impl Column<'_> {
    /// Says that nobody has read A before. Where columns of it have gaps, the strip below
    /// lies in the same lines.
    #[inline]
    pub(super) fn first(self, first: bool) -> Self {
        Self { first: first && self.a.col_stride == 1, ..self }
    }

    /// Asks for the B of the next column meanwhile.
    #[inline]
    pub(super) fn ahead(self, ahead: Option<Ahead>) -> Self {
        Self { ahead, ..self }
    }
}

/// Runs tile after tile down the column.
///
/// `ROWS × PANELS` is the register tile and `V` the number of vectors in a panel.
#[inline(always)]
pub(crate) fn run<S: Simd, const ROWS: usize, const PANELS: usize, const V: usize>(
    s: S,
    column: &Column<'_>,
) {
    const { assert!(V * S::LEN == PANEL && ROWS == S::TILE_ROWS && PANELS == S::TILE_PANELS) };
    match column.c.cols().div_ceil(PANEL) {
        3 if PANELS >= 3 => tiles::<S, ROWS, 3, V>(s, column),
        2 if PANELS >= 2 => tiles::<S, ROWS, 2, V>(s, column),
        1 => tiles::<S, ROWS, 1, V>(s, column),
        _ => unreachable!("a register tile has at most 3 panels"),
    }
}

/// The tiles of `ROWS` rows, then the rows that are left: by the next larger
/// kernel of 1, 2, 4 or `ROWS` rows, which computes its last row more than once
/// and stores it once.
#[inline(always)]
fn tiles<S: Simd, const ROWS: usize, const P: usize, const V: usize>(s: S, column: &Column<'_>) {
    let rows = column.c.rows();
    let left = rows % ROWS;
    let whole = rows - left;
    let mut first = 0;
    if let Some(b) = column.unpacked {
        first = ROWS.min(column.c.rows());
        kernel::<S, ROWS, P, V>(s, column, Some(b), 0, first);
    }
    while first < whole {
        fetch_ahead::<S, P>(s, column, first / ROWS);
        kernel::<S, ROWS, P, V>(s, column, None, first, ROWS);
        first += ROWS;
    }
    match column.c.rows() - first {
        0 => {}
        1 => kernel::<S, 1, P, V>(s, column, None, first, 1),
        2 => kernel::<S, 2, P, V>(s, column, None, first, 2),
        3 | 4 if ROWS > 4 => kernel::<S, 4, P, V>(s, column, None, first, left),
        _ => kernel::<S, ROWS, P, V>(s, column, None, first, left),
    }
}

/// Asks for the part of the next column's B that is the share of strip `strip`: from
/// memory or the L3 cache it would come too late. Between two tiles, because inside
/// of one there is no register to spare.
#[inline(always)]
fn fetch_ahead<S: Simd, const P: usize>(s: S, column: &Column<'_>, strip: usize) {
    let Column { b, c, ahead, .. } = column;
    let Some(Ahead { ptr, line_stride, block_stride, panel_stride }) = *ahead else { return };
    let share = b.rows().div_ceil(c.rows().div_ceil(S::TILE_ROWS));
    for k in strip * share..b.rows().min((strip + 1) * share) {
        let line = ptr.wrapping_add(k / PANEL * block_stride + k % PANEL * line_stride);
        for p in 0..P {
            s.prefetch_l2(line.wrapping_add(p * panel_stride));
        }
    }
}

/// The tile from row `first` on: `rows` rows of `P` panels of `V` vectors, where
/// `rows ≤ R`.
#[inline(always)]
fn kernel<S: Simd, const R: usize, const P: usize, const V: usize>(
    s: S,
    column: &Column<'_>,
    unpacked: Option<MatRef<'_>>,
    first: usize,
    rows: usize,
) {
    let Column { a, b, start, c, active, .. } = column;
    assert!(0 < rows && rows <= R && first + rows <= c.rows());
    let (b_row, b_block, b_panel) = (b.row_stride(), b.block_stride(), b.panel_stride());
    // Rows behind the last are the last again: read, computed, never stored.
    let row = |r: usize| r.min(rows - 1);
    // Where the vector `v` of panel `p` begins, and how much of it C has.
    let width = |p: usize, v: usize| c.cols().saturating_sub(p * PANEL + v * S::LEN).min(S::LEN);
    let place = |r: usize, p: usize, v: usize| {
        // SAFETY of what is done with it: C has row `first + row(r)`, as asserted
        // above, and panel `p`, as `run` made sure; `width` says how many numbers
        // of the vector belong to C.
        c.place(first + row(r), p).wrapping_add(v * S::LEN)
    };

    let mut acc = [[[s.splat(0.0); V]; P]; R];
    match *start {
        Start::Zero => {}
        Start::Scaled(beta) => {
            let beta = s.splat(beta);
            for (r, acc) in acc.iter_mut().enumerate() {
                for (p, acc) in acc.iter_mut().enumerate() {
                    for (v, acc) in acc.iter_mut().enumerate() {
                        // SAFETY: see `place`.
                        let c = unsafe { s.load_first(place(r, p, v), width(p, v)) };
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
                        // panels are there, padding included.
                        let bias = unsafe { s.load_ptr(at) };
                        // Not −0, which a step with a zero would turn to +0: so
                        // it makes no difference whether that step is left out.
                        *acc = s.add(bias, s.splat(0.0));
                    }
                }
            }
        }
    }

    let a_rows: [*const f32; R] = std::array::from_fn(|r| {
        a.ptr.wrapping_add(first / S::TILE_ROWS * a.strip_stride + row(r) * a.row_stride)
    });
    let a_col = a.col_stride;
    if let Some(source) = unpacked {
        assert!(source.rows() == a.cols && source.cols() == c.cols());
        let (mut from, mut to) = (source.as_ptr(), b.as_ptr().cast_mut());
        for k in 0..a.cols {
            let mut row = [[s.splat(0.0); V]; P];
            for (p, vectors) in row.iter_mut().enumerate() {
                for (v, vector) in vectors.iter_mut().enumerate() {
                    // SAFETY: `source` has a row k, as wide as C; `packing` has
                    // this row of `b`, padding included, for writing.
                    unsafe {
                        *vector =
                            s.load_first(from.wrapping_add(p * PANEL + v * S::LEN), width(p, v));
                        s.store_ptr(*vector, to.wrapping_add(p * b_panel + v * S::LEN));
                    }
                }
            }
            // SAFETY: A has a column k.
            unsafe { rank_one(s, &mut acc, &row, &a_rows, k * a_col) };
            from = from.wrapping_add(source.row_stride());
            to = to.wrapping_add(PANEL);
        }
    } else if let Some(active) = active {
        for &k in active.of(first / S::TILE_ROWS) {
            // SAFETY: `Active` lists columns of A, so both have a step k; without
            // gaps between its blocks, B's row k is k rows on.
            unsafe {
                let row = load_row(s, b.as_ptr().wrapping_add(k as usize * b_row), b_panel);
                rank_one(s, &mut acc, &row, &a_rows, k as usize * a_col);
            }
        }
    } else {
        let mut a_offset = 0;
        let mut b_blocks = b.as_ptr();
        let mut left = a.cols;
        // The tile below is next: on its way while this one is computed.
        let mut next = c.place(first + R, 0);
        while left > 0 {
            if left > PANEL {
                for p in 0..P {
                    s.prefetch(next.wrapping_add(p * c.panel_stride()));
                    s.prefetch(next.wrapping_add(p * c.panel_stride() + PANEL - 1));
                }
                next = next.wrapping_add(c.row_stride());
            }
            if column.first {
                for row in &a_rows {
                    s.prefetch_l2(row.wrapping_add(a.strip_stride + a_offset));
                }
            }
            let mut b = b_blocks;
            for _ in 0..left.min(PANEL) {
                // SAFETY: this row of B and this column of A exist, as there are
                // as many rows of B as columns of A, and not all were passed.
                unsafe {
                    let row = load_row(s, b, b_panel);
                    rank_one(s, &mut acc, &row, &a_rows, a_offset);
                }
                a_offset += a_col;
                b = b.wrapping_add(b_row);
            }
            left -= left.min(PANEL);
            b_blocks = b_blocks.wrapping_add(b_block);
        }
    }

    for (r, acc) in acc.iter().enumerate().take(rows) {
        for (p, acc) in acc.iter().enumerate() {
            for (v, acc) in acc.iter().enumerate() {
                let width = width(p, v);
                // SAFETY: see `place`.
                unsafe {
                    if width == S::LEN {
                        s.store_ptr(*acc, place(r, p, v));
                    } else {
                        s.store_first(*acc, place(r, p, v), width);
                    }
                }
            }
        }
    }
}

/// A row of B.
///
/// # Safety
/// At `b`, and each `b_panel` places on, lie its `P` parts, padding included.
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
/// `a_offset` places behind each of `a_rows` lies an element of A.
#[inline(always)]
unsafe fn rank_one<S: Simd, const R: usize, const P: usize, const V: usize>(
    s: S,
    acc: &mut [[[S::F32; V]; P]; R],
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
