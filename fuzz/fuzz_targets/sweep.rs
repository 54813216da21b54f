//! Any text as the file of a sweep: what its directory would have is read to the same trials
//! again. What follows a zero is the recipe file that its `[base]` names.

#![no_main]

use fuzz::check_message;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (file, base) =
        text.split_once('\0').map_or((text, None), |(file, base)| (file, Some(base)));
    match trainer::sweep(file, base) {
        Ok(sweep) => {
            let again = trainer::sweep(&sweep.file, Some(&sweep.base));
            assert_eq!(again, Ok(sweep), "from {text:?}");
        }
        Err(error) => check_message(&error),
    }
});
