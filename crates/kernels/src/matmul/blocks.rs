//! Block sizes, derived from the sizes of the caches.
//!
//! With tiles of MR × NR, in bytes of `f32`:
//!
//! ```text
//! KC · NR  ≤  L1 · 1/2   B's micro-panel stays in L1 for all strips of A
//!             L1 · 7/8   the same, if A is packed or mostly zeros
//! MC · KC  ≤  L2 · 1/2   A's block stays in L2 for all micro-panels of B
//! MC · NR  ≤  L1 · 3/4   a column of tiles is still in L1 when a function is applied to it
//! KC · NC  ≤  L3 · 1/4   B's slab stays in L3 for all blocks of A
//! ```
//!
//! Only a wide tile whose L1 is small takes B's micro-panel from L2 instead: see `most_rows`.
//! The bits of C do not depend on any of these sizes.

use crate::caches::Caches;
use crate::mat::MatRef;
use crate::panels::PANEL;
use crate::simd::{Simd, Tile};

/// Panels of B, and columns of A, from which on copying A takes a small part of the time of
/// the product.
///
/// Packed strips are read in order, whatever the strides of A. If these are a power of two,
/// the rows of a block lie in a few sets of the caches, which then do not hold them. And a
/// packed strip disturbs L1 so little that KC may be larger, which saves passes over C.
mod packing_pays {
    /// Where rows of A have no gaps.
    pub(super) const PANELS_FOR_ROWS: usize = 24;
    /// Where columns of A have no gaps: each step of k may be on a page of its own.
    pub(super) const PANELS_FOR_COLUMNS: usize = 12;
    /// Below it, a tile takes hardly longer than reading its strip.
    pub(super) const COLUMNS: usize = 64;
}

/// The blocks of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blocks {
    /// Rows of a block of A, a multiple of those of a tile.
    pub(super) mc: usize,
    /// Rows of a slab of B, a multiple of 16, like the blocks of panels.
    pub(super) kc: usize,
    /// Panels of a slab of B.
    pub(super) nc: usize,
    /// Whether blocks of A are packed, unless they are mostly zeros.
    pub(super) pack_a: bool,
    /// Whether a micro-panel of B is prefetched while the one before it is used, because B is
    /// larger than the L2 cache.
    pub(super) far: bool,
}

impl Blocks {
    /// For a product with `panels` panels of B, and where steps of k are left out if
    /// `skip_zeros`.
    pub(super) fn new<S: Simd>(a: MatRef<'_>, panels: usize, skip_zeros: bool) -> Self {
        let caches = Caches::active();
        let (mr, nr) = if skip_zeros {
            (S::SparseTile::ROWS, S::SparseTile::PANELS)
        } else {
            (S::Tile::ROWS, S::Tile::PANELS)
        };
        let pack_a = packing_pays(caches, nr, a, panels);
        let shape = (a.rows(), a.cols(), panels);
        Self::derive(caches, (mr, nr), shape, pack_a, skip_zeros)
    }

    /// For tiles of `mr` rows and `nr` panels, an A of m × k, and `panels` panels of B.
    fn derive(
        caches: Caches,
        (mr, nr): (usize, usize),
        (m, k, panels): (usize, usize, usize),
        pack_a: bool,
        skip_zeros: bool,
    ) -> Self {
        // Where steps are left out, little of A and of B is read, and a tile has few steps to
        // pay for reading C: a large KC as well.
        let mut most = most_rows(caches, nr, pack_a || skip_zeros);
        // A tile of few rows reads its micro-panel from L1 more often than a high one: what
        // little of it is read should be there.
        if skip_zeros && mr <= FEW_ROWS {
            most = most.min(MOST_OF_FEW_ROWS);
        }
        let kc = equal_parts(k, k.div_ceil(most), PANEL);

        // One may be a quarter larger, rather than that a few rows are a block of their own.
        let most = caches.l2 / 2 / (kc * F32);
        let most = most.min(caches.l1 / 4 * 3 / (nr * PANEL * F32)).max(4 * mr);
        let mc = equal_parts(m, m.saturating_sub(most / 4).div_ceil(most), mr);

        let nc = (caches.l3 / 4 / (kc * PANEL * F32) / nr).max(4) * nr;
        let far = k.saturating_mul(panels * PANEL) > caches.l2 / F32;
        Self { mc, kc, nc, pack_a, far }
    }
}

const F32: usize = size_of::<f32>();

/// Rows of a tile for products of mostly zeros, up to which KC is at most
/// [`MOST_OF_FEW_ROWS`]: 96, 144 and 512 were up to a tenth slower on Zen 3, for 784 inputs and
/// 256 or 512 units.
const FEW_ROWS: usize = 2;
const MOST_OF_FEW_ROWS: usize = 256;

/// The size of `parts` nearly equal parts of `len`, a multiple of `unit`; no parts and none
/// of `len` count as one.
fn equal_parts(len: usize, parts: usize, unit: usize) -> usize {
    len.div_ceil(parts.max(1)).next_multiple_of(unit).max(unit)
}

