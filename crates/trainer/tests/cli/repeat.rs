//! `--repeat`: the same settings with several seeds.

use std::fs;

use serde_json::Value;

use crate::runs::{check_same, summary};
use crate::{data, json, model, names, run_in, succeed};

const FLAGS: &str = "--hidden 8 --epochs 2 --validation 0.2 --seed 5";

#[test]
fn each_seed_is_a_run_and_the_figures_are_their_means() {
    let dir = data::folder();
    let result = json(dir.path(), &format!("{FLAGS} --repeat 3 --json --out all"));
    let all = dir.path().join("all");
    assert_eq!(names(&all), ["recipe.toml", "repeat.json", "seed-5", "seed-6", "seed-7"]);
    let written: Value =
        serde_json::from_slice(&fs::read(all.join("repeat.json")).unwrap()).unwrap();
    assert_eq!(written, result);
    // Each is the run that it would be alone.
    let flags = FLAGS.replace("--seed 5", "--seed 6");
    succeed(dir.path(), &format!("{flags} --quiet --out alone"));
    check_same(&all.join("seed-6"), &dir.path().join("alone"), "seed 6");
    for key in ["val_loss", "val_accuracy", "test_loss", "test_accuracy"] {
        let figures: Vec<f64> = [5, 6, 7]
            .map(|seed| summary(&all.join(format!("seed-{seed}")))[key].as_f64().unwrap())
            .into();
        let mean = figures.iter().sum::<f64>() / 3.0;
        let squares: f64 = figures.iter().map(|figure| (figure - mean).powi(2)).sum();
        let found = &result["means"][key];
        assert!((found["mean"].as_f64().unwrap() - mean).abs() < 1e-12, "{key}: {found}");
        let deviation = (squares / 2.0).sqrt();
        assert!((found["deviation"].as_f64().unwrap() - deviation).abs() < 1e-12, "{key}: {found}");
    }
    let text = succeed(dir.path(), &format!("{FLAGS} --repeat 2"));
    assert!(text.contains("run 2 of 2, seed 6\n") && text.contains("\nmean  "), "{text}");
    assert_eq!(names(&dir.path().join("runs")).len(), 1);
}

/// What is the same for all runs is said once.
#[test]
fn notes_and_what_to_do_next_are_printed_once() {
    let dir = data::folder();
    let output = run_in(dir.path(), &format!("{FLAGS} --repeat 3 --out all"));
    let notes = String::from_utf8(output.stderr).unwrap();
    let held_out = "note: 60 of 300 samples are held out";
    assert_eq!(notes.matches(held_out).count(), 1, "{notes}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.matches("next: ").count(), 1, "{text}");
    let (_, next) = text.split_once("\nnext: compare them, or see where one").unwrap();
    let commands: Vec<&str> =
        next.lines().skip(1).map(|line| line.split_once("trainer ").unwrap().1).collect();
    assert_eq!(commands, ["report all/seed-*", "eval --model all/seed-5"]);
    succeed(dir.path(), commands[1]);
    succeed(dir.path(), "report all/seed-5 all/seed-6 all/seed-7");
    // Test samples that were left alone are not named afterwards.
    let text = succeed(dir.path(), &format!("{FLAGS} --no-test --repeat 2 --out untested"));
    assert!(text.ends_with(" report untested/seed-*\n") && !text.contains(" eval "), "{text}");
}

/// Commands that take one run say which one of a directory with several is meant.
#[test]
fn a_directory_of_several_runs_is_no_run() {
    let dir = data::folder();
    succeed(dir.path(), &format!("{FLAGS} --repeat 2 --quiet --out all"));
    for command in ["report all", "eval --model all", "serve --model all", "predict --model all x"]
    {
        let output = run_in(dir.path(), command);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        let expected = "error: all is the directory of several runs: name the run in it that is \
                        meant, such as all/seed-5\n";
        assert_eq!(error, expected, "{command}");
    }
}

/// What has ended is left alone, and the rest is trained.
#[test]
fn all_of_them_go_on_after_a_stop() {
    let dir = data::folder();
    succeed(dir.path(), &format!("{FLAGS} --repeat 3 --quiet --out whole"));
    succeed(dir.path(), &format!("{FLAGS} --repeat 3 --quiet --out left"));
    let left = dir.path().join("left");
    // As if a signal had come in the second run.
    fs::remove_dir_all(left.join("seed-7")).unwrap();
    let second = left.join("seed-6");
    fs::remove_dir_all(&second).unwrap();
    succeed(dir.path(), &format!("{FLAGS} --epochs 1 --seed 6 --quiet --out x"));
    let before = fs::metadata(left.join("seed-5/model.safetensors")).unwrap().modified().unwrap();
    let output = run_in(dir.path(), "--resume left --epochs 3");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let again = json(dir.path(), "--resume left --json");
    assert_eq!(again["runs"].as_array().unwrap().len(), 3);
    for seed in ["seed-5", "seed-6", "seed-7"] {
        assert!(model(&left.join(seed)) == model(&dir.path().join("whole").join(seed)), "{seed}");
    }
    let after = fs::metadata(left.join("seed-5/model.safetensors")).unwrap().modified().unwrap();
    assert_eq!(before, after);
    let output = run_in(dir.path(), &format!("{FLAGS} --repeat 2 --out left"));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("go on with --resume left"), "{error}");
}

#[test]
fn a_seed_that_diverges_is_a_row() {
    let dir = data::folder();
    let recipe = "--recipe article --activation relu --l2 0";
    let flags = format!("{recipe} --lr 1e30 --epochs 1 --repeat 2 --out all");
    let output = run_in(dir.path(), &flags);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().filter(|line| line.ends_with("diverged")).count(), 2, "{text}");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("error: training diverged in 2 of 2 runs"), "{error}");
}
