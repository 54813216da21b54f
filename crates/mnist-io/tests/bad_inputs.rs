//! Files and folders that are no data, or not those that somebody takes them for. Each row
//! says what is there, and the words that tell the user so.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::{Compression, write::GzEncoder};
use mnist_io::{Error, Part, Request, Samples, find_source};

/// A file: its name in the folder, and its bytes.
type File = (&'static str, Vec<u8>);

const IMAGES: &str = "train-images-idx3-ubyte";
const LABELS: &str = "train-labels-idx1-ubyte";

/// An IDX file with any header.
fn idx(code: u8, dims: &[u32], body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, code, dims.len() as u8];
    bytes.extend(dims.iter().flat_map(|dim| dim.to_be_bytes()));
    bytes.extend(body);
    bytes
}

/// Two images of 2 x 3 pixels.
fn images() -> Vec<u8> {
    idx(0x08, &[2, 2, 3], &[0, 9, 0, 9, 0, 9, 9, 0, 9, 0, 9, 0])
}

/// Their labels.
fn labels() -> Vec<u8> {
    idx(0x08, &[2], &[1, 0])
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn open(path: &Path) -> Result<Samples, Error> {
    let request = Request::new(path, Part::Train);
    find_source(path)?.open(&request)
}

/// Opens `path` in a folder that has these files; a name that ends in a slash is that of a
/// folder. The error has the folder written as `DIR`.
fn result(files: &[File], path: &str) -> Result<Samples, String> {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let file = dir.path().join(name);
        fs::create_dir_all(if name.ends_with('/') { &file } else { file.parent().unwrap() })
            .unwrap();
        if !name.ends_with('/') {
            fs::write(&file, bytes).unwrap();
        }
    }
    let path = if path.is_empty() { dir.path().into() } else { dir.path().join(path) };
    open(&path).map_err(|error| {
        let text = error.to_string();
        assert!(!text.contains('\n'), "{text}");
        text.replace(dir.path().to_str().unwrap(), "DIR").replace('\\', "/")
    })
}

