//! A data folder small enough to train on in no time.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

/// A folder with a folder `data` in it: 300 training and 100 test images of 28 x
/// 28 pixels, in ten classes.
pub(crate) fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("data"), 28);
    dir
}

/// The four files, of images of `side` x `side` pixels, in a new folder.
pub(crate) fn write(dir: &Path, side: usize) {
    write_parts(dir, &parts(side));
}

/// A part of a data set, as its two files have it.
#[derive(Clone)]
pub(crate) struct Part {
    /// The sizes of a sample.
    pub(crate) shape: Vec<usize>,
    /// The type of the features: 8 for bytes, 13 for `f32`.
    pub(crate) code: u8,
    pub(crate) features: Vec<u8>,
    pub(crate) labels: Vec<u8>,
}

/// 300 training and 100 test images of `side` x `side` pixels, in ten classes.
pub(crate) fn parts(side: usize) -> [Part; 2] {
    [(300, 1), (100, 2)].map(|(count, seed)| {
        let labels: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
        let features = images(&labels, side, seed);
        Part { shape: vec![side, side], code: 8, features, labels }
    })
}

/// The four files of two parts, in a new folder.
pub(crate) fn write_parts(dir: &Path, parts: &[Part; 2]) {
    fs::create_dir_all(dir).unwrap();
    for (stem, part) in ["train", "t10k"].into_iter().zip(parts) {
        let dims = [&[part.labels.len()], &part.shape[..]].concat();
        let path = dir.join(format!("{stem}-images-idx3-ubyte"));
        fs::write(path, idx(part.code, &dims, &part.features)).unwrap();
        let path = dir.join(format!("{stem}-labels-idx1-ubyte"));
        fs::write(path, idx(8, &dims[..1], &part.labels)).unwrap();
    }
}

/// A bright bar at a height that the class says, among noise.
fn images(labels: &[u8], side: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut noise = move || {
        // The generator of Numerical Recipes; its upper bits are random enough.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let mut pixels = Vec::new();
    for &label in labels {
        for row in 0..side {
            let bar = row * 10 / side == usize::from(label);
            pixels.extend((0..side).map(|_| match (bar, noise()) {
                (true, dark) => 255 - dark / 4,
                (false, dark) if dark < 200 => 0,
                (false, dark) => dark,
            }));
        }
    }
    pixels
}

/// Bytes as an IDX file: zeros, the type, the number of dimensions, their sizes.
pub(crate) fn idx(code: u8, dims: &[usize], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, code, dims.len() as u8];
    for &size in dims {
        file.extend((size as u32).to_be_bytes());
    }
    file.extend(bytes);
    file
}

/// A table of the folder `tests/data`.
pub(crate) fn table(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    fs::read_to_string(path).unwrap()
}

/// A picture as a PGM file.
pub(crate) fn pgm(cols: usize, pixels: &[u8]) -> Vec<u8> {
    [format!("P5 {cols} {} 255\n", pixels.len() / cols).as_bytes(), pixels].concat()
}

/// Bytes as a gzip file, which does not make them fewer.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let len = bytes.len() as u16;
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    // The last block, which is stored.
    file.push(1);
    file.extend(len.to_le_bytes());
    file.extend((!len).to_le_bytes());
    file.extend(bytes);
    file.extend(crc32fast::hash(bytes).to_le_bytes());
    file.extend(u32::from(len).to_le_bytes());
    file
}
