//! A saved network is loaded as it was; any other bytes are an error.

use crate::common::{examples, labels, network, noise, reference, start, train, uniform};
use nn::{Activation, Architecture, BatchNorm, Error, Fit, Head, Init, Inputs, Mlp, Preparation};

#[test]
fn a_loaded_network_predicts_and_trains_like_the_saved_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("network.safetensors");
    let (network, fit) = start();
    let (x, y) = noise();
    let examples = examples(&network, &x, &y);
    // The second save replaces the first file.
    network.save(&path).unwrap();
    let mut trained = train(network, &fit, &examples);
    trained.set_pixel_scale(0.7).unwrap();
    trained.save(&path).unwrap();

    let loaded = Mlp::load(&path).unwrap();
    assert_eq!(loaded.architecture(), trained.architecture());
    assert_eq!(loaded.pixel_scale(), 0.7);
    assert_eq!(reference(&loaded), reference(&trained));
    let pixels: Vec<u8> = (0..7 * 30).collect();
    for inputs in [examples.inputs(), Inputs::pixels(&pixels, 7).unwrap()] {
        let bits = |network: &Mlp| -> Vec<u32> {
            let probabilities = network.predict_proba(&inputs).unwrap();
            probabilities.into_iter().map(f32::to_bits).collect()
        };
        assert_eq!(bits(&loaded), bits(&trained));
    }
    // The temporary file is gone.
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 1);
    // Training goes on from the loaded network as from the saved one.
    let again = train(loaded, &fit, &examples).to_bytes();
    assert_eq!(again, train(trained, &fit, &examples).to_bytes());
}

#[test]
fn a_file_that_cannot_be_read_or_written_is_an_error_with_its_path() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("no").join("network");
    let (network, _) = start();
    for error in [Mlp::load(&path).unwrap_err(), network.save(&path).unwrap_err()] {
        assert!(matches!(&error, Error::Io { path: named, .. } if *named == path), "{error}");
    }
    let path = dir.path().join("folder");
    std::fs::create_dir(&path).unwrap();
    let error = network.save(&path).unwrap_err();
    assert!(matches!(&error, Error::Io { path: named, .. } if *named == path), "{error}");
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 1, "the temporary file is still there");

    let path = dir.path().join("text");
    std::fs::write(&path, "not a network").unwrap();
    let error = Mlp::load(&path).unwrap_err().to_string();
    let expected = format!("{} is not a saved network: ", path.display());
    assert!(error.starts_with(&expected), "{error}");
}

