//! `--repeat`: the same settings with several seeds, a run each.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use nn::{Executor as _, files};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Args, shared};
use crate::config::Config;
use crate::data;
use crate::error::{Error, Refused};
use crate::pool::Pool;
use crate::process::Process;
use crate::ranks::{Facts, Ranks};
use crate::recipe;
use crate::report::MOST_LINES;
use crate::run_dir::parent::{REPEAT, SEED};
use crate::run_dir::{self, CHECKPOINT, SUMMARY};
use crate::settings::{Edits, Source};
use crate::stop::Stop;
use crate::streams;
use crate::trial::{Spread, columns};
use crate::words::{program, shell_word};

/// What the directory has beside the runs.
const RECIPE: &str = "recipe.toml";

/// Figures of a summary, those that say more at the end.
const FIGURES: [&str; 10] = [
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "val_rmse",
    "test_loss",
    "test_accuracy",
    "test_rmse",
    "test_mae",
    "test_r2",
];

/// Those that the table shows, with their heads.
const SHOWN: [(&str, &str); 6] = [
    ("val_accuracy", "val acc"),
    ("val_rmse", "val RMSE"),
    ("val_loss", "val loss"),
    ("test_accuracy", "test acc"),
    ("test_rmse", "test RMSE"),
    ("test_loss", "test loss"),
];

/// What `repeat.json` has, and `--json` prints.
#[derive(Serialize, Deserialize)]
struct Repeat {
    status: String,
    recipe: String,
    repeat: u32,
    /// That of the first run.
    seed: u64,
    #[serde(default)]
    runs: Vec<Value>,
    /// Mean and deviation of each figure over the runs that did not diverge.
    #[serde(default)]
    means: Map<String, Value>,
}

/// What the runs have in common.
pub(super) struct Series {
    pub(super) pool: Pool,
    /// Of those that begin.
    pub(super) recipe: Option<Source>,
    /// Notes that an earlier run has printed: those on the data are the same for all.
    pub(super) said: Vec<String>,
}

/// What all ranks have to know of the directory, which rank 0 reads.
#[derive(Serialize, Deserialize)]
struct Plan {
    path: String,
    /// The text of the recipe, if a run begins.
    recipe: Option<String>,
    /// The runs that have not ended: which it is, its seed, and whether it has a checkpoint.
    next: Vec<(usize, u64, bool)>,
}

/// Whether a directory has runs with several seeds, which rank 0 knows.
pub(super) fn is_repeated(path: &Path, ranks: &Ranks) -> Result<bool, Error> {
    let is = || Ok(vec![u8::from(data::home(path).join(REPEAT).is_file())]);
    Ok(ranks.share(is)? == [1])
}

pub(super) fn begin(args: &Args, count: u32, process: &Process) -> Result<(), Error> {
    // Whatever is wrong with the settings is found before anything is written.
    let (config, _) = args.settings()?;
    let seed = config.training.seed;
    if seed.saturating_add(count.into()) > i64::MAX as u64 {
        let (what, found) = ("training.seed".to_owned(), seed.to_string());
        let reason = format!("expected a smaller one: {count} seeds begin with it");
        return Err(Refused { what, found, reason }.into());
    }
    if args.json && process.ranks.is_first() {
        streams::check_stdout()?;
    }
    // The settings cannot hold every path.
    let dir = args.edits().flag("data.dir").filter(|dir| dir.to_str().is_none()).map(Into::into);
    let text = format!("# Settings of runs with several seeds\n{}", run_dir::complete(&config)?);
    let own = Own { facts: shared::of_settings(&config)?, recipe: Some(text.clone()), dir };
    go(args, process, own, || make_all(args, count, &config, &text))
}

