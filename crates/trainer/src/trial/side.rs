//! Trials side by side.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::{Leave, OnEpoch};
use crate::error::Error;
use crate::pool::Pool;

/// Time between two events at most.
const TICK: Duration = Duration::from_millis(100);

/// What happens while jobs run.
pub(crate) enum Event<J, R> {
    Begun(J),
    /// A job has ended an epoch.
    Epoch(J),
    Ended(J, R),
    /// Nothing, for a while.
    Tick,
}

/// Runs jobs, each on the threads of one of the pools. `work` is told how to report an epoch,
/// and whether the others have failed, so that it may end. `event` is called on this thread, for
/// each event in the order in which they happen, which is not that of the jobs.
///
/// # Errors
/// The first error of a job or of an event; no job begins after it.
pub(crate) fn side_by_side<J: Copy + Send + Sync, R: Send>(
    jobs: impl Iterator<Item = J> + Send,
    pools: &[Pool],
    work: impl Fn(J, &Pool, Leave<'_>, OnEpoch<'_>) -> Result<R, Error> + Sync,
    mut event: impl FnMut(Event<J, R>) -> Result<(), Error>,
) -> Result<(), Error> {
    enum Message<J, R> {
        Event(Event<J, R>),
        Failed(Error),
    }
    let (jobs, failed) = (Mutex::new(jobs), AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for pool in pools {
            let (jobs, failed, work, sender) = (&jobs, &failed, &work, sender.clone());
            scope.spawn(move || {
                // A receiver that is gone has failed, and the others know of it.
                let send = |message| drop(sender.send(message));
                let has_failed = || failed.load(Ordering::Relaxed);
                loop {
                    // Who panics here takes the process with it.
                    let next = jobs.lock().ok().filter(|_| !has_failed());
                    let Some(job) = next.and_then(|mut jobs| jobs.next()) else { return };
                    send(Message::Event(Event::Begun(job)));
                    let mut epoch = |_| send(Message::Event(Event::Epoch(job)));
                    match work(job, pool, &has_failed, &mut epoch) {
                        Ok(result) => send(Message::Event(Event::Ended(job, result))),
                        Err(error) => {
                            failed.store(true, Ordering::Relaxed);
                            return send(Message::Failed(error));
                        }
                    }
                }
            });
        }
        drop(sender);
        let mut first: Result<(), Error> = Ok(());
        loop {
            let message = match receiver.recv_timeout(TICK) {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) => Message::Event(Event::Tick),
                Err(RecvTimeoutError::Disconnected) => return first,
            };
            if first.is_err() {
                continue;
            }
            first = match message {
                Message::Event(happened) => event(happened),
                Message::Failed(error) => Err(error),
            };
            if first.is_err() {
                failed.store(true, Ordering::Relaxed);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pools(threads: usize) -> Vec<Pool> {
        Pool::new(Some(threads.to_string().as_ref())).unwrap().divided(threads).unwrap()
    }

    #[test]
    fn every_job_is_run_once() {
        for threads in [1, 2, 3] {
            let (mut squares, mut epochs) = (Vec::new(), 0);
            side_by_side(
                0..20usize,
                &pools(threads),
                |job, _, _, epoch| {
                    epoch(job);
                    Ok(job * job)
                },
                |event| {
                    match event {
                        Event::Ended(job, square) => squares.push((job, square)),
                        Event::Epoch(_) => epochs += 1,
                        _ => (),
                    }
                    Ok(())
                },
            )
            .unwrap();
            squares.sort_unstable();
            assert!(squares.iter().copied().eq((0..20).map(|job| (job, job * job))));
            assert_eq!(epochs, 20);
        }
    }

    #[test]
    fn the_first_error_ends_all() {
        for threads in [1, 2, 3] {
            let mut ended = 0;
            let result = side_by_side(
                0..1000usize,
                &pools(threads),
                |job, _, has_failed, _| match job {
                    3 => Err(Error::NoStdout),
                    // These wait for it, and begin no other.
                    4.. => {
                        while !has_failed() {
                            thread::yield_now();
                        }
                        Ok(())
                    }
                    _ => Ok(()),
                },
                |event| {
                    ended += usize::from(matches!(event, Event::Ended(..)));
                    Ok(())
                },
            );
            assert!(matches!(result, Err(Error::NoStdout)), "{result:?}");
            assert!(ended < 10, "{ended}");
        }
        let end = side_by_side(0..9, &pools(2), |_, _, _, _| Ok(()), |_| Err(Error::NoStdout));
        assert!(matches!(end, Err(Error::NoStdout)));
    }
}
