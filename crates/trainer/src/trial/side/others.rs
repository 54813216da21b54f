//! Jobs on other ranks. Each of them reports to rank 0, and waits for its answer: while it has
//! room for a job, when something has happened, and otherwise after a while, so that it hears
//! soon when it is to leave its jobs. One that is idle is answered once there is a job.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;

use serde::{Deserialize, Serialize};

use super::crew::{self, Message, Next};
use super::{Event, Job, Size, TICK, Trained, Training, parcel};
use crate::error::{Error, one_line};
use crate::pool::Pool;
use crate::ranks::Post;
use crate::trial::{Figures, Leave, Reached};

/// What a rank tells rank 0. The parts of the message are the states of the jobs in `ended`.
#[derive(Serialize, Deserialize)]
struct Report<J> {
    /// It has nothing to do, and waits for jobs of any size.
    idle: bool,
    /// How many jobs more it can take.
    room: usize,
    /// An epoch of each has ended.
    epochs: Vec<J>,
    ended: Vec<(J, End)>,
}

/// How a job ended.
#[derive(Serialize, Deserialize)]
enum End {
    Reached(Figures),
    Left,
    /// The exit code and the line of an error.
    Failed(u8, String),
}

/// What rank 0 answers. The parts of the message are what `jobs` go on from.
#[derive(Serialize, Deserialize)]
struct Answer<J> {
    /// Of the jobs, for a rank that was idle.
    size: Option<Size>,
    jobs: Vec<J>,
    /// Whether there are more.
    more: bool,
    /// Whether jobs are to be left.
    leaves: bool,
    /// There will be no more jobs at all.
    is_last: bool,
}

/// The other ranks, as rank 0 sees them.
pub(crate) struct Others<'a> {
    post: &'a dyn Post,
    /// From rank 1 on.
    ranks: Vec<Other>,
}

#[derive(Clone, Default)]
struct Other {
    /// It is to be answered when there are jobs.
    is_idle: bool,
    /// The jobs that it has.
    jobs: usize,
}

impl<'a> Others<'a> {
    pub(crate) fn new(post: &'a dyn Post) -> Self {
        Self { post, ranks: vec![Other::default(); post.others()] }
    }

    pub(crate) fn count(&self) -> usize {
        self.ranks.len()
    }

    pub(super) fn have_jobs(&self) -> bool {
        self.ranks.iter().any(|rank| rank.jobs > 0)
    }

    /// Answers the messages that have come, and those that are idle if there are jobs. Gives what
    /// has happened since.
    pub(super) fn serve<J: Job>(
        &mut self,
        size: Size,
        take: &dyn Fn() -> Option<Next<J>>,
        leave: Leave<'_>,
    ) -> Vec<Message<J>> {
        let mut messages = Vec::new();
        // At most one of each, so that what has happened is soon written down.
        for _ in 0..self.ranks.len() {
            let Some((rank, bytes)) = self.post.take() else { break };
            let Some(room) = self.read(rank, &bytes, &mut messages) else { continue };
            // What has failed here is known to `leave` once it is told.
            let failed = messages.iter().any(|message| matches!(message, Message::Failed(..)));
            let leaves = failed || leave();
            let room = if leaves { 0 } else { room };
            let jobs: Vec<_> = std::iter::from_fn(take).take(room).collect();
            let more = !leaves && jobs.len() == room;
            self.answer(rank, (None, jobs, more, leaves), &mut messages);
        }
        for rank in 1..=self.ranks.len() {
            if !self.ranks[rank - 1].is_idle {
                continue;
            }
            let Some(job) = take() else { break };
            self.ranks[rank - 1].is_idle = false;
            self.answer(rank, (Some(size), vec![job], true, false), &mut messages);
        }
        messages
    }

    /// Reads a report, and notes what has happened. Gives the room for jobs of a rank that is to be
    /// answered at once.
    fn read<J: Job>(
        &mut self,
        rank: usize,
        bytes: &[u8],
        messages: &mut Vec<Message<J>>,
    ) -> Option<usize> {
        let (report, states) = parcel::unpack::<Report<J>>(bytes).expect("another rank wrote it");
        let Report { idle, room, epochs, ended } = report;
        self.ranks[rank - 1].jobs -= ended.len();
        messages.extend(epochs.into_iter().map(|job| Message::Event(Event::Epoch(job))));
        messages.extend(ended.into_iter().zip(states).map(|((job, end), state)| match end {
            End::Reached(figures) => {
                Message::Event(Event::Ended(job, Some(Reached { figures, state })))
            }
            End::Left => Message::Event(Event::Ended(job, None)),
            End::Failed(code, message) => Message::Failed(job, Error::Ranks { message, code }),
        }));
        self.ranks[rank - 1].is_idle = idle;
        (!idle).then_some(room)
    }

    fn answer<J: Job>(
        &mut self,
        rank: usize,
        (size, jobs, more, leaves): (Option<Size>, Vec<Next<J>>, bool, bool),
        messages: &mut Vec<Message<J>>,
    ) {
        self.ranks[rank - 1].jobs += jobs.len();
        let (jobs, states): (Vec<J>, Vec<_>) = jobs.into_iter().unzip();
        messages.extend(jobs.iter().map(|job| Message::Event(Event::Begun(*job))));
        let answer = Answer { size, jobs, more, leaves, is_last: false };
        self.post.send(rank, &parcel::pack(&answer, &states));
    }

