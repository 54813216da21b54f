//! The micro-kernel: one column of tiles of C, each held in registers while k runs.
//!
//! This is LOOP 1 of the [product](crate::matmul()); [`tile`](super::tile) is its body.

use super::active::Active;
use super::operands::{MicroPanel, NextB, Start, Strips};
use super::tile::{self, Sources};
use crate::isa::Isa;
use crate::panels::{PANEL, PanelsMut};
use crate::simd::{Simd, SimdOp, Tile, TileOp};

/// One call of the micro-kernel: `C = start + A·B`, where C has at most the columns of a
/// register tile, and any number of rows.
pub(super) struct TileColumn<'a> {
    a: Strips<'a>,
    b: MicroPanel<'a>,
    start: Start<'a>,
    c: PanelsMut<'a>,
    /// The steps of k that are computed; all, if there is no list.
    active: Option<&'a Active<'a>>,
    /// True if A is cold and its rows have no gaps: each tile then prefetches the next
    /// strip of A.
    prefetch_a: bool,
    /// B of the next column, to be prefetched.
    next_b: Option<NextB>,
}

impl<'a> TileColumn<'a> {
    /// # Panics
    /// If the shapes do not fit.
    #[inline]
    pub(super) fn new(
        a: Strips<'a>,
        b: MicroPanel<'a>,
        start: Start<'a>,
        c: PanelsMut<'a>,
        active: Option<&'a Active<'a>>,
    ) -> Self {
        assert!(a.rows() == c.rows(), "A and C have the same rows");
        assert!(b.shape() == (a.cols(), c.panels()), "B fits A and C");
        if let Start::Row(row) = start {
            assert!(row.rows() == 1 && row.panels() == c.panels(), "the start is a row of C");
        }
        if let MicroPanel::Rows { from, .. } = &b {
            assert!(active.is_none(), "packing takes all steps of k");
            assert!(from.col_stride() == 1, "rows of B without gaps");
            assert!((from.rows(), from.cols()) == (a.cols(), c.cols()), "unpacked B fits A and C");
        }
        if let (Some(active), MicroPanel::Panels(b)) = (active, &b) {
            assert!(active.cols() == a.cols(), "a list of columns of A");
            assert!(b.has_adjacent_blocks(), "blocks of B without gaps");
        }
        Self { a, b, start, c, active, prefetch_a: false, next_b: None }
    }

    /// Whether C has half a panel, and nobody needs the other half of B's.
    #[inline(always)]
    fn is_half(&self) -> bool {
        self.c.cols() <= PANEL / 2 && matches!(self.b, MicroPanel::Panels(_))
    }

    /// Prefetches A if this is the first column of tiles, which reads A before all others.
    /// If rows of A have gaps, the next strip lies in the same cache lines. While the first
    /// tile packs B, there are enough streams.
    #[inline]
    pub(super) fn prefetch_a(self, first: bool) -> Self {
        let packed = matches!(self.b, MicroPanel::Panels(_));
        Self { prefetch_a: first && packed && self.a.col_stride() == 1, ..self }
    }

    /// Prefetches B of the next column.
    #[inline]
    pub(super) fn prefetch_b(self, next_b: Option<NextB>) -> Self {
        Self { next_b, ..self }
    }
}

/// Computes a column of tiles.
///
/// Not generic, so that a program contains the micro-kernel once for each instruction set,
/// and not once for each function that is applied to a product.
#[inline(never)]
pub(super) fn run(isa: Isa, mut column: TileColumn<'_>) {
    isa.dispatch(&mut column);
}

impl SimdOp for &mut TileColumn<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<S: Simd>(self, s: S) {
        if self.active.is_some() {
            S::SparseTile::visit(s, Listed(self));
        } else {
            S::Tile::visit(s, Dense(self));
        }
    }
}

/// All steps of k.
struct Dense<'a, 'b>(&'a mut TileColumn<'b>);

/// The steps of k in a list.
struct Listed<'a, 'b>(&'a mut TileColumn<'b>);

impl TileOp for Dense<'_, '_> {
    #[inline(always)]
    fn eval<S: Simd, const ROWS: usize, const PANELS: usize, const VECTORS: usize>(self, s: S) {
        const { assert!(ROWS == S::Tile::ROWS) };
        by_panels::<S, ROWS, PANELS, VECTORS, false>(s, self.0);
    }
}

