//! `trainer train`: from settings to a tested model in a run directory.

mod every;
mod keeper;
mod layers;
mod record;
pub(super) mod refit;
mod repeat;
mod resumed;
pub(super) mod shared;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nn::{Executor as _, Run};

use crate::augment::Prepared;
use crate::config::Config;
use crate::data;
use crate::error::Error;
use crate::help;
use crate::network;
use crate::pool::Pool;
use crate::process::Process;
use crate::progress::Progress;
use crate::ranks::Facts;
use crate::recipe;
use crate::run_dir::{self, RunDir};
use crate::sets::Sets;
use crate::settings::Edits;
use crate::stop::Stop;
use crate::streams;

use every::Every;
use keeper::Keeper;
use layers::Layers;
use record::Record;
use repeat::Series;
use resumed::Resumed;

const EXAMPLES: &str = "\
Examples:
  trainer                              train on the digits in data/
  trainer digits/                      on a folder of pictures for each class
  trainer data.csv --target price      on a table
  trainer --epochs 2 --lr 0.005        flags change the recipe
  trainer --recipe best -o runs/best   another recipe, and where the run is
  trainer --validation 0.1 --no-test   to tune: judge by what is held out
  trainer --config mine.toml           a recipe of your own
  trainer --resume runs/NAME           go on with a run that was stopped";

/// Train a network and test it once, at the end
///
/// Without a flag it trains the recipe `default`. The brackets after the help of a
/// setting have its key in recipe files, the values that it takes, and the default:
/// the value that a recipe without the key gets.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", recipe::help()))]
#[command(after_long_help = help::after(&format!("{EXAMPLES}\n\n{}", recipe::help())))]
pub(crate) struct Args {
    /// Data to train on: a folder or a file, the same as --data
    #[arg(value_name = "DATA", conflicts_with = "data")]
    pub(super) location: Option<PathBuf>,

    /// Recipe to start from [default: default]
    ///
    /// For a table the default is table. Other flags override its settings. The list of
    /// recipes is at the end of `trainer train --help`.
    #[arg(long, value_name = "NAME", conflicts_with = "config", help_heading = "Recipe")]
    recipe: Option<OsString>,

    /// Recipe file to start from
    ///
    /// With recipe = "default" in it, and a key or two, it builds on that recipe. The
    /// config.toml of a run repeats that run. A dash is standard input.
    #[arg(long, value_name = "FILE", help_heading = "Recipe")]
    config: Option<PathBuf>,

    /// Print the settings as a recipe file, and end
    ///
    /// They are those that would be run. No data are read. The file is complete: --config
    /// with it trains the same network.
    #[arg(long, conflicts_with_all = ["resume", "json"], help_heading = "Recipe")]
    print_config: bool,

    #[command(flatten)]
    edits: Edits,

    /// Directory of the run [default: runs/NAME-TIME]
    ///
    /// It is created, or is empty. TIME is in UTC.
    #[arg(short, long, value_name = "DIR", help_heading = "Output")]
    out: Option<PathBuf>,

    /// First part of the directory's name
    ///
    /// By default it is the recipe, and in a few words what differs from it, such as
    /// default-epochs3-lr0.01.
    #[arg(long, value_name = "NAME", conflicts_with = "out", help_heading = "Output")]
    name: Option<String>,

    /// Replace the run that the directory of --out has
    #[arg(long, requires = "out", help_heading = "Output")]
    overwrite: bool,

