//! Trains a network on MNIST from the command line, and says how good it is.
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

mod augment;

mod pool;

mod process;

mod run_dir;

mod stop;

mod health;

mod report;

mod summary;

mod error;

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use error::Error;
use process::Process;

fn main() -> ExitCode {
    match run(Instant::now()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not `eprintln!`, which panics when stderr is closed.
            let line = error::one_line(&error.to_string());
            let _ = writeln!(std::io::stderr(), "{}: {line}", error.label());
            ExitCode::from(error.code())
        }
    }
}

fn run(started: Instant) -> Result<(), Error> {
    let line: Vec<_> = std::env::args_os().collect();
    let Some(command) = commands::parse(&line)? else { return Ok(()) };
    // Before all else, so that an instruction set that the CPU lacks is an error
    // before the program reads or writes anything.
    let isa = kernels::Isa::active()?;
    command.run(&Process { isa, started })
}
