//! The command line, as it is typed. Ranges are checked where flags and recipe
//! files have become one, in `config.rs`, so that both give the same errors.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use nn::{Activation, DropoutKind, Init, Monitor, Optimizer, Schedule};

use crate::recipe;

mod values;

pub(crate) use values::{ClassWeightsFlag, ElasticFlag, Hidden, OrNone};
use values::{class_weights, elastic, hidden, named, or_none, schedule};

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

    /// Activation of the hidden layers: tanh, sigmoid, relu, leaky-relu, elu, gelu,
    /// silu or maxout; with a parameter leaky-relu:SLOPE, elu:ALPHA or maxout:PIECES,
    /// such as maxout:3
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

    /// How the learning rate changes: constant, compounding:DECAY,
    /// inverse-time:DECAY, step:EPOCHS,factor=FACTOR, exponential:FACTOR,
    /// linear:FROM, cosine or one-cycle, as recipes have them (docs/formats.md);
    /// behind each may stand warmup=SHARE, as in cosine:warmup=0.1
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

    /// Share of each label that is spread over all classes, at least 0 and below 1,
    /// such as 0.1
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub(crate) label_smoothing: Option<f32>,

    /// How many times an image of each class counts in the loss: a list with one
    /// number a class, such as 1,1,2.5; balanced, so that all classes count alike; or
    /// none
    #[arg(
        long,
        value_name = "WEIGHTS",
        value_parser = class_weights,
        allow_hyphen_values = true
    )]
    pub(crate) class_weights: Option<ClassWeightsFlag>,

    /// Factor λ of the penalty ½λ‖W‖² on the weights, or the weight decay of
    /// adamw, at least 0
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    pub(crate) l2: Option<f32>,

    /// Factor of the penalty on the weights' sizes, which makes weights 0, at
    /// least 0; with --l2 it is the elastic net
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    pub(crate) l1: Option<f32>,

    /// Norm that the gradient of a step is clipped to, above 0
    #[arg(long, value_name = "NORM", allow_negative_numbers = true)]
    pub(crate) clip_norm: Option<f32>,

    /// Validate and save the exponential moving average of the weights, of which a
    /// step leaves this share, at least 0 and below 1, such as 0.999
    #[arg(long, value_name = "DECAY", allow_negative_numbers = true)]
    pub(crate) average: Option<f32>,

    /// Length that the weights of a unit are scaled down to after each step, if
    /// they are longer, above 0
    #[arg(long, value_name = "NORM", allow_negative_numbers = true)]
    pub(crate) max_norm: Option<f32>,

    /// Normalise what goes into the activations over so many images of a batch at a
    /// time, at least 2; 0 or none does not
    #[arg(long, value_name = "ROWS", value_parser = or_none)]
    pub(crate) batch_norm: Option<OrNone>,

    /// Share of the hidden units dropped in each step, at least 0 and below 1
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub(crate) dropout: Option<f32>,

    /// Share of the pixels dropped in each step, at least 0 and below 1
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub(crate) input_dropout: Option<f32>,

    /// What dropout multiplies by: bernoulli, which is 0 or a constant, or gaussian,
    /// normal numbers of the same mean and variance
    #[arg(long, value_name = "KIND", value_parser = named::<DropoutKind>)]
    pub(crate) dropout_kind: Option<DropoutKind>,

    /// Standard deviation of the noise on what goes into the activations in each
    /// step, at least 0
    #[arg(long, value_name = "SIGMA", allow_negative_numbers = true)]
    pub(crate) noise: Option<f32>,

    /// Standard deviation of the noise on the pixels, which are 0 to 1, in each
    /// step, at least 0
    #[arg(long, value_name = "SIGMA", allow_negative_numbers = true)]
    pub(crate) input_noise: Option<f32>,

    /// Stop after so many epochs without improvement on the held-out images, at
    /// least 1, and give back the best network; 0 or none trains to the end
    #[arg(long, value_name = "EPOCHS", value_parser = or_none)]
    pub(crate) patience: Option<OrNone>,

    /// What --patience watches: accuracy or loss
    #[arg(long, value_name = "NAME", value_parser = named::<Monitor>)]
    pub(crate) monitor: Option<Monitor>,

    /// What counts as improvement for --patience: more than this, at least 0
    #[arg(long, value_name = "DIFFERENCE", allow_negative_numbers = true)]
    pub(crate) min_delta: Option<f64>,

    /// Shear all images back by the lean of their ink and move it to the middle; the
    /// model remembers that it takes such images
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub(crate) deskew: Option<bool>,

    /// Shift every training image anew in each epoch, by up to so many pixels
    /// along each axis, 0 to 1024
    #[arg(long, value_name = "PIXELS", allow_negative_numbers = true)]
    pub(crate) shift: Option<f32>,

    /// Shift by whole pixels only
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub(crate) whole_pixels: Option<bool>,

    /// Rotate the training images by up to so many degrees, 0 to 180
    #[arg(long, value_name = "DEGREES", allow_negative_numbers = true)]
    pub(crate) rotate: Option<f32>,

    /// Stretch or shrink each axis of the training images by up to this share, at
    /// least 0 and below 1
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub(crate) scale: Option<f32>,

    /// Shear the training images by up to this share, 0 to 1
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub(crate) shear: Option<f32>,

    /// Bend the training images: noise of up to so many pixels, 0 to 1000,
    /// smoothed by a Gaussian of SIGMA pixels, 0.1 to 1000 [sigma: 4, unless the
    /// recipe has another]; such as 20 or 20:4
    #[arg(
        long,
        value_name = "PIXELS[:SIGMA]",
        value_parser = elastic,
        allow_hyphen_values = true
    )]
    pub(crate) elastic: Option<ElasticFlag>,

    /// Seed of the initial weights, the order of the images, what is held out,
    /// what is dropped, noise and how images are augmented: 0 to 2^63 - 1
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
    fn help_has_every_name() {
        let command = <Cli as CommandFactory>::command();
        for (flag, names) in [
            ("activation", Activation::ALL.map(|row| row.1).to_vec()),
            ("init", Init::ALL.map(|row| row.1).to_vec()),
            ("optimizer", Optimizer::ALL.map(|row| row.1).to_vec()),
        ] {
            let arg = command.get_arguments().find(|arg| arg.get_id() == flag).unwrap();
            let help = arg.get_help().unwrap().to_string();
            let words: Vec<_> = help.split(|c: char| !c.is_ascii_lowercase() && c != '-').collect();
            for name in names {
                assert!(words.contains(&name), "--{flag}: no {name} in {help}");
            }
        }
    }
}
