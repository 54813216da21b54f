//! The rows of a text, compared with what `csv-core` alone says, in blocks of any size.

use std::io::{self, Read};
use std::path::Path;

use csv_core::{ReadRecordResult, ReaderBuilder};
use proptest::collection::vec;
use proptest::prelude::*;

use super::block::Block;
use super::records::Records;

/// Gives a few bytes at a time.
struct Slowly<'a> {
    bytes: &'a [u8],
    most: usize,
}

impl Read for Slowly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.most.min(buffer.len());
        self.bytes.read(&mut buffer[..most])
    }
}

type Rows = Vec<(u64, Vec<Vec<u8>>)>;

fn rows(bytes: &[u8], most: usize) -> Result<Rows, String> {
    let block = Block::new("text".into(), Slowly { bytes, most }).map_err(|e| e.to_string())?;
    let mut records = Records::new(block, b',');
    let mut rows = Vec::new();
    while let Some(record) = records.next().map_err(|error| error.to_string())? {
        rows.push((record.line, record.raw().map(<[u8]>::to_vec).collect()));
    }
    Ok(rows)
}

/// What `csv-core` says of the whole text; `None` if it ends within quotes.
fn plainly(bytes: &[u8]) -> Option<Vec<Vec<Vec<u8>>>> {
    let mut reader = ReaderBuilder::new().build();
    let (mut output, mut ends) = (vec![0; bytes.len() + 1], vec![0; bytes.len() + 2]);
    let mut rest = [bytes, b"\n"].concat();
    let mut rows = Vec::new();
    loop {
        let (result, read, written, cells) = reader.read_record(&rest, &mut output, &mut ends);
        rest.drain(..read);
        match result {
            ReadRecordResult::Record => {
                let starts = [0].into_iter().chain(ends[..cells].iter().copied());
                let cells = starts.zip(&ends[..cells]).map(|(a, &b)| output[a..b].to_vec());
                rows.push(cells.collect());
            }
            _ => return (written == 0 && cells == 0).then_some(rows),
        }
    }
}

fn is_blank(row: &[Vec<u8>]) -> bool {
    row.len() == 1 && !row[0].is_empty() && row[0].trim_ascii().is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn rows_are_those_of_csv_core(
        pieces in vec(prop::sample::select(vec!["a", "1", ",", ",", "\"", "\"\"", "\n", "\n", "\r\n", "\r", " ", "é"]), 0..40),
        most in 1..9_usize,
    ) {
        let text = pieces.concat();
        let expected = plainly(text.as_bytes());
        match rows(text.as_bytes(), most) {
            Ok(found) => {
                let found: Vec<_> = found.into_iter().map(|(_, row)| row).collect();
                let expected: Vec<_> = expected.unwrap().into_iter().filter(|row| !is_blank(row)).collect();
                prop_assert_eq!(found, expected);
            }
            Err(error) => {
                prop_assert!(error.contains("never closed"), "{}", error);
                prop_assert_eq!(expected, None);
            }
        }
    }

    /// The line of each row, for texts whose line ends are all of one kind.
    #[test]
    fn lines_are_counted(
        rows_of in vec(prop::sample::select(vec!["a,b", "\"a\",b", "", "c"]), 0..20),
        end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        most in 1..9_usize,
    ) {
        let text: String = rows_of.iter().map(|row| format!("{row}{end}")).collect();
        let expected: Vec<_> =
            rows_of.iter().zip(1..).filter(|(row, _)| !row.is_empty()).map(|(_, line)| line).collect();
        let found: Vec<_> = rows(text.as_bytes(), most).unwrap().into_iter().map(|(line, _)| line).collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn a_cell_of_several_lines() {
    let text = b"a,\"x\n\r\ny\"\nb,c\n";
    let found = rows(text, 2).unwrap();
    assert_eq!(found.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 4]);
    assert_eq!(found[0].1[1], b"x\n\r\ny");
}

#[test]
fn long_rows() {
    // Rows that do not fit into the first block, plain and quoted.
    for quote in ["", "\""] {
        let long = format!("{quote}{}{quote}", "x".repeat(700_000));
        let text = format!("{long},1\n{long},2\n");
        let found = rows(text.as_bytes(), usize::MAX).unwrap();
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|(_, row)| row.len() == 2 && row[0].len() == 700_000));
    }
    // Rows without an end: neither takes more than a bound.
    for start in ["x", "\"x", "\""] {
        let endless = start.as_bytes().chain(io::repeat(b'y'));
        let block = Block::new(Path::new("text").into(), endless).unwrap();
        let error = Records::new(block, b',').next().unwrap_err().to_string();
        assert!(
            error.starts_with("text: line 1: found a row of more than 16777216 bytes"),
            "{error}"
        );
    }
    let endless = b"\"".chain(io::repeat(b','));
    let block = Block::new(Path::new("text").into(), endless).unwrap();
    assert!(Records::new(block, b',').next().is_err());
    let endless = io::repeat(b',');
    let block = Block::new(Path::new("text").into(), endless).unwrap();
    assert!(Records::new(block, b',').next().is_err());
}
