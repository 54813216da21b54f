//! A run that goes wrong says so, in one line, with what to try; a healthy one says nothing.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{data, run_in, succeed};

/// Trains, and gives the lines on stderr, the notes of `summary.json`, and stdout.
fn train(dir: &Path, flags: &str) -> (String, Vec<String>, String) {
    let output = run_in(dir, &format!("{flags} --overwrite --out run"));
    assert!(output.status.success(), "{flags}: {output:?}");
    let summary = fs::read_to_string(dir.join("run/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    let notes = summary["notes"].as_array().unwrap();
    let notes = notes.iter().map(|note| note.as_str().unwrap().to_owned()).collect();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stderr), notes, text(output.stdout))
}

#[test]
fn a_run_that_goes_wrong_says_what_to_try() {
    let dir = data::folder();
    let base = "--recipe plain --hidden 40 --batch-size 10 --epochs 4 --schedule constant \
                --dropout 0 --input-dropout 0";
    for (flags, parts) in [
        ("--lr 1e-9", &["in 4 epochs: try --lr 0.1\n"][..]),
        ("--lr 1e-9 --batch-norm 5", &["in 4 epochs: try --lr 0.1\n"]),
        ("--lr 1e-9 --optimizer adam", &["in 4 epochs: try --lr 0.001\n"]),
        (
            "--lr 50",
            &[
                "accuracy is at chance (10.0 %; the largest class has 10.0 %); ",
                "39 of 40 units of hidden layer 1 are never above 0 (dead)",
                ": try --lr 0.1\n",
            ],
        ),
        ("--init uniform --lr 0.1 --hidden 200,200", &["(dead): try --init he or --lr 0.01\n"]),
        ("--lr 50 --activation tanh", &["units of hidden layer 1 are at an end of tanh"]),
        (
            "--init uniform --activation sigmoid --hidden 500,500,500,500",
            &["(saturated): try --init xavier, --activation relu --init he or --lr 0.01\n"],
        ),
        (
            "--init xavier --activation sigmoid --hidden 9,9,9,9,9,9,9,9,9,9",
            &["; the gradient of layer 1 is ", "times that of the last layer (vanishing): try "],
        ),
        (
            "--init uniform --activation leaky-relu --hidden 500,500,500,500,500 --lr 1e-12",
            &[" times its weights (exploding): try --init he or --clip-norm 1\n"],
        ),
        // Something was learned all the same.
        ("--lr 0.3", &["note: 3", " units of hidden layer 1 are", "(dead): try --lr 0.03\n"]),
        ("--batch-size 2", &["(dead): try --activation leaky-relu or --lr 0.01\n"]),
        ("--l2 1", &["accuracy is at chance", ": try --l2 0.0005\n"]),
    ] {
        let (said, notes, shown) = train(dir.path(), &format!("{base} {flags}"));
        assert_eq!(said.lines().count(), 1, "{flags}: {said}");
        assert_eq!(said, format!("note: {}\n", notes[0]), "{flags}");
        assert_eq!(notes.len(), 1);
        for part in parts {
            assert!(said.contains(part), "{flags}: no {part} in {said}");
        }
        // What is said to come next is what the note says, and works.
        let (_, next) = shown.split_once(", or try what the note says\n").unwrap();
        let (two, tries) = next.split_once(" PICTURE\n").unwrap();
        assert!(two.contains(" eval --model run/") && two.contains(" predict --model run/"));
        assert!(tries.lines().count() > 0);
        for command in tries.lines() {
            let (_, again) = command.split_once(" --config ").unwrap();
            let (config, tried) = again.split_once(' ').unwrap();
            assert!(said.contains(tried), "{tried}: {said}");
            succeed(dir.path(), &format!("--config {config} {tried} --epochs 1 --quiet"));
        }
    }
}

/// The rate rises during the run until it is too high.
#[test]
fn a_run_that_loses_what_it_had_learned_says_so() {
    let dir = data::folder();
    let base = "--recipe plain --hidden 40 --activation sigmoid --batch-size 10 --batch-norm 5 \
                --dropout 0 --input-dropout 0 --epochs 12 --schedule one-cycle:pct-start=0.9";
    for (flags, parts) in [
        (
            "--lr 4",
            ["accuracy on training images was ", "--validation 0.1 --patience 5 or --lr 0.1"],
        ),
        ("--lr 4 --validation 0.4", ["accuracy on held-out samples was ", ": try --patience 5 or"]),
        (
            "--lr 20",
            ["the loss is far above that of guessing (", ": try --lr 0.1 or --clip-norm 1"],
        ),
    ] {
        let (said, notes, shown) = train(dir.path(), &format!("{base} {flags}"));
        assert_eq!(said, format!("note: {}\n", notes[0]), "{flags}");
        for part in parts {
            assert!(said.contains(part), "{flags}: no {part} in {said}");
        }
        assert!(shown.contains(", or try what the note says\n"), "{shown}");
    }
    // Early stopping has kept the best network.
    let kept = "--lr 4 --validation 0.4 --patience 9 --monitor accuracy";
    let (said, notes, _) = train(dir.path(), &format!("{base} {kept}"));
    assert!(said.is_empty() && notes.is_empty(), "{said}");
}

#[test]
fn healthy_runs_and_quiet_ones_say_nothing() {
    let dir = data::folder();
    for flags in [
        "--epochs 1",
        "--epochs 12",
        "--recipe article --epochs 1",
        "--recipe article --epochs 12 --batch-size 10",
        "--recipe plain --epochs 1",
        "--recipe plain --epochs 12",
        "--recipe plain --epochs 12 --validation 0.4",
        "--recipe plain --epochs 8 --label-smoothing 0.3 --class-weights balanced",
        // Many units are dead, as is wanted.
        "--recipe plain --epochs 8 --l1 0.002",
        "--recipe plain --epochs 8 --optimizer adam --lr 0.001 --l2 0.02",
        // Too few steps to judge by.
        "--recipe plain --epochs 1 --lr 1e-9",
    ] {
        let (said, notes, shown) = train(dir.path(), &format!("{flags} --seed 3"));
        let said: Vec<_> = said.lines().filter(|line| !line.contains("held out")).collect();
        assert!(said.is_empty() && notes.is_empty(), "{flags}: {said:?}");
        assert!(shown.contains("next: see where it is wrong"), "{shown}");
    }
    let wrong = "--recipe plain --epochs 10 --lr 1e-9 --batch-size 10";
    let (said, notes, shown) = train(dir.path(), &format!("{wrong} --quiet"));
    assert_eq!((&*said, &*shown, notes.len()), ("", "run\n", 1));
}
