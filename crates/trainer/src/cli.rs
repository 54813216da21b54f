//! The command line, as it is typed. Ranges are checked where flags and recipe
//! files have become one, in `config.rs`, so that both give the same errors.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use nn::{Activation, Init, Optimizer, Schedule};
use serde::Deserialize;
use serde::de::value::Error as NameError;
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::recipe;

/// Trains a neural network on MNIST and says how good it is.
///
/// Without a command it trains: `trainer --epochs 5` is `trainer train --epochs
/// 5`. Each run leaves a directory with its settings, a line of metrics for each
/// epoch, a summary and the model.
#[derive(Debug, Parser)]
#[command(
    name = "trainer",
    version,
    args_conflicts_with_subcommands = true,
    after_help = recipe::help()
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    train: TrainArgs,
}

impl Cli {
    /// What to do; to train, if nothing was said.
    pub(crate) fn command(self) -> Command {
        self.command.unwrap_or(Command::Train(self.train))
    }
}

#[derive(Debug, Subcommand)]
// One value in the whole life of the program: its size does not matter.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Command {
    /// Train a network and test it once, at the end
    #[command(after_help = recipe::help())]
    Train(TrainArgs),
    /// Test a saved model again
    Eval(EvalArgs),
}

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// Recipe to begin with; the other flags override it [default: default]
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    pub(crate) recipe: Option<String>,

    /// Recipe file to begin with, such as the config.toml of a run, which
    /// repeats that run
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) overrides: Overrides,

    /// Directory of the run: a new one, or an empty one
    /// [default: runs/RECIPE-TIME, in UTC]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,

    /// Threads, 1 to 1024; the result has the same bits for any number
    /// [default: as many as the machine runs at once]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,

    /// Print nothing but errors (and the summary, with --json)
    #[arg(long, help_heading = "Output")]
    pub(crate) quiet: bool,

    /// Print the summary as one JSON object on stdout, and nothing else there
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// The flags that replace a field of the recipe.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Settings that override the recipe")]
pub(crate) struct Overrides {
    /// Folder of the four MNIST files (IDX, raw or .gz), from the current
    /// directory; raw files are mapped, so let nobody change them meanwhile
    /// [default: data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,

    /// Share of the training images to hold out and to report on after each
    /// epoch, at least 0 and below 1; 0 holds out none
    #[arg(long, value_name = "FRACTION", allow_negative_numbers = true)]
    pub(crate) validation: Option<f64>,

    /// Units of the hidden layers, first to last, such as 100,50: each 1 to
    /// 65536; none for no hidden layer
    #[arg(long, value_name = "UNITS", value_parser = hidden)]
    pub(crate) hidden: Option<Hidden>,

    /// Activation of the hidden layers: tanh, sigmoid or relu
    #[arg(long, value_name = "NAME", value_parser = named::<Activation>)]
    pub(crate) activation: Option<Activation>,

    /// Distribution of the initial weights: uniform, fan-in, xavier,
    /// xavier-normal, he or he-normal
    #[arg(long, value_name = "NAME", value_parser = named::<Init>)]
    pub(crate) init: Option<Init>,

    /// Passes over the training images, 1 to 1000000
    #[arg(long, value_name = "N")]
    pub(crate) epochs: Option<usize>,

    /// Images of a training step, at least 1
    #[arg(long, value_name = "N")]
    pub(crate) batch_size: Option<usize>,

    /// Learning rate at the start, above 0
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub(crate) lr: Option<f32>,

    /// How the learning rate changes from epoch to epoch: constant, linear,
    /// cosine, inverse-time:DECAY or compounding:DECAY, with a decay of at least 0
    #[arg(long, value_name = "KIND", value_parser = schedule)]
    pub(crate) schedule: Option<Schedule>,

    /// How a step moves the parameters: sgd, nesterov, adagrad, rmsprop, adadelta,
    /// adam or adamw, with its usual parameters unless it is the recipe's; it
    /// wants an --lr of its own, such as 0.001 with adam
    #[arg(long, value_name = "NAME")]
    pub(crate) optimizer: Option<Optimizer>,

    /// Momentum of sgd and nesterov, at least 0 and below 1
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    pub(crate) momentum: Option<f32>,

    /// Factor λ of the penalty ½λ‖W‖² on the weights, or the weight decay of
    /// adamw, at least 0
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    pub(crate) l2: Option<f32>,

    /// Share of the hidden units dropped in each step, at least 0 and below 1
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub(crate) dropout: Option<f32>,

    /// Share of the pixels dropped in each step, at least 0 and below 1
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub(crate) input_dropout: Option<f32>,

