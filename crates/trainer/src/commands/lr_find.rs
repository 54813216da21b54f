//! `trainer lr-find`: a learning rate to begin with, by a range test.

mod curve;
mod picture;
mod range;
mod suggestion;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use nn::files;
use serde::Serialize;

use crate::config::Config;
use crate::data;
use crate::error::Error;
use crate::help;
use crate::network;
use crate::pool::Pool;
use crate::process::Process;
use crate::recipe;
use crate::sets::Sets;
use crate::settings::Edits;
use crate::stop::Stop;
use crate::streams;
use crate::summary::VERSION;
use crate::words::{program, shell_word};
use curve::Curve;
use range::{RangeTest, rate, steps};
use suggestion::Suggestion;

const EXAMPLES: &str = "\
Examples:
  trainer lr-find                           for the recipe default on MNIST
  trainer lr-find data.csv --target price   for a table
  trainer lr-find --optimizer sgd --plot lr.svg
  trainer lr-find --from 1e-5 --to 1 --csv > curve.csv";

/// Find a learning rate to begin with
///
/// A range test (Smith 2015): the network is trained for one pass over the training samples,
/// with a rate that rises from step to step until the loss does too. The curve of the loss is
/// smoothed, and the rate that is suggested lies where it falls: between the rate at which it
/// falls fastest and a tenth of the rate at which it is lowest. A spike of some steps does not
/// move it. It is a rate to begin with, and not the best one: a third of it and three times of
/// it are worth trying.
///
/// Neither held-out samples nor test samples are trained on or evaluated, no run is made, and
/// no file is written but that of --plot. The result has the same bits for any number of
/// threads. The settings are those of train; a schedule, epochs and early stopping do not
/// count here.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = help::after(EXAMPLES))]
pub(crate) struct Args {
    /// Data to train on: a folder or a file, the same as --data
    #[arg(value_name = "DATA", conflicts_with = "data")]
    location: Option<PathBuf>,

    /// The lowest rate, at which the test begins
    #[arg(long, value_name = "RATE", default_value = "1e-7", value_parser = rate)]
    #[arg(help_heading = "Range test")]
    from: f32,

    /// The highest rate, at which it ends if the loss has not risen before
    #[arg(long, value_name = "RATE", default_value = "10", value_parser = rate)]
    #[arg(help_heading = "Range test")]
    to: f32,

    /// Steps from the lowest to the highest rate, 20 to 100000
    ///
    /// By default those of one pass over the training samples, but 200 at least and 1000 at
    /// most. More steps make a smoother curve.
    #[arg(long, value_name = "N", value_parser = steps, help_heading = "Range test")]
    steps: Option<u64>,

    /// Recipe to start from [default: default, or table for a table]
    ///
    /// Other flags override its settings. `trainer --help` lists the recipes.
    #[arg(long, value_name = "NAME", conflicts_with = "config", help_heading = "Recipe")]
    recipe: Option<OsString>,

    /// Recipe file to start from
    #[arg(long, value_name = "FILE", help_heading = "Recipe")]
    config: Option<PathBuf>,

    #[command(flatten)]
    edits: Edits,

    /// Write the curve as a picture, in SVG
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    plot: Option<PathBuf>,

    /// Print the curve as CSV with a header
    #[arg(long, conflicts_with = "json", help_heading = "Output")]
    csv: bool,

    /// Print the result and the curve as one JSON object
    #[arg(long, help_heading = "Output")]
    json: bool,

    /// Print nothing but the rate
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,

    /// Threads, 1 to 1024 [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<OsString>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    suggestion: &'a Suggestion,
    /// What to type to train with it.
    command: String,
    from: f32,
    to: f32,
    /// Whether the loss rose so far that the test ended.
    diverged: bool,
    steps: usize,
    points: Vec<curve::Point>,
    isa: &'static str,
    version: &'static str,
}

