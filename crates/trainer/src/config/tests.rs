//! Recipes, flags over them, and what is written of both.

use clap::Parser;
use nn::{ClassWeights, Curve, Schedule};

use super::*;
use crate::cli::{Cli, Command};

fn resolve(flags: &[&str]) -> Result<Config, Error> {
    let line = ["trainer"].iter().chain(flags);
    match Cli::parse_from(line).command() {
        Command::Train(args) => Config::resolve(&args),
        Command::Eval(_) => unreachable!("no flag says eval"),
    }
}

/// A recipe that says as little as it may.
const SHORT: &str = "[network]\nhidden = [3]\nactivation = \"tanh\"\ninit = \"xavier\"\n";

#[test]
fn flags_override_the_recipe_and_nothing_else() {
    let mut expected = recipe::find("article").unwrap();
    expected.network.hidden = vec![512, 512];
    expected.training.batch_size = 128;
    expected.training.lr = 0.25;
    let flags = "--recipe article --hidden 512,512 --batch-size 128 --lr 0.25";
    let found = resolve(&flags.split(' ').collect::<Vec<_>>()).unwrap();
    assert_eq!(found, expected);
}

#[test]
fn every_flag_arrives() {
    let flags = "--data d --validation 0.25 --deskew --hidden none --activation sigmoid --init uniform \
                 --epochs 3 --batch-size 5 --lr 0.5 --schedule inverse-time:0.25 \
                 --shift 2.5 --whole-pixels --rotate 10 --scale 0.5 --shear 0.75 --elastic 20:6 \
                 --optimizer nesterov --momentum 0.75 --l1 0.25 --l2 0.125 --max-norm 2.5 \
                 --average 0.5 --clip-norm 1.5 --dropout 0.375 --input-dropout 0.0625 \
                 --dropout-kind gaussian --noise 0.25 --input-noise 0.5 --batch-norm 20 \
                 --patience 3 --monitor loss --min-delta 0.125 --label-smoothing 0.125 \
                 --class-weights 1,0.5 --seed 9";
    let found = resolve(&flags.split_whitespace().collect::<Vec<_>>()).unwrap();
    let Data { dir, validation, deskew } = found.data;
    assert_eq!((dir, validation, deskew), (PathBuf::from("d"), 0.25, true));
    assert!(found.network.hidden.is_empty());
    assert_eq!(found.network.activation, Activation::Sigmoid);
    assert_eq!(found.network.init, Init::Uniform);
    let augment = Distortion {
        shift: 2.5,
        whole_pixels: true,
        rotate: 10.0,
        scale: 0.5,
        shear: 0.75,
        elastic: mnist_io::Elastic { displacement: 20.0, sigma: 6.0 },
    };
    assert_eq!(found.augment, augment);
    let kind = nn::DropoutKind::Gaussian;
    let monitor = nn::Monitor::Loss;
    let training = Fit {
        epochs: 3,
        batch_size: 5,
        lr: 0.5,
        schedule: Curve::InverseTime { decay: 0.25 }.into(),
        optimizer: Optimizer::Nesterov { momentum: 0.75 },
        l1: 0.25,
        l2: 0.125,
        max_norm: Some(2.5),
        average: Some(Average { decay: 0.5 }),
        clip_norm: Some(1.5),
        dropout: nn::Dropout { hidden: 0.375, input: 0.0625, kind },
        noise: nn::Noise { hidden: 0.25, input: 0.5 },
        batch_norm: Some(BatchNorm { rows: 20, ..BatchNorm::default() }),
        early_stopping: Some(EarlyStopping { patience: 3, monitor, min_delta: 0.125 }),
        label_smoothing: 0.125,
        class_weights: Some(ClassWeights::Each(vec![1.0, 0.5])),
        seed: 9,
        ..Fit::default()
    };
    assert_eq!(found.training, training);
}

