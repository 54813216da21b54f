//! The rows of a text, read ahead by another thread.
//!
//! A few batches of memory go round. The thread fills one that is empty and hands it over; here
//! its rows are taken, and it goes back. So the thread is never more than these batches ahead.
//! Finding rows takes a third of the time that numbers take. So where the thread has no batch
//! to fill next, because all others wait to be taken, it reads the numbers of this one before
//! it hands it over. What is read is the same, whoever reads it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{Builder, JoinHandle};

use super::batch::Batch;
use super::error::TableError;
use super::marks::Marks;
use super::records::{Record, Records};
use crate::error::Error;

/// Files of fewer bytes are read before another thread has begun.
const LARGE: u64 = 1 << 20;

/// The bytes of a batch, without its numbers: one fits into an L2 cache, and takes longer to
/// read than a thread takes to wake up.
const SIZE: usize = 1 << 18;

/// One is taken from, one is filled, and the others wait for whichever of the two is faster.
const BATCHES: usize = 4;

/// The rows of a text, one after another.
pub(crate) enum RowReader<R> {
    /// Read when they are wanted.
    Here(Box<Records<R>>),
    /// Read by another thread.
    Ahead(Ahead),
}

impl RowReader<File> {
    /// The rows of a file that is read as a whole: of a large one they are read ahead, where
    /// there are threads. `marks` are what those of its numbers seem to be.
    pub(crate) fn whole_file(records: Records<File>, marks: Marks) -> Self {
        // The thread is waited for, and a read of what is no file may never end.
        let metadata = records.reader().and_then(|file| file.metadata().ok());
        if metadata.is_some_and(|data| data.is_file() && data.len() >= LARGE) {
            Self::ahead(records, marks, SIZE)
        } else {
            Self::Here(Box::new(records))
        }
    }
}

impl<R: Read + Send + 'static> RowReader<R> {
    /// Reads ahead in batches of `size` bytes, or here if there are no threads or no more of
    /// them.
    pub(crate) fn ahead(records: Records<R>, marks: Marks, size: usize) -> Self {
        Ahead::new(Box::new(records), marks, size).map_or_else(Self::Here, Self::Ahead)
    }
}

impl<R: Read> RowReader<R> {
    /// The next row that is no empty line; `None` at the end of the text.
    pub(crate) fn next(&mut self) -> Result<Option<Record<'_>>, Error> {
        match self {
            Self::Here(records) => records.next(),
            Self::Ahead(ahead) => ahead.next(),
        }
    }

    /// The line of the next row, or of the end.
    pub(crate) fn line(&self) -> u64 {
        match self {
            Self::Here(records) => records.line(),
            Self::Ahead(ahead) => ahead.line,
        }
    }

    /// As [`Records::is_ready`].
    pub(crate) fn is_ready(&self) -> bool {
        match self {
            Self::Here(records) => records.is_ready(),
            Self::Ahead(ahead) => ahead.is_ready(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Here(records) => records.path(),
            Self::Ahead(ahead) => &ahead.path,
        }
    }

    pub(crate) fn error(&self, error: TableError) -> Error {
        Error::Table { path: self.path().into(), error }
    }
}

/// Rows that another thread reads. Dropping it ends the thread after its current batch.
pub(crate) struct Ahead {
    path: PathBuf,
    /// The line of the next row, or of the end.
    line: u64,
    /// Gone when the thread is to end, or has ended.
    ends: Option<Ends>,
    thread: Option<JoinHandle<()>>,
    batch: Batch,
    /// The rows of `batch` that were taken.
    taken: usize,
}

/// This side of the two channels.
struct Ends {
    filled: Receiver<Result<Batch, Error>>,
    empty: Sender<Batch>,
}

