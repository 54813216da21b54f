//! What is predicted: files, folders, standard input, and the samples in them.

use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use mnist_io::{Features, IdxFile, ImageSize, Picture, Rows, Wanted, transpose};
use nn::ImageForm;

use crate::data::{self, table};
use crate::error::Error;
use crate::model::Model;
use crate::picture;

/// Samples that are predicted at a time.
const BATCH: usize = 1024;

/// The first bytes of a file, which say what it is.
const HEAD: usize = 512;

/// The first bytes that no signature of a picture or of IDX goes beyond.
const SIGNATURE: usize = 4;

/// The bytes of raw images that are read in one go, if an image has no more.
const RAW_BYTES: usize = 1 << 20;

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    Auto,
    Picture,
    Idx,
    Table,
    Raw,
}

/// An argument of the command, or a file in a folder that is one.
pub(super) enum Input {
    Stdin,
    File(PathBuf),
}

impl Input {
    /// The inputs that the arguments name. A folder stands for the pictures in it and below
    /// it, in the order of their paths.
    pub(super) fn all(paths: &[PathBuf], model: &Model) -> Result<Vec<Self>, Error> {
        if paths.is_empty() && io::stdin().is_terminal() {
            let text = "name what to predict: a picture, a table, or - for standard input";
            return Err(Error::Usage(text.to_owned()));
        }
        if paths.is_empty() {
            return Ok(vec![Self::Stdin]);
        }
        let mut inputs = Vec::new();
        for path in paths {
            let path = data::home(path);
            if &*path == Path::new("-") {
                inputs.push(Self::Stdin);
            } else if path.is_dir() && model.columns().is_some() {
                let (input, model) = (path.into_owned(), model.path.clone());
                return Err(Error::NeedsTable { input, model });
            } else if path.is_dir() {
                let pictures = Picture::files_in(&path)?;
                if pictures.is_empty() {
                    return Err(Error::NoPictures { dir: path.into_owned() });
                }
                inputs.extend(pictures.into_iter().map(Self::File));
            } else {
                inputs.push(Self::File(path.into_owned()));
            }
        }
        Ok(inputs)
    }

    /// What answers and errors call it.
    fn name(&self) -> &Path {
        match self {
            Self::Stdin => Path::new("stdin"),
            Self::File(path) => path,
        }
    }

    /// Whether it is the file at `path`.
    pub(super) fn is_file(&self, path: &Path) -> bool {
        let Self::File(own) = self else { return false };
        let [own, path] = [own, path].map(|path| fs::canonicalize(data::home(path)));
        own.ok().is_some_and(|own| path.is_ok_and(|path| path == own))
    }

    fn open(&self) -> Result<Box<dyn Read>, Error> {
        Ok(match self {
            Self::Stdin => Box::new(io::stdin()),
            Self::File(path) => Box::new(fs::File::open(path).map_err(Error::io("read", path))?),
        })
    }
}

/// Samples of one input.
pub(super) struct Batch<'a> {
    pub(super) names: Names<'a>,
    pub(super) raw: Raw<'a>,
}

/// What the samples of a batch are called.
#[derive(Clone, Copy)]
pub(super) enum Names<'a> {
    /// One sample, with the name of its file.
    One(&'a Path),
    /// The name of the file, and the index of the first sample in it.
    From(&'a Path, u64),
}

impl Names<'_> {
    pub(super) fn of(&self, index: usize) -> String {
        match self {
            Self::One(path) => path.display().to_string(),
            Self::From(path, first) => format!("{}#{}", path.display(), first + index as u64),
        }
    }
}

/// Samples as they are found.
pub(super) enum Raw<'a> {
    /// Rows of a table: rows × columns.
    Cells(&'a [f32]),
    /// Images of the network's size.
    Images(Pixels<'a>, ImageSize),
}

/// The pixels of images, in the units of the training data.
pub(super) enum Pixels<'a> {
    Bytes(&'a [u8]),
    Real(&'a [f32]),
}

impl Pixels<'_> {
    pub(super) fn to_features(&self) -> Features {
        match self {
            Self::Bytes(values) => Features::Bytes(values.to_vec().into()),
            Self::Real(values) => Features::Real(values.to_vec()),
        }
    }
}

/// Takes the batches of an input, one after another.
type Sink<'a> = dyn FnMut(Batch<'_>) -> Result<(), Error> + 'a;

