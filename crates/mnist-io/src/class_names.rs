//! The names of classes, for formats that have none themselves.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The name of the file, beside the data, that has the names of the classes.
const FILE: &str = "classes.txt";

/// The names of the classes, and the file that they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassNames {
    /// The file.
    pub path: PathBuf,
    /// The name of each class, class 0 first.
    pub names: Vec<String>,
}

impl ClassNames {
    /// The names in the file `classes.txt` of the folder `dir`: UTF-8, one line for each
    /// class, class 0 first. `None` if there is no such file, which is usual.
    ///
    /// White space around a name is left out, and so are empty lines at the end.
    ///
    /// # Errors
    /// If the file cannot be opened, is not UTF-8, or has an empty line before its last
    /// name.
    pub fn read_dir(dir: impl AsRef<Path>) -> Result<Option<Self>, Error> {
        let path = dir.as_ref().join(FILE);
        match fs::read(&path) {
            Ok(bytes) => Self::parse(path, &bytes).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::Open { path, error }),
        }
    }

    fn parse(path: PathBuf, bytes: &[u8]) -> Result<Self, Error> {
        let text = match str::from_utf8(bytes) {
            Ok(text) => text.trim_end(),
            Err(error) => {
                let before = &bytes[..error.valid_up_to()];
                let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
                return Err(Error::ClassNames { path, line });
            }
        };
        let names: Vec<_> = text.lines().map(|line| line.trim().to_owned()).collect();
        match names.iter().position(String::is_empty) {
            Some(index) => Err(Error::ClassNames { path, line: index + 1 }),
            None if names.is_empty() => Err(Error::ClassNames { path, line: 1 }),
            None => Ok(Self { path, names }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lines() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(ClassNames::read_dir(dir.path()).unwrap(), None);
        let path = dir.path().join("classes.txt");
        for (text, expected) in [
            ("shirt\nankle boot\n", ["shirt", "ankle boot"]),
            ("shirt\nankle boot", ["shirt", "ankle boot"]),
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
        for (bytes, expected) in
            [(&b"a\n\nb\n"[..], 2), (b"\na", 1), (b"", 1), (b" \n \n", 1), (b"a\nb\xff\nc", 2)]
        {
            fs::write(&path, bytes).unwrap();
            let error = ClassNames::read_dir(dir.path()).unwrap_err();
            assert!(matches!(error, Error::ClassNames { line, .. } if line == expected));
            assert_eq!(
                error.to_string(),
                format!(
                    "{}: line {expected}: found no name, expected the name of a class in UTF-8",
                    path.display()
                )
            );
        }
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(ClassNames::read_dir(dir.path()).unwrap_err(), Error::Open { .. }));
    }
}
