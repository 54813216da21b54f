//! What the two source files share: which functions they need, and how lists are written.

use std::collections::BTreeSet;

use nn::ColumnKind;

use super::Style;
use super::portable::{Hidden, Input, Output, Portable};

/// From this number of bytes on, a compiler takes long for a source file.
const LARGE: usize = 10_000_000;

/// The longest line of a list.
const WIDTH: usize = 100;

/// A function of the source file. One comes after those that it calls.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Helper {
    /// Of the exponential function: a power of two, and the rest less 1.
    Split,
    Exp,
    ExpM1,
    Sigmoid,
    Tanh,
    Relu,
    LeakyRelu,
    Elu,
    Gelu,
    Silu,
    Maxout,
    Softmax,
    Dense,
    DenseInt8,
    Number,
    Category,
    Missing,
}

/// The functions that a model needs.
pub(super) fn helpers(portable: &Portable<'_>, style: Style) -> BTreeSet<Helper> {
    use Helper::*;
    let mut needed = BTreeSet::new();
    needed.insert(match style {
        Style::F32 => Dense,
        Style::Int8 => DenseInt8,
    });
    if portable.layers.len() > 1 {
        needed.extend(match portable.hidden {
            Hidden::Tanh => &[Split, ExpM1, Tanh][..],
            Hidden::Sigmoid => &[Split, Exp, Sigmoid],
            Hidden::Relu => &[Relu],
            Hidden::LeakyRelu { .. } => &[LeakyRelu],
            Hidden::Elu { .. } => &[Split, ExpM1, Elu],
            Hidden::Gelu => &[Split, Exp, Gelu],
            Hidden::Silu => &[Split, Exp, Sigmoid, Silu],
            Hidden::Maxout { .. } => &[Maxout],
        });
    }
    needed.extend(match portable.output {
        Output::Classes => &[Split, Exp, Softmax][..],
        Output::YesNo | Output::Labels => &[Split, Exp, Sigmoid],
        Output::Values(_) => &[],
    });
    if let Input::Cells(columns) = portable.input {
        for column in columns.columns() {
            needed.insert(match column.kind {
                ColumnKind::Number(_) => Number,
                _ => Category,
            });
            if column.missing {
                needed.insert(Missing);
            }
        }
    }
    needed
}

/// The header of a file, as lines of comments.
pub(super) fn header(portable: &Portable<'_>, style: Style) -> Vec<String> {
    let weights = match style {
        Style::F32 => "f32",
        Style::Int8 => "int8, with an f32 scale for each row",
    };
    let input = match &portable.input {
        Input::Pixels { rows, cols, .. } => format!("raw pixels, {rows} rows of {cols}"),
        Input::Cells(_) => "the cells of a row of a table, in the order of the columns: a number, \
                            or the index of a category's value; NaN where it is missing"
            .into(),
        Input::Features(count) => format!("{count} features"),
    };
    let output = match portable.output {
        Output::Classes | Output::YesNo => "the probability of each class",
        Output::Labels => "the probability of each label",
        Output::Values(_) => "the predicted values",
    };
    let mut lines = vec![
        format!("A neural network: {}.", portable.title()),
        format!("Weights: {weights}. Written by trainer {}.", crate::summary::VERSION),
        String::new(),
        format!("Input: {input}."),
        format!("Output: {output}."),
    ];
    lines.extend(portable.notes.iter().map(|note| format!("Note: {note}.")));
    lines.into_iter().flat_map(|line| folded(&line)).collect()
}

/// A paragraph in lines.
fn folded(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + word.len() < WIDTH - 5 => *line += &format!(" {word}"),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Adds the elements of a list, in lines after `indent`, with a comma after each.
pub(super) fn list(text: &mut String, indent: &str, elements: impl Iterator<Item = String>) {
    let mut line = 0;
    for element in elements {
        if line == 0 || line + element.len() + 2 > WIDTH {
            if line > 0 {
                text.push('\n');
            }
            text.push_str(indent);
            line = indent.len();
        } else {
            text.push(' ');
            line += 1;
        }
        text.push_str(&element);
        text.push(',');
        line += element.len() + 1;
    }
    if line > 0 {
        text.push('\n');
    }
}

/// What to say of a large source file.
pub(super) fn note(source: &[u8], style: Style) -> Option<String> {
    let shorter = match style {
        Style::F32 => ": --int8 makes it a third",
        Style::Int8 => "",
    };
    let size = crate::limits::bytes(source.len() as u64);
    (source.len() > LARGE).then(|| {
        format!("the source has {size}, for which a compiler needs long and much memory{shorter}")
    })
}
