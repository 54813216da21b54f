//! A directory that has runs in it and is none itself: that of a sweep, or of `--repeat`.

use std::fs;
use std::path::{Path, PathBuf};

use super::{CHECKPOINT, CONFIG, METRICS, MODEL, SUMMARY};
use crate::error::Error;
use crate::words::shell_word;

/// What a sweep is to do, and a line for each of its trials.
pub(crate) const SWEEP: &str = "sweep.toml";
pub(crate) const TRIALS: &str = "trials.jsonl";

/// The run of the best settings of a sweep.
pub(crate) const BEST: &str = "best";

/// What is known of runs with several seeds.
pub(crate) const REPEAT: &str = "repeat.json";

/// What the name of each of them begins with, before its seed.
pub(crate) const SEED: &str = "seed-";

/// A directory with runs, by its kind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parent {
    Sweep(PathBuf),
    Repeat(PathBuf),
}

/// Whether a run has left its files there.
pub(crate) fn is_run(path: &Path) -> bool {
    [CONFIG, SUMMARY, CHECKPOINT, MODEL, METRICS].iter().any(|name| path.join(name).is_file())
}

impl Parent {
    /// What is at `path`, by its files; `None` if it is neither.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let has = |name: &str| path.join(name).is_file();
        if has(REPEAT) {
            Some(Self::Repeat(path.to_owned()))
        } else if has(SWEEP) && has(TRIALS) {
            Some(Self::Sweep(path.to_owned()))
        } else {
            None
        }
    }

    /// The runs that are there now, by their seeds.
    pub(crate) fn runs(&self) -> Vec<PathBuf> {
        match self {
            Self::Sweep(path) => {
                Some(path.join(BEST)).filter(|run| is_run(run)).into_iter().collect()
            }
            Self::Repeat(path) => {
                let entries = fs::read_dir(path).into_iter().flatten().flatten();
                let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
                let seed = |name: &String| name.strip_prefix(SEED)?.parse().ok();
                let mut seeds: Vec<u64> = names.filter_map(|name| seed(&name)).collect();
                seeds.sort_unstable();
                let runs = seeds.into_iter().map(|seed| path.join(format!("{SEED}{seed}")));
                runs.filter(|run| is_run(run)).collect()
            }
        }
    }

    /// What to say where one run was expected, which has the file `needed`.
    pub(crate) fn is_no_run(&self, needed: &str) -> Error {
        let (path, what) = match self {
            Self::Sweep(path) => (path, "a sweep"),
            Self::Repeat(path) => (path, "several runs"),
        };
        let run = self.runs().into_iter().find(|run| run.join(needed).is_file());
        let advice = match run {
            Some(run) => format!("name the run in it that is meant, such as {}", shell_word(&run)),
            None => format!("no run in it has a {needed} yet"),
        };
        Error::SeveralRuns { path: path.clone(), what, advice }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_found_in_the_order_of_their_seeds() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        assert_eq!(Parent::of(path), None);
        for run in ["seed-10", "seed-9", "seed-x", "best"] {
            fs::create_dir(path.join(run)).unwrap();
            fs::write(path.join(run).join(CONFIG), "").unwrap();
        }
        fs::create_dir(path.join("seed-1")).unwrap();
        // The file of a user who has not begun the sweep.
        fs::write(path.join(SWEEP), "").unwrap();
        assert_eq!(Parent::of(path), None);
        fs::write(path.join(TRIALS), "").unwrap();
        let sweep = Parent::of(path).unwrap();
        assert_eq!(sweep.runs(), [path.join("best")]);
        let error = sweep.is_no_run(MODEL).to_string();
        assert!(error.ends_with("no run in it has a model.safetensors yet"), "{error}");
        fs::write(path.join(REPEAT), "").unwrap();
        let repeat = Parent::of(path).unwrap();
        assert_eq!(repeat.runs(), [path.join("seed-9"), path.join("seed-10")]);
        let error = repeat.is_no_run(CONFIG).to_string();
        assert!(error.ends_with("seed-9"), "{error}");
    }
}