    /// Continue a run that was stopped
    ///
    /// The result has the same bits as that of a run that was never stopped. Its data,
    /// settings and version must be those that it began with, except for --epochs, with
    /// which a run may be trained further than it was meant to be, and the folder of
    /// the data. A learning rate that falls until the end then falls until the new end.
    #[arg(
        long,
        value_name = "RUN",
        conflicts_with_all = ["recipe", "config", "out", "overwrite", "name"],
        help_heading = "Output"
    )]
    resume: Option<PathBuf>,

    /// Leave the test out, as one should while choosing
    ///
    /// The test samples are for the one figure at the end of all choices. Hold out some
    /// of the others with --validation, and compare runs by these.
    #[arg(long, help_heading = "Output")]
    no_test: bool,

    /// How often it is saved on the way: 5, 10m or none
    ///
    /// A number is of epochs; a time has s, m or h after it. The default is 10s, or more
    /// rarely, so that it takes less than a hundredth of the time. The run is also saved
    /// when it ends or is stopped.
    #[arg(long, value_name = "EVERY", default_value = "auto", hide_default_value = true)]
    #[arg(help_heading = "Output")]
    checkpoint_every: Every,

    /// Leave no report.html in the run's directory
    ///
    /// The report takes a few per cent of the time, and `trainer report RUN` writes it later.
    #[arg(long, help_heading = "Output")]
    no_report: bool,

    /// Train N times, with N seeds: that of the settings and the ones after it
    ///
    /// Each run is in a folder of the directory of --out. At the end there is a table of
    /// them, with mean and standard deviation. The seed also decides which samples are held
    /// out, and which are tested on where the data have no test part. After a stop,
    /// --resume DIR goes on with all of them.
    #[arg(long, value_name = "N", conflicts_with_all = ["resume", "overwrite"])]
    #[arg(value_parser = clap::value_parser!(u32).range(2..=1000), help_heading = "Output")]
    repeat: Option<u32>,

    /// Print nothing but errors and, at the end, where the run is
    ///
    /// The directory is a line on stdout, for a script that goes on with it. With --json the
    /// summary is printed instead.
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,

    /// After each epoch, say of each layer whether it learns
    ///
    /// The gradient is that of 256 training samples and the update that of the epoch's last
    /// step, both by Euclidean norms as a share of the weights. A dead unit has no slope on
    /// any of these samples; a saturated one is at an end of tanh or sigmoid on most of them.
    #[arg(short, long, conflicts_with = "quiet", help_heading = "Output")]
    verbose: bool,

    /// Print the summary as one JSON object on stdout
    ///
    /// Nothing else is then printed on stdout.
    #[arg(long, help_heading = "Output")]
    json: bool,

    /// Threads, 1 to 1024 [default: one for each core]
    ///
    /// The result has the same bits for any number of threads. More than one for each
    /// core only takes time, and more than eight for each are not started.
    #[arg(long, value_name = "N")]
    threads: Option<OsString>,
}

pub(crate) fn run(args: &Args, process: &Process) -> Result<(), Error> {
    args.name.as_deref().map_or(Ok(()), run_dir::check_name)?;
    let ranks = process.ranks;
    if !ranks.is_alone() {
        if args.config.as_deref() == Some(Path::new("-")) {
            let why = "--config - is standard input, which a launcher gives to one rank alone: \
                       write the recipe to a file that every rank can read";
            return Err(Error::Usage(why.to_owned()));
        }
        ranks.agree(shared::of_line(args, process), 0)?;
    }
    if args.print_config {
        let (config, notes) = args.settings()?;
        if !ranks.is_first() {
            return Ok(());
        }
        if !args.quiet {
            streams::notes(&notes);
        }
        return streams::print(run_dir::written(&config)?.trim_end());
    }
    if let Some(count) = args.repeat {
        return repeat::begin(args, count, process);
    }
    if let Some(path) = args.resume.as_deref()
        && repeat::is_repeated(path, ranks)?
    {
        return repeat::resume(args, path, process);
    }
    train(args, process, None)
}

