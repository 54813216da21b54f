//! The text of a table: raw or gzip, from any reader.

use std::io::{self, BufRead, BufReader, Chain, Cursor, ErrorKind, Read};

use flate2::bufread::GzDecoder;

use super::error::TableError;
use crate::other_files::OtherFile;

const GZIP: [u8; 2] = [0x1f, 0x8b];

type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

/// The text of a table. It is inflated if its first bytes say that it is gzip.
pub(crate) enum Input<R> {
    Raw(Whole<R>),
    Gzip(Box<Option<GzDecoder<BufReader<Whole<R>>>>>),
}

impl<R: Read> Input<R> {
    pub(crate) fn new(mut reader: R) -> io::Result<Self> {
        let mut start = Vec::new();
        reader.by_ref().take(GZIP.len() as u64).read_to_end(&mut start)?;
        let gzip = start == GZIP;
        let whole = Cursor::new(start).chain(reader);
        Ok(if gzip {
            Self::Gzip(Box::new(Some(GzDecoder::new(BufReader::new(whole)))))
        } else {
            Self::Raw(whole)
        })
    }

    /// Where the text comes from, unless it has ended.
    pub(crate) fn reader(&self) -> Option<&R> {
        let whole = match self {
            Self::Raw(whole) => whole,
            Self::Gzip(decoder) => decoder.as_ref().as_ref()?.get_ref().get_ref(),
        };
        Some(whole.get_ref().1)
    }

    /// Whether `error`, which this input gave, is about its gzip data.
    pub(crate) fn is_damage(&self, error: &io::Error) -> bool {
        use ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        matches!(self, Self::Gzip(_))
            && matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
    }
}

/// As gzip does, this takes several members for one file, and ignores zeros after the
/// last, with which some programs fill up a block.
impl<R: Read> Read for Input<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let slot = match self {
            Self::Raw(reader) => return reader.read(buffer),
            Self::Gzip(slot) => &mut **slot,
        };
        while let Some(decoder) = slot {
            let count = decoder.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let rest = decoder.get_mut();
            if rest.fill_buf()?.first() == Some(&GZIP[0]) {
                *slot = slot.take().map(|decoder| GzDecoder::new(decoder.into_inner()));
                continue;
            }
            loop {
                let padding = rest.fill_buf()?;
                if padding.iter().any(|byte| *byte != 0) {
                    let words = "something else follows it";
                    return Err(io::Error::new(ErrorKind::InvalidData, words));
                }
                let count = padding.len();
                if count == 0 {
                    break;
                }
                rest.consume(count);
            }
            *slot = None;
        }
        Ok(0)
    }
}

/// The bytes of a byte-order mark at the start of a text, of which `start` has some bytes.
pub(crate) fn mark_len(start: &[u8]) -> usize {
    if start.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }
}

/// What else than a table it is that begins with `start`.
pub(crate) fn check(start: &[u8]) -> Result<(), TableError> {
    let other = |found, advice| Err(TableError::OtherFile { found, advice });
    const UTF_8: &str = "save it as UTF-8, or convert it: iconv -f UTF-16 -t UTF-8";
    if [&b"\xff\xfe"[..], b"\xfe\xff"].iter().any(|mark| start.starts_with(mark)) {
        return other("UTF-16 text", UTF_8);
    }
    // A header of a table may begin with the letters of a signature: BMI, P5.
    let control = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\r' | b'\n');
    let binary = start.iter().take(512).any(control);
    let text = start.trim_ascii_start();
    let page = text.starts_with(b"<") || text.starts_with(b"\xef\xbb\xbf<");
    let pointer = [&b"version https://git-lfs"[..], b"/annex/objects/"];
    let pointer = pointer.iter().any(|begin| start.starts_with(begin));
    if (binary || page || pointer)
        && let Some(OtherFile { found, advice }) = OtherFile::known_by(start)
        && found != "text"
    {
        return match found {
            "a zip archive" => {
                other(found, "unpack it first; if it is an Excel workbook, save it as CSV")
            }
            _ if advice.starts_with("convert") => other(found, "save the data as CSV first"),
            _ => other(found, advice),
        };
    }
    // Latin letters have a zero byte each, before them or after them.
    let letter = |pair: &[u8]| (pair[0] == 0) != (pair[1] == 0);
    if start.len() >= 2 && start.chunks_exact(2).take(16).all(letter) {
        return other("UTF-16 text", UTF_8);
    }
    if start.contains(&0) {
        return Err(no_text());
    }
    Ok(())
}

/// That there is a zero byte, which no text has.
pub(crate) fn no_text() -> TableError {
    let advice = "check the path, or save the data as CSV first";
    TableError::OtherFile { found: "bytes that are no text", advice }
}
