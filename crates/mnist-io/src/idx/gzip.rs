//! IDX in gzip.

use std::io::{self, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;

use super::error::IdxError;
use super::header::MAX_HEADER;
use super::parse::read_header;
use crate::error::Error;
use crate::mapped::reserved;
use crate::other_files::{ENOUGH, OtherFile};

/// The first bytes of every gzip file. An IDX file begins with zeros.
pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// No deflated byte stands for more bytes than that: a match has at most 258 of them and
/// takes at least two bits.
const MOST_INFLATED: usize = 1032;

/// Inflates a gzip file whose content is IDX.
///
/// A small gzip file can inflate to a very large one. So the header is inflated first, and
/// the bytes that it announces are kept, and no more. The rest is counted and dropped: it
/// has to be inflated too, because the checksum comes last.
///
/// As gzip does, this takes several members for one file, and ignores zeros after the
/// last, with which some programs fill up a block.
pub(super) fn inflate(path: &Path, gzip: &[u8]) -> Result<Vec<u8>, Error> {
    let idx = |error| Error::Idx { path: path.into(), inflated: true, error };
    let mut members = Members { decoder: GzDecoder::new(gzip) };
    let mut start = Vec::new();
    take(path, gzip, &mut members, MAX_HEADER, &mut start)?;
    let header = match read_header(&start) {
        Ok(header) => header,
        Err(error) => {
            // What it is instead may need more bytes, and no bytes at all are damage.
            take(path, gzip, &mut members, ENOUGH, &mut start)?;
            let Some(OtherFile { found, advice }) = OtherFile::known_by(&start) else {
                return Err(idx(error));
            };
            return Err(Error::OtherFile { path: path.into(), inflated: true, found, advice });
        }
    };

    let whole = header.body_offset() + header.body_len();
    let most = gzip.len().saturating_mul(MOST_INFLATED);
    if whole > most {
        let found = gzip.len();
        return Err(Error::GzipTooSmall { path: path.into(), found, most, expected: whole });
    }
    // `MAX_HEADER` bytes of a tiny file may reach beyond its end.
    let mut bytes = reserved(path, whole.max(start.len()) as u64)?;
    bytes.extend(start);
    let rest = whole.saturating_sub(bytes.len());
    take(path, gzip, &mut members, rest, &mut bytes)?;
    let dropped = io::copy(&mut members, &mut io::sink())
        .map_err(|error| damaged(path, gzip, &members, error))?;
    let trailing = members.rest();
    if trailing.iter().any(|byte| *byte != 0) {
        let (found, offset) = (trailing.len(), gzip.len() - trailing.len());
        return Err(Error::GzipTrailing { path: path.into(), offset, found });
    }
    if dropped > 0 {
        let found = dropped + bytes.len().saturating_sub(whole) as u64;
        return Err(idx(IdxError::TrailingBytes { header, found }));
    }
    Ok(bytes)
}

/// Reads what the members of a gzip file inflate to, one after another. After the last one
/// it is at its end, whatever follows.
struct Members<'a> {
    decoder: GzDecoder<&'a [u8]>,
}

impl<'a> Members<'a> {
    /// The bytes that were not read.
    fn rest(&self) -> &'a [u8] {
        self.decoder.get_ref()
    }
}

impl Read for Members<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.decoder.read(buffer)?;
            if count > 0 || buffer.is_empty() || !self.rest().starts_with(&MAGIC) {
                return Ok(count);
            }
            self.decoder = GzDecoder::new(self.rest());
        }
    }
}

/// Moves at most `count` bytes from `members` to the end of `bytes`.
fn take(
    path: &Path,
    gzip: &[u8],
    members: &mut Members<'_>,
    count: usize,
    bytes: &mut Vec<u8>,
) -> Result<(), Error> {
    let taken = members.by_ref().take(count as u64).read_to_end(bytes);
    match taken {
        Ok(_) => Ok(()),
        Err(error) => Err(damaged(path, gzip, members, error)),
    }
}

fn damaged(path: &Path, gzip: &[u8], members: &Members<'_>, error: io::Error) -> Error {
    Error::Gzip { path: path.into(), offset: gzip.len() - members.rest().len(), error }
}
