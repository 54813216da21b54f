//! The card of a model: what a page, or any other program, has to know to put a question to it.

use nn::{Column, ColumnKind, Columns, Head, ImageForm};
use serde_json::{Value, json};

use crate::data;
use crate::model::Model;

/// The card, as the API has it too.
pub(crate) fn card(model: &Model) -> Value {
    let network = &model.network;
    let shape = network.architecture();
    let classes = match network.head() {
        Head::Multilabel => Some(shape.outputs),
        _ => model.classes(),
    };
    let classes = classes.map(|count| (0..count).map(|class| model.class_name(class)));
    json!({
        "name": name(model),
        "layers": shape.layers(),
        "activation": shape.activation.to_string(),
        "parameters": shape.parameters(),
        "task": task(network.head()),
        "classes": classes.map(Vec::from_iter),
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
    let column = |Column { name, kind, .. }: &Column| {
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
            // The mean, or none of the categories, counts instead.
            "missing_allowed": true,
        })
    };
    json!({
        "kind": "table",
        "columns": columns.columns().iter().map(column).collect::<Vec<_>>(),
        "target": columns.target().map(|target| &target.name),
    })
}
