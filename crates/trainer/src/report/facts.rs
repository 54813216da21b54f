//! What the directory of a run tells of it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use toml::Table;

use super::html::short;
use crate::config::Config;
use crate::error::Error;
use crate::recipe;
use crate::run_dir::{CONFIG, METRICS, Parent, PastRun, summary};
use crate::settings::Edits;

/// A file of metrics has a few hundred bytes for each epoch. What is beyond is not read.
const LARGEST: u64 = 1 << 26;

/// A run as its files have it.
pub(crate) struct Facts {
    pub(crate) path: PathBuf,
    pub(crate) config: Config,
    pub(crate) epochs: Vec<Epoch>,
    /// The whole of `summary.json`; null without one.
    summary: Value,
}

/// A line of `metrics.jsonl`. A loss that was no number is `None`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Epoch {
    pub(crate) epoch: usize,
    pub(crate) lr: Option<f64>,
    pub(crate) train_loss: Option<f64>,
    pub(crate) train_accuracy: Option<f64>,
    pub(crate) val_loss: Option<f64>,
    pub(crate) val_accuracy: Option<f64>,
    pub(crate) seconds: Option<f64>,
}

/// A figure of an epoch.
pub(crate) type Figure = fn(&Epoch) -> Option<f64>;

impl Facts {
    /// Reads a run, which need not have ended.
    ///
    /// # Errors
    /// A path that is no directory of a run, and settings that cannot be read.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let run = PastRun::of_model(path).ok_or_else(|| match Parent::of(path) {
            Some(parent) => parent.is_no_run(CONFIG),
            None => Error::NoRun { path: path.to_owned() },
        })?;
        let config = run.settings()?;
        let epochs = epochs(&run.path.join(METRICS));
        let summary = summary(&run.path).unwrap_or_default();
        Ok(Self { path: run.path, config, epochs, summary })
    }

    /// The name of its directory.
    pub(crate) fn name(&self) -> String {
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned());
        let whole = || self.path.canonicalize().ok()?.file_name()?.to_str().map(str::to_owned);
        name.or_else(whole).unwrap_or_else(|| self.path.display().to_string())
    }

    /// A figure of the summary.
    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        self.summary.get(key)?.as_f64()
    }

    /// A number of things in the summary.
    pub(crate) fn count(&self, key: &str) -> Option<usize> {
        self.summary.get(key)?.as_u64()?.try_into().ok()
    }

    /// A word of the summary.
    pub(crate) fn word(&self, key: &str) -> Option<&str> {
        self.summary.get(key)?.as_str()
    }

    /// The checksum of a part of the data, `train` or `test`.
    pub(crate) fn checksum(&self, part: &str) -> Option<&str> {
        self.summary.get("data")?.get(part)?.as_str()
    }

    /// The list of a summary, such as its notes.
    pub(crate) fn list(&self, key: &str) -> &[Value] {
        self.summary.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Whether the run was tested. The test samples are looked at if it was, and only then.
    pub(crate) fn is_tested(&self) -> bool {
        self.count("test_samples").is_some()
    }

    /// Training samples of all epochs together.
    pub(crate) fn trained(&self) -> u64 {
        let samples = self.count("train_samples").unwrap_or(0);
        (samples as u64).saturating_mul(self.epochs.len() as u64)
    }

    /// How far the run is, in a word.
    pub(crate) fn status(&self) -> &str {
        self.word("status").unwrap_or("unknown")
    }

    /// The units of every layer, inputs first.
    pub(crate) fn layers(&self) -> Option<String> {
        let layers = self.list("layers").iter().map(Value::to_string).collect::<Vec<_>>();
        (!layers.is_empty()).then(|| short(&layers.join("-")))
    }

    /// A figure over the epochs, where it is known.
    pub(crate) fn curve(&self, figure: Figure) -> Vec<(f64, f64)> {
        let point = |epoch: &Epoch| Some((epoch.epoch as f64, figure(epoch)?));
        self.epochs.iter().filter_map(point).collect()
    }

    /// Every setting with its key, such as `training.lr`.
    pub(crate) fn settings(&self) -> BTreeMap<String, String> {
        settings(&self.config)
    }

    /// The settings that differ from those of the recipe that the run began with: key, value of
    /// the recipe, value of the run. `None` if that recipe is not one of the program's.
    pub(crate) fn changed(&self) -> Option<Vec<[String; 3]>> {
        let source = recipe::find(self.config.recipe.as_ref()).ok()?;
        let (recipe, _) = Config::new(&source, &Edits::default()).ok()?;
        Some(
            differences(&[settings(&recipe), self.settings()])
                .into_iter()
                .map(|(key, values)| {
                    let [was, now] = [0, 1].map(|at| values[at].clone());
                    [key, was, now]
                })
                .collect(),
        )
    }
}

