//! A run that several ranks share: what they have to have alike, and what the ranks do that
//! follow rank 0.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use nn::{Callback, Ended, EpochReport, Mlp, Run, StepReport};
use toml::{Table, Value};

use super::Args;
use super::resumed::shown;
use crate::config::Config;
use crate::error::Error;
use crate::pool::Pool;
use crate::process::Process;
use crate::ranks::{Facts, Ranks};
use crate::sets::Sets;
use crate::summary::VERSION;
use crate::trial::TrialSamples;

/// Where the data lie, which may differ if they are the same data.
pub(super) const PATHS: [&str; 4] = ["data.dir", "data.test", "data.labels", "data.test-labels"];

/// What every rank's program has to have alike, before anything is read.
pub(in crate::commands) fn of_program(command: &str, process: &Process) -> Facts {
    let mut facts = Facts::default();
    facts.add("program", "the version", VERSION);
    facts.add("command", "the command", command);
    // The scalar path has bits of its own, and all others the same.
    let isa = if process.isa.name() == "scalar" { "scalar" } else { "one of vectors" };
    facts.add("kind of instruction set (KERNELS_ISA)", "the instruction set", isa);
    facts
}

/// The same with the command line.
pub(super) fn of_line(args: &Args, process: &Process) -> Facts {
    let mut facts = of_program("train", process);
    let flag = |found: bool| if found { "given" } else { "not given" };
    facts.add("flags", "--resume", directory(args.resume.as_deref()));
    facts.add("flags", "--repeat", args.repeat.map_or("not given".to_owned(), |n| n.to_string()));
    facts.add("flags", "--print-config", flag(args.print_config));
    facts.add("flags", "--no-test", flag(args.no_test));
    facts
}

/// A directory that is named, which need not exist on other ranks than rank 0: as it was typed, but
/// for a slash at its end.
pub(in crate::commands) fn directory(path: Option<&Path>) -> String {
    let text = |path: &Path| path.components().collect::<PathBuf>().display().to_string();
    path.map_or_else(|| "not given".to_owned(), text)
}

/// What decides the bits of a run, before its first step. It is read only where there are several
/// ranks.
pub(super) fn of_run(config: &Config, sets: &Sets, run: &Run<'_>) -> Result<Facts, Error> {
    let mut facts = of_settings(config)?;
    let data = sets.checksums();
    facts.add("data", "the number of samples", run.samples());
    facts.add("data", "the number of held-out samples", sets.held_out_len());
    facts.add("data", "the checksum of the training samples", data.train);
    facts.add("data", "the checksum of the test samples", data.test);
    facts.add("data", "the checksum of the samples' weights", sets.checksum_of_weights());
    facts.add("program and data", "the step", run.steps());
    let network = crc32fast::hash(&run.network().to_bytes());
    facts.add("program and data", "the checksum of the network", format!("{network:08x}"));
    Ok(facts)
}

/// The settings, but for where the data lie.
pub(in crate::commands) fn of_settings(config: &Config) -> Result<Facts, Error> {
    let mut facts = Facts::default();
    let settings = config.to_toml()?.parse::<Table>();
    let settings = settings.map_err(|error| Error::Edited { message: error.to_string() })?;
    add_settings(&mut facts, "", &settings);
    Ok(facts)
}

/// The samples of trials, which have this checksum.
pub(in crate::commands) fn add_trials(facts: &mut Facts, samples: &TrialSamples, checksum: &str) {
    facts.add("data", "the number of samples", samples.len());
    facts.add("data", "the checksum of the samples", checksum);
    facts.add("data", "the checksum of the samples' weights", samples.checksum_of_weights());
}

fn add_settings(facts: &mut Facts, path: &str, settings: &Table) {
    for (key, value) in settings {
        let name = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            Value::Table(table) => add_settings(facts, &name, table),
            _ if PATHS.contains(&&*name) => (),
            value => facts.add("settings", &name, shown(value)),
        }
    }
}

/// Does this rank's share of a run, of its test too where there is one. Rank 0 prints, writes and
/// decides.
///
/// # Errors
/// What all ranks come to, as a run that diverges; and [`Error::Led`].
pub(super) fn follow(
    mut run: Run<'_>,
    (ranks, pool): (&'static Ranks, &Pool),
    test: Option<&Sets>,
) -> Result<(), Error> {
    let team = pool.with_ranks(ranks);
    // Rank 0 makes the directory of the run.
    ranks.go_on()?;
    while ranks.of_all(pool.install(|| run.train(&team, Follow(ranks))))? == Ended::Callback {
        ranks.go_on()?;
    }
    let network: Mlp = run.finish().0;
    if let Some(sets) = test {
        let samples = sets.test().unwrap_or_else(|error| ranks.lost(&error));
        let examples = samples.examples().unwrap_or_else(|error| ranks.lost(&error));
        ranks.go_on()?;
        ranks.of_all(pool.install(|| network.evaluate_outputs(&examples, &team)))?;
    }
    Ok(())
}

/// Leaves the run where rank 0 leaves it.
struct Follow(&'static Ranks);

impl Callback for Follow {
    fn on_step(&mut self, _: &StepReport) -> ControlFlow<()> {
        if self.0.leave_after_step(false) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn on_epoch(&mut self, _: &EpochReport) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
}
