//! From the body of a request to its answer, with the preparation of `trainer predict` and so
//! the same bits.

use std::path::Path;
use std::sync::PoisonError;

use mnist_io::{Features, Picture, Wanted, transpose};
use nn::{Columns, Head, ImageForm, Inputs, Predictor};
use serde::Serialize;

use super::ask::{Content, MOST_BODY, Options};
use super::json::{self, Body, Cell, Row, Rows};
use super::reply::Refusal;
use super::server::{App, MEMORY};
use crate::augment::Prepared;
use crate::data::table;
use crate::error::Error;
use crate::limits;
use crate::model::{self, Model};
use crate::picture;

/// Samples of a request.
pub(super) const MOST_ROWS: usize = 10_000;

/// Numbers of an answer, for which it takes up to some 50 bytes each.
pub(super) const MOST_NUMBERS: usize = 250_000;

/// Pixels of a picture, which is a third of what the program reads from files: more than most
/// phones have.
pub(super) const MOST_PIXELS: usize = 32_000_000;

/// Bytes that a picture takes which any number of threads may decode at a time.
const SMALL_PICTURE: usize = 48 << 20;

/// Bytes that a picture may take: what there is for all requests, without its own body.
const MOST_PICTURE: usize = MEMORY - MOST_BODY;

/// Rows of a table that are features at a time: a category can be thousands of them.
const BATCH: usize = 128;

/// What errors call the body.
const NAME: &str = "body";

/// What the server says.
#[derive(Serialize)]
struct Answer {
    predictions: Vec<Prediction>,
    /// Of a single image, if it is wanted: what the network sees, rows × columns, 255 for white.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<Vec<u8>>,
    /// Of a single sample: the hidden units of each layer, and the outputs before the link.
    #[serde(flatten)]
    inside: Option<Inside>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Inside {
    layers: Vec<Vec<f32>>,
    logits: Vec<f32>,
}

/// What a sample is.
#[derive(Serialize)]
#[serde(untagged)]
enum Prediction {
    Class { class: &'static str, probability: f32, probabilities: Vec<Share> },
    Labels { probabilities: Vec<Share> },
    Value { value: f32 },
    Values { value: Vec<f32> },
}

#[derive(Serialize)]
struct Share {
    class: &'static str,
    probability: f32,
}

/// The answer to a body, as JSON.
pub(super) fn predict(
    app: &App,
    content: Content,
    options: Options,
    body: &[u8],
) -> Result<Vec<u8>, Refusal> {
    let mut asked = Asked::new(app, options);
    match (content, app.model.image(), app.model.columns()) {
        (Content::Picture, Some(form), _) => asked.picture(body, &form)?,
        (Content::Raw, Some(form), _) => asked.images(body.to_vec(), &form)?,
        (Content::Table, None, Some(columns)) => asked.text(body, columns)?,
        (Content::Lines, None, Some(columns)) => asked.lines(body, columns)?,
        (Content::Json, ..) => asked.json(body)?,
        _ => return Err(other_kind(app.model)),
    }
    let notes = asked.notes;
    let answer =
        Answer { predictions: asked.predictions, image: asked.image, inside: asked.inside, notes };
    serde_json::to_vec(&answer).map_err(|error| Refusal::bad(error.to_string()))
}

/// The types of content that the model takes, and how curl says one.
pub(super) fn takes(model: &Model) -> &'static str {
    match (model.image(), model.columns()) {
        (Some(_), _) => {
            "image/png, image/jpeg, application/octet-stream or application/json; with curl, write \
             -H 'Content-Type: image/png' --data-binary @picture.png"
        }
        (_, Some(_)) => {
            "text/csv, text/tab-separated-values, application/json or application/x-ndjson; with \
             curl, write -H 'Content-Type: text/csv' --data-binary @rows.csv"
        }
        _ => {
            "application/json; with curl, write -H 'Content-Type: application/json' \
             --data-binary @rows.json"
        }
    }
}

/// That the model takes samples of another kind.
fn other_kind(model: &Model) -> Refusal {
    Refusal::bad(match (model.image(), model.columns()) {
        (Some(ImageForm { rows, cols, .. }), _) => format!(
            "found no image, and the model takes images: send a picture, {} bytes as \
             application/octet-stream, or the JSON {{\"pixels\":[…]}}",
            rows * cols
        ),
        (_, Some(_)) => "found no rows of a table, which the model takes: send CSV, or the JSON \
                         {\"rows\":[{\"column\":value}]}"
            .to_owned(),
        _ => format!(
            "found something else than features, which the model takes: send the JSON \
             {{\"rows\":[[…]]}} with {} numbers a row",
            model.network.architecture().inputs
        ),
    })
}

fn no_rows() -> Refusal {
    Refusal::bad("found no rows: expected one at least, and in CSV a header before it")
}

/// What a request has asked, and its answer so far.
struct Asked<'a> {
    app: &'a App,
    options: Options,
    /// The names of the classes, or of the labels.
    names: &'static [String],
    predictions: Vec<Prediction>,
    image: Option<Vec<u8>>,
    inside: Option<Inside>,
    notes: Vec<String>,
}

