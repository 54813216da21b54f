//! Sweeps that are left and continued, beside sweeps that never were.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;

use super::halving::HALVING;
use super::{folder, log, table};
use crate::runs::Process;
use crate::{model, run_in, succeed};

/// Lines of the log.
pub(crate) fn lines(sweep: &std::path::Path) -> usize {
    let text = std::fs::read(sweep.join("trials.jsonl")).unwrap_or_default();
    text.iter().filter(|byte| **byte == b'\n').count()
}

/// A sweep that is killed goes on where it was, comes to the same table and repeats nothing.
#[test]
fn a_sweep_that_is_killed_goes_on() {
    let dir = folder(&HALVING.replace("validation = 0.25", "folds = 2"));
    let whole = table(&succeed(dir.path(), "sweep --config sweep.toml --csv --quiet --out whole"));
    // The first line, 14 + 6 + 2 trainings and two lines of those that go on.
    assert_eq!(lines(&dir.path().join("whole")), 25);
    for (count, threads) in [(1, 1), (5, 2), (16, 1), (18, 2), (23, 1)] {
        let out = format!("killed{count}");
        let path = dir.path().join(&out);
        let flags = format!("sweep --config sweep.toml --quiet --out {out} --threads {threads}");
        let mut process = Process::start(dir.path(), &flags);
        process.wait_until(|| lines(&path) >= count);
        process.kill();
        let before = lines(&path);
        // Half a line, as a process leaves that is killed while it writes.
        let mut file = OpenOptions::new().append(true).open(path.join("trials.jsonl")).unwrap();
        file.write_all(b"{\"trial\":{\"trial\":1,\"fo").unwrap();
        drop(file);
        let found = succeed(dir.path(), &format!("sweep --resume {out} --csv --quiet"));
        assert_eq!(table(&found), whole, "{out}");
        assert!(before >= count);
        let all = log(&path);
        let jobs = all.iter().filter_map(|line| line.get("trial"));
        let jobs = jobs.map(|job| format!("{} {} {}", job["trial"], job["fold"], job["rung"]));
        let jobs: Vec<String> = jobs.collect();
        let once: BTreeSet<&String> = jobs.iter().collect();
        assert_eq!((all.len(), jobs.len(), once.len()), (25, 22, 22), "{out}");
        assert!(model(&path.join("best")) == model(&dir.path().join("whole/best")), "{out}");
    }
    // One that has ended says the same again, and trains nothing.
    let again = succeed(dir.path(), "sweep --resume whole --csv --quiet");
    assert_eq!(table(&again), whole);
    assert_eq!(lines(&dir.path().join("whole")), 25);
}

/// Ctrl-C says how to go on, in a line that can be pasted.
#[cfg(unix)]
#[test]
fn a_signal_stops_a_sweep() {
    let dir = folder(&HALVING.replace("trials = 7", "trials = 200"));
    let mut process = Process::start(dir.path(), "sweep --config sweep.toml --out tuned");
    let path = dir.path().join("tuned");
    assert!(process.wait_until(|| lines(&path) >= 3));
    process.signal(rustix::process::Signal::INT);
    let end = process.end();
    assert_eq!(end.status.code(), Some(130), "{end:?}");
    assert!(end.stdout.is_empty(), "{end:?}");
    assert!(end.stderr.contains("\nstopped: by SIGINT after "), "{end:?}");
    assert!(end.stderr.contains(" of 200 trials, in rung 1 of 3; saved in tuned\n"), "{end:?}");
    assert!(end.stderr.ends_with(" sweep --resume tuned\n"), "{end:?}");
    succeed(dir.path(), "sweep --resume tuned --quiet --no-refit");
    assert!(path.join("best.toml").is_file());
}

#[test]
fn what_does_not_fit_is_refused() {
    let dir = folder(HALVING);
    succeed(dir.path(), "sweep --config sweep.toml --quiet --no-refit --out tuned");
    let refused = |flags: &str, code: i32, expected: &str| {
        let output = run_in(dir.path(), flags);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{flags}: {error}");
        assert!(error.starts_with("error: ") && error.contains(expected), "{flags}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    };
    refused("sweep --resume data", 1, "there is no sweep in it");
    refused("sweep --config sweep.toml --out tuned", 1, "there is a sweep: go on with ");
    refused("sweep --config sweep.toml --out data", 2, "which is no file of a run");
    refused("sweep --resume tuned --epochs 3", 2, "leave the flags of settings out");
    refused("sweep", 2, "--config <FILE>");
    let path = dir.path().join("tuned/sweep.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("seed = 1", "seed = 2")).unwrap();
    refused("sweep --resume tuned", 1, "has other settings than tuned/sweep.toml gives it");
    std::fs::write(&path, text).unwrap();
    let base = dir.path().join("tuned/base.toml");
    let text = std::fs::read_to_string(&base).unwrap();
    std::fs::write(&base, format!("{text}# mine\n")).unwrap();
    refused("sweep --resume tuned", 1, "the sweep was begun with the base.toml with the checksum ");
    std::fs::write(&base, text).unwrap();
    let images = dir.path().join("data/train-images-idx3-ubyte");
    let mut bytes = std::fs::read(&images).unwrap();
    bytes[400] ^= 1;
    std::fs::write(&images, bytes).unwrap();
    refused("sweep --resume tuned", 1, "the sweep was begun with the data with the checksum ");
}

/// Where a script finds the sweep.
#[test]
fn a_quiet_sweep_prints_its_directory() {
    let dir = folder(HALVING);
    let found = succeed(dir.path(), "sweep --config sweep.toml --quiet --no-refit");
    let path = found.strip_suffix('\n').unwrap();
    assert!(path.starts_with("runs/sweep-") && !path.contains('\n'), "{found}");
    assert!(dir.path().join(path).join("best.toml").is_file());
    let again = succeed(dir.path(), &format!("sweep --resume {path} --quiet --no-refit"));
    assert_eq!(again, found);
}

/// A state that is damaged is named; one that is not there is made again.
#[test]
fn a_damaged_state_is_named() {
    let dir = folder(HALVING);
    let flags = "--quiet --no-refit --threads 1";
    let whole = table(&succeed(
        dir.path(),
        &format!("sweep --config sweep.toml --csv --out tuned {flags}"),
    ));
    // After the trials of the first rung and the line that says which go on.
    let path = dir.path().join("tuned/trials.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let begun: String = text.split_inclusive('\n').take(9).collect();
    assert!(begun.lines().last().unwrap().contains("promoted"), "{begun}");
    std::fs::write(&path, &begun).unwrap();
    let states = dir.path().join("tuned/states");
    std::fs::create_dir(&states).unwrap();
    for trial in 1..=7 {
        std::fs::write(states.join(format!("{trial}-1.safetensors")), "").unwrap();
    }
    let resume = format!("sweep --resume tuned --csv {flags}");
    let output = run_in(dir.path(), &resume);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    let (file, reason) = error.split_once(".safetensors: ").unwrap();
    assert!(file.starts_with("error: tuned/states/"), "{error}");
    assert_eq!(
        reason,
        "it is empty, expected a safetensors file; a trial goes on from it: remove the file, and the \
         trial begins again\n"
    );
    std::fs::remove_dir_all(&states).unwrap();
    assert_eq!(table(&succeed(dir.path(), &resume)), whole);
}
