//! Trainings that choose settings: of a config, on some of the training samples, judged on the
//! rest of them. They write nothing, and never look at the samples that are tested on.
//!
//! A trial can be left after an epoch and continued later, with the bits of one that was never
//! left, so successive halving goes on with what it has.

mod figures;
mod samples;
mod side;
mod spread;

use std::ops::ControlFlow;
use std::time::Instant;

use kernels::Isa;
use nn::{Callback, Checkpoint, Ended, EpochReport, Run, Split, StepReport};

use crate::config::Config;
use crate::error::Error;
use crate::pool::Pool;

pub(crate) use figures::{Figures, Outcome};
pub(crate) use samples::TrialSamples;
pub(crate) use side::{Event, Jobs, Others, Size, Trained, Training, follow, side_by_side};
pub(crate) use spread::{Spread, columns};

/// Whether a trial is to be left at once.
pub(crate) type Leave<'a> = &'a (dyn Fn() -> bool + Sync);

/// Called with each epoch that has ended, from 1.
pub(crate) type OnEpoch<'a> = &'a mut (dyn FnMut(usize) + Send);

/// One training of a config.
#[derive(Clone, Copy)]
pub(crate) struct Trial<'a> {
    pub(crate) config: &'a Config,
    pub(crate) samples: &'a TrialSamples,
    /// Which of the samples it trains on, and which judge it.
    pub(crate) split: &'a Split,
    pub(crate) isa: Isa,
}

/// A trial that has come to the epoch that it was to come to, or to its end.
pub(crate) struct Reached {
    pub(crate) figures: Figures,
    /// With which it goes on, if that was wanted and it can.
    pub(crate) state: Option<Vec<u8>>,
}

/// How far a trial is to be trained.
#[derive(Clone, Copy)]
pub(crate) struct Until {
    /// Epochs from its beginning. At the last epoch of the config it ends.
    pub(crate) epochs: usize,
    /// Whether it may go on afterwards.
    pub(crate) goes_on: bool,
}

impl Trial<'_> {
    /// Trains from the beginning, or from the state that it was left with, on the threads of
    /// `pool`. `None` if `leave` ended it before that.
    ///
    /// # Errors
    /// Settings that do not fit the samples. A training that diverges is no error, but an
    /// outcome.
    pub(crate) fn train(
        self,
        state: Option<Checkpoint>,
        until: Until,
        pool: &Pool,
        leave: Leave<'_>,
        epoch: OnEpoch<'_>,
    ) -> Result<Option<Reached>, Error> {
        let begun = Instant::now();
        let fold = self.samples.fold(self.config, self.split, self.isa)?;
        let held_out = fold.held_out()?;
        let (train, validation) = (fold.training()?, Some(held_out.examples()?));
        let mut run = match state {
            Some(state) => state.resume(train, validation)?,
            None => Run::new(fold.network()?, &fold.config.training, train, validation)?,
        };
        let is_there = |run: &Run<'_>| run.history().epochs.len() >= until.epochs;
        let mut outcome = Outcome::Done;
        if !is_there(&run) {
            let watch = Watch { until: until.epochs, leave, epoch };
            match pool.install(|| run.train(pool, watch)) {
                Ok(Ended::Callback) if !is_there(&run) => return Ok(None),
                Ok(_) => (),
                Err(nn::Error::Diverged { .. } | nn::Error::Overflow { .. }) => {
                    outcome = Outcome::Diverged;
                }
                Err(error) => return Err(error.into()),
            }
        }
        let seconds = begun.elapsed().as_secs_f64();
        let figures = Figures::new(outcome, &run, fold.deviation(), seconds);
        let goes_on = until.goes_on && outcome == Outcome::Done;
        Ok(Some(Reached { figures, state: goes_on.then(|| run.to_bytes()) }))
    }
}

/// Leaves a run after an epoch, or between two steps.
struct Watch<'a> {
    until: usize,
    leave: Leave<'a>,
    epoch: OnEpoch<'a>,
}

impl Callback for Watch<'_> {
    fn on_step(&mut self, _: &StepReport) -> ControlFlow<()> {
        if (self.leave)() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn on_epoch(&mut self, report: &EpochReport) -> ControlFlow<()> {
        (self.epoch)(report.epoch);
        if report.epoch >= self.until { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
