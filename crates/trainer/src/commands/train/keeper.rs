//! Trains, and keeps on the disk what must not be lost.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use mnist_io::Targets;
use nn::{Callback, Ended, EpochReport, Evaluation, History, Mlp, Run, StepReport};

use super::every::{Clock, Every};
use super::layers::Layers;
use super::record::Record;
use crate::config::Config;
use crate::error::Error;
use crate::health::{self, Evidence, Finding, Guess};
use crate::pool::Pool;
use crate::process::Process;
use crate::progress::Progress;
use crate::ranks::Ranks;
use crate::report::{self, Facts, Findings, Seen, Tested};
use crate::run_dir::{EpochLine, RunDir};
use crate::sets::Sets;
use crate::stop::{Signal, Stop};
use crate::summary::{Commonest, Measured, Status, Summary};
use crate::words;

/// Everything around a run.
pub(super) struct Keeper<'a> {
    pub(super) dir: RunDir,
    pub(super) progress: Progress,
    /// With `--verbose`.
    pub(super) layers: Option<Layers>,
    pub(super) record: Record,
    pub(super) stop: Stop,
    pub(super) every: Every,
    /// Whether the network is tested at the end.
    pub(super) tests: bool,
    pub(super) pool: &'a Pool,
    pub(super) sets: &'a Sets,
    pub(super) process: &'a Process,
    /// The time in which this process saved the run so far.
    pub(super) saving: Duration,
}

/// A run that has trained to its end.
pub(super) struct End {
    pub(super) network: Mlp,
    history: History,
    /// What could not be written.
    lost: Option<Error>,
}