impl<'a> Asked<'a> {
    fn new(app: &'a App, options: Options) -> Self {
        let (predictions, notes) = (Vec::new(), Vec::new());
        Self { app, options, names: app.names, predictions, image: None, inside: None, notes }
    }

    fn picture(&mut self, bytes: &[u8], form: &ImageForm) -> Result<(), Refusal> {
        let name = Path::new(NAME);
        let wrong = |error: mnist_io::Error| match &error {
            mnist_io::Error::Picture {
                error: mnist_io::PictureError::TooManyPixels { .. },
                ..
            } => Refusal::large(error.to_string()),
            _ => Refusal::bad(error.to_string()),
        };
        let needed = Picture::memory(bytes, name, MOST_PIXELS).map_err(wrong)?;
        if needed > MOST_PICTURE {
            let [needed, most] = [needed, MOST_PICTURE].map(|bytes| limits::bytes(bytes as u64));
            return Err(Refusal::large(format!(
                "found a picture that takes {needed} of memory to decode: expected no more than \
                 {most}; save it smaller"
            )));
        }
        let lock = (needed > SMALL_PICTURE).then(|| self.app.large_picture.lock());
        let _one_at_a_time = lock.map(|lock| lock.unwrap_or_else(PoisonError::into_inner));
        let _room = self.app.room(needed).ok_or_else(Refusal::no_room)?;
        let picture = Picture::decode_up_to(bytes, name, MOST_PIXELS).map_err(wrong)?;
        let features = picture::features(&picture, form, name).map_err(refused)?;
        self.prepared(features, form)
    }

    /// Images without a header, a byte for a pixel.
    fn images(&mut self, bytes: Vec<u8>, form: &ImageForm) -> Result<(), Refusal> {
        let (found, width) = (bytes.len() as u64, form.rows * form.cols);
        if bytes.is_empty() || !bytes.len().is_multiple_of(width) {
            return Err(refused(Error::RawLength { input: NAME.into(), found, width }));
        }
        self.check_count(bytes.len() / width)?;
        let upright = if form.transpose { transpose(&bytes, form.cols, form.rows) } else { bytes };
        self.prepared(Features::Bytes(upright.into()), form)
    }

    /// Images in the units of the training data.
    fn prepared(&mut self, features: Features, form: &ImageForm) -> Result<(), Refusal> {
        let Some(size) = self.app.model.image_size() else { return Ok(()) };
        let Model { network, deskew, .. } = self.app.model;
        let samples = model::images(features, size);
        let prepared = Prepared::new(&samples, None, *deskew, self.app.isa).map_err(refused)?;
        let examples = prepared.examples().map_err(refused)?;
        if self.options.image || self.options.layers {
            self.image = Some(prepared.grey(0, form, network.pixel_scale()));
        }
        self.predict(examples.inputs())
    }

