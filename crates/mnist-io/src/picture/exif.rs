//! How a camera was held: the orientation in the Exif data of a picture.

use super::Picture;
use crate::samples::ImageSize;

/// What has to be done with the pixels of a file, so that the picture is upright.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Orientation {
    /// First exchange rows and columns, ...
    transpose: bool,
    /// ... then reverse the order of the rows, ...
    flip_rows: bool,
    /// ... and of the columns.
    flip_cols: bool,
}

impl Orientation {
    /// The values 1 to 8 of the tag, by where row 0 and column 0 of the file are seen.
    fn of_tag(tag: u16) -> Option<Self> {
        let (transpose, flip_rows, flip_cols) = match tag {
            1 => (false, false, false), // top, left
            2 => (false, false, true),  // top, right
            3 => (false, true, true),   // bottom, right
            4 => (false, true, false),  // bottom, left
            5 => (true, false, false),  // left, top
            6 => (true, false, true),   // right, top
            7 => (true, true, true),    // right, bottom
            8 => (true, true, false),   // left, bottom
            _ => return None,
        };
        Some(Self { transpose, flip_rows, flip_cols })
    }

    fn apply(self, picture: &Picture) -> Picture {
        let ImageSize { rows, cols } = picture.size;
        let size = if self.transpose { ImageSize { rows: cols, cols: rows } } else { picture.size };
        let mut grey = Vec::with_capacity(picture.grey.len());
        for row in 0..size.rows {
            let row = if self.flip_rows { size.rows - 1 - row } else { row };
            for col in 0..size.cols {
                let col = if self.flip_cols { size.cols - 1 - col } else { col };
                let (row, col) = if self.transpose { (col, row) } else { (row, col) };
                grey.push(picture.grey[row * cols + col]);
            }
        }
        Picture { size, grey }
    }
}

/// The picture as it was seen.
pub(super) fn upright(picture: Picture, orientation: Option<Orientation>) -> Picture {
    match orientation {
        Some(orientation) if Some(orientation) != Orientation::of_tag(1) => {
            orientation.apply(&picture)
        }
        _ => picture,
    }
}

/// The orientation in Exif data, which are a TIFF header and a directory of tags. Cameras
/// write odd things around it, so what cannot be understood is no orientation.
pub(super) fn orientation(exif: &[u8]) -> Option<Orientation> {
    let little = match exif.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let u16_at = |at: usize| {
        let bytes: [u8; 2] = exif.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    };
    let directory: [u8; 4] = exif.get(4..8)?.try_into().ok()?;
    let directory =
        if little { u32::from_le_bytes(directory) } else { u32::from_be_bytes(directory) } as usize;
    // A count, then 12 bytes for each tag: its number, its type, a count, and a value.
    let count = u16_at(directory)?;
    let mut entries = (0..usize::from(count)).map(|index| directory + 2 + 12 * index);
    let (tag, short) = (0x0112, 3);
    let entry = entries.find(|&at| u16_at(at) == Some(tag))?;
    (u16_at(entry + 2)? == short).then(|| u16_at(entry + 8)).flatten().and_then(Orientation::of_tag)
}
