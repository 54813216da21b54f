//! Files of sweeps that are wrong, and budgets.

use std::fs;

use super::folder;
use crate::{names, run_in};

/// What a file has, and the error after `error: `.
const WRONG: [(&str, &str); 24] = [
    (
        "",
        "sweep.toml: there is nothing to try: write a table [space] with a list or a range for a key of a recipe, such as training.lr = [0.01, 0.1]",
    ),
    ("[space]\ntraining.lr = [0.1", "sweep.toml, line 2: …"),
    (
        "[spac]\ntraining.lr = [0.1]",
        "sweep.toml, line 1: there is no table [spac]: did you mean [space]?",
    ),
    ("space = 3", "sweep.toml, line 1: space is 3: expected a table, such as [space]"),
    (
        "[space]\ntraining.lrr = [0.1]",
        "sweep.toml, line 2: there is no key `training.lrr`: did you mean `training.lr`?",
    ),
    (
        "[space]\ntraining.lr = [0.1, -5]",
        "sweep.toml, line 2: training.lr is -5: expected a finite number above 0, such as 0.003",
    ),
    (
        "[space]\ntraining.lr = 0.1",
        "sweep.toml, line 2: training.lr is 0.1: expected a list, such as [0.003], or a range { from = …, to = … }",
    ),
    (
        "[space]\ntraining.lr = []",
        "sweep.toml, line 2: training.lr is []: expected a list, such as [0.003], or a range { from = …, to = … }",
    ),
    (
        "[space]\ntraining.lr = [0.1, 0.1]",
        "sweep.toml, line 2: training.lr is [0.1, 0.1]: 0.1 is there twice",
    ),
    (
        "[space]\ntraining.lr = { from = 1, to = 0.1 }",
        "sweep.toml, line 2: training.lr is { from = 1, to = 0.1 }: expected `from` to be below `to`",
    ),
    (
        "[space]\ntraining.lr = { from = 0, to = 0.1, scale = \"log\" }",
        "sweep.toml, line 2: training.lr is { from = 0, to = 0.1, scale = \"log\" }: expected `from` above 0 with a scale of log",
    ),
    (
        "[space]\ntraining.lr = { from = 0, to = 0.1 }",
        "sweep.toml, line 2: training.lr is 0: expected a finite number above 0, such as 0.003",
    ),
    (
        "[space]\ntraining.lr = { form = 1, to = 0.1 }",
        "sweep.toml, line 2: training.lr is { form = 1, to = 0.1 }: there is no `form` in a range: expected from, to and scale",
    ),
    (
        "[space]\ntraining.batch-size = { from = 1.5, to = 3 }",
        "sweep.toml, line 2: training.batch-size is { from = 1.5, to = 3 }: expected whole numbers",
    ),
    (
        "[sweep]\nmethod = \"grid\"\n[space]\ntraining.lr = { from = 0.1, to = 1 }",
        "sweep.toml, line 4: training.lr is { from = 0.1, to = 1 }: a grid needs a list: write one, or method = \"random\"",
    ),
    (
        "[space]\ntraining.seed = [1, 2]",
        "sweep.toml, line 2: training.seed is [1, 2]: it decides which samples are held out, so it cannot be tuned: `trainer --repeat 5` trains with several seeds",
    ),
    (
        "[space]\ndata.dir = [\"a\"]",
        "sweep.toml, line 2: data.dir is [\"a\"]: it decides what the data are, so it cannot be tuned: set it in [base]",
    ),
    (
        "[sweep]\nmetod = \"grid\"\n[space]\ntraining.lr = [0.1]",
        "sweep.toml, line 2: there is no key `metod`: did you mean `method`?",
    ),
    (
        "[sweep]\nmethod = \"gird\"\n[space]\ntraining.lr = [0.1]",
        "sweep.toml, line 2: sweep.method is \"gird\": expected one of grid, random, halving; did you mean \"grid\"?",
    ),
    (
        "[sweep]\nfolds = 1\n[space]\ntraining.lr = [0.1]",
        "sweep.toml, line 2: sweep.folds is 1: expected a whole number from 2 to 100, such as 3",
    ),
    (
        "[sweep]\nbudget = \"0\"\n[space]\ntraining.lr = [0.1]",
        "sweep.toml, line 2: sweep.budget is 0: expected a time above 0, such as 30s, 10m, 2h or 1h30m",
    ),
    (
        "[sweep]\neta = 2\n[space]\ntraining.lr = [0.1]",
        "sweep.toml, line 2: sweep.eta is 2: it is for the method halving: leave it out",
    ),
    (
        "[base]\ntraining.lr = 0.1\n[space]\ntraining.lr = [0.1]",
        "sweep.toml: `training.lr` is in [base] and in [space]: leave one out",
    ),
    (
        "[base]\nrecipe = \"article\"\n[space]\ntraining.optimizer.kind = [\"adam\"]\ntraining.optimizer.momentum = [0.5]",
        "the trial with optimizer adam, momentum 0.5: …",
    ),
];

