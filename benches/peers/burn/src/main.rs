//! Trains in burn as `../train.py` says: settings as JSON on stdin; initial weights,
//! the order of the samples and the rate of each step in a file of numbers.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{fs, io};

use burn::module::{Module, Param, ParamGroup};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::{Device, Int, Tensor, TensorData, activation};
use serde::Deserialize;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Activation {
    Relu,
    Tanh,
    Sigmoid,
}

#[derive(Deserialize)]
struct Settings {
    /// The folder of the IDX files.
    data: PathBuf,
    /// The file of numbers, little-endian: of each layer the weights, inputs × units,
    /// and the biases, in f32; of each epoch the order, in u32, and the rates, in f64.
    numbers: PathBuf,
    /// The number of inputs, and of units in each layer.
    layers: Vec<usize>,
    activation: Activation,
    epochs: usize,
    batch_size: usize,
    momentum: f64,
    l2: f32,
    input_dropout: f64,
    dropout: f64,
}

/// The rest of the file of numbers.
struct Numbers(Vec<u8>, usize);

impl Numbers {
    /// The next of them.
    fn take<const N: usize, T>(&mut self, count: usize, number: fn([u8; N]) -> T) -> Vec<T> {
        let (taken, _) = self.0[self.1..][..N * count].as_chunks();
        self.1 += N * count;
        taken.iter().copied().map(number).collect()
    }
}

#[derive(Module, Debug)]
struct Mlp {
    layers: Vec<Linear>,
    /// Of what goes into each layer.
    dropouts: Vec<Dropout>,
    #[module(skip)]
    activation: Activation,
}

impl Mlp {
    /// The network before its first step.
    fn new(settings: &Settings, numbers: &mut Numbers, device: &Device) -> Self {
        let layer = |sizes: &[usize]| {
            let &[inputs, units] = sizes else { unreachable!("a window of two") };
            let weights = numbers.take(inputs * units, f32::from_le_bytes);
            let weights = TensorData::new(weights, [inputs, units]);
            let biases = TensorData::new(numbers.take(units, f32::from_le_bytes), [units]);
            Linear {
                weight: Param::from_tensor(Tensor::from_data(weights, device)),
                bias: Some(Param::from_tensor(Tensor::from_data(biases, device))),
            }
        };
        let layers: Vec<_> = settings.layers.windows(2).map(layer).collect();
        let rate = |i| if i > 0 { settings.dropout } else { settings.input_dropout };
        let dropouts = (0..layers.len()).map(|i| DropoutConfig::new(rate(i)).init()).collect();
        Self { layers, dropouts, activation: settings.activation }
    }

    /// Logits. Dropout does nothing where there is no differentiation.
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let mut x = x;
        for (i, (layer, dropout)) in self.layers.iter().zip(&self.dropouts).enumerate() {
            if i > 0 {
                x = match self.activation {
                    Activation::Relu => activation::relu(x),
                    Activation::Tanh => activation::tanh(x),
                    Activation::Sigmoid => activation::sigmoid(x),
                };
            }
            x = layer.forward(dropout.forward(x));
        }
        x
    }
}

/// Momentum for all parameters, the penalty for weights alone.
fn optimizer(settings: &Settings) -> ModuleOptimizer {
    let momentum = MomentumConfig::new().with_momentum(settings.momentum).with_dampening(0.0);
    let sgd = SgdConfig::new().with_momentum((settings.momentum > 0.0).then_some(momentum));
    if settings.l2 == 0.0 {
        return sgd.init();
    }
    let decay = WeightDecayConfig::new(settings.l2);
    let of_weights = sgd.clone().with_weight_decay(Some(decay)).build();
    sgd.init().with_group(ParamGroup::from_predicate("weight"), of_weights, None)
}

/// The part of the data set whose file names begin so: pixels in [0, 1], a row an
/// image, and labels. The sizes of the headers are those of MNIST's files.
fn read(data: &Path, part: &str, device: &Device) -> io::Result<(Tensor<2>, Tensor<1, Int>)> {
    let pixels = fs::read(data.join(format!("{part}-images-idx3-ubyte")))?.split_off(16);
    let labels = fs::read(data.join(format!("{part}-labels-idx1-ubyte")))?.split_off(8);
    let (n, inputs) = (labels.len(), pixels.len() / labels.len());
    let pixels: Vec<_> = pixels.into_iter().map(|pixel| f32::from(pixel) / 255.0).collect();
    let labels: Vec<_> = labels.into_iter().map(i32::from).collect();
    let pixels = Tensor::from_data(TensorData::new(pixels, [n, inputs]), device);
    Ok((pixels, Tensor::from_data(TensorData::new(labels, [n]), device)))
}

fn main() -> Result<(), Box<dyn Error>> {
    let settings: Settings = serde_json::from_reader(io::stdin())?;
    let mut numbers = Numbers(fs::read(&settings.numbers)?, 0);
    let device = Device::flex().autodiff();
    let (images, labels) = read(&settings.data, "train", &device)?;
    let samples = images.dims()[0];
    let mut network = Mlp::new(&settings, &mut numbers, &device);
    let mut optimizer = optimizer(&settings);
    let cross_entropy = CrossEntropyLossConfig::new().init(&device);

    let mut seconds = 0.0;
    for _ in 0..settings.epochs {
        let order = numbers.take(samples, |number| u32::from_le_bytes(number).cast_signed());
        let rates = numbers.take(samples.div_ceil(settings.batch_size), f64::from_le_bytes);
        let order = Tensor::<1, Int>::from_data(TensorData::new(order, [samples]), &device);
        let started = Instant::now();
        for (i, lr) in rates.into_iter().enumerate() {
            let first = i * settings.batch_size;
            let rows = order.clone().narrow(0, first, settings.batch_size.min(samples - first));
            let logits = network.forward(images.clone().select(0, rows.clone()));
            let loss = cross_entropy.forward(logits, labels.clone().select(0, rows));
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            network = optimizer.step(lr, network, gradients);
        }
        seconds += started.elapsed().as_secs_f64();
    }

    let device = Device::flex();
    let (images, labels) = read(&settings.data, "t10k", &device)?;
    let guesses: Tensor<1, Int> = network.valid().forward(images).argmax(1).flatten(0, 1);
    let right: i64 = guesses.equal(labels.clone()).int().sum().into_scalar();
    let accuracy = right as f64 / labels.dims()[0] as f64;
    println!("{}", serde_json::json!({ "seconds": seconds, "test_accuracy": accuracy }));
    Ok(())
}
