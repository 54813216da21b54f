//! A directory of a run in which a file was edited, or is gone.

use std::fs;

use crate::runs::Process;
use crate::{data, run_in, succeed};

#[test]
fn settings_that_were_edited_in_the_directory_are_not_taken_in_silence() {
    let dir = data::folder();
    let dir = dir.path();
    succeed(dir, "--recipe plain --epochs 1 --quiet --out run");
    let path = dir.join("run/config.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("lr = 0.1\n"), "{text}");
    fs::write(&path, text.replace("lr = 0.1\n", "lr = 0.5\n")).unwrap();
    let output = run_in(dir, "--resume run --epochs 2");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{error}");
    assert!(
        error.contains("run/config.toml says training.lr = 0.5, and the run has 0.1"),
        "{error}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), text.replace("epochs = 1\n", "epochs = 2\n"));
}

#[test]
fn a_model_that_is_gone_comes_back() {
    let dir = data::folder();
    let dir = dir.path();
    succeed(dir, "--recipe plain --epochs 1 --quiet --out run");
    let path = dir.join("run/model.safetensors");
    let model = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    succeed(dir, "--resume run --quiet");
    assert!(fs::read(&path).unwrap() == model);
}

/// A run that was killed before its first save can only begin again, and the error says how.
#[test]
fn a_run_without_a_checkpoint_begins_again() {
    let dir = data::folder();
    let dir = dir.path();
    succeed(dir, "--recipe plain --epochs 1 --quiet --out run");
    let model = fs::read(dir.join("run/model.safetensors")).unwrap();
    fs::remove_file(dir.join("run/checkpoint.safetensors")).unwrap();
    fs::write(dir.join("run/summary.json"), "{\"status\": \"running\"}").unwrap();
    let output = run_in(dir, "--resume run");
    let error = String::from_utf8(output.stderr).unwrap();
    let again = "--config run/config.toml --out run";
    assert!(error.starts_with("error: run was ended before its first save; "), "{error}");
    assert!(error.ends_with(&format!("{again}\n")), "{error}");
    succeed(dir, &format!("{again} --quiet"));
    assert!(fs::read(dir.join("run/model.safetensors")).unwrap() == model);
}

/// A run without a checkpoint may be another's, have diverged, or have ended.
#[test]
fn why_a_run_has_no_checkpoint() {
    let dir = data::folder();
    let dir = dir.path();
    let refused = |expected: &str| {
        let output = run_in(dir, "--resume run");
        let error = String::from_utf8(output.stderr).unwrap();
        let error = error.replace(env!("CARGO_BIN_EXE_trainer"), "trainer");
        assert_eq!(error, format!("error: {expected}\n"));
        assert_eq!(output.status.code(), Some(1));
    };
    let mut process = Process::start(
        dir,
        "--hidden 24 --epochs 100000 --checkpoint-every none --quiet --out run",
    );
    assert!(process.wait_for_lines("run", 2));
    refused(&format!(
        "process {} is writing to run: wait for it, or name another directory with --out",
        process.id()
    ));
    process.kill();
    refused(
        "run was ended before its first save; to begin it again: trainer --config run/config.toml \
         --out run",
    );

    // With a model or without one.
    for has_model in [false, true] {
        fs::remove_dir_all(dir.join("run")).unwrap();
        let output = run_in(dir, "--recipe plain --lr 1e30 --checkpoint-every none --out run");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        if has_model {
            fs::write(dir.join("run/model.safetensors"), "").unwrap();
        }
        refused(
            "run diverged before its first save; to begin it again, with clipped gradients or \
             with a smaller --lr: trainer --config run/config.toml --clip-norm 1",
        );
    }

    fs::remove_dir_all(dir.join("run")).unwrap();
    succeed(dir, "--recipe plain --epochs 1 --quiet --out run");
    fs::remove_file(dir.join("run/checkpoint.safetensors")).unwrap();
    refused(
        "run has ended, and its checkpoint is gone; to begin it again: trainer --config \
         run/config.toml --out run --overwrite",
    );
    succeed(dir, "--config run/config.toml --out run --overwrite --quiet");
}
