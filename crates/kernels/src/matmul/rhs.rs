//! The right-hand side B of a product: as the caller has it, then in slabs for LOOP 4, then
//! in micro-panels for LOOP 2.

use std::ops::Range;

use super::operands::{MicroPanel, NextB};
use super::pack;
use crate::buffer::AlignedBuf;
use crate::mat::MatRef;
use crate::panels::{BLOCK, PANEL, PanelsMut, PanelsRef, packed_len};
use crate::simd::{Simd, Tile};

/// Rows of A up to which the tiles pack B themselves. With more rows, packing a column of tiles
/// before it is computed takes a small part of the time.
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

/// KC rows of B: what one iteration of LOOP 4 multiplies.
///
/// What is not in panels is packed for one column of tiles at a time, which are then in the
/// L1 cache. `packed` has room for one column or, if `keep`, for all of them: LOOP 3 then
/// reads the slab more than once.
pub(super) enum Slab<'a> {
    Panels(PanelsRef<'a>),
    /// Bᵀ in panels.
    Transposed {
        b: PanelsRef<'a>,
        packed: &'a mut [f32],
        keep: bool,
    },
    /// Any strides; each element times a factor.
    Mat {
        b: MatRef<'a>,
        alpha: f32,
        packed: &'a mut [f32],
        keep: bool,
    },
    /// Rows without gaps, and room for the panels that the first tiles make of them.
    Rows(MatRef<'a>, &'a mut [f32]),
}

impl<'a> Rhs<'a> {
    /// The panels `panel..panel + panels`.
    #[inline(always)]
    pub(super) fn sub(self, panel: usize, panels: usize) -> Self {
        let (first, width) = (panel * PANEL, panels * PANEL);
        match self {
            Self::Panels(b) => Self::Panels(b.sub(0, b.rows(), panel, panels)),
            Self::Transposed(b) => {
                Self::Transposed(b.sub(first, width.min(b.rows() - first), 0, b.panels()))
            }
            Self::Mat(b, alpha) => {
                Self::Mat(b.sub(0, b.rows(), first, width.min(b.cols() - first)), alpha)
            }
        }
    }

    /// The `kc` rows from row `pc` on, for a product with `m` rows of A in blocks of `mc`.
    /// The slab keeps what has to be packed in `packed`.
    #[inline(always)]
    pub(super) fn slab<S: Simd>(
        self,
        (pc, kc): (usize, usize),
        m: usize,
        mc: usize,
        packed: &'a mut AlignedBuf,
    ) -> Slab<'a> {
        let keep = m > mc;
        let room = |panels: usize| if keep { panels } else { panels.min(S::Tile::PANELS) };
        match self {
            Self::Panels(b) => Slab::Panels(b.sub(pc, kc, 0, b.panels())),
            Self::Transposed(b) => {
                let packed = packed.at_least(room(b.rows().div_ceil(PANEL)) * panel_len(kc));
                let b = b.sub(0, b.rows(), pc / PANEL, kc.div_ceil(PANEL));
                Slab::Transposed { b, packed, keep }
            }
            Self::Mat(b, alpha) => {
                let b = b.sub(pc, kc, 0, b.cols());
                if alpha == 1.0 && b.col_stride() == 1 && tiles_pack::<S>(m) {
                    return Slab::Rows(b, packed.at_least(packed_len(kc, b.cols())));
                }
                let packed = packed.at_least(room(b.cols().div_ceil(PANEL)) * kc * PANEL);
                Slab::Mat { b, alpha, packed, keep }
            }
        }
    }

    /// What the first column of tiles of the slab from row `pc` on reads. Nothing after the
    /// last slab, or if the rows of B have gaps.
    pub(super) fn next_b(self, pc: usize) -> Option<NextB> {
        match self {
            Self::Panels(b) if pc < b.rows() => {
                Some(NextB::panels(b.sub(pc, b.rows() - pc, 0, b.panels())))
            }
            Self::Transposed(b) if pc < b.cols() => {
                let first = pc / PANEL;
                Some(NextB::transposed(b.sub(0, b.rows(), first, b.panels() - first)))
            }
            Self::Mat(b, _) if pc < b.rows() && b.col_stride() == 1 => {
                Some(NextB::rows(b.sub(pc, b.rows() - pc, 0, b.cols())))
            }
            _ => None,
        }
    }

    /// Whether the micro-kernel can leave out steps of k.
    pub(super) fn can_skip(self) -> bool {
        match self {
            Self::Panels(b) => b.has_adjacent_blocks(),
            Self::Transposed(_) | Self::Mat(..) => false,
        }
    }
}

