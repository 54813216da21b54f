//! Any bytes as a table, under any options. What is known of its cells is what the cells say;
//! and reading it once more, with columns that are known, gives the same cells, however many
//! rows a batch has and however few bytes a read gives.
//!
//! Bytes 0 to 2 are the options; the rest is the text.

#![no_main]

use std::collections::HashSet;
use std::io::{self, Read};
use std::path::Path;

use fuzz::check_message;
use libfuzzer_sys::fuzz_target;
use mnist_io::{Column, ColumnKind, DISTINCT, Facts, Rows, Table, TableOptions, Wanted};

/// Gives at most `most` bytes at a time.
struct Pieces<'a> {
    rest: &'a [u8],
    most: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(self.most);
        self.rest.read(&mut buffer[..len])
    }
}

/// What reading gives: the bits of the cells, the facts, the message of the error that ends it.
#[derive(Debug, PartialEq)]
struct Reading {
    cells: Vec<u32>,
    facts: Option<Facts>,
    error: Option<String>,
}

/// Which NaN it is does not matter.
fn bits(cells: &[f32]) -> Vec<u32> {
    cells.iter().map(|x| if x.is_nan() { f32::NAN } else { *x }.to_bits()).collect()
}

fn read(
    text: &[u8],
    most: usize,
    batch: usize,
    wanted: Wanted<'_>,
    options: &TableOptions<'_>,
) -> Reading {
    let mut cells = Vec::new();
    let (mut facts, mut error) = (None, None);
    match Rows::new(Pieces { rest: text, most }, Path::new("table"), wanted, options) {
        Ok(mut rows) => {
            loop {
                let before = cells.len();
                match rows.next_batch(batch, &mut cells) {
                    Ok(count) => {
                        assert_eq!(cells.len() - before, count * wanted.columns.len());
                        if count < batch {
                            break;
                        }
                    }
                    Err(found) => {
                        error = Some(found);
                        break;
                    }
                }
            }
            facts = Some(rows.facts());
        }
        Err(found) => error = Some(found),
    }
    let error = error.map(|error| {
        check_message(&error);
        error.to_string()
    });
    Reading { cells: bits(&cells), facts, error }
}

/// The same with batches of 1 and of 1000 rows, and with single bytes.
fn read_alike(text: &[u8], wanted: Wanted<'_>, options: &TableOptions<'_>) -> Reading {
    let whole = read(text, usize::MAX, 1000, wanted, options);
    assert_eq!(read(text, usize::MAX, 1, wanted, options), whole);
    // What is no text at all is found in the first bytes that a read gives: a pipe is not
    // waited for. So there fewer bytes find less.
    // Of a zero and a wrong cell before it, the one that is read first is told.
    if whole.facts.is_some() && !text.contains(&0) {
        assert_eq!(read(text, 1, 7, wanted, options), whole);
    }
    whole
}

/// What the facts say, from the cells alone.
fn check_facts(table: &Table) {
    let (schema, facts) = (table.schema(), table.facts());
    let width = schema.columns.len();
    assert_eq!(facts.columns.len(), width);
    assert_eq!(table.cells().len(), table.rows() * width);
    let names: HashSet<_> = schema.columns.iter().map(|column| &column.name).collect();
    assert_eq!(names.len(), width, "names twice");
    for (at, (column, facts)) in schema.columns.iter().zip(&facts.columns).enumerate() {
        let cells: Vec<f32> = (0..table.rows()).map(|row| table.row(row)[at]).collect();
        let there: Vec<f32> = cells.iter().copied().filter(|cell| !cell.is_nan()).collect();
        let distinct: HashSet<u32> = there.iter().map(|cell| (cell + 0.0).to_bits()).collect();
        let name = &column.name;
        match &column.kind {
            ColumnKind::Number => {
                assert_eq!(facts.missing as usize, cells.len() - there.len(), "{name}");
                assert_eq!(facts.distinct, distinct.len().min(DISTINCT), "{name}");
                let least = there.iter().copied().reduce(f32::min);
                let most = there.iter().copied().reduce(f32::max);
                let range = facts.range.map(|(least, most)| (least as f32, most as f32));
                assert_eq!(range, least.zip(most), "{name}");
            }
            ColumnKind::Category { values } => {
                assert_eq!(facts.missing as usize, cells.len() - there.len(), "{name}");
                let used: HashSet<_> = there.iter().map(|cell| *cell as usize).collect();
                assert_eq!(used, (0..values.len()).collect(), "{name}: {values:?}");
                assert!(there.iter().all(|cell| cell.fract() == 0.0));
                let different: HashSet<_> = values.iter().collect();
                assert_eq!(different.len(), values.len(), "{name}: {values:?}");
            }
            _ => assert!(there.is_empty(), "{name}: a text is a number"),
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let [flags, separator, names, text @ ..] = data else { return };
    let header = [None, Some(false), Some(true), None][usize::from(flags & 3)];
    let separator = (flags & 4 != 0).then_some(*separator);
    let plain = TableOptions { separator, header, ..TableOptions::default() };
    let known = [("a", ColumnKind::Number), ("b", category(&["x", "yes", "1"])), ("c", ColumnKind::Text)];
    let known = known.map(|(name, kind)| Column::new(name, kind));
    let optional = ["b".to_owned(), "c".to_owned()];
    let _ = read_alike(text, Wanted { columns: &known, optional: &optional }, &plain);

    let table = match Table::parse(text, &plain) {
        Ok(table) => table,
        Err(error) => return check_message(&error),
    };
    check_facts(&table);
    // The roles of two of the columns that there are.
    let column = |bits: u8| {
        let columns = &table.schema().columns;
        columns.get(usize::from(bits) % columns.len().max(1)).map(|column| column.name.clone())
    };
    let said: Vec<String> = column(names & 15).into_iter().collect();
    let other: Vec<String> = column(names >> 4).filter(|name| !said.contains(name)).into_iter().collect();
    let mut options = plain;
    match flags >> 3 & 7 {
        1 => options.categorical = &said,
        2 => options.numeric = &said,
        3 => options.ignore = &said,
        4 => (options.categorical, options.numeric) = (&said, &other),
        5 => (options.categorical, options.ignore) = (&said, &other),
        _ => (),
    }
    let table = match Table::parse(text, &options) {
        Ok(table) => table,
        Err(error) => return check_message(&error),
    };
    check_facts(&table);

    // The columns are known now. Without names they are known by their positions, so none may
    // be left out; and a text that begins with a brace is JSON for whoever knows the columns.
    let schema = table.schema();
    let begins = |text: &[u8]| text.trim_ascii_start().first().copied();
    let json = begins(text) == Some(b'{') || text.starts_with(&[0x1f, 0x8b]) || text.starts_with(b"\xef\xbb\xbf");
    if json || !schema.dialect.header && !options.ignore.is_empty() {
        return;
    }
    options.separator = Some(schema.dialect.separator);
    options.header = Some(schema.dialect.header);
    let wanted = Wanted { columns: &schema.columns, optional: &[] };
    let again = read_alike(text, wanted, &options);
    assert_eq!(again.error, None);
    assert_eq!(again.cells, bits(table.cells()));
    assert_eq!(again.facts.unwrap().rows, table.facts().rows);
});

fn category(values: &[&str]) -> ColumnKind {
    ColumnKind::Category { values: values.iter().map(|value| (*value).to_owned()).collect() }
}
