//! The table of formats.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::idx::Idx;
use crate::other_files::OtherFile;
use crate::picture::Pictures;
use crate::source::Source;

/// A row for each format. The first that recognises the data opens them, so a format
/// that looks at the name of a file comes before one that would take any file.
pub const SOURCES: &[&dyn Source] = &[&Idx, &Pictures];

/// The format of the data in the folder or the file at `path`.
///
/// # Errors
/// [`Error::NoData`] if there is nothing at `path`, [`Error::UnknownFormat`] if no
/// format recognises it, and [`Error::Open`] if the system does not say what it is.
pub fn find_source(path: &Path) -> Result<&'static dyn Source, Error> {
    find_in(SOURCES, path)
}

fn find_in(sources: &[&'static dyn Source], path: &Path) -> Result<&'static dyn Source, Error> {
    let expected = || {
        let rows = sources.iter().map(|row| format!("{} ({})", row.expected(), row.name()));
        rows.collect::<Vec<_>>().join(", or ")
    };
    // Without a slash at the end, which a path of a file should not have.
    let path = &*path.components().collect::<PathBuf>();
    match fs::metadata(path) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Error::NoData { path: path.into(), expected: expected() });
        }
        Err(error) => return Err(Error::Open { path: path.into(), error }),
    }
    let found = sources.iter().find(|source| source.recognises(path));
    found.copied().ok_or_else(|| {
        let OtherFile { found, advice } = OtherFile::at(path);
        Error::UnknownFormat { path: path.into(), found, advice, expected: expected() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Bytes;
    use crate::idx::fixtures::{images, labels, message};
    use crate::mapped::Access;
    use crate::samples::{Classes, Features, Samples, Targets};
    use crate::source::{Part, Request};

    /// A second format, as small as one can be: a file whose name ends in `.toy`, two
    /// bytes a sample, the first its feature and the second its label.
    struct Toy;

    impl Source for Toy {
        fn name(&self) -> &'static str {
            "toy"
        }

        fn expected(&self) -> &'static str {
            "a file whose name ends in .toy"
        }

        fn recognises(&self, path: &Path) -> bool {
            path.extension().is_some_and(|extension| extension == "toy")
        }

        fn open(&self, request: &Request<'_>) -> Result<Samples, Error> {
            let bytes = request.access.open(request.path)?;
            let features = bytes.chunks(2).map(|sample| sample[0].into()).collect();
            let labels: Vec<_> = bytes.chunks(2).map(|sample| sample[1]).collect();
            let targets = Targets::Classes(Classes::new(Bytes::from(labels), None));
            Ok(Samples::new(Features::Real(features), 1, targets))
        }
    }

    const TWO: &[&dyn Source] = &[&Idx, &Toy];

    #[test]
    fn each_format_is_found_by_its_files() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("train-images-idx3-ubyte"), images()).unwrap();
        fs::write(dir.path().join("train-labels-idx1-ubyte"), labels()).unwrap();
        let toy = dir.path().join("data.toy");
        fs::write(&toy, [5, 1, 9, 0]).unwrap();

        assert_eq!(find_in(TWO, dir.path()).unwrap_or_else(|e| panic!("{e}")).name(), "IDX");
        let source = find_in(TWO, &toy).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(source.name(), "toy");
        let request = Request { path: &toy, part: Part::Train, access: Access::read(), size: None };
        let samples = source.open(&request).unwrap();
        assert!(matches!(samples.features(), Features::Real(values) if values[..] == [5.0, 9.0]));
        let Targets::Classes(classes) = samples.targets() else { panic!() };
        assert_eq!(classes.labels(), [1, 0]);
    }

    #[test]
    fn one_file_of_a_format_is_enough_for_its_errors() {
        for name in ["t10k-labels.idx1-ubyte.gz", "train-images-idx3-ubyte"] {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join(name), []).unwrap();
            let source = find_source(dir.path()).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(source.name(), "IDX");
        }
    }

    #[test]
    fn data_in_no_known_format() {
        let dir = tempfile::tempdir().unwrap();
        let error = find_in(TWO, dir.path()).err().unwrap();
        assert!(matches!(error, Error::UnknownFormat { .. }));
        assert_eq!(
            message(&error, dir.path()),
            "DIR: found no data in a known format, expected a folder with the files of \
             MNIST, such as train-images-idx3-ubyte, raw or with .gz at the end (IDX), or \
             a file whose name ends in .toy (toy); check the path"
        );
        // A file that is no data.
        for (bytes, expected) in [
            (&b"PK\x03\x04"[..], "found a zip archive, expected a folder with "),
            (b"", "found an empty file, expected a folder with "),
            (b"\0\0\x01\x02", "found a file in no known format, expected a folder with "),
        ] {
            let file = dir.path().join("data.zip");
            fs::write(&file, bytes).unwrap();
            let error = find_source(&file).err().unwrap();
            assert!(matches!(error, Error::UnknownFormat { .. }));
            let text = message(&error, dir.path());
            assert!(text.starts_with(&format!("DIR/data.zip: {expected}")), "{text}");
        }
    }

    #[test]
    fn a_file_of_the_data_set_stands_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("train-images-idx3-ubyte");
        fs::write(&path, images()).unwrap();
        for path in [path.clone(), path.join("")] {
            assert_eq!(find_source(&path).unwrap_or_else(|e| panic!("{e}")).name(), "IDX");
        }
    }

    #[test]
    fn no_data() {
        let dir = tempfile::tempdir().unwrap();
        let error = find_source(&dir.path().join("none")).err().unwrap();
        assert!(matches!(error, Error::NoData { .. }));
        assert_eq!(
            message(&error, dir.path()),
            "DIR/none: no such folder or file, expected a folder with the files of MNIST, such \
             as train-images-idx3-ubyte, raw or with .gz at the end (IDX), or a folder with a \
             folder of pictures for each class, such as 7/scan.png (pictures); check the path"
        );
    }

    #[test]
    #[cfg(unix)]
    fn data_that_cannot_be_looked_at_are_not_missing() {
        let dir = tempfile::tempdir().unwrap();
        // A link to itself: no system follows it to an end.
        let path = dir.path().join("train-images-idx3-ubyte");
        std::os::unix::fs::symlink(&path, &path).unwrap();
        assert!(matches!(find_source(&path), Err(Error::Open { .. })));
        assert!(find_source(dir.path()).is_ok());
    }
}
