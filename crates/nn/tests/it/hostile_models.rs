//! Files that are no model: each is an error that says what was found, before memory is
//! requested for it.

use nn::{Activation, Architecture, Head, Init, Mlp, Preparation};

fn network() -> Mlp {
    let shape =
        Architecture { inputs: 3, hidden: vec![2], outputs: 2, activation: Activation::Tanh };
    let mut network = Mlp::new(shape, Init::Xavier, 1).unwrap();
    network.set_class_names(["no", "yes"]).unwrap();
    network.set_preparation(Some(Preparation::Named("deskew".into()))).unwrap();
    network
}

/// A file of this header and this number of bytes.
fn file(header: &str, data: usize) -> Vec<u8> {
    let len = (header.len() as u64).to_le_bytes();
    [&len[..], header.as_bytes(), &vec![0; data]].concat()
}

/// The header of [`network`], and its bytes of data.
fn whole() -> (String, usize) {
    let bytes = network().to_bytes();
    let len = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    (String::from_utf8(bytes[8..8 + len].to_vec()).unwrap(), bytes.len() - 8 - len)
}

/// The header with one text in place of another, padded as it was or longer.
fn with(from: &str, to: &str) -> Vec<u8> {
    let (header, data) = whole();
    assert!(header.contains(from), "no {from} in {header}");
    file(&header.replacen(from, to, 1), data)
}

#[test]
fn headers_that_lie_are_errors() {
    let (header, data) = whole();
    assert!(Mlp::from_bytes(&file(&header, data)).is_ok());
    // 3·2 + 2 + 2·2 + 2 numbers of four bytes.
    assert_eq!(data, 56);
    let deep = "[".repeat(100_000);
    let rows: &[(&str, Vec<u8>, &str)] = &[
        ("a byte too few", file(&header, data - 1), "no whole safetensors file"),
        ("a byte too many", file(&header, data + 1), "no whole safetensors file"),
        ("another dtype", with("\"F32\"", "\"I32\""), "`layer.0.bias` is I32"),
        ("a smaller dtype", with("\"F32\"", "\"F16\""), "no whole safetensors file"),
        ("an unknown dtype", with("\"F32\"", "\"X32\""), "no whole safetensors file"),
        ("a shape turned", with("\"shape\":[2,3]", "\"shape\":[3,2]"), "expected F32 [2, 3]"),
        (
            "a shape that overflows",
            with("\"shape\":[2,3]", "\"shape\":[9223372036854775807,9]"),
            "no whole safetensors file",
        ),
        ("a negative shape", with("\"shape\":[2,3]", "\"shape\":[-2,3]"), "no whole"),
        ("ranges that overlap", with("[8,32]", "[0,24]"), "no whole safetensors file"),
        ("a gap", with("[8,32]", "[12,36]"), "no whole safetensors file"),
        ("a range that ends first", with("[8,32]", "[32,8]"), "no whole safetensors file"),
        ("a range that is out", with("[8,32]", "[8,99999999]"), "no whole safetensors file"),
        ("another tensor's name", with("layer.1.bias", "layer.7.bias"), "`layer.1.bias`"),
        ("no architecture", with("\"architecture\"", "\"structure\""), "has no `architecture`"),
        ("no format", with("\"format\"", "\"form\""), "has no `format`"),
        ("another format", with("nn.mlp", "pt"), "its format is `pt`, expected `nn.mlp`"),
        ("a later version", with("\"version\":\"1\"", "\"version\":\"9\""), "its version is `9`"),
        (
            "a head in version 1",
            with("\"version\":\"1\"", "\"head\":\"squared\",\"version\":\"1\""),
            "which has no `head`",
        ),
        (
            "an unknown head",
            with("\"version\":\"1\"", "\"head\":\"poisson\",\"version\":\"2\""),
            "`poisson` is no head",
        ),
        (
            "a number for a text",
            with("\"version\":\"1\"", "\"version\":1"),
            "no whole safetensors file",
        ),
        ("an unknown activation", with("tanh", "cosh"), "its architecture: "),
        ("a layer of no units", with("[2]", "[0]"), "`layer.0.weight`"),
        ("a layer of many units", with("[2]", "[4611686018427387904]"), "`layer.0.weight`"),
        (
            "a million layers",
            with("[2]", &format!("[{}2]", "2,".repeat(1_000_000))),
            "`layer.0.weight` is F32 [2, 3], expected F32 [2, 3]",
        ),
        ("a pixel scale of 0", with("\"0.003921569\"", "\"0\""), "pixel scale is 0"),
        ("a pixel scale of NaN", with("\"0.003921569\"", "\"NaN\""), "pixel scale is NaN"),
        ("a pixel scale of words", with("\"0.003921569\"", "\"one\""), "pixel scale of `one`"),
        ("class names of numbers", with("[\\\"no\\\",\\\"yes\\\"]", "[1,2]"), "its class names"),
        ("one class name", with("[\\\"no\\\",\\\"yes\\\"]", "[\\\"no\\\"]"), "class names"),
        ("equal names", with("\\\"yes\\\"", "\\\"no\\\""), "both called `no`"),
        ("no object", file("[]", 0), "no whole safetensors file"),
        ("no JSON", file("{\"__metadata__\":", 0), "no whole safetensors file"),
        ("deep JSON", file(&deep, 0), "no whole safetensors file"),
        (
            "deep JSON in a text",
            with("{\\\"inputs", &format!("{deep}{{\\\"inputs")),
            "architecture",
        ),
        ("not UTF-8", [&4u64.to_le_bytes()[..], b"{\xff\xfe}"].concat(), "no whole"),
    ];
    for (what, bytes, expected) in rows {
        if *what == "a million layers" {
            // As many tensors are missing; the first that differs is the last but one.
            let error = Mlp::from_bytes(bytes).unwrap_err().to_string();
            assert!(error.contains("`layer.1.weight`") || error.contains("layer."), "{error}");
            continue;
        }
        let error = Mlp::from_bytes(bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{what}: {error}");
        assert!(error.len() < 400 && !error.contains('\n'), "{what}: {error}");
    }
    for len in [0, 1, 7, 100_000_001, 1 << 40, u64::MAX / 2, u64::MAX - 7, u64::MAX] {
        let bytes = [&len.to_le_bytes()[..], &[b' '; 64]].concat();
        assert!(Mlp::from_bytes(&bytes).is_err(), "a header of {len} bytes");
    }
}

#[test]
fn ranges_at_the_end_of_what_can_be_counted_are_errors() {
    let (max, near) = (usize::MAX, usize::MAX - 3);
    for (from, to) in [
        ("[0,8]", format!("[{near},{max}]")),
        ("[0,8]", format!("[0,{max}]")),
        ("[0,8]", format!("[{max},{max}]")),
        ("[0,8]", format!("[{max},7]")),
        ("\"shape\":[2]", format!("\"shape\":[{max}]")),
        ("\"shape\":[2]", format!("\"shape\":[{max},{max}]")),
        ("\"shape\":[2,3]", format!("\"shape\":[{max},3]")),
    ] {
        let error = Mlp::from_bytes(&with(from, &to)).unwrap_err().to_string();
        assert!(error.len() < 400 && !error.contains('\n'), "{from} as {to}: {error}");
    }
}

#[test]
fn names_in_a_file_do_not_break_the_line_of_an_error() {
    for (from, to, shown) in [
        (
            "\"layer.1.weight\":{\"data_offsets\":[40,56]",
            "\"lay\\r.1\\n\":{\"data_offsets\":[88,56]",
            "`lay\\r.1\\n`",
        ),
        ("nn.mlp", "\\u0007", "`\\u{7}`"),
    ] {
        let error = Mlp::from_bytes(&with(from, to)).unwrap_err().to_string();
        assert!(!error.contains(char::is_control), "{error:?}");
        assert!(error.contains(shown), "{error}");
    }
}

#[test]
fn a_name_that_is_there_twice_is_an_error() {
    let (header, data) = whole();
    let row = "\"layer.0.bias\":{\"data_offsets\":[0,8],\"dtype\":\"F32\",\"shape\":[2]}";
    assert!(header.contains(row), "{header}");
    for (once, twice) in [
        (row.to_owned(), format!("{row},{row}")),
        ("\"format\":\"nn.mlp\"".into(), "\"format\":\"nn.mlp\",\"format\":\"nn.mlp\"".into()),
        ("\"version\":\"1\"".into(), "\"version\":\"1\",\"version\":\"2\"".into()),
    ] {
        let error = Mlp::from_bytes(&file(&header.replacen(&once, &twice, 1), data));
        let error = error.unwrap_err().to_string();
        assert!(error.contains("twice"), "{error}");
    }
}

#[test]
fn weights_that_are_not_finite_are_named() {
    let bytes = network().to_bytes();
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut other = bytes.clone();
        let last = other.len() - 4;
        other[last..].copy_from_slice(&value.to_le_bytes());
        let error = Mlp::from_bytes(&other).unwrap_err().to_string();
        assert!(error.contains(&format!("element 3 of `layer.1.weight` is {value}")), "{error}");
    }
}

