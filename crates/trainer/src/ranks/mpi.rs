//! MPI, which moves bytes between the ranks and adds nothing up.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use mpi::Threading;
use mpi::datatype::PartitionMut;
use mpi::environment::{self, Universe};
use mpi::request;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{
    Communicator as _, CommunicatorCollectives as _, Destination as _, Root as _, Source as _,
};

use super::launcher::Launcher;
use super::{Link, Post};
use crate::error::Error;

/// The most elements that one call of MPI moves: its counts are C's int, and a gigabyte at a
/// time is as fast as more.
const LARGEST_PIECE: usize = 1 << 28;

// The two parts of a message from one rank to another.
const LENGTH: i32 = 1;
const BYTES: i32 = 2;

/// For the tests, which have small networks: the operations from which on work is shared, and
/// the most elements of a call.
const SHARE_FROM: &str = "TRAINER_MPI_SHARE_FROM";
const PIECE: &str = "TRAINER_MPI_PIECE";

/// All ranks of the job.
pub(super) struct World {
    rank: usize,
    count: usize,
    /// The one that makes all calls of MPI.
    thread: ThreadId,
    share_from: Option<usize>,
    /// The most threads that a rank has.
    threads: AtomicUsize,
    piece: usize,
    scratch: Mutex<Scratch>,
    universe: Mutex<Option<Universe>>,
}

/// What a call of MPI needs beside its operands, kept from one to the next.
#[derive(Default)]
struct Scratch {
    /// This rank's piece: MPI does not send from where it receives.
    own: Vec<f32>,
    counts: Vec<i32>,
    starts: Vec<i32>,
}

impl World {
    /// Initialises MPI on this thread.
    ///
    /// # Errors
    /// Where it is the MPI of another launcher, or allows no other threads.
    pub(super) fn start(launcher: &Launcher) -> Result<Self, Error> {
        let begun = launcher.rank.is_none_or(|rank| rank == 0).then(say_if_late);
        let (universe, threading) = environment::initialize_with_threading(Threading::Serialized)
            .expect("nothing else in this program initialises MPI");
        drop(begun);
        let world = SimpleCommunicator::world();
        let [rank, count] = [world.rank(), world.size()].map(|n| n as usize);
        let library = || {
            let version = environment::library_version().unwrap_or_default();
            let name = version.split([',', '\n']).next().unwrap_or_default();
            name.trim_matches(['\0', ' ']).to_owned()
        };
        let failed = |rank: usize, message: String| match rank {
            0 => Error::Ranks { message, code: 1 },
            _ => Error::Led { code: 1 },
        };
        if let Some(expected) = launcher.count.filter(|expected| *expected != count) {
            let message = format!(
                "the launcher has started {expected} ranks, and {} found {count}: start the \
                 program with the launcher of the MPI that it was built with",
                library()
            );
            // A process that is alone has nobody who could say it.
            let speaker = launcher.rank.filter(|_| count > 1).unwrap_or(rank);
            return Err(failed(speaker, message));
        }
        if threading < Threading::Serialized {
            let message = format!(
                "{} allows threads at the level {threading:?}, expected Serialized: build the \
                 program with an MPI that allows other threads",
                library()
            );
            return Err(failed(rank, message));
        }
        let number = |name| env::var(name).ok()?.parse::<usize>().ok();
        Ok(Self {
            rank,
            count,
            thread: thread::current().id(),
            share_from: number(SHARE_FROM),
            threads: AtomicUsize::new(1),
            piece: number(PIECE).map_or(LARGEST_PIECE, |piece| piece.clamp(1, LARGEST_PIECE)),
            scratch: Mutex::default(),
            universe: Mutex::new(Some(universe)),
        })
    }

    fn world(&self) -> SimpleCommunicator {
        assert_eq!(thread::current().id(), self.thread, "MPI is called on one thread");
        SimpleCommunicator::world()
    }

    /// Gathers pieces that one call can move.
    fn gather_at_once(&self, all: &mut [f32], ends: &[usize]) {
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let Scratch { own, counts, starts } = &mut *scratch;
        counts.clear();
        starts.clear();
        let mut start = 0;
        for (rank, &end) in ends.iter().enumerate() {
            if rank == self.rank {
                own.clear();
                own.extend_from_slice(&all[start..end]);
            }
            starts.push(start as i32);
            counts.push((end - start) as i32);
            start = end;
        }
        let mut pieces = PartitionMut::new(all, &counts[..], &starts[..]);
        self.world().all_gather_varcount_into(&own[..], &mut pieces);
    }

    /// Gathers pieces of any length: each rank sends its own, in parts.
    fn gather_in_parts(&self, all: &mut [f32], ends: &[usize]) {
        let world = self.world();
        let (mut rest, mut start) = (all, 0);
        for (rank, &end) in ends.iter().enumerate() {
            let (piece, after) = rest.split_at_mut(end - start);
            let root = world.process_at_rank(rank as i32);
            piece.chunks_mut(self.piece).for_each(|part| root.broadcast_into(part));
            (rest, start) = (after, end);
        }
    }
}

