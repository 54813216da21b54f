//! From the outputs of a network to lines.

use std::io::Write;

use kernels::Isa;
use nn::{Head, Inputs, Predictor};
use serde::{Serialize, Serializer};

use super::Args;
use super::inputs::{Batch, Raw};
use super::output::Output;
use crate::augment::Prepared;
use crate::encode::csv_cell;
use crate::error::{Error, one_line};
use crate::model::{self, Model};

/// How answers are written.
#[derive(Clone, Copy)]
pub(super) struct Style {
    lines: Lines,
    /// All probabilities.
    proba: bool,
    /// The number of classes that are named.
    top: Option<usize>,
    show: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Lines {
    Text,
    Json,
    Csv,
}

impl Style {
    /// # Errors
    /// Options that have no meaning together, or with this model.
    pub(super) fn new(model: &Model, args: &Args) -> Result<Self, Error> {
        let usage = |text: &str| Err(Error::Usage(text.to_owned()));
        let lines = match (args.json, args.csv) {
            (true, _) => Lines::Json,
            (_, true) => Lines::Csv,
            _ => Lines::Text,
        };
        if model.classes().is_none() && (args.proba || args.top.is_some()) {
            return usage("--proba and --top need classes: the model predicts numbers");
        }
        if args.proba && lines == Lines::Text {
            return usage("--proba needs --json or --csv; --top 10 prints more classes as text");
        }
        if args.top.is_some() && lines == Lines::Csv {
            return usage("--top cannot be used with --csv; --proba prints all probabilities");
        }
        if args.show && model.image().is_none() {
            return usage("--show draws images: the model takes rows of a table");
        }
        let top = args.top.map(usize::from);
        Ok(Self { lines, proba: args.proba, top, show: args.show })
    }
}

/// Writes the answers for batches of samples.
pub(super) struct Answers<'a> {
    model: &'a Model,
    predictor: Predictor<'a>,
    style: Style,
    isa: Isa,
    names: Vec<String>,
    output: &'a mut Output,
    /// Of the batch: samples × outputs.
    outputs: Vec<f32>,
    /// For a model of tables: samples × features.
    features: Vec<f32>,
}

impl<'a> Answers<'a> {
    pub(super) fn new(
        model: &'a Model,
        style: Style,
        isa: Isa,
        output: &'a mut Output,
    ) -> Result<Self, Error> {
        if model.network.head() == Head::Multilabel {
            return Err(Error::SeveralLabels { model: model.path.clone() });
        }
        let names = (0..model.classes().unwrap_or(0)).map(|class| model.class_name(class));
        let names: Vec<String> = names.collect();
        if style.lines == Lines::Csv {
            let mut head = "input,".to_owned();
            head += if names.is_empty() { "value" } else { "class,probability" };
            for name in names.iter().filter(|_| style.proba) {
                head += &format!(",{}", csv_cell(name));
            }
            output.write(format!("{head}\n").as_bytes())?;
            output.keep();
        }
        let predictor = Predictor::new(&model.network);
        let (outputs, features) = (Vec::new(), Vec::new());
        Ok(Self { model, predictor, style, isa, names, output, outputs, features })
    }

    /// Where the lines go.
    pub(super) fn output(&mut self) -> &mut Output {
        self.output
    }

    /// Predicts the samples of a batch and writes their lines.
    pub(super) fn batch(&mut self, batch: Batch<'_>) -> Result<(), Error> {
        match batch.raw {
            Raw::Cells(cells) => {
                let columns = self.model.columns().ok_or(Error::NotImages)?;
                let rows = cells.len() / columns.columns().len();
                let mut features = std::mem::take(&mut self.features);
                features.resize(rows * columns.width(), 0.0);
                columns.apply(cells, &mut features)?;
                self.predict(&batch, Inputs::new(&features, columns.width())?)?;
                self.features = features;
            }
            Raw::Images(ref features, size) => {
                let samples = model::images(features.to_features(), size);
                let prepared = Prepared::new(&samples, None, self.model.deskew, self.isa)?;
                let examples = prepared.examples()?;
                if self.style.show {
                    self.show(&batch, &prepared, examples.len());
                }
                self.predict(&batch, examples.inputs())?;
            }
        }
        self.output.flush()
    }

    fn predict(&mut self, batch: &Batch<'_>, inputs: Inputs<'_>) -> Result<(), Error> {
        let width = self.model.network.architecture().outputs;
        self.outputs.resize(inputs.len() * width, 0.0);
        self.predictor.outputs(&inputs, &mut self.outputs)?;
        let mut lines = Vec::new();
        for (index, outputs) in self.outputs.chunks_exact(width).enumerate() {
            let name = batch.names.of(index);
            if self.names.is_empty() {
                self.value(&mut lines, &name, outputs)?;
            } else {
                let of_classes = model::of_classes(outputs, self.names.len());
                self.class(&mut lines, &name, &of_classes)?;
            }
        }
        self.output.write(&lines)
    }

