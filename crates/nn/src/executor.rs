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

    /// Runs both tasks and returns when both have ended.
    fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send);
}

/// Runs every task on the calling thread, one after the other.
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
