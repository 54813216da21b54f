//! `trainer train`: from settings to a tested model in a run directory.

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use kernels::Isa;
use mnist_io::{ClassNames, Part, Samples};
use nn::{Callback, EpochReport, Examples, History, Mlp, Split, StepReport};

use crate::augment::{Augmentation, Deskew, Prepared};
use crate::config::Config;
use crate::data;
use crate::error::Error;
use crate::look::Look;
use crate::pool::Pool;
use crate::process::Process;
use crate::recipe;
use crate::report::{self, Report};
use crate::run_dir::{EpochLine, RunDir};
use crate::settings::Edits;
use crate::summary::{Measured, Summary};

/// Train a network and test it once, at the end
///
/// Without a flag it trains the recipe `default`. The brackets after the help of a
/// setting have its key in recipe files, the values that it takes, and the default:
/// the value that a recipe without the key gets.
#[derive(Debug, clap::Args)]
#[command(after_help = recipe::help() + "\n\n" + super::EXIT_CODES)]
pub(crate) struct Args {
    /// Recipe to start from [default: default]
    ///
    /// Other flags override its settings. The list of recipes is at the end.
    #[arg(long, value_name = "NAME", conflicts_with = "config", help_heading = "Recipe")]
    recipe: Option<OsString>,

    /// Recipe file to start from
    ///
    /// The config.toml of a run repeats that run. A dash is standard input.
    #[arg(long, value_name = "FILE", help_heading = "Recipe")]
    config: Option<PathBuf>,

    #[command(flatten)]
    edits: Edits,

    /// Directory of the run [default: runs/RECIPE-TIME]
    ///
    /// It is created, or is empty. TIME is in UTC.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    out: Option<PathBuf>,

    /// Print nothing but errors
    ///
    /// With --json the summary is printed all the same.
    #[arg(long, help_heading = "Output")]
    quiet: bool,

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
    let (mut config, mut notes) = args.settings()?;
    let pool = Pool::new(args.threads.as_deref())?;
    notes.extend(pool.note());
    if args.json {
        report::check_stdout()?;
    }
    let sets = Sets::open(&mut config, process.isa)?;
    config.check_classes(data::classes(&sets.training).count())?;
    notes.extend(sets.note());
    notes.extend(sets.look.lines());
    let mut network = network(&config, &sets)?;

    let train = sets.training()?;
    let held_out = sets.held_out()?;
    let validation = held_out.as_ref().map(Prepared::examples).transpose()?;
    // Whatever is wrong is found before the run writes anything.
    config.training.check(&network, &train, validation.as_ref())?;

    let mut run = RunDir::create(args.out.as_deref(), &config, SystemTime::now())?;
    let mut report = Report::new(args.quiet, args.json);
    if !args.quiet {
        report::notes(&notes);
    }
    report.begin(&config, network.architecture(), sets.training.len(), &run);
    let mut watcher = Watcher::new(&mut report, &mut run);
    let history = pool.install(|| {
        config.training.run(&mut network, &train, validation.as_ref(), &pool, &mut watcher)
    });
    let history = watcher.unless_failed(history)?;

    let test_images = sets.test()?;
    let examples = test_images.examples()?;
    let test = pool.install(|| network.evaluate(&examples, &pool))?;
    run.save_model(&network)?;
    let measured = Measured { history, test, started: process.started };
    let summary = Summary::new(&config, &network, &measured, &pool, process.isa);
    run.save_summary(&summary)?;
    report.end(&config, &summary, &run)
}

impl Args {
    /// The recipe with the other flags applied, and what the user should know of it.
    pub(crate) fn settings(&self) -> Result<(Config, Vec<String>), Error> {
        let recipe = match (&self.config, &self.recipe) {
            (Some(path), _) => recipe::read(path)?,
            (None, Some(name)) => recipe::find(name)?,
            (None, None) => recipe::find(recipe::DEFAULT.as_ref())?,
        };
        Config::new(&recipe, &self.edits)
    }
}

