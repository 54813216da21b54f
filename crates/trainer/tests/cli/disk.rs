//! Disks that are full or read-only, and directories that go away while a run trains: the
//! run goes on, what was saved stays whole, and nothing is lost that could be written.
//!
//! Full disks are small file systems in memory, which only root may mount; without that
//! right these tests say so and do nothing. A limit on the size of files, which any user
//! may set, stands for them elsewhere.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use nn::{Checkpoint, Mlp};
use rustix::process::Signal;
use serde_json::Value;

use crate::runs::{End, Process, check_same, read, summary};
use crate::{data, metrics, names, succeed};

/// A run that is saved after each epoch: a model of 75 kB, a checkpoint of 230 kB, and
/// metrics of more than one page, the unit in which a file system in memory is full.
const RUN: &str = "--hidden 24 --schedule constant --batch-size 3 --epochs 40 \
                   --checkpoint-every 1";

/// Something that was mounted, until this value goes.
struct Mount {
    path: PathBuf,
}

impl Mount {
    fn new(path: &Path, words: &[&str]) -> Option<Self> {
        fs::create_dir_all(path).unwrap();
        let output = Command::new("mount").args(words).arg(path).output().unwrap();
        if !output.status.success() {
            println!("skipped, for nothing can be mounted: {output:?}");
            return None;
        }
        Some(Self { path: path.to_owned() })
    }

    /// A file system in memory with so many bytes.
    fn memory(path: &Path, bytes: usize) -> Option<Self> {
        Self::new(path, &["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"])
    }

    /// What is at `path`, read-only.
    fn read_only(path: &Path) -> Option<Self> {
        let mount = Self::new(path, &["--bind", path.to_str().unwrap()])?;
        // It is refused for as long as a file below it is open for writing.
        for _ in 0..1000 {
            let mut command = Command::new("mount");
            let output = command.args(["-o", "remount,ro,bind"]).arg(path).output().unwrap();
            if output.status.success() {
                return Some(mount);
            }
        }
        panic!("{} stays busy", path.display());
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let mut file = File::options().create(true).append(true).open(self.filler()).unwrap();
        for len in [65536, 4096, 1] {
            while file.write_all(&vec![1; len]).is_ok() {}
        }
    }

    fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.path.join("filler")
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

/// Checks that the process has ended with exit code 1 and an error that begins so, after
/// `warnings` warnings.
fn check_failed(end: &End, error: &str, warnings: usize) {
    let lines: Vec<_> = end.stderr.lines().collect();
    let (last, first) = lines.split_last().unwrap_or_else(|| panic!("{end:?}"));
    assert!(last.starts_with(&format!("error: {error}")), "{end:?}");
    assert_eq!(first.len(), warnings, "{end:?}");
    for line in first {
        let right = line.starts_with("warning: cannot write ");
        assert!(right && line.ends_with("; the training goes on"), "{end:?}");
    }
    assert_eq!(end.status.code(), Some(1), "{end:?}");
}

/// Checks that what a run has left is whole. Returns the epochs of its checkpoint.
fn check_whole(run: &Path) -> usize {
    assert!(names(run).iter().all(|name| !nn::files::is_part(name)), "{:?}", names(run));
    check_files(run)
}

/// As [`check_whole`], for a directory from which nothing can be removed.
fn check_files(run: &Path) -> usize {
    Mlp::load(run.join("model.safetensors")).unwrap();
    let text = String::from_utf8(read(&run.join("metrics.jsonl"))).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "half a line: {text}");
    metrics(run);
    Checkpoint::load(run.join("checkpoint.safetensors")).unwrap().history().epochs.len()
}

/// A run in a file system that is full from the third epoch on.
fn in_a_full_disk(dir: &Path, line: &str) -> Option<(Mount, Process)> {
    let disk = Mount::memory(&dir.join("disk"), 1 << 20)?;
    let mut process = Process::start(dir, &format!("{line} --out disk/run"));
    for lines in [2, 4, 6] {
        assert!(process.wait_for_lines("disk/run", lines));
        // Again, because the program gives room back when it cannot write a file.
        disk.fill();
    }
    Some((disk, process))
}

