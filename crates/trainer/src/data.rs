//! The data that a run is given.

mod fault;
pub(crate) mod labelled;
mod parts;
pub(crate) mod table;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use mnist_io::{
    Access, Classes, Features, IdxFile, ImageSize, Part, Request, Samples, Targets, find_source,
};
use nn::{Examples, Inputs, Split, Values};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::Error;
pub(crate) use fault::TableFault;
pub(crate) use parts::{Location, parts, perhaps_from_one, renumbered, without_test};

/// The folder of the data, unless `--data` names another.
pub(crate) const DEFAULT_DIR: &str = "data";

/// The factor that turns a byte into a feature, unless the bytes of the data are all small.
pub(crate) const PIXEL_SCALE: f32 = 1.0 / 255.0;

/// How the files of data get into memory.
#[allow(unsafe_code)] // One line, with its reason.
fn access() -> Access {
    // SAFETY: nobody writes to the files of the data or truncates them while this process
    // runs. This program opens them for reading only, and writes only into a run directory
    // that it found empty, where no data can be. For all other programs the user vouches:
    // the help of `--data` asks for it.
    unsafe { Access::map() }
}

/// Opens one part of the data in the folder or the file at `path`, whatever its format but
/// that of a table. Pictures are brought to `size`.
pub(crate) fn open(path: &Path, part: Part, size: Option<ImageSize>) -> Result<Samples, Error> {
    if path == Path::new(DEFAULT_DIR) && !path.exists() {
        return Err(Error::NoDefaultData { dir: DEFAULT_DIR });
    }
    let path = &*home(path);
    let source = find_source(path).map_err(|mut error| {
        if let mnist_io::Error::NoData { expected, .. }
        | mnist_io::Error::UnknownFormat { expected, .. } = &mut error
        {
            expected.push_str(", or a table in text, such as CSV");
        }
        error
    })?;
    let mut request = Request::new(path, part);
    (request.access, request.size) = (access(), size);
    Ok(source.open(&request)?)
}

/// Whether the file at `path` is a table, by its first bytes.
pub(crate) fn is_table(path: &Path) -> bool {
    mnist_io::is_table(&home(path))
}

/// Maps a file of IDX.
pub(crate) fn map(path: &Path) -> Result<IdxFile, Error> {
    Ok(IdxFile::open(path, access())?)
}

/// Holds out a share of the samples that have these targets: of each class, where they are
/// classes.
pub(crate) fn split(targets: &Targets, fraction: f64, seed: u64) -> Result<Split, Error> {
    Ok(match targets {
        Targets::Classes(classes) => Split::stratified(classes.labels(), fraction, seed)?,
        Targets::Values(values) => Split::random(values.len(), fraction, seed)?,
    })
}

/// The samples to train on that are held out for validation, if the settings ask for some.
pub(crate) fn held_out(config: &Config, targets: &Targets) -> Result<Option<Split>, Error> {
    match config.data.validation {
        0.0 => Ok(None),
        fraction => split(targets, fraction, config.training.seed).map(Some),
    }
}

/// A path as the user means it. A shell replaces a `~` at the beginning only if it begins a
/// word, which it does not in `--data=~/mnist` and in a recipe; so it is replaced here.
pub(crate) fn home(path: &Path) -> Cow<'_, Path> {
    from_home(path, std::env::home_dir())
}

/// `path` with the folder `home` for a `~` that it begins with, unless there is a folder of
/// that name.
fn from_home(path: &Path, home: Option<PathBuf>) -> Cow<'_, Path> {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) if !Path::new("~").exists() => home.join(rest).into(),
        _ => path.into(),
    }
}

/// Checks that the two parts belong together. Before the training that costs nothing;
/// after it, the training.
pub(crate) fn check_pair(dir: &Path, train: &Samples, test: &Samples) -> Result<(), Error> {
    let [in_train, in_test] = [train, test].map(|samples| match samples.features() {
        Features::Bytes(_) => "bytes",
        Features::Real(_) => "real numbers",
    });
    if in_train != in_test {
        return Err(Error::PartTypes { dir: dir.to_owned(), train: in_train, test: in_test });
    }
    if (train.width(), train.image_size()) != (test.width(), test.image_size()) {
        return Err(Error::PartSizes { dir: dir.to_owned(), train: size(train), test: size(test) });
    }
    Ok(())
}

/// Checks that every feature is a finite number, which is a matter of milliseconds; found
/// after the training, it would be one of hours.
pub(crate) fn check_finite(dir: &Path, part: Part, samples: &Samples) -> Result<(), Error> {
    let Features::Real(values) = samples.features() else { return Ok(()) };
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => Err(Error::NotFinite {
            dir: dir.to_owned(),
            part: part_name(part),
            sample: at / samples.width(),
            feature: at % samples.width(),
            value: values[at],
        }),
    }
}

fn part_name(part: Part) -> &'static str {
    match part {
        Part::Train => "training",
        Part::Test => "test",
    }
}

