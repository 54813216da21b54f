//! What a command prints: results on stdout, words on stderr.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::error::{Error, one_line};

/// Prints the result that the program was called for. A failure is an error, unless
/// the reader has closed the pipe.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    check_stdout()?;
    let mut stdout = io::stdout();
    written(writeln!(stdout, "{text}").and_then(|()| stdout.flush()))
}

/// Prints a path on stdout as it is, for a script.
pub(crate) fn print_path(path: &Path) -> Result<(), Error> {
    let mut stdout = io::stdout();
    let bytes = [path.as_os_str().as_encoded_bytes(), b"\n"].concat();
    written(stdout.write_all(&bytes).and_then(|()| stdout.flush()))
}

/// The error of writing to stdout. A reader that closed the pipe has what it wanted.
pub(crate) fn written(result: io::Result<()>) -> Result<(), Error> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Stdout(error)),
        _ => Ok(()),
    }
}

/// Prints what the user should know, a line each, on stderr.
pub(crate) fn notes(notes: &[String]) {
    for note in notes {
        // What cannot be shown is no reason to stop.
        let _ = writeln!(io::stderr(), "note: {}", one_line(note));
    }
}

/// Prints an error that does not end the program.
pub(crate) fn failure(error: &Error) {
    let _ = writeln!(io::stderr(), "error: {}", one_line(&error.to_string()));
}

/// Checks that a result on stdout will reach somebody.
///
/// A program of Rust that is started with a closed stdout does not see that: the
/// runtime opens `/dev/null` in its place, for reading and writing. Who silences stdout
/// on purpose mostly opens it for writing only, or stdin in the same way. And it takes
/// for written what the system refuses because stdout is open for reading only.
///
/// # Errors
/// On Linux, if stdout was closed or cannot be written. (Other systems do not tell.)
pub(crate) fn check_stdout() -> Result<(), Error> {
    // The last octal digit of the flags: 0 is reading, 1 writing, 2 both.
    let access = |descriptor: u8| {
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}")).ok()?;
        info.lines().find_map(|line| line.strip_prefix("flags:"))?.trim().chars().last()
    };
    let opened_by_runtime = |descriptor: u8| {
        let target = fs::read_link(format!("/proc/self/fd/{descriptor}"));
        target.is_ok_and(|target| target == Path::new("/dev/null"))
            && access(descriptor) == Some('2')
    };
    let closed = opened_by_runtime(1) && !opened_by_runtime(0);
    if closed || access(1) == Some('0') { Err(Error::NoStdout) } else { Ok(()) }
}

/// Prints a result as a JSON object.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value);
    print(&text.map_err(|error| Error::Stdout(error.into()))?)
}
