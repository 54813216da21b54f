//! Safetensors and npz, read by plain code.

use std::collections::HashMap;

use serde_json::Value;

/// Shape and elements.
type Array = (Vec<usize>, Vec<f32>);

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|word| f32::from_le_bytes(word.try_into().unwrap())).collect()
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
}

/// The tensors of a safetensors file, and its metadata.
pub(super) fn safetensors(file: &[u8]) -> (HashMap<String, Array>, Value) {
    let start = 8 + number(&file[..8]);
    let header: Value = serde_json::from_slice(&file[8..start]).unwrap();
    let mut header = header.as_object().unwrap().clone();
    let about = header.remove("__metadata__").unwrap();
    let tensors = header.into_iter().map(|(name, tensor)| {
        let sizes = |key: &str| {
            let list = tensor[key].as_array().unwrap().iter();
            list.map(|size| size.as_u64().unwrap() as usize).collect::<Vec<_>>()
        };
        assert_eq!(tensor["dtype"], "F32");
        let range = sizes("data_offsets");
        (name, (sizes("shape"), floats(&file[start..][range[0]..range[1]])))
    });
    (tensors.collect(), about)
}

/// The arrays of an npz file, and its `model.json`. Every length, offset and checksum of the
/// archive is checked.
pub(super) fn npz(file: &[u8]) -> (HashMap<String, Array>, Value) {
    let end = &file[file.len() - 22..];
    assert_eq!(end[..8], *b"PK\x05\x06\0\0\0\0");
    let (count, size, start) = (number(&end[10..12]), number(&end[12..16]), number(&end[16..20]));
    assert_eq!((number(&end[8..10]), start + size + 22), (count, file.len()));
    let (mut arrays, mut about) = (HashMap::new(), Value::Null);
    let (mut entry, mut expected) = (&file[start..start + size], 0);
    for _ in 0..count {
        assert_eq!(entry[..4], *b"PK\x01\x02");
        let (name_len, offset) = (number(&entry[28..30]), number(&entry[42..46]));
        let name = std::str::from_utf8(&entry[46..46 + name_len]).unwrap();
        let local = &file[offset..];
        assert_eq!((&local[..4], offset), (&b"PK\x03\x04"[..], expected));
        // Both headers say the same: version to the length of the name and of what is more.
        assert_eq!(local[4..30], entry[6..32]);
        assert_eq!(number(&local[8..10]), 0, "stored");
        let len = number(&local[18..22]);
        assert_eq!((number(&local[22..26]), number(&local[28..30])), (len, 0));
        assert_eq!(&local[30..30 + name_len], name.as_bytes());
        let content = &local[30 + name_len..][..len];
        assert_eq!(number(&local[14..18]), crc32(content) as usize, "{name}");
        match name.strip_suffix(".npy") {
            Some(name) => {
                arrays.insert(name.to_owned(), npy(content));
            }
            None => {
                assert_eq!(name, "model.json");
                about = serde_json::from_slice(content).unwrap();
            }
        }
        expected = offset + 30 + name_len + len;
        entry = &entry[46 + name_len..];
    }
    assert_eq!((expected, entry.len()), (start, 0));
    (arrays, about)
}

fn npy(file: &[u8]) -> Array {
    assert_eq!(file[..8], *b"\x93NUMPY\x01\0");
    let start = 10 + number(&file[8..10]);
    assert_eq!((start % 64, file[start - 1]), (0, b'\n'));
    let header = std::str::from_utf8(&file[10..start]).unwrap();
    let shape = header.strip_prefix("{'descr': '<f4', 'fortran_order': False, 'shape': (").unwrap();
    let shape = shape.split_once("), }").unwrap().0.split(',').map(str::trim);
    let shape: Vec<usize> =
        shape.filter(|size| !size.is_empty()).map(|size| size.parse().unwrap()).collect();
    let elements = floats(&file[start..]);
    assert_eq!(elements.len(), shape.iter().product::<usize>());
    (shape, elements)
}

/// Bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 }
        })
    })
}
