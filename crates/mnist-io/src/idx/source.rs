//! MNIST's files as samples.

use std::path::Path;

use super::dataset::Dataset;
use super::folder;
use crate::class_names::ClassNames;
use crate::error::Error;
use crate::samples::{Classes, Features, ImageSize, Samples, Targets};
use crate::source::{Request, Source};

/// A folder with the files of MNIST, or of a data set that comes in files of the same
/// names, such as Fashion-MNIST; the names of the classes in a file `classes.txt`.
#[derive(Clone, Copy, Debug)]
pub struct Idx;

impl Source for Idx {
    fn name(&self) -> &'static str {
        "IDX"
    }

    fn expected(&self) -> &'static str {
        "a folder with the files of MNIST, such as train-images-idx3-ubyte, raw or with .gz at the end"
    }

    fn recognises(&self, path: &Path) -> bool {
        folder::has_any(path)
    }

    fn open(&self, request: &Request<'_>) -> Result<Samples, Error> {
        let dataset = Dataset::open_dir(request.path, request.part, request.access)?;
        let names = ClassNames::read_dir(request.path)?;
        let (size, width) =
            (ImageSize { rows: dataset.rows(), cols: dataset.cols() }, dataset.features());
        let (images, labels) = dataset.into_files();
        let features = Features::Bytes(images.into_body());
        let targets = Targets::Classes(Classes::new(labels.into_body(), names));
        Ok(Samples::new(features, width, targets).with_image_size(size))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::fixtures::{encode, gzip, images, labels};
    use super::*;
    use crate::mapped::Access;
    use crate::source::Part;

    fn open(dir: &Path) -> Result<Samples, Error> {
        Idx.open(&Request { path: dir, part: Part::Test, access: Access::read() })
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
        let Targets::Classes(classes) = samples.targets();
        assert_eq!((classes.labels(), classes.count(), classes.names()), (&[4, 2][..], 5, None));

        fs::write(dir.path().join("classes.txt"), "a\nb").unwrap();
        let samples = open(dir.path()).unwrap();
        let Targets::Classes(classes) = samples.targets();
        assert_eq!(classes.names().unwrap().names, ["a", "b"]);
        fs::write(dir.path().join("classes.txt"), "").unwrap();
        assert!(matches!(open(dir.path()), Err(Error::ClassNames { line: 1, .. })));
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