#[test]
fn wrong_files_are_one_line() {
    let dir = folder("");
    let before = names(dir.path());
    let mut wrong = Vec::new();
    for (text, expected) in WRONG {
        fs::write(dir.path().join("sweep.toml"), text).unwrap();
        let output = run_in(dir.path(), "sweep --config sweep.toml");
        let error = String::from_utf8(output.stderr).unwrap();
        let line = error.strip_prefix("error: ").and_then(|line| line.strip_suffix('\n'));
        let right = line.is_some_and(|line| match expected.strip_suffix('…') {
            Some(start) => line.starts_with(start) && !line.contains('\n'),
            None => line == expected,
        });
        if !right || output.status.code() != Some(2) || !output.stdout.is_empty() {
            wrong.push(format!("{text:?}: {:?} {error:?}, not {expected:?}", output.status));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(names(dir.path()), before, "nothing is written");
}

#[test]
fn metrics_and_methods_that_do_not_fit() {
    let of = |keys: &str, flags: &str| {
        let text = format!("[sweep]\n{keys}\n[space]\ntraining.lr = [0.1, 0.2]\n");
        let dir = folder(&text);
        let output = run_in(dir.path(), &format!("sweep --config sweep.toml {flags}"));
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(names(dir.path()), ["data", "sweep.toml"]);
        error.lines().last().unwrap().strip_prefix("error: ").unwrap().to_owned()
    };
    assert_eq!(
        of("metric = \"rmse\"", ""),
        "sweep.metric is rmse: classes have no RMSE: expected accuracy or loss"
    );
    let error = of("trials = 3\nmethod = \"grid\"", "");
    assert!(error.starts_with("sweep.trials is 3: a grid has every combination: "), "{error}");
    let error = of("method = \"halving\"", "--epochs 2");
    assert!(error.starts_with("training.epochs is 2: halving compares trials before"), "{error}");
    let error = of("", "--lr 0.3");
    let both = "sweep.toml: `training.lr` is in [space] and on the command line: leave one out";
    assert_eq!(error, both);
    for (budget, why) in [("0", "a time above 0"), ("5", "a time above 0"), ("9999999h", "a year")]
    {
        let error = of("", &format!("--budget {budget}"));
        assert!(error.starts_with(&format!("--budget is {budget}: expected {why}")), "{error}");
    }
}

/// A trial that takes longer than the budget is left, and that is said.
#[test]
fn a_budget_ends_the_search() {
    let text = "[base]\ntraining.epochs = 1000000\n[space]\ntraining.lr = [0.001, 0.002]\n";
    let dir = folder(text);
    let flags = "sweep --config sweep.toml --budget 1s --quiet --out tuned";
    let output = run_in(dir.path(), flags);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let error = String::from_utf8(output.stderr).unwrap();
    let start = "error: no trial has ended in the budget of 1 s: give it more with ";
    assert!(error.starts_with(start), "{error}");
    assert!(error.ends_with(" sweep --resume tuned --budget TIME\n"), "{error}");
    // A long budget changes nothing.
    let short = text.replace("1000000", "1");
    fs::write(dir.path().join("sweep.toml"), short).unwrap();
    let output = run_in(dir.path(), "sweep --config sweep.toml --budget 8784h --quiet --no-refit");
    assert!(output.status.success(), "{output:?}");
}
