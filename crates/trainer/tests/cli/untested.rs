//! `--no-test`: runs that leave the test samples alone.

use serde_json::Value;

use crate::runs::summary;
use crate::{data, json, model, run_in, succeed};

#[test]
fn a_run_without_a_test_has_no_figure_of_one() {
    let dir = data::folder();
    let flags = "--hidden 16 --epochs 2 --validation 0.2";
    let text = succeed(dir.path(), &format!("{flags} --no-test --out run"));
    let found = summary(&dir.path().join("run"));
    for key in ["test_accuracy", "test_errors", "test_loss", "test_samples"] {
        assert_eq!(found[key], Value::Null, "{key}");
    }
    assert!(found.get("test_commonest").is_none(), "{found}");
    assert_eq!(found["status"], "done");
    assert!(found["val_loss"].as_f64() > Some(0.0));
    assert!(!text.contains("test accuracy") && !text.contains(" eval "), "{text}");
    for part in ["\nvalidation     ", "(60 samples held out)", "not tested: --no-test"] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    // The test changes nothing of the network.
    succeed(dir.path(), &format!("{flags} --out tested"));
    assert!(model(&dir.path().join("run")) == model(&dir.path().join("tested")));
    // Once all is chosen, eval tests it.
    let tested = summary(&dir.path().join("tested"));
    let later = json(dir.path(), "eval --model run --json");
    assert_eq!(later["test_accuracy"], tested["test_accuracy"]);
}

#[test]
fn the_best_epochs_are_in_the_summary() {
    let dir = data::folder();
    // Steps that are too large, and much dropout: the loss goes up and down.
    let flags = "--recipe plain --hidden 16 --epochs 8 --lr 0.3 --dropout 0.7 --schedule constant";
    succeed(dir.path(), &format!("{flags} --validation 0.2 --no-test --out run"));
    let run = dir.path().join("run");
    let (found, lines) = (summary(&run), crate::metrics(&run));
    let by = |key: &str| -> Vec<f64> { lines.iter().map(|l| l[key].as_f64().unwrap()).collect() };
    let (losses, accuracies) = (by("val_loss"), by("val_accuracy"));
    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let most = accuracies.iter().copied().fold(0.0, f64::max);
    assert!(losses[0] > least && losses[7] > least, "{losses:?}");
    assert_eq!(found["best_val_loss"], least);
    assert_eq!(found["best_val_accuracy"], most);
    let first = |all: &[f64], best: f64| 1 + all.iter().position(|x| *x == best).unwrap();
    assert_eq!(found["best_val_loss_epoch"], first(&losses, least));
    assert_eq!(found["best_val_accuracy_epoch"], first(&accuracies, most));

    succeed(dir.path(), "--hidden 16 --epochs 1 --quiet --out none");
    assert_eq!(summary(&dir.path().join("none"))["best_val_loss"], Value::Null);
}

#[test]
fn without_held_out_samples_it_says_how_to_have_some() {
    let dir = data::folder();
    let text = succeed(dir.path(), "--hidden 16 --epochs 1 --no-test --out runs/a");
    assert!(text.contains("validation     none: --validation 0.1 holds out a tenth"), "{text}");
    let last = text.lines().last().unwrap();
    assert!(last.ends_with("--config runs/a/config.toml --validation 0.1 --no-test"), "{last}");
    let flags = last.split_once("--config").unwrap().1;
    succeed(dir.path(), &format!("--config {flags} --quiet --out again"));
}

/// A network that learned nothing is told of without a look at the test samples.
#[test]
fn a_run_that_goes_wrong_says_so_without_a_test() {
    let dir = data::folder();
    for held_out in ["", "--validation 0.2"] {
        let flags = format!(
            "--recipe plain --hidden 16 --epochs 8 --lr 1e-9 --no-test --out run --overwrite {held_out}"
        );
        let output = run_in(dir.path(), &flags);
        let notes = String::from_utf8(output.stderr).unwrap();
        assert!(notes.contains("guessing") || notes.contains("chance"), "{notes}");
    }
}

/// What is printed to go on with a run leaves the test out too.
#[cfg(unix)]
#[test]
fn a_run_that_was_stopped_goes_on_without_a_test() {
    use crate::runs::Process;
    let dir = data::folder();
    let mut process =
        Process::start(dir.path(), "--hidden 16 --epochs 100000 --no-test --quiet --out run");
    assert!(process.wait_for_lines("run", 1));
    process.signal(rustix::process::Signal::INT);
    let end = process.end();
    assert!(end.stderr.ends_with("--resume run --no-test\n"), "{end:?}");
}
