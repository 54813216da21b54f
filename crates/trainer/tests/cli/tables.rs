//! Tables: training on them, testing, and what is said of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use mnist_io::{Table, TableOptions};
use nn::{Examples, Inputs, Mlp, Preparation, Sequential, Split};
use tempfile::TempDir;

use crate::data::{gzip, table};
use crate::{json, keys, metrics, model, names, run_in, succeed};

/// A folder with the tables `iris.csv` and `diabetes.csv`.
fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in ["iris.csv", "diabetes.csv"] {
        fs::write(dir.path().join(name), table(name)).unwrap();
    }
    dir
}

/// What the program prints on stderr.
fn notes(dir: &Path, flags: &str) -> String {
    let output = run_in(dir, flags);
    assert!(output.status.success(), "{flags}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// The lines of a table without its header, as cells.
fn rows(text: &str) -> Vec<Vec<&str>> {
    text.lines().skip(1).map(|line| line.split(',').collect()).collect()
}

#[test]
fn classes_are_learned_and_tested_on_a_share() {
    let dir = folder();
    let flags = "iris.csv --target target --validation 0.25 --seed 3 --out run --json";
    let summary = json(dir.path(), flags);
    assert_eq!(summary["recipe"], "table");
    assert_eq!(summary["layers"], serde_json::json!([4, 100, 3]));
    for (key, samples) in [("train_samples", 90), ("held_out_samples", 30), ("test_samples", 30)] {
        assert_eq!(summary[key], samples, "{key}");
    }
    assert!(summary["test_accuracy"].as_f64().unwrap() > 0.8, "{summary}");

    // The rows, and what a row becomes, by hand.
    let text = table("iris.csv");
    let rows = rows(&text);
    let species = ["setosa", "versicolor", "virginica"];
    let label = |name: &str| species.iter().position(|known| *known == name).unwrap() as u8;
    let labels: Vec<u8> = rows.iter().map(|row| label(row[4])).collect();
    let network = Mlp::load(dir.path().join("run/model.safetensors")).unwrap();
    assert_eq!(network.class_names().unwrap(), species);
    let split = Split::stratified(&labels, 0.2, 3).unwrap();
    let of_train: Vec<u8> = split.train.iter().map(|row| labels[*row as usize]).collect();
    let inner = Split::stratified(&of_train, 0.25, 3).unwrap();
    let trained: Vec<&Vec<&str>> = inner
        .train
        .iter()
        .map(|position| &rows[split.train[*position as usize] as usize])
        .collect();
    let number = |row: &[&str], column: usize| f64::from(row[column].parse::<f32>().unwrap());
    let mut standards = Vec::new();
    for column in 0..4 {
        let values: Vec<f64> = trained.iter().map(|row| number(row, column)).collect();
        let mean = values.iter().sum::<f64>() / 90.0;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 90.0;
        standards.push((mean, variance.sqrt()));
    }
    let Some(Preparation::Columns(columns)) = network.preparation() else { panic!() };
    assert_eq!(columns.target().unwrap().name, "target");
    let mut features = Vec::new();
    for row in &split.validation {
        for (column, (mean, deviation)) in standards.iter().enumerate() {
            let nn::ColumnKind::Number(standard) = &columns.columns()[column].kind else {
                panic!()
            };
            assert!((standard.mean - mean).abs() < 1e-6, "{standard:?}");
            assert!((standard.deviation - deviation).abs() < 1e-6, "{standard:?}");
            let value = number(&rows[*row as usize], column);
            features.push(((value - standard.mean) / standard.deviation) as f32);
        }
    }
    let tested: Vec<u8> = split.validation.iter().map(|row| labels[*row as usize]).collect();
    let examples = Examples::new(Inputs::new(&features, 4).unwrap(), &tested[..]).unwrap();
    let expected = network.evaluate(&examples, &Sequential).unwrap();
    assert_eq!(summary["test_errors"], expected.errors);
    assert_eq!(summary["test_loss"], expected.loss);
}

#[test]
fn a_run_says_what_it_makes_of_a_table() {
    let dir = folder();
    let text = succeed(dir.path(), "train iris.csv --target target --epochs 2 --out run");
    let first = "recipe table: 4-100-3 (803 parameters), 120 samples, run in run";
    assert_eq!(text.lines().next(), Some(first));
    let settings = fs::read_to_string(dir.path().join("run/config.toml")).unwrap();
    assert!(settings.contains("target = \"target\"\n"), "{settings}");
    assert_eq!(
        notes(dir.path(), "iris.csv --target target --epochs 1 --validation 0.1 --out second"),
        "note: the table has 150 rows; features are 4 columns of numbers\n\
         note: `target` is predicted as 3 classes (setosa, versicolor, virginica): --task says \
         otherwise\n\
         note: 12 of 120 samples are held out, so one sample is 8.3 % of the accuracy: a larger \
         --validation says more\n"
    );
    // The command that the run prints last works.
    succeed(dir.path(), "--config run/config.toml --validation 0.1 --out third");
    let repeat = "--config run/config.toml --quiet --out fourth";
    succeed(dir.path(), repeat);
    assert!(model(&dir.path().join("run")) == model(&dir.path().join("fourth")));
}

#[test]
fn settings_of_images_are_off() {
    let dir = folder();
    let base = "iris.csv --target target --epochs 2 --out";
    let said = notes(dir.path(), &format!("{base} a --shift 2 --deskew --size 8x8 --transpose"));
    for expected in [
        "note: --size and --transpose are for images: they are left out\n",
        "note: samples of 4 features are no images: augmentation and deskewing are left out\n",
    ] {
        assert!(said.contains(expected), "{said}");
    }
    assert!(!notes(dir.path(), &format!("{base} b")).contains("left out"));
    assert!(model(&dir.path().join("a")) == model(&dir.path().join("b")));
    succeed(dir.path(), &format!("{base} c --batch-norm 16 --quiet"));
    assert!(model(&dir.path().join("a")) != model(&dir.path().join("c")));

    let images = crate::data::folder();
    let said = notes(images.path(), "--target x --epochs 1 --hidden 3 --out run");
    assert!(said.contains("note: --target is for tables, and data is none: it is left out\n"));
}

#[test]
fn a_file_to_test_on() {
    let dir = folder();
    let text = table("iris.csv");
    let (mut train, mut test) = (String::new(), String::from("target,d,c,b,a,more\n"));
    train += "a,b,c,d,target\n";
    for (index, row) in rows(&text).iter().enumerate() {
        if index % 3 == 0 {
            let [a, b, c, d, target] = row[..] else { panic!() };
            test += &format!("{target},{d},{c},{b},{a},x\n");
        } else {
            train += &format!("{}\n", row.join(","));
        }
    }
    fs::write(dir.path().join("train.csv"), train).unwrap();
    fs::write(dir.path().join("test.csv"), test).unwrap();
    let flags = "train.csv --test test.csv --target target --epochs 20 --out run --json";
    let summary = json(dir.path(), flags);
    assert_eq!((&summary["train_samples"], &summary["test_samples"]), (&100.into(), &50.into()));
    let found = json(dir.path(), "eval --model run test.csv --json");
    for key in ["test_errors", "test_loss", "test_samples"] {
        assert_eq!(found[key], summary[key], "{key}");
    }
    assert_eq!(found["confusion"].as_array().unwrap().len(), 3);
    let text = succeed(dir.path(), "eval --model run test.csv");
    assert!(text.contains("versicolor") && text.contains("95 % interval"), "{text}");
}

#[test]
fn numbers_are_learned() {
    let dir = folder();
    let flags = "diabetes.csv --target target --epochs 20 --validation 0.2 --out run --json";
    let summary = json(dir.path(), flags);
    assert_eq!(summary["layers"], serde_json::json!([10, 100, 1]));
    let figure = |key: &str| summary[key].as_f64().unwrap();
    assert!(figure("test_r2") > 0.3, "{summary}");
    // In the units of the target, whose standard deviation is 77.
    let (rmse, mae) = (figure("test_rmse"), figure("test_mae"));
    assert!(30.0 < mae && mae < rmse && rmse < 77.0, "{summary}");
    for key in ["train_accuracy", "val_accuracy", "test_accuracy", "test_errors"] {
        assert!(summary[key].is_null(), "{key}");
    }
    for line in metrics(&dir.path().join("run")) {
        let expected = ["epoch", "lr", "seconds", "step", "train_loss", "val_loss"];
        assert_eq!(keys(&line), expected);
    }
    let text = succeed(dir.path(), "train diabetes.csv --target target --epochs 1 --out second");
    assert!(text.contains("\nepoch          lr  train loss  seconds\n"), "{text}");
    assert!(text.contains("\ntest error     ") && !text.contains("acc"), "{text}");

    // Of all rows, by hand.
    let found = json(dir.path(), "eval --model run diabetes.csv --json");
    let lines = succeed(dir.path(), "predict --model run diabetes.csv --csv");
    let text = table("diabetes.csv");
    let (mut squares, mut sizes, mut targets) = (0.0, 0.0, Vec::new());
    for (row, line) in rows(&text).iter().zip(lines.lines().skip(1)) {
        let target: f64 = row[10].parse().unwrap();
        let value: f64 = line.rsplit(',').next().unwrap().parse().unwrap();
        squares += (value - target).powi(2);
        sizes += (value - target).abs();
        targets.push(target);
    }
    let count = targets.len() as f64;
    let mean = targets.iter().sum::<f64>() / count;
    let variance = targets.iter().map(|target| (target - mean).powi(2)).sum::<f64>();
    for (key, expected) in [
        ("test_rmse", (squares / count).sqrt()),
        ("test_mae", sizes / count),
        ("test_r2", 1.0 - squares / variance),
    ] {
        let found = found[key].as_f64().unwrap();
        assert!((found - expected).abs() < 1e-4 * expected, "{key}: {found} {expected}");
    }
    assert!(found.get("test_accuracy").is_none() && found.get("confusion").is_none());
    let text = succeed(dir.path(), "eval --model run diabetes.csv");
    assert!(text.starts_with("test error     ") && text.contains("R2"), "{text}");
}

#[test]
fn early_stopping_watches_the_loss_of_numbers() {
    let dir = folder();
    let flags = "diabetes.csv --target target --epochs 60 --validation 0.2 --patience 3";
    let said = notes(dir.path(), &format!("{flags} --out run"));
    let note = "note: numbers have no accuracy: early stopping watches the loss\n";
    assert!(said.contains(note), "{said}");
    let losses: Vec<f64> = metrics(&dir.path().join("run"))
        .iter()
        .map(|line| line["val_loss"].as_f64().unwrap())
        .collect();
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let kept = losses.iter().position(|loss| *loss == best).unwrap();
    assert_eq!(losses.len(), kept + 1 + 3, "{losses:?}");
    let flags = format!("{flags} --set training.early-stopping.monitor=loss --quiet --out second");
    succeed(dir.path(), &flags);
    assert!(model(&dir.path().join("run")) == model(&dir.path().join("second")));
    let said = notes(dir.path(), "iris.csv --target target --validation 0.2 --patience 3 --out c");
    assert!(!said.contains("watches"), "{said}");
}

/// Numbers of inputs and outputs say what became of the columns.
#[test]
fn what_a_user_says_of_the_columns() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = String::from("x,y,floor,city,answer\n");
    for i in 0..60 {
        let city = ["Oslo", "Rome", "Bonn"][i % 3];
        text += &format!("{},{}.5,{},{city},{}\n", i * 7 % 11, i % 5, i % 4, i % 2);
    }
    fs::write(dir.path().join("t.csv"), &text).unwrap();
    for (index, (flags, inputs, outputs)) in [
        ("", 6, 2),
        ("--task classification", 6, 2),
        ("--task regression", 6, 1),
        ("--ignore city", 3, 2),
        ("--ignore x,city", 2, 2),
        ("--categorical floor", 9, 2),
        ("--weight y", 5, 2),
        ("--target city", 4, 3),
        ("--target y --task classification", 6, 5),
    ]
    .into_iter()
    .enumerate()
    {
        let target = if flags.contains("--target") { "" } else { "--target answer" };
        let flags = format!("t.csv {target} {flags} --epochs 1 --hidden 5 --json --out run{index}");
        let layers = &json(dir.path(), &flags)["layers"];
        assert_eq!(layers, &serde_json::json!([inputs, 5, outputs]), "{flags}");
    }
    let said = notes(dir.path(), "t.csv --target answer --epochs 1 --out said");
    assert!(said.contains("features are 3 columns of numbers and 1 of categories (city)\n"));
}

/// All rows count alike with the same weight, and a row of weight 0 is as if it were not there.
#[test]
fn rows_that_count_more() {
    let dir = tempfile::tempdir().unwrap();
    let table = |name: &str, weight: fn(usize) -> usize| {
        let mut text = String::from("a,b,answer,w\n");
        for i in 0..60 {
            text += &format!("{},{},{},{}\n", i * 7 % 11, i % 5, i % 2, weight(i));
        }
        fs::write(dir.path().join(name), text).unwrap();
    };
    table("ones.csv", |_| 1);
    table("some.csv", |i| i % 3);
    let layer = |flags: &str, out: &str| {
        let base = "--target answer --epochs 3 --hidden 4 --quiet --out";
        succeed(dir.path(), &format!("{flags} {base} {out}"));
        Mlp::load(dir.path().join(out).join("model.safetensors")).unwrap().layer(0).unwrap()
    };
    let plain = layer("ones.csv --ignore w", "plain");
    assert_eq!(layer("ones.csv --weight w", "ones"), plain);
    assert_ne!(layer("some.csv --weight w", "some"), plain);
}

#[test]
fn missing_cells() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = String::from("a,b,city,answer\n");
    for i in 0..60 {
        let a = if i % 10 == 3 { "NA".to_owned() } else { i.to_string() };
        let city = if i % 10 == 4 { "" } else { ["Oslo", "Rome"][i % 2] };
        let answer = if i % 10 == 5 { "?" } else { ["no", "yes"][i % 2] };
        text += &format!("{a},{},{city},{answer}\n", i % 5);
    }
    fs::write(dir.path().join("t.csv"), &text).unwrap();
    let flags = "t.csv --target answer --epochs 1 --out run";
    let said = notes(dir.path(), flags);
    for expected in
        ["2 columns with missing cells: a, city\n", "6 rows without a target are left out\n"]
    {
        assert!(said.contains(expected), "{said}");
    }
    let network = Mlp::load(dir.path().join("run/model.safetensors")).unwrap();
    let Some(Preparation::Columns(columns)) = network.preparation() else { panic!() };
    assert_eq!(
        columns.feature_names(),
        ["a", "a missing", "b", "city=Oslo", "city=Rome", "city missing"]
    );
    let found = json(dir.path(), "eval --model run t.csv --json");
    assert_eq!(found["test_samples"], 54);
    let lines = succeed(dir.path(), "predict --model run t.csv");
    assert_eq!(lines.lines().count(), 60, "rows without an answer too");
}

