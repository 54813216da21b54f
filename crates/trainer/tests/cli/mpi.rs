//! The program under mpirun: several ranks train what one process trains, byte for byte, and
//! whatever one of them does, none of them waits for ever.
//!
//! The networks are small, so a variable makes the ranks share all work that they can.

mod agreement;
mod faults;
mod search;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::runs::{check_same, summary};
use crate::{data, model, names, succeed};

const SHARE_FROM: (&str, &str) = ("TRAINER_MPI_SHARE_FROM", "1");

/// mpirun, before its number of ranks. It ends ranks that wait for ever.
fn launcher() -> Command {
    let mut command = Command::new("mpirun");
    command.args(["--allow-run-as-root", "--oversubscribe", "--bind-to", "none"]);
    command.args(["--timeout", "300"]);
    // There are more ranks than cores, and on this machine alone: both make it faster.
    command.args(["--mca", "mpi_yield_when_idle", "1"]);
    command.args(["--mca", "pml", "ob1", "--mca", "btl", "self,vader"]);
    command.env_remove("KERNELS_ISA").env(SHARE_FROM.0, SHARE_FROM.1);
    command.stdin(Stdio::null());
    command
}

/// The program with these flags on `ranks` ranks.
fn ranks(dir: &Path, ranks: usize, flags: &str) -> Command {
    let mut command = launcher();
    command.current_dir(dir).args(["-n", &ranks.to_string()]);
    command.arg(env!("CARGO_BIN_EXE_trainer")).args(flags.split_whitespace());
    command
}

fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| {
        panic!("cannot start mpirun: {error}; install Open MPI: scripts/mpi.sh")
    })
}

