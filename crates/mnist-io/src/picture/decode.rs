//! From the bytes of a file to a picture: which format it is, and what all formats share.

use super::error::PictureError;
use super::{Picture, jpeg, png, pnm};
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
    if bytes.is_empty() {
        return Err(PictureError::Empty);
    }
    if bytes.starts_with(png::MAGIC) {
        return png::decode(bytes, most);
    }
    if bytes.starts_with(jpeg::MAGIC) {
        return jpeg::decode(bytes, most);
    }
    if pnm::begins(bytes) {
        return pnm::decode(bytes, most);
    }
    let advice = "save it as PNG or JPEG";
    let other = OtherFile::known_by(bytes);
    let found = other.map_or("a file in no known format", |other| other.found);
    Err(PictureError::OtherFile { found, advice })
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
