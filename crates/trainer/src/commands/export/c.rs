//! C99: a file that includes no header but `stdint.h`, and needs no library.

mod functions;

use std::fmt::Write as _;

use nn::{ColumnKind, Standard};

use super::Style;
use super::portable::{Hidden, Input, Layer, Output, Portable, values};
use super::quantised::Quantised;
use super::source::{Helper, header, helpers, list};
use crate::error::Error;

pub(super) fn bytes(portable: &Portable<'_>, style: Style) -> Result<Vec<u8>, Error> {
    let (inputs, outputs) = (portable.inputs(), portable.outputs());
    let has_classes = matches!(portable.output, Output::Classes | Output::YesNo);
    let mut text = String::new();
    for line in header(portable, style) {
        text += format!("// {line}").trim_end();
        text += "\n";
    }
    text +=
        "//\n// C99, without a library. It must not be compiled with -ffast-math. Declare:\n//\n";
    text +=
        &format!("//     void predict(const float input[{inputs}], float output[{outputs}]);\n");
    if has_classes {
        text += &format!("//     int class_of(const float probabilities[{outputs}]);\n");
    }
    text += "\n#include <stdint.h>\n\n";
    names(&mut text, portable);
    for (l, layer) in portable.layers.iter().enumerate() {
        parameters(&mut text, l, layer, style);
    }
    for helper in helpers(portable, style) {
        text += functions::text(helper);
    }
    prepare(&mut text, portable);
    predict(&mut text, portable, style);
    if has_classes {
        text += &functions::CLASS_OF.replace("OUTPUTS", &outputs.to_string());
    }
    Ok(text.into_bytes())
}

/// Tables of names.
fn names(text: &mut String, portable: &Portable<'_>) {
    let mut table = |start: &str, names: &mut dyn Iterator<Item = String>| {
        *text += &format!("{start} = {{\n");
        list(text, "    ", names);
        *text += "};\n\n";
    };
    if !portable.names.is_empty() {
        let start = format!("const char *const output_names[{}]", portable.names.len());
        table(&start, &mut portable.names.iter().map(|name| literal(name)));
    }
    let Input::Cells(columns) = portable.input else { return };
    let columns = columns.columns();
    let start = format!("const char *const column_names[{}]", columns.len());
    table(&start, &mut columns.iter().map(|column| literal(&column.name)));
    for (at, column) in columns.iter().enumerate() {
        if let Some(values) = values(column) {
            let start = format!("static const char *const values_{at}[{}]", values.len());
            table(&start, &mut values.iter().map(|value| literal(value)));
        }
    }
    // Numbers have none.
    let of_columns = columns.iter().enumerate().map(|(at, column)| match values(column) {
        Some(_) => format!("values_{at}"),
        None => "0".to_owned(),
    });
    let start = format!("const char *const *const category_values[{}]", columns.len());
    table(&start, &mut { of_columns });
}

/// From raw data to features.
fn prepare(text: &mut String, portable: &Portable<'_>) {
    let (inputs, features) = (portable.inputs(), portable.layers[0].inputs);
    *text += &format!("static void prepare(const float input[{inputs}], float x[{features}]) {{\n");
    match &portable.input {
        Input::Features(_) | Input::Pixels { scale: 1.0, .. } => {
            *text += &format!("    for (int i = 0; i < {inputs}; i++) x[i] = input[i];\n");
        }
        Input::Pixels { scale, .. } => {
            let scale = float(*scale);
            *text +=
                &format!("    for (int i = 0; i < {inputs}; i++) x[i] = input[i] * {scale};\n");
        }
        Input::Cells(columns) => {
            let mut at = 0;
            for (cell, column) in columns.columns().iter().enumerate() {
                let own = column.width() - usize::from(column.missing);
                let name = literal(&column.name);
                let _ = match &column.kind {
                    ColumnKind::Number(Standard { mean, deviation }) => writeln!(
                        text,
                        "    x[{at}] = number(input[{cell}], {mean:?}, {deviation:?}); // {name}"
                    ),
                    _ => writeln!(text, "    category(input[{cell}], {own}, &x[{at}]); // {name}"),
                };
                if column.missing {
                    *text += &format!("    x[{}] = missing(input[{cell}]);\n", at + own);
                }
                at += column.width();
            }
        }
    }
    *text += "}\n\n";
}

