//! `trainer inspect`: each kind of thing, whole and damaged.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::data::{gzip, idx, parts, pgm, table};
use crate::{json, run_in, succeed};

/// What is said of a path as text, which fits into a terminal, and as JSON.
fn inspect(dir: &Path, path: &str, kind: &str) -> (String, Value) {
    let text = succeed(dir, &format!("inspect {path}"));
    let commands = |line: &&str| !line.starts_with("  ");
    let wide = text.lines().filter(commands).find(|line| line.chars().count() > 80);
    assert_eq!(wide, None, "{path}");
    let found = json(dir, &format!("inspect {path} --json"));
    assert_eq!(found["kind"], kind, "{path}");
    (text, found)
}

/// Fails with this code and one line on stderr.
fn fails(dir: &Path, path: &str) -> String {
    let output = run_in(dir, &format!("inspect {path}"));
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1), "{path}: {error}");
    assert!(output.stdout.is_empty(), "{path}");
    error
}

#[test]
fn a_run_of_images() {
    let dir = crate::data::folder();
    let flags = "--recipe plain --hidden 20,15 --epochs 3 --validation 0.1 --deskew --out run";
    let summary = json(dir.path(), &format!("{flags} --json"));

    let (text, found) = inspect(dir.path(), "run", "run");
    assert_eq!(found["status"], "done");
    assert_eq!(found["summary"]["test_errors"], summary["test_errors"]);
    assert_eq!(found["saved"]["epochs"], 3);
    let changed: Vec<&str> = found["settings"]["changed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["key"].as_str().unwrap())
        .collect();
    let expected = ["data.deskew", "data.validation", "network.hidden", "training.epochs"];
    assert_eq!(changed, expected);
    assert!(text.contains("status         done\n") && text.contains("--config run/config.toml"));
    for file in ["config.toml", "metrics.jsonl", "checkpoint.safetensors", "summary.json"] {
        assert!(text.contains(file), "{text}");
    }

    let (text, found) = inspect(dir.path(), "run/model.safetensors", "model");
    assert_eq!(found["layers"], serde_json::json!([784, 20, 15, 10]));
    assert_eq!(found["weights"][1]["shape"], serde_json::json!([15, 20]));
    assert_eq!(found["preparation"]["image"]["deskew"], true);
    assert!(text.contains("images of 28 x 28 pixels of a byte, divided by 255"), "{text}");
    assert!(text.contains("deskewed") && text.contains("784-20-15-10"), "{text}");

    let (text, found) = inspect(dir.path(), "run/checkpoint.safetensors", "checkpoint");
    assert_eq!((&found["epochs"], &found["of_epochs"]), (&3.into(), &3.into()));
    assert_eq!(found["data"], summary["data"]);
    assert_eq!(found["version"], summary["version"]);
    assert_eq!(found["isa"], summary["isa"]);
    assert!(text.contains("3 of 3 epochs"), "{text}");

    let (text, found) = inspect(dir.path(), "run/config.toml", "settings");
    assert_eq!((&found["recipe"], &found["known_recipe"]), (&"plain".into(), &true.into()));
    assert!(text.contains("network.hidden   [20, 15]"), "{text}");

    let (_, found) = inspect(dir.path(), "run/metrics.jsonl", "json-lines");
    assert_eq!(found["first"]["epoch"], 1);

    // A run that can go on, and one of which only the settings are left.
    fs::write(dir.path().join("run/summary.json"), "{\"status\": \"stopped\"}").unwrap();
    let (text, found) = inspect(dir.path(), "run", "run");
    assert_eq!(found["status"], "stopped");
    assert!(text.contains("to go on with it:\n") && text.contains("--resume run\n"), "{text}");
    for file in ["summary.json", "checkpoint.safetensors", "model.safetensors"] {
        fs::remove_file(dir.path().join("run").join(file)).unwrap();
    }
    let (text, found) = inspect(dir.path(), "run", "run");
    assert_eq!((&found["status"], &found["saved"]), (&"unknown".into(), &Value::Null));
    assert!(text.contains("to repeat it:\n"), "{text}");
}

#[test]
fn weights_that_are_zero() {
    use nn::{Activation, Architecture, Init, Mlp};
    let dir = tempfile::tempdir().unwrap();
    let shape =
        Architecture { inputs: 3, hidden: vec![2], outputs: 2, activation: Activation::Tanh };
    let mut network = Mlp::new(shape, Init::Xavier, 1).unwrap();
    network.set_layer(0, &[0.0, 0.0, 0.0, 1.0, -2.0, 0.0], &[1.0, 1.0]).unwrap();
    network.save(dir.path().join("m")).unwrap();
    let (text, found) = inspect(dir.path(), "m", "model");
    let layer = &found["weights"][0];
    assert_eq!((&layer["min"], &layer["max"]), (&(-2.0).into(), &1.0.into()));
    assert_eq!((&layer["dead_units"], &layer["zeros"]), (&1.into(), &(4.0 / 6.0).into()));
    assert!(text.contains("66.67 %           1\n"), "{text}");
    assert!(text.contains("the file does not say"), "{text}");
}

#[test]
fn a_model_of_a_table() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("iris.csv"), table("iris.csv")).unwrap();
    fs::write(dir.path().join("diabetes.csv"), table("diabetes.csv")).unwrap();
    succeed(dir.path(), "iris.csv --target target --epochs 1 --quiet --out iris");
    let flags = "--target target --epochs 1 --categorical sex --quiet --out diabetes";
    succeed(dir.path(), &format!("diabetes.csv {flags}"));
    let (text, found) = inspect(dir.path(), "iris/model.safetensors", "model");
    assert_eq!((&found["task"], &found["head"]), (&"classification".into(), &"softmax".into()));
    assert_eq!(found["classes"], serde_json::json!(["setosa", "versicolor", "virginica"]));
    assert!(text.contains("rows of 4 columns") && text.contains("sepal length (cm)"), "{text}");
    let (text, found) = inspect(dir.path(), "diabetes/model.safetensors", "model");
    assert_eq!(found["task"], "regression");
    assert!(text.contains("target         target (mean "), "{text}");
    assert!(text.contains("sex     category") && text.contains("1.0, 2.0\n"), "{text}");
    inspect(dir.path(), "diabetes", "run");
    inspect(dir.path(), "diabetes/checkpoint.safetensors", "checkpoint");

    let (text, found) = inspect(dir.path(), "iris.csv", "table");
    assert_eq!((&found["rows"], &found["separator"]), (&150.into(), &",".into()));
    assert_eq!(found["columns"][4]["values"], found["columns"][4]["values"]);
    assert_eq!(found["columns"][0]["max"], 7.9);
    assert_eq!(found["columns"][4]["type"], "category");
    assert_eq!(found["first"][0], serde_json::json!(["5.1", "3.5", "1.4", "0.2", "setosa"]));
    assert!(text.contains("150 rows, 5 columns"), "{text}");
    // Each column has its first cells.
    let cells = "petal width (cm)   0.2     0.2     0.2     0.2     0.2\n\
                 target             setosa  setosa  setosa  setosa  setosa\n";
    assert!(text.contains("row 1   row 2") && text.ends_with(cells), "{text}");
    fs::write(dir.path().join("odd.tsv"), "a\tb\tc\n1,5\tx\t\n\ty\t2\n").unwrap();
    let (text, found) = inspect(dir.path(), "odd.tsv", "table");
    assert_eq!((&found["decimal_comma"], &found["separator"]), (&true.into(), &"\t".into()));
    assert_eq!(found["first"][1], serde_json::json!([null, "y", "2"]));
    assert!(text.contains("tabs between cells, a header, decimal commas"), "{text}");
    fs::write(dir.path().join("iris.csv.gz"), gzip(table("iris.csv").as_bytes())).unwrap();
    inspect(dir.path(), "iris.csv.gz", "table");
}