#[test]
fn a_disk_that_is_full_until_the_end() {
    let dir = data::folder();
    succeed(dir.path(), &format!("{RUN} --quiet --out whole"));
    let Some((disk, process)) = in_a_full_disk(dir.path(), RUN) else { return };
    let end = process.end();
    check_failed(&end, "cannot write disk/run/", 1);
    assert!(end.stderr.contains("; to go on once it can be written: "), "{end:?}");
    // What the run was for is not lost.
    assert!(end.stdout.contains("\ntest accuracy  "), "{end:?}");
    let run = dir.path().join("disk/run");
    let saved = check_whole(&run);
    assert!((1..40).contains(&saved), "{saved}");
    // A page of metrics was full in the middle of a line.
    assert!((6..40).contains(&metrics(&run).len()));

    disk.free();
    let resume = end.stderr.trim_end().rsplit_once("written: ").unwrap().1;
    let output = Command::new("bash").current_dir(dir.path()).args(["-c", resume]).output();
    assert!(output.unwrap().status.success(), "{resume}");
    check_same(&run, &dir.path().join("whole"), "with room again");
}

#[test]
fn a_disk_that_has_room_again() {
    let dir = data::folder();
    succeed(dir.path(), &format!("{RUN} --quiet --out whole"));
    let line = format!("{RUN} --quiet");
    let Some((disk, mut process)) = in_a_full_disk(dir.path(), &line) else { return };
    assert!(process.wait_for_lines("disk/run", 8));
    assert!(check_whole(&dir.path().join("disk/run")) < 8);
    disk.free();
    let end = process.end();
    assert!(end.status.success(), "{end:?}");
    assert_eq!(end.stderr.lines().count(), 1, "{end:?}");
    assert!(end.stderr.starts_with("warning: cannot write disk/run/"), "{end:?}");
    check_same(&dir.path().join("disk/run"), &dir.path().join("whole"), "room came back");
}

#[test]
fn a_run_that_is_stopped_while_the_disk_is_full() {
    let dir = data::folder();
    succeed(dir.path(), &format!("{RUN} --quiet --out whole"));
    let line = format!("{RUN} --quiet");
    let Some((disk, process)) = in_a_full_disk(dir.path(), &line) else { return };
    process.signal(Signal::TERM);
    check_failed(&process.end(), "cannot write disk/run/", 1);
    check_whole(&dir.path().join("disk/run"));
    disk.free();
    succeed(dir.path(), "--resume disk/run --quiet");
    check_same(&dir.path().join("disk/run"), &dir.path().join("whole"), "stopped");
}

/// Where nothing can be written, a run does not begin, and leaves nothing.
#[test]
fn a_disk_that_is_full_from_the_start() {
    let dir = data::folder();
    let Some(disk) = Mount::memory(&dir.path().join("disk"), 1 << 16) else { return };
    disk.fill();
    let end = Process::start(dir.path(), &format!("{RUN} --out disk/run")).end();
    check_failed(&end, "the run needs about ", 0);
    assert!(end.stdout.is_empty(), "{end:?}");
    assert_eq!(names(&dir.path().join("disk")), ["filler"]);

    // A run that is continued keeps what it has.
    disk.free();
    drop(disk);
    succeed(dir.path(), &format!("{RUN} --epochs 3 --quiet --out whole"));
    let disk = Mount::memory(&dir.path().join("disk"), 1 << 20).unwrap();
    succeed(dir.path(), &format!("{RUN} --epochs 2 --quiet --out disk/run"));
    let run = dir.path().join("disk/run");
    let before = ["metrics.jsonl", "checkpoint.safetensors"].map(|name| read(&run.join(name)));
    disk.fill();
    let end = Process::start(dir.path(), "--resume disk/run --epochs 3 --quiet").end();
    check_failed(&end, "cannot write disk/run/config.toml: ", 0);
    let after = ["metrics.jsonl", "checkpoint.safetensors"].map(|name| read(&run.join(name)));
    assert!(before == after);
    assert_eq!(check_whole(&run), 2);
    disk.free();
    succeed(dir.path(), "--resume disk/run --epochs 3 --quiet");
    check_same(&run, &dir.path().join("whole"), "continued with room");
}