/// Takes some images, the index of the first of them before them.
type Send<'a, T> = dyn FnMut(u64, &[T]) -> Result<(), Error> + 'a;

/// Reads inputs in the form that a model takes.
pub(super) struct Reader<'a> {
    pub(super) model: &'a Model,
    pub(super) format: Format,
    pub(super) transpose: bool,
}

impl Reader<'_> {
    /// Reads one input; gives what the user should know of it, a line each.
    pub(super) fn read(&self, input: &Input, sink: &mut Sink<'_>) -> Result<Vec<String>, Error> {
        let mut reader = input.open()?;
        let (format, head) = match self.format {
            Format::Auto => {
                let head = self.head(&mut reader).map_err(Error::io("read", input.name()))?;
                (self.guess(&head), head)
            }
            format => (format, Vec::new()),
        };
        if let (Format::Picture | Format::Idx | Format::Raw, None) = (format, self.model.image()) {
            return Err(Error::NeedsTable { input: input.name().into(), model: self.path() });
        }
        let whole = io::Cursor::new(head).chain(reader);
        match format {
            Format::Picture => self.picture(input, whole, sink).map(|()| Vec::new()),
            Format::Idx => self.idx(input, whole, sink),
            Format::Raw => self.raw(input, whole, sink).map(|()| Vec::new()),
            Format::Table => self.table(input, whole, sink),
            Format::Auto => {
                Err(Error::UnknownInput { input: input.name().into(), model: self.path() })
            }
        }
    }

    fn path(&self) -> PathBuf {
        self.model.path.clone()
    }

    /// The first bytes of an input. Of what may be a table that is written line by line, no
    /// more than are needed: its first row is to be answered before there is a second one.
    fn head(&self, reader: &mut impl Read) -> io::Result<Vec<u8>> {
        let rows = self.model.columns().is_some();
        let enough = |head: &[u8]| rows && (head.len() >= SIGNATURE || head.ends_with(b"\n"));
        let (mut head, mut len) = (vec![0; HEAD], 0);
        while len < HEAD && !enough(&head[..len]) {
            match read_once(reader, &mut head[len..])? {
                0 => break,
                count => len += count,
            }
        }
        head.truncate(len);
        Ok(head)
    }

    /// What a file is that begins so; `Auto` if it is nothing that the model takes.
    fn guess(&self, head: &[u8]) -> Format {
        let gzip = head.starts_with(b"\x1f\x8b");
        match self.model.columns() {
            _ if Picture::begins(head) => Format::Picture,
            _ if head.starts_with(&[0, 0]) => Format::Idx,
            None if gzip => Format::Idx,
            Some(_) => Format::Table,
            // It is none of the formats, but the error can say what it is.
            None if is_text(head) => Format::Table,
            None => Format::Auto,
        }
    }

    fn picture(&self, input: &Input, reader: impl Read, sink: &mut Sink<'_>) -> Result<(), Error> {
        let Some(form) = self.model.image() else { return Ok(()) };
        let bytes = read_all(input, reader, Picture::LARGEST_FILE)?;
        let picture = Picture::decode(&bytes, input.name())?;
        let features = picture::features(&picture, &form, input.name())?;
        let size = ImageSize { rows: form.rows, cols: form.cols };
        let pixels = match &features {
            Features::Bytes(bytes) => Pixels::Bytes(bytes),
            Features::Real(values) => Pixels::Real(values),
        };
        sink(Batch { names: Names::One(input.name()), raw: Raw::Images(pixels, size) })
    }

    fn idx(
        &self,
        input: &Input,
        reader: impl Read,
        sink: &mut Sink<'_>,
    ) -> Result<Vec<String>, Error> {
        let file = match input {
            Input::Stdin => {
                let bytes = read_all(input, reader, u64::MAX)?;
                IdxFile::from_bytes(bytes, input.name())?
            }
            Input::File(path) => data::map(path)?,
        };
        let (features, width, size) = file.into_features()?;
        let expected = self.model.network.architecture().inputs;
        if width != expected {
            let found = size.map_or_else(|| width.to_string(), |size| size.to_string());
            let (dir, model) = (input.name().to_owned(), self.path());
            return Err(Error::ImageSize { model, expected, dir, found });
        }
        let note = self.model.scale_note(input.name(), &features);
        match &features {
            Features::Bytes(bytes) => {
                let mut send =
                    |first, bytes: &[u8]| self.images(input, first, Pixels::Bytes(bytes), sink);
                self.chunks(bytes, 0, &mut send)?;
            }
            Features::Real(values) => {
                let mut send =
                    |first, values: &[f32]| self.images(input, first, Pixels::Real(values), sink);
                self.chunks(values, 0, &mut send)?;
            }
        }
        Ok(Vec::from_iter(note))
    }

    fn raw(&self, input: &Input, mut reader: impl Read, sink: &mut Sink<'_>) -> Result<(), Error> {
        let width = self.model.network.architecture().inputs;
        let not_whole =
            |found| Err(Error::RawLength { input: input.name().to_owned(), found, width });
        // Of a file it is known before the first answer.
        if let Input::File(path) = input
            && let Ok(metadata) = fs::metadata(path)
            && metadata.is_file()
            && metadata.len() % width as u64 != 0
        {
            return not_whole(metadata.len());
        }
        let most = (RAW_BYTES / width).clamp(1, BATCH);
        // The bytes of images that are there, of which the last may not be whole.
        let (mut bytes, mut len, mut first) = (vec![0; most * width], 0, 0);
        loop {
            let count = read_once(&mut reader, &mut bytes[len..]);
            len += match count.map_err(Error::io("read", input.name()))? {
                0 if len == 0 => return Ok(()),
                0 => return not_whole(first * width as u64 + len as u64),
                count => count,
            };
            let whole = len - len % width;
            let mut send =
                |first, bytes: &[u8]| self.images(input, first, Pixels::Bytes(bytes), sink);
            self.chunks(&bytes[..whole], first, &mut send)?;
            bytes.copy_within(whole..len, 0);
            len -= whole;
            first += (whole / width) as u64;
        }
    }

    /// Sends images on, some at a time, upright.
    fn chunks<T: Copy>(
        &self,
        values: &[T],
        first: u64,
        send: &mut Send<'_, T>,
    ) -> Result<(), Error> {
        let Some(form @ ImageForm { rows, cols, .. }) = self.model.image() else {
            return Ok(());
        };
        for (index, chunk) in values.chunks(BATCH * rows * cols).enumerate() {
            let first = first + (index * BATCH) as u64;
            if self.transpose || form.transpose {
                let upright = transpose(chunk, cols, rows);
                send(first, &upright)?;
            } else {
                send(first, chunk)?;
            }
        }
        Ok(())
    }

    fn images(
        &self,
        input: &Input,
        first: u64,
        pixels: Pixels<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let Some(size) = self.model.image_size() else { return Ok(()) };
        sink(Batch { names: Names::From(input.name(), first), raw: Raw::Images(pixels, size) })
    }

    fn table(
        &self,
        input: &Input,
        reader: impl Read,
        sink: &mut Sink<'_>,
    ) -> Result<Vec<String>, Error> {
        let Some(columns) = self.model.columns() else {
            return Err(Error::NeedsImages { input: input.name().into(), model: self.path() });
        };
        let known = table::known(columns);
        let wanted = Wanted { columns: &known, optional: &[] };
        let mut rows = Rows::new(reader, input.name(), wanted, &table::known_options(columns))?;
        let (mut cells, mut first) = (Vec::new(), 0);
        loop {
            cells.clear();
            let read = rows.next_ready(BATCH, &mut cells);
            // The rows before one that is wrong have their answers, however they came.
            if !cells.is_empty() {
                let names = Names::From(input.name(), first);
                sink(Batch { names, raw: Raw::Cells(&cells) })?;
            }
            match read? {
                0 => break,
                found => first += found as u64,
            }
        }
        Ok(table::unknown(input.name(), &known, &rows.facts()))
    }
}

/// Whether a file that begins so is a text of some length.
fn is_text(head: &[u8]) -> bool {
    let plain = |byte: &u8| !byte.is_ascii_control() || matches!(byte, b'\t' | b'\r' | b'\n');
    let text = match str::from_utf8(head) {
        Ok(_) => true,
        // A character may be cut off.
        Err(error) => error.error_len().is_none(),
    };
    text && head.len() > 4 && head.iter().all(plain)
}

/// Reads what is there, and waits only if nothing is. 0 at the end.
fn read_once(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Everything that a reader gives, if it is no more than `most` bytes.
fn read_all(input: &Input, reader: impl Read, most: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = reader.take(most.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(Error::io("read", input.name()))?;
    Ok(bytes)
}
