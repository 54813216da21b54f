//! The IDX format: bytes in, header and elements out.
//!
//! ```text
//! byte 0  0x00 0x00
//! byte 2  element type: 0x08 u8, 0x09 i8, 0x0b i16, 0x0c i32, 0x0d f32, 0x0e f64
//! byte 3  number of dimensions, D
//! byte 4  D sizes, big-endian u32
//! then    the elements, big-endian, the last dimension varying fastest
//! ```

use std::fmt;

use byteorder::{BigEndian, ByteOrder};

use crate::error::IdxError;

/// The magic number: two zeros, the element type, the number of dimensions.
const MAGIC: usize = 4;
/// The format allows 255 dimensions; a batch of images with channels has 4.
const MAX_DIMS: usize = 4;
/// The longest header there is.
pub(crate) const MAX_HEADER: usize = MAGIC + 4 * MAX_DIMS;

// So that a size, which is a u32 in the file, converts to a usize as it is.
const _: () = assert!(usize::BITS >= u32::BITS);

/// The type of the elements of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dtype {
    /// Unsigned byte, 0x08.
    U8,
    /// Signed byte, 0x09.
    I8,
    /// 16-bit signed integer, 0x0b.
    I16,
    /// 32-bit signed integer, 0x0c.
    I32,
    /// Single-precision float, 0x0d.
    F32,
    /// Double-precision float, 0x0e.
    F64,
}

impl Dtype {
    fn from_code(code: u8) -> Option<Dtype> {
        Some(match code {
            0x08 => Dtype::U8,
            0x09 => Dtype::I8,
            // 0x0a was never given out.
            0x0b => Dtype::I16,
            0x0c => Dtype::I32,
            0x0d => Dtype::F32,
            0x0e => Dtype::F64,
            _ => return None,
        })
    }

    /// The bytes one element takes.
    pub fn size(self) -> usize {
        match self {
            Dtype::U8 | Dtype::I8 => 1,
            Dtype::I16 => 2,
            Dtype::I32 | Dtype::F32 => 4,
            Dtype::F64 => 8,
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Dtype::U8 => "u8",
            Dtype::I8 => "i8",
            Dtype::I16 => "i16",
            Dtype::I32 => "i32",
            Dtype::F32 => "f32",
            Dtype::F64 => "f64",
        })
    }
}

/// What a file says about its elements.
///
/// Made by [`parse`] alone, so the numbers are known to agree: the product of
/// [`dims`](Header::dims) is [`elements`](Header::elements), and as many
/// elements fit into an address space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    dtype: Dtype,
    /// Those from `rank` on are zero.
    dims: [usize; MAX_DIMS],
    rank: usize,
    elements: usize,
}

impl Header {
    /// The type of the elements.
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// The sizes of the dimensions, 1 to 4 of them, the last varying fastest.
    pub fn dims(&self) -> &[usize] {
        &self.dims[..self.rank]
    }

    /// How many elements there are: the product of the sizes. Of an empty file,
    /// where one size is zero, the others may be too large to multiply.
    pub fn elements(&self) -> usize {
        self.elements
    }

    /// Where the elements begin, in bytes from the start of the file.
    pub fn body_offset(&self) -> usize {
        MAGIC + 4 * self.rank
    }

    /// How many bytes the elements take.
    pub fn body_len(&self) -> usize {
        // `read` made sure that this fits.
        self.elements * self.dtype.size()
    }

    /// Reads the header from the front of `bytes`, whatever follows it.
    pub(crate) fn read(bytes: &[u8]) -> Result<Header, IdxError> {
        let &[zero0, zero1, code, rank] =
            bytes.first_chunk::<MAGIC>().ok_or(IdxError::TruncatedMagic { found: bytes.len() })?;
        if (zero0, zero1) != (0, 0) {
            return Err(IdxError::Magic { found: [zero0, zero1] });
        }
        let dtype = Dtype::from_code(code).ok_or(IdxError::Dtype { found: code })?;
        if !(1..=MAX_DIMS).contains(&usize::from(rank)) {
            return Err(IdxError::Rank { found: rank });
        }
        let rank = usize::from(rank);

        let sizes = &bytes[MAGIC..];
        let sizes = sizes
            .get(..4 * rank)
            .ok_or(IdxError::TruncatedDims { found: sizes.len(), expected: 4 * rank })?;
        let mut dims = [0; MAX_DIMS];
        for (dim, size) in dims.iter_mut().zip(sizes.chunks_exact(4)) {
            *dim = BigEndian::read_u32(size) as usize;
        }

        // Four factors below 2^32 have a product below 2^128. Multiplying them
        // all before asking whether the result fits lets a size of zero make an
        // empty file wherever it stands.
        let product: u128 = dims[..rank].iter().map(|&dim| dim as u128).product();
        let too_large = IdxError::TooLarge { dtype, elements: product };
        let fits = |elements: &usize| {
            elements
                .checked_mul(dtype.size())
                .and_then(|body| body.checked_add(MAX_HEADER))
                .is_some()
        };
        let elements = usize::try_from(product).ok().filter(fits).ok_or(too_large)?;

        Ok(Header { dtype, dims, rank, elements })
    }
}