/// Makes the directory of the runs, with their settings.
fn make_all(
    args: &Args,
    count: u32,
    config: &Config,
    text: &str,
) -> Result<(PathBuf, Repeat), Error> {
    let path = match &args.out {
        Some(out) => {
            let out = data::home(out).into_owned();
            make(&out)?;
            out
        }
        None => {
            let name = args.name.as_deref().unwrap_or(&config.recipe);
            run_dir::make_parent(&format!("{name}-x{count}"), SystemTime::now())?
        }
    };
    write(&path.join(RECIPE), text)?;
    let (status, runs, means) = ("running".to_owned(), Vec::new(), Map::new());
    let (recipe, seed) = (config.recipe.clone(), config.training.seed);
    let repeat = Repeat { status, recipe, repeat: count, seed, runs, means };
    save(&path, &repeat)?;
    Ok((path, repeat))
}

/// Goes on with those runs of a directory that have not ended.
pub(super) fn resume(args: &Args, path: &Path, process: &Process) -> Result<(), Error> {
    // The data of other ranks may lie elsewhere: they are compared with those of rank 0.
    let elsewhere: &[&str] = if process.ranks.is_first() { &[] } else { &shared::PATHS };
    if !args.edits().are_of(elsewhere) {
        let why = "runs with several seeds go on with the settings that they began with: leave \
                   the flags of settings out";
        return Err(Error::Usage(why.to_owned()));
    }
    go(args, process, Own::default(), || {
        let path = data::home(path).into_owned();
        let file = path.join(REPEAT);
        let bytes = files::read(&file).map_err(Error::io("read", &file))?;
        let repeat = serde_json::from_slice(&bytes).map_err(|error| Error::NoObject {
            path: file,
            what: "of runs with several seeds",
            reason: error.to_string(),
        })?;
        Ok((path, repeat))
    })
}

impl Repeat {
    fn seeds(&self) -> Vec<u64> {
        (0..u64::from(self.repeat)).map(|i| self.seed + i).collect()
    }

    /// What is left to do in the directory `path`.
    fn plan(&self, path: &Path) -> Result<Plan, Error> {
        let ended = |run: &Path| matches!(status(run).as_deref(), Some("done" | "diverged"));
        let next = self.seeds().into_iter().enumerate().filter_map(|(index, seed)| {
            let run = run_of(path, seed);
            (!ended(&run)).then(|| (index, seed, run.join(CHECKPOINT).is_file()))
        });
        let next: Vec<_> = next.collect();
        let begins = next.iter().any(|(_, _, saved)| !saved);
        let recipe = begins.then(|| recipe::read(&path.join(RECIPE))).transpose()?;
        let recipe = recipe.map(|source| source.text);
        Ok(Plan { path: path.to_string_lossy().into_owned(), recipe, next })
    }
}

/// What this rank has of runs that all begin.
#[derive(Default)]
struct Own {
    /// What it has to have as the others do.
    facts: Facts,
    /// The text of the recipe, which says where the data lie for this rank.
    recipe: Option<String>,
    /// Where they lie, if no recipe can hold it.
    dir: Option<OsString>,
}

/// Trains the runs one after the other, each on all threads. `open` makes or reads their
/// directory, on rank 0.
fn go(
    args: &Args,
    process: &Process,
    Own { facts, recipe: own, dir }: Own,
    open: impl FnOnce() -> Result<(PathBuf, Repeat), Error>,
) -> Result<(), Error> {
    let ranks = process.ranks;
    let pool = Pool::of_rank(args.threads.as_deref(), ranks)?;
    let stop = Stop::listen_on(process.ranks).map_err(Error::Signals)?;
    ranks.agree(facts, pool.threads())?;
    let mut opened = None;
    let plan = ranks.share(|| {
        let (path, repeat) = open()?;
        let plan = serde_json::to_vec(&repeat.plan(&path)?).expect("plain data");
        opened = Some((path, repeat));
        Ok(plan)
    })?;
    let Plan { path, recipe, next } = serde_json::from_slice(&plan).expect("rank 0 wrote it");
    ranks.join();
    let origin = Path::new(&path).join(RECIPE).display().to_string();
    let source = |text| Source { text, origin, name: "recipe".to_owned(), whole: false };
    let mut series = Series { pool, recipe: own.or(recipe).map(source), said: Vec::new() };
    let Some((path, repeat)) = opened else {
        let path = PathBuf::from(path);
        for one in next {
            ranks.go_on()?;
            match train_one(args, process, (&path, one), dir.as_ref(), &mut series) {
                Ok(()) | Err(Error::Network(nn::Error::Diverged { .. })) => (),
                Err(error) => return Err(error),
            }
        }
        return Ok(());
    };
    let several = !ranks.is_alone();
    let again = || format!("{} --resume {}", program(), shell_word(&path));
    for one @ (index, seed, _) in next {
        if let Some(signal) = stop.signal() {
            let at = format!("before run {} of {}", index + 1, repeat.repeat);
            return Err(Error::Stopped { signal, at, resume: again(), several });
        }
        if !args.quiet && !args.json {
            let line = format!("run {} of {}, seed {seed}", index + 1, repeat.repeat);
            streams::print(&if index == 0 { line } else { format!("\n{line}") })?;
        }
        ranks.go_on()?;
        match train_one(args, process, (&path, one), dir.as_ref(), &mut series) {
            Ok(()) => (),
            Err(Error::Stopped { signal, at, .. }) => {
                return Err(Error::Stopped { signal, at, resume: again(), several });
            }
            // The other seeds may do better.
            Err(error @ (Error::Diverged { .. } | Error::Network(nn::Error::Diverged { .. }))) => {
                streams::failure(&error);
            }
            Err(error) => return Err(error),
        }
    }
    show(args, &path, repeat, dir.is_none())
}

