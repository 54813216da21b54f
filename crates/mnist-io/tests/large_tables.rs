//! Tables in files so large that a thread reads them ahead, raw and gzip, compared with the same
//! bytes from memory, of which none does.

use std::fs;
use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use mnist_io::{Column, ColumnKind, Table, TableOptions, Wanted};

const ROWS: usize = 250_000;

/// Rows of two random numbers. Digits are compressed to a half.
fn text() -> Vec<u8> {
    let mut state = 1_u64;
    let mut text = b"x,y\n".to_vec();
    for _ in 0..ROWS {
        // Knuth's generator; its upper bits are the good ones.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        writeln!(text, "{},{}.5", state >> 40, state >> 60).unwrap();
    }
    text
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    let bytes = encoder.finish().unwrap();
    assert!(bytes.len() > 1 << 20, "{} bytes are too few for a thread", bytes.len());
    bytes
}

#[test]
fn as_from_memory() {
    let options = TableOptions::default();
    let text = text();
    let half = text.len() / 2;
    let middle = half + text[half..].iter().position(|byte| *byte == b'\n').unwrap();
    let ragged = [&text[..middle], b"\n1,2,3", &text[middle..]].concat();
    let whole = gzip(&text);
    let cut = whole.len() - 1000;
    let with = |bytes: &[u8], more: &[u8]| [bytes, more].concat();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("table");
    assert!(middle > 1 << 20, "{middle} bytes are too few for a thread");
    for (name, bytes, says) in [
        ("raw", text.clone(), None),
        ("raw, a ragged row", ragged.clone(), Some("found 3 cells")),
        ("raw, an open quote", with(&text, b"1,\"2\n"), Some("a quote that is never closed")),
        ("raw, an infinite number", with(&text, b"1,inf\n"), Some("found `inf`")),
        ("whole", whole.clone(), None),
        ("two members", with(&whole, &gzip(&text[4..])), None),
        ("with zeros after it", with(&whole, &[0; 600]), None),
        ("cut short", whole[..cut].to_vec(), Some("damaged gzip data")),
        ("with a line after it", with(&whole, b"1,2\n"), Some("something else follows it")),
        // What comes first in the file is said, though the rest was inflated before.
        ("a ragged row", gzip(&ragged), Some("found 3 cells")),
        ("a ragged row, cut short", gzip(&ragged)[..cut].to_vec(), Some("found 3 cells")),
    ] {
        fs::write(&path, &bytes).unwrap();
        let columns = ["x", "y"].map(|name| Column::new(name, ColumnKind::Number));
        let wanted = Wanted { columns: &columns, optional: &[] };
        let known = Table::read_with(&path, wanted, &options);
        match (Table::read(&path, &options), Table::parse(&bytes, &options)) {
            (Ok(found), Ok(expected)) => {
                assert_eq!(says, None, "{name}");
                assert!(found == expected, "{name}");
                assert!(known.unwrap().cells() == expected.cells(), "{name}");
            }
            (Err(found), Err(expected)) => {
                let path = path.display().to_string();
                let found = found.to_string().replace(&path, "table");
                assert_eq!(found, expected.to_string(), "{name}");
                assert!(found.contains(says.expect(name)), "{name}: {found}");
                assert_eq!(known.unwrap_err().to_string().replace(&path, "table"), found, "{name}");
            }
            (found, expected) => panic!("{name}: {found:?}, expected {expected:?}"),
        }
    }
}
