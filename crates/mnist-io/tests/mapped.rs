//! Files that are mapped, which give what they give when they are read.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::{Compression, write::GzEncoder};
use mnist_io::{Access, Dataset, Features, IdxFile, Part, Request, Targets, find_source};

/// Three elements of type i16.
const NUMBERS: [u8; 14] = [0, 0, 0x0b, 1, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];
/// Two images of 1 × 3 pixels, and their labels.
const IMAGES: [u8; 22] = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];
const LABELS: [u8; 10] = [0, 0, 8, 1, 0, 0, 0, 2, 4, 2];

fn map() -> Access {
    // SAFETY: each test writes to a folder of its own, and to no file after it opened that.
    unsafe { Access::map() }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_map_and_a_read_agree() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    fs::write(&path, NUMBERS).unwrap();
    let mapped = IdxFile::open(&path, map()).unwrap();
    let read = IdxFile::read(&path).unwrap();
    assert!(mapped.is_mapped());
    assert!(!read.is_mapped());
    assert_eq!(mapped.header(), read.header());
    assert_eq!((mapped.body(), read.body()), (&NUMBERS[8..], &NUMBERS[8..]));
    assert_eq!(mapped.path(), path);
}

#[test]
fn gzip_is_inflated_instead() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    fs::write(&path, gzip(&NUMBERS)).unwrap();
    let file = IdxFile::open(&path, map()).unwrap();
    assert!(!file.is_mapped());
    assert_eq!(file.body(), &NUMBERS[8..]);
}

#[test]
fn errors_are_those_of_a_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    for bytes in [&[][..], &NUMBERS[..3], &NUMBERS[..13], &gzip(&NUMBERS)[..20]] {
        fs::write(&path, bytes).unwrap();
        let mapped = IdxFile::open(&path, map()).unwrap_err();
        let read = IdxFile::read(&path).unwrap_err();
        assert_eq!(mapped.to_string(), read.to_string());
    }
}

/// Raw images and compressed labels.
fn folder(dir: &Path) {
    fs::write(dir.join("t10k-images-idx3-ubyte"), IMAGES).unwrap();
    fs::write(dir.join("t10k-labels.idx1-ubyte.gz"), gzip(&LABELS)).unwrap();
}

#[test]
fn a_folder_with_one_raw_file_and_one_gzip() {
    let dir = tempfile::tempdir().unwrap();
    folder(dir.path());
    let test = Dataset::open_dir(dir.path(), Part::Test, map()).unwrap();
    assert!(test.images_file().is_mapped());
    assert!(!test.labels_file().is_mapped());
    assert_eq!(test.image(1), [4, 5, 6]);
    assert_eq!(test.labels(), [4, 2]);
}

#[test]
fn a_source_copies_nothing_of_a_map() {
    let dir = tempfile::tempdir().unwrap();
    folder(dir.path());
    for (access, maps) in [(map(), true), (Access::read(), false)] {
        let (path, part) = (dir.path(), Part::Test);
        let source = find_source(path).unwrap_or_else(|error| panic!("{error}"));
        let mut request = Request::new(path, part);
        request.access = access;
        let samples = source.open(&request).unwrap();
        let Features::Bytes(pixels) = samples.features() else { panic!("{samples:?}") };
        assert_eq!(pixels.is_mapped(), maps);
        assert_eq!(pixels[..], IMAGES[16..]);
        let Targets::Classes(classes) = samples.targets() else { panic!() };
        assert_eq!(classes.labels(), [4, 2]);
    }
}
