//! The weights of a network, layer by layer.

use nn::Mlp;
use serde::Serialize;

use super::text::{Text, number};

/// The weights of a layer, without its biases.
#[derive(Serialize)]
pub(super) struct Layer {
    /// From 0.
    layer: usize,
    /// Rows × inputs; a row is a unit, or a piece of one.
    shape: [usize; 2],
    min: f32,
    max: f32,
    mean: f64,
    deviation: f64,
    /// Share of the weights that are 0.
    zeros: f64,
    /// Rows whose weights are all 0: they say the same of every sample.
    dead_units: usize,
}

/// All layers of a network.
pub(super) fn layers(network: &Mlp) -> Vec<Layer> {
    let of = |layer| Some(Layer::new(layer, &network.layer(layer)?));
    (0..).map_while(of).collect()
}

impl Layer {
    fn new(layer: usize, (weights, biases): &(Vec<f32>, Vec<f32>)) -> Self {
        let (count, units) = (weights.len().max(1) as f64, biases.len());
        let inputs = weights.len() / units.max(1);
        let mean = weights.iter().map(|w| f64::from(*w)).sum::<f64>() / count;
        let square = |w: &f32| (f64::from(*w) - mean).powi(2);
        let zeros = weights.iter().filter(|w| **w == 0.0).count();
        let dead = |row: &&[f32]| row.iter().all(|w| *w == 0.0);
        Self {
            layer,
            shape: [units, inputs],
            min: weights.iter().copied().fold(f32::INFINITY, f32::min),
            max: weights.iter().copied().fold(f32::NEG_INFINITY, f32::max),
            mean,
            deviation: (weights.iter().map(square).sum::<f64>() / count).sqrt(),
            zeros: zeros as f64 / count,
            dead_units: weights.chunks(inputs.max(1)).filter(dead).count(),
        }
    }
}

/// Adds the table of layers.
pub(super) fn write(text: &mut Text, layers: &[Layer]) {
    let row = |layer: &Layer| {
        vec![
            layer.layer.to_string(),
            format!("{} x {}", layer.shape[0], layer.shape[1]),
            number(layer.min.into()),
            number(layer.max.into()),
            number(layer.mean),
            number(layer.deviation),
            format!("{:.2} %", 100.0 * layer.zeros),
            layer.dead_units.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = layers.iter().map(row).collect();
    let head = ["layer", "weights", "min", "max", "mean", "deviation", "zeros", "dead units"];
    text.gap();
    text.table("<<>>>>>>", &head, &rows);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_layer() {
        let layer = Layer::new(1, &(vec![0.0, 0.0, 3.0, -1.0, 0.0, 4.0], vec![0.0; 3]));
        assert_eq!((layer.layer, layer.shape), (1, [3, 2]));
        assert_eq!((layer.min, layer.max, layer.mean), (-1.0, 4.0, 1.0));
        let square: f64 = [1.0, 1.0, 4.0, 4.0, 1.0, 9.0].iter().sum();
        assert_eq!(layer.deviation, (square / 6.0).sqrt());
        assert_eq!((layer.zeros, layer.dead_units), (0.5, 1));
    }
}
