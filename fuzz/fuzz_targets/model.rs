//! Any bytes as the file of a network: what is read is written again, reads as the same
//! network, and predicts.

#![no_main]

use fuzz::{check_message, tensor_file};
use libfuzzer_sys::fuzz_target;
use nn::{Error, Inputs, Mlp};

fuzz_target!(|data: &[u8]| {
    let network = match Mlp::from_bytes(&tensor_file(data)) {
        Ok(network) => network,
        Err(error) => return check_message(&error),
    };
    let written = network.to_bytes();
    let again = Mlp::from_bytes(&written).expect("what was written is read");
    assert_eq!(again.architecture(), network.architecture());
    assert_eq!(again.head(), network.head());
    assert_eq!(again.pixel_scale().to_bits(), network.pixel_scale().to_bits());
    assert_eq!(again.class_names(), network.class_names());
    assert_eq!(again.preparation(), network.preparation());
    for layer in 0..=network.architecture().hidden.len() {
        assert_eq!(again.layer(layer), network.layer(layer));
    }
    assert!(again.to_bytes() == written, "the bytes are another");

    let width = network.architecture().inputs;
    let sample = vec![0.5; width];
    match network.outputs(&Inputs::new(&sample, width).unwrap()) {
        Ok(outputs) => {
            assert_eq!(outputs.len(), network.architecture().outputs);
            assert!(outputs.iter().all(|output| output.is_finite()), "{outputs:?}");
        }
        // The weights of a file may be as large as f32 can hold.
        Err(error) => assert!(matches!(error, Error::Overflow { .. }), "{error}"),
    }
});
