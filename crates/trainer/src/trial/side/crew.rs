//! The threads of a rank that do jobs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::thread::{self, Scope};

use super::{Event, Job, Trained, Training};
use crate::error::Error;
use crate::pool::Pool;
use crate::trial::Leave;

/// What a thread tells the main thread.
pub(super) enum Message<J> {
    Event(Event<J>),
    /// The job is ended by an error.
    Failed(J, Error),
    /// The thread has ended.
    Gone {
        panics: bool,
    },
}

/// A job, and what it goes on from.
pub(super) type Next<J> = (J, Option<Vec<u8>>);

/// Starts a thread for each pool, which does one job after the other until `take` gives none. A
/// job that fails sets `failed`.
pub(super) fn start<'scope, 'env, J: Job + 'scope>(
    scope: &'scope Scope<'scope, 'env>,
    pools: &'scope [Pool],
    (take, leave, failed): (
        &'scope (dyn Fn() -> Option<Next<J>> + Sync),
        Leave<'scope>,
        &'scope AtomicBool,
    ),
    work: &'scope (impl Fn(Training<'_, J>) -> Trained + Sync),
    sender: &Sender<Message<J>>,
) {
    for pool in pools {
        let last = Last { sender: sender.clone(), failed };
        scope.spawn(move || {
            // A receiver that is gone has failed, and the others know of it.
            let send = |event| drop(last.sender.send(Message::Event(event)));
            while let Some((job, state)) = take() {
                send(Event::Begun(job));
                let mut epoch = |_| send(Event::Epoch(job));
                let found = if leave() {
                    Ok(None)
                } else {
                    work(Training { job, state: state.as_deref(), pool, leave, epoch: &mut epoch })
                };
                match found {
                    Ok(reached) => send(Event::Ended(job, reached)),
                    Err(error) => {
                        failed.store(true, Ordering::Relaxed);
                        drop(last.sender.send(Message::Failed(job, error)));
                    }
                }
            }
        });
    }
}

/// Says that its thread has ended, also by a panic: then a job has no other end.
struct Last<'a, J> {
    sender: Sender<Message<J>>,
    failed: &'a AtomicBool,
}

impl<J> Drop for Last<'_, J> {
    fn drop(&mut self) {
        let panics = thread::panicking();
        self.failed.fetch_or(panics, Ordering::Relaxed);
        drop(self.sender.send(Message::Gone { panics }));
    }
}
