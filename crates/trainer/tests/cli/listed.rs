//! `trainer runs`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{data, json, run_in, succeed};

/// Leaves what a run leaves, as far as the list reads it.
fn leave(dir: &Path, name: &str, summary: &str, training: &str) {
    let run = dir.join(name);
    fs::create_dir_all(&run).unwrap();
    fs::write(run.join("summary.json"), summary).unwrap();
    let settings = format!(
        "# Settings of a run of trainer 0.2.0.\ncomplete = true\nrecipe = \"default\"\n\
         [network]\nhidden = [256, 256]\n[training]\n{training}\n"
    );
    fs::write(run.join("config.toml"), settings).unwrap();
}

fn summary(status: &str, time: u32, val_loss: &str) -> String {
    format!(
        r#"{{"status": "{status}", "recipe": "default", "epochs": 5, "val_loss": {val_loss},
            "time": "2026-11-25T20:{time:02}:00Z", "total_seconds": 2.5}}"#
    )
}

/// Three runs, the oldest with the middle loss.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let runs = dir.path().join("runs");
    leave(&runs, "c", &summary("done", 1, "0.2"), "lr = 0.01\nseed = 1");
    leave(&runs, "a", &summary("done", 2, "0.1"), "lr = 0.1\nseed = 1");
    leave(&runs, "b", &summary("stopped", 3, "null"), "lr = 0.001\nseed = 1");
    dir
}

/// The first words of all lines but the first.
fn order(text: &str) -> Vec<&str> {
    text.lines().skip(1).map(|line| line.split([' ', ',']).next().unwrap()).collect()
}

#[test]
fn runs_are_listed_with_what_differs() {
    let dir = folder();
    let text = succeed(dir.path(), "runs");
    let expected = "\
name  status   time                 lr  val loss  epochs  seconds
c     done     2026-11-25 20:01   0.01    0.2000       5      2.5
a     done     2026-11-25 20:02    0.1    0.1000       5      2.5
b     stopped  2026-11-25 20:03  0.001         -       5      2.5
";
    assert_eq!(text, expected);
}

#[test]
fn they_are_sorted_by_any_figure_or_setting() {
    let dir = folder();
    for (flags, expected) in [
        ("", ["c", "a", "b"]),
        ("--reverse", ["b", "a", "c"]),
        ("--sort name", ["a", "b", "c"]),
        ("--sort -name", ["c", "b", "a"]),
        // A run without a figure is last in either direction.
        ("--sort val_loss", ["a", "c", "b"]),
        ("--sort -val_loss", ["c", "a", "b"]),
        ("--sort val_loss --reverse", ["c", "a", "b"]),
        ("--sort lr", ["b", "c", "a"]),
        ("--sort -training.lr", ["a", "c", "b"]),
        // Equal ones keep the order of time.
        ("--sort seed", ["c", "a", "b"]),
        ("--sort epochs", ["c", "a", "b"]),
    ] {
        assert_eq!(order(&succeed(dir.path(), &format!("runs {flags}"))), expected, "{flags}");
    }
}

#[test]
fn they_are_filtered_and_all_conditions_hold() {
    let dir = folder();
    for (flags, expected) in [
        ("--filter status=done", &["c", "a"][..]),
        ("--filter lr>=0.01 --filter val_loss<0.15", &["a"]),
        ("--filter network.hidden=[256,256] --filter name!=a", &["c", "b"]),
        ("--filter val_loss=none", &["b"]),
    ] {
        assert_eq!(order(&succeed(dir.path(), &format!("runs {flags}"))), expected, "{flags}");
    }
    let output = run_in(dir.path(), "runs --filter lr>5");
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    let note = String::from_utf8(output.stderr).unwrap();
    assert_eq!(note, "note: none of 3 runs in runs fits --filter\n");
}

#[test]
fn they_are_printed_for_programs() {
    let dir = folder();
    let all = json(dir.path(), "runs --json --sort val_loss");
    let runs = all["runs"].as_array().unwrap();
    let names: Vec<_> = runs.iter().map(|run| run["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a", "c", "b"]);
    assert_eq!(crate::keys(&runs[0]), ["name", "path", "settings", "status", "summary", "time"]);
    assert_eq!(runs[0]["settings"]["training"]["lr"], 0.1);
    assert_eq!(runs[0]["summary"]["val_loss"], 0.1);
    assert_eq!(all["skipped"], serde_json::json!([]));

    let csv = succeed(dir.path(), "runs --csv --columns name,hidden,val_loss");
    let expected = "name,network.hidden,val_loss\n\
                    c,\"256,256\",0.2\na,\"256,256\",0.1\nb,\"256,256\",\n";
    assert_eq!(csv, expected);
    let every = succeed(dir.path(), "runs --csv");
    let head: Vec<_> = every.lines().next().unwrap().split(',').collect();
    assert!(head.contains(&"training.lr") && !head.contains(&"training.seed"), "{head:?}");
}

