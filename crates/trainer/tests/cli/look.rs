//! Data that are not what they seem: what the program says before it trains, and that it
//! trains right all the same.

use std::fs;
use std::path::Path;

use nn::{Mlp, Preparation};
use tempfile::TempDir;

use crate::data::{self, Part};
use crate::{json, model, run_in, succeed, trainer};

/// A folder with these parts in its folder `data`.
fn folder(parts: &[Part; 2]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    data::write_parts(&dir.path().join("data"), parts);
    dir
}

/// Parts that `change` has changed, each in the same way.
fn changed(change: impl Fn(&mut Part)) -> [Part; 2] {
    let mut parts = data::parts(28);
    parts.iter_mut().for_each(change);
    parts
}

/// Keeps the samples that have one of these labels, and gives them others.
fn relabelled(part: &mut Part, labels: &[(u8, u8)]) {
    let width = part.features.len() / part.labels.len();
    let found: Vec<_> = part.labels.iter().zip(part.features.chunks(width)).collect();
    let kept = found.into_iter().filter_map(|(label, features)| {
        let (_, to) = labels.iter().find(|(from, _)| from == label)?;
        Some((*to, features.to_vec()))
    });
    let (labels, features): (Vec<_>, Vec<_>) = kept.unzip();
    (part.labels, part.features) = (labels, features.concat());
}

/// Black images with a stroke that is tall and narrow, or wide and low.
fn strokes(part: &mut Part, wide: bool) {
    // The test images are no training images.
    let ink = 220 + (part.labels.len() / 10) as u8;
    let pixel = |index: usize| {
        let (sample, row, col) = (index / 784, index / 28 % 28, index % 28);
        let (along, across) = if wide { (col, row) } else { (row, col) };
        let at = 10 + usize::from(part.labels[sample]) / 2;
        if (6..22).contains(&along) && (at..at + 3).contains(&across) { ink } else { 0 }
    };
    part.features = (0..part.features.len()).map(pixel).collect();
}

fn floats(part: &mut Part, value: impl Fn(u8) -> f32) {
    part.code = 13;
    part.features = part.features.iter().flat_map(|byte| value(*byte).to_be_bytes()).collect();
}

