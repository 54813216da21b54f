//! What can be wrong with the bytes of an IDX file.

use thiserror::Error as ThisError;

use super::header::{Dtype, Header};

/// Why some bytes are not an IDX file. Offsets count from the first byte.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum IdxError {
    /// Fewer than the four bytes of the magic number.
    #[error(
        "at byte 0: found {found} bytes, expected a magic number of 4; the file is empty or cut short: fetch it again"
    )]
    TruncatedMagic {
        /// The number of bytes.
        found: usize,
    },

    /// The first two bytes are not zero.
    #[error(
        "at byte 0: found {:#04x} {:#04x}, expected 0x00 0x00; this is not an IDX file: check the path", .found[0], .found[1]
    )]
    Magic {
        /// The first two bytes.
        found: [u8; 2],
    },

    /// The third byte is not an element type.
    #[error(
        "at byte 2: found element type {found:#04x}, expected 0x08 (u8), 0x09 (i8), 0x0b (i16), 0x0c (i32), 0x0d (f32) or 0x0e (f64)"
    )]
    Dtype {
        /// The third byte.
        found: u8,
    },

    /// The fourth byte is not a number of dimensions that this crate reads.
    #[error("at byte 3: found {found} dimensions, expected 1 to 4")]
    Rank {
        /// The fourth byte.
        found: u8,
    },

    /// The file ends within the sizes of the dimensions.
    #[error(
        "at byte 4: found {found} bytes of dimension sizes, expected {expected}; the file is cut short: fetch it again"
    )]
    TruncatedDims {
        /// The number of bytes after the magic number.
        found: usize,
        /// The bytes of the sizes: four for each dimension.
        expected: usize,
    },

    /// The sizes multiply to more bytes than an address can count.
    #[error(
        "at byte 4: found dimension sizes for {elements} elements of {dtype}, expected no more than this machine can address; the header is damaged: fetch the file again"
    )]
    TooLarge {
        /// The type of the elements.
        dtype: Dtype,
        /// The product of the sizes.
        elements: u128,
    },

    /// The file ends within the elements.
    #[error(
        "at byte {}: found {found} bytes of elements, expected {} ({header}); the file is cut short: fetch it again", .header.body_offset(), .header.body_len()
    )]
    TruncatedBody {
        /// What the header says.
        header: Header,
        /// The number of bytes after the header.
        found: usize,
    },

    /// The file goes on after the last element.
    #[error(
        "at byte {}: found {found} more bytes, expected the end of the file ({header}); the header is damaged or something was appended: fetch the file again", .header.body_offset() + .header.body_len()
    )]
    TrailingBytes {
        /// What the header says.
        header: Header,
        /// The number of bytes after the last element.
        found: u64,
    },
}