    /// Rows of text as people have them.
    fn text(&mut self, text: &[u8], columns: &Columns) -> Result<(), Refusal> {
        // A few bytes of it can be a row of any length.
        if text.starts_with(b"\x1f\x8b") {
            return Err(Refusal::bad("found gzip data: expected a table as text"));
        }
        // Nor is JSON read here, where it would become values of any size.
        let start = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        if start.trim_ascii_start().starts_with(b"{") {
            return Err(Refusal::bad(
                "found JSON lines: expected CSV; send them as application/x-ndjson",
            ));
        }
        self.table(text, columns)
    }

    fn lines(&mut self, text: &[u8], columns: &Columns) -> Result<(), Refusal> {
        let mut rows = Vec::new();
        for row in json::lines(text) {
            rows.push(row.map_err(Refusal::bad)?);
            self.check_count(rows.len())?;
        }
        if rows.is_empty() {
            return Err(no_rows());
        }
        self.table(&json_lines(&rows, columns)?, columns)
    }

    /// Rows in any form that `trainer predict` takes.
    fn table(&mut self, text: &[u8], columns: &Columns) -> Result<(), Refusal> {
        let known = table::known(columns);
        let wanted = Wanted { columns: &known, optional: &[] };
        let (name, options) = (Path::new(NAME), table::known_options(columns));
        let wrong = |error: mnist_io::Error| Refusal::bad(error.to_string());
        let mut rows = mnist_io::Rows::new(text, name, wanted, &options).map_err(wrong)?;
        let (mut cells, mut features) = (Vec::new(), Vec::new());
        loop {
            cells.clear();
            let count = rows.next_batch(BATCH, &mut cells).map_err(wrong)?;
            if count == 0 {
                break;
            }
            self.check_count(self.predictions.len() + count)?;
            features.resize(count * columns.width(), 0.0);
            columns.apply(&cells, &mut features).map_err(of_network)?;
            let inputs = Inputs::new(&features, columns.width()).map_err(of_network)?;
            self.predict(inputs)?;
        }
        self.notes = table::unknown(name, &known, &rows.facts());
        if self.predictions.is_empty() {
            return Err(no_rows());
        }
        Ok(())
    }

    fn json(&mut self, text: &[u8]) -> Result<(), Refusal> {
        let body = json::body(text).map_err(Refusal::bad)?;
        let model = self.app.model;
        let Rows { rows, count } = match (body, model.image()) {
            (Body::Pixels(pixels), Some(form)) => return self.images(pixels, &form),
            (Body::Rows(rows), None) => rows,
            _ => return Err(other_kind(model)),
        };
        if count == 0 {
            return Err(no_rows());
        }
        self.check_count(count)?;
        if let Some(columns) = model.columns() {
            return self.table(&json_lines(&rows, columns)?, columns);
        }
        let width = model.network.architecture().inputs;
        let features = features_of(&rows, width)?;
        self.predict(Inputs::new(&features, width).map_err(of_network)?)
    }

    /// Checks that the answer for `count` samples is not too long, before it is made.
    fn check_count(&self, count: usize) -> Result<(), Refusal> {
        if count > MOST_ROWS {
            return Err(Refusal::large(format!(
                "found {count} samples or more: expected no more than {MOST_ROWS}; send them in \
                 parts"
            )));
        }
        let of_each = match self.options.top {
            Some(top) => top.min(self.names.len()),
            None => self.names.len(),
        };
        let numbers = count.saturating_mul(of_each + 1);
        if numbers > MOST_NUMBERS {
            return Err(Refusal::large(format!(
                "found {count} samples or more, for which the answer has {numbers} numbers: \
                 expected no more than {MOST_NUMBERS}; send them in parts, or write top=1"
            )));
        }
        if (self.options.layers || self.options.image) && count > 1 {
            return Err(Refusal::bad(
                "found several samples: expected one with layers=1 or image=1; send them one by one",
            ));
        }
        Ok(())
    }