    /// Writes the line of a sample with one probability for each class.
    fn class(&self, lines: &mut Vec<u8>, name: &str, probabilities: &[f32]) -> Result<(), Error> {
        let order = model::ranked(probabilities);
        let best = order[0];
        let (class, probability) = (&self.names[best], probabilities[best]);
        match self.style.lines {
            Lines::Text => {
                let percent = |class: usize| format!("{:.2} %", 100.0 * probabilities[class]);
                let mut line = format!("{name}: {class}  {}", percent(best));
                let others = self.style.top.unwrap_or(2);
                for other in order.iter().take(others).skip(1) {
                    line += &format!(", {} {}", self.names[*other], percent(*other));
                }
                // Names of classes and of files may have several lines.
                writeln!(lines, "{}", one_line(&line)).map_err(Error::Stdout)
            }
            Lines::Json => {
                let ranked = |class: &usize| Ranked {
                    class: &self.names[*class],
                    probability: probabilities[*class],
                };
                let all = Probabilities { names: &self.names, probabilities };
                let line = ClassLine {
                    input: name,
                    class,
                    probability,
                    top: self.style.top.map(|top| order.iter().take(top).map(ranked).collect()),
                    probabilities: self.style.proba.then_some(all),
                };
                json(lines, &line)
            }
            Lines::Csv => {
                let mut line = format!("{},{},{probability}", csv_cell(name), csv_cell(class));
                for probability in probabilities.iter().filter(|_| self.style.proba) {
                    line += &format!(",{probability}");
                }
                writeln!(lines, "{line}").map_err(Error::Stdout)
            }
        }
    }

    /// Writes the line of a sample with a real value for each output.
    fn value(&self, lines: &mut Vec<u8>, name: &str, outputs: &[f32]) -> Result<(), Error> {
        let values = self.model.values(outputs, name)?;
        let texts: Vec<String> = values.iter().map(f32::to_string).collect();
        match self.style.lines {
            Lines::Text => writeln!(lines, "{}: {}", one_line(name), texts.join("  ")),
            Lines::Csv => writeln!(lines, "{},{}", csv_cell(name), texts.join(",")),
            Lines::Json => {
                let value = match values[..] {
                    [value] => ValueOf::One(value),
                    _ => ValueOf::Several(&values),
                };
                return json(lines, &ValueLine { input: name, value });
            }
        }
        .map_err(Error::Stdout)
    }

    /// Draws the images that the network sees.
    fn show(&self, batch: &Batch<'_>, images: &Prepared<'_>, count: usize) {
        let Some(form) = self.model.image() else { return };
        for index in 0..count {
            let lines = images.drawn(index, &form, self.model.network.pixel_scale());
            let text = format!("{}\n{}\n", batch.names.of(index), lines.join("\n"));
            let _ = std::io::stderr().write_all(text.as_bytes());
        }
    }
}

/// A sample whose class is predicted.
#[derive(Serialize)]
struct ClassLine<'a> {
    input: &'a str,
    class: &'a str,
    probability: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    top: Option<Vec<Ranked<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    probabilities: Option<Probabilities<'a>>,
}

#[derive(Serialize)]
struct Ranked<'a> {
    class: &'a str,
    probability: f32,
}

/// An object with the probability of each class, in the order of the classes.
struct Probabilities<'a> {
    names: &'a [String],
    probabilities: &'a [f32],
}

impl Serialize for Probabilities<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.names.iter().zip(self.probabilities))
    }
}

/// A sample of which a number is predicted.
#[derive(Serialize)]
struct ValueLine<'a> {
    input: &'a str,
    value: ValueOf<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ValueOf<'a> {
    One(f32),
    Several(&'a [f32]),
}

/// Adds an object as a line.
fn json(lines: &mut Vec<u8>, line: &impl Serialize) -> Result<(), Error> {
    let written = serde_json::to_writer(&mut *lines, line);
    written.map_err(|error| Error::Stdout(error.into()))?;
    lines.push(b'\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_have_to_be() {
        assert_eq!(csv_cell("ankle boot"), "ankle boot");
        assert_eq!(csv_cell("a \"b\", c"), "\"a \"\"b\"\", c\"");
        assert_eq!(csv_cell("a\nb"), "\"a\nb\"");
    }

    #[test]
    fn numbers_keep_their_bits_and_no_more_digits() {
        let line = |value| {
            let mut lines = Vec::new();
            json(&mut lines, &ValueLine { input: "a\nb", value: ValueOf::One(value) }).unwrap();
            String::from_utf8(lines).unwrap()
        };
        assert_eq!(line(0.1), "{\"input\":\"a\\nb\",\"value\":0.1}\n");
        assert_eq!(line(16_777_216.0), "{\"input\":\"a\\nb\",\"value\":16777216.0}\n");
    }
}
