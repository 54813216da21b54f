//! The commands of the README, in their order, on a small data set in the place of MNIST.

use std::fs;
use std::path::Path;

use crate::{data, run_in};

/// What a command of the program begins with.
const PROGRAM: &str = "cargo run -p trainer --release";

/// Commands that do not end by themselves, or that name what only their reader has.
const OTHERS: [&str; 2] = ["serve ", "runs/NAME"];

/// The command lines of a text: what follows the program, without comments.
fn commands(text: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| line.strip_prefix(PROGRAM));
    let lines = lines.map(|line| line.split(" #").next().unwrap_or_default().trim());
    lines.map(|line| line.trim_start_matches("--").trim().to_owned()).collect()
}

#[test]
fn every_command_works() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let dir = data::folder();
    fs::create_dir(dir.path().join("docs")).unwrap();
    for file in ["data/iris.csv", "data/digit.jpg", "docs/sweep.toml"] {
        fs::copy(root.join(file), dir.path().join(file)).unwrap();
    }
    let all = commands(&fs::read_to_string(root.join("README.md")).unwrap());
    assert!(all.len() > 30, "{all:?}");
    let mut run = 0;
    for mut line in all {
        if OTHERS.iter().any(|other| line.contains(other)) {
            continue;
        }
        // Recipes of hours are one epoch here, which is the last flag that counts.
        let trains = line.is_empty() || line.starts_with("--") || line.starts_with("data/");
        if trains && line != "--help" {
            line += " --epochs 1";
        }
        let output = run_in(dir.path(), &line);
        assert!(output.status.success(), "{line}: {output:?}");
        run += 1;
    }
    assert!(run > 30, "{run} commands");
}