    /// Tells the others that there are no more jobs. None of them has one.
    pub(crate) fn dismiss(self) {
        let answer =
            Answer::<()> { size: None, jobs: Vec::new(), more: false, leaves: true, is_last: true };
        let bytes = parcel::pack(&answer, &[]);
        let send = |rank: usize| self.post.send(rank, &bytes);
        let idle = |(at, rank): (usize, &Other)| rank.is_idle.then_some(at + 1);
        self.ranks.iter().enumerate().filter_map(idle).for_each(send);
        // These are about to ask.
        let asking = self.ranks.iter().filter(|rank| !rank.is_idle).count();
        (0..asking).for_each(|_| send(self.post.wait().0));
    }
}

/// Does jobs of rank 0, each on some of the threads of `pool`, until there are no more. What goes
/// wrong is rank 0's to say.
pub(crate) fn follow<J: Job>(
    post: &dyn Post,
    pool: &Pool,
    work: impl Fn(Training<'_, J>) -> Trained + Sync,
) {
    loop {
        let idle = Report { idle: true, room: 0, epochs: Vec::new(), ended: Vec::new() };
        let (answer, states) = ask(post, &idle, &[]);
        let Some(size) = answer.size.filter(|_| !answer.is_last) else { return };
        let is_last = match size.pools(pool) {
            Ok(pools) => Follower { post, pools: &pools }.work(answer, states, &work),
            Err(error) => {
                let end = |job: J| (job, failure(post, &error));
                let ended: Vec<_> = answer.jobs.into_iter().map(end).collect();
                let none = vec![None; ended.len()];
                let report = Report { idle: false, room: 0, epochs: Vec::new(), ended };
                ask(post, &report, &none).0.is_last
            }
        };
        if is_last {
            return;
        }
    }
}

/// Sends a report, and gives the answer.
fn ask<J: Job>(
    post: &dyn Post,
    report: &Report<J>,
    states: &[Option<Vec<u8>>],
) -> (Answer<J>, Vec<Option<Vec<u8>>>) {
    post.send(0, &parcel::pack(report, states));
    parcel::unpack(&post.wait().1).expect("rank 0 wrote it")
}

fn failure(post: &dyn Post, error: &Error) -> End {
    End::Failed(error.code(), format!("{}: {}", post.name(), one_line(&error.to_string())))
}

/// A rank that has jobs.
struct Follower<'a> {
    post: &'a dyn Post,
    pools: &'a [Pool],
}

impl Follower<'_> {
    /// Does jobs of one size. Returns whether they were the last.
    fn work<J: Job>(
        &self,
        mut answer: Answer<J>,
        mut states: Vec<Option<Vec<u8>>>,
        work: &(impl Fn(Training<'_, J>) -> Trained + Sync),
    ) -> bool {
        let (queue, jobs) = mpsc::channel();
        let (jobs, leaves) = (Mutex::new(jobs), AtomicBool::new(false));
        let leave = || leaves.load(Ordering::Relaxed);
        // One thread waits for the next job, and others for their turn to wait.
        let take = || jobs.lock().ok()?.recv().ok();
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            crew::start(scope, self.pools, (&take, &leave, &leaves), work, &sender);
            // The end of the queue is the end of the threads.
            let queue = queue;
            let (mut has, mut more) = (0, true);
            loop {
                leaves.fetch_or(answer.leaves, Ordering::Relaxed);
                has += answer.jobs.len();
                // What comes later may be jobs of another size.
                more &= answer.more;
                answer.jobs.into_iter().zip(states).for_each(|next| drop(queue.send(next)));
                if answer.is_last || (has == 0 && !more) {
                    return answer.is_last;
                }
                let is_full = !more || has == self.pools.len();
                let first = if is_full {
                    receiver.recv_timeout(TICK).ok()
                } else {
                    receiver.try_recv().ok()
                };
                let (mut report, found) = self.report(first.into_iter().chain(receiver.try_iter()));
                has -= report.ended.len();
                report.room = if more { self.pools.len() - has } else { 0 };
                (answer, states) = ask(self.post, &report, &found);
            }
        })
    }

    fn report<J: Job>(
        &self,
        messages: impl Iterator<Item = Message<J>>,
    ) -> (Report<J>, Vec<Option<Vec<u8>>>) {
        let mut states = Vec::new();
        let mut report = Report { idle: false, room: 0, epochs: Vec::new(), ended: Vec::new() };
        for message in messages {
            let (job, end) = match message {
                Message::Event(Event::Ended(job, reached)) => {
                    let (figures, state) =
                        reached.map(|reached| (reached.figures, reached.state)).unzip();
                    states.push(state.flatten());
                    (job, figures.map_or(End::Left, End::Reached))
                }
                Message::Failed(job, error) => {
                    states.push(None);
                    (job, failure(self.post, &error))
                }
                Message::Event(Event::Epoch(job)) => {
                    report.epochs.push(job);
                    continue;
                }
                Message::Event(Event::Begun(_) | Event::Tick) => continue,
                // Its job would have no end.
                Message::Gone { panics } => {
                    assert!(!panics, "a thread of this rank has panicked");
                    continue;
                }
            };
            report.ended.push((job, end));
        }
        (report, states)
    }
}
