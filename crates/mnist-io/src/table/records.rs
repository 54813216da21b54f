//! The rows of a text, as cells.
//!
//! The crate `csv-core` reads any row. It looks at each byte in turn, and numbers need no
//! quotes: so a line that has none, as nearly all have, is cut at its separators, which
//! takes a fraction of the time. The tests compare the two.

use std::io::Read;
use std::ops::Range;
use std::path::Path;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use memchr::{memchr, memchr2, memchr2_iter};

use super::block::{Block, MOST};
use super::error::TableError;
use super::marks::Marks;
use super::number;
use super::separators;
use crate::error::Error;

/// The most columns. The facts about a column take some hundred bytes.
pub(crate) const MOST_COLUMNS: usize = 100_000;

/// A row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    /// The line that it begins in, from 1.
    pub(crate) line: u64,
    pub(crate) bytes: &'a [u8],
    /// For each cell, where it ends in `bytes`.
    pub(crate) ends: &'a [usize],
    /// The bytes between two cells.
    pub(crate) gap: usize,
    /// For each cell its number, or NaN if it is none that is short. Empty if they were not
    /// read yet.
    pub(crate) numbers: &'a [f64],
    /// What `numbers` were read with.
    pub(crate) marks: Marks,
}

impl<'a> Record<'a> {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cells as they are, with white space.
    pub(crate) fn raw(self) -> impl Iterator<Item = &'a [u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let cell = &self.bytes[start..end];
            start = end + self.gap;
            cell
        })
    }

    /// The cells without the white space around them, and without the quotes of a cell
    /// that has white space before its first quote.
    pub(crate) fn cells(self) -> impl Iterator<Item = &'a [u8]> {
        self.raw().map(trimmed)
    }

    /// What [`number::short`] says of `cell`, which is the one at `index`: that was perhaps read
    /// before.
    #[inline]
    pub(crate) fn short(&self, index: usize, cell: &[u8], marks: &Marks) -> Option<f64> {
        match self.numbers.get(index) {
            Some(number) if !number.is_nan() && marks.read_as(&self.marks) => Some(*number),
            _ => number::short(cell, marks),
        }
    }

    /// Whether it is a line of white space, which is no row.
    fn is_blank(&self) -> bool {
        self.len() == 1 && !self.bytes.is_empty() && self.bytes.trim_ascii().is_empty()
    }
}

/// A cell without the white space around it.
pub(crate) fn trimmed(cell: &[u8]) -> &[u8] {
    let trimmed = cell.trim_ascii();
    match trimmed {
        [b'"', inner @ .., b'"'] if cell[0] != b'"' => inner.trim_ascii(),
        _ => trimmed,
    }
}

/// Reads the rows of a text.
pub(crate) struct Records<R> {
    block: Block<R>,
    separator: u8,
    core: Reader,
    /// A row that `csv-core` read.
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// Where the bytes of a row are.
enum Place {
    /// In the block.
    Line(Range<usize>),
    /// In `Records::bytes`.
    Copy,
}

impl<R: Read> Records<R> {
    pub(crate) fn new(block: Block<R>, separator: u8) -> Self {
        let mut core = ReaderBuilder::new().delimiter(separator).build();
        // From now on it takes no bytes for a byte-order mark.
        let _ = core.read_record(b"\n", &mut [0], &mut [0]);
        Self { block, separator, core, bytes: Vec::new(), ends: Vec::new() }
    }

    pub(crate) fn error(&self, error: TableError) -> Error {
        self.block.error(error)
    }

    /// Where the text comes from, unless it has ended.
    pub(crate) fn reader(&self) -> Option<&R> {
        self.block.reader()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.block.path
    }

    /// The line of the next row, or of the end.
    pub(crate) fn line(&self) -> u64 {
        self.block.line
    }

    /// Whether something is in memory after the rows that were read.
    pub(crate) fn has_more(&self) -> bool {
        !self.block.bytes().is_empty()
    }

