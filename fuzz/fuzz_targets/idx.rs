//! Any bytes as an IDX file: what is parsed is written again, and is the same bytes.

#![no_main]

use fuzz::check_message;
use libfuzzer_sys::fuzz_target;
use mnist_io::{Dtype, parse};

fuzz_target!(|data: &[u8]| {
    let (header, body) = match parse(data) {
        Ok(parsed) => parsed,
        Err(error) => return check_message(&error),
    };
    let code = match header.dtype() {
        Dtype::U8 => 0x08,
        Dtype::I8 => 0x09,
        Dtype::I16 => 0x0b,
        Dtype::I32 => 0x0c,
        Dtype::F32 => 0x0d,
        Dtype::F64 => 0x0e,
    };
    let mut written = vec![0, 0, code, header.dims().len() as u8];
    written.extend(header.dims().iter().flat_map(|dim| (*dim as u32).to_be_bytes()));
    assert_eq!(written.len(), header.body_offset());
    written.extend(body);
    assert_eq!(written, data);
    assert_eq!(header.body_len(), body.len());
    assert_eq!(header.elements() * header.dtype().size(), body.len());
});
