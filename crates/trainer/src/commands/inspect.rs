//! `trainer inspect`: what is in a file or a folder.

mod checkpoint;
mod folder;
mod idx;
mod model;
mod objects;
mod picture;
mod run;
mod settings;
mod table;
mod text;
mod weights;

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use mnist_io::{Picture, find_source, is_table};
use serde::Serialize;

use crate::data;
use crate::error::Error;
use crate::help;
use crate::process::Process;
use crate::streams;

/// The first bytes of a file, which say what it is.
const HEAD: usize = 4096;

/// What is in it, for the errors of files that are nothing of this.
const EXPECTED: &str = "a model, a checkpoint, the directory of a run, settings (TOML), data (IDX, a \
                        folder of pictures, a table) or a picture";

const EXAMPLES: &str = "\
Examples:
  trainer inspect runs/NAME               a run: its figures and settings
  trainer inspect model.safetensors       a model: its layers and weights
  trainer inspect data.csv --json         a table: its columns, for a script";

/// Say what is in a file or a folder
///
/// It is a model, a checkpoint, the directory of a run, a file of settings, a file of IDX,
/// a folder of data, a picture or a table. Nothing is changed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = help::after(EXAMPLES))]
pub(crate) struct Args {
    /// What to look at
    #[arg(value_name = "PATH")]
    path: PathBuf,

    /// Print it as one JSON object
    #[arg(long)]
    json: bool,
}

/// What was found at a path.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
// The program has one value of this type: its size does not matter.
#[allow(clippy::large_enum_variant)]
enum Found {
    Model(model::ModelFile),
    Checkpoint(Box<checkpoint::CheckpointFile>),
    Run(run::RunFolder),
    Settings(settings::Settings),
    Idx(idx::IdxInfo),
    Data(folder::DataFolder),
    Pictures(folder::PictureFolder),
    Picture(picture::PictureInfo),
    Table(table::TableInfo),
    JsonLines(objects::Objects),
}

pub(crate) fn run(args: &Args, _: &Process) -> Result<(), Error> {
    if args.json {
        streams::check_stdout()?;
    }
    let found = Found::at(&data::home(&args.path))?;
    if args.json {
        return streams::print_json(&found);
    }
    streams::print(found.text().trim_end())
}

impl Found {
    fn at(path: &Path) -> Result<Self, Error> {
        if path.is_dir() {
            return Self::in_folder(path);
        }
        let is_file = fs::metadata(path).map_err(Error::io("read", path))?.is_file();
        if !is_file {
            return Err(nothing(path));
        }
        let head = first_bytes(path)?;
        if let Some(found) = export(path, &head) {
            let (path, expected) = (path.to_owned(), EXPECTED);
            let advice = "look at the model that it was made of";
            return Err(Error::NothingToInspect { path, found, expected, advice });
        }
        if head.get(5..9) == Some(b"\0\0\0{") {
            return if is_checkpoint(path, &head)? {
                checkpoint::CheckpointFile::open(path).map(Box::new).map(Self::Checkpoint)
            } else {
                model::ModelFile::open(path).map(Self::Model)
            };
        }
        if Picture::begins(&head) {
            return picture::PictureInfo::open(path).map(Self::Picture);
        }
        if path.extension().is_some_and(|extension| extension == "toml") {
            return settings::Settings::open(path).map(Self::Settings);
        }
        // A web page is text too.
        if head.trim_ascii_start().starts_with(b"<") {
            return Err(nothing(path));
        }
        if head.trim_ascii_start().starts_with(b"{") {
            return objects::Objects::open(path).map(Self::JsonLines);
        }
        if is_table(path) {
            return match table::TableInfo::open(path) {
                Err(_) if !is_table_name(path) => Err(nothing(path)),
                table => table.map(Self::Table),
            };
        }
        // Two zeros, or gzip, or the name of such a file.
        if head.starts_with(&[0, 0]) || head.starts_with(b"\x1f\x8b") || find_source(path).is_ok() {
            return idx::IdxInfo::open(path).map(Self::Idx);
        }
        Err(nothing(path))
    }

    fn in_folder(path: &Path) -> Result<Self, Error> {
        if run::RunFolder::recognises(path) {
            return run::RunFolder::open(path).map(Self::Run);
        }
        if find_source(path).is_ok() {
            return folder::DataFolder::open(path).map(Self::Data);
        }
        match folder::PictureFolder::open(path)? {
            Some(pictures) => Ok(Self::Pictures(pictures)),
            None => Err(nothing(path)),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Model(found) => found.text(),
            Self::Checkpoint(found) => found.text(),
            Self::Run(found) => found.text(),
            Self::Settings(found) => found.text(),
            Self::Idx(found) => found.text(),
            Self::Data(found) => found.text(),
            Self::Pictures(found) => found.text(),
            Self::Picture(found) => found.text(),
            Self::Table(found) => found.text(),
            Self::JsonLines(found) => found.text(),
        }
    }
}

/// What a file is that may have been exported, by its name and its first bytes.
fn export(path: &Path, head: &[u8]) -> Option<&'static str> {
    let extension = path.extension().and_then(|extension| extension.to_str())?;
    match extension {
        // The version of the format comes first.
        "onnx" if head.first() == Some(&8) => Some("an ONNX model"),
        "npz" if head.starts_with(b"PK") => Some("arrays of NumPy"),
        "c" | "rs" => Some("source code"),
        // What has no format of ours is weights for PyTorch, or of another program.
        "safetensors" if head.get(8) == Some(&b'{') && !has(head, b"\"nn.") => {
            Some("tensors that are no network of this program, such as weights for PyTorch")
        }
        _ => None,
    }
}

/// Whether some bytes are a part of others.
fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// The first bytes of the file at `path`, at most [`HEAD`].
fn first_bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(HEAD as u64).read_to_end(&mut head))
        .map_err(Error::io("read", path))?;
    Ok(head)
}

/// Whether the safetensors file with this beginning calls itself a checkpoint. Its metadata are
/// mostly the first part of its header, and the format is one of their first keys.
fn is_checkpoint(path: &Path, head: &[u8]) -> Result<bool, Error> {
    const FORMAT: &[u8] = b"nn.checkpoint";
    const MOST: u64 = 1 << 20;
    if has(head, FORMAT) {
        return Ok(true);
    }
    // The length of the header.
    let len = head.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let mut header = Vec::new();
    File::open(path)
        .and_then(|file| file.take(len.min(MOST)).read_to_end(&mut header))
        .map_err(Error::io("read", path))?;
    Ok(has(&header, FORMAT))
}

/// Whether a text file is called as tables are, so that what is wrong with it as a table is what
/// the user wants to know.
fn is_table_name(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    [".csv", ".tsv", ".tab", ".txt", ".data"].iter().any(|end| name.ends_with(end))
}

/// The error of a path that has nothing to show.
fn nothing(path: &Path) -> Error {
    match find_source(path) {
        Err(mnist_io::Error::UnknownFormat { path, found, advice, .. }) => {
            Error::NothingToInspect { path, found, expected: EXPECTED, advice }
        }
        Err(error) => error.into(),
        Ok(_) => {
            let (path, found, advice) =
                (path.into(), "a file in no known format", "check the path");
            Error::NothingToInspect { path, found, expected: EXPECTED, advice }
        }
    }
}

/// The size of a file in bytes, as far as it can be told.
fn size_of(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}
