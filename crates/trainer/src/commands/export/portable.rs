//! A model in the terms that all formats share: what it takes, its layers, what it gives.

use std::collections::BTreeMap;

use nn::{Activation, Column, ColumnKind, Columns, Head, Preparation, Standard};

use crate::error::Error;
use crate::model::Model;
use crate::summary::VERSION;

/// What is written to every format.
pub(super) struct Portable<'a> {
    pub(super) input: Input<'a>,
    pub(super) layers: Vec<Layer>,
    pub(super) hidden: Hidden,
    pub(super) output: Output,
    /// The names of the classes, or of the outputs; empty if they have none.
    pub(super) names: Vec<String>,
    /// What the files do not do, and whoever uses them has to: a line each.
    pub(super) notes: Vec<String>,
    pub(super) model: &'a Model,
}

/// A row of the raw data that the files take.
pub(super) enum Input<'a> {
    /// An image: rows × columns pixels, which are features after they are multiplied by
    /// `scale`.
    Pixels { rows: usize, cols: usize, scale: f32 },
    /// A row of a table: a cell for each column.
    Cells(&'a Columns),
    /// This number of features.
    Features(usize),
}

/// An affine map.
pub(super) struct Layer {
    pub(super) inputs: usize,
    pub(super) rows: usize,
    /// Shape: rows × inputs.
    pub(super) weights: Vec<f32>,
    pub(super) biases: Vec<f32>,
}

/// The function after each layer but the last.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Hidden {
    Tanh,
    Sigmoid,
    Relu,
    LeakyRelu { slope: f32 },
    Elu { alpha: f32 },
    Gelu,
    Silu,
    Maxout { pieces: usize },
}

/// What becomes of the values of the last layer.
#[derive(Clone, Copy)]
pub(super) enum Output {
    /// Softmax: a probability for each class.
    Classes,
    /// A sigmoid gives the probability of class 1; that of class 0 comes before it.
    YesNo,
    /// A sigmoid gives the probability of each label.
    Labels,
    /// Real values, which were learned standardised with this.
    Values(Standard),
}

impl<'a> Portable<'a> {
    pub(super) fn new(model: &'a Model) -> Result<Self, Error> {
        let network = &model.network;
        let shape = network.architecture();
        let mut layers = Vec::new();
        while let Some((weights, biases)) = network.layer(layers.len()) {
            let rows = biases.len();
            layers.push(Layer { inputs: weights.len() / rows, rows, weights, biases });
        }
        let unknown = |what| Error::NoExport { model: model.path.clone(), what };
        let hidden = Hidden::of(shape.activation)
            .ok_or_else(|| unknown(format!("the activation {}", shape.activation)))?;
        let output = match network.head() {
            Head::Softmax => Output::Classes,
            Head::Logistic => Output::YesNo,
            Head::Multilabel => Output::Labels,
            Head::Squared | Head::Huber { .. } => {
                let target = model.columns().and_then(Columns::target);
                Output::Values(target.and_then(|target| target.standard).unwrap_or(Standard::NONE))
            }
            head => return Err(unknown(format!("the head {head}"))),
        };
        let names = match model.classes() {
            Some(count) => (0..count).map(|class| model.class_name(class)).collect(),
            None => network.class_names().unwrap_or_default().to_vec(),
        };
        let input = match (model.columns(), model.image()) {
            (Some(columns), _) => Input::Cells(columns),
            (None, Some(form)) => Input::Pixels {
                rows: form.rows,
                cols: form.cols,
                scale: if form.real { 1.0 } else { network.pixel_scale() },
            },
            (None, None) => Input::Features(shape.inputs),
        };
        let notes = notes(model);
        Ok(Self { input, layers, hidden, output, names, notes, model })
    }

    /// The numbers that a row of the raw data has.
    pub(super) fn inputs(&self) -> usize {
        match &self.input {
            Input::Pixels { rows, cols, .. } => rows * cols,
            Input::Cells(columns) => columns.columns().len(),
            Input::Features(count) => *count,
        }
    }

    /// The numbers that the files give for a row.
    pub(super) fn outputs(&self) -> usize {
        match self.output {
            Output::YesNo => 2,
            _ => self.model.network.architecture().outputs,
        }
    }

