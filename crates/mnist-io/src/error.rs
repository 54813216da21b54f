//! What can be wrong with a folder, a file or a pair of files.
//!
//! A message includes its cause. The cause is also a field, but never a
//! [`source`](std::error::Error::source): a program that prints the chain of causes then
//! prints each of them once.

use std::io;
use std::path::PathBuf;

use thiserror::Error as ThisError;

use crate::idx::error::IdxError;
use crate::idx::header::{Dtype, Shape};

/// Why a file, a folder or a pair of files could not be used.
#[derive(Debug, ThisError)]
pub enum Error {
    /// There is nothing at the path of the data.
    #[error("{path}: no such folder or file, expected {expected}; check the path")]
    NoData {
        /// The path.
        path: PathBuf,
        /// What the data of each format look like.
        expected: String,
    },

    /// No format recognises the data.
    #[error("{path}: found no data in a known format, expected {expected}; check the path")]
    UnknownFormat {
        /// The folder or the file.
        path: PathBuf,
        /// What the data of each format look like.
        expected: String,
    },

    /// There is no such folder.
    #[error(
        "{dir}: no such folder, expected one with {}; pass the folder that holds the MNIST files", names(.looked_for)
    )]
    NoFolder {
        /// The path.
        dir: PathBuf,
        /// The files that the folder should have: any one of them.
        looked_for: Vec<PathBuf>,
    },

    /// The path is not that of a folder.
    #[error(
        "{dir}: found a file, expected a folder with {}; pass the folder that holds the MNIST files", names(.looked_for)
    )]
    NotAFolder {
        /// The path.
        dir: PathBuf,
        /// The files that the folder should have: any one of them.
        looked_for: Vec<PathBuf>,
    },

    /// The folder lacks a file.
    #[error(
        "{dir}: found no file {}; pass the folder that holds the MNIST files", names(.looked_for)
    )]
    MissingFile {
        /// The folder that was searched.
        dir: PathBuf,
        /// The files that the folder should have: any one of them.
        looked_for: Vec<PathBuf>,
    },

    /// The path of a file is that of a folder.
    #[error("{path}: found a folder, expected a file; pass the path of the file itself")]
    NotAFile {
        /// The path.
        path: PathBuf,
    },

    /// A line of the file of class names is empty or is not UTF-8.
    #[error("{path}: line {line}: found no name, expected the name of a class in UTF-8")]
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

    /// The file begins as gzip and goes on as something else, or ends early.
    #[error(
        "{path}: at byte {offset}: found damaged gzip data ({error}), expected it to inflate to its end; fetch the file again"
    )]
    Gzip {
        /// The file.
        path: PathBuf,
        /// The number of bytes that were read from the file when inflating failed.
        offset: usize,
        /// What the decoder says.
        error: io::Error,
    },

    /// The file is not an IDX file.
    #[error("{path}{}: {error}", inflated_note(.inflated))]
    Idx {
        /// The file.
        path: PathBuf,
        /// Whether the file is gzip. Offsets then count inflated bytes.
        inflated: bool,
        /// What is wrong.
        error: IdxError,
    },

    /// A file of images or labels has elements other than bytes.
    #[error("{path}: at byte 2: found elements of type {found}, expected u8")]
    NotBytes {
        /// The file.
        path: PathBuf,
        /// The type of its elements.
        found: Dtype,
    },

    /// A file of images has other than three or two dimensions.
    #[error(
        "{path}: at byte 3: found {} dimensions ({}), expected 3 (images, rows, columns) or 2 (images, features); were images and labels exchanged?", .found.len(), Shape(.found)
    )]
    ImageDims {
        /// The file.
        path: PathBuf,
        /// Its dimensions.
        found: Vec<usize>,
    },

    /// A file of labels has other than one dimension.
    #[error(
        "{path}: at byte 3: found {} dimensions ({}), expected 1 (labels); were images and labels exchanged?", .found.len(), Shape(.found)
    )]
    LabelDims {
        /// The file.
        path: PathBuf,
        /// Its dimensions.
        found: Vec<usize>,
    },

    /// There are more labels than images, or fewer.
    #[error(
        "{labels}: at byte 4: found {found} labels, expected {expected}, one for each image in {images}; pass two files that belong together"
    )]
    Counts {
        /// The file of images.
        images: PathBuf,
        /// The file of labels.
        labels: PathBuf,
        /// The number of labels.
        found: usize,
        /// The number of images.
        expected: usize,
    },

    /// A file of images has no image.
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

fn inflated_note(inflated: &bool) -> &'static str {
    if *inflated { " (inflated)" } else { "" }
}

/// The names of files, without the folder.
fn names(paths: &[PathBuf]) -> String {
    let names: Vec<_> = paths
        .iter()
        .map(|path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy())
        .collect();
    names.join(" or ")
}