/// Nothing is said of ordinary data; of others, a line for each thing that is odd.
#[test]
fn what_is_odd_is_said_before_the_training() {
    let none = |_: &mut Part| {};
    let each_eleventh = |part: &mut Part| part.features.iter_mut().for_each(|x| *x /= 16);
    let table: [(&str, [Part; 2], &str, &[&str]); 23] = [
        ("ordinary", changed(none), "", &[]),
        ("shifted within the picture", changed(none), "--shift 27", &[]),
        (
            "shifted out of it",
            changed(none),
            "--shift 28",
            &["images of 28 x 28 pixels are shifted by up to 28: many leave the picture"],
        ),
        ("deskewed", changed(none), "--deskew", &[]),
        (
            "from 1",
            changed(|part| part.labels.iter_mut().for_each(|x| *x += 1)),
            "",
            &["the labels count from 1: the classes are 1 to 10"],
        ),
        (
            "a gap",
            changed(|part| relabelled(part, &[(0, 0), (1, 20), (2, 22)])),
            "",
            &["of classes 1 to 19 and 21: the network hardly ever predicts them"],
        ),
        (
            "not tested",
            {
                let mut parts = changed(none);
                relabelled(&mut parts[1], &[(0, 0), (1, 1)]);
                parts
            },
            "",
            &["no test sample is of classes 2 to 9: the test accuracy says nothing of them"],
        ),
        (
            "a stray label",
            {
                let mut parts = changed(none);
                parts[0].labels[7] = 200;
                parts
            },
            "",
            &[
                "no training sample is of classes 10 to 199:",
                "no test sample is of class 200",
                "there is 1 training sample of class 200, and about 30 of any other: check the labels",
            ],
        ),
        (
            "hardly any samples",
            {
                let mut parts = changed(none);
                parts[0].labels.truncate(10);
                parts[0].features.truncate(7840);
                parts
            },
            "",
            &["there are 10 training samples of 10 classes: too few to learn from"],
        ),
        (
            "4 bits",
            changed(each_eleventh),
            "",
            &[
                "the largest byte of the training samples is 15: bytes are scaled by 1/15 and not by 1/255",
            ],
        ),
        (
            "4 bits once",
            {
                let mut parts = changed(none);
                each_eleventh(&mut parts[0]);
                parts
            },
            "",
            &[
                "reach 15, those of the test samples 255: were they scaled in different ways?",
                "largest byte of the training samples is 15",
            ],
        ),
        (
            "mostly constant",
            changed(|part| {
                part.features.iter_mut().enumerate().for_each(|(i, x)| {
                    if i % 28 > 7 {
                        *x = 3
                    }
                })
            }),
            "--recipe plain",
            &["560 of 784 features are the same in all training samples"],
        ),
        (
            "the training set as test set",
            {
                let parts = changed(none);
                [parts[0].clone(), parts[0].clone()]
            },
            "",
            &["the test samples are training samples"],
        ),
        (
            "its end as test set",
            {
                let parts = changed(none);
                let mut end = parts[0].clone();
                end.labels.drain(..200);
                end.features.drain(..200 * 784);
                [parts[0].clone(), end]
            },
            "",
            &["the test samples are training samples"],
        ),
        (
            "rows",
            changed(|part| part.shape = vec![784]),
            "",
            &["samples of 784 features are no images: augmentation and deskewing are left out"],
        ),
        (
            "one long row",
            changed(|part| part.shape = vec![1, 784]),
            "--deskew",
            &["samples of 1 x 784 features are no images"],
        ),
        ("rows, not augmented", changed(|part| part.shape = vec![784]), "--recipe plain", &[]),
        (
            "large numbers",
            changed(|part| {
                part.shape = vec![784];
                floats(part, f32::from)
            }),
            "--recipe plain --lr 1e-6",
            &["features of the training samples reach 255: networks train best"],
        ),
        (
            "inverted",
            changed(|part| part.features.iter_mut().for_each(|x| *x = 255 - *x)),
            "",
            &[
                "the images have dark ink on a background of 255: they are moved and deskewed as such",
            ],
        ),
        (
            "inverted, plain",
            changed(|part| part.features.iter_mut().for_each(|x| *x = 255 - *x)),
            "--recipe plain",
            &["without batch normalisation networks learn slowly from that"],
        ),
        (
            "inverted once",
            {
                let mut parts = changed(none);
                parts[1].features.iter_mut().for_each(|x| *x = 255 - *x);
                parts
            },
            "",
            &[
                "the training images have light ink on a background of 0 and the test images dark ink on a background of 255: invert one of them",
            ],
        ),
        ("upright", changed(|part| strokes(part, false)), "--deskew", &[]),
        (
            "transposed",
            changed(|part| strokes(part, true)),
            "--deskew",
            &[
                "the images look transposed, with ink that is wider than tall: deskewing and shear assume upright images",
            ],
        ),
    ];
    for (what, parts, flags, expected) in table {
        let dir = folder(&parts);
        let output = run_in(dir.path(), &format!("{flags} --epochs 1 --out run"));
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{what}: {text}");
        // Strokes have much that is constant, which is another finding, and what is said of
        // the trained network is another matter.
        let other = |line: &&str| strokes_are_narrow(what, line) || line.contains("(dead)");
        let lines: Vec<_> = text.lines().filter(|line| !other(line)).collect();
        assert_eq!(lines.len(), expected.len(), "{what}: {text}");
        for (line, expected) in lines.iter().zip(expected) {
            assert!(line.starts_with("note: ") && line.contains(expected), "{what}: {line}");
        }
        // And it says nothing where it is to be quiet.
        let output = run_in(dir.path(), &format!("{flags} --epochs 1 --quiet --out quiet"));
        assert!(output.stderr.is_empty(), "{what}");
    }
}

fn strokes_are_narrow(what: &str, line: &str) -> bool {
    ["upright", "transposed"].contains(&what) && line.contains("features are the same")
}

#[test]
fn what_no_training_can_mend_is_an_error() {
    let table: [(&str, [Part; 2], &str); 6] = [
        (
            "one class",
            changed(|part| part.labels.fill(3)),
            "data: all training samples are of class 3: expected two classes at least",
        ),
        (
            "an unseen class",
            {
                let mut parts = changed(|_| {});
                relabelled(&mut parts[0], &[(0, 0), (9, 9)]);
                parts
            },
            "data: found 80 test samples of classes 1 to 8, which no training sample is of",
        ),
        (
            "an unseen last class",
            {
                let mut parts = changed(|_| {});
                parts[1].labels[0] = 10;
                parts
            },
            "data: found 1 test sample of class 10, which no training sample is of",
        ),
        (
            "black images",
            changed(|part| part.features.fill(0)),
            "data: all 300 training samples have the same features",
        ),
        (
            "the same image",
            changed(|part| {
                let first = part.features[..784].to_vec();
                part.features = first.repeat(part.labels.len())
            }),
            "data: all 300 training samples have the same features",
        ),
        (
            "the same row of floats",
            changed(|part| floats(part, |_| 0.5)),
            "data: all 300 training samples have the same features",
        ),
    ];
    for (what, parts, expected) in table {
        let dir = folder(&parts);
        let output = run_in(dir.path(), "--epochs 1 --out run");
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{what}: {text}");
        assert!(text.starts_with(&format!("error: {expected}")), "{what}: {text}");
        assert!(!dir.path().join("run").exists());
    }
}

