//! A part of a text in memory, which moves on through the text.

use std::io::{self, ErrorKind, Read};
use std::ops::Range;
use std::path::PathBuf;

use super::error::TableError;
use super::input::{self, Input};
use super::options;
use crate::error::Error;

/// The longest row, in bytes. A quote that is never closed would otherwise make one row of
/// all that follows.
pub(crate) const MOST: usize = 1 << 24;

/// The bytes that are read in one go.
const SIZE: usize = 1 << 18;

/// The bytes of a text from some position on.
pub(crate) struct Block<R> {
    pub(crate) path: PathBuf,
    input: Input<R>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    pub(crate) ended: bool,
    /// The line of the first byte.
    pub(crate) line: u64,
    /// Whether a carriage return was before the first byte. Then a line feed belongs to it.
    after_return: bool,
    /// What separates cells, if the text says so.
    pub(crate) separator: Option<u8>,
    /// Whether its beginning was found to be that of a text.
    begun: bool,
}

impl<R: Read> Block<R> {
    /// The text of a table that `reader` gives: without a byte-order mark, and without a
    /// first line such as `sep=;`, from which Excel learns what separates cells. Errors name
    /// `path`.
    pub(crate) fn open(path: PathBuf, reader: R) -> Result<Self, Error> {
        const WORD: &[u8] = b"sep=";
        let mut block = Self::new(path, reader)?;
        // The word, the separator and the end of the line. What begins otherwise may be all
        // that there is for long.
        let begins = |bytes: &[u8]| {
            let len = bytes.len().min(WORD.len());
            bytes[..len].eq_ignore_ascii_case(&WORD[..len])
        };
        while block.bytes().len() < WORD.len() + 2 && begins(block.bytes()) && !block.ended {
            block.more()?;
        }
        if let Some((word, [separator, rest @ ..])) = block.bytes().split_at_checked(WORD.len())
            && word.eq_ignore_ascii_case(WORD)
            && options::is_separator(*separator)
            && matches!(rest.first(), None | Some(b'\n' | b'\r'))
        {
            block.separator = Some(*separator);
            block.take_line(WORD.len() + 1);
        }
        Ok(block)
    }

    /// The text that `reader` gives, from its first byte after a byte-order mark on.
    /// Errors name `path`.
    pub(crate) fn new(path: PathBuf, reader: R) -> Result<Self, Error> {
        let input =
            Input::new(reader).map_err(|error| Error::Read { path: path.clone(), error })?;
        let (buffer, start, end) = (vec![0; SIZE], 0, 0);
        let (ended, line, after_return, separator, begun) = (false, 1, false, None, false);
        let mut block =
            Self { path, input, buffer, start, end, ended, line, after_return, separator, begun };
        // The number of bytes of the longest mark. A line that ends before is no mark, and
        // nothing may follow it for long.
        while block.bytes().len() < 3 && !block.bytes().ends_with(b"\n") && !block.ended {
            block.more()?;
        }
        input::check(block.bytes()).map_err(|error| block.error(error))?;
        block.start = input::mark_len(block.bytes());
        block.begun = true;
        Ok(block)
    }

    /// The bytes that are in memory, as a text of their own.
    pub(crate) fn copy(&self) -> Result<Block<&[u8]>, Error> {
        let mut copy = Block::new(self.path.clone(), self.bytes())?;
        copy.line = self.line;
        Ok(copy)
    }

    /// Where the text comes from, unless it has ended.
    pub(crate) fn reader(&self) -> Option<&R> {
        self.input.reader()
    }

    /// The bytes that are in memory.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(crate) fn error(&self, error: TableError) -> Error {
        Error::Table { path: self.path.clone(), error }
    }

    /// Reads once, after the bytes that are there.
    pub(crate) fn more(&mut self) -> Result<(), Error> {
        if self.end == self.buffer.len() {
            if self.start > 0 {
                self.buffer.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            } else if self.end >= MOST {
                return Err(self.error(TableError::LongRow { line: self.line, most: MOST }));
            } else {
                self.buffer.resize((2 * self.end).min(MOST), 0);
            }
        }
        loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(count) => {
                    self.ended = count == 0;
                    self.end += count;
                    // A beginning may be short, and what it says of zeros holds for the rest.
                    let read = &self.buffer[self.end - count..self.end];
                    if self.begun && memchr::memchr(0, read).is_some() {
                        return Err(self.error(input::no_text()));
                    }
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
    }

    fn failed(&self, error: io::Error) -> Error {
        if self.input.is_damage(&error) {
            let line = self.line + line_feeds(self.bytes());
            return self.error(TableError::Gzip { line, error });
        }
        Error::Read { path: self.path.clone(), error }
    }

    /// Moves beyond the first `count` bytes, which end in the middle of a line.
    pub(crate) fn consume(&mut self, count: usize) {
        let bytes = &self.buffer[self.start..self.start + count];
        self.line += line_feeds(bytes);
        self.after_return = bytes.last() == Some(&b'\r');
        self.start += count;
    }

    /// Moves beyond a line of `len` bytes and the carriage return and line feed after it,
    /// as far as they are in memory. Gives the position of the line.
    pub(crate) fn take_line(&mut self, len: usize) -> Range<usize> {
        let place = self.start..self.start + len;
        self.start += len;
        self.after_return = false;
        for end in [b'\r', b'\n'] {
            if self.bytes().first() == Some(&end) {
                self.start += 1;
                self.after_return = end == b'\r';
                self.line += u64::from(end == b'\n');
            }
        }
        place
    }

    /// The bytes of a line that was just taken.
    pub(crate) fn at(&self, place: Range<usize>) -> &[u8] {
        &self.buffer[place]
    }

    /// Moves to the next byte that is no white space. False at the end of the text.
    pub(crate) fn skip_white_space(&mut self) -> Result<bool, Error> {
        while self.skip_line_ends()? {
            if !matches!(self.bytes()[0], b' ' | b'\t') {
                return Ok(true);
            }
            self.start += 1;
        }
        Ok(false)
    }

    /// Moves to the next byte that does not end a line. False at the end of the text.
    pub(crate) fn skip_line_ends(&mut self) -> Result<bool, Error> {
        loop {
            while let Some(byte) = self.bytes().first().copied() {
                // A carriage return alone ends a line too.
                self.line += u64::from(byte == b'\n' || self.after_return);
                self.after_return = byte == b'\r';
                if !matches!(byte, b'\n' | b'\r') {
                    return Ok(true);
                }
                self.start += 1;
            }
            if self.ended {
                return Ok(false);
            }
            (self.start, self.end) = (0, 0);
            self.more()?;
        }
    }
}

fn line_feeds(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}
