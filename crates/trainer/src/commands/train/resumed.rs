//! `--resume`: a run that continues where it was saved.

use std::fs;
use std::path::{Path, PathBuf};

use kernels::Isa;
use nn::{Checkpoint, Curve, Ended, Examples, Run, Schedule, files};
use toml::{Table, Value};

use super::record::Record;
use crate::config::Config;
use crate::error::Error;
use crate::ranks::Ranks;
use crate::run_dir::{self, CHECKPOINT, CONFIG, EpochLine, RunDir};
use crate::sets::Sets;
use crate::settings::{COMPLETE, Edits, Source};
use crate::summary::VERSION;
use crate::words::shell_word;

/// What may change when a run continues. (Threads, and how often it is saved, are no
/// settings.) Data elsewhere have to be the same data, by their checksums.
const MAY_CHANGE: [&str; 5] =
    ["training.epochs", "data.dir", "data.test", "data.labels", "data.test-labels"];

/// A run that was read from its directory.
pub(super) struct Resumed {
    path: PathBuf,
    /// On rank 0.
    dir: Option<RunDir>,
    checkpoint: Checkpoint,
    record: Record,
}

impl Resumed {
    /// Reads the checkpoint in the directory `path`, which is from now on this process's. Of
    /// several ranks, rank 0 reads it and gives it to the others.
    pub(super) fn open(path: &Path, ranks: &Ranks) -> Result<Self, Error> {
        let mut read = None;
        let bytes = ranks.share(|| {
            let dir = RunDir::resume(path)?;
            let file = dir.checkpoint();
            let checkpoint = Checkpoint::load(&file)?;
            let others = !ranks.is_alone();
            let bytes = others.then(|| files::read(&file)).transpose();
            let bytes = bytes.map_err(Error::io("read", &file))?;
            read = Some((dir, checkpoint));
            Ok(bytes.unwrap_or_default())
        })?;
        let (dir, checkpoint) = match read {
            Some((dir, checkpoint)) => (Some(dir), checkpoint),
            None => (None, Checkpoint::from_bytes(&bytes)?),
        };
        let file = path.join(CHECKPOINT);
        let record = Record::read(checkpoint.notes(), checkpoint.history())
            .map_err(|reason| Error::OtherCheckpoint { path: file, reason })?;
        if record.version != VERSION {
            let (was, config) = (record.version, shell_word(&path.join(CONFIG)));
            return Err(Error::OtherVersion { was, now: VERSION, config });
        }
        Ok(Self { path: path.to_owned(), dir, checkpoint, record })
    }

    /// The settings of the run, with the edits of the command line.
    ///
    /// # Errors
    /// An edit of what may not change; a run that has ended and is to be no longer.
    pub(super) fn settings(&self, edits: &Edits) -> Result<(Config, Vec<String>), Error> {
        let source = Source {
            text: self.record.settings.clone(),
            origin: format!("the settings of {}", self.path.display()),
            name: String::new(),
            whole: true,
        };
        let (old, _) = Config::new(&source, &Edits::default())?;
        let (new, mut notes) = Config::new(&source, edits)?;
        notes.extend(self.edited(&old)?);
        if let Some((key, was, now)) = difference("", &table(&old)?, &table(&new)?) {
            return Err(Error::OtherSetting { key, was, now });
        }
        notes.extend(stretched(&old, &new));
        let history = self.checkpoint.history();
        let epochs = history.epochs.len();
        if self.is_done() {
            if history.ended == Ended::EarlyStopping {
                return Err(Error::StoppedEarly { epoch: epochs });
            }
            if new.training.epochs == epochs {
                return Err(Error::Complete { epochs });
            }
        }
        Ok((new, notes))
    }

    fn is_done(&self) -> bool {
        self.dir.as_ref().is_some_and(RunDir::is_done)
    }

    /// What to say of a run that was tested at its end, which was not the last.
    pub(super) fn tested_again(&self) -> Option<String> {
        let tested = |summary: serde_json::Value| summary["test_samples"].is_u64();
        (self.is_done() && run_dir::summary(&self.path).is_some_and(tested)).then(|| {
            "the run had ended and was tested; it is tested again at its new end: choose the \
             epochs by held-out samples (--validation), not by the test, or leave it out with \
             --no-test"
                .to_owned()
        })
    }

    /// What to say where the user has changed `config.toml`: the settings are those of the
    /// checkpoint, and the file will be theirs again.
    fn edited(&self, settings: &Config) -> Result<Option<String>, Error> {
        let Some(dir) = &self.dir else { return Ok(None) };
        let Ok(text) = fs::read_to_string(dir.config()) else { return Ok(None) };
        let Ok(mut found) = text.parse::<Table>() else { return Ok(None) };
        found.remove(COMPLETE);
        let found = Value::Table(found);
        let Some((key, was, now)) = difference("", &table(settings)?, &found) else {
            return Ok(None);
        };
        Ok(Some(format!(
            "{} says {key} = {now}, and the run has {was}: it goes on with that, because only the              flag --epochs can change a run",
            dir.config().display()
        )))
    }

