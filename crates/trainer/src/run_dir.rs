//! The directory of a run: `config.toml`, `metrics.jsonl`, `checkpoint.safetensors`,
//! `model.safetensors`, `summary.json` and `report.html`. One process writes to it at a time,
//! and every file but the metrics is written whole or not at all.

mod label;
mod metrics;
mod name;
pub(crate) mod parent;
mod past;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use nn::files;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::config::Config;
use crate::error::{Error, one_line};
use crate::limits;
use crate::report;
use crate::settings::COMPLETE;
use crate::summary::{Status, VERSION};
use crate::words::{self, shell_word};

pub(crate) use label::{check as check_name, of as label};
pub(crate) use metrics::EpochLine;
use metrics::Metrics;
pub(crate) use name::{RUNS, timestamp};
pub(crate) use parent::{Parent, is_run};
pub(crate) use past::{Counts, DATA_NOTE, PastRun};

pub(crate) const CONFIG: &str = "config.toml";
pub(crate) const METRICS: &str = "metrics.jsonl";
pub(crate) const CHECKPOINT: &str = "checkpoint.safetensors";
pub(crate) const MODEL: &str = "model.safetensors";
pub(crate) const SUMMARY: &str = "summary.json";
pub(crate) const REPORT: &str = "report.html";

/// A summary has a few thousand bytes, and some for each column of a table. What is larger is
/// none.
const LARGEST_SUMMARY: u64 = 1 << 24;

/// What the settings of a run begin with.
pub(crate) const HEADING: &str = "# Settings of a run of trainer";

/// Every file that a run writes.
pub(crate) const FILES: [&str; 6] = [CONFIG, METRICS, CHECKPOINT, MODEL, SUMMARY, REPORT];

/// The directory of the current run, of which this process is the one writer.
pub(crate) struct RunDir {
    path: PathBuf,
    metrics: Metrics,
    /// The text of `config.toml`.
    config: String,
}

/// What a run says of itself in `summary.json` while it trains.
#[derive(Serialize)]
struct Running {
    status: Status,
    pid: u32,
    version: &'static str,
}

impl RunDir {
    /// Makes the directory and writes the settings into it. `out` is new, empty, or has
    /// what a run left that came to nothing; with `overwrite`, what any run left. Without
    /// `out`, the directory is `runs/<name>-<UTC time>`. The largest file of the run will
    /// have about `size` bytes.
    pub(crate) fn create(
        out: Option<&Path>,
        name: &str,
        overwrite: bool,
        config: &Config,
        size: u64,
        now: SystemTime,
    ) -> Result<Self, Error> {
        let text = written(config)?;
        check_space(out.unwrap_or(Path::new(".")), size)?;
        let (path, is_new) = match out {
            Some(path) => (path.to_owned(), make(path)?),
            None => (name::make(name, now)?, true),
        };
        if !is_new {
            check_files(&path)?;
            check_settings(&path)?;
        }
        let mut run = Self::open(&path)?;
        run.config = text;
        if !is_new {
            check_old(&path, overwrite)?;
        }
        run.begin().inspect_err(|_| {
            // A run that cannot begin leaves nothing. The first error is the one that
            // matters.
            if is_new {
                for file in FILES {
                    let _ = fs::remove_file(path.join(file));
                }
                let _ = fs::remove_dir(&path);
            }
        })?;
        Ok(run)
    }

    /// The directory of a run that is to continue, for this process alone.
    ///
    /// # Errors
    /// A directory that does not exist, has no checkpoint, or has another writer.
    pub(crate) fn resume(path: &Path) -> Result<Self, Error> {
        let checkpoint = path.join(CHECKPOINT);
        if !checkpoint.is_file() {
            return Err(if let Some(Parent::Sweep(_)) = Parent::of(path) {
                Error::ResumeSweep { path: path.to_owned(), program: words::program() }
            } else if path.join(CONFIG).is_file() {
                Self::no_save(path)
            } else {
                Error::NoCheckpoint { path: checkpoint }
            });
        }
        let run = Self::open(path)?;
        run.remove_parts()?;
        Ok(run)
    }

