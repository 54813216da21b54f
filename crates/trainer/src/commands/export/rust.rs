//! Rust: a file that needs `core` alone and allocates nothing.

mod functions;

use std::fmt::Write as _;

use nn::{ColumnKind, Standard};

use super::Style;
use super::portable::{Hidden, Input, Layer, Output, Portable, values};
use super::quantised::Quantised;
use super::source::{Helper, header, helpers, list};
use crate::error::Error;

pub(super) fn bytes(portable: &Portable<'_>, style: Style) -> Result<Vec<u8>, Error> {
    let mut text = String::new();
    for line in header(portable, style) {
        text += format!("// {line}").trim_end();
        text += "\n";
    }
    text += "//\n// `mod` takes it as it is. It needs `core` alone, and Rust 1.85 or newer.\n\n";
    constants(&mut text, portable);
    predict(&mut text, portable, style);
    prepare(&mut text, &portable.input);
    for helper in helpers(portable, style) {
        text += functions::text(helper);
    }
    for (l, layer) in portable.layers.iter().enumerate() {
        parameters(&mut text, l, layer, style);
    }
    Ok(text.into_bytes())
}

/// What a user of the file has to know.
fn constants(text: &mut String, portable: &Portable<'_>) {
    let mut item = |about: &str, item: &str| {
        *text += &format!("/// {about}\n#[allow(dead_code)]\npub const {item};\n\n");
    };
    let names = |names: &[String]| {
        let mut text = "[\n".to_owned();
        list(&mut text, "    ", names.iter().map(|name| format!("{name:?}")));
        text + "]"
    };
    item("The numbers of an input.", &format!("INPUTS: usize = {}", portable.inputs()));
    item("The numbers of an output.", &format!("OUTPUTS: usize = {}", portable.outputs()));
    if !portable.names.is_empty() {
        let list = names(&portable.names);
        item("The names of the outputs.", &format!("NAMES: [&str; OUTPUTS] = {list}"));
    }
    if let Input::Cells(columns) = portable.input {
        let columns = columns.columns();
        let list: Vec<_> = columns.iter().map(|column| column.name.clone()).collect();
        item("The columns.", &format!("COLUMNS: [&str; INPUTS] = {}", names(&list)));
        let lists = columns.iter().map(|column| match values(column) {
            Some(values) => format!("&{}", names(values)),
            None => "&[]".to_owned(),
        });
        let lists = lists.collect::<Vec<_>>().join(", ");
        let about = "The values of each category, whose indices are cells; numbers have none.";
        item(about, &format!("VALUES: [&[&str]; INPUTS] = [{lists}]"));
    }
}

/// The way from the input to the output.
fn predict(text: &mut String, portable: &Portable<'_>, style: Style) {
    let about = match portable.output {
        Output::Values(_) => "values",
        _ => "probabilities",
    };
    *text += &format!(
        "/// The {about} that the network predicts.\n\
         pub fn predict(input: &[f32; INPUTS]) -> [f32; OUTPUTS] {{\n    let x = {};\n",
        if has_preparation(&portable.input) { "prepare(input)" } else { "*input" }
    );
    for (l, layer) in portable.layers.iter().enumerate() {
        let dense = match style {
            Style::F32 => format!("dense(&x, &W{l}, &B{l})"),
            Style::Int8 => format!("dense(&x, &W{l}, &S{l}, &B{l})"),
        };
        if l + 1 == portable.layers.len() {
            *text += &format!("    let z = {dense};\n");
            break;
        }
        let f = match portable.hidden {
            Hidden::Maxout { pieces } => {
                let (rows, units) = (layer.rows, layer.rows / pieces);
                *text += &format!("    let x = maxout::<{rows}, {units}>(&{dense});\n");
                continue;
            }
            Hidden::Tanh => "tanh(*x)".to_owned(),
            Hidden::Sigmoid => "sigmoid(*x)".to_owned(),
            Hidden::Relu => "relu(*x)".to_owned(),
            Hidden::LeakyRelu { slope } => format!("leaky_relu(*x, {slope:?})"),
            Hidden::Elu { alpha } => format!("elu(*x, {alpha:?})"),
            Hidden::Gelu => "gelu(*x)".to_owned(),
            Hidden::Silu => "silu(*x)".to_owned(),
        };
        *text += &format!("    let mut x = {dense};\n    x.iter_mut().for_each(|x| *x = {f});\n");
    }
    *text += &match portable.output {
        Output::Classes => "    softmax(z)\n}\n\n".to_owned(),
        Output::YesNo => "    let yes = sigmoid(z[0]);\n    [1.0 - yes, yes]\n}\n\n".to_owned(),
        Output::Labels => "    z.map(sigmoid)\n}\n\n".to_owned(),
        Output::Values(Standard { mean, deviation }) => {
            format!("    z.map(|z| (f64::from(z) * {deviation:?} + {mean:?}) as f32)\n}}\n\n")
        }
    };
    if matches!(portable.output, Output::Classes | Output::YesNo) {
        *text += functions::CLASS_OF;
    }
}

