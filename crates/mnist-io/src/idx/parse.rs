//! Bytes in, header and elements out.

use byteorder::{BigEndian, ByteOrder};

use super::error::IdxError;
use super::header::{Dtype, Header, MAGIC_LEN, MAX_DIMS, MAX_HEADER};

// A size, which is a u32 in the file, fits into a usize.
const _: () = assert!(usize::BITS >= u32::BITS);

/// Parses the bytes of a whole IDX file into its header and the big-endian
/// bytes of its elements.
///
/// Total: any `bytes` give a result or an error, never a panic. Header and elements of a
/// result are the whole of `bytes`. Allocates nothing.
///
/// # Errors
/// One variant of [`IdxError`] for each thing that can be wrong. A body that is too short
/// is an error, and so is one that is too long.
pub fn parse(bytes: &[u8]) -> Result<(Header, &[u8]), IdxError> {
    let header = read_header(bytes)?;
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

/// Reads the header at the start of `bytes`, whatever follows it.
pub(super) fn read_header(bytes: &[u8]) -> Result<Header, IdxError> {
    let &[zero0, zero1, code, rank] =
        bytes.first_chunk::<MAGIC_LEN>().ok_or(IdxError::TruncatedMagic { found: bytes.len() })?;
    if (zero0, zero1) != (0, 0) {
        return Err(IdxError::Magic { found: [zero0, zero1] });
    }
    let dtype = Dtype::from_code(code).ok_or(IdxError::Dtype { found: code })?;
    if !(1..=MAX_DIMS).contains(&usize::from(rank)) {
        return Err(IdxError::Rank { found: rank });
    }
    let rank = usize::from(rank);

    let sizes = &bytes[MAGIC_LEN..];
    let sizes = sizes
        .get(..4 * rank)
        .ok_or(IdxError::TruncatedDims { found: sizes.len(), expected: 4 * rank })?;
    let mut dims = [0; MAX_DIMS];
    for (dim, size) in dims.iter_mut().zip(sizes.chunks_exact(4)) {
        *dim = BigEndian::read_u32(size) as usize;
    }

    // Four factors below 2^32 have a product below 2^128. All are multiplied before the
    // check, so that a size of zero makes an empty file wherever it stands.
    let product: u128 = dims[..rank].iter().map(|&dim| dim as u128).product();
    let too_large = IdxError::TooLarge { dtype, elements: product };
    let fits = |elements: &usize| {
        elements.checked_mul(dtype.size()).and_then(|body| body.checked_add(MAX_HEADER)).is_some()
    };
    let elements = usize::try_from(product).ok().filter(fits).ok_or(too_large)?;

    Ok(Header { dtype, dims, rank, elements })
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::encode;
    use super::*;

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
    fn a_header_as_text() {
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
            "at byte 0: found 0x89 0x50, expected 0x00 0x00; this is not an IDX file: check the path"
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
        // The product fits into 64 bits. The product times 8, for f64, does not.
        let dtype = Dtype::F64;
        let elements = all.pow(2);
        let error = error(&encode(0x0e, &[u32::MAX; 2], &[]));
        assert_eq!(error, IdxError::TooLarge { dtype, elements });
        assert_eq!(
            error.to_string(),
            "at byte 4: found dimension sizes for 18446744065119617025 elements of f64, \
             expected no more than this machine can address; \
             the header is damaged: fetch the file again"
        );
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn the_end_of_the_largest_file_can_be_counted() {
        // 2^64 - 2^33 + 1 bytes and a header: an address can count them.
        let error = error(&encode(0x08, &[u32::MAX; 2], &[]));
        let text = error.to_string();
        assert!(matches!(error, IdxError::TruncatedBody { found: 0, .. }));
        assert!(text.contains("expected 18446744065119617025 (4294967295 x 4294967295 u8)"));
        // 2^64 - 1 bytes can be counted, but not together with a header.
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
            "at byte 24: found 2 more bytes, expected the end of the file (2 x 3 i16); \
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
