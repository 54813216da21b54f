//! The directory of a sweep: what it is to do, a line for each thing that has ended, and
//! what trials go on from.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use nn::files;
use serde::{Deserialize, Serialize};

use super::space::Settings;
use crate::error::Error;
use crate::run_dir;
use crate::run_dir::parent::TRIALS;
pub(super) use crate::run_dir::parent::{BEST as RUN, SWEEP};
use crate::summary::VERSION;
use crate::trial::Figures;
use crate::words::{program, shell_word};

/// The recipe that all trials start from.
pub(super) const BASE: &str = "base.toml";
/// What trials go on from.
const STATES: &str = "states";
/// The recipe of the best trial.
pub(super) const BEST: &str = "best.toml";
/// What `--json` prints.
pub(super) const RESULT: &str = "result.json";

/// One training of a trial, up to a rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) rung: usize,
    pub(super) trial: usize,
    pub(super) fold: usize,
}

/// A line of the log. Trials, folds and rungs count from 1.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    /// What the figures depend on beside the settings.
    Begin { version: String, isa: String, data: String, base: String },
    /// A job that has ended.
    Trial { trial: usize, fold: usize, rung: usize, settings: Settings, figures: Figures },
    /// The trials that go on to a rung.
    Promoted { rung: usize, trials: Vec<usize> },
}

/// What two texts do not share by chance.
fn checksum(bytes: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(bytes))
}

/// The directory, of which this process is the one writer, and what its log says.
pub(super) struct State {
    path: PathBuf,
    log: File,
    pub(super) figures: BTreeMap<Job, Figures>,
    /// The trials of each rung after the first.
    pub(super) promoted: BTreeMap<usize, Vec<usize>>,
}

impl State {
    /// Makes the directory `out`, or one in `runs`, with these texts in it. `data` is the
    /// checksum of the samples.
    pub(super) fn create(
        out: Option<&Path>,
        (base, data, isa): (&str, &str, &str),
        sweep: impl FnOnce(&Path) -> Result<String, Error>,
    ) -> Result<Self, Error> {
        let path = match out {
            Some(path) => {
                check_empty(path)?;
                fs::create_dir_all(path).map_err(Error::io("make the directory", path))?;
                path.to_owned()
            }
            None => run_dir::make_parent("sweep", SystemTime::now())?,
        };
        let write = |name: &str, text: &str| {
            let path = path.join(name);
            files::write(&path, text.as_bytes()).map_err(Error::io("write", &path))
        };
        write(BASE, base)?;
        write(SWEEP, &sweep(&path)?)?;
        let log = lock(&path)?;
        let mut state = Self { path, log, figures: BTreeMap::new(), promoted: BTreeMap::new() };
        state.append(&Line::Begin {
            version: VERSION.to_owned(),
            isa: bits(isa).to_owned(),
            data: data.to_owned(),
            base: checksum(base.as_bytes()),
        })?;
        Ok(state)
    }