/// The same table, written in other ways, gives the same network.
#[test]
fn dialects() {
    let dir = folder();
    let text = table("iris.csv");
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write("tabs.tsv", &text.replace(',', "\t"));
    write("bars.csv", &text.replace(',', "|"));
    write("semicolons.csv", &text.replace(',', ";").replace('.', ","));
    write("windows.csv", &text.replace('\n', "\r\n"));
    let headless: String = text.lines().skip(1).map(|line| format!("{line}\n")).collect();
    write("headless.csv", &headless);
    fs::write(dir.path().join("iris.csv.gz"), gzip(text.as_bytes())).unwrap();
    let layer = |flags: &str, out: &str| {
        succeed(dir.path(), &format!("{flags} --epochs 2 --quiet --out {out}"));
        Mlp::load(dir.path().join(out).join("model.safetensors")).unwrap().layer(1).unwrap()
    };
    let plain = layer("iris.csv --target target", "plain");
    for (index, flags) in [
        "tabs.tsv --target target",
        "tabs.tsv --target target --set data.separator=tab",
        "bars.csv --target target",
        "bars.csv --target target --set data.separator=bar",
        "semicolons.csv --target target",
        "windows.csv --target target",
        "iris.csv.gz --target target",
        "iris.csv --target target --set data.header=yes",
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(layer(flags, &index.to_string()), plain, "{flags}");
    }
    let mut command = crate::trainer();
    let flags = ["--set", "data.header=no", "--epochs", "2", "--quiet", "--out", "headless"];
    command.current_dir(dir.path()).args(["headless.csv", "--target", "column 5"]).args(flags);
    command.assert().success();
    let network = Mlp::load(dir.path().join("headless/model.safetensors")).unwrap();
    assert_eq!(network.layer(1).unwrap(), plain);
    let read = Table::parse(headless.as_bytes(), &TableOptions::default()).unwrap();
    assert!(!read.schema().dialect.header);
}