#[test]
fn an_optimizer_of_another_kind_brings_its_own_parameters() {
    let optimizer = |flags: &str| {
        let flags: Vec<_> = flags.split_whitespace().collect();
        resolve(&flags).map(|config| config.training.optimizer)
    };
    for (known, name) in Optimizer::ALL {
        let found = optimizer(&format!("--recipe plain --optimizer {name}")).unwrap();
        // Momentum is what the recipe has.
        let expected = if name == "sgd" { Optimizer::Sgd { momentum: 0.9 } } else { known };
        assert_eq!(found, expected);
    }
    let momentum = 0.5;
    for (flags, expected) in [
        ("--recipe plain --momentum 0.5", Optimizer::Sgd { momentum }),
        ("--recipe plain --momentum 0.5 --optimizer nesterov", Optimizer::Nesterov { momentum }),
    ] {
        assert_eq!(optimizer(flags).unwrap(), expected);
    }
    for name in ["adagrad", "rmsprop", "adadelta", "adam", "adamw"] {
        let error = optimizer(&format!("--optimizer {name} --momentum 0.5")).unwrap_err();
        assert!(error.to_string().contains(&format!("the optimizer is {name}: ")), "{error}");
    }
}

#[test]
fn flags_change_a_part_of_a_table_or_take_it_away() {
    let text = format!(
        "{SHORT}[data]\nvalidation = 0.25\n[training]\n\
         batch-norm = {{ rows = 10, momentum = 0.5 }}\n\
         early-stopping = {{ patience = 7, monitor = \"loss\" }}\n"
    );
    let recipe = Config::parse(&text, "x.toml", "x").unwrap().training;
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
        let line = ["trainer"].into_iter().chain(flags.split(' '));
        let Command::Train(args) = Cli::parse_from(line).command() else { unreachable!() };
        let mut config = Config::parse(&text, "x.toml", "x").unwrap();
        config.lay_over(&args.overrides).unwrap();
        config.validate().unwrap();
        let expected = Fit { batch_norm, early_stopping, ..recipe.clone() };
        assert_eq!(config.training, expected, "{flags}");
    }
}

#[test]
fn no_flag_is_the_default_recipe() {
    assert_eq!(resolve(&[]).unwrap(), recipe::find("default").unwrap());
}

#[test]
fn a_recipe_may_be_short() {
    let found = Config::parse(SHORT, "short.toml", "short").unwrap();
    assert_eq!(found.recipe, "short");
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
    let mut config = Config::parse(&text, "x.toml", "x").unwrap();
    let elastic = mnist_io::Elastic { displacement: 0.1, sigma: 5.0 };
    let expected = Distortion { shift: 1.5, whole_pixels: true, elastic, ..Distortion::default() };
    assert_eq!(config.augment, expected);
    let written = config.to_toml().unwrap();
    assert!(written.contains("displacement = 0.1\n"), "f32 as it was typed: {written}");
    assert_eq!(Config::parse(&written, "config.toml", "config").unwrap(), config);

    let line = ["trainer", "--elastic", "7", "--whole-pixels=false"];
    let Command::Train(args) = Cli::parse_from(line).command() else { unreachable!() };
    config.lay_over(&args.overrides).unwrap();
    let elastic = mnist_io::Elastic { displacement: 7.0, sigma: 5.0 };
    assert_eq!(config.augment, Distortion { whole_pixels: false, elastic, ..expected });
}

#[test]
fn what_is_written_reads_back_the_same() {
    for name in ["plain", "article"] {
        let mut config = recipe::find(name).unwrap();
        config.data.validation = 0.1;
        config.training.l1 = 1e-5;
        config.training.l2 = 1e-4;
        config.training.clip_norm = Some(1.5);
        config.training.max_norm = Some(2.1);
        config.training.average = Some(Average { decay: 0.9 });
        config.training.seed = i64::MAX as u64;
        let text = config.to_toml().unwrap();
        assert!(text.contains("lr = 0.1\n"), "f32 as it was typed: {text}");
        assert!(text.contains("validation = 0.1\n"), "{text}");
        config.description.clear();
        // The name is in the file, and wins over that of the file.
        let back = Config::parse(&text, "config.toml", "config").unwrap();
        assert_eq!(back, config);
    }
}

