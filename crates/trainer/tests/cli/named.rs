//! What the directories of runs are called.

use std::fs;

use serde_json::Value;

use crate::{data, json, names, run_in, succeed};

/// The name without the time at its end.
fn first_part(run: &str) -> &str {
    let (name, clock) = run.rsplit_once('-').unwrap();
    let (name, day) = name.rsplit_once('-').unwrap();
    let digits = |text: &str, len: usize| text.len() == len && text.parse::<u64>().is_ok();
    assert!(digits(day, 8) && digits(clock, 6), "{run}");
    name
}

#[test]
fn a_run_is_called_by_what_differs_from_its_recipe() {
    let dir = data::folder();
    fs::write(dir.path().join("mine.toml"), "[network]\nhidden = [5]\n").unwrap();
    for (flags, expected) in [
        ("--recipe article", "article-epochs1"),
        ("--recipe plain --hidden 8,4 --lr 0.02", "plain-hidden8x4-epochs1-lr0.02"),
        ("--config mine.toml --seed 3", "mine-epochs1-seed3"),
        ("--name wide_1.0 --hidden 9", "wide_1.0"),
    ] {
        let summary = json(dir.path(), &format!("{flags} --epochs 1 --json --quiet"));
        let path = summary["run"].as_str().unwrap();
        let run = path.strip_prefix("runs/").unwrap();
        assert_eq!(first_part(run), expected, "{flags}");
        let saved = fs::read(dir.path().join(path).join("summary.json")).unwrap();
        let saved: Value = serde_json::from_slice(&saved).unwrap();
        assert_eq!(saved["run"], path);
    }
}

#[test]
fn runs_of_one_second_have_names_of_their_own() {
    let dir = data::folder();
    for _ in 0..3 {
        succeed(dir.path(), "--recipe article --epochs 1 --quiet");
    }
    assert_eq!(names(&dir.path().join("runs")).len(), 3);
}

#[test]
fn a_name_is_no_path() {
    let dir = data::folder();
    for (name, shown) in [("../x", "../x"), (".", "."), ("a/b", "a/b")] {
        let output = run_in(dir.path(), &format!("--name {name} --epochs 1"));
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let expected = format!(
            "error: --name is {shown}: expected at most 64 letters, digits, dots, dashes and \
             underscores, the first a letter or a digit; --out takes any directory\n"
        );
        assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
    }
    assert!(!dir.path().join("runs").exists());
}