    /// What to say of a run without a checkpoint that is to continue.
    fn no_save(path: &Path) -> Error {
        // Another process may be training it. To look for its lock makes no file.
        if path.join(METRICS).is_file()
            && let Err(busy @ Error::Busy { .. }) = Self::open(path)
        {
            return busy;
        }
        let status = summary(path).map_or(Value::Null, |summary| summary["status"].clone());
        let out = format!("--out {}", shell_word(path));
        let (was, how, flags) = if status == Status::Diverged.name() {
            let how = ", with clipped gradients or with a smaller --lr";
            ("diverged before its first save", how, "--clip-norm 1".to_owned())
        } else if status == Status::Done.name() {
            ("has ended, and its checkpoint is gone", "", out + " --overwrite")
        } else {
            ("was ended before its first save", "", out)
        };
        Error::NoSave { path: path.to_owned(), was, how, program: words::program(), flags }
    }

    /// Writes the first files, after those of an older run are gone.
    fn begin(&mut self) -> Result<(), Error> {
        self.remove_parts()?;
        for file in [CHECKPOINT, MODEL, SUMMARY, REPORT] {
            self.remove(file)?;
        }
        self.restart_metrics(String::new())?;
        self.write(CONFIG, self.config.clone().as_bytes())?;
        self.say_running()
    }

    /// What a continued run writes first: its settings, of which some may have changed,
    /// and the metrics of the epochs that its checkpoint knows.
    pub(crate) fn continue_with(
        &mut self,
        config: &Config,
        lines: &[EpochLine],
    ) -> Result<(), Error> {
        self.config = written(config)?;
        self.write(CONFIG, self.config.clone().as_bytes())?;
        let lines: Result<Vec<_>, _> = lines.iter().map(serde_json::to_string).collect();
        let lines = lines.map_err(|error| Error::io("write", &self.path)(error.into()))?;
        self.restart_metrics(lines.into_iter().map(|line| line + "\n").collect())?;
        // It is that of the shorter run.
        self.remove(REPORT)?;
        self.say_running()
    }

