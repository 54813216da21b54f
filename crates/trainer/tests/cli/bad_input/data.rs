//! Data that are missing, damaged or do not belong together. The readers have their own
//! tests in `mnist-io`; here are the folder, the exit code, and that nothing is written.

use std::fs;
use std::path::Path;

use super::{FAILED, Row, USAGE, check};

/// Fails in the folder with the command line and the error of the row.
fn fails(dir: &Path, row: Row) {
    check(dir, FAILED, &[row]);
}

#[test]
fn missing() {
    let dir = tempfile::tempdir().unwrap();
    fails(
        dir.path(),
        (
            "no data",
            "",
            "there is no folder `data` in the current directory: go to the root of the repository, or name the folder of the MNIST files with --data DIR",
        ),
    );
    fails(dir.path(), ("no such folder", "--data none", "none: no such folder…"));
    crate::data::write(&dir.path().join("data"), 28);
    for name in ["t10k-labels-idx1-ubyte", "train-images-idx3-ubyte"] {
        fs::remove_file(dir.path().join("data").join(name)).unwrap();
        fails(dir.path(), ("the test set too, before the training", "", "data: …"));
    }
}

#[test]
fn damaged() {
    let dir = crate::data::folder();
    for name in ["train-images-idx3-ubyte", "t10k-images-idx3-ubyte"] {
        let path = dir.path().join("data").join(name);
        let bytes = fs::read(&path).unwrap();
        let flipped = [&[0, 0, 9][..], &bytes[3..]].concat();
        for (why, bytes) in [
            ("a byte too few", &bytes[..bytes.len() - 1]),
            ("a byte too many", &[&bytes[..], b"x"].concat()),
            ("nothing", b""),
            ("another file", b"nonsense"),
            ("a byte changed", &flipped),
        ] {
            fs::write(&path, bytes).unwrap();
            fails(dir.path(), (why, "", &*format!("data/{name}…").leak()));
        }
        fs::write(&path, bytes).unwrap();
    }
}

/// Files of IDX whose names do not say what they are.
#[test]
fn labels() {
    let dir = crate::data::folder();
    for (from, to) in [
        ("train-images-idx3-ubyte", "a.idx"),
        ("train-labels-idx1-ubyte", "b.idx"),
        ("t10k-images-idx3-ubyte", "c.idx"),
        ("t10k-labels-idx1-ubyte", "d.idx"),
    ] {
        fs::copy(dir.path().join("data").join(from), dir.path().join(to)).unwrap();
    }
    fs::write(dir.path().join("t.csv"), crate::data::table("iris.csv")).unwrap();
    check(
        dir.path(),
        USAGE,
        &[
            (
                "features alone",
                "a.idx",
                "a.idx: found 300 x 28 x 28 u8 in IDX, and beside it no labels under the same \
                 name: name their file with --labels",
            ),
            (
                "features to test on alone",
                "a.idx --labels b.idx --test c.idx",
                "c.idx: found 100 x 28 x 28 u8 in IDX, and beside it no labels under the same \
                 name: name their file with --test-labels",
            ),
            (
                "labels alone",
                "b.idx",
                "b.idx: found 300 u8 in IDX, which look like labels: name the file of their \
                 images or features instead, and this one with --labels",
            ),
            (
                "labels of a table",
                "t.csv --labels b.idx",
                "--labels is for a file of IDX, and t.csv is a table, whose labels are a column: \
                 leave the flag out",
            ),
            (
                "labels of a folder",
                "--labels b.idx",
                "--labels is for a file of IDX, and data is a folder: name the file of its \
                 features instead",
            ),
            (
                "labels of a table to test on",
                "a.idx --labels b.idx --test t.csv --test-labels d.idx",
                "--test-labels is for a file of IDX, and t.csv is a table, whose labels are a \
                 column: leave the flag out",
            ),
            (
                "labels to test on alone",
                "a.idx --labels b.idx --test-labels d.idx",
                "--test-labels is for a file of IDX that --test names, and there is none: name it",
            ),
        ],
    );
    for row in [
        (
            "labels of others",
            "a.idx --labels d.idx",
            "d.idx: at byte 4: found 100 labels, expected 300, one for each image in a.idx; pass \
             two files that belong together",
        ),
        (
            "images and labels exchanged",
            "b.idx --labels a.idx",
            "b.idx: at byte 3: found 1 dimensions (300), expected images x rows x columns, …",
        ),
        ("no such labels", "a.idx --labels absent", "absent: cannot be opened: …"),
        ("no labels", "a.idx --labels t.csv", "t.csv: found text, expected an IDX file; …"),
    ] {
        fails(dir.path(), row);
    }
}

#[test]
fn not_a_pair() {
    let dir = crate::data::folder();
    crate::data::write(&dir.path().join("small"), 10);
    for name in ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"] {
        let data = dir.path().join("data").join(name);
        fs::copy(dir.path().join("small").join(name), data).unwrap();
    }
    fails(
        dir.path(),
        (
            "images of two sizes",
            "",
            "data: the training images are 28 x 28 pixels and the test images 10 x 10: expected the same size",
        ),
    );

    let dir = crate::data::folder();
    let path = dir.path().join("data/t10k-labels-idx1-ubyte");
    let mut labels = fs::read(&path).unwrap();
    *labels.last_mut().unwrap() = 11;
    fs::write(&path, labels).unwrap();
    fails(
        dir.path(),
        (
            "a class that is only tested",
            "",
            "data: found 1 test sample of class 11, which no training sample is of: expected no class that training does not show; check that the two parts belong together",
        ),
    );
}

#[test]
fn names_of_classes() {
    let dir = crate::data::folder();
    for (text, error) in [
        ("one\ntwo\n", "data/classes.txt: list of class names has 2 elements: expected 10"),
        ("a\nb\nc\nd\ne\nf\ng\nh\ni\na\n", "data/classes.txt: classes 0 and 9 are both called `a`"),
        ("a\n\nc\n", "data/classes.txt: line 2: found no name…"),
    ] {
        fs::write(dir.path().join("data/classes.txt"), text).unwrap();
        fails(dir.path(), ("names of classes", "", error));
    }
}

#[test]
fn training_that_diverges() {
    let dir = crate::data::folder();
    let output =
        crate::run_in(dir.path(), "--recipe plain --schedule constant --lr 1e30 --quiet --out run");
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(FAILED), "{text}");
    assert!(text.starts_with("error: training diverged in step 2, with a loss of "), "{text}");
    assert!(text.ends_with(": try a lower learning rate than 1e30\n"), "{text}");
    let summary = std::fs::read_to_string(dir.path().join("run/summary.json")).unwrap();
    assert!(summary.contains("\"status\": \"diverged\""), "{summary}");
    assert!(!dir.path().join("run/model.safetensors").exists());
    // What came to nothing is no reason to keep the directory.
    crate::succeed(dir.path(), "--recipe plain --epochs 1 --quiet --out run");
}
