//! Is the gradient the slope of the loss? For every activation, with and without
//! batch normalisation:
//!
//! ```sh
//! cargo run -p nn --release --example grad_check
//! ```

use nn::{Activation, Architecture, BatchNorm, Error, Examples, Init, Inputs, Mlp};

fn main() -> Result<(), Error> {
    // Twenty samples of six features in four classes, without rhyme or reason.
    let x: Vec<f32> = (0..120).map(|i| (i as f32 * 12.9898).sin()).collect();
    let y: Vec<u32> = (0..20).map(|i| i * 7 % 4).collect();
    let examples = Examples::new(Inputs::new(&x, 6)?, &y)?;
    let norm = BatchNorm { rows: 10, ..BatchNorm::default() };

    println!("{:<16} {:>10}   {:>10}", "activation", "plain", "normalised");
    for (activation, _) in Activation::ALL {
        let shape = Architecture { inputs: 6, hidden: vec![9, 5], outputs: 4, activation };
        let network = Mlp::new(shape, Init::Xavier, 1)?;
        let plain = network.check_gradient(&examples, None, usize::MAX)?;
        let normalised = network.check_gradient(&examples, Some(norm), usize::MAX)?;
        let (plain, normalised) = (plain.largest_error, normalised.largest_error);
        println!("{:<16} {plain:>10.1e}   {normalised:>10.1e}", activation.to_string());
    }
    Ok(())
}
