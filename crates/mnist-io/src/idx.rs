//! IDX, the format that MNIST is published in.
//!
//! ```text
//! byte 0  0x00 0x00
//! byte 2  element type: 0x08 u8, 0x09 i8, 0x0b i16, 0x0c i32, 0x0d f32, 0x0e f64
//! byte 3  number of dimensions, D
//! byte 4  D sizes, big-endian u32
//! then    the elements, big-endian, the last dimension varying fastest
//! ```

// One file: what its header says, what can be wrong, from bytes, from a path.
pub(crate) mod header;
pub(crate) mod error;
mod parse;
mod gzip;
mod file;
// A data set: the names of its files, the folder that has them, two files that belong
// together and their labels, files of other names, a source.
mod name;
mod folder;
mod labels;
mod mapping;
mod pair;
mod dataset;
mod alone;
mod source;

#[cfg(test)]
pub(crate) mod fixtures;

pub use dataset::Dataset;
pub use error::IdxError;
pub use file::IdxFile;
pub use header::{Dtype, Header};
pub use parse::parse;
pub use source::Idx;
