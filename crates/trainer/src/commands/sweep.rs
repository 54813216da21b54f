//! `trainer sweep`: trials of many settings, the best of which is trained on all samples.

mod file;
mod plan;
mod ranking;
mod search;
mod setup;
mod show;
mod space;
mod state;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use nn::Executor;
use serde::Serialize;

use super::train::refit::refit;
use super::train::shared;
use crate::config::Config;
use crate::data;
use crate::error::Error;
use crate::help;
use crate::pool::Pool;
use crate::process::Process;
use crate::ranks::Facts;
use crate::run_dir;
use crate::settings::Edits;
use crate::stop::Stop;
use crate::streams;
use crate::summary::VERSION;
use crate::trial::{Others, Outcome, TrialSamples};
use crate::words::{plural, program, shell_word};
use plan::Metric;
use ranking::Row;
use search::Search;
use setup::Setup;
use state::State;

/// Try many settings, and train the best ones on all samples
///
/// The settings to try are in a file; docs/tuning.md describes it. Trials run side by
/// side on the threads, and their table is the same for any number of them. They are
/// judged by folds of the training samples, or by a part that is held out; test samples
/// are not looked at. Under mpirun, in a build with MPI, the ranks share the trials.
///
/// The sweep leaves a directory with a line for each trial, the recipe of the best one,
/// and the run that was trained with it on all samples. After Ctrl-C or a crash,
/// --resume goes on with it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = help::after(EXAMPLES))]
pub(crate) struct Args {
    /// Data to train on: a folder or a file, the same as --data
    #[arg(value_name = "DATA", conflicts_with = "data")]
    location: Option<PathBuf>,

    /// File with what to try: its tables are sweep, base and space
    #[arg(long, value_name = "FILE", required_unless_present = "resume")]
    #[arg(help_heading = "Sweep")]
    config: Option<PathBuf>,

    /// Time for the trials, such as 30s, 10m or 2h
    ///
    /// No trial begins after it, and those that are running then are not counted. So the
    /// number of trials depends on the machine. The training on all samples comes after
    /// it. With --resume it begins anew.
    #[arg(long, value_name = "TIME", help_heading = "Sweep")]
    budget: Option<String>,

    /// Go on with a sweep that was stopped
    ///
    /// Trials that have ended are not repeated.
    #[arg(long, value_name = "SWEEP", conflicts_with_all = ["config", "out", "location"])]
    #[arg(help_heading = "Sweep")]
    resume: Option<PathBuf>,

    /// Do not train the best settings on all samples
    #[arg(long, help_heading = "Sweep")]
    no_refit: bool,

    #[command(flatten)]
    edits: Edits,

    /// Directory of the sweep, which is new or empty [default: runs/sweep-TIME]
    #[arg(short, long, value_name = "DIR", help_heading = "Output")]
    out: Option<PathBuf>,

    /// Print nothing but errors and, at the end, where the sweep is
    ///
    /// The directory is a line on stdout, for a script that goes on with it. With --json or
    /// --csv the result is printed instead.
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,

    /// Print the result as one JSON object on stdout
    #[arg(long, conflicts_with = "csv", help_heading = "Output")]
    json: bool,

    /// Print a line for each trial as CSV on stdout, the best first
    #[arg(long, help_heading = "Output")]
    csv: bool,

    /// Threads, 1 to 1024 [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<OsString>,
}

const EXAMPLES: &str = "\
Examples:
  trainer sweep --config sweep.toml
  trainer sweep --config sweep.toml data/iris.csv --target species
  trainer sweep --config sweep.toml --budget 10m --out runs/tuned
  trainer sweep --resume runs/tuned

