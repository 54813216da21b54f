//! Any bytes as the body of a request to `trainer serve`: what is read of them is JSON that is
//! read to the same again. If the first byte is odd, the rest is JSON lines, otherwise one body.

#![no_main]

use fuzz::check_message;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((mode, body)) = data.split_first() else { return };
    let read = if mode % 2 == 1 { trainer::json_lines } else { trainer::json };
    match read(body) {
        Ok(written) => {
            let again = read(written.as_bytes());
            assert_eq!(again.as_deref(), Ok(&*written), "from {:?}", body.escape_ascii());
        }
        Err(error) => {
            check_message(&error);
            // However long the texts in a body are, what its client is told is short.
            assert!(error.len() < 400, "{} bytes: {error}", error.len());
        }
    }
});