/// All samples of a part, as a network takes them.
pub(crate) fn examples(samples: &Samples) -> Result<Examples<'_>, Error> {
    let inputs = match samples.features() {
        Features::Bytes(values) => Inputs::pixels(values, samples.width())?,
        Features::Real(values) => Inputs::new(values, samples.width())?,
    };
    Ok(match samples.targets() {
        Targets::Classes(classes) => Examples::new(inputs, classes.labels())?,
        Targets::Values(values) => Examples::new(inputs, Values::new(values, 1)?)?,
    })
}

/// CRC-32 of the features and the labels of both parts: a run continues with the same data
/// only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checksums {
    pub(crate) train: String,
    pub(crate) test: String,
}

impl Checksums {
    pub(crate) fn of(train: &Samples, test: &Samples) -> Self {
        Self { train: checksum(train), test: checksum(test) }
    }
}

/// CRC-32 of how much each sample counts, in hexadecimal digits; of none, where all count the same.
pub(crate) fn checksum_of_weights(weights: &[f32]) -> String {
    let mut hash = crc32fast::Hasher::new();
    weights.iter().for_each(|weight| hash.update(&weight.to_le_bytes()));
    format!("{:08x}", hash.finalize())
}

/// CRC-32 of features and labels, in hexadecimal digits.
pub(crate) fn checksum(samples: &Samples) -> String {
    let mut hash = crc32fast::Hasher::new();
    match samples.features() {
        Features::Bytes(bytes) => hash.update(bytes),
        Features::Real(values) => {
            values.iter().for_each(|value| hash.update(&value.to_le_bytes()));
        }
    }
    match samples.targets() {
        Targets::Classes(classes) => hash.update(classes.labels()),
        Targets::Values(values) => {
            values.iter().for_each(|value| hash.update(&value.to_le_bytes()));
        }
    }
    format!("{:08x}", hash.finalize())
}

/// The classes of the samples, if that is what a network is trained to tell apart.
pub(crate) fn classes(samples: &Samples) -> Option<&Classes> {
    match samples.targets() {
        Targets::Classes(classes) => Some(classes),
        Targets::Values(_) => None,
    }
}

/// The size of the images, for what is done to images only. A single row or column is no
/// image, whatever its file says, and two of them are a table rather: they cannot be turned.
pub(crate) fn image_size(samples: &Samples) -> Option<ImageSize> {
    samples.image_size().filter(|size| size.rows > 2 && size.cols > 2)
}

/// The size of a sample: `28 x 28` for an image, otherwise the number of features.
pub(crate) fn size(samples: &Samples) -> String {
    samples.image_size().map_or_else(|| samples.width().to_string(), |size| size.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples of three measurements, which are no image.
    fn measurements(labels: &[u8]) -> Samples {
        let values = (0..3 * labels.len()).map(|value| value as f32 / 2.0).collect();
        let targets = Targets::Classes(Classes::new(labels.to_vec().into(), None));
        Samples::new(Features::Real(values), 3, targets)
    }

    #[test]
    fn real_features_reach_the_network() {
        let samples = measurements(&[2, 0, 1]);
        let examples = examples(&samples).unwrap();
        assert_eq!((examples.len(), examples.inputs().width()), (3, 3));
        assert_eq!(classes(&samples).map(Classes::count), Some(3));
        assert_eq!(size(&samples), "3");
        assert_eq!(image_size(&samples), None);
        let line = samples.with_image_size(ImageSize { rows: 1, cols: 3 });
        assert_eq!((image_size(&line), size(&line)), (None, "1 x 3".into()));
    }

    #[test]
    fn images_and_measurements_do_not_belong_together() {
        let images =
            |labels: &[u8]| measurements(labels).with_image_size(ImageSize { rows: 1, cols: 3 });
        let check = |train: &Samples, test: &Samples| check_pair(Path::new("dir"), train, test);
        check(&measurements(&[0, 1]), &measurements(&[1, 0, 0])).unwrap();
        check(&images(&[0, 1]), &images(&[0])).unwrap();
        let targets = Targets::Classes(Classes::new(vec![0].into(), None));
        let bytes = Samples::new(Features::Bytes(vec![1, 2, 3].into()), 3, targets);
        let error = check(&measurements(&[0]), &bytes).unwrap_err();
        assert!(matches!(error, Error::PartTypes { train: "real numbers", test: "bytes", .. }));
        let error = check(&measurements(&[0]), &images(&[0])).unwrap_err();
        assert!(
            matches!(error, Error::PartSizes { train, test, .. } if (&*train, &*test) == ("3", "1 x 3"))
        );
    }

    #[test]
    fn a_path_may_begin_at_home() {
        let home = || Some(PathBuf::from("/home/me"));
        for (path, expected) in [
            ("~/mnist", "/home/me/mnist"),
            ("~", "/home/me"),
            ("~you/mnist", "~you/mnist"),
            ("./~/mnist", "./~/mnist"),
            ("mnist~", "mnist~"),
            ("/data", "/data"),
        ] {
            assert_eq!(from_home(Path::new(path), home()), Path::new(expected));
        }
        assert_eq!(from_home(Path::new("~/mnist"), None), Path::new("~/mnist"));
    }
}
