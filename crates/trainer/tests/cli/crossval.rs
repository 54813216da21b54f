//! `trainer crossval`.

use std::fs;

use mnist_io::{Table, TableOptions};
use nn::{Examples, Fit, Inputs, Mlp, Sequential, Split};
use serde_json::Value;

use crate::{data, json, names, run_in, succeed};

/// A result without what is measured.
pub(crate) fn figures(mut result: Value) -> Value {
    for key in ["total_seconds", "threads"] {
        assert!(result.as_object_mut().unwrap().remove(key).is_some(), "no {key}");
    }
    for fold in result["folds"].as_array_mut().unwrap() {
        assert!(fold.as_object_mut().unwrap().remove("seconds").is_some());
    }
    result
}

/// Each fold is trained as by hand, from a standard of its own rows.
#[test]
fn folds_of_a_table_are_trained_as_by_hand() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("iris.csv");
    fs::write(&path, data::table("iris.csv")).unwrap();
    let flags = "iris.csv --target target --epochs 5 --hidden 6 --seed 3 --dropout 0";
    let result = json(dir.path(), &format!("crossval {flags} --folds 4 --json --quiet"));
    assert_eq!(names(dir.path()), ["iris.csv"], "nothing is written");

    // What the recipe is for a run of the same settings.
    succeed(dir.path(), &format!("{flags} --quiet --out run"));
    let settings = fs::read_to_string(dir.path().join("run/config.toml")).unwrap();
    let settings: toml::Table = toml::from_str(&settings).unwrap();
    let fit: Fit = settings["training"].clone().try_into().unwrap();
    let shape = Mlp::load(dir.path().join("run/model.safetensors")).unwrap().architecture().clone();

    let table = Table::read(&path, &TableOptions::default()).unwrap();
    let cells: Vec<&[f32]> = table.cells().chunks(5).collect();
    let labels: Vec<u8> = cells.iter().map(|row| row[4] as u8).collect();
    let tested = Split::stratified(&labels, 0.2, 3).unwrap();
    let rows: Vec<&[f32]> = tested.train.iter().map(|row| cells[*row as usize]).collect();
    let labels: Vec<u8> = rows.iter().map(|row| row[4] as u8).collect();
    let folds = Split::stratified_k_fold(&labels, 4, 3).unwrap();
    let mut accuracies = Vec::new();
    for (fold, split) in folds.iter().enumerate() {
        let mut features = vec![0.0; 4 * rows.len()];
        for column in 0..4 {
            let values = split.train.iter().map(|row| f64::from(rows[*row as usize][column]));
            let mean = values.clone().sum::<f64>() / split.train.len() as f64;
            let squares = values.map(|value| (value - mean).powi(2)).sum::<f64>();
            let deviation = (squares / split.train.len() as f64).sqrt();
            for (row, cells) in rows.iter().enumerate() {
                features[4 * row + column] = ((f64::from(cells[column]) - mean) / deviation) as f32;
            }
        }
        let all = Examples::new(Inputs::new(&features, 4).unwrap(), &labels).unwrap();
        let train = all.subset(&split.train).unwrap();
        let init = nn::Init::He;
        let mut network = Mlp::new(shape.clone(), init, fit.seed).unwrap();
        fit.train(&mut network, &train, None, &Sequential).unwrap();
        let held_out = all.subset(&split.validation).unwrap();
        let expected = network.evaluate(&held_out, &Sequential).unwrap();
        let found = &result["folds"][fold];
        assert_eq!(found["val_samples"], split.validation.len());
        assert_eq!(found["val_accuracy"], expected.accuracy);
        let loss = found["val_loss"].as_f64().unwrap();
        assert!((loss - expected.loss).abs() < 1e-5, "{loss}, {}", expected.loss);
        accuracies.push(expected.accuracy);
    }
    let mean = accuracies.iter().sum::<f64>() / 4.0;
    let squares: f64 = accuracies.iter().map(|accuracy| (accuracy - mean).powi(2)).sum();
    let found = &result["val_accuracy"];
    assert!((found["mean"].as_f64().unwrap() - mean).abs() < 1e-12, "{found}");
    assert!((found["deviation"].as_f64().unwrap() - (squares / 3.0).sqrt()).abs() < 1e-12);
}

