//! Recipe files that build on a recipe, and `--print-config`.

use std::fs;

use crate::{data, model, run_in, succeed};

#[test]
fn two_lines_are_a_recipe_file() {
    let dir = data::folder();
    let file = "recipe = \"default\"\ntraining.epochs = 2\nnetwork.hidden = [16]\n";
    fs::write(dir.path().join("mine.toml"), file).unwrap();
    succeed(dir.path(), "--config mine.toml --quiet --out file");
    succeed(dir.path(), "--epochs 2 --hidden 16 --quiet --out flags");
    let (file, flags) = (dir.path().join("file"), dir.path().join("flags"));
    assert!(model(&file) == model(&flags));
    let settings = [&file, &flags].map(|run| fs::read(run.join("config.toml")).unwrap());
    assert_eq!(settings[0], settings[1]);
}

/// A run whose recipe turns something on that a flag turned off.
#[test]
fn the_settings_of_a_run_build_on_nothing() {
    let dir = data::folder();
    let flags = "--hidden 16 --epochs 1 --batch-norm none --shift 0";
    succeed(dir.path(), &format!("{flags} --quiet --out run"));
    succeed(dir.path(), "--config run/config.toml --quiet --out again");
    assert!(model(&dir.path().join("run")) == model(&dir.path().join("again")));
    // As older versions wrote them.
    let settings = dir.path().join("run/config.toml");
    let text = fs::read_to_string(&settings).unwrap();
    let old = text.replace("complete = true\n", "");
    assert_ne!(old, text);
    fs::write(dir.path().join("old.toml"), old).unwrap();
    succeed(dir.path(), "--config old.toml --quiet --out older");
    assert!(model(&dir.path().join("run")) == model(&dir.path().join("older")));
}

#[test]
fn the_settings_that_would_be_run_are_printed() {
    let dir = data::folder();
    let flags = "--recipe plain --hidden 16 --epochs 1 --lr 0.05 --dropout 0.3";
    let printed = succeed(dir.path(), &format!("{flags} --print-config"));
    assert_eq!(crate::names(dir.path()), ["data"], "nothing is trained");
    succeed(dir.path(), &format!("{flags} --quiet --out run"));
    assert_eq!(printed, fs::read_to_string(dir.path().join("run/config.toml")).unwrap());
    fs::write(dir.path().join("mine.toml"), &printed).unwrap();
    succeed(dir.path(), "--config mine.toml --quiet --out again");
    assert!(model(&dir.path().join("run")) == model(&dir.path().join("again")));

    // Notes are not a part of it, and no data are needed.
    let empty = tempfile::tempdir().unwrap();
    let output = run_in(empty.path(), "--optimizer sgd --print-config");
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("\nlr = 0.1\n"));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("note: the learning rate"));
    let output = run_in(empty.path(), "--lr -1 --print-config");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
}
