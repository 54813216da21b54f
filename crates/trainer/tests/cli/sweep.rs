//! `trainer sweep`.

mod files;
mod halving;
pub(crate) mod left;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::{data, json, metrics, model, names, run_in, succeed};

/// A data folder, with `sweep.toml` beside it.
pub(crate) fn folder(sweep: &str) -> TempDir {
    let dir = data::folder();
    fs::write(dir.path().join("sweep.toml"), sweep).unwrap();
    dir
}

/// The table that `--csv` prints, without the seconds.
pub(crate) fn table(csv: &str) -> Vec<String> {
    csv.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned()).collect()
}

/// The lines of a sweep's log.
fn log(sweep: &Path) -> Vec<Value> {
    let text = fs::read_to_string(sweep.join("trials.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const GRID: &str = "[sweep]
validation = 0.2
[base]
recipe = \"article\"
training.epochs = 2
network.hidden = [8]
[space]
training.lr = [0.01, 0.1]
training.batch-size = [10, 30, 300]
";

/// Each combination is there once, and each trial is the run that it would be alone.
#[test]
fn a_grid_has_every_combination_once() {
    let dir = folder(GRID);
    let result = json(dir.path(), "sweep --config sweep.toml --out tuned --json --quiet");
    let trials = result["trials"].as_array().unwrap();
    let found: BTreeSet<String> =
        trials.iter().map(|trial| trial["settings"].to_string()).collect();
    let mut expected = BTreeSet::new();
    for lr in ["0.01", "0.1"] {
        for size in ["10", "30", "300"] {
            let settings = serde_json::json!({ "training.batch-size": size, "training.lr": lr });
            expected.insert(settings.to_string());
        }
    }
    assert_eq!((trials.len(), found), (6, expected));
    assert_eq!((&result["method"], &result["test"]), (&"grid".into(), &"not looked at".into()));
    let mut last = f64::INFINITY;
    for (i, trial) in trials.iter().enumerate() {
        let of = |key: &str| trial["settings"][key].as_str().unwrap();
        let (lr, size) = (of("training.lr"), of("training.batch-size"));
        let flags = format!(
            "--recipe article --epochs 2 --hidden 8 --validation 0.2 --lr {lr} --batch-size {size}"
        );
        succeed(dir.path(), &format!("{flags} --quiet --out alone{i}"));
        let lines = metrics(&dir.path().join(format!("alone{i}")));
        assert_eq!(trial["folds"][0]["val_loss"], lines[1]["val_loss"], "{flags}");
        assert_eq!(trial["figure"]["mean"], lines[1]["val_accuracy"], "{flags}");
        let accuracy = trial["figure"]["mean"].as_f64().unwrap();
        assert!(accuracy <= last, "the best comes first");
        last = accuracy;
    }

    // The best one is trained on all samples, and not tested.
    let tuned = dir.path().join("tuned");
    let files = ["base.toml", "best", "best.toml", "result.json", "sweep.toml", "trials.jsonl"];
    assert_eq!(names(&tuned), files);
    let summary: Value =
        serde_json::from_slice(&fs::read(tuned.join("best/summary.json")).unwrap()).unwrap();
    assert_eq!((&summary["status"], &summary["train_samples"]), (&"done".into(), &300.into()));
    assert_eq!(summary["test_accuracy"], Value::Null);
    assert_eq!(summary["recipe"], "article-tuned");
    succeed(dir.path(), "--config tuned/best.toml --quiet --out again");
    assert!(model(&tuned.join("best")) == model(&dir.path().join("again")));
    succeed(dir.path(), "eval --model tuned/best");
    // Commands that take a run say where it is.
    for (command, expected) in [
        ("--resume tuned", "a sweep, which goes on by "),
        ("report tuned", "a sweep: name the run in it that is meant, such as tuned/best\n"),
        ("eval --model tuned", "a sweep: name the run in it that is meant, such as tuned/best\n"),
    ] {
        let output = run_in(dir.path(), command);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        let start = format!("error: tuned is the directory of {expected}");
        assert!(error.starts_with(&start) && error.lines().count() == 1, "{error}");
        assert!(
            command != "--resume tuned" || error.ends_with(" sweep --resume tuned\n"),
            "{error}"
        );
    }
    // The directory has what repeats it.
    let repeated = succeed(dir.path(), "sweep --config tuned/sweep.toml --csv --quiet --no-refit");
    let first = succeed(dir.path(), "sweep --config sweep.toml --csv --quiet --no-refit");
    assert_eq!(table(&repeated), table(&first));
    assert_eq!(names(&dir.path().join("runs")).len(), 2);
}

const RANDOM: &str = "[sweep]
folds = 2
trials = 5
[base]
recipe = \"article\"
training.epochs = 2
[space]
training.lr = { from = 0.001, to = 0.1, scale = \"log\" }
network.hidden = [[4], [9, 5]]
";

#[test]
fn the_table_is_the_same_for_any_number_of_threads() {
    let dir = folder(RANDOM);
    let of = |threads: u32| {
        let flags =
            format!("sweep --config sweep.toml --csv --quiet --no-refit --threads {threads}");
        table(&succeed(dir.path(), &flags))
    };
    let one = of(1);
    assert_eq!(one.len(), 6);
    assert!(
        one[0].starts_with("trial,network.hidden,training.lr,status,rung,epochs,val_accuracy,")
    );
    for threads in [2, 3] {
        assert_eq!(of(threads), one, "{threads}");
    }
    // Another seed, other trials; more of them, the same first ones.
    let settings = |text: &str| -> BTreeSet<String> {
        fs::write(dir.path().join("sweep.toml"), text).unwrap();
        let result = json(dir.path(), "sweep --config sweep.toml --json --quiet --no-refit");
        let trials = result["trials"].as_array().unwrap();
        trials.iter().map(|trial| trial["settings"].to_string()).collect()
    };
    let five = settings(RANDOM);
    assert!(five.is_subset(&settings(&RANDOM.replace("trials = 5", "trials = 7"))));
    assert_ne!(five, settings(&RANDOM.replace("trials = 5", "trials = 5\nseed = 2")));
}

/// The rest of the grid with these rates, and without a penalty or with one.
fn rates(rates: &str, l2: &str) -> String {
    let text = GRID.replace("[0.01, 0.1]", rates).replace("[10, 30, 300]", "[30]");
    text.replace("[space]", &format!("training.l2 = {l2}\nnetwork.activation = \"relu\"\n[space]"))
}

#[test]
fn a_trial_that_fails_is_a_row() {
    let dir = folder(&rates("[1e30, 0.1]", "0.0"));
    let text = succeed(dir.path(), "sweep --config sweep.toml --out tuned");
    let rows: Vec<_> = text.lines().take(3).collect();
    assert!(rows[2].ends_with("diverged"), "{text}");
    assert!(text.contains("best: trial 2 (batch-size 30, lr 0.1), accuracy "), "{text}");
    assert!(text.contains("eval --model tuned/best\n"), "{text}");
    // A rate that its penalty forbids.
    fs::write(dir.path().join("sweep.toml"), rates("[1e30, 0.1]", "0.001")).unwrap();
    let output = run_in(dir.path(), "sweep --config sweep.toml --no-refit");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().nth(2).unwrap().ends_with("refused"), "{text}");
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("refused: learning rate times l2 is "), "{words}");

    // If all do, the command fails.
    let fails = |text: String, expected: &str| {
        fs::write(dir.path().join("sweep.toml"), text).unwrap();
        let output = run_in(dir.path(), "sweep --config sweep.toml --quiet");
        assert_eq!(output.status.code(), Some(1));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.starts_with("error: ") && error.contains(expected), "{error}");
    };
    fails(rates("[1e30, 1e31]", "0.0"), "training diverged in 2 of 2 trials: ");
    fails(rates("[1e30, 1e31]", "0.001"), ": no trial could be trained: learning rate times l2 ");
}

#[test]
fn test_samples_are_not_looked_at() {
    let dir = folder(RANDOM);
    let flags = "sweep --config sweep.toml --csv --quiet --no-refit";
    let expected = table(&succeed(dir.path(), flags));
    let labels = dir.path().join("data/t10k-labels-idx1-ubyte");
    let mut bytes = fs::read(&labels).unwrap();
    bytes[8..].fill(200);
    fs::write(&labels, bytes).unwrap();
    assert_eq!(table(&succeed(dir.path(), flags)), expected);
}

/// The example of docs/tuning.md.
#[test]
fn the_documented_file_works() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(root.join("docs/sweep.toml")).unwrap();
    let guide = fs::read_to_string(root.join("docs/tuning.md")).unwrap();
    let (_, keys) = text.split_once("\n\n").unwrap();
    assert!(guide.contains(&format!("```toml\n{keys}```")), "docs/tuning.md has another one");
    let dir = folder(&text);
    fs::write(dir.path().join("iris.csv"), data::table("iris.csv")).unwrap();
    let flags = "sweep --config sweep.toml iris.csv --target target --json --quiet --out tuned";
    let result = json(dir.path(), flags);
    assert_eq!((&result["wanted"], &result["folds"]), (&12.into(), &3.into()));
    succeed(dir.path(), "eval --model tuned/best");
    succeed(dir.path(), "--config tuned/best.toml --quiet --out again");
}
