//! The commands of the program. To add one, add a file that has its arguments, its
//! help and its `run`, and a row to each list here.

mod eval;
mod train;

use std::ffi::OsString;

use clap::{CommandFactory, Parser, Subcommand};

use crate::error::Error;
use crate::process::Process;
use crate::settings;

#[derive(Debug, Subcommand)]
// The program has one value of this type: its size does not matter.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Command {
    Train(train::Args),
    Eval(eval::Args),
}

impl Command {
    pub(crate) fn run(&self, process: &Process) -> Result<(), Error> {
        match self {
            Self::Train(args) => train::run(args, process),
            Self::Eval(args) => eval::run(args, process),
        }
    }
}

/// Trains a neural network on MNIST and says how good it is
///
/// Without a command it trains: `trainer --epochs 5` is `trainer train --epochs 5`.
/// Each run leaves a directory with its settings, a line of metrics for each epoch, a
/// summary and the model.
///
/// The brackets after the help of a setting have its key in recipe files, the values
/// that it takes, and the default: the value that a recipe without the key gets.
#[derive(Debug, Parser)]
#[command(name = "trainer", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    train: train::Args,
}

/// Reads a command line, of which the first word is the program's name. Where it is
/// wrong, or asks for help, clap's error says what to print.
pub(crate) fn parse(line: &[OsString]) -> Result<Command, clap::Error> {
    match Cli::try_parse_from(line) {
        Ok(cli) => Ok(cli.command.unwrap_or(Command::Train(cli.train))),
        // Only `train` has settings, and it has no name of its own on most lines.
        Err(error) if names_other_command(line) => Err(error),
        Err(error) => Err(settings::suggest(error)),
    }
}

/// Whether the first argument is a command, but not `train`.
fn names_other_command(line: &[OsString]) -> bool {
    let commands = Cli::command();
    let mut others = commands.get_subcommands().filter(|command| command.get_name() != "train");
    others.any(|command| line.get(1).is_some_and(|word| word == command.get_name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
