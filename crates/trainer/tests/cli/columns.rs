//! Tables: what is said of their columns, in the summary and in notes.

use std::fs;

use crate::data::table;
use crate::json;

/// The summary says what was made of each column.
#[test]
fn the_columns_of_a_summary() {
    let dir = tempfile::tempdir().unwrap();
    let row = |i: usize| {
        let (size, colour) = (if i == 4 { "".to_owned() } else { i.to_string() }, i % 3);
        format!("{i},{size},c{colour},id{i},,{},{},{}\n", 1 + i % 2, i, i % 2)
    };
    let rows: String = (0..120).map(row).collect();
    let text = format!(",size,colour,key,none,count,more,y\n{rows}");
    fs::write(dir.path().join("mixed.csv"), text).unwrap();
    let flags = "mixed.csv --target y --weight count --ignore more --epochs 1 --out run --json";
    let summary = json(dir.path(), flags);
    let text = "it has 120 different texts, the first is `id0` in line 2";
    let expected = serde_json::json!([
        {"name": "column 1", "use": "left-out", "kind": "number", "missing": 0,
            "reason": "it numbers the rows"},
        {"name": "size", "use": "feature", "kind": "number", "missing": 1},
        {"name": "colour", "use": "feature", "kind": "category", "values": 3, "missing": 0},
        {"name": "key", "use": "left-out", "kind": "text", "values": 120, "missing": 0,
            "reason": text},
        {"name": "none", "use": "left-out", "kind": "number", "missing": 120,
            "reason": "all its cells are missing"},
        {"name": "count", "use": "weight", "kind": "number", "missing": 0},
        {"name": "y", "use": "target", "kind": "category", "values": 2, "missing": 0},
        {"name": "more", "use": "ignored"},
    ]);
    assert_eq!(summary["columns"], expected);
    let written = fs::read_to_string(dir.path().join("run/summary.json")).unwrap();
    let written: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(written["columns"], expected);
    // A number that is predicted.
    let summary = json(dir.path(), "mixed.csv --target size --epochs 1 --out number --json");
    let target = &summary["columns"][1];
    assert_eq!(
        *target,
        serde_json::json!({"name": "size", "use": "target", "kind": "number", "missing": 1})
    );
    // Images have none.
    let images = crate::data::folder();
    let summary = json(images.path(), "--epochs 1 --hidden 3 --out run --json");
    assert!(summary.get("columns").is_none());
}

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
