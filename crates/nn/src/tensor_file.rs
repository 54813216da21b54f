//! Safetensors files: named tensors of f32, with text beside them as metadata. Models and
//! checkpoints are such files.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::{fmt, io};

use safetensors::tensor::{Metadata, TensorView};
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::files;

/// The key of a checksum in the metadata, and what stands for it while it is computed.
const CHECKSUM: &str = "checksum";
const NO_CHECKSUM: &str = "00000000";

/// A file in the making. Equal contents give equal bytes.
pub(crate) struct Writer {
    metadata: BTreeMap<String, String>,
    tensors: BTreeMap<String, (Vec<usize>, Vec<u8>)>,
}

/// A row of the header.
#[derive(Serialize)]
#[serde(untagged)]
enum Row<'a> {
    Metadata(&'a BTreeMap<String, String>),
    Tensor { data_offsets: [usize; 2], dtype: &'static str, shape: &'a [usize] },
}

impl Writer {
    pub(crate) fn new(format: &str, version: &str) -> Self {
        let mut file = Self { metadata: BTreeMap::new(), tensors: BTreeMap::new() };
        file.note("format", format);
        file.note("version", version);
        file
    }

    /// Adds a text to the metadata.
    pub(crate) fn note(&mut self, key: &str, value: impl Into<String>) {
        self.metadata.insert(key.to_owned(), value.into());
    }

    /// Adds a value to the metadata, as JSON.
    pub(crate) fn json(&mut self, key: &str, value: &impl Serialize) {
        self.note(key, serde_json::to_string(value).expect("plain data"));
    }

    /// Adds a tensor; `values` has the elements that `shape` says.
    pub(crate) fn tensor(
        &mut self,
        name: String,
        shape: &[usize],
        values: impl Iterator<Item = f32>,
    ) {
        let len: usize = shape.iter().product();
        let mut bytes = Vec::with_capacity(4 * len);
        // Not one byte after the other, as `flat_map` would: this is most of what a save
        // computes.
        values.for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
        debug_assert_eq!(bytes.len(), 4 * len, "{name}");
        self.tensors.insert(name, (shape.to_vec(), bytes));
    }

    /// The bytes of the file.
    pub(crate) fn finish(self) -> Vec<u8> {
        let mut rows = BTreeMap::from([("__metadata__", Row::Metadata(&self.metadata))]);
        let mut end = 0;
        for (name, (shape, bytes)) in &self.tensors {
            let start = end;
            end += bytes.len();
            rows.insert(name, Row::Tensor { data_offsets: [start, end], dtype: "F32", shape });
        }
        let mut header = serde_json::to_vec(&rows).expect("plain data");
        // Spaces after the header keep the tensors aligned, as the format requires.
        header.resize(header.len().next_multiple_of(8), b' ');
        let mut file = Vec::with_capacity(8 + header.len() + end);
        file.extend((header.len() as u64).to_le_bytes());
        file.extend(header);
        for (_, bytes) in self.tensors.values() {
            file.extend(bytes);
        }
        file
    }

    /// The bytes of the file, with a checksum of all of them in the metadata: the CRC-32
    /// (as in gzip) of the file in which eight zeros stand for it.
    pub(crate) fn finish_with_checksum(mut self) -> Vec<u8> {
        self.note(CHECKSUM, NO_CHECKSUM);
        let mut file = self.finish();
        let checksum = format!("{:08x}", crc32fast::hash(&file));
        let at = checksum_at(&file).expect("it was just written");
        file[at..at + checksum.len()].copy_from_slice(checksum.as_bytes());
        file
    }
}

/// Where the checksum is in a file that has one.
fn checksum_at(file: &[u8]) -> Option<usize> {
    // Inside of a text each quotation mark has a backslash, so this is a key.
    let key = format!("\"{CHECKSUM}\":\"");
    let at = file.windows(key.len()).position(|window| window == key.as_bytes())? + key.len();
    (at + NO_CHECKSUM.len() <= file.len()).then_some(at)
}

/// A reason why a file was not read, as one line: names in the file may have any characters.
pub(crate) fn one_line(reason: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().collect() } else { c.to_string() };
    reason.chars().map(shown).collect()
}