A file with what to try:
  [sweep]
  method = \"random\"        # or grid, halving
  trials = 20
  folds = 3                # or validation = 0.2
  [base]
  recipe = \"default\"
  training.epochs = 3
  [space]
  training.lr = { from = 0.0003, to = 0.03, scale = \"log\" }
  network.hidden = [[128], [256, 256]]";

/// Rows of the last table; `--csv` has all.
const MOST_ROWS: usize = 20;

/// What `--json` prints and `result.json` has.
#[derive(Serialize)]
struct Report<'a> {
    sweep: &'a Path,
    method: &'static str,
    metric: &'static str,
    seed: u64,
    /// Samples that the trials had.
    samples: usize,
    folds: usize,
    /// Trials that were to be made; with a budget, not all of them may be below.
    wanted: usize,
    /// The best first.
    trials: &'a [Row],
    /// Number of the best trial.
    best: Option<usize>,
    /// Its recipe.
    recipe: Option<&'a Path>,
    /// The run that was trained with it on all samples.
    run: Option<&'a Path>,
    test: &'static str,
    threads: usize,
    isa: &'static str,
    version: &'static str,
}

pub(crate) fn run(args: &Args, process: &Process) -> Result<(), Error> {
    let ranks = process.ranks;
    if !ranks.is_alone() {
        let mut facts = shared::of_program("sweep", process);
        facts.add("flags", "--resume", shared::directory(args.resume.as_deref()));
        ranks.agree(facts, 0)?;
    }
    let mut setup = args.setup(process)?;
    let pool = Pool::of_rank(args.threads.as_deref(), ranks)?;
    setup.notes.extend(pool.note());
    if (args.json || args.csv) && ranks.is_first() {
        streams::check_stdout()?;
    }
    let samples = TrialSamples::open(&setup.base, process.isa)?;
    let metric = setup.metric(samples.has_classes())?;
    let splits = setup.splits(&samples)?;
    let checksum = samples.checksum()?;
    let stop = Stop::listen_on(process.ranks).map_err(Error::Signals)?;
    let mut facts = Facts::default();
    if !ranks.is_alone() {
        facts = setup.facts()?;
        shared::add_trials(&mut facts, &samples, &checksum);
    }
    setup.notes.extend(ranks.agree(facts, pool.threads())?);
    ranks.join();
    let search = Search {
        setup: &setup,
        samples: &samples,
        splits: &splits,
        metric,
        pool: &pool,
        stop: &stop,
        isa: process.isa,
        quiet: args.quiet,
    };
    if !ranks.is_first() {
        return follow(&search, process);
    }
    let mut state = match &args.resume {
        Some(path) => {
            State::resume(&data::home(path), (&checksum, process.isa.name()), &setup.trials)?
        }
        None => {
            let base = setup.base_text()?;
            let texts = (&*base, &*checksum, process.isa.name());
            let out = args.out.as_deref().map(data::home);
            State::create(out.as_deref(), texts, |dir| setup.text(dir))?
        }
    };
    let mut notes = setup.notes.clone();
    notes.extend(samples.notes.iter().cloned());
    notes.push(setup.describe(&samples, splits.len(), metric, state.path()));
    if !args.quiet {
        streams::notes(&notes);
    }
    ranks.go_on()?;
    let mut others = Others::new(ranks.post());
    let searched = search.run(&mut state, &mut others);
    others.dismiss();
    searched?;
    let rows = search.rows(&state);
    args.end(&search, &state, &rows, process)
}

/// What the ranks do that follow rank 0: its trials, and then their share of the last run.
fn follow(search: &Search<'_>, process: &Process) -> Result<(), Error> {
    let Search { setup, pool, .. } = *search;
    let ranks = process.ranks;
    // Rank 0 makes the directory of the sweep.
    ranks.go_on()?;
    search.follow(ranks.post())?;
    ranks.go_on()?;
    let best = ranks.share(|| Ok(Vec::new()))?;
    let (trial, epochs): (usize, usize) = serde_json::from_slice(&best).expect("rank 0 wrote it");
    let config = best_config(setup, (trial, epochs))?;
    refit(&config, Path::new(""), (pool, process, true))
}

