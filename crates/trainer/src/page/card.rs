//! The card of a model: what a page, or any other program, has to know to put a question to it.

use nn::{Architecture, Column, ColumnKind, Columns, Head, ImageForm};
use serde_json::{Value, json};

use crate::data;
use crate::model::Model;

/// The card, as the API has it too.
pub(crate) fn card(model: &Model) -> Value {
    let network = &model.network;
    let shape = network.architecture();
    let classes: Option<Vec<String>> = match model.classes() {
        Some(count) => Some((0..count).map(|class| model.class_name(class)).collect()),
        None => network.class_names().map(<[String]>::to_vec),
    };
    json!({
        "name": name(model),
        "layers": shape.layers(),
        "activation": shape.activation.to_string(),
        "parameters": parameters(shape),
        "task": task(network.head()),
        "classes": classes,
        "input": input(model),
    })
}

/// That of the run, or of the file.
fn name(model: &Model) -> String {
    let path = data::home(&model.path);
    let of_run = path.file_name().is_some_and(|name| name == "model.safetensors");
    let named = match path.parent() {
        Some(run) if of_run && run.file_name().is_some() => run.file_name(),
        _ if path.is_dir() => path.file_name(),
        _ => path.file_stem(),
    };
    named.map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn parameters(shape: &Architecture) -> usize {
    let layers = shape.layers();
    let last = layers.len().saturating_sub(2);
    let of_layer = |(l, ends): (usize, &[usize])| {
        let pieces = if l == last { 1 } else { shape.activation.pieces() };
        (ends[0] + 1) * ends[1] * pieces
    };
    layers.windows(2).enumerate().map(of_layer).sum()
}

fn task(head: Head) -> &'static str {
    match head {
        Head::Multilabel => "labels",
        head if head.has_classes() => "classes",
        _ => "value",
    }
}

fn input(model: &Model) -> Value {
    if let Some(columns) = model.columns() {
        return table(columns);
    }
    let Some(form) = model.image() else {
        return json!({ "kind": "features", "width": model.network.architecture().inputs });
    };
    let ImageForm { rows, cols, centred, paper, ink, .. } = form;
    json!({
        "kind": "image",
        "width": cols,
        "height": rows,
        "ink": if ink < paper { "dark-on-light" } else { "light-on-dark" },
        "centred": centred,
        "deskew": model.deskew.is_some(),
    })
}

fn table(columns: &Columns) -> Value {
    let column = |Column { name, kind, missing, .. }: &Column| {
        let (word, categories, standard) = match kind {
            ColumnKind::Category(values) => ("category", Some(values), None),
            ColumnKind::Number(standard) => ("number", None, Some(standard)),
            _ => ("unknown", None, None),
        };
        json!({
            "name": name,
            "kind": word,
            "categories": categories,
            "mean": standard.map(|standard| standard.mean),
            "deviation": standard.map(|standard| standard.deviation),
            "missing_allowed": missing,
        })
    };
    json!({
        "kind": "table",
        "columns": columns.columns().iter().map(column).collect::<Vec<_>>(),
        "target": columns.target().map(|target| &target.name),
    })
}
