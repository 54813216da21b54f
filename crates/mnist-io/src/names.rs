//! What the classes are called.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::error::Error;

/// What the file is called that has the names of the classes.
pub const CLASS_NAMES: &str = "classes.txt";

/// The names in the file [`CLASS_NAMES`] of the folder `dir`: UTF-8, a line a
/// class, the first that of class 0. `None` if there is no such file, which is usual:
/// IDX files have no room for names.
///
/// Blanks around a name are left out, and so are empty lines at the end.
///
/// # Errors
///
/// If the file cannot be opened, is not UTF-8, or has an empty line before its
/// last name.
pub fn class_names(dir: impl AsRef<Path>) -> Result<Option<Vec<String>>, Error> {
    let path = dir.as_ref().join(CLASS_NAMES);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::Open { path, error }),
    };
    let lines = |bytes: &[u8]| 1 + bytes.iter().filter(|&&byte| byte == b'\n').count();
    let text = match str::from_utf8(&bytes) {
        Ok(text) => text.trim_end(),
        Err(error) => {
            return Err(Error::ClassNames { line: lines(&bytes[..error.valid_up_to()]), path });
        }
    };
    let names: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
    match names.iter().position(String::is_empty) {
        Some(at) => Err(Error::ClassNames { path, line: at + 1 }),
        None if names.is_empty() => Err(Error::ClassNames { path, line: 1 }),
        None => Ok(Some(names)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lines() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(class_names(dir.path()).unwrap(), None);
        let path = dir.path().join("classes.txt");
        for (text, expected) in [
            ("shirt\nankle boot\n", ["shirt", "ankle boot"]),
            ("shirt\nankle boot", ["shirt", "ankle boot"]),
            (" Hände\t\r\nFüße\r\n\r\n", ["Hände", "Füße"]),
        ] {
            fs::write(&path, text).unwrap();
            assert_eq!(class_names(dir.path()).unwrap().unwrap(), expected);
        }
        for (bytes, expected) in
            [(&b"a\n\nb\n"[..], 2), (b"\na", 1), (b"", 1), (b" \n \n", 1), (b"a\nb\xff\nc", 2)]
        {
            fs::write(&path, bytes).unwrap();
            let error = class_names(dir.path()).unwrap_err();
            assert!(matches!(error, Error::ClassNames { line, .. } if line == expected));
            let text = error.to_string();
            assert!(
                text.ends_with("expected the name of a class in UTF-8") && !text.contains('\n')
            );
        }
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(class_names(dir.path()).unwrap_err(), Error::Open { .. }));
    }
}