#[test]
fn the_result_is_the_same_for_any_number_of_threads_and_any_output() {
    let dir = data::folder();
    let flags = "crossval --hidden 8 --epochs 2 --folds 3 --recipe plain --deskew";
    let one = figures(json(dir.path(), &format!("{flags} --json --threads 1")));
    for threads in [2, 3, 4] {
        let many = json(dir.path(), &format!("{flags} --json --threads {threads}"));
        assert_eq!(figures(many), one, "{threads}");
    }
    let csv = succeed(dir.path(), &format!("{flags} --csv --quiet"));
    let lines: Vec<_> = csv.lines().collect();
    let head = "fold,status,epochs,kept_epoch,train_loss,val_loss,val_accuracy,val_samples,seconds";
    assert_eq!((lines[0], lines.len()), (head, 4));
    for (fold, line) in lines[1..].iter().enumerate() {
        let cells: Vec<_> = line.split(',').collect();
        let of = |key: &str| one["folds"][fold][key].as_f64().unwrap();
        assert_eq!(cells[0], (fold + 1).to_string());
        assert_eq!(cells[5].parse::<f64>().unwrap(), of("val_loss"));
        assert_eq!(cells[6].parse::<f64>().unwrap(), of("val_accuracy"));
    }
    let output = run_in(dir.path(), flags);
    let (text, words) = (output.stdout, String::from_utf8(output.stderr).unwrap());
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.lines().count(), 5, "a head, three folds and the mean: {text}");
    assert!(text.lines().last().unwrap().starts_with("mean "), "{text}");
    assert!(
        words.contains("300 samples in 3 folds; the test samples are not looked at"),
        "{words}"
    );
    assert!(succeed(dir.path(), &format!("{flags} --quiet")).is_empty());
}

#[test]
fn numbers_have_an_error_in_their_unit() {
    let dir = tempfile::tempdir().unwrap();
    let row = |i: u32| format!("{},{}\n", i % 17, 1000 * (i % 17) + i % 3);
    let text: String = (0..200).map(row).collect();
    fs::write(dir.path().join("t.csv"), format!("x,y\n{text}")).unwrap();
    let flags = "crossval t.csv --target y --task regression --epochs 40 --json --quiet";
    let result = json(dir.path(), flags);
    assert!(result.get("val_accuracy").is_none(), "{result}");
    let rmse = result["val_rmse"]["mean"].as_f64().unwrap();
    // The deviation of y is 4900.
    assert!((10.0..2000.0).contains(&rmse), "{rmse}");
}

#[test]
fn a_fold_that_diverges_is_a_row_and_the_command_fails() {
    let dir = data::folder();
    let flags = "crossval --recipe article --activation relu --lr 1e30 --l2 0 --folds 2 --epochs 2";
    let output = run_in(dir.path(), flags);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let (text, words) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(text.matches("diverged").count(), 2, "{text}");
    let error = "error: training diverged in 2 of 2 folds: try a smaller learning rate";
    assert!(words.lines().last().unwrap().starts_with(error), "{words}");
}

/// What the test part has changes nothing.
#[test]
fn test_samples_are_not_looked_at() {
    let dir = data::folder();
    let flags = "crossval --hidden 8 --epochs 2 --folds 2 --json --quiet --threads 1";
    let expected = figures(json(dir.path(), flags));
    let labels = dir.path().join("data/t10k-labels-idx1-ubyte");
    let images = dir.path().join("data/t10k-images-idx3-ubyte");
    let (mut label_bytes, mut image_bytes) =
        (fs::read(&labels).unwrap(), fs::read(&images).unwrap());
    label_bytes[8..].fill(77);
    image_bytes[16..].reverse();
    fs::write(&labels, label_bytes).unwrap();
    fs::write(&images, image_bytes).unwrap();
    assert_eq!(figures(json(dir.path(), flags)), expected);

    // Rows of a table that are tested on, far from where they were.
    let dir = tempfile::tempdir().unwrap();
    let text = data::table("iris.csv");
    fs::write(dir.path().join("iris.csv"), &text).unwrap();
    let flags = "crossval iris.csv --target target --epochs 2 --folds 2 --json --quiet";
    let expected = figures(json(dir.path(), flags));
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let species = ["setosa", "versicolor", "virginica"];
    let label = |line: &String| species.iter().position(|name| line.ends_with(name)).unwrap() as u8;
    let labels: Vec<u8> = lines[1..].iter().map(label).collect();
    for row in Split::stratified(&labels, 0.2, 1).unwrap().validation {
        let name = species[usize::from(labels[row as usize])];
        lines[1 + row as usize] = format!("1000,-1000,1000,-1000,{name}");
    }
    fs::write(dir.path().join("iris.csv"), lines.join("\n") + "\n").unwrap();
    assert_eq!(figures(json(dir.path(), flags)), expected);
    // A table of their own is not even opened.
    fs::write(dir.path().join("test.csv"), "nonsense").unwrap();
    let flags = "crossval iris.csv --target target --epochs 2 --folds 2 --json --quiet";
    json(dir.path(), &format!("{flags} --test test.csv"));
}
