//! `trainer train`: from settings to a tested model in a run directory.

use std::ops::ControlFlow;
use std::time::{Instant, SystemTime};

use kernels::Isa;
use mnist_io::{ClassNames, Part};
use nn::{Callback, EpochReport, Mlp, Split, StepReport};

use crate::augment::{Augmentation, DESKEW, Prepared};
use crate::cli::TrainArgs;
use crate::config::Config;
use crate::data;
use crate::error::Error;
use crate::pool::Pool;
use crate::report::Report;
use crate::run_dir::{EpochLine, RunDir};
use crate::summary::{Measured, Summary};

pub(crate) fn train(args: &TrainArgs, isa: Isa, started: Instant) -> Result<(), Error> {
    let config = Config::resolve(args)?;
    let pool = Pool::new(args.threads)?;

    // The test set is opened here, so that one that is missing or damaged is
    // found before the training. It is looked at once, after it.
    let training_set = data::open(&config.data.dir, Part::Train)?;
    let test_set = data::open(&config.data.dir, Part::Test)?;
    data::check_pair(&config.data.dir, &training_set, &test_set)?;

    let deskew = config.data.deskew;
    let augmentation = Augmentation::new(config.augment, deskew, &training_set, isa)?;

    let classes = data::classes(&training_set);
    let shape = config.architecture(training_set.width(), classes.count());
    let mut network = Mlp::new(shape, config.network.init, config.training.seed)?;
    if let Some(ClassNames { path, names }) = classes.names().cloned() {
        network.set_class_names(names).map_err(|source| Error::ClassNames { path, source })?;
    }
    network.set_preparation(deskew.then(|| DESKEW.to_owned()));
    let mut all = data::examples(&training_set)?;
    if let Some(augmentation) = &augmentation {
        all = all.augmented(augmentation);
    }
    let Config { data: from, training, .. } = &config;
    let split = match from.validation {
        0.0 => None,
        fraction => Some(Split::stratified(classes.labels(), fraction, training.seed)?),
    };
    let held_out = match &split {
        None => None,
        Some(split) => Some(Prepared::new(&training_set, Some(&split.validation), deskew, isa)?),
    };
    let (train, validation) = match (&split, &held_out) {
        (Some(split), Some(held_out)) => (all.subset(&split.train)?, Some(held_out.examples()?)),
        _ => (all, None),
    };
    // Before anything is written.
    training.check(&network, &train, validation.as_ref())?;

    let mut run = RunDir::create(args.out.as_deref(), &config, SystemTime::now())?;
    let mut report = Report::new(args.quiet, args.json);
    report.begin(&config, network.architecture(), training_set.len(), &run);
    let mut failure = None;
    let watcher = Watcher {
        report: &mut report,
        run: &mut run,
        epoch_started: Instant::now(),
        failure: &mut failure,
    };
    let history =
        pool.install(|| training.run(&mut network, &train, validation.as_ref(), &pool, watcher));
    if let Some(error) = failure {
        return Err(error);
    }
    let history = history?;
    let prepared = Prepared::new(&test_set, None, deskew, isa)?;
    let examples = prepared.examples()?;
    let test = pool.install(|| network.evaluate(&examples, &pool))?;

    run.save_model(&network)?;
    let measured = Measured { history, test, started };
    let summary = Summary::new(&config, &network, &measured, &pool, isa);
    run.save_summary(&summary)?;
    report.end(&config, &summary, &run)
}

/// Shows and writes down what happens while a network is trained.
struct Watcher<'a> {
    report: &'a mut Report,
    run: &'a mut RunDir,
    epoch_started: Instant,
    /// Why metrics could not be written, which ends the training.
    failure: &'a mut Option<Error>,
}

impl Callback for Watcher<'_> {
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
                *self.failure = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}
