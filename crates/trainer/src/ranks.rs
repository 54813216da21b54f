//! The processes of an MPI job that train one network together: who they are, what they agree
//! on before they begin, and what the first of them tells the others.
//!
//! Rank 0 decides. It alone prints, writes files, reads the clock and heeds signals; the others
//! compute their share and follow. Whatever a rank does, it takes part in the next message that
//! the others wait for, so none of them waits for ever:
//!
//! - *Apart*, until they have agreed, a rank that leaves says why in the next agreement.
//! - *Together*, while they train, rank 0 sends orders. One that leaves sends [`END`] with its
//!   exit code, and the others wait for it.
//! - In a *search*, a part of the time together, each trains on its own. The others ask rank 0
//!   for trials and it answers ([`Post`]), until it says that there are no more.
//! - A panic, or an error that one rank alone has, ends the job.
//!
//! Without the feature `mpi`, or without a launcher of MPI, there is one rank and no message.

mod agreement;
mod launcher;
#[cfg(feature = "mpi")]
mod mpi;
mod post;

use std::fmt::Display;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;

use crate::error::{Error, one_line};

pub(crate) use agreement::Facts;
use agreement::{Seat, Statement, Verdict};
use launcher::Launcher;
pub(crate) use post::Post;

/// How bytes come from one rank to the others. All ranks make the same calls in the same order,
/// but for those of [`Post`].
trait Link: nn::Ranks + Post {
    /// What each rank has, on every rank.
    fn gather(&self, bytes: &[u8]) -> Vec<Vec<u8>>;

    /// Gives every rank the bytes of rank 0.
    fn broadcast(&self, bytes: &mut Vec<u8>);

    /// The same of an order, while the others spin: within a step.
    fn order(&self, order: &mut [u8; 2]);

    /// The same, while the others sleep: rank 0 may take long.
    fn order_of_the_patient(&self, order: &mut [u8; 2]);

    /// The most threads that a rank has. With more of them, a rank is done sooner with its share
    /// of a layer, but a message takes as long.
    fn know_threads(&self, threads: usize);

    /// How work is divided and moved, which has to be the same on all ranks.
    fn limits(&self) -> String;

    /// The name of this host.
    fn host(&self) -> String;

    /// Ends all ranks at once.
    fn abort(&self) -> !;

    /// The last call, when the ranks have nothing more to say.
    fn leave(&self);
}

impl Link for nn::Alone {
    fn gather(&self, bytes: &[u8]) -> Vec<Vec<u8>> {
        vec![bytes.to_vec()]
    }

    fn broadcast(&self, _: &mut Vec<u8>) {}

    fn order(&self, _: &mut [u8; 2]) {}

    fn order_of_the_patient(&self, _: &mut [u8; 2]) {}

    fn know_threads(&self, _: usize) {}

    fn limits(&self) -> String {
        String::new()
    }

    fn host(&self) -> String {
        String::new()
    }

    fn abort(&self) -> ! {
        std::process::abort();
    }

    fn leave(&self) {}
}

// The first byte of an order. The second is an exit code.
const GO_ON: u8 = 1;
const BREAK: u8 = 2;
const END: u8 = 3;

// What a rank has to do when it leaves.
const APART: u8 = 0;
const TOGETHER: u8 = 1;
const OVER: u8 = 2;

/// The ranks, as one of them sees them.
pub(crate) struct Ranks {
    link: Box<dyn Link>,
    /// Where each rank runs.
    seats: Vec<Seat>,
    stage: AtomicU8,
    /// Where a launcher of MPI has started several processes of a program without MPI.
    strangers: Option<Launcher>,
}

impl Ranks {
    /// The ranks of this process's job. MPI begins here, on the thread that makes all its calls
    /// from now on, and only where a launcher has started several processes.
    ///
    /// # Errors
    /// An MPI that does not do what this program needs.
    pub(crate) fn start() -> Result<Self, Error> {
        let launcher = Launcher::found(|name| std::env::var(name).ok());
        let Some(launcher) = launcher else { return Ok(Self::alone(None)) };
        #[cfg(feature = "mpi")]
        {
            let link = Box::new(mpi::World::start(&launcher)?);
            let seat = Seat { host: link.host(), cores: mpi::cores(), ..Seat::here() };
            let mut ranks = Self { link, ..Self::alone(None) };
            let own = Statement { failure: None, facts: Facts::default(), seat };
            let statements = ranks.exchange(&own);
            ranks.seats = statements.into_iter().map(|statement| statement.seat).collect();
            Ok(ranks)
        }
        #[cfg(not(feature = "mpi"))]
        Ok(Self::alone(Some(launcher).filter(|launcher| launcher.count.is_some())))
    }