impl nn::Ranks for World {
    fn rank(&self) -> usize {
        self.rank
    }

    fn count(&self) -> usize {
        self.count
    }

    fn shares(&self, operations: usize) -> bool {
        let of_threads = || 3_000_000 * self.threads.load(Ordering::Relaxed).max(1);
        let least = self.share_from.unwrap_or_else(of_threads);
        self.count > 1 && operations / self.count >= least
    }

    fn all_gather(&self, all: &mut [f32], ends: &[usize]) {
        assert_eq!(ends.len(), self.count, "a piece for each rank");
        assert_eq!(ends.last(), Some(&all.len()), "the last piece ends at the end");
        if all.len() <= self.piece {
            self.gather_at_once(all, ends);
        } else {
            self.gather_in_parts(all, ends);
        }
    }
}

impl Post for World {
    fn others(&self) -> usize {
        self.count - 1
    }

    fn name(&self) -> String {
        format!("rank {} on {}", self.rank, self.host())
    }

    fn send(&self, to: usize, bytes: &[u8]) {
        let world = self.world();
        let to = world.process_at_rank(to as i32);
        to.send_with_tag(&(bytes.len() as u64), LENGTH);
        bytes.chunks(self.piece).for_each(|part| to.send_with_tag(part, BYTES));
    }

    fn take(&self) -> Option<(usize, Vec<u8>)> {
        let world = self.world();
        let from = world.any_process().immediate_probe_with_tag(LENGTH)?.source_rank();
        // Messages from one rank come in the order in which it has sent them.
        let process = world.process_at_rank(from);
        let mut length = 0u64;
        process.receive_into_with_tag(&mut length, LENGTH);
        let mut bytes = vec![0; length as usize];
        for part in bytes.chunks_mut(self.piece) {
            process.receive_into_with_tag(part, BYTES);
        }
        Some((from as usize, bytes))
    }

    fn wait(&self) -> (usize, Vec<u8>) {
        let since = Instant::now();
        loop {
            match self.take() {
                Some(message) => return message,
                None => pause(since),
            }
        }
    }
}

/// Between two looks for what has been waited for `since` then: what comes soon finds this thread
/// awake, and what takes long leaves its core to others.
fn pause(since: Instant) {
    const SOON: Duration = Duration::from_micros(200);
    if since.elapsed() < SOON {
        thread::yield_now();
    } else {
        thread::sleep(Duration::from_millis(1));
    }
}

impl Link for World {
    fn gather(&self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let world = self.world();
        let mut lengths = vec![0u64; self.count];
        world.all_gather_into(&(bytes.len() as u64), &mut lengths[..]);
        let mut texts: Vec<_> = lengths.iter().map(|length| vec![0; *length as usize]).collect();
        texts[self.rank].copy_from_slice(bytes);
        for (rank, text) in texts.iter_mut().enumerate() {
            let root = world.process_at_rank(rank as i32);
            text.chunks_mut(LARGEST_PIECE).for_each(|part| root.broadcast_into(part));
        }
        texts
    }

    fn broadcast(&self, bytes: &mut Vec<u8>) {
        let world = self.world();
        let root = world.process_at_rank(0);
        let mut length = bytes.len() as u64;
        root.broadcast_into(&mut length);
        bytes.resize(length as usize, 0);
        bytes.chunks_mut(self.piece).for_each(|part| root.broadcast_into(part));
    }

    fn order(&self, order: &mut [u8; 2]) {
        self.world().process_at_rank(0).broadcast_into(order);
    }

    fn order_of_the_patient(&self, order: &mut [u8; 2]) {
        let world = self.world();
        let root = world.process_at_rank(0);
        let since = Instant::now();
        request::scope(|scope| {
            let mut request = root.immediate_broadcast_into(scope, order);
            while let Err(waiting) = request.test() {
                request = waiting;
                pause(since);
            }
        });
    }

    fn know_threads(&self, threads: usize) {
        self.threads.store(threads, Ordering::Relaxed);
    }

    fn limits(&self) -> String {
        format!("{:?}, {}", self.share_from, self.piece)
    }

    fn host(&self) -> String {
        environment::processor_name().unwrap_or_default()
    }

    fn abort(&self) -> ! {
        self.world().abort(1)
    }

    fn leave(&self) {
        // It is the end of MPI.
        drop(self.universe.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// Says on stderr that MPI waits, unless what is returned is dropped soon. A rank that ended before
/// it began MPI, as another program does, is waited for by all others.
fn say_if_late() -> Sender<()> {
    const LATE: Duration = Duration::from_secs(30);
    let (begun, waits) = mpsc::channel();
    thread::spawn(move || {
        if waits.recv_timeout(LATE) == Err(RecvTimeoutError::Timeout) {
            let late = LATE.as_secs();
            let _ = writeln!(
                io::stderr(),
                "note: MPI has not begun for {late} s: the launcher starts the other ranks \
                 slowly, or one of them has ended or is another program"
            );
        }
    });
    begun
}

/// The cores that the system lets this process use, as it writes them; empty where it does not
/// say.
pub(super) fn cores() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    line.unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests;
