//! The search: rungs of trials that run side by side.

use std::path::Path;
use std::time::{Duration, Instant};

use kernels::Isa;
use nn::{Checkpoint, Split};

use super::plan::Metric;
use super::ranking::{self, Row};
use super::setup::Setup;
use super::show::Board;
use super::state::{Job, State, States};
use crate::config::Config;
use crate::error::{Error, one_line};
use crate::pool::Pool;
use crate::ranks::Post;
use crate::stop::Stop;
use crate::trial::{
    Event, Figures, Jobs, Others, Reached, Size, Trained, Training, Trial, TrialSamples, Until,
    follow, side_by_side,
};
use crate::words::{percent, plural, shell_word};

/// Everything that a search needs.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    pub(super) setup: &'a Setup,
    pub(super) samples: &'a TrialSamples,
    pub(super) splits: &'a [Split],
    pub(super) metric: Metric,
    pub(super) pool: &'a Pool,
    pub(super) stop: &'a Stop,
    pub(super) isa: Isa,
    pub(super) quiet: bool,
}

/// The times at which a search ends.
#[derive(Clone, Copy)]
struct Times {
    begun: Instant,
    budget: Option<Duration>,
}

impl Times {
    fn is_over(self) -> bool {
        self.is_past(1, 1)
    }

    /// Whether `count` of `parts` equal parts of the budget are used up.
    fn is_past(self, count: usize, parts: usize) -> bool {
        let part = |budget: Duration| budget.mul_f64(count as f64 / parts as f64);
        self.budget.is_some_and(|budget| self.begun.elapsed() >= part(budget))
    }
}

