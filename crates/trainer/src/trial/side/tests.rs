use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Barrier, Condvar};

use super::*;
use crate::ranks::Post;
use crate::trial::Figures;

fn pool(threads: usize) -> Pool {
    Pool::new(Some(threads.to_string().as_ref())).unwrap()
}

fn alone() -> Others<'static> {
    Others::new(&nn::Alone)
}

/// What a job comes to that a test wants to know again.
fn reached(text: impl ToString, state: Option<Vec<u8>>) -> Option<Reached> {
    Some(Reached { figures: Figures::refused(text.to_string()), state })
}

fn text(reached: Option<Reached>) -> String {
    reached.unwrap().figures.reason.unwrap()
}

/// Jobs without states that end when they want to.
fn jobs<I: Iterator>(next: I, count: usize, others: &Others<'_>) -> Jobs<'static, I> {
    Jobs { next, size: Size::of(count, 0, others), state: &|_| None, leaves: &|| false }
}

#[test]
fn every_job_is_run_once() {
    for threads in [1, 2, 3] {
        let (mut squares, mut epochs, mut begun) = (Vec::new(), 0, 0);
        let others = &mut alone();
        side_by_side(
            jobs(0..20usize, 20, others),
            &pool(threads),
            others,
            |Training { job, epoch, .. }| {
                epoch(job);
                Ok(reached(job * job, None))
            },
            |event| {
                match event {
                    Event::Ended(job, square) => squares.push((job, text(square))),
                    Event::Epoch(_) => epochs += 1,
                    Event::Begun(_) => begun += 1,
                    Event::Tick => (),
                }
                Ok(())
            },
        )
        .unwrap();
        squares.sort();
        assert!(squares.into_iter().eq((0..20).map(|job| (job, (job * job).to_string()))));
        assert_eq!((begun, epochs), (20, 20));
    }
}

#[test]
fn the_first_error_ends_all() {
    for threads in [1, 2, 3] {
        let (mut ended, others) = (0, &mut alone());
        let result = side_by_side(
            jobs(0..1000usize, 1000, others),
            &pool(threads),
            others,
            |Training { job, leave, .. }| match job {
                3 => Err(Error::NoStdout),
                // These wait for it, and begin no other.
                4.. => {
                    while !leave() {
                        thread::yield_now();
                    }
                    Ok(None)
                }
                _ => Ok(None),
            },
            |event| {
                ended += usize::from(matches!(event, Event::Ended(..)));
                Ok(())
            },
        );
        assert!(matches!(result, Err(Error::NoStdout)), "{result:?}");
        assert!(ended < 10, "{ended}");
    }
    let others = &mut alone();
    let jobs = jobs(0..9, 9, others);
    let work = |_: Training<'_, usize>| Ok(None);
    let end = side_by_side(jobs, &pool(2), others, work, |_| Err(Error::NoStdout));
    assert!(matches!(end, Err(Error::NoStdout)));
}

/// A rank that is a thread, whose messages go through channels.
struct Seat {
    rank: usize,
    inbox: Receiver<(usize, Vec<u8>)>,
    all: Vec<Sender<(usize, Vec<u8>)>>,
}

impl Post for Seat {
    fn others(&self) -> usize {
        self.all.len() - 1
    }

    fn name(&self) -> String {
        format!("rank {} on here", self.rank)
    }

    fn send(&self, to: usize, bytes: &[u8]) {
        // A rank that has panicked takes nothing.
        let _ = self.all[to].send((self.rank, bytes.to_vec()));
    }

    fn take(&self) -> Option<(usize, Vec<u8>)> {
        self.inbox.try_recv().ok()
    }

    fn wait(&self) -> (usize, Vec<u8>) {
        self.inbox.recv().unwrap()
    }
}

/// Seats for `count` ranks.
fn seats(count: usize) -> Vec<Seat> {
    let (all, inboxes): (Vec<_>, Vec<_>) = (0..count).map(|_| mpsc::channel()).unzip();
    let seat = |(rank, inbox)| Seat { rank, inbox, all: all.clone() };
    inboxes.into_iter().enumerate().map(seat).collect()
}

/// How a rank does a job.
type Work<'a> = &'a (dyn Fn(usize, Training<'_, usize>) -> Trained + Sync);

/// Runs `first` on rank 0, beside other ranks of `threads` threads each that help it until it
/// ends. `work` is told which rank does it.
fn with_ranks<T>(
    (ranks, threads): (usize, usize),
    work: Work<'_>,
    first: impl FnOnce(&Pool, &mut Others<'_>) -> T,
) -> T {
    let mut seats = seats(ranks).into_iter();
    let seat = seats.next().unwrap();
    thread::scope(|scope| {
        for seat in seats {
            scope.spawn(move || {
                let rank = seat.rank;
                follow(&seat, &pool(threads), |training| work(rank, training));
            });
        }
        let mut others = Others::new(&seat);
        let found = first(&pool(threads), &mut others);
        others.dismiss();
        found
    })
}

/// Two rungs: the second goes on from what the first has left.
#[test]
fn ranks_share_jobs_and_give_them_back() {
    for (ranks, threads) in [(1, 2), (2, 1), (2, 2), (3, 1), (5, 3)] {
        let work = |_, Training { job, state, epoch, .. }: Training<'_, usize>| {
            epoch(1);
            epoch(2);
            let state = state.map_or_else(|| vec![job as u8; job], |state| [state, &[7]].concat());
            Ok(reached(0.1 + job as f64, (!job.is_multiple_of(3)).then_some(state)))
        };
        let states = with_ranks((ranks, threads), &work, |pool, others| {
            let mut states: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
            for rung in 0..3 {
                let (mut begun, mut epochs, mut left, mut ended) = (0, 0, BTreeMap::new(), 0);
                let from = |job: usize| states.get(&job).cloned();
                let size = Size::of(23, 0, others);
                let jobs = Jobs { next: 0..23, size, state: &from, leaves: &|| false };
                let work = |training: Training<'_, usize>| work(0, training);
                side_by_side(jobs, pool, others, work, |event| {
                    match event {
                        Event::Begun(_) => begun += 1,
                        Event::Epoch(_) => epochs += 1,
                        Event::Ended(job, Some(reached)) => {
                            assert_eq!(
                                reached.figures.reason,
                                Some((0.1 + job as f64).to_string())
                            );
                            ended += 1;
                            left.extend(reached.state.map(|state| (job, state)));
                        }
                        Event::Ended(job, None) => panic!("{job} was left"),
                        Event::Tick => (),
                    }
                    Ok(())
                })
                .unwrap();
                assert_eq!((begun, epochs, ended), (23, 46, 23), "rung {rung}");
                states = left;
            }
            states
        });
        let state = |job: usize| [vec![job as u8; job], vec![7, 7]].concat();
        let jobs = (0..23).filter(|job: &usize| !job.is_multiple_of(3));
        assert!(states.into_iter().eq(jobs.map(|job| (job, state(job)))), "{ranks} ranks");
    }
}

/// A number that threads wait for.
#[derive(Default)]
struct Count(Mutex<usize>, Condvar);

impl Count {
    fn add(&self) {
        *self.0.lock().unwrap() += 1;
        self.1.notify_all();
    }

    fn wait_for(&self, count: usize) {
        let found = self.0.lock().unwrap();
        drop(self.1.wait_while(found, |found| *found < count).unwrap());
    }
}

/// One rank does a single job as long as another does all the rest.
#[test]
fn a_rank_that_ends_early_takes_the_next_job() {
    const JOBS: usize = 30;
    let (ended, done) = (Count::default(), [const { Mutex::new(0) }; 3]);
    let all_have_one = Barrier::new(3);
    let work = |rank: usize| {
        let first = *done[rank].lock().unwrap() == 0;
        *done[rank].lock().unwrap() += 1;
        if first {
            all_have_one.wait();
        }
        match rank {
            0 => ended.wait_for(JOBS - 2),
            2 => ended.wait_for(JOBS - 1),
            _ => (),
        }
        Ok(reached("", None))
    };
    with_ranks((3, 1), &|rank, _| work(rank), |pool, others| {
        let jobs = jobs(0..JOBS, JOBS, others);
        side_by_side(
            jobs,
            pool,
            others,
            |_| work(0),
            |event| {
                if matches!(event, Event::Ended(..)) {
                    ended.add();
                }
                Ok(())
            },
        )
        .unwrap();
    });
    assert_eq!(done.map(|done| done.into_inner().unwrap()), [1, JOBS - 2, 1]);
}

/// What fails on one rank, or stops rank 0, ends what all have begun.
#[test]
fn all_ranks_leave_their_jobs() {
    // All of them are busy when it happens.
    let until_it_leaves = |busy: &Count, leave: Leave<'_>| {
        busy.add();
        while !leave() {
            thread::yield_now();
        }
        Ok(None)
    };
    let all = |work: Work<'_>, leaves: Leave<'_>| {
        let mut left = 0;
        let found = with_ranks((4, 1), work, |pool, others| {
            let size = Size::of(100, 0, others);
            let jobs = Jobs { next: 0..100usize, size, state: &|_| None, leaves };
            let work = |training: Training<'_, usize>| work(0, training);
            side_by_side(jobs, pool, others, work, |event| {
                left += usize::from(matches!(event, Event::Ended(_, None)));
                Ok(())
            })
        });
        (found, left)
    };
    let busy = Count::default();
    let fails = |rank, Training { leave, .. }: Training<'_, usize>| {
        if rank != 2 {
            return until_it_leaves(&busy, leave);
        }
        busy.wait_for(3);
        Err(Error::Usage("a fault\nof two lines".to_owned()))
    };
    let (found, left) = all(&fails, &|| false);
    let Err(error) = found else { panic!("it goes on") };
    assert_eq!(
        (&*error.to_string(), error.code()),
        ("rank 2 on here: a fault of two lines (try --help)", 2)
    );
    assert_eq!(left, 0, "nothing is told after an error");

    let (busy, stops) = (Count::default(), AtomicBool::new(false));
    let works = |rank, Training { leave, .. }: Training<'_, usize>| {
        if rank == 0 {
            busy.wait_for(3);
            stops.store(true, Ordering::Relaxed);
        }
        until_it_leaves(&busy, leave)
    };
    let (found, left) = all(&works, &|| stops.load(Ordering::Relaxed));
    assert!(found.is_ok(), "{found:?}");
    assert_eq!(left, 4);
}

/// A panic does not leave the main thread waiting for the end of its job.
#[test]
fn a_panic_is_one_of_the_whole_rank() {
    let [first, second] = <[Seat; 2]>::try_from(seats(2)).ok().unwrap();
    let mut others = Others::new(&first);
    let size = Size::of(2, 0, &others);
    let next = Mutex::new(Some((1usize, None)));
    let take = || next.lock().unwrap().take();
    let helper = thread::spawn(move || {
        follow(&second, &pool(1), |_: Training<'_, usize>| panic!("in a trial"));
    });
    while !others.have_jobs() {
        others.serve(size, &take, &|| false);
        thread::yield_now();
    }
    while !helper.is_finished() {
        others.serve(size, &take, &|| false);
        thread::yield_now();
    }
    assert!(helper.join().is_err());
}
