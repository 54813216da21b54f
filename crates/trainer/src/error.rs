//! Everything that can end the program, each a line that says what to do.

use std::io;
use std::path::{Path, PathBuf};

use mnist_io::Header;

use crate::data::TableFault;
use crate::stop::Signal;
use crate::words::shell_word;

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
    #[error("{path}: found {header} in IDX, {}", labels_advice(.header, .flag))]
    NoLabels { path: PathBuf, header: Header, flag: &'static str },
    #[error("{flag} is for a file of IDX, and {path} is {found}")]
    LabelsOfOther { flag: &'static str, path: PathBuf, found: &'static str },
    #[error("--test-labels is for a file of IDX that --test names, and there is none: name it")]
    LabelsAlone,
    #[error(
        "{dir}: the training images are {train} pixels and the test images {test}: \
         expected the same size"
    )]
    PartSizes { dir: PathBuf, train: String, test: String },
    #[error(
        "{model} takes images of {expected} pixels and those in {dir} are {found}: \
         expected images of the size that it was trained on"
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
    #[error("there is no recipe `{name}`: {instead}")]
    UnknownRecipe { name: String, instead: String },
    #[error("{path} is {found}: expected a recipe file; {instead}")]
    NoRecipe { path: PathBuf, found: &'static str, instead: String },
    #[error("cannot read the recipe {path}: {source}{instead}")]
    RecipeFile { path: PathBuf, source: io::Error, instead: String },
    #[error(
        "{what} is for {kinds}, and the {name} is {kind}: \
         leave it out, or choose one of them{switch}"
    )]
    OtherKind { what: String, kinds: String, name: String, kind: String, switch: String },
    #[error("{what} needs `{name}`: write {example}")]
    Incomplete { what: String, name: String, example: String },
    /// A key that does not exist.
    #[error("{what}: {message}")]
    Key { what: String, message: String },
    /// A command line that no command takes.
    #[error("{0} (try --help)")]
    Usage(String),
    #[error(
        "{what} is a part of `{table}`, which is off: \
         leave it out, or turn the whole on with {switch}"
    )]
    Off { what: String, table: &'static str, switch: String },
    #[error(
        "{what} needs held-out samples to watch, and there are none: \
         hold some out with --validation 0.1, or train to the end with --patience none"
    )]
    NothingToWatch { what: String },
    #[error("{origin}, line {line}: {message}")]
    Toml { origin: String, line: usize, message: String },
    #[error("the flags leave no valid recipe: {message}")]
    Edited { message: String },
    #[error(transparent)]
    Value(#[from] Refused),
    #[error(
        "training.class-weights (--class-weights) has {found} numbers: expected {expected}, one \
         for each class of the data"
    )]
    ClassWeights { found: usize, expected: usize },
    #[error(
        "{}: found labels 1 to {last} and no names, expected 0 to {} or names: put classes.txt or \
         the file of EMNIST with the letters beside the data",
        .path.display(),
        .last - 1
    )]
    FromOne { path: PathBuf, last: usize },
    #[error("{key} ({flag}) is for classes, and a number is predicted: leave it out")]
    NeedsClasses { key: &'static str, flag: &'static str },
    #[error("cannot start {threads} threads: {reason}: try fewer with --threads")]
    Threads { threads: usize, reason: String },
    #[error(
        "{path} has {found}, which is no file of a run: name a new or empty directory with --out"
    )]
    NotEmpty { path: PathBuf, found: String },
    #[error(
        "{dir}: feature {feature} of {part} sample {sample} is {value}: expected a finite number"
    )]
    NotFinite { dir: PathBuf, part: &'static str, sample: usize, feature: usize, value: f32 },
    #[error(
        "{path} has a run that has ended: name another directory with --out, \
         or replace the run with --overwrite"
    )]
    Finished { path: PathBuf },
    #[error(
        "{path} has a run that has not ended: go on with --resume {resume}, \
         or replace the run with --overwrite"
    )]
    Unfinished { path: PathBuf, resume: String },
    #[error(
        "process{holder} is writing to {path}: wait for it, or name another directory with --out"
    )]
    Busy { path: PathBuf, holder: String },
    #[error(
        "cannot read {path}, from which a run continues: \
         name the directory of a run that has a checkpoint"
    )]
    NoCheckpoint { path: PathBuf },
    #[error("{path} is no checkpoint of a run: {reason}")]
    OtherCheckpoint { path: PathBuf, reason: String },
    #[error(
        "{key} is {now} and was {was}: a run continues with the settings that it began with; \
         only --epochs and where the data lie may change"
    )]
    OtherSetting { key: String, was: String, now: String },
    #[error(
        "the {part} data in {dir} have the checksum {now}, those of the run {was}: \
         name the data that the run began with, with --data DIR"
    )]
    OtherData { part: &'static str, dir: PathBuf, was: String, now: String },
    #[error(
        "the run was trained with the instruction set {was}, this is {now}: they compute \
         different bits; set KERNELS_ISA={was}"
    )]
    OtherIsa { was: String, now: String },
    #[error(
        "the run was begun by trainer {was}, this is {now}: continue it with that version, \
         or begin again with --config {config}"
    )]
    OtherVersion { was: String, now: &'static str, config: String },
    #[error("the run has ended after {epochs} of {epochs} epochs: train more with --epochs N")]
    Complete { epochs: usize },
    #[error(
        "training.epochs (--epochs) is {epochs}, and {trained} are trained already{}: expected at \
         least {begun}",
        if begun > trained { format!(" and epoch {begun} is begun") } else { String::new() }
    )]
    FewerEpochs { epochs: usize, trained: usize, begun: usize },
    #[error("early stopping has ended the run after epoch {epoch}: there is nothing to continue")]
    StoppedEarly { epoch: usize },
    /// The directory of a sweep.
    #[error("{path}: {reason}")]
    SweepDir { path: PathBuf, reason: String },
    #[error("no trial has ended in the budget of {budget}: {advice}")]
    NoTrial { budget: String, advice: String },
    /// Of the trials that a command makes.
    #[error("{name}: {source}")]
    Trial { name: String, source: Box<Self> },
    #[error(
        "training diverged in {diverged} of {of} {what}: try a smaller learning rate with --lr, or \
         --clip-norm 1"
    )]
    SomeDiverged { diverged: usize, of: usize, what: &'static str },
    #[error("{source}; the network of epoch {epoch} is kept in {model}")]
    Diverged { source: nn::Error, epoch: usize, model: PathBuf },
    /// What ranks do not agree on, or what has ended one of them.
    #[error("{message}")]
    Ranks { message: String, code: u8 },
    /// On the other ranks: rank 0 has ended, with this exit code.
    #[error("rank 0 has ended with the exit code {code}")]
    Led { code: u8 },
    #[error(
        "{command} does not share its work with other processes: start it without mpirun or srun"
    )]
    NotShared { command: &'static str },
    #[error("by {} {at}", .signal.name())]
    Stopped {
        signal: Signal,
        at: String,
        /// The command that goes on, and whether several ranks did.
        resume: String,
        several: bool,
    },
    #[error("by {}; nothing was written", .signal.name())]
    Interrupted { signal: Signal },
    #[error("{source}; to go on once it can be written: {resume}")]
    Unsaved { source: Box<Self>, resume: String },
    #[error(
        "{} {was}; to begin it again{how}: {program} --config {} {flags}",
        .path.display(),
        shell_word(&.path.join("config.toml"))
    )]
    NoSave { path: PathBuf, was: &'static str, how: &'static str, program: String, flags: String },
    #[error("{path} is the directory of {what}: {advice}")]
    SeveralRuns { path: PathBuf, what: &'static str, advice: String },
    #[error(
        "{path} is the directory of a sweep, which goes on by {program} sweep --resume {}",
        shell_word(.path)
    )]
    ResumeSweep { path: PathBuf, program: String },
    #[error("{path} is a folder without a model.safetensors: name a model or a run")]
    ModelFolder { path: PathBuf },
    #[error("{path} is a file: --out takes a new or an empty directory")]
    NotADirectory { path: PathBuf },
    #[error("cannot {action} {path}: {source}")]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error(
        "the run needs about {needed} for its files in {path}, and {free} are free: make room, \
         or name another place with --out"
    )]
    NoSpace { path: PathBuf, needed: String, free: String },
    #[error(
        "a file of the run would have about {needed}, and this process may write {limit} \
         (ulimit -f): raise the limit"
    )]
    FileLimit { needed: String, limit: String },
    #[error(
        "the network {layers} has {parameters} parameters, and to train it takes at least \
         {needed} of memory: there are {free}; try smaller --hidden layers"
    )]
    NoMemory { layers: String, parameters: usize, needed: String, free: String },
    #[error("cannot listen to signals: {0}")]
    Signals(io::Error),
    #[error("cannot write the settings as TOML: {0}")]
    Unwritable(#[from] toml::ser::Error),
    #[error("cannot write to stdout: {0}")]
    Stdout(io::Error),
    #[error(
        "the result goes to stdout, which is closed: open it, or send it to a file or to /dev/null"
    )]
    NoStdout,

    #[error("{path}: {fault}")]
    Table { path: PathBuf, fault: TableFault },
    #[error("{path}: the class `{class}` is none that {known} has: expected the same classes")]
    OtherClasses { path: PathBuf, class: String, known: String },

    // What cannot be predicted.
    #[error("{dir}: found no picture in this folder: expected PNG, JPEG, PGM or PPM files")]
    NoPictures { dir: PathBuf },
    #[error("{input}: found images, and {model} takes rows of a table: name a CSV file")]
    NeedsTable { input: PathBuf, model: PathBuf },
    #[error("{input}: found a table, and {model} takes images: name pictures or IDX images")]
    NeedsImages { input: PathBuf, model: PathBuf },
    #[error(
        "{input}: found no format that {model} takes: expected a picture (PNG, JPEG, PGM, PPM) \
         or IDX images; for pixels without a header write --format raw"
    )]
    UnknownInput { input: PathBuf, model: PathBuf },
    #[error(
        "{input}: found {found} bytes: expected a whole number of images of {width} bytes each"
    )]
    RawLength { input: PathBuf, found: u64, width: usize },
    #[error("{data}: {source}; check that these are data of the model's kind")]
    OtherLabel { data: PathBuf, source: nn::Error },
    #[error(
        "{source}; these data have no answers to compare with: `{program} predict` says what \
         samples without answers are"
    )]
    NoAnswers { source: Box<Self>, program: String },
    #[error(
        "{source}; {} says what the run was tested on, with paths from the current directory: \
         name other data as DATA",
        .settings.display()
    )]
    OwnData { source: Box<Self>, settings: PathBuf },
    #[error(
        "{}: the test samples have the checksum {now}, those of the run in {} had {was}: the data \
         or the settings have changed since; to test on these data as they are, name them as DATA",
        .data.display(), .run.display()
    )]
    ChangedData { data: PathBuf, run: PathBuf, was: String, now: String },
    #[error("{model} predicts several labels at once, which this program does not print")]
    SeveralLabels { model: PathBuf },
    #[error(
        "{input}: the prediction is {value}: expected a finite number; the sample is far from \
         those of the training"
    )]
    FarAway { input: String, value: f32 },
    #[error("{failed} of {all} inputs could not be predicted: the lines above say why{kept}")]
    SomeInputs { failed: usize, all: usize, kept: String },
    #[error("{model} does not say what its inputs are: expected a model of this version")]
    UnknownForm { model: PathBuf },

    // What cannot be reported.
    #[error("{path} is no run: name the directory of a run, which has the config.toml of the run")]
    NoRun { path: PathBuf },
    #[error("{path} is there and is no report: name another file with --out")]
    NoReport { path: PathBuf },
    // What cannot be served.
    #[error(
        "port {port} is taken: another program listens there; name another one with --port, or \
         let --port 0 pick a free one"
    )]
    PortTaken { port: u16 },
    #[error(
        "port {port} is not for this user: name one from 1024 on with --port, or let --port 0 \
         pick a free one"
    )]
    PortDenied { port: u16 },
    #[error("cannot listen on 127.0.0.1: {0}")]
    Listen(io::Error),

    // What cannot be inspected.
    #[error("{path}: found {found}, expected {expected}; {advice}")]
    NothingToInspect {
        path: PathBuf,
        found: &'static str,
        expected: &'static str,
        advice: &'static str,
    },
    #[error("{path}: expected a JSON object {what}: {reason}")]
    NoObject { path: PathBuf, what: &'static str, reason: String },

    // What cannot be exported.
    #[error("{model} has {what}, which this version cannot export: export it with a newer one")]
    NoExport { model: PathBuf, what: String },
    #[error(
        "the model has {found}, and {format} can have {most}: choose another format, or train \
         smaller --hidden layers"
    )]
    ExportSize { format: &'static str, found: String, most: String },

    // What the doctor and the range test of the learning rate find.
    #[error("{failures} of {all} checks failed ({names}): what is below each says what to do")]
    Unhealthy { failures: usize, all: usize, names: String },
    #[error("the range test found no learning rate: {reason}")]
    NoRate { reason: String },

    // What a look at the data finds that no training can mend.
    #[error(
        "{dir}: the training features are {train} and the test features {test}: \
         expected one type, because bytes are scaled and real numbers are not"
    )]
    PartTypes { dir: PathBuf, train: &'static str, test: &'static str },
    #[error(
        "{dir}: all training samples are of class {class}: \
         expected two classes at least, to tell them apart; check the labels"
    )]
    OneClass { dir: PathBuf, class: String },
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

