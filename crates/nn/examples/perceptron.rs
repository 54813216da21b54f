//! From one neuron to the linear softmax classifier, on the digits in `data/`: one
//! perceptron for two digits, one perceptron per class for ten digits, and softmax over a
//! 10 × 784 matrix that is learnt as a whole.
//!
//! ```sh
//! cargo run -p nn --release --example perceptron
//! ```

use std::error::Error;

use mnist_io::{Dataset, Part};
use nn::{
    Activation, Architecture, Confusion, Curve, Examples, Fit, Init, Inputs, Mlp, OneVsAll,
    Perceptron, Sequential,
};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data");
    let train_set = Dataset::read_dir(folder, Part::Train)?;
    let test_set = Dataset::read_dir(folder, Part::Test)?;
    let train = examples(&train_set)?;
    let test = examples(&test_set)?;
    let (features, classes) = (train_set.features(), train_set.classes());

    // One neuron. A plane separates 0 and 1, and the perceptron finds one. 4 and 9 are hard
    // to separate, so it keeps making mistakes.
    for (no, yes) in [(0, 1), (4, 9)] {
        let indices = of(&train_set, no, yes);
        let mut neuron = Perceptron::new(features)?;
        let mistakes = neuron.fit(&train.subset(&indices)?, yes.into(), 20, 1)?;

        let answers = neuron.predict(&test.inputs())?;
        let indices = of(&test_set, no, yes);
        let label = |index: u32| test_set.labels()[index as usize];
        let right = indices.iter().filter(|&&i| answers[i as usize] == (label(i) == yes)).count();
        println!(
            "{no} or {yes}: {} passes, {} mistakes in the first and {} in the last; \
             {:.2} % of the test images",
            mistakes.len(),
            mistakes[0],
            mistakes[mistakes.len() - 1],
            100.0 * right as f64 / indices.len() as f64,
        );
    }

    // Ten neurons, one per digit against all other digits.
    let all = OneVsAll::fit(&train, classes, 20, 1, &Sequential)?;
    let predicted = all.predict(&test.inputs())?;
    let accuracy = Confusion::new(test_set.labels(), &predicted, classes)?.accuracy();
    println!("ten digits, a perceptron for each: {:.2} %", 100.0 * accuracy);

    // Ten rows of weights again, which softmax turns into one classifier.
    let shape = Architecture {
        inputs: features,
        hidden: vec![],
        outputs: classes,
        activation: Activation::default(),
    };
    let mut linear = Mlp::new(shape, Init::Xavier, 1)?;
    let schedule = Curve::Linear { from: 0.0 }.into();
    let fit = Fit { epochs: 20, lr: 0.05, schedule, ..Fit::default() };
    fit.run(&mut linear, &train, None, &Sequential, ())?;
    let softmax = linear.accuracy(&test)?;
    println!("ten digits, softmax over the same ten rows: {:.2} %", 100.0 * softmax);
    assert!(accuracy > 0.8 && softmax > 0.92);
    Ok(())
}

fn examples(set: &Dataset) -> Result<Examples<'_>, nn::Error> {
    Examples::new(Inputs::pixels(set.images(), set.features())?, set.labels())
}

/// The images of two digits.
fn of(set: &Dataset, one: u8, other: u8) -> Vec<u32> {
    let labels = (0..).zip(set.labels());
    labels.filter(|(_, label)| [one, other].contains(label)).map(|(index, _)| index).collect()
}
