//! The help of every command, beside files that a person has read.
//!
//! After a change of the help, `UPDATE_HELP=1 cargo test -p trainer --test cli help::` writes
//! them again.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{run_in, succeed, trainer};

const UPDATE: &str = "UPDATE_HELP=1 cargo test -p trainer --test cli help::";

/// What the program prints to a terminal of 80 columns, or to a pipe.
fn help(line: &[&str]) -> String {
    let mut command = trainer();
    let output = command.args(line).env("COLUMNS", "80").output().unwrap();
    assert!(output.status.success(), "{line:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// All commands, as the help lists them.
fn commands() -> Vec<String> {
    let text = help(&["--help"]);
    let list = text.split_once("\nCommands:\n").expect("a list of commands").1;
    let lines = list.lines().take_while(|line| !line.is_empty());
    // A line that goes on begins further to the right.
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.map(|line| line.split_whitespace().next().unwrap().to_owned());
    let names: Vec<_> = names.filter(|name| name != "help").collect();
    assert!(names.len() >= 8, "{names:?}");
    names
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/help")
}

#[test]
fn the_help_of_every_command_is_that_of_its_file() {
    let update = std::env::var_os("UPDATE_HELP").is_some();
    let mut expected_files = Vec::new();
    let mut wrong = Vec::new();
    for command in std::iter::once(None).chain(commands().into_iter().map(Some)) {
        for (flag, end) in [("-h", ".short.txt"), ("--help", ".txt")] {
            let words: Vec<&str> = command.as_deref().into_iter().chain([flag]).collect();
            let found = help(&words);
            let name = format!("{}{end}", command.as_deref().unwrap_or("trainer"));
            let path = folder().join(&name);
            expected_files.push(name.clone());
            if update {
                fs::write(&path, &found).unwrap();
            } else if fs::read_to_string(&path).ok().as_ref() != Some(&found) {
                wrong.push(name);
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{wrong:?} in tests/help are not the help: look at it, then {UPDATE}"
    );
    let mut files = crate::names(&folder());
    expected_files.sort();
    files.sort();
    assert_eq!(files, expected_files, "a file in tests/help is of no command: remove it");
}

#[test]
fn every_help_fits_into_80_columns_and_has_examples() {
    for command in std::iter::once(None).chain(commands().into_iter().map(Some)) {
        let name = command.as_deref().unwrap_or("trainer");
        for flag in ["-h", "--help"] {
            let words: Vec<&str> = command.as_deref().into_iter().chain([flag]).collect();
            let text = help(&words);
            let wide: Vec<_> = text.lines().filter(|line| line.chars().count() > 80).collect();
            assert!(wide.is_empty(), "{name} {flag}: {wide:#?}");
            assert!(text.contains("\nExamples:\n"), "{name} {flag}: no examples");
        }
        let words: Vec<&str> = command.as_deref().into_iter().chain(["--help"]).collect();
        let text = help(&words);
        for part in ["\nEnvironment:\n", "\nExit codes:\n"] {
            assert!(text.contains(part), "{name}: no {part}");
        }
    }
    // A person reads two screens at most before they know what to type.
    assert!(help(&["-h"]).lines().count() <= 66);
}

/// The examples are command lines that the program takes, as far as reading them goes.
#[test]
fn examples_are_command_lines() {
    let dir = tempfile::tempdir().unwrap();
    let mut seen = 0;
    for command in std::iter::once(None).chain(commands().into_iter().map(Some)) {
        let words: Vec<&str> = command.as_deref().into_iter().chain(["-h"]).collect();
        let text = help(&words);
        let examples = text.split_once("\nExamples:\n").unwrap().1;
        for line in examples.lines().take_while(|line| line.starts_with("  ")) {
            // After two spaces comes what it does.
            let line = line.trim().split("   ").next().unwrap();
            let line = line.split("  ").next().unwrap().split(['|', '>']);
            let part = line.map(str::trim).find(|part| part.starts_with("trainer"));
            let Some(part) = part else { continue };
            // The line is read up to the last flag, and not run: it might write at home, or serve
            // for ever.
            let line = part.replace('\'', "");
            let output = run_in(dir.path(), &format!("{} --help", &line["trainer".len()..]));
            assert!(output.status.success(), "{part}: {output:?}");
            seen += 1;
        }
    }
    assert!(seen >= 15, "{seen}");
}

#[test]
fn short_flags_are_the_long_ones() {
    let dir = crate::data::folder();
    succeed(dir.path(), "--hidden 8 --epochs 1 -q -o run");
    // A flag whose value may be left out does not take a short flag for it.
    succeed(dir.path(), "--hidden 8 --epochs 1 --deskew -q -o deskewed");
    let settings = fs::read_to_string(dir.path().join("deskewed/config.toml")).unwrap();
    assert!(settings.contains("deskew = true\n"), "{settings}");
    assert!(succeed(dir.path(), "eval -m run").contains("test accuracy"));
    // A value that begins with a dash is one all the same.
    let output = run_in(dir.path(), "--epochs -5");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.starts_with("error: --epochs is -5: expected a whole number"), "{error}");
}

#[test]
fn shells_complete_command_lines() {
    let dir = tempfile::tempdir().unwrap();
    for (shell, part) in [
        ("bash", "complete -F _trainer"),
        ("zsh", "#compdef trainer"),
        ("fish", "complete -c trainer"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion"),
    ] {
        let script = succeed(dir.path(), &format!("completions {shell}"));
        let values = ["leaky-relu", "invariant", "nesterov"];
        // The others complete flags alone.
        let values = if ["bash", "zsh", "fish"].contains(&shell) { &values[..] } else { &[] };
        for part in [part, "print-config", "predict"].iter().chain(values) {
            assert!(script.contains(part), "{shell}: no {part}");
        }
    }
    let output = run_in(dir.path(), "completions csh");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    // A shell takes the script for one.
    let path = dir.path().join("trainer.bash");
    fs::write(&path, succeed(dir.path(), "completions bash")).unwrap();
    if let Ok(output) = std::process::Command::new("bash").arg("-n").arg(&path).output() {
        assert!(output.status.success(), "{output:?}");
    }
}

#[test]
fn there_are_manual_pages() {
    let dir = tempfile::tempdir().unwrap();
    let page = succeed(dir.path(), "man");
    assert!(page.contains(".TH trainer 1") && page.contains(".SH SUBCOMMANDS"), "{page}");
    let page = succeed(dir.path(), "man predict");
    assert!(page.contains(".TH trainer-predict 1"), "{page}");
    assert!(page.contains(".SH \"EXIT CODES\"\n.TP\n\\fB0\\fR\nthe work is done\n"), "{page}");
    assert!(succeed(dir.path(), "man --dir pages").is_empty());
    let mut expected: Vec<_> =
        commands().iter().map(|command| format!("trainer-{command}.1")).collect();
    expected.push("trainer.1".to_owned());
    expected.sort();
    assert_eq!(crate::names(&dir.path().join("pages")), expected);
    for (line, expected) in [
        ("man preditc", "error: there is no command 'preditc': did you mean predict?"),
        ("man x", "error: there is no command 'x': the commands are train, "),
    ] {
        let output = run_in(dir.path(), line);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.starts_with(expected), "{error}");
    }
}

/// The document lists the environment variables and exit codes that the help lists.
#[test]
fn the_document_says_what_the_help_says() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    if package.join("Cargo.toml.orig").exists() {
        return; // A published package, which has no documents.
    }
    let document = fs::read_to_string(package.join("../../docs/command-line.md")).unwrap();
    let text = help(&["--help"]);
    for (mark, heading) in [("codes", "Exit codes:"), ("variables", "Environment:")] {
        let table = document.split(&format!("<!-- {mark} -->\n")).nth(1).unwrap();
        let table = table.split("<!-- /").next().unwrap();
        let rows = table.lines().skip(2);
        let named: Vec<_> =
            rows.map(|row| row.split('|').nth(1).unwrap().trim().trim_matches('`')).collect();
        let section = text.split_once(&format!("\n{heading}\n")).unwrap().1;
        let lines = section.lines().take_while(|line| line.starts_with("  "));
        let lines = lines.filter(|line| !line.starts_with("   "));
        let helped: Vec<_> = lines.map(|line| line.split_whitespace().next().unwrap()).collect();
        assert_eq!(named, helped, "{heading}");
    }
}
