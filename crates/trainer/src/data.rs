//! The data that a run is given.

use std::path::Path;

use mnist_io::{Dataset, Part};
use nn::{Examples, Inputs};

use crate::error::Error;

/// Where the data are unless `--data` says otherwise.
pub(crate) const DEFAULT_DIR: &str = "data";

/// Maps one part of the data in the folder `dir`.
#[allow(unsafe_code)] // One line, with its reason.
pub(crate) fn open(dir: &Path, part: Part) -> Result<Dataset, Error> {
    if dir == Path::new(DEFAULT_DIR) && !dir.exists() {
        return Err(Error::NoDefaultData { dir: DEFAULT_DIR });
    }
    // SAFETY: vouched for is that nobody writes to these files or truncates them
    // while this process runs. This program opens them for reading only, and
    // writes nowhere but into a run directory that it found empty, in which no
    // data can be. For all other programs the user vouches: the help of `--data`
    // asks for it.
    Ok(unsafe { Dataset::map_dir(dir, part) }?)
}

/// Checks that the two parts are of one kind. Found out before training, it
/// costs nothing; afterwards, the training.
pub(crate) fn check_pair(dir: &Path, train: &Dataset, test: &Dataset) -> Result<(), Error> {
    if (train.rows(), train.cols()) != (test.rows(), test.cols()) {
        return Err(Error::PartSizes { dir: dir.to_owned(), train: size(train), test: size(test) });
    }
    if train.classes() < test.classes() {
        return Err(Error::PartClasses {
            dir: dir.to_owned(),
            train: train.classes() - 1,
            test: test.classes() - 1,
        });
    }
    Ok(())
}

/// The whole of a data set, as a network takes it.
pub(crate) fn examples(data: &Dataset) -> Result<Examples<'_>, Error> {
    Ok(Examples::new(Inputs::pixels(data.images(), data.features())?, data.labels())?)
}

/// The size of the images, as `28 x 28`.
pub(crate) fn size(data: &Dataset) -> String {
    format!("{} x {}", data.rows(), data.cols())
}
