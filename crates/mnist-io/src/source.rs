//! What a format of files is to the rest of a program.

use std::path::Path;

use crate::error::Error;
use crate::mapped::Access;
use crate::samples::{ImageSize, Samples};

/// The two parts of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The samples that a network is trained on.
    Train,
    /// The samples that a trained network is judged by.
    Test,
}

/// What a [`Source`] is to open.
///
/// Whatever a format needs to know besides is a field here, so that other formats do
/// not change: which column is the target, or which classes a model knows already. So a
/// request begins with [`new`](Self::new), and what is not usual is said after it:
///
/// ```
/// use mnist_io::{ImageSize, Part, Request};
/// let mut request = Request::new("pictures".as_ref(), Part::Train);
/// request.size = Some(ImageSize { rows: 28, cols: 28 });
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Request<'a> {
    /// A folder or a file.
    pub path: &'a Path,
    /// The part to open.
    pub part: Part,
    /// How the bytes of a file get into memory.
    pub access: Access,
    /// The size to bring images to, where files have images of any size. With `None` they keep
    /// theirs if all of the part have the same, of up to 65536 pixels, and else are 28 × 28. It
    /// has at least one pixel.
    pub size: Option<ImageSize>,
}

impl<'a> Request<'a> {
    /// One part of the data at `path`: files are read, not mapped, and images of any size are
    /// brought to the usual one.
    #[must_use]
    pub fn new(path: &'a Path, part: Part) -> Self {
        Self { path, part, access: Access::read(), size: None }
    }
}

/// A format that samples come in. A type that implements it has no state; its value is
/// a row of [`SOURCES`](crate::SOURCES).
pub trait Source: Sync {
    /// The name of the format, as messages have it: `IDX`.
    fn name(&self) -> &'static str;

    /// What the data of this format look like, as messages have it after the word
    /// "expected": `a folder with ...`.
    fn expected(&self) -> &'static str;

    /// Whether the folder or the file at `path` is of this format, by the names of files
    /// or by the first bytes of one. [`open`](Self::open) reads the rest, and finds
    /// what is wrong with it. A file that cannot be looked at counts as one that is
    /// there, so that `open` says why.
    fn recognises(&self, path: &Path) -> bool;

    /// Opens one part of the data. Every file goes through
    /// [`request.access`](Request::access), which maps it or reads it.
    ///
    /// # Errors
    /// What is wrong with which file, at which byte or line, with what was found and
    /// what was expected; also if the data do not have this part.
    fn open(&self, request: &Request<'_>) -> Result<Samples, Error>;
}
