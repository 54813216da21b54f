//! `trainer crossval`: how good a recipe is, on samples that it was not trained on.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Instant;

use kernels::Isa;
use nn::{Executor, Split};
use serde::Serialize;

use super::train::shared;
use crate::config::Config;
use crate::error::Error;
use crate::help;
use crate::pool::Pool;
use crate::process::Process;
use crate::progress::Count;
use crate::ranks::Facts;
use crate::recipe;
use crate::settings::Edits;
use crate::stop::Stop;
use crate::streams;
use crate::summary::VERSION;
use crate::trial::{
    Event, Figures, Jobs, Others, Size, Spread, Trained, Training, Trial, TrialSamples, Until,
    columns, follow, side_by_side,
};
use crate::words::{percent, plural};

/// Cross-validate a recipe on folds of the training samples
///
/// Each training sample is held out once, and the mean over the folds says how good the
/// recipe is, with the deviation from fold to fold. The folds train side by side on the
/// threads, and the result has the same bits for any number of them. Test samples are
/// not looked at, and nothing is written. Under mpirun, in a build with MPI, the ranks
/// share the folds.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", recipe::help()))]
#[command(after_long_help = help::after(&format!("{EXAMPLES}\n\n{}", recipe::help())))]
pub(crate) struct Args {
    /// Data to train on: a folder or a file, the same as --data
    #[arg(value_name = "DATA", conflicts_with = "data")]
    location: Option<PathBuf>,

    /// Parts that are held out, one after the other, 2 to 100
    ///
    /// Of each class, every part has its share.
    #[arg(long, value_name = "K", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u16).range(2..=100))]
    folds: u16,

    /// Recipe to start from [default: default, or table for a table]
    #[arg(long, value_name = "NAME", conflicts_with = "config", help_heading = "Recipe")]
    recipe: Option<OsString>,

    /// Recipe file to start from
    ///
    /// The config.toml of a run has its settings. A dash is standard input.
    #[arg(long, value_name = "FILE", help_heading = "Recipe")]
    config: Option<PathBuf>,

    #[command(flatten)]
    edits: Edits,

    /// Print nothing but errors, and what --json or --csv asks for
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,

    /// Print the result as one JSON object on stdout
    #[arg(long, conflicts_with = "csv", help_heading = "Output")]
    json: bool,

    /// Print a line for each fold as CSV on stdout
    #[arg(long, help_heading = "Output")]
    csv: bool,

    /// Threads, 1 to 1024 [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<OsString>,
}

const EXAMPLES: &str = "\
Examples:
  trainer crossval                                 the recipe default on MNIST
  trainer crossval data/iris.csv --target species --folds 10
  trainer crossval --epochs 3 --lr 0.01 --json";

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    recipe: &'a str,
    seed: u64,
    /// Samples that are held out once.
    samples: usize,
    folds: &'a [Figures],
    diverged: usize,
    #[serde(flatten)]
    means: Means,
    total_seconds: f64,
    threads: usize,
    isa: &'static str,
    version: &'static str,
}

/// Mean and deviation over the folds that did not diverge.
#[derive(Serialize)]
struct Means {
    train_loss: Option<Spread>,
    val_loss: Option<Spread>,
    #[serde(skip_serializing_if = "Option::is_none")]
    val_accuracy: Option<Spread>,
    #[serde(skip_serializing_if = "Option::is_none")]
    val_rmse: Option<Spread>,
}

impl Means {
    fn of(folds: &[Figures]) -> Self {
        let mean = |of: fn(&Figures) -> Option<f64>| {
            let done = folds.iter().filter(|fold| !fold.failed());
            Spread::of(&done.filter_map(of).collect::<Vec<_>>())
        };
        Self {
            train_loss: mean(|fold| fold.train_loss),
            val_loss: mean(|fold| fold.val_loss),
            val_accuracy: mean(|fold| fold.val_accuracy),
            val_rmse: mean(|fold| fold.val_rmse),
        }
    }
}

