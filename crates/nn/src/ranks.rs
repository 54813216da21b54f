//! Ranks: the processes that train one network together.

use crate::Executor;

/// The processes that train one network together, as one of them sees them.
///
/// Every rank has all examples, and makes the same calls with the same arguments. In a step,
/// the units of a wide layer are divided: a rank computes its own for all rows of the batch,
/// and [`all_gather`](Ranks::all_gather) gives them to the others. Numbers are only moved:
/// each is computed by one rank, along the chain that a single process takes, so the result
/// has the same bits for any number of ranks. What is too small to share, every rank computes
/// for itself.
///
/// A [`Team`] of an executor and ranks is an executor. `nn` has no transport: the trainer's
/// feature `mpi` is one.
///
/// ```
/// use nn::{Alone, Executor, Ranks, Sequential, Team};
/// let team = Team { executor: Sequential, ranks: Alone };
/// assert_eq!((team.ranks().rank(), team.ranks().count()), (0, 1));
/// ```
pub trait Ranks: Sync {
    /// Which of the ranks this is, from 0.
    fn rank(&self) -> usize;

    /// How many ranks there are, at least 1.
    fn count(&self) -> usize;

    /// Whether work of `operations` floating-point operations in all is shared. It must be
    /// the same answer on every rank. By default a rank has at least three million, some tens
    /// of microseconds, which is about what a message between two machines takes.
    fn shares(&self, operations: usize) -> bool {
        self.count() > 1 && operations / self.count() >= 3_000_000
    }

    /// Gives every rank what each has in its own piece of `all`, which is as long on every
    /// rank. Piece `r` ends where `ends[r]` says, and begins where the one before it ends;
    /// the last ends at the end of `all`. Pieces may be empty. Every bit pattern is moved as
    /// it is.
    ///
    /// All ranks call it in the same order. It is called on the thread that began the work,
    /// never within a task, and where an error of the transport leaves no way to go on, it
    /// does not return.
    fn all_gather(&self, all: &mut [f32], ends: &[usize]);
}

/// The only rank.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Ranks for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn count(&self) -> usize {
        1
    }

    fn all_gather(&self, _: &mut [f32], _: &[usize]) {}
}

/// An executor for the tasks of this process, and the ranks that it shares the work with.
#[derive(Clone, Copy, Debug)]
pub struct Team<E, R> {
    /// Runs what this rank computes.
    pub executor: E,
    /// Moves what ranks have computed.
    pub ranks: R,
}

impl<E: Executor, R: Ranks> Executor for Team<E, R> {
    fn threads(&self) -> usize {
        self.executor.threads()
    }

    fn threads_for(&self, operations: usize) -> usize {
        self.executor.threads_for(operations)
    }

    fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
        self.executor.join(a, b);
    }

    fn ranks(&self) -> &dyn Ranks {
        &self.ranks
    }
}

impl<R: Ranks + ?Sized> Ranks for &R {
    fn rank(&self) -> usize {
        (**self).rank()
    }

    fn count(&self) -> usize {
        (**self).count()
    }

    fn shares(&self, operations: usize) -> bool {
        (**self).shares(operations)
    }

    fn all_gather(&self, all: &mut [f32], ends: &[usize]) {
        (**self).all_gather(all, ends);
    }
}