    /// Whether the next row, or the end of the text, is in memory. It may be and this say no,
    /// where a quote stands within a cell.
    pub(crate) fn is_ready(&self) -> bool {
        // A line of white space is no row.
        let row = self.block.bytes().trim_ascii_start();
        let mut quoted = false;
        for index in memchr2_iter(b'\n', b'"', row) {
            if row[index] == b'"' {
                quoted = !quoted;
            } else if !quoted {
                return true;
            }
        }
        self.block.ended
    }

    /// The next row that is no empty line; `None` at the end of the text.
    pub(crate) fn next(&mut self) -> Result<Option<Record<'_>>, Error> {
        while self.block.skip_line_ends()? {
            let line = self.block.line;
            let place = match self.plain_line()? {
                Some(range) => Place::Line(range),
                None => {
                    self.quoted_row()?;
                    Place::Copy
                }
            };
            if self.record(line, &place).is_blank() {
                continue;
            }
            let found = self.ends.len();
            if found > MOST_COLUMNS {
                let most = MOST_COLUMNS;
                return Err(self.error(TableError::Columns { line, found, most }));
            }
            return Ok(Some(self.record(line, &place)));
        }
        Ok(None)
    }

    fn record(&self, line: u64, place: &Place) -> Record<'_> {
        let (bytes, gap) = match place {
            Place::Line(range) => (self.block.at(range.clone()), 1),
            Place::Copy => (&self.bytes[..], 0),
        };
        Record { line, bytes, ends: &self.ends, gap, numbers: &[], marks: Marks::UNKNOWN }
    }

    /// Moves beyond the next line and finds the ends of its cells; `None` if it may have
    /// a quote, or ends in a carriage return alone.
    fn plain_line(&mut self) -> Result<Option<Range<usize>>, Error> {
        let mut searched = 0;
        let len = loop {
            let bytes = self.block.bytes();
            match memchr2(b'\n', b'"', &bytes[searched..]) {
                Some(index) if bytes[searched + index] == b'"' => return Ok(None),
                Some(index) => break searched + index,
                None if self.block.ended => break bytes.len(),
                None => searched = bytes.len(),
            }
            if memchr(b'\r', &bytes[..bytes.len() - 1]).is_some() {
                return Ok(None);
            }
            self.block.more()?;
        };
        let line = &self.block.bytes()[..len];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if memchr(b'\r', line).is_some() {
            return Ok(None);
        }
        self.ends.clear();
        separators::find(line, self.separator, &mut self.ends);
        self.ends.push(line.len());
        let len = line.len();
        Ok(Some(self.block.take_line(len)))
    }

    /// Moves beyond the next row, with `csv-core`.
    fn quoted_row(&mut self) -> Result<(), Error> {
        let first = self.block.line;
        let (mut bytes, mut cells) = (0, 0);
        loop {
            // Something to write into, so that no result says that there is no room.
            if self.bytes.len() < bytes + 64 {
                self.bytes.resize(2 * bytes + 64, 0);
            }
            if self.ends.len() < cells + 8 {
                self.ends.resize(2 * cells + 8, 0);
            }
            let ended = self.block.ended && self.block.bytes().is_empty();
            // A line end more finishes any row, except within quotes.
            let input = if ended { b"\n" } else { self.block.bytes() };
            let (result, read, written, found) =
                self.core.read_record(input, &mut self.bytes[bytes..], &mut self.ends[cells..]);
            (bytes, cells) = (bytes + written, cells + found);
            if !ended {
                self.block.consume(read);
            }
            if matches!(result, ReadRecordResult::Record) {
                break;
            }
            if bytes > MOST || cells > MOST_COLUMNS {
                return Err(self.error(TableError::LongRow { line: first, most: MOST }));
            }
            if matches!(result, ReadRecordResult::InputEmpty | ReadRecordResult::End) {
                if ended {
                    return Err(self.error(TableError::UnclosedQuote { line: first }));
                }
                if self.block.bytes().is_empty() {
                    self.block.more()?;
                }
            }
        }
        self.bytes.truncate(bytes);
        self.ends.truncate(cells);
        Ok(())
    }
}
