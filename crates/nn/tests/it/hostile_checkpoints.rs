//! Checkpoints that nobody saved, with a right checksum: each is an error, or a session that
//! can take a step.

use nn::{Activation, Checkpoint, EarlyStopping, Examples, Fit, Inputs, Run, Sequential, Session};

use crate::common::network;

const CHECKSUM: &str = "\"checksum\":\"";

/// A saved session with one text of its header in place of another.
fn with(from: &str, to: &str) -> Vec<u8> {
    let session = Session::new(network(&[2, 3, 2], Activation::Tanh, 1), &Fit::default()).unwrap();
    changed(&session.to_bytes(), from, to)
}

/// A file with one text of its header in place of another, and a right checksum.
fn changed(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let len = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let (header, tensors) = bytes[8..].split_at(len);
    let header = String::from_utf8(header.to_vec()).unwrap();
    assert!(header.contains(from), "no {from} in {header}");
    let header = header.replacen(from, to, 1);
    let mut file = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), tensors].concat();
    let at = 8 + header.find(CHECKSUM).unwrap() + CHECKSUM.len();
    file[at..at + 8].copy_from_slice(b"00000000");
    let checksum = format!("{:08x}", crc32fast::hash(&file));
    file[at..at + 8].copy_from_slice(checksum.as_bytes());
    file
}

#[test]
fn counts_that_no_run_has() {
    let (x, y) = ([0.0, 1.0, 1.0, 0.0], [0_u8, 1]);
    let examples = Examples::new(Inputs::new(&x, 2).unwrap(), &y).unwrap();
    for steps in [0, 1, 1 << 53] {
        let mut session =
            Session::from_bytes(&with("\"steps\":\"0\"", &format!("\"steps\":\"{steps}\"")))
                .unwrap();
        session.step(&examples, 0.1, &Sequential).unwrap();
        assert_eq!(session.steps(), steps + 1);
    }
    for steps in [(1 << 53) + 1, u64::MAX] {
        let file = with("\"steps\":\"0\"", &format!("\"steps\":\"{steps}\""));
        let error = Session::from_bytes(&file).err().unwrap().to_string();
        assert_eq!(
            error,
            format!("the input is not a checkpoint: its `steps` is {steps}, expected at most 2^53")
        );
    }
}

#[test]
fn epochs_and_steps_that_were_not_trained() {
    let (x, y) = ([0.0, 1.0, 1.0, 0.0], [0_u8, 1]);
    let examples = Examples::new(Inputs::new(&x, 2).unwrap(), &y).unwrap();
    let early_stopping = Some(EarlyStopping::default());
    let fit = Fit { epochs: 2, early_stopping, ..Fit::default() };
    let network = network(&[2, 3, 2], Activation::Tanh, 1);
    let mut run = Run::new(network, &fit, examples, Some(examples)).unwrap();
    run.train(&Sequential, ()).unwrap();
    let bytes = run.to_bytes();
    // The metadata are JSON in a text.
    let best = format!("\\\"best\\\":{}", run.history().best.unwrap());
    for epoch in ["0", "3", "18446744073709551615"] {
        let file = changed(&bytes, &best, &format!("\\\"best\\\":{epoch}"));
        let error = Checkpoint::from_bytes(&file).err().unwrap().to_string();
        assert!(error.contains("its counts do not fit: 2 steps, 2 of 2 epochs"), "{error}");
    }
    // Fewer steps than the epochs have, and more than these and an open one.
    for steps in ["1", "4"] {
        let file = changed(&bytes, "\"steps\":\"2\"", &format!("\"steps\":\"{steps}\""));
        let error = Checkpoint::from_bytes(&file).err().unwrap().to_string();
        assert!(error.contains(&format!("its counts do not fit: {steps} steps")), "{error}");
    }
}

/// The header's checksum is written otherwise, and what looks like one ends the file.
#[test]
fn a_checksum_that_is_cut_off() {
    let session = Session::new(network(&[2, 3, 2], Activation::Tanh, 1), &Fit::default()).unwrap();
    let bytes = session.to_bytes();
    let len = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = String::from_utf8(bytes[8..8 + len].to_vec()).unwrap();
    let header = header.replacen(CHECKSUM, "\"checksum\" :\"", 1);
    let tensors = &bytes[8 + len..bytes.len() - CHECKSUM.len()];
    let start = (header.len() as u64).to_le_bytes();
    let file = [&start, header.as_bytes(), tensors, CHECKSUM.as_bytes()].concat();
    let error = Session::from_bytes(&file).err().unwrap().to_string();
    assert!(error.ends_with("its checksum is not where it should be"), "{error}");
}
