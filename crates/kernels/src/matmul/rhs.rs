//! The right-hand side B of a product: one block of k at a time, a column of tiles at a
//! time.

use std::ops::Range;

use super::blocks::MC;
use super::microkernel::Ahead;
use super::{pack, reserve};
use crate::buffer::AlignedBuf;
use crate::mat::MatRef;
use crate::panels::{BLOCK, PANEL, PanelsRef, packed_len};
use crate::simd::Simd;

/// Rows of A up to which the tiles pack B themselves. With more rows a pass of
/// its own is a small share, and reads B in order.
const ROWS_PACKED_BY_TILES: usize = 512;

/// B as the caller has it.
#[derive(Clone, Copy)]
pub(super) enum Rhs<'a> {
    /// In the order of the micro-kernel already.
    Panels(PanelsRef<'a>),
    /// Bᵀ in panels, to be transposed block by block.
    Transposed(PanelsRef<'a>),
    /// To be packed, each element times a factor.
    Mat(MatRef<'a>, f32),
}

/// A block of B, which is `kc` rows.
pub(super) enum Block<'a> {
    Panels(PanelsRef<'a>),
    /// Bᵀ in panels, to be transposed a column at a time, into memory for one column, or
    /// for all of them, if they are wanted again.
    Transposed {
        b: PanelsRef<'a>,
        packed: &'a mut [f32],
        keep: bool,
    },
    /// Rows without gaps, of which the first tiles make panels.
    Rows(MatRef<'a>, &'a mut [f32]),
}

/// What a column of tiles reads of B.
pub(super) enum Part<'a> {
    Panels(PanelsRef<'a>),
    /// Rows, and where the first tile leaves the panels for the others.
    Rows(MatRef<'a>, &'a mut [f32]),
}

impl<'a> Rhs<'a> {
    /// The `kc` rows from `pc` on, of a product with `m` rows of A; what has to be packed
    /// goes to `packed`.
    #[inline(always)]
    pub(super) fn block<S: Simd>(
        self,
        s: S,
        (pc, kc): (usize, usize),
        m: usize,
        packed: &'a mut AlignedBuf,
    ) -> Block<'a> {
        match self {
            Self::Panels(b) => Block::Panels(b.sub(pc, kc, 0, b.panels())),
            Self::Transposed(b) => {
                // A column at a time is what the caches hold best.
                let (panels, keep) = (b.rows().div_ceil(PANEL), m > MC);
                let columns = if keep { panels } else { panels.min(S::TILE_PANELS) };
                let packed = reserve(packed, columns * panel_len(kc));
                let b = b.sub(0, b.rows(), pc / PANEL, kc.div_ceil(PANEL));
                Block::Transposed { b, packed, keep }
            }
            Self::Mat(b, alpha) => {
                let b = b.sub(pc, kc, 0, b.cols());
                let packed = reserve(packed, packed_len(kc, b.cols()));
                if alpha == 1.0 && b.col_stride() == 1 && by_tiles::<S>(m) {
                    Block::Rows(b, packed)
                } else {
                    pack::panels(s, b, alpha, packed);
                    Block::Panels(PanelsRef::packed(packed, kc, b.cols()))
                }
            }
        }
    }

    /// What the first column of the block from row `pc` on reads; nothing behind the last
    /// block, nor where B is packed first.
    pub(super) fn ahead(self, pc: usize) -> Option<Ahead> {
        match self {
            Self::Panels(b) if pc < b.rows() => {
                Some(Ahead::panels(b.sub(pc, b.rows() - pc, 0, b.panels())))
            }
            Self::Transposed(b) if pc < b.cols() => {
                let first = pc / PANEL;
                Some(Ahead::transposed(b.sub(0, b.rows(), first, b.panels() - first)))
            }
            _ => None,
        }
    }
}

impl<'a> Block<'a> {
    /// The part of a column of tiles that has the panels `panels`.
    #[inline(always)]
    pub(super) fn column<S: Simd>(&mut self, s: S, panels: Range<usize>) -> Part<'_> {
        let (first, count) = (panels.start, panels.len());
        match self {
            Self::Panels(b) => Part::Panels(b.sub(0, b.rows(), first, count)),
            Self::Transposed { b, packed, keep } => {
                let (kc, row) = (b.cols(), first * PANEL);
                let b = b.sub(row, (count * PANEL).min(b.rows() - row), 0, b.panels());
                let at = if *keep { first * panel_len(kc) } else { 0 };
                let packed = &mut packed[at..][..count * panel_len(kc)];
                pack::transposed(s, b, packed);
                Part::Panels(whole_blocks(packed, kc, b.rows()))
            }
            Self::Rows(b, packed) => {
                let (kc, col) = (b.rows(), first * PANEL);
                let b = b.sub(0, kc, col, (count * PANEL).min(b.cols() - col));
                Part::Rows(b, &mut packed[first * kc * PANEL..][..count * kc * PANEL])
            }
        }
    }

    /// What the column that begins at panel `first` reads.
    pub(super) fn ahead(&self, first: usize) -> Option<Ahead> {
        match self {
            Self::Panels(b) => Some(Ahead::panels(b.sub(0, b.rows(), first, b.panels() - first))),
            Self::Transposed { b, .. } => {
                let row = first * PANEL;
                Some(Ahead::transposed(b.sub(row, b.rows() - row, 0, b.panels())))
            }
            Self::Rows(..) => None,
        }
    }

    /// The block as it is once all columns were asked for.
    pub(super) fn used(self) -> Self {
        match self {
            Self::Transposed { b, packed, keep: true } => {
                Self::Panels(whole_blocks(packed, b.cols(), b.rows()))
            }
            Self::Rows(b, packed) => Self::Panels(PanelsRef::packed(packed, b.rows(), b.cols())),
            other => other,
        }
    }
}

/// Numbers in a panel of `rows` rows that are filled up to whole blocks.
fn panel_len(rows: usize) -> usize {
    rows.div_ceil(PANEL) * BLOCK
}

/// Panels, one behind the other, of `rows` rows that are filled up to whole blocks.
fn whole_blocks(data: &[f32], rows: usize, cols: usize) -> PanelsRef<'_> {
    PanelsRef::new(data, rows, cols, BLOCK, panel_len(rows))
}

/// Whether the tiles of a product with `m` rows pack B. A tile of one panel would
/// take a cache line from each row of B, all over memory.
fn by_tiles<S: Simd>(m: usize) -> bool {
    S::TILE_PANELS > 1 && (1..=ROWS_PACKED_BY_TILES).contains(&m)
}