#[test]
fn data() {
    let dir = crate::data::folder();
    let (text, found) = inspect(dir.path(), "data", "data");
    assert_eq!((&found["format"], &found["parts"][0]["samples"]), (&"IDX".into(), &300.into()));
    assert_eq!(found["parts"][1]["classes"][9]["samples"], 10);
    assert!(text.contains("train          300 samples of 28 x 28 bytes in 10 classes"), "{text}");
    assert!(text.contains('█'), "{text}");

    let (text, found) = inspect(dir.path(), "data/t10k-images-idx3-ubyte", "idx");
    assert_eq!((&found["type"], &found["dims"]), (&"u8".into(), &serde_json::json!([100, 28, 28])));
    assert_eq!((&found["min"], &found["max"]), (&0.0.into(), &255.0.into()));
    assert!(text.contains("100 x 28 x 28 of type u8") && text.contains('█'), "{text}");
    let (text, found) = inspect(dir.path(), "data/t10k-labels-idx1-ubyte", "idx");
    assert_eq!(found["labels"][3], serde_json::json!({"label": 3, "samples": 10}));
    assert!(text.contains("    3       10\n"), "{text}");
    let values = [1.5_f32, f32::NAN, -2.0].map(f32::to_be_bytes).concat();
    fs::write(dir.path().join("real"), idx(13, &[3], &values)).unwrap();
    let (_, found) = inspect(dir.path(), "real", "idx");
    assert_eq!((&found["min"], &found["not_finite"]), (&(-2.0).into(), &1.into()));
    fs::write(dir.path().join("none"), idx(8, &[0], &[])).unwrap();
    let (_, found) = inspect(dir.path(), "none", "idx");
    assert!(found["min"].is_null());

    let [train, _] = parts(28);
    let image = &train.features[..784];
    for name in ["a/1.pgm", "a/2.pgm", "b/3.pgm"] {
        let path = dir.path().join("pictures").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, pgm(28, image)).unwrap();
    }
    let (text, found) = inspect(dir.path(), "pictures", "data");
    assert_eq!(found["parts"].as_array().unwrap().len(), 1);
    assert_eq!(found["parts"][0]["classes"][0], serde_json::json!({"class": "a", "samples": 2}));
    assert!(text.contains("test           none"), "{text}");
    let (_, found) = inspect(dir.path(), "pictures/a", "pictures");
    assert_eq!(found["pictures"], 2);
    let (text, found) = inspect(dir.path(), "pictures/a/1.pgm", "picture");
    assert_eq!((&found["format"], &found["rows"]), (&"PGM".into(), &28.into()));
    assert_eq!(found["digit"].as_array().unwrap().len(), 784);
    assert!(text.contains("28 x 28 pixels"), "{text}");
    fs::write(dir.path().join("blank.pgm"), pgm(28, &[200; 784])).unwrap();
    let (text, found) = inspect(dir.path(), "blank.pgm", "picture");
    assert!(found["digit"].is_null() && text.contains("digit          "), "{text}");
}

