//! The program, driven as a user drives it, on a few hundred small images.

mod bad_input;
mod columns;
mod build_on;
mod crossval;
mod data;
#[cfg(target_os = "linux")]
mod disk;
mod doctor;
mod eval;
mod export;
mod health;
mod help;
mod inspect;
mod kill;
mod listed;
mod look;
mod named;
mod lr_find;
#[cfg(feature = "mpi")]
mod mpi;
mod pairs;
mod past_run;
mod pictures;
mod predict;
mod report;
mod readme;
mod repeat;
mod resume;
mod runs;
mod serve;
mod settings;
#[cfg(unix)]
mod stop;
mod stream;
mod sweep;
mod tables;
mod thousands;
mod train;
mod untested;
mod verbose;
#[cfg(target_os = "linux")]
mod watch;
mod well_known;
#[cfg(not(feature = "mpi"))]
mod without_mpi;

use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;

/// The program, without an instruction set chosen by the environment.
fn trainer() -> Command {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("trainer");
    command.env_remove("KERNELS_ISA");
    command
}

/// Runs the program in the folder `dir` with flags that are parted by spaces.
fn run_in(dir: &Path, flags: &str) -> Output {
    let mut command = trainer();
    command.current_dir(dir).args(flags.split_whitespace());
    command.output().unwrap()
}

/// Runs the program, which is to succeed, and gives what it printed.
fn succeed(dir: &Path, flags: &str) -> String {
    let output = run_in(dir, flags);
    assert!(output.status.success(), "{flags}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs the program, which is to succeed and to print one JSON object.
fn json(dir: &Path, flags: &str) -> Value {
    let value: Value = serde_json::from_str(&succeed(dir, flags)).unwrap();
    assert!(value.is_object(), "{value}");
    value
}

/// The keys of an object, sorted.
fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().unwrap().keys().map(|k| &**k).collect();
    keys.sort_unstable();
    keys
}

/// The bytes of the model that a run has left.
fn model(run: &Path) -> Vec<u8> {
    fs::read(run.join("model.safetensors")).unwrap()
}

/// The lines that a run has left, one an epoch.
fn metrics(run: &Path) -> Vec<Value> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let lines = text.lines();
    lines.map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// The names in a directory, sorted.
fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
