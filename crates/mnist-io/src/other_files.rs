//! Files that are taken for data by mistake, known by their first bytes.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::mapped::endless;

/// A file in another format: what it is, and what to do. Both go into a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OtherFile {
    pub(crate) found: &'static str,
    pub(crate) advice: &'static str,
}

/// The bytes that are enough to know a file by. A tar archive has its name at byte 257.
pub(crate) const ENOUGH: usize = 512;

const FETCH: &str = "the download failed: fetch the file again";
const UNPACK: &str = "unpack it first";
const CONVERT: &str = "convert the data to IDX first";
const CHECK: &str = "check the path";
const PICTURES: &str = "put pictures into a folder for each class, and pass the folder above";
const RESAVE: &str = "save pictures as PNG or JPEG first";

/// First bytes, what has them, and what to do.
const SIGNATURES: &[(&[u8], &str, &str)] = &[
    (b"PK\x03\x04", "a zip archive", UNPACK),
    (b"PK\x05\x06", "an empty zip archive", FETCH),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"Rar!", "a rar archive", UNPACK),
    (b"BZh", "a bzip2 file", UNPACK),
    (b"\xfd7zXZ", "an xz file", UNPACK),
    (b"\x28\xb5\x2f\xfd", "a zstd file", UNPACK),
    (b"\x1f\x9d", "a compress (.Z) file", UNPACK),
    (b"\x1f\x8b", "a gzip file", UNPACK),
    (b"version https://git-lfs", "a Git LFS pointer", "run `git lfs pull` to fetch the data"),
    (b"/annex/objects/", "a git-annex pointer", "run `git annex get` to fetch the data"),
    (b"\x89PNG", "a PNG image", PICTURES),
    (b"\xff\xd8\xff", "a JPEG image", PICTURES),
    (b"GIF8", "a GIF image", RESAVE),
    (b"BM", "a BMP image", RESAVE),
    (b"II*\0", "a TIFF image", RESAVE),
    (b"MM\0*", "a TIFF image", RESAVE),
    (b"P1", "a PBM image", PICTURES),
    (b"P2", "a PGM image", PICTURES),
    (b"P3", "a PPM image", PICTURES),
    (b"P4", "a PBM image", PICTURES),
    (b"P5", "a PGM image", PICTURES),
    (b"P6", "a PPM image", PICTURES),
    (b"P7\n", "a PAM image", RESAVE),
    (b"\x93NUMPY", "a NumPy array", CONVERT),
    (b"\x89HDF", "an HDF5 file", CONVERT),
    (b"MATLAB 5.0", "a Matlab file", CONVERT),
    (b"PAR1", "a Parquet file", CONVERT),
    (b"ARROW1", "an Arrow file", CONVERT),
    (b"SQLite format 3", "an SQLite database", CONVERT),
    (b"\x80\x02", "a Python pickle", CONVERT),
    (b"\x80\x03", "a Python pickle", CONVERT),
    (b"\x80\x04", "a Python pickle", CONVERT),
    (b"\x80\x05", "a Python pickle", CONVERT),
    (b"%PDF", "a PDF document", CHECK),
    (b"\xff\xfe", "UTF-16 text", CHECK),
    (b"\xfe\xff", "UTF-16 text", CHECK),
];

impl OtherFile {
    /// What a file with these first bytes is; `None` if it is nothing that is known. A
    /// file that could be IDX, which begins with two zeros, is nothing of this list.
    pub(crate) fn known_by(bytes: &[u8]) -> Option<Self> {
        let bytes = &bytes[..bytes.len().min(ENOUGH)];
        if let Some(found) = in_boxes(bytes) {
            return Some(Self { found, advice: RESAVE });
        }
        if bytes.starts_with(&[0, 0]) {
            return None;
        }
        if bytes.get(257..262) == Some(b"ustar") {
            return Some(Self { found: "a tar archive", advice: UNPACK });
        }
        let known = SIGNATURES.iter().find(|(signature, ..)| bytes.starts_with(signature));
        if let Some(&(_, found, advice)) = known {
            return Some(Self { found, advice });
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = bytes.trim_ascii_start();
        let page = [&b"<!doctype"[..], b"<html", b"<head", b"<?xml", b"<error", b"<!--"];
        let begins =
            |tag: &[u8]| text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
        if page.into_iter().any(begins) {
            return Some(Self { found: "a web page", advice: FETCH });
        }
        // Four letters could be anything.
        let printable = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n');
        (bytes.len() > 4 && bytes.iter().all(printable)).then_some(Self {
            found: "text",
            advice: "convert the data to IDX first, or check the path",
        })
    }

    /// What is at `path`, which exists and is no data.
    pub(crate) fn at(path: &Path) -> Self {
        let unknown = Self { found: "no data in a known format", advice: CHECK };
        let Ok(metadata) = path.metadata() else { return unknown };
        if metadata.is_dir() {
            return unknown;
        }
        if let Some(found) = endless(metadata.file_type()) {
            return Self { found, advice: "save what it gives to files first" };
        }
        if metadata.len() == 0 {
            return Self { found: "an empty file", advice: CHECK };
        }
        let mut bytes = Vec::new();
        let read = File::open(path).map(|file| file.take(ENOUGH as u64).read_to_end(&mut bytes));
        let known = if read.is_ok() { Self::known_by(&bytes) } else { None };
        known.unwrap_or(Self { found: "a file in no known format", advice: CHECK })
    }
}

/// Formats whose first bytes are a length. An IDX file with a 0 as its third byte has elements of
/// no type.
fn in_boxes(bytes: &[u8]) -> Option<&'static str> {
    match (bytes.get(..4)?, bytes.get(4..12)?) {
        (b"RIFF", _) if bytes[8..12] == *b"WEBP" => Some("a WebP image"),
        ([0, 0, 0, _], b"ftypavif" | b"ftypavis") => Some("an AVIF image"),
        ([0, 0, 0, _], b"ftypheic" | b"ftypheix" | b"ftyphevc" | b"ftypmif1" | b"ftypmsf1") => {
            Some("a HEIC image")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_could_be_idx_is_no_other() {
        for bytes in [&[][..], &[0], &[0, 0, 8, 1], b"abc", b"abcd", b"\x01\x02\x03\x04\x05"] {
            assert_eq!(OtherFile::known_by(bytes), None, "{bytes:?}");
        }
        // Not even with the name of a tar archive in its pixels.
        let mut bytes = vec![0; 300];
        bytes[257..262].copy_from_slice(b"ustar");
        assert_eq!(OtherFile::known_by(&bytes), None);
    }

    #[test]
    fn a_web_page_however_it_begins() {
        for text in ["<!DOCTYPE html>", "\u{feff}\r\n <HTML>", "<?xml version", "<Error><Code>"] {
            let other = OtherFile::known_by(text.as_bytes()).unwrap();
            assert_eq!(other.found, "a web page", "{text}");
        }
        assert_eq!(OtherFile::known_by(b"404: Not Found\n").unwrap().found, "text");
    }
}