/// [`crate::sweep()`].
pub(crate) fn of_texts(sweep: &str, base: Option<&str>) -> Result<crate::Sweep, Error> {
    let setup = Setup::of_texts(sweep, base, kernels::Isa::active()?)?;
    let (file, base) = (setup.text(Path::new(""))?, setup.base_text()?);
    Ok(crate::Sweep { file, base, trials: setup.trials })
}

impl Args {
    fn setup(&self, process: &Process) -> Result<Setup, Error> {
        let isa = process.isa;
        let budget = self.budget.as_deref().map(|text| plan::budget(text, "--budget"));
        let budget = budget.transpose()?;
        match (&self.resume, &self.config) {
            (Some(path), _) => {
                if !self.edits.is_empty() {
                    let why = "a sweep goes on with the settings that it began with: leave the \
                               flags of settings out";
                    return Err(Error::Usage(why.to_owned()));
                }
                Setup::of_directory(path, budget, isa, process.ranks)
            }
            (None, Some(path)) => {
                let mut edits = self.edits.clone();
                if let Some(location) = &self.location {
                    edits.push("data.dir", location.into());
                }
                Setup::of_file(path, &edits, budget, isa)
            }
            (None, None) => Err(Error::Usage("--config FILE is missing".to_owned())),
        }
    }

    /// Says what came of the search, and trains the best settings.
    fn end(
        &self,
        search: &Search<'_>,
        state: &State,
        rows: &[Row],
        process: &Process,
    ) -> Result<(), Error> {
        let Search { setup, samples, splits, metric, pool, .. } = *search;
        let best = rows.first().filter(|row| row.figure.is_some());
        let recipe = match best {
            Some(row) => {
                let config = best_config(setup, best_of(row))?;
                Some((state.write(state::BEST, &best_text(&config, row, state, metric)?)?, config))
            }
            None => None,
        };
        let run = state.path().join(state::RUN);
        let report = Report {
            sweep: state.path(),
            method: setup.method().name(),
            metric: metric.name(),
            seed: setup.plan.seed,
            samples: samples.len(),
            folds: splits.len(),
            wanted: setup.trials.len(),
            trials: rows,
            best: best.map(|row| row.trial),
            recipe: recipe.as_ref().map(|(path, _)| &**path),
            run: recipe.is_some().then_some(&*run).filter(|_| !self.no_refit),
            test: "not looked at",
            threads: pool.threads(),
            isa: process.isa.name(),
            version: VERSION,
        };
        let text = serde_json::to_string_pretty(&report).map_err(std::io::Error::from);
        let text = text.map_err(Error::io("write", &state.path().join(state::RESULT)))?;
        state.write(state::RESULT, &(text.clone() + "\n"))?;
        let shows = !(self.json || self.csv || self.quiet);
        if shows {
            streams::print(&shown(rows, setup, metric))?;
        }
        let Some((path, config)) = &recipe else { return Err(none(search, state, rows)) };
        state.tidy();
        if let Some(row) = best.filter(|_| !self.no_refit)
            && !is_trained(&run, config)?
        {
            // All ranks train it.
            process.ranks.go_on()?;
            let best = serde_json::to_vec(&best_of(row)).expect("plain data");
            process.ranks.share(|| Ok(best))?;
            refit(config, &run, (pool, process, self.quiet))?;
        }
        if self.json {
            streams::print(&text)?;
        } else if self.csv {
            streams::print(ranking::csv(rows, &setup.space, metric).trim_end())?;
        } else if shows {
            streams::print(&next(path, (!self.no_refit).then_some(&*run)))?;
        } else {
            streams::print_path(state.path())?;
        }
        Ok(())
    }
}

/// Whether the run in a directory has ended and has these settings.
fn is_trained(run: &Path, config: &Config) -> Result<bool, Error> {
    let text = fs::read_to_string(run.join("config.toml")).unwrap_or_default();
    let ended = run.join("model.safetensors").is_file() && run_dir::unfinished(run).is_none();
    Ok(ended && text.ends_with(&config.to_toml()?))
}

