//! Trials that the ranks share. What they come to is what one process comes to; which of them
//! trained a trial is nowhere to be seen.

use std::fs;
use std::path::Path;

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use super::faults::{NEXT, processes, start, wait_for_the_end_of};
use super::{launcher, output, ranks, said, shared};
use crate::crossval::figures;
use crate::runs::check_same;
use crate::sweep::left::lines;
use crate::sweep::{folder, table};
use crate::{data, json, names, succeed};

/// Some of these settings are refused, and some diverge.
const RANDOM: &str = "[sweep]
method = \"random\"
folds = 2
trials = 7
[base]
recipe = \"article\"
training.epochs = 2
training.early-stopping.patience = 1
network.activation = \"relu\"
[space]
training.lr = [0.01, 0.1, 1e30]
training.l2 = [0.0, 0.001]
network.hidden = [[4], [9, 5]]
";

/// The trials of the second and the third rung go on from what the one before has left.
const HALVING: &str = "[sweep]
method = \"halving\"
validation = 0.25
trials = 9
eta = 2
[base]
recipe = \"article\"
training.epochs = 8
training.optimizer.momentum = 0.9
network.hidden = [16, 8]
[space]
training.lr = { from = 0.00003, to = 0.3, scale = \"log\" }
";

const SWEEP: &str = "sweep --config sweep.toml --threads 1 --quiet";

/// The result of a sweep without what is measured.
fn result(sweep: &Path) -> Value {
    let mut result: Value =
        serde_json::from_slice(&fs::read(sweep.join("result.json")).unwrap()).unwrap();
    for key in ["sweep", "recipe", "run", "threads"] {
        assert!(result.as_object_mut().unwrap().remove(key).is_some(), "no {key}");
    }
    for trial in result["trials"].as_array_mut().unwrap() {
        for fold in trial["folds"].as_array_mut().unwrap() {
            assert!(fold.as_object_mut().unwrap().remove("seconds").is_some());
        }
    }
    result
}

fn check_same_sweep(found: &Path, expected: &Path, what: &str) {
    assert_eq!(result(found), result(expected), "{what}");
    assert_eq!(lines(found), lines(expected), "{what}");
    assert_eq!(names(found), names(expected), "{what}");
    check_same(&found.join("best"), &expected.join("best"), what);
}

#[test]
fn a_sweep_is_the_same_for_any_number_of_ranks() {
    for (text, counts) in [(RANDOM, &[(2, 1), (3, 2)][..]), (HALVING, &[(2, 2), (3, 1), (5, 1)])] {
        let dir = folder(text);
        let whole = table(&succeed(dir.path(), &format!("{SWEEP} --csv --out whole")));
        for (ranks, threads) in counts {
            let out = format!("{ranks}-{threads}");
            let flags = format!("{SWEEP} --threads {threads} --csv --out {out}");
            let flags = flags.replacen("--threads 1 ", "", 1);
            let found = shared(dir.path(), *ranks, &flags);
            assert_eq!(table(&found), whole, "{out}");
            let [found, expected] = [&*out, "whole"].map(|name| dir.path().join(name));
            check_same_sweep(&found, &expected, &out);
        }
        let statuses: Vec<_> = ["done", "refused", "diverged"]
            .map(|status| whole.iter().any(|row| row.contains(status)))
            .into();
        assert_eq!(statuses, [true, text == RANDOM, text == RANDOM], "{whole:?}");
    }
}

/// States are moved in parts too.
#[test]
fn parts_of_any_length_move_the_same_trials() {
    let dir = folder(HALVING);
    succeed(dir.path(), &format!("{SWEEP} --out whole"));
    let mut command = ranks(dir.path(), 3, &format!("{SWEEP} --out run"));
    let output = output(command.env("TRAINER_MPI_PIECE", "1000"));
    assert!(output.status.success(), "{output:?}");
    check_same_sweep(&dir.path().join("run"), &dir.path().join("whole"), "pieces");
}

#[test]
fn folds_are_the_same_for_any_number_of_ranks() {
    let dir = data::folder();
    let flags = "crossval --hidden 8 --epochs 2 --folds 5 --recipe plain --deskew --threads 1";
    let one = figures(json(dir.path(), &format!("{flags} --json")));
    for count in [2, 3] {
        let found = shared(dir.path(), count, &format!("{flags} --json"));
        assert_eq!(figures(serde_json::from_str(&found).unwrap()), one, "{count}");
    }
    // Rank 0 alone prints.
    let output = output(&mut ranks(dir.path(), 3, flags));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 7, "{text}");
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(words.matches("\nfold ").count(), 5, "{words}");
}

