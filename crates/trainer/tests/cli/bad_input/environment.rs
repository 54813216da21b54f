//! The environment: `KERNELS_ISA`, and descriptors that are closed or full.

use std::path::Path;
use std::process::Command;

use super::{FAILED, USAGE, refusal};
use crate::trainer;

#[test]
fn instruction_sets() {
    let dir = crate::data::folder();
    let known: Vec<_> = kernels::Isa::available().into_iter().map(kernels::Isa::name).collect();
    for (why, set, found) in [
        ("no such set", "nonsense", "nonsense"),
        ("two sets", "avx2,scalar", "avx2,scalar"),
        ("in capitals and spaces", " SSE2 ", "sse2"),
    ] {
        let known = known.join(", ");
        let error =
            format!("KERNELS_ISA={found}: this CPU has no such instruction set; it has {known}");
        for line in ["", "eval --model none", "--recipe nonsense"] {
            let mut command = trainer();
            command.current_dir(dir.path()).env("KERNELS_ISA", set).args(line.split_whitespace());
            let found = refusal(dir.path(), USAGE, &error, || command.output().unwrap());
            assert_eq!(found, Ok(()), "{why}: {line}");
        }
    }
    for right in ["", " ", "scalar", " Scalar\t"] {
        let mut command = trainer();
        command.current_dir(dir.path()).env("KERNELS_ISA", right);
        command.args(["--hidden", "none", "--epochs", "1", "--quiet"]).assert().success();
    }
}

/// The program in a shell, which gives it descriptors that Rust cannot.
#[cfg(target_os = "linux")]
fn shell(dir: &Path, line: &str) -> std::process::Output {
    let program = env!("CARGO_BIN_EXE_trainer");
    let mut shell = Command::new("sh");
    shell.current_dir(dir).env_remove("KERNELS_ISA").arg("-c");
    shell.arg(line.replace("trainer", program)).output().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_nobody_can_read() {
    let dir = crate::data::folder();
    crate::succeed(dir.path(), "--hidden none --epochs 1 --quiet --out run");
    let closed =
        "the result goes to stdout, which is closed: open it, or send it to a file or to /dev/null";
    let full = "cannot write to stdout: …";
    let model = "--model run/model.safetensors";
    for (line, error) in [
        ("trainer --json --out new >&-".to_owned(), closed),
        (format!("trainer eval {model} --json >&-"), closed),
        (format!("trainer eval {model} >&-"), closed),
        (format!("trainer predict {model} data/t10k-images-idx3-ubyte >&-"), closed),
        ("trainer --print-config >&-".to_owned(), closed),
        (format!("trainer eval {model} --json 1</dev/null"), closed),
        (format!("trainer eval {model} --json >/dev/full"), full),
        (format!("trainer eval {model} >/dev/full"), full),
        ("trainer --help >/dev/full".to_owned(), full),
    ] {
        let found = refusal(dir.path(), FAILED, error, || shell(dir.path(), &line));
        assert_eq!(found, Ok(()), "{line}");
    }
    // A closed stderr changes no exit code, and neither does a reader that has gone.
    for (line, code) in [
        ("trainer --epochs 0 2>&-".to_owned(), USAGE),
        ("trainer --epochs 0 2>/dev/full".to_owned(), USAGE),
        ("trainer --threads 1024 --epochs 1 --hidden none 2>&-".to_owned(), 0),
        (format!("trainer eval {model} --json >/dev/null"), 0),
        (format!("trainer eval {model} --json <&- >&-"), 0),
        (format!("{{ trainer eval {model} --json; echo $? >code; }} | true; exit $(cat code)"), 0),
    ] {
        let output = shell(dir.path(), &line);
        assert_eq!(output.status.code(), Some(code), "{line}: {output:?}");
        assert!(output.stderr.is_empty(), "{line}: {output:?}");
    }
}
