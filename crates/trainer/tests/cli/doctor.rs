//! `trainer doctor`. What it measures is not compared with anything: a test knows no speed.

use std::fs;
use std::path::Path;
use std::process::Output;

use kernels::Isa;
use serde_json::Value;

use crate::{data, json, names, trainer};

/// The checks, in their order.
const CHECKS: [&str; 11] = [
    "cpu",
    "instructions",
    "threads",
    "caches",
    "memory",
    "kernels",
    "peak",
    "matmul",
    "functions",
    "default recipe",
    "data",
];

fn doctor(dir: &Path, isa: &str, flags: &[&str]) -> Output {
    let mut command = trainer();
    command.current_dir(dir).arg("doctor").args(flags).env("KERNELS_ISA", isa);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn what_it_finds_for_a_program() {
    let dir = data::folder();
    let found = json(dir.path(), "doctor --json --threads 1");
    let machine = &found["machine"];
    let known: Vec<_> = Isa::available().into_iter().map(Isa::name).collect();
    assert_eq!(machine["isa_available"], serde_json::json!(known));
    assert_eq!(machine["isa"], known[0]);
    assert_eq!((&machine["threads"], &found["speed"]["threads"]), (&1.into(), &1.into()));
    for key in ["l1_bytes", "l2_bytes", "l3_bytes"] {
        assert!(machine[key].as_u64().unwrap() >= 1024, "{machine}");
    }
    for key in ["peak_gflops_one", "peak_gflops_all", "matmul_gflops_all", "tanh_ns", "exp_ns"] {
        assert!(found["speed"][key].as_f64().unwrap() > 0.0, "{found}");
    }
    assert!(found["default_recipe_seconds"].as_f64().unwrap() > 0.0);

    let checks = found["checks"].as_array().unwrap();
    let order: Vec<_> = checks.iter().map(|check| check["name"].as_str().unwrap()).collect();
    assert_eq!(order, [&CHECKS[..], &["runs"]].concat());
    let check = |name: &str| checks.iter().find(|check| check["name"] == name).unwrap();
    assert_eq!(check("kernels")["mark"], "ok");
    let data = check("data");
    let expected = "data: 300 training samples, 100 test samples of 28 x 28 features; no data \
                    set that is known by its checksum";
    assert_eq!((&data["mark"], &data["text"]), (&"ok".into(), &expected.into()));
    assert!(check("runs")["text"].as_str().unwrap().contains("can be written to"));
    assert_ne!(found["status"], "fail");
    // It has tried to write, and has left nothing.
    assert_eq!(names(dir.path()), ["data"]);
}

#[test]
fn what_it_says_to_people() {
    let dir = tempfile::tempdir().unwrap();
    let output = doctor(dir.path(), "scalar", &[]);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let out = text(&output.stdout);
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    let heads: Vec<_> = out.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(heads.len(), CHECKS.len() + 1, "{out}");
    for (line, name) in heads.iter().zip(CHECKS) {
        let mark = line.split(' ').next().unwrap();
        assert!(["ok", "warn"].contains(&mark) && line[6..].starts_with(name), "{line}");
    }
    if Isa::available().len() > 1 {
        assert!(heads[1].starts_with("warn  instructions   scalar, by KERNELS_ISA"), "{out}");
        assert!(out.contains("unset KERNELS_ISA"), "{out}");
    }
    // Where nobody named data, none is no failure.
    assert!(out.contains("warn  data           there is no folder `data` here"), "{out}");
}

#[test]
fn what_fails() {
    let dir = data::folder();
    let images = dir.path().join("data/train-images-idx3-ubyte");
    let bytes = fs::read(&images).unwrap();
    fs::write(&images, &bytes[..bytes.len() - 10]).unwrap();
    fs::write(dir.path().join("runs"), "").unwrap();
    let output = doctor(dir.path(), "", &["--quiet"]);
    let error = "error: 2 of 12 checks failed (data, runs): what is below each says what to do\n";
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), error));
    let out = text(&output.stdout);
    assert!(out.starts_with("FAIL  data"), "{out}");
    assert!(out.contains("get the files again") && out.contains("\nFAIL  runs"), "{out}");
    assert!(!out.contains("ok  "), "{out}");

    let output = doctor(dir.path(), "", &["--json", "--data", "none"]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &found["status"]), (Some(1), &"fail".into()));
    let check = found["checks"].as_array().unwrap().iter().find(|c| c["name"] == "data").unwrap();
    assert!(check["text"].as_str().unwrap().contains("none"), "{check}");
}