/// A failure of the metrics alone is not forgotten because all else is written.
#[test]
fn metrics_alone_that_cannot_be_written() {
    let dir = data::folder();
    let path = dir.path();
    let Some(disk) = Mount::memory(&path.join("disk"), 1 << 16) else { return };
    succeed(path, &format!("{RUN} --quiet --out whole"));
    fs::create_dir(path.join("run")).unwrap();
    std::os::unix::fs::symlink("../disk/metrics.jsonl", path.join("run/metrics.jsonl")).unwrap();
    File::create(path.join("disk/metrics.jsonl")).unwrap();
    disk.fill();
    let end = Process::start(path, &format!("{RUN} --quiet --out run")).end();
    check_failed(&end, "cannot write run/metrics.jsonl: No space left on device", 1);
    let run = path.join("run");
    assert_eq!(check_whole(&run), 40);
    assert_eq!(summary(&run)["status"], "stopped");
    disk.free();
    // Nothing has to be trained again.
    succeed(path, "--resume run --quiet");
    check_same(&run, &path.join("whole"), "metrics");
}

/// Runs a line in a shell that limits the size of files, in units of 1024 bytes.
fn limited(dir: &Path, limit: usize, line: &str) -> End {
    let mut shell = Command::new("bash");
    let program = env!("CARGO_BIN_EXE_trainer");
    shell.args(["-c", &format!("ulimit -f {limit}; exec '{program}' {line}")]);
    Process::spawn(dir, shell).end()
}

/// A limit on the size of files, which ends other programs by SIGXFSZ.
#[test]
fn files_that_are_too_large() {
    let dir = data::folder();
    let path = dir.path();
    let too_large = |name: &str| format!("cannot write run/{name}: File too large");

    // What cannot be written is known before: nothing stays.
    let end = limited(path, 0, "--epochs 2 --out run");
    check_failed(&end, "a file of the run would have about ", 0);
    assert!(!path.join("run").exists());

    // The checkpoint alone is too large, from the second process on.
    let flags = "--hidden 24 --schedule constant --checkpoint-every 1 --quiet";
    succeed(path, &format!("{flags} --epochs 4 --out whole"));
    succeed(path, &format!("{flags} --epochs 1 --out run"));
    let run = path.join("run");
    let checkpoint = read(&run.join("checkpoint.safetensors"));
    let end = limited(path, 100, "--resume run --epochs 4 --checkpoint-every 1 --json");
    check_failed_json(&end, &too_large("checkpoint.safetensors"));
    assert!(read(&run.join("checkpoint.safetensors")) == checkpoint);
    check_whole(&run);
    // The model needs no more room, so it is the last one.
    assert!(crate::model(&run) == crate::model(&path.join("whole")));
    assert_eq!(metrics(&run).len(), 4);
    succeed(path, "--resume run --epochs 4 --quiet");
    check_same(&run, &path.join("whole"), "without a limit");

    // Metrics that are longer than the limit are not written anew: they would be lost.
    succeed(path, "--hidden none --schedule constant --epochs 40 --quiet --out long");
    let metrics = path.join("long/metrics.jsonl");
    let before = read(&metrics);
    assert!(before.len() > 4 << 10);
    let end = limited(path, 4, "--resume long --epochs 41 --quiet");
    check_failed(&end, "cannot write long/", 1);
    assert!(read(&metrics) == before);
}

/// As for [`check_failed`]; the table is on stderr, and the summary on stdout.
fn check_failed_json(end: &End, error: &str) {
    assert_eq!(end.status.code(), Some(1), "{end:?}");
    let last = end.stderr.lines().last().unwrap();
    assert!(last.starts_with(&format!("error: {error}")), "{end:?}");
    assert_eq!(end.stderr.matches("warning: ").count(), 1, "{end:?}");
    let summary: Value = serde_json::from_str(&end.stdout).unwrap();
    assert_eq!(summary["status"], "stopped");
    assert!(summary["test_accuracy"].as_f64().is_some());
}

#[test]
fn a_directory_that_becomes_read_only() {
    let dir = data::folder();
    let path = dir.path();
    succeed(path, &format!("{RUN} --quiet --out whole"));
    let mut process = Process::start(path, &format!("{RUN} --quiet --out run"));
    assert!(process.wait_for_lines("run", 2));
    let run = path.join("run");
    let Some(mount) = Mount::read_only(&run) else { return };
    // The save after the first of these fails, for the mount was there before.
    let lines = metrics(&run).len() + 2;
    assert!(process.wait_for_lines("run", lines));
    process.signal(Signal::TERM);
    check_failed(&process.end(), "cannot write run/", 1);
    // A temporary file that it was writing cannot be removed; the next process does it.
    assert!(check_files(&run) < lines);
    let end = Process::start(path, "--resume run --quiet").end();
    check_failed(&end, "cannot write run/metrics.jsonl: Read-only file system", 0);
    drop(mount);
    succeed(path, "--resume run --quiet");
    check_same(&run, &path.join("whole"), "read-only");
}

