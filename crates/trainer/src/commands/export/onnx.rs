//! ONNX: the whole way from raw data to probabilities or values, as a graph.

mod graph;
mod proto;

use nn::{ColumnKind, Columns, Standard};
use prost::Message;

use super::Style;
use super::portable::{Hidden, Input, Output, Portable, values};
use crate::error::Error;
use crate::limits;
use crate::summary::VERSION;
use graph::{Builder, Constant};
use proto::{Attribute, Element, Model, OperatorSet, StringString};

/// The set of operators, of ONNX 1.12 (2022), and the version of the file's form that came
/// with it. Every ONNX Runtime from 1.12 on reads them.
const OPSET: i64 = 17;
const IR_VERSION: i64 = 8;

/// The most bytes that a message of protobuf can have, but for what is beside the weights.
const MOST_BYTES: usize = (2 << 30) - (64 << 20);

pub(super) fn bytes(portable: &Portable<'_>, _: Style) -> Result<Vec<u8>, Error> {
    let weights = 4 * portable.parameters();
    if weights > MOST_BYTES {
        let [found, most] = [weights, MOST_BYTES].map(|bytes| limits::bytes(bytes as u64));
        return Err(Error::ExportSize { format: "an ONNX file", found, most });
    }
    let mut graph = Builder::default();
    let about = match portable.input {
        Input::Pixels { .. } => "raw pixels, row by row",
        Input::Cells(_) => "cells of a table: numbers, indices of categories, NaN where missing",
        Input::Features(_) => "features",
    };
    let input = graph.input("input", Element::Float, portable.inputs(), about);
    let features = features(&mut graph, input, &portable.input);
    let z = layers(&mut graph, features, portable);
    outputs(&mut graph, z, portable);

    let metadata = portable.metadata().into_iter();
    let model = Model {
        ir_version: IR_VERSION,
        producer_name: "trainer".into(),
        producer_version: VERSION.into(),
        doc_string: doc_string(portable),
        graph: Some(graph.finish("network")),
        opset_import: vec![OperatorSet { domain: String::new(), version: OPSET }],
        metadata_props: metadata
            .map(|(key, value)| StringString { key: key.into(), value })
            .collect(),
    };
    Ok(model.encode_to_vec())
}

fn doc_string(portable: &Portable<'_>) -> String {
    let notes = portable.notes.iter().map(|note| format!("\nNote: {note}."));
    format!("A neural network, {}.{}", portable.title(), notes.collect::<String>())
}

/// From raw data to features.
fn features(graph: &mut Builder, input: String, form: &Input<'_>) -> String {
    match form {
        Input::Pixels { scale: 1.0, .. } | Input::Features(_) => input,
        Input::Pixels { scale, .. } => {
            let scale = graph.constant("pixel_scale", &[], Constant::Float(&[*scale]));
            graph.node("Mul", &[&input, &scale], "features", &[])
        }
        Input::Cells(columns) => features_of_cells(graph, &input, columns),
    }
}

/// What a feature is of the cell of its column.
enum Kind {
    Number(Standard),
    /// Whether it is the value of this index.
    Value(usize),
    Missing,
}

