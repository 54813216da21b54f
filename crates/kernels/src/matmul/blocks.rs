//! Block sizes, derived from the sizes of the caches.

use std::sync::OnceLock;

use crate::panels::PANEL;
use crate::simd::{Simd, Tile};

/// Rows of A in a block: its MC × KC × 4 bytes are read once for each micro-panel of B,
/// and should come from an L2 cache of 1 MiB or more: 128 × 512 × 4 = 256 KiB.
pub(super) const MC: usize = 128;

/// Elements of B, 2 MiB, up to which the L2 cache of 1 MiB and more may contain most of it.
/// Of a larger B, the next micro-panel is prefetched while the current one is used.
pub(super) const NEAR: usize = 1 << 19;

/// Rows of a slab of B, where B has `k` rows: a multiple of 16, like the blocks of panels,
/// that makes all slabs nearly equal.
///
/// A micro-panel of B is KC × NR × 4 bytes. There are two cases:
///
/// - It fills most of the L1 cache, and stays there for all strips of A: 224 × 48 × 4 =
///   42 KiB of 48 KiB. CPUs with two multiply-adds of 512 bits in a cycle need this.
/// - If that KC were so small that passes over C cost more, the micro-panel comes from the
///   L2 cache, once for each strip of A; the strip, MR × KC × 4 = 16 KiB, stays in L1. A
///   micro-panel of 512 × 48 × 4 = 96 KiB is then read at 192 bytes in 24 cycles, and the
///   L2 cache of such a CPU delivers several times that.
///
/// The bits of C do not depend on KC.
pub(super) fn kc<S: Simd>(k: usize) -> usize {
    let most = most_rows(l1_bytes(), S::Tile::PANELS * PANEL);
    k.div_ceil(k.div_ceil(most).max(1)).next_multiple_of(PANEL).max(PANEL)
}

/// The largest KC for a micro-panel of `nr` columns.
fn most_rows(l1: usize, nr: usize) -> usize {
    const MOST: usize = 512;
    const LEAST: usize = 192;
    let in_l1 = l1 / 8 * 7 / (nr * size_of::<f32>()) / PANEL * PANEL;
    if in_l1 < LEAST { MOST } else { in_l1.min(MOST) }
}

/// Bytes of a core's L1 data cache, as the CPU reports it; 32 KiB if it does not.
fn l1_bytes() -> usize {
    static BYTES: OnceLock<usize> = OnceLock::new();
    *BYTES.get_or_init(|| l1_of_this_cpu().unwrap_or(32 << 10))
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
fn l1_of_this_cpu() -> Option<usize> {
    use std::arch::x86_64::__cpuid_count;

    // Intel's leaf and AMD's list the caches in the same form.
    for (base, leaf) in [(0, 4), (0x8000_0000, 0x8000_001d)] {
        if __cpuid_count(base, 0).eax < leaf {
            continue;
        }
        // No CPU has more than 8 caches; the list ends with type 0.
        for cache in (0..8).map(|index| __cpuid_count(leaf, index)) {
            let bits =
                |register: u32, from: u32, len: u32| (register >> from & ((1 << len) - 1)) as usize;
            let (kind, level) = (bits(cache.eax, 0, 5), bits(cache.eax, 5, 3));
            if kind == 0 {
                break;
            }
            const DATA: usize = 1;
            if (kind, level) == (DATA, 1) {
                let (line, parts) = (bits(cache.ebx, 0, 12) + 1, bits(cache.ebx, 12, 10) + 1);
                let (ways, sets) = (bits(cache.ebx, 22, 10) + 1, cache.ecx as usize + 1);
                return Some(line * parts * ways * sets);
            }
        }
    }
    None
}

#[cfg(any(not(target_arch = "x86_64"), miri))]
fn l1_of_this_cpu() -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_micro_panel_fits_the_l1_cache_or_streams_from_the_l2_cache() {
        // AVX-512 on Zen 4, then on Zen 5 and Intel's; AVX2 and NEON.
        assert_eq!(most_rows(32 << 10, 48), 512);
        assert_eq!(most_rows(48 << 10, 48), 224);
        assert_eq!(most_rows(32 << 10, 16), 448);
        assert_eq!(most_rows(128 << 10, 16), 512);
    }

    #[test]
    fn this_cpu_has_a_cache() {
        let bytes = l1_bytes();
        assert!((8 << 10..=1 << 20).contains(&bytes), "{bytes}");
    }
}
