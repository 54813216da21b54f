//! The directory that a run leaves: `config.toml`, `metrics.jsonl`,
//! `model.safetensors` and, last of all, `summary.json`. A directory that has a
//! summary has the rest.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use nn::{EpochReport, Mlp};
use serde::Serialize;

use crate::config::Config;
use crate::error::Error;
use crate::summary::{Summary, VERSION};

/// Directory of runs without `--out`.
const RUNS: &str = "runs";

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
    pub(crate) train_accuracy: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) val_loss: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) val_accuracy: Option<f64>,
    /// Wall clock of the epoch, validation included.
    pub(crate) seconds: f64,
}

impl EpochLine {
    pub(crate) fn new(epoch: &EpochReport, seconds: f64) -> Self {
        Self {
            epoch: epoch.epoch,
            step: epoch.step,
            lr: epoch.lr as f32,
            train_loss: epoch.train_loss,
            train_accuracy: epoch.train_accuracy,
            val_loss: epoch.validation.map(|found| found.loss),
            val_accuracy: epoch.validation.map(|found| found.accuracy),
            seconds,
        }
    }
}

/// The directory of the current run.
pub(crate) struct RunDir {
    path: PathBuf,
    /// Not buffered, so that a reader sees each line at once.
    metrics: File,
}

impl RunDir {
    /// Makes the directory and writes the settings into it. `out` is new or
    /// empty; without it, the directory is `runs/<recipe>-<UTC time>`.
    pub(crate) fn create(
        out: Option<&Path>,
        config: &Config,
        now: SystemTime,
    ) -> Result<Self, Error> {
        let settings = config.to_toml()?;
        let path = match out {
            Some(path) => claim(path)?,
            None => {
                let name = format!("{}-{}", slug(&config.recipe), utc(now));
                make_new(Path::new(RUNS), &name)?
            }
        };

        let heading = format!(
            "# Settings of a run of trainer {VERSION}. To repeat it: trainer --config THIS_FILE\n"
        );
        write(&path.join("config.toml"), heading + &settings)?;
        let file = path.join("metrics.jsonl");
        let metrics = File::create(&file).map_err(Error::io("write", &file))?;
        Ok(Self { path, metrics })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    pub(crate) fn model(&self) -> PathBuf {
        self.path.join("model.safetensors")
    }

    pub(crate) fn append_metrics(&mut self, line: &EpochLine) -> Result<(), Error> {
        let written = serde_json::to_string(line)
            .map_err(io::Error::from)
            .and_then(|line| self.metrics.write_all(format!("{line}\n").as_bytes()));
        written.map_err(Error::io("write", &self.path.join("metrics.jsonl")))
    }

    /// Writes the model, whole or not at all.
    pub(crate) fn save_model(&self, network: &Mlp) -> Result<(), Error> {
        Ok(network.save(self.model())?)
    }

    /// Writes the summary, whole or not at all.
    pub(crate) fn save_summary(&self, summary: &Summary) -> Result<(), Error> {
        let path = self.path.join("summary.json");
        let text = serde_json::to_string_pretty(summary).map_err(io::Error::from);
        write(&path, text.map_err(Error::io("write", &path))? + "\n")
    }
}

/// Writes a file of a run, whole or not at all. (`nn` writes the model.)
fn write(path: &Path, text: String) -> Result<(), Error> {
    let mut part = path.as_os_str().to_owned();
    part.push(".tmp");
    fs::write(&part, text).and_then(|()| fs::rename(&part, path)).map_err(Error::io("write", path))
}

/// The directory `path`, which is created if it does not exist. It must be empty: a
/// run overwrites nothing.
fn claim(path: &Path) -> Result<PathBuf, Error> {
    if path.exists() && !path.is_dir() {
        return Err(Error::NotADirectory { path: path.into() });
    }
    fs::create_dir_all(path).map_err(Error::io("make the directory", path))?;
    let mut entries = fs::read_dir(path).map_err(Error::io("read the directory", path))?;
    match entries.next() {
        None => Ok(path.to_owned()),
        Some(_) => Err(Error::NotEmpty { path: path.into() }),
    }
}

/// A new directory `name` in `parent`, or `name-2`, `name-3`, ... if `name` exists.
/// Of several processes that want the same name, each gets its own.
fn make_new(parent: &Path, name: &str) -> Result<PathBuf, Error> {
    fs::create_dir_all(parent).map_err(Error::io("make the directory", parent))?;
    let mut path = parent.join(name);
    let mut number = 1;
    loop {
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                number += 1;
                path = parent.join(format!("{name}-{number}"));
            }
            Err(error) => return Err(Error::io("make the directory", &path)(error)),
        }
    }
}

/// `name` as part of the name of a directory. It may come from a file, so it must not
/// lead out of `runs`.
fn slug(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let slug = name.chars().map(|c| if plain(c) { c } else { '-' });
    slug.take(64).collect()
}

/// `time` in UTC as `YYYYMMDD-HHMMSS`.
fn utc(time: SystemTime) -> String {
    // A clock before 1970 is wrong anyway, and the name need only be a name.
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |t| t.as_secs());
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
}

/// Year, month and day, `days` days after 1 January 1970.
///
/// This is `civil_from_days` of Howard Hinnant's "chrono-Compatible Low-Level
/// Date Algorithms". Its years begin in March, so that the leap day is the last
/// of a year and the lengths of months follow one rule, 153 days in five months;
/// the calendar repeats every 400 years (an era) of 146,097 days.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // From 1 March of the year 0 to 1 January 1970.
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    // Leap days taken out: one in 4 years, but for one in 100, and for 400.
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months_since_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * months_since_march + 2) / 5 + 1;
    let month = (months_since_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn known_times() {
        // From `date -u -d @SECONDS +%Y%m%d-%H%M%S`.
        for (seconds, expected) in [
            (0, "19700101-000000"),
            (86_399, "19700101-235959"),
            (951_782_400, "20000229-000000"),
            (951_868_800, "20000301-000000"),
            (1_709_164_800, "20240229-000000"),
            (1_735_689_599, "20241231-235959"),
            (1_735_689_600, "20250101-000000"),
            (4_107_542_400, "21000301-000000"),
            (13_574_563_200, "24000229-000000"),
        ] {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(utc(time), expected);
        }
    }

    /// Five centuries, day by day, beside a calendar that only counts.
    #[test]
    fn every_date_follows_the_one_before() {
        let leap = |y: u64| y.is_multiple_of(4) && !y.is_multiple_of(100) || y.is_multiple_of(400);
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..500 * 365 {
            assert_eq!(date(days), (year, month, day));
            let length = match month {
                2 => 28 + u64::from(leap(year)),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > length {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
    }

    #[test]
    fn names_stay_in_their_directory() {
        assert_eq!(slug("article"), "article");
        assert_eq!(slug("../../etc/x y"), "------etc-x-y");
        assert_eq!(slug(&"a".repeat(1000)).len(), 64);
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let dir = tempfile::tempdir().unwrap();
        let parent = dir.path().join("runs");
        for expected in ["x", "x-2", "x-3"] {
            let path = make_new(&parent, "x").unwrap();
            assert_eq!(path, parent.join(expected));
            assert!(path.is_dir());
        }
    }

    #[test]
    fn only_an_empty_directory_is_claimed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        assert_eq!(claim(&path).unwrap(), path);
        assert_eq!(claim(&path).unwrap(), path);
        fs::write(path.join("summary.json"), "{}").unwrap();
        let error = claim(&path).unwrap_err().to_string();
        assert!(error.contains("is not empty") && error.contains("--out"), "{error}");
    }
}
