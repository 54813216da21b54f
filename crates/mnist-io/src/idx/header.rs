//! What an IDX file says about its elements.

use std::fmt;

/// The bytes of the magic number: two zeros, the element type, the number of dimensions.
pub(super) const MAGIC_LEN: usize = 4;
/// The format allows 255 dimensions; a batch of images with channels has 4.
pub(super) const MAX_DIMS: usize = 4;
/// The bytes of the longest header.
pub(super) const MAX_HEADER: usize = MAGIC_LEN + 4 * MAX_DIMS;

/// The type of the elements of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dtype {
    /// Unsigned byte, 0x08.
    U8,
    /// Signed byte, 0x09.
    I8,
    /// 16-bit signed integer, 0x0b.
    I16,
    /// 32-bit signed integer, 0x0c.
    I32,
    /// Single-precision float, 0x0d.
    F32,
    /// Double-precision float, 0x0e.
    F64,
}

impl Dtype {
    pub(super) fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0x08 => Self::U8,
            0x09 => Self::I8,
            // The format leaves out 0x0a.
            0x0b => Self::I16,
            0x0c => Self::I32,
            0x0d => Self::F32,
            0x0e => Self::F64,
            _ => return None,
        })
    }

    /// The bytes of one element.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::I16 => 2,
            Self::I32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}

/// What a file says about its elements. Displayed as `60000 x 28 x 28 u8`.
///
/// Only [`parse`](crate::parse) makes one, so its sizes agree: the product of
/// [`dims`](Self::dims) is [`elements`](Self::elements), and an address space has room
/// for that number of elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub(super) dtype: Dtype,
    /// Those from `rank` on are zero.
    pub(super) dims: [usize; MAX_DIMS],
    pub(super) rank: usize,
    pub(super) elements: usize,
}

impl Header {
    /// The type of the elements.
    #[must_use]
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// The sizes of the dimensions, 1 to 4 of them, the last varying fastest.
    #[must_use]
    pub fn dims(&self) -> &[usize] {
        &self.dims[..self.rank]
    }

    /// The number of elements: the product of the sizes. In an empty file, where one size
    /// is zero, the product of the others may overflow.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.elements
    }

    /// The offset of the elements, in bytes from the start of the file.
    #[must_use]
    pub fn body_offset(&self) -> usize {
        MAGIC_LEN + 4 * self.rank
    }

    /// The bytes of all elements.
    #[must_use]
    pub fn body_len(&self) -> usize {
        // The parser refuses a product that overflows.
        self.elements * self.dtype.size()
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Shape(self.dims()), self.dtype)
    }
}

/// Sizes as messages have them: `28 x 28`.
pub(crate) struct Shape<'a>(pub(crate) &'a [usize]);

impl fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, dim) in self.0.iter().enumerate() {
            let times = if i == 0 { "" } else { " x " };
            write!(f, "{times}{dim}")?;
        }
        Ok(())
    }
}