impl Keeper<'_> {
    /// Trains to the end, or until a signal stops the run. What is on the disk then, and
    /// after any other end of the process, is enough to continue the run.
    ///
    /// A file that cannot be written is no reason to end a run that took hours: the user is
    /// told, and the file is written later, or the program fails at its end.
    ///
    /// # Errors
    /// [`Error::Stopped`] and [`Error::Diverged`], after the files were written.
    pub(super) fn train(&mut self, config: &Config, mut run: Run<'_>) -> Result<End, Error> {
        let mut clock = Clock::new(self.every, run.history().epochs.len());
        let mut files = Files { lost: None };
        // The network of the last whole epoch; with early stopping the run keeps the best.
        let early_stopping = config.training.early_stopping.is_some();
        let mut last = None;
        let ranks = self.process.ranks;
        let team = self.pool.with_ranks(ranks);
        self.record.begin();
        loop {
            let epochs = run.history().epochs.len();
            if let Some(layers) =
                self.layers.as_mut().filter(|_| self.progress.has_line(epochs + 1))
            {
                layers.before(&run);
            }
            let per_epoch = self.layers.is_some().then(|| run.steps_per_epoch());
            let (pool, progress, stop) = (self.pool, &mut self.progress, &self.stop);
            let watch = Watch { progress, stop, clock: &clock, per_epoch, ranks };
            let result = ranks.of_all(pool.install(|| run.train(&team, watch)));
            let epoch_ended = run.history().epochs.len() > epochs;
            if epoch_ended {
                self.epoch(&run, &mut files);
                // Where the run is over, its network is that of the last whole epoch.
                let goes_on = matches!(result, Ok(Ended::Callback));
                let copies = goes_on && !early_stopping;
                last = self.timed(|_| copies.then(|| run.network()));
            }
            let epochs = run.history().epochs.len();
            match result {
                Ok(Ended::Callback) => {
                    if let Some(signal) = self.stop.signal() {
                        return Err(self.stopped(config, &mut run, last.as_ref(), signal));
                    }
                    if clock.is_due(epochs) {
                        let begun = Instant::now();
                        let saved = self.save(&mut run, last.as_ref());
                        files.saved(&mut self.progress, saved);
                        clock.saved(begun, epochs);
                    } else if epochs == 1 && epoch_ended {
                        // From the first epoch on there is a model.
                        let saved = self.save_model(&run, last.as_ref());
                        files.check(&mut self.progress, saved);
                    }
                    ranks.go_on()?;
                }
                Ok(_) => {
                    let lost = self.save(&mut run, last.as_ref()).err();
                    let (network, history) = run.finish();
                    return Ok(End { network, history, lost });
                }
                Err(error) => return Err(self.diverged(config, &run, last.as_ref(), error)),
            }
        }
    }

    /// Shows and writes down the last epoch.
    fn epoch(&mut self, run: &Run<'_>, files: &mut Files) {
        let seconds = self.record.epoch();
        if let Some(epoch) = run.history().epochs.last() {
            let line = EpochLine::new(epoch, seconds, self.sets.has_classes());
            self.progress.epoch(&line);
            files.check(&mut self.progress, self.dir.append_metrics(&line));
            let layers = self.layers.as_mut().filter(|_| self.progress.has_line(line.epoch));
            // A network that overflows is an error of the next step.
            if let Some(Ok(text)) = layers.map(|layers| layers.lines(run, self.sets, self.pool)) {
                self.progress.details(&text);
            }
        }
    }

    /// Writes the model, the checkpoint, and the metrics that could not be written before.
    /// `last` is the network of the last whole epoch, without early stopping.
    fn save(&mut self, run: &mut Run<'_>, last: Option<&Mlp>) -> Result<(), Error> {
        let checksums = || self.sets.checksums();
        self.record.checksums.get_or_insert_with(checksums);
        let seconds = self.process.started.elapsed().as_secs_f64();
        self.record.write(seconds, run.notes());
        // The model comes first: one that is older than its checkpoint would stay so if the
        // process were killed in between, for the run would not train its epochs again.
        let model = self.save_model(run, last);
        // One that fails is no reason to leave out the others, which may be smaller.
        let checkpoint = self.timed(|keeper| keeper.dir.save_checkpoint(&run.to_bytes()));
        let metrics = self.timed(|keeper| keeper.dir.save_metrics());
        model.and(checkpoint).and(metrics)
    }

    /// Writes the model: the best one with early stopping, otherwise that of the last whole
    /// epoch, and in the first epoch the current one. A run that was continued, and has not
    /// ended an epoch since, leaves the one on the disk.
    fn save_model(&mut self, run: &Run<'_>, last: Option<&Mlp>) -> Result<(), Error> {
        let epochs = run.history().epochs.len();
        let in_epoch = run.steps() > epochs as u64 * run.steps_per_epoch();
        self.timed(|keeper| match last {
            Some(last) => keeper.dir.save_model(&last.to_bytes()),
            None if run.fit().early_stopping.is_none() && epochs > 0 && in_epoch => Ok(()),
            None => keeper.dir.save_model(&run.network().to_bytes()),
        })
    }

    /// Does a part of saving, whose time is that of saving.
    fn timed<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let begun = Instant::now();
        let done = work(self);
        self.saving += begun.elapsed();
        done
    }

    /// Saves a run that a signal stops, and says where and how to go on.
    fn stopped(
        &mut self,
        config: &Config,
        run: &mut Run<'_>,
        last: Option<&Mlp>,
        signal: Signal,
    ) -> Error {
        // At once: where the terminal shows `^C`, a bar would be half overwritten.
        self.progress.close();
        let saved = self.save(run, last);
        let current = run.network();
        let network = last.unwrap_or(&current);
        let summary = self.summary(config, network, run.history(), Status::Stopped, None);
        let written = self.dir.save_summary(&summary);
        if let Err(error) = saved.and(written) {
            return self.lost(config, error);
        }
        let (steps, per_epoch) = (run.steps(), run.steps_per_epoch());
        let of_run = per_epoch.saturating_mul(run.fit().epochs as u64);
        let epoch = steps.div_ceil(per_epoch).max(1);
        let path = words::shell_word(self.dir.path());
        let at = format!("after step {steps} of {of_run}, in epoch {epoch}; saved in {path}");
        let several = !self.process.ranks.is_alone();
        Error::Stopped { signal, at, resume: self.resume(config), several }
    }

    /// The command that goes on with the run.
    fn resume(&self, config: &Config) -> String {
        let path = words::shell_word(self.dir.path());
        // The bits of this instruction set are its own.
        let scalar = self.process.isa.name() == "scalar";
        let isa = if scalar { "KERNELS_ISA=scalar " } else { "" };
        let mut command = format!("{isa}{} --resume {path}", words::program());
        if !self.tests {
            command += " --no-test";
        }
        if config.data.dir.to_str().is_none() {
            // The settings cannot hold it.
            command += &format!(" --data {}", words::shell_word(&config.data.dir));
        }
        command
    }

    /// What could not be written when the process ends, and what is to be done then.
    fn lost(&self, config: &Config, error: Error) -> Error {
        if self.dir.is_here() && self.dir.checkpoint().is_file() {
            Error::Unsaved { source: Box::new(error), resume: self.resume(config) }
        } else {
            error
        }
    }

    /// Saves what a run that diverges has: its checkpoint stays that of an earlier step.
    fn diverged(
        &mut self,
        config: &Config,
        run: &Run<'_>,
        last: Option<&Mlp>,
        source: nn::Error,
    ) -> Error {
        self.progress.close();
        let history = run.history();
        let kept = history.best.unwrap_or(history.epochs.len());
        let current = run.network();
        let network = last.unwrap_or(&current);
        let summary = self.summary(config, network, history, Status::Diverged, None);
        let saved = if kept == 0 { Ok(()) } else { self.save_model(run, last) };
        let saved = saved.and_then(|()| self.dir.save_summary(&summary));
        match saved {
            Err(error) => {
                self.progress.warn(&error.to_string());
                source.into()
            }
            Ok(()) if kept == 0 => source.into(),
            Ok(()) => Error::Diverged { source, epoch: kept, model: self.dir.model() },
        }
    }

    /// Writes down the result of a run that has ended, then shows it: either may be refused, by a
    /// full disk or a closed pipe, and the result is known. `tested` is what the test found, if
    /// there was one: its figures, and samples × outputs.
    pub(super) fn end(
        mut self,
        config: &Config,
        end: End,
        tested: Option<(Evaluation, Vec<f32>)>,
        reports: bool,
    ) -> Result<(), Error> {
        let End { network, history, lost } = end;
        let test = tested.as_ref().map(|(test, _)| *test);
        // A result is not lost because nothing can be said of it.
        let finding = self.examine(config, &network, &history, test).ok().flatten();
        // A run whose files are not there is not done: `--resume` writes them.
        let status = if lost.is_none() { Status::Done } else { Status::Stopped };
        let mut summary = self.summary(config, &network, &history, status, test);
        summary.notes.extend(finding.as_ref().map(Finding::text));
        let written = self.dir.save_summary(&summary);
        if reports && lost.is_none() && written.is_ok() {
            self.report(&network, tested);
        }
        let shown = self.progress.end(config, &summary, finding.as_ref(), &self.dir);
        lost.map_or(written, Err).map_err(|error| self.lost(config, error))?;
        shown
    }

    /// Writes the report of a run whose other files are written. Without it, nothing is lost.
    fn report(&mut self, network: &Mlp, tested: Option<(Evaluation, Vec<f32>)>) {
        let facts = match Facts::open(self.dir.path()) {
            Ok(facts) => facts,
            Err(error) => return self.no_report(&error),
        };
        let trained = facts.trained();
        let seen = Seen { network, sets: self.sets, pool: self.pool, trained };
        let tested = match tested {
            Some((test, outputs)) => Tested::With(test, outputs),
            None => Tested::No,
        };
        let page = match Findings::new(&seen, tested) {
            Ok(findings) => report::page(&facts, Ok(&findings)),
            Err(error) => report::page(&facts, Err(&error.to_string())),
        };
        if let Err(error) = self.dir.save_report(&page) {
            self.no_report(&error);
        }
    }

    fn no_report(&self, error: &Error) {
        let path = words::shell_word(self.dir.path());
        let program = words::program();
        self.progress.warn(&format!("{error}; to write the report later: {program} report {path}"));
    }

    /// Writes the summary of a run that has ended and is not tested.
    ///
    /// # Errors
    /// What could not be written.
    pub(super) fn end_untested(mut self, config: &Config, end: End) -> Result<(), Error> {
        self.progress.close();
        let End { network, history, lost } = end;
        let status = if lost.is_none() { Status::Done } else { Status::Stopped };
        let summary = self.summary(config, &network, &history, status, None);
        let written = self.dir.save_summary(&summary);
        if lost.is_none() && written.is_ok() {
            self.report(&network, None);
        }
        lost.map_or(written, Err).map_err(|error| self.lost(config, error))
    }

    /// What went wrong in a run that has ended.
    fn examine(
        &self,
        config: &Config,
        network: &Mlp,
        history: &History,
        test: Option<Evaluation>,
    ) -> Result<Option<Finding>, Error> {
        let positions = self.sets.some(health::IMAGES);
        let images = self.sets.plain(&positions)?;
        let examples = images.examples()?;
        let health = self.pool.install(|| network.health(&examples, self.pool))?;
        // Without a test it is judged by what was held out, or by what it was trained on.
        let kept = history.best.unwrap_or(history.epochs.len());
        let kept = kept.checked_sub(1).and_then(|epoch| history.epochs.get(epoch));
        let judged = test.or_else(|| kept.and_then(|kept| kept.validation));
        let test = match judged {
            Some(judged) => judged,
            None => self.pool.install(|| network.evaluate(&examples, self.pool))?,
        };
        let guess = match self.sets.training.targets() {
            Targets::Classes(classes) => Guess::classes(classes.labels(), classes.count()),
            Targets::Values(values) => Guess::values(values),
        };
        Ok(health::diagnose(&Evidence { config, history, test: &test, health: &health, guess }))
    }

    fn summary(
        &mut self,
        config: &Config,
        network: &Mlp,
        history: &History,
        status: Status,
        test: Option<Evaluation>,
    ) -> Summary {
        let checksums = self.record.checksums.get_or_insert_with(|| self.sets.checksums());
        let checksums = checksums.clone();
        let held_out = self.sets.held_out_len();
        let seconds = self.record.before() + self.process.started.elapsed().as_secs_f64();
        let saving = self.saving.as_secs_f64();
        let columns = self.sets.uses.as_deref();
        let commonest = test.and_then(|_| Commonest::of(network, self.sets.test_targets()));
        let measured = Measured {
            status,
            run: self.dir.path(),
            history,
            test,
            commonest,
            held_out,
            checksums,
            columns,
            ranks: self.process.ranks.several(),
            seconds,
            saving,
        };
        Summary::new(config, network, measured, self.pool, self.process.isa)
    }
}