#[test]
fn files_of_other_programs_are_named() {
    for (start, expected) in [
        (&b""[..], "it is empty"),
        (b"PK\x03\x04", "a model of PyTorch"),
        (b"\x80\x02}q\x00.", "a pickle"),
        (b"\x93NUMPY\x01\x00", "NumPy"),
        (b"\x89HDF\r\n\x1a\n", "Keras"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"<!DOCTYPE html>", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
        (b"\x08\x07\x12\x07pytorch", "ONNX"),
        (b"{\"a\": 1}", "JSON"),
    ] {
        let padding = if start.is_empty() { 0 } else { 100 };
        let bytes = [start, &vec![b'x'; padding]].concat();
        let error = Mlp::from_bytes(&bytes).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("safetensors"), "{error}");
    }
}

#[test]
fn every_changed_bit_is_a_network_or_an_error() {
    let shape =
        Architecture { inputs: 3, hidden: vec![2], outputs: 1, activation: Activation::Tanh };
    let squared = Mlp::new(shape, Init::Xavier, 1).unwrap().with_head(Head::Squared).unwrap();
    for network in [network(), squared] {
        let bytes = network.to_bytes();
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            for bit in 0..8 {
                other[at] ^= 1 << bit;
                // What is read is a network that can be written.
                if let Ok(network) = Mlp::from_bytes(&other) {
                    assert!(Mlp::from_bytes(&network.to_bytes()).is_ok());
                }
                other[at] ^= 1 << bit;
            }
        }
    }
}
