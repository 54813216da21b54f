//! An IDX file that was parsed.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use byteorder::{BigEndian, ByteOrder};
use flate2::bufread::MultiGzDecoder;

use super::error::IdxError;
use super::header::{Dtype, Header, MAX_HEADER};
use super::parse::{parse, read_header};
use crate::bytes::Bytes;
use crate::error::Error;
use crate::mapped::Access;

/// The first bytes of every gzip file. An IDX file begins with zeros.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// An IDX file that was parsed: its header and its elements.
pub struct IdxFile {
    path: PathBuf,
    header: Header,
    body: Bytes,
}

impl IdxFile {
    /// Reads the file at `path` into memory. A gzip file, whatever its name, is inflated.
    ///
    /// # Errors
    /// If the file cannot be opened or read, if it is gzip and damaged, or if it is not
    /// an IDX file from its first byte to its last.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open(path, Access::read())
    }

    /// Reads or maps the file at `path`. A gzip file, whatever its name, is inflated into
    /// memory.
    ///
    /// # Errors
    /// As for [`read`](Self::read), and if the file cannot be mapped.
    pub fn open(path: impl AsRef<Path>, access: Access) -> Result<Self, Error> {
        let path = path.as_ref();
        let mut bytes = access.open(path)?;
        let inflated = bytes.starts_with(&GZIP);
        if inflated {
            bytes = inflate(path, &bytes)?.into();
        }
        let (header, _) =
            parse(&bytes).map_err(|error| Error::Idx { path: path.into(), inflated, error })?;
        Ok(Self { path: path.into(), header, body: bytes.after(header.body_offset()) })
    }

    /// What the file says about its elements.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The path that the file was opened with.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The bytes of all elements, big-endian, as in the file.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// As [`body`](Self::body), without the rest of the file. Copies nothing.
    #[must_use]
    pub fn into_body(self) -> Bytes {
        self.body
    }

    /// The elements, if they are of type `u8`.
    #[must_use]
    pub fn as_u8(&self) -> Option<&[u8]> {
        (self.header.dtype() == Dtype::U8).then(|| self.body())
    }

    /// The elements as `f64`, which represents every value of every [`Dtype`] exactly.
    #[must_use]
    pub fn to_f64(&self) -> Vec<f64> {
        let body = self.body();
        match self.header.dtype() {
            Dtype::U8 => body.iter().map(|&byte| f64::from(byte)).collect(),
            Dtype::I8 => body.iter().map(|&byte| f64::from(byte as i8)).collect(),
            Dtype::I16 => convert(body, BigEndian::read_i16),
            Dtype::I32 => convert(body, BigEndian::read_i32),
            Dtype::F32 => convert(body, BigEndian::read_f32),
            Dtype::F64 => convert(body, BigEndian::read_f64),
        }
    }

    /// Whether the elements are in a map of the file. Those of a gzip file never are.
    #[must_use]
    pub fn is_mapped(&self) -> bool {
        self.body.is_mapped()
    }
}

/// Without the elements, of which there are millions.
impl fmt::Debug for IdxFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdxFile")
            .field("path", &self.path)
            .field("header", &self.header)
            .field("is_mapped", &self.is_mapped())
            .finish_non_exhaustive()
    }
}

fn convert<T: Into<f64>>(body: &[u8], read: impl Fn(&[u8]) -> T) -> Vec<f64> {
    body.chunks_exact(size_of::<T>()).map(|element| read(element).into()).collect()
}

/// Inflates a gzip file whose content is IDX.
///
/// A small gzip file can inflate to a very large one. So the header is inflated first, and
/// the bytes that it announces are kept, and no more. The rest is counted and dropped: it
/// has to be inflated too, because the checksum comes last.
fn inflate(path: &Path, gzip: &[u8]) -> Result<Vec<u8>, Error> {
    let idx = |error| Error::Idx { path: path.into(), inflated: true, error };
    let mut decoder = MultiGzDecoder::new(gzip);
    let mut bytes = Vec::new();
    take(path, gzip, &mut decoder, MAX_HEADER, &mut bytes)?;
    let header = read_header(&bytes).map_err(idx)?;

    let whole = header.body_offset() + header.body_len();
    let rest = whole.saturating_sub(bytes.len());
    take(path, gzip, &mut decoder, rest, &mut bytes)?;
    let dropped = io::copy(&mut decoder, &mut io::sink())
        .map_err(|error| damaged(path, gzip, &decoder, error))?;
    if dropped > 0 {
        // `MAX_HEADER` bytes of a tiny file may reach beyond its end.
        let found = dropped + bytes.len().saturating_sub(whole) as u64;
        return Err(idx(IdxError::TrailingBytes { header, found }));
    }
    Ok(bytes)
}