/// The log is whole after any end, and any number of ranks goes on with it.
#[test]
fn a_search_whose_rank_is_killed_goes_on() {
    let text = HALVING.replace("epochs = 8", "epochs = 160").replace("article", "plain");
    let dir = folder(&text);
    succeed(dir.path(), &format!("{SWEEP} --out whole"));
    for (victim, count) in [(0, 4), (2, 13)] {
        let out = format!("killed{victim}");
        let path = dir.path().join(&out);
        let mut process = start(dir.path(), 3, &format!("{SWEEP} --out {out}"));
        assert!(process.wait_until(|| lines(&path) >= count));
        let ranks = processes(process.id());
        assert_eq!(ranks.len(), 3);
        kill_process(ranks[victim], Signal::KILL).unwrap();
        let end = process.end();
        assert!(!end.status.success(), "{end:?}");
        assert!(end.stderr.contains("exited on signal 9"), "{end:?}");
        wait_for_the_end_of(&ranks);
        shared(dir.path(), 2, &format!("sweep --resume {out} --quiet --threads 1"));
        check_same_sweep(&path, &dir.path().join("whole"), &out);
    }
}

/// All ranks are in a trial that has no end, which they leave when rank 0 is told to stop.
#[test]
fn a_signal_to_rank_0_stops_all() {
    let text = "[sweep]\nvalidation = 0.25\n[base]\nrecipe = \"article\"\nnetwork.hidden = [8]\n\
                [space]\ntraining.epochs = [1, 1000000]\n\
                training.lr = [0.001, 0.01, 0.1, 1.0, 2.0]\n";
    let dir = folder(text);
    let path = dir.path().join("run");
    let mut process = start(dir.path(), 3, &format!("{SWEEP} --out run"));
    // Those of one epoch have ended. The others are taken up, or will be.
    assert!(process.wait_until(|| lines(&path) == 6));
    let ranks = processes(process.id());
    kill_process(ranks[1], Signal::TERM).unwrap();
    kill_process(ranks[0], Signal::TERM).unwrap();
    let end = process.end();
    assert_eq!(end.status.code(), Some(143), "{end:?}");
    let stopped = "stopped: by SIGTERM after 5 of 10 trials; saved in run\n";
    assert_eq!(end.stderr.matches(stopped).count(), 1, "{end:?}");
    assert_eq!(end.stderr.matches(NEXT).count(), 1, "{end:?}");
    // A budget does the same.
    let flags = "sweep --resume run --budget 1s --threads 1 --no-refit";
    let output = output(&mut super::ranks(dir.path(), 3, flags));
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("5 trials not made or not ended in the budget"), "{said}");
}

/// Ranks that have other trials or samples are named before anything is written.
#[test]
fn ranks_of_a_search_agree() {
    let dir = folder(RANDOM);
    fs::write(dir.path().join("other.toml"), RANDOM.replace("trials = 7", "trials = 8")).unwrap();
    data::write(&dir.path().join("pixel"), 28);
    let images = dir.path().join("pixel/train-images-idx3-ubyte");
    let mut bytes = fs::read(&images).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(images, bytes).unwrap();
    let first = format!("{SWEEP} --out run");
    for (second, expected) in [
        (first.replace("sweep.toml", "other.toml"), "sweep.trials is 8, and on rank 0 it is 7"),
        (format!("{first} --batch-size 7"), "training.batch-size is 7, and on rank 0 it is 10"),
        (format!("{first} --data pixel"), "the checksum of the samples is "),
        ("crossval".to_owned(), "the command is crossval, and on rank 0 it is sweep"),
        (
            format!("{SWEEP} --resume run").replace("--config sweep.toml ", ""),
            "--resume is run, and on rank 0 it is not given",
        ),
    ] {
        let mut command = launcher();
        let program = env!("CARGO_BIN_EXE_trainer");
        command.current_dir(dir.path()).args(["-n", "1", program]);
        command.args(first.split_whitespace()).args([":", "-n", "1", program]);
        let output = output(command.args(second.split_whitespace()));
        assert_eq!(output.status.code(), Some(1), "{second}: {output:?}");
        let said = said(&output);
        assert_eq!(said.len(), 1, "{output:?}");
        assert!(said[0].starts_with("error: rank 1 on "), "{second}: {said:?}");
        assert!(said[0].contains(expected), "{second}: {said:?}");
        assert!(!dir.path().join("run").exists());
    }
    // What rank 0 alone finds, after they have agreed.
    fs::write(dir.path().join("file"), "of mine").unwrap();
    let output = output(&mut ranks(dir.path(), 3, &format!("{SWEEP} --out file")));
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(said(&output).len(), 1, "{output:?}");
}