    /// Seed of the initial weights, the order of the images, what is held out
    /// and what is dropped: 0 to 2^63 - 1
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// Model to test: the model.safetensors of a run
    #[arg(long, value_name = "FILE")]
    pub(crate) model: PathBuf,

    /// Folder of the MNIST files (IDX, raw or .gz), from the current directory;
    /// raw files are mapped, so let nobody change them meanwhile
    #[arg(long, value_name = "DIR", default_value = crate::data::DEFAULT_DIR)]
    pub(crate) data: PathBuf,

    /// Threads, 1 to 1024 [default: as many as the machine runs at once]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,

    /// Print the result as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Units of the hidden layers. A type of its own, because clap takes a bare
/// `Vec` for a flag that may be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hidden(pub(crate) Vec<usize>);

fn hidden(text: &str) -> Result<Hidden, String> {
    if text.trim().is_empty() || text.trim() == "none" {
        return Ok(Hidden(Vec::new()));
    }
    let units = text.split(',').map(|part| {
        part.trim()
            .parse()
            .map_err(|_| format!("`{part}` is no number of units: write 100,50 or none"))
    });
    Ok(Hidden(units.collect::<Result<_, _>>()?))
}

/// Reads a name as recipe files do, so that `nn` alone knows the names.
fn named<T: DeserializeOwned>(name: &str) -> Result<T, String> {
    T::deserialize(name.into_deserializer()).map_err(|error: NameError| error.to_string())
}

/// `kind` or `kind:decay`: the table that a recipe has, on one line.
fn schedule(text: &str) -> Result<Schedule, String> {
    let (kind, decay) = match text.split_once(':') {
        None => (text, None),
        Some((kind, decay)) => {
            let number = decay.parse::<f64>();
            (kind, Some(number.map_err(|_| format!("`{decay}` is no number"))?))
        }
    };
    let mut table = toml::Table::from_iter([("kind".to_owned(), kind.into())]);
    if let Some(decay) = decay {
        table.insert("decay".to_owned(), decay.into());
    }
    let schedule = Schedule::deserialize(table).map_err(|error| match decay {
        None if error.message().contains("decay") => {
            format!("{kind} takes a decay: write {kind}:0.01")
        }
        _ => error.message().to_owned(),
    })?;
    let decays = matches!(schedule, Schedule::InverseTime { .. } | Schedule::Compounding { .. });
    if decay.is_some() && !decays {
        return Err(format!("{kind} takes no decay"));
    }
    Ok(schedule)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        <Cli as CommandFactory>::command().debug_assert();
    }

    #[test]
    fn train_is_the_default_command() {
        for line in [&["trainer", "--seed", "7"][..], &["trainer", "train", "--seed", "7"]] {
            let Command::Train(args) = Cli::parse_from(line).command() else {
                panic!("{line:?} does not train");
            };
            assert_eq!(args.overrides.seed, Some(7));
        }
    }

    #[test]
    fn lists_of_units() {
        assert_eq!(hidden("100,50"), Ok(Hidden(vec![100, 50])));
        assert_eq!(hidden(" 100, 50"), Ok(Hidden(vec![100, 50])));
        assert_eq!(hidden(""), Ok(Hidden(vec![])));
        assert_eq!(hidden("none"), Ok(Hidden(vec![])));
        for wrong in ["100,", "a", "-1", "1.5", "100;50"] {
            assert!(hidden(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_are_those_of_recipe_files() {
        assert_eq!(named("relu"), Ok(Activation::Relu));
        for (init, name) in Init::ALL {
            assert_eq!(named(name), Ok(init));
        }
        let error = named::<Activation>("selu").unwrap_err();
        assert!(error.contains("`selu`") && error.contains("`tanh`"), "{error}");
    }

    #[test]
    fn schedules() {
        assert_eq!(schedule("constant"), Ok(Schedule::Constant));
        assert_eq!(schedule("linear"), Ok(Schedule::Linear));
        assert_eq!(schedule("cosine"), Ok(Schedule::Cosine));
        let decay = 0.01;
        assert_eq!(schedule("inverse-time:0.01"), Ok(Schedule::InverseTime { decay }));
        assert_eq!(schedule("compounding:0.01"), Ok(Schedule::Compounding { decay }));
        for (wrong, part) in [
            ("inverse-time", "inverse-time:0.01"),
            ("linear:0.1", "takes no decay"),
            ("step", "`linear`"),
            ("compounding:x", "`x` is no number"),
        ] {
            let error = schedule(wrong).unwrap_err();
            assert!(error.contains(part), "{wrong}: {error}");
        }
    }
}
