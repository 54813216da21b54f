//! The directory of a run.

use std::fs;
use std::path::Path;

use nn::Checkpoint;
use serde::Serialize;
use serde_json::Value;

use super::settings::Settings;
use super::text::{Text, number};
use crate::error::Error;
use crate::limits;
use crate::run_dir::{CHECKPOINT, CONFIG, FILES, METRICS, MODEL, read_summary};
use crate::words::{program, shell_word};

/// Figures of the summary that are shown.
const FIGURES: [&str; 17] = [
    "epochs",
    "kept_epoch",
    "train_samples",
    "held_out_samples",
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "test_loss",
    "test_accuracy",
    "test_errors",
    "test_samples",
    "test_rmse",
    "test_mae",
    "test_r2",
    "total_seconds",
    "version",
];

#[derive(Serialize)]
pub(super) struct RunFolder {
    path: String,
    /// `done`, `stopped`, `running`, `diverged`, or `unknown` without a summary.
    status: String,
    /// The whole summary.
    summary: Option<Value>,
    /// Where the checkpoint is.
    saved: Option<Saved>,
    settings: Option<Settings>,
    files: Vec<FileInfo>,
    /// What could not be read, a line each.
    damaged: Vec<String>,
    /// The command that goes on with the run or repeats it.
    command: String,
    #[serde(skip)]
    goes_on: bool,
}

#[derive(Serialize)]
struct Saved {
    step: u64,
    epochs: usize,
    of_epochs: usize,
}

#[derive(Serialize)]
struct FileInfo {
    name: &'static str,
    bytes: u64,
}

impl RunFolder {
    /// Whether a run has left its files there, or a model is there.
    pub(super) fn recognises(path: &Path) -> bool {
        [CONFIG, CHECKPOINT, MODEL, METRICS].iter().any(|name| path.join(name).is_file())
    }

    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let mut damaged = Vec::new();
        let has = |name: &str| path.join(name).is_file();
        let summary = read_summary(path).map_err(|error| damaged.push(error.to_string()));
        let summary = summary.ok().flatten();
        let config = path.join(CONFIG);
        let settings = if has(CONFIG) {
            let settings = Settings::open(&config).map(Settings::without_path);
            settings.map_err(|error| damaged.push(error.to_string())).ok()
        } else {
            None
        };
        let checkpoint = if has(CHECKPOINT) {
            let checkpoint = Checkpoint::load(path.join(CHECKPOINT));
            checkpoint.map_err(|error| damaged.push(error.to_string())).ok()
        } else {
            None
        };
        let status = summary.as_ref().map(|summary| match &summary["status"] {
            Value::String(status) => status.clone(),
            // Before version 0.3 a summary was written at the end, and had no status.
            _ => "done".to_owned(),
        });
        let status = status.unwrap_or_else(|| "unknown".to_owned());
        let (goes_on, program) = (status != "done" && checkpoint.is_some(), program());
        let command = if goes_on {
            format!("{program} --resume {}", shell_word(path))
        } else if has(CONFIG) {
            format!("{program} --config {}", shell_word(&config))
        } else {
            format!("{program} eval --model {}", shell_word(path))
        };
        let file = |name: &'static str| {
            let metadata = fs::metadata(path.join(name)).ok()?;
            Some(FileInfo { name, bytes: metadata.len() })
        };
        Ok(Self {
            path: path.display().to_string(),
            status,
            summary,
            saved: checkpoint.map(|checkpoint| Saved {
                step: checkpoint.steps(),
                epochs: checkpoint.history().epochs.len(),
                of_epochs: checkpoint.fit().epochs,
            }),
            settings,
            files: FILES.into_iter().filter_map(file).collect(),
            damaged,
            command,
            goes_on,
        })
    }

    pub(super) fn text(&self) -> String {
        let mut text = Text::default();
        text.row("run", &self.path);
        text.row("status", &self.status);
        if let Some(Saved { step, epochs, of_epochs }) = &self.saved {
            text.row("saved", format!("after step {step}, {epochs} of {of_epochs} epochs"));
        }
        for key in FIGURES {
            if let Some(value) = self.summary.as_ref().and_then(|summary| summary.get(key))
                && !value.is_null()
            {
                let label = if key == "held_out_samples" { "held out" } else { key };
                text.row(&label.replace('_', " "), figure(key, value));
            }
        }
        if let Some(notes) = self.summary.as_ref().and_then(|summary| summary["notes"].as_array()) {
            notes.iter().filter_map(Value::as_str).for_each(|note| text.row("note", note));
        }
        if let Some(settings) = &self.settings {
            settings.write(&mut text);
        }
        let row = |file: &FileInfo| vec![file.name.to_owned(), limits::bytes(file.bytes)];
        let rows: Vec<Vec<String>> = self.files.iter().map(row).collect();
        text.gap();
        text.table("<>", &["file", "size"], &rows);
        self.damaged.iter().for_each(|line| text.row("damaged", line));
        let purpose = if self.goes_on { "go on with it" } else { "repeat it" };
        text.block(&format!("\nto {purpose}:\n  {}\n", self.command));
        text.finish()
    }
}

/// A figure of the summary as text. Accuracies are fractions of 1.
fn figure(key: &str, value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => match value.as_f64() {
            Some(share) if key.ends_with("accuracy") => format!("{:.2} %", 100.0 * share),
            Some(_) if value.is_u64() => value.to_string(),
            Some(x) => number(x),
            None => value.to_string(),
        },
    }
}