#[test]
fn every_optimizer_reads_back_the_same() {
    let read = |table: &str| {
        let text = format!("{SHORT}[training]\noptimizer = {table}\n");
        Config::parse(&text, "x.toml", "x").unwrap()
    };
    for (optimizer, name) in Optimizer::ALL {
        let config = read(&format!("{{ kind = \"{name}\" }}"));
        assert_eq!(config.training.optimizer, optimizer);
        let text = config.to_toml().unwrap();
        assert_eq!(Config::parse(&text, "config.toml", "config").unwrap(), config, "{text}");
    }
    let found = read("{ kind = \"adamw\", beta2 = 0.95, epsilon = 1e-6 }");
    let expected = Optimizer::Adamw { beta1: 0.9, beta2: 0.95, epsilon: 1e-6 };
    assert_eq!(found.training.optimizer, expected);
    let text = found.to_toml().unwrap();
    assert!(text.contains("beta2 = 0.95\n"), "f32 as it was typed: {text}");
    assert_eq!(Config::parse(&text, "config.toml", "config").unwrap(), found, "{text}");
}

#[test]
fn smoothing_and_class_weights_read_back_the_same() {
    for (value, weights) in
        [("\"balanced\"", ClassWeights::Balanced), ("[0.1, 2]", ClassWeights::Each(vec![0.1, 2.0]))]
    {
        let text = format!("{SHORT}[training]\nlabel-smoothing = 0.1\nclass-weights = {value}\n");
        let config = Config::parse(&text, "x.toml", "x").unwrap();
        assert_eq!(config.training.label_smoothing, 0.1);
        assert_eq!(config.training.class_weights, Some(weights));
        let text = config.to_toml().unwrap();
        assert!(text.contains("label-smoothing = 0.1\n"), "f32 as it was typed: {text}");
        assert_eq!(Config::parse(&text, "config.toml", "config").unwrap(), config, "{text}");
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
        let text = format!("{SHORT}[training]\nschedule = {table}\n");
        let config = Config::parse(&text, "x.toml", "x").unwrap();
        assert_eq!(config.training.schedule, Schedule { curve, warmup });
        let text = config.to_toml().unwrap();
        assert_eq!(text.contains("warmup = 0.1\n"), warmup == 0.1, "{text}");
        assert_eq!(text.contains("warmup"), warmup > 0.0, "{text}");
        assert_eq!(Config::parse(&text, "config.toml", "config").unwrap(), config, "{text}");
    }
}

#[test]
fn errors_of_files_are_one_line_with_its_number() {
    let with = |line: &str| format!("{SHORT}[training]\n{line}\n");
    for (text, expected) in [
        (with("rate = 1"), "x.toml, line 6: unknown field `rate`, expected one of `epochs`"),
        (with("epochs = \"ten\""), "x.toml, line 6: invalid type: string \"ten\", expected usize"),
        (with("epochs = ["), "x.toml, line "),
        (format!("{SHORT}[augment]\nturn = 1\n"), "x.toml, line 6: unknown field `turn`"),
        (with("schedule = { kind = \"stair\" }"), "x.toml, line 6: unknown variant `stair`"),
        (
            with("schedule = { kind = \"cosine\", decay = 0.1 }"),
            "x.toml, line 6: unknown field `decay`",
        ),
        (
            with("class-weights = \"even\""),
            "x.toml, line 6: invalid value: string \"even\", expected a list of numbers, one a \
             class, or \"balanced\"",
        ),
        (with("optimizer = { kind = \"adma\" }"), "x.toml, line 6: unknown variant `adma`"),
        (
            with("optimizer = { kind = \"adam\", momentum = 0.9 }"),
            "x.toml, line 6: unknown field `momentum`, expected one of `beta1`",
        ),
        ("[network]\nhidden = [3]".into(), "x.toml, line 1: missing"),
        (
            SHORT.replace("tanh", "selu"),
            "x.toml, line 3: `selu` is no activation: expected one of tanh,",
        ),
        ("colour = 1".into(), "x.toml, line 1: unknown field"),
    ] {
        let error = Config::parse(&text, "x.toml", "x").unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn ranges() {
    for (flags, expected) in [
        ("--epochs 0", "number of epochs is 0: expected 1 to 1000000"),
        ("--hidden 5,0", "units of a hidden layer is 0: expected 1 to 65536"),
        ("--validation 1", "validation fraction is 1: expected"),
        ("--validation -0.1", "validation fraction is -0.1: expected"),
        ("--validation nan", "validation fraction is NaN: expected"),
        ("--seed 9223372036854775808", "seed is 9223372036854775808"),
    ] {
        let error = resolve(&flags.split(' ').collect::<Vec<_>>()).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}