#[test]
fn images_that_are_no_images() {
    let tar = {
        let mut bytes = vec![b'x'; 512];
        bytes[257..262].copy_from_slice(b"ustar");
        bytes
    };
    let page = b"<!DOCTYPE html><html><head><title>404</title>";
    let bomb = gzip(&idx(0x08, &[2, 2, 3], &vec![0; 1 << 24]));
    let cut = |bytes: &[u8], len: usize| bytes[..len].to_vec();
    let with = |bytes: &[u8], more: &[u8]| [bytes, more].concat();
    for (what, bytes, words) in [
        // Something else under the name.
        ("an empty file", vec![], "found 0 bytes, expected a magic number of 4; the file is empty"),
        (
            "a page that says 404",
            page.to_vec(),
            "found a web page, expected an IDX file; the download failed",
        ),
        ("a page, compressed", gzip(page), "(inflated): found a web page"),
        ("a page after blank lines", b"\r\n\r\n <html lang=en>".to_vec(), "found a web page"),
        ("a server's error", b"<?xml version=\"1.0\"?><Error>".to_vec(), "found a web page"),
        ("a message", b"404: Not Found\n".to_vec(), "found text"),
        (
            "a table",
            b"label,pixel0,pixel1\n1,0,0\n".to_vec(),
            "found text, expected an IDX file; convert",
        ),
        ("JSON", b"{\"message\": \"rate limit\"}".to_vec(), "found text"),
        (
            "a Git LFS pointer",
            b"version https://git-lfs.github.com/spec/v1\noid sha".to_vec(),
            "found a Git LFS pointer, expected an IDX file; run `git lfs pull`",
        ),
        ("a git-annex pointer", b"/annex/objects/SHA256E-s47040016".to_vec(), "git annex get"),
        (
            "a zip archive",
            b"PK\x03\x04\x14\0\0\0".to_vec(),
            "found a zip archive, expected an IDX file; unpack it first",
        ),
        ("a tar archive", tar.clone(), "found a tar archive"),
        ("a tar archive, compressed", gzip(&tar), "(inflated): found a tar archive"),
        ("a 7z archive", b"7z\xbc\xaf\x27\x1c\0\x04".to_vec(), "found a 7z archive"),
        ("bzip2", b"BZh91AY&SY".to_vec(), "found a bzip2 file"),
        ("xz", b"\xfd7zXZ\0".to_vec(), "found an xz file"),
        ("zstd", b"\x28\xb5\x2f\xfd\0".to_vec(), "found a zstd file"),
        ("gzip twice", gzip(&gzip(&images())), "(inflated): found a gzip file"),
        (
            "a PNG",
            b"\x89PNG\r\n\x1a\n".to_vec(),
            "found a PNG image, expected an IDX file; put pictures",
        ),
        ("a JPEG", b"\xff\xd8\xff\xe0".to_vec(), "found a JPEG image"),
        ("NumPy", b"\x93NUMPY\x01\0".to_vec(), "found a NumPy array"),
        ("HDF5", b"\x89HDF\r\n".to_vec(), "found an HDF5 file"),
        ("Matlab", b"MATLAB 5.0 MAT-file".to_vec(), "found a Matlab file"),
        ("Parquet", b"PAR1\x15\x04".to_vec(), "found a Parquet file"),
        ("a pickle", b"\x80\x04\x95\x12".to_vec(), "found a Python pickle"),
        ("UTF-16", b"\xff\xfea\0b\0".to_vec(), "found UTF-16 text"),
        (
            "random bytes",
            vec![0xde, 0xad, 0xbe, 0xef, 1],
            "found 0xde 0xad, expected 0x00 0x00; this is not an IDX file",
        ),
        (
            "random bytes, compressed",
            gzip(&[0xde, 0xad, 0xbe, 0xef, 1]),
            "(inflated): at byte 0: found 0xde 0xad",
        ),
        ("nothing, compressed", gzip(&[]), "(inflated): at byte 0: found 0 bytes"),
        // A header that is wrong.
        ("two zeros", vec![0, 0], "found 2 bytes, expected a magic number of 4"),
        ("an unknown type", idx(0x0a, &[2, 2, 3], &[0; 12]), "at byte 2: found element type 0x0a"),
        ("no dimensions", idx(0x08, &[], &[]), "at byte 3: found 0 dimensions, expected 1 to 4"),
        ("five dimensions", idx(0x08, &[1, 1, 1, 1, 1], &[0]), "at byte 3: found 5 dimensions"),
        (
            "half a header",
            cut(&images(), 9),
            "at byte 4: found 5 bytes of dimension sizes, expected 12",
        ),
        (
            "a little-endian header",
            with(&[0, 0, 8, 3, 2, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0], &[0; 12]),
            "expected no more than this machine can address; the header is damaged",
        ),
        (
            "sizes that no memory has",
            idx(0x08, &[u32::MAX, 1 << 20, 2], &[0]),
            "found 1 bytes of elements",
        ),
        ("the same, compressed", gzip(&idx(0x08, &[1 << 31, 28, 28], &[0])), "is all that 3"),
        // A body that is wrong.
        (
            "cut short",
            cut(&images(), 27),
            "found 11 bytes of elements, expected 12 (2 x 2 x 3 u8); the file is cut short",
        ),
        (
            "one byte more",
            with(&images(), &[0]),
            "at byte 28: found 1 more bytes, expected the end of the file",
        ),
        (
            "more by far, compressed",
            bomb,
            "found 16777204 more bytes, expected the end of the file",
        ),
        ("gzip cut short", cut(&gzip(&images()), 30), "found damaged gzip data"),
        (
            "gzip without its end",
            {
                let g = gzip(&images());
                cut(&g, g.len() - 8)
            },
            "found damaged gzip data",
        ),
        ("gzip's first bytes alone", vec![0x1f, 0x8b], "found damaged gzip data"),
        (
            "gzip with a line after it",
            with(&gzip(&images()), b"\n"),
            "found 1 bytes after the end of the gzip data, expected nothing, or zeros",
        ),
        (
            "gzip with a page after it",
            with(&gzip(&images()), page),
            "found 45 bytes after the end of the gzip data",
        ),
        (
            "gzip with zeros and a byte",
            with(&gzip(&images()), &[0, 0, 7]),
            "found 3 bytes after the end",
        ),
        // Shapes that are not those of images.
        (
            "labels",
            labels(),
            "found 1 dimensions (2), expected images x rows x columns, with or without one channel, or samples x features; a file of labels looks like this",
        ),
        (
            "colours last",
            idx(0x08, &[2, 2, 2, 3], &[0; 24]),
            "images in colour have to be made grey first",
        ),
        (
            "colours first",
            idx(0x08, &[2, 3, 2, 2], &[0; 24]),
            "images in colour have to be made grey first",
        ),
        ("films", idx(0x08, &[2, 5, 2, 2], &[0; 40]), "save the images with one of these shapes"),
        ("no images", idx(0x08, &[0, 28, 28], &[]), "found 2 labels, expected 0"),
        ("no pixels", idx(0x08, &[2, 0, 28], &[]), "found images of 0 x 28 pixels"),
        ("no features", idx(0x08, &[2, 0], &[]), "found images of 0 pixels"),
        ("more images than labels", idx(0x08, &[3, 1, 1], &[0; 3]), "found 2 labels, expected 3"),
    ] {
        let text = result(&[(IMAGES, bytes), (LABELS, labels())], "").unwrap_err();
        assert!(text.starts_with("DIR/") && text.contains(words), "{what}: {text}");
    }
}

