//! Is the gradient the slope of the loss? Checks every activation without extras, with batch
//! normalisation, and with label smoothing and class weights.
//!
//! ```sh
//! cargo run -p nn --release --example grad_check
//! ```

use nn::{
    Activation, Architecture, BatchNorm, ClassWeights, Error, Examples, Fit, Init, Inputs, Mlp,
};

fn main() -> Result<(), Error> {
    // Twenty arbitrary samples of six features in four classes.
    let x: Vec<f32> = (0..120).map(|i| (i as f32 * 12.9898).sin()).collect();
    let y: Vec<u32> = (0..20).map(|i| i * 7 % 4).collect();
    let examples = Examples::new(Inputs::new(&x, 6)?, &y)?;
    let batch_norm = Some(BatchNorm { rows: 10, ..BatchNorm::default() });
    let class_weights = Some(ClassWeights::Balanced);
    let fits = [
        Fit::default(),
        Fit { batch_norm, ..Fit::default() },
        Fit { label_smoothing: 0.1, class_weights, ..Fit::default() },
    ];

    println!("{:<16} {:>10}   {:>10}   {:>10}", "activation", "plain", "normalised", "smoothed");
    for (activation, _) in Activation::ALL {
        let shape = Architecture { inputs: 6, hidden: vec![9, 5], outputs: 4, activation };
        let network = Mlp::new(shape, Init::Xavier, 1)?;
        print!("{:<16}", activation.to_string());
        for fit in &fits {
            let check = network.check_gradient(&examples, fit, usize::MAX)?;
            print!(" {:>10.1e}  ", check.largest_error);
        }
        println!();
    }
    Ok(())
}
