//! Everything that can end the program, each a line that says what to do.

use std::io;
use std::path::{Path, PathBuf};

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
         go to the root of the repository, or name the folder of the MNIST files with --data DIR"
    )]
    NoDefaultData { dir: &'static str },
    #[error(
        "{dir}: the training images are {train} pixels and the test images {test}: \
         expected the same size"
    )]
    PartSizes { dir: PathBuf, train: String, test: String },
    #[error(
        "{model} takes images of {expected} pixels and those in {dir} are {found}: \
         name the data that the model was trained on with --data DIR"
    )]
    ImageSize { model: PathBuf, expected: usize, dir: PathBuf, found: String },
    #[error(
        "the samples are not images: expected images, which the model takes deskewed; \
         name the data that it was trained on with --data DIR"
    )]
    NotImages,
    #[error(
        "{model} takes images after `{found}`: expected `{known}`, or nothing: \
         this version does nothing else to images"
    )]
    Preparation { model: PathBuf, found: String, known: &'static str },
    #[error("{path}: {source}")]
    ClassNames { path: PathBuf, source: nn::Error },
    #[error("there is no recipe `{name}`: the recipes are {known}")]
    UnknownRecipe { name: String, known: String },
    #[error(
        "{what} is for {kinds}, and the {name} is {kind}: \
         leave it out, or choose one of them with {switch}"
    )]
    OtherKind { what: String, kinds: String, name: String, kind: String, switch: String },
    #[error("the {name} {kind} needs a value of {key}: add --set {key}={example}")]
    NoParameter { name: String, kind: String, key: &'static str, example: &'static str },
    #[error(
        "{what} is a part of `{table}`, which is off: \
         leave it out, or turn the whole on with {switch}"
    )]
    Off { what: String, table: &'static str, switch: String },
    #[error(
        "early stopping watches held-out images, and there are none: \
         hold some out with --validation 0.1, or train to the end with --patience none"
    )]
    NothingToWatch,
    #[error("{origin}, line {line}: {message}")]
    Toml { origin: String, line: usize, message: String },
    #[error("the flags leave no valid recipe: {message}")]
    Edited { message: String },
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

    // What a look at the data finds that no training can mend.
    #[error(
        "{dir}: all training samples are of class {class}: \
         expected two classes at least, to tell them apart; check the labels"
    )]
    OneClass { dir: PathBuf, class: usize },
    #[error(
        "{dir}: found {samples} of {classes}, which no training sample is of: \
         expected no class that training does not show; check that the two parts belong together"
    )]
    UnseenClasses { dir: PathBuf, classes: String, samples: String },
    #[error(
        "{dir}: all {samples} training samples have the same features: \
         expected samples that differ; check how the file was made"
    )]
    AllAlike { dir: PathBuf, samples: usize },
}

/// A value that is outside its range.
#[derive(Debug, thiserror::Error)]
#[error("{what} is {found}: expected {expected}")]
pub(crate) struct Range {
    /// The flag or the key, as it was typed.
    pub(crate) what: String,
    pub(crate) found: String,
    pub(crate) expected: String,
}

impl Error {
    /// For `map_err`: what failed, and with which path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}