#[test]
fn what_is_damaged_or_foreign_is_noted() {
    let dir = folder();
    let runs = dir.path().join("runs");
    fs::create_dir(runs.join("pictures")).unwrap();
    fs::write(runs.join("notes.txt"), "mine").unwrap();
    leave(&runs, "d", "{\"status\": ", "lr = 0.1");
    leave(&runs, "e", &summary("done", 9, "0.3"), "lr = ");
    // A process that has been killed said so: no process has this number.
    let killed = "{\"status\": \"running\", \"pid\": 2147483646, \"version\": \"0.2.0\"}";
    leave(&runs, "f", killed, "lr = 0.1");
    fs::create_dir(runs.join("g")).unwrap();
    fs::create_dir(runs.join("g/summary.json")).unwrap();
    fs::write(runs.join("g/metrics.jsonl"), "").unwrap();

    let output = run_in(dir.path(), "runs --columns name,status,lr --sort name");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<Vec<&str>> =
        text.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    let status: Vec<_> = rows.iter().map(|row| (row[0], row[1])).collect();
    let killed = if cfg!(unix) { "killed" } else { "running" };
    let expected = [
        ("a", "done"),
        ("b", "stopped"),
        ("c", "done"),
        ("d", "unknown"),
        ("e", "done"),
        ("f", killed),
        ("g", "unknown"),
    ];
    assert_eq!(status, expected);
    let notes = String::from_utf8(output.stderr).unwrap();
    for part in [
        "note: runs/d/summary.json: EOF while parsing",
        "note: runs/e/config.toml: no TOML: ",
        "note: runs/g/summary.json: expected a file",
        "note: 1 folder here is no run: runs/pictures",
    ] {
        assert!(notes.contains(part), "no {part} in {notes}");
    }
    assert_eq!(notes.lines().count(), 4, "{notes}");
    let skipped = json(dir.path(), "runs --json")["skipped"].clone();
    assert_eq!(skipped.as_array().unwrap().len(), 4, "{skipped}");
}

/// A run that has not ended has figures in its metrics, of which the last line may be half.
#[test]
fn a_run_in_the_making_has_figures() {
    let dir = folder();
    let running = format!("{{\"status\": \"running\", \"pid\": {}}}", std::process::id());
    leave(&dir.path().join("runs"), "d", &running, "lr = 0.1");
    let metrics = "{\"epoch\": 1, \"val_loss\": 0.9}\n{\"epoch\": 2, \"val_loss\": 0.05, \
                   \"seconds\": 3}\n{\"epoch\": 3, \"val";
    fs::write(dir.path().join("runs/d/metrics.jsonl"), metrics).unwrap();
    let csv =
        succeed(dir.path(), "runs --csv --sort val_loss --columns name,status,epochs,val_loss");
    assert_eq!(csv.lines().nth(1).unwrap(), "d,running,2,0.05");
    // A text that is no object is none.
    fs::write(dir.path().join("runs/d/metrics.jsonl"), "[1]\n").unwrap();
    let csv = succeed(dir.path(), "runs --csv --filter status=running --columns name,epochs");
    assert_eq!(csv, "name,epochs\nd,\n");
}

