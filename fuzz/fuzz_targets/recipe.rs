//! Any text as a recipe: the settings that it gives are a recipe that gives them again.

#![no_main]

use fuzz::check_message;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match trainer::settings(text, &[]) {
        Ok(written) => {
            let again = trainer::settings(&written, &[]);
            assert_eq!(again.as_deref(), Ok(&*written), "from {text:?}");
        }
        Err(error) => check_message(&error),
    }
});
