//! Cuts work in two, again and again, and runs the pieces: the one recursion over
//! [`Executor::join`].
//!
//! ```text
//! fork(executor, 0..4, work)
//!   join ─┬─ fork(0..2) ── join ─┬─ run(0)
//!         │                      └─ run(1)
//!         └─ fork(2..4) ── join ─┬─ run(2)
//!                                └─ run(3)
//! ```
//!
//! What the pieces are does not depend on who runs them, so the result has the same
//! bits for any executor.

use std::ops::Range;

use kernels::MatMut;

use crate::Executor;

/// Something that two tasks can share: `at` elements for the first, the rest for the
/// second.
pub(crate) trait SplitAt: Send + Sized {
    fn split_at(self, at: usize) -> (Self, Self);
}

/// Work that can be cut between two parts.
pub(crate) trait Split: Send + Sized {
    /// What one part gets.
    type Piece;

    /// The work of the parts `parts.start..at` and of `at..parts.end`.
    fn split(self, parts: Range<usize>, at: usize) -> (Self, Self);

    /// The work of a single part.
    fn piece(self) -> Self::Piece;
}

/// Runs the work of each part in a task of its own: `run(part, piece)`.
pub(crate) fn fork<W: Split>(
    executor: &impl Executor,
    parts: Range<usize>,
    work: W,
    run: &(impl Fn(usize, W::Piece) + Sync),
) {
    if parts.len() < 2 {
        return run(parts.start, work.piece());
    }
    let middle = parts.start + parts.len() / 2;
    let (left, right) = work.split(parts.clone(), middle);
    executor.join(
        || fork(executor, parts.start..middle, left, run),
        || fork(executor, middle..parts.end, right, run),
    );
}

/// Runs `work` on every item, in about four tasks for each thread: items may differ in
/// length. There are not more, because an executor may start a thread for each task.
pub(crate) fn for_each<T: Send>(
    items: &mut [T],
    executor: &impl Executor,
    work: impl Fn(&mut T) + Sync,
) {
    let threads = executor.threads();
    let tasks = if threads < 2 { 1 } else { threads.saturating_mul(4).min(items.len().max(1)) };
    let len = items.len();
    let first = |task: usize| (len as u128 * task as u128 / tasks as u128) as usize;
    fork(executor, 0..tasks, by(&first, items), &|_, items: &mut [T]| {
        items.iter_mut().for_each(&work);
    });
}

/// The first element that belongs to a part.
pub(crate) type First<'a> = &'a (dyn Fn(usize) -> usize + Sync);

/// Elements of which part p has those from `first(p)` to `first(p + 1)`.
pub(crate) struct By<'a, T> {
    first: First<'a>,
    all: T,
}

/// `all`, to be cut where `first` says that a part begins.
pub(crate) fn by<T: SplitAt>(first: First<'_>, all: T) -> By<'_, T> {
    By { first, all }
}

impl<T: SplitAt> Split for By<'_, T> {
    type Piece = T;

    fn split(self, parts: Range<usize>, at: usize) -> (Self, Self) {
        let Self { first, all } = self;
        let (left, right) = all.split_at(first(at) - first(parts.start));
        (Self { first, all: left }, Self { first, all: right })
    }

    fn piece(self) -> T {
        self.all
    }
}

/// A matrix that is cut by its rows or by its columns. If it has fewer lines than the left
/// part should get, all go left.
pub(crate) enum Lines<'a> {
    Rows(MatMut<'a>),
    Columns(MatMut<'a>),
}

impl<'a> Lines<'a> {
    pub(crate) fn matrix(self) -> MatMut<'a> {
        match self {
            Self::Rows(matrix) | Self::Columns(matrix) => matrix,
        }
    }
}

impl SplitAt for Lines<'_> {
    fn split_at(self, at: usize) -> (Self, Self) {
        match self {
            Self::Rows(matrix) => {
                let at = at.min(matrix.rows());
                let (left, right) = matrix.split_rows(at);
                (Self::Rows(left), Self::Rows(right))
            }
            Self::Columns(matrix) => {
                let at = at.min(matrix.cols());
                let (left, right) = matrix.split_cols(at);
                (Self::Columns(left), Self::Columns(right))
            }
        }
    }
}

