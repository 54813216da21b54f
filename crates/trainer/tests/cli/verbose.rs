//! `--verbose`: a line for each layer after each epoch.

use crate::{data, metrics, model, run_in, succeed};

/// The lines of layers, each with its words.
fn layers(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().filter(|line| line.starts_with("  layer "));
    lines.map(|line| line.split_whitespace().collect()).collect()
}

/// The number after a word.
fn number(words: &[&str], name: &str) -> f64 {
    let at = words.iter().position(|word| *word == name).unwrap_or_else(|| panic!("{words:?}"));
    words[at + 1].parse().unwrap()
}

#[test]
fn each_layer_is_looked_at_after_each_epoch_and_no_bit_changes() {
    let dir = data::folder();
    let base = "--hidden 20,10 --epochs 3 --validation 0.1 --dropout 0.1 --batch-norm 20";
    // Steps of an epoch: 14, 1, and 2 with a checkpoint after each epoch.
    for (which, more) in
        ["--batch-size 20", "--batch-size 300", "--batch-size 150 --checkpoint-every 1"]
            .into_iter()
            .enumerate()
    {
        let flags = format!("{base} {more}");
        succeed(dir.path(), &format!("{flags} --out plain{which}"));
        let text = succeed(dir.path(), &format!("{flags} -v --threads 3 --out verbose{which}"));
        let [plain, verbose] =
            ["plain", "verbose"].map(|name| dir.path().join(format!("{name}{which}")));
        assert!(model(&plain) == model(&verbose), "{more}");
        let loss =
            |run| metrics(run).iter().map(|line| line["val_loss"].as_f64()).collect::<Vec<_>>();
        assert_eq!(loss(&plain), loss(&verbose), "{more}");

        let found = layers(&text);
        assert_eq!(found.len(), 3 * 3, "{text}");
        for (line, words) in found.iter().enumerate() {
            assert_eq!(words[1], (line % 3 + 1).to_string(), "{words:?}");
            let range = 1e-6..10.0;
            assert!(range.contains(&number(words, "gradient")), "{words:?}");
            assert!(range.contains(&number(words, "update")), "{words:?}");
            assert_eq!(words.contains(&"dead"), line % 3 < 2, "{words:?}");
        }
        let mut lines = text.lines().filter(|line| line.starts_with("  layer "));
        assert!(lines.all(|line| line.len() < 80), "{text}");
    }
}

#[test]
fn sick_units_are_seen() {
    let dir = data::folder();
    let base = "--recipe plain --hidden 40 --batch-size 10 --epochs 4 --schedule constant \
                --dropout 0 --input-dropout 0 --lr 50 -v";
    for (activation, name) in [("relu", "dead"), ("tanh", "saturated")] {
        let text = succeed(dir.path(), &format!("{base} --activation {activation}"));
        let found = layers(&text);
        assert!(number(&found[6], name) > 50.0, "{activation}: {text}");
    }
    // Steps that do nothing.
    let text = succeed(dir.path(), "--recipe plain --hidden 40 --epochs 1 --lr 1e-9 -v");
    assert!(number(&layers(&text)[0], "update") < 1e-6, "{text}");
}

#[test]
fn it_says_nothing_else_elsewhere() {
    let dir = data::folder();
    assert!(layers(&succeed(dir.path(), "--epochs 1")).is_empty());
    // stdout is left to the summary.
    let output = run_in(dir.path(), "--epochs 1 --json -v");
    assert!(serde_json::from_slice::<serde_json::Value>(&output.stdout).is_ok());
    assert_eq!(layers(&String::from_utf8(output.stderr).unwrap()).len(), 3);
    let output = run_in(dir.path(), "--epochs 1 --quiet --verbose");
    assert_eq!(output.status.code(), Some(2));
}