#[test]
fn folders_and_runs_are_named() {
    let dir = folder();
    assert_eq!(order(&succeed(dir.path(), "runs runs/a")), ["runs/a"]);
    let both = succeed(dir.path(), "runs runs runs/a --sort name --columns name");
    assert_eq!(order(&both), ["runs/a", "runs/b", "runs/c"], "each once");
    // Before the first run there is none, which is no error.
    let empty = tempfile::tempdir().unwrap();
    let output = run_in(empty.path(), "runs");
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    let note = String::from_utf8(output.stderr).unwrap();
    assert!(note.starts_with("note: there is no run in runs: `"), "{note}");
    assert_eq!(json(empty.path(), "runs --json")["runs"], serde_json::json!([]));
    let output = run_in(empty.path(), "runs elsewhere");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

/// A sweep and runs with several seeds are no runs, and have some.
#[test]
fn runs_of_sweeps_and_repeats_are_listed() {
    let dir = folder();
    let runs = dir.path().join("runs");
    leave(&runs, "tuned/best", &summary("done", 4, "0.3"), "lr = 0.2");
    leave(&runs, "tuned/states", &summary("done", 4, "0.3"), "lr = 0.2");
    fs::write(runs.join("tuned/sweep.toml"), "").unwrap();
    fs::write(runs.join("tuned/trials.jsonl"), "").unwrap();
    for (seed, time) in [(10, 7), (9, 6)] {
        leave(&runs, &format!("all/seed-{seed}"), &summary("done", time, "0.4"), "lr = 0.2");
    }
    fs::write(runs.join("all/repeat.json"), "{}").unwrap();
    // A folder of the user's with runs in it is another one.
    leave(&runs, "older/best", &summary("done", 4, "0.3"), "lr = 0.2");
    fs::create_dir(runs.join("pictures")).unwrap();

    let output = run_in(dir.path(), "runs");
    let listed = ["c", "a", "b", "tuned/best", "all/seed-9", "all/seed-10"];
    assert_eq!(order(&String::from_utf8(output.stdout).unwrap()), listed);
    let note = String::from_utf8(output.stderr).unwrap();
    assert_eq!(note, "note: 2 folders here are no run: the first is runs/older\n");

    let output = run_in(dir.path(), "runs runs/all");
    assert_eq!(order(&String::from_utf8(output.stdout).unwrap()), ["seed-9", "seed-10"]);
    assert!(output.stderr.is_empty());
    let both = succeed(dir.path(), "runs runs runs/tuned runs/all/seed-9 --sort name");
    let named = ["a", "all/seed-10", "all/seed-9", "b", "c", "tuned/best"];
    assert_eq!(order(&both), named.map(|name| format!("runs/{name}")), "each once");
}

/// The heads of the table, and a figure that no run has.
#[test]
fn they_are_sorted_by_the_heads_of_the_table() {
    let dir = folder();
    for flags in [&["--sort", "val loss"][..], &["--sort=val_loss"], &["--filter", "val loss<9"]] {
        let mut command = crate::trainer();
        let output = command.current_dir(dir.path()).arg("runs").args(flags).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let first = if flags[0] == "--filter" { "c" } else { "a" };
        assert_eq!(order(&text)[0], first, "{flags:?}");
    }
    let csv = succeed(dir.path(), "runs --csv --columns name,val_acc,seconds");
    assert!(csv.starts_with("name,val_accuracy,total_seconds\nc,,2.5\n"), "{csv}");
    let output = run_in(dir.path(), "runs --sort test_acc");
    let note = String::from_utf8(output.stderr).unwrap();
    assert_eq!(note, "note: no run here has test_accuracy: --sort changes no order\n");
}

#[test]
fn names_that_do_not_exist_are_errors_with_the_nearest() {
    let dir = folder();
    for (flags, expected) in [
        (
            "--sort val_los",
            "--sort is val_los: expected a figure of summary.json or a setting; did you mean \
             val_loss?",
        ),
        (
            "--columns name,learning",
            "--columns is learning: expected a figure of summary.json or a setting, such as \
             val_loss or training.lr",
        ),
        (
            "--filter status",
            "--filter is status: expected NAME, then =, !=, <, <=, >, >= or ~, then a value, \
             such as 'val_loss<0.1' or status=done",
        ),
        ("--filter val_loss<x", "--filter is val_loss<x: expected a number or none after <"),
    ] {
        let output = run_in(dir.path(), &format!("runs {flags}"));
        assert_eq!(output.status.code(), Some(2), "{flags}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(error, format!("error: {expected}\n"));
    }
}

/// A list of what runs really leave: every figure of a summary has a name here.
#[test]
fn every_figure_of_a_summary_can_be_shown() {
    let dir = data::folder();
    succeed(dir.path(), "--hidden 16 --epochs 1 --validation 0.2 --quiet --out runs/a");
    succeed(dir.path(), "--hidden 8 --epochs 1 --no-test --quiet --out runs/b");
    let summary = crate::runs::summary(&dir.path().join("runs/a"));
    for key in crate::keys(&summary).into_iter().filter(|key| *key != "data") {
        let csv = succeed(dir.path(), &format!("runs --csv --columns {key}"));
        let values: Vec<_> = csv.lines().skip(1).collect();
        let expected = match &summary[key] {
            Value::String(text) => text.clone(),
            Value::Array(_) | Value::Null => continue,
            value => value.to_string(),
        };
        assert_eq!(values[0], expected, "{key}");
    }
    let text = succeed(dir.path(), "runs");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let head: Vec<_> = text.lines().next().unwrap().split_whitespace().collect();
    assert!(head.contains(&"hidden") && head.contains(&"validation"), "{text}");
    // Units and a share of two runs, and the figure that one of them does not have.
    assert!(text.lines().nth(2).unwrap().contains(" - "), "{text}");
}

#[test]
fn a_table_has_the_columns_that_the_environment_says() {
    let dir = folder();
    for (columns, widest) in [("30", 30), ("0", 80), ("wide", 80), ("200", 200)] {
        let mut command = crate::trainer();
        command.current_dir(dir.path()).env("COLUMNS", columns);
        let output = command.arg("runs").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= widest), "{columns}: {text}");
        let note = String::from_utf8(output.stderr).unwrap();
        assert_eq!(note.contains("no room for"), columns == "30", "{columns}: {note}");
    }
}
