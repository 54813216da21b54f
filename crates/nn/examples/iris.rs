//! Train on your own table: classify three species of iris by four lengths. It splits the
//! rows at random, standardises each feature with the mean and standard deviation of the
//! training rows, trains, and prints the confusion matrix.
//!
//! ```sh
//! cargo run -p nn --release --example iris
//! ```
//!
//! `iris.csv` is the table of R. A. Fisher, *The use of multiple measurements in
//! taxonomic problems* (1936), in scikit-learn's version, which follows the paper. A row has
//! length and width of sepal and petal in centimetres, then the class: 0 setosa,
//! 1 versicolor, 2 virginica.

use std::error::Error;

use nn::{Activation, Architecture, Examples, Fit, Init, Inputs, Mlp, Predictions};
use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom;

const FEATURES: usize = 4;
const CLASSES: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let mut rows = Vec::new();
    for line in include_str!("iris.csv").lines() {
        let fields: Vec<f32> = line.split(',').map(str::parse).collect::<Result<_, _>>()?;
        rows.push(fields);
    }
    // 100 rows for training, 50 for the test.
    rows.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(2));
    let (mut train_x, train_y) = columns(&rows[..100]);
    let (mut test_x, test_y) = columns(&rows[100..]);

    for j in 0..FEATURES {
        let values = || train_x.iter().skip(j).step_by(FEATURES);
        let n = train_y.len() as f32;
        let mean = values().sum::<f32>() / n;
        let deviation = (values().map(|v| (v - mean).powi(2)).sum::<f32>() / n).sqrt();
        for x in [&mut train_x, &mut test_x] {
            x.iter_mut().skip(j).step_by(FEATURES).for_each(|v| *v = (*v - mean) / deviation);
        }
    }

    let train = Examples::new(Inputs::new(&train_x, FEATURES)?, &train_y)?;
    let shape = Architecture {
        inputs: FEATURES,
        hidden: vec![16],
        outputs: CLASSES,
        activation: Activation::Tanh,
    };
    let mut network = Mlp::new(shape, Init::Xavier, 1)?;
    let fit = Fit { epochs: 100, batch_size: 10, lr: 0.02, l2: 1e-3, ..Fit::default() };
    fit.run(&mut network, &train, None, &nn::Sequential, ())?;

    let probabilities = network.predict_proba(&Inputs::new(&test_x, FEATURES)?)?;
    let predictions = Predictions::new(&probabilities, CLASSES, &test_y)?;
    let confusion = predictions.confusion()?;
    println!("{confusion}\nmacro AUC {:.4}", predictions.macro_auc().unwrap_or(f64::NAN));
    for m in predictions.mistakes() {
        println!(
            "class {} predicted as {} with probability {:.3}",
            m.label, m.predicted, m.probability
        );
    }
    assert!(confusion.accuracy() >= 0.9);
    Ok(())
}

/// The features (samples × features, row-major) and the classes of some rows.
fn columns(rows: &[Vec<f32>]) -> (Vec<f32>, Vec<u8>) {
    let x = rows.iter().flat_map(|row| &row[..FEATURES]).copied().collect();
    (x, rows.iter().map(|row| row[FEATURES] as u8).collect())
}
