//! Files of IDX under names of their own: `--labels` and `--test-labels`.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::data::{Part, gzip, idx, parts};
use crate::{json, model, run_in, succeed};

/// A folder with features and labels of two parts, under these names.
pub(crate) fn folder(names: [[&str; 2]; 2], parts: &[Part; 2]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for ([features, labels], part) in names.into_iter().zip(parts) {
        let dims = [&[part.labels.len()], &part.shape[..]].concat();
        write(dir.path(), features, idx(part.code, &dims, &part.features));
        write(dir.path(), labels, idx(8, &dims[..1], &part.labels));
    }
    dir
}

fn write(dir: &Path, name: &str, bytes: Vec<u8>) {
    let bytes = if name.ends_with(".gz") { gzip(&bytes) } else { bytes };
    fs::write(dir.join(name), bytes).unwrap();
}

pub(crate) const NAMES: [[&str; 2]; 2] = [["a.idx", "b.idx"], ["c.idx", "d.idx"]];
const FLAGS: &str = "--data a.idx --labels b.idx --test c.idx --test-labels d.idx";

/// The model is that of the same files under the names of MNIST.
#[test]
fn two_pairs_are_what_four_files_of_mnist_are() {
    let parts = parts(12);
    let names = [["a.idx", "b.idx.gz"], ["c.idx.gz", "d.idx"]];
    let dir = folder(names, &parts);
    crate::data::write_parts(&dir.path().join("data"), &parts);
    let flags = "--epochs 2 --validation 0.1 --json --out";
    let paired = "--data a.idx --labels b.idx.gz --test c.idx.gz --test-labels d.idx";
    let found = json(dir.path(), &format!("{paired} {flags} pair"));
    let expected = json(dir.path(), &format!("{flags} four"));
    assert_eq!(found["data"], expected["data"]);
    assert_eq!(found["test_errors"], expected["test_errors"]);
    assert!(model(&dir.path().join("pair")) == model(&dir.path().join("four")));

    // The settings of the run repeat it.
    succeed(dir.path(), "--config pair/config.toml --quiet --out again");
    assert!(model(&dir.path().join("again")) == model(&dir.path().join("pair")));
    let eval = json(dir.path(), "eval --model pair c.idx.gz --labels d.idx --json");
    assert_eq!(eval["test_errors"], found["test_errors"]);
    assert_eq!(eval["test_samples"], 100);
    // A file with a name of MNIST takes other labels than its name says.
    let eval = "eval --model pair data/t10k-images-idx3-ubyte --labels b.idx.gz";
    let text = String::from_utf8(run_in(dir.path(), eval).stderr).unwrap();
    assert!(text.contains("b.idx.gz: at byte 4: found 300 labels, expected 100"), "{text}");
}

#[test]
fn without_a_test_part_a_share_is_held_out() {
    let [part, _] = parts(12);
    let values: Vec<u8> =
        part.features.iter().flat_map(|byte| (f64::from(*byte) / 255.0).to_be_bytes()).collect();
    let rows = Part { shape: vec![144], code: 14, features: values, ..part.clone() };
    for (names, flags) in [
        (["a", "b"], "a --labels b"),
        (["my-images.idx", "my-labels.idx"], "my-images.idx"),
        (["train_x.idx", "train_y.idx"], "train_x.idx"),
        (["image.data", "label.data"], "image.data"),
    ] {
        for part in [&part, &rows] {
            let dir = folder([names, ["c", "d"]], &[part.clone(), part.clone()]);
            let flags = format!("{flags} --epochs 3 --lr 0.01 --json --out run");
            let found = json(dir.path(), &flags);
            assert_eq!(
                (&found["train_samples"], &found["test_samples"]),
                (&240.into(), &60.into())
            );
            assert!(found["test_accuracy"].as_f64().unwrap() > 0.5, "{found}");
        }
    }
}

/// Labels that look right and are others are found by their checksum.
#[test]
fn a_run_continues_with_the_same_files() {
    let dir = folder(NAMES, &parts(12));
    let flags = format!("{FLAGS} --schedule constant --quiet");
    succeed(dir.path(), &format!("{flags} --epochs 1 --out run"));
    succeed(dir.path(), &format!("{flags} --epochs 2 --out whole"));
    fs::create_dir(dir.path().join("moved")).unwrap();
    for name in NAMES.as_flattened() {
        fs::rename(dir.path().join(name), dir.path().join("moved").join(name)).unwrap();
    }
    let moved = FLAGS.replace("--data ", "--data moved/").replace("ls ", "ls moved/");
    let moved = moved.replace("--test ", "--test moved/");
    let path = dir.path().join("moved/b.idx");
    let right = fs::read(&path).unwrap();
    let mut wrong = right.clone();
    let last = wrong.len();
    wrong.swap(last - 1, last - 2);
    fs::write(&path, wrong).unwrap();
    let resume = format!("--resume run --epochs 2 --quiet {moved}");
    let text = String::from_utf8(run_in(dir.path(), &resume).stderr).unwrap();
    assert!(
        text.starts_with("error: the training data in moved/a.idx have the checksum"),
        "{text}"
    );
    fs::write(&path, right).unwrap();
    succeed(dir.path(), &resume);
    assert!(model(&dir.path().join("run")) == model(&dir.path().join("whole")));
}