/// Runs the program on `ranks` ranks, which are to succeed, and gives what they printed.
fn shared(dir: &Path, count: usize, flags: &str) -> String {
    let output = output(&mut ranks(dir, count, flags));
    assert!(output.status.success(), "{count} ranks, {flags}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The lines of the program on stderr, without those of mpirun.
fn said(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stderr);
    let starts = ["error: ", "note: ", "warning: ", "stopped: "];
    let of_program = |line: &&str| starts.iter().any(|start| line.starts_with(start));
    text.lines().filter(of_program).map(str::to_owned).collect()
}

/// What decides the bits of a run, in three runs that have all of it.
const RUNS: [&str; 3] = [
    "--hidden 208,96 --dropout 0.2 --input-noise 0.1 --optimizer adam --lr 0.003 --clip-norm 1 \
     --average 0.9 --validation 0.2 --patience 1 --batch-size 30 --epochs 4",
    "--hidden 160,112 --batch-norm 10 --optimizer sgd --momentum 0.9 --lr 0.05 --shift 2 \
     --rotate 10 --batch-size 40 --l2 0.001 --epochs 2",
    "--hidden 320 --max-norm 1 --activation tanh --dropout 0.5 --deskew --optimizer nesterov \
     --lr 0.1 --batch-size 64 --epochs 2 --no-test --validation 0.1",
];

#[test]
fn any_number_of_ranks_trains_the_same_bytes() {
    let dir = data::folder();
    for (which, flags) in RUNS.into_iter().enumerate() {
        let whole = format!("whole{which}");
        succeed(dir.path(), &format!("{flags} --quiet --out {whole}"));
        let all = [(1, 2), (2, 1), (2, 2), (3, 2), (4, 1), (7, 1)];
        let some = [(2, 2), (3, 1), (7, 1)];
        for &(count, threads) in if which == 0 { &all[..] } else { &some } {
            let out = format!("run{which}-{count}-{threads}");
            let line = format!("{flags} --threads {threads} --quiet --out {out}");
            let said = shared(dir.path(), count, &line);
            // Rank 0 alone says where it is.
            assert_eq!(said, format!("{out}\n"));
            let [run, whole] = [&out, &whole].map(|name| dir.path().join(name));
            check_same(&run, &whole, &out);
        }
    }
}

/// The counts of MPI are small numbers: what is longer is moved in parts.
#[test]
fn parts_of_any_length_move_the_same_bytes() {
    let dir = data::folder();
    let flags = format!("{} --quiet", RUNS[0]);
    succeed(dir.path(), &format!("{flags} --out whole"));
    for piece in ["1000", "40000"] {
        let mut command = ranks(dir.path(), 3, &format!("{flags} --out run{piece}"));
        let output = output(command.env("TRAINER_MPI_PIECE", piece));
        assert!(output.status.success(), "{output:?}");
        let run = dir.path().join(format!("run{piece}"));
        check_same(&run, &dir.path().join("whole"), piece);
    }
}

/// A table has rows that count more than others, and its report has columns.
#[test]
fn ranks_train_on_a_table() {
    let dir = tempfile::tempdir().unwrap();
    let kinds = ["red", "green", "blue"];
    let row = |i: usize| format!("{},{},{},{}\n", i % 17, i * i % 23, kinds[i % 3], 1 + i % 4);
    let rows: String = (0..120).map(row).collect();
    std::fs::write(dir.path().join("data.csv"), format!("a,b,kind,often\n{rows}")).unwrap();
    let flags = "data.csv --target b --weight often --hidden 96 --epochs 3 --quiet";
    succeed(dir.path(), &format!("{flags} --out whole"));
    shared(dir.path(), 2, &format!("{flags} --out run"));
    check_same(&dir.path().join("run"), &dir.path().join("whole"), "a table");
}

/// What is printed is that of one process.
#[test]
fn rank_0_alone_prints() {
    let dir = data::folder();
    let flags = "--hidden 48 --epochs 2 --validation 0.1 --threads 1";
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let alone = lines(&succeed(dir.path(), &format!("{flags} --verbose --out alone")));
    let found = lines(&shared(dir.path(), 2, &format!("{flags} --verbose --out run")));
    let heads = |lines: &[String]| {
        let words = lines.iter().map(|line| line.split_whitespace().next().unwrap_or_default());
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(heads(&found), heads(&alone), "{found:?}");
    assert!(found.iter().any(|line| line.contains(" (2 ranks of 1 thread, ")), "{found:?}");
    // The look at the layers is that of the shared network.
    let layers = |lines: &[String]| {
        let layers = lines.iter().filter(|line| line.starts_with("  layer"));
        layers.cloned().collect::<Vec<_>>()
    };
    assert_eq!(layers(&found), layers(&alone));
    assert_eq!(layers(&found).len(), 4);
    let printed = shared(dir.path(), 3, &format!("{flags} --json --out json"));
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(printed, summary(&dir.path().join("json")));
    let version = succeed(dir.path(), "--version");
    assert_eq!(shared(dir.path(), 3, "--version"), version);
    let settings = succeed(dir.path(), &format!("{flags} --print-config"));
    assert_eq!(shared(dir.path(), 3, &format!("{flags} --print-config")), settings);
}

#[test]
fn several_seeds_one_after_the_other() {
    let dir = data::folder();
    let flags = "--hidden 96 --epochs 2 --dropout 0.1 --quiet";
    succeed(dir.path(), &format!("{flags} --repeat 3 --out whole"));
    shared(dir.path(), 3, &format!("{flags} --repeat 3 --out runs"));
    // One of them is not there, as after a stop, and one began.
    std::fs::remove_dir_all(dir.path().join("runs/seed-1")).unwrap();
    let seeds = names(&dir.path().join("whole"));
    let seeds: Vec<_> = seeds.iter().filter(|name| name.starts_with("seed-")).collect();
    assert_eq!(seeds.len(), 3);
    for seed in &seeds {
        let status = dir.path().join("runs").join(seed).join("summary.json");
        if let Ok(text) = std::fs::read_to_string(&status) {
            let text = text.replacen("\"done\"", "\"stopped\"", 1);
            std::fs::write(&status, text).unwrap();
        }
    }
    let said = shared(dir.path(), 2, "--resume runs --quiet");
    assert_eq!(said, "runs\n");
    for seed in seeds {
        let [run, whole] = ["runs", "whole"].map(|name| dir.path().join(name).join(seed));
        check_same(&run, &whole, seed);
    }
}

/// A run that diverges does so on all ranks, and the next begins.
#[test]
fn runs_that_diverge() {
    let dir = data::folder();
    let flags = "--hidden 48 --epochs 2 --optimizer sgd --lr 1e30 --quiet";
    let output = output(&mut ranks(dir.path(), 2, &format!("{flags} --repeat 2 --out runs")));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = said(&output);
    assert_eq!(said.len(), 3, "{output:?}");
    assert!(said[0].starts_with("error: training diverged"), "{said:?}");
    assert!(said[2].contains("diverged in 2 of 2 runs"), "{said:?}");
}

/// Which number of ranks a run has may change each time that it goes on.
#[test]
fn a_run_goes_on_with_another_number_of_ranks() {
    let dir = data::folder();
    let flags = "--hidden 208,96 --dropout 0.2 --average 0.9 --optimizer adam --lr 0.003 \
                 --validation 0.2 --schedule constant --quiet";
    succeed(dir.path(), &format!("{flags} --epochs 4 --out whole"));
    shared(dir.path(), 3, &format!("{flags} --epochs 1 --out run"));
    succeed(dir.path(), "--resume run --epochs 2 --quiet");
    shared(dir.path(), 2, "--resume run --epochs 3 --quiet");
    assert!(model(&dir.path().join("run")) != model(&dir.path().join("whole")));
    shared(dir.path(), 4, "--resume run --epochs 4 --quiet");
    check_same(&dir.path().join("run"), &dir.path().join("whole"), "four numbers of ranks");
}