    /// The network in a line: `784-30-10, tanh, softmax`.
    pub(super) fn title(&self) -> String {
        let network = &self.model.network;
        let sizes: Vec<_> = network.architecture().layers().iter().map(usize::to_string).collect();
        format!("{}, {}, {}", sizes.join("-"), network.architecture().activation, network.head())
    }

    pub(super) fn parameters(&self) -> usize {
        self.layers.iter().map(|layer| layer.weights.len() + layer.biases.len()).sum()
    }

    /// What a program has to know beside the weights, as texts; lists are JSON.
    pub(super) fn metadata(&self) -> BTreeMap<&'static str, String> {
        let network = &self.model.network;
        let shape = network.architecture();
        let json = |value: &serde_json::Value| value.to_string();
        let list = |names: &[String]| json(&names.into());
        let mut about = BTreeMap::from([
            ("producer", format!("trainer {VERSION}")),
            ("layers", json(&shape.layers().into())),
            ("activation", shape.activation.to_string()),
            ("head", network.head().to_string()),
        ]);
        if !self.names.is_empty() {
            about.insert("class_names", list(&self.names));
        }
        match &self.input {
            Input::Pixels { rows, cols, scale } => {
                about.insert("input", "pixels".into());
                about.insert("rows", rows.to_string());
                about.insert("cols", cols.to_string());
                about.insert("pixel_scale", scale.to_string());
            }
            Input::Cells(columns) => {
                about.insert("input", "cells".into());
                let names: Vec<_> = columns.columns().iter().map(|c| c.name.clone()).collect();
                about.insert("column_names", list(&names));
                let values: serde_json::Map<_, _> = columns
                    .columns()
                    .iter()
                    .filter_map(|column| Some((column.name.clone(), values(column)?.into())))
                    .collect();
                about.insert("category_values", json(&values.into()));
                if let Some(target) = columns.target() {
                    about.insert("target", target.name.clone());
                }
            }
            Input::Features(_) => {
                about.insert("input", "features".into());
            }
        }
        if let Some(preparation) = network.preparation().map(Preparation::to_string) {
            about.insert("preparation", preparation);
        }
        if !self.notes.is_empty() {
            about.insert("notes", list(&self.notes));
        }
        about
    }
}

/// The values of a category.
pub(super) fn values(column: &Column) -> Option<&[String]> {
    match &column.kind {
        ColumnKind::Category(values) => Some(values),
        _ => None,
    }
}

impl Hidden {
    /// `None` for one that came to `nn` and not to this program.
    fn of(activation: Activation) -> Option<Self> {
        Some(match activation {
            Activation::Tanh => Self::Tanh,
            Activation::Sigmoid => Self::Sigmoid,
            Activation::Relu => Self::Relu,
            Activation::LeakyRelu { slope } => Self::LeakyRelu { slope },
            Activation::Elu { alpha } => Self::Elu { alpha },
            Activation::Gelu => Self::Gelu,
            Activation::Silu => Self::Silu,
            Activation::Maxout { pieces } => Self::Maxout { pieces },
            _ => return None,
        })
    }
}

/// What is done to raw data and has no form in the files.
fn notes(model: &Model) -> Vec<String> {
    let mut notes = Vec::new();
    let Some(form) = model.image() else {
        if model.columns().is_none() {
            let inputs = model.network.architecture().inputs;
            notes.push(format!(
                "the model does not say what its inputs are: the files take {inputs} features as \
                 they are"
            ));
        }
        return notes;
    };
    if form.transpose {
        notes.push(
            "the files take upright images: of raw data whose rows and columns are exchanged, \
             exchange them first"
                .to_owned(),
        );
    }
    if form.deskew || model.deskew.is_some() {
        notes.push(
            "the model takes deskewed images, and the files do not deskew: shear images upright \
             and centre their ink first, as trainer predict does"
                .to_owned(),
        );
    }
    if form.centred {
        notes.push(
            "the model takes images whose ink is in a box of 20/28 of their size, its centre of \
             mass in the middle, and the files do not centre: bring other pictures to that form \
             first, as trainer predict does"
                .to_owned(),
        );
    }
    notes
}