/// The table, and what it says.
fn shown(rows: &[Row], setup: &Setup, metric: Metric) -> String {
    let mut text = ranking::table(rows, MOST_ROWS, &setup.space, metric);
    if rows.len() > MOST_ROWS {
        text += &format!("… and {} more: --csv prints all\n", rows.len() - MOST_ROWS);
    }
    let unfinished = setup.trials.len() - rows.len();
    if unfinished > 0 {
        text += &format!("{} not made or not ended in the budget\n", plural(unfinished, "trial"));
    }
    if let Some(row) = rows.first()
        && let Some(figure) = row.figure
    {
        text += &format!(
            "\nbest: trial {} ({}), {} {}\n",
            row.trial,
            ranking::named(&row.settings, &setup.space),
            metric.name(),
            metric.text(figure)
        );
        text += "The best of many is the best partly by chance: test it once, on samples that chose \
                 nothing.";
    }
    text.trim_end().to_owned()
}

/// What to do with the result.
fn next(recipe: &Path, run: Option<&Path>) -> String {
    let (program, recipe) = (program(), shell_word(recipe));
    let mut text = format!("\nrecipe         {recipe}\n");
    if let Some(run) = run {
        let run = shell_word(run);
        text += &format!(
            "model          {run}/model.safetensors, trained on all samples but the test samples\n\n\
             next: test it once, or train the recipe again\n  {program} eval --model {run}\n"
        );
    } else {
        text += "\nnext: train the recipe, and test it once\n";
    }
    text + &format!("  {program} --config {recipe}")
}

/// The number of a trial, and the mean of the epochs that were best in its folds.
fn best_of(row: &Row) -> (usize, usize) {
    let kept = row.folds.iter().filter_map(|fold| fold.kept_epoch);
    let (sum, count) = kept.fold((0, 0), |(sum, count), epoch| (sum + epoch, count + 1));
    (row.trial, ((sum + count / 2) / count.max(1)).max(1))
}

/// The settings of the best trial for all samples: nothing is held out, so nothing is left that
/// early stopping could watch, and the run has the epochs that were best.
fn best_config(setup: &Setup, (trial, epochs): (usize, usize)) -> Result<Config, Error> {
    let mut config = setup.config(&setup.trials[trial - 1])?;
    config.data.validation = 0.0;
    config.data.dir.clone_from(&setup.base.data.dir);
    if config.training.early_stopping.take().is_some() {
        config.training.epochs = epochs;
    }
    if !config.recipe.ends_with("-tuned") {
        config.recipe += "-tuned";
    }
    Ok(config)
}

fn best_text(config: &Config, row: &Row, state: &State, metric: Metric) -> Result<String, Error> {
    let figure = row.figure.map_or_else(String::new, |found| metric.text(found));
    Ok(format!(
        "# The best settings of the sweep in {}: trial {}, {} {figure} on held-out samples.\n\
         # To train them: trainer --config THIS_FILE\n{}",
        state.path().display(),
        row.trial,
        metric.name(),
        config.to_toml()?
    ))
}

/// Why there is no best trial.
fn none(search: &Search<'_>, state: &State, rows: &[Row]) -> Error {
    if rows.is_empty() {
        let budget = search.setup.plan.budget.unwrap_or_default().as_secs();
        let advice = format!("give it more with {} --budget TIME", state.resume_command());
        return Error::NoTrial { budget: format!("{budget} s"), advice };
    }
    let refused = rows.iter().flat_map(|row| &row.folds).find_map(|fold| fold.reason.clone());
    if let Some(reason) = refused.filter(|_| rows.iter().all(|row| row.status == Outcome::Refused))
    {
        let reason = format!("no trial could be trained: {reason}");
        return Error::SweepDir { path: state.path().to_owned(), reason };
    }
    Error::SomeDiverged { diverged: rows.len(), of: rows.len(), what: "trials" }
}