fn packing_pays(caches: Caches, nr: usize, a: MatRef<'_>, panels: usize) -> bool {
    use packing_pays::{COLUMNS, PANELS_FOR_COLUMNS, PANELS_FOR_ROWS};
    let pays = match (a.row_stride(), a.col_stride()) {
        (_, 1) => {
            panels >= PANELS_FOR_ROWS && most_rows(caches, nr, true) > most_rows(caches, nr, false)
        }
        (1, _) => panels >= PANELS_FOR_COLUMNS,
        _ => false,
    };
    pays && a.cols() >= COLUMNS
}

/// The largest KC, for tiles of `nr` panels.
///
/// For a wide tile, such as AVX-512's with 192 bytes in a row of B, the L1 cache holds few
/// rows. It may be filled nearly: 224 rows take 42 KiB of 48 KiB, and CPUs with two
/// multiply-adds of 512 bits in a cycle need that. If KC were so small that passes over C cost
/// more, the micro-panel comes from the L2 cache instead, once for each strip of A, and the
/// strip stays in L1. A micro-panel of 512 rows, 96 KiB, is then read at 192 bytes in 24
/// cycles, and the L2 cache of such a CPU delivers several times that.
fn most_rows(caches: Caches, nr: usize, pack_a: bool) -> usize {
    const MOST: usize = 512;
    const LEAST: usize = 192;
    let rows = |bytes: usize| bytes / (nr * PANEL * F32) / PANEL * PANEL;
    let (half, nearly_all) = (rows(caches.l1 / 2), rows(caches.l1 / 8 * 7));
    if half >= LEAST && !pack_a {
        half.min(MOST)
    } else if nearly_all >= LEAST {
        nearly_all.min(MOST)
    } else {
        MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Panels of a tile.
    const AVX2: usize = 1;
    const AVX512: usize = 3;

    #[test]
    fn the_micro_panel_fits_the_l1_cache_or_streams_from_the_l2_cache() {
        let most = |l1, nr, pack_a| most_rows(Caches::of_kib(l1, 1024, 16384), nr, pack_a);
        for pack_a in [false, true] {
            // Zen 4, then Zen 5 and Intel's.
            assert_eq!(most(32, AVX512, pack_a), 512);
            assert_eq!(most(48, AVX512, pack_a), 224);
        }
        assert_eq!(most(32, AVX2, false), 256);
        assert_eq!(most(32, AVX2, true), 448);
        assert_eq!(most(128, AVX2, false), 512);
    }

    #[test]
    fn rows_are_packed_where_that_saves_passes_over_c() {
        let caches = Caches::of_kib(32, 512, 32 << 10);
        let data = vec![0.0; 600 * 600];
        let rows = MatRef::new(&data, 600, 600);
        assert!(packing_pays(caches, AVX2, rows, 24));
        assert!(!packing_pays(caches, AVX2, rows, 23));
        assert!(!packing_pays(caches, AVX2, rows.sub(0, 600, 0, 63), 24));
        assert!(!packing_pays(caches, AVX512, rows, 24));
        for nr in [AVX2, AVX512] {
            assert!(packing_pays(caches, nr, rows.t(), 12));
            assert!(!packing_pays(caches, nr, rows.t(), 11));
            assert!(!packing_pays(caches, nr, MatRef::strided(&data, 100, 100, 300, 2), 100));
        }
    }

    #[test]
    fn blocks_fit_their_caches() {
        let sizes = [1, 5, 16, 30, 100, 128, 252, 256, 257, 512, 784, 1024, 4096, 10_000];
        for (l1, l2, l3) in [
            (32, 256, 3 << 10),
            (32, 256, 8 << 10),
            (32, 512, 32 << 10),
            (48, 1280, 12 << 10),
            (32, 1024, 16 << 10),
            (48, 2048, 60 << 10),
        ] {
            let caches = Caches::of_kib(l1, l2, l3);
            for (mr, nr) in [(6, AVX2), (8, AVX512)] {
                for (m, k) in sizes.iter().flat_map(|m| sizes.iter().map(|k| (*m, *k))) {
                    for pack_a in [false, true] {
                        let blocks = Blocks::derive(caches, (mr, nr), (m, k, 64), pack_a, false);
                        let Blocks { mc, kc, nc, .. } = blocks;
                        assert!(kc.is_multiple_of(PANEL) && kc > 0 && kc <= 512, "{blocks:?}");
                        assert!(mc.is_multiple_of(mr) && mc > 0, "{blocks:?}");
                        assert!(nc.is_multiple_of(nr) && nc > 0, "{blocks:?}");
                        // A quarter more than half of L2, and what rounding adds.
                        assert!(4 * mc * nr * PANEL <= caches.l1 || mc <= 6 * mr, "{blocks:?}");
                        let most = caches.l2 * 5 / 8 + mr * kc * 4;
                        assert!(4 * mc * kc <= most.max(4 * 5 * mr * kc), "{m} × {k}: {blocks:?}");
                        assert!(
                            4 * kc * nc * PANEL <= (caches.l3 / 4).max(4 * kc * 4 * nr * PANEL)
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_block_is_not_split_for_a_few_rows() {
        let caches = Caches::of_kib(32, 512, 32 << 10);
        let blocks = Blocks::derive(caches, (6, AVX2), (256, 256, 16), false, false);
        assert_eq!((blocks.mc, blocks.kc), (258, 256));
    }
}
