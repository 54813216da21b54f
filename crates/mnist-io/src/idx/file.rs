//! An IDX file that was parsed.

use std::fmt;
use std::path::{Path, PathBuf};

use byteorder::{BigEndian, ByteOrder};

use super::gzip::{self, inflate};
use super::header::{Dtype, Header};
use super::name::{Name, is_transposed};
use super::parse::parse;
use crate::bytes::Bytes;
use crate::error::Error;
use crate::mapped::{Access, reserved};
use crate::other_files::OtherFile;

/// An IDX file that was parsed: its header and its elements.
pub struct IdxFile {
    path: PathBuf,
    header: Header,
    body: Bytes,
}

impl IdxFile {
    /// Reads the file at `path` into memory. A gzip file, whatever its name, is inflated;
    /// zeros after its end, with which some programs fill up a block, are ignored.
    ///
    /// # Errors
    /// If the file cannot be opened or read, does not fit into memory, or is a pipe or a
    /// device, which may have no end; if it is gzip and damaged; or if it is not an IDX
    /// file from its first byte to its last.
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
        Self::new(access.open(path)?, path)
    }

    /// The file of these bytes, raw or gzip, such as standard input. Errors call it `name`.
    ///
    /// # Errors
    /// As for [`read`](Self::read), but for those of opening.
    pub fn from_bytes(bytes: Vec<u8>, name: impl AsRef<Path>) -> Result<Self, Error> {
        Self::new(bytes.into(), name.as_ref())
    }

    fn new(mut bytes: Bytes, path: &Path) -> Result<Self, Error> {
        let inflated = bytes.starts_with(&gzip::MAGIC);
        if inflated {
            bytes = inflate(path, &bytes)?.into();
        } else if let Some(OtherFile { found, advice }) = OtherFile::known_by(&bytes) {
            return Err(Error::OtherFile { path: path.into(), inflated, found, advice });
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

    /// Whether the file is one of EMNIST by its name: its images are published with rows and
    /// columns exchanged.
    #[must_use]
    pub fn is_transposed(&self) -> bool {
        let name = self.path.file_name().and_then(|name| name.to_str());
        name.and_then(Name::parse).is_some_and(|name| is_transposed(&name.set))
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

    /// The elements as `f32`, rounded to the nearest.
    pub(super) fn to_f32(&self) -> Result<Vec<f32>, Error> {
        let body = self.body();
        let mut values = reserved(&self.path, self.header.elements() as u64)?;
        match self.header.dtype() {
            Dtype::U8 => values.extend(body.iter().map(|&byte| f32::from(byte))),
            Dtype::I8 => values.extend(body.iter().map(|&byte| f32::from(byte as i8))),
            Dtype::I16 => values.extend(each(body, BigEndian::read_i16).map(f32::from)),
            Dtype::I32 => values.extend(each(body, BigEndian::read_i32).map(|value| value as f32)),
            Dtype::F32 => values.extend(each(body, BigEndian::read_f32)),
            Dtype::F64 => values.extend(each(body, BigEndian::read_f64).map(|value| value as f32)),
        }
        Ok(values)
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
    each(body, read).map(Into::into).collect()
}

fn each<T>(body: &[u8], read: impl Fn(&[u8]) -> T) -> impl Iterator<Item = T> {
    body.chunks_exact(size_of::<T>()).map(read)
}

#[cfg(test)]
mod tests {
    use super::super::error::IdxError;
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
            let file = IdxFile::read(path).unwrap();
            let exact = file.to_f64();
            let rounded: Vec<f32> = exact.iter().map(|value| *value as f32).collect();
            assert_eq!(file.to_f32().unwrap(), rounded);
            exact
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

    /// The checksum after the elements may have any value, also that of gzip's first bytes.
    #[test]
    fn a_gzip_checksum_that_looks_like_a_member() {
        let mut raws =
            (0_u32..1 << 20).map(|number| encode(0x08, &[100], &number.to_le_bytes().repeat(25)));
        let found = raws.find_map(|raw| {
            let mut crc = flate2::Crc::new();
            crc.update(&raw);
            crc.sum().to_le_bytes().starts_with(&[0x1f, 0x8b]).then_some(raw)
        });
        let raw = found.unwrap();
        assert_eq!(read(&gzip(&raw)).unwrap().body(), &raw[8..]);
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
            assert!(
                matches!(
                    error,
                    Error::Gzip { .. } | Error::GzipTooSmall { .. } | Error::Idx { .. }
                ),
                "{error}"
            );
            if let Error::Gzip { offset, .. } = error {
                assert!(offset <= whole.len(), "{offset}");
            }
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
    fn zeros_after_gzip_are_no_damage_and_other_bytes_are() {
        let raw = encode(0x08, &[100], &[7; 100]);
        let members = [gzip(&raw[..50]), gzip(&raw[50..])].concat();
        for whole in [gzip(&raw), members] {
            for zeros in [1, 2, 512, 100_000] {
                let bytes = [&whole[..], &vec![0; zeros]].concat();
                assert_eq!(read(&bytes).unwrap().body(), [7; 100]);
            }
            for more in [&b"\n"[..], &[0, 0, 1], &[0x1f]] {
                let error = error(&[&whole[..], more].concat());
                let Error::GzipTrailing { offset, found, .. } = error else { panic!("{error}") };
                assert_eq!((offset, found), (whole.len(), more.len()));
            }
            // The beginning of one more member.
            assert!(matches!(error(&[&whole[..], &[0x1f, 0x8b]].concat()), Error::Gzip { .. }));
        }
    }

    #[test]
    fn a_header_that_announces_more_than_gzip_can_hold() {
        let error = error(&gzip(&encode(0x08, &[u32::MAX, 1 << 20], &[7; 100])));
        assert!(matches!(error, Error::GzipTooSmall { .. }), "{error}");
        // The most zeros that deflate can make of few bytes are no such error.
        let raw = encode(0x08, &[10_000_000], &vec![0; 10_000_000]);
        assert_eq!(read(&gzip(&raw)).unwrap().header().elements(), 10_000_000);
    }
}