/// What could not be written, and has not been written since.
struct Files {
    lost: Option<Error>,
}

impl Files {
    /// Notes a failure. The user is told of the first of several.
    fn check(&mut self, progress: &mut Progress, result: Result<(), Error>) {
        if let Err(error) = result {
            if self.lost.is_none() {
                progress.warn(&format!("{error}; the training goes on"));
            }
            self.lost = Some(error);
        }
    }

    /// Notes the result of writing everything.
    fn saved(&mut self, progress: &mut Progress, result: Result<(), Error>) {
        match result {
            Ok(()) => self.lost = None,
            Err(error) => self.check(progress, Err(error)),
        }
    }
}

/// Leaves the run at the end of each epoch, and after a step where it is to be saved or looked
/// at.
struct Watch<'a> {
    progress: &'a mut Progress,
    stop: &'a Stop,
    clock: &'a Clock,
    /// Steps of an epoch, if the run is to be left before the last one too.
    per_epoch: Option<u64>,
    /// They leave it together.
    ranks: &'a Ranks,
}

impl Callback for Watch<'_> {
    fn on_step(&mut self, step: &StepReport) -> ControlFlow<()> {
        self.progress.step(step);
        let looks = |per_epoch: u64| {
            Layers::leaves(step.step, per_epoch) && self.progress.has_line(step.epoch)
        };
        let leave = self.stop.signal().is_some()
            || self.clock.is_due(step.epoch - 1)
            || self.per_epoch.is_some_and(looks);
        let leave = self.ranks.leave_after_step(leave);
        if leave { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn on_epoch(&mut self, _: &EpochReport) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
}
