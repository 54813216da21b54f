//! How much of a product is computed between two passes over memory.

use std::sync::OnceLock;

use crate::panels::PANEL;
use crate::simd::Simd;

/// Rows of A in a block: MC × KC × 4 bytes are read once for each micro-panel of
/// B, and are to come from an L2 cache of 1 MiB or more: 128 × 512 × 4 = 256 KiB.
pub(super) const MC: usize = 128;

/// Numbers of B up to which the L2 cache, of 1 MiB and more, may have it all. Of a
/// larger one the next micro-panel is asked for while the one before it is used.
pub(super) const NEAR: usize = 1 << 19;

/// Rows of B in a block, where B has `k`: a multiple of 16, as blocks of panels
/// are, and as even as they go.
///
/// A micro-panel of B is KC × NR × 4 bytes. Where it fills most of the L1 cache it
/// stays there for all strips of A, which CPUs with two multiply-adds of 512 bits
/// a cycle need: 224 × 48 × 4 = 42 KiB of 48. Where that would leave a KC so small
/// that passes over C cost more, the micro-panel comes from the L2 cache once for
/// each strip of A, MR × KC × 4 = 16 KiB of which stays in L1: 512 × 48 × 4 =
/// 96 KiB at 192 bytes in 24 cycles, of which the L2 cache of such a CPU gives
/// several times as many. The bits of C do not depend on it.
pub(super) fn kc<S: Simd>(k: usize) -> usize {
    let most = most_rows(l1_bytes(), S::TILE_PANELS * PANEL);
    k.div_ceil(k.div_ceil(most).max(1)).next_multiple_of(PANEL).max(PANEL)
}

/// KC at the most, for a micro-panel of `nr` columns.
fn most_rows(l1: usize, nr: usize) -> usize {
    const MOST: usize = 512;
    const LEAST: usize = 192;
    let in_l1 = l1 / 8 * 7 / (nr * size_of::<f32>()) / PANEL * PANEL;
    if in_l1 < LEAST { MOST } else { in_l1.min(MOST) }
}

/// Bytes of a core's L1 data cache, as the CPU says, or 32 KiB.
fn l1_bytes() -> usize {
    static BYTES: OnceLock<usize> = OnceLock::new();
    *BYTES.get_or_init(|| l1_of_this_cpu().unwrap_or(32 << 10))
}

#[cfg(target_arch = "x86_64")]
fn l1_of_this_cpu() -> Option<usize> {
    use std::arch::x86_64::__cpuid_count;

    // Intel's leaf and AMD's list the caches in the same form.
    for (base, leaf) in [(0, 4), (0x8000_0000, 0x8000_001d)] {
        if __cpuid_count(base, 0).eax < leaf {
            continue;
        }
        // No CPU has more caches; the list ends with type 0.
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

#[cfg(not(target_arch = "x86_64"))]
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
