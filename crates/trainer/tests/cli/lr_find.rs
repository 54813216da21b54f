//! `trainer lr-find`.

use std::fs;
use std::path::Path;

use nn::Split;
use serde_json::Value;

use crate::data::{self, Part, table};
use crate::{json, keys, names, run_in, succeed};

/// A range test that takes little time.
const FIND: &str = "lr-find --hidden 16 --steps 150";

/// A folder with a table in it.
fn with_table(name: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("t.csv"), table(name)).unwrap();
    dir
}

fn rate(found: &Value) -> f64 {
    found["learning_rate"].as_f64().unwrap()
}

#[test]
fn a_network_learns_with_the_rate_that_is_found() {
    let dir = data::folder();
    for optimizer in ["adam", "sgd"] {
        let settings = format!("--hidden 16 --optimizer {optimizer} --batch-size 20");
        let found = json(dir.path(), &format!("lr-find {settings} --json"));
        assert!((1e-4..=2.0).contains(&rate(&found)), "{optimizer}: {found}");
        let command = found["command"].as_str().unwrap();
        let words = format!(" {settings} --lr {}", rate(&found));
        assert!(command.ends_with(&words), "{command}");
        // It has made no run.
        assert_eq!(names(dir.path()), ["data"]);

        let trained = json(dir.path(), &format!("{words} --epochs 10 --json --out run --quiet"));
        let accuracy = trained["test_accuracy"].as_f64().unwrap();
        assert!(accuracy > 0.85, "{optimizer} at {}: {accuracy}", rate(&found));
        fs::remove_dir_all(dir.path().join("run")).unwrap();
    }
}

#[test]
fn the_curve_is_printed_and_drawn() {
    let dir = data::folder();
    let before = names(dir.path());
    let found = json(dir.path(), &format!("{FIND} --json"));
    let expected = [
        "command",
        "diverged",
        "from",
        "isa",
        "learning_rate",
        "lowest",
        "points",
        "steepest",
        "steps",
        "still_falling",
        "to",
        "version",
    ];
    assert_eq!(keys(&found), expected);
    let points = found["points"].as_array().unwrap();
    assert_eq!(found["steps"], points.len());
    assert_eq!(keys(&points[0]), ["loss", "lr", "smoothed_loss", "step"]);
    // The loss of an untrained network of ten classes.
    let first = points[0]["loss"].as_f64().unwrap();
    assert!((1.5..4.0).contains(&first), "{first}");

    let csv = succeed(dir.path(), &format!("{FIND} --csv"));
    assert!(csv.starts_with("step,lr,loss,smoothed_loss\n1,1"), "{csv}");
    assert_eq!(csv.lines().count(), points.len() + 1);

    assert_eq!(succeed(dir.path(), &format!("{FIND} --quiet")).trim().parse(), Ok(rate(&found)));
    assert_eq!(names(dir.path()), before);
    let text = succeed(dir.path(), &format!("{FIND} --plot lr.svg"));
    assert!(
        text.lines().all(|line| line.chars().count() <= 80 || line.starts_with("  /")),
        "{text}"
    );
    assert!(text.starts_with(&format!("learning rate  {}\n", rate(&found))), "{text}");
    assert!(text.contains("▲") && text.contains("next: train with it; it is a rate to"), "{text}");
    let last: Vec<&str> = text.lines().rev().take(2).collect();
    assert!(last[1].ends_with(&format!(" --lr {}", rate(&found))), "{text}");
    let (_, around) = last[0].split_once(" worth trying: --lr ").unwrap();
    let around = around.split_once(", --lr ").unwrap();
    for (tried, times) in [(around.0, 1.0 / 3.0), (around.1, 3.0)] {
        let tried: f64 = tried.parse().unwrap();
        assert!((tried / rate(&found) / times - 1.0).abs() < 0.05, "{text}");
    }
    let svg = fs::read_to_string(dir.path().join("lr.svg")).unwrap();
    assert!(svg.starts_with("<svg ") && svg.contains("class=\"found\""), "{svg}");
}

#[test]
fn threads_change_no_bit() {
    let dir = data::folder();
    let find = |threads| json(dir.path(), &format!("{FIND} --json --threads {threads}"));
    assert_eq!(find(1), find(3));
}

#[test]
fn tables_heads_and_optimizers() {
    let iris = with_table("iris.csv");
    for flags in [
        "--optimizer adam",
        "--optimizer adamw --l2 0.01",
        "--optimizer nesterov",
        "--optimizer rmsprop",
        "--optimizer adagrad",
        "--batch-norm 16",
        "--dropout 0.1 --clip-norm 1",
        "--validation 0.2 --patience 2",
        "--schedule one-cycle --average 0.9",
    ] {
        let found = json(iris.path(), &format!("{FIND} t.csv --target target {flags} --json"));
        assert!((1e-6..10.0).contains(&rate(&found)), "{flags}: {found}");
        let command = found["command"].as_str().unwrap();
        assert!(
            command.contains(&format!(" t.csv --hidden 16 --target target {flags}")),
            "{command}"
        );
    }
    let diabetes = with_table("diabetes.csv");
    let found = json(diabetes.path(), &format!("{FIND} t.csv --target target --json"));
    assert!((1e-5..5.0).contains(&rate(&found)), "{found}");
}

/// Neither what is held out nor what is tested on has a part in it.
#[test]
fn other_samples_are_not_looked_at() {
    let dir = data::folder();
    let folder = dir.path().join("data");
    let find = || json(dir.path(), &format!("{FIND} --validation 0.2 --seed 3 --json"));
    let before = find();
    let [mut train, mut test] = data::parts(28);
    let split = Split::stratified(&train.labels[..], 0.2, 3).unwrap();
    let change = |part: &mut Part, position: usize| {
        for pixel in &mut part.features[position * 784..(position + 1) * 784] {
            *pixel ^= 0x10;
        }
    };
    split.validation.iter().for_each(|position| change(&mut train, *position as usize));
    (0..100).for_each(|position| change(&mut test, position));
    data::write_parts(&folder, &[train.clone(), test.clone()]);
    assert_eq!(find(), before);
    // The others have.
    change(&mut train, split.train[0] as usize);
    data::write_parts(&folder, &[train, test]);
    assert_ne!(find(), before);
}

#[test]
fn no_rate() {
    let dir = data::folder();
    let refused = |dir: &Path, flags: &str| {
        let output = run_in(dir, &format!("{FIND} {flags}"));
        assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(1), true));
        String::from_utf8(output.stderr).unwrap()
    };
    let error = refused(dir.path(), "--from 1e-12 --to 1e-10 --json --plot flat.svg");
    let expected = "error: the range test found no learning rate: the loss did not fall from \
                    1e-12 to 1e-10: name a wider range with --from and --to, or more --steps\n";
    assert_eq!(error, expected);
    // The picture shows why.
    assert!(dir.path().join("flat.svg").is_file());
    let error = refused(dir.path(), "--optimizer sgd --batch-norm none --from 1e5 --to 1e6");
    assert!(error.contains("begin lower with --from") && error.lines().count() == 1, "{error}");
}

#[test]
fn a_rate_on_the_command_line_does_not_count() {
    let dir = data::folder();
    let output = run_in(dir.path(), &format!("{FIND} --lr 0.5 --json"));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "note: --lr is what is looked for: it does not count here\n"
    );
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found, json(dir.path(), &format!("{FIND} --json")));
    assert!(!found["command"].as_str().unwrap().contains("0.5"));
}
