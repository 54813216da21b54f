//! Recipe files that build on a recipe of the program.

use nn::{Average, BatchNorm, Optimizer};

use super::{edited, notes, parse, source};
use crate::config::*;
use crate::settings::COMPLETE;

fn built_in(name: &str) -> Config {
    let source = recipe::base(name).unwrap();
    Config::new(&source, &Edits::default()).unwrap().0
}

#[test]
fn a_recipe_and_one_key_are_a_whole_file() {
    for name in recipe::names() {
        let file = parse(&format!("recipe = \"{name}\"\n[training]\nseed = 99\n")).unwrap();
        let mut expected = built_in(name);
        expected.training.seed = 99;
        assert_eq!(file, expected, "{name}");
    }
    // Nothing at all is the documented defaults.
    let nothing = parse("").unwrap();
    assert_eq!(nothing.network, Network::default());
    assert_eq!((nothing.training, nothing.data), (Fit::default(), Data::default()));
}

/// What a file changes is what the same flags change.
#[test]
fn a_file_changes_a_recipe_as_flags_do() {
    for (name, file, flags) in [
        ("default", "[network]\nhidden = [50]", "--hidden 50"),
        ("default", "[training]\nbatch-norm = \"none\"", "--batch-norm none"),
        ("default", "[training]\nbatch-norm = { rows = 50 }", "--batch-norm 50"),
        ("default", "[training]\nbatch-norm.rows = 50", "--batch-norm 50"),
        ("default", "[augment]\nrotate = 3.0", "--rotate 3"),
        ("best", "[augment]\nelastic = { sigma = 5.0 }", "--set augment.elastic.sigma=5"),
        ("best", "[training]\naverage = \"none\"", "--average none"),
        ("best", "[training]\nmax-norm = 3.0", "--max-norm 3"),
        ("dropout", "[training]\nmax-norm = \"none\"", "--max-norm none"),
        ("dropout", "[training]\ndropout = { hidden = 0.25 }", "--dropout 0.25"),
        // The parameters of the old kind are gone, and another optimizer has its own rate.
        ("dropout", "[training.optimizer]\nkind = \"adam\"", "--optimizer adam"),
        ("best", "[training]\noptimizer.kind = \"sgd\"\nlr = 0.3", "--optimizer sgd --lr 0.3"),
        ("best", "[training]\nschedule = { kind = \"cosine\" }", "--schedule cosine"),
        (
            "plain",
            "[data]\nvalidation = 0.25\n[training]\nearly-stopping = { patience = 3 }",
            "--validation 0.25 --patience 3",
        ),
    ] {
        let file = format!("recipe = \"{name}\"\n{file}\n");
        let expected = edited(&format!("recipe = \"{name}\""), flags).unwrap();
        assert_eq!(parse(&file).unwrap(), expected, "{file}");
        assert_ne!(expected, built_in(name), "{flags} changes nothing");
    }
    let text = "recipe = \"plain\"\n[training]\naverage = {}";
    let average = parse(text).unwrap().training.average;
    assert_eq!(average, Some(Average::default()), "a table of defaults turns it on");
}

#[test]
fn flags_come_after_the_file_and_the_file_after_the_recipe() {
    let file = "recipe = \"default\"\n[training]\nlr = 0.5\nepochs = 2\n";
    let config = edited(file, "--epochs 3 --set training.seed=8").unwrap();
    let expected = Fit { epochs: 3, lr: 0.5, seed: 8, ..built_in("default").training };
    assert_eq!(config.training, expected);
    assert_eq!(config.recipe, "default");
}

