//! Exclusive or: the smallest problem that needs a hidden layer. A linear classifier gets at
//! most three of the four points right, a network with one hidden layer all four. No files,
//! no threads.
//!
//! ```sh
//! cargo run -p nn --release --example xor
//! ```

use nn::{Activation, Architecture, Error, Examples, Fit, Init, Inputs, Mlp};

fn main() -> Result<(), Error> {
    let x = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    let y = [0_u8, 1, 1, 0];
    let examples = Examples::new(Inputs::new(&x, 2)?, &y)?;

    let linear = trained(vec![], &examples)?;
    println!("without a hidden layer {} of 4 are right", 4.0 * linear.accuracy(&examples)?);
    assert!(linear.accuracy(&examples)? < 1.0);

    let network = trained(vec![8], &examples)?;
    let probabilities = network.predict_proba(&examples.inputs())?;
    for (x, p) in x.chunks(2).zip(probabilities.chunks(2)) {
        println!("{} xor {} is 1 with probability {:.4}", x[0], x[1], p[1]);
    }
    assert_eq!(network.predict(&examples.inputs())?, [0, 1, 1, 0]);
    Ok(())
}

/// A network with these hidden layers, trained on all four points in each step.
fn trained(hidden: Vec<usize>, examples: &Examples<'_>) -> Result<Mlp, Error> {
    let shape = Architecture { inputs: 2, hidden, outputs: 2, activation: Activation::Tanh };
    let mut network = Mlp::new(shape, Init::Xavier, 1)?;
    let fit = Fit { epochs: 300, batch_size: 4, lr: 0.5, ..Fit::default() };
    fit.run(&mut network, examples, None, &nn::Sequential, ())?;
    Ok(network)
}
