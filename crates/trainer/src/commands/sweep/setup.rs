//! What a sweep is to do: from its file and the command line, or from its directory.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use kernels::Isa;
use nn::Split;
use toml::{Table, Value};

use super::super::train::shared;
use super::file::{self, SweepFile};
use super::plan::{HeldOut, MOST_TRIALS, Method, Metric, Plan};
use super::ranking::named;
use super::space::{Settings, Space};
use super::state::{BASE, SWEEP};
use crate::config::Config;
use crate::data;
use crate::error::{Error, Refused};
use crate::ranks::{Facts, Ranks};
use crate::recipe;
use crate::run_dir;
use crate::settings::{Edits, Source};
use crate::trial::TrialSamples;
use crate::words::plural;

/// Share that is held out where nothing says how much.
const SHARE: f64 = 0.2;

/// Trials of random search where nothing says how many.
const TRIALS: usize = 20;

/// The most trials where a time says when to end.
const IN_BUDGET: usize = 1000;

pub(super) struct Setup {
    pub(super) plan: Plan,
    pub(super) space: Space,
    /// The settings that all trials start from.
    pub(super) base: Config,
    /// The same as the text that trials are made of.
    source: Source,
    /// A learning rate that the user has set, and so does not follow the optimizer of a trial.
    rate: Option<String>,
    /// Of each trial, in order.
    pub(super) trials: Vec<Settings>,
    /// What the user should know, a line each.
    pub(super) notes: Vec<String>,
}

impl Setup {
    /// Reads a file, and the settings of the command line over its base.
    ///
    /// # Errors
    /// Whatever is wrong with the file, a flag or any trial.
    pub(super) fn of_file(
        path: &Path,
        flags: &Edits,
        budget: Option<Duration>,
        isa: Isa,
    ) -> Result<Self, Error> {
        Self::of_source(recipe::read(&data::home(path))?, flags, budget, isa)
    }

    /// As [`of_file`](Self::of_file), of a text that was read. No other file is read, unless it
    /// names one for its base.
    fn of_source(
        source: Source,
        flags: &Edits,
        budget: Option<Duration>,
        isa: Isa,
    ) -> Result<Self, Error> {
        let SweepFile { mut plan, base, space } = file::read(&source)?;
        plan.budget = budget.or(plan.budget);
        if let Some(both) = space.dimensions.iter().find(|d| flags.has(&d.key)) {
            let what = source.origin;
            let message = format!("`{}` is in [space] and on the command line", both.key);
            return Err(Error::Key { what, message: message + ": leave one out" });
        }
        let mut edits = Edits::default();
        for (key, text) in &base.settings {
            edits.set(key, text);
        }
        edits.extend(flags);
        let (file, name) = (base.config.as_deref().map(Path::new), base.recipe.as_deref());
        let from = recipe::choose(file, name.map(OsStr::new), &edits)?;
        let held_out = match plan.held_out {
            Some(held_out) => held_out,
            None => {
                // What a run would hold out, if it would hold out any.
                let mut tried = edits.clone();
                tried.set("training.early-stopping", "none");
                let (config, _) = Config::new(&from, &tried)?;
                let share = config.data.validation;
                HeldOut::Share(if share > 0.0 { share } else { SHARE })
            }
        };
        plan.held_out = Some(held_out);
        let share = match held_out {
            HeldOut::Folds(count) => 1.0 / count as f64,
            HeldOut::Share(share) => share,
        };
        edits.set("data.validation", &share.to_string());
        let (base, notes) = Config::new(&from, &edits)?;
        let rate = edits.last("training.lr").map(|text| text.to_string_lossy().into_owned());
        Self::new(plan, space, base, rate, notes, isa)
    }

    /// Reads the directory of a sweep. A `budget` replaces the one that it began with, and changes
    /// no trial. Of several ranks, rank 0 reads it and gives it to the others.
    ///
    /// # Errors
    /// A directory without one.
    pub(super) fn of_directory(
        path: &Path,
        budget: Option<Duration>,
        isa: Isa,
        ranks: &Ranks,
    ) -> Result<Self, Error> {
        let path = data::home(path);
        let files = ranks.share(|| {
            if !path.join(SWEEP).is_file() || !path.join(BASE).is_file() {
                let reason = "there is no sweep in it: name the directory of one".to_owned();
                return Err(Error::SweepDir { path: path.clone().into_owned(), reason });
            }
            let files = [recipe::read(&path.join(SWEEP))?, recipe::read(&path.join(BASE))?];
            let files =
                files.map(|Source { text, origin, name, whole }| (text, origin, name, whole));
            Ok(serde_json::to_vec(&files).expect("plain data"))
        })?;
        let files: [(String, String, String, bool); 2] =
            serde_json::from_slice(&files).expect("rank 0 wrote it");
        let [sweep, from] =
            files.map(|(text, origin, name, whole)| Source { text, origin, name, whole });
        let mut setup = Self::of_written(&sweep, &from, isa)?;
        setup.plan.budget = budget.or(setup.plan.budget);
        Ok(setup)
    }

