//! `trainer` and `trainer train`.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{data, json, keys, metrics, model, names, run_in, succeed};

const SUMMARY: [&str; 37] = [
    "best_val_accuracy",
    "best_val_accuracy_epoch",
    "best_val_loss",
    "best_val_loss_epoch",
    "data",
    "ended",
    "epochs",
    "gflops",
    "held_out_samples",
    "isa",
    "kept_epoch",
    "layers",
    "notes",
    "parameters",
    "peak_rss_bytes",
    "recipe",
    "run",
    "samples_per_second",
    "saving_seconds",
    "seed",
    "sparsity",
    "status",
    "test_accuracy",
    "test_commonest",
    "test_errors",
    "test_loss",
    "test_samples",
    "threads",
    "time",
    "total_seconds",
    "train_accuracy",
    "train_loss",
    "train_samples",
    "train_seconds",
    "val_accuracy",
    "val_loss",
    "version",
];

#[test]
fn help_says_what_there_is() {
    let dir = data::folder();
    for flags in ["train --help", "train -h"] {
        let help = succeed(dir.path(), flags);
        for word in [
            "--recipe",
            "--config",
            "--set",
            "-o, --out",
            "--threads",
            "-q, --quiet",
            "--json",
            // Each heading has its settings: they come from one table.
            "Data:",
            "--validation",
            "Network:",
            "--hidden",
            "Training:",
            "--lr",
            "Regularisation:",
            "--dropout",
            "Augmentation of the training images:",
            "--elastic <PIXELS[:SIGMA]>",
            "Recipes:",
            "article",
        ] {
            assert!(help.contains(word), "{flags}: no {word} in {help}");
        }
    }
    let help = succeed(dir.path(), "train --help");
    let part = "[training.clip-norm: a finite number above 0, or none; default none]";
    assert!(help.contains(part), "no {part} in {help}");
    // The help of the program has the usual flags, and says where the others are.
    for flags in ["--help", "-h"] {
        let help = succeed(dir.path(), flags);
        for word in ["eval", "--epochs", "--out", "trainer train"] {
            assert!(help.contains(word), "{flags}: no {word} in {help}");
        }
        assert!(!help.contains("--elastic"), "{help}");
    }
    assert!(succeed(dir.path(), "eval --help").contains("--model"));
    assert!(succeed(dir.path(), "--version").starts_with("trainer "));
}

