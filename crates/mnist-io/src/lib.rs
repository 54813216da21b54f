//! Reads IDX files, the format MNIST is published in, and pairs images with
//! labels. Knows no network.
//!
//! - [`parse`] takes the bytes of a file and gives its [`Header`] and its
//!   elements. It is total: any bytes give a result or a typed error, never a
//!   panic, and a result accounts for every byte.
//! - [`IdxFile`] is a file that was parsed, either read into memory (raw or
//!   gzip) or mapped. Mapping is an `unsafe fn`, because a map changes under
//!   the reader's feet when somebody else changes the file; the caller vouches
//!   that nobody does. Reading needs no such promise.
//! - [`Dataset`] is a file of `u8` images with its file of `u8` labels, and
//!   [`class_names`] what the labels stand for, if a file beside them says so.
//! - [`Warp`] shifts, turns, stretches and bends images at random, as an
//!   [`Augment`] says, and makes the lean of a hand upright.
//!
//! Everything that can be wrong with a file is a variant of [`Error`] or
//! [`IdxError`], whose message is one line that says what was read, at which
//! byte, what was found, what was expected and, where possible, what to do.
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

#![deny(unsafe_code)]

mod augment;
mod dataset;
mod error;
mod file;
mod idx;
#[allow(unsafe_code)] // The one module with a reason for it, and nothing else in it.
mod mapped;
mod names;
mod part;

pub use augment::{Augment, Draw, Elastic, Warp};
pub use dataset::Dataset;
pub use error::{AugmentError, Error, IdxError};
pub use file::IdxFile;
pub use idx::{Dtype, Header, parse};
pub use names::{CLASS_NAMES, class_names};
pub use part::Part;
