//! Trains a network on images or a table from the command line, tests it, and predicts
//! with it.
//!
//! [`main`] is the program. [`settings`] and [`settings_of_line`] are the part of it that
//! only reads settings, [`sweep`] that which reads the file of a sweep, and [`json`] and
//! [`json_lines`] those which read what `trainer serve` is sent, for programs that try texts
//! and command lines out.
//!
//! This crate owns the loop around the others: it reads the command line and the
//! recipes, maps the data, lends the network its threads, and writes the results to
//! a run directory. The mathematics is in `nn`.

#![deny(unsafe_code)] // The one line with a reason for it is in `data.rs`.

mod commands;

mod settings;

mod recipe;

mod config;

mod data;

mod model;

mod draw;

mod card;

mod page;

mod picture;

mod sets;

mod network;

mod trial;

mod look;

mod augment;

mod pool;

mod process;

mod ranks;

mod limits;

mod run_dir;

mod report;

mod interval;

mod stop;

mod health;

mod help;

mod streams;

mod progress;

mod braille;

mod words;

mod encode;

mod terminal;

mod untested;

mod summary;

mod error;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use commands::{Command, Line};
use config::Config;
use error::Error;
use process::Process;
use ranks::Ranks;
use settings::{Edits, Source};

/// The program: reads its command line, and does what that says.
#[must_use]
pub fn main() -> ExitCode {
    let started = Instant::now();
    let ranks: &'static Ranks = match Ranks::start() {
        // They live as long as the process.
        Ok(ranks) => Box::leak(Box::new(ranks)),
        Err(error) => return failed(&error),
    };
    let guard = ranks.guard();
    let code = match ranks.end(run(started, ranks)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    };
    ranks.leave();
    drop(guard);
    code
}

/// Prints what ends the program. Returns its exit code.
fn failed(error: &Error) -> ExitCode {
    // Rank 0 says why.
    if !matches!(error, Error::Led { .. }) {
        // Not `eprintln!`, which panics when stderr is closed.
        let line = error::one_line(&error.to_string());
        let next = error.next().map_or_else(String::new, |next| next + "\n");
        let _ = write!(std::io::stderr(), "{}: {line}\n{next}", error.label());
    }
    ExitCode::from(error.code())
}

fn run(started: Instant, ranks: &'static Ranks) -> Result<(), Error> {
    let line: Vec<_> = std::env::args_os().collect();
    let command = match commands::parse(&line)? {
        Line::Help(help) if ranks.is_first() => return streams::written(help.print()),
        Line::Help(_) => return Ok(()),
        Line::Work(command) => command,
    };
    // Before all else, so that an instruction set that the CPU lacks is an error
    // before the program reads or writes anything.
    let isa = kernels::Isa::active()?;
    match command.of_one_process() {
        Some(command) if !ranks.is_alone() => return Err(Error::NotShared { command }),
        Some(_) => (),
        None => ranks.check()?,
    }
    command.run(&Process { isa, started, ranks })
}

/// The `config.toml` of a run: the text of a recipe with the flags of a command line over
/// it, whose first word is the program's name. Nothing is trained and no file is read, not
/// even that of `--config`. For a line that asks for something else, such as another
/// command, it is empty.
///
/// # Errors
/// The line that the program would print.
pub fn settings_of_line(recipe: &str, line: &[OsString]) -> Result<String, String> {
    let args = match commands::parse(line) {
        Ok(Line::Work(Command::Train(args))) => args,
        Ok(_) => return Ok(String::new()),
        Err(error) => return Err(error::one_line(&error.to_string())),
    };
    config(recipe, &args.edits())
}

/// The `config.toml` of a run: the text of a recipe with changes over it, as `--set` takes
/// them.
///
/// # Errors
/// The line that the program would print.
pub fn settings(recipe: &str, sets: &[OsString]) -> Result<String, String> {
    config(recipe, &Edits::of_sets(sets))
}

/// What a sweep is to do: the text of its file, and that of the recipe file which its `[base]`
/// names with `config`, if it names one. Nothing is trained and no file is read. The texts that
/// come back are those that the directory of the sweep has, which are read to the same again.
///
/// ```
/// let file = "[base]\ntraining.epochs = 3\n[space]\ntraining.lr = [0.1, 0.2]";
/// let sweep = trainer::sweep(file, None)?;
/// assert_eq!(sweep.trials.len(), 2);
/// assert_eq!(sweep.trials[1]["training.lr"], "0.2");
/// assert_eq!(trainer::sweep(&sweep.file, Some(&sweep.base))?, sweep);
/// assert!(trainer::sweep(&sweep.file, None).is_err());
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
/// The line that the program would print.
pub fn sweep(file: &str, base: Option<&str>) -> Result<Sweep, String> {
    commands::sweep_of_texts(file, base).map_err(|error| error::one_line(&error.to_string()))
}

/// A [`sweep()`].
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub struct Sweep {
    /// Its file, whose `[base]` names the next one.
    pub file: String,
    /// The recipe file that all trials start from.
    pub base: String,
    /// The settings of each trial over it: keys and texts.
    pub trials: Vec<BTreeMap<String, String>>,
}

/// The body of a request to `trainer serve`, as it was read, in JSON.
///
/// ```
/// assert_eq!(trainer::json(b"[[1, null], {\"a\": 0.5}]")?, r#"{"rows":[[1,null],{"a":0.5}]}"#);
/// assert!(trainer::json(b"[[[]]]").unwrap_err().contains("expected a number, a text or null"));
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
/// What the client would be told.
pub fn json(body: &[u8]) -> Result<String, String> {
    commands::json_again(body).map_err(|reason| error::one_line(&reason))
}

/// The same for a body of JSON lines.
///
/// # Errors
/// What the client would be told.
pub fn json_lines(body: &[u8]) -> Result<String, String> {
    commands::json_lines_again(body).map_err(|reason| error::one_line(&reason))
}

fn config(recipe: &str, edits: &Edits) -> Result<String, String> {
    let (origin, name) = ("recipe.toml".to_owned(), "recipe".to_owned());
    let source = Source { text: recipe.to_owned(), origin, name, whole: false };
    let config = Config::new(&source, edits).and_then(|(config, _)| run_dir::written(&config));
    config.map_err(|error| error::one_line(&error.to_string()))
}
