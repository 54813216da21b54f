//! Small tables that everyone knows, as pandas writes them.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::data::table;
use crate::{json, run_in, succeed};

/// A table as its documentation in scikit-learn describes it.
struct Known {
    name: &'static str,
    rows: usize,
    features: usize,
    /// Rows of each class; none where the target is a number.
    classes: &'static [usize],
    /// The least accuracy, or R², of a good network on rows that it has not seen.
    good: f64,
}

const TABLES: [Known; 5] = [
    Known { name: "iris", rows: 150, features: 4, classes: &[50, 50, 50], good: 0.90 },
    Known { name: "wine", rows: 178, features: 13, classes: &[59, 71, 48], good: 0.94 },
    Known { name: "breast_cancer", rows: 569, features: 30, classes: &[212, 357], good: 0.94 },
    Known {
        name: "digits",
        rows: 1797,
        features: 64,
        classes: &[178, 182, 177, 183, 181, 182, 181, 179, 174, 180],
        good: 0.96,
    },
    Known { name: "diabetes", rows: 442, features: 10, classes: &[], good: 0.3 },
];

/// The last cells of the rows of a table.
fn last_cells(text: &str) -> Vec<&str> {
    text.lines().skip(1).map(|line| line.rsplit(',').next().unwrap()).collect()
}

/// The share of the predictions, of which there is one for each row, that are the target.
fn share_right(dir: &Path, file: &str, targets: &[&str]) -> f64 {
    let predicted = succeed(dir, &format!("predict --model run {file} --csv"));
    let classes: Vec<&str> =
        predicted.lines().skip(1).map(|line| line.split(',').nth(1).unwrap()).collect();
    assert_eq!(classes.len(), targets.len(), "{file}");
    let right = classes.iter().zip(targets).filter(|(class, target)| class == target).count();
    right as f64 / targets.len() as f64
}

#[test]
fn tables_of_scikit_learn_are_learned() {
    for Known { name, rows, features, classes, good } in TABLES {
        let dir = tempfile::tempdir().unwrap();
        let (file, text) = (format!("{name}.csv"), table(&format!("{name}.csv")));
        fs::write(dir.path().join(&file), &text).unwrap();
        let targets = last_cells(&text);
        assert_eq!(targets.len(), rows, "{name}");

        let found = json(dir.path(), &format!("inspect {file} --json"));
        assert_eq!(found["rows"], rows, "{name}");
        assert_eq!(found["columns"].as_array().unwrap().len(), features + 1, "{name}");

        let output = run_in(dir.path(), &format!("{file} --target target --out run --json"));
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains("far from all other"), "{said}");
        let parts = ["train_samples", "test_samples"].map(|key| summary[key].as_u64().unwrap());
        assert_eq!(parts.iter().sum::<u64>(), rows as u64, "{name}");
        let outputs = classes.len().max(1);
        assert_eq!(summary["layers"], serde_json::json!([features, 100, outputs]), "{name}");
        let figure = if classes.is_empty() { "test_r2" } else { "test_accuracy" };
        let reached = summary[figure].as_f64().unwrap();
        assert!(reached >= good, "{name}: {figure} is {reached}");

        let eval = json(dir.path(), &format!("eval --model run {file} --json"));
        if classes.is_empty() {
            assert!(eval["test_r2"].as_f64().unwrap() > reached, "{name}: {eval}");
            continue;
        }
        let of_each: Vec<_> = eval["classes"].as_array().unwrap().iter().collect();
        let samples: Vec<_> =
            of_each.iter().map(|class| class["samples"].as_u64().unwrap() as usize).collect();
        assert_eq!(samples, classes, "{name}");
        let share = share_right(dir.path(), &file, &targets);
        assert!((share - eval["test_accuracy"].as_f64().unwrap()).abs() < 1e-9, "{name}: {share}");
        assert!(share >= good, "{name}: {share}");
    }
}

/// A number that stands for a missing one is said, in a feature and in the target.
#[test]
fn numbers_that_stand_for_something_else() {
    let dir = tempfile::tempdir().unwrap();
    let text = table("diabetes.csv");
    for (column, at, code) in [("bmi", 2, "-9999"), ("target", 10, "99999")] {
        let mut lines = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let mut cells: Vec<_> = line.split(',').collect();
            if number % 40 == 7 {
                cells[at] = code;
            }
            lines.push(cells.join(","));
        }
        fs::write(dir.path().join("t.csv"), lines.join("\n")).unwrap();
        let output =
            run_in(dir.path(), &format!("t.csv --target target --epochs 1 --out {column}"));
        let said = String::from_utf8(output.stderr).unwrap();
        let expected = format!("`{column}` is {code} in 11 rows, far from all other values");
        assert!(said.contains(&expected), "{said}");
    }
}
