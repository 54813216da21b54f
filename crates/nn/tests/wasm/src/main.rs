//! Networks that are trained in WebAssembly have the bytes of those that are trained natively
//! on the scalar path. `run` in this folder builds and runs both:
//!
//! - natively, this program writes the networks into the file that its argument names;
//! - in WebAssembly, where there are no files, that file is a part of the program, which trains
//!   again and compares. Its exit code says what it found.

use nn::{
    Activation, Architecture, Average, BatchNorm, Curve, Dropout, Error, Examples, Fit, Head, Init,
    Inputs, Mlp, Noise, Optimizer, Schedule, Sequential, Values,
};

/// Measurements of 150 flowers, and the species of each.
const IRIS: &str = include_str!("../../../examples/iris.csv");

/// The features, the species, and the first feature as a number to predict.
fn data() -> (Vec<f32>, Vec<u8>, Vec<f32>) {
    let (mut x, mut species, mut length) = (Vec::new(), Vec::new(), Vec::new());
    for line in IRIS.lines() {
        let cells: Vec<f32> = line.split(',').filter_map(|cell| cell.parse().ok()).collect();
        let [a, b, c, d, kind] = cells[..] else { continue };
        x.extend([a - 5.8, b - 3.0, c - 3.8, d - 1.2]);
        length.push(a - 5.8);
        species.push(kind as u8);
    }
    (x, species, length)
}

fn trained(
    head: Head,
    activation: Activation,
    fit: &Fit,
    examples: &Examples<'_>,
) -> Result<Vec<u8>, Error> {
    let outputs = if head == Head::Softmax { 3 } else { 1 };
    let shape = Architecture { inputs: 4, hidden: vec![20, 12], outputs, activation };
    let mut network = Mlp::new(shape, Init::Xavier, 1)?.with_head(head)?;
    fit.train(&mut network, examples, None, &Sequential)?;
    Ok(network.to_bytes())
}

/// The files of networks with every activation, every optimizer, and all that draws random
/// numbers, one after the other.
fn networks() -> Result<Vec<u8>, Error> {
    let (x, species, length) = data();
    assert_eq!(species.len(), 150);
    let inputs = Inputs::new(&x, 4)?;
    let classes = Examples::new(inputs, &species[..])?;
    let values = Examples::new(inputs, Values::new(&length, 1)?)?;
    let plain = Fit { epochs: 5, batch_size: 16, lr: 0.05, ..Fit::default() };

    let mut files = Vec::new();
    for (activation, _) in Activation::ALL {
        files.extend(trained(Head::Softmax, activation, &plain, &classes)?);
    }
    for (optimizer, _) in Optimizer::ALL {
        let fit = Fit { optimizer, lr: optimizer.usual_rate(), ..plain.clone() };
        files.extend(trained(Head::Squared, Activation::Tanh, &fit, &values)?);
    }
    let all = Fit {
        schedule: Schedule { curve: Curve::Cosine, warmup: 0.2 },
        dropout: Dropout { input: 0.1, hidden: 0.3, ..Dropout::default() },
        noise: Noise { input: 0.1, hidden: 0.2 },
        batch_norm: Some(BatchNorm { rows: 8, ..BatchNorm::default() }),
        average: Some(Average { decay: 0.9 }),
        clip_norm: Some(0.5),
        label_smoothing: 0.1,
        l2: 1e-4,
        ..plain
    };
    files.extend(trained(Head::Softmax, Activation::Relu, &all, &classes)?);
    Ok(files)
}

#[cfg(not(target_family = "wasm"))]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("expected the file to write")?;
    let files = networks()?;
    std::fs::write(path, &files)?;
    println!("{} bytes of networks, their checksum {:08x}", files.len(), checksum(&files));
    Ok(())
}

/// FNV-1a, to see at a glance whether two runs differ.
#[cfg(not(target_family = "wasm"))]
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(target_family = "wasm")]
fn main() -> std::process::ExitCode {
    /// What the native program wrote.
    const NATIVE: &[u8] = include_bytes!(env!("NATIVE_NETWORKS"));
    std::process::ExitCode::from(match networks() {
        Ok(files) if files == NATIVE => 0,
        Ok(_) => 1,
        Err(_) => 2,
    })
}