/// All features at once: each is computed as every kind that there is, and takes its own. So
/// the number of nodes does not grow with the table.
fn features_of_cells(graph: &mut Builder, input: &str, columns: &Columns) -> String {
    let mut kinds = Vec::new();
    for (at, column) in columns.columns().iter().enumerate() {
        if let ColumnKind::Number(standard) = column.kind {
            kinds.push((at, Kind::Number(standard)));
        }
        let values = values(column).unwrap_or_default();
        kinds.extend((0..values.len()).map(|value| (at, Kind::Value(value))));
        kinds.extend(column.missing.then_some((at, Kind::Missing)));
    }
    let width = kinds.len();
    let shape = &[1, width][..];
    let of_kinds = |is: fn(&Kind) -> bool| kinds.iter().map(|(_, k)| is(k)).collect::<Vec<bool>>();

    // The cell of each feature: batch × features.
    let columns: Vec<i64> = kinds.iter().map(|(at, _)| *at as i64).collect();
    let columns = graph.constant("column_of_feature", &[width], Constant::Int64(&columns));
    let axis = [Attribute::int("axis", 1)];
    let cells = graph.node("Gather", &[input, &columns], "cell_of_feature", &axis);
    let missing = graph.node("IsNaN", &[&cells], "is_missing", &[]);

    // In f64, as the program does it: the mean of a column may be large beside its deviation.
    let standards = kinds.iter().map(|(_, kind)| match kind {
        Kind::Number(standard) => *standard,
        _ => Standard::NONE,
    });
    let (means, deviations): (Vec<f64>, Vec<f64>) =
        standards.map(|Standard { mean, deviation }| (mean, deviation)).unzip();
    let means = graph.constant("mean", shape, Constant::Double(&means));
    let deviations = graph.constant("deviation", shape, Constant::Double(&deviations));
    let wide = graph.cast(&cells, Element::Double, "cell_f64");
    let centred = graph.node("Sub", &[&wide, &means], "centred", &[]);
    let standard = graph.node("Div", &[&centred, &deviations], "standard_f64", &[]);
    let standard = graph.cast(&standard, Element::Float, "standard");
    let zero = graph.constant("zero", &[], Constant::Float(&[0.0]));
    let mut features = graph.node("Where", &[&missing, &zero, &standard], "numbers", &[]);

    let is_value = of_kinds(|kind| matches!(kind, Kind::Value(_)));
    if is_value.contains(&true) {
        let values = kinds.iter().map(|(_, kind)| match kind {
            Kind::Value(value) => *value as f32,
            _ => 0.0,
        });
        let values: Vec<f32> = values.collect();
        let values = graph.constant("value_of_feature", shape, Constant::Float(&values));
        let found = graph.node("Equal", &[&cells, &values], "has_value", &[]);
        let found = graph.cast(&found, Element::Float, "one_hot");
        let is_value = graph.constant("is_value", shape, Constant::Bool(&is_value));
        features = graph.node("Where", &[&is_value, &found, &features], "with_values", &[]);
    }
    let says_missing = of_kinds(|kind| matches!(kind, Kind::Missing));
    if says_missing.contains(&true) {
        let missing = graph.cast(&missing, Element::Float, "missing");
        let says_missing = graph.constant("says_missing", shape, Constant::Bool(&says_missing));
        let inputs = [&says_missing, &missing, &features];
        features = graph.node("Where", &inputs.map(String::as_str), "with_missing", &[]);
    }
    features
}

/// From features to the values of the last layer.
fn layers(graph: &mut Builder, features: String, portable: &Portable<'_>) -> String {
    let mut x = features;
    for (l, layer) in portable.layers.iter().enumerate() {
        let (rows, inputs) = (layer.rows, layer.inputs);
        let weights = Constant::Float(&layer.weights);
        let weights = graph.constant(&format!("layer.{l}.weight"), &[rows, inputs], weights);
        let biases = Constant::Float(&layer.biases);
        let biases = graph.constant(&format!("layer.{l}.bias"), &[rows], biases);
        let transposed = [Attribute::int("transB", 1)];
        let gemm = [&x, &weights, &biases].map(String::as_str);
        let z = graph.node("Gemm", &gemm, &format!("z{l}"), &transposed);
        let last = l + 1 == portable.layers.len();
        x = if last { z } else { hidden(graph, &z, portable.hidden, (l, rows)) };
    }
    x
}

