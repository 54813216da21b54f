//! Tables: what is said of their columns, in the summary and in notes.

use std::fs;

use crate::data::table;

/// A first line that may have been taken for what it is not is said, and how to say otherwise.
#[test]
fn what_the_first_line_is_taken_for() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("iris.csv"), table("iris.csv")).unwrap();
    let write = |name: &str, head: &str, row: fn(usize) -> String| {
        let rows: String = (0..30).map(|i| row(i) + "\n").collect();
        fs::write(dir.path().join(name), format!("{head}{rows}")).unwrap();
    };
    write("years.csv", "2019,2020\n", |i| format!("{},{}", i % 7, i % 3));
    write("array.csv", "0,1,2,3\n", |i| format!("{i},{},{},{}", i % 7, i % 5, i % 3));
    write("texts.csv", "ant,bee\n", |i| format!("a{},b{}", i % 3, i % 2));
    let row = "the first line is taken for a row, and the columns are called column 1, column 2: \
               --set data.header=yes says otherwise\n";
    let header = "the first line is taken for the names of the columns: --set data.header=no says \
                  otherwise\n";
    for (run, (table, target, more, expected)) in [
        ("years.csv", "column 2", "", Some(row)),
        ("years.csv", "2020", "--set data.header=yes", None),
        ("array.csv", "3", "", Some(header)),
        ("texts.csv", "bee", "", Some(header)),
        ("iris.csv", "target", "", None),
    ]
    .into_iter()
    .enumerate()
    {
        let mut command = crate::trainer();
        command.current_dir(dir.path()).args([table, "--target", target]);
        command.args(more.split_whitespace()).args(["--epochs", "1", "--out", &run.to_string()]);
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{table}: {said}");
        match expected {
            Some(words) => assert!(said.contains(words), "{table}: {said}"),
            None => assert!(!said.contains("first line"), "{table}: {said}"),
        }
    }
}
