//! `trainer doctor`: what this machine is, how fast it computes, and whether all is as it
//! should be.

mod check;
mod data;
mod disk;
mod machine;
mod oracle;
mod recipe;
mod speed;

use std::ffi::OsString;
use std::path::PathBuf;

use serde::Serialize;

use crate::error::Error;
use crate::help;
use crate::pool::Pool;
use crate::process::Process;
use crate::streams;
use crate::summary::VERSION;
use check::{Check, Mark};
use machine::Machine;
use speed::Speed;

const EXAMPLES: &str = "\
Examples:
  trainer doctor                            all checks, in some seconds
  trainer doctor --data images --threads 1
  trainer doctor --json > machine.json";

/// Check this machine, its speed, the kernels and the data
///
/// The instruction set, the threads and the limit of the container, the caches, the memory;
/// the peak of multiply-adds, measured here, and what share of it a matrix product gets;
/// about how long the default recipe takes; whether the kernels agree with plain arithmetic,
/// whether the data are the files that they seem to be, and whether there is room for runs.
/// It takes some seconds. Speeds are what is left while other programs run too.
///
/// The exit code is 1 if something fails, and 0 if there are only warnings.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = help::after(EXAMPLES))]
pub(crate) struct Args {
    /// Data to check: a folder or a file
    #[arg(long, value_name = "DATA")]
    data: Option<PathBuf>,

    /// Threads to measure with, 1 to 1024 [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<OsString>,

    /// Print nothing but what fails
    #[arg(short, long)]
    quiet: bool,

    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    /// The worst mark.
    status: Mark,
    version: &'static str,
    machine: Machine,
    speed: Speed,
    /// About how long the default recipe takes on MNIST.
    default_recipe_seconds: f64,
    checks: Vec<Check>,
}

/// Prints each check as soon as it is done, because some take a second.
struct Checks<'a> {
    args: &'a Args,
    done: Vec<Check>,
}

impl Checks<'_> {
    fn add(&mut self, check: Check) -> Result<(), Error> {
        let shown = !self.args.quiet || check.mark == Mark::Fail;
        if shown && !self.args.json {
            streams::print(&check.lines())?;
        }
        self.done.push(check);
        Ok(())
    }
}

pub(crate) fn run(args: &Args, process: &Process) -> Result<(), Error> {
    let isa = process.isa;
    let pool = Pool::new(args.threads.as_deref())?;
    if args.json {
        streams::check_stdout()?;
    }
    let mut checks = Checks { args, done: Vec::new() };
    let machine = Machine::of_this(isa, &pool);
    for check in machine.checks(pool.note()) {
        checks.add(check)?;
    }
    checks.add(oracle::check())?;
    let speed = Speed::measure(isa, &pool);
    for check in speed.checks() {
        checks.add(check)?;
    }
    let seconds = recipe::seconds(isa, &pool)?;
    checks.add(recipe::check(seconds))?;
    checks.add(data::check(args.data.as_deref()))?;
    checks.add(disk::check())?;

    let done = checks.done;
    let failed: Vec<_> =
        done.iter().filter(|check| check.mark == Mark::Fail).map(|check| check.name).collect();
    let (failures, all, names) = (failed.len(), done.len(), failed.join(", "));
    if args.json {
        let status = done.iter().map(|check| check.mark).max().unwrap_or(Mark::Ok);
        streams::print_json(&Report {
            status,
            version: VERSION,
            machine,
            speed,
            default_recipe_seconds: seconds,
            checks: done,
        })?;
    }
    if failures == 0 { Ok(()) } else { Err(Error::Unhealthy { failures, all, names }) }
}