/// What a file is whose first bytes are known, and which is no safetensors file.
fn other_format(bytes: &[u8]) -> Option<&'static str> {
    const KNOWN: &[(&[u8], &str)] = &[
        (b"", "empty"),
        (b"PK\x03\x04", "a zip archive, such as a model of PyTorch or an .npz of NumPy"),
        (b"\x80\x02", "a pickle of Python"),
        (b"\x80\x03", "a pickle of Python"),
        (b"\x80\x04", "a pickle of Python"),
        (b"\x80\x05", "a pickle of Python"),
        (b"\x93NUMPY", "an array of NumPy"),
        (b"\x89HDF", "an HDF5 file, such as a model of Keras"),
        (b"GGUF", "a GGUF file"),
        (b"\x08", "a protocol buffer, such as an ONNX model"),
        (b"\x1f\x8b", "a gzip file: unpack it"),
        (b"\x89PNG", "a PNG image"),
        (b"<", "a page of HTML or XML, perhaps of a failed download"),
        (b"version https://git-lfs", "a pointer of Git LFS: fetch the file with git lfs pull"),
        (b"{", "a text in JSON"),
        (b"\x00\x00\x08", "an IDX file of data"),
    ];
    let is =
        |start: &[u8]| if start.is_empty() { bytes.is_empty() } else { bytes.starts_with(start) };
    KNOWN.iter().find(|(start, _)| is(start)).map(|(_, name)| *name)
}

/// JSON of texts and counts in which no object has a name twice.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut names = HashSet::new();
        while let Some((name, Self)) = map.next_entry::<String, Self>()? {
            if let Some(name) = names.replace(name) {
                return Err(A::Error::custom(format!("`{name}` is there twice")));
            }
        }
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self, A::Error> {
        while seq.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }
}

/// What stands before the tensors of a file.
struct Header {
    metadata: HashMap<String, String>,
}

impl Header {
    /// Bytes of the length that a file begins with.
    const LEN: usize = 8;
    /// Bytes of a header, at most; the format says so.
    const MOST: u64 = 100_000_000;
    /// Bytes from which the files of other programs are known.
    const START: u64 = 64;

    /// The number of bytes before the tensors, as the first bytes of a file say.
    fn end(start: &[u8]) -> Option<u64> {
        let len = u64::from_le_bytes(*start.first_chunk::<{ Self::LEN }>()?);
        (len <= Self::MOST).then(|| Self::LEN as u64 + len)
    }

    /// Judges a file of `size` bytes by its `start`: its header, or as much as was worth
    /// reading. The file has to be of this format. An error says why it is not.
    fn parse(start: &[u8], size: u64, format: &str) -> Result<Self, String> {
        let damaged = |error: SafeTensorError| match other_format(start) {
            Some(name) => format!("it is {name}, expected a safetensors file"),
            None => format!("it is no whole safetensors file: {error}"),
        };
        let incomplete = SafeTensorError::MetadataIncompleteBuffer;
        let end = Self::end(start);
        let text = end.and_then(|end| start.get(Self::LEN..usize::try_from(end).ok()?));
        let text = text.and_then(|text| str::from_utf8(text).ok());
        let found =
            text.and_then(|text| Some((text, serde_json::from_str::<Metadata>(text).ok()?)));
        let Some((text, found)) = found else {
            // The library knows why.
            return Err(damaged(SafeTensors::read_metadata(start).err().unwrap_or(incomplete)));
        };
        // Before the library adds them up, without looking whether the sum fits.
        if end.and_then(|end| end.checked_add(found.data_len() as u64)) != Some(size) {
            return Err(damaged(incomplete));
        }
        // The library takes the last of several values of a name.
        serde_json::from_str::<Unique>(text).map_err(|e| format!("its header: {e}"))?;
        let header = Self { metadata: found.metadata().clone().unwrap_or_default() };
        let found = header.field("format")?;
        if found != format {
            return Err(format!("its format is `{found}`, expected `{format}`"));
        }
        Ok(header)
    }