#[test]
fn labels_that_are_no_labels() {
    let i32s = |numbers: &[i32]| numbers.iter().flat_map(|n| n.to_be_bytes()).collect::<Vec<_>>();
    let f32s = |numbers: &[f32]| numbers.iter().flat_map(|n| n.to_be_bytes()).collect::<Vec<_>>();
    for (what, bytes, words) in [
        (
            "images",
            images(),
            "found 3 dimensions (2 x 2 x 3), expected one label for each sample; a file of images looks like this: were images and labels exchanged?",
        ),
        (
            "one column for each class",
            idx(0x08, &[2, 2], &[0, 1, 1, 0]),
            "if a row has a 1 for its class",
        ),
        ("QMNIST's columns, but bytes", idx(0x08, &[2, 8], &[0; 16]), "found 2 dimensions (2 x 8)"),
        (
            "a class below 0",
            idx(0x0c, &[2], &i32s(&[0, -1])),
            "found label -1 of sample 1, expected a whole number from 0 to 255",
        ),
        (
            "a class above 255",
            idx(0x0c, &[2], &i32s(&[256, 0])),
            "at byte 8: found label 256 of sample 0",
        ),
        ("half a class", idx(0x0d, &[2], &f32s(&[0.0, 1.5])), "found label 1.5 of sample 1"),
        (
            "a missing class",
            idx(0x0d, &[2], &f32s(&[f32::NAN, 1.0])),
            "found label NaN of sample 0",
        ),
        ("a class of QMNIST", idx(0x0c, &[2, 8], &i32s(&[300; 16])), "found label 300 of sample 0"),
        (
            "too few",
            idx(0x08, &[1], &[0]),
            "found 1 labels, expected 2, one for each image in DIR/train-images",
        ),
        ("none", idx(0x08, &[0], &[]), "found 0 labels, expected 2"),
        ("a page", b"<html>".to_vec(), "train-labels-idx1-ubyte: found a web page"),
    ] {
        let text = result(&[(IMAGES, images()), (LABELS, bytes)], "").unwrap_err();
        assert!(text.contains(words), "{what}: {text}");
    }
}

