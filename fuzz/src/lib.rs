//! What several fuzz targets need.

use std::fmt::Display;

/// Checks that a message is what errors promise: one line, and not an empty one.
///
/// # Panics
/// If it is not.
pub fn check_message(error: &impl Display) {
    let text = error.to_string();
    assert!(!text.trim().is_empty() && !text.contains(['\n', '\r']), "{text:?}");
}

/// A safetensors file: a fuzzer cannot keep the length of the header right, and mends
/// nothing else. If the first byte is odd, what follows is the file as it is. Otherwise it
/// is the header, a zero, and the tensors.
#[must_use]
pub fn tensor_file(data: &[u8]) -> Vec<u8> {
    let Some((mode, data)) = data.split_first() else { return Vec::new() };
    if mode % 2 == 1 {
        return data.to_owned();
    }
    let end = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (header, tensors) = (&data[..end], data.get(end + 1..).unwrap_or_default());
    [&(header.len() as u64).to_le_bytes(), header, tensors].concat()
}

/// Puts the right checksum into the file of a checkpoint, if it has the place for one.
pub fn mend_checksum(file: &mut [u8]) {
    const KEY: &[u8] = b"\"checksum\":\"";
    let Some(at) = file.windows(KEY.len()).position(|window| window == KEY) else { return };
    let at = at + KEY.len();
    if at + 8 <= file.len() {
        file[at..at + 8].copy_from_slice(b"00000000");
        let checksum = format!("{:08x}", crc32fast::hash(file));
        file[at..at + 8].copy_from_slice(checksum.as_bytes());
    }
}
