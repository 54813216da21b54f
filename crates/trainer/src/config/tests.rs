//! Recipe files, and the command line over them. What is wrong with either is tested in
//! `tests/cli/bad_input`, by running the program.

use clap::{Args, FromArgMatches};
use nn::{Average, BatchNorm, ClassWeights, Curve, EarlyStopping, Optimizer, Schedule};

use super::*;

mod base;
mod table;

/// A recipe that says as little as it may.
const SHORT: &str =
    "recipe = \"x\"\n[network]\nhidden = [3]\nactivation = \"tanh\"\ninit = \"xavier\"\n";

fn source(text: &str) -> Source {
    let (text, origin, name) = (text.to_owned(), "x.toml".to_owned(), "x".to_owned());
    Source { text, origin, name, whole: false }
}

fn parse(text: &str) -> Result<Config, Error> {
    Config::new(&source(text), &Edits::default()).map(|(config, _)| config)
}

/// The short recipe with a line in its table `[training]`.
fn with(line: &str) -> String {
    format!("{SHORT}[training]\n{line}\n")
}

fn edits(flags: &[&str]) -> Edits {
    let command = Edits::augment_args(clap::Command::new("test").no_binary_name(true));
    Edits::from_arg_matches(&command.try_get_matches_from(flags).unwrap()).unwrap()
}

/// The recipe `text` with flags over it, which are parted by spaces.
fn edited(text: &str, flags: &str) -> Result<Config, Error> {
    let edits = edits(&flags.split_whitespace().collect::<Vec<_>>());
    Config::new(&source(text), &edits).map(|(config, _)| config)
}

/// What the user is told of the recipe `text` with flags over it.
fn notes(text: &str, flags: &str) -> Vec<String> {
    let edits = edits(&flags.split_whitespace().collect::<Vec<_>>());
    Config::new(&source(text), &edits).unwrap().1
}

#[test]
fn settings_that_do_less_than_they_seem_to() {
    let step = |epochs| notes(SHORT, &format!("--schedule step:every=3 --epochs {epochs}"));
    assert_eq!(step(4), [""; 0]);
    assert_eq!(
        step(3),
        ["the schedule `step` changes the learning rate after 3 epochs, and the run has 3: it \
             never does"]
    );
    let weights = |text: &str| notes(SHORT, &format!("--class-weights {text}"));
    assert_eq!(weights("1,2,0.5"), [""; 0]);
    assert_eq!(
        weights("0,2,0"),
        ["2 of 3 classes have a weight of 0: the network does not learn them"]
    );
}

#[test]
fn the_last_value_of_a_key_counts() {
    for (flags, lr) in [
        ("--lr 0.5 --set training.lr=0.25", 0.25),
        ("--set training.lr=0.25 --lr 0.5", 0.5),
        ("--set training.lr=0.5 --set training.lr=0.125", 0.125),
        ("--lr 0.5 --lr 0.125", 0.125),
    ] {
        assert_eq!(edited(SHORT, flags).unwrap().training.lr, lr, "{flags}");
    }
    let sigma = |flags| edited(SHORT, flags).unwrap().augment.elastic.sigma;
    assert_eq!(sigma("--elastic 7:5 --set augment.elastic.sigma=6"), 6.0);
    assert_eq!(sigma("--set augment.elastic.sigma=6 --elastic 7:5"), 5.0);
    assert_eq!(sigma("--set augment.elastic.sigma=6 --elastic 7"), 6.0);
}

