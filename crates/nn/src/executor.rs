//! Executors, which run the tasks of a step.

#[cfg(feature = "rayon")]
mod rayon;

use std::sync::Arc;

use crate::{Alone, Ranks};

/// Runs two tasks, in parallel if it can.
///
/// A training step halves its work repeatedly and passes the halves to
/// [`join`](Executor::join). This is the only use of threads in the crate. The result does
/// not depend on which thread runs a task: every executor gives the same bits.
/// `rayon::join` does what `join` needs, and so does a scoped thread. With the feature
/// `rayon`, a `rayon::ThreadPool` is an executor.
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

    /// The processes that the work is shared with; by default, none.
    fn ranks(&self) -> &dyn Ranks {
        &Alone
    }
}

/// An [`Executor`] as a trait object, for a program that chooses one while it runs.
///
/// `Executor` itself cannot be one, since [`join`](Executor::join) is generic: this lets the
/// compiler see through the tasks. Every executor is a `DynExecutor`, and a box of one, or a
/// reference to one, is an executor again. Each join through it costs two indirect calls.
///
/// ```
/// use nn::{DynExecutor, Executor, Sequential};
/// let executor: Box<dyn DynExecutor> = Box::new(Sequential);
/// assert_eq!(executor.threads(), 1);
/// # use nn::*;
/// # let examples = Examples::new(Inputs::new(&[0.5], 1)?, &[1u8])?;
/// # let shape =
/// #     Architecture { inputs: 1, hidden: vec![], outputs: 2, activation: Activation::Tanh };
/// # let network = Mlp::zeros(shape)?;
/// network.evaluate(&examples, &executor)?;
/// # Ok::<(), Error>(())
/// ```
pub trait DynExecutor: Sync {
    /// As [`Executor::threads`].
    fn dyn_threads(&self) -> usize;

    /// As [`Executor::threads_for`].
    fn dyn_threads_for(&self, operations: usize) -> usize;

    /// As [`Executor::join`]; calls each task once.
    fn dyn_join(&self, a: &mut (dyn FnMut() + Send), b: &mut (dyn FnMut() + Send));

    /// As [`Executor::ranks`].
    fn dyn_ranks(&self) -> &dyn Ranks;
}

impl<E: Executor> DynExecutor for E {
    fn dyn_threads(&self) -> usize {
        self.threads()
    }

    fn dyn_threads_for(&self, operations: usize) -> usize {
        self.threads_for(operations)
    }

    fn dyn_join(&self, a: &mut (dyn FnMut() + Send), b: &mut (dyn FnMut() + Send)) {
        self.join(a, b);
    }

    fn dyn_ranks(&self) -> &dyn Ranks {
        self.ranks()
    }
}

macro_rules! executor_behind {
    ($($Pointer:ty),+) => {$(
        impl<T: DynExecutor + ?Sized> Executor for $Pointer where Self: Sync {
            fn threads(&self) -> usize {
                (**self).dyn_threads()
            }

            fn threads_for(&self, operations: usize) -> usize {
                (**self).dyn_threads_for(operations)
            }

            fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
                let (mut a, mut b) = (Some(a), Some(b));
                (**self).dyn_join(
                    &mut || a.take().into_iter().for_each(|task| task()),
                    &mut || b.take().into_iter().for_each(|task| task()),
                );
            }

            fn ranks(&self) -> &dyn Ranks {
                (**self).dyn_ranks()
            }
        }
    )+};
}

executor_behind!(&T, Box<T>, Arc<T>);

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
    fn an_executor_that_is_chosen_later_does_what_it_would_do() {
        struct Two;
        impl Executor for Two {
            fn threads(&self) -> usize {
                2
            }
            fn threads_for(&self, operations: usize) -> usize {
                operations
            }
            fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
                b();
                a();
            }
        }
        fn check(executor: &impl Executor) {
            let order = std::sync::Mutex::new(Vec::new());
            let note = |task| order.lock().unwrap().push(task);
            executor.join(|| note('a'), || note('b'));
            let found = (executor.threads(), executor.threads_for(7), order.into_inner().unwrap());
            assert_eq!(found, (2, 7, vec!['b', 'a']));
        }
        check(&Two);
        let (borrowed, shared): (&dyn DynExecutor, Arc<dyn DynExecutor + Send>) =
            (&Two, Arc::new(Two));
        check(&borrowed);
        check(&shared);
        check(&(Box::new(Two) as Box<dyn DynExecutor>));
    }

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
