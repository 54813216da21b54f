//! Recipe files that are wrong. An error names the file and the line, and writes values
//! as a file has them.

use std::fs;

use super::{USAGE, check, refusal};
use crate::trainer;

/// Four lines that a recipe needs.
const NETWORK: &str = "[network]\nhidden = [5]\nactivation = \"relu\"\ninit = \"he\"\n";

/// What is wrong, the text, and the error after the name of the file.
type Row<'a> = (&'static str, String, &'a str);

fn check_texts(rows: &[Row<'_>]) {
    let dir = tempfile::tempdir().unwrap();
    for (why, text, error) in rows {
        fs::write(dir.path().join("mine.toml"), text).unwrap();
        check(dir.path(), USAGE, &[(why, "--config mine.toml", leak(format!("mine.toml{error}")))]);
    }
}

/// A text for a table that wants texts of the program.
fn leak(text: String) -> &'static str {
    text.leak()
}

/// A recipe with a line in its table `[training]`, which is line 6.
fn training(line: &str) -> String {
    format!("{NETWORK}[training]\n{line}\n")
}

/// A recipe with other tables from line 5 on.
fn with(text: &str) -> String {
    format!("{NETWORK}{text}\n")
}

#[test]
fn values() {
    check_texts(&[
        (
            "out of range",
            training("epochs = 0"),
            ", line 6: training.epochs is 0: expected a whole number from 1 to 1000000, such as 5",
        ),
        (
            "a text for a number",
            training("epochs = \"five\""),
            ", line 6: training.epochs is \"five\": expected a whole number from 1 to 1000000, such as 5",
        ),
        (
            "a number in quotes",
            training("epochs = \"5\""),
            ", line 6: training.epochs is \"5\": expected a whole number from 1 to 1000000; write 5",
        ),
        (
            "a real number",
            training("epochs = 5.0"),
            ", line 6: training.epochs is 5.0: expected a whole number from 1 to 1000000; write 5",
        ),
        (
            "a date",
            training("epochs = 2026-01-01"),
            ", line 6: training.epochs is 2026-01-01: expected a whole number from 1 to 1000000, such as 5",
        ),
        (
            "larger than TOML can hold",
            training("seed = 99999999999999999999"),
            ", line 6: training.seed is 99999999999999999999: expected a whole number from 0 to \
             2^63 - 1, such as 7",
        ),
        (
            "larger than 64 bits can hold",
            training("lr = 1e999"),
            ", line 6: floating-point number overflowed",
        ),
        (
            "a negative rate",
            training("lr = -1"),
            ", line 6: training.lr is -1: expected a finite number above 0, such as 0.003",
        ),
        (
            "too large for 32 bits",
            training("lr = 1e39"),
            ", line 6: training.lr is 1e39, which is inf in 32 bits: expected a finite number above 0, such as 0.003",
        ),
        (
            "a decimal comma",
            training("lr = \"0,1\""),
            ", line 6: training.lr is \"0,1\": expected a finite number above 0; write 0.1",
        ),
        (
            "not a number",
            training("l2 = nan"),
            ", line 6: training.l2 is nan: expected a finite number of at least 0, such as 0.0001",
        ),
        (
            "a word that does not turn off",
            training("clip-norm = \"off\""),
            ", line 6: training.clip-norm is \"off\": expected a finite number above 0; to turn it off, leave it out",
        ),
        (
            "another such word",
            training("batch-norm = { rows = 0 }"),
            ", line 6: training.batch-norm.rows is 0: expected a whole number from 2 to 2^63 - 1; to turn it off, leave it out",
        ),
        (
            "a number for a table",
            training("average = 0.99"),
            ", line 6: training.average is 0.99: expected a table, such as { decay = 0.99 }",
        ),
        (
            "a word for a table",
            training("schedule = \"cosine\""),
            ", line 6: training.schedule is \"cosine\": expected a table, such as { kind = \"cosine\" }",
        ),
        (
            "another word for a table",
            training("optimizer = \"adam\""),
            ", line 6: training.optimizer is \"adam\": expected a table, such as { kind = \"adam\" }",
        ),
        (
            "a list for a table",
            "network = [5]".into(),
            ", line 1: network is [5]: expected a table, such as [network]",
        ),
        (
            "a text for a switch",
            training("shuffle = \"no\""),
            ", line 6: training.shuffle is \"no\": expected true or false; write false",
        ),
        (
            "a kind that does not exist",
            training("optimizer = { kind = \"adma\" }"),
            ", line 6: training.optimizer.kind is \"adma\": expected one of sgd, nesterov, adagrad, rmsprop, adadelta, adam, adamw; did you mean \"adam\"?",
        ),
        (
            "a name in capitals",
            NETWORK.replace("relu", "ReLU"),
            ", line 3: network.activation is \"ReLU\": expected one of tanh, sigmoid, relu, leaky-relu, elu, gelu, silu, maxout; did you mean \"relu\"?",
        ),
        (
            "a parameter out of range",
            NETWORK.replace("relu", "maxout:1"),
            ", line 3: network.activation is \"maxout:1\": pieces of maxout is 1: expected from 2 to 64",
        ),
        (
            "units without brackets",
            NETWORK.replace("[5]", "5"),
            ", line 2: network.hidden is 5: expected a list of units from 1 to 65536 for each of at most 64 layers; write [5]",
        ),
        (
            "units in quotes",
            NETWORK.replace("[5]", "\"5,3\""),
            ", line 2: network.hidden is \"5,3\": expected a list of units from 1 to 65536 for each of at most 64 layers; write [5, 3]",
        ),
        (
            "a layer of 0",
            NETWORK.replace("[5]", "[5, 0]"),
            ", line 2: network.hidden is [5, 0]: expected a list of units from 1 to 65536 for each of at most 64 layers, such as [100, 50]",
        ),
        (
            "a list over some lines",
            training("\nclass-weights = [\n1,\n-1]"),
            ", line 7: training.class-weights is [ 1, -1]: expected a list with a number of at least 0 for each class, not all 0, or \"balanced\", such as [1, 1, 2.5]",
        ),
        (
            "a word for a list",
            training("class-weights = \"even\""),
            ", line 6: training.class-weights is \"even\": expected a list with a number of at \
             least 0 for each class, not all 0, or \"balanced\", such as [1, 1, 2.5]",
        ),
        (
            "an empty path",
            with("[data]\ndir = \"\""),
            ", line 6: data.dir is \"\": expected a path, such as \"mnist\"",
        ),
        (
            "a path with a zero byte",
            with("[data]\ndir = \"a\\u0000b\""),
            ", line 6: data.dir is \"a\\u0000b\": expected a path, such as \"mnist\"",
        ),
        (
            "the second number with the first",
            with("[augment]\nelastic = { displacement = \"20:4\" }"),
            ", line 6: augment.elastic.displacement is \"20:4\": expected a number from 0 to 1000, such as 20",
        ),
    ]);
}

