//! Executors, which run the tasks of a step.

/// Runs two tasks, in parallel if it can.
///
/// A training step halves its work repeatedly and passes the halves to
/// [`join`](Executor::join). This is the only use of threads in the crate. The result does
/// not depend on which thread runs a task: every executor gives the same bits.
/// `rayon::join` does what `join` needs, and so does a scoped thread.
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
    /// How many tasks can run in parallel. Work is cut into about this number of tasks.
    fn threads(&self) -> usize;

    /// The number of tasks into which a training step of `operations` floating-point
    /// operations is cut. By default a task has at least three million operations, about
    /// 20 µs: threads with shorter tasks mostly wait for each other's cache lines.
    fn threads_for(&self, operations: usize) -> usize {
        self.threads().min(operations / 3_000_000).max(1)
    }

    /// Runs both tasks and returns when both have ended.
    ///
    /// It is fastest to run `a` on the calling thread and `b` always on the same other
    /// thread: a task has the same units in each step, and their weights are in the cache of
    /// the core that ran it before.
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
    fn a_task_has_three_million_operations_and_there_is_at_least_one() {
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
