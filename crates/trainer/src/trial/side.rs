//! Trials side by side: on the threads of this process, and on other ranks.

mod crew;
mod others;
mod parcel;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Leave, OnEpoch, Reached};
use crate::error::Error;
use crate::limits;
use crate::pool::Pool;
use crew::Message;
pub(crate) use others::{Others, follow};

/// Time between two events at most.
const TICK: Duration = Duration::from_millis(100);

/// Time between two looks for messages of other ranks.
const SOON: Duration = Duration::from_millis(5);

/// What happens while jobs run.
pub(crate) enum Event<J> {
    Begun(J),
    /// A job has ended an epoch.
    Epoch(J),
    /// `None` if it was left before it came to its end.
    Ended(J, Option<Reached>),
    /// Nothing, for a while.
    Tick,
}

/// Names a training, also to other ranks.
pub(crate) trait Job: Copy + Send + Sync + Serialize + DeserializeOwned {}

impl<J: Copy + Send + Sync + Serialize + DeserializeOwned> Job for J {}

/// A job that is to be done now.
pub(crate) struct Training<'a, J> {
    pub(crate) job: J,
    /// What it goes on from.
    pub(crate) state: Option<&'a [u8]>,
    pub(crate) pool: &'a Pool,
    pub(crate) leave: Leave<'a>,
    pub(crate) epoch: OnEpoch<'a>,
}

/// What it came to; `None` if it was left.
pub(crate) type Trained = Result<Option<Reached>, Error>;

/// How many jobs a rank does at a time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Size {
    /// At most.
    jobs: usize,
    /// Bytes that one of them takes.
    memory: u64,
}

impl Size {
    /// That of `jobs` jobs which all ranks share, each of which takes `memory` bytes.
    pub(crate) fn of(jobs: usize, memory: u64, others: &Others<'_>) -> Self {
        Self { jobs: jobs.div_ceil(1 + others.count()), memory }
    }

    /// The threads of this rank for them: one for each job if there are enough jobs, and no more
    /// jobs at a time than there is memory for.
    fn pools(self, pool: &Pool) -> Result<Vec<Pool>, Error> {
        let most = limits::memory(pool.ranks_on_this_host()) / self.memory.max(1);
        pool.divided(self.jobs.min(usize::try_from(most).unwrap_or(usize::MAX)))
    }
}

/// Jobs that are to be done.
pub(crate) struct Jobs<'a, I: Iterator> {
    pub(crate) next: I,
    pub(crate) size: Size,
    /// What a job goes on from.
    pub(crate) state: &'a (dyn Fn(I::Item) -> Option<Vec<u8>> + Sync),
    /// Whether those that have begun are to be left. No other begins then.
    pub(crate) leaves: Leave<'a>,
}

/// Does jobs, each on some of the threads of `pool`, or on another rank, which does the same in
/// [`follow`]. `event` is called on this thread, for each event in the order in which they happen,
/// which is not that of the jobs.
///
/// # Errors
/// The first error of a job or of an event; no job begins after it.
pub(crate) fn side_by_side<J: Job, I: Iterator<Item = J> + Send>(
    Jobs { next, size, state, leaves }: Jobs<'_, I>,
    pool: &Pool,
    others: &mut Others<'_>,
    work: impl Fn(Training<'_, J>) -> Trained + Sync,
    mut event: impl FnMut(Event<J>) -> Result<(), Error>,
) -> Result<(), Error> {
    let pools = size.pools(pool)?;
    let (next, failed) = (Mutex::new(next), AtomicBool::new(false));
    let leave = || failed.load(Ordering::Relaxed) || leaves();
    let take = || {
        // Who panics here takes the process with it.
        let job = next.lock().ok().filter(|_| !leave())?.next()?;
        Some((job, state(job)))
    };
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        crew::start(scope, &pools, (&take, &leave, &failed), &work, &sender);
        let (mut threads, mut first) = (pools.len(), Ok(()));
        let tick = if others.count() == 0 { TICK } else { SOON };
        while threads > 0 || others.have_jobs() {
            let mut messages = others.serve(size, &take, &leave);
            let wait = if messages.is_empty() { tick } else { Duration::ZERO };
            messages.extend(receiver.recv_timeout(wait));
            if messages.is_empty() {
                messages.push(Message::Event(Event::Tick));
            }
            for message in messages {
                let found = match message {
                    Message::Gone { .. } => {
                        threads -= 1;
                        continue;
                    }
                    _ if first.is_err() => continue,
                    Message::Event(happened) => event(happened),
                    Message::Failed(_, error) => Err(error),
                };
                if found.is_err() {
                    failed.store(true, Ordering::Relaxed);
                    first = found;
                }
            }
        }
        first
    })
}

#[cfg(test)]
mod tests;