    fn predict(&mut self, inputs: Inputs<'_>) -> Result<(), Refusal> {
        let network = &self.app.model.network;
        let width = network.architecture().outputs;
        let mut outputs = vec![0.0; inputs.len() * width];
        self.with_predictor(|predictor| predictor.outputs(&inputs, &mut outputs))?;
        for outputs in outputs.chunks_exact(width) {
            let prediction = self.prediction(outputs)?;
            self.predictions.push(prediction);
        }
        if self.options.layers {
            let mut logits = vec![0.0; width];
            self.with_predictor(|predictor| predictor.logits(&inputs, &mut logits))?;
            let layers = 0..network.architecture().hidden.len();
            let layers: Result<_, _> = layers.map(|layer| network.hidden(&inputs, layer)).collect();
            self.inside = Some(Inside { layers: layers.map_err(of_network)?, logits });
        }
        Ok(())
    }

    /// Lends a predictor of those that are there; they have their memory already.
    fn with_predictor(
        &self,
        work: impl FnOnce(&mut Predictor<'static>) -> Result<(), nn::Error>,
    ) -> Result<(), Refusal> {
        let predictors = || self.app.predictors.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = predictors().pop();
        let mut predictor = kept.unwrap_or_else(|| Predictor::new(&self.app.model.network));
        let done = work(&mut predictor);
        predictors().push(predictor);
        done.map_err(of_network)
    }

    fn prediction(&self, outputs: &[f32]) -> Result<Prediction, Refusal> {
        let model = self.app.model;
        if self.names.is_empty() {
            let values = model.values(outputs, NAME).map_err(refused)?;
            return Ok(match values[..] {
                [value] => Prediction::Value { value },
                _ => Prediction::Values { value: values },
            });
        }
        let labels = model.network.head() == Head::Multilabel;
        let of_each = model::of_classes(outputs, self.names.len());
        let order = model::ranked(&of_each);
        let share = |class: usize| Share { class: &self.names[class], probability: of_each[class] };
        let probabilities = match self.options.top {
            Some(top) => order.iter().take(top).map(|class| share(*class)).collect(),
            None => (0..of_each.len()).map(share).collect(),
        };
        if labels {
            return Ok(Prediction::Labels { probabilities });
        }
        let Share { class, probability } = share(order[0]);
        Ok(Prediction::Class { class, probability, probabilities })
    }
}

/// Rows of JSON, a line for each, as `trainer predict` takes them. A list has the cells in the
/// order of the model's columns.
fn json_lines(rows: &[Row], columns: &Columns) -> Result<Vec<u8>, Refusal> {
    let mut lines = Vec::new();
    let names = columns.columns();
    for (index, row) in rows.iter().enumerate() {
        if let Row::Cells(cells) = row
            && cells.len() != names.len()
        {
            let (found, expected) = (cells.len(), names.len());
            return Err(Refusal::bad(format!(
                "found {found} cells in row {index}: expected {expected}, one for each column"
            )));
        }
        let written = serde_json::to_writer(&mut lines, &json::Named { row, names });
        written.map_err(|error| Refusal::bad(error.to_string()))?;
        lines.push(b'\n');
    }
    Ok(lines)
}

/// Rows × `width` features of JSON.
fn features_of(rows: &[Row], width: usize) -> Result<Vec<f32>, Refusal> {
    let mut features = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let numbers = match row {
            Row::Cells(cells) if cells.len() == width => cells.iter().map(Cell::number),
            _ => {
                return Err(Refusal::bad(format!(
                    "found another row {index}: expected a list of {width} numbers"
                )));
            }
        };
        for number in numbers {
            let missing = || Refusal::bad(format!("found no number in row {index}: expected one"));
            features.push(number.ok_or_else(missing)? as f32);
        }
    }
    Ok(features)
}

/// An error of the program about this body.
fn refused(error: Error) -> Refusal {
    Refusal::bad(error.to_string())
}

fn of_network(error: nn::Error) -> Refusal {
    Refusal::bad(error.to_string())
}