#[test]
fn a_new_kind_drops_the_parameters_of_the_old_one() {
    let base = with(
        "schedule = { kind = \"step\", every = 7, warmup = 0.25 }\n\
         optimizer = { kind = \"adam\", beta1 = 0.5 }",
    );
    let linear = Schedule { curve: Curve::Linear { from: 0.0 }, warmup: 0.25 };
    for (flags, expected) in [
        ("--set training.schedule.kind=linear", linear),
        (
            "--set training.schedule.from=0.5 --set training.schedule.kind=linear",
            Schedule { curve: Curve::Linear { from: 0.5 }, ..linear },
        ),
        // A schedule as a whole has what it says and no more.
        ("--schedule linear", linear.curve.into()),
        ("--set training.schedule.warmup=0.25 --schedule linear", linear.curve.into()),
        ("--set training.schedule.kind=cosine --schedule linear", linear.curve.into()),
        ("--schedule linear --set training.schedule.warmup=0.25", linear),
    ] {
        assert_eq!(edited(&base, flags).unwrap().training.schedule, expected, "{flags}");
    }
    let adam = |beta1| Optimizer::Adam { beta1, beta2: 0.999, epsilon: 1e-8 };
    for (flags, expected) in [
        ("--optimizer adam", adam(0.5)),
        ("--set training.optimizer.beta1=0.75", adam(0.75)),
        ("--optimizer adamw", Optimizer::Adamw { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }),
        ("--momentum 0.5 --optimizer sgd", Optimizer::Sgd { momentum: 0.5 }),
    ] {
        assert_eq!(edited(&base, flags).unwrap().training.optimizer, expected, "{flags}");
    }
}

#[test]
fn a_flag_replaces_a_wrong_value_of_a_file() {
    for (line, flag) in [
        ("epochs = 0", "--epochs 5"),
        ("epochs = \"five\"", "--set training.epochs=5"),
        ("optimizer = { kind = \"adma\", gamma = 1 }", ""),
        ("optimizer = { kind = \"adma\" }", "--optimizer adam"),
        ("optimizer = { kind = \"adam\", momentum = 0.5 }", "--optimizer sgd"),
        ("schedule = { kind = \"step\" }", "--schedule cosine"),
        ("batch-norm = { rows = 1 }", "--batch-norm none"),
        ("batch-norm = { rows = 1 }", "--set training.batch-norm=none"),
    ] {
        assert!(parse(&with(line)).is_err(), "{line}");
        if !flag.is_empty() {
            edited(&with(line), flag).unwrap();
        }
    }
    let no_units = SHORT.replace("hidden = [3]", "hidden = [0]");
    assert!(parse(&no_units).is_err());
    assert_eq!(edited(&no_units, "--hidden 5").unwrap().network.hidden, [5]);
}

#[test]
fn names_are_read_as_people_write_them() {
    let found = edited(SHORT, "--activation RELU --optimizer Adam --deskew TRUE --max-norm None");
    let expected = edited(SHORT, "--activation relu --optimizer adam --deskew");
    assert_eq!(found.unwrap(), expected.unwrap());
    for (flag, deskew) in [("--deskew", true), ("--deskew false", false), ("--deskew=true", true)] {
        assert_eq!(edited(SHORT, flag).unwrap().data.deskew, deskew, "{flag}");
    }
}

#[test]
fn another_optimizer_brings_its_own_rate() {
    let base = with("lr = 0.003\noptimizer = { kind = \"adam\" }");
    for (flags, lr, note) in [
        (
            "--optimizer sgd",
            0.1,
            "the learning rate is 0.1, which is usual for sgd, and not the recipe's 0.003 for \
             adam: --lr sets another",
        ),
        ("--set training.optimizer.kind=adadelta", 1.0, "the learning rate is 1, which is usual"),
        ("--optimizer sgd --lr 0.5", 0.5, ""),
        ("--optimizer sgd --set training.lr=0.003", 0.003, ""),
        // Optimizers of the same scale.
        ("--optimizer adamw", 0.003, ""),
        ("--optimizer rmsprop", 0.003, ""),
        ("--optimizer adam", 0.003, ""),
        ("", 0.003, ""),
    ] {
        assert_eq!(edited(&base, flags).unwrap().training.lr, lr, "{flags}");
        let notes = notes(&base, flags);
        assert_eq!(notes.is_empty(), note.is_empty(), "{flags}: {notes:?}");
        assert!(notes.iter().all(|found| found.starts_with(note)), "{flags}: {notes:?}");
    }
}

