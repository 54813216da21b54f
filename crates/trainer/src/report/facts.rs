//! What the directory of a run tells of it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use toml::Table;

use super::html::short;
use crate::config::Config;
use crate::error::Error;
use crate::recipe;
use crate::run_dir::{CONFIG, METRICS, Parent, PastRun, read_summary};
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
    /// What could not be read, a line each.
    pub(crate) damaged: Vec<String>,
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
        let mut damaged = Vec::new();
        let summary = read_summary(&run.path).unwrap_or_else(|error| {
            damaged.push(error.to_string());
            None
        });
        let is_running = summary.as_ref().is_some_and(|found| found["status"] == "running");
        let epochs = epochs(&run.path.join(METRICS), is_running, &mut damaged);
        Ok(Self { path: run.path, config, epochs, summary: summary.unwrap_or_default(), damaged })
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

/// The lines of a file of metrics, up to one that is damaged, of which a line tells. Of a run
/// that is running, half a line at the end is one that is being written.
fn epochs(path: &Path, is_running: bool, damaged: &mut Vec<String>) -> Vec<Epoch> {
    let mut epochs = Vec::new();
    let mut tell = |reason: String| {
        let path = path.display();
        damaged.push(format!("{path}, {reason}; the report has the epochs before it"));
    };
    // A pipe would be waited for.
    let found = fs::metadata(path).and_then(|found| match found.is_file() {
        true => File::open(path),
        false => Err(io::Error::other("expected a file")),
    });
    let mut lines = match found {
        Ok(file) => BufReader::new(file.take(LARGEST)),
        // A run that has not begun has none.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return epochs,
        Err(error) => {
            damaged.push(format!("{}: {error}", path.display()));
            return epochs;
        }
    };
    for number in 1.. {
        let mut line = Vec::new();
        match lines.read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => (),
            Err(error) => {
                tell(format!("line {number}: {error}"));
                break;
            }
        }
        let (is_whole, line) = match line.strip_suffix(b"\n") {
            Some(line) => (true, line),
            None => (false, &*line),
        };
        match serde_json::from_slice(line) {
            Ok(epoch) => epochs.push(epoch),
            Err(_) if is_running && !is_whole => break,
            Err(error) => {
                // Its own count of lines begins in this one.
                let found = error.to_string();
                let found = found.rsplit_once(" at line ").map_or(&*found, |(found, _)| found);
                let at = error.column();
                tell(format!(
                    "line {number}: expected the figures of an epoch as a JSON object: {found} \
                         at byte {at} of the line"
                ));
                break;
            }
        }
    }
    epochs
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
        let second = line.replace(":1,", ":2,");
        let name = path.display();
        for (end, is_running, expected) in [
            ("", false, None),
            ("{\"epoch\":3", true, None),
            ("{\"epoch\":3", false, Some("EOF while parsing an object at byte 10")),
            ("{\"epoch\":3\n", true, Some("EOF while parsing an object at byte 10")),
            ("{}\n{\"epoch\":4}\n", false, Some("missing field `epoch` at byte 2")),
            ("\n", false, Some("EOF while parsing a value at byte 0")),
            ("no\n", false, Some("expected ident at byte 2")),
        ] {
            fs::write(&path, format!("{line}{second}{end}")).unwrap();
            let mut damaged = Vec::new();
            let found = epochs(&path, is_running, &mut damaged);
            assert_eq!(found.iter().map(|epoch| epoch.epoch).collect::<Vec<_>>(), [1, 2]);
            assert_eq!((found[0].train_loss, found[0].seconds), (None, Some(2.5)));
            let expected = expected.map(|expected| {
                format!(
                    "{name}, line 3: expected the figures of an epoch as a JSON object: {expected} \
                     of the line; the report has the epochs before it"
                )
            });
            assert_eq!(damaged, Vec::from_iter(expected), "{end}");
        }
        let mut damaged = Vec::new();
        assert!(epochs(&dir.path().join("none"), false, &mut damaged).is_empty());
        assert!(damaged.is_empty());
        assert!(epochs(dir.path(), false, &mut damaged).is_empty());
        assert_eq!(damaged, [format!("{}: expected a file", dir.path().display())]);
    }
}
