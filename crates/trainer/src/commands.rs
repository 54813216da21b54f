//! The commands of the program. To add one, add a file that has its arguments, its
//! help and its `run`, and a row to each list here.

mod eval;
mod train;

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, CommandFactory, Parser, Subcommand};

use crate::error::Error;
use crate::process::Process;
use crate::{report, settings};

/// The table of exit codes, for `--help`. `Error::code` says which error has which.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    the work is done
  1    it failed: data, a model, a file or the training itself
  2    the settings are wrong: command line, recipe or environment
  130  stopped by an interrupt, Ctrl-C
  143  stopped by a request to terminate";

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

/// Reads a command line, of which the first word is the program's name. Nothing is left
/// to do where it asks for help or for the version: they are printed here.
///
/// # Errors
/// A line that no command takes.
pub(crate) fn parse(line: &[OsString]) -> Result<Option<Command>, Error> {
    match Cli::try_parse_from(join_values(line)) {
        Ok(cli) => Ok(Some(cli.command.unwrap_or(Command::Train(cli.train)))),
        Err(error) if error.use_stderr() => Err(usage(&error, line)),
        Err(help) => report::written(help.print()).map(|()| None),
    }
}

/// Joins each flag to a value that begins with one dash, which clap would take for a
/// flag: `--epochs -5` becomes `--epochs=-5`.
fn join_values(line: &[OsString]) -> Vec<OsString> {
    let takes_value = |word: &OsString| {
        let name = word.to_str().and_then(|word| word.strip_prefix("--"));
        let takes = |arg: &Arg| arg.get_long() == name && arg.get_action().takes_values();
        name.is_some() && commands().iter().any(|command| command.get_arguments().any(takes))
    };
    let mut joined: Vec<OsString> = Vec::new();
    for word in line {
        let bytes = word.as_encoded_bytes();
        let one_dash = bytes.starts_with(b"-") && !bytes.starts_with(b"--") && bytes != b"-h";
        match joined.last_mut() {
            Some(flag) if one_dash && takes_value(flag) => {
                flag.push("=");
                flag.push(word);
            }
            _ => joined.push(word.clone()),
        }
    }
    joined
}

/// The commands, with their arguments.
fn commands() -> Vec<clap::Command> {
    let mut cli = Cli::command();
    cli.build();
    cli.get_subcommands().filter(|command| command.get_name() != "help").cloned().collect()
}

/// clap's error, which has several lines, as one. Where a word is wrong, it says what
/// was probably meant.
fn usage(error: &clap::Error, line: &[OsString]) -> Error {
    let commands = commands();
    let names: Vec<_> = commands.iter().map(clap::Command::get_name).collect();
    // `train` has no name of its own on most lines.
    let first = names.iter().find(|name| line.get(1).is_some_and(|word| word == **name));
    let name = first.copied().unwrap_or("train");
    let text = error.render().to_string();
    if let Some(word) = stray_word(&text).filter(|word| !names.contains(word)) {
        let meant = match settings::nearest_names(word, &names).first() {
            _ if name == "eval" => format!("did you mean --model {word}?"),
            Some(command) => format!("did you mean the command {command}?"),
            None => format!("expected a flag, or first the command {}", names.join(" or ")),
        };
        return Error::Usage(format!("unexpected word '{word}': {meant}"));
    }
    if let (ErrorKind::UnknownArgument, Some(ContextValue::String(flag))) =
        (error.kind(), error.get(ContextKind::InvalidArg))
    {
        let command = commands.iter().find(|command| command.get_name() == name);
        let flags: Vec<_> = command.into_iter().flat_map(flags_of).collect();
        let meant = settings::unknown_flag(flag, &flags, name == "train");
        let meant = meant.map_or_else(String::new, |meant| format!(": {meant}"));
        return Error::Usage(format!("there is no flag {flag}{meant}"));
    }
    let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("For more information"));
    let parts: Vec<_> = lines
        .map(|line| line.trim_start_matches("error: ").trim_start_matches("tip: "))
        .map(|line| line.trim_end_matches(':'))
        .collect();
    Error::Usage(parts.join(": "))
}

fn flags_of(command: &clap::Command) -> impl Iterator<Item = &str> {
    command.get_arguments().filter_map(Arg::get_long)
}

/// The word that is neither a flag nor a value, if clap's error is about one.
fn stray_word(error: &str) -> Option<&str> {
    let starts = [
        "error: unrecognized subcommand '",
        "error: the subcommand '",
        "error: unexpected argument '",
    ];
    let rest = starts.iter().find_map(|start| error.strip_prefix(start))?;
    rest.split('\'').next().filter(|word| !word.starts_with('-') || *word == "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