    /// Reads what [`text`](Self::text) and [`base_text`](Self::base_text) wrote.
    fn of_written(sweep: &Source, base: &Source, isa: Isa) -> Result<Self, Error> {
        let SweepFile { plan, base: of_base, space } = file::read(sweep)?;
        let rate = of_base.settings.into_iter().find(|(key, _)| key == "training.lr");
        let (base, _) = Config::new(base, &Edits::default())?;
        Self::new(plan, space, base, rate.map(|(_, text)| text), Vec::new(), isa)
    }

    /// A sweep by the text of its file, and of the recipe file that it names, if it names one.
    /// No file is read.
    pub(super) fn of_texts(sweep: &str, base: Option<&str>, isa: Isa) -> Result<Self, Error> {
        let source = |origin: &str, text: &str| {
            let (text, origin, name) = (text.to_owned(), origin.to_owned(), "base".to_owned());
            Source { text, origin, name, whole: false }
        };
        let file = source(SWEEP, sweep);
        match (base, file::read(&file)?.base.config) {
            (None, None) => Self::of_source(file, &Edits::default(), None, isa),
            (Some(base), Some(_)) => Self::of_written(&file, &source(BASE, base), isa),
            (_, found) => {
                let (what, found) = ("base.config".to_owned(), found.unwrap_or_default());
                let reason = "expected the text of the file that it names".to_owned();
                Err(Refused { what, found, reason }.into())
            }
        }
    }

    fn new(
        mut plan: Plan,
        space: Space,
        base: Config,
        rate: Option<String>,
        mut notes: Vec<String>,
        isa: Isa,
    ) -> Result<Self, Error> {
        let all = space.combinations();
        let method = match all {
            Some(_) => Method::Grid,
            None => Method::Random,
        };
        let method = *plan.method.get_or_insert(method);
        if method == Method::Grid
            && let Some(trials) = plan.trials
        {
            let (what, found) = ("sweep.trials".to_owned(), trials.to_string());
            let reason = "a grid has every combination: leave it out, or write method = \"random\"";
            return Err(Refused { what, found, reason: reason.to_owned() }.into());
        }
        let rungs = plan.rungs(base.training.epochs).len();
        if method == Method::Halving && rungs < 2 {
            let what = "training.epochs".to_owned();
            let (found, least) = (base.training.epochs.to_string(), plan.eta * plan.min_epochs);
            let reason = format!(
                "halving compares trials before their end: expected at least {least} (eta times \
                 min-epochs), such as training.epochs = {} in [base]",
                plan.min_epochs * plan.eta * plan.eta
            );
            return Err(Refused { what, found, reason }.into());
        }
        if base.training.early_stopping.is_some() {
            notes.push(
                "early stopping watches the samples that trials are compared on: their figures \
                 are a little too good"
                    .to_owned(),
            );
        }
        let source = Source {
            text: run_dir::complete(&base)?,
            origin: "the base of the sweep".to_owned(),
            name: base.recipe.clone(),
            whole: true,
        };
        let rate = rate.filter(|_| !space.dimensions.iter().any(|d| d.key == "training.lr"));
        let mut setup = Self { plan, space, base, source, rate, trials: Vec::new(), notes };
        setup.make_trials(isa)?;
        Ok(setup)
    }

    /// Makes the settings of each trial, and checks them.
    fn make_trials(&mut self, isa: Isa) -> Result<(), Error> {
        let usual = match (self.plan.budget, self.method()) {
            (Some(_), _) => IN_BUDGET,
            (None, Method::Halving) => {
                // One is left in the last rung.
                let rungs = self.plan.rungs(self.base.training.epochs).len() as u32;
                self.plan.eta.saturating_pow(rungs - 1).min(MOST_TRIALS)
            }
            (None, _) => TRIALS,
        };
        self.trials = match (self.method(), self.space.combinations()) {
            (Method::Grid, all) => {
                if let Some(too_many) = all.filter(|all| *all > MOST_TRIALS) {
                    let (what, found) = ("the grid".to_owned(), plural(too_many, "trial"));
                    let reason = format!(
                        "expected at most {MOST_TRIALS}: write method = \"random\", or shorter lists"
                    );
                    return Err(Refused { what, found, reason }.into());
                }
                self.space.grid()
            }
            _ => self.space.random(self.plan.trials.unwrap_or(usual), self.plan.seed, isa),
        };
        for settings in &self.trials {
            self.config(settings).map_err(|source| Error::Trial {
                name: format!("the trial with {}", named(settings, &self.space)),
                source: Box::new(source),
            })?;
        }
        Ok(())
    }