pub(crate) fn run(args: &Args, process: &Process) -> Result<(), Error> {
    let count = usize::from(args.folds);
    let ranks = process.ranks;
    if !ranks.is_alone() {
        let mut facts = shared::of_program("crossval", process);
        facts.add("flags", "--folds", count);
        ranks.agree(facts, 0)?;
    }
    let (config, mut notes) = args.settings(count)?;
    let pool = Pool::of_rank(args.threads.as_deref(), ranks)?;
    notes.extend(pool.note());
    if (args.json || args.csv) && ranks.is_first() {
        streams::check_stdout()?;
    }
    let samples = TrialSamples::open(&config, process.isa)?;
    notes.extend(samples.notes.iter().cloned());
    notes.push(format!(
        "{} in {count} folds; the test samples are not looked at",
        plural(samples.len(), "sample")
    ));
    if config.training.early_stopping.is_some() {
        notes.push(
            "early stopping watches the samples that the figures are of: they are a little too \
             good"
                .to_owned(),
        );
    }
    let stop = Stop::listen_on(process.ranks).map_err(Error::Signals)?;
    let splits = samples.folds(count, config.training.seed)?;
    let folds = Folds { config: &config, samples: &samples, splits, isa: process.isa };
    let facts = if ranks.is_alone() { Facts::default() } else { folds.facts()? };
    notes.extend(ranks.agree(facts, pool.threads())?);
    ranks.join();
    if !ranks.is_first() {
        follow(ranks.post(), &pool, folds.work());
        return Ok(());
    }
    if !args.quiet {
        streams::notes(&notes);
    }
    let begun = Instant::now();
    let mut others = Others::new(ranks.post());
    let trained = folds.train((&pool, &mut others), &stop, args.quiet);
    others.dismiss();
    let folds = trained?;
    let seconds = begun.elapsed().as_secs_f64();

    let diverged = folds.iter().filter(|fold| fold.failed()).count();
    let means = Means::of(&folds);
    if args.json {
        streams::print_json(&Report {
            recipe: &config.recipe,
            seed: config.training.seed,
            samples: samples.len(),
            folds: &folds,
            diverged,
            means,
            total_seconds: seconds,
            threads: pool.threads(),
            isa: process.isa.name(),
            version: VERSION,
        })?;
    } else if args.csv {
        streams::print(csv(&folds, samples.has_classes()).trim_end())?;
    } else if !args.quiet {
        streams::print(table(&folds, &means, samples.has_classes()).trim_end())?;
    }
    match diverged {
        0 => Ok(()),
        diverged => Err(Error::SomeDiverged { diverged, of: count, what: "folds" }),
    }
}

impl Args {
    /// The settings of each fold. The share to hold out is that of a fold.
    fn settings(&self, folds: usize) -> Result<(Config, Vec<String>), Error> {
        let mut edits = self.edits.clone();
        let typed = edits.flag("data.validation").is_some();
        if let Some(location) = &self.location {
            edits.push("data.dir", location.into());
        }
        edits.push("data.validation", (1.0 / folds as f64).to_string().into());
        let source = recipe::choose(self.config.as_deref(), self.recipe.as_deref(), &edits)?;
        let (config, mut notes) = Config::new(&source, &edits)?;
        if typed {
            notes.push("--folds says what is held out: --validation is left out".to_owned());
        }
        Ok((config, notes))
    }
}

/// The folds, as every rank has them.
struct Folds<'a> {
    config: &'a Config,
    samples: &'a TrialSamples,
    splits: Vec<Split>,
    isa: Isa,
}