    fn alone(strangers: Option<Launcher>) -> Self {
        let stage = AtomicU8::new(APART);
        Self { link: Box::new(nn::Alone), seats: vec![Seat::here()], stage, strangers }
    }

    /// The ranks, for an executor.
    pub(crate) fn team(&self) -> &dyn nn::Ranks {
        &*self.link
    }

    /// For messages from one rank to another.
    pub(crate) fn post(&self) -> &dyn Post {
        &*self.link
    }

    /// Whether this is rank 0, which decides, prints and writes.
    pub(crate) fn is_first(&self) -> bool {
        self.link.rank() == 0
    }

    pub(crate) fn is_alone(&self) -> bool {
        self.link.count() == 1
    }

    /// How many they are, if they are several.
    pub(crate) fn several(&self) -> Option<usize> {
        Some(self.link.count()).filter(|count| *count > 1)
    }

    /// How many ranks have the cores of this one.
    pub(crate) fn on_these_cores(&self) -> usize {
        let own = &self.seats[self.link.rank()];
        self.seats.iter().filter(|seat| seat.has_cores_of(own)).count()
    }

    /// How many ranks have the memory of this one.
    pub(crate) fn on_this_host(&self) -> usize {
        let own = &self.seats[self.link.rank()].host;
        self.seats.iter().filter(|seat| seat.host == *own).count()
    }