/// What to do about a file of IDX without a file of labels.
fn labels_advice(header: &Header, flag: &str) -> String {
    match header.dims() {
        [_] | [_, 1] => format!(
            "which look like labels: name the file of their images or features instead, and this \
             one with {flag}"
        ),
        _ => format!("and beside it no labels under the same name: name their file with {flag}"),
    }
}

/// A value that a setting cannot take.
#[derive(Debug, thiserror::Error)]
#[error("{what} is {found}: {reason}")]
pub(crate) struct Refused {
    /// The flag or the key, as it was typed, or the line of a file.
    pub(crate) what: String,
    pub(crate) found: String,
    /// Mostly what was expected.
    pub(crate) reason: String,
}

impl Error {
    /// The exit code of the program: 2 if its settings are wrong, which are the command
    /// line, the recipe and the environment; 1 if it failed with settings that are right. A
    /// directory that is taken, or whose run has ended, is a wrong `--out` or `--resume`; one
    /// that another process writes to may be right a moment later.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Stopped { signal, .. } | Self::Interrupted { signal } => signal.code(),
            Self::Trial { source, .. } => source.code(),
            Self::Ranks { code, .. } | Self::Led { code } => *code,
            Self::Isa(_)
            | Self::NotShared { .. }
            | Self::UnknownRecipe { .. }
            | Self::NoRecipe { .. }
            | Self::RecipeFile { .. }
            | Self::OtherKind { .. }
            | Self::Incomplete { .. }
            | Self::Key { .. }
            | Self::Usage(_)
            | Self::Off { .. }
            | Self::NothingToWatch { .. }
            | Self::Toml { .. }
            | Self::Edited { .. }
            | Self::Value(_)
            | Self::ClassWeights { .. }
            | Self::NeedsClasses { .. }
            | Self::NoLabels { .. }
            | Self::LabelsOfOther { .. }
            | Self::LabelsAlone
            | Self::OtherSetting { .. }
            | Self::OtherIsa { .. }
            | Self::Complete { .. }
            | Self::FewerEpochs { .. }
            | Self::StoppedEarly { .. }
            | Self::Finished { .. }
            | Self::Unfinished { .. }
            | Self::NotEmpty { .. }
            | Self::NotADirectory { .. }
            | Self::NoReport { .. }
            | Self::Augment(_)
            | Self::Table {
                fault:
                    TableFault::NoTarget { .. }
                    | TableFault::NoColumn { .. }
                    | TableFault::Ignored { .. },
                ..
            }
            | Self::Network(
                nn::Error::OutOfRange { .. }
                | nn::Error::Zero { .. }
                | nn::Error::TooLarge { .. }
                | nn::Error::OneRow { .. }
                | nn::Error::NoWeight { .. }
                | nn::Error::NothingToHoldOut { .. },
            ) => 2,
            _ => 1,
        }
    }

    /// What to do next, as lines of their own after the error's one line: a command that is
    /// to be copied has nothing beside it.
    pub(crate) fn next(&self) -> Option<String> {
        match self {
            Self::Stopped { resume, several, .. } => {
                // Which launcher it was, with what words, is not known.
                let how = " (with mpirun before it, on several processes)";
                let how = if *several { how } else { "" };
                Some(format!("next: go on with it{how}\n  {resume}"))
            }
            _ => None,
        }
    }

    /// What the line begins with.
    pub(crate) fn label(&self) -> &'static str {
        if matches!(self, Self::Stopped { .. } | Self::Interrupted { .. }) {
            "stopped"
        } else {
            "error"
        }
    }

    /// For `map_err`: what failed, and with which path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

/// A text as a part of one line: control characters, which a path or a value may have,
/// are escaped.
pub(crate) fn one_line(text: &str) -> String {
    let escape = |c: char| match c {
        '\n' | '\r' | '\t' => " ".to_owned(),
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    };
    text.trim_end().chars().map(escape).collect()
}
