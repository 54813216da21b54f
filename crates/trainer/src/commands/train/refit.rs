//! A run that another command asks for, once it has chosen the settings. It is not tested.

use std::path::Path;
use std::time::{Duration, SystemTime};

use nn::{Executor as _, Run};

use super::every::Every;
use super::keeper::Keeper;
use super::record::Record;
use super::shared;
use crate::augment::Prepared;
use crate::config::Config;
use crate::error::Error;
use crate::network;
use crate::pool::Pool;
use crate::process::Process;
use crate::progress::Progress;
use crate::run_dir::RunDir;
use crate::sets::Sets;
use crate::stop::Stop;

/// Trains in the directory `out`, where an unfinished run is replaced. Its progress is shown on
/// stderr, unless `quiet`. The test samples are opened, as every run does, and not looked at.
/// Where there are several ranks, all of them come here and share the run, and `out` is rank 0's.
///
/// # Errors
/// As for every run; a signal leaves it so that `--resume` goes on with it.
pub(in crate::commands) fn refit(
    config: &Config,
    out: &Path,
    (pool, process, quiet): (&Pool, &Process, bool),
) -> Result<(), Error> {
    let ranks = process.ranks;
    ranks.part();
    let mut config = config.clone();
    let sets = Sets::open(&mut config, process.isa)?;
    let train = sets.training()?;
    let held_out = sets.held_out()?;
    let validation = held_out.as_ref().map(Prepared::examples).transpose()?;
    let stop = Stop::listen_on(process.ranks).map_err(Error::Signals)?;
    let network = network::new(&config, &sets, ranks)?;
    let training = Run::new(network, &config.training, train, validation)?;
    if !ranks.is_alone() {
        // What there is to note was noted before the search.
        ranks.agree(shared::of_run(&config, &sets, &training)?, pool.threads())?;
    }
    ranks.join();
    if !ranks.is_first() {
        return shared::follow(training, (ranks, pool), None);
    }
    let size = training.saved_len();
    let dir = RunDir::create(Some(out), "", true, &config, size, SystemTime::now())?;
    let record = Record::new(&config)?;
    ranks.go_on()?;
    // With `json`, words go to stderr.
    let mut progress = Progress::new(quiet, true);
    progress.begin(&config, &training, sets.held_out_len(), &dir);
    let (every, tests) = (Every::Auto, false);
    let (sets, saving) = (&sets, Duration::ZERO);
    let mut keeper = Keeper {
        dir,
        progress,
        layers: None,
        record,
        stop,
        every,
        tests,
        pool,
        sets,
        process,
        saving,
    };
    let end = keeper.train(&config, training)?;
    keeper.end_untested(&config, end)
}
