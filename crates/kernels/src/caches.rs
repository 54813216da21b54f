//! The sizes of the caches, from which the matrix product derives its blocks.

use std::fmt;
use std::sync::OnceLock;

/// Bytes of the data caches that a core uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caches {
    /// The L1 data cache.
    pub l1: usize,
    /// The L2 cache.
    pub l2: usize,
    /// The L3 cache, which several cores share.
    pub l3: usize,
}

/// What is assumed where the CPU does not say.
const ASSUMED: Caches = Caches { l1: 32 << 10, l2: 512 << 10, l3: 4 << 20 };

impl Caches {
    /// Those of this CPU, as it reports them.
    ///
    /// The environment variable `KERNELS_CACHES` replaces them, so that block sizes can be
    /// tried that other CPUs would have: three sizes in KiB, such as `32,256,8192`. Anything
    /// else in it is ignored. It is read once.
    #[must_use]
    pub fn active() -> Self {
        static CACHES: OnceLock<Caches> = OnceLock::new();
        *CACHES.get_or_init(|| {
            let said = std::env::var("KERNELS_CACHES").ok();
            said.and_then(|said| Self::parse(&said)).unwrap_or_else(Self::of_this_cpu)
        })
    }

    #[cfg(test)]
    pub(crate) fn of_kib(l1: usize, l2: usize, l3: usize) -> Self {
        Self { l1: l1 << 10, l2: l2 << 10, l3: l3 << 10 }
    }

    /// Three sizes in KiB, none of them 0.
    fn parse(text: &str) -> Option<Self> {
        let mut sizes = text.split(',').map(|size| {
            let size: usize = size.trim().parse().ok()?;
            size.checked_mul(1 << 10).filter(|bytes| *bytes > 0)
        });
        let (l1, l2, l3) = (sizes.next()??, sizes.next()??, sizes.next()??);
        sizes.next().is_none().then_some(Self { l1, l2, l3 })
    }

    #[cfg(all(target_arch = "x86_64", not(miri)))]
    fn of_this_cpu() -> Self {
        use std::arch::x86_64::__cpuid_count;

        // Intel's leaf and AMD's list the caches in the same form.
        for (base, leaf) in [(0, 4), (0x8000_0000, 0x8000_001d)] {
            if __cpuid_count(base, 0).eax < leaf {
                continue;
            }
            let (mut caches, mut found) = (ASSUMED, false);
            // No CPU has more than 8 caches; the list ends with type 0.
            for cache in (0..8).map(|index| __cpuid_count(leaf, index)) {
                let bits = |register: u32, from: u32, len: u32| {
                    (register >> from & ((1 << len) - 1)) as usize
                };
                let (kind, level) = (bits(cache.eax, 0, 5), bits(cache.eax, 5, 3));
                let (line, parts) = (bits(cache.ebx, 0, 12) + 1, bits(cache.ebx, 12, 10) + 1);
                let (ways, sets) = (bits(cache.ebx, 22, 10) + 1, cache.ecx as usize + 1);
                const DATA: usize = 1;
                const UNIFIED: usize = 3;
                let bytes = match (kind, level) {
                    (0, _) => break,
                    (DATA, 1) => &mut caches.l1,
                    (UNIFIED, 2) => &mut caches.l2,
                    (UNIFIED, 3) => &mut caches.l3,
                    _ => continue,
                };
                *bytes = line.saturating_mul(parts).saturating_mul(ways).saturating_mul(sets);
                found = true;
            }
            if found {
                return caches;
            }
        }
        ASSUMED
    }

    #[cfg(any(not(target_arch = "x86_64"), miri))]
    fn of_this_cpu() -> Self {
        ASSUMED
    }
}

/// `32 KiB, 512 KiB, 32768 KiB`.
impl fmt::Display for Caches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [l1, l2, l3] = [self.l1, self.l2, self.l3].map(|bytes| bytes >> 10);
        write!(f, "{l1} KiB, {l2} KiB, {l3} KiB")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_are_said() {
        let said = Caches { l1: 32 << 10, l2: 256 << 10, l3: 8 << 20 };
        assert_eq!(Caches::parse("32,256,8192"), Some(said));
        assert_eq!(Caches::parse(" 32, 256, 8192"), Some(said));
        for text in ["", "32", "32,256", "0,256,8192", "32,256,8192,1", "32K,256K,8M", "-1,2,3"] {
            assert_eq!(Caches::parse(text), None, "{text:?}");
        }
        let most = format!("32,256,{}", usize::MAX);
        assert_eq!(Caches::parse(&most), None);
    }

    #[test]
    fn this_cpu_has_caches() {
        let Caches { l1, l2, l3 } = Caches::of_this_cpu();
        assert!((8 << 10..=1 << 20).contains(&l1), "{l1}");
        assert!((64 << 10..=1 << 30).contains(&l2), "{l2}");
        assert!((256 << 10..=1 << 40).contains(&l3), "{l3}");
    }
}
