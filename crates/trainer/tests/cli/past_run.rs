//! `trainer eval` of a run, without data: on what the run was tested on.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::data::{self, parts, table};
use crate::pictures::write;
use crate::{json, pairs, run_in, succeed};

/// A folder with data of every kind: the digits in `digits`, pictures without a test part in
/// `pictures`, pairs of IDX, and tables.
fn folder() -> TempDir {
    let dir = pairs::folder(pairs::NAMES, &parts(12));
    data::write(&dir.path().join("digits"), 28);
    write(&dir.path().join("pictures"), &parts(12)[0], &["ant", "bee", "cow", "dog"]);
    for name in ["iris.csv", "diabetes.csv"] {
        fs::write(dir.path().join(name), table(name)).unwrap();
    }
    let text = table("iris.csv");
    let (head, rows) = text.split_once('\n').unwrap();
    let rows: Vec<_> = rows.lines().collect();
    let some = |rest: usize| rows.iter().skip(rest).step_by(4).map(|row| format!("{row}\n"));
    fs::write(dir.path().join("test.csv"), format!("{head}\n{}", some(1).collect::<String>()))
        .unwrap();
    dir
}

fn error(dir: &Path, flags: &str) -> String {
    let output = run_in(dir, flags);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn notes(dir: &Path, flags: &str) -> String {
    let output = run_in(dir, flags);
    assert!(output.status.success(), "{flags}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// The figures of the test samples.
fn of_test(figures: &Value) -> Vec<(&String, &Value)> {
    let figures = figures.as_object().unwrap().iter();
    // Those that a summary has.
    figures
        .filter(|(key, value)| key.starts_with("test_") && !value.is_null())
        .filter(|(key, _)| *key != "test_accuracy_interval")
        .collect()
}

/// Few epochs, so that there are errors to count again.
#[test]
fn the_figures_are_those_of_the_summary() {
    let dir = folder();
    for (flags, samples) in [
        ("digits --lr 0.005", 100),
        ("digits --transpose --deskew --validation 0.2 --lr 0.005", 100),
        ("pictures --recipe plain --lr 0.01", 24),
        ("pictures --recipe plain --size 6x8 --test-fraction 0.25 --validation 0.2", 32),
        ("a.idx --labels b.idx --seed 7 --lr 0.001", 60),
        ("a.idx --labels b.idx --test c.idx --test-labels d.idx --lr 0.001", 100),
        ("iris.csv --target target --seed 3", 30),
        ("iris.csv --target target --validation 0.25 --test-fraction 0.3", 45),
        ("iris.csv --target target --test test.csv", 38),
        ("diabetes.csv --target target --validation 0.25", 88),
    ] {
        let flags = format!("{flags} --epochs 2 --json --overwrite --out run");
        let summary = json(dir.path(), &flags);
        assert_eq!(summary["test_samples"], samples, "{flags}");
        for (model, threads) in [("run", 1), ("run/model.safetensors", 2)] {
            let line = format!("eval --model {model} --threads {threads}");
            let found = json(dir.path(), &format!("{line} --json"));
            assert_eq!(of_test(&found), of_test(&summary), "{flags}");
            assert!(of_test(&found).len() >= 4, "{found}");
            assert_eq!(notes(dir.path(), &line), "");
        }
    }
    // The rows that are shown are those that were tested.
    succeed(dir.path(), "diabetes.csv --target sex --task classification --epochs 1 --out rows");
    let text = succeed(dir.path(), "eval --model rows --mistakes 1");
    let (_, row) = text.split_once("most confident mistakes\n").unwrap();
    let cells = row.lines().nth(1).unwrap().trim().split(", ");
    let age = cells.clone().next().unwrap().strip_prefix("age ").unwrap();
    assert!(table("diabetes.csv").lines().any(|line| line.starts_with(age)), "{row}");
    assert_eq!(cells.count(), 7, "{row}");
}

#[test]
fn data_that_are_gone_or_others_are_an_error() {
    let dir = folder();
    let path = dir.path();
    succeed(path, "iris.csv --target target --epochs 1 --quiet --out run");
    let text = table("iris.csv");
    // A cell of a row to train on changes what all rows become.
    for changed in
        [text.replacen("5.1", "5.2", 1), text.lines().take(140).map(|l| format!("{l}\n")).collect()]
    {
        fs::write(path.join("iris.csv"), changed).unwrap();
        let said = error(path, "eval --model run");
        let start = "error: iris.csv: the test samples have the checksum ";
        assert!(
            said.starts_with(start) && said.contains(" those of the run in run had "),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    fs::write(path.join("iris.csv"), &text).unwrap();
    assert_eq!(notes(path, "eval --model run"), "");
    // So do other settings.
    let settings = fs::read_to_string(path.join("run/config.toml")).unwrap();
    let seed = settings.lines().find(|line| line.starts_with("seed = ")).unwrap();
    fs::write(path.join("run/config.toml"), settings.replace(seed, "seed = 77")).unwrap();
    assert!(error(path, "eval --model run").contains("or the settings have changed since"));
    fs::write(path.join("run/config.toml"), settings.replace(seed, "seed = often")).unwrap();
    let said = error(path, "eval --model run");
    assert!(
        said.starts_with("error: run/config.toml, line ")
            && said.contains("name other data as DATA"),
        "{said}"
    );
    fs::write(path.join("run/config.toml"), &settings).unwrap();

    // A run that has not ended has the checksums in its checkpoint.
    fs::write(path.join("run/summary.json"), "{\"status\": \"running\"}").unwrap();
    assert!(!notes(path, "eval --model run").contains("checksum"));
    fs::write(path.join("iris.csv"), text.replacen("5.1", "5.2", 1)).unwrap();
    assert!(error(path, "eval --model run").contains("checksum"));
    fs::remove_file(path.join("run/checkpoint.safetensors")).unwrap();
    assert!(notes(path, "eval --model run").contains("the run in run has no checksum of its data"));

    // A relative path starts at the current directory, as it did in training.
    fs::remove_file(path.join("iris.csv")).unwrap();
    let said = error(path, "eval --model run");
    let end = "; run/config.toml says what the run was tested on, with paths from the current \
               directory: name other data as DATA\n";
    assert!(
        said.starts_with("error: ") && said.contains("iris.csv") && said.ends_with(end),
        "{said}"
    );
}

/// Only a directory that a run has written has settings of a run.
#[test]
fn a_model_without_a_run_is_tested_on_the_usual_data() {
    let dir = data::folder();
    let path = dir.path();
    fs::rename(path.join("data"), path.join("digits")).unwrap();
    succeed(path, "digits --hidden 9 --epochs 1 --quiet --out run");
    fs::create_dir(path.join("mine")).unwrap();
    fs::copy(path.join("run/model.safetensors"), path.join("mine/model.safetensors")).unwrap();
    fs::write(path.join("mine/config.toml"), "# Settings of my own, for all runs\nseed = 1\n")
        .unwrap();
    fs::copy(path.join("run/model.safetensors"), path.join("run/other.safetensors")).unwrap();
    for model in ["mine", "mine/model.safetensors", "run/other.safetensors"] {
        let said = error(path, &format!("eval --model {model}"));
        assert!(said.starts_with("error: there is no folder `data` in the current"), "{said}");
    }
    succeed(path, "eval --model run");
    let mut command = crate::trainer();
    let output =
        command.current_dir(path.join("run")).args(["eval", "--model", "model.safetensors"]);
    let said = String::from_utf8(output.output().unwrap().stderr).unwrap();
    assert!(said.contains("; ./config.toml says what the run was tested on"), "{said}");
}

#[test]
fn samples_that_were_trained_on_are_counted() {
    let dir = folder();
    let path = dir.path();
    let instead = "without DATA, eval tests on those that were held out\n";
    for (flags, named, trained) in [
        ("iris.csv --target target", "iris.csv", "120 of these 150"),
        ("./iris.csv --target target --validation 0.25", "--data iris.csv", "90 of these 150"),
        ("pictures --recipe plain", "pictures", "96 of these 120"),
        ("a.idx --labels b.idx", "a.idx --labels b.idx", "240 of these 300"),
    ] {
        succeed(path, &format!("{flags} --epochs 1 --quiet --overwrite --out run"));
        for model in ["run", "run/model.safetensors"] {
            let said = notes(path, &format!("eval --model {model} {named}"));
            let expected = format!("note: {trained} samples were trained on; {instead}");
            assert_eq!(said, expected, "{flags}");
        }
        assert_eq!(notes(path, "eval --model run"), "", "{flags}");
    }
    for (flags, named) in [
        // Both have a part to test on.
        ("digits", "digits"),
        ("a.idx --labels b.idx --test c.idx --test-labels d.idx", "c.idx --labels d.idx"),
        // Other samples.
        ("iris.csv --target target", "test.csv"),
    ] {
        succeed(path, &format!("{flags} --epochs 1 --quiet --overwrite --out run"));
        assert_eq!(notes(path, &format!("eval --model run {named}")), "", "{flags}");
    }
    succeed(path, "iris.csv --target target --test test.csv --epochs 1 --quiet --out all");
    assert_eq!(
        notes(path, "eval --model all iris.csv"),
        "note: 150 of these 150 samples were trained on; without DATA, eval tests on test.csv\n"
    );
    // The file has changed since.
    let shorter: String =
        table("iris.csv").lines().take(99).map(|line| format!("{line}\n")).collect();
    fs::write(path.join("iris.csv"), shorter).unwrap();
    let said = notes(path, "eval --model run iris.csv");
    assert_eq!(said, format!("note: samples of iris.csv were trained on; {instead}"));
}

/// After any training: how to see where it is wrong, to ask it, and to try something else.
#[test]
fn three_commands_come_next() {
    let dir = folder();
    let path = dir.path();
    for flags in [
        "digits",
        "pictures --recipe plain",
        "a.idx --labels b.idx",
        "a.idx --labels b.idx --test c.idx --test-labels d.idx",
        "iris.csv --target target",
        "iris.csv --target target --test test.csv --validation 0.1",
    ] {
        let text = succeed(path, &format!("{flags} --epochs 1 --overwrite --out run"));
        let (_, next) = text.split_once("\nnext: see where it is wrong, ask it about ").unwrap();
        let lines: Vec<_> = next.lines().skip(1).collect();
        let [eval, predict, again] = lines[..] else { panic!("{text}") };
        assert!(eval.ends_with(" eval --model run/model.safetensors"), "{text}");
        let example = if flags.starts_with("iris") { "TABLE" } else { "PICTURE" };
        assert!(predict.ends_with(&format!(" predict --model run/model.safetensors {example}")));
        assert!(again.contains(" --config run/config.toml --validation 0"), "{text}");
    }
}

/// Where most samples are of one class, an accuracy says less than it seems to.
#[test]
fn the_commonest_class_is_what_to_compare_with() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    let rows = |no: usize| {
        let row =
            |i: usize| format!("{},{}\n", i * 37 % 100, if i % 50 < no { "No" } else { "Yes" });
        "x,left\n".to_owned() + &(0..500).map(row).collect::<String>()
    };
    fs::write(path.join("t.csv"), rows(39)).unwrap();
    let train = "t.csv --target left --epochs 2 --overwrite --out run";
    let line = " wrong) (always `No`: 78.00 %)\n";
    let first = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("test accuracy")).unwrap();
        line.to_owned() + "\n"
    };
    let text = first(&succeed(path, train));
    assert!(text.ends_with(line), "{text}");
    assert_eq!(first(&succeed(path, "eval --model run")), text);
    for flags in [&*format!("{train} --json"), "eval --model run --json"] {
        assert_eq!(json(path, flags)["test_commonest"], 0.78);
    }
    // Half of them are no more than half.
    fs::write(path.join("t.csv"), rows(25)).unwrap();
    assert!(first(&succeed(path, train)).ends_with(" wrong)\n"));
    assert!(first(&succeed(path, "eval --model run")).ends_with(" wrong)\n"));
    assert_eq!(json(path, "eval --model run --json")["test_commonest"], 0.5);
    // Of all rows, by hand, and with another class.
    fs::write(path.join("other.csv"), "x,left\n1,Yes\n2,No\n3,Yes\n").unwrap();
    let text = first(&succeed(path, "eval --model run other.csv"));
    assert!(text.ends_with(" (always `Yes`: 66.67 %)\n"), "{text}");
    // Numbers have no classes.
    let flags = "t.csv --target x --task regression --epochs 1 --json --out numbers";
    assert!(json(path, flags).get("test_commonest").is_none());
}
