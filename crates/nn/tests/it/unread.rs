//! Files that are no model by their header and their size, and whose other bytes are therefore
//! not read: here they are terabytes, which no memory has.

use std::fs::{self, OpenOptions};
use std::path::Path;

use nn::{Activation, Architecture, Checkpoint, Init, Mlp, Session};

const HUGE: u64 = 1 << 40;

/// A file that begins so and has `size` bytes, which take no room on the disk.
fn sparse(path: &Path, start: &[u8], size: u64) {
    fs::write(path, start).unwrap();
    OpenOptions::new().write(true).open(path).unwrap().set_len(size).unwrap();
}

fn header(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

/// What each reader says of the file, without its path.
fn reasons(path: &Path) -> [String; 3] {
    [
        (Mlp::load(path).unwrap_err(), "a saved network"),
        (Session::load(path).unwrap_err(), "a checkpoint"),
        (Checkpoint::load(path).err().unwrap(), "a checkpoint"),
    ]
    .map(|(error, what)| {
        let start = format!("{} is not {what}: ", path.display());
        let error = error.to_string();
        error.strip_prefix(&start).unwrap_or_else(|| panic!("{error}")).to_owned()
    })
}

#[test]
fn a_file_of_terabytes_is_refused_by_its_header() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let shape =
        Architecture { inputs: 3, hidden: vec![2], outputs: 2, activation: Activation::Tanh };
    let model = Mlp::new(shape, Init::Xavier, 1).unwrap().to_bytes();
    let no_whole = "it is no whole safetensors file: ";
    let tensor =
        format!("\"a\":{{\"dtype\":\"U8\",\"shape\":[{HUGE}],\"data_offsets\":[0,{HUGE}]}}");
    let other = header(&format!("{{\"__metadata__\":{{\"format\":\"pt\"}},{tensor}}}"));
    let nameless = header(&format!("{{{tensor}}}"));
    let twice = header(&format!("{{{tensor},{tensor}}}"));
    for (start, size, expected) in [
        (&model[..], HUGE, no_whole),
        (&model[..20], HUGE, no_whole),
        (b"", HUGE, no_whole),
        (b"PK\x03\x04", HUGE, "it is a zip archive"),
        (b"version https://git-lfs.github.com/spec/v1", HUGE, "it is a pointer of Git LFS"),
        (&other, other.len() as u64 + HUGE - 1, no_whole),
        // As long as the header says, and of another program.
        (&other, other.len() as u64 + HUGE, "its format is `pt`, expected `nn."),
        (&nameless, nameless.len() as u64 + HUGE, "its metadata has no `format`"),
        (&twice, twice.len() as u64 + HUGE, "its header: `a` is there twice"),
    ] {
        sparse(&path, start, size);
        for reason in reasons(&path) {
            assert!(reason.starts_with(expected), "{reason}, expected {expected}");
        }
    }
}

#[test]
fn a_file_is_refused_in_the_words_in_which_its_bytes_are() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let shape =
        Architecture { inputs: 3, hidden: vec![2], outputs: 2, activation: Activation::Tanh };
    let model = Mlp::new(shape, Init::Xavier, 1).unwrap().to_bytes();
    fs::write(&path, &model).unwrap();
    assert!(Mlp::load(&path).unwrap().to_bytes() == model);

    let mut rows: Vec<Vec<u8>> = vec![
        b"{\"a\": 1}".into(),
        b"<!DOCTYPE html>".into(),
        header("{"),
        header("[]"),
        header("{}"),
        [&header("{}")[..], b"more"].concat(),
        header("{\"__metadata__\":{\"format\":\"nn.mlp\"}}"),
        [&4u64.to_le_bytes()[..], b"{\xff\xfe}"].concat(),
        [&u64::MAX.to_le_bytes()[..], &[b' '; 99]].concat(),
        [&100_000_001u64.to_le_bytes()[..], &[b' '; 99]].concat(),
    ];
    // Cut off anywhere: in the length, in the header, in the tensors.
    rows.extend((0..model.len()).map(|len| model[..len].to_vec()));
    for bytes in rows {
        fs::write(&path, &bytes).unwrap();
        let [model, session, run] = reasons(&path);
        let start = "the input is not ";
        let expected = [
            (model, format!("{start}a saved network: "), Mlp::from_bytes(&bytes).unwrap_err()),
            (session, format!("{start}a checkpoint: "), Session::from_bytes(&bytes).unwrap_err()),
            (run, format!("{start}a checkpoint: "), Checkpoint::from_bytes(&bytes).err().unwrap()),
        ];
        for (found, start, error) in expected {
            assert_eq!(format!("{start}{found}"), error.to_string());
        }
    }
}

#[test]
fn tensors_that_end_after_the_last_number_are_an_error() {
    let mut rows = Vec::new();
    let (mut start, most) = (0, (1u64 << 61) - 1);
    // Eight of the largest that can be counted in bits, and one more: they end at u64::MAX.
    for (name, len) in ('a'..='h').map(|name| (name, most)).chain([('i', 7)]) {
        let end = start + len;
        rows.push(format!(
            "\"{name}\":{{\"dtype\":\"U8\",\"shape\":[{len}],\"data_offsets\":[{start},{end}]}}"
        ));
        start = end;
    }
    assert_eq!(start, u64::MAX);
    let bytes = header(&format!("{{{}}}", rows.join(",")));
    let error = Mlp::from_bytes(&bytes).unwrap_err().to_string();
    assert!(error.contains("no whole safetensors file"), "{error}");
}
