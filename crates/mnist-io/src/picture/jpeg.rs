//! JPEG, baseline and progressive.

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::Picture;
use super::decode::{Need, checked_size, luma, zeros};
use super::error::PictureError;
use super::exif::{self, Orientation};
use crate::samples::ImageSize;

pub(super) const MAGIC: &[u8] = b"\xff\xd8\xff";

/// A scan of a large picture can be a few bytes, and takes as long as any. Usual files have
/// ten.
const MAX_SCANS: usize = 100;

/// The colours and the grey of them. A progressive file is decoded once all is read, from two
/// bytes for each value.
pub(super) fn need(bytes: &[u8], most: usize) -> Result<Need, PictureError> {
    let Segments { size, values, is_progressive, .. } = Segments::read(bytes, most)?;
    let colours = if values == 1 { 1 } else { 3 + 1 };
    let pixel = colours + if is_progressive { 2 * values } else { 0 };
    // Two rows of blocks of 16 × 16 that are in the works, for each value in two bytes.
    Ok(Need { size, pixel, col: 64 * values })
}

pub(super) fn decode(bytes: &[u8], most: usize) -> Result<Picture, PictureError> {
    let Segments { size, orientation, .. } = Segments::read(bytes, most)?;
    let damaged = |error| PictureError::damaged("JPEG", error);
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_max_scans(MAX_SCANS);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(damaged)?;
    // Most files have the luma as a channel of its own.
    let has_luma = matches!(decoder.input_colorspace(), Some(ColorSpace::YCbCr | ColorSpace::Luma));
    let (colours, channels) = if has_luma { (ColorSpace::Luma, 1) } else { (ColorSpace::RGB, 3) };
    let options = options.jpeg_set_out_colorspace(colours);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(damaged)?;
    let mut pixels = zeros(size, channels)?;
    if decoder.output_buffer_size() != Some(pixels.len()) {
        return Err(PictureError::damaged("JPEG", "two sizes"));
    }
    decoder.decode_into(&mut pixels).map_err(damaged)?;
    let grey = if has_luma {
        pixels
    } else {
        let rgb =
            pixels.chunks_exact(3).map(|rgb| luma(rgb[0].into(), rgb[1].into(), rgb[2].into()));
        rgb.map(|luma| luma as u8).collect()
    };
    Ok(exif::upright(Picture { size, grey }, orientation))
}

/// What the segments of a file say, read before anything is decoded.
struct Segments {
    size: ImageSize,
    /// Values of a pixel: 1, 3 or 4.
    values: usize,
    is_progressive: bool,
    orientation: Option<Orientation>,
}

impl Segments {
    /// Walks from the first marker to the end of the picture, which must be there: a decoder
    /// would fill with grey what was cut off.
    fn read(bytes: &[u8], most: usize) -> Result<Self, PictureError> {
        let (mut frame, mut orientation) = (None, None);
        let mut at = 2;
        let cut = || PictureError::damaged("JPEG", format!("cut short at byte {}", bytes.len()));
        loop {
            // Any bytes may follow a scan, or fill the space before a marker.
            let found = bytes.get(at..).and_then(|rest| {
                rest.windows(2).position(|pair| pair[0] == 0xff && is_marker(pair[1]))
            });
            let marker = at + found.ok_or_else(cut)?;
            let kind = bytes[marker + 1];
            if kind == 0xd9 {
                break;
            }
            let length = bytes.get(marker + 2..marker + 4).ok_or_else(cut)?;
            let length = usize::from(u16::from_be_bytes([length[0], length[1]])).max(2);
            let end = marker + 2 + length;
            let body = bytes.get(marker + 4..end).ok_or_else(cut)?;
            match kind {
                // A start of frame: bits of a sample, rows, columns, values of a pixel.
                0xc0..=0xcf if !matches!(kind, 0xc4 | 0xc8 | 0xcc) && frame.is_none() => {
                    let [_, r0, r1, c0, c1, values] = *body.get(..6).ok_or_else(cut)? else {
                        return Err(cut());
                    };
                    let [rows, cols] = [[r0, r1], [c0, c1]].map(u16::from_be_bytes);
                    let size = checked_size(rows.into(), cols.into(), most)?;
                    frame = Some((size, usize::from(values), kind == 0xc2));
                }
                0xe1 if orientation.is_none() => {
                    orientation = body.strip_prefix(b"Exif\0\0").and_then(exif::orientation);
                }
                _ => {}
            }
            at = end;
        }
        let (size, values, is_progressive) =
            frame.ok_or_else(|| PictureError::damaged("JPEG", "no frame"))?;
        Ok(Self { size, values, is_progressive, orientation })
    }
}

/// Whether a byte after 0xff begins a segment or ends the picture: it is no stuffing, no
/// filling, no restart of a scan, and not one of the markers without a segment.
fn is_marker(byte: u8) -> bool {
    !matches!(byte, 0x00 | 0x01 | 0xd0..=0xd8 | 0xff)
}
