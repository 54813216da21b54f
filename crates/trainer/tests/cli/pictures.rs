//! Folders of pictures, and images on their side.

use std::fs;
use std::path::Path;

use nn::{Mlp, Preparation};
use tempfile::TempDir;

use crate::data::{Part, idx, parts, pgm, write_parts};
use crate::{json, model, run_in, succeed};

/// Names of classes, whose order is not that of the alphabet in the labels.
const NAMES: [&str; 4] = ["ant", "bee", "cow", "dog"];

/// Writes images of 12 x 12 pixels as pictures into a folder for each class.
pub(crate) fn write(dir: &Path, part: &Part, names: &[&str]) {
    for (index, (image, label)) in part.features.chunks(144).zip(&part.labels).enumerate() {
        let Some(name) = names.get(usize::from(*label)) else { continue };
        fs::create_dir_all(dir.join(name)).unwrap();
        fs::write(dir.join(name).join(format!("{index}.pgm")), pgm(12, image)).unwrap();
    }
}

/// A folder with the folders `train` and `test` of pictures in `data`.
fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let [train, test] = parts(12);
    write(&dir.path().join("data/train"), &train, &NAMES);
    write(&dir.path().join("data/test"), &test, &NAMES);
    dir
}

const QUICK: &str = "--recipe plain --hidden 20 --epochs 5 --seed 2";

#[test]
fn folders_of_pictures_train() {
    let dir = folder();
    let summary = json(dir.path(), &format!("{QUICK} --json --out run"));
    assert_eq!(summary["layers"], serde_json::json!([144, 20, 4]));
    assert_eq!((&summary["train_samples"], &summary["test_samples"]), (&120.into(), &40.into()));
    let network = Mlp::load(dir.path().join("run/model.safetensors")).unwrap();
    assert_eq!(network.class_names().unwrap(), NAMES);
    let Some(Preparation::Image(form)) = network.preparation() else { panic!() };
    assert_eq!((form.rows, form.cols, form.real), (12, 12, false));
    let found = json(dir.path(), "eval --model run --json");
    assert_eq!(found["test_errors"], summary["test_errors"]);
    assert_eq!(found["classes"][2]["class"], "cow");

    // The same images as IDX train the same weights, if they come in the same order.
    let mut sorted: Vec<Part> = Vec::new();
    for part in parts(12) {
        let mut images: Vec<(u8, String, &[u8])> = part
            .labels
            .iter()
            .zip(part.features.chunks(144))
            .enumerate()
            .filter(|(_, (label, _))| **label < 4)
            .map(|(index, (label, image))| (*label, format!("{index}.pgm"), image))
            .collect();
        images.sort();
        sorted.push(Part {
            labels: images.iter().map(|(label, ..)| *label).collect(),
            features: images.iter().flat_map(|(.., image)| image.to_vec()).collect(),
            ..part
        });
    }
    let sorted: [Part; 2] = sorted.try_into().unwrap_or_else(|_| panic!());
    write_parts(&dir.path().join("idx"), &sorted);
    fs::write(dir.path().join("idx/classes.txt"), NAMES.join("\n")).unwrap();
    succeed(dir.path(), &format!("idx {QUICK} --quiet --out idx-run"));
    assert!(model(&dir.path().join("run")) == model(&dir.path().join("idx-run")));
}

#[test]
fn pictures_without_a_test_part_are_divided() {
    let dir = tempfile::tempdir().unwrap();
    let [train, _] = parts(12);
    write(&dir.path().join("all"), &train, &NAMES);
    let summary = json(dir.path(), &format!("all {QUICK} --test-fraction 0.25 --json --out run"));
    // A quarter of 30 of each class.
    let [trained, tested] =
        ["train_samples", "test_samples"].map(|key| summary[key].as_u64().unwrap());
    assert_eq!(trained + tested, 120);
    assert!((28..=32).contains(&tested), "{summary}");
}

