//! `metrics.jsonl`, a line for each epoch. Who has locked it is the one writer of the run's
//! directory.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use nn::EpochReport;
use serde::Serialize;

/// A line of `metrics.jsonl`.
#[derive(Debug, Serialize)]
pub(crate) struct EpochLine {
    /// From 1.
    pub(crate) epoch: usize,
    /// Steps taken so far in all epochs.
    pub(crate) step: u64,
    /// As steps use it, in f32, so that 0.1 is written as 0.1.
    pub(crate) lr: f32,
    pub(crate) train_loss: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) train_accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) val_loss: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) val_accuracy: Option<f64>,
    /// Wall clock of the epoch, validation included.
    pub(crate) seconds: f64,
}

impl EpochLine {
    /// Only with classes there is an accuracy: a real number is never predicted exactly.
    pub(crate) fn new(epoch: &EpochReport, seconds: f64, classes: bool) -> Self {
        let accuracy = |accuracy| classes.then_some(accuracy);
        Self {
            epoch: epoch.epoch,
            step: epoch.step,
            lr: epoch.lr as f32,
            train_loss: epoch.train_loss,
            train_accuracy: accuracy(epoch.train_accuracy),
            val_loss: epoch.validation.map(|found| found.loss),
            val_accuracy: epoch.validation.and_then(|found| accuracy(found.accuracy)),
            seconds,
        }
    }
}

/// The open file.
pub(super) struct Metrics {
    /// Not buffered, so that a reader sees each line at once.
    file: File,
    /// All lines of the run.
    text: String,
    /// Bytes of `text` that the file has.
    written: usize,
}

impl Metrics {
    /// Opens the file, which is made if it does not exist, and locks it for as long as it
    /// is open. `None` if another process has locked it.
    pub(super) fn lock(path: &Path) -> io::Result<Option<Self>> {
        // What is in it stays until it is locked.
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(None),
            // A file system without locks: nothing is known of other writers.
            Ok(()) | Err(TryLockError::Error(_)) => (),
        }
        Ok(Some(Self { file, text: String::new(), written: 0 }))
    }

    /// Begins anew, with these lines. Those that the file begins with are not written
    /// again: there may be no room for them on the disk.
    pub(super) fn restart(&mut self, text: String) -> io::Result<()> {
        let mut old = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        (&self.file).take(text.len() as u64).read_to_end(&mut old)?;
        self.written = old.iter().zip(text.as_bytes()).take_while(|(a, b)| a == b).count();
        self.text = text;
        self.write()
    }

    /// Whether `path` is this file, and not another one that has its name now.
    pub(super) fn is_at(&self, path: &Path) -> io::Result<bool> {
        let found = match fs::metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let own = self.file.metadata()?;
            Ok((own.dev(), own.ino()) == (found.dev(), found.ino()))
        }
        // Elsewhere an open file keeps its name.
        #[cfg(not(unix))]
        Ok(found.is_file())
    }

    /// Adds a line. A line that could not be written is written before the next one.
    pub(super) fn append(&mut self, line: &EpochLine) -> io::Result<()> {
        self.text += &serde_json::to_string(line)?;
        self.text += "\n";
        self.write()
    }

    /// The lines so far.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// Writes what the file does not have yet; all of it or nothing.
    pub(super) fn write(&mut self) -> io::Result<()> {
        let written = self.file.set_len(self.written as u64).and_then(|()| {
            self.file.seek(SeekFrom::Start(self.written as u64))?;
            self.file.write_all(&self.text.as_bytes()[self.written..])
        });
        match written {
            Ok(()) => self.written = self.text.len(),
            // Half a line is no line. To shorten a file needs no space.
            Err(_) => self.file.set_len(self.written as u64)?,
        }
        written
    }
}