/// Trains one run, perhaps one of several.
fn train(args: &Args, process: &Process, series: Option<&mut Series>) -> Result<(), Error> {
    let ranks = process.ranks;
    ranks.part();
    let resumed = args.resume.as_deref().map(|path| Resumed::open(&data::home(path), ranks));
    let resumed = resumed.transpose()?;
    let recipe = series.as_ref().and_then(|series| series.recipe.as_ref());
    let (mut config, mut notes) = match (&resumed, recipe) {
        (Some(resumed), _) => resumed.settings(&args.edits())?,
        (None, Some(recipe)) => Config::new(recipe, &args.edits())?,
        (None, None) => args.settings()?,
    };
    let pool = match &series {
        Some(series) => series.pool.clone(),
        None => Pool::of_rank(args.threads.as_deref(), ranks)?,
    };
    let again = resumed.as_ref().filter(|_| !args.no_test).and_then(Resumed::tested_again);
    notes.extend(again);
    notes.extend(pool.note());
    if args.json && ranks.is_first() {
        streams::check_stdout()?;
    }
    let sets = Sets::open(&mut config, process.isa)?;
    match data::classes(&sets.training) {
        Some(classes) => config.check_classes(classes.count())?,
        None => config.check_numbers()?,
    }
    notes.extend(sets.notes.iter().cloned());
    notes.extend(sets.note());
    notes.extend(sets.look.lines());
    let train = sets.training()?;
    let held_out = sets.held_out()?;
    let validation = held_out.as_ref().map(Prepared::examples).transpose()?;

    // From here on, a signal stops the run without loss.
    let stop = Stop::listen_on(process.ranks).map_err(Error::Signals)?;
    // Whatever is wrong is found before the run writes anything.
    let (training, reopened) = match resumed {
        Some(resumed) => resumed.begin(&config, &sets, process.isa, train, validation)?,
        None => {
            let network = network::new(&config, &sets, ranks)?;
            let training = Run::new(network, &config.training, train, validation)?;
            // Who chose the number knows it.
            let chosen = args.config.is_some() || args.edits.flag("training.epochs").is_some();
            notes.extend(few_steps(&training).filter(|_| !chosen));
            (training, None)
        }
    };
    let facts = if ranks.is_alone() {
        Facts::default()
    } else {
        shared::of_run(&config, &sets, &training)?
    };
    notes.extend(ranks.agree(facts, pool.threads())?);
    ranks.join();
    if !ranks.is_first() {
        return shared::follow(training, (ranks, &pool), (!args.no_test).then_some(&sets));
    }
    let (dir, record) = match reopened {
        Some(reopened) => reopened.write(&config)?,
        None => {
            let (out, now) = (args.out.as_deref().map(data::home), SystemTime::now());
            let size = training.saved_len();
            let name = args.name(&config)?;
            let dir = RunDir::create(out.as_deref(), &name, args.overwrite, &config, size, now)?;
            (dir, Record::new(&config)?)
        }
    };
    ranks.go_on()?;
    let progress = Progress::new(args.quiet, args.json);
    let mut progress = if series.is_some() { progress.of_several() } else { progress };
    if let Some(series) = series {
        notes.retain(|note| !series.said.contains(note));
        series.said.extend(notes.iter().cloned());
    }
    progress.notes(&notes);
    progress.begin(&config, &training, sets.held_out_len(), &dir);
    let every = args.checkpoint_every;
    let tests = !args.no_test;
    let (pool, sets, saving) = (&pool, &sets, Duration::ZERO);
    let layers = args.verbose.then(Layers::default);
    let mut keeper =
        Keeper { dir, progress, layers, record, stop, every, tests, pool, sets, process, saving };

    let end = keeper.train(&config, training)?;
    let tested = if tests {
        let test_images = sets.test()?;
        let examples = test_images.examples()?;
        let team = pool.with_ranks(ranks);
        ranks.go_on()?;
        Some(ranks.of_all(pool.install(|| end.network.evaluate_outputs(&examples, &team)))?)
    } else {
        None
    };
    keeper.end(&config, end, tested, !args.no_report)
}

impl Args {
    /// What the command line changes of a recipe.
    pub(crate) fn edits(&self) -> Edits {
        let mut edits = self.edits.clone();
        if let Some(location) = &self.location {
            edits.push("data.dir", location.into());
        }
        edits
    }

    /// The recipe with the other flags applied, and what the user should know of it.
    pub(crate) fn settings(&self) -> Result<(Config, Vec<String>), Error> {
        let edits = self.edits();
        let recipe = recipe::choose(self.config.as_deref(), self.recipe.as_deref(), &edits)?;
        Config::new(&recipe, &edits)
    }

    /// The first part of the name of the run's directory.
    fn name(&self, config: &Config) -> Result<String, Error> {
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        // Beside a recipe of the user's own, what the command line changes of it. (Standard
        // input cannot be read again.)
        let own = self.config.as_deref().filter(|path| *path != Path::new("-"));
        let base = recipe::find(config.recipe.as_ref());
        let base =
            base.or_else(|error| own.map_or(Err(error), |path| recipe::read(&data::home(path))));
        let base = base.and_then(|source| Config::new(&source, &Edits::default()));
        let base = base.map_or_else(|_| config.clone(), |(base, _)| base);
        run_dir::label(config, &base)
    }
}

/// What to say of a run that is over before it has learned.
fn few_steps(run: &Run<'_>) -> Option<String> {
    const FEW: u64 = 50;
    const ENOUGH: u64 = 300;
    let (per_epoch, epochs) = (run.steps_per_epoch(), run.fit().epochs as u64);
    let steps = per_epoch.saturating_mul(epochs);
    (steps < FEW).then(|| {
        let enough = ENOUGH.div_ceil(per_epoch.max(1));
        format!(
            "{} samples in batches of {} make only {steps} steps in {epochs} epochs: a network \
             learns more with --epochs {enough}, or with a smaller --batch-size",
            run.samples(),
            run.fit().batch_size
        )
    })
}

#[cfg(test)]
mod tests;
