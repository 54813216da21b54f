//! Command lines that no command takes.

use super::{USAGE, check};

#[test]
fn words_and_flags() {
    let dir = tempfile::tempdir().unwrap();
    check(
        dir.path(),
        USAGE,
        &[
            // Words.
            (
                "a word that is no command",
                "nonsense",
                "unexpected word 'nonsense': there is no file or folder of this name to train on, and the \
                 commands are train, predict, eval, inspect, export, report, runs, serve, lr-find, crossval, sweep, doctor, completions or man (try --help)",
            ),
            (
                "a command with a slip",
                "evl --model x",
                "unexpected word 'evl': did you mean the command eval? (try --help)",
            ),
            (
                "a word after flags",
                "--epochs 5 7",
                "unexpected word '7': there is no file or folder of this name to train on, and the \
                 commands are train, predict, eval, inspect, export, report, runs, serve, lr-find, crossval, sweep, doctor, completions or man (try --help)",
            ),
            (
                "a value parted by a space",
                "train --hidden 100 50",
                "unexpected word '50': there is no file or folder of this name to train on, and the \
                 commands are train, predict, eval, inspect, export, report, runs, serve, lr-find, crossval, sweep, doctor, completions or man (try --help)",
            ),
            (
                "an empty word",
                "''",
                "a value is required for '[DATA]' but none was supplied (try --help)",
            ),
            (
                "train with a slip",
                "trian --epochs 5",
                "unexpected word 'trian': did you mean the command train? (try --help)",
            ),
            (
                "predict with a slip",
                "predct --model x a.png",
                "unexpected word 'predct': did you mean the command predict? (try --help)",
            ),
            (
                "a command twice",
                "train train",
                "unexpected word 'train': the command train comes once, before all flags (try --help)",
            ),
            (
                "a model without its flag",
                "eval run/model.safetensors",
                "unexpected word 'run/model.safetensors': did you mean --model \
                 run/model.safetensors? (try --help)",
            ),
            (
                "flags before the command",
                "--quiet eval --model x",
                "unexpected word 'eval': the command eval comes once, before all flags (try --help)",
            ),
            // Flags that do not exist.
            ("no such flag", "--nonsense", "there is no flag --nonsense (try --help)"),
            ("no such short flag", "-e 5", "there is no flag -e (try --help)"),
            (
                "a flag with a slip",
                "--epcohs 5",
                "there is no flag --epcohs: did you mean --epochs? (try --help)",
            ),
            (
                "an underscore for a dash",
                "--batch_size 5",
                "there is no flag --batch_size: did you mean --batch-size? (try --help)",
            ),
            (
                "the beginning of a flag",
                "--recip x",
                "there is no flag --recip: did you mean --recipe? (try --help)",
            ),
            (
                "a slip in a flag that is no setting",
                "--thraeds 2",
                "there is no flag --thraeds: did you mean --threads? (try --help)",
            ),
            (
                "a slip in a switch",
                "train --quite",
                "there is no flag --quite: did you mean --quiet? (try --help)",
            ),
            (
                "a slip in --version",
                "--versoin",
                "there is no flag --versoin: did you mean --version? (try --help)",
            ),
            (
                "a key without a flag of its own",
                "--shuffle",
                "there is no flag --shuffle: did you mean --set \
                 training.shuffle=false? (try --help)",
            ),
            (
                "a setting, for another command",
                "eval --model x --shuffle",
                "there is no flag --shuffle (try --help)",
            ),
            (
                "a slip in a flag of eval",
                "eval --modle x",
                "there is no flag --modle: did you mean --model? (try --help)",
            ),
            (
                "a flag of another command",
                "train --model x",
                "there is no flag --model (try --help)",
            ),
            // Values that are missing, or too many.
            (
                "a flag without its value",
                "--epochs",
                "a value is required for '--epochs <N>' but none was supplied (try --help)",
            ),
            (
                "a flag instead of a value",
                "--epochs --lr 0.1",
                "a value is required for '--epochs <N>' but none was supplied (try --help)",
            ),
            (
                "an empty path",
                "--out ''",
                "a value is required for '--out <DIR>' but none was supplied (try --help)",
            ),
            (
                "a value for a switch that takes none",
                "--quiet=yes",
                "unexpected value 'yes' for '--quiet' found; no more were expected (try --help)",
            ),
            (
                "eval without a model",
                "eval",
                "the following required arguments were not provided: --model <MODEL> (try --help)",
            ),
            // Flags that exclude one another.
            (
                "two recipes",
                "--recipe article --config x.toml",
                "the argument '--recipe <NAME>' cannot be used with '--config <FILE>' \
                 (try --help)",
            ),
            (
                "two directories",
                "--out a --out b",
                "the argument '--out <DIR>' cannot be used multiple times (try --help)",
            ),
            // --set.
            (
                "a key without a value",
                "--set training.lr",
                "--set is training.lr: expected KEY=VALUE, such as training.lr=0.003",
            ),
            (
                "no key",
                "--set =1",
                "--set: there is no key ``: expected one of recipe, \
              description, data, network, training, augment",
            ),
            (
                "a key that is in another table",
                "--set l2=1",
                "--set: there is no key `l2`: did you mean `training.l2`?",
            ),
            (
                "a key with a slip",
                "--set training.epohcs=1",
                "--set: there is no key `training.epohcs`: did you mean `training.epochs`?",
            ),
            (
                "a table",
                "--set training.optimizer=adam",
                "--set: `training.optimizer` is a table: set one of its keys, which are kind, \
                 momentum, alpha, rho, beta1, beta2, epsilon",
            ),
        ],
    );
}

