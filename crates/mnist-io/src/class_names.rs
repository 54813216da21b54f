//! The names of classes, for formats that have none themselves.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::mapped::Access;

/// The name of the file, beside the data, that has the names of the classes.
const FILE: &str = "classes.txt";

const UTF_16: &str = "UTF-16 text";

/// The names of the classes, and where they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassNames {
    /// The file, or the folder whose folders have the names.
    pub path: PathBuf,
    /// The name of each class, class 0 first.
    pub names: Vec<String>,
}

impl ClassNames {
    /// The names in the file `classes.txt` of the folder `dir`: UTF-8, one line for each
    /// class, class 0 first. `None` if there is no such file, which is usual.
    ///
    /// White space around a name is left out, and so are empty lines at the end and a
    /// byte-order mark. A line may end in a line feed, a carriage return, or both.
    ///
    /// # Errors
    /// If the file cannot be opened, is not UTF-8, or has an empty line before its last
    /// name.
    pub fn read_dir(dir: impl AsRef<Path>) -> Result<Option<Self>, Error> {
        let path = dir.as_ref().join(FILE);
        match Access::read().open(&path) {
            Ok(bytes) => Self::parse(path, &bytes).map(Some),
            Err(Error::Open { error, .. }) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn parse(path: PathBuf, bytes: &[u8]) -> Result<Self, Error> {
        let text = match str::from_utf8(bytes) {
            Ok(text) if text.contains('\0') => {
                return Err(Error::ClassNames { path, line: 1, found: UTF_16 });
            }
            Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text).trim_end(),
            Err(error) => {
                let before = &bytes[..error.valid_up_to()];
                let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
                let utf_16 = [&b"\xff\xfe"[..], b"\xfe\xff"];
                let utf_16 = utf_16.into_iter().any(|mark| bytes.starts_with(mark));
                let found =
                    if utf_16 || bytes.contains(&0) { UTF_16 } else { "bytes that are not UTF-8" };
                return Err(Error::ClassNames { path, line, found });
            }
        };
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let names: Vec<_> = text.lines().map(|line| line.trim().to_owned()).collect();
        let found = "no name";
        match names.iter().position(String::is_empty) {
            Some(index) => Err(Error::ClassNames { path, line: index + 1, found }),
            None if names.is_empty() => Err(Error::ClassNames { path, line: 1, found }),
            None => Ok(Self { path, names }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn names_are_lines() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(ClassNames::read_dir(dir.path()).unwrap(), None);
        let path = dir.path().join("classes.txt");
        for (text, expected) in [
            ("shirt\nankle boot\n", ["shirt", "ankle boot"]),
            ("shirt\nankle boot", ["shirt", "ankle boot"]),
            ("\u{feff}shirt\r\nankle boot\r\n\r\n  \r\n", ["shirt", "ankle boot"]),
            ("shirt\rankle boot\r", ["shirt", "ankle boot"]),
            (" Hände\t\r\nFüße\r\n\r\n", ["Hände", "Füße"]),
        ] {
            fs::write(&path, text).unwrap();
            let found = ClassNames::read_dir(dir.path()).unwrap().unwrap();
            assert_eq!(
                (found.path, &found.names[..]),
                (path.clone(), &expected.map(String::from)[..])
            );
        }
    }

    #[test]
    fn a_line_without_a_name_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("classes.txt");
        let (none, bytes) = ("no name", "bytes that are not UTF-8");
        for (content, line, found) in [
            (&b"a\n\nb\n"[..], 2, none),
            (b"\na", 1, none),
            (b"", 1, none),
            (b" \n \n", 1, none),
            (b"\xef\xbb\xbf\r\n", 1, none),
            (b"a\nb\xff\nc", 2, bytes),
            (b"H\xe4nde", 1, bytes),
            (b"\xff\xfea\0\n\0", 1, UTF_16),
            (b"\xfe\xff\0a\0\n", 1, UTF_16),
            (b"a\0\n\0b\0", 1, UTF_16),
            (b"\xe4\0\n\0", 1, UTF_16),
        ] {
            fs::write(&path, content).unwrap();
            let error = ClassNames::read_dir(dir.path()).unwrap_err();
            let path = path.display();
            assert_eq!(
                error.to_string(),
                format!(
                    "{path}: line {line}: found {found}, expected the name of a class in UTF-8"
                )
            );
        }
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(ClassNames::read_dir(dir.path()).unwrap_err(), Error::NotAFile { .. }));
    }

    /// Only a file that is not there is usual.
    #[test]
    #[cfg(unix)]
    fn names_that_cannot_be_opened_are_an_error() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("classes.txt", dir.path().join("classes.txt")).unwrap();
        assert!(matches!(ClassNames::read_dir(dir.path()).unwrap_err(), Error::Open { .. }));
    }
}
