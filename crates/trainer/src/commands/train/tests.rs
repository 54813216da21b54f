//! From a line of the command line to the settings of a run.

use nn::Optimizer;

use super::*;
use crate::commands::{self, Command, Line};

fn settings(flags: &str) -> Result<Config, Error> {
    let line: Vec<_> = ["trainer"].into_iter().chain(flags.split_whitespace()).collect();
    let line: Vec<_> = line.into_iter().map(Into::into).collect();
    let Line::Work(Command::Train(args)) = commands::parse(&line).unwrap() else {
        panic!("{flags}")
    };
    args.settings().map(|(config, _)| config)
}

fn built_in(name: &str) -> Config {
    settings(&format!("--recipe {name}")).unwrap()
}

#[test]
fn the_default_command_trains_the_default_recipe() {
    for line in ["", "train", "--recipe default", "train --recipe default"] {
        assert_eq!(settings(line).unwrap(), built_in("default"), "{line}");
    }
}

#[test]
fn flags_override_the_recipe_and_nothing_else() {
    let mut expected = built_in("article");
    expected.network.hidden = vec![512, 512];
    expected.training.batch_size = 128;
    expected.training.lr = 0.25;
    let flags = "--recipe article --hidden 512,512 --batch-size 128 --set training.lr=0.25";
    assert_eq!(settings(flags).unwrap(), expected);
}

#[test]
fn an_optimizer_of_another_kind_brings_its_own_parameters() {
    let optimizer = |flags: &str| settings(flags).map(|config| config.training.optimizer);
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
    for name in ["adagrad", "adadelta", "adam", "adamw"] {
        let error = optimizer(&format!("--optimizer {name} --momentum 0.5")).unwrap_err();
        assert!(error.to_string().contains(&format!("the optimizer is {name}: ")), "{error}");
    }
}
