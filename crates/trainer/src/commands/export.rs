//! `trainer export`: a saved model for other programs.

mod c;
mod npz;
mod onnx;
mod page;
mod portable;
mod pytorch;
mod quantised;
mod rust;
mod source;

use std::path::{Path, PathBuf};

use nn::files;

use crate::augment::Prepared;
use crate::data::{self, Location, labelled::Labelled};
use crate::error::Error;
use crate::help;
use crate::limits;
use crate::model::Model;
use crate::process::Process;
use crate::streams;
use portable::Portable;

const EXAMPLES: &str = "\
Examples:
  trainer export -m runs/NAME --onnx model.onnx
  trainer export -m runs/NAME --c model.c --int8 --data data";

/// Write a saved model for other programs
///
/// ONNX for ONNX Runtime and others, weights for PyTorch and NumPy, the whole network as a
/// source file of Rust or C that needs no library, or a page for a browser. Name one file or
/// several. What a model
/// does to raw data (scaling of pixels, standardised columns, categories) is in the ONNX and
/// source files; their outputs are probabilities and a class, or values in the units of the
/// target. Each file is written whole or not at all, and one of this name is replaced.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = help::after(EXAMPLES))]
pub(crate) struct Args {
    /// Model: a model.safetensors, or the directory of a run
    #[arg(short, long, value_name = "MODEL")]
    model: PathBuf,

    /// ONNX, opset 17, from raw data to probabilities or values
    #[arg(long, value_name = "FILE", help_heading = "Formats")]
    onnx: Option<PathBuf>,

    /// Safetensors with the names of torch.nn.Sequential
    ///
    /// docs/load_in_pytorch.py loads it.
    #[arg(long, value_name = "FILE", help_heading = "Formats")]
    pytorch: Option<PathBuf>,

    /// NumPy arrays W0, b0, W1, …, in an npz archive
    #[arg(long, value_name = "FILE", help_heading = "Formats")]
    npz: Option<PathBuf>,

    /// Rust source: no_std, no allocation, no dependency
    #[arg(long, value_name = "FILE", help_heading = "Formats")]
    rust: Option<PathBuf>,

    /// C99 source, without a library
    #[arg(long, value_name = "FILE", help_heading = "Formats")]
    c: Option<PathBuf>,

    /// A page for a browser, where one draws or fills in a row and sees the answer
    ///
    /// One HTML file with the network inside, which needs no server and no connection.
    #[arg(long, value_name = "FILE", help_heading = "Formats")]
    page: Option<PathBuf>,

    /// Rust and C: weights of eight bits, with a scale for each row
    ///
    /// A quarter of the size. With --data it says how many more samples are wrong.
    #[arg(long)]
    int8: bool,

    /// Samples with answers, to measure what --int8 loses: a folder or a file, as for eval
    ///
    /// Where the data have a part to test on, it is that.
    #[arg(long, value_name = "DATA")]
    data: Option<PathBuf>,
}

/// How the weights in a source file are written.
#[derive(Clone, Copy, PartialEq)]
enum Style {
    F32,
    Int8,
}

/// A row of the table of formats.
struct Format<'a> {
    flag: &'static str,
    path: Option<&'a Path>,
    /// What the file is, for the line that says that it was written.
    name: &'static str,
    /// Makes the bytes of the file.
    bytes: fn(&Portable<'_>, Style) -> Result<Vec<u8>, Error>,
    /// Whether it is source code, which may have weights of eight bits.
    source: bool,
}

impl Args {
    /// The table of formats. To add one, add a file, a flag and a row.
    fn formats(&self) -> [Format<'_>; 6] {
        [
            row("--onnx", self.onnx.as_ref(), "ONNX, opset 17", onnx::bytes, false),
            row(
                "--pytorch",
                self.pytorch.as_ref(),
                "safetensors for PyTorch",
                pytorch::bytes,
                false,
            ),
            row("--npz", self.npz.as_ref(), "NumPy arrays", npz::bytes, false),
            row("--rust", self.rust.as_ref(), "Rust source", rust::bytes, true),
            row("--c", self.c.as_ref(), "C source", c::bytes, true),
            row("--page", self.page.as_ref(), "a page for a browser", page::bytes, false),
        ]
    }
}