    pub(super) fn method(&self) -> Method {
        self.plan.method.unwrap_or(Method::Random)
    }

    /// The settings of a trial over those of the base.
    pub(super) fn config(&self, settings: &Settings) -> Result<Config, Error> {
        let mut edits = Edits::default();
        if let Some(rate) = &self.rate {
            edits.set("training.lr", rate);
        }
        for (key, text) in settings {
            edits.set(key, text);
        }
        Ok(Config::new(&self.source, &edits)?.0)
    }

    /// What trials are compared by.
    ///
    /// # Errors
    /// A figure that these samples have not.
    pub(super) fn metric(&self, classes: bool) -> Result<Metric, Error> {
        let usual = if classes { Metric::Accuracy } else { Metric::Rmse };
        let metric = self.plan.metric.unwrap_or(usual);
        let reason = match (metric, classes) {
            (Metric::Accuracy, false) => "numbers have no accuracy: expected rmse or loss",
            (Metric::Rmse, true) => "classes have no RMSE: expected accuracy or loss",
            _ => return Ok(metric),
        };
        let (what, found) = ("sweep.metric".to_owned(), metric.name().to_owned());
        Err(Refused { what, found, reason: reason.to_owned() }.into())
    }

    /// What trials train on and are judged on. All of them have the same splits, which are
    /// functions of the seed of the base.
    pub(super) fn splits(&self, samples: &TrialSamples) -> Result<Vec<Split>, Error> {
        let seed = self.base.training.seed;
        match self.plan.held_out {
            Some(HeldOut::Folds(count)) => samples.folds(count, seed),
            Some(HeldOut::Share(share)) => Ok(vec![data::split(samples.targets(), share, seed)?]),
            None => Ok(vec![data::split(samples.targets(), SHARE, seed)?]),
        }
    }

    /// What ranks have to have alike: whatever the trials depend on, but the samples.
    pub(super) fn facts(&self) -> Result<Facts, Error> {
        let mut facts = shared::of_settings(&self.base)?;
        for (name, table) in [("sweep", self.plan.table()), ("space", self.space.table())] {
            // When the search ends is for rank 0 to say.
            for (key, value) in table.iter().filter(|(key, _)| *key != "budget") {
                facts.add("sweep file", &format!("{name}.{key}"), value);
            }
        }
        let trials = serde_json::to_vec(&(&self.trials, &self.rate)).expect("plain data");
        let checksum = format!("{:08x}", crc32fast::hash(&trials));
        facts.add("sweep file and flags", "the checksum of the trials", checksum);
        Ok(facts)
    }

    /// The base as a recipe file.
    pub(super) fn base_text(&self) -> Result<String, Error> {
        Ok(format!("# What all trials of a sweep start from\n{}", self.source.text))
    }

    /// The sweep as a file that `--config` reads.
    pub(super) fn text(&self, dir: &Path) -> Result<String, Error> {
        let base = dir.join(BASE).to_string_lossy().into_owned();
        let mut of_base = Table::from_iter([("config".to_owned(), base.into())]);
        if let Some(rate) = &self.rate {
            of_base.insert("training.lr".to_owned(), rate.as_str().into());
        }
        let tables =
            [("sweep", self.plan.table()), ("base", of_base), ("space", self.space.table())];
        let tables = tables.map(|(name, table)| (name.to_owned(), Value::Table(table)));
        let text = toml::to_string(&Table::from_iter(tables))?;
        Ok(format!("# A sweep of trainer. To repeat it: trainer sweep --config THIS_FILE\n{text}"))
    }

    /// What is going to happen, in a line.
    pub(super) fn describe(
        &self,
        samples: &TrialSamples,
        folds: usize,
        metric: Metric,
        dir: &Path,
    ) -> String {
        let trials = self.trials.len();
        let count = match self.plan.budget {
            Some(budget) => format!("up to {trials} trials in {} s", budget.as_secs()),
            None => plural(trials, "trial"),
        };
        let held_out = match self.plan.held_out {
            Some(HeldOut::Folds(_)) => format!("in {folds} folds"),
            Some(HeldOut::Share(share)) => format!("of which {:.0} % are held out", 100.0 * share),
            None => format!("of which {:.0} % are held out", 100.0 * SHARE),
        };
        let rungs = self.plan.rungs(self.base.training.epochs);
        let rungs = match &*rungs {
            [_] => String::new(),
            rungs => {
                let texts: Vec<_> = rungs.iter().map(usize::to_string).collect();
                format!(" after {} epochs", texts.join(", "))
            }
        };
        format!(
            "{}: {count}, compared by {}{rungs}, on {} {held_out}; the test samples are not looked \
             at; sweep in {}",
            self.method().name(),
            metric.name(),
            plural(samples.len(), "sample"),
            dir.display()
        )
    }
}
