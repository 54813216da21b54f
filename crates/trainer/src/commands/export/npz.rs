//! NumPy: `W0`, `b0`, `W1`, … as arrays, and `model.json`, in a zip archive without
//! compression, as `numpy.savez` writes it.

use super::Style;
use super::portable::Portable;
use crate::error::Error;
use crate::limits;

/// The most bytes of a zip archive whose offsets have 32 bits, but for its headers.
const MOST_BYTES: usize = (4 << 30) - (64 << 20);

/// Each is two files, whose number has 16 bits.
const MOST_LAYERS: usize = 30_000;

pub(super) fn bytes(portable: &Portable<'_>, _: Style) -> Result<Vec<u8>, Error> {
    let weights = 4 * portable.parameters();
    if weights > MOST_BYTES {
        let [found, most] = [weights, MOST_BYTES].map(|bytes| limits::bytes(bytes as u64));
        return Err(Error::ExportSize { format: "an npz file", found, most });
    }
    if portable.layers.len() > MOST_LAYERS {
        let (found, most) = (format!("{} layers", portable.layers.len()), MOST_LAYERS.to_string());
        return Err(Error::ExportSize { format: "an npz file", found, most });
    }
    let mut archive = Archive::default();
    for (l, layer) in portable.layers.iter().enumerate() {
        let shape = format!("({}, {})", layer.rows, layer.inputs);
        archive.add(&format!("W{l}.npy"), &npy(&shape, &layer.weights));
        archive.add(&format!("b{l}.npy"), &npy(&format!("({},)", layer.rows), &layer.biases));
    }
    let about = serde_json::to_vec_pretty(&portable.metadata()).expect("plain data");
    archive.add("model.json", &about);
    Ok(archive.finish())
}

/// An array in the format of NumPy, version 1.0: a header as Python writes a dictionary, then
/// the elements, which start at a multiple of 64.
fn npy(shape: &str, values: &[f32]) -> Vec<u8> {
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    let before = 10;
    let padded = (before + header.len() + 1).next_multiple_of(64) - before;
    header.extend(std::iter::repeat_n(' ', padded - 1 - header.len()));
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    values.iter().for_each(|value| file.extend_from_slice(&value.to_le_bytes()));
    file
}

/// A zip archive in the making (PKWARE's APPNOTE, 4.3), whose files are stored.
#[derive(Default)]
struct Archive {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    files: u16,
}

impl Archive {
    fn add(&mut self, name: &str, content: &[u8]) {
        let offset = self.bytes.len() as u32;
        let common = facts(name, content);
        self.bytes.extend(b"PK\x03\x04");
        self.bytes.extend(&common);
        self.bytes.extend(name.as_bytes());
        self.bytes.extend(content);

        self.directory.extend(b"PK\x01\x02");
        self.directory.extend(20u16.to_le_bytes()); // Made by version 2.0 on DOS.
        self.directory.extend(&common);
        // No comment, disk 0, and no attributes: 2 + 2 + 2 + 4 bytes.
        self.directory.extend([0; 10]);
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.files += 1;
    }

    fn finish(mut self) -> Vec<u8> {
        let start = self.bytes.len() as u32;
        self.bytes.extend(&self.directory);
        self.bytes.extend(b"PK\x05\x06");
        self.bytes.extend([0; 4]); // Both disks are 0.
        self.bytes.extend(self.files.to_le_bytes());
        self.bytes.extend(self.files.to_le_bytes());
        self.bytes.extend((self.directory.len() as u32).to_le_bytes());
        self.bytes.extend(start.to_le_bytes());
        self.bytes.extend([0; 2]); // No comment.
        self.bytes
    }
}

/// What both headers of a file say, 26 bytes.
fn facts(name: &str, content: &[u8]) -> Vec<u8> {
    let size = (content.len() as u32).to_le_bytes();
    let mut facts = Vec::new();
    facts.extend(20u16.to_le_bytes()); // Version 2.0 reads it.
    facts.extend([0; 4]); // No flags; stored.
    // 1 January 1980: the same model gives the same bytes.
    facts.extend([0, 0, 0x21, 0]);
    facts.extend(crc32fast::hash(content).to_le_bytes());
    facts.extend(size);
    facts.extend(size);
    facts.extend((name.len() as u16).to_le_bytes());
    facts.extend([0; 2]); // Nothing more.
    facts
}