    /// Reads the log of a directory, whose trials have these settings. Half a line at its end,
    /// which a process wrote that was killed, is cut off.
    ///
    /// # Errors
    /// A log of another version, of other data or of other trials, or one that another process
    /// writes to.
    pub(super) fn resume(
        path: &Path,
        (data, isa): (&str, &str),
        trials: &[Settings],
    ) -> Result<Self, Error> {
        let mut log = lock(path)?;
        let file = path.join(TRIALS);
        let text = fs::read(&file).map_err(Error::io("read", &file))?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let cut = log.set_len(whole as u64).and_then(|()| log.seek(SeekFrom::End(0)).map(drop));
        cut.map_err(Error::io("write", &file))?;
        let mut state = Self {
            path: path.to_owned(),
            log,
            figures: BTreeMap::new(),
            promoted: BTreeMap::new(),
        };
        let base = path.join(BASE);
        let base = checksum(&fs::read(&base).map_err(Error::io("read", &base))?);
        let mut begun = false;
        for (number, line) in text[..whole].split(|byte| *byte == b'\n').enumerate() {
            if line.is_empty() {
                continue;
            }
            let wrong = |reason: String| Error::SweepDir {
                path: file.clone(),
                reason: format!("line {}: {reason}", number + 1),
            };
            let line: Line = serde_json::from_slice(line)
                .map_err(|error| wrong(format!("expected a line of a sweep: {error}")))?;
            match line {
                Line::Begin { version, isa: was, data: of, base: from } => {
                    begun = true;
                    let now = bits(isa);
                    for (what, was, now) in [
                        ("trainer", &*version, VERSION),
                        ("instruction set", &*was, now),
                        ("data with the checksum", &*of, data),
                        ("base.toml with the checksum", &*from, &*base),
                    ] {
                        if was != now {
                            return Err(wrong(format!(
                                "the sweep was begun with the {what} {was}, this is {now}: begin \
                                 another one with --config {}",
                                shell_word(&path.join(SWEEP))
                            )));
                        }
                    }
                }
                Line::Trial { trial, fold, rung, settings, figures } => {
                    if trial == 0 || trials.get(trial - 1) != Some(&settings) {
                        return Err(wrong(format!(
                            "trial {trial} has other settings than {} gives it",
                            path.join(SWEEP).display()
                        )));
                    }
                    if fold == 0 || rung == 0 {
                        return Err(wrong("folds and rungs count from 1".to_owned()));
                    }
                    let job = Job { rung: rung - 1, trial: trial - 1, fold: fold - 1 };
                    state.figures.insert(job, figures);
                }
                Line::Promoted { rung, trials: promoted } => {
                    let known = |trial: &usize| (1..=trials.len()).contains(trial);
                    if rung < 2 || !promoted.iter().all(known) {
                        return Err(wrong("there is no such rung or trial".to_owned()));
                    }
                    let promoted = promoted.iter().map(|trial| trial - 1).collect();
                    state.promoted.insert(rung - 1, promoted);
                }
            }
        }
        if begun {
            Ok(state)
        } else {
            Err(Error::SweepDir {
                path: file,
                reason: format!(
                    "the sweep was ended before it began: begin it again with --config {}",
                    shell_word(&path.join(SWEEP))
                ),
            })
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The command that goes on with the sweep.
    pub(super) fn resume_command(&self) -> String {
        format!("{} sweep --resume {}", program(), shell_word(&self.path))
    }

    /// Notes a job that has ended, after what it can go on from.
    pub(super) fn ended(
        &mut self,
        job: Job,
        settings: &Settings,
        figures: Figures,
        state: Option<&[u8]>,
    ) -> Result<(), Error> {
        if let Some(bytes) = state {
            let States(dir) = self.states();
            let path = self.states().of(job);
            fs::create_dir_all(&dir).map_err(Error::io("make the directory", &dir))?;
            files::write(&path, bytes).map_err(Error::io("write", &path))?;
        }
        let Job { rung, trial, fold } = job;
        self.append(&Line::Trial {
            trial: trial + 1,
            fold: fold + 1,
            rung: rung + 1,
            settings: settings.clone(),
            figures: figures.clone(),
        })?;
        self.figures.insert(job, figures);
        Ok(())
    }

    /// Notes which trials go on to a rung; the others need nothing to go on from.
    pub(super) fn promote(&mut self, rung: usize, trials: &[usize]) -> Result<(), Error> {
        let counted = trials.iter().map(|trial| trial + 1).collect();
        self.append(&Line::Promoted { rung: rung + 1, trials: counted })?;
        self.promoted.insert(rung, trials.to_vec());
        let past = self.figures.keys().filter(|job| !trials.contains(&job.trial));
        for job in past {
            // One that is left does no harm.
            let _ = fs::remove_file(self.states().of(*job));
        }
        Ok(())
    }

    /// What trials go on from.
    pub(super) fn states(&self) -> States {
        States(self.path.join(STATES))
    }

    /// Removes what trials go on from: none will.
    pub(super) fn tidy(&self) {
        let _ = fs::remove_dir_all(self.path.join(STATES));
    }

    /// Writes a file of the directory.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf, Error> {
        let path = self.path.join(name);
        files::write(&path, text.as_bytes()).map_err(Error::io("write", &path))?;
        Ok(path)
    }

    fn append(&mut self, line: &Line) -> Result<(), Error> {
        let path = self.path.join(TRIALS);
        let text = serde_json::to_string(line).map_err(io::Error::from);
        let written = text.and_then(|text| self.log.write_all((text + "\n").as_bytes()));
        written.map_err(Error::io("write", &path))
    }
}

/// The directory of what trials go on from.
pub(super) struct States(PathBuf);

impl States {
    /// Those of rank 0, as another rank knows them.
    pub(super) fn elsewhere() -> Self {
        Self(STATES.into())
    }

    /// Where a job leaves it. One file for all rungs: the last counts.
    pub(super) fn of(&self, job: Job) -> PathBuf {
        self.0.join(format!("{}-{}.safetensors", job.trial + 1, job.fold + 1))
    }

    /// What a job goes on from, if it is there.
    pub(super) fn read(&self, job: Job) -> Option<Vec<u8>> {
        files::read(self.of(job)).ok()
    }
}

/// Opens and locks the log.
fn lock(dir: &Path) -> Result<File, Error> {
    let path = dir.join(TRIALS);
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(Error::io("write", &path))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            Err(Error::Busy { path: dir.to_owned(), holder: String::new() })
        }
        // A file system without locks: nothing is known of other writers.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// Instruction sets with the same bits have one name here.
fn bits(isa: &str) -> &str {
    if isa == "scalar" { isa } else { "vectors" }
}

fn check_empty(path: &Path) -> Result<(), Error> {
    if path.exists() && !path.is_dir() {
        return Err(Error::NotADirectory { path: path.to_owned() });
    }
    if path.join(TRIALS).exists() {
        let reason = format!(
            "there is a sweep: go on with {} sweep --resume {}, or name another directory with --out",
            program(),
            shell_word(path)
        );
        return Err(Error::SweepDir { path: path.to_owned(), reason });
    }
    let Ok(entries) = fs::read_dir(path) else { return Ok(()) };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    match names.min() {
        Some(found) => Err(Error::NotEmpty { path: path.to_owned(), found }),
        None => Ok(()),
    }
}
