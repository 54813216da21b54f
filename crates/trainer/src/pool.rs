//! The threads of a run. rayon is used here only.

use std::ffi::OsStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{hint, thread};

use nn::Executor;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, Refused};
use crate::ranks::Ranks;

/// A larger value of `--threads` is a slip of the keyboard.
const MOST_THREADS: usize = 1024;

/// The most threads for each core that are started. All of them do the same work, so
/// more threads than cores only wait for one another; a few more do no harm.
const MOST_PER_CORE: usize = 8;

/// How many threads there are to be.
pub(crate) struct Threads {
    wanted: usize,
    cores: usize,
    /// How many are started.
    pub(crate) threads: usize,
}

impl Threads {
    /// What `typed`, the value of `--threads`, means; without it, one for each core.
    pub(crate) fn new(typed: Option<&OsStr>) -> Result<Self, Refused> {
        Self::of_one(typed, 1)
    }

    /// The same of one of `ranks` processes that have the same cores: without `typed`, its share
    /// of them.
    fn of_one(typed: Option<&OsStr>, ranks: usize) -> Result<Self, Refused> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let wanted = match typed {
            Some(text) => number(&text.to_string_lossy())?,
            None => (cores / ranks).clamp(1, MOST_THREADS),
        };
        Ok(Self { wanted, cores, threads: wanted.min(cores.saturating_mul(MOST_PER_CORE)) })
    }
}

/// Runs the tasks of a step on a fixed number of threads. A clone has the same threads.
#[derive(Clone)]
pub(crate) struct Pool {
    threads: Arc<ThreadPool>,
    /// The value of `--threads`, and the cores, if they are fewer.
    more_than_cores: Option<(usize, usize)>,
    ranks: &'static dyn nn::Ranks,
    /// How many ranks have the memory of this one.
    ranks_on_this_host: usize,
}

impl Pool {
    /// Starts the threads that `typed`, the value of `--threads`, asks for; without it,
    /// one for each core.
    pub(crate) fn new(typed: Option<&OsStr>) -> Result<Self, Error> {
        let Threads { wanted, cores, threads } = Threads::new(typed)?;
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        let threads =
            pool.map_err(|error| Error::Threads { threads, reason: error.to_string() })?;
        let more_than_cores = (wanted > cores).then_some((wanted, cores));
        let threads = Arc::new(threads);
        Ok(Self { threads, more_than_cores, ranks: &nn::Alone, ranks_on_this_host: 1 })
    }

    /// The pool of a rank. Where there are others, this thread is one of its threads: it makes
    /// all calls of MPI, and work that is begun on it stays on it. A process has one such pool.
    pub(crate) fn of_rank(typed: Option<&OsStr>, ranks: &Ranks) -> Result<Self, Error> {
        if ranks.is_alone() {
            return Self::new(typed);
        }
        let Threads { threads, .. } = Threads::of_one(typed, ranks.on_these_cores())?;
        let pool = ThreadPoolBuilder::new().num_threads(threads).use_current_thread().build();
        let pool = pool.map_err(|error| Error::Threads { threads, reason: error.to_string() })?;
        let (threads, ranks_on_this_host) = (Arc::new(pool), ranks.on_this_host());
        Ok(Self { threads, more_than_cores: None, ranks: &nn::Alone, ranks_on_this_host })
    }

    /// How many ranks have the memory of this one.
    pub(crate) fn ranks_on_this_host(&self) -> usize {
        self.ranks_on_this_host
    }

    /// The same threads, for work that all ranks share.
    pub(crate) fn with_ranks(&self, ranks: &'static Ranks) -> Self {
        Self { ranks: ranks.team(), ..self.clone() }
    }

    /// Pools that divide the threads of this one among them: `parts` pools, or one for each
    /// thread where there are fewer threads.
    pub(crate) fn divided(&self, parts: usize) -> Result<Vec<Self>, Error> {
        let all = self.threads.current_num_threads();
        let parts = parts.clamp(1, all);
        let part = |i: usize| {
            let threads = all / parts + usize::from(i < all % parts);
            let pool = ThreadPoolBuilder::new().num_threads(threads).build();
            let reason = |error: rayon::ThreadPoolBuildError| error.to_string();
            let threads =
                pool.map_err(|error| Error::Threads { threads, reason: reason(error) })?;
            Ok(Self { threads: Arc::new(threads), more_than_cores: None, ..*self })
        };
        (0..parts).map(part).collect()
    }

    /// What the user should know of the number of threads.
    pub(crate) fn note(&self) -> Option<String> {
        let (wanted, cores) = self.more_than_cores?;
        let threads = self.threads.current_num_threads();
        let started =
            if threads < wanted { format!("; {threads} are started") } else { String::new() };
        Some(format!(
            "{wanted} threads for {cores} cores take more time than {cores}, for the same \
             result{started}"
        ))
    }

