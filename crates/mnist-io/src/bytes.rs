//! Bytes that came from a file, wherever they are in memory.

use std::fmt;
use std::ops::Deref;

use memmap2::Mmap;

/// Bytes of a file, without the header before them: in memory of their own, or in a
/// map of the file. Both are used as a `[u8]`.
pub struct Bytes {
    storage: Storage,
    /// The bytes before it are not part of the value.
    start: usize,
}

enum Storage {
    Owned(Vec<u8>),
    Mapped(Mmap),
}

impl Bytes {
    /// Whether these are in a map of the file.
    #[must_use]
    pub fn is_mapped(&self) -> bool {
        matches!(self.storage, Storage::Mapped(_))
    }

    /// Without the first `count` bytes, which are not copied.
    ///
    /// # Panics
    /// If there are fewer.
    pub(crate) fn after(self, count: usize) -> Self {
        assert!(count <= self.len(), "{count} bytes of {}", self.len());
        Self { start: self.start + count, ..self }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let bytes = match &self.storage {
            Storage::Owned(bytes) => &bytes[..],
            Storage::Mapped(map) => &map[..],
        };
        &bytes[self.start..]
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self { storage: Storage::Owned(bytes), start: 0 }
    }
}

impl From<Mmap> for Bytes {
    fn from(map: Mmap) -> Self {
        Self { storage: Storage::Mapped(map), start: 0 }
    }
}

/// Without the bytes, of which there are millions.
impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bytes")
            .field("len", &self.len())
            .field("is_mapped", &self.is_mapped())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_after_a_header_do_not_move() {
        let bytes = Bytes::from(vec![1, 2, 3, 4, 5]);
        let third = &raw const bytes[2];
        let rest = bytes.after(1).after(1);
        assert_eq!(rest[..], [3, 4, 5]);
        assert_eq!(&raw const rest[0], third);
        assert!(rest.after(3).is_empty());
    }

    #[test]
    #[should_panic(expected = "4 bytes of 3")]
    fn no_more_bytes_are_left_out_than_there_are() {
        let _ = Bytes::from(vec![1, 2, 3]).after(4);
    }

    #[test]
    fn debug_leaves_the_bytes_out() {
        let text = format!("{:?}", Bytes::from(vec![201, 202, 203]));
        assert!(text.contains("len: 3") && text.contains("is_mapped: false"), "{text}");
        assert!(!text.contains("202"), "{text}");
    }
}
