//! What the program says to wrong input, as tables: what is wrong, the arguments, the
//! exit code and the whole line of the error. They are the list of all errors that a
//! user can meet, and their documentation.
//!
//! Each row is one run of the program. Besides its line it asserts that there is nothing
//! on stdout, and that the run has left no file and changed none.

mod data;
mod environment;
mod export;
mod files;
mod flags;
mod lr_find;
mod models;
mod predict;
mod recipes;
mod report;
mod tables;
mod values;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::SystemTime;

use crate::trainer;

/// Settings that are wrong: the command line, the recipe or the environment.
const USAGE: i32 = 2;
/// Settings that are right, and something else that is not.
const FAILED: i32 = 1;

/// What is wrong, the arguments, and the error after `error: `. An error that ends with
/// `…` goes on in the words of the system.
type Row = (&'static str, &'static str, &'static str);

/// Runs each row in the folder `dir`; all of them exit with `code`.
fn check(dir: &Path, code: i32, rows: &[Row]) {
    let wrong: Vec<_> = rows
        .iter()
        .filter_map(|(why, line, error)| {
            let mut command = trainer();
            command.current_dir(dir).args(words(line));
            let found = refusal(dir, code, error, || command.output().unwrap()).err()?;
            Some(format!("{why}: `{line}`: {found}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
}

/// Checks a run that is to fail with this code and this line, and to leave no trace.
fn refusal(dir: &Path, code: i32, error: &str, run: impl FnOnce() -> Output) -> Result<(), String> {
    let before = files(dir);
    let output = run();
    let text = String::from_utf8(output.stderr).unwrap();
    let line = text.strip_suffix('\n').and_then(|line| line.strip_prefix("error: "));
    let right = line.is_some_and(|line| match error.strip_suffix('…') {
        Some(start) => line.starts_with(start) && !line.contains(char::is_control),
        None => line == error,
    });
    if !right {
        return Err(format!("{text:?}, not {error:?}"));
    }
    if output.status.code() != Some(code) {
        return Err(format!("{:?}, not {code}", output.status));
    }
    if !output.stdout.is_empty() {
        return Err(format!("on stdout: {}", String::from_utf8_lossy(&output.stdout)));
    }
    if files(dir) != before {
        return Err("left or changed a file".to_owned());
    }
    Ok(())
}

/// The words of a line, parted by spaces; in single quotes a word may have spaces or be
/// empty.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (i, part) in line.split('\'').enumerate() {
        if i % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// All files and folders below `dir`, with their lengths and times.
fn files(dir: &Path) -> Vec<(PathBuf, u64, SystemTime)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let about = entry.metadata().unwrap();
        found.push((entry.path(), about.len(), about.modified().unwrap()));
        if about.is_dir() {
            found.extend(files(&entry.path()));
        }
    }
    found.sort();
    found
}