fn row<'a>(
    flag: &'static str,
    path: Option<&'a PathBuf>,
    name: &'static str,
    bytes: fn(&Portable<'_>, Style) -> Result<Vec<u8>, Error>,
    source: bool,
) -> Format<'a> {
    Format { flag, path: path.map(PathBuf::as_path), name, bytes, source }
}

pub(crate) fn run(args: &Args, process: &Process) -> Result<(), Error> {
    let formats = args.formats();
    let chosen: Vec<(&Format<'_>, PathBuf)> = formats
        .iter()
        .filter_map(|format| Some((format, data::home(format.path?).into_owned())))
        .collect();
    check(args, &formats, &chosen)?;
    let model = Model::open(&args.model)?;
    check_targets(&model, &chosen)?;
    let portable = Portable::new(&model)?;
    let style = if args.int8 { Style::Int8 } else { Style::F32 };

    // Of what the others leave to their user, a page does all.
    let all_pages = chosen.iter().all(|(format, _)| format.flag == "--page");
    let mut notes = if all_pages { Vec::new() } else { portable.notes.clone() };
    let mut lines = Vec::new();
    match &args.data {
        Some(location) => {
            let labelled = Labelled::open(&model, Location::of(location))?;
            let prepared = Prepared::new(&labelled.samples, None, model.deskew, process.isa)?;
            notes.extend(labelled.notes.iter().cloned());
            lines.push(quantised::measured(&model, &portable, &prepared)?);
        }
        None if args.int8 => notes.push(
            "how much accuracy the weights of eight bits lose is not known: measure it with \
             --data DATA"
                .to_owned(),
        ),
        None => (),
    }
    // All are made before the first is written.
    let mut made = Vec::new();
    for (format, path) in &chosen {
        let bytes = (format.bytes)(&portable, style)?;
        if format.source {
            notes.extend(source::note(&bytes, style));
        }
        made.push((format, path, bytes));
    }
    for (format, path, bytes) in made {
        files::write(path, &bytes).map_err(Error::io("write", path))?;
        let size = limits::bytes(bytes.len() as u64);
        lines.push(format!("{}: {}, {size}", path.display(), format.name));
    }
    streams::notes(&notes);
    // What is written to standard output must not have words after it.
    if chosen.iter().any(|(_, path)| path.starts_with("/dev")) {
        streams::notes(&lines);
        return Ok(());
    }
    streams::print(&lines.join("\n"))
}

/// Checks the flags alone.
fn check(
    args: &Args,
    formats: &[Format<'_>],
    chosen: &[(&Format<'_>, PathBuf)],
) -> Result<(), Error> {
    let usage = |text: String| Err(Error::Usage(text));
    if chosen.is_empty() {
        let flags: Vec<_> = formats.iter().map(|format| format!("{} FILE", format.flag)).collect();
        return usage(format!("there is no format: name one or several of {}", flags.join(", ")));
    }
    for (i, (format, path)) in chosen.iter().enumerate() {
        if let Some((other, _)) = chosen[..i].iter().find(|(_, other)| other == path) {
            return usage(format!(
                "{} and {} name the same file {}: name one for each",
                other.flag,
                format.flag,
                path.display()
            ));
        }
    }
    if args.int8 && !chosen.iter().any(|(format, _)| format.source) {
        return usage("--int8 is for --rust and --c: add one of them, or leave it out".into());
    }
    if args.data.is_some() && !args.int8 {
        return usage("--data measures what --int8 loses: add --int8, or leave it out".into());
    }
    Ok(())
}

/// A file of another format in the way of the model would be the end of the model.
fn check_targets(model: &Model, chosen: &[(&Format<'_>, PathBuf)]) -> Result<(), Error> {
    match chosen.iter().find(|(_, path)| model.is_file(path)) {
        Some((format, path)) => Err(Error::Usage(format!(
            "{} names the model itself, {}: name another file",
            format.flag,
            path.display()
        ))),
        None => Ok(()),
    }
}
