//! Each error is one line that says what to do.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::{data, run_in, succeed, trainer};

/// The one line of an output that is to be an error.
fn line(output: &Output, what: &str) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{what}: {text}");
    assert!(output.stdout.is_empty(), "{what}: {output:?}");
    assert!(!text.contains("panicked"), "{what}: {text}");
    assert_eq!(text.lines().count(), 1, "{what}: {text}");
    assert!(text.starts_with("error: "), "{what}: {text}");
    text
}

/// Runs the program, which is to fail with a line that contains `parts`.
fn fail(dir: &Path, flags: &str, parts: &[&str]) {
    let text = line(&run_in(dir, flags), flags);
    for part in parts {
        assert!(text.contains(part), "{flags}: no {part:?} in {text}");
    }
}

/// The runs in a folder: what fails early is to leave none.
fn no_runs(dir: &Path) {
    assert!(!dir.join("runs").exists());
}

#[test]
fn data_that_are_missing() {
    let dir = tempfile::tempdir().unwrap();
    fail(dir.path(), "", &["`data`", "current directory", "--data"]);
    fail(dir.path(), "eval --model m", &["m"]);
    fail(dir.path(), "--data none", &["none: no such folder"]);
    data::write(&dir.path().join("data"), 28);
    fs::remove_file(dir.path().join("data/t10k-labels-idx1-ubyte")).unwrap();
    // The test set, before the training.
    fail(dir.path(), "--quiet", &["t10k-labels-idx1-ubyte"]);
    no_runs(dir.path());
}

#[test]
fn data_that_are_damaged() {
    for name in ["train-images-idx3-ubyte", "t10k-images-idx3-ubyte"] {
        let dir = data::folder();
        let path = dir.path().join("data").join(name);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        fail(dir.path(), "", &[name, "cut short"]);
        fs::write(&path, b"").unwrap();
        fail(dir.path(), "", &[name]);
        fs::write(&path, b"nonsense").unwrap();
        fail(dir.path(), "", &[name, "found text, expected an IDX file"]);
        no_runs(dir.path());
    }
}

#[test]
fn data_that_do_not_belong_together() {
    let dir = data::folder();
    data::write(&dir.path().join("small"), 10);
    for name in ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"] {
        let data = dir.path().join("data").join(name);
        fs::copy(dir.path().join("small").join(name), data).unwrap();
    }
    fail(dir.path(), "", &["28 x 28", "10 x 10"]);

    let dir = data::folder();
    let path = dir.path().join("data/t10k-labels-idx1-ubyte");
    let mut labels = fs::read(&path).unwrap();
    *labels.last_mut().unwrap() = 11;
    fs::write(&path, labels).unwrap();
    fail(dir.path(), "", &["1 test sample of class 11, which no training sample is of"]);
    no_runs(dir.path());
}

#[test]
fn class_names_that_are_wrong() {
    let dir = data::folder();
    let path = dir.path().join("data/classes.txt");
    for (text, parts) in [
        ("one\ntwo\n", &["classes.txt: list of class names has 2 elements: expected 10"][..]),
        ("a\nb\nc\nd\ne\nf\ng\nh\ni\na\n", &["classes.txt: classes 0 and 9 are both called `a`"]),
        ("a\n\nc\n", &["classes.txt: line 2: found no name"]),
    ] {
        fs::write(&path, text).unwrap();
        fail(dir.path(), "", parts);
    }
    no_runs(dir.path());
}

#[test]
fn flags_that_are_wrong() {
    let dir = data::folder();
    // What clap finds, it says in its own format, with its own exit code.
    for flags in [
        "--nonsense",
        "--epochs many",
        "--hidden 5,x",
        "--activation selu",
        "--activation maxout:1",
        "--init zeros",
        "--optimizer adma",
        "--schedule step",
        "--batch-norm many",
        "--dropout-kind uniform",
        "--patience -1",
        "--monitor time",
        "--elastic 20:x",
        "--class-weights even",
        "--whole-pixels=maybe",
        "--recipe article --config x.toml",
        "eval",
        "--quiet eval --model x",
    ] {
        let output = run_in(dir.path(), flags);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags}: {text}");
        assert!(text.starts_with("error: "), "{flags}: {text}");
        assert!(!text.contains("panicked"), "{flags}: {text}");
    }

    let output = run_in(dir.path(), "--optimizer adma");
    let text = String::from_utf8(output.stderr).unwrap();
    let part = "`adma` is no optimizer: expected one of \
                sgd, nesterov, adagrad, rmsprop, adadelta, adam, adamw";
    assert!(text.contains(part), "{text}");

    no_runs(dir.path());
}

#[test]
fn values_out_of_range() {
    let dir = data::folder();
    // These have a reason of their own. The ranges of the settings are tested beside
    // their table, in `src/config/tests.rs`.
    for (flags, part) in [
        ("--threads 0", "--threads is 0: expected a whole number from 1 to 1024"),
        ("--threads 1025", "--threads is 1025"),
        ("eval --model x --threads 0", "--threads is 0"),
        ("--epochs 0", "--epochs is 0: expected a whole number from 1 to 1000000, such as 5"),
        ("--set training.epochs=0", "--set training.epochs is 0: expected a whole number from 1"),
        ("--lr -0.5", "--lr is -0.5: expected a finite number above 0"),
        ("--class-weights -1,1", "--class-weights is -1,1: expected a number of at least 0"),
        ("--class-weights 1,2", "list of class weights has 2 elements: expected 10"),
        ("--elastic -1", "--elastic is -1: expected a number from 0 to 1000"),
        ("--patience 3", "early stopping watches held-out images, and there are none: hold some"),
        ("--monitor loss", "--monitor is a part of `training.early-stopping`, which is off"),
        (
            "--optimizer adam --momentum 0.9",
            "--momentum is for sgd, nesterov and rmsprop, and the optimizer is adam: leave it \
             out, or choose one of them with --optimizer",
        ),
    ] {
        fail(dir.path(), flags, &[part]);
    }
    no_runs(dir.path());
}

