//! The runs in a folder, each read from its summary and its settings.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::SystemTime;

use serde::Serialize;
use serde_json::{Map, Value};
use toml::Table;

use super::{NOTHING, field};
use crate::error::Error;
use crate::run_dir::{CONFIG, METRICS, Parent, SUMMARY, is_run, timestamp};

pub(super) use super::folders as dirs;

/// A summary or settings are some kilobytes. A file of more than this is something else.
const LARGEST: u64 = 1 << 22;

/// Folders that a thread has at least.
const EACH: usize = 256;

/// The most threads that read: more only wait for the disk.
const MOST_THREADS: usize = 8;

/// A run.
#[derive(Debug, Serialize)]
pub(super) struct RunRow {
    /// Of its directory, which is in the folder that was named; otherwise its path.
    pub(super) name: String,
    path: String,
    /// That of the summary; `killed` if it says `running` and the process is gone, `unknown`
    /// without a summary.
    status: String,
    /// When it was last written, in UTC.
    time: String,
    /// Of a run that has not ended, the figures so far are in it too.
    summary: Map<String, Value>,
    settings: Table,
}

/// What is no run, or a run of which something cannot be read.
#[derive(Debug, Serialize)]
pub(super) struct Trouble {
    pub(super) path: String,
    pub(super) reason: String,
    #[serde(skip)]
    pub(super) is_foreign: bool,
}

/// What is in the folders.
pub(super) struct Found {
    pub(super) runs: Vec<RunRow>,
    pub(super) trouble: Vec<Trouble>,
}

/// The runs in these folders, those of the sweeps and repeats in them, and those that are named
/// themselves.
///
/// # Errors
/// A folder that cannot be read. That `runs` does not exist is none: there is no run yet.
pub(super) fn in_dirs(named: &[PathBuf]) -> Result<Found, Error> {
    let mut paths = Vec::new();
    let folders = dirs(named);
    let alone = folders.len() == 1;
    for folder in folders {
        if is_run(&folder) {
            paths.push((folder.display().to_string(), folder));
            continue;
        }
        // Of a sweep's own directory, what it has beside the run is no folder of runs.
        if let Some(parent) = Parent::of(&folder) {
            let shown = |run: &PathBuf| match run.file_name() {
                Some(name) if alone => name.to_string_lossy().into_owned(),
                _ => run.display().to_string(),
            };
            paths.extend(parent.runs().into_iter().map(|run| (shown(&run), run)));
            continue;
        }
        let entries = match fs::read_dir(&folder) {
            Err(error) if named.is_empty() && error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(Error::io("read the directory", &folder))?,
        };
        for entry in entries {
            let entry = entry.map_err(Error::io("read the directory", &folder))?;
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            // A file costs no look at it; a link may lead to a folder.
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            if is_file || name.starts_with('.') || !path.is_dir() {
                continue;
            }
            let name = if alone { name } else { path.display().to_string() };
            paths.push((name, path));
        }
    }
    paths.sort();
    paths.dedup_by(|a, b| a.1 == b.1);
    let mut found = read_all(&paths);
    // A run of a sweep may have been named beside the folder that the sweep is in.
    found.runs.sort_by(|a, b| a.path.cmp(&b.path));
    found.runs.dedup_by(|a, b| a.path == b.path);
    Ok(found)
}

/// Reads many on several threads.
fn read_all(paths: &[(String, PathBuf)]) -> Found {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let each = paths.len().div_ceil(threads).max(EACH);
    let read = |part: &[(String, PathBuf)]| {
        let mut found = Found { runs: Vec::new(), trouble: Vec::new() };
        part.iter().for_each(|(name, path)| found.add(name, path));
        found
    };
    let parts: Vec<Found> = thread::scope(|scope| {
        let parts: Vec<_> =
            paths.chunks(each).map(|part| scope.spawn(move || read(part))).collect();
        // A thread that panics is a mistake of the program, as it would be here.
        parts.into_iter().map(|part| part.join().expect("reading does not panic")).collect()
    });
    let mut all = Found { runs: Vec::new(), trouble: Vec::new() };
    for part in parts {
        all.runs.extend(part.runs);
        all.trouble.extend(part.trouble);
    }
    all
}

impl Found {
    fn add(&mut self, name: &str, path: &Path) {
        if !is_run(path)
            && let Some(parent) = Parent::of(path)
        {
            for run in parent.runs() {
                let last = run.file_name().unwrap_or_default().to_string_lossy();
                self.add(&format!("{name}/{last}"), &run);
            }
            return;
        }
        let mut trouble = |reason: String, is_foreign| {
            let path = path.display().to_string();
            self.trouble.push(Trouble { path, reason, is_foreign });
        };
        let wrong = |file: &str, error: &dyn std::fmt::Display| {
            let error = error.to_string();
            format!("{}: {}", path.join(file).display(), error.lines().next().unwrap_or_default())
        };
        let summary = text(&path.join(SUMMARY));
        let config = text(&path.join(CONFIG));
        if let (Ok(None), Ok(None)) = (&summary, &config)
            && !is_run(path)
        {
            return trouble(format!("{} is no run", path.display()), true);
        }
        let summary = summary.map_err(|error| wrong(SUMMARY, &error)).and_then(|text| {
            let object = text.as_deref().map(serde_json::from_str).transpose();
            object.map_err(|error| wrong(SUMMARY, &error))
        });
        let settings = config.map_err(|error| wrong(CONFIG, &error)).and_then(|text| {
            let table = text.as_deref().map(str::parse::<Table>).transpose();
            table.map_err(|error| wrong(CONFIG, &format!("no TOML: {error}")))
        });
        let summary = summary.unwrap_or_else(|reason| {
            trouble(reason, false);
            None
        });
        let settings = settings.unwrap_or_else(|reason| {
            trouble(reason, false);
            None
        });
        self.runs.push(RunRow::new(name, path, summary, settings));
    }
}

