//! What can be wrong with a file, a pair of files or an augmentation.
//!
//! The messages carry their cause: a type here names it in its text and has it
//! as a field, and does not give it again as [`source`](std::error::Error::source),
//! so that a program which prints the chain of causes prints each of them once.

use std::io;
use std::path::PathBuf;

use thiserror::Error as ThisError;

use crate::idx::{Dtype, Header, Shape};

/// Why some bytes are not an IDX file. Offsets count from the first byte.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
pub enum IdxError {
    /// Fewer than the four bytes of the magic number.
    #[error(
        "at byte 0: found {found} bytes, expected a magic number of 4; the file is empty or cut short: fetch it again"
    )]
    TruncatedMagic {
        /// How many bytes there are.
        found: usize,
    },

    /// The first two bytes are not zero.
    #[error(
        "at byte 0: found {:#04x} {:#04x}, expected 0x00 0x00; this is no IDX file: check the path", .found[0], .found[1]
    )]
    Magic {
        /// The first two bytes.
        found: [u8; 2],
    },

    /// The third byte names no element type.
    #[error(
        "at byte 2: found element type {found:#04x}, expected 0x08 (u8), 0x09 (i8), 0x0b (i16), 0x0c (i32), 0x0d (f32) or 0x0e (f64)"
    )]
    Dtype {
        /// The third byte.
        found: u8,
    },

    /// The fourth byte is not a number of dimensions that is read here.
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
        /// How many bytes follow the magic number.
        found: usize,
        /// How many the sizes take: four for each dimension.
        expected: usize,
    },

    /// The sizes multiply to more bytes than an address can count.
    #[error(
        "at byte 4: found dimension sizes that ask for {elements} elements of {dtype}, expected no more than this machine can address; the header is damaged: fetch the file again"
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
        /// How many bytes follow the header.
        found: usize,
    },

    /// The file goes on behind the last element.
    #[error(
        "at byte {}: found {found} bytes more, expected the end of the file ({header}); the header is damaged or something was appended: fetch the file again", .header.body_offset() + .header.body_len()
    )]
    TrailingBytes {
        /// What the header says.
        header: Header,
        /// How many bytes follow the last element.
        found: u64,
    },
}

/// Why a file, a folder or a pair of files could not be used.
#[derive(Debug, ThisError)]
pub enum Error {
    /// There is no such folder.
    #[error(
        "{dir}: no such folder, expected one with {}; pass the folder that holds the MNIST files", names(.looked_for)
    )]
    NoFolder {
        /// The folder asked for.
        dir: PathBuf,
        /// The files that would have been looked for in it: any one would do.
        looked_for: Vec<PathBuf>,
    },

    /// The path of the folder is that of something else.
    #[error(
        "{dir}: found a file, expected a folder with {}; pass the folder that holds the MNIST files", names(.looked_for)
    )]
    NotAFolder {
        /// The folder asked for.
        dir: PathBuf,
        /// The files that would have been looked for in it: any one would do.
        looked_for: Vec<PathBuf>,
    },

    /// The folder is there, the file is not.
    #[error(
        "{dir}: found no file {}; pass the folder that holds the MNIST files", names(.looked_for)
    )]
    MissingFile {
        /// The folder that was searched.
        dir: PathBuf,
        /// The files that were looked for: any one would have done.
        looked_for: Vec<PathBuf>,
    },

    /// The path of a file is that of a folder.
    #[error("{path}: found a folder, expected an IDX file; pass the path of the file itself")]
    NotAFile {
        /// The path asked for.
        path: PathBuf,
    },

    /// A line of the file of class names is empty or no text.
    #[error("{path}: line {line}: found none, expected the name of a class in UTF-8")]
    ClassNames {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },

    /// The file could not be opened.
    #[error("{path}: cannot be opened: {error}; check the path, and that the file may be read")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },

    /// The file could be opened but not read.
    #[error("{path}: cannot be read: {error}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },

    /// The file could be opened but not mapped.
    #[error("{path}: cannot be mapped into memory: {error}; read it instead")]
    Map {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },

    /// The file begins as gzip does and then does not go on as gzip does.
    #[error(
        "{path}: at byte {offset}: found damaged gzip data ({error}), expected it to inflate to its end; fetch the file again"
    )]
    Gzip {
        /// The file.
        path: PathBuf,
        /// How many bytes of the file had been taken when inflating failed.
        offset: usize,
        /// What the decoder says.
        error: io::Error,
    },

    /// The bytes are not those of an IDX file.
    #[error("{path}{}: {error}", inflated_note(.inflated))]
    Idx {
        /// The file.
        path: PathBuf,
        /// Whether the file is gzip, so that offsets count inflated bytes.
        inflated: bool,
        /// What is wrong.
        error: IdxError,
    },

    /// A file of images or labels has elements other than bytes.
    #[error("{path}: at byte 2: found elements of type {found}, expected u8")]
    NotBytes {
        /// The file.
        path: PathBuf,
        /// The type it has.
        found: Dtype,
    },

    /// A file of images has neither three dimensions nor two.
    #[error(
        "{path}: at byte 3: found {} dimensions ({}), expected 3 (images, rows, columns) or 2 (images, features); were images and labels exchanged?", .found.len(), Shape(.found)
    )]
    ImageDims {
        /// The file.
        path: PathBuf,
        /// The dimensions it has.
        found: Vec<usize>,
    },

    /// A file of labels has not one dimension.
    #[error(
        "{path}: at byte 3: found {} dimensions ({}), expected 1 (labels); were images and labels exchanged?", .found.len(), Shape(.found)
    )]
    LabelDims {
        /// The file.
        path: PathBuf,
        /// The dimensions it has.
        found: Vec<usize>,
    },

    /// There are more labels than images, or fewer.
    #[error(
        "{labels}: at byte 4: found {found} labels, expected {expected}, as many as there are images in {images}; pass two files that belong together"
    )]
    Counts {
        /// The file of images.
        images: PathBuf,
        /// The file of labels.
        labels: PathBuf,
        /// How many labels there are.
        found: usize,
        /// How many images there are.
        expected: usize,
    },

    /// A file of images holds none.
    #[error("{path}: at byte 4: found 0 images, expected at least one")]
    NoImages {
        /// The file.
        path: PathBuf,
    },

    /// The images have no pixels.
    #[error(
        "{path}: at byte 8: found images of {} pixels, expected at least one row and one column", Shape(.found)
    )]
    NoPixels {
        /// The file.
        path: PathBuf,
        /// The dimensions of one image.
        found: Vec<usize>,
    },
}

/// Why images cannot be augmented as was asked.
#[derive(Clone, Debug, PartialEq, ThisError)]
pub enum AugmentError {
    /// A range is itself out of range.
    #[error("augmentation: {name} is {found}: expected {expected}")]
    OutOfRange {
        /// The field's name.
        name: &'static str,
        /// Its value.
        found: f32,
        /// Where it must lie.
        expected: &'static str,
    },

    /// The images are too large, or have no pixels.
    #[error(
        "augmentation: the images are of {rows} x {cols} pixels: expected 1 to {} along each side",
        crate::Warp::MOST
    )]
    Size {
        /// The height of an image.
        rows: usize,
        /// The width of an image.
        cols: usize,
    },
}

fn inflated_note(inflated: &bool) -> &'static str {
    if *inflated { " (inflated)" } else { "" }
}

/// The names of files, any one of which would have done. The folder is named
/// beside them.
fn names(paths: &[PathBuf]) -> String {
    let names: Vec<_> = paths
        .iter()
        .map(|path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy())
        .collect();
    names.join(" or ")
}