#[test]
fn a_patience_that_cannot_stop_the_run_is_said() {
    for (flags, said) in [
        ("--patience 5 --epochs 5", true),
        ("--patience 5 --epochs 6", true),
        ("--patience 5 --epochs 7", false),
    ] {
        let notes = notes(SHORT, &format!("--validation 0.1 {flags}"));
        assert_eq!(notes.len(), usize::from(said), "{flags}: {notes:?}");
    }
}

#[test]
fn flags_change_a_part_of_a_table_or_take_it_away() {
    let text = format!(
        "{SHORT}[data]\nvalidation = 0.25\n[training]\nclip-norm = 1\n\
         batch-norm = {{ rows = 10, momentum = 0.5 }}\n\
         early-stopping = {{ patience = 7, monitor = \"loss\" }}\n"
    );
    let recipe = parse(&text).unwrap().training;
    let norm = BatchNorm { rows: 10, momentum: 0.5, ..BatchNorm::default() };
    let monitor = nn::Monitor::Loss;
    let rule = EarlyStopping { patience: 7, monitor, min_delta: 0.0 };
    assert_eq!((recipe.batch_norm, recipe.early_stopping), (Some(norm), Some(rule)));

    let (rows, patience) = (BatchNorm { rows: 5, ..norm }, EarlyStopping { patience: 2, ..rule });
    let delta = EarlyStopping { min_delta: 0.5, ..rule };
    for (flags, batch_norm, early_stopping) in [
        ("--batch-norm 5", Some(rows), Some(rule)),
        ("--batch-norm none", None, Some(rule)),
        ("--batch-norm 0 --patience 2", None, Some(patience)),
        ("--min-delta 0.5", Some(norm), Some(delta)),
        ("--patience none", Some(norm), None),
        ("--patience 0", Some(norm), None),
    ] {
        let expected = Fit { batch_norm, early_stopping, ..recipe.clone() };
        assert_eq!(edited(&text, flags).unwrap().training, expected, "{flags}");
    }
    assert_eq!(edited(&text, "--clip-norm none").unwrap().training.clip_norm, None);
}

#[test]
fn a_recipe_may_be_short() {
    let found = parse(SHORT).unwrap();
    assert_eq!(found.recipe, "x");
    assert_eq!(found.training, Fit::default());
    assert_eq!(found.data, Data::default());
    assert_eq!(found.augment, Distortion::default());
}

#[test]
fn augmentation_in_a_recipe_and_flags_over_it() {
    let text = format!(
        "{SHORT}[augment]\nshift = 1.5\nwhole-pixels = true\n\
         elastic = {{ displacement = 0.1, sigma = 5.0 }}\n"
    );
    let config = parse(&text).unwrap();
    let elastic = mnist_io::Elastic { displacement: 0.1, sigma: 5.0 };
    let expected = Distortion { shift: 1.5, whole_pixels: true, elastic, ..Distortion::default() };
    assert_eq!(config.augment, expected);
    let written = config.to_toml().unwrap();
    assert!(written.contains("displacement = 0.1\n"), "f32 as it was typed: {written}");

    let elastic = mnist_io::Elastic { displacement: 7.0, sigma: 5.0 };
    let found = edited(&text, "--elastic 7 --whole-pixels=false").unwrap().augment;
    assert_eq!(found, Distortion { whole_pixels: false, elastic, ..expected });
}

