//! A run as another command finds it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use nn::Checkpoint;
use serde_json::Value;

use super::{CHECKPOINT, CONFIG, HEADING, MODEL, summary};
use crate::config::Config;
use crate::data::Checksums;
use crate::error::Error;
use crate::recipe;
use crate::settings::Edits;

/// The note of a checkpoint that has the checksums of the data.
pub(crate) const DATA_NOTE: &str = "data";

/// A run that a model is of.
pub(crate) struct PastRun {
    /// Its directory.
    pub(crate) path: PathBuf,
}

/// The samples of a run, as its summary counts them.
pub(crate) struct Counts {
    pub(crate) train: usize,
    pub(crate) held_out: usize,
    pub(crate) test: usize,
}

impl PastRun {
    /// The run of the model at `path`, which is its directory or the `model.safetensors` in it;
    /// `None` for a model without a run.
    pub(crate) fn of_model(path: &Path) -> Option<Self> {
        let dir = if path.is_dir() {
            path
        } else if path.file_name().is_some_and(|name| name == MODEL) {
            let dir = path.parent()?;
            if dir == Path::new("") { Path::new(".") } else { dir }
        } else {
            return None;
        };
        is_settings(&dir.join(CONFIG)).then(|| Self { path: dir.to_owned() })
    }

    /// The settings that it was trained with.
    pub(crate) fn settings(&self) -> Result<Config, Error> {
        let source = recipe::read(&self.path.join(CONFIG))?;
        Ok(Config::new(&source, &Edits::default())?.0)
    }

    /// The checksums of its data. A run that has not ended may have them in its checkpoint only.
    pub(crate) fn checksums(&self) -> Option<Checksums> {
        let of_summary = || serde_json::from_value(summary(&self.path)?.get("data")?.clone()).ok();
        let of_checkpoint = || {
            let checkpoint = Checkpoint::load(self.path.join(CHECKPOINT)).ok()?;
            serde_json::from_str(checkpoint.notes().get(DATA_NOTE)?).ok()
        };
        of_summary().or_else(of_checkpoint)
    }

    /// `None` if the run has not ended.
    pub(crate) fn counts(&self) -> Option<Counts> {
        let summary = summary(&self.path)?;
        let count = |key: &str| summary.get(key).and_then(Value::as_u64)?.try_into().ok();
        let (train, held_out) = (count("train_samples")?, count("held_out_samples")?);
        Some(Counts { train, held_out, test: count("test_samples")? })
    }
}

/// Whether a file is the settings of a run, and not the user's own.
fn is_settings(path: &Path) -> bool {
    let mut start = [0; HEADING.len()];
    // A pipe would be waited for.
    let read = |mut file: File| file.read_exact(&mut start);
    path.is_file() && File::open(path).and_then(read).is_ok() && start == *HEADING.as_bytes()
}