/// The activation after layer `l`, which has `rows` rows.
fn hidden(graph: &mut Builder, z: &str, f: Hidden, (l, rows): (usize, usize)) -> String {
    let h = format!("h{l}");
    let part = |name: &str| format!("h{l}_{name}");
    match f {
        Hidden::Tanh => graph.node("Tanh", &[z], &h, &[]),
        Hidden::Sigmoid => graph.node("Sigmoid", &[z], &h, &[]),
        Hidden::Relu => graph.node("Relu", &[z], &h, &[]),
        Hidden::LeakyRelu { slope } => {
            graph.node("LeakyRelu", &[z], &h, &[Attribute::float("alpha", slope)])
        }
        Hidden::Elu { alpha } => graph.node("Elu", &[z], &h, &[Attribute::float("alpha", alpha)]),
        // z·½(1 + erf(z/√2)): the operator Gelu came with opset 20.
        Hidden::Gelu => {
            let root = Constant::Float(&[std::f32::consts::FRAC_1_SQRT_2]);
            let root = graph.constant(&part("root_half"), &[], root);
            let one = graph.constant(&part("one"), &[], Constant::Float(&[1.0]));
            let half = graph.constant(&part("half"), &[], Constant::Float(&[0.5]));
            let t = graph.node("Mul", &[z, &root], &part("t"), &[]);
            let erf = graph.node("Erf", &[&t], &part("erf"), &[]);
            let twice = graph.node("Add", &[&erf, &one], &part("twice"), &[]);
            let below = graph.node("Mul", &[&twice, &half], &part("below"), &[]);
            graph.node("Mul", &[z, &below], &h, &[])
        }
        Hidden::Silu => {
            let sigmoid = graph.node("Sigmoid", &[z], &part("sigmoid"), &[]);
            graph.node("Mul", &[z, &sigmoid], &h, &[])
        }
        Hidden::Maxout { pieces } => {
            let sizes = vec![(rows / pieces) as i64; pieces];
            let sizes = graph.constant(&part("sizes"), &[pieces], Constant::Int64(&sizes));
            let names: Vec<_> = (0..pieces).map(|piece| part(&format!("piece{piece}"))).collect();
            let parts = graph.split(z, &sizes, &names);
            let parts: Vec<_> = parts.iter().map(String::as_str).collect();
            graph.node("Max", &parts, &h, &[])
        }
    }
}

/// From the values of the last layer to the outputs of the graph.
fn outputs(graph: &mut Builder, z: String, portable: &Portable<'_>) {
    let axis = Attribute::int("axis", 1);
    let width = portable.outputs();
    let names = "of each class, in the order of class_names";
    match portable.output {
        Output::Classes => {
            graph.node("Softmax", &[&z], "probabilities", std::slice::from_ref(&axis));
            graph.output("probabilities", Element::Float, Some(width), names);
        }
        Output::YesNo => {
            let one = graph.constant("one", &[], Constant::Float(&[1.0]));
            let yes = graph.node("Sigmoid", &[&z], "yes", &[]);
            let no = graph.node("Sub", &[&one, &yes], "no", &[]);
            graph.node("Concat", &[&no, &yes], "probabilities", std::slice::from_ref(&axis));
            graph.output("probabilities", Element::Float, Some(width), names);
        }
        Output::Labels => {
            graph.node("Sigmoid", &[&z], "probabilities", &[]);
            graph.output("probabilities", Element::Float, Some(width), "of each label");
            return;
        }
        Output::Values(standard) => {
            let Standard { mean, deviation } = standard;
            let wide = graph.cast(&z, Element::Double, "z_f64");
            let mean = graph.constant("target_mean", &[], Constant::Double(&[mean]));
            let deviation = Constant::Double(&[deviation]);
            let deviation = graph.constant("target_deviation", &[], deviation);
            let scaled = graph.node("Mul", &[&wide, &deviation], "scaled", &[]);
            let value = graph.node("Add", &[&scaled, &mean], "value_f64", &[]);
            graph.cast(&value, Element::Float, "value");
            graph.output("value", Element::Float, Some(width), "in the units of the target");
            return;
        }
    }
    let attributes = [axis, Attribute::int("keepdims", 0)];
    graph.node("ArgMax", &["probabilities"], "class", &attributes);
    graph.output("class", Element::Int64, None, "the index of the most probable class");
}
