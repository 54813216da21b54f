//! Signals: the first one saves the run and says how to go on, the second one ends the
//! process at once.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;

use crate::runs::{End, Process, check_same, stoppable, summary};
use crate::{data, metrics, names, succeed};

/// A run that takes long enough to be stopped: some hundred steps an epoch.
const RUN: &str = "--hidden 24 --dropout 0.2 --schedule constant --batch-size 3 --epochs 4";

/// The command that a stopped run prints, which is a line of its own: a user may copy it
/// whole.
fn stopped<'a>(end: &'a End, code: i32, signal: &str) -> &'a str {
    assert_eq!(end.status.code(), Some(code), "{end:?}");
    let mut lines = end.stderr.lines().rev();
    let command = lines.next().unwrap_or_default();
    assert_eq!(lines.next(), Some("next: go on with it"), "{end:?}");
    let line = lines.next().unwrap_or_default();
    let start = format!("stopped: by {signal} after step ");
    assert!(line.starts_with(&start), "{end:?}");
    assert!(command.starts_with("  ") && command.contains(" --resume "), "{end:?}");
    command
}

/// Runs a line as a user who has pasted it into a shell.
fn paste(dir: &Path, line: &str) {
    let output = Command::new("bash").current_dir(dir).args(["-c", line]).output().unwrap();
    assert!(output.status.success(), "{line}: {output:?}");
}

/// Checks the files of a run that was stopped, and that they fit each other.
fn check_files(run: &Path) {
    assert_eq!(
        names(run),
        [
            "checkpoint.safetensors",
            "config.toml",
            "metrics.jsonl",
            "model.safetensors",
            "summary.json"
        ]
    );
    let found = summary(run);
    assert_eq!((&found["status"], &found["ended"]), (&"stopped".into(), &"signal".into()));
    assert!(found["test_accuracy"].is_null(), "{found}");
    // A share of each layer's weights.
    let [sparsity, layers] = ["sparsity", "layers"].map(|key| found[key].as_array().unwrap());
    assert_eq!(sparsity.len(), layers.len() - 1, "{found}");
    assert!(sparsity.iter().all(|share| (0.0..1.0).contains(&share.as_f64().unwrap())), "{found}");
    let epochs = metrics(run).len();
    assert_eq!(found["epochs"], epochs);
    let saved = nn::Checkpoint::load(run.join("checkpoint.safetensors")).unwrap();
    assert_eq!(saved.history().epochs.len(), epochs);
    nn::Mlp::load(run.join("model.safetensors")).unwrap();
}

/// Each signal, in the first epoch and later, with each kind of output; the printed command
/// continues the run.
#[test]
fn a_signal_saves_the_run_and_says_how_to_go_on() {
    let dir = data::folder();
    succeed(dir.path(), &format!("{RUN} --quiet --out whole"));
    let signals = [(Signal::INT, "SIGINT", 130), (Signal::TERM, "SIGTERM", 143)];
    let signals = signals.into_iter().chain([(Signal::HUP, "SIGHUP", 129)]);
    for (which, (signal, name, code)) in signals.enumerate() {
        for (lines, output) in [(0, ""), (1, "--quiet"), (2, "--json"), (1, "--json --quiet")] {
            let out = format!("run{which}-{lines}{}", output.len());
            let run = dir.path().join(&out);
            let mut process = Process::start(dir.path(), &format!("{RUN} {output} --out {out}"));
            // The first summary is the last file before the training.
            assert!(process.wait_until(|| run.join("summary.json").exists()));
            assert!(process.wait_for_lines(&out, lines));
            process.signal(signal);
            let end = process.end();
            let again = stopped(&end, code, name);
            // On stdout is the table, or nothing: `--json` is for a run that has ended.
            assert_eq!(end.stdout.is_empty(), !output.is_empty(), "{end:?}");
            if output.contains("--quiet") || output.is_empty() {
                let mut lines = end.stderr.lines().filter(|line| !line.starts_with("note: "));
                assert_eq!(lines.by_ref().count(), 3, "{end:?}");
            }
            assert!(end.stderr.contains(&format!("; saved in {out}\n")), "{end:?}");
            check_files(&run);
            paste(dir.path(), &format!("{again} --quiet"));
            check_same(&run, &dir.path().join("whole"), &out);
        }
    }
}

