//! Directories and files that a run cannot write, and paths that look like flags or are
//! not UTF-8.

use std::fs;

use super::{FAILED, USAGE, check};

#[test]
fn directories_of_runs() {
    let dir = crate::data::folder();
    crate::succeed(dir.path(), "--hidden none --epochs 1 --quiet --out run");
    fs::write(dir.path().join("file"), "").unwrap();
    fs::write(dir.path().join("runs"), "a file").unwrap();
    check(
        dir.path(),
        USAGE,
        &[
            (
                "another run",
                "--out run",
                "run has a run that has ended: name another directory with --out, or replace the run with --overwrite",
            ),
            (
                "the data",
                "--out data",
                "data has t10k-images-idx3-ubyte, which is no file of a run: name a new or empty directory with --out",
            ),
            ("a file", "--out file", "file is a file: --out takes a new or an empty directory"),
            (
                "a run that has ended",
                "--resume run",
                "the run has ended after 1 of 1 epochs: train more with --epochs N",
            ),
        ],
    );
    check(
        dir.path(),
        FAILED,
        &[
            ("below a file", "--out file/x", "cannot make the directory file/x: …"),
            ("a file for the directory of all runs", "", "cannot make the directory runs: …"),
        ],
    );
    // An empty one is as good as a new one.
    fs::create_dir(dir.path().join("empty")).unwrap();
    crate::succeed(dir.path(), "--hidden none --epochs 1 --quiet --out empty");
}

/// What a run prints to try next works for any path.
#[cfg(target_os = "linux")] // Other systems refuse names that are not UTF-8.
#[test]
fn paths_that_shells_read_otherwise() {
    use std::ffi::{OsStr, OsString};
    use std::os::unix::ffi::OsStrExt;
    use std::process::Command;

    for (name, quoted) in [
        (&b"-run"[..], "./-run"),
        (b"my run", "'my run"),
        (b"it's", r"'it'\''s"),
        (b"r\xfcn", r"$'r\xfcn"),
    ] {
        let dir = crate::data::folder();
        let name = OsStr::from_bytes(name);
        let with = |prefix: &str| {
            let mut word = OsString::from(prefix);
            word.push(name);
            word
        };
        fs::rename(dir.path().join("data"), dir.path().join(with("d"))).unwrap();
        let mut command = crate::trainer();
        command.current_dir(dir.path()).args(["--hidden", "none", "--epochs", "1"]);
        command.arg("--data").arg(with("d")).arg(with("--out="));
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(
            output.stderr.starts_with(b"note: --data is not UTF-8, so config.toml cannot hold it"),
            name.to_str().is_none(),
            "{output:?}"
        );
        assert!(text.contains(&format!("--model {quoted}")), "{text}");
        for line in text.lines().rev().take(3).filter(|line| !line.ends_with(" PICTURE")) {
            let mut shell = Command::new("bash");
            let output = shell.current_dir(dir.path()).args(["-c", line]).output().unwrap();
            assert!(output.status.success(), "{line}: {output:?}");
        }
    }
}
