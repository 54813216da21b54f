//! Threads as ranks: what a message-passing library does between processes.

use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;

use nn::Ranks;

/// Where ranks give each other what they have.
pub(crate) struct Meeting {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// What each rank has brought, with the ends of all pieces.
    pieces: Vec<Option<(Vec<f32>, Vec<usize>)>>,
    /// Ranks that have taken what all brought.
    taken: usize,
    /// A rank has panicked, so the others need not wait for it.
    broken: bool,
}

/// A rank that shares every layer that can be shared, however small.
pub(crate) struct Member<'a> {
    meeting: &'a Meeting,
    rank: usize,
    count: usize,
}

/// What `work` makes of each of `count` ranks, which run at the same time.
pub(crate) fn meet<T: Send>(count: usize, work: impl Fn(Member<'_>) -> T + Sync) -> Vec<T> {
    let state = State { pieces: (0..count).map(|_| None).collect(), ..State::default() };
    let meeting = &Meeting { state: Mutex::new(state), changed: Condvar::new() };
    let work = &work;
    thread::scope(|scope| {
        let ranks = 0..count;
        let threads: Vec<_> =
            ranks.map(|rank| scope.spawn(move || work(Member { meeting, rank, count }))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a rank has panicked")).collect()
    })
}

impl Member<'_> {
    fn wait_while(&self, waits: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let state = self.meeting.state.lock().unwrap();
        let state = self.meeting.changed.wait_while(state, |state| !state.broken && waits(state));
        let state = state.unwrap();
        if state.broken {
            drop(state);
            panic!("another rank has panicked");
        }
        state
    }
}

impl Ranks for Member<'_> {
    fn rank(&self) -> usize {
        self.rank
    }

    fn count(&self) -> usize {
        self.count
    }

    fn shares(&self, _: usize) -> bool {
        self.count > 1
    }

    fn all_gather(&self, all: &mut [f32], ends: &[usize]) {
        let piece = |rank: usize| -> Range<usize> {
            let start = if rank == 0 { 0 } else { ends[rank - 1] };
            start..ends[rank]
        };
        assert_eq!((ends.len(), ends.last()), (self.count, Some(&all.len())));
        let mut state = self.wait_while(|state| state.pieces[self.rank].is_some());
        state.pieces[self.rank] = Some((all[piece(self.rank)].to_vec(), ends.to_vec()));
        drop(state);
        self.meeting.changed.notify_all();

        let mut state = self.wait_while(|state| state.pieces.iter().any(Option::is_none));
        // What is not brought is lost.
        all.fill(f32::NAN);
        let same = state.pieces.iter().enumerate().all(|(rank, brought)| {
            let (brought, found) = brought.as_ref().unwrap();
            if found == ends {
                all[piece(rank)].copy_from_slice(brought);
            }
            found == ends
        });
        state.taken += 1;
        if state.taken == self.count {
            state.taken = 0;
            state.pieces.iter_mut().for_each(|piece| *piece = None);
        }
        drop(state);
        self.meeting.changed.notify_all();
        assert!(same, "ranks gather different things");
    }
}

impl Drop for Member<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            if let Ok(mut state) = self.meeting.state.lock() {
                state.broken = true;
            }
            self.meeting.changed.notify_all();
        }
    }
}
