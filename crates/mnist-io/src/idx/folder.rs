//! The files of a data set in a folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::name::{Content, Name, is_transposed};
use crate::error::Error;
use crate::source::Part;

/// The data set that a path stands for.
pub(super) struct Folder {
    /// The folder that has the files: the one of the path, or one below it.
    pub(super) dir: PathBuf,
    set: String,
    files: Vec<(Name, PathBuf)>,
}

impl Folder {
    /// Looks for the data set that `path` stands for. That is the one with files in the
    /// folder `path`. If there are none, it is the one in a folder of it, or in the folder
    /// `raw` of a folder of it, which is where torchvision keeps `MNIST/raw`. The path of
    /// a file stands for the data set of that file.
    ///
    /// # Errors
    /// If there is nothing at `path`, or a file that has not the name of data, or nothing
    /// that has such a name, or several data sets.
    pub(super) fn find(path: &Path) -> Result<Self, Error> {
        // Without a slash at the end, which a path of a file should not have.
        let path: PathBuf = path.components().collect();
        let looked_for = || published(Path::new(""), "", Part::Train, Content::Images);
        match fs::metadata(&path) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => {
                let Some(name) = path.file_name().and_then(|name| Name::parse(name.to_str()?))
                else {
                    return Err(Error::NotAFolder { dir: path, looked_for: looked_for() });
                };
                let dir = path.parent().unwrap_or(Path::new("")).to_owned();
                let files = files_in(&dir).map_err(|error| cannot_open(&dir, error))?;
                return Ok(Self::new(dir, name.set, files));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Error::NoFolder { dir: path, looked_for: looked_for() });
            }
            Err(error) => return Err(cannot_open(&path, error)),
        }
        let mut found = Self::all_in(&path).map_err(|error| cannot_open(&path, error))?;
        if found.is_empty() {
            for below in folders_in(&path) {
                // What cannot be looked at down there is not what the user means.
                for dir in [below.join("raw"), below] {
                    found.extend(Self::all_in(&dir).unwrap_or_default());
                }
            }
        }
        if found.len() > 1 {
            let files = found.iter().map(|folder| {
                let file = &folder.files[0].1;
                file.strip_prefix(&path).unwrap_or(file).to_owned()
            });
            return Err(Error::SeveralSets { files: files.collect(), dir: path });
        }
        found.pop().ok_or_else(|| {
            let looked_for = published(Path::new(""), "", Part::Train, Content::Images);
            Error::MissingFile { dir: path, looked_for }
        })
    }

    /// The data sets with files in the folder `dir`.
    fn all_in(dir: &Path) -> io::Result<Vec<Self>> {
        let mut sets: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for (name, path) in files_in(dir)? {
            sets.entry(name.set.clone()).or_default().push((name, path));
        }
        Ok(sets.into_iter().map(|(set, files)| Self::new(dir.into(), set, files)).collect())
    }

    /// Files of other sets are left out. The first choice comes first.
    fn new(dir: PathBuf, set: String, mut files: Vec<(Name, PathBuf)>) -> Self {
        files.retain(|(name, _)| name.set == set);
        files.sort_by(|(a, a_path), (b, b_path)| (a.choice, a_path).cmp(&(b.choice, b_path)));
        Self { dir, set, files }
    }

    /// Whether the images of the set are published with rows and columns exchanged.
    pub(super) fn is_transposed(&self) -> bool {
        is_transposed(&self.set)
    }

    /// The path of the file that says what the labels stand for, which EMNIST has.
    pub(super) fn mapping(&self) -> PathBuf {
        self.dir.join(format!("{}-mapping.txt", self.set))
    }

    /// The files of images and of labels of `part`.
    pub(super) fn pair(&self, part: Part) -> Result<[&Path; 2], Error> {
        let file = |content| {
            let wanted = |name: &Name| (name.part, name.content) == (part, content);
            let file = self.files.iter().find(|(name, _)| wanted(name));
            file.map(|(_, path)| &**path).ok_or_else(|| Error::MissingFile {
                dir: self.dir.clone(),
                looked_for: published(Path::new(""), &self.set, part, content),
            })
        };
        Ok([file(Content::Images)?, file(Content::Labels)?])
    }
}

/// Whether there is a data set at `path`, or several.
pub(super) fn has_any(path: &Path) -> bool {
    matches!(Folder::find(path), Ok(_) | Err(Error::SeveralSets { .. }))
}