#[test]
fn a_run_continues_with_the_same_bytes() {
    let dir = folder();
    for (file, name) in [("iris.csv", "iris"), ("diabetes.csv", "diabetes")] {
        let base = format!("{file} --target target --validation 0.2 --schedule constant --quiet");
        succeed(dir.path(), &format!("{base} --epochs 6 --out {name}-whole"));
        succeed(dir.path(), &format!("{base} --epochs 2 --out {name}-part"));
        succeed(dir.path(), &format!("--resume {name}-part --epochs 6 --quiet"));
        let [whole, part] = ["whole", "part"].map(|part| dir.path().join(format!("{name}-{part}")));
        assert!(model(&whole) == model(&part), "{name}");
        assert_eq!(names(&whole), names(&part));
    }
    // Other rows are other data.
    let text = table("iris.csv").replace("5.1,3.5,1.4,0.2", "5.2,3.5,1.4,0.2");
    fs::write(dir.path().join("iris.csv"), text).unwrap();
    let output = run_in(dir.path(), "--resume iris-part --epochs 7");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("have the checksum"), "{error}");
}

/// Tables at the edge of what can be learned from train, or say in one line what is wrong.
#[test]
fn tables_at_the_edge() {
    let dir = tempfile::tempdir().unwrap();
    let rows = |head: &str, row: &dyn Fn(usize) -> String| {
        let rows: String = (0..40).map(|i| row(i) + "\n").collect();
        format!("{head}\n{rows}")
    };
    let yes = |i: usize| ["yes", "no"][i % 2];
    for (name, text) in [
        ("constant", rows("a,b,y", &|i| format!("{i},7,{}", yes(i)))),
        ("one-category", rows("a,b,y", &|i| format!("{i},same,{}", yes(i)))),
        ("large", rows("a,b,y", &|i| format!("{i},{},{}", [3e38, -3e38][i % 2], yes(i)))),
        ("tiny", rows("a,b,y", &|i| format!("{i},{}e-45,{}", i % 3, yes(i)))),
        ("empty-column", rows("a,b,y", &|i| format!("{i},,{}", yes(i)))),
        ("one-row-of-a-class", rows("a,b,y", &|i| format!("{i},{},{}", i % 3, yes(i.min(1))))),
        ("large-numbers", rows("a,b,y", &|i| format!("{i},{},{}e36", i % 3, i as f64 + 0.5))),
        (
            "names",
            rows("a,b,y", &|i| {
                format!(
                    "{i},{},{}",
                    i % 3,
                    ["\"a,b\"", "\"say \"\"x\"\"\"", "\"two\nlines\""][i % 3]
                )
            }),
        ),
    ] {
        fs::write(dir.path().join("t.csv"), text).unwrap();
        for (run, flags) in [("plain", ""), ("held", "--validation 0.001")] {
            let out = format!("{name}-{run}");
            let flags = format!("t.csv --target y --epochs 2 --quiet {flags} --out {out}");
            succeed(dir.path(), &flags);
            for command in ["eval", "predict"] {
                let text = succeed(dir.path(), &format!("{command} --model {out} t.csv"));
                assert!(!text.is_empty(), "{name}");
            }
            let lines = succeed(dir.path(), &format!("predict --model {out} t.csv"));
            assert_eq!(lines.lines().count(), 40, "{name}");
            succeed(dir.path(), &format!("inspect {out}"));
        }
    }
    let classes = BTreeSet::from(["a,b", "say \"x\"", "two\nlines"].map(str::to_owned));
    let network = Mlp::load(dir.path().join("names-plain/model.safetensors")).unwrap();
    assert_eq!(BTreeSet::from_iter(network.class_names().unwrap().iter().cloned()), classes);
}
