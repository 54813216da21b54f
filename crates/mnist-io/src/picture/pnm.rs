//! PGM, PPM and PBM: the plain formats of Netpbm, in text (P1 to P3) or binary (P4 to P6).

use super::Picture;
use super::decode::{Need, checked_size, luma, to_8_bits, zeros};
use super::error::PictureError;
use crate::samples::ImageSize;

/// Whether a file with these first bytes is in one of the formats.
pub(super) fn begins(bytes: &[u8]) -> bool {
    matches!(bytes, [b'P', b'1'..=b'6', next, ..] if next.is_ascii_whitespace() || *next == b'#')
}

/// A byte a pixel: values are read one after another.
pub(super) fn need(bytes: &[u8], most: usize) -> Result<Need, PictureError> {
    let size = Text { bytes, at: 2 }.size(most)?;
    Ok(Need { size, pixel: 1, col: 0 })
}

pub(super) fn decode(bytes: &[u8], most: usize) -> Result<Picture, PictureError> {
    let kind = bytes[1];
    let (is_bits, is_binary) = (matches!(kind, b'1' | b'4'), kind >= b'4');
    let mut text = Text { bytes, at: 2 };
    let size = text.size(most)?;
    let max = if is_bits { 1 } else { text.number("the largest value")? };
    if !(1..=65535).contains(&max) {
        return Err(damaged(text.at, format!("a largest value of {max}, expected 1 to 65535")));
    }
    let channels = if matches!(kind, b'3' | b'6') { 3 } else { 1 };
    let value_bytes = if max > 255 { 2 } else { 1 };
    let row_values = size.cols * channels;

    // Before memory is taken: can the file have that many?
    let least = match (is_binary, is_bits) {
        // One white space, then the pixels; a row of bits is filled up to a byte.
        (true, true) => text.at + 1 + size.rows * size.cols.div_ceil(8),
        (true, false) => text.at + 1 + size.rows * row_values * value_bytes,
        // A digit for each value, and but for bits a space between them.
        (false, true) => text.at + size.rows * row_values,
        (false, false) => text.at + 2 * size.rows * row_values,
    };
    if bytes.len() < least {
        return Err(PictureError::TooSmall { found: bytes.len(), size, least });
    }
    let mut grey = zeros(size, 1)?;
    if is_binary {
        text.at += 1;
    }
    for row in grey.chunks_exact_mut(size.cols) {
        for (col, pixel) in row.iter_mut().enumerate() {
            let mut value = || match (is_binary, is_bits) {
                (true, true) => Ok(text.packed_bit(col)),
                (true, false) => text.binary(value_bytes, max),
                (false, true) => text.bit(),
                (false, false) => text.value(max),
            };
            let value = if channels == 3 { luma(value()?, value()?, value()?) } else { value()? };
            let grey = to_8_bits(value, max);
            *pixel = if is_bits { 255 - grey } else { grey };
        }
        if is_binary && is_bits {
            text.at += size.cols.div_ceil(8);
        }
    }
    text.end()?;
    Ok(Picture { size, grey })
}

fn damaged(at: usize, what: String) -> PictureError {
    PictureError::damaged("PNM", format!("at byte {at}: found {what}"))
}

/// The rest of a file, from byte `at`.
struct Text<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Text<'_> {
    /// The size in a header.
    fn size(&mut self, most: usize) -> Result<ImageSize, PictureError> {
        let cols = self.number("the number of columns")?;
        let rows = self.number("the number of rows")?;
        checked_size(rows as usize, cols as usize, most)
    }

    /// Skips white space and comments, which begin with `#` and end with the line.
    fn skip(&mut self) {
        while let Some(&byte) = self.bytes.get(self.at) {
            if byte == b'#' {
                let rest = &self.bytes[self.at..];
                let line = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
                self.at += line.unwrap_or(rest.len());
            } else if byte.is_ascii_whitespace() {
                self.at += 1;
            } else {
                break;
            }
        }
    }

    /// The next number of a header or of a text. `what` it is, for messages.
    fn number(&mut self, what: &str) -> Result<u32, PictureError> {
        self.skip();
        let start = self.at;
        let mut number = 0_u32;
        while let Some(digit) = self.bytes.get(self.at).filter(|byte| byte.is_ascii_digit()) {
            let larger =
                number.checked_mul(10).and_then(|n| n.checked_add(u32::from(digit - b'0')));
            number = larger.ok_or_else(|| {
                damaged(start, format!("a number above {}, expected {what}", u32::MAX))
            })?;
            self.at += 1;
        }
        if self.at > start {
            return Ok(number);
        }
        let found = match self.bytes.get(start) {
            None => "the end of the file".into(),
            Some(byte) => format!("'{}'", byte.escape_ascii()),
        };
        Err(damaged(start, format!("{found}, expected {what}")))
    }

    /// The next value of a text.
    fn value(&mut self, max: u32) -> Result<u32, PictureError> {
        let value = self.number("the value of a pixel")?;
        self.checked(value, max)
    }

    fn checked(&self, value: u32, max: u32) -> Result<u32, PictureError> {
        let too_large = || damaged(self.at, format!("a value of {value}, expected 0 to {max}"));
        if value <= max { Ok(value) } else { Err(too_large()) }
    }

    /// The next bit of a text: no space has to be between two.
    fn bit(&mut self) -> Result<u32, PictureError> {
        self.skip();
        let found = match self.bytes.get(self.at) {
            Some(bit @ (b'0' | b'1')) => {
                self.at += 1;
                return Ok(u32::from(bit - b'0'));
            }
            Some(byte) => format!("'{}'", byte.escape_ascii()),
            None => "the end of the file".into(),
        };
        Err(damaged(self.at, format!("{found}, expected 0 or 1")))
    }

    /// The next value of a binary file that has it.
    fn binary(&mut self, bytes: usize, max: u32) -> Result<u32, PictureError> {
        let value = &self.bytes[self.at..][..bytes];
        let value = value.iter().fold(0, |value, &byte| 256 * value + u32::from(byte));
        self.at += bytes;
        self.checked(value, max)
    }

    /// The bit of column `col` of a binary row that begins here.
    fn packed_bit(&self, col: usize) -> u32 {
        u32::from(self.bytes[self.at + col / 8] >> (7 - col % 8) & 1)
    }

    /// Nothing may follow the last pixel.
    fn end(&mut self) -> Result<(), PictureError> {
        let last = self.at;
        self.skip();
        let more = self.bytes.len() - self.at;
        if more == 0 {
            return Ok(());
        }
        Err(damaged(last, format!("{more} bytes after the last pixel, expected none")))
    }
}