/// The way from the input to the output.
fn predict(text: &mut String, portable: &Portable<'_>, style: Style) {
    let (inputs, outputs) = (portable.inputs(), portable.outputs());
    *text += &format!(
        "void predict(const float input[{inputs}], float output[{outputs}]) {{\n    \
         float x0[{}];\n    prepare(input, x0);\n",
        portable.layers[0].inputs
    );
    for (l, layer) in portable.layers.iter().enumerate() {
        let (inputs, rows, last) = (layer.inputs, layer.rows, l + 1 == portable.layers.len());
        let pieces = match portable.hidden {
            Hidden::Maxout { pieces } if !last => pieces,
            _ => 1,
        };
        // The layer gives x, or for maxout z, of which x is the largest pieces.
        let name = if pieces > 1 { format!("z{l}") } else { format!("x{}", l + 1) };
        let scale = match style {
            Style::F32 => String::new(),
            Style::Int8 => format!("S{l}, "),
        };
        *text += &format!(
            "    float {name}[{rows}];\n    \
             dense(x{l}, {inputs}, &W{l}[0][0], {scale}B{l}, {rows}, {name});\n"
        );
        if last {
            break;
        }
        let f = match portable.hidden {
            Hidden::Maxout { pieces } => {
                let units = rows / pieces;
                *text += &format!("    float x{}[{units}];\n", l + 1);
                *text += &format!("    maxout({name}, {units}, {pieces}, x{});\n", l + 1);
                continue;
            }
            Hidden::Tanh => format!("net_tanh({name}[i])"),
            Hidden::Sigmoid => format!("net_sigmoid({name}[i])"),
            Hidden::Relu => format!("relu({name}[i])"),
            Hidden::LeakyRelu { slope } => format!("leaky_relu({name}[i], {})", float(slope)),
            Hidden::Elu { alpha } => format!("elu({name}[i], {})", float(alpha)),
            Hidden::Gelu => format!("gelu({name}[i])"),
            Hidden::Silu => format!("silu({name}[i])"),
        };
        *text += &format!("    for (int i = 0; i < {rows}; i++) {name}[i] = {f};\n");
    }
    let z = format!("x{}", portable.layers.len());
    *text += &match portable.output {
        Output::Classes => format!("    softmax({z}, {outputs}, output);\n"),
        Output::YesNo => {
            format!("    output[1] = net_sigmoid({z}[0]);\n    output[0] = 1.0f - output[1];\n")
        }
        Output::Labels => {
            format!("    for (int i = 0; i < {outputs}; i++) output[i] = net_sigmoid({z}[i]);\n")
        }
        Output::Values(Standard { mean, deviation }) => format!(
            "    for (int i = 0; i < {outputs}; i++) {{\n        \
             output[i] = (float)((double){z}[i] * {deviation:?} + {mean:?});\n    }}\n"
        ),
    };
    *text += "}\n\n";
}

fn parameters(text: &mut String, l: usize, layer: &Layer, style: Style) {
    let Layer { inputs, rows, weights, biases } = layer;
    let quantised = match style {
        Style::F32 => None,
        Style::Int8 => Some(Quantised::of(layer)),
    };
    let element = if quantised.is_some() { "int8_t" } else { "float" };
    *text += &format!("static const {element} W{l}[{rows}][{inputs}] = {{\n");
    for row in 0..*rows {
        *text += "    {\n";
        let range = row * inputs..(row + 1) * inputs;
        match &quantised {
            None => list(text, "        ", weights[range].iter().copied().map(float)),
            Some(found) => {
                list(text, "        ", found.weights[range].iter().map(i8::to_string));
            }
        }
        *text += "    },\n";
    }
    *text += "};\n\n";
    let mut vector = |name: &str, values: &[f32]| {
        *text += &format!("static const float {name}{l}[{rows}] = {{\n");
        list(text, "    ", values.iter().copied().map(float));
        *text += "};\n\n";
    };
    if let Some(found) = &quantised {
        vector("S", &found.scales);
    }
    vector("B", biases);
}

/// A finite number as a constant of C99 in base 16, which every compiler reads as the same
/// bits.
fn float(value: f32) -> String {
    let bits = value.to_bits();
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let (exponent, fraction) = ((bits >> 23 & 0xff) as i32, bits & 0x7f_ffff);
    // 23 bits are six digits less one bit.
    let digits = format!("{:06x}", fraction << 1);
    let digits = digits.trim_end_matches('0');
    let point = if digits.is_empty() { "" } else { "." };
    match (exponent, fraction) {
        (0, 0) => format!("{sign}0.0f"),
        (0, _) => format!("{sign}0x0.{digits}p-126f"),
        _ => format!("{sign}0x1{point}{digits}p{}f", exponent - 127),
    }
}

/// A text as a constant of C. Bytes that are not printable ASCII are octal, and so are
/// question marks, of which two may begin a trigraph.
fn literal(text: &str) -> String {
    let mut literal = "\"".to_owned();
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => literal.extend(['\\', char::from(byte)]),
            b' '..=b'~' if byte != b'?' => literal.push(char::from(byte)),
            _ => literal += &format!("\\{byte:03o}"),
        }
    }
    literal + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads what C reads, by its definition: digits of base 16, times a power of two.
    fn read(text: &str) -> f64 {
        let text = text.strip_suffix('f').unwrap();
        let (sign, text) = text.strip_prefix('-').map_or((1.0, text), |text| (-1.0, text));
        let Some(text) = text.strip_prefix("0x") else {
            return sign * text.parse::<f64>().unwrap();
        };
        let (digits, exponent) = text.split_once('p').unwrap();
        let mut value = 0.0;
        let mut unit = 1.0;
        for digit in digits.chars().filter(|digit| *digit != '.') {
            value += unit * f64::from(digit.to_digit(16).unwrap());
            unit /= 16.0;
        }
        sign * value * 2f64.powi(exponent.parse().unwrap())
    }

    #[test]
    fn a_number_keeps_its_bits() {
        let mut values = vec![0.0, -0.0, 1.0, -2.0, 0.1, f32::MAX, f32::MIN_POSITIVE, 1e-45];
        values.extend((0..10_000u32).map(|i| f32::from_bits(i.wrapping_mul(2_654_435_761))));
        for value in values.into_iter().filter(|value| value.is_finite()) {
            let text = float(value);
            assert_eq!((read(&text) as f32).to_bits(), value.to_bits(), "{text}");
        }
        assert_eq!([float(1.0), float(-0.75)], ["0x1p0f", "-0x1.8p-1f"]);
    }

    #[test]
    fn a_text_is_one_constant_whatever_it_has() {
        assert_eq!(literal("a \"b\" \\ ?\n"), r#""a \"b\" \\ \077\012""#);
        assert_eq!(literal("ö1"), r#""\303\2661""#);
    }
}
