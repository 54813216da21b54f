//! What the program keeps with a run beside what `nn` keeps.

use std::collections::BTreeMap;
use std::time::Instant;

use nn::History;

use crate::config::Config;
use crate::data::Checksums;
use crate::error::Error;
use crate::run_dir::{DATA_NOTE as DATA, EpochLine};
use crate::summary::VERSION;

/// The names of the notes in a checkpoint.
const SETTINGS: &str = "settings";
const VERSION_OF: &str = "version";
const SECONDS: &str = "seconds";

/// The settings, and the time of each epoch.
pub(super) struct Record {
    /// As in `config.toml`.
    pub(super) settings: String,
    /// The version of the program that began the run.
    pub(super) version: String,
    /// Known once it was needed.
    pub(super) checksums: Option<Checksums>,
    /// Seconds of each epoch, of the epoch that is not complete, and of the time before
    /// this process.
    seconds: Seconds,
    /// Since when the current epoch has been trained in this process.
    since: Instant,
}

#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
struct Seconds {
    epochs: Vec<f64>,
    open: f64,
    before: f64,
}

impl Record {
    pub(super) fn new(config: &Config) -> Result<Self, Error> {
        Ok(Self {
            settings: config.to_toml()?,
            version: VERSION.to_owned(),
            checksums: None,
            seconds: Seconds::default(),
            since: Instant::now(),
        })
    }

    /// Reads the notes of a checkpoint; an error says what is wrong with them.
    pub(super) fn read(
        notes: &BTreeMap<String, String>,
        history: &History,
    ) -> Result<Self, String> {
        let note = |name| notes.get(name).ok_or_else(|| format!("it has no note `{name}`"));
        let json = |name, error: serde_json::Error| format!("its note `{name}`: {error}");
        let seconds: Seconds =
            serde_json::from_str(note(SECONDS)?).map_err(|error| json(SECONDS, error))?;
        let (found, expected) = (seconds.epochs.len(), history.epochs.len());
        if found != expected {
            return Err(format!("it has the seconds of {found} epochs, expected {expected}"));
        }
        Ok(Self {
            settings: note(SETTINGS)?.clone(),
            version: note(VERSION_OF)?.clone(),
            checksums: serde_json::from_str(note(DATA)?).map_err(|error| json(DATA, error))?,
            seconds,
            since: Instant::now(),
        })
    }

    /// Writes the notes. `total` is the time of this process.
    pub(super) fn write(&self, total: f64, notes: &mut BTreeMap<String, String>) {
        let before = self.seconds.before + total;
        let seconds = Seconds { open: self.open(), before, ..self.seconds.clone() };
        let data = serde_json::to_string(&self.checksums).expect("plain data");
        let seconds = serde_json::to_string(&seconds).expect("plain data");
        for (name, note) in [
            (SETTINGS, self.settings.clone()),
            (VERSION_OF, self.version.clone()),
            (DATA, data),
            (SECONDS, seconds),
        ] {
            notes.insert(name.to_owned(), note);
        }
    }

    /// The training begins, after what came before it in this process.
    pub(super) fn begin(&mut self) {
        self.since = Instant::now();
    }

    /// An epoch has ended. Returns its seconds.
    pub(super) fn epoch(&mut self) -> f64 {
        let seconds = self.open();
        self.seconds.epochs.push(seconds);
        self.seconds.open = 0.0;
        self.since = Instant::now();
        seconds
    }

    /// Seconds of the processes before this one.
    pub(super) fn before(&self) -> f64 {
        self.seconds.before
    }

    /// A line for each epoch.
    pub(super) fn lines(&self, history: &History, classes: bool) -> Vec<EpochLine> {
        let epochs = history.epochs.iter().zip(&self.seconds.epochs);
        epochs.map(|(epoch, seconds)| EpochLine::new(epoch, *seconds, classes)).collect()
    }

    fn open(&self) -> f64 {
        self.seconds.open + self.since.elapsed().as_secs_f64()
    }
}
