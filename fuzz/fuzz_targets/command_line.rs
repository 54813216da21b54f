//! Any words as a command line over a recipe, one in each line of the input: the settings
//! are a recipe that gives them again.

#![no_main]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use fuzz::check_message;
use libfuzzer_sys::fuzz_target;

/// A recipe that has every part that may be off.
const RECIPE: &str = include_str!("../../crates/trainer/recipes/best.toml");

/// Words that print something, which would hide what the fuzzer says.
const HELP: [&[u8]; 4] = [b"help", b"--help", b"--version", b"-V"];

fuzz_target!(|data: &[u8]| {
    let words: Vec<_> = data.split(|byte| *byte == b'\n').collect();
    if words.iter().any(|word| HELP.contains(word) || word.starts_with(b"-h")) {
        return;
    }
    let words = words.into_iter().map(|word| OsString::from_vec(word.to_owned()));
    let line: Vec<_> = std::iter::once("trainer".into()).chain(words).collect();
    match trainer::settings_of_line(RECIPE, &line) {
        Ok(written) if written.is_empty() => (),
        Ok(written) => {
            let again = trainer::settings(&written, &[]);
            assert_eq!(again.as_deref(), Ok(&*written), "from {line:?}");
        }
        Err(error) => check_message(&error),
    }
});
