//! `trainer eval`.

use std::fs;

use nn::Mlp;

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
    assert_eq!(text.lines().count(), 1);
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
    assert_eq!(network.preparation(), Some("deskew"));
    network.set_preparation(None);
    network.save(&path).unwrap();
    let raw = json(dir.path(), &format!("{eval} --json"));
    assert_ne!(raw["test_loss"], found["test_loss"]);

    network.set_preparation(Some("wash".into()));
    network.save(&path).unwrap();
    let output = run_in(dir.path(), eval);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    let expected = "run/model.safetensors takes images after `wash`: expected `deskew`, or nothing";
    assert!(error.contains(expected), "{error}");
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
