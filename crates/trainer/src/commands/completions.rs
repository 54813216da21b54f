//! `trainer completions`: a script with which a shell completes command lines.

use clap::builder::{PossibleValuesParser, ValueHint};
use clap::{Arg, Command};
use clap_complete::Shell;

use crate::error::Error;
use crate::process::Process;
use crate::settings::all;
use crate::{help, recipe, streams};

const EXAMPLES: &str = "\
Examples:
  trainer completions bash > ~/.local/share/bash-completion/completions/trainer
  trainer completions zsh > ~/.zfunc/_trainer
  trainer completions fish > ~/.config/fish/completions/trainer.fish";

/// Print a script with which a shell completes command lines
///
/// The shell reads it when it starts: the examples write it where it is looked for. (For
/// zsh, ~/.zfunc must be in fpath.)
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = help::after(EXAMPLES))]
pub(crate) struct Args {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(crate) fn run(args: &Args, _: &Process) -> Result<(), Error> {
    let mut program = with_values(super::definition());
    let names: Vec<_> = program.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    for name in names {
        program = program.mut_subcommand(name, with_values);
    }
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut program, "trainer", &mut script);
    streams::print(String::from_utf8_lossy(&script).trim_end())
}

/// Adds what the flags take, which the program checks in its own words.
fn with_values(command: Command) -> Command {
    command.mut_args(|arg| {
        if arg.get_id() == "recipe" {
            return arg.value_parser(PossibleValuesParser::new(recipe::names()));
        }
        let is_its = |flag: &str| arg.get_id() == flag;
        let setting = all().find(|setting| setting.flag.is_some_and(|(flag, _)| is_its(flag)));
        let names = setting.map(|setting| setting.kind.names()).unwrap_or_default();
        if !names.is_empty() {
            return arg.value_parser(PossibleValuesParser::new(names));
        }
        let hint = hint(&arg);
        arg.value_hint(hint)
    })
}

/// What kind of path the value of a flag is, by the word that the help has for it.
fn hint(arg: &Arg) -> ValueHint {
    let word = arg.get_value_names().and_then(|names| names.first());
    match word.map(|word| &**word) {
        Some("FILE") => ValueHint::FilePath,
        Some("DIR" | "RUN") => ValueHint::DirPath,
        Some("DATA" | "MODEL" | "INPUT" | "PATH") => ValueHint::AnyPath,
        _ => ValueHint::Unknown,
    }
}
