//! The program without the feature `mpi`, started by a launcher of MPI: each process would train
//! a network of its own, so none does, and the first says why.

use crate::{data, trainer};

#[test]
fn a_program_without_mpi_says_so_once() {
    let dir = data::folder();
    let run = |rank: &str, count: &str| {
        let mut command = trainer();
        command.current_dir(dir.path()).args(["--hidden", "4", "--epochs", "1", "--overwrite"]);
        command.args(["--out", "run", "--quiet"]).env("OMPI_COMM_WORLD_RANK", rank);
        let output = command.env("OMPI_COMM_WORLD_SIZE", count).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let expected = "error: a launcher of MPI has started 4 of these processes, and this program \
                    was built without MPI: build it with --features mpi, or start it without the \
                    launcher\n";
    assert_eq!(run("0", "4"), (Some(2), expected.to_owned()));
    assert_eq!(run("1", "4"), (Some(2), String::new()));
    assert!(!dir.path().join("run").exists());
    assert_eq!(run("0", "1"), (Some(0), String::new()));
}
