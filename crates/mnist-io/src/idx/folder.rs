//! The names that MNIST's files have in a folder.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::source::Part;

/// The files of images and of labels of `part` in the folder `dir`.
pub(super) fn find(dir: &Path, part: Part) -> Result<(PathBuf, PathBuf), Error> {
    let [images, labels] = names(dir, part);
    match fs::metadata(dir) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return Err(Error::NotAFolder { dir: dir.into(), looked_for: images }),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Error::NoFolder { dir: dir.into(), looked_for: images });
        }
        Err(error) => return Err(Error::Open { path: dir.into(), error }),
    }
    Ok((first_file(dir, images)?, first_file(dir, labels)?))
}

/// Whether the folder `dir` has a file of either part, or something that has the name of
/// one and cannot be looked at.
pub(super) fn has_any(dir: &Path) -> bool {
    let names = [Part::Train, Part::Test].into_iter().flat_map(|part| names(dir, part));
    names.flatten().any(|path| match fs::metadata(path) {
        Ok(found) => found.is_file(),
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    })
}

/// The paths that the files of images and of labels may have, the first choice first: raw
/// before gzip, which has to be inflated each time, and a hyphen before a dot.
fn names(dir: &Path, part: Part) -> [Vec<PathBuf>; 2] {
    let stem = match part {
        Part::Train => "train",
        Part::Test => "t10k",
    };
    [("images", 3), ("labels", 1)].map(|(what, dims)| {
        let hyphen = format!("{stem}-{what}-idx{dims}-ubyte");
        let dot = format!("{stem}-{what}.idx{dims}-ubyte");
        let gzip = [format!("{hyphen}.gz"), format!("{dot}.gz")];
        [hyphen, dot].into_iter().chain(gzip).map(|name| dir.join(name)).collect()
    })
}

/// The first of `looked_for` that is a file.
fn first_file(dir: &Path, looked_for: Vec<PathBuf>) -> Result<PathBuf, Error> {
    for path in &looked_for {
        match fs::metadata(path) {
            Ok(found) if found.is_file() => return Ok(path.clone()),
            // Some archives unpack to a folder with the name of the file in it.
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            // A file that cannot be looked at is not missing.
            Err(error) => {
                return Err(Error::Open { path: path.clone(), error });
            }
        }
    }
    Err(Error::MissingFile { dir: dir.into(), looked_for })
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{images, message};
    use super::*;

    #[test]
    fn missing_file() {
        let dir = tempfile::tempdir().unwrap();
        let found = find(dir.path(), Part::Test).unwrap_err();
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
        let found = find(dir.path(), Part::Test).unwrap_err();
        assert!(matches!(found, Error::MissingFile { .. }));
        assert!(!has_any(dir.path()));
        // There are images now, and no labels.
        fs::write(dir.path().join("t10k-images.idx3-ubyte"), images()).unwrap();
        let found = find(dir.path(), Part::Test).unwrap_err();
        assert!(message(&found, dir.path()).starts_with(
            "DIR: found no file t10k-labels-idx1-ubyte or t10k-labels.idx1-ubyte or "
        ));
        assert!(has_any(dir.path()));
    }

    #[test]
    fn no_folder() {
        let dir = tempfile::tempdir().unwrap();
        let found = find(&dir.path().join("none"), Part::Train).unwrap_err();
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
        let found = find(&path, Part::Train).unwrap_err();
        assert!(matches!(found, Error::NotAFolder { .. }));
        let text = message(&found, dir.path());
        assert!(text.starts_with(
            "DIR/train-images-idx3-ubyte: found a file, expected a folder with train-images-idx3-ubyte or "
        ));
        assert!(text.ends_with("; pass the folder that holds the MNIST files"));
        assert!(!has_any(&path));
    }

    #[test]
    #[cfg(unix)]
    fn a_file_that_cannot_be_looked_at_is_not_missing() {
        let dir = tempfile::tempdir().unwrap();
        // A link to itself: no system follows it to an end.
        let path = dir.path().join("train-images-idx3-ubyte");
        std::os::unix::fs::symlink(&path, &path).unwrap();
        let found = find(dir.path(), Part::Train).unwrap_err();
        assert!(matches!(found, Error::Open { path: found, .. } if found == path));
        let found = find(&path, Part::Train).unwrap_err();
        assert!(matches!(found, Error::Open { path: found, .. } if found == path));
        assert!(has_any(dir.path()));
    }
}
