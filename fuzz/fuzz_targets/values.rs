//! Any texts as values of `--set` over a recipe, one in each line of the input: the settings
//! are a recipe that gives them again.

#![no_main]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use fuzz::check_message;
use libfuzzer_sys::fuzz_target;

/// A recipe that has every part that may be off.
const RECIPE: &str = include_str!("../../crates/trainer/recipes/best.toml");

fuzz_target!(|data: &[u8]| {
    let sets = data.split(|byte| *byte == b'\n').map(|set| OsString::from_vec(set.to_owned()));
    let sets: Vec<_> = sets.collect();
    match trainer::settings(RECIPE, &sets) {
        Ok(written) => {
            let again = trainer::settings(&written, &[]);
            assert_eq!(again.as_deref(), Ok(&*written), "from {sets:?}");
        }
        Err(error) => check_message(&error),
    }
});