pub(crate) fn run(args: &Args, process: &Process) -> Result<(), Error> {
    args.check()?;
    let (mut config, mut notes) = args.settings()?;
    let pool = Pool::new(args.threads.as_deref())?;
    notes.extend(pool.note());
    if args.json {
        streams::check_stdout()?;
    }
    let sets = Sets::open(&mut config, process.isa)?;
    match data::classes(&sets.training) {
        Some(classes) => config.check_classes(classes.count())?,
        None => config.check_numbers()?,
    }
    notes.extend(sets.notes.iter().cloned());
    notes.extend(sets.look.lines());
    if !args.quiet {
        streams::notes(&notes);
    }
    let stop = Stop::listen().map_err(Error::Signals)?;
    let test = RangeTest {
        network: network::new(&config, &sets, process.ranks)?,
        fit: config.training.clone(),
        rates: (args.from, args.to),
        steps: args.steps,
        quiet: args.quiet,
    };
    let curve = test.run(sets.training()?, &pool, &stop)?;
    let found = suggestion::find(&curve);
    if let Some(path) = &args.plot {
        let path = data::home(path);
        let text = picture::svg(&curve, found.as_ref().ok(), &args.title(&config));
        files::write(&path, text.as_bytes()).map_err(Error::io("write", &path))?;
    }
    // The curve is of use without a rate too.
    if args.csv {
        streams::print(curve.csv().trim_end())?;
    }
    let suggestion = found.map_err(|reason| Error::NoRate { reason })?;
    args.show(&suggestion, &curve, process)
}

impl Args {
    /// Checks the flags alone.
    fn check(&self) -> Result<(), Error> {
        if self.from >= self.to {
            return Err(Error::Usage(format!(
                "--from {} is not below --to {}: name a range of rates that rises",
                self.from, self.to
            )));
        }
        if let Some(path) = &self.plot {
            let path = data::home(path);
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            if path.is_dir() || parent.is_some_and(|parent| !parent.is_dir()) {
                return Err(Error::Usage(format!(
                    "--plot {} is no file in a folder that exists: name one, such as lr.svg",
                    path.display()
                )));
            }
        }
        Ok(())
    }

    /// The recipe with the other flags applied, and what the user should know of it.
    fn settings(&self) -> Result<(Config, Vec<String>), Error> {
        let mut edits = self.edits.clone();
        if let Some(location) = &self.location {
            edits.push("data.dir", location.into());
        }
        let recipe = recipe::choose(self.config.as_deref(), self.recipe.as_deref(), &edits)?;
        // The last one counts. Without it, a note would say which rate another optimizer gets.
        edits.push("training.lr", self.from.to_string().into());
        let (config, mut notes) = Config::new(&recipe, &edits)?;
        if self.edits.flag("training.lr").is_some() {
            notes.push("--lr is what is looked for: it does not count here".to_owned());
        }
        Ok((config, notes))
    }

    /// What the picture is of.
    fn title(&self, config: &Config) -> String {
        format!("Range test of the learning rate, recipe {}", config.recipe)
    }

    /// The command that trains with the rate, and with the other settings of this one.
    fn command(&self, suggestion: &Suggestion) -> String {
        let mut words = vec![program()];
        words.extend(self.location.as_deref().map(shell_word));
        if let Some(name) = &self.recipe {
            words.extend(["--recipe".to_owned(), shell_word(Path::new(name))]);
        }
        if let Some(path) = &self.config {
            words.extend(["--config".to_owned(), shell_word(path)]);
        }
        words.extend(self.edits.words("training.lr"));
        words.extend(["--lr".to_owned(), suggestion::digits(suggestion.learning_rate)]);
        words.join(" ")
    }

    fn show(&self, found: &Suggestion, curve: &Curve, process: &Process) -> Result<(), Error> {
        if self.csv {
            return Ok(());
        }
        let command = self.command(found);
        if self.json {
            return streams::print_json(&Report {
                suggestion: found,
                command,
                from: self.from,
                to: self.to,
                diverged: curve.diverged,
                steps: curve.losses.len(),
                points: curve.points().collect(),
                isa: process.isa.name(),
                version: VERSION,
            });
        }
        if self.quiet {
            return streams::print(&suggestion::digits(found.learning_rate));
        }
        let [lower, higher] = found.around().map(suggestion::digits);
        streams::print(&format!(
            "{}\n\n{}\n\nnext: train with it; it is a rate to begin with, and not the best one\n  \
             {command}\n  a third and three times of it are worth trying: --lr {lower}, --lr {higher}",
            found.lines(curve),
            picture::terminal(curve, found)
        ))
    }
}