/// The text of a file; `None` if there is none.
fn text(path: &Path) -> io::Result<Option<String>> {
    // A pipe would be waited for.
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok(found) if !found.is_file() => return Err(io::Error::other("expected a file")),
        Ok(found) if found.len() > LARGEST => {
            return Err(io::Error::other("expected at most 4 MiB"));
        }
        Ok(_) => (),
    }
    let mut text = String::new();
    File::open(path)?.take(LARGEST).read_to_string(&mut text)?;
    Ok(Some(text))
}

impl RunRow {
    fn new(
        name: &str,
        path: &Path,
        summary: Option<Map<String, Value>>,
        settings: Option<Table>,
    ) -> Self {
        let status = match &summary {
            None => "unknown".to_owned(),
            Some(summary) => match summary.get("status") {
                Some(Value::String(status)) if status == "running" && is_gone(summary) => {
                    "killed".to_owned()
                }
                Some(Value::String(status)) => status.clone(),
                // Before version 0.3 a summary was written at the end, and had no status.
                _ => "done".to_owned(),
            },
        };
        let mut summary = summary.unwrap_or_default();
        if !summary.contains_key("epochs") {
            summary.extend(so_far(&path.join(METRICS)).unwrap_or_default());
        }
        let time = match summary.get("time") {
            Some(Value::String(time)) => time.clone(),
            _ => timestamp(written(path)),
        };
        let (name, path) = (name.to_owned(), path.display().to_string());
        Self { name, path, status, time, summary, settings: settings.unwrap_or_default() }
    }

    /// For tests: a run with these files.
    #[cfg(test)]
    pub(super) fn of_texts(name: &str, summary: &str, settings: &str) -> Self {
        let summary = serde_json::from_str(summary).unwrap();
        let settings = toml::from_str(settings).unwrap();
        Self::new(name, Path::new(name), Some(summary), Some(settings))
    }

    /// A figure; null if the run does not have it.
    pub(super) fn figure(&self, name: &str) -> Cow<'_, Value> {
        let own = |text: &str| Cow::Owned(Value::String(text.to_owned()));
        match name {
            "name" => own(&self.name),
            "path" => own(&self.path),
            "status" => own(&self.status),
            "time" => own(&self.time),
            // A run that has not ended says it in its settings only.
            "recipe" => match (self.summary.get(name), self.settings.get(name)) {
                (Some(recipe), _) => Cow::Borrowed(recipe),
                (None, recipe) => Cow::Owned(recipe.map_or(NOTHING, field::json)),
            },
            _ => self.summary.get(name).map_or(Cow::Owned(NOTHING), Cow::Borrowed),
        }
    }

    /// The setting of this dotted key, if the settings have it.
    pub(super) fn setting(&self, key: &str) -> Option<Value> {
        self.written(key).map(field::json)
    }

    /// The same as the file has it.
    pub(super) fn written(&self, key: &str) -> Option<&toml::Value> {
        let mut names = key.split('.');
        let mut value = self.settings.get(names.next()?)?;
        for name in names {
            value = value.as_table()?.get(name)?;
        }
        Some(value)
    }

    pub(super) fn has_settings(&self) -> bool {
        !self.settings.is_empty()
    }
}

/// The figures of the last whole line of the metrics, by the names that a summary has for
/// them. `None` where there is no line.
fn so_far(path: &Path) -> Option<Map<String, Value>> {
    // A line has some hundred bytes.
    const TAIL: u64 = 4096;
    // A pipe would be waited for.
    let len = fs::metadata(path).ok().filter(fs::Metadata::is_file)?.len();
    let mut file = File::open(path).ok()?;
    file.seek(SeekFrom::Start(len.saturating_sub(TAIL))).ok()?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail).ok()?;
    // The run may be writing the line after it.
    let end = tail.iter().rposition(|byte| *byte == b'\n')?;
    let start = tail[..end].iter().rposition(|byte| *byte == b'\n').map_or(0, |i| i + 1);
    let mut line: Map<String, Value> = serde_json::from_slice(&tail[start..end]).ok()?;
    let epochs = line.remove("epoch")?;
    line.retain(|key, _| key.ends_with("loss") || key.ends_with("accuracy"));
    line.insert("epochs".to_owned(), epochs);
    Some(line)
}

/// When the files of a run were last written, as far as the system says it.
fn written(path: &Path) -> SystemTime {
    let files = [SUMMARY, METRICS, CONFIG].map(|name| path.join(name));
    let time = |path: &PathBuf| fs::metadata(path).and_then(|file| file.modified()).ok();
    files.iter().find_map(time).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Whether the process that trains the run has ended, on this machine.
#[cfg(unix)]
fn is_gone(summary: &Map<String, Value>) -> bool {
    use rustix::process::{Pid, test_kill_process};
    let pid = summary.get("pid").and_then(Value::as_i64).and_then(|pid| i32::try_from(pid).ok());
    let Some(pid) = pid.filter(|pid| *pid > 0).and_then(Pid::from_raw) else { return false };
    // One of another user is there, and may not be signalled.
    test_kill_process(pid).is_err_and(|error| error == rustix::io::Errno::SRCH)
}

#[cfg(not(unix))]
fn is_gone(_: &Map<String, Value>) -> bool {
    false
}