#[test]
fn keys() {
    check_texts(&[
        (
            "no such key",
            training("learning = 3"),
            ", line 6: there is no key `training.learning`: expected one of epochs, batch-size, lr, schedule, optimizer, class-weights, clip-norm, average, early-stopping, frozen, shuffle, seed, l2, l1, max-norm, label-smoothing, batch-norm, dropout, noise in `training`",
        ),
        (
            "a slip",
            training("epohcs = 3"),
            ", line 6: there is no key `training.epohcs`: did you mean `training.epochs`?",
        ),
        (
            "no such key outside of the tables",
            "colour = 1".into(),
            ", line 1: there is no key `colour`: expected one of recipe, description, data, \
             network, training, augment",
        ),
        (
            "a key of another table",
            format!("l2 = 1\n{NETWORK}"),
            ", line 1: there is no key `l2`: did you mean `training.l2`?",
        ),
        (
            "no such table",
            with("[optimiser]"),
            ", line 5: there is no key `optimiser`: did you mean `training.optimizer.kind`?",
        ),
        (
            "no such key of a kind",
            training("optimizer.beta = 0.5"),
            ", line 6: there is no key `training.optimizer.beta`: did you mean `training.optimizer.beta1` or `training.optimizer.beta2`?",
        ),
        (
            "a key of another kind",
            training("optimizer = { kind = \"adam\", momentum = 0.9 }"),
            ", line 6: training.optimizer.momentum is for sgd, nesterov and rmsprop, and the optimizer is adam: leave it out, or choose one of them",
        ),
        (
            "a table without its kind",
            training("optimizer = { momentum = 0.9 }"),
            ", line 6: training.optimizer needs `kind`: write kind = \"adam\"",
        ),
        (
            "a kind without its parameter",
            training("schedule = { kind = \"step\" }"),
            ", line 6: training.schedule.kind = step needs `every`: write every = 10",
        ),
        (
            "a file that is complete or not",
            "complete = \"yes\"\n".into(),
            ", line 1: complete is \"yes\": expected true or false",
        ),
        (
            "a dotted key in quotes",
            training("\"noise.input\" = 0.1"),
            ", line 6: there is no key \"noise.input\": write dots outside of quotes",
        ),
        (
            "early stopping without held-out samples",
            training("early-stopping = { monitor = \"loss\" }"),
            ", line 6: training.early-stopping needs held-out samples to watch, and there are none: \
             hold some out with --validation 0.1, or train to the end with --patience none",
        ),
        ("a key twice", training("lr = 1\nlr = 2"), ", line 7: duplicate key"),
        (
            "the first of two errors",
            training("zoo = 1\narea = 1"),
            ", line 6: there is no key `training.zoo`: expected one of epochs, batch-size, lr, schedule, optimizer, class-weights, clip-norm, average, early-stopping, frozen, shuffle, seed, l2, l1, max-norm, label-smoothing, batch-norm, dropout, noise in `training`",
        ),
    ]);
}