impl TileOp for Listed<'_, '_> {
    #[inline(always)]
    fn eval<S: Simd, const ROWS: usize, const PANELS: usize, const VECTORS: usize>(self, s: S) {
        const { assert!(ROWS == S::SparseTile::ROWS && S::Tile::ROWS.is_multiple_of(ROWS)) };
        by_panels::<S, ROWS, PANELS, VECTORS, true>(s, self.0);
    }
}

#[inline(always)]
fn by_panels<S: Simd, const ROWS: usize, const P: usize, const V: usize, const LISTED: bool>(
    s: S,
    column: &mut TileColumn<'_>,
) {
    const { assert!(V * S::LEN == PANEL) };
    match column.c.panels() {
        3 if P >= 3 => tiles::<S, ROWS, 3, V, LISTED>(s, column),
        2 if P >= 2 => tiles::<S, ROWS, 2, V, LISTED>(s, column),
        1 if V == 2 && column.is_half() => tiles::<S, ROWS, 1, 1, LISTED>(s, column),
        1 if V == 4 && column.is_half() => tiles::<S, ROWS, 1, 2, LISTED>(s, column),
        1 => tiles::<S, ROWS, 1, V, LISTED>(s, column),
        panels => unreachable!("{panels} panels, but a tile has at most {P}"),
    }
}

/// LOOP 1 (ir): the tiles of `ROWS` rows, then the remaining rows in one tile of 1, 2, 4 or
/// `ROWS` rows, the smallest that is large enough. It computes its last row more than once,
/// and stores it once.
#[inline(always)]
fn tiles<S: Simd, const ROWS: usize, const P: usize, const V: usize, const LISTED: bool>(
    s: S,
    column: &mut TileColumn<'_>,
) {
    let TileColumn { a, b, start, c, active, prefetch_a, next_b } = column;
    let rows = c.rows();
    let mut first = 0;
    let b = match b {
        MicroPanel::Panels(b) => *b,
        MicroPanel::Rows { from, to } => {
            first = ROWS.min(rows);
            let (to_all, c) = (to.sub(0, to.rows(), 0, P), c.sub(0, first, 0, P));
            // SAFETY: `TileColumn::new` checked that A, B, C and the start fit each other,
            // and `eval` that C has P panels.
            unsafe { tile::packing_tile::<S, ROWS, P, V>(s, *a, *from, to_all, *start, c) };
            to.as_ref()
        }
    };
    let sources = Sources { a: *a, b, start: *start, active: *active, prefetch_a: *prefetch_a };
    let strips = rows.div_ceil(ROWS);
    while rows - first >= ROWS {
        let strip = first / ROWS;
        if let Some(next_b) = next_b {
            prefetch_next_b::<S, P>(s, next_b, b.rows(), strip, strips);
        }
        // SAFETY: as above.
        unsafe { tile::tile::<S, ROWS, P, V, LISTED>(s, sources, strip, c.sub(first, ROWS, 0, P)) };
        first += ROWS;
    }
    if first == rows {
        return;
    }
    let (strip, rest) = (first / ROWS, rows - first);
    let c = c.sub(first, rest, 0, P);
    // SAFETY: as above.
    unsafe {
        match rest {
            1 => tile::tile::<S, 1, P, V, LISTED>(s, sources, strip, c),
            2 if ROWS > 2 => tile::tile::<S, 2, P, V, LISTED>(s, sources, strip, c),
            3 | 4 if ROWS > 4 => tile::tile::<S, 4, P, V, LISTED>(s, sources, strip, c),
            _ => tile::tile::<S, ROWS, P, V, LISTED>(s, sources, strip, c),
        }
    }
}

/// Prefetches the part of the next column's B, of `rows` rows, that falls to strip `strip`
/// of `strips`: a load from memory or the L3 cache would come too late. This runs between
/// two tiles, because a tile leaves no register free.
#[inline(always)]
fn prefetch_next_b<S: Simd, const P: usize>(
    s: S,
    next_b: &NextB,
    rows: usize,
    strip: usize,
    strips: usize,
) {
    let per_strip = rows.div_ceil(strips);
    for k in strip * per_strip..rows.min((strip + 1) * per_strip) {
        for p in 0..P {
            s.prefetch_l2(next_b.line(k, p));
        }
    }
}
