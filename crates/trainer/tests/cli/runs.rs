//! Runs that are left and continued, beside runs that never were.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

use crate::metrics;

/// What a summary has that is measured, or that a user may change.
const MEASURED: [&str; 9] = [
    "run",
    "time",
    "train_seconds",
    "total_seconds",
    "saving_seconds",
    "samples_per_second",
    "gflops",
    "peak_rss_bytes",
    "threads",
];

pub(crate) fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What a run says of itself.
pub(crate) fn summary(run: &Path) -> Value {
    serde_json::from_slice(&read(&run.join("summary.json"))).unwrap()
}

/// The metrics without what is measured.
fn lines(run: &Path) -> Vec<Value> {
    let mut lines = metrics(run);
    for line in &mut lines {
        assert!(line.as_object_mut().unwrap().remove("seconds").is_some());
    }
    lines
}

/// Checks that `run` has ended with the results of `whole`, a run that was never left, and
/// that it left nothing else.
pub(crate) fn check_same(run: &Path, whole: &Path, what: &str) {
    let [found, expected] = [run, whole].map(|run| {
        let mut summary = summary(run);
        // There, if the run was shared.
        summary.as_object_mut().unwrap().remove("ranks");
        for key in MEASURED {
            assert!(summary.as_object_mut().unwrap().remove(key).is_some(), "{what}: no {key}");
        }
        summary
    });
    assert_eq!(found, expected, "{what}");
    assert_eq!(lines(run), lines(whole), "{what}");
    let [found, expected] = [run, whole].map(|run| read(&run.join("model.safetensors")));
    assert!(found == expected, "{what}: another model");
    assert_eq!(crate::names(run), crate::names(whole), "{what}");
}

/// A command that stops for SIGINT even where the tests were started as a background job of
/// a shell: such a job ignores it, and its children inherit that.
pub(crate) fn stoppable(program: &str) -> Command {
    const DEFAULT: &str = "--default-signal=INT,TERM,HUP";
    static RESETS: LazyLock<bool> = LazyLock::new(|| {
        let status = Command::new("env").args([DEFAULT, "true"]).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    });
    if !*RESETS {
        return Command::new(program);
    }
    let mut command = Command::new("env");
    command.args([DEFAULT, program]);
    command
}

/// A process of the program that is killed with this value.
pub(crate) struct Process {
    child: Child,
    dir: PathBuf,
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Process {
    /// Starts the program in the folder `dir`.
    pub(crate) fn start(dir: &Path, flags: &str) -> Self {
        let mut command = stoppable(env!("CARGO_BIN_EXE_trainer"));
        command.args(flags.split_whitespace());
        Self::spawn(dir, command)
    }

    /// Starts a command, such as the program in a shell, in the folder `dir`.
    pub(crate) fn spawn(dir: &Path, mut command: Command) -> Self {
        command.current_dir(dir).env_remove("KERNELS_ISA");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { child: command.spawn().unwrap(), dir: dir.to_owned() }
    }

    /// Waits until `run` in the folder has `count` lines of metrics, or the process has
    /// ended. Returns whether it has them.
    pub(crate) fn wait_for_lines(&mut self, run: &str, count: usize) -> bool {
        let path = self.dir.join(run).join("metrics.jsonl");
        self.wait_until(|| {
            let text = fs::read(&path).unwrap_or_default();
            text.iter().filter(|byte| **byte == b'\n').count() >= count
        })
    }

    /// Waits until the condition holds, or the process has ended. Returns whether it holds.
    pub(crate) fn wait_until(&mut self, mut holds: impl FnMut() -> bool) -> bool {
        loop {
            if holds() {
                return true;
            }
            if self.child.try_wait().unwrap().is_some() {
                return holds();
            }
            std::thread::yield_now();
        }
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_raw(self.child.id() as i32).unwrap();
        // It has not been waited for, so the number is still its own.
        rustix::process::kill_process(id, signal).unwrap();
    }

    /// Ends the process at once, as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> End {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        End { status: self.child.wait().unwrap(), stdout, stderr }
    }
}

impl Drop for Process {
    /// A test that fails leaves no process behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
