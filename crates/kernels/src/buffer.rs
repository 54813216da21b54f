//! Storage that begins at a cache line.

use bytemuck::{Pod, Zeroable};

/// Numbers in a cache line of 64 bytes, which is also an AVX-512 vector.
const LINE: usize = 16;

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

// SAFETY: all-zero bytes are sixteen zeros.
unsafe impl Zeroable for Line {}
// SAFETY: sixteen f32 fill the 64 bytes, so there is no padding, and any bytes
// are a value.
unsafe impl Pod for Line {}

/// `f32`s that begin at a multiple of 64 bytes, so that no vector load crosses
/// a cache line. Dereferences to a slice.
#[derive(Clone, Default)]
pub struct AlignedBuf {
    lines: Vec<Line>,
    len: usize,
}

impl AlignedBuf {
    /// `len` zeros.
    #[must_use]
    pub fn zeros(len: usize) -> Self {
        Self { lines: vec![Line::zeroed(); len.div_ceil(LINE)], len }
    }

    /// Makes it `len` long; numbers that are new are 0. Never gives memory back.
    pub fn resize(&mut self, len: usize) {
        self.lines.resize(len.div_ceil(LINE), Line::zeroed());
        if len > self.len {
            let old = self.len;
            self.len = len;
            self[old..].fill(0.0);
        }
        self.len = len;
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
    fn it_is_aligned_and_new_numbers_are_zero() {
        let mut buffer = AlignedBuf::zeros(20);
        assert_eq!(buffer.as_ptr().addr() % 64, 0);
        buffer.fill(1.0);
        buffer.resize(3);
        buffer.resize(40);
        assert_eq!(buffer[..3], [1.0; 3]);
        assert_eq!(buffer[3..], [0.0; 37]);
    }
}