/// Trains the run of the directory `path` that has this number and seed, and a checkpoint or
/// none.
fn train_one(
    args: &Args,
    process: &Process,
    (path, (_, seed, saved)): (&Path, (usize, u64, bool)),
    dir: Option<&OsString>,
    series: &mut Series,
) -> Result<(), Error> {
    let mut one = Args {
        location: None,
        recipe: None,
        repeat: None,
        quiet: args.quiet || args.json,
        json: false,
        edits: Edits::default(),
        ..args.clone()
    };
    if args.resume.is_some() {
        one.edits = args.edits();
    }
    let run = run_of(path, seed);
    if saved {
        (one.config, one.out, one.resume) = (None, None, Some(run));
    } else {
        (one.config, one.out, one.resume) = (Some(path.join(RECIPE)), Some(run), None);
        one.edits.push("training.seed", seed.to_string().into());
    }
    if let Some(dir) = dir {
        one.edits.push("data.dir", dir.clone());
    }
    let process = Process { started: Instant::now(), ..*process };
    super::train(&one, &process, Some(series))
}

/// Writes down what the runs came to, and shows it. `is_named` says whether the settings have the
/// path of the data.
fn show(args: &Args, path: &Path, mut repeat: Repeat, is_named: bool) -> Result<(), Error> {
    let seeds = repeat.seeds();
    repeat.runs = seeds.iter().map(|&seed| figures(path, seed)).collect();
    repeat.means = means(&repeat.runs);
    "done".clone_into(&mut repeat.status);
    save(path, &repeat)?;
    if args.json {
        streams::print_json(&repeat)?;
    } else if args.quiet {
        streams::print_path(path)?;
    } else {
        streams::print(&format!("\n{}", table(&repeat).trim_end()))?;
        streams::print(&format!("\nruns           {}", shell_word(path)))?;
        // Without a test there is none again.
        let tests = !args.no_test && is_named;
        if let Some(next) = next(path, &repeat, tests) {
            streams::print(&format!("\n{next}"))?;
        }
    }
    match repeat.runs.iter().filter(|run| run["status"] == "diverged").count() {
        0 => Ok(()),
        diverged => Err(Error::SomeDiverged { diverged, of: seeds.len(), what: "runs" }),
    }
}

/// What to do with the runs that came to their end.
fn next(path: &Path, repeat: &Repeat, tests: bool) -> Option<String> {
    let first = repeat.runs.iter().find(|run| run["status"] == "done")?;
    let (program, path) = (program(), shell_word(path));
    // The shell finds the runs. Of more than a page has room for there is a table.
    let compare = if repeat.repeat as usize <= MOST_LINES {
        format!("{program} report {path}/{SEED}*")
    } else {
        format!("{program} runs {path}")
    };
    Some(if tests {
        let seed = &first["seed"];
        format!(
            "next: compare them, or see where one of them is wrong\n  {compare}\n  \
             {program} eval --model {path}/{SEED}{seed}"
        )
    } else {
        format!("next: compare them\n  {compare}")
    })
}

