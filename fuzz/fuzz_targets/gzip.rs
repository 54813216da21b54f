//! Any bytes as a gzip file of IDX. If the first byte is odd, the rest is the file;
//! otherwise the rest is compressed first. Either way the result is that of the bytes that
//! a plain decompressor finds in it.

#![no_main]

use std::fs;
use std::io::{Read, Write};
use std::sync::LazyLock;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use fuzz::check_message;
use libfuzzer_sys::fuzz_target;
use mnist_io::{IdxFile, parse};
use tempfile::TempDir;

/// More than a decompressed input has, unless it is a bomb.
const MOST: u64 = 1 << 20;

static DIR: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

fuzz_target!(|data: &[u8]| {
    let Some((mode, data)) = data.split_first() else { return };
    let gzip = if mode % 2 == 1 {
        data.to_owned()
    } else {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    };
    let path = DIR.path().join("file");
    fs::write(&path, &gzip).unwrap();
    let found = IdxFile::read(&path);
    if let Err(error) = &found {
        check_message(error);
    }
    if !gzip.starts_with(&[0x1f, 0x8b]) {
        return assert_eq!(found.is_ok(), parse(&gzip).is_ok());
    }
    let mut plain = Vec::new();
    match MultiGzDecoder::new(&gzip[..]).take(MOST).read_to_end(&mut plain) {
        Ok(len) if len as u64 == MOST => (),
        Ok(_) => match (parse(&plain), found) {
            (Ok((header, body)), Ok(file)) => {
                assert_eq!((file.header(), file.body()), (&header, body));
                assert_eq!(file.to_f64().len(), header.elements());
            }
            (Err(_), Err(_)) => (),
            (expected, found) => panic!("{found:?}, not {expected:?}"),
        },
        // Zeros after the last member are ignored.
        Err(_) => assert!(found.is_err() || gzip.ends_with(&[0])),
    }
});