/// Batch normalisation cannot learn that a class is absent; with ReLU or without, with label
/// smoothing or without, the two classes that are there are told apart.
#[test]
fn absent_classes_do_not_hurt() {
    for last in [20, 255] {
        let dir = folder(&changed(|part| relabelled(part, &[(0, 0), (9, last)])));
        for (run, flags) in [
            ("default", "--batch-size 20 --epochs 8"),
            ("article", "--recipe article --batch-size 20 --epochs 8"),
            ("smooth", "--batch-size 20 --epochs 8 --label-smoothing 0.1"),
        ] {
            let found = json(dir.path(), &format!("{flags} --json --quiet --out {run}"));
            assert!(found["test_accuracy"].as_f64() > Some(0.99), "{last}, {run}: {found}");
        }
    }
}

/// Rows of features are trained on as if the recipe did not augment, and the settings that
/// the run leaves say so: they repeat it.
#[test]
fn rows_are_never_warped() {
    let dir = folder(&changed(|part| part.shape = vec![784]));
    let off = "--shift 0 --rotate 0 --scale 0 --shear 0";
    succeed(dir.path(), "--epochs 1 --deskew --out run");
    succeed(dir.path(), &format!("--epochs 1 {off} --out off"));
    succeed(dir.path(), "--config run/config.toml --out again");
    let [run, off, again] = ["run", "off", "again"].map(|run| model(&dir.path().join(run)));
    assert!(run == off && run == again);
    let config = fs::read_to_string(dir.path().join("run/config.toml")).unwrap();
    for line in ["deskew = false", "shift = 0.0", "rotate = 0.0"] {
        assert!(config.contains(line), "no {line} in {config}");
    }
}

/// Runs and tests images that are deskewed in training; gives the paper that the model names.
fn deskewed(dir: &Path) -> (f32, bool) {
    let flags = "--epochs 2 --lr 0.005 --batch-size 50 --deskew --validation 0.2 --json --out run";
    let trained = json(dir, flags);
    let found = json(dir, "eval --model run/model.safetensors --json");
    assert_eq!(found["test_errors"], trained["test_errors"]);
    let network = Mlp::load(dir.join("run/model.safetensors")).unwrap();
    let Some(Preparation::Image(form)) = network.preparation() else { panic!() };
    assert!(form.deskew);
    (form.paper, form.ink < form.paper)
}

/// The model file says what images it takes, and the test goes by that.
#[test]
fn ink_on_any_background_is_deskewed_alike() {
    let errors = |dir: &Path| {
        let paper = deskewed(dir);
        let found = json(dir, "eval --model run/model.safetensors --json");
        (paper, found["test_errors"].as_u64().unwrap())
    };
    let (paper, black) = errors(folder(&changed(|_| {})).path());
    assert_eq!(paper, (0.0, false));
    let dir = folder(&changed(|part| part.features.iter_mut().for_each(|x| *x = 255 - *x)));
    let (paper, white) = errors(dir.path());
    assert_eq!(paper, (255.0, true));
    assert!(white.abs_diff(black) < 15, "{white}, {black}");
    // Another background is another preparation, and eval obeys the file.
    let path = dir.path().join("run/model.safetensors");
    let before = json(dir.path(), "eval --model run/model.safetensors --json");
    let mut network = Mlp::load(&path).unwrap();
    network.set_preparation(Some(Preparation::Named("deskew-light-on-0".into()))).unwrap();
    network.save(&path).unwrap();
    let after = json(dir.path(), "eval --model run/model.safetensors --json");
    assert_ne!(before["test_loss"], after["test_loss"]);

    let grey = |byte: &mut u8| *byte = 100 + *byte / 2;
    let grey = changed(|part| part.features.iter_mut().for_each(grey));
    assert_eq!(deskewed(folder(&grey).path()), (100.0, false));
    let real = changed(|part| floats(part, |byte| 1.0 - f32::from(byte) / 255.0));
    assert_eq!(deskewed(folder(&real).path()), (1.0, true));
}

