//! A checkpoint: a run that was saved on the way.

use std::path::Path;

use nn::{Checkpoint, Session};
use serde::Serialize;
use serde_json::Value;

use super::model::Network;
use super::settings::Settings;
use super::text::{Text, number};
use super::weights::{self, Layer};
use crate::error::Error;
use crate::limits;

#[derive(Serialize)]
pub(super) struct CheckpointFile {
    path: String,
    bytes: u64,
    /// Steps taken in all epochs.
    step: u64,
    /// Epochs that are complete, and those that the run is to have.
    epochs: Option<usize>,
    of_epochs: Option<usize>,
    /// The best epoch of early stopping, from 1.
    best_epoch: Option<usize>,
    /// Of the last epoch.
    train_loss: Option<f64>,
    val_loss: Option<f64>,
    val_accuracy: Option<f64>,
    optimizer: Option<String>,
    isa: Option<String>,
    /// Of the program that began the run.
    version: Option<String>,
    /// Checksums of the data.
    data: Option<Value>,
    #[serde(flatten)]
    network: Network,
    settings: Option<Settings>,
    weights: Vec<Layer>,
}

impl CheckpointFile {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        match Checkpoint::load(path) {
            Ok(checkpoint) => Ok(Self::of_run(path, &checkpoint)),
            // What a program saved that has no run, which is less.
            Err(error) => match Session::load(path) {
                Ok(session) => Ok(Self::of_session(path, &session)),
                Err(_) => Err(error.into()),
            },
        }
    }

    fn of_session(path: &Path, session: &Session) -> Self {
        let network = session.network();
        Self {
            path: path.display().to_string(),
            bytes: super::size_of(path),
            step: session.steps(),
            epochs: None,
            of_epochs: None,
            best_epoch: None,
            train_loss: None,
            val_loss: None,
            val_accuracy: None,
            optimizer: None,
            isa: None,
            version: None,
            data: None,
            settings: None,
            weights: weights::layers(&network),
            network: Network::new(&network),
        }
    }

    fn of_run(path: &Path, checkpoint: &Checkpoint) -> Self {
        let (fit, history) = (checkpoint.fit(), checkpoint.history());
        let note = |name: &str| checkpoint.notes().get(name);
        let last = history.epochs.last();
        let validation = last.and_then(|last| last.validation);
        let network = checkpoint.network();
        let has_classes = network.head().has_classes();
        Self {
            path: path.display().to_string(),
            bytes: super::size_of(path),
            step: checkpoint.steps(),
            epochs: Some(history.epochs.len()),
            of_epochs: Some(fit.epochs),
            best_epoch: history.best,
            train_loss: last.map(|last| last.train_loss),
            val_loss: validation.map(|found| found.loss),
            val_accuracy: validation.filter(|_| has_classes).map(|found| found.accuracy),
            optimizer: Some(fit.optimizer.to_string()),
            isa: Some(checkpoint.isa().to_owned()),
            version: note("version").cloned(),
            data: note("data").and_then(|text| serde_json::from_str(text).ok()),
            settings: note("settings").and_then(|text| Settings::of(path, text).ok()),
            weights: weights::layers(network),
            network: Network::new(network),
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = Text::default();
        text.row("checkpoint", format!("{} ({})", self.path, limits::bytes(self.bytes)));
        self.network.write(&mut text);
        let step = self.step;
        text.row(
            "trained",
            match (self.epochs, self.of_epochs) {
                (Some(epochs), Some(of)) => format!("{step} steps, {epochs} of {of} epochs"),
                _ => format!("{step} steps of a session without a run"),
            },
        );
        if let Some(loss) = self.train_loss {
            let mut figures = format!("train loss {}", number(loss));
            if let Some(loss) = self.val_loss {
                figures += &format!(", val loss {}", number(loss));
            }
            if let Some(accuracy) = self.val_accuracy {
                figures += &format!(", val acc {:.2} %", 100.0 * accuracy);
            }
            text.row("last epoch", figures);
        }
        if let Some(best) = self.best_epoch {
            text.row("best epoch", best);
        }
        if let Some(optimizer) = &self.optimizer {
            text.row("optimizer", optimizer);
        }
        if let Some(isa) = &self.isa {
            text.row("computed by", isa);
        }
        if let Some(version) = &self.version {
            text.row("begun by", format!("trainer {version}"));
        }
        if let Some(data) = &self.data {
            let part = |name: &str| data[name].as_str().unwrap_or("none").to_owned();
            let (train, test) = (part("train"), part("test"));
            text.row("data", format!("CRC-32 {train} (training), {test} (test)"));
        }
        if let Some(settings) = &self.settings {
            settings.write(&mut text);
        }
        weights::write(&mut text, &self.weights);
        text.finish()
    }
}