/// Labels from 1 on are classes of these names, and no class 0 is one of them.
#[test]
fn labels_that_count_from_one() {
    let one_more =
        |part: Part| Part { labels: part.labels.iter().map(|label| label + 1).collect(), ..part };
    let zero = parts(12);
    let dir = folder(NAMES, &zero.clone().map(one_more));
    let output = run_in(dir.path(), &format!("{FLAGS} --epochs 2 --out one"));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("the labels count from 1: the classes are 1 to 10"), "{text}");
    assert!(!text.contains("class 0"), "{text}");
    let eval = json(dir.path(), "eval --model one c.idx --labels d.idx --json");
    let names: Vec<_> = eval["classes"].as_array().unwrap().iter().map(|c| &c["class"]).collect();
    assert_eq!((names[0], names[9], names.len()), (&"1".into(), &"10".into(), 10));

    // The same network as of labels from 0.
    let other = folder(NAMES, &zero);
    succeed(other.path(), &format!("{FLAGS} --epochs 2 --quiet --out zero"));
    let expected = json(other.path(), "eval --model zero c.idx --labels d.idx --json");
    assert_eq!(eval["test_loss"], expected["test_loss"]);
    assert_eq!(eval["confusion"], expected["confusion"]);

    // A label of 0 is none of them.
    fs::copy(other.path().join("d.idx"), dir.path().join("d.idx")).unwrap();
    for (line, known) in [
        (format!("{FLAGS} --quiet --out none"), "a.idx"),
        ("eval --model one c.idx --labels d.idx".to_owned(), "one"),
    ] {
        let text = String::from_utf8(run_in(dir.path(), &line).stderr).unwrap();
        let expected = format!("error: c.idx: the class `0` is none that {known} has: expected");
        assert!(text.starts_with(&expected), "{text}");
    }
}

/// The letters of EMNIST have their names in a file beside them.
#[test]
fn letters_have_names() {
    let parts = parts(12)
        .map(|part| Part { labels: part.labels.iter().map(|label| label + 1).collect(), ..part });
    let names = ["train", "test"].map(|part| {
        ["images-idx3", "labels-idx1"].map(|file| format!("emnist-letters-{part}-{file}-ubyte"))
    });
    let dir = folder(names.each_ref().map(|pair| pair.each_ref().map(|name| &**name)), &parts);
    let mapping: String = (1..=10).map(|n| format!("{n} {} {}\n", 64 + n, 96 + n)).collect();
    fs::write(dir.path().join("emnist-letters-mapping.txt"), mapping).unwrap();
    succeed(dir.path(), ". --epochs 1 --quiet --out run");
    let eval = json(dir.path(), "eval --model run . --json");
    let class = |i: usize| eval["classes"][i]["class"].as_str().unwrap();
    assert_eq!((class(0), class(9)), ("A", "J"));

    // Without that file labels are positions, which do not fit, or of which the user is told.
    let [_, test] = &parts;
    let dims = [&[test.labels.len()], &test.shape[..]].concat();
    write(dir.path(), "c.idx", idx(test.code, &dims, &test.features));
    let without_ten = test.labels.iter().map(|label| *label.min(&9)).collect::<Vec<u8>>();
    for (labels, expected) in [
        (
            &test.labels,
            "error: c.idx: found labels 1 to 10 and no names, expected 0 to 9 or names: put \
             classes.txt or the file of EMNIST with the letters beside the data\n",
        ),
        (
            &without_ten,
            "note: c.idx: the labels have no names, and none is 0: label 1 is taken for `B`; if it \
             is `A`, put classes.txt or the file of EMNIST with the letters beside the data\n",
        ),
    ] {
        write(dir.path(), "d.idx", idx(8, &dims[..1], labels));
        for line in [
            "eval --model run c.idx --labels d.idx",
            ". --test c.idx --test-labels d.idx --epochs 1 --out other",
        ] {
            let text = String::from_utf8(run_in(dir.path(), line).stderr).unwrap();
            assert!(text.contains(expected), "{line}: {text}");
        }
    }
    write(dir.path(), "d.idx", idx(8, &dims[..1], &[0].repeat(dims[0])));
    let text = run_in(dir.path(), "eval --model run c.idx --labels d.idx").stderr;
    assert_eq!(String::from_utf8(text).unwrap(), "");
}

/// Images in other units than those of the training are answered, and that is said.
#[test]
fn numbers_in_other_units() {
    let parts = parts(12);
    let dir = folder(NAMES, &parts);
    succeed(dir.path(), &format!("{FLAGS} --epochs 1 --out run"));
    let [_, test] = &parts;
    let dims = [test.labels.len(), 12, 12];
    for (factor, far) in [(1.0, true), (1.0 / 255.0, false)] {
        let values = test.features.iter().map(|byte| f32::from(*byte) * factor);
        let values: Vec<u8> = values.flat_map(f32::to_be_bytes).collect();
        write(dir.path(), "real.idx", idx(13, &dims, &values));
        for command in ["eval --model run real.idx --labels d.idx", "predict --model run real.idx"]
        {
            let output = run_in(dir.path(), command);
            assert!(output.status.success(), "{output:?}");
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(said.contains("scale them to the same range"), far, "{command}: {said}");
        }
    }
    // What goes to standard output is the file alone.
    succeed(dir.path(), "export --model run --npz file.npz");
    let output = run_in(dir.path(), "export --model run --npz /dev/stdout");
    assert!(output.stdout == fs::read(dir.path().join("file.npz")).unwrap());
}
