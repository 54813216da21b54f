//! The commands of the program. To add one, add a file that has its arguments, its
//! help and its `run`, and a row to each list here.

mod completions;
mod doctor;
mod crossval;
mod eval;
mod export;
mod inspect;
mod man;
mod lr_find;
mod predict;
mod report;
mod runs;
mod serve;
mod sweep;
mod train;

use std::ffi::OsString;
use std::path::Path;
use std::sync::LazyLock;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::error::Error;
use crate::process::Process;
use crate::{help, settings};
pub(crate) use serve::{json_again, json_lines_again};
pub(crate) use sweep::of_texts as sweep_of_texts;

/// The table of exit codes, for `--help`. `Error::code` says which error has which.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    the work is done
  1    it failed: data, a model, a file or the training itself
  2    the settings are wrong: command line, recipe or environment
  129  stopped by the end of its terminal
  130  stopped by an interrupt, Ctrl-C
  143  stopped by a request to terminate";

#[derive(Debug, Subcommand)]
// The program has one value of this type: its size does not matter.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Command {
    Train(train::Args),
    Predict(predict::Args),
    Eval(eval::Args),
    Inspect(inspect::Args),
    Export(export::Args),
    Report(report::Args),
    Runs(runs::Args),
    Serve(serve::Args),
    LrFind(lr_find::Args),
    Crossval(crossval::Args),
    Sweep(sweep::Args),
    Doctor(doctor::Args),
    Completions(completions::Args),
    Man(man::Args),
}

impl Command {
    /// The name of a command that no ranks share.
    pub(crate) fn of_one_process(&self) -> Option<&'static str> {
        Some(match self {
            Self::Train(_) | Self::Crossval(_) | Self::Sweep(_) => return None,
            Self::Predict(_) => "predict",
            Self::Eval(_) => "eval",
            Self::Inspect(_) => "inspect",
            Self::Export(_) => "export",
            Self::Report(_) => "report",
            Self::Runs(_) => "runs",
            Self::Serve(_) => "serve",
            Self::LrFind(_) => "lr-find",
            Self::Doctor(_) => "doctor",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
        })
    }

    pub(crate) fn run(&self, process: &Process) -> Result<(), Error> {
        match self {
            Self::Train(args) => train::run(args, process),
            Self::Predict(args) => predict::run(args, process),
            Self::Eval(args) => eval::run(args, process),
            Self::Inspect(args) => inspect::run(args, process),
            Self::Export(args) => export::run(args, process),
            Self::Report(args) => report::run(args, process),
            Self::Runs(args) => runs::run(args, process),
            Self::Serve(args) => serve::run(args, process),
            Self::LrFind(args) => lr_find::run(args, process),
            Self::Doctor(args) => doctor::run(args, process),
            Self::Crossval(args) => crossval::run(args, process),
            Self::Sweep(args) => sweep::run(args, process),
            Self::Completions(args) => completions::run(args, process),
            Self::Man(args) => man::run(args, process),
        }
    }
}

/// Trains a neural network on images or a table, tests it, and predicts with it
///
/// Without a command it trains: `trainer --epochs 5` is `trainer train --epochs 5`.
/// Each run leaves a directory with its settings, a line of metrics for each epoch, a
/// summary and the model.
///
/// The flags here are the usual ones; `trainer train --help` has the others, and what
/// each of them takes. `trainer COMMAND --help` is the help of a command.
#[derive(Debug, Parser)]
#[command(name = "trainer", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    train: train::Args,
}

/// What a command line wants.
#[derive(Debug)]
// The program has one value of this type: its size does not matter.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Line {
    Work(Command),
    /// Help or the version, which prints itself.
    Help(clap::Error),
}

/// Reads a command line, of which the first word is the program's name.
///
/// # Errors
/// A line that no command takes.
pub(crate) fn parse(line: &[OsString]) -> Result<Line, Error> {
    let matches = PROGRAM.clone().try_get_matches_from(join_values(line));
    match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => {
            let command = cli.command.unwrap_or(Command::Train(cli.train));
            if let Command::Train(train::Args { location: Some(word), .. }) = &command {
                check_word(word)?;
            }
            Ok(Line::Work(command))
        }
        Err(error) if error.use_stderr() => Err(usage(&error, line)),
        Err(help) => Ok(Line::Help(help)),
    }
}

/// A word that is no command names data to train on. One that names nothing, and is no path by
/// its looks, was meant to be something else.
fn check_word(word: &Path) -> Result<(), Error> {
    let text = word.to_string_lossy();
    if word.exists() || text.contains(['/', '\\', '.', '~']) {
        return Ok(());
    }
    let names = command_names();
    let near = settings::nearest_names(&text, &names);
    let meant = match near.first() {
        Some(command) if *command == text => {
            format!("the command {command} comes once, before all flags")
        }
        Some(command) => format!("did you mean the command {command}?"),
        None => format!(
            "there is no file or folder of this name to train on, and the commands are {}",
            alternatives(&names)
        ),
    };
    Err(Error::Usage(format!("unexpected word '{text}': {meant}")))
}

/// The names of the commands, without that of help.
fn command_names() -> Vec<&'static str> {
    let names = PROGRAM.get_subcommands().map(clap::Command::get_name);
    names.filter(|name| *name != "help").collect()
}

