//! Who runs the tasks of a step.

/// Runs two tasks, at the same time if it can.
///
/// A training step cuts its work in two again and again and hands the halves
/// to [`join`](Executor::join), which is all that the network knows of threads.
/// The result does not depend on who runs what: every executor gives the same
/// bits. `rayon::join` has this signature; so has a scoped thread.
///
/// ```
/// struct TwoThreads;
/// impl nn::Executor for TwoThreads {
///     fn threads(&self) -> usize {
///         2
///     }
///     fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
///         std::thread::scope(|scope| {
///             scope.spawn(b);
///             a();
///         });
///     }
/// }
/// ```
pub trait Executor: Sync {
    /// How many tasks can run at the same time; work is cut into about as many.
    fn threads(&self) -> usize;

    /// Into how many tasks a training step of so many floating-point operations is
    /// cut. Unless an executor knows better, a task has three million at the least,
    /// some 20 µs: threads that take less wait for each other's cache lines.
    fn threads_for(&self, operations: usize) -> usize {
        self.threads().min(operations / 3_000_000).max(1)
    }

    /// Runs both tasks and returns when both have ended.
    ///
    /// Best runs `a` on the thread that calls and `b` on one that is always the same:
    /// in each step a task has the units that it had in the step before, and their
    /// weights are in the cache of the core that it ran on.
    fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send);
}

/// Runs every task on the calling thread, one after the other.
///
/// ```
/// use nn::{Executor, Sequential};
/// let (mut a, mut b) = (0, 0);
/// Sequential.join(|| a = 1, || b = 2);
/// assert_eq!((a, b), (1, 2));
/// assert_eq!(Sequential.threads(), 1);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Sequential;

impl Executor for Sequential {
    fn threads(&self) -> usize {
        1
    }

    fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
        a();
        b();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_feeds_so_many_threads_and_at_least_one() {
        struct Four;
        impl Executor for Four {
            fn threads(&self) -> usize {
                4
            }
            fn join(&self, _: impl FnOnce() + Send, _: impl FnOnce() + Send) {}
        }
        let found = [0, 5_999_999, 6_000_000, 1 << 40].map(|n| Four.threads_for(n));
        assert_eq!(found, [1, 1, 2, 4]);
    }
}