    fn field(&self, key: &str) -> Result<&str, String> {
        let text = self.metadata.get(key).ok_or_else(|| format!("its metadata has no `{key}`"))?;
        Ok(text)
    }
}

/// Reads a file of this format, if it is one by its header and its size, or says why it is
/// not. The tensors of another file are not read: they may be of any size.
pub(crate) fn read(path: &Path, format: &str) -> io::Result<Result<Vec<u8>, String>> {
    let (file, size) = files::open(path)?;
    let mut bytes = Vec::new();
    files::read_up_to(size.min(Header::START), &file, &mut bytes)?;
    if let Some(end) = Header::end(&bytes).filter(|end| *end <= size) {
        files::read_up_to(end, &file, &mut bytes)?;
    }
    if let Err(reason) = Header::parse(&bytes, size, format) {
        return Ok(Err(reason));
    }
    files::read_up_to(size, &file, &mut bytes)?;
    Ok(Ok(bytes))
}

/// A file that was read.
pub(crate) struct Reader<'a> {
    tensors: SafeTensors<'a>,
    header: Header,
}

impl<'a> Reader<'a> {
    /// Reads the header of a file of this format; an error says why it is none.
    pub(crate) fn parse(bytes: &'a [u8], format: &str) -> Result<Self, String> {
        let header = Header::parse(bytes, bytes.len() as u64, format)?;
        let tensors = SafeTensors::deserialize(bytes)
            .map_err(|error| format!("it is no whole safetensors file: {error}"))?;
        Ok(Self { tensors, header })
    }

    /// Checks the checksum of a file that has one, whose bytes these are.
    pub(crate) fn check(&self, bytes: &[u8]) -> Result<(), String> {
        let written = self.field(CHECKSUM)?;
        let at = checksum_at(bytes).ok_or("its checksum is not where it should be")?;
        let mut hash = crc32fast::Hasher::new();
        hash.update(&bytes[..at]);
        hash.update(NO_CHECKSUM.as_bytes());
        hash.update(&bytes[at + NO_CHECKSUM.len()..]);
        let found = format!("{:08x}", hash.finalize());
        if found != written {
            return Err(format!(
                "its bytes have the checksum {found}, expected {written}: it is damaged"
            ));
        }
        Ok(())
    }

    /// A text of the metadata, if the file has it.
    pub(crate) fn optional(&self, key: &str) -> Option<&str> {
        self.header.metadata.get(key).map(String::as_str)
    }

    /// A text of the metadata.
    pub(crate) fn field(&self, key: &str) -> Result<&str, String> {
        self.header.field(key)
    }

    /// A value of the metadata.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<T, String> {
        let text = self.field(key)?;
        serde_json::from_str(text).map_err(|e| format!("its `{key}`: {e}"))
    }

    /// Number of tensors.
    pub(crate) fn tensors(&self) -> usize {
        self.tensors.len()
    }

    /// Checks that the file has a tensor of this shape.
    pub(crate) fn has(&self, name: &str, shape: &[usize]) -> Result<(), String> {
        self.view(name, shape).map(|_| ())
    }

    /// The elements of a tensor of this shape.
    pub(crate) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let view = self.view(name, shape)?;
        let (words, _) = view.data().as_chunks();
        Ok(words.iter().map(|word| f32::from_le_bytes(*word)).collect())
    }

    fn view(&self, name: &str, shape: &[usize]) -> Result<TensorView<'_>, String> {
        let view = self.tensors.tensor(name).map_err(|e| format!("`{name}`: {e}"))?;
        if view.dtype() != Dtype::F32 || view.shape() != shape {
            let (dtype, found) = (view.dtype(), view.shape());
            return Err(format!("`{name}` is {dtype:?} {found:?}, expected F32 {shape:?}"));
        }
        Ok(view)
    }

    /// The elements of a tensor of this shape, all of them finite.
    pub(crate) fn finite(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let values = self.tensor(name, shape)?;
        match values.iter().position(|value| !value.is_finite()) {
            None => Ok(values),
            Some(at) => Err(format!("element {at} of `{name}` is {}", values[at])),
        }
    }
}
