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
    Ok((man.get_filename(), sections(&String::from_utf8_lossy(&text))))
}

/// What clap has of the end of the help, as roff fills it: lines that run together.
const EXTRA: &str = ".SH EXTRA\n";

/// Makes sections of the end of the help, with a paragraph for each of its rows: what is
/// left of two spaces, and what it means.
fn sections(page: &str) -> String {
    let Some((head, extra)) = page.split_once(EXTRA) else { return page.to_owned() };
    let mut text = head.to_owned();
    let mut lines = extra.lines();
    for line in lines.by_ref() {
        let row = line.trim_start();
        match (line.len() - row.len(), row.strip_suffix(':')) {
            // The next section of clap's own.
            _ if row.starts_with(".SH") => {
                text += &format!("{line}\n");
                break;
            }
            _ if row.is_empty() => (),
            (0, Some(heading)) => text += &format!(".SH \"{}\"\n", heading.to_uppercase()),
            (2, _) => {
                let (name, meaning) = row.split_once("  ").unwrap_or((row, ""));
                text += &format!(".TP\n\\fB{name}\\fR\n{}\n", meaning.trim_start());
            }
            // It goes on.
            _ => text += &format!("{row}\n"),
        }
    }
    lines.for_each(|line| text += &format!("{line}\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_help_is_sections_of_rows() {
        let page = ".SH OPTIONS\nx\n.SH EXTRA\nExamples:\n  trainer \\-\\-a   what it does\n  \
                    trainer\n\nExit codes:\n  0    done\n       and more\n.SH VERSION\nv1\n";
        let expected = ".SH OPTIONS\nx\n.SH \"EXAMPLES\"\n.TP\n\\fBtrainer \\-\\-a\\fR\nwhat it \
                        does\n.TP\n\\fBtrainer\\fR\n\n.SH \"EXIT CODES\"\n.TP\n\\fB0\\fR\ndone\nand \
                        more\n.SH VERSION\nv1\n";
        assert_eq!(sections(page), expected);
        assert_eq!(sections(".SH NAME\n"), ".SH NAME\n");
    }
}