impl<T: Send> SplitAt for &mut [T] {
    fn split_at(self, at: usize) -> (Self, Self) {
        self.split_at_mut(at)
    }
}

impl<T: Sync> SplitAt for &[T] {
    fn split_at(self, at: usize) -> (Self, Self) {
        <[T]>::split_at(self, at)
    }
}

impl<T: SplitAt> SplitAt for Option<T> {
    fn split_at(self, at: usize) -> (Self, Self) {
        self.map(|whole| whole.split_at(at)).unzip()
    }
}

impl<A: SplitAt, B: SplitAt> SplitAt for (A, B) {
    fn split_at(self, at: usize) -> (Self, Self) {
        let ((a, a_right), (b, b_right)) = (self.0.split_at(at), self.1.split_at(at));
        ((a, b), (a_right, b_right))
    }
}

impl<T: SplitAt, const N: usize> SplitAt for [T; N] {
    fn split_at(self, at: usize) -> (Self, Self) {
        let mut pairs = self.map(|whole| {
            let (left, right) = whole.split_at(at);
            (Some(left), right)
        });
        let left = pairs.each_mut().map(|pair| pair.0.take().expect("taken once"));
        (left, pairs.map(|pair| pair.1))
    }
}

/// A task that needs nothing of its own.
impl Split for () {
    type Piece = ();

    fn split(self, _: Range<usize>, _: usize) -> (Self, Self) {
        ((), ())
    }

    fn piece(self) {}
}

impl<A: Split, B: Split> Split for (A, B) {
    type Piece = (A::Piece, B::Piece);

    fn split(self, parts: Range<usize>, at: usize) -> (Self, Self) {
        let (a, a_right) = self.0.split(parts.clone(), at);
        let (b, b_right) = self.1.split(parts, at);
        ((a, b), (a_right, b_right))
    }

    fn piece(self) -> Self::Piece {
        (self.0.piece(), self.1.piece())
    }
}

impl<A: Split, B: Split, C: Split> Split for (A, B, C) {
    type Piece = (A::Piece, B::Piece, C::Piece);

    fn split(self, parts: Range<usize>, at: usize) -> (Self, Self) {
        let (a, b, c) = self;
        let (left, right) = ((a, b), c).split(parts, at);
        let (((a, b), c), ((a_right, b_right), c_right)) = (left, right);
        ((a, b, c), (a_right, b_right, c_right))
    }

    fn piece(self) -> Self::Piece {
        (self.0.piece(), self.1.piece(), self.2.piece())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::{by, for_each, fork};
    use crate::{Executor, Sequential};

    /// The right task first, on one thread.
    struct Backwards;

    impl Executor for Backwards {
        fn threads(&self) -> usize {
            3
        }
        fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
            b();
            a();
        }
    }

    #[test]
    fn each_part_gets_its_own_elements_once() {
        for parts in 1..9 {
            for len in 0..20 {
                let mut items = vec![usize::MAX; len];
                let mut halves = vec![0; parts];
                let seen = Mutex::new(Vec::new());
                let (first, one) = (|part: usize| len * part / parts, |part: usize| part);
                let work = (by(&first, &mut items[..]), by(&one, &mut halves[..]));
                fork(&Backwards, 0..parts, work, &|part, (items, half)| {
                    items.fill(part);
                    half[0] += 1;
                    seen.lock().unwrap().push(part);
                });
                for (i, part) in items.iter().enumerate() {
                    assert!((first(*part)..first(part + 1)).contains(&i));
                }
                assert!(halves.iter().all(|half| *half == 1));
                let mut seen = seen.into_inner().unwrap();
                seen.sort_unstable();
                assert_eq!(seen, (0..parts).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn for_each_visits_every_item_once() {
        for len in 0..30 {
            let mut items = vec![0; len];
            for_each(&mut items, &Backwards, |item| *item += 1);
            for_each(&mut items, &Sequential, |item| *item += 1);
            assert!(items.iter().all(|item| *item == 2));
        }
    }
}
