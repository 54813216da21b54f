//! What ranks find at the start, before anything is written.

use std::path::Path;

use super::{launcher, output, ranks, said, shared};
use crate::{data, names};

const FLAGS: &str = "--hidden 48 --epochs 1 --quiet --out run";

/// One line of rank 0 and its exit code, and nothing is written.
fn refused(dir: &Path, first: &str, second: &str, code: i32) -> String {
    let mut command = launcher();
    command.current_dir(dir).args(["-n", "2"]);
    // The first two ranks have the first line, the third the second.
    command.args(line(first)).args([":", "-n", "1"]).args(line(second));
    let output = output(&mut command);
    assert_eq!(output.status.code(), Some(code), "{first} : {second}: {output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let said = said(&output);
    assert_eq!(said.len(), 1, "{first} : {second}: {output:?}");
    assert!(!dir.join("run").exists(), "{first} : {second}");
    said[0].clone()
}

/// A command line: variables of the environment, or a folder to start in as `-C FOLDER`, then
/// flags.
fn line(text: &str) -> Vec<String> {
    let mut words = text.split_whitespace().peekable();
    let folder = words.next_if_eq(&"-C").and_then(|_| words.next());
    let (variables, flags): (Vec<_>, Vec<_>) =
        words.partition(|word| word.starts_with(char::is_uppercase) && word.contains('='));
    let program = ["env"]
        .into_iter()
        .chain(folder.iter().flat_map(|folder| ["-C", *folder]))
        .chain(variables);
    let program = program.chain([env!("CARGO_BIN_EXE_trainer")]).chain(flags);
    program.map(str::to_owned).collect()
}

#[test]
fn ranks_that_differ_are_named_before_anything_is_written() {
    let dir = data::folder();
    // One pixel and one label of two.
    for (name, file) in [("pixel", "train-images-idx3-ubyte"), ("label", "t10k-labels-idx1-ubyte")]
    {
        data::write(&dir.path().join(name), 28);
        let path = dir.path().join(name).join(file);
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(path, bytes).unwrap();
    }
    for (second, expected) in [
        (
            format!("{FLAGS} --lr 0.25"),
            "training.lr is 0.25, and on rank 0 it is 0.003; every rank needs the same settings",
        ),
        (format!("{FLAGS} --clip-norm 1"), "training.clip-norm is 1.0, and on rank 0 it is none"),
        (format!("{FLAGS} --no-test"), "--no-test is given, and on rank 0 it is not given"),
        (format!("{FLAGS} --data pixel"), "the checksum of the training samples is "),
        (format!("{FLAGS} --data label"), "the checksum of the test samples is "),
        (
            format!("KERNELS_ISA=scalar {FLAGS}"),
            "the instruction set is scalar, and on rank 0 it is one of vectors; every rank needs \
             the same kind of instruction set (KERNELS_ISA)",
        ),
        (format!("TRAINER_MPI_PIECE=7 {FLAGS}"), "TRAINER_MPI_* is Some(1), 7, and on rank 0"),
        (format!("{FLAGS} --data nowhere"), "nowhere"),
        (format!("{FLAGS} --threads none"), "--threads is none: expected a whole number"),
        ("--version".to_owned(), "it only prints help or the version, and rank 0 does not"),
        ("eval --model run".to_owned(), "eval does not share its work"),
    ] {
        let found = refused(dir.path(), FLAGS, &second, 1);
        assert!(found.starts_with("error: rank 2 on "), "{second}: {found}");
        assert!(found.contains(expected), "{second}: {found}");
    }
}

/// Where all train several times, before the directory of the runs is made.
#[test]
fn settings_of_several_seeds_are_compared() {
    let dir = data::folder();
    std::fs::write(dir.path().join("mine.toml"), "recipe = \"default\"\ntraining.lr = 0.5")
        .unwrap();
    let first = format!("{FLAGS} --repeat 2");
    for (second, expected) in [
        ("--lr 0.25", "training.lr is 0.25, and on rank 0 it is 0.003; every rank needs the same"),
        ("--seed 7", "training.seed is 7, and on rank 0 it is 1"),
        ("--set network.hidden=32", "network.hidden is [32], and on rank 0 it is [48]"),
        ("--config mine.toml", "training.lr is 0.5, and on rank 0 it is 0.003"),
        ("--momentum 1", ": --momentum is for sgd"),
    ] {
        let second = format!("{first} {second}");
        let found = refused(dir.path(), &first, &second, 1);
        assert!(found.starts_with("error: rank 2 on "), "{second}: {found}");
        assert!(found.contains(expected), "{second}: {found}");
    }
}

/// Rank 0 alone has the directory, so the others say which one they mean.
#[test]
fn the_runs_that_go_on_are_compared() {
    let dir = data::folder();
    for command in ["", "sweep "] {
        let [a, b] = ["a", "b/"].map(|name| format!("{command}--resume {name}"));
        let found = refused(dir.path(), &a, &b, 1);
        assert!(found.contains("--resume is b, and on rank 0 it is a; every rank"), "{found}");
    }
}

/// Two ranks, each with a command line of its own.
fn two(dir: &Path, first: &str, second: &str) {
    let mut command = launcher();
    command.current_dir(dir).args(["-n", "1"]).args(line(first));
    let output = output(command.args([":", "-n", "1"]).args(line(second)));
    assert!(output.status.success(), "{first} : {second}: {output:?}");
}

/// The same data may lie in other folders.
#[test]
fn where_the_data_lie_may_differ() {
    let dir = data::folder();
    data::write(&dir.path().join("copy"), 28);
    two(dir.path(), FLAGS, &format!("{FLAGS} --data copy"));
}

/// So they may where all train several times, and go on with it.
#[test]
fn where_the_data_of_several_seeds_lie_may_differ() {
    let dir = data::folder();
    // Rank 1 has no other data.
    let other = dir.path().join("other");
    data::write(&other.join("copy"), 28);
    let other = |line: &str| format!("-C {} {}", other.display(), line);
    let first = format!("{FLAGS} --repeat 2");
    two(dir.path(), &first, &other(&format!("{first} copy")));
    std::fs::remove_dir_all(dir.path().join("run/seed-2")).unwrap();
    two(dir.path(), "--resume run/", &other("--resume run --data copy"));
    assert!(dir.path().join("run/seed-2/model.safetensors").is_file());
}

#[test]
fn an_error_of_all_ranks_is_one_line_with_its_exit_code() {
    let dir = data::folder();
    std::fs::write(dir.path().join("file"), "of mine").unwrap();
    for (flags, code, expected) in [
        ("--lrr 1", 2, "error: there is no flag --lrr: did you mean --lr? (try --help)"),
        ("--epochs 0 --out run", 2, "error: --epochs is 0: "),
        ("--data nowhere --out run", 1, "error: "),
        ("--resume nowhere", 1, "error: cannot read nowhere/checkpoint.safetensors"),
        // What rank 0 alone finds, after they have agreed.
        ("--epochs 1 --out file", 2, "error: file is a file"),
        ("--epochs 1 --repeat 2 --out file", 2, "error: file is a file"),
        ("sweep --help-me", 2, "error: "),
        ("lr-find", 2, "error: lr-find does not share its work with other processes: start it"),
        ("crossval --folds 1", 2, "error: invalid value '1' for '--folds <K>'"),
        ("crossval --data nowhere", 1, "error: "),
        ("sweep --resume nowhere", 1, "error: nowhere: there is no sweep in it"),
        ("inspect data", 2, "error: inspect does not share its work with other processes"),
    ] {
        let output = output(&mut ranks(dir.path(), 3, flags));
        assert_eq!(output.status.code(), Some(code), "{flags}: {output:?}");
        let said = said(&output);
        assert!(said.len() == 1 && said[0].starts_with(expected), "{flags}: {output:?}");
        assert!(output.stdout.is_empty(), "{flags}: {output:?}");
    }
    assert_eq!(names(dir.path()), ["data", "file"]);
}

/// Ranks on one host share its memory. No machine has enough for these.
#[test]
fn memory_is_that_of_all_ranks_of_a_host() {
    let dir = data::folder();
    let layers = vec!["65536"; 60].join(",");
    let flags = format!("--hidden {layers} --quiet --out run");
    for (count, expected) in [(1, "; try smaller"), (3, " for each of the 3 ranks on this host;")] {
        let output = output(&mut ranks(dir.path(), count, &flags));
        let said = said(&output);
        assert_eq!(said.len(), 1, "{output:?}");
        let (_, free) = said[0].split_once(" of memory: there are ").expect("no memory");
        let (_, found) = free.split_once("B").unwrap();
        assert!(found.starts_with(expected), "{said:?}");
    }
}

#[test]
fn more_threads_than_cores_are_a_note() {
    let dir = data::folder();
    let flags = FLAGS.replace("--quiet", "--threads 1000");
    let output = output(&mut ranks(dir.path(), 2, &flags));
    assert!(output.status.success(), "{output:?}");
    let notes = said(&output);
    let crowded = notes.iter().filter(|note| note.starts_with("note: 2 ranks on ")).count();
    assert_eq!(crowded, 1, "{output:?}");
}

/// One rank is an ordinary process, and needs no MPI for it.
#[test]
fn a_launcher_of_one_rank() {
    let dir = data::folder();
    assert!(shared(dir.path(), 1, "inspect data").contains("300"));
}

/// Each of them would train alone, and write to the same directory.
#[test]
fn a_launcher_of_another_mpi() {
    let dir = data::folder();
    let mut command = crate::trainer();
    command.current_dir(dir.path()).args(FLAGS.split_whitespace());
    let output = command.env("PMI_RANK", "0").env("PMI_SIZE", "4").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = said(&output);
    assert_eq!(said.len(), 1, "{output:?}");
    assert!(said[0].starts_with("error: the launcher has started 4 ranks, and "), "{said:?}");
    assert!(said[0].contains(" found 1: start the program with the launcher of "), "{said:?}");
}
