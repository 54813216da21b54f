//! Whether runs can be written, and whether there is room for them.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use super::check::Check;
use crate::limits;

const NAME: &str = "runs";

/// The folder that a run without `--out` makes its own in.
const DIR: &str = "runs";

/// A run of the default recipe has some megabytes. With less room than this, the next may
/// have none.
const LITTLE: u64 = 100 << 20;

pub(super) fn check() -> Check {
    let dir = Path::new(DIR);
    // What does not exist is made in the current folder.
    let (place, shown) = match dir.is_dir() {
        true => (dir, "runs/"),
        false => (Path::new("."), "the current folder, for runs/,"),
    };
    if dir.exists() && !dir.is_dir() {
        let advice = "move it, or name another place with --out DIR";
        return Check::fail(NAME, "`runs` is a file, where runs have their folder", advice);
    }
    found(shown, try_to_write(place), limits::disk(place), limits::file_size())
}

/// Makes a file and removes it.
fn try_to_write(dir: &Path) -> io::Result<()> {
    let path = dir.join(format!(".trainer-doctor-{}", std::process::id()));
    OpenOptions::new().write(true).create_new(true).open(&path)?;
    fs::remove_file(path)
}

fn found(shown: &str, written: io::Result<()>, free: u64, file: u64) -> Check {
    const ADVICE: &str = "name another place for runs with --out DIR";
    if let Err(error) = written {
        return Check::fail(NAME, format!("{shown} cannot be written to: {error}"), ADVICE);
    }
    let mut text = format!("{shown} can be written to");
    if free < u64::MAX {
        text += &format!(", {} free", limits::bytes(free));
    }
    if file < LITTLE {
        text += &format!("; a file may have {}", limits::bytes(file));
        return Check::warn(NAME, text, "raise the limit on files (ulimit -f)");
    }
    if free < LITTLE {
        return Check::warn(NAME, text, format!("make room, or {ADVICE}"));
    }
    Check::ok(NAME, text)
}

#[cfg(test)]
mod tests {
    use super::super::check::Mark;
    use super::*;

    #[test]
    fn a_folder_that_can_be_written_to_is_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        try_to_write(dir.path()).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(try_to_write(&dir.path().join("none")).is_err());
    }

    #[test]
    fn what_is_found() {
        let (all, gb) = (u64::MAX, 1_000_000_000);
        let denied = || Err(io::ErrorKind::PermissionDenied.into());
        for (check, mark, text) in [
            (found("x", Ok(()), gb, all), Mark::Ok, "x can be written to, 1.0 GB free"),
            (found("x", Ok(()), all, all), Mark::Ok, "x can be written to"),
            (found("x", Ok(()), 1000, all), Mark::Warn, "x can be written to, 1.0 kB free"),
            (
                found("x", Ok(()), gb, 1000),
                Mark::Warn,
                "x can be written to, 1.0 GB free; a file may have 1.0 kB",
            ),
            (
                found("x", denied(), gb, all),
                Mark::Fail,
                "x cannot be written to: permission denied",
            ),
        ] {
            assert_eq!((check.mark, &*check.text), (mark, text));
        }
    }
}