/// A directory that is moved or removed is made again, with everything.
#[test]
fn a_directory_that_goes_away() {
    let dir = data::folder();
    let path = dir.path();
    succeed(path, &format!("{RUN} --quiet --out whole"));
    for (what, removed, made) in
        [("moved", false, false), ("removed", true, false), ("new and empty", true, true)]
    {
        let out = what.replace(' ', "-");
        let (run, gone) = (path.join(&out), path.join(format!("{out}-gone")));
        let mut process = Process::start(path, &format!("{RUN} --quiet --out {out}"));
        assert!(process.wait_for_lines(&out, 2));
        fs::rename(&run, &gone).unwrap();
        if made {
            fs::create_dir(&run).unwrap();
        }
        if removed {
            fs::remove_dir_all(&gone).unwrap();
        }
        let end = process.end();
        assert!(end.status.success() && end.stderr.is_empty(), "{what}: {end:?}");
        check_same(&run, &path.join("whole"), what);
        if !removed {
            // What it had is a run that can be continued.
            succeed(path, &format!("--resume {out}-gone --quiet"));
            check_same(&gone, &path.join("whole"), what);
        }
    }
}

/// A file or another run that has the name of the directory now is left alone.
#[test]
fn a_directory_whose_name_is_taken() {
    let dir = data::folder();
    let path = dir.path();
    succeed(path, &format!("{RUN} --quiet --out whole"));
    let (run, gone) = (path.join("run"), path.join("gone"));

    let mut process = Process::start(path, &format!("{RUN} --out run"));
    assert!(process.wait_for_lines("run", 2));
    fs::rename(&run, &gone).unwrap();
    fs::write(&run, "mine").unwrap();
    let end = process.end();
    check_failed(&end, "cannot write run/model.safetensors: Not a directory", 1);
    assert!(end.stdout.contains("\ntest accuracy  "), "{end:?}");
    // Nothing is there to go on with.
    assert!(!end.stderr.contains("--resume"), "{end:?}");
    assert_eq!(read(&run), b"mine");
    fs::remove_file(&run).unwrap();
    succeed(path, "--resume gone --quiet");
    check_same(&gone, &path.join("whole"), "a file");

    let other = "--hidden 12 --epochs 2 --quiet";
    succeed(path, &format!("{other} --out other"));
    let mut process = Process::start(path, &format!("{RUN} --quiet --out first"));
    assert!(process.wait_for_lines("first", 2));
    let moved = path.join("moved");
    fs::rename(path.join("first"), &moved).unwrap();
    // In one go, before the first run makes its directory again.
    fs::create_dir(path.join("second")).unwrap();
    for name in names(&path.join("other")) {
        fs::copy(path.join("other").join(&name), path.join("second").join(&name)).unwrap();
    }
    if fs::rename(path.join("second"), path.join("first")).is_ok() {
        let end = process.end();
        let taken = "cannot write first/model.safetensors: another directory has the name";
        check_failed(&end, taken, 1);
        // It would go on with the other run.
        assert!(!end.stderr.contains("--resume"), "{end:?}");
        check_same(&path.join("first"), &path.join("other"), "the other run");
        succeed(path, "--resume moved --quiet");
        check_same(&moved, &path.join("whole"), "another run");
    }
}

/// A result that cannot be printed is in the summary all the same.
#[test]
fn a_full_stdout_does_not_take_the_summary() {
    let Ok(full) = fs::File::options().write(true).open("/dev/full") else { return };
    let dir = data::folder();
    let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
    command.current_dir(dir.path()).stdout(full);
    let flags = "--recipe plain --epochs 1 --json --quiet --out run";
    let output = command.args(flags.split(' ')).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.starts_with("error: cannot write to stdout: "), "{error}");
    let summary = fs::read_to_string(dir.path().join("run/summary.json")).unwrap();
    assert!(summary.contains("\"status\": \"done\""), "{summary}");
}
