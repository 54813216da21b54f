//! Which directories a run may have, and what it writes there.

use super::*;

fn leave(dir: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        fs::write(dir.join(name), text).unwrap();
    }
}

/// What `--out` says to what a directory has, without and with `--overwrite`.
#[test]
fn only_what_came_to_nothing_is_used_again() {
    const DONE: (&str, &str) = (SUMMARY, "{\"status\": \"done\"}");
    const OLD: (&str, &str) = (SUMMARY, "{\"test_accuracy\": 0.9}");
    const RUNNING: (&str, &str) = (SUMMARY, "{\"status\": \"running\"}");
    let (model, checkpoint, config) = ((MODEL, "x"), (CHECKPOINT, "x"), (CONFIG, ""));
    for (files, alone, overwritten) in [
        (&[][..], "", ""),
        (&[config, (METRICS, "{}")], "", ""),
        (&[config, RUNNING, (".nn-1-0.part", "x")], "", ""),
        (&[config, RUNNING, model], "", ""),
        (&[config, RUNNING, checkpoint], "--resume", ""),
        (&[config, RUNNING, checkpoint, model], "--resume", ""),
        (&[config, model, DONE], "--overwrite", ""),
        (&[config, model, OLD], "--overwrite", ""),
        (&[config, model], "--overwrite", ""),
        (&[config, ("mine.txt", "x")], "mine.txt", "mine.txt"),
        (&[("summary.json.bak", "x")], "summary.json.bak", "summary.json.bak"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        leave(dir.path(), files);
        for (overwrite, expected) in [(false, alone), (true, overwritten)] {
            match check_files(dir.path()).and_then(|()| check_old(dir.path(), overwrite)) {
                Ok(()) => assert_eq!(expected, "", "{files:?}"),
                Err(error) => {
                    let error = error.to_string();
                    assert!(!expected.is_empty() && error.contains(expected), "{error}");
                }
            }
        }
    }
}

#[test]
fn a_second_writer_learns_who_the_first_is() {
    let dir = tempfile::tempdir().unwrap();
    let first = RunDir::open(dir.path()).unwrap();
    leave(dir.path(), &[(SUMMARY, "{\"status\": \"running\", \"pid\": 4321}")]);
    let error = RunDir::open(dir.path()).err().unwrap().to_string();
    assert!(error.contains("process 4321"), "{error}");
    drop(first);
    assert!(RunDir::open(dir.path()).is_ok());
}

#[test]
fn a_directory_that_is_gone_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    fs::create_dir(&path).unwrap();
    let mut run = RunDir::open(&path).unwrap();
    run.config = "settings".into();
    run.restart_metrics("line\n".into()).unwrap();
    fs::rename(&path, dir.path().join("elsewhere")).unwrap();
    run.save_model(b"model").unwrap();
    let text = |name| fs::read_to_string(path.join(name)).unwrap();
    assert_eq!([MODEL, METRICS, CONFIG].map(text), ["model", "line\n", "settings"]);
}

#[test]
fn settings_of_the_user_are_no_file_of_a_run() {
    let dir = tempfile::tempdir().unwrap();
    check_settings(dir.path()).unwrap();
    leave(dir.path(), &[(CONFIG, &format!("{HEADING} 0.2.0. To repeat it: …"))]);
    check_settings(dir.path()).unwrap();
    leave(dir.path(), &[(CONFIG, "# My recipe\nseed = 1\n")]);
    let error = check_settings(dir.path()).unwrap_err().to_string();
    assert!(error.contains("has a config.toml of yours"), "{error}");
}

#[test]
fn a_directory_that_has_the_name_now_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    fs::create_dir(&path).unwrap();
    let mut run = RunDir::open(&path).unwrap();
    run.config = "settings".into();
    fs::rename(&path, dir.path().join("elsewhere")).unwrap();
    fs::create_dir(&path).unwrap();
    leave(&path, &[(CONFIG, "mine")]);
    assert!(!run.is_here());
    let error = run.save_model(b"model").unwrap_err().to_string();
    assert!(error.contains("another directory has the name"), "{error}");
    assert_eq!(fs::read_to_string(path.join(CONFIG)).unwrap(), "mine");
    assert!(!path.join(MODEL).exists());
}
