//! Tables that cannot be trained on or judged by, and columns that are not there. The reader of
//! tables has its own tests in `mnist-io`.

use std::fs;

use super::{FAILED, USAGE, check};

const HEAD: &str = "sepal length (cm),sepal width (cm),petal length (cm),petal width (cm),target\n";

#[test]
fn tables() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    let rows = |head: &str, count: usize, row: fn(usize) -> String| {
        head.to_owned() + &(0..count).map(|i| row(i) + "\n").collect::<String>()
    };
    write("iris.csv", &crate::data::table("iris.csv"));
    write("few.csv", "a,b,y\n1,2,x\n2,,z\n3,4,x\n4,5,z\n5,6,x\n6,1,z\n");
    write("texts.csv", &rows("a,y\n", 300, |i| format!("{i},t{i}")));
    write("many.csv", &rows("a,y\n", 600, |i| format!("{i},{}", i % 300)));
    write("same.csv", &rows("a,y\n", 9, |i| format!("{i},5.5")));
    write("one.csv", &rows("a,y\n", 9, |i| format!("{i},yes")));
    write("none.csv", &rows("a,y\n", 9, |i| format!("{i},")));
    write(
        "inf.csv",
        &rows("a,y\n", 9, |i| format!("{},{}", if i == 3 { "inf" } else { "1" }, i % 2)),
    );
    write("weights.csv", &rows("a,y,w\n", 9, |i| format!("{i},{},{}", i % 2, 3 - i as i64)));
    write("numbers.csv", &rows("a,y\n", 60, |i| format!("{i},{}.5", i * i)));
    write("lines.jsonl", "{\"a\": 1, \"y\": \"no\"}\n{\"a\": 2, \"y\": \"yes\"}\n");
    let latin = |name: &str| {
        fs::write(dir.path().join(name), b"a,y\n1,gr\xfcn\n2,rot\n3,gr\xfcn\n").unwrap();
    };
    latin("latin.txt");
    latin("latin.DATA");
    fs::write(dir.path().join("cut.csv.gz"), b"\x1f\x8b\x08\0\0\0\0\0\0\0\x4b").unwrap();
    write("list.json", "[\n  {\"a\": 1, \"y\": \"no\"}\n]\n");
    write("years.csv", &rows("2019,2020\n", 60, |i| format!("{i},{}", i % 3)));
    write("nothing.jsonl", "{}\n");
    let names = ["sepal length", "sepal width", "petal length", "petal width", "petal width"];
    let twice = names.map(|name| format!("\"{name} (cm)\": 1")).join(", ");
    write("twice.jsonl", &format!("{{{twice}}}\n"));
    write("header.csv", "a,b,y\n");
    write("row.csv", "a,b,y\n1,2,x\n");
    write("empty.csv", "");
    write("tulip.csv", &format!("{HEAD}1,2,3,4,tulip\n"));
    write("short.csv", "sepal length (cm),target\n1,setosa\n");
    crate::succeed(dir.path(), "iris.csv --target target --epochs 1 --quiet --out run");
    crate::data::write(&dir.path().join("data"), 28);
    check(
        dir.path(),
        USAGE,
        &[
            (
                "no target",
                "few.csv",
                "few.csv: its columns are a, b, y: say with --target which of them is predicted",
            ),
            (
                "a target with a slip",
                "iris.csv --target targt",
                "iris.csv: --target: there is no column `targt`; did you mean `target`?",
            ),
            (
                "a target that is not there",
                "few.csv --target species",
                "few.csv: --target: there is no column `species`; the columns are a, b, y",
            ),
            (
                "a weight that is not there",
                "few.csv --target y --weight species",
                "few.csv: --weight: there is no column `species`; the columns are a, b, y",
            ),
            (
                "a target that is left out",
                "few.csv --target y --ignore b,y",
                "few.csv: --target names the column `y`, and --ignore leaves it out: take one of \
                 them away",
            ),
            (
                "another column to leave out",
                "few.csv --target y --ignore q",
                "few.csv: --ignore: there is no column `q`; the columns are `a`, `b`, `y`",
            ),
            (
                "another column of categories",
                "few.csv --target y --categorical why",
                "few.csv: --categorical: there is no column `why`; the columns are `a`, `b`, `y`",
            ),
            (
                "a target by the name of a header that is not known as one",
                "years.csv --target 2020",
                "years.csv: --target: there is no column `2020`; the columns are column 1, column \
                 2, because the first line is taken for a row; if it has their names, say so: \
                 --set data.header=yes",
            ),
            (
                "class weights for a number",
                "numbers.csv --target y --class-weights balanced",
                "training.class-weights (--class-weights) is for classes, and a number is \
                 predicted: leave it out",
            ),
            (
                "label smoothing for a number",
                "numbers.csv --target y --label-smoothing 0.1",
                "training.label-smoothing (--label-smoothing) is for classes, and a number is \
                 predicted: leave it out",
            ),
            (
                "all rows for the test",
                "few.csv --target y --test-fraction 1",
                "--test-fraction is 1: expected a number above 0 and below 1, such as 0.3",
            ),
            (
                "one row",
                "row.csv --target y",
                "nothing can be held out of 1 samples: expected two at least, and two of one \
                 class where each class gives its share",
            ),
        ],
    );
    check(
        dir.path(),
        FAILED,
        &[
            (
                "texts for weights",
                "few.csv --target b --weight y",
                "few.csv: the column `y` of --weight has texts: expected numbers of at least 0",
            ),
            (
                "a weight below 0",
                "weights.csv --target y --weight w",
                "weights.csv: row 5 of the column `w` of --weight has -1: expected a number of \
                 at least 0",
            ),
            (
                "a missing cell",
                "few.csv --target y --missing error",
                "few.csv: row 2 has no value in column `b`, and --missing is error: fill it in, \
                 or take --missing mean",
            ),
            (
                "texts for numbers",
                "few.csv --target y --task regression",
                "few.csv: the target `y` cannot be predicted: it has texts, expected numbers for \
                 regression; name another with --target",
            ),
            (
                "too many texts",
                "texts.csv --target y",
                "texts.csv: the target `y` cannot be predicted: it has 300 different texts, the first is `t0` in line 2, \
             expected classes or numbers; name another with --target",
            ),
            (
                "too many classes",
                "many.csv --target y --task classification",
                "many.csv: the target `y` cannot be predicted: it has 300 different values, \
                 expected no more than 256 classes; name another with --target",
            ),
            (
                "one number",
                "same.csv --target y",
                "same.csv: the target `y` cannot be predicted: it is 5.5 in every row; name \
                 another with --target",
            ),
            (
                "one class",
                "one.csv --target y",
                "one.csv: all training samples are of class yes: expected two classes at least, \
                 to tell them apart; check the labels",
            ),
            (
                "no answers",
                "none.csv --target y",
                "none.csv: no row has a value in the target `y`: expected one in each row",
            ),
            (
                "an infinite cell",
                "inf.csv --target y",
                "inf.csv: line 5: column `a`: found `inf`, expected a finite number of at most \
                 3.4e38; replace it, or leave the cell empty",
            ),
            (
                "nothing but the target",
                "few.csv --target y --ignore a,b",
                "few.csv: beside the target `y` no column can be used: expected one at least",
            ),
            (
                "a header alone",
                "header.csv --target y",
                "header.csv: line 1: found a header of 3 columns and no row, expected a row for \
                 each sample; if the first line is a row, say so: --set data.header=no",
            ),
            (
                "Latin-1 under the name of a text",
                "latin.txt --target y",
                "latin.txt: line 2: column 2: found bytes that are not UTF-8 (`gr\u{fffd}n`), …",
            ),
            (
                "Latin-1 under the name of data",
                "latin.DATA --target y",
                "latin.DATA: line 2: column 2: found bytes that are not UTF-8 (`gr\u{fffd}n`), …",
            ),
            (
                "gzip data that end early",
                "cut.csv.gz --target y",
                "cut.csv.gz: line 1: found damaged gzip data …",
            ),
            (
                "JSON lines",
                "lines.jsonl --target y",
                "lines.jsonl: found JSON, expected a table of text (CSV or TSV); save the data as \
                 CSV: lines of JSON are read for columns that are known, as those of a model",
            ),
            (
                "a list of JSON",
                "list.json --target y",
                "list.json: found JSON, expected a table of text (CSV or TSV); save the data …",
            ),
            ("nothing", "empty.csv --target y", "empty.csv: found an empty file, expected a …"),
            (
                "a test file with fewer columns",
                "iris.csv --target target --test short.csv",
                "short.csv: line 1: found no column `sepal width (cm)` …",
            ),
            (
                "a test file with another class",
                "iris.csv --target target --test tulip.csv",
                "tulip.csv: the target `target` has `tulip`, which training does not have: it \
                 has setosa, versicolor, virginica",
            ),
            (
                "no test file",
                "iris.csv --target target --test absent.csv",
                "absent.csv: cannot be opened: …",
            ),
            (
                "a class that the model does not know",
                "eval --model run tulip.csv",
                "tulip.csv: the target `target` has `tulip`, which training does not have: it \
                 has setosa, versicolor, virginica",
            ),
            (
                "columns that the model needs",
                "eval --model run short.csv",
                "short.csv: line 1: found no column `sepal width (cm)` …",
            ),
            (
                "a JSON line of nothing",
                "predict --model run nothing.jsonl",
                "nothing.jsonl: line 1: found an object without a value, expected a JSON object \
                 with a value for each column, such as {\"x\": 1.5}",
            ),
            (
                "a JSON line that says two things of a column",
                "predict --model run twice.jsonl",
                "twice.jsonl: line 1: found two values for `petal width (cm)`, expected a JSON …",
            ),
            (
                "images for a model of a table",
                "eval --model run data",
                "data: found images, and run takes rows of a table: name a CSV file",
            ),
        ],
    );
}

/// What has no end is not read to its end.
#[cfg(unix)]
#[test]
fn devices() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("iris.csv"), crate::data::table("iris.csv")).unwrap();
    crate::succeed(dir.path(), "iris.csv --target target --epochs 1 --quiet --out run");
    let is_none = "/dev/zero: found a device, expected a file; save what it gives to a file first";
    let rows = [
        ("to train on", "--data /dev/zero", "/dev/zero: found a device, expected a folder …"),
        ("as a table", "/dev/zero --target y", "/dev/zero: found a device, expected a folder …"),
        ("to test on", "iris.csv --target target --test /dev/zero", is_none),
        ("with labels", "--data /dev/zero --labels iris.csv", is_none),
        ("for a model", "eval --model run /dev/zero", is_none),
    ];
    check(dir.path(), FAILED, &rows);
}