impl Slab<'_> {
    /// The panels `panels`, which one column of tiles reads.
    #[inline(always)]
    pub(super) fn micro_panel<S: Simd>(&mut self, s: S, panels: Range<usize>) -> MicroPanel<'_> {
        let (first, count) = (panels.start, panels.len());
        match self {
            Self::Panels(b) => MicroPanel::Panels(b.sub(0, b.rows(), first, count)),
            Self::Transposed { b, packed, keep } => {
                let (kc, row) = (b.cols(), first * PANEL);
                let b = b.sub(row, (count * PANEL).min(b.rows() - row), 0, b.panels());
                let at = if *keep { first * panel_len(kc) } else { 0 };
                let packed = &mut packed[at..][..count * panel_len(kc)];
                pack::transposed(s, b, packed);
                MicroPanel::Panels(whole_blocks(packed, kc, b.rows()))
            }
            Self::Mat { b, alpha, packed, keep } => {
                let (kc, col) = (b.rows(), first * PANEL);
                let from = b.sub(0, kc, col, (count * PANEL).min(b.cols() - col));
                let at = if *keep { first * kc * PANEL } else { 0 };
                let packed = &mut packed[at..][..count * kc * PANEL];
                pack::panels(s, from, *alpha, packed);
                MicroPanel::Panels(PanelsRef::packed(packed, kc, from.cols()))
            }
            Self::Rows(b, packed) => {
                let (kc, col) = (b.rows(), first * PANEL);
                let from = b.sub(0, kc, col, (count * PANEL).min(b.cols() - col));
                let to = &mut packed[first * kc * PANEL..][..count * kc * PANEL];
                MicroPanel::Rows { from, to: PanelsMut::packed(to, kc, count) }
            }
        }
    }

    /// What the column of tiles that begins at panel `first` reads.
    pub(super) fn next_b(&self, first: usize) -> Option<NextB> {
        match self {
            Self::Panels(b) => Some(NextB::panels(b.sub(0, b.rows(), first, b.panels() - first))),
            Self::Transposed { b, .. } => {
                let row = first * PANEL;
                Some(NextB::transposed(b.sub(row, b.rows() - row, 0, b.panels())))
            }
            Self::Mat { b, .. } if b.col_stride() == 1 => {
                let col = first * PANEL;
                Some(NextB::rows(b.sub(0, b.rows(), col, b.cols() - col)))
            }
            Self::Mat { .. } | Self::Rows(..) => None,
        }
    }

    /// The slab after all its micro-panels were read once: in panels, if they were kept.
    pub(super) fn packed(self) -> Self {
        match self {
            Self::Transposed { b, packed, keep: true } => {
                Self::Panels(whole_blocks(packed, b.cols(), b.rows()))
            }
            Self::Mat { b, packed, keep: true, .. } | Self::Rows(b, packed) => {
                Self::Panels(PanelsRef::packed(packed, b.rows(), b.cols()))
            }
            other => other,
        }
    }
}

/// Elements of a panel with `rows` rows, padded to whole blocks.
fn panel_len(rows: usize) -> usize {
    rows.div_ceil(PANEL) * BLOCK
}

/// Panels one after the other, with `rows` rows each, padded to whole blocks.
fn whole_blocks(data: &[f32], rows: usize, cols: usize) -> PanelsRef<'_> {
    PanelsRef::new(data, rows, cols, BLOCK, panel_len(rows))
}

/// Whether the tiles of a product with `m` rows pack B. A tile of one panel would read one
/// cache line from each row of B, scattered over memory.
fn tiles_pack<S: Simd>(m: usize) -> bool {
    S::Tile::PANELS > 1 && (1..=ROWS_PACKED_BY_TILES).contains(&m)
}