/// As in `60000 x 28 x 28 u8`.
impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Shape(self.dims()), self.dtype)
    }
}

/// Sizes as messages name them.
pub(crate) struct Shape<'a>(pub(crate) &'a [usize]);

impl fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, dim) in self.0.iter().enumerate() {
            let times = if i == 0 { "" } else { " x " };
            write!(f, "{times}{dim}")?;
        }
        Ok(())
    }
}

/// Parses the bytes of a whole IDX file into its header and the big-endian
/// bytes of its elements.
///
/// Total: any `bytes` give a result or an error, never a panic. With a result,
/// header and elements are the whole of `bytes`. Takes no memory of its own.
///
/// # Errors
///
/// One variant of [`IdxError`] for each thing that can be wrong. Bytes missing
/// at the end are an error, and so are bytes too many.
pub fn parse(bytes: &[u8]) -> Result<(Header, &[u8]), IdxError> {
    let header = Header::read(bytes)?;
    let body = &bytes[header.body_offset()..];
    let (found, expected) = (body.len(), header.body_len());
    if found < expected {
        return Err(IdxError::TruncatedBody { header, found });
    }
    if found > expected {
        let found = (found - expected) as u64;
        return Err(IdxError::TrailingBytes { header, found });
    }
    Ok((header, body))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The bytes of a file, with no check of whether they agree.
    pub(crate) fn encode(code: u8, dims: &[u32], body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, code, dims.len() as u8];
        for dim in dims {
            bytes.extend(dim.to_be_bytes());
        }
        bytes.extend(body);
        bytes
    }

    fn error(bytes: &[u8]) -> IdxError {
        let error = parse(bytes).unwrap_err();
        assert!(!error.to_string().contains('\n'));
        error
    }

    const DTYPES: [(u8, Dtype, usize, &str); 6] = [
        (0x08, Dtype::U8, 1, "u8"),
        (0x09, Dtype::I8, 1, "i8"),
        (0x0b, Dtype::I16, 2, "i16"),
        (0x0c, Dtype::I32, 4, "i32"),
        (0x0d, Dtype::F32, 4, "f32"),
        (0x0e, Dtype::F64, 8, "f64"),
    ];

    #[test]
    fn every_type_and_every_number_of_dimensions() {
        let sizes = [2, 3, 1, 5];
        for (code, dtype, size, name) in DTYPES {
            assert_eq!((dtype.size(), dtype.to_string()), (size, name.into()));
            for rank in 1..=4 {
                let dims = &sizes[..rank];
                let elements: usize = dims.iter().map(|&dim| dim as usize).product();
                let body: Vec<u8> = (0..elements * size).map(|i| i as u8).collect();
                let bytes = encode(code, dims, &body);
                let (header, found) = parse(&bytes).unwrap();
                assert_eq!(header.dtype(), dtype);
                assert_eq!(header.dims(), dims.iter().map(|&dim| dim as usize).collect::<Vec<_>>());
                assert_eq!(header.elements(), elements);
                assert_eq!(header.body_offset(), 4 + 4 * rank);
                assert_eq!(header.body_len(), body.len());
                assert_eq!(found, body);
            }
        }
    }

    #[test]
    fn header_reads_as_words() {
        let bytes = encode(0x0c, &[2, 0, 28], &[]);
        assert_eq!(parse(&bytes).unwrap().0.to_string(), "2 x 0 x 28 i32");
    }

    #[test]
    fn a_size_of_zero_is_an_empty_file_wherever_it_stands() {
        for at in 0..4 {
            let mut dims = [u32::MAX; 4];
            dims[at] = 0;
            let bytes = encode(0x0e, &dims, &[]);
            let (header, body) = parse(&bytes).unwrap();
            assert_eq!(header.elements(), 0);
            assert!(body.is_empty());
            let bytes = encode(0x0e, &dims, &[1]);
            assert_eq!(error(&bytes), IdxError::TrailingBytes { header, found: 1 });
        }
    }

    #[test]
    fn truncated_magic() {
        for found in 0..4 {
            let error = error(&[0, 0, 8, 1][..found]);
            assert_eq!(error, IdxError::TruncatedMagic { found });
        }
        assert_eq!(
            error(&[]).to_string(),
            "at byte 0: found 0 bytes, expected a magic number of 4; \
             the file is empty or cut short: fetch it again"
        );
    }

    #[test]
    fn magic() {
        for found in [[0, 1], [1, 0], [0x1f, 0x8b]] {
            let bytes = [found[0], found[1], 8, 1, 0, 0, 0, 0];
            assert_eq!(error(&bytes), IdxError::Magic { found });
        }
        assert_eq!(
            error(b"\x89PNG").to_string(),
            "at byte 0: found 0x89 0x50, expected 0x00 0x00; this is no IDX file: check the path"
        );
    }

    #[test]
    fn dtype() {
        let known = DTYPES.map(|(code, ..)| code);
        for found in (0..=255).filter(|code| !known.contains(code)) {
            assert_eq!(error(&[0, 0, found, 1]), IdxError::Dtype { found });
        }
        let text = error(&[0, 0, 0x0a, 1]).to_string();
        assert!(text.starts_with("at byte 2: found element type 0x0a, expected 0x08 (u8)"));
    }

    #[test]
    fn rank() {
        for found in (0..=255).filter(|rank| !(1..=4).contains(rank)) {
            assert_eq!(error(&[0, 0, 8, found]), IdxError::Rank { found });
        }
        assert_eq!(
            error(&[0, 0, 8, 5]).to_string(),
            "at byte 3: found 5 dimensions, expected 1 to 4"
        );
    }

    #[test]
    fn truncated_dims() {
        for rank in 1..=4 {
            let bytes = encode(0x08, &[0; 4][..rank], &[]);
            for found in 0..4 * rank {
                let expected = 4 * rank;
                assert_eq!(error(&bytes[..4 + found]), IdxError::TruncatedDims { found, expected });
            }
        }
        assert_eq!(
            error(&[0, 0, 8, 3, 0, 0]).to_string(),
            "at byte 4: found 2 bytes of dimension sizes, expected 12; \
             the file is cut short: fetch it again"
        );
    }

    #[test]
    fn too_large() {
        let all = u128::from(u32::MAX);
        // The product does not fit.
        let dtype = Dtype::U8;
        let elements = all.pow(4);
        assert_eq!(
            error(&encode(0x08, &[u32::MAX; 4], &[1, 2, 3])),
            IdxError::TooLarge { dtype, elements }
        );
        // The product fits into 64 bits, the bytes of that many f64 do not.
        let dtype = Dtype::F64;
        let elements = all.pow(2);
        let error = error(&encode(0x0e, &[u32::MAX; 2], &[]));
        assert_eq!(error, IdxError::TooLarge { dtype, elements });
        assert_eq!(
            error.to_string(),
            "at byte 4: found dimension sizes that ask for 18446744065119617025 elements of f64, \
             expected no more than this machine can address; \
             the header is damaged: fetch the file again"
        );
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn the_end_of_the_largest_file_can_be_counted() {
        // 2^64 - 2^33 + 1 bytes and a header: the file could be, but is not.
        let error = error(&encode(0x08, &[u32::MAX; 2], &[]));
        let text = error.to_string();
        assert!(matches!(error, IdxError::TruncatedBody { found: 0, .. }));
        assert!(text.contains("expected 18446744065119617025 (4294967295 x 4294967295 u8)"));
        // 2^64 - 1 bytes can be counted, with a header before them they cannot.
        let dims = [641, 6_700_417, u32::MAX];
        assert_eq!(
            parse(&encode(0x08, &dims, &[])).unwrap_err(),
            IdxError::TooLarge { dtype: Dtype::U8, elements: u128::from(u64::MAX) }
        );
    }

    #[test]
    fn truncated_body() {
        let bytes = encode(0x0b, &[2, 3], &[0; 12]);
        let (header, _) = parse(&bytes).unwrap();
        for found in 0..12 {
            assert_eq!(error(&bytes[..12 + found]), IdxError::TruncatedBody { header, found });
        }
        assert_eq!(
            error(&bytes[..23]).to_string(),
            "at byte 12: found 11 bytes of elements, expected 12 (2 x 3 i16); \
             the file is cut short: fetch it again"
        );
    }

    #[test]
    fn trailing_bytes() {
        let mut bytes = encode(0x0b, &[2, 3], &[0; 12]);
        let (header, _) = parse(&bytes).unwrap();
        bytes.push(0);
        assert_eq!(error(&bytes), IdxError::TrailingBytes { header, found: 1 });
        bytes.push(0);
        assert_eq!(
            error(&bytes).to_string(),
            "at byte 24: found 2 bytes more, expected the end of the file (2 x 3 i16); \
             the header is damaged or something was appended: fetch the file again"
        );
    }

    #[test]
    fn any_one_byte_of_a_header_changed() {
        for (code, _, size, _) in DTYPES {
            let valid = encode(code, &[2, 1, 3], &vec![0; 6 * size]);
            for at in 0..16 {
                for byte in 0..=255 {
                    let mut bytes = valid.clone();
                    bytes[at] = byte;
                    match parse(&bytes) {
                        Ok((header, body)) => {
                            assert_eq!(header.body_offset() + body.len(), bytes.len());
                            assert_eq!(header.body_len(), body.len());
                        }
                        Err(error) => assert!(!error.to_string().contains('\n')),
                    }
                }
            }
        }
    }
}