    /// The run, ready to continue, if its data and instruction set are those it began with; and
    /// on rank 0 its directory, in which nothing was changed yet.
    pub(super) fn begin<'a>(
        self,
        config: &Config,
        sets: &Sets,
        isa: Isa,
        train: Examples<'a>,
        validation: Option<Examples<'a>>,
    ) -> Result<(Run<'a>, Option<Reopened>), Error> {
        let Self { dir, mut checkpoint, mut record, .. } = self;
        let (was, now) = (checkpoint.isa(), isa.name());
        // It rounds a sum twice; all others compute the same bits.
        if was != now && [was, now].contains(&"scalar") {
            return Err(Error::OtherIsa { was: was.to_owned(), now: now.to_owned() });
        }
        let found = sets.checksums();
        if let Some(expected) = &record.checksums {
            let parts = [
                ("training", &found.train, &expected.train),
                ("test", &found.test, &expected.test),
            ];
            if let Some((part, now, was)) = parts.into_iter().find(|(_, now, was)| now != was) {
                let dir = config.data.dir.clone();
                let (was, now) = (was.clone(), now.clone());
                return Err(Error::OtherData { part, dir, was, now });
            }
        }
        record.checksums = Some(found);
        record.settings = config.to_toml()?;
        let epochs = config.training.epochs;
        let (trained, begun) = (checkpoint.history().epochs.len(), begun(&checkpoint));
        let fewer = |_| Error::FewerEpochs { epochs, trained, begun };
        checkpoint.set_epochs(epochs).map_err(fewer)?;
        let lines = record.lines(checkpoint.history(), sets.has_classes());
        let training = checkpoint.resume(train, validation)?;
        Ok((training, dir.map(|dir| Reopened { dir, record, lines })))
    }
}

/// The directory of a run that is about to continue.
pub(super) struct Reopened {
    dir: RunDir,
    record: Record,
    /// Of the metrics.
    lines: Vec<EpochLine>,
}

impl Reopened {
    /// Writes what a continued run writes first.
    pub(super) fn write(mut self, config: &Config) -> Result<(RunDir, Record), Error> {
        self.dir.continue_with(config, &self.lines)?;
        Ok((self.dir, self.record))
    }
}

/// What to say where the learning rates depend on the length of a run, which has changed.
fn stretched(old: &Config, new: &Config) -> Option<String> {
    let (was, now) = (old.training.epochs, new.training.epochs);
    let Schedule { curve, warmup } = new.training.schedule;
    let stretches = match curve {
        Curve::Linear { .. } | Curve::Cosine | Curve::OneCycle { .. } => true,
        // These count epochs.
        _ => warmup > 0.0,
    };
    (was != now && stretches).then(|| {
        format!(
            "the schedule stretches over the whole run, which had {was} epochs and has {now} now: \
             from here on the learning rates are those of a run of {now} epochs, and the result \
             is not that of a run that began with {now}"
        )
    })
}

/// Epochs that the run has begun.
fn begun(checkpoint: &Checkpoint) -> usize {
    let epochs = &checkpoint.history().epochs;
    let in_whole_epochs = epochs.last().map_or(0, |epoch| epoch.step);
    epochs.len() + usize::from(checkpoint.steps() > in_whole_epochs)
}

/// The settings as `config.toml` has them: a value of f32 with the digits that it was typed
/// with.
fn table(config: &Config) -> Result<Value, Error> {
    let table = config.to_toml()?.parse::<Table>();
    Ok(table.map_err(|error| Error::Edited { message: error.to_string() })?.into())
}

/// The first setting that differs and may not, with its two values.
fn difference(key: &str, was: &Value, now: &Value) -> Option<(String, String, String)> {
    if was == now || MAY_CHANGE.contains(&key) {
        return None;
    }
    let (Value::Table(old), Value::Table(new)) = (was, now) else {
        return Some((key.to_owned(), shown(was), shown(now)));
    };
    let none = Value::from("none");
    let mut names: Vec<_> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.into_iter().find_map(|name| {
        let path = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
        difference(&path, old.get(name).unwrap_or(&none), new.get(name).unwrap_or(&none))
    })
}

/// A value as it was typed: a setting of 32 bits has more digits as one of 64.
pub(super) fn shown(value: &Value) -> String {
    match value.as_float() {
        Some(x) if f64::from(x as f32) == x => format!("{:?}", x as f32),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_setting_that_may_not_change_is_named() {
        let table = |text: &str| Value::Table(text.parse().unwrap());
        let was = table("seed = 1\n[training]\nepochs = 5\nlr = 0.1\n[data]\ndir = \"a\"");
        let now = |text: String| difference("", &was, &table(&text));
        let same = "seed = 1\n[training]\nepochs = 9\nlr = 0.1\n[data]\ndir = \"b\"";
        assert_eq!(now(same.to_owned()), None);
        for (from, to, expected) in [
            ("lr = 0.1", "lr = 0.2", ("training.lr", "0.1", "0.2")),
            ("seed = 1", "seed = 2", ("seed", "1", "2")),
            ("lr = 0.1", "lr = 0.1\nclip-norm = 1.0", ("training.clip-norm", "\"none\"", "1.0")),
        ] {
            let (key, was, now) = now(same.replace(from, to)).unwrap();
            assert_eq!((&*key, &*was, &*now), expected);
        }
    }
}
