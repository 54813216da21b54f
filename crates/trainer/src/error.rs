//! Everything that can end the program, each a line that says what to do.

use std::io;
use std::path::{Path, PathBuf};

use nn::Optimizer;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Isa(#[from] kernels::UnknownIsa),
    #[error(transparent)]
    Data(#[from] mnist_io::Error),
    #[error(transparent)]
    Augment(#[from] mnist_io::AugmentError),
    #[error(transparent)]
    Network(#[from] nn::Error),
    #[error(
        "there is no folder `{dir}` in the current directory: \
         go to the root of the repository, or name the folder of the MNIST files with --data DIR",
        dir = crate::data::DEFAULT_DIR
    )]
    NoDefaultData,
    #[error(
        "{dir}: the training images are {train} pixels and the test images {test}: \
         expected the same size"
    )]
    PartSizes { dir: PathBuf, train: String, test: String },
    #[error(
        "{dir}: the test labels go up to {test} and the training labels to {train}: \
         expected no test label that training does not show"
    )]
    PartClasses { dir: PathBuf, train: usize, test: usize },
    #[error(
        "{model} takes images of {expected} pixels and those in {dir} are {found}: \
         name the data that the model was trained on with --data DIR"
    )]
    ImageSize { model: PathBuf, expected: usize, dir: PathBuf, found: String },
    #[error(
        "the samples are not images of bytes: expected such images for deskewing and \
         augmentation; take `deskew` and `[augment]` out of the settings"
    )]
    NotImages,
    #[error(
        "{model} takes images after `{found}`: expected `{deskew}`, or nothing, \
         which is all that this version does to images",
        deskew = crate::augment::DESKEW
    )]
    Preparation { model: PathBuf, found: String },
    #[error("{path}: {source}")]
    ClassNames { path: PathBuf, source: nn::Error },
    #[error("there is no recipe `{name}`: the recipes are {}", crate::recipe::names())]
    UnknownRecipe { name: String },
    #[error(
        "--momentum is for sgd and nesterov, and the optimizer is {optimizer}: \
         leave it out, or choose one of them with --optimizer"
    )]
    NoMomentum { optimizer: Optimizer },
    #[error(
        "--monitor and --min-delta are for early stopping, and there is none: \
         leave them out, or say how long to wait with --patience"
    )]
    NoPatience,
    #[error(
        "early stopping watches held-out images, and there are none: \
         hold some out with --validation 0.1, or train to the end with --patience none"
    )]
    NothingToWatch,
    #[error("{origin}, line {line}: {message}")]
    Toml { origin: String, line: usize, message: String },
    #[error(transparent)]
    Range(#[from] Range),
    #[error("cannot start {threads} threads: {reason}: try fewer with --threads")]
    Threads { threads: usize, reason: String },
    #[error(
        "{path} is not empty: name another directory with --out, \
         or move or delete this one to use it again"
    )]
    NotEmpty { path: PathBuf },
    #[error("cannot {action} {path}: {source}")]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("cannot write the settings as TOML: {0}")]
    Unwritable(#[from] toml::ser::Error),
    #[error("cannot write to stdout: {0}")]
    Stdout(io::Error),
}

/// A number that is outside its range.
#[derive(Debug, thiserror::Error)]
#[error("{what} is {found}: expected {expected}")]
pub(crate) struct Range {
    pub(crate) what: &'static str,
    pub(crate) found: String,
    pub(crate) expected: String,
}

impl Error {
    /// For `map_err`: what was tried with which path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}
