//! What is true of any bytes, and of any valid IDX file.

use mnist_io::{Access, Dtype, IdxFile, parse};
use proptest::collection::vec;
use proptest::prelude::*;

const DTYPES: [(u8, Dtype); 6] = [
    (0x08, Dtype::U8),
    (0x09, Dtype::I8),
    (0x0b, Dtype::I16),
    (0x0c, Dtype::I32),
    (0x0d, Dtype::F32),
    (0x0e, Dtype::F64),
];

/// Either an error of one line, or a header and elements that are the whole of `bytes`.
fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    match parse(bytes) {
        Ok((header, body)) => {
            prop_assert_eq!(header.body_offset(), 4 + 4 * header.dims().len());
            prop_assert_eq!(header.body_offset() + body.len(), bytes.len());
            // In u128: where one size is zero, the product of the others may overflow.
            let product: u128 = header.dims().iter().map(|&dim| dim as u128).product();
            prop_assert_eq!(product, header.elements() as u128);
            prop_assert_eq!(header.elements() * header.dtype().size(), body.len());
            prop_assert_eq!(body, &bytes[header.body_offset()..]);
        }
        Err(error) => prop_assert!(!error.to_string().contains('\n')),
    }
    Ok(())
}

fn write(code: u8, dims: &[u32], body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, code, dims.len() as u8];
    bytes.extend(dims.iter().flat_map(|dim| dim.to_be_bytes()));
    bytes.extend(body);
    bytes
}

/// Bytes that begin as a file, so that the parser reaches the sizes.
fn almost_a_file() -> impl Strategy<Value = Vec<u8>> {
    let size = prop_oneof![0..4_u32, Just(u32::MAX), any::<u32>()];
    (0x07..0x10_u8, vec(size, 0..6), vec(any::<u8>(), 0..80))
        .prop_map(|(code, dims, body)| write(code, &dims, &body))
}

/// A valid file: element type, sizes, elements, and all of its bytes.
fn file() -> impl Strategy<Value = (Dtype, Vec<u32>, Vec<u8>, Vec<u8>)> {
    (0..DTYPES.len(), vec(0..5_u32, 1..=4)).prop_flat_map(|(index, dims)| {
        let (code, dtype) = DTYPES[index];
        let len = dims.iter().product::<u32>() as usize * dtype.size();
        vec(any::<u8>(), len).prop_map(move |body| {
            let bytes = write(code, &dims, &body);
            (dtype, dims.clone(), body, bytes)
        })
    })
}

/// Element `index`, read without the crate's own reader.
fn element(dtype: Dtype, body: &[u8], index: usize) -> f64 {
    let bytes = &body[index * dtype.size()..][..dtype.size()];
    match dtype {
        Dtype::U8 => bytes[0].into(),
        Dtype::I8 => i8::from_be_bytes([bytes[0]]).into(),
        Dtype::I16 => i16::from_be_bytes(bytes.try_into().unwrap()).into(),
        Dtype::I32 => i32::from_be_bytes(bytes.try_into().unwrap()).into(),
        Dtype::F32 => f32::from_be_bytes(bytes.try_into().unwrap()).into(),
        Dtype::F64 => f64::from_be_bytes(bytes.try_into().unwrap()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..100)) {
        check(&bytes)?;
    }

    #[test]
    fn bytes_that_begin_as_a_file(bytes in almost_a_file()) {
        check(&bytes)?;
    }

    #[test]
    fn one_byte_of_the_header_changed((_, _, _, mut bytes) in file(), at in 0..20_usize, byte: u8) {
        let at = at % bytes.len().min(20);
        bytes[at] = byte;
        check(&bytes)?;
    }

    #[test]
    fn a_file_cut_short((_, _, _, bytes) in file(), at in any::<prop::sample::Index>()) {
        prop_assert!(parse(&bytes[..at.index(bytes.len())]).is_err());
    }

    #[test]
    fn what_is_written_is_parsed((dtype, dims, body, bytes) in file()) {
        let (header, found) = parse(&bytes).unwrap();
        prop_assert_eq!(header.dtype(), dtype);
        let dims: Vec<usize> = dims.iter().map(|&dim| dim as usize).collect();
        prop_assert_eq!(header.dims(), dims);
        prop_assert_eq!(found, body);
    }
}

proptest! {
    // Each case writes a file.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn what_is_written_is_read((dtype, _, body, bytes) in file()) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, &bytes).unwrap();
        let read = IdxFile::read(&path).unwrap();
        // SAFETY: the folder is this test's own.
        let mapped = IdxFile::open(&path, unsafe { Access::map() }).unwrap();
        prop_assert!(mapped.is_mapped());
        for file in [read, mapped] {
            prop_assert_eq!(file.header().dtype(), dtype);
            prop_assert_eq!(file.body(), &body);
            prop_assert_eq!(file.as_u8().is_some(), dtype == Dtype::U8);
            let floats = file.to_f64();
            prop_assert_eq!(floats.len(), file.header().elements());
            for (index, &found) in floats.iter().enumerate() {
                let expected = element(dtype, &body, index);
                prop_assert!(found == expected || found.is_nan() && expected.is_nan());
            }
        }
    }

    #[test]
    fn any_bytes_after_a_gzip_magic(bytes in vec(any::<u8>(), 0..100)) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, [&[0x1f, 0x8b, 8, 0][..], &bytes].concat()).unwrap();
        if let Err(error) = IdxFile::read(&path) {
            prop_assert!(!error.to_string().contains('\n'));
        }
    }
}