#[test]
fn what_runs_leave_is_whole() {
    let mut config = built_in("default");
    config.training.batch_norm = None;
    let text = crate::run_dir::written(&config).unwrap();
    assert_eq!(parse(&text).unwrap().training, config.training, "{text}");
    assert!(text.contains("\ncomplete = true\n"), "{text}");
    // Without the line, the same text would build on the recipe.
    let base = parse(&text.replace("complete = true\n", "")).unwrap();
    assert_eq!(base.training.batch_norm, built_in("default").training.batch_norm);
    assert_ne!(base.training.batch_norm, Option::<BatchNorm>::None);
    let file = "recipe = \"default\"\ntraining.batch-norm = \"none\"";
    let written = crate::settings(file, &[]).unwrap();
    assert_eq!(crate::settings(&written, &[]), Ok(written), "the same when it is read again");
    // It is no setting.
    assert!(edited("", &format!("--set {COMPLETE}=true")).is_err());
    let error = parse("complete = 1").unwrap_err().to_string();
    assert_eq!(error, "x.toml, line 1: complete is 1: expected true or false");
}

#[test]
fn other_names_are_names_and_slips_are_errors() {
    let own = parse("recipe = \"mine\"").unwrap();
    assert_eq!((own.recipe, own.training.optimizer), ("mine".to_owned(), Fit::default().optimizer));
    assert_eq!(notes("recipe = \"mine\"", ""), [""; 0]);
    let slip = "seed = 1\nrecipe = \"defualt\"".replace("seed", "training.seed");
    assert_eq!(
        parse(&slip).unwrap_err().to_string(),
        "x.toml, line 2: recipe is \"defualt\": there is no such recipe to build on: did you mean \
         default? To keep the name, and build on none, write complete = true"
    );
    assert!(parse("recipe = \"defaults\"").is_err());
    for own in ["article-tuned", "best2"] {
        assert_eq!(parse(&format!("recipe = \"{own}\"")).unwrap().recipe, own);
    }
    let kept = parse(&format!("complete = true\n{slip}")).unwrap();
    assert_eq!((&*kept.recipe, kept.network), ("defualt", Network::default()));
    let rate = notes("recipe = \"default\"\n[training]\noptimizer.kind = \"sgd\"", "");
    assert_eq!(rate.len(), 1, "{rate:?}");
    assert!(rate[0].starts_with("the learning rate is 0.1, which is usual for sgd"), "{rate:?}");
    let optimizer = Optimizer::Sgd { momentum: 0.0 };
    let file = source("recipe = \"default\"\n[training]\noptimizer.kind = \"sgd\"");
    assert_eq!(Config::new(&file, &Edits::default()).unwrap().0.training.optimizer, optimizer);
}

#[test]
fn a_file_that_forgot_its_recipe_is_told() {
    let told = |text: &str| {
        notes(text, "").iter().any(|note| {
            note.starts_with("x.toml names no recipe") && note.contains("recipe = \"default\"")
        })
    };
    let (network, training) = ("[network]\nhidden = [8]\n", "[training]\nepochs = 3\n");
    for text in ["", network, training, "data.validation = 0.1\ntraining.seed = 4"] {
        assert!(told(text), "{text}");
        assert!(!told(&format!("complete = true\n{text}")), "{text}");
        assert!(!told(&format!("recipe = \"mine\"\n{text}")), "{text}");
        assert!(!told(&format!("recipe = \"best\"\n{text}")), "{text}");
    }
    assert!(!told(&format!("{network}{training}")), "a recipe of its own");
}

/// An error names the file, or the recipe beneath it, and the line.
#[test]
fn errors_say_whose_line_it_is() {
    for (file, expected) in [
        (
            "recipe = \"default\"\n[training]\nlr = -1",
            "x.toml, line 3: training.lr is -1: expected a finite number above 0, such as 0.003",
        ),
        (
            "recipe = \"default\"\n[training]\noptimizer.momentum = 0.5",
            "x.toml, line 3: training.optimizer.momentum is for sgd, nesterov and rmsprop, and \
             the optimizer is adam: leave it out, or choose one of them",
        ),
        (
            "recipe = \"default\"\n[training]\nschedule.kind = \"step\"",
            "x.toml, line 3: training.schedule.kind = step needs `every`: write every = 10",
        ),
    ] {
        assert_eq!(parse(file).unwrap_err().to_string(), expected, "{file}");
    }
}
