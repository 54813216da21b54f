//! Tables that come through a pipe.

use std::cell::Cell;
use std::io::Read;
use std::path::Path;

use mnist_io::{Column, ColumnKind, Rows, TableOptions, Wanted};

fn number(name: &str) -> Column {
    Column::new(name, ColumnKind::Number)
}

/// A reader that never ends gives its first rows at once, and in constant memory.
#[test]
fn a_stream() {
    /// Gives a line at a time.
    struct Forever {
        lines: usize,
        rest: &'static [u8],
    }
    impl Read for Forever {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.rest.is_empty() {
                self.rest = if self.lines == 0 { b"x,y\n" } else { b"1,2\n" };
                self.lines += 1;
                assert!(self.lines <= 1001, "more was read than was asked for");
            }
            self.rest.read(buffer)
        }
    }
    let columns = [number("y"), number("x")];
    let wanted = Wanted { columns: &columns, optional: &[] };
    let options = TableOptions::default();
    let mut rows = {
        let forever = Forever { lines: 0, rest: b"" };
        Rows::new(forever, Path::new("stdin"), wanted, &options).unwrap()
    };
    let mut cells = Vec::new();
    for batch in 1..=100 {
        assert_eq!(rows.next_batch(10, &mut cells).unwrap(), 10);
        assert_eq!(rows.line(), 2 + 10 * batch);
        assert_eq!(cells, [2.0, 1.0].repeat(10));
        cells.clear();
    }
}

/// What `next_ready` gives of chunks that come one after another, with the number of chunks that
/// were read by then: a chunk that is not there yet would be a wait.
fn ready(columns: &[Column], chunks: &[&str]) -> Vec<(usize, Vec<f32>)> {
    struct Chunks<'a>(&'a [&'a str], &'a Cell<usize>);
    impl Read for Chunks<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let Some(chunk) = self.0.get(self.1.get()) else { return Ok(0) };
            assert!(buffer.len() >= chunk.len());
            self.1.set(self.1.get() + 1);
            buffer[..chunk.len()].copy_from_slice(chunk.as_bytes());
            Ok(chunk.len())
        }
    }
    let read = Cell::new(0);
    let wanted = Wanted { columns, optional: &[] };
    // The two bytes that gzip is known by are read alone, so the first chunk is.
    let (start, rest) = (&chunks[0], &chunks[1..]);
    let reader = start.as_bytes().chain(Chunks(rest, &read));
    let mut rows = Rows::new(reader, Path::new("stdin"), wanted, &TableOptions::default()).unwrap();
    let mut batches = Vec::new();
    loop {
        let mut cells = Vec::new();
        let count = rows.next_ready(3, &mut cells).unwrap();
        assert_eq!(cells.len(), count * columns.len());
        if count == 0 {
            return batches;
        }
        batches.push((1 + read.get(), cells));
    }
}

#[test]
fn rows_are_given_as_soon_as_they_are_there() {
    let x = [number("x")];
    for (chunks, expected) in [
        (&["x\n", "1\n", "2\n"][..], &[(2, &[1.0][..]), (3, &[2.0])][..]),
        // Several at a time, and at most three.
        (&["x\n", "1\n2\n", "3\n"], &[(2, &[1.0, 2.0]), (3, &[3.0])]),
        (&["x\n", "1\n2\n3\n4\n"], &[(2, &[1.0, 2.0, 3.0]), (2, &[4.0])]),
        // A row in two parts, and the last one without an end.
        (&["x\n", "1\n2", "5\n3"], &[(2, &[1.0]), (3, &[25.0]), (3, &[3.0])]),
        // Quotes: one within a cell hides the end of its row until the row is the first.
        (&["y,x\n", "\"a\nb\",1\n\"c", "\n\",2\n"], &[(2, &[1.0]), (3, &[2.0])]),
        (&["y,x\n", "5\",1\n6\",2\n", "7,3\n"], &[(2, &[1.0]), (2, &[2.0]), (3, &[3.0])]),
        // Other line ends, lines of white space.
        (&["x\r\n", "1\r\n\"2\"\r\n", "3\r\n"], &[(2, &[1.0, 2.0]), (3, &[3.0])]),
        (&["x\n", "1\n\n \n", "2\n"], &[(2, &[1.0]), (3, &[2.0])]),
        (&["{\"x\":1}\n", "{\"x\":2}\n{\"x\"", ":3}\n"], &[(1, &[1.0]), (2, &[2.0]), (3, &[3.0])]),
    ] {
        let expected: Vec<_> =
            expected.iter().map(|(read, cells)| (*read, cells.to_vec())).collect();
        assert_eq!(ready(&x, chunks), expected, "{chunks:?}");
    }
    // Without a header, one digit is a row.
    let nameless = [number("column 1")];
    let found = ready(&nameless, &["1\n", "2\n", "3\n"]);
    assert_eq!(found, [(1, vec![1.0]), (2, vec![2.0]), (3, vec![3.0])]);
}

/// A zero byte is found wherever it is, in a file and in a pipe.
#[test]
fn no_text_after_the_first_bytes() {
    struct Single<'a>(&'a [u8]);
    impl Read for Single<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = buffer.len().min(1);
            self.0.read(&mut buffer[..count])
        }
    }
    for text in ["\r\n\0\0x\n1\n", "x\n1\n\0\n2\n"] {
        let options = TableOptions::default();
        let found = mnist_io::Table::parse(text.as_bytes(), &options).unwrap_err();
        assert!(found.to_string().contains("no text"), "{found}");
        for single in [true, false] {
            let columns = [number("x")];
            let wanted = Wanted { columns: &columns, optional: &[] };
            let reader: Box<dyn Read> = match single {
                true => Box::new(Single(text.as_bytes())),
                false => Box::new(text.as_bytes()),
            };
            let rows = Rows::new(reader, Path::new("t"), wanted, &options);
            let read = rows.and_then(|mut rows| rows.next_batch(9, &mut Vec::new()));
            let error = read.unwrap_err().to_string();
            assert!(error.contains("no text"), "{text:?}: {error}");
        }
    }
}