#[test]
fn class_names_are_kept_and_checked() {
    let mut network = network(&[3, 2, 2], Activation::Sigmoid, 1);
    let nameless = network.to_bytes();
    assert_eq!(network.class_names(), None);
    assert_eq!(Mlp::from_bytes(&nameless).unwrap().class_names(), None);
    // Characters that JSON escapes, and others that it does not.
    let names = ["a \"quoted\" \\ one", "größer als ½"];
    network.set_class_names(names).unwrap();
    let bytes = network.to_bytes();
    let loaded = Mlp::from_bytes(&bytes).unwrap();
    assert_eq!(loaded.class_names().unwrap(), names);
    assert_eq!(loaded.to_bytes(), bytes);

    for (wrong, expected) in [
        (&["a", "b", "c"][..], "list of class names has 3 elements: expected 2"),
        (&["a"], "list of class names has 1 elements: expected 2"),
        (&["b", "b"], "classes 0 and 1 are both called `b`"),
    ] {
        let error = network.set_class_names(wrong.iter().copied()).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(network.class_names().unwrap(), names);
    }
    network.set_class_names(["a", "b"]).unwrap();
    // The file has the names as a JSON list in a JSON string.
    let bytes = network.to_bytes();
    let listed = br#"[\"a\",\"b\"]"#;
    let at = bytes.windows(listed.len()).position(|w| w == listed).unwrap();
    for (wrong, expected) in [
        (&br#"[\"a\",\"a\"]"#[..], "classes 0 and 1 are both called `a`"),
        (br#"[\"a,b.c\"]"#, "list of class names has 1 elements: expected 2"),
        (br"[]", "its `class_names` is an empty list"),
        (br#"[\"a\",\"b\"x"#, "its class names: "),
        (br"[1,2]", "its class names: "),
    ] {
        let mut file = bytes.clone();
        let blank = file[at..at + listed.len()].iter_mut();
        blank.zip(wrong.iter().chain(&[b' '; 13])).for_each(|(to, from)| *to = *from);
        let error = Mlp::from_bytes(&file).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    // Invalid UTF-8.
    let mut file = bytes.clone();
    file[at + 3] = 0xff;
    assert!(matches!(Mlp::from_bytes(&file).unwrap_err(), Error::Model { .. }));

    // Training keeps them, also where it returns a folded copy.
    for batch_norm in [None, Some(BatchNorm::default())] {
        let (x, y) = (uniform(1, 30), labels(2, 10, 2));
        let fit = Fit { epochs: 1, batch_norm, ..Fit::default() };
        let trained = train(network.clone(), &fit, &examples(&network, &x, &y));
        assert_eq!(trained.class_names().unwrap(), ["a", "b"]);
    }

    network.set_class_names([""; 0]).unwrap();
    assert_eq!(network.to_bytes(), nameless);
}

#[test]
fn the_preparation_is_kept() {
    let mut network = network(&[3, 2, 2], Activation::Sigmoid, 1);
    let plain = network.to_bytes();
    assert_eq!(Mlp::from_bytes(&plain).unwrap().preparation(), None);
    let said = Preparation::Named("größer, \"and\" so on".into());
    network.set_preparation(Some(said.clone())).unwrap();
    let loaded = Mlp::from_bytes(&network.to_bytes()).unwrap();
    assert_eq!(loaded.preparation(), Some(&said));
    assert_eq!(loaded.to_bytes(), network.to_bytes());

    // Training keeps it, also where it returns a folded copy.
    for batch_norm in [None, Some(BatchNorm::default())] {
        let (x, y) = (uniform(1, 30), labels(2, 10, 2));
        let fit = Fit { epochs: 1, batch_norm, ..Fit::default() };
        let trained = train(network.clone(), &fit, &examples(&network, &x, &y));
        assert_eq!(trained.preparation(), Some(&said));
    }
    network.set_preparation(None).unwrap();
    assert_eq!(network.to_bytes(), plain);
}

#[test]
fn no_changed_byte_makes_reading_a_network_panic() {
    let mut named = network(&[3, 2, 2], Activation::Sigmoid, 1);
    named.set_class_names(["no", "yes"]).unwrap();
    let bytes = named.to_bytes();
    let x = uniform(1, 6);
    let (mut read, mut refused) = (0, 0);
    for at in 0..bytes.len() {
        // Each bit flipped, all bits flipped, and characters that change the meaning of
        // a number or a list.
        let flips = (0..8).map(|bit| bytes[at] ^ 1 << bit);
        let others = [!bytes[at], 0, b'0', b'9', b'-', b'e', b',', b'"', b'}'];
        for byte in flips.chain(others) {
            let mut wrong = bytes.clone();
            wrong[at] = byte;
            match Mlp::from_bytes(&wrong) {
                // The byte of a weight, for example: the result is a valid network.
                Ok(network) => {
                    read += 1;
                    let width = network.architecture().inputs;
                    let inputs = Inputs::new(&x[..width], width).unwrap();
                    network.predict(&inputs).unwrap();
                    let again = Mlp::from_bytes(&network.to_bytes()).unwrap();
                    assert_eq!(again.to_bytes(), network.to_bytes());
                }
                Err(error) => {
                    refused += 1;
                    assert!(matches!(error, Error::Model { .. }), "byte {at}: {error}");
                }
            }
        }
    }
    // Both cases occur.
    assert!(read > 100 && refused > 1000, "{read} read, {refused} refused");
}

#[test]
fn a_file_with_a_weight_that_is_not_finite_is_an_error_that_names_the_weight() {
    // The file ends with the weights of the last layer.
    let good = network(&[3, 2, 2], Activation::Sigmoid, 1).to_bytes();
    let (before, _) = good.split_at(good.len() - 4);
    for (value, text) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        let wrong = [before, &value.to_le_bytes()].concat();
        let error = Mlp::from_bytes(&wrong).unwrap_err().to_string();
        let expected = format!("element 3 of `layer.1.weight` is {text}");
        assert!(error.ends_with(&expected), "{error}");
    }
}

/// The documented shapes, of every activation and head.
#[test]
fn tensors_have_the_shapes_that_the_documents_say() {
    for (activation, _) in Activation::ALL {
        for (head, _) in Head::ALL {
            let outputs = if head == Head::Logistic { 1 } else { 3 };
            let shape = Architecture { inputs: 5, hidden: vec![4, 2], outputs, activation };
            let network = Mlp::new(shape, Init::He, 1).unwrap().with_head(head).unwrap();
            let bytes = network.to_bytes();
            let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
            let pieces = activation.pieces();
            let rows = [4 * pieces, 2 * pieces, outputs];
            assert_eq!(tensors.len(), 6);
            for (l, (rows, inputs)) in rows.into_iter().zip([5, 4, 2]).enumerate() {
                let tensor = |what: &str| tensors.tensor(&format!("layer.{l}.{what}")).unwrap();
                let (weight, bias) = (tensor("weight"), tensor("bias"));
                assert_eq!(weight.shape(), [rows, inputs], "{activation}, {head}");
                assert_eq!(bias.shape(), [rows], "{activation}, {head}");
                let (weights, biases) = network.layer(l).unwrap();
                let values = |bytes: &[u8]| -> Vec<f32> {
                    bytes.as_chunks().0.iter().map(|word| f32::from_le_bytes(*word)).collect()
                };
                assert_eq!((values(weight.data()), values(bias.data())), (weights, biases));
            }
        }
    }
}
