//! Reads labelled samples from files, and distorts images at random. Knows no
//! network.
//!
//! **Samples from files.**
//!
//! - [`Source`] is a format of files. [`SOURCES`] has a row for each format, and
//!   [`find_source`] picks the one that a folder or a file is in.
//! - A source gives [`Samples`]: features as bytes or real numbers, what is to be
//!   learned from them ([`Targets`]), and the size of an image where they are images.
//! - [`Access`] says how the bytes of a file get into memory: read or mapped.
//!   Mapping needs a promise, because a map changes when somebody changes the file;
//!   so [`Access::map`] is an `unsafe fn`. Reading needs none.
//!
//! **IDX** is the format that MNIST is published in.
//!
//! - [`parse`] takes the bytes of a file and gives its [`Header`] and its elements.
//!   It is total: any bytes give a result or a typed error, never a panic, and a
//!   result accounts for every byte.
//! - [`IdxFile`] is one file, raw or gzip, and [`Dataset`] a file of images with its
//!   file of labels, for a program that knows that its data are MNIST.
//!
//! **Tables**, CSV and its relatives.
//!
//! - [`Table`] is a table in memory, and [`Schema`] says what its columns are.
//! - [`Rows`] reads rows whose columns are known one after another, from any reader.
//!
//! **Pictures.** [`Picture`] reads PNG, JPEG, PGM, PPM and PBM. [`Picture::fit`] scales it, and
//! [`Picture::digit`] brings a photo of a digit into the form of MNIST. [`Pictures`] is the
//! source of folders of pictures, one for each class.
//!
//! Everything that can be wrong with a file is a variant of [`Error`], [`IdxError`] or
//! [`TableError`].
//! Its message is one line: what was read, at which byte or line, what was found, what
//! was expected and, where possible, what to do.
//!
//! **Augmentation.** [`Warp`] shifts, turns, stretches, shears and bends images at
//! random, as a [`Distortion`] says, and [`deskew_images`] makes leaning digits
//! upright. [`Paper`] says what their ink is on. Augmentation is a module apart: no reader imports it, it imports no reader,
//! and it alone uses the crate `kernels`.
//!
//! # Example
//!
//! Two images of 1 × 2 pixels and their labels, written as IDX and read back:
//!
//! ```
//! use mnist_io::{Dataset, Part};
//!
//! let dir = tempfile::tempdir()?;
//!
//! // Two zero bytes, u8 (0x08), 3 dimensions: 2 images, 1 row, 2 columns.
//! let images = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 10, 11, 20, 21];
//! // Two zero bytes, u8 (0x08), 1 dimension: 2 labels.
//! let labels = [0, 0, 8, 1, 0, 0, 0, 2, 7, 3];
//! std::fs::write(dir.path().join("train-images-idx3-ubyte"), images)?;
//! std::fs::write(dir.path().join("train-labels-idx1-ubyte"), labels)?;
//!
//! let train = Dataset::read_dir(dir.path(), Part::Train)?;
//! assert_eq!((train.len(), train.rows(), train.cols()), (2, 1, 2));
//! assert_eq!(train.image(1), [20, 21]);
//! assert_eq!(train.labels(), [7, 3]);
//! assert_eq!(train.classes(), 8);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The same files through the table of formats:
//!
//! ```
//! use mnist_io::{Features, ImageSize, Part, Request, Targets, find_source};
//!
//! # let dir = tempfile::tempdir()?;
//! # let images = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 10, 11, 20, 21];
//! # let labels = [0, 0, 8, 1, 0, 0, 0, 2, 7, 3];
//! # std::fs::write(dir.path().join("train-images-idx3-ubyte"), images)?;
//! # std::fs::write(dir.path().join("train-labels-idx1-ubyte"), labels)?;
//! let request = Request::new(dir.path(), Part::Train);
//! let samples = find_source(dir.path())?.open(&request)?;
//! assert_eq!((samples.len(), samples.width()), (2, 2));
//! assert_eq!(samples.image_size(), Some(ImageSize { rows: 1, cols: 2 }));
//! let Features::Bytes(pixels) = samples.features() else { panic!("IDX has bytes") };
//! assert_eq!(pixels[..], [10, 11, 20, 21]);
//! let Targets::Classes(classes) = samples.targets() else { panic!("MNIST has classes") };
//! assert_eq!(classes.labels(), [7, 3]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![deny(unsafe_code)]

// Samples: what a source is, what it gives, and the table of all sources.
mod source;
mod samples;
mod formats;
// The formats.
mod idx;
mod table;
mod picture;
// What the formats share.
mod bytes;
mod class_names;
mod other_files;
mod error;
#[allow(unsafe_code)] // The only module that needs it; it has nothing else in it.
mod mapped;
// Apart from all of the above.
mod augment;

pub use augment::{AugmentError, Distortion, Elastic, Key, Paper, Warp, deskew_images};
pub use bytes::Bytes;
pub use class_names::ClassNames;
pub use error::Error;
pub use formats::{SOURCES, find_source};
pub use idx::{Dataset, Dtype, Header, Idx, IdxError, IdxFile, parse};
/// What [`Warp::apply`] takes, and the error of choosing one.
pub use kernels::{Isa, UnknownIsa};
pub use mapped::Access;
pub use picture::error::PictureError;
pub use picture::{Picture, Pictures};
pub use samples::{Classes, Features, ImageSize, Samples, Targets, transpose};
pub use source::{Part, Request, Source};
pub use table::{
    Column, ColumnFacts, ColumnKind, DISTINCT, DecimalMark, Dialect, Facts, Looks, Place, Rows,
    Schema, Table, TableError, TableOptions, Undecided, Unknown, Wanted, is_table,
};