#[test]
fn paths_that_are_no_folder_of_data() {
    let none = Vec::new;
    for (what, files, path, words) in [
        ("nothing", vec![], "none", "DIR/none: no such folder or file, expected a folder with"),
        ("an empty folder", vec![], "", "DIR: found no data in a known format"),
        (
            "other files",
            vec![("cat.png", none()), ("README", none())],
            "",
            "found no data in a known format",
        ),
        (
            "an archive",
            vec![("mnist.zip", b"PK\x03\x04\x14".to_vec())],
            "mnist.zip",
            "DIR/mnist.zip: found a zip archive, expected a folder with the files of MNIST, such as train-images-idx3-ubyte, raw or with .gz at the end (IDX), or a folder with a folder of pictures for each class, such as 7/scan.png (pictures); unpack it first",
        ),
        ("a compressed archive", vec![("mnist.tgz", gzip(b"x"))], "mnist.tgz", "found a gzip file"),
        ("an array", vec![("x.npy", b"\x93NUMPY\x01".to_vec())], "x.npy", "found a NumPy array"),
        ("an empty file", vec![("x", none())], "x", "found an empty file"),
        (
            "data of another name",
            vec![("digits", images())],
            "digits",
            "found 2 x 2 x 3 u8 in IDX, and beside it no file of labels",
        ),
        (
            "a download that goes on",
            vec![("train-images-idx3-ubyte.gz.part", images())],
            "",
            "found no data",
        ),
        (
            "images alone",
            vec![(IMAGES, images())],
            "",
            "found no file train-labels-idx1-ubyte or train-labels-idx1-ubyte.gz",
        ),
        ("labels alone", vec![(LABELS, labels())], "", "found no file train-images-idx3-ubyte or"),
        (
            "the test set alone",
            vec![("t10k-images-idx3-ubyte", images())],
            "",
            "found no file train-images-idx3-ubyte or",
        ),
        (
            "another data set's labels",
            vec![
                ("emnist-letters-train-images-idx3-ubyte", images()),
                ("emnist-digits-train-labels-idx1-ubyte", labels()),
            ],
            "",
            "found 2 data sets, those of emnist-digits-train-labels-idx1-ubyte and emnist-letters-train-images-idx3-ubyte; pass the path of one of these files",
        ),
        (
            "two data sets below",
            vec![
                ("A/raw/train-images-idx3-ubyte", images()),
                ("B/raw/train-images-idx3-ubyte", images()),
            ],
            "",
            "found 2 data sets, those of A/raw/train-images-idx3-ubyte and B/raw/",
        ),
        (
            "a folder in place of a file",
            vec![("train-images-idx3-ubyte/", none()), (LABELS, labels())],
            "",
            "found no file train-images-idx3-ubyte or",
        ),
        (
            "a folder in place of names",
            vec![(IMAGES, images()), (LABELS, labels()), ("classes.txt/", none())],
            "",
            "classes.txt: found a folder, expected a file",
        ),
        (
            "names in UTF-16",
            vec![(IMAGES, images()), (LABELS, labels()), ("classes.txt", b"\xff\xfea\0".to_vec())],
            "",
            "classes.txt: line 1: found UTF-16 text, expected the name of a class in UTF-8",
        ),
    ] {
        let text = result(&files, path).unwrap_err();
        assert!(text.contains(words), "{what}: {text}");
    }
}

/// A pipe that nobody writes to, a socket, and devices: to read them would never end.
#[test]
#[cfg(unix)]
fn what_has_no_end() {
    use std::os::unix::fs::symlink;
    let dir = tempfile::tempdir().unwrap();
    let status = std::process::Command::new("mkfifo").arg(dir.path().join("pipe")).status();
    assert!(status.unwrap().success());
    symlink("/dev/zero", dir.path().join("zero")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
    for (name, words) in
        [("pipe", "found a pipe"), ("socket", "found a socket"), ("zero", "found a device")]
    {
        let path = dir.path().join(name);
        let text = open(&path).unwrap_err().to_string();
        assert!(text.contains(words), "{text}");
        let text = mnist_io::IdxFile::read(&path).unwrap_err().to_string();
        assert!(text.contains(&format!("{words}, expected a file")), "{text}");
        for file in [IMAGES, LABELS, "classes.txt"] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(IMAGES), images()).unwrap();
            fs::write(folder.path().join(LABELS), labels()).unwrap();
            let _ = fs::remove_file(folder.path().join(file));
            symlink(&path, folder.path().join(file)).unwrap();
            let text = open(folder.path()).unwrap_err().to_string();
            assert!(text.contains(file) && text.contains(words), "{text}");
        }
    }
}

/// Every prefix of a file, and every byte of it changed: samples or a clear error.
#[test]
fn every_prefix_and_every_byte() {
    let dir = tempfile::tempdir().unwrap();
    for (name, whole) in [(IMAGES, images()), (LABELS, labels())] {
        fs::write(dir.path().join(IMAGES), images()).unwrap();
        fs::write(dir.path().join(LABELS), labels()).unwrap();
        for whole in [whole.clone(), gzip(&whole), [gzip(&whole[..9]), gzip(&whole[9..])].concat()]
        {
            let prefixes = (0..whole.len()).map(|len| (whole[..len].to_vec(), true));
            let flips = (0..whole.len()).flat_map(|at| [1, 0x80, 0xff].map(|bits| (at, bits)));
            let flips = flips.map(|(at, bits)| {
                let mut bytes = whole.clone();
                bytes[at] ^= bits;
                (bytes, false)
            });
            for (bytes, fails) in prefixes.chain(flips) {
                fs::write(dir.path().join(name), &bytes).unwrap();
                match open(dir.path()) {
                    // The first member of two has a header, and not its elements.
                    Ok(_) => assert!(!fails, "{name}: {bytes:x?}"),
                    Err(error) => {
                        let text = error.to_string();
                        assert!(text.contains(name) && !text.contains('\n'), "{text}");
                        assert!(text.contains("found"), "{text}");
                    }
                }
            }
        }
    }
}
