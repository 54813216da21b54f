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
    /// If it cannot be opened, read or mapped, if it is a folder, or a pipe or device, which
    /// may have no end, or if it does not fit into memory.
    pub(crate) fn open(self, path: &Path) -> Result<Bytes, Error> {
        self.bytes_of(path, &open(path)?)
    }

    /// The bytes of `file`; errors name `path`.
    fn bytes_of(self, path: &Path, mut file: &File) -> Result<Bytes, Error> {
        let cannot_map = |error| Error::Map { path: path.into(), error };
        let len = file.metadata().map_err(cannot_map)?.len();
        // Some systems refuse to map an empty file.
        if self.maps && len > 0 {
            // SAFETY: `maps` is set by `Access::map` alone, whose caller vouches that
            // nobody writes to this file or truncates it until the map is dropped.
            let map = unsafe { Mmap::map(file) }.map_err(cannot_map)?;
            return Ok(map.into());
        }
        let mut bytes = reserved(path, len)?;
        // A file that grows meanwhile is read as it was when it was opened.
        file.by_ref()
            .take(len)
            .read_to_end(&mut bytes)
            .map_err(|error| Error::Read { path: path.into(), error })?;
        Ok(bytes.into())
    }
}

/// An empty vector with room for `len` elements that come from the file at `path`.
pub(crate) fn reserved<T>(path: &Path, len: u64) -> Result<Vec<T>, Error> {
    let mut values = Vec::new();
    let reserved = usize::try_from(len).is_ok_and(|len| values.try_reserve_exact(len).is_ok());
    let bytes = len.saturating_mul(size_of::<T>() as u64);
    if reserved { Ok(values) } else { Err(Error::Memory { path: path.into(), bytes }) }
}

pub(crate) fn open(path: &Path) -> Result<File, Error> {
    let failed = |error| Error::Open { path: path.into(), error };
    // Checked first: some systems open a folder and fail later, with a message about
    // something else, and a pipe opens only when somebody writes to it.
    let found = fs::metadata(path).map_err(failed)?;
    if found.is_dir() {
        return Err(Error::NotAFile { path: path.into() });
    }
    if let Some(found) = endless(found.file_type()) {
        return Err(Error::NotRegular { path: path.into(), found });
    }
    File::open(path).map_err(failed)
}

/// What a file is that has no length of its own: it may never end.
#[cfg(unix)]
pub(crate) fn endless(found: fs::FileType) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt;
    match found {
        found if found.is_fifo() => Some("a pipe"),
        found if found.is_socket() => Some("a socket"),
        found if found.is_char_device() || found.is_block_device() => Some("a device"),
        _ => None,
    }
}

#[cfg(not(unix))]
pub(crate) fn endless(found: fs::FileType) -> Option<&'static str> {
    (!found.is_file() && !found.is_dir()).then_some("a device")
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
    #[cfg(unix)]
    fn a_device_that_never_ends() {
        for access in both() {
            let error = access.open(Path::new("/dev/zero")).unwrap_err();
            assert_eq!(
                error.to_string(),
                "/dev/zero: found a device, expected a file; save what it gives to a file first"
            );
        }
    }

    /// A file with a hole that is larger than any memory.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_that_does_not_fit_into_memory() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let file = File::create(&path).unwrap();
        // Some file systems have no files of that size.
        if file.set_len(1 << 42).is_ok() {
            let error = Access::read().open(&path).unwrap_err();
            assert!(matches!(error, Error::Memory { bytes, .. } if bytes == 1 << 42), "{error}");
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
