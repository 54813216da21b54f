//! Files of IDX under names of their own: a file of features, and the file of labels that
//! belongs to it.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use super::file::IdxFile;
use super::gzip;
use super::header::{Header, MAX_HEADER};
use super::name::Name;
use super::pair::Pair;
use super::parse::read_header;
use super::source::Idx;
use crate::class_names::ClassNames;
use crate::error::Error;
use crate::mapped::{self, Access};
use crate::samples::Samples;
use crate::source::{Part, Request};

/// The words in the names of files of features, and in those of their labels.
const WORDS: [(&str, &str); 3] = [("images", "labels"), ("image", "label"), ("x", "y")];

/// What is between the words of a name.
const BETWEEN: [char; 4] = ['-', '_', '.', ' '];

impl Idx {
    /// The samples of two files, whatever their names: the features, and a label for each
    /// sample. The names of the classes are in a file `classes.txt` beside the features, if
    /// there is one. Images of EMNIST, known by the name of their file, become upright.
    ///
    /// # Errors
    /// If a file cannot be opened or is not IDX, if they do not belong together, or if their
    /// shapes or elements are not those of features and labels.
    pub fn open_pair(features: &Path, labels: &Path, access: Access) -> Result<Samples, Error> {
        let file = IdxFile::open(features, access)?;
        let transposed = file.is_transposed();
        let pair = Pair::new(file, IdxFile::open(labels, access)?)?;
        let dir = features.parent().unwrap_or(Path::new(""));
        let samples = pair.into_samples(ClassNames::read_dir(dir)?)?;
        Ok(if transposed { samples.transposed() } else { samples })
    }
}

/// The header of the file at `path` if that is IDX, raw or gzip, under a name that is not one
/// of MNIST's.
pub(super) fn header(path: &Path) -> Option<Header> {
    let name = path.file_name().and_then(OsStr::to_str);
    if name.and_then(Name::parse).is_some() {
        return None;
    }
    let read = |reader: &mut dyn Read| {
        let mut start = Vec::new();
        reader.take(MAX_HEADER as u64).read_to_end(&mut start).ok().map(|_| start)
    };
    let start = read(&mut mapped::open(path).ok()?)?;
    let start = if start.starts_with(&gzip::MAGIC) {
        read(&mut GzDecoder::new(mapped::open(path).ok()?))?
    } else {
        start
    };
    read_header(&start).ok()
}

/// Opens the file of features that [`header`] is of, with the labels that its name points to.
pub(super) fn open(request: &Request<'_>, header: Header) -> Result<Samples, Error> {
    let path = request.path;
    let Some(labels) = partner(path) else {
        return Err(Error::NoLabels { path: path.into(), header });
    };
    match request.part {
        Part::Train => Idx::open_pair(path, &labels, request.access),
        part @ Part::Test => Err(Error::OnePart { path: path.into(), part }),
    }
}

/// The file of labels beside a file of features: its name is the same but for the one word
/// that says what is in it, and perhaps for the number of dimensions, `idx1`, and `.gz`.
fn partner(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let other = |word: &str| {
        let lower = word.to_lowercase();
        let (_, other) = WORDS.into_iter().find(|(of_features, _)| *of_features == lower)?;
        Some(match word {
            _ if word == lower => other.to_owned(),
            _ if word == word.to_uppercase() => other.to_uppercase(),
            _ => other[..1].to_uppercase() + &other[1..],
        })
    };
    let mut found = 0;
    let mut words = String::new();
    for word in name.split_inclusive(BETWEEN) {
        let bare = word.trim_end_matches(BETWEEN);
        match other(bare) {
            Some(other) => {
                found += 1;
                words += &(other + &word[bare.len()..]);
            }
            None => words += word,
        }
    }
    if found != 1 {
        return None;
    }
    let raw = words.strip_suffix(".gz").unwrap_or(&words).to_owned();
    let one = |name: &str| name.replace("idx2", "idx1").replace("idx3", "idx1");
    let gzip = |name: &str| format!("{name}.gz");
    let names = [words.clone(), one(&words), raw.clone(), one(&raw), gzip(&raw), gzip(&one(&raw))];
    names.into_iter().map(|name| path.with_file_name(name)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::fixtures::{encode, gzip, images, labels, message};
    use super::*;
    use crate::formats::find_source;
    use crate::samples::{Features, Targets};

    fn open(path: &Path, part: Part) -> Result<Samples, Error> {
        let request = Request { path, part, access: Access::read(), size: None };
        find_source(path)?.open(&request)
    }

    #[test]
    fn labels_are_found_by_the_name_of_the_features() {
        for (features, of_labels) in [
            ("my-images.idx", "my-labels.idx"),
            ("My Images.idx", "My Labels.idx"),
            ("IMAGES_a", "LABELS_a"),
            ("image.bin", "label.bin"),
            ("train_x.idx.gz", "train_y.idx.gz"),
            ("x.idx.gz", "y.idx"),
            ("images.idx", "labels.idx.gz"),
            ("val-images-idx3-ubyte", "val-labels-idx1-ubyte"),
            ("val.X.idx2.gz", "val.Y.idx1"),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let bytes = |name: &str, raw: Vec<u8>| {
                if name.ends_with(".gz") { gzip(&raw) } else { raw }
            };
            let path = dir.path().join(features);
            fs::write(&path, bytes(features, images())).unwrap();
            fs::write(dir.path().join(of_labels), bytes(of_labels, labels())).unwrap();
            let samples = open(&path, Part::Train).unwrap_or_else(|e| panic!("{features}: {e}"));
            let Targets::Classes(classes) = samples.targets() else { panic!() };
            assert_eq!(classes.labels(), [4, 2], "{features}");
            let error = open(&path, Part::Test).unwrap_err();
            assert!(matches!(error, Error::OnePart { .. }), "{error}");
        }
    }

    #[test]
    fn names_that_point_to_nothing() {
        for (features, other) in [
            ("my-images.idx", "your-labels.idx"),
            ("digits.idx", "digits-labels.idx"),
            ("images-x.idx", "labels-y.idx"),
            ("maximages.idx", "maxlabels.idx"),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join(features);
            fs::write(&path, images()).unwrap();
            fs::write(dir.path().join(other), labels()).unwrap();
            let error = open(&path, Part::Train).unwrap_err();
            assert_eq!(
                message(&error, dir.path()),
                format!(
                    "DIR/{features}: found 2 x 1 x 3 u8 in IDX, and beside it no file of labels \
                     that has its name; name the file of the labels"
                )
            );
        }
    }

    #[test]
    fn two_files_that_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| dir.path().join(name));
        let values = [0.5f64, -1.0, 2.0, 4.0].map(f64::to_be_bytes).concat();
        fs::write(&a, gzip(&encode(0x0e, &[2, 2], &values))).unwrap();
        fs::write(&b, labels()).unwrap();
        let samples = Idx::open_pair(&a, &b, Access::read()).unwrap();
        let Features::Real(found) = samples.features() else { panic!("{samples:?}") };
        assert_eq!((&found[..], samples.image_size()), (&[0.5, -1.0, 2.0, 4.0][..], None));
        let swapped = Idx::open_pair(&b, &a, Access::read()).unwrap_err();
        assert!(matches!(swapped, Error::ImageDims { .. }), "{swapped}");
        fs::write(dir.path().join("classes.txt"), "p\nq\nr\ns\nt").unwrap();
        let samples = Idx::open_pair(&a, &b, Access::read()).unwrap();
        let Targets::Classes(classes) = samples.targets() else { panic!() };
        assert_eq!(classes.names().unwrap().names.len(), 5);
    }
}