    /// Runs `work` on one of the threads, and keeps the others awake until it ends. To
    /// wake a thread takes some 50 µs, about as long as a task of a small step: the
    /// first thread would by then have run both tasks of a pair.
    pub(crate) fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        let finished = Flag::default();
        self.threads.scope(|scope| {
            let own = self.threads.current_thread_index();
            let finished = &finished;
            scope.spawn_broadcast(move |_, context| {
                if Some(context.index()) != own {
                    finished.work_until_set();
                }
            });
            let _set = finished.set_at_end();
            work()
        })
    }
}

/// Reads the value of `--threads`.
fn number(text: &str) -> Result<usize, Refused> {
    let text = text.trim();
    let number = text.parse().ok().filter(|number| (1..=MOST_THREADS).contains(number));
    number.ok_or_else(|| Refused {
        what: "--threads".to_owned(),
        found: if text.is_empty() { "empty" } else { text }.to_owned(),
        reason: format!("expected a whole number from 1 to {MOST_THREADS}"),
    })
}

/// Whether something has ended.
#[derive(Default)]
struct Flag(AtomicBool);

impl Flag {
    /// A guard that sets the flag when it is dropped, also by a panic.
    fn set_at_end(&self) -> impl Drop {
        struct Set<'a>(&'a AtomicBool);
        impl Drop for Set<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Release);
            }
        }
        Set(&self.0)
    }

    /// Runs tasks of the pool until the flag is set. After some 100 µs without a task
    /// it yields the core between two checks, and after some milliseconds it sleeps:
    /// the steps may be too small to share.
    fn work_until_set(&self) {
        const SOON: u32 = 1_000;
        const LATE: u32 = 10_000;
        let mut idle = 0;
        while !self.0.load(Ordering::Acquire) {
            if rayon::yield_now() == Some(rayon::Yield::Executed) {
                idle = 0;
                continue;
            }
            idle += 1;
            match idle {
                ..SOON => hint::spin_loop(),
                SOON..LATE => thread::yield_now(),
                _ => {
                    idle = LATE;
                    thread::sleep(Duration::from_millis(1));
                }
            }
        }
    }
}

impl Executor for Pool {
    fn ranks(&self) -> &dyn nn::Ranks {
        self.ranks
    }

    fn threads(&self) -> usize {
        self.threads.current_num_threads()
    }

    fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
        // On a thread of this pool, rayon joins in this pool. On any other thread it
        // would join in its global pool, hence `install`.
        debug_assert!(self.threads.current_thread_index().is_some(), "join outside of install");
        // Without it, rayon would put this thread to sleep while the other task takes
        // a little longer.
        let done = Flag::default();
        rayon::join(
            || {
                a();
                done.work_until_set();
            },
            || {
                let _set = done.set_at_end();
                b();
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{self, AssertUnwindSafe};
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn pool(threads: usize) -> Pool {
        Pool::new(Some(threads.to_string().as_ref())).unwrap()
    }

    #[test]
    fn joins_on_its_own_threads() {
        for threads in [1, 2, 3] {
            let pool = pool(threads);
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
    fn a_panic_comes_back_whichever_task_it_is_in() {
        for threads in [1, 2, 3] {
            let pool = pool(threads);
            let panics = |run: &(dyn Fn() + Sync)| {
                let run = AssertUnwindSafe(|| pool.install(run));
                panic::catch_unwind(run).is_err()
            };
            assert!(panics(&|| panic!("outside")));
            assert!(panics(&|| pool.join(|| panic!("left"), || ())));
            assert!(panics(&|| pool.join(|| (), || panic!("right"))));
            assert!(!panics(&|| pool.join(|| (), || ())));
        }
    }

    #[test]
    fn threads_are_divided_among_parts() {
        for (threads, parts, expected) in
            [(3, 1, &[3][..]), (3, 2, &[2, 1]), (3, 3, &[1, 1, 1]), (2, 5, &[1, 1]), (1, 0, &[1])]
        {
            let pools = pool(threads).divided(parts).unwrap();
            let found: Vec<usize> = pools.iter().map(Executor::threads).collect();
            assert_eq!(found, expected, "{threads} among {parts}");
        }
    }

    #[test]
    fn numbers_of_threads() {
        assert!(Pool::new(None).unwrap().threads() >= 1);
        for text in ["0", "1025", "two", "2.5", "-1", "99999999999999999999"] {
            let error = Pool::new(Some(text.as_ref())).err().unwrap().to_string();
            let expected = "expected a whole number from 1 to 1024";
            assert_eq!(error, format!("--threads is {text}: {expected}"));
        }
    }

    #[test]
    fn more_threads_than_cores_are_a_few() {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        assert_eq!(pool(cores).note(), None);
        let most = 1024.min(8 * cores);
        let many = pool(1024);
        assert_eq!(many.threads(), most);
        if cores < 128 {
            let note = many.note().unwrap();
            assert!(note.ends_with(&format!("; {most} are started")), "{note}");
        }
    }
}
