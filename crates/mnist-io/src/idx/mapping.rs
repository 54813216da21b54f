//! What the labels of EMNIST stand for: a file of letters beside the images.
//!
//! ```text
//! 1 65 97      emnist-letters-mapping.txt: label 1 is A, or a
//! 10 65        emnist-byclass-mapping.txt: label 10 is A
//! ```

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::class_names::ClassNames;
use crate::error::Error;
use crate::mapped::Access;
use crate::samples::{Classes, Samples, Targets};

/// Labels with the characters that they stand for, in the order of the labels. At least one.
pub(super) struct Mapping {
    path: PathBuf,
    classes: Vec<(u8, char)>,
}

impl Mapping {
    /// Reads the file at `path`; `None` if there is none, which is usual.
    pub(super) fn read(path: PathBuf) -> Result<Option<Self>, Error> {
        let bytes = match Access::read().open(&path) {
            Err(Error::Open { error, .. }) if error.kind() == ErrorKind::NotFound => {
                return Ok(None);
            }
            bytes => bytes?,
        };
        let mut classes: Vec<(u8, char)> = Vec::new();
        let text = String::from_utf8_lossy(&bytes);
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let numbers = line.split_whitespace().map(|word| word.parse::<u32>().ok());
            let class = match numbers.collect::<Option<Vec<u32>>>().as_deref() {
                // Of two letters the first is the capital.
                Some(&[label, code] | &[label, code, _]) => {
                    let letter = char::from_u32(code).filter(|letter| !letter.is_control());
                    u8::try_from(label).ok().zip(letter)
                }
                _ => None,
            };
            let known = |label: u8| classes.iter().any(|(other, _)| *other == label);
            match class.filter(|(label, _)| !known(*label)) {
                Some(class) => classes.push(class),
                None => return Err(Error::Mapping { path, line: index + 1 }),
            }
        }
        classes.sort_unstable();
        if classes.is_empty() {
            return Err(Error::Mapping { path, line: 1 });
        }
        Ok(Some(Self { path, classes }))
    }

    /// The samples with the positions of their labels in this list as classes, and with its
    /// characters as names; `labels` is the file of the labels.
    pub(super) fn apply(self, samples: Samples, labels: &Path) -> Result<Samples, Error> {
        let Targets::Classes(classes) = samples.targets() else { return Ok(samples) };
        let mut new = Vec::with_capacity(samples.len());
        for (sample, label) in classes.labels().iter().enumerate() {
            match self.classes.binary_search_by_key(label, |(label, _)| *label) {
                // There are no more classes than labels, which are bytes.
                Ok(position) => new.push(position as u8),
                Err(_) => {
                    let (path, mapping) = (labels.to_owned(), self.path);
                    return Err(Error::UnmappedLabel { path, sample, found: *label, mapping });
                }
            }
        }
        let names: Vec<String> =
            self.classes.iter().map(|(_, letter)| letter.to_string()).collect();
        let count = names.len();
        let classes = Classes::new(new.into(), Some(ClassNames { path: self.path, names }));
        Ok(samples.with_targets(Targets::Classes(classes.with_count(count))))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::fixtures::{encode, message};
    use super::super::source::Idx;
    use super::*;
    use crate::source::{Part, Request, Source};

    fn open(dir: &Path) -> Result<Samples, Error> {
        Idx.open(&Request { path: dir, part: Part::Test, access: Access::read(), size: None })
    }

    /// A folder of letters with these labels.
    fn folder(labels: &[u8]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let path = |name| dir.path().join(format!("emnist-letters-test-{name}"));
        let count = labels.len() as u32;
        let images = encode(0x08, &[count, 1, 1], &vec![9; labels.len()]);
        fs::write(path("images-idx3-ubyte"), images).unwrap();
        fs::write(path("labels-idx1-ubyte"), encode(0x08, &[count], labels)).unwrap();
        dir
    }

    #[test]
    fn labels_are_letters() {
        let dir = folder(&[3, 1, 1]);
        let path = dir.path().join("emnist-letters-mapping.txt");
        for (text, labels, names) in [
            ("1 65 97\n2 66 98\n3 67 99\n4 68 100\n", &[2, 0, 0][..], &["A", "B", "C", "D"][..]),
            ("3 97\r\n1 65 \r\n\r\n", &[1, 0, 0], &["A", "a"]),
        ] {
            fs::write(&path, text).unwrap();
            let samples = open(dir.path()).unwrap();
            let Targets::Classes(classes) = samples.targets() else { panic!() };
            assert_eq!((classes.labels(), classes.count()), (labels, names.len()));
            assert_eq!(classes.names().unwrap().names, names);
        }
        // What the user writes comes first.
        fs::write(dir.path().join("classes.txt"), "x\na\nb\nc").unwrap();
        let samples = open(dir.path()).unwrap();
        let Targets::Classes(classes) = samples.targets() else { panic!() };
        assert_eq!(classes.labels(), [3, 1, 1]);
    }

    #[test]
    fn what_is_no_mapping() {
        let dir = folder(&[0, 1]);
        let path = dir.path().join("emnist-letters-mapping.txt");
        for (text, line) in [
            ("", 1),
            ("1 65\n2", 2),
            ("1 A", 1),
            ("256 65", 1),
            ("1 10", 1),
            ("1 65 97 98", 1),
            ("1 65\n1 66", 2),
            ("1 55296", 1),
        ] {
            fs::write(&path, text).unwrap();
            let error = message(&open(dir.path()).unwrap_err(), dir.path());
            assert_eq!(
                error,
                format!(
                    "DIR/emnist-letters-mapping.txt: line {line}: expected a label of its own, and \
                     the code of its letter, such as 1 65 97; fetch the file again, or remove it"
                ),
                "{text}"
            );
        }
        fs::write(&path, "1 65").unwrap();
        assert_eq!(
            message(&open(dir.path()).unwrap_err(), dir.path()),
            "DIR/emnist-letters-test-labels-idx1-ubyte: found label 0 of sample 0, which \
             DIR/emnist-letters-mapping.txt does not have; fetch both files again, or remove that one"
        );
    }
}