/// The network before training.
fn network(config: &Config, sets: &Sets) -> Result<Mlp, Error> {
    let classes = data::classes(&sets.training);
    let shape = config.architecture(sets.training.width(), classes.count());
    let mut network = Mlp::new(shape, config.network.init, config.training.seed)?;
    if let Some(ClassNames { path, names }) = classes.names().cloned() {
        network.set_class_names(names).map_err(|source| Error::ClassNames { path, source })?;
    }
    sets.look.apply(config, &mut network)?;
    Ok(network)
}

/// The images of a run.
struct Sets {
    training: Samples,
    test: Samples,
    /// Which training images are held out, if any are.
    split: Option<Split>,
    augmentation: Option<Augmentation>,
    deskew: Option<Deskew>,
    look: Look,
    isa: Isa,
}

impl Sets {
    /// Opens the test set too, so that a missing or damaged one is found before the
    /// training. The run looks at it once, after the training.
    fn open(config: &mut Config, isa: Isa) -> Result<Self, Error> {
        let training = data::open(&config.data.dir, Part::Train)?;
        let test = data::open(&config.data.dir, Part::Test)?;
        data::check_pair(&config.data.dir, &training, &test)?;
        let look = Look::new(config, &training, &test)?;
        let (fraction, seed) = (config.data.validation, config.training.seed);
        let split = if fraction == 0.0 {
            None
        } else {
            Some(Split::stratified(data::classes(&training).labels(), fraction, seed)?)
        };
        let deskew = look.deskew(config);
        let images = (&training, look.paper, look.pixel_scale);
        let augmentation = Augmentation::new(config.augment, deskew.is_some(), images, isa)?;
        Ok(Self { training, test, split, augmentation, deskew, look, isa })
    }

    /// What the user should know of the held-out images.
    fn note(&self) -> Option<String> {
        const FEW: usize = 100;
        let (held_out, all) = (self.split.as_ref()?.validation.len(), self.training.len());
        (held_out < FEW).then(|| {
            format!(
                "{held_out} of {all} images are held out, so one image is {:.1} % of the \
                 accuracy: a larger --validation says more",
                100.0 / held_out as f64
            )
        })
    }

    /// The images to train on, augmented.
    fn training(&self) -> Result<Examples<'_>, Error> {
        let mut examples = data::examples(&self.training)?;
        if let Some(augmentation) = &self.augmentation {
            examples = examples.augmented(augmentation);
        }
        Ok(match &self.split {
            Some(split) => examples.subset(&split.train)?,
            None => examples,
        })
    }

    fn held_out(&self) -> Result<Option<Prepared<'_>>, Error> {
        let Some(split) = &self.split else { return Ok(None) };
        let positions = Some(&split.validation[..]);
        Prepared::new(&self.training, positions, self.deskew, self.isa).map(Some)
    }

    fn test(&self) -> Result<Prepared<'_>, Error> {
        Prepared::new(&self.test, None, self.deskew, self.isa)
    }
}

/// Shows and writes down what happens while a network is trained.
struct Watcher<'a> {
    report: &'a mut Report,
    run: &'a mut RunDir,
    epoch_started: Instant,
    /// Why metrics could not be written; the training ends then.
    failure: Option<Error>,
}

impl<'a> Watcher<'a> {
    fn new(report: &'a mut Report, run: &'a mut RunDir) -> Self {
        Self { report, run, epoch_started: Instant::now(), failure: None }
    }

    /// The result of the training, unless metrics could not be written.
    fn unless_failed(self, history: Result<History, nn::Error>) -> Result<History, Error> {
        match self.failure {
            Some(error) => Err(error),
            None => Ok(history?),
        }
    }
}

impl Callback for &mut Watcher<'_> {
    fn on_step(&mut self, step: &StepReport) -> ControlFlow<()> {
        self.report.step(step);
        ControlFlow::Continue(())
    }

    fn on_epoch(&mut self, epoch: &EpochReport) -> ControlFlow<()> {
        let seconds = self.epoch_started.elapsed().as_secs_f64();
        self.epoch_started = Instant::now();
        let line = EpochLine::new(epoch, seconds);
        self.report.epoch(&line);
        match self.run.append_metrics(&line) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failure = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