/// Whatever is cut off, there is an error in one line, or what is left is shown.
#[test]
fn damaged_files() {
    let dir = crate::data::folder();
    succeed(dir.path(), "--hidden 3 --epochs 1 --quiet --out run");
    fs::write(dir.path().join("a.pgm"), pgm(28, &[9; 784])).unwrap();
    fs::write(dir.path().join("a.csv"), table("iris.csv")).unwrap();
    for name in [
        "run/model.safetensors",
        "run/checkpoint.safetensors",
        "data/t10k-images-idx3-ubyte",
        "a.pgm",
    ] {
        let bytes = fs::read(dir.path().join(name)).unwrap();
        for len in [0, 1, 4, 8, 9, 12, 100, bytes.len() / 2, bytes.len() - 1] {
            fs::write(dir.path().join("cut"), &bytes[..len.min(bytes.len() - 1)]).unwrap();
            fails(dir.path(), "cut");
        }
    }
    let table = table("iris.csv");
    fs::write(dir.path().join("cut.csv"), &table[..table.len() - 13]).unwrap();
    let error = fails(dir.path(), "cut.csv");
    assert!(error.contains("line 151"), "{error}");

    // A run with damaged files is shown, with what is wrong.
    for file in ["config.toml", "summary.json", "checkpoint.safetensors"] {
        fs::write(dir.path().join("run").join(file), "{").unwrap();
    }
    let (text, found) = inspect(dir.path(), "run", "run");
    assert_eq!(found["damaged"].as_array().unwrap().len(), 3);
    assert_eq!(text.matches("\ndamaged ").count(), 3, "{text}");
}

#[test]
fn what_is_nothing_of_this() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("empty")).unwrap();
    for (name, bytes, expected) in [
        ("a.zip", &b"PK\x03\x04abc"[..], "a.zip: found a zip archive, expected a model, "),
        ("page.csv", b"<!doctype html><html></html>", "page.csv: found a web page, expected "),
        ("a.json", b"{\n  \"a\": 1\n}\n", "a.json: expected a JSON object in its first line: "),
        ("a.md", b"# Title\n\nSome, text.\nMore, of, it.\n", "a.md: found text, expected "),
        ("nothing", b"", "nothing: found an empty file, expected "),
        ("bytes", &[7, 1, 255, 0, 3, 200], "bytes: found a file in no known format, expected "),
    ] {
        fs::write(dir.path().join(name), bytes).unwrap();
        let error = fails(dir.path(), name);
        assert!(error.starts_with(&format!("error: {expected}")), "{error}");
    }
    // Settings that are wrong have the code of such.
    fs::write(dir.path().join("mine.toml"), "[package]\nname = 1\n").unwrap();
    let output = run_in(dir.path(), "inspect mine.toml");
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stderr.starts_with(b"error: mine.toml, line 1: there is no key `package`"));
    assert!(fails(dir.path(), "none").starts_with("error: cannot read none: "));
    assert!(fails(dir.path(), "empty").starts_with("error: empty: found "));
    #[cfg(unix)]
    assert!(fails(dir.path(), "/dev/zero").starts_with("error: /dev/zero: found a device, "));
}

