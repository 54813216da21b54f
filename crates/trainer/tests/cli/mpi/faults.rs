//! Ranks that are stopped or killed.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

use super::{ranks, shared};
use crate::runs::{End, Process, check_same, summary};
use crate::{data, metrics, succeed};

/// A run that does not end by itself, and is saved after each epoch.
const RUN: &str = "--hidden 208,96 --dropout 0.2 --average 0.9 --batch-size 5 --epochs 50000 \
                   --schedule constant --checkpoint-every 1 --quiet";

/// The line above the command that goes on.
pub(super) const NEXT: &str =
    "\nnext: go on with it (with mpirun before it, on several processes)\n  ";

pub(super) fn start(dir: &Path, count: usize, flags: &str) -> Process {
    Process::spawn(dir, ranks(dir, count, flags))
}

/// The processes that this mpirun has started, in the order of their ranks.
pub(super) fn processes(mpirun: u32) -> Vec<Pid> {
    let children = fs::read_to_string(format!("/proc/{mpirun}/task/{mpirun}/children")).unwrap();
    let ids = children.split_whitespace().map(|id| id.parse().unwrap());
    ids.map(|id| Pid::from_raw(id).unwrap()).collect()
}

/// None of them is left, or nobody has asked what became of it.
pub(super) fn wait_for_the_end_of(ranks: &[Pid]) {
    let runs = |rank: &Pid| {
        let stat = fs::read_to_string(format!("/proc/{}/stat", rank.as_raw_nonzero()));
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    };
    while ranks.iter().any(runs) {
        std::thread::yield_now();
    }
}

/// Goes on with what is there, or begins again, for two epochs more than it has, and compares it
/// with a run that was not disturbed.
fn go_on(dir: &Path, count: usize, case: &str) {
    let (run, whole) = (dir.join("run"), dir.join("whole"));
    let epochs = metrics(&run).len() + 2;
    let line = if run.join("checkpoint.safetensors").is_file() {
        format!("--resume run --epochs {epochs} --quiet")
    } else {
        fs::remove_dir_all(&run).unwrap();
        format!("{RUN} --epochs {epochs} --out run")
    };
    shared(dir, count, &line);
    succeed(dir, &format!("{RUN} --epochs {epochs} --out whole"));
    check_same(&run, &whole, case);
    fs::remove_dir_all(run).unwrap();
    fs::remove_dir_all(whole).unwrap();
}

fn pages(end: &End) -> usize {
    end.stderr.lines().filter(|line| line.starts_with("[") || line.contains("Backtrace")).count()
}

#[test]
fn a_rank_that_is_killed_ends_the_job_and_the_run_goes_on() {
    let dir = data::folder();
    for victim in [0, 1, 2] {
        let mut process = start(dir.path(), 3, &format!("{RUN} --out run"));
        assert!(process.wait_for_lines("run", 2));
        let ranks = processes(process.id());
        assert_eq!(ranks.len(), 3);
        kill_process(ranks[victim], Signal::KILL).unwrap();
        let end = process.end();
        assert!(!end.status.success(), "{end:?}");
        assert!(end.stderr.contains("exited on signal 9"), "{end:?}");
        assert_eq!(pages(&end), 0, "{end:?}");
        wait_for_the_end_of(&ranks);
        go_on(dir.path(), 2, "after a kill");
    }
}

/// mpirun sends its ranks SIGTERM, and SIGKILL a while later.
#[test]
fn a_signal_to_mpirun_saves_the_run() {
    let dir = data::folder();
    let slow = RUN.replace("--checkpoint-every 1", "--checkpoint-every none");
    for signal in [Signal::INT, Signal::TERM] {
        let mut process = start(dir.path(), 3, &format!("{slow} --out run"));
        assert!(process.wait_for_lines("run", 1));
        process.signal(signal);
        let end = process.end();
        assert!(!end.status.success(), "{end:?}");
        assert_eq!(end.stderr.matches("stopped: by SIGTERM after step ").count(), 1, "{end:?}");
        let run = dir.path().join("run");
        assert_eq!(summary(&run)["status"], "stopped");
        assert!(!metrics(&run).is_empty());
        go_on(dir.path(), 4, "after a signal");
    }
}

/// Rank 0 heeds signals, and the others follow it.
#[test]
fn a_signal_to_a_rank() {
    let dir = data::folder();
    let mut process = start(dir.path(), 3, &format!("{RUN} --out run"));
    assert!(process.wait_for_lines("run", 1));
    let ranks = processes(process.id());
    for signal in [Signal::TERM, Signal::INT, Signal::TERM] {
        kill_process(ranks[2], signal).unwrap();
        // It goes on.
        let lines = metrics(&dir.path().join("run")).len();
        assert!(process.wait_for_lines("run", lines + 2));
    }
    kill_process(ranks[0], Signal::TERM).unwrap();
    let end = process.end();
    assert_eq!(end.status.code(), Some(143), "{end:?}");
    assert_eq!(end.stderr.matches("stopped: by SIGTERM after step ").count(), 1, "{end:?}");
    assert_eq!(end.stderr.matches(NEXT).count(), 1, "{end:?}");
}

/// The process of rank 0 aborts at one moment of a save after the other.
#[cfg(debug_assertions)] // Other builds have no such moments.
#[test]
fn rank_0_ends_while_it_saves() {
    let dir = data::folder();
    let flags = "--hidden 96 --epochs 2 --checkpoint-every 1 --quiet --out run";
    succeed(dir.path(), &flags.replace("--out run", "--out whole"));
    for moment in [3, 14, 23, 40] {
        let mut command: Command = ranks(dir.path(), 2, flags);
        let end = super::output(command.env("NN_ABORT_AT", moment.to_string()));
        assert!(!end.status.success(), "moment {moment}: {end:?}");
        let run = dir.path().join("run");
        let saved = run.join("checkpoint.safetensors").is_file();
        let line = if saved { "--resume run --quiet" } else { flags };
        shared(dir.path(), 2, line);
        check_same(&run, &dir.path().join("whole"), &format!("moment {moment}"));
        fs::remove_dir_all(run).unwrap();
    }
}