#[test]
fn unknown_flags_and_keys_name_the_one_that_was_meant() {
    let dir = data::folder();
    for (flags, part) in [
        ("--clip-nrm 1", "tip: did you mean '--clip-norm'?"),
        ("train --shuffle", "tip: did you mean '--set training.shuffle=false'?"),
        ("--quite", "tip: a similar argument exists: '--quiet'"),
        ("--set l2=1", "there is no key `l2`: did you mean `training.l2`?"),
        ("--set training.optimizer=adam", "is a table: set one of its keys, which are kind,"),
    ] {
        let output = run_in(dir.path(), flags);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags}: {text}");
        assert!(text.contains(part), "{flags}: {text}");
    }
    // `eval` has no settings to suggest.
    let output = run_in(dir.path(), "eval --model x --shuffle");
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("'--shuffle'") && !text.contains("training.shuffle"), "{text}");
}

#[test]
fn recipes_that_are_unknown_or_wrong() {
    let dir = data::folder();
    let parts = ["no recipe `nonsense`", "default", "article"];
    fail(dir.path(), "--recipe nonsense", &parts);
    fail(dir.path(), "--config none.toml", &["cannot read none.toml"]);
    // A folder is no file; systems differ in what they say of reading one.
    fail(dir.path(), "--config data", &["cannot read data"]);

    let file = dir.path().join("mine.toml");
    let network = "[network]\nhidden = [5]\nactivation = \"relu\"\ninit = \"he\"\n";
    for (text, parts) in [
        ("colour = 1", &["line 1", "no key `colour`"][..]),
        ("[training]\nepochs = \"3\"", &["line 6", "\"3\""]),
        ("[training]\nlearning = 3", &["line 6", "no key `training.learning`"]),
        ("[training]\nepochs = 0", &["mine.toml, line 6: training.epochs is 0: expected"]),
        ("[data", &["mine.toml, line 5"]),
    ] {
        let text = if text.starts_with('[') {
            format!("{network}{text}")
        } else {
            format!("{text}\n{network}")
        };
        fs::write(&file, text).unwrap();
        fail(dir.path(), "--config mine.toml", parts);
    }
    fs::write(&file, b"\xff\xfe").unwrap();
    fail(dir.path(), "--config mine.toml", &["cannot read mine.toml"]);
    no_runs(dir.path());
}

#[test]
fn directories_that_cannot_be_used() {
    let dir = data::folder();
    succeed(dir.path(), "--epochs 1 --quiet --out run");
    let model = fs::read(dir.path().join("run/model.safetensors")).unwrap();
    fail(dir.path(), "--out run", &["run is not empty", "--out"]);
    let kept = fs::read(dir.path().join("run/model.safetensors")).unwrap();
    assert!(model == kept);
    // Under a file there is no directory, not even for a superuser.
    let out = "--out run/summary.json/x";
    fail(dir.path(), out, &["cannot make the directory"]);
    fs::write(dir.path().join("runs"), "a file").unwrap();
    fail(dir.path(), "", &["cannot make the directory runs"]);
    // An empty one is as good as a new one.
    fs::create_dir(dir.path().join("empty")).unwrap();
    succeed(dir.path(), "--epochs 1 --quiet --out empty");
}

#[test]
fn models_that_cannot_be_used() {
    let dir = data::folder();
    fail(dir.path(), "eval --model none", &["none"]);
    fail(dir.path(), "eval --model data", &["data"]);
    let images = "data/t10k-images-idx3-ubyte";
    fail(dir.path(), &format!("eval --model {images}"), &[images]);
    fs::write(dir.path().join("empty"), b"").unwrap();
    fail(dir.path(), "eval --model empty", &["empty"]);

    succeed(dir.path(), "--epochs 1 --quiet --out run");
    let model = dir.path().join("run/model.safetensors");
    let bytes = fs::read(&model).unwrap();
    fs::write(dir.path().join("cut"), &bytes[..bytes.len() - 1]).unwrap();
    fail(dir.path(), "eval --model cut", &["cut"]);

    data::write(&dir.path().join("small"), 10);
    let flags = "eval --model run/model.safetensors --data small";
    fail(dir.path(), flags, &["784 pixels", "10 x 10"]);
}

#[test]
fn training_that_diverges() {
    let dir = data::folder();
    let flags = "--lr 1e30 --quiet --out run";
    fail(dir.path(), flags, &["loss", "lower learning rate"]);
    assert!(!dir.path().join("run/summary.json").exists());
}

#[test]
fn instruction_sets_that_are_not_there() {
    let dir = data::folder();
    for flags in ["", "eval --model none", "--recipe nonsense"] {
        let mut command = trainer();
        command.current_dir(dir.path()).env("KERNELS_ISA", "nonsense");
        let output = command.args(flags.split_whitespace()).output().unwrap();
        assert!(line(&output, flags).contains("nonsense"));
    }
    no_runs(dir.path());
}