/// Texts that are no TOML; the words are those of its reader.
#[test]
fn syntax() {
    check_texts(&[
        ("a bracket that is not closed", with("[data"), ", line 5: unclosed table, expected `]`"),
        (
            "a list that is not closed",
            training("class-weights = [1,"),
            ", line 6: unclosed array, expected `]`",
        ),
        ("a number with a comma", training("lr = 0,1"), ", line 6: …"),
        (
            "a name without quotes",
            training("optimizer.kind = adam"),
            ", line 6: string values must be quoted, expected literal string",
        ),
        ("another language", "{\"network\": {}}".into(), ", line 1: …"),
        ("lists in lists", format!("x = {}", "[".repeat(100_000)), ", line 1: …"),
        (
            "after a mark of UTF-8, the same lines",
            format!("\u{feff}{}", training("epochs = 0")),
            ", line 6: training.epochs is 0: expected a whole number from 1 to 1000000, such as 5",
        ),
        (
            "lines that end as on Windows",
            training("epochs = 0").replace('\n', "\r\n"),
            ", line 6: training.epochs is 0: expected a whole number from 1 to 1000000, such as 5",
        ),
    ]);
}

#[test]
fn files_that_are_no_recipe() {
    let dir = crate::data::folder();
    crate::succeed(dir.path(), "--epochs 1 --quiet --out run");
    fs::write(dir.path().join("bytes"), b"a\nb\nc \xff\xfe").unwrap();
    fs::write(dir.path().join("utf16"), b"\xff\xfe[\0n\0").unwrap();
    fs::write(dir.path().join("large"), "x".repeat(2 << 20)).unwrap();
    check(
        dir.path(),
        USAGE,
        &[
            ("no such file", "--config none.toml", "cannot read the recipe none.toml: …"),
            (
                "a folder",
                "--config data",
                "data is a folder: expected a recipe file; name a file in it",
            ),
            (
                "the folder of a run",
                "--config run",
                "run is a folder: expected a recipe file; name its settings: --config run/config.toml",
            ),
            (
                "the same as a recipe",
                "--recipe run",
                "there is no recipe `run`: to start from a file, write --config run/config.toml",
            ),
            (
                "a model",
                "--config run/model.safetensors",
                "run/model.safetensors is a model: expected a recipe file; test it with eval --model run/model.safetensors, or name the config.toml of its run",
            ),
            ("the metrics of a run", "--config run/metrics.jsonl", "run/metrics.jsonl, line 1: …"),
            (
                "no UTF-8",
                "--config bytes",
                "bytes, line 3: this is not UTF-8: save the recipe as UTF-8",
            ),
            (
                "UTF-16",
                "--config utf16",
                "utf16, line 1: this is not UTF-8: save the recipe as UTF-8",
            ),
            (
                "images",
                "--config data/train-images-idx3-ubyte",
                "data/train-images-idx3-ubyte, line 1: this is not UTF-8: save the recipe as UTF-8",
            ),
            (
                "a large file",
                "--config large",
                "large is larger than 1 MiB: expected a recipe file; name the config.toml of a run",
            ),
        ],
    );
    #[cfg(unix)]
    check(
        dir.path(),
        USAGE,
        &[(
            "a file without an end",
            "--config /dev/zero",
            "/dev/zero is larger than 1 MiB: expected a recipe file; name the config.toml of a run",
        )],
    );
    // The name of a recipe, for which the system's words stand in the middle.
    let output = crate::run_in(dir.path(), "--config best");
    let line = String::from_utf8(output.stderr).unwrap();
    let end = "; to start from the recipe of this name, write --recipe best\n";
    assert!(
        line.starts_with("error: cannot read the recipe best: ") && line.ends_with(end),
        "{line}"
    );
}

#[test]
fn a_recipe_from_standard_input() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = trainer();
    command.current_dir(dir.path()).args(["--config", "-"]).write_stdin(training("epochs = 0"));
    let error =
        "stdin, line 6: training.epochs is 0: expected a whole number from 1 to 1000000, such as 5";
    refusal(dir.path(), USAGE, error, || command.output().unwrap()).unwrap();
}