/// The keys of an object and of those in it, with a point before each that is in another.
fn flat(prefix: &str, value: &Value, keys: &mut BTreeSet<String>) {
    // These are described elsewhere, or come from the data.
    const OPAQUE: [&str; 5] = ["summary", "preparation", "data", "first", "settings"];
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let key = format!("{prefix}{key}");
                if !OPAQUE.contains(&&*key) {
                    flat(&format!("{key}."), value, keys);
                }
                keys.insert(key);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| flat(prefix, value, keys)),
        _ => (),
    }
}

/// The words in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// docs/formats.md has the keys that are printed, and no others.
#[test]
fn the_keys_are_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/formats.md");
    let text = fs::read_to_string(path).unwrap();
    let section = text.split("## What `inspect` prints").nth(1).unwrap().split("\n## ").next();
    let row = |line: &str| -> Option<(String, BTreeSet<String>)> {
        let (kind, keys) = line.strip_prefix("| `")?.split_once("` | ")?;
        Some((kind.to_owned(), quoted(keys).map(str::to_owned).collect()))
    };
    let mut documented: BTreeMap<_, _> = section.unwrap().lines().filter_map(row).collect();
    assert!(documented.remove("kind").is_some_and(|keys| keys.is_empty()));
    let of_model = documented["model"].clone();
    documented.get_mut("checkpoint").unwrap().extend(of_model);

    let dir = crate::data::folder();
    succeed(dir.path(), "--recipe plain --hidden 5 --epochs 1 --quiet --out run");
    fs::write(dir.path().join("t.csv"), "a,b,y\n1,x,no\n2,z,yes\n3,x,no\n4,x,yes\n5,z,no\n")
        .unwrap();
    succeed(dir.path(), "t.csv --target y --epochs 1 --quiet --out table");
    fs::write(dir.path().join("lines.jsonl"), "{\"a\": 1}\n").unwrap();
    fs::create_dir(dir.path().join("pictures")).unwrap();
    fs::write(dir.path().join("pictures/a.pgm"), pgm(28, &parts(28)[1].features[..784])).unwrap();
    fs::write(dir.path().join("empty.pgm"), pgm(28, &[0; 784])).unwrap();
    let mut printed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in [
        "run",
        "run/model.safetensors",
        "run/checkpoint.safetensors",
        "run/config.toml",
        "table/model.safetensors",
        "table/checkpoint.safetensors",
        "data",
        "data/train-labels-idx1-ubyte",
        "pictures",
        "pictures/a.pgm",
        "empty.pgm",
        "t.csv",
        "lines.jsonl",
    ] {
        let mut found = json(dir.path(), &format!("inspect {path} --json"));
        let kind = found.as_object_mut().unwrap().remove("kind").unwrap();
        flat("", &found, printed.entry(kind.as_str().unwrap().to_owned()).or_default());
    }
    assert_eq!(printed, documented);
}

/// A session that a program saved has no run and no settings.
#[test]
fn a_session_that_was_saved_by_itself() {
    use nn::{Activation, Architecture, Examples, Fit, Init, Inputs, Mlp, Sequential, Session};
    let dir = tempfile::tempdir().unwrap();
    let (hidden, activation) = (vec![3], Activation::Tanh);
    let shape = Architecture { inputs: 2, hidden, outputs: 2, activation };
    let network = Mlp::new(shape, Init::Xavier, 1).unwrap();
    let mut session = Session::new(network, &Fit::default()).unwrap();
    let examples = Examples::new(Inputs::new(&[0.0, 1.0], 2).unwrap(), &[1u8]).unwrap();
    session.step(&examples, 0.5, &Sequential).unwrap();
    session.save(dir.path().join("session.safetensors")).unwrap();
    let (text, found) = inspect(dir.path(), "session.safetensors", "checkpoint");
    assert!(text.contains("1 steps of a session without a run"), "{text}");
    assert_eq!((&found["step"], &found["epochs"]), (&1.into(), &Value::Null));
    assert_eq!(found["layers"], serde_json::json!([2, 3, 2]));
}

#[test]
fn what_was_exported() {
    let dir = crate::data::folder();
    succeed(dir.path(), "--recipe plain --hidden 3 --epochs 1 --quiet --out run");
    let flags = "--onnx a.onnx --npz a.npz --pytorch a.safetensors --c a.c --rust a.rs";
    succeed(dir.path(), &format!("export --model run {flags}"));
    for (path, what) in [
        ("a.onnx", "an ONNX model"),
        ("a.npz", "arrays of NumPy"),
        ("a.safetensors", "tensors that are no network of this program"),
        ("a.c", "source code"),
        ("a.rs", "source code"),
    ] {
        let error = fails(dir.path(), path);
        assert!(error.starts_with(&format!("error: {path}: found {what}")), "{error}");
        assert!(error.ends_with("; look at the model that it was made of\n"), "{error}");
    }
}
