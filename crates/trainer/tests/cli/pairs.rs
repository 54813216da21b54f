//! Files of IDX under names of their own: `--labels` and `--test-labels`.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::data::{Part, gzip, idx, parts};
use crate::{json, model, run_in, succeed};

/// A folder with features and labels of two parts, under these names.
fn folder(names: [[&str; 2]; 2], parts: &[Part; 2]) -> TempDir {
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

const NAMES: [[&str; 2]; 2] = [["a.idx", "b.idx"], ["c.idx", "d.idx"]];
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

/// What a run says next can be typed.
#[test]
fn the_next_command_names_the_labels() {
    let dir = folder(NAMES, &parts(12));
    let text = succeed(dir.path(), &format!("{FLAGS} --epochs 1 --out run"));
    let line = "eval --model run/model.safetensors c.idx --labels d.idx";
    assert!(text.contains(line), "{text}");
    succeed(dir.path(), line);
    let text = succeed(dir.path(), "--data a.idx --labels b.idx --epochs 1 --out run2");
    assert!(!text.contains(" eval "), "{text}");
}