impl Search<'_> {
    /// Makes all trials that have not ended before, rung after rung. With a budget, the trials of
    /// the first rung begin within its first part: the rungs take about the same time.
    /// `others` are the ranks that take a part of the trials.
    ///
    /// # Errors
    /// [`Error::Stopped`] after a signal; the error of a trial.
    pub(super) fn run(&self, state: &mut State, others: &mut Others<'_>) -> Result<(), Error> {
        let Setup { plan, base, trials, .. } = self.setup;
        let rungs = plan.rungs(base.training.epochs);
        let configs = self.configs()?;
        let times = Times { begun: Instant::now(), budget: plan.budget };
        let mut board = Board::new(self.quiet, plan.budget);
        let mut alive: Vec<usize> = (0..trials.len()).collect();
        for rung in 0..rungs.len() {
            if rung > 0 {
                if !state.promoted.contains_key(&rung) {
                    let rows = self.rows_at(rung - 1, state);
                    let promoted = ranking::promoted(rows, plan.eta, self.metric);
                    if promoted.is_empty() {
                        break;
                    }
                    state.promote(rung, &promoted)?;
                }
                alive.clone_from(&state.promoted[&rung]);
            }
            // What was compared once is not compared again with more trials.
            if !state.promoted.contains_key(&(rung + 1)) {
                let all = (&alive[..], &configs[..]);
                self.rung(rung, &rungs, all, times, (state, &mut board, others))?;
            }
            if let Some(signal) = self.stop.signal() {
                board.close();
                let ended = self.rows(state).len();
                let (path, all) = (shell_word(state.path()), trials.len());
                let of_rung = match rungs.len() {
                    1 => String::new(),
                    count => format!(", in rung {} of {count}", rung + 1),
                };
                let at = format!("after {ended} of {all} trials{of_rung}; saved in {path}");
                let (resume, several) = (state.resume_command(), others.count() > 0);
                return Err(Error::Stopped { signal, at, resume, several });
            }
            if times.is_over() {
                break;
            }
        }
        board.close();
        Ok(())
    }

    /// All trials, the best first.
    pub(super) fn rows(&self, state: &State) -> Vec<Row> {
        let Setup { plan, base, trials, .. } = self.setup;
        let rungs = plan.rungs(base.training.epochs).len();
        ranking::ranking(rungs, &state.figures, trials, self.splits.len(), self.metric)
    }

    fn rows_at(&self, rung: usize, state: &State) -> Vec<Row> {
        let (trials, folds) = (&self.setup.trials, self.splits.len());
        ranking::rows_at(rung, &state.figures, trials, folds, self.metric)
    }

    /// Trains the trials that are alive up to a rung.
    fn rung(
        &self,
        rung: usize,
        rungs: &[usize],
        (alive, configs): (&[usize], &[Config]),
        times: Times,
        (state, board, others): (&mut State, &mut Board, &mut Others<'_>),
    ) -> Result<(), Error> {
        let folds = self.splits.len();
        let jobs = alive.iter().flat_map(|&trial| (0..folds).map(move |fold| (trial, fold)));
        let jobs = jobs.map(|(trial, fold)| Job { rung, trial, fold });
        let (before, jobs): (Vec<Job>, Vec<Job>) =
            jobs.partition(|job| state.figures.contains_key(job));
        let name = match rungs {
            [_] => String::new(),
            _ => format!("rung {} of {} (epoch {}): ", rung + 1, rungs.len(), rungs[rung]),
        };
        board.rung(name, before.len() + jobs.len(), before.len());
        let parts = if rung == 0 { rungs.len() } else { 1 };
        let begins = || self.stop.signal().is_none() && !times.is_past(1, parts);
        let memory = jobs.iter().map(|job| self.samples.memory(&configs[job.trial])).max();
        let size = Size::of(jobs.len(), memory.unwrap_or_default(), others);
        let states = state.states();
        let from = |job| if rung > 0 { states.read(job) } else { None };
        let leaves = || self.stop.signal().is_some() || times.is_over();
        let next = jobs.into_iter().take_while(|_| begins());
        let jobs = Jobs { next, size, state: &from, leaves: &leaves };
        side_by_side(jobs, self.pool, others, self.work(configs, rungs, &states), |event| {
            match event {
                Event::Begun(_) => board.begun(),
                Event::Epoch(_) => board.epoch(),
                Event::Ended(job, reached) => self.ended(job, reached, state, board)?,
                Event::Tick => (),
            }
            if board.is_due() {
                let rows = self.rows(state);
                let (space, most) = (&self.setup.space, board.rows());
                board.draw(&ranking::table(&rows, most, space, self.metric));
            }
            Ok(())
        })
    }

    /// Trains the trials that rank 0 gives this rank, until it has no more.
    pub(super) fn follow(&self, post: &dyn Post) -> Result<(), Error> {
        let configs = self.configs()?;
        let rungs = self.setup.plan.rungs(self.setup.base.training.epochs);
        follow(post, self.pool, self.work(&configs, &rungs, &States::elsewhere()));
        Ok(())
    }

    /// The settings of each trial.
    fn configs(&self) -> Result<Vec<Config>, Error> {
        self.setup.trials.iter().map(|settings| self.setup.config(settings)).collect()
    }

    /// How a job is done, on every rank.
    fn work(
        &self,
        configs: &[Config],
        rungs: &[usize],
        states: &States,
    ) -> impl Fn(Training<'_, Job>) -> Trained + Sync {
        let until = move |job: Job| match rungs {
            // Without halving the rung is the end of a trial, whose epochs may be its own.
            [_] => Until { epochs: configs[job.trial].training.epochs, goes_on: false },
            _ => Until { epochs: rungs[job.rung], goes_on: job.rung + 1 < rungs.len() },
        };
        move |Training { job, state, pool, leave, epoch }| {
            let (config, split) = (&configs[job.trial], &self.splits[job.fold]);
            let trial = Trial { config, samples: self.samples, split, isa: self.isa };
            // A trial whose state is lost begins again, and comes to the same bits.
            let state = state.map(Checkpoint::from_bytes).transpose();
            let state = state.map_err(|error| damaged(&states.of(job), error))?;
            let trained = trial.train(state, until(job), pool, leave, epoch);
            trained.or_else(|source| self.refused(job, source))
        }
    }

    /// Settings that cannot be trained with, such as a rate that is too high for its penalty, are
    /// a trial without figures: others of the space can be.
    ///
    /// # Errors
    /// What is no fault of the settings.
    fn refused(&self, job: Job, source: Error) -> Result<Option<Reached>, Error> {
        if source.code() == 2 {
            let figures = Figures::refused(one_line(&source.to_string()));
            return Ok(Some(Reached { figures, state: None }));
        }
        let name = ranking::named(&self.setup.trials[job.trial], &self.setup.space);
        let name = format!("trial {} ({name})", job.trial + 1);
        Err(Error::Trial { name, source: Box::new(source) })
    }

    /// Writes down a job that has ended. One that was left is done again another time.
    fn ended(
        &self,
        job: Job,
        reached: Option<Reached>,
        state: &mut State,
        board: &mut Board,
    ) -> Result<(), Error> {
        let Some(Reached { figures, state: left }) = reached else {
            board.ended(None);
            return Ok(());
        };
        let settings = &self.setup.trials[job.trial];
        let line = self.line(job, &figures);
        state.ended(job, settings, figures, left.as_deref())?;
        board.ended(Some(line));
        Ok(())
    }

    fn line(&self, job: Job, figures: &Figures) -> String {
        let name = ranking::named(&self.setup.trials[job.trial], &self.setup.space);
        let fold = match self.splits.len() {
            1 => String::new(),
            folds => format!(", fold {} of {folds}", job.fold + 1),
        };
        let found = match figures {
            Figures { reason: Some(reason), .. } => format!("refused: {reason}"),
            _ if figures.failed() => figures.status.name().to_owned(),
            Figures { val_accuracy: Some(accuracy), .. } => percent(*accuracy),
            Figures { val_rmse: Some(rmse), .. } => format!("RMSE {rmse:.4}"),
            _ => "no figure".to_owned(),
        };
        let (trial, epochs) = (job.trial + 1, plural(figures.epochs, "epoch"));
        let seconds = figures.seconds;
        format!("trial {trial} ({name}){fold}: {found} after {epochs}, {seconds:.1} s")
    }
}

/// What a trial should go on from, and cannot.
fn damaged(path: &Path, error: nn::Error) -> Error {
    let nn::Error::Checkpoint { reason, .. } = error else { return error.into() };
    let reason =
        format!("{reason}; a trial goes on from it: remove the file, and the trial begins again");
    Error::SweepDir { path: path.to_owned(), reason }
}
