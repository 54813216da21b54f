//! The program without the feature `mpi`, started by a launcher of MPI: each process trains a
//! network of its own, and the first says so.

use crate::{data, trainer};

#[test]
fn a_program_without_mpi_says_so_once() {
    let dir = data::folder();
    let notes = |rank: &str, count: &str| {
        let mut command = trainer();
        command.current_dir(dir.path()).args(["--hidden", "4", "--epochs", "1", "--overwrite"]);
        command.args(["--out", "run"]).env("OMPI_COMM_WORLD_RANK", rank);
        let output = command.env("OMPI_COMM_WORLD_SIZE", count).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        text.lines().filter(|line| line.contains("MPI")).map(str::to_owned).collect::<Vec<_>>()
    };
    let expected = "note: a launcher of MPI has started 4 of these processes, and this program was \
                    built without MPI: each trains a network of its own; to train one, build it \
                    with --features mpi";
    assert_eq!(notes("0", "4"), [expected]);
    assert!(notes("1", "4").is_empty());
    assert!(notes("0", "1").is_empty());
}