#[test]
fn a_run_leaves_its_six_files() {
    let dir = data::folder();
    let text = succeed(dir.path(), "--recipe plain --epochs 3 --out run");
    let run = dir.path().join("run");
    assert_eq!(
        names(&run),
        [
            "checkpoint.safetensors",
            "config.toml",
            "metrics.jsonl",
            "model.safetensors",
            "report.html",
            "summary.json"
        ]
    );

    let lines = metrics(&run);
    assert_eq!(lines.len(), 3);
    for (i, line) in lines.iter().enumerate() {
        assert_eq!(keys(line), ["epoch", "lr", "seconds", "step", "train_accuracy", "train_loss"]);
        assert_eq!(line["epoch"], i + 1);
        // 300 images in batches of 64 are five steps.
        assert_eq!(line["step"], 5 * (i + 1));
    }
    assert_eq!(lines[0]["lr"], 0.1);

    let summary = fs::read_to_string(run.join("summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(keys(&summary), SUMMARY);
    assert_eq!(summary["recipe"], "plain");
    assert_eq!(summary["layers"].as_array().unwrap()[0], 784);
    assert_eq!(summary["epochs"], 3);
    assert_eq!(summary["version"], env!("CARGO_PKG_VERSION"));
    let accuracy = summary["test_accuracy"].as_f64().unwrap();
    let errors = summary["test_errors"].as_u64().unwrap();
    assert!((accuracy - (100 - errors) as f64 / 100.0).abs() < 1e-12);
    assert_eq!(summary["sparsity"].as_array().unwrap().len(), 2);
    assert!(accuracy > 0.9, "bars are easily told apart: {summary}");
    let positive = ["train_seconds", "samples_per_second", "gflops"];
    assert!(positive.iter().all(|key| summary[*key].as_f64() > Some(0.0)));
    assert!(summary["total_seconds"].as_f64() >= summary["train_seconds"].as_f64());
    if cfg!(target_os = "linux") {
        assert!(summary["peak_rss_bytes"].as_u64() > Some(1 << 20));
    }

    for part in ["train loss", "test accuracy", "GFLOP/s", "--model run/model"] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert!(!text.contains("val loss"), "{text}");
}

#[test]
fn weights_of_0_are_counted_where_they_are_wanted() {
    let dir = data::folder();
    let text = succeed(dir.path(), "--recipe plain --epochs 2 --l1 0.01 --out run");
    assert!(text.contains("\nzero weights   "), "{text}");
    let summary = fs::read_to_string(dir.path().join("run/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    let first = summary["sparsity"][0].as_f64().unwrap();
    assert!(first > 0.5 && first < 1.0, "{first}");
    assert!(!succeed(dir.path(), "--epochs 1").contains("zero weights"));
}

#[test]
fn what_is_suggested_next_works() {
    let dir = data::folder();
    let text = succeed(dir.path(), "--epochs 1 --out run");
    // But for what the user has to name.
    let commands = text.lines().rev().take(3).filter(|line| !line.ends_with(" PICTURE"));
    let commands: Vec<_> = commands.collect();
    assert_eq!(commands.len(), 2);
    for command in commands {
        // The program was called by its path, so the line begins with it.
        let mut words = command.split_whitespace();
        let mut again = Command::new(words.next().unwrap());
        let output = again.args(words).current_dir(dir.path()).output().unwrap();
        assert!(output.status.success(), "{command}: {output:?}");
    }
}

#[test]
fn json_is_one_object_and_nothing_else() {
    let dir = data::folder();
    for flags in ["--json --epochs 2 --out loud", "--json --epochs 2 --out quiet --quiet"] {
        let summary = json(dir.path(), flags);
        assert_eq!(keys(&summary), SUMMARY);
    }
    let saved = fs::read_to_string(dir.path().join("quiet/summary.json")).unwrap();
    let saved: Value = serde_json::from_str(&saved).unwrap();
    assert_eq!(keys(&saved), SUMMARY);
}

#[test]
fn quiet_prints_where_the_run_is() {
    let dir = data::folder();
    let output = run_in(dir.path(), "train --quiet --epochs 1 --out run");
    assert!(output.status.success());
    assert_eq!((&*output.stdout, &*output.stderr), (&b"run\n"[..], &b""[..]));
    let run = succeed(dir.path(), "--quiet --epochs 1");
    assert!(run.starts_with("runs/default-") && run.ends_with('\n'), "{run}");
    assert!(dir.path().join(run.trim_end()).join("model.safetensors").is_file());
}

#[test]
fn patience_ends_a_run_and_gives_back_the_best_network() {
    let dir = data::folder();
    // No epoch is better than the first by that much.
    let flags = "--hidden 17 --validation 0.2 --min-delta 0.99 --monitor accuracy";
    let text = succeed(dir.path(), &format!("{flags} --epochs 20 --patience 2 --out stopped"));
    let stopped = dir.path().join("stopped");
    assert_eq!(metrics(&stopped).len(), 3);
    // What the run says to try next.
    let again = "--config stopped/config.toml --validation 0 --patience none";
    assert!(text.contains(again), "{text}");
    succeed(dir.path(), &format!("{again} --epochs 1 --quiet --out all"));
    assert_eq!(metrics(&dir.path().join("all")).len(), 1);

    let more = "--config stopped/config.toml --patience 15 --quiet --out more";
    succeed(dir.path(), more);
    assert_eq!(metrics(&dir.path().join("more")).len(), 16);
    assert!(model(&stopped) == model(&dir.path().join("more")), "both are of the first epoch");
}

#[test]
fn names_that_the_data_have_are_kept_with_the_model() {
    let dir = data::folder();
    succeed(dir.path(), "--epochs 1 --quiet --out nameless");
    let names: Vec<String> = (0..10).map(|class| format!("bar {class}")).collect();
    fs::write(dir.path().join("data/classes.txt"), names.join("\n")).unwrap();
    succeed(dir.path(), "--epochs 1 --quiet --out named");

    let names_of = |run: &str| {
        let network = nn::Mlp::load(dir.path().join(run).join("model.safetensors")).unwrap();
        network.class_names().map(<[String]>::to_vec)
    };
    assert_eq!(names_of("named").unwrap(), names);
    assert_eq!(names_of("nameless"), None);
    succeed(dir.path(), "eval --model named/model.safetensors");
}

#[test]
fn threads_do_not_change_a_bit() {
    let dir = data::folder();
    let models = [1, 2, 3, 7].map(|threads| {
        let flags = format!(
            "--threads {threads} --epochs 2 --hidden 40,20 --dropout 0.1 --validation 0.2 \
             --json --quiet --out run{threads}"
        );
        let summary = json(dir.path(), &flags);
        assert_eq!(summary["threads"], threads);
        model(&dir.path().join(format!("run{threads}")))
    });
    for other in &models[1..] {
        assert!(*other == models[0]);
    }
}

#[test]
fn augmented_images_train_the_same_model_everywhere_and_their_settings_repeat_it() {
    let dir = data::folder();
    let all = "--shift 1.5 --rotate 12 --scale 0.12 --shear 0.15 --elastic 20:4";
    let common = "--epochs 2 --hidden 40,20 --validation 0.2 --quiet";
    let mut models = Vec::new();
    let both = format!("--deskew {all}");
    let kinds = ["", "--shift 1.5", "--shift 1 --whole-pixels", all, "--deskew", &both];
    for (which, flags) in kinds.iter().enumerate() {
        let runs = [1, 2, 3].map(|threads| {
            let out = format!("run{which}-{threads}");
            succeed(dir.path(), &format!("{common} {flags} --threads {threads} --out {out}"));
            model(&dir.path().join(out))
        });
        assert!(runs.iter().all(|model| *model == runs[0]), "{flags}");
        for isa in kernels::Isa::available().into_iter().filter(|isa| isa.name() != "scalar") {
            let out = format!("run{which}-{isa}");
            let mut command = crate::trainer();
            command.current_dir(dir.path()).env("KERNELS_ISA", isa.name());
            command.args(format!("{common} {flags} --out {out}").split_whitespace());
            command.assert().success();
            assert!(model(&dir.path().join(out)) == runs[0], "{flags}: {isa}");
        }
        succeed(dir.path(), &format!("--config run{which}-1/config.toml --quiet --out x{which}"));
        assert!(model(&dir.path().join(format!("x{which}"))) == runs[0], "{flags}");
        assert!(!models.contains(&runs[0]), "{flags}: nothing changed");
        models.push(runs[0].clone());
    }
}

#[test]
fn validation_adds_its_figures() {
    let dir = data::folder();
    let text = succeed(dir.path(), "--validation 0.1 --epochs 2 --out run");
    assert!(text.contains("val loss"), "{text}");
    let lines = metrics(&dir.path().join("run"));
    assert_eq!(lines.len(), 2);
    for line in &lines {
        assert!(line["val_loss"].as_f64() > Some(0.0), "{line}");
        // 30 of the 300 images are held out.
        let right = line["val_accuracy"].as_f64().unwrap() * 30.0;
        assert!((right - right.round()).abs() < 1e-9, "{line}");
    }
}

#[test]
fn a_reader_that_goes_away_does_not_end_the_run() {
    let dir = data::folder();
    let mut child = Command::new(env!("CARGO_BIN_EXE_trainer"))
        .args(["--epochs", "3", "--out", "run"])
        .current_dir(dir.path())
        .env_remove("KERNELS_ISA")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut errors = String::new();
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_to_string(&mut errors).unwrap();
    assert!(child.wait().unwrap().success(), "{errors}");
    assert_eq!(errors, "");
    assert!(dir.path().join("run/summary.json").exists());
}

/// Products are chains in the order of k and all else goes lane by lane, so the
/// length of a vector does not show. (The scalar path has no fused multiply-add.)
#[test]
fn every_vector_instruction_set_trains_the_same_model() {
    let dir = data::folder();
    let runs = [
        ("tanh", "sgd"),
        ("sigmoid", "nesterov"),
        ("relu", "adagrad"),
        ("relu", "rmsprop"),
        ("relu", "adadelta"),
        ("relu", "adam"),
        ("relu", "adamw"),
        ("relu", "sgd"),
    ];
    for (activation, optimizer) in runs {
        let mut models = Vec::new();
        for isa in kernels::Isa::available().into_iter().filter(|isa| isa.name() != "scalar") {
            let out = format!("{activation}-{optimizer}-{isa}");
            let flags = format!(
                "--hidden 50,20 --activation {activation} --optimizer {optimizer} --lr 0.05 \
                 --epochs 2 --dropout 0.3 --l2 0.001 --l1 0.0001 --max-norm 1.5 \
                 --clip-norm 0.5 --average 0.9 --out {out}"
            );
            let mut command = crate::trainer();
            command.current_dir(dir.path()).env("KERNELS_ISA", isa.name());
            command.args(flags.split_whitespace()).assert().success();
            models.push(model(&dir.path().join(out)));
        }
        assert!(models.windows(2).all(|pair| pair[0] == pair[1]), "{activation}, {optimizer}");
    }
}

#[test]
fn smoothed_and_weighted_losses_train_the_same_model_everywhere() {
    let dir = data::folder();
    let recipe = |name: &str, training: &str| {
        let network = "hidden = [40]\nactivation = \"tanh\"\ninit = \"xavier\"";
        let text = format!("[network]\n{network}\n[training]\nepochs = 2\n{training}\n");
        fs::write(dir.path().join(name), text).unwrap();
    };
    let weights = "class-weights = [1, 2.5, 0, 1, 1, 3, 1, 1, 1, 0.5]";
    let mut models = Vec::new();
    for (which, training) in
        ["", "label-smoothing = 0.1", "class-weights = \"balanced\"", weights].iter().enumerate()
    {
        recipe("mine.toml", training);
        let mut runs = Vec::new();
        for isa in kernels::Isa::available().into_iter().filter(|isa| isa.name() != "scalar") {
            for threads in [1, 3] {
                let out = format!("run{which}-{isa}-{threads}");
                let mut command = crate::trainer();
                command.current_dir(dir.path()).env("KERNELS_ISA", isa.name());
                let flags = format!("--config mine.toml --quiet --threads {threads} --out {out}");
                command.args(flags.split_whitespace()).assert().success();
                runs.push(dir.path().join(out));
            }
        }
        let first = model(&runs[0]);
        assert!(runs.iter().all(|run| model(run) == first), "{training}");
        let settings = runs[0].join("config.toml");
        fs::copy(settings, dir.path().join("again.toml")).unwrap();
        succeed(dir.path(), &format!("--config again.toml --quiet --out again{which}"));
        assert!(model(&dir.path().join(format!("again{which}"))) == first, "{training}");
        assert!(!models.contains(&first), "{training}: nothing changed");
        models.push(first);
    }
}
