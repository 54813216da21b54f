//! A network as a part of a program: train it, save it, load it again, and predict single
//! images. `mnist-io` reads the digits from `data/`, and the network reads pixels as bytes.
//!
//! ```sh
//! cargo run -p nn --release --example mnist_embed
//! ```

use std::error::Error;
use std::ops::ControlFlow;

use mnist_io::{Dataset, Part};
use nn::{Activation, Architecture, EpochReport, Examples, Fit, Init, Inputs, Mlp, Predictions};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data");
    // This reads the files into memory; `Dataset::open_dir` can also map them.
    let digits = Dataset::read_dir(folder, Part::Train)?;
    let test = Dataset::read_dir(folder, Part::Test)?;

    let examples =
        Examples::new(Inputs::pixels(digits.images(), digits.features())?, digits.labels())?;
    let shape = Architecture {
        inputs: digits.features(),
        hidden: vec![64],
        outputs: digits.classes(),
        activation: Activation::Relu,
    };
    let mut network = Mlp::new(shape, Init::He, 1)?;
    let fit = Fit { epochs: 2, ..Fit::default() };
    fit.run(&mut network, &examples, None, &nn::Sequential, |epoch: &EpochReport| {
        println!("epoch {}: loss {:.4}", epoch.epoch, epoch.train_loss);
        ControlFlow::Continue(())
    })?;

    let dir = tempfile::tempdir()?;
    let path = dir.path().join("digits.safetensors");
    network.save(&path)?;
    let loaded = Mlp::load(&path)?;

    // One image at a time, like a program that serves requests.
    let image = test.image(0);
    let digit = loaded.predict(&Inputs::pixels(image, image.len())?)?[0];
    println!("the first image is a {}, predicted as {digit}", test.labels()[0]);

    // All images, and how good the predictions are.
    let probabilities = loaded.predict_proba(&Inputs::pixels(test.images(), test.features())?)?;
    let predictions = Predictions::new(&probabilities, test.classes(), test.labels())?;
    let confusion = predictions.confusion()?;
    println!("{confusion}");
    println!("top-2 accuracy        {:.4}", predictions.top_k_accuracy(2));
    println!("calibration error     {:.4}", predictions.calibration_error(15)?);
    for m in predictions.mistakes().iter().take(3) {
        println!(
            "image {} is a {}, predicted as {} ({:.4})",
            m.sample, m.label, m.predicted, m.probability
        );
    }

    let inputs = Inputs::pixels(test.images(), test.features())?;
    assert_eq!(probabilities, network.predict_proba(&inputs)?, "saving changed the network");
    assert!(confusion.accuracy() > 0.95);
    Ok(())
}
