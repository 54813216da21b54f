//! `trainer man`: manual pages, made of the help.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Command;
use clap_mangen::Man;
use nn::files;

use crate::error::Error;
use crate::process::Process;
use crate::summary::VERSION;
use crate::{data, help, settings, streams};

const EXAMPLES: &str = "\
Examples:
  trainer man | man -l -                          read the page of the program
  trainer man predict > trainer-predict.1         that of a command
  trainer man --dir ~/.local/share/man/man1       write all of them";

/// Print a manual page, or write all of them
///
/// They say what --help says, in roff.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = help::after(EXAMPLES))]
pub(crate) struct Args {
    /// The command whose page it is [default: the program]
    #[arg(value_name = "COMMAND")]
    command: Option<String>,

    /// Write all pages into this folder, which is made if it does not exist
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    dir: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, _: &Process) -> Result<(), Error> {
    let mut program = super::definition().disable_help_subcommand(true);
    program.build();
    let commands: Vec<_> = program.get_subcommands().cloned().collect();
    let Some(dir) = args.dir.as_deref().map(data::home) else {
        let command = match &args.command {
            None => program,
            Some(name) => find(name, commands)?,
        };
        return streams::print(page(command)?.1.trim_end());
    };
    fs::create_dir_all(&dir).map_err(Error::io("make the directory", &dir))?;
    for command in std::iter::once(program).chain(commands) {
        let (name, text) = page(command)?;
        let path: PathBuf = Path::new(&*dir).join(name);
        files::write(&path, text.as_bytes()).map_err(Error::io("write", &path))?;
    }
    Ok(())
}

/// The command of this name.
fn find(name: &str, commands: Vec<Command>) -> Result<Command, Error> {
    let names: Vec<String> = commands.iter().map(|c| c.get_name().to_owned()).collect();
    commands.into_iter().find(|command| command.get_name() == name).ok_or_else(|| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let near = settings::nearest_names(name, &names);
        let meant = match near.first() {
            Some(near) => format!("did you mean {near}?"),
            None => format!("the commands are {}", super::alternatives(&names)),
        };
        Error::Usage(format!("there is no command '{name}': {meant}"))
    })
}

/// The file name of a page, and its text.
fn page(command: Command) -> Result<(String, String), Error> {
    let man = Man::new(command).manual("trainer").source(format!("trainer {VERSION}"));
    let mut text = Vec::new();
    man.render(&mut text).map_err(Error::Stdout)?;
    Ok((man.get_filename(), String::from_utf8_lossy(&text).into_owned()))
}