/// A run is stopped and continued again and again, with a name that a shell reads otherwise.
#[test]
fn a_run_may_be_stopped_as_often_as_one_likes() {
    let dir = data::folder();
    let flags = "--hidden 24 --batch-size 3 --average 0.9 --schedule constant --epochs 6";
    succeed(dir.path(), &format!("{flags} --quiet --out whole"));
    let run = dir.path().join("it's my run");
    let mut line = format!(r#"{} {flags} --out "it's my run""#, env!("CARGO_BIN_EXE_trainer"));
    for lines in 1..=5 {
        let mut shell = stoppable("bash");
        // Without a shell in between, which would get the signal.
        shell.args(["-c", &format!("exec {line}")]);
        let mut process = Process::spawn(dir.path(), shell);
        assert!(process.wait_for_lines("it's my run", lines), "{lines}");
        process.signal(Signal::INT);
        line = stopped(&process.end(), 130, "SIGINT").to_owned();
        check_files(&run);
        assert!(metrics(&run).len() >= lines);
    }
    paste(dir.path(), &line);
    check_same(&run, &dir.path().join("whole"), "stopped five times");
}

/// The scalar path has bits of its own, so the command that goes on names it.
#[test]
fn a_run_on_the_scalar_path_goes_on_there() {
    let dir = data::folder();
    let mut command = stoppable(env!("CARGO_BIN_EXE_trainer"));
    command.args(RUN.replace("--epochs 4", "--epochs 5000").split_whitespace());
    command.args(["--quiet", "--out", "run"]);
    // `Process` removes the variable that the tests were started with.
    let mut shell = stoppable("env");
    shell.arg("KERNELS_ISA=scalar").arg(command.get_program()).args(command.get_args());
    let mut process = Process::spawn(dir.path(), shell);
    assert!(process.wait_for_lines("run", 1));
    process.signal(Signal::INT);
    let end = process.end();
    let line = stopped(&end, 130, "SIGINT");
    assert!(line.starts_with("  KERNELS_ISA=scalar "), "{end:?}");
    let epochs = metrics(&dir.path().join("run")).len() + 1;
    paste(dir.path(), &format!("{line} --epochs {epochs} --quiet"));
    assert_eq!(summary(&dir.path().join("run"))["isa"], "scalar");
}

/// The second signal does not wait for the saving, which takes long for a large network.
#[test]
fn a_second_signal_ends_the_process_at_once() {
    let dir = data::folder();
    let flags = "--hidden 700,700 --dropout 0.2 --schedule constant --epochs 5 --quiet \
                 --checkpoint-every 1";
    succeed(dir.path(), &format!("{flags} --out whole"));
    let mut at_once = 0;
    for (which, (first, second, codes)) in [
        (Signal::INT, Signal::INT, [130, 130]),
        (Signal::TERM, Signal::TERM, [143, 143]),
        // Of two signals that wait for a process, the system may bring either one first.
        (Signal::INT, Signal::TERM, [143, 130]),
        (Signal::HUP, Signal::INT, [130, 129]),
    ]
    .into_iter()
    .enumerate()
    {
        let out = format!("run{which}");
        let run = dir.path().join(&out);
        let mut process = Process::start(dir.path(), &format!("{flags} --out {out}"));
        assert!(process.wait_for_lines(&out, 2));
        process.signal(first);
        // Two equal ones that wait are one, so perhaps a third is needed.
        while process.is_running() {
            process.signal(second);
        }
        let end = process.end();
        if end.stderr.is_empty() {
            assert!(codes.map(Some).contains(&end.status.code()), "{end:?}");
            at_once += 1;
        }
        // Whatever is there is whole, and enough.
        if summary(&run)["status"] != "done" {
            succeed(dir.path(), &format!("--resume {out} --quiet"));
        }
        check_same(&run, &dir.path().join("whole"), &out);
    }
    assert!(at_once > 0);
}

/// Validation and testing are no steps, so a signal waits for their end.
#[test]
fn a_signal_during_validation() {
    let dir = data::folder();
    // Nine tenths are held out, and two steps an epoch take no time beside them.
    let flags = "--hidden 500,500 --validation 0.9 --batch-size 15 --epochs 60 --schedule constant \
                 --quiet";
    succeed(dir.path(), &format!("{flags} --out whole"));
    let mut process = Process::start(dir.path(), &format!("{flags} --out run"));
    assert!(process.wait_for_lines("run", 3));
    process.signal(Signal::TERM);
    stopped(&process.end(), 143, "SIGTERM");
    check_files(&dir.path().join("run"));
    succeed(dir.path(), "--resume run --quiet");
    check_same(&dir.path().join("run"), &dir.path().join("whole"), "in validation");
}

/// A run that `nohup` started outlives its terminal, and still stops for other signals.
#[cfg(target_os = "linux")]
#[test]
fn what_nohup_ignores_stays_ignored() {
    let dir = data::folder();
    let mut command = Command::new("nohup");
    command.arg(env!("CARGO_BIN_EXE_trainer"));
    command.args(RUN.replace("--epochs 4", "--epochs 5000").split_whitespace());
    command.args(["--quiet", "--out", "run"]);
    let mut process = Process::spawn(dir.path(), command);
    assert!(process.wait_for_lines("run", 1));
    process.signal(Signal::HUP);
    process.signal(Signal::HUP);
    let lines = metrics(&dir.path().join("run")).len();
    // It trains on.
    assert!(process.wait_for_lines("run", lines + 2));
    process.signal(Signal::TERM);
    let end = process.end();
    assert_eq!(end.status.code(), Some(143), "{end:?}");
    check_files(&dir.path().join("run"));
}

/// No file of a run is seen half written, at whatever time it is read.
#[test]
fn a_reader_of_the_files_sees_whole_ones_all_the_time() {
    let dir = data::folder();
    let run = dir.path().join("run");
    let flags = format!("{RUN} --quiet --checkpoint-every 1 --out run");
    let mut process = Process::start(dir.path(), &flags);
    let mut seen = 0;
    while process.is_running() {
        if let Ok(bytes) = fs::read(run.join("model.safetensors")) {
            nn::Mlp::from_bytes(&bytes).unwrap();
            seen += 1;
        }
        if let Ok(bytes) = fs::read(run.join("checkpoint.safetensors")) {
            nn::Checkpoint::from_bytes(&bytes).unwrap();
        }
        if let Ok(bytes) = fs::read(run.join("summary.json")) {
            serde_json::from_slice::<serde_json::Value>(&bytes).unwrap();
        }
    }
    assert!(seen > 0);
    assert!(process.end().status.success());
}
