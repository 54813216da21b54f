//! MNIST's files as samples.

use std::path::Path;

use super::alone;
use super::file::IdxFile;
use super::folder::{self, Folder};
use super::mapping::Mapping;
use super::name::Name;
use super::pair::Pair;
use crate::class_names::ClassNames;
use crate::error::Error;
use crate::samples::Samples;
use crate::source::{Part, Request, Source};

/// A folder with the files of MNIST, or of a data set that comes in files of such names, as
/// Fashion-MNIST and EMNIST do; the names of the classes in a file `classes.txt`. See
/// [`Dataset::read_dir`](crate::Dataset::read_dir) for the names of files. The images of
/// EMNIST, which are published with rows and columns exchanged, become upright.
///
/// A file of another name is one part: features whose labels lie beside it, in a file whose
/// name says `labels` where that of the features says `images`. [`Idx::open_pair`] opens files
/// that have nothing in common.
#[derive(Clone, Copy, Debug)]
pub struct Idx;

impl Idx {
    /// The part that a file is of, by its name: `t10k-images-idx3-ubyte` is of the test part.
    #[must_use]
    pub fn part_of(path: &Path) -> Option<Part> {
        Name::parse(path.file_name()?.to_str()?).map(|name| name.part)
    }
}

impl Source for Idx {
    fn name(&self) -> &'static str {
        "IDX"
    }

    fn expected(&self) -> &'static str {
        "a folder with the files of MNIST, such as train-images-idx3-ubyte, raw or with .gz at the end"
    }

    fn recognises(&self, path: &Path) -> bool {
        folder::has_any(path) || alone::header(path).is_some()
    }

    fn open(&self, request: &Request<'_>) -> Result<Samples, Error> {
        if let Some(header) = alone::header(request.path) {
            return alone::open(request, header);
        }
        let folder = Folder::find(request.path)?;
        let [features, labels] = folder.pair(request.part)?;
        let [features, labels] = [features, labels].map(|path| IdxFile::open(path, request.access));
        let pair = Pair::new(features?, labels?)?;
        // Beside the files, or in the folder that the user knows.
        let names = match ClassNames::read_dir(&folder.dir)? {
            None if request.path.is_dir() => ClassNames::read_dir(request.path)?,
            names => names,
        };
        let mapping = match names {
            None => Mapping::read(folder.mapping())?,
            Some(_) => None,
        };
        let labels = pair.labels.file().path().to_owned();
        let mut samples = pair.into_samples(names)?;
        if let Some(mapping) = mapping {
            samples = mapping.apply(samples, &labels)?;
        }
        Ok(if folder.is_transposed() { samples.transposed() } else { samples })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::fixtures::{encode, gzip, images, labels};
    use super::*;
    use crate::mapped::Access;
    use crate::samples::{Features, ImageSize, Targets};

    fn open(dir: &Path) -> Result<Samples, Error> {
        Idx.open(&Request { path: dir, part: Part::Test, access: Access::read(), size: None })
    }

    #[test]
    fn the_path_of_a_file_without_names() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t10k-images-idx3-ubyte");
        fs::write(&path, images()).unwrap();
        fs::write(dir.path().join("t10k-labels-idx1-ubyte"), labels()).unwrap();
        assert_eq!(open(&path).unwrap().len(), 2);
    }

    #[test]
    fn images_labels_and_names() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("t10k-images-idx3-ubyte"), images()).unwrap();
        fs::write(dir.path().join("t10k-labels.idx1-ubyte.gz"), gzip(&labels())).unwrap();
        let samples = open(dir.path()).unwrap();
        assert_eq!((samples.len(), samples.width()), (2, 3));
        assert_eq!(samples.image_size(), Some(ImageSize { rows: 1, cols: 3 }));
        let Features::Bytes(pixels) = samples.features() else { panic!("{samples:?}") };
        assert_eq!(pixels[..], [1, 2, 3, 4, 5, 6]);
        let Targets::Classes(classes) = samples.targets() else { panic!() };
        assert_eq!((classes.labels(), classes.count(), classes.names()), (&[4, 2][..], 5, None));

        fs::write(dir.path().join("classes.txt"), "a\nb").unwrap();
        let samples = open(dir.path()).unwrap();
        let Targets::Classes(classes) = samples.targets() else { panic!() };
        assert_eq!(classes.names().unwrap().names, ["a", "b"]);
        fs::write(dir.path().join("classes.txt"), "").unwrap();
        assert!(matches!(open(dir.path()), Err(Error::ClassNames { line: 1, .. })));
    }

    #[test]
    fn emnist_is_known_by_its_name_and_made_upright() {
        for (set, expected) in [("emnist-letters-", [1, 3, 2, 4]), ("qmnist-", [1, 2, 3, 4])] {
            let dir = tempfile::tempdir().unwrap();
            let [images, labels] = ["images-idx3-ubyte", "labels-idx1-ubyte"]
                .map(|name| dir.path().join(format!("{set}test-{name}")));
            fs::write(&images, encode(0x08, &[1, 2, 2], &[1, 2, 3, 4])).unwrap();
            fs::write(labels, encode(0x08, &[1], &[1])).unwrap();
            let samples = open(dir.path()).unwrap();
            let Features::Bytes(pixels) = samples.features() else { panic!("{samples:?}") };
            assert_eq!(pixels[..], expected, "{set}");

            // The file of images alone.
            let (features, width, _) = IdxFile::read(&images).unwrap().into_features().unwrap();
            let Features::Bytes(pixels) = features else { panic!() };
            assert_eq!((&pixels[..], width), (&expected[..], 4), "{set}");
            fs::write(&images, encode(0x08, &[1, 1, 3], &[1, 2, 3])).unwrap();
            let (_, _, size) = IdxFile::read(&images).unwrap().into_features().unwrap();
            let [rows, cols] = if expected[1] == 3 { [3, 1] } else { [1, 3] };
            assert_eq!(size, Some(ImageSize { rows, cols }), "{set}");
        }
    }

    #[test]
    fn names_of_classes_lie_beside_the_files_or_above_them() {
        let dir = tempfile::tempdir().unwrap();
        let raw = dir.path().join("MNIST/raw");
        fs::create_dir_all(&raw).unwrap();
        fs::write(raw.join("t10k-images-idx3-ubyte"), images()).unwrap();
        fs::write(raw.join("t10k-labels-idx1-ubyte"), labels()).unwrap();
        for (path, expected) in [(dir.path(), "above"), (&raw, "beside")] {
            fs::write(path.join("classes.txt"), expected).unwrap();
            let samples = open(dir.path()).unwrap();
            let Targets::Classes(classes) = samples.targets() else { panic!() };
            assert_eq!(classes.names().unwrap().names, [expected]);
        }
        let samples = open(&raw.join("t10k-labels-idx1-ubyte")).unwrap();
        let Targets::Classes(classes) = samples.targets() else { panic!() };
        assert_eq!(classes.names().unwrap().names, ["beside"]);
    }

    #[test]
    fn what_the_files_lack_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("t10k-images-idx3-ubyte"), images()).unwrap();
        assert!(matches!(open(dir.path()), Err(Error::MissingFile { .. })));
        let three = encode(0x08, &[3], &[0; 3]);
        fs::write(dir.path().join("t10k-labels-idx1-ubyte"), three).unwrap();
        assert!(matches!(open(dir.path()), Err(Error::Counts { .. })));
    }
}