/// Moves at most `count` bytes from `decoder` to the end of `bytes`.
fn take(
    path: &Path,
    gzip: &[u8],
    decoder: &mut MultiGzDecoder<&[u8]>,
    count: usize,
    bytes: &mut Vec<u8>,
) -> Result<(), Error> {
    let taken = decoder.by_ref().take(count as u64).read_to_end(bytes);
    match taken {
        Ok(_) => Ok(()),
        Err(error) => Err(damaged(path, gzip, decoder, error)),
    }
}

fn damaged(path: &Path, gzip: &[u8], decoder: &MultiGzDecoder<&[u8]>, error: io::Error) -> Error {
    Error::Gzip { path: path.into(), offset: gzip.len() - decoder.get_ref().len(), error }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{encode, file, gzip};
    use super::*;

    fn read(bytes: &[u8]) -> Result<IdxFile, Error> {
        let (_dir, path) = file(bytes);
        IdxFile::read(path)
    }

    fn error(bytes: &[u8]) -> Error {
        let error = read(bytes).unwrap_err();
        assert!(!error.to_string().contains('\n'));
        error
    }

    #[test]
    fn can_be_shared_between_threads() {
        fn check<T: Send + Sync>() {}
        check::<IdxFile>();
    }

    #[test]
    fn every_type_as_f64() {
        let bytes = |code, body: &[u8]| {
            let count = match code {
                0x08 | 0x09 => body.len(),
                0x0b => body.len() / 2,
                0x0c | 0x0d => body.len() / 4,
                _ => body.len() / 8,
            };
            encode(code, &[count as u32], body)
        };
        let floats = |code, body: &[u8]| {
            let (_dir, path) = file(&bytes(code, body));
            IdxFile::read(path).unwrap().to_f64()
        };
        assert_eq!(floats(0x08, &[0, 127, 128, 255]), [0.0, 127.0, 128.0, 255.0]);
        assert_eq!(floats(0x09, &[0, 127, 128, 255]), [0.0, 127.0, -128.0, -1.0]);
        let body = [i16::MIN, -2, i16::MAX].map(i16::to_be_bytes).concat();
        assert_eq!(floats(0x0b, &body), [-32768.0, -2.0, 32767.0]);
        let body = [i32::MIN, -2, i32::MAX].map(i32::to_be_bytes).concat();
        assert_eq!(floats(0x0c, &body), [-2147483648.0, -2.0, 2147483647.0]);
        let body = [f32::MIN_POSITIVE, -1.5, f32::INFINITY].map(f32::to_be_bytes).concat();
        assert_eq!(floats(0x0d, &body), [f64::from(f32::MIN_POSITIVE), -1.5, f64::INFINITY]);
        let body = [f64::MIN_POSITIVE, -0.1, f64::MAX].map(f64::to_be_bytes).concat();
        assert_eq!(floats(0x0e, &body), [f64::MIN_POSITIVE, -0.1, f64::MAX]);
    }

    #[test]
    fn only_u8_as_u8() {
        let (_dir, path) = file(&encode(0x08, &[3], &[1, 2, 3]));
        assert_eq!(IdxFile::read(path).unwrap().as_u8(), Some(&[1, 2, 3][..]));
        let (_dir, path) = file(&encode(0x09, &[3], &[1, 2, 3]));
        let file = IdxFile::read(path).unwrap();
        assert_eq!(file.as_u8(), None);
        assert_eq!(file.body(), [1, 2, 3]);
    }

    #[test]
    fn debug_leaves_the_elements_out() {
        let (_dir, path) = file(&encode(0x08, &[3], &[201, 202, 203]));
        let text = format!("{:?}", IdxFile::read(path).unwrap());
        assert!(text.contains("is_mapped: false"), "{text}");
        assert!(!text.contains("202"), "{text}");
    }

    #[test]
    fn gzip_reads_the_same() {
        // Shorter than the longest header, and longer than it.
        for count in [0, 1, 12, 13, 1000] {
            let body: Vec<u8> = (0..count).map(|i| i as u8).collect();
            let raw = encode(0x08, &[count], &body);
            assert_eq!(read(&gzip(&raw)).unwrap().body(), body);
        }
    }

    #[test]
    fn gzip_in_several_members_reads_as_one() {
        let raw = encode(0x08, &[100], &[7; 100]);
        let members = [gzip(&raw[..50]), gzip(&raw[50..])].concat();
        assert_eq!(read(&members).unwrap().body(), [7; 100]);
    }

    #[test]
    fn errors_of_the_file_itself() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(IdxFile::read(dir.path()), Err(Error::NotAFile { .. })));
        assert!(matches!(IdxFile::read(dir.path().join("none")), Err(Error::Open { .. })));
    }

    #[test]
    fn not_idx() {
        let (_dir, path) = file(&encode(0x08, &[2], &[7]));
        assert_eq!(
            IdxFile::read(&path).unwrap_err().to_string(),
            format!(
                "{}: at byte 8: found 1 bytes of elements, expected 2 (2 u8); \
                 the file is cut short: fetch it again",
                path.display()
            )
        );
    }

    #[test]
    fn not_idx_when_inflated() {
        let (_dir, path) = file(&gzip(&encode(0x08, &[2], &[7])));
        assert_eq!(
            IdxFile::read(&path).unwrap_err().to_string(),
            format!(
                "{} (inflated): at byte 8: found 1 bytes of elements, expected 2 (2 u8); \
                 the file is cut short: fetch it again",
                path.display()
            )
        );
    }

    #[test]
    fn trailing_bytes_are_counted_when_inflated() {
        for (count, more) in [(0, 1), (0, 100_000), (3, 9), (3, 10), (1000, 1), (1000, 50_000)] {
            let raw = encode(0x08, &[count as u32], &vec![7; count + more]);
            let inflated = error(&gzip(&raw));
            let Error::Idx { inflated: true, error, .. } = inflated else {
                panic!("{inflated}");
            };
            assert_eq!(error, parse(&raw).unwrap_err());
            assert!(matches!(error, IdxError::TrailingBytes { found, .. } if found == more as u64));
        }
    }

    #[test]
    fn gzip_cut_short_anywhere() {
        let raw = encode(0x08, &[500], &[7; 500]);
        let whole = gzip(&raw);
        for len in 2..whole.len() {
            let error = error(&whole[..len]);
            assert!(matches!(error, Error::Gzip { offset, .. } if offset <= len), "{error}");
        }
    }

    #[test]
    fn gzip_damaged_anywhere() {
        let body: Vec<u8> = (0..500_u32).map(|i| (i * i / 3) as u8).collect();
        let raw = encode(0x08, &[500], &body);
        let whole = gzip(&raw);
        // After the ten bytes of gzip's own header, some of which do not matter.
        for at in 10..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            let error = error(&damaged);
            assert!(matches!(error, Error::Gzip { .. } | Error::Idx { .. }));
        }
        let mut damaged = whole.clone();
        let checksum = whole.len() - 8;
        damaged[checksum] ^= 1;
        let text = error(&damaged).to_string();
        let begin = format!(": at byte {}: found damaged gzip data (", whole.len());
        assert!(text.contains(&begin), "{text}");
        assert!(text.ends_with("expected it to inflate to its end; fetch the file again"));
    }

    #[test]
    fn bytes_after_gzip_are_damage() {
        let mut bytes = gzip(&encode(0x08, &[1], &[7]));
        bytes.push(0);
        assert!(matches!(error(&bytes), Error::Gzip { .. }));
    }
}
