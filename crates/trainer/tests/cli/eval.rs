//! `trainer eval`.

use std::fs;

use kernels::Isa;
use mnist_io::{Dataset, Distortion, Key, Part, Warp};
use nn::{Examples, Inputs, Mlp, Preparation, Sequential, Split};
use serde_json::Value;

use crate::{data, json, keys, run_in, succeed};

#[test]
fn the_test_figure_is_repeated() {
    let dir = data::folder();
    // Little training, so that there are errors to count again.
    let trained = json(dir.path(), "--epochs 1 --lr 0.005 --json --out run");
    for threads in [1, 3] {
        let flags = format!("eval --model run/model.safetensors --threads {threads} --json");
        let found = json(dir.path(), &flags);
        assert_eq!(found["test_accuracy"], trained["test_accuracy"]);
        assert_eq!(found["test_errors"], trained["test_errors"]);
        assert_eq!(found["layers"], trained["layers"]);
        assert_eq!(found["threads"], threads);
        assert!(keys(&found).contains(&"test_loss"));
    }

    let errors = format!("({} of 100 wrong)", trained["test_errors"]);
    let text = succeed(dir.path(), "eval --model run/model.safetensors");
    assert!(text.starts_with("test accuracy") && text.contains(&errors), "{text}");
    for word in ["95 % interval", "precision", "true classes down", "most confident mistakes"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

/// A network of deskewed images is given such images, held out and tested, and when it
/// is tested again.
#[test]
fn a_model_remembers_that_images_were_deskewed() {
    let dir = data::folder();
    let flags = "--epochs 1 --lr 0.005 --validation 0.2 --json --deskew --out run";
    let trained = json(dir.path(), flags);
    let path = dir.path().join("run/model.safetensors");
    let eval = "eval --model run/model.safetensors";
    let found = json(dir.path(), &format!("{eval} --json"));
    assert_eq!(found["test_errors"], trained["test_errors"]);

    // It would be another figure otherwise.
    let mut network = Mlp::load(&path).unwrap();
    let Some(Preparation::Image(form)) = network.preparation() else { panic!() };
    assert!(form.deskew && (form.rows, form.cols) == (28, 28));
    network.set_preparation(None).unwrap();
    network.save(&path).unwrap();
    let raw = json(dir.path(), &format!("{eval} --json"));
    assert_ne!(raw["test_loss"], found["test_loss"]);

    network.set_preparation(Some(Preparation::Named("wash".into()))).unwrap();
    network.save(&path).unwrap();
    let output = run_in(dir.path(), eval);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    let expected = "run/model.safetensors takes images after `wash`: expected `deskew`, or nothing";
    assert!(error.contains(expected), "{error}");
}

/// What is said of the held-out samples is what the model says of them, deskewed or not.
#[test]
fn held_out_images_are_those_of_the_split_as_the_model_takes_them() {
    let dir = data::folder();
    let set = Dataset::read_dir(dir.path().join("data"), Part::Train).unwrap();
    let split = Split::stratified(set.labels(), 0.2, 1).unwrap();
    let isa = Isa::active().unwrap();
    let warp = Warp::new(Distortion::default(), set.rows(), set.cols()).unwrap().deskewed();
    for (run, flag) in [("raw", ""), ("deskewed", "--deskew")] {
        let flags = format!("--epochs 1 --lr 0.005 --validation 0.2 --seed 1 {flag} --out {run}");
        succeed(dir.path(), &flags);
        let path = dir.path().join(run);
        let network = Mlp::load(path.join("model.safetensors")).unwrap();
        let mut pixels = Vec::new();
        for position in &split.validation {
            let first = *position as usize * set.features();
            let image = &set.images()[first..first + set.features()];
            let mut image: Vec<f32> = image.iter().map(|byte| f32::from(*byte)).collect();
            if !flag.is_empty() {
                warp.apply(isa, Key::default(), &mut image);
            }
            pixels.extend(image.into_iter().map(|pixel| (pixel + 0.5) as u8));
        }
        let labels: Vec<u8> =
            split.validation.iter().map(|position| set.labels()[*position as usize]).collect();
        let inputs = Inputs::pixels(&pixels, set.features()).unwrap();
        let examples = Examples::new(inputs, &labels[..]).unwrap();
        let expected = network.evaluate(&examples, &Sequential).unwrap();

        let metrics = fs::read_to_string(path.join("metrics.jsonl")).unwrap();
        let last: Value = serde_json::from_str(metrics.lines().last().unwrap()).unwrap();
        assert_eq!(last["val_loss"], expected.loss, "{flag}");
        assert_eq!(last["val_accuracy"], expected.accuracy, "{flag}");
    }
}

#[test]
fn the_data_may_lie_elsewhere() {
    let dir = data::folder();
    succeed(dir.path(), "--epochs 1 --quiet --out run");
    fs::rename(dir.path().join("data"), dir.path().join("mnist")).unwrap();
    let flags = "eval --model run/model.safetensors";
    assert!(!run_in(dir.path(), flags).status.success());
    succeed(dir.path(), &format!("{flags} --data mnist"));
}

/// The model of a run that has not ended is tested, and is not taken for its result.
#[test]
fn the_model_of_a_run_that_is_not_done() {
    let dir = data::folder();
    succeed(dir.path(), "--hidden 12 --epochs 2 --quiet --out run");
    let file = dir.path().join("run/summary.json");
    let whole: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let note = || String::from_utf8(run_in(dir.path(), "eval --model run").stderr).unwrap();
    assert_eq!(note(), "");
    for (status, epoch, said) in
        [("stopped", Value::from(1), ", that of epoch 1"), ("running", Value::Null, "")]
    {
        let mut summary = whole.clone();
        (summary["status"], summary["kept_epoch"]) = (status.into(), epoch);
        fs::write(&file, summary.to_string()).unwrap();
        assert_eq!(
            note(),
            format!(
                "note: the run in run is not done, its status is `{status}`: this is the model \
                 that it has so far{said}\n"
            )
        );
    }
    // Of a file it is not known which run it is of, and a run may have no summary.
    assert_eq!(run_in(dir.path(), "eval --model run/model.safetensors").stderr, b"");
    for text in ["", "{}", "[1]"] {
        fs::write(&file, text).unwrap();
        assert_eq!(note(), "", "{text}");
    }
}

/// A run is named by its directory, and classes that have other names are no mistake of
/// the network.
#[test]
fn the_model_of_a_run_knows_its_classes() {
    let dir = data::folder();
    let names = |letters: &str| letters.chars().map(|name| format!("{name}\n")).collect::<String>();
    let path = dir.path().join("data/classes.txt");
    fs::write(&path, names("abcdefghij")).unwrap();
    let trained = json(dir.path(), "--recipe plain --epochs 1 --json --out run");
    let error = |flags| String::from_utf8(run_in(dir.path(), flags).stderr).unwrap();
    assert_eq!(error("eval --model run"), "");
    fs::write(&path, names("abxdefghij")).unwrap();
    assert_eq!(
        error("eval --model run"),
        "note: the classes of data/classes.txt are not those of the model: class 2 is `x` there, \
         `c` in the model\n"
    );
    let found = json(dir.path(), "eval --model run --json");
    for key in ["test_errors", "test_samples"] {
        assert_eq!(found[key], trained[key]);
    }
}

/// One pass gives the figures of `Mlp::evaluate`, to the last bit, on any number of threads.
#[test]
fn the_figures_are_those_of_the_network() {
    let dir = data::folder();
    succeed(dir.path(), "--hidden 20 --epochs 1 --lr 0.005 --quiet --out run");
    let network = Mlp::load(dir.path().join("run/model.safetensors")).unwrap();
    let set = Dataset::read_dir(dir.path().join("data"), Part::Test).unwrap();
    let inputs = Inputs::pixels(set.images(), 784).unwrap();
    let examples = Examples::new(inputs, set.labels()).unwrap();
    let expected = network.evaluate(&examples, &Sequential).unwrap();
    let probabilities = network.predict_proba(&inputs).unwrap();
    let predictions = nn::Predictions::new(&probabilities, 10, set.labels()).unwrap();
    for threads in [1, 2, 5] {
        let found = json(dir.path(), &format!("eval --model run --threads {threads} --json"));
        assert_eq!(found["test_loss"].as_f64(), Some(expected.loss));
        assert_eq!(found["test_accuracy"].as_f64(), Some(expected.accuracy));
        assert_eq!(found["test_errors"], expected.errors);
        let calibration = predictions.calibration_error(15).unwrap();
        assert_eq!(found["calibration_error"].as_f64(), Some(calibration));
        for (mistake, line) in
            predictions.mistakes().iter().zip(found["mistakes"].as_array().unwrap())
        {
            assert_eq!(line["sample"], mistake.sample);
            assert_eq!(line["probability"].as_f64().unwrap() as f32, mistake.probability);
        }
    }
}

#[test]
fn data_without_answers_or_with_others() {
    let dir = data::folder();
    let path = dir.path();
    succeed(path, "--hidden 5 --epochs 1 --quiet --out run");
    fs::write(path.join("t.csv"), "a,y\n1,no\n2,yes\n3,no\n4,yes\n5,no\n6,yes\n").unwrap();
    succeed(path, "t.csv --target y --epochs 1 --quiet --out table");
    fs::write(path.join("rows.csv"), "a\n1\n").unwrap();
    fs::write(path.join("empty.csv"), "a,y\n1,\n").unwrap();
    fs::write(path.join("a.pgm"), data::pgm(28, &[0; 784])).unwrap();
    fs::create_dir_all(path.join("pictures")).unwrap();
    fs::copy(path.join("a.pgm"), path.join("pictures/a.pgm")).unwrap();
    data::write(&path.join("images"), 28);
    fs::remove_file(path.join("images/t10k-labels-idx1-ubyte")).unwrap();
    fs::remove_file(path.join("images/train-labels-idx1-ubyte")).unwrap();
    for (flags, start) in [
        ("table rows.csv", "rows.csv: line 1: found no column `y`"),
        ("table empty.csv", "empty.csv: no row has a value in the target `y`"),
        ("run a.pgm", "a.pgm: found "),
        ("run pictures", "pictures: found "),
        ("run images", "images: found no file t10k-labels-idx1-ubyte"),
    ] {
        let output = run_in(path, &format!("eval --model {flags}"));
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1), "{error}");
        assert!(error.starts_with(&format!("error: {start}")), "{error}");
        assert!(error.contains("; these data have no answers to compare with: "), "{error}");
    }
    // A column of the features is missing too.
    fs::write(path.join("other.csv"), "b\n1\n").unwrap();
    let output = run_in(path, "eval --model table other.csv");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && !error.contains("no answers"), "{error}");

    // A label that the network does not know: the file is named.
    let labels = data::idx(8, &[100], &[77; 100]);
    fs::write(path.join("data/t10k-labels-idx1-ubyte"), labels).unwrap();
    let output = run_in(path, "eval --model run data");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.starts_with("error: data: sample 0 has label 77: "), "{error}");
}