    fn remove(&self, file: &str) -> Result<(), Error> {
        let path = self.path.join(file);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io("remove", &path)(error))
            }
            _ => Ok(()),
        }
    }

    fn say_running(&mut self) -> Result<(), Error> {
        let (status, pid) = (Status::Running, std::process::id());
        self.save_summary(&Running { status, pid, version: VERSION })
    }

    fn restart_metrics(&mut self, text: String) -> Result<(), Error> {
        self.metrics.restart(text).map_err(Error::io("write", &self.path.join(METRICS)))
    }

    fn remove_parts(&self) -> Result<(), Error> {
        files::remove_parts(&self.path).map_err(Error::io("tidy", &self.path))
    }

    /// Locks a directory that exists.
    fn open(path: &Path) -> Result<Self, Error> {
        let file = path.join(METRICS);
        let metrics = Metrics::lock(&file).map_err(Error::io("write", &file))?;
        let Some(metrics) = metrics else {
            let holder = summary(path).and_then(|summary| summary["pid"].as_u64());
            let holder = holder.map_or_else(String::new, |pid| format!(" {pid}"));
            return Err(Error::Busy { path: path.to_owned(), holder });
        };
        Ok(Self { path: path.to_owned(), metrics, config: String::new() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    pub(crate) fn model(&self) -> PathBuf {
        self.path.join(MODEL)
    }

    pub(crate) fn checkpoint(&self) -> PathBuf {
        self.path.join(CHECKPOINT)
    }

    /// Whether the run that is here has ended and was tested, and its model is there.
    pub(crate) fn is_done(&self) -> bool {
        self.model().is_file()
            && summary(&self.path).is_some_and(|summary| summary["status"] == Status::Done.name())
    }

    /// Whether the path is still that of the directory which this process writes to.
    pub(crate) fn is_here(&self) -> bool {
        self.metrics.is_at(&self.path.join(METRICS)).unwrap_or(false)
    }

    pub(crate) fn append_metrics(&mut self, line: &EpochLine) -> Result<(), Error> {
        let written = self.metrics.append(line);
        written.map_err(Error::io("write", &self.path.join(METRICS)))
    }

    /// Writes the lines that could not be written before.
    pub(crate) fn save_metrics(&mut self) -> Result<(), Error> {
        self.metrics.write().map_err(Error::io("write", &self.path.join(METRICS)))
    }

    pub(crate) fn save_model(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.write(MODEL, bytes)
    }

    pub(crate) fn save_checkpoint(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.write(CHECKPOINT, bytes)
    }

    pub(crate) fn save_summary(&mut self, summary: &impl Serialize) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(summary).map_err(io::Error::from);
        let text = text.map_err(Error::io("write", &self.path.join(SUMMARY)))? + "\n";
        self.write(SUMMARY, text.as_bytes())
    }

    pub(crate) fn save_report(&mut self, page: &str) -> Result<(), Error> {
        self.write(REPORT, page.as_bytes())
    }

    /// The report, if there is one.
    pub(crate) fn report(&self) -> Option<PathBuf> {
        Some(self.path.join(REPORT)).filter(|path| path.is_file())
    }

    /// Writes a file of the run. If the directory was moved or removed meanwhile, it is
    /// made again, with the settings and the metrics so far. Another run that has its name
    /// now is left alone.
    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.path.join(name);
        let result = match self.write_here(&path, bytes) {
            // It was moved just now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.write_here(&path, bytes),
            result => result,
        };
        result.map_err(Error::io("write", &path))
    }

    fn write_here(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if !self.metrics.is_at(&self.path.join(METRICS))? {
            self.make_again()?;
        }
        files::write(path, bytes)
    }

    fn make_again(&mut self) -> io::Result<()> {
        fs::create_dir_all(&self.path)?;
        let metrics = Metrics::lock(&self.path.join(METRICS))?;
        let taken = || io::Error::other("another directory has the name of its own now");
        let metrics = metrics.ok_or_else(taken)?;
        let of_other = |summary: Value| summary["pid"] != std::process::id();
        let edited = fs::read(self.config()).is_ok_and(|text| text != self.config.as_bytes());
        if edited || summary(&self.path).is_some_and(of_other) {
            // By one that has ended, or by the user.
            return Err(taken());
        }
        let text = std::mem::replace(&mut self.metrics, metrics).into_text();
        self.metrics.restart(text)?;
        files::write(self.config(), self.config.as_bytes())
    }
}

/// A new directory `runs/<name>-<UTC time>`, for more than one run.
pub(crate) fn make_parent(name: &str, now: SystemTime) -> Result<PathBuf, Error> {
    name::make(name, now)
}

/// The text of `config.toml`.
pub(crate) fn written(config: &Config) -> Result<String, Error> {
    let heading = format!("{HEADING} {VERSION}. To repeat it: trainer --config THIS_FILE\n");
    Ok(heading + &complete(config)?)
}

/// All settings of a run, in a text that does not build on the recipe that it names.
pub(crate) fn complete(config: &Config) -> Result<String, Error> {
    Ok(format!("{COMPLETE} = true\n{}", config.to_toml()?))
}

/// Checks that the files of a run have room, of which the largest has `size` bytes.
fn check_space(path: &Path, size: u64) -> Result<(), Error> {
    let limit = limits::file_size();
    if size > limit {
        let (needed, limit) = (limits::bytes(size), limits::bytes(limit));
        return Err(Error::FileLimit { needed, limit });
    }
    // The largest is the checkpoint. The old one stays until the new one is whole, and the
    // model is smaller.
    let (needed, free) = (size.saturating_mul(3), limits::disk(path));
    if needed > free {
        let (needed, free) = (limits::bytes(needed), limits::bytes(free));
        return Err(Error::NoSpace { path: path.to_owned(), needed, free });
    }
    Ok(())
}

