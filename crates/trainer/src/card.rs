//! The card of a model: what a page, or any other program, has to know to put a question to it.

use nn::{ColumnKind, Head, ImageForm, Preparation};
use serde_json::{Value, json};

use crate::data;
use crate::model::{Model, class_name};

/// The names of the classes or labels; none for a model that predicts numbers.
pub(crate) fn names(model: &Model) -> Vec<String> {
    let count = match model.network.head() {
        Head::Multilabel => model.network.architecture().outputs,
        _ => model.classes().unwrap_or(0),
    };
    (0..count).map(|class| class_name(&model.network, class)).collect()
}

/// The card: what the model takes, what it says, and how large it is.
pub(crate) fn card(model: &Model) -> Value {
    let shape = model.network.architecture();
    let names = names(model);
    let task = match model.network.head() {
        Head::Multilabel => "labels",
        _ if names.is_empty() => "value",
        _ => "classes",
    };
    json!({
        "name": name(model),
        "layers": shape.layers(),
        "activation": shape.activation.to_string(),
        "parameters": shape.parameters(),
        "task": task,
        "classes": if names.is_empty() { Value::Null } else { json!(names) },
        "input": input(model),
    })
}

/// The name of the run or of the file.
fn name(model: &Model) -> String {
    let path = data::home(&model.path);
    let path = path.canonicalize().unwrap_or_else(|_| path.into_owned());
    let of_run = path.file_name().is_some_and(|name| name == "model.safetensors");
    let named = match path.parent() {
        Some(run) if of_run => run.file_name(),
        _ if path.is_dir() => path.file_name(),
        _ => path.file_stem(),
    };
    named.map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// What a sample is before its preparation.
fn input(model: &Model) -> Value {
    if let Some(ImageForm { rows, cols, paper, ink, deskew, centred, .. }) = model.image() {
        return json!({
            "kind": "image",
            "width": cols,
            "height": rows,
            "ink": if ink < paper { "dark-on-light" } else { "light-on-dark" },
            "centred": centred,
            "deskew": deskew || model.deskew.is_some(),
        });
    }
    let Some(Preparation::Columns(columns)) = model.network.preparation() else {
        return json!({ "kind": "features", "width": model.network.architecture().inputs });
    };
    let column = |column: &nn::Column| {
        let (kind, categories, standard) = match &column.kind {
            ColumnKind::Category(values) => ("category", Some(values), None),
            ColumnKind::Number(standard) => ("number", None, Some(standard)),
            // A kind that this version does not know cannot be in a model that it opens.
            _ => ("number", None, None),
        };
        json!({
            "name": column.name,
            "kind": kind,
            "categories": categories,
            "mean": standard.map(|standard| standard.mean),
            "deviation": standard.map(|standard| standard.deviation),
            // A model does not keep them.
            "min": null,
            "max": null,
            // A missing cell counts as the mean, or as none of the categories.
            "missing_allowed": true,
        })
    };
    let columns_of: Vec<Value> = columns.columns().iter().map(column).collect();
    let target = columns.target().map(|target| &target.name);
    json!({ "kind": "table", "columns": columns_of, "target": target })
}
