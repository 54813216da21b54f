//! `trainer predict`: what a saved model says of new samples.

mod answers;
mod inputs;
mod output;

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::error::Error;
use crate::help;
use crate::model::Model;
use crate::process::Process;
use crate::stop::Ending;
use crate::streams;
use answers::{Answers, Style};
use inputs::{Format, Input, Reader};
use output::Output;

const EXAMPLES: &str = "\
Examples:
  trainer predict -m runs/NAME photo.jpg --show
  trainer predict -m runs/NAME rows.csv --csv --output answers.csv
  head -100 rows.csv | trainer predict -m runs/NAME --json --proba";

/// Say what samples are: a class and its probability, or a value
///
/// An input is a picture (PNG, JPEG, PGM or PPM), a folder of pictures, IDX images, a
/// table (CSV, TSV or JSON lines) with the columns that the model was trained on, in any
/// order, or a dash for standard input. There is a line for each sample on stdout:
/// its name, its class with the probability, and the second most probable class.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = help::after(EXAMPLES))]
pub(crate) struct Args {
    /// What to predict; without one it is standard input
    #[arg(value_name = "INPUT")]
    inputs: Vec<PathBuf>,

    /// Model: a model.safetensors, or the directory of a run
    #[arg(short, long, value_name = "MODEL")]
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
    /// It appears when all of them are in it, in place of an old file of this name. Of several
    /// inputs it has those that could be predicted as a whole. A dash is standard output.
    #[arg(short, long, value_name = "FILE")]
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
    if let Some(path) = target
        && model.is_file(path)
    {
        let path = path.display();
        return Err(Error::Usage(format!("--output {path} is the model: name another file")));
    }
    // A file in the making must not stay, and an input may pause for long. Without one, a signal
    // ends the process by itself.
    let ending = target.map(|_| Ending::listen()).transpose().map_err(Error::Signals)?;
    let mut output = Output::new(target)?;
    if let Some(ending) = ending {
        let part = output.part().map(Path::to_owned);
        ending.tidy(move || drop(part.map(fs::remove_file))).map_err(Error::Signals)?;
    }
    let whole = output.part().is_some();
    let answered = answer(&model, style, args, &inputs, &mut output, process);
    let (target, old) = (target.filter(|_| whole), target.is_some_and(Path::exists));
    let failed = match (answered, target) {
        (Ok(failed), None) => failed,
        (Ok(failed), Some(_)) if failed < inputs.len() => failed,
        (answered, target) => {
            if let Some(path) = target {
                let what = if old { "is what it was before" } else { "was not written" };
                streams::notes(&[format!("{} {what}", path.display())]);
            }
            answered?
        }
    };
    if failed < inputs.len() || !whole {
        output.finish()?;
    }
    let all = inputs.len();
    match (failed, target) {
        (0, _) => Ok(()),
        (_, Some(path)) if failed < all => {
            let kept = format!("; {} has the answers of the others", path.display());
            Err(Error::SomeInputs { failed, all, kept })
        }
        _ => Err(Error::SomeInputs { failed, all, kept: String::new() }),
    }
}

/// Writes the answers for all inputs, of which some may fail if there are several. Gives the
/// number of these.
fn answer(
    model: &Model,
    style: Style,
    args: &Args,
    inputs: &[Input],
    output: &mut Output,
    process: &Process,
) -> Result<usize, Error> {
    let mut answers = Answers::new(model, style, process.isa, output)?;
    let reader = Reader { model, format: args.format, transpose: args.transpose };
    let mut failed = 0;
    for input in inputs {
        match reader.read(input, &mut |batch| answers.batch(batch)) {
            Ok(notes) => {
                answers.output().keep();
                streams::notes(&notes);
            }
            // Nobody reads on.
            Err(Error::Stdout(error)) if error.kind() == io::ErrorKind::BrokenPipe => break,
            Err(error @ (Error::Stdout(_) | Error::Io { action: "write", .. })) => {
                return Err(error);
            }
            // One of many is no reason to leave out the others.
            Err(error) if inputs.len() > 1 => {
                answers.output().leave_out()?;
                streams::failure(&error);
                failed += 1;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(failed)
}
