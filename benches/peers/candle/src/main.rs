//! Trains in candle as `../train.py` says: settings as JSON on stdin; initial
//! weights, the order of the samples and the rate of each step in a NumPy archive.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{fs, io};

use candle_core::npy::NpzTensors;
use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::{loss, ops};
use serde::Deserialize;

#[derive(Deserialize)]
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
    /// The archive.
    arrays: PathBuf,
    activation: Activation,
    epochs: usize,
    batch_size: usize,
    momentum: f64,
    l2: f64,
    input_dropout: f32,
    dropout: f32,
}

/// Weights or biases, how fast they move, and the factor of their penalty.
struct Parameter {
    value: Var,
    velocity: Tensor,
    l2: f64,
}

impl Parameter {
    fn new(value: &Tensor, l2: f64) -> Result<Self> {
        Ok(Self { value: Var::from_tensor(value)?, velocity: value.zeros_like()?, l2 })
    }

    fn step(&mut self, gradient: &Tensor, lr: f64, momentum: f64) -> Result<()> {
        let mut velocity = ((&self.velocity * momentum)? + gradient)?;
        if self.l2 > 0.0 {
            velocity = (velocity + (self.value.as_tensor() * self.l2)?)?;
        }
        self.value.set(&(self.value.as_tensor() - (&velocity * lr)?)?)?;
        self.velocity = velocity;
        Ok(())
    }
}

struct Layer {
    weights: Parameter,
    biases: Parameter,
}

/// The part of the data set whose file names begin so: pixels in [0, 1], a row an
/// image, and labels. The sizes of the headers are those of MNIST's files.
fn read(data: &Path, part: &str) -> std::result::Result<(Tensor, Tensor), Box<dyn Error>> {
    let pixels = fs::read(data.join(format!("{part}-images-idx3-ubyte")))?.split_off(16);
    let labels = fs::read(data.join(format!("{part}-labels-idx1-ubyte")))?.split_off(8);
    let (n, labels) = (labels.len(), labels.into_iter().map(u32::from).collect::<Vec<_>>());
    let inputs = pixels.len() / n;
    let pixels = Tensor::from_vec(pixels, (n, inputs), &Device::Cpu)?;
    Ok(((pixels.to_dtype(DType::F32)? / 255.0)?, Tensor::from_vec(labels, n, &Device::Cpu)?))
}

/// An array of the archive.
fn array(arrays: &NpzTensors, name: &str) -> Result<Tensor> {
    arrays.get(name)?.ok_or_else(|| candle_core::Error::Msg(format!("no array {name}")))
}

/// Logits. What is dropped comes from candle's own generator, which takes no seed
/// on a CPU.
fn forward(settings: &Settings, layers: &[Layer], x: Tensor, training: bool) -> Result<Tensor> {
    let mut x = x;
    for (i, layer) in layers.iter().enumerate() {
        if i > 0 {
            x = match settings.activation {
                Activation::Relu => x.relu()?,
                Activation::Tanh => x.tanh()?,
                Activation::Sigmoid => ops::sigmoid(&x)?,
            };
        }
        let rate = if i > 0 { settings.dropout } else { settings.input_dropout };
        if training && rate > 0.0 {
            x = ops::dropout(&x, rate)?;
        }
        x = x.matmul(&layer.weights.value.t()?)?.broadcast_add(&layer.biases.value)?;
    }
    Ok(x)
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let settings: Settings = serde_json::from_reader(io::stdin())?;
    let arrays = NpzTensors::new(&settings.arrays)?;
    let (images, labels) = read(&settings.data, "train")?;
    let mut layers = Vec::new();
    while let Some(weights) = arrays.get(&format!("weights.{}", layers.len()))? {
        let biases = array(&arrays, &format!("biases.{}", layers.len()))?;
        layers.push(Layer {
            weights: Parameter::new(&weights, settings.l2)?,
            biases: Parameter::new(&biases, 0.0)?,
        });
    }

    let mut seconds = 0.0;
    for epoch in 0..settings.epochs {
        let order = array(&arrays, &format!("order.{epoch}"))?;
        let rates = array(&arrays, &format!("rates.{epoch}"))?.to_vec1::<f64>()?;
        let samples = order.elem_count();
        let started = Instant::now();
        for (i, lr) in rates.into_iter().enumerate() {
            let first = i * settings.batch_size;
            let rows = order.narrow(0, first, settings.batch_size.min(samples - first))?;
            let logits = forward(&settings, &layers, images.index_select(&rows, 0)?, true)?;
            let loss = loss::cross_entropy(&logits, &labels.index_select(&rows, 0)?)?;
            let gradients = loss.backward()?;
            for parameter in layers.iter_mut().flat_map(|l| [&mut l.weights, &mut l.biases]) {
                let gradient = gradients.get(&parameter.value).ok_or("no gradient")?;
                parameter.step(gradient, lr, settings.momentum)?;
            }
        }
        seconds += started.elapsed().as_secs_f64();
    }

    let (images, labels) = read(&settings.data, "t10k")?;
    let guesses = forward(&settings, &layers, images, false)?.argmax(1)?;
    let right = guesses.eq(&labels)?.to_dtype(DType::F64)?.mean_all()?.to_scalar::<f64>()?;
    println!("{}", serde_json::json!({ "seconds": seconds, "test_accuracy": right }));
    Ok(())
}
