//! Prediction with the article's network on one thread: one image per call, and ten
//! thousand images per call.
//!
//! ```text
//! cargo bench -p nn --bench predict
//! ```
//!
//! Throughput is in images.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nn::reference::{Layer, Network};
use nn::{Activation, Architecture, Init, Inputs, Mlp, Predictor};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

const PIXELS: usize = 784;
const CLASSES: usize = 10;
const IMAGES: usize = 10_000;

fn predictions(c: &mut Criterion) {
    let shape = Architecture {
        inputs: PIXELS,
        hidden: vec![30],
        outputs: CLASSES,
        activation: Activation::Tanh,
    };
    let network = Mlp::new(shape, Init::Xavier, 1).unwrap_or_else(|error| panic!("{error}"));
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    // As in MNIST, a fifth of the pixels are not 0, and these are in the middle.
    let middle = |at: usize| (6..22).contains(&(at % 28)) && (4..24).contains(&(at / 28 % 28));
    let bytes: Vec<u8> = (0..IMAGES * PIXELS)
        .map(|at| if middle(at) && rng.random::<f32>() < 0.5 { rng.random() } else { 0 })
        .collect();
    let sparse: Vec<f32> = bytes.iter().map(|&b| f32::from(b) * network.pixel_scale()).collect();
    let dense: Vec<f32> = (0..IMAGES * PIXELS).map(|_| rng.random()).collect();

    let mut group = c.benchmark_group("prediction, 784-30-10");
    for (name, features) in
        [("bytes", None), ("f32", Some(&sparse)), ("f32, no zeros", Some(&dense))]
    {
        let inputs = |first: usize, images: usize| {
            let range = first * PIXELS..(first + images) * PIXELS;
            let inputs = match features {
                None => Inputs::pixels(&bytes[range], PIXELS),
                Some(features) => Inputs::new(&features[range], PIXELS),
            };
            inputs.unwrap_or_else(|error| panic!("{error}"))
        };
        let mut predictor = Predictor::new(&network);
        let mut predict = |first, out: &mut [f32]| {
            let result = predictor.probabilities(&inputs(first, out.len() / CLASSES), out);
            result.unwrap_or_else(|error| panic!("{error}"));
        };
        let (mut one, mut all) = ([0.0; CLASSES], vec![0.0; IMAGES * CLASSES]);
        predict(0, &mut all);
        check(&network, features.unwrap_or(&sparse), &all);
        for (i, expected) in all.chunks_exact(CLASSES).enumerate() {
            predict(i, &mut one);
            assert_eq!(one, expected, "image {i} alone");
        }

        group.throughput(Throughput::Elements(1));
        group.bench_function(format!("one image, {name}"), |bencher| {
            // Another image each time, so that the CPU cannot predict the branches.
            let mut i = 0;
            bencher.iter(|| {
                i = (i + 1) % 1000;
                predict(i, black_box(&mut one));
            });
        });
        group.throughput(Throughput::Elements(IMAGES as u64));
        group.bench_function(format!("{IMAGES} images, {name}"), |bencher| {
            bencher.iter(|| predict(0, black_box(&mut all)));
        });
    }
    group.finish();
}

/// Compares the probabilities of some images with those of the reference network.
fn check(network: &Mlp, features: &[f32], found: &[f32]) {
    let wide = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
    let layers = (0..2).filter_map(|l| network.layer(l)).zip([PIXELS, 30]);
    let layers = layers.map(|((weights, biases), inputs)| Layer {
        weights: weights.chunks_exact(inputs).map(wide).collect(),
        gains: vec![1.0; biases.len()],
        biases: wide(&biases),
    });
    let plain = Network {
        layers: layers.collect(),
        activation: network.architecture().activation,
        batch_norm: None,
    };
    let images = features.chunks_exact(PIXELS).zip(found.chunks_exact(CLASSES));
    for (i, (x, found)) in images.enumerate().step_by(97) {
        let e: Vec<f64> = plain.logits(&wide(x)).iter().map(|z| z.exp()).collect();
        let sum: f64 = e.iter().sum();
        for (found, e) in found.iter().zip(e) {
            assert!((f64::from(*found) - e / sum).abs() < 1e-5, "image {i}");
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = predictions
}
criterion_main!(benches);
