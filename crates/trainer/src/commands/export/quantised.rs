//! Weights of eight bits, and what they cost.

use nn::{Evaluation, Mlp};

use super::portable::{Layer, Portable};
use crate::augment::Prepared;
use crate::error::Error;
use crate::limits;
use crate::model::Model;
use crate::pool::Pool;
use crate::summary::ValueFigures;
use crate::words;

/// The weights of a layer as `scale · integer`, a scale for each row. Biases stay as they
/// are: there are few.
pub(super) struct Quantised {
    /// From −127 to 127. Shape: rows × inputs.
    pub(super) weights: Vec<i8>,
    /// Shape: rows.
    pub(super) scales: Vec<f32>,
}

impl Quantised {
    /// Symmetric: 0 stays 0, and the largest weight of a row in absolute value is ±127.
    pub(super) fn of(layer: &Layer) -> Self {
        let (mut weights, mut scales) = (Vec::with_capacity(layer.weights.len()), Vec::new());
        for row in layer.weights.chunks_exact(layer.inputs) {
            let largest = row.iter().fold(0.0f32, |largest, weight| largest.max(weight.abs()));
            let scale = largest / 127.0;
            // A row of zeros has no scale, and that of a tiny one is rounded much.
            let integer = |weight: &f32| match scale {
                0.0 => 0,
                scale => (weight / scale).round().clamp(-127.0, 127.0) as i8,
            };
            weights.extend(row.iter().map(integer));
            scales.push(scale);
        }
        Self { weights, scales }
    }

    /// The weights that these integers stand for.
    fn weights(&self, inputs: usize) -> Vec<f32> {
        let rows = self.weights.chunks_exact(inputs).zip(&self.scales);
        rows.flat_map(|(row, scale)| row.iter().map(move |weight| scale * f32::from(*weight)))
            .collect()
    }
}

/// What a line says of the loss of accuracy on some samples, and of the sizes.
pub(super) fn measured(
    model: &Model,
    portable: &Portable<'_>,
    prepared: &Prepared<'_>,
) -> Result<String, Error> {
    let mut rounded = model.network.clone();
    for (l, layer) in portable.layers.iter().enumerate() {
        let weights = Quantised::of(layer).weights(layer.inputs);
        rounded.set_layer(l, &weights, &layer.biases)?;
    }
    let examples = prepared.examples()?;
    let pool = Pool::new(None)?;
    let evaluate = |network: &Mlp| pool.install(|| network.evaluate(&examples, &pool));
    let (whole, rounded) = (evaluate(&model.network)?, evaluate(&rounded)?);
    let figure = |found: &Evaluation| match ValueFigures::new(&model.network, found) {
        // Its columns are those of a report.
        Some(values) => values.text().split_whitespace().skip(1).collect::<Vec<_>>().join(" "),
        None if model.classes().is_some() => {
            format!("accuracy {}", words::figure(found.accuracy, found.errors, found.samples))
        }
        None => format!("loss {:.6}", found.loss),
    };
    let rows: usize = portable.layers.iter().map(|layer| layer.rows).sum();
    let parameters = portable.parameters();
    // Of eight bits are the weights alone, and each row has a scale.
    let (of_f32, of_i8) = (4 * parameters, parameters - rows + 4 * rows + 4 * rows);
    Ok(format!(
        "f32   {}, {} of weights\nint8  {}, {} of weights",
        figure(&whole),
        limits::bytes(of_f32 as u64),
        figure(&rounded),
        limits::bytes(of_i8 as u64),
    ))
}
