//! Storage that is aligned to cache lines.

use bytemuck::{Pod, Zeroable};

/// Elements of a cache line of 64 bytes, which is also an AVX-512 vector.
const LINE: usize = 16;

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

// SAFETY: all-zero bytes are sixteen elements with the value 0.
unsafe impl Zeroable for Line {}
// SAFETY: sixteen `f32` fill the 64 bytes, so there is no padding, and any 64 bytes
// are a valid value.
unsafe impl Pod for Line {}

/// A buffer of `f32` that is aligned to 64 bytes, so that no vector load crosses a cache
/// line. Dereferences to a slice.
#[derive(Clone, Default)]
pub struct AlignedBuf {
    lines: Vec<Line>,
    len: usize,
}

impl AlignedBuf {
    /// `len` zeros.
    ///
    /// # Panics
    /// If that is more than `isize::MAX` bytes.
    #[must_use]
    pub fn zeros(len: usize) -> Self {
        Self { lines: vec![Line::zeroed(); len.div_ceil(LINE)], len }
    }

    /// `len` zeros; `None` where there is no memory for them.
    #[must_use]
    pub fn try_zeros(len: usize) -> Option<Self> {
        let count = len.div_ceil(LINE);
        let mut lines = Vec::new();
        lines.try_reserve_exact(count).ok()?;
        lines.resize(count, Line::zeroed());
        Some(Self { lines, len })
    }

    /// Changes the length to `len`; new elements are 0. Never frees memory.
    ///
    /// # Panics
    /// If that is more than `isize::MAX` bytes.
    pub fn resize(&mut self, len: usize) {
        self.lines.resize(len.div_ceil(LINE), Line::zeroed());
        if len > self.len {
            let old = self.len;
            self.len = len;
            self[old..].fill(0.0);
        }
        self.len = len;
    }

    /// The first `len` elements, after the buffer has grown to hold them.
    #[inline]
    pub(crate) fn at_least(&mut self, len: usize) -> &mut [f32] {
        if self.len < len {
            self.resize(len);
        }
        &mut self[..len]
    }
}

impl std::ops::Deref for AlignedBuf {
    type Target = [f32];

    #[inline]
    fn deref(&self) -> &[f32] {
        &bytemuck::cast_slice(&self.lines)[..self.len]
    }
}

impl std::ops::DerefMut for AlignedBuf {
    #[inline]
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.len]
    }
}

impl std::fmt::Debug for AlignedBuf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::AlignedBuf;

    #[test]
    fn a_buffer_is_aligned_and_new_elements_are_zero() {
        let mut buffer = AlignedBuf::zeros(20);
        assert_eq!(buffer.as_ptr().addr() % 64, 0);
        buffer.fill(1.0);
        buffer.resize(3);
        buffer.resize(40);
        assert_eq!(buffer[..3], [1.0; 3]);
        assert_eq!(buffer[3..], [0.0; 37]);
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri ends where memory does")]
    fn memory_that_does_not_exist_is_none() {
        assert_eq!(AlignedBuf::try_zeros(20).unwrap()[..], [0.0; 20]);
        for len in [usize::MAX, isize::MAX as usize, 1 << 60] {
            assert!(AlignedBuf::try_zeros(len).is_none(), "{len}");
        }
    }
}