impl Ahead {
    /// Reads `records` in a thread of its own. Gives them back where there is none.
    fn new<R: Read + Send + 'static>(
        records: Box<Records<R>>,
        marks: Marks,
        size: usize,
    ) -> Result<Self, Box<Records<R>>> {
        let (path, line) = (records.path().to_owned(), records.line());
        let (to_thread, from_here) = channel::<Box<Records<R>>>();
        let (give, empty) = channel();
        let (hand_over, filled) = channel();
        let run = move || {
            if let Ok(mut records) = from_here.recv() {
                read(&mut records, size, &empty, &hand_over);
            }
        };
        // A thread that cannot be made takes what it was to run with it, so the text comes
        // later.
        let Ok(thread) = Builder::new().name("read ahead".to_owned()).spawn(run) else {
            return Err(records);
        };
        to_thread.send(records).map_err(|unsent| unsent.0)?;
        for _ in 1..BATCHES {
            // If it has ended, nothing comes of it, and that is found out when a row is taken.
            let _ = give.send(Batch::new(marks));
        }
        let (ends, thread) = (Some(Ends { filled, empty: give }), Some(thread));
        Ok(Self { path, line, ends, thread, batch: Batch::new(marks), taken: 0 })
    }

    /// The next row. An error comes after the rows before it; after it, as after the end, there
    /// is nothing more.
    fn next(&mut self) -> Result<Option<Record<'_>>, Error> {
        while !self.is_ready() {
            let Some(ends) = &self.ends else { return Ok(None) };
            match ends.filled.recv() {
                Ok(Ok(batch)) => {
                    // A thread that has ended needs none.
                    let _ = ends.empty.send(std::mem::replace(&mut self.batch, batch));
                    self.taken = 0;
                }
                Ok(Err(error)) => {
                    self.end();
                    return Err(error);
                }
                // The end of the text, or of a thread that panicked.
                Err(_) => self.end(),
            }
        }
        let index = self.taken;
        self.taken += 1;
        self.line = self.batch.next_line(index);
        Ok(Some(self.batch.row(index)))
    }

    fn is_ready(&self) -> bool {
        self.taken < self.batch.len()
    }

    /// Waits for the end of the thread, and goes on with its panic if it had one.
    fn end(&mut self) {
        self.ends = None;
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        // It is told to end, and then waited for: a file is closed when its reader is gone.
        self.ends = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the thread does: fills batches and hands them over, until the end of the text, an error,
/// or nobody takes them.
fn read<R: Read>(
    records: &mut Records<R>,
    size: usize,
    empty: &Receiver<Batch>,
    hand_over: &Sender<Result<Batch, Error>>,
) {
    let mut next = empty.try_recv();
    loop {
        let batch = match next {
            Err(TryRecvError::Empty) => empty.recv().ok(),
            next => next.ok(),
        };
        let Some(mut batch) = batch else { return };
        let more = batch.fill(records, size);
        next = empty.try_recv();
        if matches!(next, Err(TryRecvError::Empty)) {
            batch.read_numbers();
        }
        let handed_over = hand_over.send(Ok(batch)).is_ok();
        match more {
            Ok(true) if handed_over => {}
            Ok(_) => return,
            Err(error) => {
                // If nobody takes it, it is of no interest.
                let _ = hand_over.send(Err(error));
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::super::block::Block;
    use super::super::infer;
    use super::super::options::TableOptions;
    use super::super::rows::Rows;
    use super::super::schema::{Column, ColumnKind};
    use super::super::wanted::Wanted;
    use super::*;

    /// Gives a few bytes at a time, and then fails or ends.
    #[derive(Clone)]
    struct Slowly {
        text: io::Cursor<Vec<u8>>,
        most: usize,
        failure: Option<&'static str>,
        /// Others can see whether this reader is there.
        _there: Arc<()>,
    }

    impl Slowly {
        fn new(text: &str, most: usize, failure: Option<&'static str>) -> Self {
            let text = io::Cursor::new(text.as_bytes().to_vec());
            Self { text, most, failure, _there: Arc::new(()) }
        }
    }

    impl Read for Slowly {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = self.most.min(buffer.len());
            match (self.text.read(&mut buffer[..most])?, self.failure) {
                (0, Some(failure)) => Err(io::Error::other(failure)),
                (count, _) => Ok(count),
            }
        }
    }

    fn block(text: &Slowly) -> Result<Block<Slowly>, Error> {
        Block::new("text".into(), text.clone())
    }

    fn here<R>(records: Records<R>, _: Marks) -> RowReader<R> {
        RowReader::Here(Box::new(records))
    }

    fn ahead<R: Read + Send + 'static>(size: usize) -> impl Fn(Records<R>, Marks) -> RowReader<R> {
        move |records, marks| {
            let reader = RowReader::ahead(records, marks, size);
            assert!(matches!(reader, RowReader::Ahead(_)), "no thread");
            reader
        }
    }

    type Lines = Vec<(u64, Vec<Vec<u8>>, u64)>;

    /// Each row, with its line and that of the next one, and what is wrong after them.
    fn rows(mut reader: RowReader<Slowly>) -> (Lines, Option<String>) {
        let mut rows = Vec::new();
        loop {
            match reader.next() {
                Ok(Some(row)) => rows.push((row.line, row.raw().map(<[u8]>::to_vec).collect(), 0)),
                Ok(None) => return (rows, None),
                Err(error) => return (rows, Some(error.to_string())),
            }
            rows.last_mut().unwrap().2 = reader.line();
        }
    }

    /// All that is known of a table, or what is wrong with it.
    fn table(
        text: &Slowly,
        reader: impl Fn(Records<Slowly>, Marks) -> RowReader<Slowly>,
    ) -> String {
        let whole =
            infer::whole(Path::new("text"), || block(text), reader, &TableOptions::default(), true);
        match whole {
            Ok(infer::Whole { schema, facts, cells }) => format!("{schema:?} {facts:?} {cells:?}"),
            Err(error) => error.to_string(),
        }
    }

    /// The rows of a table of three columns, and what is wrong after them.
    fn known(
        text: &Slowly,
        reader: impl Fn(Records<Slowly>, Marks) -> RowReader<Slowly>,
    ) -> String {
        let values = vec!["a".to_owned(), "7".to_owned()];
        let kinds = [ColumnKind::Number, ColumnKind::Category { values }, ColumnKind::Number];
        let columns =
            ["x", "y", "z"].into_iter().zip(kinds).map(|(name, kind)| Column::new(name, kind));
        let columns: Vec<_> = columns.collect();
        let wanted = Wanted { columns: &columns, optional: &[] };
        let options = TableOptions::default();
        let rows = block(text).and_then(|block| Rows::of_block(block, reader, wanted, &options));
        let mut rows = match rows {
            Ok(rows) => rows,
            Err(error) => return error.to_string(),
        };
        let mut cells = Vec::new();
        let end = rows.next_batch(usize::MAX, &mut cells).map_err(|error| error.to_string());
        format!("{cells:?} {end:?} {:?}", rows.facts())
    }

    const FAILURES: [Option<&str>; 2] = [None, Some("the disk is gone")];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn rows_are_those_that_are_read_here(
            pieces in vec(select(vec!["a", "1", ",", ",", "\"", "\"\"", "\n", "\n", "\r\n", "\r", " ", "é", "a long text"]), 0..60),
            most in 1..9_usize,
            size in select(vec![1, 7, 30, 1000]),
            failure in select(&FAILURES[..]),
        ) {
            let text = Slowly::new(&pieces.concat(), most, failure);
            let records = || block(&text).map(|block| Records::new(block, b','));
            // One that fails before there is a row to read has nothing to compare.
            let Ok(expected) = records() else { return Ok(()) };
            let expected = rows(here(expected, Marks::UNKNOWN));
            prop_assert_eq!(rows(ahead(size)(records().unwrap(), Marks::UNKNOWN)), expected);
        }

        /// Most tables are in order; others have cells, rows or ends that are not.
        #[test]
        fn tables_are_those_that_are_read_here(
            good in vec(("-?[0-9]{1,3}", select(vec!["a", "7", ""]), "-?[0-9][.,][0-9]{1,4}|[0-9]"), 1..40),
            bad in vec((0..40_usize, select(vec!["1|2", "1|2|3|4", "\"1\"|\"a\"|5", "x|a|3", "inf|a|2", "1|b|1.234.567", "", " ", "5|\"a", "1|7|1234,5\r"])), 0..3),
            separator in select(vec![",", ";", "\t"]),
            end in select(vec!["\n", "\r\n"]),
            most in select(vec![1, 50, 5000]),
            size in select(vec![1, 7, 100, 5000]),
            failure in select(&FAILURES[..]),
        ) {
            let mark = |z: &str| if separator == "," { z.replace(',', ".") } else { z.to_owned() };
            let mut lines: Vec<_> = good.iter().map(|(x, y, z)| format!("{x}|{y}|{}", mark(z))).collect();
            for (index, row) in bad {
                lines.insert(index.min(lines.len()), row.to_owned());
            }
            let text = format!("x|y|z\n{}{end}", lines.join(end)).replace('|', separator);
            let text = Slowly::new(&text, most, failure);
            prop_assert_eq!(known(&text, ahead(size)), known(&text, here));
            let text = Slowly { failure: None, ..text };
            prop_assert_eq!(table(&text, ahead(size)), table(&text, here));
        }
    }

    #[test]
    fn one_that_is_dropped_ends_its_thread() {
        for read in [0, 1, 100] {
            let text = Slowly::new(&"1,2\n".repeat(1000), 9, None);
            let there = Arc::clone(&text._there);
            let records = Records::new(block(&text).unwrap(), b',');
            drop(text);
            let mut reader = ahead(7)(records, Marks::UNKNOWN);
            for _ in 0..read {
                assert!(reader.next().unwrap().is_some());
            }
            drop(reader);
            assert_eq!(Arc::strong_count(&there), 1, "{read}");
        }
    }

    #[test]
    fn there_is_nothing_after_the_end() {
        for failure in FAILURES {
            let text = Slowly::new("1,2\n3,4", 9, failure);
            let records = Records::new(block(&text).unwrap(), b',');
            let mut reader = ahead(1)(records, Marks::UNKNOWN);
            assert!(reader.next().unwrap().is_some());
            // A row is whole when its end was read.
            let last = reader
                .next()
                .map(|row| row.map(|row| row.len()))
                .map_err(|error| error.to_string());
            match failure {
                None => assert_eq!(last, Ok(Some(2))),
                Some(failure) => assert!(last.unwrap_err().contains(failure)),
            }
            for _ in 0..2 {
                assert!(reader.next().unwrap().is_none());
            }
            // The thread has ended, and its reader is gone.
            assert_eq!(Arc::strong_count(&text._there), 1);
        }
    }

    #[test]
    #[should_panic(expected = "attempt to subtract")]
    fn a_panic_is_no_end() {
        /// Has a bug.
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                panic!("attempt to subtract")
            }
        }
        let text = b"1,2\n3,4\n".chain(Broken);
        let records = Records::new(Block::new("text".into(), text).unwrap(), b',');
        let mut reader = ahead(1)(records, Marks::UNKNOWN);
        while reader.next().unwrap().is_some() {}
    }
}
