//! What can be wrong with a folder, a file or a pair of files.
//!
//! A message includes its cause. The cause is also a field, but never a
//! [`source`](std::error::Error::source): a program that prints the chain of causes then
//! prints each of them once.

use std::io;
use std::path::PathBuf;

use thiserror::Error as ThisError;

use crate::idx::error::IdxError;
use crate::idx::header::{Dtype, Header, Shape};
use crate::picture::error::PictureError;
use crate::source::Part;
use crate::table::TableError;

/// Why a file, a folder or a pair of files could not be used.
#[derive(Debug, ThisError)]
#[non_exhaustive]
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
    #[error("{path}: found {found}, expected {expected}; {advice}")]
    UnknownFormat {
        /// The folder or the file.
        path: PathBuf,
        /// What is there.
        found: &'static str,
        /// What to do.
        advice: &'static str,
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

    /// The folder, or the folders in it, have the files of several data sets.
    #[error(
        "{dir}: found {} data sets, those of {}; pass the path of one of these files to use its data set", .files.len(), joined(.files, " and ")
    )]
    SeveralSets {
        /// The folder that was searched.
        dir: PathBuf,
        /// A file of each data set, relative to `dir`.
        files: Vec<PathBuf>,
    },

    /// A file of IDX under a name of its own, without the labels of its samples.
    #[error(
        "{path}: found {header} in IDX, and beside it no file of labels that has its name; name the file of the labels"
    )]
    NoLabels {
        /// The file.
        path: PathBuf,
        /// What it has.
        header: Header,
    },

    /// A file of features with its labels is one part, and the other one was wanted.
    #[error(
        "{path}: found one file of features, expected a part for {}; it is opened as the training part", purpose(.part)
    )]
    OnePart {
        /// The file of features.
        path: PathBuf,
        /// The part that was wanted.
        part: Part,
    },

    /// The path of a file is that of a folder.
    #[error("{path}: found a folder, expected a file; pass the path of the file itself")]
    NotAFile {
        /// The path.
        path: PathBuf,
    },

    /// The path of a file is that of something that has no length.
    #[error("{path}: found {found}, expected a file; save what it gives to a file first")]
    NotRegular {
        /// The path.
        path: PathBuf,
        /// What it is: a pipe, a socket or a device.
        found: &'static str,
    },

    /// The file, or what it inflates to, does not fit into memory.
    #[error(
        "{path}: found {bytes} bytes to hold in memory, expected no more than this machine has; check the file, or map it if it is raw"
    )]
    Memory {
        /// The file.
        path: PathBuf,
        /// The bytes that it takes.
        bytes: u64,
    },

    /// A line of the file of class names has no name, or the file is not UTF-8.
    #[error("{path}: line {line}: found {found}, expected the name of a class in UTF-8")]
    ClassNames {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What the line has.
        found: &'static str,
    },

    /// A line of the file with the letters of EMNIST has something else.
    #[error(
        "{path}: line {line}: expected a label of its own, and the code of its letter, such as 1 65 97; fetch the file again, or remove it"
    )]
    Mapping {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },

    /// The file with the letters of EMNIST lacks a label.
    #[error(
        "{path}: found label {found} of sample {sample}, which {mapping} does not have; fetch both files again, or remove that one"
    )]
    UnmappedLabel {
        /// The file of labels.
        path: PathBuf,
        /// The sample, from 0.
        sample: usize,
        /// Its label.
        found: u8,
        /// The file with the letters.
        mapping: PathBuf,
    },

    /// The file is no picture that can be used.
    #[error("{path}: {error}")]
    Picture {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: PictureError,
    },

    /// Folders of pictures do not have this part.
    #[error(
        "{dir}: found no folder {} that has folders of classes, expected one for {}", .looked_for.join(" or "), purpose(.part)
    )]
    NoPart {
        /// The folder that was searched.
        dir: PathBuf,
        /// The part.
        part: Part,
        /// The names that its folder may have.
        looked_for: &'static [&'static str],
    },

    /// Folders of classes have no picture.
    #[error(
        "{}: found no picture, expected at least one for each class; put pictures there, or remove the folder", joined(.empty, ", ")
    )]
    NoPictures {
        /// The folders.
        empty: Vec<PathBuf>,
    },

    /// There are more folders of classes than a label can name.
    #[error(
        "{dir}: found {found} folders of classes, expected no more than {most}; is this the folder above the classes?"
    )]
    TooManyClasses {
        /// The folder.
        dir: PathBuf,
        /// The classes.
        found: usize,
        /// The classes that there can be.
        most: usize,
    },

    /// A folder cannot be that of a class, or is in one.
    #[error(
        "{path}: found {found}, expected a folder of pictures that has the name of their class; move or rename it"
    )]
    ClassFolder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        found: &'static str,
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

    /// Something that is neither gzip nor the zeros of a padded file follows gzip data.
    #[error(
        "{path}: at byte {offset}: found {found} bytes after the end of the gzip data, expected nothing, or zeros; something was appended: fetch the file again"
    )]
    GzipTrailing {
        /// The file.
        path: PathBuf,
        /// The offset of the first of these bytes.
        offset: usize,
        /// Their number.
        found: usize,
    },

    /// A gzip file is too small for what its header announces.
    #[error(
        "{path} (inflated): at byte 4: found a header for {expected} bytes, expected no more than {most}, which is all that {found} bytes of gzip can hold; the file is damaged: fetch it again"
    )]
    GzipTooSmall {
        /// The file.
        path: PathBuf,
        /// The size of the gzip file.
        found: usize,
        /// The bytes that it can inflate to at the most.
        most: usize,
        /// The bytes that its header announces.
        expected: usize,
    },

    /// The file is in another format that is known.
    #[error("{path}{}: found {found}, expected an IDX file; {advice}", inflated_note(.inflated))]
    OtherFile {
        /// The file.
        path: PathBuf,
        /// Whether it is in a gzip file.
        inflated: bool,
        /// What it is.
        found: &'static str,
        /// What to do.
        advice: &'static str,
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

    /// The file is not a table, or not the table that is wanted.
    #[error("{path}: {error}")]
    Table {
        /// The file, or the name that the caller gave to what was read.
        path: PathBuf,
        /// What is wrong.
        error: TableError,
    },

    /// A file of images or labels has elements other than bytes.
    #[error("{path}: at byte 2: found elements of type {found}, expected u8")]
    NotBytes {
        /// The file.
        path: PathBuf,
        /// The type of its elements.
        found: Dtype,
    },

    /// A file of images has dimensions that are not those of images or features.
    #[error(
        "{path}: at byte 3: found {} dimensions ({}), expected images x rows x columns, with or without one channel, or samples x features; {}", .found.len(), Shape(.found), image_advice(.found)
    )]
    ImageDims {
        /// The file.
        path: PathBuf,
        /// Its dimensions.
        found: Vec<usize>,
    },

    /// A file of labels has dimensions that are not those of labels.
    #[error(
        "{path}: at byte 3: found {} dimensions ({}), expected one label for each sample; {}", .found.len(), Shape(.found), label_advice(.found)
    )]
    LabelDims {
        /// The file.
        path: PathBuf,
        /// Its dimensions.
        found: Vec<usize>,
    },

    /// A label is not a class that a byte can name.
    #[error(
        "{path}: at byte {offset}: found label {found} of sample {sample}, expected a whole number from 0 to 255; number the classes from 0"
    )]
    LabelValue {
        /// The file.
        path: PathBuf,
        /// The offset of the label, in a file that is not gzip.
        offset: usize,
        /// The sample, from 0.
        sample: usize,
        /// The label.
        found: f64,
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

impl Error {
    /// Whether nothing is wrong with the data but that they do not have the part that was
    /// wanted: all of them are in the other one.
    #[must_use]
    pub fn lacks_part(&self) -> bool {
        matches!(self, Self::NoPart { .. } | Self::OnePart { .. })
    }
}

fn purpose(part: &Part) -> &'static str {
    match part {
        Part::Train => "training",
        Part::Test => "testing",
    }
}

fn inflated_note(inflated: &bool) -> &'static str {
    if *inflated { " (inflated)" } else { "" }
}

fn image_advice(dims: &[usize]) -> &'static str {
    match dims {
        [_] => "a file of labels looks like this: were images and labels exchanged?",
        [.., 3 | 4] | [_, 3 | 4, ..] => "images in colour have to be made grey first",
        _ => "save the images with one of these shapes",
    }
}

fn label_advice(dims: &[usize]) -> &'static str {
    match dims {
        [_, _] => "if a row has a 1 for its class and 0 elsewhere, save the position of the 1",
        _ => "a file of images looks like this: were images and labels exchanged?",
    }
}

/// The paths as messages have them.
fn names(paths: &[PathBuf]) -> String {
    joined(paths, " or ")
}

fn joined(paths: &[PathBuf], between: &str) -> String {
    let names: Vec<_> = paths.iter().map(|path| path.to_string_lossy()).collect();
    names.join(between)
}
