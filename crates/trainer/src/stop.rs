//! Signals: the first one asks the run to stop, the second one ends the process.

use std::fs;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::{process, thread};

#[cfg(not(windows))]
use signal_hook::iterator::Signals;
use signal_hook::{consts, flag};

use crate::error::Error;
use crate::ranks::Ranks;
use crate::terminal::Live;

/// The signals that stop a run, with their names.
const STOPPING: &[(i32, &str)] = &[
    (consts::SIGINT, "SIGINT"),
    (consts::SIGTERM, "SIGTERM"),
    #[cfg(unix)]
    (consts::SIGHUP, "SIGHUP"),
];

/// What a process adds to the number of the signal that ended it, as shells do.
const EXIT: i32 = 128;

/// A signal that asked the run to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signal(i32);

impl Signal {
    pub(crate) fn name(self) -> &'static str {
        STOPPING.iter().find(|row| row.0 == self.0).map_or("a signal", |row| row.1)
    }

    /// The exit code of a process that stopped for it.
    pub(crate) fn code(self) -> u8 {
        u8::try_from(EXIT + self.0).unwrap_or(u8::MAX)
    }
}

/// Whether a signal has asked the run to stop.
pub(crate) struct Stop {
    /// The number of the signal; 0 before one came.
    signal: Arc<AtomicUsize>,
}

impl Stop {
    /// From now on the first signal is only noted. A second one ends the process at once,
    /// with the exit code of that signal. What was ignored when the process began, as by
    /// `nohup`, still is.
    ///
    /// A file that grows beyond the limit on its size is an error of writing from now on,
    /// and no longer the end of the process.
    pub(crate) fn listen() -> io::Result<Self> {
        Self::new(true)
    }

    /// The same on rank 0. Another rank only notes all signals, for rank 0 decides when to stop,
    /// and cannot save the run without the others.
    pub(crate) fn listen_on(ranks: &Ranks) -> io::Result<Self> {
        Self::new(ranks.is_first())
    }

    fn new(ends: bool) -> io::Result<Self> {
        let stop = Self { signal: Arc::default() };
        let again = Arc::new(AtomicBool::new(false));
        for &(signal, _) in STOPPING.iter().filter(|(signal, _)| !is_ignored(*signal)) {
            if ends {
                // In this order: what the first signal sets ends the process at the second.
                flag::register_conditional_shutdown(signal, EXIT + signal, Arc::clone(&again))?;
                flag::register(signal, Arc::clone(&again))?;
            }
            flag::register_usize(signal, Arc::clone(&stop.signal), signal as usize)?;
        }
        #[cfg(unix)]
        flag::register(consts::SIGXFSZ, Arc::default())?;
        Ok(stop)
    }

    /// The signal that asked to stop, if one came.
    pub(crate) fn signal(&self) -> Option<Signal> {
        match self.signal.load(Ordering::Relaxed) {
            0 => None,
            signal => Some(Signal(signal as i32)),
        }
    }
}

/// Windows has no pipe that a signal could write to, so somebody has to look.
#[cfg(windows)]
struct Signals(Arc<AtomicUsize>);

#[cfg(windows)]
impl Signals {
    fn new(signals: impl IntoIterator<Item = i32>) -> io::Result<Self> {
        let found = Arc::default();
        for signal in signals {
            flag::register_usize(signal, Arc::clone(&found), signal as usize)?;
        }
        Ok(Self(found))
    }

    /// The signals that come, from the first on.
    fn forever(&mut self) -> impl Iterator<Item = i32> {
        std::iter::repeat_with(|| {
            thread::sleep(std::time::Duration::from_millis(50));
            self.0.swap(0, Ordering::Relaxed) as i32
        })
        .filter(|signal| *signal != 0)
    }
}

/// Signals that end the process at once, whatever it waits for, but not before it has tidied up.
pub(crate) struct Ending(Signals);

impl Ending {
    /// From now on signals wait for [`tidy`](Self::tidy). As with [`Stop::listen`], what was
    /// ignored still is, and a file that grows beyond the limit on its size is an error.
    pub(crate) fn listen() -> io::Result<Self> {
        let signals = STOPPING.iter().map(|(signal, _)| *signal);
        let signals = Signals::new(signals.filter(|signal| !is_ignored(*signal)))?;
        #[cfg(unix)]
        flag::register(consts::SIGXFSZ, Arc::default())?;
        Ok(Self(signals))
    }

    /// A signal ends the process after `tidy`.
    pub(crate) fn tidy(self, tidy: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.end(|signal| {
            tidy();
            let error = Error::Interrupted { signal };
            let _ = writeln!(io::stderr(), "{}: {error}", error.label());
            error.code()
        })
    }

    /// A signal ends the process, with the exit code that `last` gives.
    pub(crate) fn end(
        mut self,
        last: impl FnOnce(Signal) -> u8 + Send + 'static,
    ) -> io::Result<()> {
        let wait = move || {
            if let Some(signal) = self.0.forever().next().map(Signal) {
                process::exit(last(signal).into());
            }
        };
        thread::Builder::new().spawn(wait).map(drop)
    }
}

/// Takes what is drawn from the terminal as soon as a signal comes, and not after the current
/// step: a second one may end the process before that. While the process is stopped by Ctrl-Z,
/// the terminal belongs to the shell.
pub(crate) fn tidy(live: Live) -> io::Result<()> {
    let stopping = STOPPING.iter().map(|(signal, _)| *signal);
    #[cfg(unix)]
    let stopping = stopping.chain(has_job_control().then_some(consts::SIGTSTP));
    let mut signals = Signals::new(stopping.filter(|signal| !is_ignored(*signal)))?;
    let wait = move || {
        for signal in signals.forever() {
            #[cfg(unix)]
            if signal == consts::SIGTSTP {
                live.pause(|| {
                    let _ = signal_hook::low_level::emulate_default_handler(signal);
                });
                continue;
            }
            let _ = signal;
            live.close();
        }
    };
    thread::Builder::new().spawn(wait).map(drop)
}

/// Whether a shell that can continue this process has started it. Where there is none, the
/// system ignores Ctrl-Z, and so it must not be caught.
#[cfg(unix)]
fn has_job_control() -> bool {
    // Not by rustix: where the leader of a session or of a group is outside of this container,
    // the system says 0, for which rustix has no value.
    use nix::unistd::{Pid, getpgid, getpgrp, getppid, getsid};
    let parent = getppid();
    let session = getsid(None).ok();
    parent != Pid::from_raw(0)
        && session.is_some()
        && getsid(Some(parent)).ok() == session
        && getpgid(Some(parent)).is_ok_and(|group| group != getpgrp())
}

/// Whether the process was started with the signal ignored, as far as the system tells.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignores(&status, signal)
}

/// Reads `SigIgn` of proc(5)'s status file: a bit for each signal, from 1.
fn ignores(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals() {
        let status = "SigBlk:\t0000000000000001\nSigIgn:\t0000000000001001\n";
        assert!(ignores(status, 1) && ignores(status, 13));
        assert!(!ignores(status, 2) && !ignores(status, 15) && !ignores("", 1));
    }

    #[test]
    fn names_and_codes() {
        let named: Vec<_> = [2, 15].map(|n| (Signal(n).name(), Signal(n).code())).into();
        assert_eq!(named, [("SIGINT", 130), ("SIGTERM", 143)]);
    }
}
