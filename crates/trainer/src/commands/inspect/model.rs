//! A saved model.

use std::path::Path;

use nn::{ColumnKind, Columns, Head, ImageForm, Mlp, Preparation};
use serde::Serialize;
use serde_json::Value;

use super::text::{Text, number};
use super::weights::{self, Layer};
use crate::data::table::list;
use crate::error::Error;
use crate::limits;

#[derive(Serialize)]
pub(super) struct ModelFile {
    path: String,
    bytes: u64,
    #[serde(flatten)]
    network: Network,
    weights: Vec<Layer>,
    #[serde(skip)]
    prepared: Option<Preparation>,
}

/// What a network is, beside its weights.
#[derive(Serialize)]
pub(super) struct Network {
    /// Units of every layer, inputs first.
    layers: Vec<usize>,
    parameters: usize,
    activation: String,
    head: String,
    /// What is predicted.
    task: &'static str,
    /// The names of the classes, if they have any.
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<Vec<String>>,
    /// Factor from bytes to features.
    pixel_scale: f32,
    /// As the file has it.
    preparation: Option<Value>,
}

impl ModelFile {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let network = Mlp::load(path)?;
        Ok(Self {
            path: path.display().to_string(),
            bytes: super::size_of(path),
            weights: weights::layers(&network),
            prepared: network.preparation().cloned(),
            network: Network::new(&network),
        })
    }

    pub(super) fn text(&self) -> String {
        let mut text = Text::default();
        text.row("model", format!("{} ({})", self.path, limits::bytes(self.bytes)));
        self.network.write(&mut text);
        match &self.prepared {
            Some(Preparation::Image(form)) => {
                text.row("input", image(form, self.network.pixel_scale));
            }
            Some(Preparation::Columns(columns)) => write_columns(&mut text, columns),
            Some(other) => text.row("input", format!("images after `{other}`")),
            None => text.row(
                "input",
                format!(
                    "{} features; the file does not say what is done to data before",
                    self.network.layers[0]
                ),
            ),
        }
        weights::write(&mut text, &self.weights);
        text.finish()
    }
}

impl Network {
    pub(super) fn new(network: &Mlp) -> Self {
        let shape = network.architecture();
        let preparation = network.preparation().map(ToString::to_string);
        Self {
            layers: shape.layers(),
            parameters: shape.parameters(),
            activation: shape.activation.to_string(),
            head: network.head().to_string(),
            task: match network.head() {
                Head::Softmax | Head::Logistic => "classification",
                Head::Multilabel => "labels",
                _ => "regression",
            },
            classes: network.class_names().map(<[String]>::to_vec),
            pixel_scale: network.pixel_scale(),
            preparation: preparation
                .map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text))),
        }
    }

    /// Adds the shape, the head and the classes.
    pub(super) fn write(&self, text: &mut Text) {
        let layers: Vec<_> = self.layers.iter().map(usize::to_string).collect();
        let (layers, parameters) = (layers.join("-"), self.parameters);
        text.row("network", format!("{layers}, {}, {parameters} parameters", self.activation));
        let outputs = self.layers.last().copied().unwrap_or(0);
        let what = match (self.task, &*self.head) {
            (_, "logistic") => "two classes".to_owned(),
            ("classification", _) => format!("one of {outputs} classes"),
            ("labels", _) => format!("any of {outputs} labels"),
            _ if outputs == 1 => "a number".to_owned(),
            _ => format!("{outputs} numbers"),
        };
        text.row("predicts", format!("{what} (head {})", self.head));
        if let Some(classes) = &self.classes {
            text.row("classes", list(classes));
        }
    }
}

/// The form of images in words.
fn image(form: &ImageForm, pixel_scale: f32) -> String {
    let ImageForm { rows, cols, paper, ink, .. } = form;
    let pixels = if form.real {
        "pixels of real numbers".to_owned()
    } else if (1.0 / pixel_scale).fract() == 0.0 || (255.0 * pixel_scale - 1.0).abs() < 1e-6 {
        format!("pixels of a byte, divided by {}", (1.0 / pixel_scale).round())
    } else {
        format!("pixels of a byte, times {pixel_scale}")
    };
    let mut words = vec![
        format!("images of {rows} x {cols} {pixels}"),
        format!("paper is {paper}, full ink {ink}"),
    ];
    for (is, word) in [
        (form.transpose, "rows and columns of IDX files are exchanged"),
        (form.centred, "the ink is centred as in MNIST"),
        (form.deskew, "deskewed"),
    ] {
        words.extend(is.then(|| word.to_owned()));
    }
    words.join("; ")
}

fn write_columns(text: &mut Text, columns: &Columns) {
    let count = columns.columns().len();
    text.row(
        "input",
        format!("rows of {count} columns, which become {} features", columns.width()),
    );
    if let Some(target) = columns.target() {
        let standard = target.standard.map_or_else(String::new, |standard| {
            let [mean, deviation] = [standard.mean, standard.deviation].map(number);
            format!(" (mean {mean}, deviation {deviation})")
        });
        text.row("target", format!("{}{standard}", target.name));
    }
    let row = |column: &nn::Column| {
        let missing = if column.missing { "yes" } else { "" };
        let (kind, [mean, deviation], values) = match &column.kind {
            ColumnKind::Number(standard) => {
                ("number", [standard.mean, standard.deviation].map(number), String::new())
            }
            ColumnKind::Category(values) => {
                ("category", [String::new(), String::new()], list(values))
            }
            _ => ("other", [String::new(), String::new()], String::new()),
        };
        vec![column.name.clone(), kind.to_owned(), mean, deviation, missing.to_owned(), values]
    };
    let rows: Vec<Vec<String>> = columns.columns().iter().map(row).collect();
    text.gap();
    let head = ["column", "kind", "mean", "deviation", "may be missing", "values"];
    // Without values there is no such column.
    let shown = if rows.iter().any(|row| !row[5].is_empty()) { 6 } else { 5 };
    text.table(&"<<>><<"[..shown], &head[..shown], &rows);
}