#[test]
fn the_size_of_pictures() {
    let dir = folder();
    let layers = |flags: &str, out: &str| {
        json(dir.path(), &format!("{QUICK} {flags} --json --out {out}"))["layers"].clone()
    };
    assert_eq!(layers("--size 6x8", "small"), serde_json::json!([48, 20, 4]));
    // What the model is given later is scaled as well.
    let found = json(dir.path(), "eval --model small --json");
    assert_eq!(found["test_samples"], 40);
    let picture = fs::read_dir(dir.path().join("data/test/ant")).unwrap().next().unwrap();
    let picture = picture.unwrap().path();
    succeed(dir.path(), &format!("predict --model small {}", picture.display()));
    // Pictures of several sizes.
    fs::write(dir.path().join("data/train/ant/wide.pgm"), pgm(14, &[0; 14 * 9])).unwrap();
    assert_eq!(layers("", "mixed"), serde_json::json!([784, 20, 4]));
}

/// Folders say by their names which class is which, whatever number they had in training.
#[test]
fn classes_are_found_by_their_names() {
    let dir = folder();
    succeed(dir.path(), &format!("{QUICK} --quiet --out run"));
    let [_, test] = parts(12);
    // Without the first class, the others have other numbers.
    write(&dir.path().join("some"), &test, &NAMES);
    fs::remove_dir_all(dir.path().join("some/ant")).unwrap();
    fs::remove_dir_all(dir.path().join("some/cow")).unwrap();
    let found = json(dir.path(), "eval --model run some --json");
    assert_eq!(found["test_samples"], 20);
    let mut wrong = 0;
    for class in ["bee", "dog"] {
        let text = succeed(dir.path(), &format!("predict --model run some/{class}"));
        wrong += text.lines().filter(|line| !line.contains(&format!(": {class}  "))).count();
    }
    assert_eq!(found["test_errors"], wrong);
    assert!(wrong < 10, "{wrong}");

    fs::rename(dir.path().join("some/bee"), dir.path().join("some/wasp")).unwrap();
    let output = run_in(dir.path(), "eval --model run some");
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "error: some: the class `wasp` is none that run has: expected the same classes\n"
    );
}

/// A model of one numbering judges folders, and IDX files whose images lie on their side.
#[test]
fn images_on_their_side() {
    let dir = tempfile::tempdir().unwrap();
    let upright = parts(12);
    let sideways = upright
        .clone()
        .map(|part| Part { features: mnist_io::transpose(&part.features, 12, 12), ..part });
    write_parts(&dir.path().join("upright"), &upright);
    write_parts(&dir.path().join("sideways"), &sideways);
    write_parts(&dir.path().join("emnist"), &sideways);
    for (from, to) in [("train", "train"), ("t10k", "test")] {
        for kind in ["images-idx3-ubyte", "labels-idx1-ubyte"] {
            let name = |stem| dir.path().join(format!("emnist/{stem}-{kind}"));
            fs::rename(name(from), name(&format!("emnist-digits-{to}"))).unwrap();
        }
    }
    let run = |flags: &str, out: &str| {
        succeed(dir.path(), &format!("{flags} {QUICK} --quiet --out {out}"));
        dir.path().join(out)
    };
    let plain = run("upright", "plain");
    // EMNIST is upright by its name, so nothing has to be done later.
    assert!(model(&run("emnist", "of-emnist")) == model(&plain));
    let turned = run("sideways --transpose", "turned");
    let layer = |path: &Path| Mlp::load(path.join("model.safetensors")).unwrap().layer(0);
    assert_eq!(layer(&turned), layer(&plain));
    assert_ne!(layer(&run("sideways", "lying")), layer(&plain));

    // A model of images on their side is given such images.
    let errors = |flags: &str| json(dir.path(), &format!("{flags} --json"))["test_loss"].clone();
    let expected = errors("eval --model plain upright");
    for flags in [
        "eval --model plain emnist",
        "eval --model of-emnist upright",
        "eval --model turned sideways",
    ] {
        assert_eq!(errors(flags), expected, "{flags}");
    }
    let answers = |flags: &str| {
        let text = succeed(dir.path(), flags);
        let answer = |line: &str| line.split_once(": ").unwrap().1.to_owned();
        text.lines().map(answer).collect::<Vec<_>>()
    };
    let expected = answers("predict --model plain upright/t10k-images-idx3-ubyte");
    for flags in [
        "predict --model turned sideways/t10k-images-idx3-ubyte",
        "predict --model plain sideways/t10k-images-idx3-ubyte --transpose",
        "predict --model plain emnist/emnist-digits-test-images-idx3-ubyte",
    ] {
        assert_eq!(answers(flags), expected, "{flags}");
    }
    // A picture is upright for all of them. (This one has no ink at its border, by which its
    // paper is known.)
    let image = &upright[1].features[5 * 144..6 * 144];
    fs::write(dir.path().join("a.pgm"), pgm(12, image)).unwrap();
    for model in ["plain", "turned", "of-emnist"] {
        assert_eq!(answers(&format!("predict --model {model} a.pgm")), expected[5..6], "{model}");
    }
    fs::write(dir.path().join("one"), idx(8, &[1, 12, 12], image)).unwrap();
    assert_eq!(answers("predict --model plain one"), expected[5..6]);
}