/// Few levels train as many do: the scale is in the model.
#[test]
fn bytes_of_few_levels_are_scaled_by_the_largest() {
    for (largest, deskew) in [(1, ""), (15, ""), (16, "--deskew"), (100, "")] {
        let scale = |byte: &mut u8| *byte = ((u32::from(*byte) * largest + 127) / 255) as u8;
        let dir = folder(&changed(|part| part.features.iter_mut().for_each(scale)));
        let flags = format!("--recipe plain --epochs 3 {deskew} --json --quiet --out run");
        let trained = json(dir.path(), &flags);
        assert!(trained["test_accuracy"].as_f64() > Some(0.9), "{largest}: {trained}");
        let network = Mlp::load(dir.path().join("run/model.safetensors")).unwrap();
        let brightest = data_max(dir.path());
        assert_eq!(network.pixel_scale(), 1.0 / f32::from(brightest));
        let found = json(dir.path(), "eval --model run/model.safetensors --json");
        assert_eq!(found["test_errors"], trained["test_errors"]);
    }
    let dir = data::folder();
    succeed(dir.path(), "--recipe plain --epochs 1 --quiet --out run");
    let network = Mlp::load(dir.path().join("run/model.safetensors")).unwrap();
    assert_eq!(network.pixel_scale(), 1.0 / 255.0);
}

fn data_max(dir: &Path) -> u8 {
    let bytes = fs::read(dir.join("data/train-images-idx3-ubyte")).unwrap();
    *bytes[16..].iter().max().unwrap()
}

/// The folder of the data, as people write it.
#[test]
fn paths_are_taken_as_they_are_meant() {
    let dir = data::folder();
    let spaced = dir.path().join("my data/MNIST/raw");
    fs::create_dir_all(spaced.parent().unwrap()).unwrap();
    fs::rename(dir.path().join("data"), &spaced).unwrap();
    for (run, path) in [
        "my data",
        "my data/",
        "./my data/MNIST",
        "my data/MNIST/raw/train-images-idx3-ubyte",
        "my data/MNIST/raw/t10k-labels-idx1-ubyte",
        "~/my data",
        "~/my data/MNIST/raw/",
    ]
    .into_iter()
    .enumerate()
    {
        let mut command = trainer();
        command.current_dir(dir.path()).env("HOME", dir.path());
        command.args(["--epochs", "1", "--quiet", "--out", &format!("run{run}")]);
        let output = command.arg(format!("--data={path}")).output().unwrap();
        assert!(output.status.success(), "{path}: {output:?}");
    }
}

/// Before the training, for after it nothing would be left of it.
#[test]
fn a_feature_that_is_no_number_is_found_in_either_part() {
    for (of, name) in [(0, "training"), (1, "test")] {
        for (value, shown) in [(f32::NAN, "NaN"), (f32::NEG_INFINITY, "-inf")] {
            let mut parts = data::parts(28);
            parts.iter_mut().for_each(|part| floats(part, f32::from));
            parts[of].features[4 * (784 + 5)..][..4].copy_from_slice(&value.to_be_bytes());
            let dir = folder(&parts);
            let output = run_in(dir.path(), "--epochs 1 --out run");
            let error = String::from_utf8(output.stderr).unwrap();
            let of_sample = format!("feature 5 of {name} sample 1 is {shown}");
            assert_eq!(error, format!("error: data: {of_sample}: expected a finite number\n"));
            assert!(!dir.path().join("run").exists());
        }
    }
}

#[test]
fn features_near_0_are_said() {
    let dir = folder(&changed(|part| floats(part, |byte| f32::from(byte) * 1e-12)));
    let error = String::from_utf8(run_in(dir.path(), "--epochs 1 --out run").stderr).unwrap();
    assert!(error.contains("reach 2.5") && error.contains("e-10 only"), "{error}");
}

#[test]
fn a_part_that_was_turned_is_said() {
    for (wide, expected) in [(false, false), (true, true)] {
        let mut parts = data::parts(28);
        strokes(&mut parts[0], false);
        strokes(&mut parts[1], wide);
        let dir = folder(&parts);
        let output = run_in(dir.path(), "--recipe plain --epochs 1 --out run");
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(error.contains("was one part transposed?"), expected, "{error}");
    }
}

/// Two channels of a series are no image of two rows.
#[test]
fn two_rows_are_no_image() {
    let mut parts = data::parts(28);
    for part in &mut parts {
        part.shape = vec![2, 392];
    }
    let dir = folder(&parts);
    let error = String::from_utf8(run_in(dir.path(), "--epochs 1 --out run").stderr).unwrap();
    assert!(error.contains("are no images: augmentation and deskewing are left out"), "{error}");
}
