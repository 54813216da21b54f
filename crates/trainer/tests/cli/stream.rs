//! `trainer predict` as a part of a pipeline: an answer for each sample that was written, before
//! the next one is there.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};

use tempfile::TempDir;

use crate::runs::stoppable;
use crate::succeed;

/// A program that answers line by line.
struct Pipe {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Pipe {
    fn new(dir: &Path, flags: &str) -> Self {
        let mut command = stoppable(env!("CARGO_BIN_EXE_trainer"));
        command.env_remove("KERNELS_ISA").current_dir(dir).args(flags.split_whitespace());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, answers }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.child.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// The next line of the answers, for which it waits.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line
    }

    /// Ends the input. Gives the exit code and what is on stderr.
    fn finish(mut self) -> (Option<i32>, String) {
        drop(self.child.stdin.take());
        assert_eq!(self.line(), "");
        let output = self.child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

/// A run of a table with the columns `x` and `y`, and a file of rows without `y`.
fn table() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let row = |i: usize| format!("{},{}\n", i % 7, ["no", "yes"][i % 7 / 4]);
    let text: String = (0..60).map(row).collect();
    fs::write(dir.path().join("t.csv"), format!("x,y\n{text}")).unwrap();
    succeed(dir.path(), "t.csv --target y --epochs 2 --quiet --out run");
    fs::write(dir.path().join("new.csv"), "x\n6\n0\n3\n").unwrap();
    dir
}

#[test]
fn each_row_is_answered_before_the_next_one() {
    let dir = table();
    let of_file = succeed(dir.path(), "predict --model run new.csv --json");
    let expected: Vec<String> =
        of_file.lines().map(|line| line.replace("new.csv", "stdin") + "\n").collect();
    let table = ["x\n", "6\n", "0\n", "3\n"];
    let quoted = ["\"x\"\r\n", "\"6\"\r\n", "\"0\"\r\n", "\"3\"\r\n"];
    let json = ["", "{\"x\": 6}\n", "{\"x\": 0}\n", "{\"x\": 3}\n"];
    for format in ["auto", "table"] {
        for [head, rows @ ..] in [table, quoted, json] {
            let flags = format!("predict --model run --json --format {format} -");
            let mut pipe = Pipe::new(dir.path(), &flags);
            pipe.write(head.as_bytes());
            for (row, expected) in rows.into_iter().zip(&expected) {
                pipe.write(row.as_bytes());
                assert_eq!(pipe.line(), *expected);
            }
            assert_eq!(pipe.finish(), (Some(0), String::new()));
        }
    }
}

#[test]
fn each_raw_image_is_answered_before_the_next_one() {
    let dir = crate::data::folder();
    succeed(dir.path(), "--hidden 5 --epochs 1 --quiet --out run");
    let pixels = &crate::data::parts(28)[1].features[..5 * 784];
    fs::write(dir.path().join("raw"), pixels).unwrap();
    let predict = "predict --model run --json --format raw";
    let of_file = succeed(dir.path(), &format!("{predict} raw")).replace("raw#", "stdin#");
    let mut expected = of_file.split_inclusive('\n');
    let mut pipe = Pipe::new(dir.path(), predict);
    // One, then two, then one in two parts.
    for (bytes, lines) in [(0..784, 1), (784..2352, 2), (2352..2500, 0), (2500..3136, 1)] {
        pipe.write(&pixels[bytes]);
        for _ in 0..lines {
            assert_eq!(Some(&*pipe.line()), expected.next());
        }
    }
    // The last one is not whole.
    pipe.write(&pixels[..100]);
    let (code, error) = pipe.finish();
    assert_eq!(code, Some(1));
    assert!(error.contains("stdin") && error.contains("3236"), "{error}");
}

/// What comes before a row that is wrong is answered, in a pipe or in a file.
#[test]
fn the_rows_before_a_wrong_one() {
    let dir = table();
    fs::write(dir.path().join("bad.csv"), "x\n6\n0\nmany\n3\n").unwrap();
    let output = crate::run_in(dir.path(), "predict --model run bad.csv --csv");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.lines().nth(2).unwrap().starts_with("bad.csv#1,"), "{text}");
}

/// Answers go on into a pipe that `--output` names, one by one, and into an open file.
#[cfg(unix)]
#[test]
fn an_output_that_is_no_file() {
    let dir = table();
    let expected = succeed(dir.path(), "predict --model run new.csv --json");
    let fifo = dir.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut pipe = Pipe::new(dir.path(), "predict --model run --json --output fifo -");
    let mut answers = BufReader::new(fs::File::open(&fifo).unwrap());
    pipe.write(b"x\n");
    for (row, expected) in ["6\n", "0\n", "3\n"].iter().zip(expected.lines()) {
        pipe.write(row.as_bytes());
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        assert_eq!(line.trim_end().replace("stdin", "new.csv"), expected);
    }
    assert_eq!(pipe.finish(), (Some(0), String::new()));

    // A shell that appends to a file.
    let program = env!("CARGO_BIN_EXE_trainer");
    let line = format!("{program} predict --model run new.csv --json --output /dev/stdout");
    for to in [">", ">>"] {
        let mut shell = std::process::Command::new("sh");
        shell.current_dir(dir.path()).args(["-c", &format!("{line} {to} file")]);
        assert!(shell.status().unwrap().success());
    }
    assert_eq!(fs::read_to_string(dir.path().join("file")).unwrap(), expected.repeat(2));
}

/// A signal ends a process that waits for its input, and leaves nothing.
#[cfg(unix)]
#[test]
fn a_signal_while_the_input_pauses() {
    let dir = table();
    fs::write(dir.path().join("answers"), "old").unwrap();
    let before = crate::names(dir.path());
    let mut pipe = Pipe::new(dir.path(), "predict --model run --output answers -");
    pipe.write(b"x\n6\n");
    while crate::names(dir.path()) == before {}
    let child = rustix::process::Pid::from_child(&pipe.child);
    rustix::process::kill_process(child, rustix::process::Signal::TERM).unwrap();
    // Kept open, because `wait` would close it, and the input would end.
    let _input = pipe.child.stdin.take();
    let status = pipe.child.wait().unwrap();
    assert_eq!(status.code(), Some(143));
    assert_eq!(crate::names(dir.path()), before);
    assert_eq!(fs::read(dir.path().join("answers")).unwrap(), b"old");
}
