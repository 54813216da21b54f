//! Files for tests.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::{Compression, write::GzEncoder};
use tempfile::TempDir;

use crate::error::Error;

/// The bytes of an IDX file, with no check of whether they agree.
pub(crate) fn encode(code: u8, dims: &[u32], body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, code, dims.len() as u8];
    for dim in dims {
        bytes.extend(dim.to_be_bytes());
    }
    bytes.extend(body);
    bytes
}

/// Two images of 1 × 3 pixels.
pub(crate) fn images() -> Vec<u8> {
    encode(0x08, &[2, 1, 3], &[1, 2, 3, 4, 5, 6])
}

/// Their labels.
pub(crate) fn labels() -> Vec<u8> {
    encode(0x08, &[2], &[4, 2])
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A file with these bytes, and the folder that keeps it there.
pub(crate) fn file(bytes: &[u8]) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    fs::write(&path, bytes).unwrap();
    (dir, path)
}

/// The message of an error, which is one line, with the folder written as `DIR`.
pub(crate) fn message(error: &Error, dir: &Path) -> String {
    let text = error.to_string();
    assert!(!text.contains('\n'));
    text.replace(dir.to_str().unwrap(), "DIR").replace('\\', "/")
}