#[test]
fn what_is_written_reads_back_the_same() {
    let mut config = parse(SHORT).unwrap();
    config.data.validation = 0.1;
    config.training.lr = 0.1;
    config.training.l1 = 1e-5;
    config.training.l2 = 1e-4;
    config.training.clip_norm = Some(1.5);
    config.training.max_norm = Some(2.1);
    config.training.average = Some(Average { decay: 0.9 });
    config.training.seed = i64::MAX as u64;
    let text = config.to_toml().unwrap();
    assert!(text.contains("lr = 0.1\n"), "f32 as it was typed: {text}");
    assert!(text.contains("validation = 0.1\n"), "{text}");
    assert_eq!(parse(&text).unwrap(), config);
    // The name in a text wins over that of the file.
    let text = text.replace("recipe = \"x\"", "recipe = \"mine\"");
    assert_eq!(parse(&text).unwrap().recipe, "mine");
}

#[test]
fn every_optimizer_reads_back_the_same() {
    let read = |table: &str| parse(&with(&format!("optimizer = {table}"))).unwrap();
    for (optimizer, name) in Optimizer::ALL {
        let config = read(&format!("{{ kind = \"{name}\" }}"));
        assert_eq!(config.training.optimizer, optimizer);
        let text = config.to_toml().unwrap();
        assert_eq!(parse(&text).unwrap(), config, "{text}");
    }
    let found = read("{ kind = \"adamw\", beta2 = 0.95, epsilon = 1e-6 }");
    let expected = Optimizer::Adamw { beta1: 0.9, beta2: 0.95, epsilon: 1e-6 };
    assert_eq!(found.training.optimizer, expected);
    let text = found.to_toml().unwrap();
    assert!(text.contains("beta2 = 0.95\n"), "f32 as it was typed: {text}");
    assert_eq!(parse(&text).unwrap(), found, "{text}");
}

#[test]
fn smoothing_and_class_weights_read_back_the_same() {
    for (value, weights) in
        [("\"balanced\"", ClassWeights::Balanced), ("[0.1, 2]", ClassWeights::Each(vec![0.1, 2.0]))]
    {
        let text = with(&format!("label-smoothing = 0.1\nclass-weights = {value}"));
        let config = parse(&text).unwrap();
        assert_eq!(config.training.label_smoothing, 0.1);
        assert_eq!(config.training.class_weights, Some(weights));
        let text = config.to_toml().unwrap();
        assert!(text.contains("label-smoothing = 0.1\n"), "f32 as it was typed: {text}");
        assert_eq!(parse(&text).unwrap(), config, "{text}");
    }
}

#[test]
fn every_schedule_reads_back_the_same() {
    let one_cycle = Curve::OneCycle { pct_start: 0.3, div_factor: 25.0, final_div_factor: 1e4 };
    for (table, curve, warmup) in [
        ("{ kind = \"constant\" }", Curve::Constant, 0.0),
        ("{ kind = \"compounding\", decay = 0.1 }", Curve::Compounding { decay: 0.1 }, 0.0),
        ("{ kind = \"inverse-time\", decay = 1 }", Curve::InverseTime { decay: 1.0 }, 0.0),
        ("{ kind = \"step\", every = 3 }", Curve::Step { every: 3, factor: 0.1 }, 0.0),
        ("{ kind = \"exponential\", factor = 0.9 }", Curve::Exponential { factor: 0.9 }, 0.0),
        ("{ kind = \"linear\" }", Curve::Linear { from: 0.0 }, 0.0),
        ("{ kind = \"linear\", from = 0.3 }", Curve::Linear { from: 0.3 }, 0.0),
        ("{ kind = \"cosine\", warmup = 0.1 }", Curve::Cosine, 0.1),
        ("{ kind = \"one-cycle\" }", one_cycle, 0.0),
    ] {
        let config = parse(&with(&format!("schedule = {table}"))).unwrap();
        assert_eq!(config.training.schedule, Schedule { curve, warmup });
        let text = config.to_toml().unwrap();
        assert_eq!(text.contains("warmup = 0.1\n"), warmup == 0.1, "{text}");
        assert_eq!(text.contains("warmup"), warmup > 0.0, "{text}");
        assert_eq!(parse(&text).unwrap(), config, "{text}");
    }
}