/// Makes the directory `path`. Returns whether it is new.
fn make(path: &Path) -> Result<bool, Error> {
    if path.exists() && !path.is_dir() {
        return Err(Error::NotADirectory { path: path.into() });
    }
    if path.is_dir() {
        return Ok(false);
    }
    fs::create_dir_all(path).map_err(Error::io("make the directory", path))?;
    Ok(true)
}

/// Checks that a directory has files of a run and no others.
fn check_files(path: &Path) -> Result<(), Error> {
    let entries = fs::read_dir(path).map_err(Error::io("read the directory", path))?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let names: io::Result<Vec<_>> = names.collect();
    let names = names.map_err(Error::io("read the directory", path))?;
    let foreign = |name: &String| !FILES.contains(&&**name) && !files::is_part(name);
    match names.into_iter().filter(foreign).min() {
        Some(found) => Err(Error::NotEmpty { path: path.into(), found }),
        None => Ok(()),
    }
}

/// Checks that `config.toml` and `report.html`, if they are there, are those of a run and not the
/// user's own.
fn check_settings(path: &Path) -> Result<(), Error> {
    for (file, start) in [(CONFIG, HEADING), (REPORT, report::MARK)] {
        if fs::read(path.join(file)).is_ok_and(|text| !text.starts_with(start.as_bytes())) {
            return Err(Error::NotEmpty { path: path.into(), found: format!("a {file} of yours") });
        }
    }
    Ok(())
}

/// Checks that the run in a directory, which is locked, came to nothing, unless `overwrite`.
fn check_old(path: &Path, overwrite: bool) -> Result<(), Error> {
    let has = |name| path.join(name).exists();
    let status = summary(path).map(|summary| summary["status"].as_str().map(str::to_owned));
    let is = |wanted: Status| status == Some(Some(wanted.name().to_owned()));
    // Before version 0.3 a summary was written at the end, and had no status.
    let done = matches!(&status, Some(None)) || is(Status::Done);
    if overwrite {
        Ok(())
    } else if done {
        Err(Error::Finished { path: path.into() })
    } else if has(CHECKPOINT) {
        Err(Error::Unfinished { path: path.into(), resume: shell_word(path) })
    } else if has(MODEL) && !is(Status::Running) {
        Err(Error::Finished { path: path.into() })
    } else {
        // Also the model of a run that was killed before its first checkpoint.
        Ok(())
    }
}

/// The summary of the run in a directory, if there is one that can be read.
pub(crate) fn summary(path: &Path) -> Option<Value> {
    read_summary(path).ok().flatten()
}

/// The summary of the run in a directory; `None` if there is none.
///
/// # Errors
/// A file that cannot be read or is no JSON object.
pub(crate) fn read_summary(path: &Path) -> Result<Option<Value>, Error> {
    let path = path.join(SUMMARY);
    let no_object = |reason| Error::NoObject { path: path.clone(), what: "in the file", reason };
    match fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(found) if found.len() > LARGEST_SUMMARY => {
            let (found, most) = (limits::bytes(found.len()), limits::bytes(LARGEST_SUMMARY));
            return Err(no_object(format!("found {found}, expected at most {most}")));
        }
        _ => (),
    }
    let text = files::read(&path).map_err(Error::io("read", &path))?;
    let object: Result<Map<String, Value>, _> = serde_json::from_slice(&text);
    object.map(|object| Some(object.into())).map_err(|error| no_object(error.to_string()))
}

/// What to say of the model of a run that has not come to its end.
pub(crate) fn unfinished(path: &Path) -> Option<String> {
    let summary = summary(path)?;
    // Before version 0.3 a summary was written at the end, and had no status.
    let status = summary["status"].as_str()?;
    if status == Status::Done.name() {
        return None;
    }
    let epoch = summary["kept_epoch"].as_u64();
    let epoch = epoch.map_or_else(String::new, |epoch| format!(", that of epoch {epoch}"));
    // It is the word of a file.
    let status = one_line(status);
    Some(format!(
        "the run in {} is not done, its status is `{status}`: this is the model that it has so \
         far{epoch}",
        path.display()
    ))
}

#[cfg(test)]
mod tests;
