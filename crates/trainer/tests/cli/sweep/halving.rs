//! Successive halving.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{folder, log};
use crate::{json, metrics, names, succeed};

pub(super) const HALVING: &str = "[sweep]
method = \"halving\"
validation = 0.25
trials = 7
eta = 2
[base]
recipe = \"article\"
training.epochs = 6
network.hidden = [8]
[space]
training.lr = { from = 0.00003, to = 0.3, scale = \"log\" }
training.optimizer.momentum = [0.0, 0.9]
";

/// The best go on by a plain sort of what was written down, and what they come to is what a
/// run comes to that is trained straight through.
#[test]
fn the_best_go_on_from_where_they_were() {
    let dir = folder(HALVING);
    let result = json(dir.path(), "sweep --config sweep.toml --out tuned --json --quiet");
    let mut rungs: BTreeMap<u64, Vec<Value>> = BTreeMap::new();
    let mut promoted: BTreeMap<u64, Value> = BTreeMap::new();
    for line in log(&dir.path().join("tuned")) {
        if let Some(trial) = line.get("trial") {
            rungs.entry(trial["rung"].as_u64().unwrap()).or_default().push(trial.clone());
        } else if let Some(line) = line.get("promoted") {
            promoted.insert(line["rung"].as_u64().unwrap(), line["trials"].clone());
        }
    }
    let counts: Vec<usize> = rungs.values().map(Vec::len).collect();
    assert_eq!(counts, [7, 3, 1]);
    for (rung, epochs) in [(1, 1), (2, 3), (3, 6)] {
        assert!(rungs[&rung].iter().all(|trial| trial["figures"]["epochs"] == epochs));
        let mut sorted = rungs[&rung].clone();
        sorted.sort_by(|a, b| {
            let of = |trial: &Value, key: &str| trial["figures"][key].as_f64().unwrap();
            let by_accuracy = of(b, "val_accuracy").total_cmp(&of(a, "val_accuracy"));
            by_accuracy.then(of(a, "val_loss").total_cmp(&of(b, "val_loss")))
        });
        let mut best: Vec<u64> = sorted
            .iter()
            .take(sorted.len() / 2)
            .map(|trial| trial["trial"].as_u64().unwrap())
            .collect();
        best.sort_unstable();
        if let Some(found) = promoted.get(&(rung + 1)) {
            assert_eq!(*found, serde_json::json!(best), "rung {rung}");
        }
    }
    assert_eq!(promoted.len(), 2);
    assert_eq!(result["best"], rungs[&3][0]["trial"]);
    // Nothing is left to go on from.
    assert!(!names(&dir.path().join("tuned")).contains(&"states".to_owned()));

    let best = &rungs[&3][0];
    let of = |key: &str| best["settings"][key].as_str().unwrap();
    let (lr, momentum) = (of("training.lr"), of("training.optimizer.momentum"));
    let flags = "--recipe article --epochs 6 --hidden 8 --validation 0.25 --quiet --out alone";
    succeed(dir.path(), &format!("{flags} --lr {lr} --momentum {momentum}"));
    let lines = metrics(&dir.path().join("alone"));
    for (rung, epoch) in [(1, 1), (2, 3), (3, 6)] {
        let trial = rungs[&rung].iter().find(|trial| trial["trial"] == best["trial"]).unwrap();
        for key in ["val_loss", "val_accuracy", "train_loss"] {
            assert_eq!(trial["figures"][key], lines[epoch - 1][key], "rung {rung}, {key}");
        }
    }
}

/// One is left at the end unless the file says how many trials there are.
#[test]
fn the_number_of_trials_comes_from_the_epochs() {
    let dir = folder(&HALVING.replace("trials = 7\n", ""));
    let result = json(dir.path(), "sweep --config sweep.toml --json --quiet --no-refit");
    assert_eq!(result["wanted"], 4, "eta to the power of the rungs less one");
    let rungs = result["trials"].as_array().unwrap().iter().map(|trial| trial["rung"].as_u64());
    assert!(rungs.eq([Some(3), Some(2), Some(1), Some(1)]));
}
