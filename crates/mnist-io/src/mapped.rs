//! How the bytes of a file get into memory. All of the crate's unsafe code is here: the
//! promise that a caller makes, and the block that relies on it.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use memmap2::Mmap;

use crate::bytes::Bytes;
use crate::error::Error;

/// How the bytes of a file get into memory: read or mapped.
///
/// Only [`map`](Self::map) makes a value that maps, and it is `unsafe`: holding the value
/// is the proof that somebody made the promise. So everything that opens a file with it
/// is safe.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    maps: bool,
}

impl Access {
    /// Files are read into memory of the program's own.
    #[must_use]
    pub const fn read() -> Self {
        Self { maps: false }
    }

    /// Files are mapped into memory: that takes no time, copies nothing, and processes
    /// that map the same file share its memory. A gzip file cannot be used as it is and
    /// is inflated into memory.
    ///
    /// # Safety
    /// For each file that is opened with this value or a copy of it, from the moment
    /// that it is opened until what it was opened as is dropped:
    ///
    /// - Nobody, in this process or another, writes to the file.
    /// - Nobody truncates it.
    ///
    /// The bytes are handed out as `&[u8]`, which must not change while it is borrowed,
    /// and a read of a page that was cut off ends the process. Nothing here can keep
    /// others from the file: the caller vouches for them. Renaming another file over it
    /// is allowed, and so is deleting it: the map keeps the old file.
    #[must_use]
    pub const unsafe fn map() -> Self {
        Self { maps: true }
    }

    /// The bytes of the file at `path`.
    ///
    /// # Errors
    /// If it cannot be opened, read or mapped, or is a folder.
    pub(crate) fn open(self, path: &Path) -> Result<Bytes, Error> {
        self.bytes_of(path, &open(path)?)
    }

    /// The bytes of `file`; errors name `path`.
    fn bytes_of(self, path: &Path, mut file: &File) -> Result<Bytes, Error> {
        let cannot_map = |error| Error::Map { path: path.into(), error };
        // Some systems refuse to map an empty file.
        if self.maps && file.metadata().map_err(cannot_map)?.len() > 0 {
            // SAFETY: `maps` is set by `Access::map` alone, whose caller vouches that
            // nobody writes to this file or truncates it until the map is dropped.
            let map = unsafe { Mmap::map(file) }.map_err(cannot_map)?;
            return Ok(map.into());
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| Error::Read { path: path.into(), error })?;
        Ok(bytes.into())
    }
}

fn open(path: &Path) -> Result<File, Error> {
    let failed = |error| Error::Open { path: path.into(), error };
    // Checked first: some systems open a folder and fail later, with a message about
    // something else.
    if fs::metadata(path).map_err(failed)?.is_dir() {
        return Err(Error::NotAFile { path: path.into() });
    }
    File::open(path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    /// Both ways to get the bytes of a file.
    fn both() -> [Access; 2] {
        // SAFETY: each test writes to a folder of its own, and to no file after it opened
        // that.
        [Access::read(), unsafe { Access::map() }]
    }

    #[test]
    fn a_map_and_a_read_agree() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        for content in [&[1, 2, 3, 4][..], &[]] {
            fs::write(&path, content).unwrap();
            let [read, mapped] = both().map(|access| access.open(&path).unwrap());
            assert_eq!((&read[..], &mapped[..]), (content, content));
            assert!(!read.is_mapped());
            assert_eq!(mapped.is_mapped(), !content.is_empty());
        }
    }

    #[test]
    fn a_folder() {
        let dir = tempfile::tempdir().unwrap();
        for access in both() {
            let error = access.open(dir.path()).unwrap_err();
            assert!(matches!(&error, Error::NotAFile { path } if path == dir.path()));
            assert_eq!(
                error.to_string(),
                format!(
                    "{}: found a folder, expected a file; pass the path of the file itself",
                    dir.path().display()
                )
            );
        }
    }

    #[test]
    fn a_file_that_cannot_be_opened() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("none");
        for access in both() {
            let error = access.open(&missing).unwrap_err();
            let Error::Open { path, error: cause } = &error else {
                panic!("{error}");
            };
            assert_eq!(path, &missing);
            assert_eq!(cause.kind(), ErrorKind::NotFound);
            let text = error.to_string();
            let begin = format!("{}: cannot be opened: ", missing.display());
            assert!(text.starts_with(&begin) && !text.contains('\n'), "{text}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_or_mapped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, [7]).unwrap();
        let write_only = fs::OpenOptions::new().write(true).open(&path).unwrap();
        let [read, map] = both().map(|access| access.bytes_of(&path, &write_only).unwrap_err());
        assert!(matches!(&read, Error::Read { path: found, .. } if *found == path));
        assert!(matches!(&map, Error::Map { path: found, .. } if *found == path));
        for (error, what) in [(read, "read"), (map, "mapped into memory")] {
            let text = error.to_string();
            let begin = format!("{}: cannot be {what}: ", path.display());
            assert!(text.starts_with(&begin) && !text.contains('\n'), "{text}");
        }
    }
}