/// An answer does not depend on which of pen and paper is the darker one, whether the images of
/// the training are centred or not; and of a picture without a digit it is said what is wrong.
#[test]
fn pictures_of_any_kind_have_an_answer_or_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, side: usize, pixels: &[u8]| {
        fs::write(dir.path().join(name), pgm(side, pixels)).unwrap();
    };
    crate::data::write(&dir.path().join("data"), 28);
    succeed(dir.path(), &format!("{QUICK} --quiet --out run"));
    // The same network, as if its images had been like MNIST's.
    let mut network = Mlp::load(dir.path().join("run/model.safetensors")).unwrap();
    let Some(Preparation::Image(mut form)) = network.preparation().cloned() else { panic!() };
    assert!(!form.centred);
    form.centred = true;
    network.set_preparation(Some(Preparation::Image(form))).unwrap();
    network.save(dir.path().join("centred")).unwrap();
    let answer = |run: &str, picture: &str| {
        let output = run_in(dir.path(), &format!("predict --model {run} {picture} --json"));
        let lines = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.code(), lines.map(|line| line.replace("inverse-", "")))
    };
    let pixels = |side: usize, grey: fn(usize, usize) -> u8| -> Vec<u8> {
        (0..side * side).map(|at| grey(at / side, at % side)).collect()
    };
    let stroke =
        |row: usize, col: usize| 255 * u8::from((4..12).contains(&row) && (6..8).contains(&col));
    let border =
        |row: usize, col: usize| 255 * u8::from(!(3..25).contains(&row) || !(3..25).contains(&col));
    let noise = |row: usize, col: usize| (row * 7919 + col * 104_729 % 251 * (row + 3)) as u8;
    let pictures = [
        ("small.pgm", 16, pixels(16, stroke)),
        ("same.pgm", 28, pixels(28, stroke)),
        ("large.pgm", 60, pixels(60, stroke)),
        ("border.pgm", 28, pixels(28, border)),
        ("noise.pgm", 28, pixels(28, noise)),
        ("empty.pgm", 28, vec![9; 784]),
        ("one.pgm", 1, vec![0]),
    ];
    for run in ["run", "centred"] {
        for (name, side, pixels) in &pictures {
            let inverse: Vec<u8> = pixels.iter().map(|grey| 255 - grey).collect();
            write(name, *side, pixels);
            write(&format!("inverse-{name}"), *side, &inverse);
            let found = answer(run, name);
            let (code, [line, error]) = &found;
            match code {
                Some(0) => assert!(line.lines().count() == 1 && error.is_empty(), "{found:?}"),
                Some(1) => {
                    let start = format!("error: {name}: found ");
                    assert!(run == "centred" && error.starts_with(&start), "{found:?}");
                    assert!(error.lines().count() == 1 && line.is_empty(), "{found:?}");
                }
                _ => panic!("{found:?}"),
            }
            if *name != "noise.pgm" {
                assert_eq!(answer(run, &format!("inverse-{name}")), found, "{run}");
            }
        }
    }
}