impl Folds<'_> {
    /// Trains on each fold. `others` are the ranks that take some of them.
    ///
    /// # Errors
    /// [`Error::Interrupted`] after a signal.
    fn train(
        &self,
        (pool, others): (&Pool, &mut Others<'_>),
        stop: &Stop,
        quiet: bool,
    ) -> Result<Vec<Figures>, Error> {
        let count = self.splits.len();
        let epochs = (count * self.config.training.epochs) as u64;
        let mut bar = Count::new(quiet, "epochs of all folds", epochs);
        let mut found: Vec<Option<Figures>> = vec![None; count];
        let leaves = || stop.signal().is_some();
        let size = Size::of(count, self.samples.memory(self.config), others);
        let jobs = Jobs { next: 0..count, size, state: &|_| None, leaves: &leaves };
        side_by_side(jobs, pool, others, self.work(), |event| {
            match event {
                Event::Epoch(_) => bar.add(),
                Event::Ended(fold, Some(reached)) => {
                    bar.suspend(|| line(quiet, fold, &reached.figures));
                    found[fold] = Some(reached.figures);
                }
                Event::Begun(_) | Event::Ended(_, None) | Event::Tick => (),
            }
            Ok(())
        })?;
        bar.close();
        if let Some(signal) = stop.signal() {
            return Err(Error::Interrupted { signal });
        }
        Ok(found.into_iter().flatten().collect())
    }

    /// How a fold is trained on, on every rank.
    fn work(&self) -> impl Fn(Training<'_, usize>) -> Trained + Sync {
        let Self { config, samples, isa, .. } = *self;
        let until = Until { epochs: config.training.epochs, goes_on: false };
        move |Training { job, state, pool, leave, epoch }| {
            let trial = Trial { config, samples, split: &self.splits[job], isa };
            let state = state.map(nn::Checkpoint::from_bytes).transpose()?;
            trial.train(state, until, pool, leave, epoch)
        }
    }

    /// What ranks have to have alike.
    fn facts(&self) -> Result<Facts, Error> {
        let mut facts = shared::of_settings(self.config)?;
        shared::add_trials(&mut facts, self.samples, &self.samples.checksum()?);
        Ok(facts)
    }
}

/// A fold that has ended, on stderr.
fn line(quiet: bool, fold: usize, figures: &Figures) {
    if quiet {
        return;
    }
    let figure = match figures {
        _ if figures.failed() => "diverged".to_owned(),
        Figures { val_accuracy: Some(accuracy), .. } => percent(*accuracy),
        Figures { val_rmse: Some(rmse), .. } => format!("RMSE {}", one(*rmse)),
        _ => "no figure".to_owned(),
    };
    let _ = writeln!(io::stderr(), "fold {}: {figure}, {:.1} s", fold + 1, figures.seconds);
}

/// One figure, as [`Spread::number`] writes it.
fn one(figure: f64) -> String {
    Spread { mean: figure, deviation: None }.number()
}

fn table(folds: &[Figures], means: &Means, classes: bool) -> String {
    let head = ["fold", "epochs", "train loss", "val loss"];
    let head = head.into_iter().chain([if classes { "val acc" } else { "val RMSE" }, "seconds"]);
    let mut rows = vec![head.map(str::to_owned).collect::<Vec<_>>()];
    let number = |figure: Option<f64>| figure.map_or_else(String::new, one);
    for (fold, figures) in folds.iter().enumerate() {
        let epochs = match figures.kept_epoch {
            Some(kept) if kept < figures.epochs => format!("{kept} of {}", figures.epochs),
            _ => figures.epochs.to_string(),
        };
        let last = match figures.val_accuracy {
            _ if figures.failed() => "diverged".to_owned(),
            Some(accuracy) => percent(accuracy),
            None => number(figures.val_rmse),
        };
        let seconds = format!("{:.2}", figures.seconds);
        let losses = [figures.train_loss, figures.val_loss].map(number);
        let [train, val] = losses;
        rows.push(vec![(fold + 1).to_string(), epochs, train, val, last, seconds]);
    }
    let number = |spread: Option<Spread>| spread.map_or_else(String::new, Spread::number);
    let last = means.val_accuracy.map_or_else(|| number(means.val_rmse), Spread::percent);
    let (train, val) = (number(means.train_loss), number(means.val_loss));
    rows.push(vec!["mean".to_owned(), String::new(), train, val, last]);
    columns(&rows, 0)
}

fn csv(folds: &[Figures], classes: bool) -> String {
    let last = if classes { "val_accuracy" } else { "val_rmse" };
    let mut text =
        format!("fold,status,epochs,kept_epoch,train_loss,val_loss,{last},val_samples,seconds\n");
    let number = |figure: Option<f64>| figure.map_or_else(String::new, |figure| figure.to_string());
    for (fold, figures) in folds.iter().enumerate() {
        let status = figures.status.name();
        let kept = figures.kept_epoch.map_or_else(String::new, |epoch| epoch.to_string());
        text += &format!(
            "{},{status},{},{kept},{},{},{},{},{}\n",
            fold + 1,
            figures.epochs,
            number(figures.train_loss),
            number(figures.val_loss),
            number(figures.val_accuracy.or(figures.val_rmse)),
            figures.val_samples,
            figures.seconds
        );
    }
    text
}