fn cannot_open(path: &Path, error: io::Error) -> Error {
    Error::Open { path: path.into(), error }
}

/// The paths in `dir` that files may be published with.
fn published(dir: &Path, set: &str, part: Part, content: Content) -> Vec<PathBuf> {
    Name::published(set, part, content).map(|name| dir.join(name)).into()
}

/// The files in `dir` whose names are those of data.
fn files_in(dir: &Path) -> io::Result<Vec<(Name, PathBuf)>> {
    // The path of a file without a folder has an empty one.
    let here = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let mut files = Vec::new();
    for entry in fs::read_dir(here)? {
        let file_name = entry?.file_name();
        let Some(name) = file_name.to_str().and_then(Name::parse) else { continue };
        let mut path = dir.join(&file_name);
        match fs::metadata(&path) {
            // Some archives unpack to a folder with the name of the file, and the file in it.
            Ok(found) if found.is_dir() => {
                path.push(&file_name);
                if !path.is_file() {
                    continue;
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            // A file that cannot be looked at is not missing: opening it says why.
            Ok(_) | Err(_) => {}
        }
        files.push((name, path));
    }
    Ok(files)
}

/// The folders in `dir`, in the order of their names.
fn folders_in(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut folders: Vec<_> =
        entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

#[cfg(test)]
mod tests {
    use super::super::dataset::Dataset;
    use super::super::fixtures::{gzip, images, labels, message};
    use super::*;

    /// Writes the four files of a data set, or two for each word in `parts`.
    fn write(dir: &Path, set: &str, parts: &[&str]) {
        fs::create_dir_all(dir).unwrap();
        for part in parts {
            fs::write(dir.join(format!("{set}{part}-images-idx3-ubyte")), images()).unwrap();
            fs::write(dir.join(format!("{set}{part}-labels-idx1-ubyte")), labels()).unwrap();
        }
    }

    /// The error for `path`, with the folder `dir` written as `DIR`.
    fn error(path: &Path, dir: &Path) -> String {
        message(&Dataset::read_dir(path, Part::Test).unwrap_err(), dir)
    }

    #[test]
    fn files_lie_in_the_folder_or_below_it() {
        for (below, set, part) in [
            ("", "", "t10k"),
            ("", "", "test"),
            ("raw", "", "t10k"),
            ("MNIST/raw", "", "t10k"),
            ("FashionMNIST/raw", "", "t10k"),
            ("EMNIST/raw", "emnist-letters-", "test"),
            ("gzip", "emnist-digits-", "test"),
            ("with a space", "", "t10k"),
        ] {
            let dir = tempfile::tempdir().unwrap();
            write(&dir.path().join(below), set, &["train", part]);
            for part in [Part::Train, Part::Test] {
                let found = Dataset::read_dir(dir.path(), part).unwrap();
                assert_eq!(found.image(1), [4, 5, 6], "{below}");
                let parent = found.images_file().path().parent().unwrap();
                assert_eq!(parent, dir.path().join(below));
            }
            assert!(has_any(dir.path()));
        }
    }

    /// Linux has paths that are not UTF-8; other systems refuse to make one.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_path_that_is_not_utf_8() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let dir = tempfile::tempdir().unwrap();
        let odd = dir.path().join(OsStr::from_bytes(b"d\xe9j\xe0"));
        write(&odd.join("raw"), "", &["t10k"]);
        fs::write(odd.join("raw").join(OsStr::from_bytes(b"\xff-images-idx3-ubyte")), "").unwrap();
        let file = odd.join("raw/t10k-labels-idx1-ubyte");
        for path in [dir.path(), &odd, &odd.join("raw"), &file] {
            assert_eq!(Dataset::read_dir(path, Part::Test).unwrap().labels(), [4, 2]);
        }
    }

    #[test]
    fn a_file_stands_for_its_data_set() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "emnist-digits-", &["train", "test"]);
        write(dir.path(), "emnist-letters-", &["train", "test"]);
        let path = dir.path().join("emnist-letters-test-labels-idx1-ubyte");
        for path in [path.clone(), path.join("")] {
            let found = Dataset::read_dir(&path, Part::Train).unwrap();
            let name = found.images_file().path().file_name().unwrap();
            assert_eq!(name, "emnist-letters-train-images-idx3-ubyte");
            assert!(has_any(&path));
        }
        // Without it, nobody knows which is meant.
        assert!(has_any(dir.path()));
        assert_eq!(
            error(dir.path(), dir.path()),
            "DIR: found 2 data sets, those of emnist-digits-train-images-idx3-ubyte and \
             emnist-letters-train-images-idx3-ubyte; pass the path of one of these files to use \
             its data set"
        );
        let dir = tempfile::tempdir().unwrap();
        for name in ["MNIST", "KMNIST"] {
            write(&dir.path().join(name).join("raw"), "", &["train", "t10k"]);
        }
        assert!(error(dir.path(), dir.path()).contains(
            "found 2 data sets, those of KMNIST/raw/t10k-images-idx3-ubyte and MNIST/raw/t10k-"
        ));
    }

    #[test]
    fn a_folder_with_the_name_of_the_file() {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in
            [("t10k-images.idx3-ubyte", images()), ("t10k-labels.idx1-ubyte.gz", gzip(&labels()))]
        {
            let folder = dir.path().join(name);
            fs::create_dir(&folder).unwrap();
            assert!(!has_any(&folder));
            fs::write(folder.join(name), bytes).unwrap();
        }
        assert_eq!(Dataset::read_dir(dir.path(), Part::Test).unwrap().labels(), [4, 2]);
    }

    #[test]
    fn images_and_labels_have_the_same_spelling_of_the_part() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "", &["t10k", "test"]);
        fs::remove_file(dir.path().join("t10k-images-idx3-ubyte")).unwrap();
        fs::write(dir.path().join("t10k-images.idx3-ubyte.gz"), gzip(&images())).unwrap();
        let found = Dataset::read_dir(dir.path(), Part::Test).unwrap();
        assert!(found.images_file().path().ends_with("t10k-images.idx3-ubyte.gz"));
        assert!(found.labels_file().path().ends_with("t10k-labels-idx1-ubyte"));
    }

    #[test]
    fn missing_file() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!has_any(dir.path()));
        let nothing = "DIR: found no file train-images-idx3-ubyte or train-images-idx3-ubyte.gz; \
                       pass the folder that holds the MNIST files";
        assert_eq!(error(dir.path(), dir.path()), nothing);
        // A folder with the name of the file is not the file.
        fs::create_dir(dir.path().join("t10k-images-idx3-ubyte")).unwrap();
        assert_eq!(error(dir.path(), dir.path()), nothing);
        assert!(!has_any(dir.path()));
        // There are images now, and no labels.
        fs::write(dir.path().join("t10k-images.idx3-ubyte"), images()).unwrap();
        assert!(
            error(dir.path(), dir.path())
                .starts_with("DIR: found no file t10k-labels-idx1-ubyte or ")
        );
        assert!(has_any(dir.path()));
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "emnist-digits-", &["train"]);
        let text = error(dir.path(), dir.path());
        assert!(text.starts_with("DIR: found no file emnist-digits-test-images-idx3-ubyte or "));
    }

    #[test]
    fn no_folder() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("none");
        assert!(!has_any(&path));
        assert_eq!(
            error(&path, dir.path()),
            "DIR/none: no such folder, expected one with train-images-idx3-ubyte \
             or train-images-idx3-ubyte.gz; pass the folder that holds the MNIST files"
        );
    }

    #[test]
    fn not_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("images");
        fs::write(&path, images()).unwrap();
        assert!(error(&path, dir.path()).starts_with(
            "DIR/images: found a file, expected a folder with train-images-idx3-ubyte or "
        ));
        assert!(!has_any(&path));
    }

    #[test]
    #[cfg(unix)]
    fn a_file_that_cannot_be_looked_at_is_not_missing() {
        let dir = tempfile::tempdir().unwrap();
        // A link to itself: no system follows it to an end.
        let path = dir.path().join("t10k-images-idx3-ubyte");
        std::os::unix::fs::symlink(&path, &path).unwrap();
        fs::write(dir.path().join("t10k-labels-idx1-ubyte"), labels()).unwrap();
        let found = Dataset::read_dir(dir.path(), Part::Test).unwrap_err();
        assert!(matches!(found, Error::Open { path: found, .. } if found == path));
        let found = Dataset::read_dir(&path, Part::Test).unwrap_err();
        assert!(matches!(found, Error::Open { path: found, .. } if found == path));
        assert!(has_any(dir.path()));
        // A link to nothing is a missing file.
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("nowhere", &path).unwrap();
        let found = Dataset::read_dir(dir.path(), Part::Test).unwrap_err();
        assert!(matches!(found, Error::MissingFile { .. }));
    }
}
