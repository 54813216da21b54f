//! `trainer eval`.

use std::fs;

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

#[test]
fn the_data_may_lie_elsewhere() {
    let dir = data::folder();
    succeed(dir.path(), "--epochs 1 --quiet --out run");
    fs::rename(dir.path().join("data"), dir.path().join("mnist")).unwrap();
    let flags = "eval --model run/model.safetensors";
    assert!(!run_in(dir.path(), flags).status.success());
    succeed(dir.path(), &format!("{flags} --data mnist"));
}
