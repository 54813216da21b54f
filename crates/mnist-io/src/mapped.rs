//! Mapping files into memory: all of the crate's unsafe code, one block that
//! maps and the functions that hand its condition on to the caller.

use std::fs::File;
use std::path::Path;

use memmap2::Mmap;

use crate::dataset::Dataset;
use crate::error::Error;
use crate::file::{IdxFile, Storage, open};
use crate::part::Part;

impl IdxFile {
    /// Maps the file at `path` into memory, which takes no time and lets
    /// processes that map the same file share it.
    ///
    /// A gzip file cannot be used where it lies and is inflated into memory, as
    /// [`read`](IdxFile::read) does.
    ///
    /// # Safety
    ///
    /// From this call until what it returned is dropped:
    ///
    /// - nobody, in this process or another, writes to the file;
    /// - nobody truncates it.
    ///
    /// The elements are handed out as `&[u8]`, which must not change while it
    /// is borrowed, and to touch a page that was cut off ends the process.
    /// Nothing here can keep others from the file: the caller vouches for them.
    /// Replacing the file by renaming another over it is allowed, and so is
    /// deleting it: the map keeps the old one.
    ///
    /// # Errors
    ///
    /// As [`read`](IdxFile::read), and if the file cannot be mapped.
    pub unsafe fn map(path: impl AsRef<Path>) -> Result<IdxFile, Error> {
        let path = path.as_ref();
        let file = open(path)?;
        // SAFETY: the caller vouches that the file stays as it is while the
        // result lives.
        unsafe { map_from(path, &file) }
    }
}

/// # Safety
///
/// Nobody writes to or truncates `file` while the result lives.
unsafe fn map_from(path: &Path, file: &File) -> Result<IdxFile, Error> {
    let failed = |error| Error::Map { path: path.into(), error };
    // Some systems refuse to map an empty file. It is no IDX file whether they
    // do or not, and the parser has the better words for it.
    if file.metadata().map_err(failed)?.len() == 0 {
        return IdxFile::from_storage(path, Storage::Owned(Vec::new()));
    }
    // SAFETY: nobody writes to or truncates the file while the result lives,
    // and the map is given to the result or dropped before it is returned.
    let map = unsafe { Mmap::map(file) }.map_err(failed)?;
    IdxFile::from_storage(path, Storage::Mapped(map))
}

impl Dataset {
    /// As [`read`](Dataset::read), with both files mapped into memory.
    ///
    /// # Safety
    ///
    /// As for [`IdxFile::map`], for both files: nobody writes to or truncates
    /// either from this call until what it returned is dropped.
    ///
    /// # Errors
    ///
    /// As [`read`](Dataset::read), and if a file cannot be mapped.
    pub unsafe fn map(
        images: impl AsRef<Path>,
        labels: impl AsRef<Path>,
    ) -> Result<Dataset, Error> {
        // SAFETY: the caller vouches for the file of images; it lives in the
        // result or is dropped before.
        let images = unsafe { IdxFile::map(images) }?;
        // SAFETY: the same of the file of labels.
        let labels = unsafe { IdxFile::map(labels) }?;
        Dataset::new(images, labels)
    }

    /// As [`read_dir`](Dataset::read_dir), with both files mapped into memory,
    /// except those that are gzip.
    ///
    /// # Safety
    ///
    /// As for [`IdxFile::map`], for both files that are found in the folder:
    /// nobody writes to or truncates either from this call until what it
    /// returned is dropped.
    ///
    /// # Errors
    ///
    /// As [`read_dir`](Dataset::read_dir), and if a file cannot be mapped.
    pub unsafe fn map_dir(dir: impl AsRef<Path>, part: Part) -> Result<Dataset, Error> {
        let (images, labels) = part.find(dir.as_ref())?;
        // SAFETY: the caller vouches for both files.
        unsafe { Dataset::map(images, labels) }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::error::IdxError;
    use crate::file::tests::gzip;
    use crate::idx::tests::encode;

    #[test]
    fn a_map_and_a_read_agree() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, encode(0x0b, &[2, 1], &[1, 2, 3, 4])).unwrap();
        // SAFETY: the folder is this test's own.
        let mapped = unsafe { IdxFile::map(&path) }.unwrap();
        let read = IdxFile::read(&path).unwrap();
        assert!(mapped.is_mapped());
        assert!(!read.is_mapped());
        assert_eq!(mapped.header(), read.header());
        assert_eq!(mapped.body(), read.body());
        assert_eq!(mapped.body(), [1, 2, 3, 4]);
        assert_eq!(mapped.path(), path);
    }

    #[test]
    fn gzip_is_inflated_instead() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, gzip(&encode(0x0b, &[2, 1], &[1, 2, 3, 4]))).unwrap();
        // SAFETY: the folder is this test's own.
        let file = unsafe { IdxFile::map(&path) }.unwrap();
        assert!(!file.is_mapped());
        assert_eq!(file.body(), [1, 2, 3, 4]);
    }

    #[test]
    fn a_folder_with_one_raw_file_and_one_gzip() {
        let dir = tempfile::tempdir().unwrap();
        let images = encode(0x08, &[2, 1, 3], &[1, 2, 3, 4, 5, 6]);
        let labels = encode(0x08, &[2], &[4, 2]);
        fs::write(dir.path().join("t10k-images-idx3-ubyte"), images).unwrap();
        fs::write(dir.path().join("t10k-labels.idx1-ubyte.gz"), gzip(&labels)).unwrap();
        // SAFETY: the folder is this test's own.
        let test = unsafe { Dataset::map_dir(dir.path(), Part::Test) }.unwrap();
        assert!(test.images_file().is_mapped());
        assert!(!test.labels_file().is_mapped());
        assert_eq!(test.image(1), [4, 5, 6]);
        assert_eq!(test.labels(), [4, 2]);
    }

    #[test]
    fn an_empty_file_is_a_truncated_header() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, []).unwrap();
        // SAFETY: the folder is this test's own.
        let mapped = unsafe { IdxFile::map(&path) }.unwrap_err();
        let read = IdxFile::read(&path).unwrap_err();
        assert_eq!(mapped.to_string(), read.to_string());
        assert!(matches!(mapped, Error::Idx { error: IdxError::TruncatedMagic { found: 0 }, .. }));
    }

    #[test]
    fn a_file_that_cannot_be_mapped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, encode(0x08, &[1], &[7])).unwrap();
        let write_only = fs::OpenOptions::new().write(true).open(&path).unwrap();
        // SAFETY: nothing is written, and the folder is this test's own.
        let error = unsafe { map_from(&path, &write_only) }.unwrap_err();
        assert!(matches!(&error, Error::Map { path: found, .. } if *found == path));
        let text = error.to_string();
        assert!(text.contains("cannot be mapped into memory: "), "{text}");
        assert!(!text.contains('\n'));
    }

    #[test]
    fn a_folder_and_a_missing_file_cannot_be_mapped() {
        let dir = tempfile::tempdir().unwrap();
        // SAFETY: there is no file.
        let error = unsafe { IdxFile::map(dir.path()) }.unwrap_err();
        assert!(matches!(error, Error::NotAFile { .. }));
        // SAFETY: there is no file.
        let error = unsafe { IdxFile::map(dir.path().join("none")) }.unwrap_err();
        assert!(matches!(error, Error::Open { .. }));
    }
}
