//! Trains a network on MNIST from the command line, and says how good it is.
//!
//! This crate owns the loop around the others: it reads the command line and the
//! recipes, maps the data, lends the network its threads, and writes what came
//! of it to a run directory. The mathematics is in `nn`.

#![deny(unsafe_code)] // The one line with a reason for it is in `data.rs`.

mod augment;
mod cli;
mod config;
mod data;
mod error;
mod evaluate;
mod pool;
mod recipe;
mod report;
mod run_dir;
mod summary;
mod train;

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use cli::{Cli, Command};
use error::Error;

fn main() -> ExitCode {
    let started = Instant::now();
    match run(Cli::parse(), started) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not `eprintln!`, which panics when stderr is closed.
            let line = error.to_string().replace(['\n', '\r'], " ");
            let _ = writeln!(std::io::stderr(), "error: {line}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli, started: Instant) -> Result<(), Error> {
    // First of all, so that an instruction set that the CPU lacks is an error
    // before anything was read or written.
    let isa = kernels::Isa::active()?;
    match cli.command() {
        Command::Train(args) => train::train(&args, isa, started),
        Command::Eval(args) => evaluate::evaluate(&args, isa, started),
    }
}
