//! `trainer predict`: what a saved model says of new samples.

mod answers;
mod inputs;
mod output;

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::model::Model;
use crate::process::Process;
use crate::report;
use crate::stop::Stop;
use answers::{Answers, Style};
use inputs::{Batch, Format, Input, Reader};
use output::Output;

/// Say what samples are: a class and its probability, or a value
///
/// An input is a picture (PNG, JPEG, PGM or PPM), a folder of pictures, IDX images, a
/// table (CSV, TSV or JSON lines) with the columns that the model was trained on, in any
/// order, or a dash for standard input. There is a line for each sample on stdout:
/// its name, its class with the probability, and the second most probable class.
#[derive(Debug, clap::Args)]
#[command(after_help = super::EXIT_CODES)]
pub(crate) struct Args {
    /// What to predict; without one it is standard input
    #[arg(value_name = "INPUT")]
    inputs: Vec<PathBuf>,

    /// Model: a model.safetensors, or the directory of a run
    #[arg(long, value_name = "MODEL")]
    model: PathBuf,

    /// What the inputs are: auto, picture, idx, table or raw
    ///
    /// By itself it is what their first bytes look like. Raw are pixels without a header,
    /// a byte each, one image after another.
    #[arg(long, value_name = "FORMAT", default_value = "auto", hide_default_value = true)]
    format: Format,

    /// Exchange rows and columns of IDX and raw images
    #[arg(long)]
    transpose: bool,

    /// Print a JSON object for each sample
    #[arg(long, conflicts_with = "csv")]
    json: bool,

    /// Print CSV with a header
    #[arg(long)]
    csv: bool,

    /// With --json or --csv, the probability of every class too
    #[arg(long)]
    proba: bool,

    /// With --json, or as text, the K most probable classes
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u16).range(1..))]
    top: Option<u16>,

    /// Write the answers to a file
    ///
    /// It appears when all of them are in it. A file of this name is replaced. A dash is
    /// standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Draw what the network sees, on stderr
    #[arg(long)]
    show: bool,
}

pub(crate) fn run(args: &Args, process: &Process) -> Result<(), Error> {
    let model = Model::open(&args.model)?;
    let style = Style::new(&model, args)?;
    let inputs = Input::all(&args.inputs, &model)?;
    let target = args.output.as_deref().filter(|path| *path != Path::new("-"));
    if let Some(path) = target
        && inputs.iter().any(|input| input.is_file(path))
    {
        let path = path.display();
        return Err(Error::Usage(format!("--output {path} is an input: name another file")));
    }
    // A file in the making must not stay. Where there is none, a signal ends the process.
    let stop = target.map(|_| Stop::listen()).transpose().map_err(Error::Signals)?;
    let mut output = Output::new(target)?;
    let mut answers = Answers::new(&model, style, process.isa, &mut output)?;
    let reader = Reader { model: &model, format: args.format, transpose: args.transpose };
    let mut failed = 0;
    for input in &inputs {
        let mut answer = |batch: Batch<'_>| match stop.as_ref().and_then(Stop::signal) {
            Some(signal) => Err(Error::Interrupted { signal }),
            None => answers.batch(batch),
        };
        match reader.read(input, &mut answer) {
            Ok(notes) => report::notes(&notes),
            // Nobody reads on.
            Err(Error::Stdout(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                return Ok(());
            }
            Err(
                error @ (Error::Stdout(_)
                | Error::Io { action: "write", .. }
                | Error::Interrupted { .. }),
            ) => {
                return Err(error);
            }
            // One of many is no reason to leave out the others.
            Err(error) if inputs.len() > 1 => {
                report::failure(&error);
                failed += 1;
            }
            Err(error) => return Err(error),
        }
    }
    output.finish()?;
    if failed > 0 {
        return Err(Error::SomeInputs { failed, all: inputs.len() });
    }
    Ok(())
}
