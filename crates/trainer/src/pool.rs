//! The threads of a run: the only use of rayon.

use std::thread;

use nn::Executor;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, Range};

/// More threads than this are a slip of the keyboard.
const MOST_THREADS: usize = 1024;

/// Runs the tasks of a step on a fixed number of threads.
pub(crate) struct Pool {
    threads: ThreadPool,
}

impl Pool {
    /// Starts `threads` threads, or as many as the machine runs at once.
    pub(crate) fn new(threads: Option<usize>) -> Result<Self, Error> {
        let threads = threads.unwrap_or_else(|| {
            let cores = thread::available_parallelism().map_or(1, usize::from);
            cores.min(MOST_THREADS)
        });
        if !(1..=MOST_THREADS).contains(&threads) {
            return Err(Error::Range(Range {
                what: "number of threads",
                found: threads.to_string(),
                expected: format!("1 to {MOST_THREADS}"),
            }));
        }
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        let threads =
            pool.map_err(|error| Error::Threads { threads, reason: error.to_string() })?;
        Ok(Self { threads })
    }

    /// Runs `work` on one of the threads. Two tasks joined from there cost no
    /// more than a queue in memory; joined from outside, each step would wake a
    /// thread and wait for it.
    pub(crate) fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.threads.install(work)
    }
}

impl Executor for Pool {
    fn threads(&self) -> usize {
        self.threads.current_num_threads()
    }

    fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
        // From one of the pool's own threads this joins there. From any other it
        // would join on a pool of rayon's own making, hence `install`.
        debug_assert!(self.threads.current_thread_index().is_some(), "join outside of install");
        rayon::join(a, b);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn joins_on_its_own_threads() {
        for threads in [1, 2, 3] {
            let pool = Pool::new(Some(threads)).unwrap();
            assert_eq!(pool.threads(), threads);
            let sum = AtomicUsize::new(0);
            let add = |n| {
                assert_eq!(rayon::current_num_threads(), threads);
                sum.fetch_add(n, Ordering::Relaxed);
            };
            pool.install(|| pool.join(|| add(1), || pool.join(|| add(2), || add(4))));
            assert_eq!(sum.into_inner(), 7);
        }
    }

    #[test]
    fn numbers_of_threads() {
        assert!(Pool::new(None).unwrap().threads() >= 1);
        for threads in [0, 1025, usize::MAX] {
            let error = Pool::new(Some(threads)).err().unwrap().to_string();
            assert_eq!(error, format!("number of threads is {threads}: expected 1 to 1024"));
        }
    }
}
