//! PNG.

use std::io::Cursor;

use png::{ColorType, Decoder, InterlaceInfo, Transformations, expand_interlaced_row};

use super::Picture;
use super::decode::{Need, checked_size, luma, to_8_bits, zeros};
use super::error::PictureError;
use super::exif;

pub(super) const MAGIC: &[u8] = b"\x89PNG";

/// No deflated byte stands for more bytes than that: a match has at most 258 of them and
/// takes at least two bits.
const MOST_INFLATED: usize = 1032;

/// Grey and alpha, which any colour or a palette may have.
pub(super) fn need(bytes: &[u8], most: usize) -> Result<Need, PictureError> {
    let mut decoder = decoder(bytes);
    let info = decoder.read_header_info().map_err(damaged)?;
    let size = checked_size(info.height as usize, info.width as usize, most)?;
    // Of a row, at most four samples of two bytes: as it is inflated, with as much for those
    // that follow it, unfiltered, expanded, and as grey and alpha.
    Ok(Need { size, pixel: 2, col: 64 })
}

fn damaged(error: png::DecodingError) -> PictureError {
    PictureError::damaged("PNG", error)
}

/// A decoder of which a palette is colours, a transparent colour is an alpha channel, and
/// samples have 8 or 16 bits.
fn decoder(bytes: &[u8]) -> Decoder<Cursor<&[u8]>> {
    let mut decoder = Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(Transformations::EXPAND);
    // Texts and colour profiles are of no use, and can be large.
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder
}

/// Rows are converted one after another, so that a picture of 16-bit colours never takes
/// more than a byte or two for a pixel.
pub(super) fn decode(bytes: &[u8], most: usize) -> Result<Picture, PictureError> {
    let mut decoder = decoder(bytes);
    let info = decoder.read_header_info().map_err(damaged)?;
    let size = checked_size(info.height as usize, info.width as usize, most)?;
    let bits = info.bits_per_pixel() as u64 * size.cols as u64;
    let inflated = bits.div_ceil(8) * size.rows as u64;
    let least = inflated.div_ceil(MOST_INFLATED as u64) as usize;
    if bytes.len() < least {
        return Err(PictureError::TooSmall { found: bytes.len(), size, least });
    }

    let mut reader = decoder.read_info().map_err(damaged)?;
    let (colour, depth) = reader.output_color_type();
    let bytes_each = if depth as u8 == 16 { 2 } else { 1 };
    let channels = colour.samples();
    let has_alpha = matches!(colour, ColorType::GrayscaleAlpha | ColorType::Rgba);
    let mut grey = zeros(size, 1)?;
    let mut alpha = zeros(size, usize::from(has_alpha))?;
    let (mut grey_row, mut alpha_row) = (Vec::new(), Vec::new());
    let mut rows = 0;
    while let Some(row) = reader.next_interlaced_row().map_err(damaged)? {
        grey_row.clear();
        alpha_row.clear();
        for pixel in row.data().chunks_exact(channels * bytes_each) {
            let sample = |channel: usize| match bytes_each {
                1 => u32::from(pixel[channel]),
                _ => u32::from(u16::from_be_bytes([pixel[2 * channel], pixel[2 * channel + 1]])),
            };
            let value =
                if channels < 3 { sample(0) } else { luma(sample(0), sample(1), sample(2)) };
            let max = if bytes_each == 1 { 255 } else { 65535 };
            grey_row.push(to_8_bits(value, max));
            if has_alpha {
                alpha_row.push(to_8_bits(sample(channels - 1), max));
            }
        }
        if let InterlaceInfo::Adam7(pass) = row.interlace() {
            expand_interlaced_row(&mut grey, size.cols, &grey_row, pass, 8);
            if has_alpha {
                expand_interlaced_row(&mut alpha, size.cols, &alpha_row, pass, 8);
            }
        } else {
            if grey_row.len() != size.cols || rows == size.rows {
                return Err(PictureError::damaged("PNG", "a frame smaller than the picture"));
            }
            grey[rows * size.cols..][..size.cols].copy_from_slice(&grey_row);
            if has_alpha {
                alpha[rows * size.cols..][..size.cols].copy_from_slice(&alpha_row);
            }
        }
        rows += 1;
    }
    // The end of the file too, with its checksum: it may be cut short.
    reader.finish().map_err(damaged)?;
    if has_alpha {
        lay_on_paper(&mut grey, &alpha);
    }
    let orientation = reader.info().exif_metadata.as_deref().and_then(exif::orientation);
    Ok(exif::upright(Picture { size, grey }, orientation))
}

/// Where nothing is drawn there is paper: white, or black under light ink. (Ink is light if
/// most of the picture is transparent, and what is drawn is on average lighter than the
/// middle. Transparent corners alone are not what a digit is drawn on.)
fn lay_on_paper(grey: &mut [u8], alpha: &[u8]) {
    let drawn: u64 = alpha.iter().map(|&alpha| u64::from(alpha)).sum();
    let light = grey.iter().zip(alpha).map(|(&grey, &alpha)| u64::from(grey) * u64::from(alpha));
    let mostly_transparent = drawn < alpha.len() as u64 * 255 / 2;
    let paper = if mostly_transparent && light.sum::<u64>() > 128 * drawn { 0 } else { 255 };
    for (grey, &alpha) in grey.iter_mut().zip(alpha) {
        let (value, alpha) = (u32::from(*grey), u32::from(alpha));
        *grey = ((value * alpha + paper * (255 - alpha) + 127) / 255) as u8;
    }
}
