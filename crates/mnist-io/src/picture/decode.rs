//! From the bytes of a file to a picture: which format it is, and what all formats share.

use super::error::PictureError;
use super::{Picture, digit, jpeg, png, pnm};
use crate::other_files::OtherFile;
use crate::samples::ImageSize;

/// Twice the pixels of a large camera. A picture of that many takes 100 MB in grey, and
/// while a progressive JPEG of four colours is decoded, up to 1.1 GB.
pub(super) const MAX_PIXELS: usize = 100_000_000;

/// More than any picture of [`MAX_PIXELS`] that was compressed at all.
pub(super) const MAX_FILE: u64 = 1 << 29;

/// Whether a file with these first bytes is a picture of a format that is read.
pub(crate) fn is_picture(start: &[u8]) -> bool {
    start.starts_with(png::MAGIC) || start.starts_with(jpeg::MAGIC) || pnm::begins(start)
}

/// Reads a picture of at most `most` pixels.
pub(super) fn decode(bytes: &[u8], most: usize) -> Result<Picture, PictureError> {
    match Format::of(bytes)? {
        Format::Png => png::decode(bytes, most),
        Format::Jpeg => jpeg::decode(bytes, most),
        Format::Pnm => pnm::decode(bytes, most),
    }
}

/// The most bytes that it takes to decode a picture of at most `most` pixels, and to make it an
/// image of a network.
pub(super) fn memory(bytes: &[u8], most: usize) -> Result<usize, PictureError> {
    let Need { size, pixel, col } = match Format::of(bytes)? {
        Format::Png => png::need(bytes, most)?,
        Format::Jpeg => jpeg::need(bytes, most)?,
        Format::Pnm => pnm::need(bytes, most)?,
    };
    // None is too large for a count: there are at most `MAX_PIXELS`.
    let ImageSize { rows, cols } = size;
    let decoded = rows * cols * pixel + cols * col;
    // A copy that is upright or inverted, and the sums and weights of each row and column.
    let fitted = rows * cols + SIDE * (rows + cols);
    let working = digit::working_size(size);
    let planes = PLANES * working.rows * working.cols;
    Ok(OVERHEAD + decoded + fitted + planes)
}

/// What a decoder takes.
pub(super) struct Need {
    pub(super) size: ImageSize,
    /// Bytes for each pixel.
    pub(super) pixel: usize,
    /// Bytes for each column beside these: rows that are in the works.
    pub(super) col: usize,
}

/// Bytes of scaling for each row and column: the sum and the weight of each as f64, and the
/// border of which the paper is the median.
const SIDE: usize = 32;

/// Bytes of finding a digit for each pixel of its working size: four planes of f64 and, where
/// many pixels are a stroke each, these.
const PLANES: usize = 56;

/// Bytes that do not depend on the size: tables and windows of the decoders.
const OVERHEAD: usize = 1 << 18;

enum Format {
    Png,
    Jpeg,
    Pnm,
}

impl Format {
    /// That of a file with these bytes.
    fn of(bytes: &[u8]) -> Result<Self, PictureError> {
        if bytes.is_empty() {
            return Err(PictureError::Empty);
        }
        if bytes.starts_with(png::MAGIC) {
            return Ok(Self::Png);
        }
        if bytes.starts_with(jpeg::MAGIC) {
            return Ok(Self::Jpeg);
        }
        if pnm::begins(bytes) {
            return Ok(Self::Pnm);
        }
        let advice = "save it as PNG or JPEG";
        let other = OtherFile::known_by(bytes);
        let found = other.map_or("a file in no known format", |other| other.found);
        Err(PictureError::OtherFile { found, advice })
    }
}

/// The size that a header announces, as one that can be used: `most` pixels and no more.
pub(super) fn checked_size(
    rows: usize,
    cols: usize,
    most: usize,
) -> Result<ImageSize, PictureError> {
    let size = ImageSize { rows, cols };
    match rows.checked_mul(cols) {
        Some(0) => Err(PictureError::NoPixels { size }),
        Some(pixels) if pixels <= most => Ok(size),
        _ => Err(PictureError::TooManyPixels { size, most }),
    }
}

/// `count` zeros for each pixel.
pub(super) fn zeros(size: ImageSize, count: usize) -> Result<Vec<u8>, PictureError> {
    let len = size.rows * size.cols * count;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).map_err(|_| PictureError::Memory { size })?;
    bytes.resize(len, 0);
    Ok(bytes)
}

/// The luma of Rec. 601, rounded. The values have 8 or 16 bits.
pub(super) fn luma(r: u32, g: u32, b: u32) -> u32 {
    (299 * r + 587 * g + 114 * b + 500) / 1000
}

/// A value from 0 to `max` as one from 0 to 255, rounded.
pub(super) fn to_8_bits(value: u32, max: u32) -> u8 {
    ((value * 255 + max / 2) / max) as u8
}