fn has_preparation(input: &Input<'_>) -> bool {
    !matches!(input, Input::Features(_) | Input::Pixels { scale: 1.0, .. })
}

/// From raw data to features.
fn prepare(text: &mut String, input: &Input<'_>) {
    if !has_preparation(input) {
        return;
    }
    match input {
        Input::Features(_) => (),
        Input::Pixels { scale, .. } => {
            *text += &format!(
                "fn prepare(input: &[f32; INPUTS]) -> [f32; INPUTS] {{\n    \
                 input.map(|pixel| pixel * {scale:?})\n}}\n\n"
            );
        }
        Input::Cells(columns) => {
            let width = columns.width();
            *text += &format!(
                "fn prepare(input: &[f32; INPUTS]) -> [f32; {width}] {{\n    \
                 let mut x = [0.0; {width}];\n"
            );
            let mut at = 0;
            for (cell, column) in columns.columns().iter().enumerate() {
                let end = at + column.width() - usize::from(column.missing);
                let name = &column.name;
                let _ = match &column.kind {
                    ColumnKind::Number(Standard { mean, deviation }) => writeln!(
                        text,
                        "    x[{at}] = number(input[{cell}], {mean:?}, {deviation:?}); // {name:?}"
                    ),
                    _ => writeln!(
                        text,
                        "    category(input[{cell}], &mut x[{at}..{end}]); // {name:?}"
                    ),
                };
                if column.missing {
                    *text += &format!("    x[{end}] = missing(input[{cell}]);\n");
                }
                at += column.width();
            }
            *text += "    x\n}\n\n";
        }
    }
}

/// The parameters of a layer. They are statics: a constant of this size could be copied
/// wherever it is used.
fn parameters(text: &mut String, l: usize, layer: &Layer, style: Style) {
    let Layer { inputs, rows, weights, biases } = layer;
    // The shortest text that is read as the same number.
    let floats = |text: &mut String, indent: &str, values: &[f32]| {
        list(text, indent, values.iter().map(|value| format!("{value:?}")));
    };
    let quantised = match style {
        Style::F32 => None,
        Style::Int8 => Some(Quantised::of(layer)),
    };
    let element = if quantised.is_some() { "i8" } else { "f32" };
    *text += &format!("#[rustfmt::skip]\nstatic W{l}: [[{element}; {inputs}]; {rows}] = [\n");
    for row in 0..*rows {
        *text += "    [\n";
        let range = row * inputs..(row + 1) * inputs;
        match &quantised {
            None => floats(text, "        ", &weights[range]),
            Some(found) => {
                let integers = found.weights[range].iter().map(i8::to_string);
                list(text, "        ", integers);
            }
        }
        *text += "    ],\n";
    }
    *text += "];\n\n";
    let mut vector = |name: &str, values: &[f32]| {
        *text += &format!("#[rustfmt::skip]\nstatic {name}{l}: [f32; {rows}] = [\n");
        floats(text, "    ", values);
        *text += "];\n\n";
    };
    if let Some(found) = &quantised {
        vector("S", &found.scales);
    }
    vector("B", biases);
}
