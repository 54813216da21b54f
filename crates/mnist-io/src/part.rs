//! The parts of MNIST, and where their files are in a folder.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The two parts MNIST comes in, each a file of images and one of labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// What a network is trained with.
    Train,
    /// What it is judged by.
    Test,
}

impl Part {
    /// What the names of its files begin with.
    pub fn stem(self) -> &'static str {
        match self {
            Part::Train => "train",
            Part::Test => "t10k",
        }
    }

    /// The files of images and of labels in the folder `dir`.
    pub(crate) fn find(self, dir: &Path) -> Result<(PathBuf, PathBuf), Error> {
        let stem = self.stem();
        // Raw before gzip, which has to be inflated each time.
        let spellings = |what: &str, dims: usize| {
            let hyphen = format!("{stem}-{what}-idx{dims}-ubyte");
            let dot = format!("{stem}-{what}.idx{dims}-ubyte");
            let gz = [format!("{hyphen}.gz"), format!("{dot}.gz")];
            [hyphen, dot].into_iter().chain(gz).map(|name| dir.join(name)).collect::<Vec<_>>()
        };
        let images = spellings("images", 3);
        let labels = spellings("labels", 1);

        match fs::metadata(dir) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => {
                return Err(Error::NotAFolder { dir: dir.into(), looked_for: images });
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Error::NoFolder { dir: dir.into(), looked_for: images });
            }
            Err(error) => {
                return Err(Error::Open { path: dir.into(), error });
            }
        }
        Ok((first_file(dir, images)?, first_file(dir, labels)?))
    }
}

/// The first of `looked_for` that is a file.
fn first_file(dir: &Path, looked_for: Vec<PathBuf>) -> Result<PathBuf, Error> {
    for path in &looked_for {
        match fs::metadata(path) {
            Ok(found) if found.is_file() => return Ok(path.clone()),
            // Some archives unpack to a folder with the name of the file in it.
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            // A file that may not be looked at is not a file that is not there.
            Err(error) => {
                return Err(Error::Open { path: path.clone(), error });
            }
        }
    }
    Err(Error::MissingFile { dir: dir.into(), looked_for })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::dataset::Dataset;
    use crate::file::tests::gzip;
    use crate::idx::tests::encode;

    /// The message of an error, which is one line, with the folder written as `DIR`.
    pub(crate) fn message(error: &Error, dir: &Path) -> String {
        let text = error.to_string();
        assert!(!text.contains('\n'));
        text.replace(dir.to_str().unwrap(), "DIR").replace('\\', "/")
    }

    pub(crate) fn images() -> Vec<u8> {
        encode(0x08, &[2, 1, 3], &[1, 2, 3, 4, 5, 6])
    }

    pub(crate) fn labels() -> Vec<u8> {
        encode(0x08, &[2], &[4, 2])
    }

    #[test]
    fn every_spelling_is_found_and_a_raw_one_taken_first() {
        let dir = tempfile::tempdir().unwrap();
        for part in [Part::Train, Part::Test] {
            let stem = part.stem();
            // From the last choice to the first: each takes over from the one before.
            for (spelling, gz) in [(".", ".gz"), ("-", ".gz"), (".", ""), ("-", "")] {
                let wrap = |raw: Vec<u8>| if gz.is_empty() { raw } else { gzip(&raw) };
                let name = |what, dims| format!("{stem}-{what}{spelling}idx{dims}-ubyte{gz}");
                let [images_name, labels_name] = [name("images", 3), name("labels", 1)];
                fs::write(dir.path().join(&images_name), wrap(images())).unwrap();
                fs::write(dir.path().join(&labels_name), wrap(labels())).unwrap();

                let read = Dataset::read_dir(dir.path(), part).unwrap();
                assert!(read.images_file().path().ends_with(&images_name));
                assert!(read.labels_file().path().ends_with(&labels_name));
                assert!(!read.images_file().is_mapped());
                assert_eq!(read.image(1), [4, 5, 6]);
            }
        }
    }

    #[test]
    fn missing_file() {
        let dir = tempfile::tempdir().unwrap();
        let found = Dataset::read_dir(dir.path(), Part::Test).unwrap_err();
        let Error::MissingFile { looked_for, .. } = &found else {
            panic!("{found}");
        };
        assert_eq!(looked_for[0], dir.path().join("t10k-images-idx3-ubyte"));
        assert_eq!(
            message(&found, dir.path()),
            "DIR: found no file t10k-images-idx3-ubyte or t10k-images.idx3-ubyte \
             or t10k-images-idx3-ubyte.gz or t10k-images.idx3-ubyte.gz; \
             pass the folder that holds the MNIST files"
        );
        // A folder with the name of the file is not the file.
        fs::create_dir(dir.path().join("t10k-images-idx3-ubyte")).unwrap();
        let found = Dataset::read_dir(dir.path(), Part::Test).unwrap_err();
        assert!(matches!(found, Error::MissingFile { .. }));
        // With the images there, the labels are missed.
        fs::write(dir.path().join("t10k-images.idx3-ubyte"), images()).unwrap();
        let found = Dataset::read_dir(dir.path(), Part::Test).unwrap_err();
        assert!(message(&found, dir.path()).starts_with(
            "DIR: found no file t10k-labels-idx1-ubyte or t10k-labels.idx1-ubyte or "
        ));
    }

    #[test]
    fn no_folder() {
        let dir = tempfile::tempdir().unwrap();
        let found = Dataset::read_dir(dir.path().join("none"), Part::Train).unwrap_err();
        assert!(matches!(found, Error::NoFolder { .. }));
        assert_eq!(
            message(&found, dir.path()),
            "DIR/none: no such folder, expected one with train-images-idx3-ubyte \
             or train-images.idx3-ubyte or train-images-idx3-ubyte.gz \
             or train-images.idx3-ubyte.gz; pass the folder that holds the MNIST files"
        );
    }

    #[test]
    fn not_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("train-images-idx3-ubyte");
        fs::write(&path, images()).unwrap();
        let found = Dataset::read_dir(&path, Part::Train).unwrap_err();
        assert!(matches!(found, Error::NotAFolder { .. }));
        let text = message(&found, dir.path());
        assert!(text.starts_with(
            "DIR/train-images-idx3-ubyte: found a file, expected a folder with train-images-idx3-ubyte or "
        ));
        assert!(text.ends_with("; pass the folder that holds the MNIST files"));
    }

    #[test]
    #[cfg(unix)]
    fn a_file_that_cannot_be_looked_at_is_not_missing() {
        let dir = tempfile::tempdir().unwrap();
        // A link to itself: no system follows it to an end.
        let path = dir.path().join("train-images-idx3-ubyte");
        std::os::unix::fs::symlink(&path, &path).unwrap();
        let found = Dataset::read_dir(dir.path(), Part::Train).unwrap_err();
        assert!(matches!(found, Error::Open { path: found, .. } if found == path));
        let found = Dataset::read_dir(&path, Part::Train).unwrap_err();
        assert!(matches!(found, Error::Open { path: found, .. } if found == path));
    }
}