#[test]
fn recipes_by_name() {
    let dir = crate::data::folder();
    check(
        dir.path(),
        USAGE,
        &[
            (
                "no such recipe",
                "--recipe nonsense",
                "there is no recipe `nonsense`: the recipes are default, table, plain, accurate, \
                 invariant, dropout, best, article",
            ),
            ("a slip", "--recipe defualt", "there is no recipe `defualt`: did you mean default?"),
            (
                "nothing",
                "--recipe ''",
                "there is no recipe ``: the recipes are default, table, plain, accurate, invariant, \
                 dropout, best, article",
            ),
            (
                "a folder",
                "--recipe data",
                "there is no recipe `data`: the recipes are default, table, plain, accurate, invariant, \
                 dropout, best, article",
            ),
            (
                "two lines",
                "--recipe 'a\nb'",
                "there is no recipe `a b`: the recipes are default, table, plain, accurate, invariant, \
                 dropout, best, article",
            ),
            (
                "a sequence that would clear the screen",
                "--recipe '\u{1b}[2J'",
                "there is no recipe `\\u{1b}[2J`: the recipes are default, table, plain, accurate, \
                 invariant, dropout, best, article",
            ),
            (
                "a file",
                "--recipe data/train-labels-idx1-ubyte",
                "there is no recipe `data/train-labels-idx1-ubyte`: to start from a file, write \
                 --config data/train-labels-idx1-ubyte",
            ),
        ],
    );
}

/// A setting that the recipe has no use for, or that lacks another.
#[test]
fn settings_that_do_not_go_together() {
    let dir = tempfile::tempdir().unwrap();
    check(
        dir.path(),
        USAGE,
        &[
            (
                "early stopping without held-out samples",
                "--patience 3",
                "--patience needs held-out samples to watch, and there are none: hold some out with \
                 --validation 0.1, or train to the end with --patience none",
            ),
            (
                "a part of early stopping",
                "--monitor loss",
                "--monitor is a part of `training.early-stopping`, which is off: leave it out, \
                 or turn the whole on with --patience EPOCHS",
            ),
            (
                "another part of it",
                "--min-delta 0.1",
                "--min-delta is a part of `training.early-stopping`, which is off: leave it out, \
                 or turn the whole on with --patience EPOCHS",
            ),
            (
                "a part of batch normalisation, which is turned off",
                "--batch-norm none --set training.batch-norm.momentum=0.5",
                "--set training.batch-norm.momentum is a part of `training.batch-norm`, which is \
                 off: leave it out, or turn the whole on with --batch-norm ROWS",
            ),
            (
                "a parameter of another optimizer",
                "--optimizer adam --momentum 0.9",
                "--momentum is for sgd, nesterov and rmsprop, and the optimizer is adam: leave \
                 it out, or choose one of them with --optimizer",
            ),
            (
                "a parameter of another optimizer than the recipe's",
                "--set training.optimizer.rho=0.9",
                "--set training.optimizer.rho is for adadelta, and the optimizer is adam: leave \
                 it out, or choose one of them with --optimizer",
            ),
            (
                "a parameter of another schedule",
                "--schedule cosine:decay=0.1",
                "decay of --schedule is for compounding and inverse-time, and the schedule is \
                 cosine: leave it out, or choose one of them with --set training.schedule.kind",
            ),
            (
                "a schedule without its parameter",
                "--schedule step",
                "--schedule step needs `every`: write --schedule step:10",
            ),
            (
                "the same by key",
                "--set training.schedule.kind=exponential",
                "--set training.schedule.kind=exponential needs `factor`: write --set \
                 training.schedule.factor=0.95",
            ),
        ],
    );
    let dir = crate::data::folder();
    check(
        dir.path(),
        USAGE,
        &[(
            "as many weights as there are classes",
            "--class-weights 1,2",
            "training.class-weights (--class-weights) has 2 numbers: expected 10, one for each \
             class of the data",
        )],
    );
}