    /// That the processes of a launcher are ranks. Without MPI each would train a network of its
    /// own, and they would write to one directory.
    ///
    /// # Errors
    /// On every process; the first says why.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let Some(Launcher { rank, count: Some(count) }) = self.strangers else { return Ok(()) };
        if rank != Some(0) {
            return Err(Error::Led { code: 2 });
        }
        let message = format!(
            "a launcher of MPI has started {count} of these processes, and this program was built \
             without MPI: build it with --features mpi, or start it without the launcher"
        );
        Err(Error::Ranks { message, code: 2 })
    }

    /// Until they agree again, a rank that fails says so in the next agreement.
    pub(crate) fn part(&self) {
        self.stage.store(APART, Ordering::Relaxed);
    }

    /// From now on rank 0 sends orders.
    pub(crate) fn join(&self) {
        self.stage.store(TOGETHER, Ordering::Relaxed);
    }

    /// Checks that all ranks have the same facts, and that none has failed. What the user should
    /// know of the ranks is a note each, on rank 0. `threads` is the number on this rank.
    ///
    /// # Errors
    /// On every rank if one of them has failed or differs. On rank 0 it says which.
    pub(crate) fn agree(&self, mut facts: Facts, threads: usize) -> Result<Vec<String>, Error> {
        if self.is_alone() {
            return Ok(Vec::new());
        }
        facts.add("environment", "TRAINER_MPI_*", self.link.limits());
        let seat = Seat { threads, ..self.seats[self.link.rank()].clone() };
        let statements = self.exchange(&Statement { failure: None, facts, seat });
        let most = statements.iter().map(|statement| statement.seat.threads).max();
        self.link.know_threads(most.unwrap_or(1));
        match agreement::compare(&statements) {
            None => Ok(agreement::crowded(&statements).filter(|_| self.is_first()))
                .map(|note| note.into_iter().collect()),
            Some(verdict) => Err(self.over(verdict)),
        }
    }

    fn exchange(&self, own: &Statement) -> Vec<Statement> {
        let texts = self.link.gather(&own.to_bytes());
        texts.iter().map(|text| Statement::from_bytes(text)).collect()
    }

    /// All ranks know that it is over.
    fn over(&self, verdict: Verdict) -> Error {
        self.stage.store(OVER, Ordering::Relaxed);
        let Verdict { message, code } = verdict;
        if self.is_first() { Error::Ranks { message, code } } else { Error::Led { code } }
    }

    /// What rank 0 reads, on every rank. Nothing else may fail on a rank between the last
    /// agreement and this.
    ///
    /// # Errors
    /// On every rank if rank 0 fails. It is the others' turn to leave then.
    pub(crate) fn share(
        &self,
        read: impl FnOnce() -> Result<Vec<u8>, Error>,
    ) -> Result<Vec<u8>, Error> {
        if !self.is_first() {
            let mut bytes = Vec::new();
            self.link.broadcast(&mut bytes);
            return match bytes.split_last() {
                Some((0, _)) => {
                    bytes.pop();
                    Ok(bytes)
                }
                code => Err(Error::Led { code: code.map_or(1, |(code, _)| *code) }),
            };
        }
        let read = read();
        if self.is_alone() {
            return read;
        }
        let (mut bytes, code) = match &read {
            Ok(bytes) => (bytes.clone(), 0),
            Err(error) => (Vec::new(), error.code()),
        };
        bytes.push(code);
        self.link.broadcast(&mut bytes);
        read
    }

    /// Rank 0 goes on, and the others have waited for that.
    ///
    /// # Errors
    /// On the others, if rank 0 has left.
    pub(crate) fn go_on(&self) -> Result<(), Error> {
        if self.is_alone() {
            return Ok(());
        }
        match self.wait([GO_ON, 0]) {
            [GO_ON, _] => Ok(()),
            [END, code] => {
                self.stage.store(OVER, Ordering::Relaxed);
                Err(Error::Led { code })
            }
            _ => self.lost(&"an order came that is none"),
        }
    }

    fn wait(&self, mut order: [u8; 2]) -> [u8; 2] {
        self.link.order_of_the_patient(&mut order);
        order
    }

    /// After a step: whether the ranks leave the run, which is rank 0's word.
    pub(crate) fn leave_after_step(&self, leaves: bool) -> bool {
        if self.is_alone() {
            return leaves;
        }
        let mut order = [if leaves { BREAK } else { GO_ON }, 0];
        self.link.order(&mut order);
        match order[0] {
            BREAK => true,
            GO_ON => false,
            _ => self.lost(&"an order came that is none"),
        }
    }

    /// How the program ends on this rank, after all ranks have heard of it.
    pub(crate) fn end(&self, result: Result<(), Error>) -> Result<(), Error> {
        if self.is_alone() {
            return result;
        }
        match self.stage.load(Ordering::Relaxed) {
            APART => self.end_apart(result),
            TOGETHER if self.is_first() => {
                let code = result.as_ref().err().map_or(0, Error::code);
                self.wait([END, code]);
                result
            }
            TOGETHER => {
                match &result {
                    // All ranks have come to it.
                    Ok(()) | Err(Error::Network(_)) => (),
                    Err(error) => self.lost(error),
                }
                match self.wait([END, 0]) {
                    [END, 0] => Ok(()),
                    [END, code] => Err(Error::Led { code }),
                    _ => self.lost(&"it has ended and rank 0 has not"),
                }
            }
            _ => result,
        }
    }

    fn end_apart(&self, result: Result<(), Error>) -> Result<(), Error> {
        let failure = match &result {
            Ok(()) | Err(Error::Led { .. }) => None,
            Err(error) => Some((error.code(), one_line(&error.to_string()))),
        };
        let seat = self.seats[self.link.rank()].clone();
        let own = Statement { failure, facts: Facts::default(), seat };
        let verdict = agreement::compare(&self.exchange(&own));
        match verdict {
            None => result,
            // It is this rank's own word.
            Some(_) if self.is_first() && result.is_err() => result,
            Some(verdict) => Err(self.over(verdict)),
        }
    }

    /// What work that all ranks share has come to. An error that the numbers are to blame for is
    /// one of all ranks. Any other may be one of this rank alone, and then ends all of them.
    pub(crate) fn of_all<T>(&self, result: Result<T, nn::Error>) -> Result<T, nn::Error> {
        match result {
            Err(nn::Error::Diverged { .. } | nn::Error::Overflow { .. }) | Ok(_) => result,
            Err(error) if self.is_alone() => Err(error),
            Err(error) => self.lost(&error),
        }
    }

    /// Ends all ranks, because this one cannot do what they wait for.
    pub(crate) fn lost(&self, why: &dyn Display) -> ! {
        let (rank, host) = (self.link.rank(), self.link.host());
        let why = one_line(&why.to_string());
        let _ = writeln!(io::stderr(), "error: rank {rank} on {host}: {why}; all ranks end");
        self.link.abort()
    }

    /// As long as it lives, a panic ends all ranks.
    pub(crate) fn guard(&self) -> impl Drop {
        struct Guard<'a>(&'a Ranks);
        impl Drop for Guard<'_> {
            fn drop(&mut self) {
                if thread::panicking() && !self.0.is_alone() {
                    self.0.lost(&"it has panicked, a bug in this program");
                }
            }
        }
        Guard(self)
    }

    /// The last thing that a rank does.
    pub(crate) fn leave(&self) {
        self.link.leave();
    }
}