/// Joins each flag to a value that begins with one dash, which clap would take for a
/// flag: `--epochs -5` becomes `--epochs=-5`. A short flag, such as -q, is none.
fn join_values(line: &[OsString]) -> Vec<OsString> {
    let takes_value = |word: &OsString| {
        let name = word.to_str().and_then(|word| word.strip_prefix("--"));
        let takes = |arg: &Arg| arg.get_long() == name && arg.get_action().takes_values();
        name.is_some()
            && PROGRAM.get_subcommands().any(|command| command.get_arguments().any(takes))
    };
    let is_short = |bytes: &[u8]| {
        let [b'-', letter] = bytes else { return false };
        let letter = char::from(*letter);
        let mut commands = std::iter::once(&*PROGRAM).chain(PROGRAM.get_subcommands());
        commands.any(|command| command.get_arguments().any(|arg| arg.get_short() == Some(letter)))
    };
    let mut joined: Vec<OsString> = Vec::new();
    for word in line {
        let bytes = word.as_encoded_bytes();
        let one_dash = bytes.starts_with(b"-") && !bytes.starts_with(b"--") && !is_short(bytes);
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

/// The program and its commands, with their arguments. It is made once: the table of
/// settings, with its help and the recipes, is much to put together.
static PROGRAM: LazyLock<clap::Command> = LazyLock::new(|| {
    let mut cli = definition();
    cli.build();
    cli
});

/// The flags of training that the help of the program itself shows; that of `train` has all.
const USUAL: [&str; 22] = [
    "location",
    "recipe",
    "config",
    "set",
    "target",
    "validation",
    "hidden",
    "epochs",
    "batch-size",
    "lr",
    "optimizer",
    "patience",
    "seed",
    "out",
    "name",
    "resume",
    "no_test",
    "quiet",
    "json",
    "threads",
    "help",
    "version",
];

/// The program and its commands, before clap adds what each of them has.
fn definition() -> clap::Command {
    let is_usual = |arg: &Arg| USUAL.contains(&arg.get_id().as_str());
    let show = |arg: Arg| match is_usual(&arg) {
        // Without the list of keys.
        true if arg.get_id() == "set" => arg
            .long_help("Set any key of a recipe, such as training.lr=0.003; the last value counts"),
        true => arg,
        false => arg.hide_short_help(true).hide_long_help(true),
    };
    Cli::command()
        .mut_args(show)
        .after_help(help::EXAMPLES)
        .after_long_help(help::after(help::EXAMPLES))
        // As wide as the terminal, and no wider than a person reads well.
        .max_term_width(80)
}

/// clap's error, which has several lines, as one. Where a word is wrong, it says what
/// was probably meant.
fn usage(error: &clap::Error, line: &[OsString]) -> Error {
    let program = &*PROGRAM;
    // `train` has no name of its own on most lines.
    let first = line.get(1).and_then(|word| word.to_str());
    let command = program.find_subcommand(first.unwrap_or_default()).unwrap_or(program);
    let text = error.render().to_string();
    let names = command_names();
    // clap took for data what was meant to be a command.
    if let ErrorKind::UnknownArgument = error.kind()
        && !names.contains(&first.unwrap_or_default())
    {
        let words = line.iter().skip(1).map(Path::new);
        let command = |word: &&Path| names.iter().any(|name| Path::new(name) == *word);
        let begins = first.filter(|word| !word.starts_with('-')).map(Path::new);
        if let Some(Err(wrong)) = begins.or(words.clone().find(command)).map(check_word) {
            return wrong;
        }
    }
    // Nor is a model data.
    if error.kind() == ErrorKind::MissingRequiredArgument
        && let Some(model) = line.iter().skip(2).map(Path::new).find(|word| is_model(word))
    {
        let model = model.display();
        return Error::Usage(format!("unexpected word '{model}': did you mean --model {model}?"));
    }
    if let Some(word) = stray_word(&text, &names) {
        let required = command.get_arguments().find(|arg| arg.is_required_set());
        let near = settings::nearest_names(word, &names);
        let meant = match (required.and_then(Arg::get_long), near.first()) {
            (Some(flag), _) => format!("did you mean --{flag} {word}?"),
            (None, Some(command)) => format!("did you mean the command {command}?"),
            (None, None) => {
                format!("expected a flag, or first the command {}", alternatives(&names))
            }
        };
        return Error::Usage(format!("unexpected word '{word}': {meant}"));
    }
    if let (ErrorKind::UnknownArgument, Some(ContextValue::String(flag))) =
        (error.kind(), error.get(ContextKind::InvalidArg))
    {
        let flags: Vec<_> = command.get_arguments().filter_map(Arg::get_long).collect();
        let meant = settings::unknown_flag(flag, &flags);
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

/// Whether a path is that of a model by its looks, or of a run that has one.
fn is_model(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "safetensors")
        || path.join("model.safetensors").is_file()
}

/// Names in a sentence: `train, eval or inspect`.
fn alternatives(names: &[&str]) -> String {
    match names {
        [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => names.concat(),
    }
}

/// The word that is neither a flag, a value nor the command of its line, if clap's error
/// is about one.
fn stray_word<'a>(error: &'a str, commands: &[&str]) -> Option<&'a str> {
    let starts = ["error: unrecognized subcommand '", "error: unexpected argument '"];
    let rest = starts.iter().find_map(|start| error.strip_prefix(start));
    // After flags, clap takes a first word for a command.
    let rest = rest.or_else(|| error.strip_prefix("error: the subcommand '"))?;
    let word = rest.split('\'').next()?;
    let is_flag = word.starts_with('-') && word != "-";
    let is_command = rest.contains("cannot be used with") && commands.contains(&word);
    (!is_flag && !is_command).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        definition().debug_assert();
    }
}