/// The keys whose values are not the same in all of these settings, with the values.
pub(crate) fn differences(all: &[BTreeMap<String, String>]) -> Vec<(String, Vec<String>)> {
    let mut keys: Vec<&String> = all.iter().flat_map(BTreeMap::keys).collect();
    keys.sort();
    keys.dedup();
    let of_key = |key: &String| {
        let value = |settings: &BTreeMap<String, String>| {
            settings.get(key).cloned().unwrap_or_else(|| "none".to_owned())
        };
        let values: Vec<String> = all.iter().map(value).collect();
        values.iter().any(|value| *value != values[0]).then(|| (key.clone(), values))
    };
    keys.into_iter().filter_map(of_key).collect()
}

fn settings(config: &Config) -> BTreeMap<String, String> {
    // As a recipe file has them: a value of 32 bits with the digits that it was typed with.
    let table = config.to_toml().ok().and_then(|text| text.parse::<Table>().ok());
    let mut settings = BTreeMap::new();
    flatten("", &toml::Value::Table(table.unwrap_or_default()), &mut settings);
    settings
}

fn flatten(key: &str, value: &toml::Value, settings: &mut BTreeMap<String, String>) {
    if let toml::Value::Table(table) = value {
        for (name, value) in table {
            let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
            flatten(&key, value, settings);
        }
        return;
    }
    let text = match value {
        toml::Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    settings.insert(key.to_owned(), text);
}

/// The lines of a file of metrics, up to one that is damaged.
fn epochs(path: &Path) -> Vec<Epoch> {
    let Ok(file) = File::open(path) else { return Vec::new() };
    let lines = BufReader::new(file.take(LARGEST)).lines();
    lines.map_while(|line| serde_json::from_str(&line.ok()?).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_named() {
        let table = |text: &str| {
            let mut settings = BTreeMap::new();
            flatten("", &toml::Value::Table(text.parse().unwrap()), &mut settings);
            settings
        };
        let a = table("recipe = \"x\"\n[training]\nlr = 0.1\nbatch-norm = { rows = 50 }");
        let b = table("recipe = \"x\"\n[training]\nlr = 0.2");
        assert_eq!(a["recipe"], "x");
        let expected = [
            ("training.batch-norm.rows".to_owned(), vec!["50".to_owned(), "none".to_owned()]),
            ("training.lr".to_owned(), vec!["0.1".to_owned(), "0.2".to_owned()]),
        ];
        assert_eq!(differences(&[a.clone(), b]), expected);
        assert_eq!(differences(&[a.clone(), a]), []);
    }

    #[test]
    fn metrics_are_read_as_far_as_they_are_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("metrics.jsonl");
        let line = "{\"epoch\":1,\"step\":5,\"lr\":0.1,\"train_loss\":null,\"seconds\":2.5}\n";
        std::fs::write(&path, format!("{line}{}{{\"epoch\":3", line.replace(":1,", ":2,")))
            .unwrap();
        let found = epochs(&path);
        assert_eq!(found.iter().map(|epoch| epoch.epoch).collect::<Vec<_>>(), [1, 2]);
        assert_eq!((found[0].train_loss, found[0].seconds), (None, Some(2.5)));
        assert!(epochs(&dir.path().join("none")).is_empty());
    }
}