fn run_of(path: &Path, seed: u64) -> PathBuf {
    path.join(format!("{SEED}{seed}"))
}

fn summary(run: &Path) -> Value {
    let text = files::read(run.join(SUMMARY)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

fn status(run: &Path) -> Option<String> {
    summary(run)["status"].as_str().map(str::to_owned)
}

/// What the summary of a run says.
fn figures(path: &Path, seed: u64) -> Value {
    let run = run_of(path, seed);
    let summary = summary(&run);
    let mut figures = Map::new();
    figures.insert("seed".to_owned(), seed.into());
    figures.insert("run".to_owned(), run.to_string_lossy().into());
    figures.insert("status".to_owned(), summary["status"].clone());
    for key in FIGURES.into_iter().chain(["epochs", "kept_epoch", "total_seconds"]) {
        if let Some(figure) = summary.get(key).filter(|figure| !figure.is_null()) {
            figures.insert(key.to_owned(), figure.clone());
        }
    }
    figures.into()
}

/// Mean and deviation of the figures that every run has which did not diverge.
fn means(runs: &[Value]) -> Map<String, Value> {
    let done: Vec<&Value> = runs.iter().filter(|run| run["status"] == "done").collect();
    let mean = |key: &&str| {
        let figures: Option<Vec<f64>> = done.iter().map(|run| run[*key].as_f64()).collect();
        let spread = serde_json::to_value(Spread::of(&figures?)?).ok()?;
        Some(((*key).to_owned(), spread))
    };
    FIGURES.iter().filter_map(mean).collect()
}

fn table(repeat: &Repeat) -> String {
    let shown: Vec<_> =
        SHOWN.into_iter().filter(|(key, _)| repeat.means.contains_key(*key)).collect();
    let text = |key: &str, spread: Spread| {
        if key.ends_with("accuracy") { spread.percent() } else { spread.number() }
    };
    let heads = shown.iter().map(|(_, head)| (*head).to_owned());
    let mut rows = vec![["seed".to_owned()].into_iter().chain(heads).collect::<Vec<_>>()];
    for run in &repeat.runs {
        let mut row = vec![run["seed"].to_string()];
        if run["status"] == "done" {
            let one = |mean| Spread { mean, deviation: None };
            let cell = |(key, _): &(&str, &str)| {
                run[*key].as_f64().map_or_else(String::new, |mean| text(key, one(mean)))
            };
            row.extend(shown.iter().map(cell));
        } else {
            row.push(run["status"].as_str().unwrap_or("none").to_owned());
        }
        rows.push(row);
    }
    let mut row = vec!["mean".to_owned()];
    for (key, _) in &shown {
        let of = |name: &str| repeat.means[*key][name].as_f64();
        let spread = Spread { mean: of("mean").unwrap_or(f64::NAN), deviation: of("deviation") };
        row.push(text(key, spread));
    }
    rows.push(row);
    columns(&rows, 0)
}

/// Makes a directory that is new or empty.
fn make(path: &Path) -> Result<(), Error> {
    if path.exists() && !path.is_dir() {
        return Err(Error::NotADirectory { path: path.to_owned() });
    }
    if path.join(REPEAT).is_file() {
        return Err(Error::Unfinished { path: path.to_owned(), resume: shell_word(path) });
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    if let Some(found) = names.min() {
        return Err(Error::NotEmpty { path: path.to_owned(), found });
    }
    fs::create_dir_all(path).map_err(Error::io("make the directory", path))
}

fn save(path: &Path, repeat: &Repeat) -> Result<(), Error> {
    let path = path.join(REPEAT);
    let text = serde_json::to_string_pretty(repeat).map_err(std::io::Error::from);
    write(&path, &(text.map_err(Error::io("write", &path))? + "\n"))
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    files::write(path, text.as_bytes()).map_err(Error::io("write", path))
}
