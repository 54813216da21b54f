//! Safetensors files: named tensors of f32, with text beside them as metadata. Models and
//! checkpoints are such files.

use std::collections::{BTreeMap, HashMap};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::Serialize;

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
        bytes.extend(values.flat_map(f32::to_le_bytes));
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

/// A file that was read.
pub(crate) struct Reader<'a> {
    tensors: SafeTensors<'a>,
    metadata: HashMap<String, String>,
}

impl<'a> Reader<'a> {
    /// Reads the header; an error says why it is none.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| e.to_string())?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
        Ok(Self { tensors, metadata: header.metadata().clone().unwrap_or_default() })
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
        self.metadata.get(key).map(String::as_str)
    }

    /// A text of the metadata.
    pub(crate) fn field(&self, key: &str) -> Result<&str, String> {
        self.optional(key).ok_or_else(|| format!("its metadata has no `{key}`"))
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
