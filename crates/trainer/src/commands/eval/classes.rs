//! Figures of a model that tells classes apart, and how they are shown.

use std::fmt::Write as _;

use nn::{Confusion, Predictions, Scores};
use serde::Serialize;

use crate::draw;
use crate::error::{Error, one_line};
use crate::interval::wilson;
use crate::model::Model;
use crate::words::percent;

/// Bins of the calibration error, as is usual (Guo, Pleiss, Sun and Weinberger 2017).
const BINS: usize = 15;

/// With more classes, the matrix does not fit into a terminal.
const MOST_COLUMNS: usize = 12;

/// Confusions that are listed instead of the matrix.
const LISTED: usize = 10;

/// What accuracy and loss do not say.
#[derive(Serialize)]
pub(super) struct ClassFigures {
    /// Wilson's interval, in which the accuracy is with a probability of 95 %.
    test_accuracy_interval: [f64; 2],
    /// Expected calibration error, in `[0, 1]`.
    calibration_error: f64,
    classes: Vec<OfClass>,
    /// Rows are true classes, columns predicted ones.
    confusion: Vec<Vec<usize>>,
    /// The most confident first.
    mistakes: Vec<Wrong>,
    #[serde(skip)]
    matrix: Confusion,
}

#[derive(Serialize)]
struct OfClass {
    class: String,
    precision: f64,
    recall: f64,
    f1: f64,
    samples: usize,
}

#[derive(Serialize)]
struct Wrong {
    /// Index of the sample.
    sample: usize,
    class: String,
    predicted: String,
    probability: f32,
}

impl ClassFigures {
    /// From the outputs of the network, samples × outputs.
    pub(super) fn new(
        model: &Model,
        mut probabilities: Vec<f32>,
        labels: &[u8],
        mistakes: usize,
    ) -> Result<Self, Error> {
        let count = model.classes().unwrap_or(0);
        if model.network.architecture().outputs == 1 {
            // Yes or no: the probability of yes.
            probabilities = probabilities.iter().flat_map(|yes| [1.0 - yes, *yes]).collect();
        }
        let predictions = Predictions::new(&probabilities, count, labels)?;
        let matrix = predictions.confusion()?;
        let name = |class| model.class_name(class);
        let of_class = |class| {
            let Scores { precision, recall, f1, support, .. } = matrix.scores(class)?;
            Some(OfClass { class: name(class), precision, recall, f1, samples: support })
        };
        let wrong = predictions.mistakes().into_iter().take(mistakes).map(|mistake| Wrong {
            sample: mistake.sample,
            class: name(mistake.label),
            predicted: name(mistake.predicted),
            probability: mistake.probability,
        });
        Ok(Self {
            test_accuracy_interval: wilson(matrix.accuracy(), matrix.samples()),
            calibration_error: predictions.calibration_error(BINS)?,
            classes: (0..count).filter_map(of_class).collect(),
            confusion: matrix.rows().map(<[usize]>::to_vec).collect(),
            mistakes: wrong.collect(),
            matrix,
        })
    }

    /// The rest of a line that has the accuracy, and the lines after it. `drawn` shows a sample
    /// in some lines.
    pub(super) fn text(&self, loss: f64, drawn: impl Fn(usize) -> Vec<String>) -> String {
        let [low, high] = self.test_accuracy_interval.map(percent);
        let mut text = format!("\n95 % interval  {low} to {high}\n");
        let _ = writeln!(text, "loss           {loss:.4}");
        let calibration = percent(self.calibration_error);
        let _ = writeln!(text, "calibration    {calibration} between probability and accuracy\n");
        self.table(&mut text);
        self.confusions(&mut text);
        self.wrong(&mut text, drawn);
        text
    }

    fn table(&self, text: &mut String) {
        let width = self.classes.iter().map(|class| class.class.chars().count()).max();
        let width = width.unwrap_or(0).clamp(7, 30);
        let _ = writeln!(text, "{:width$}  precision    recall        F1  samples", "class");
        let mut row = |name: &str, figures: [f64; 3], samples: usize| {
            let [precision, recall, f1] = figures.map(percent);
            let name = one_line(name);
            let _ =
                writeln!(text, "{name:width$}  {precision:>9}  {recall:>8}  {f1:>8}  {samples:>7}");
        };
        for OfClass { class, precision, recall, f1, samples } in &self.classes {
            row(class, [*precision, *recall, *f1], *samples);
        }
        let Scores { precision, recall, f1, support, .. } = self.matrix.macro_average();
        row("mean", [precision, recall, f1], support);
    }

    /// The matrix, or the largest numbers in it.
    fn confusions(&self, text: &mut String) {
        let count = self.classes.len();
        if count <= MOST_COLUMNS {
            let digits = |number: &usize| number.to_string().len();
            let widest = self.confusion.iter().flatten().map(digits).max().unwrap_or(1);
            let short = |name: &str| one_line(name).chars().take(5).collect::<String>();
            let names: Vec<String> = self.classes.iter().map(|class| short(&class.class)).collect();
            let widest = names.iter().map(|name| name.chars().count()).fold(widest, usize::max);
            let _ = write!(text, "\ntrue classes down, predicted ones across\n{:widest$}", "");
            names.iter().for_each(|name| {
                let _ = write!(text, " {name:>widest$}");
            });
            text.push('\n');
            for (name, row) in names.iter().zip(&self.confusion) {
                let _ = write!(text, "{name:>widest$}");
                for number in row {
                    let number = if *number == 0 { "·".to_owned() } else { number.to_string() };
                    let _ = write!(text, " {number:>widest$}");
                }
                text.push('\n');
            }
            return;
        }
        let rows = self.confusion.iter().enumerate();
        let mut pairs: Vec<(usize, usize, usize)> = rows
            .flat_map(|(label, row)| {
                let pairs = row.iter().enumerate().filter(move |(said, _)| *said != label);
                pairs.map(move |(said, number)| (*number, label, said))
            })
            .filter(|(number, ..)| *number > 0)
            .collect();
        pairs.sort_by_key(|(number, label, said)| (usize::MAX - number, *label, *said));
        text.push_str("\nmost confused\n");
        for (number, label, said) in pairs.into_iter().take(LISTED) {
            let [label, said] = [label, said].map(|class| &self.classes[class].class);
            let _ =
                writeln!(text, "{number:>7}  {}", one_line(&format!("{label} taken for {said}")));
        }
    }

    fn wrong(&self, text: &mut String, drawn: impl Fn(usize) -> Vec<String>) {
        if self.mistakes.is_empty() {
            return;
        }
        text.push_str("\nmost confident mistakes\n");
        let block = |wrong: &Wrong| {
            let Wrong { sample, class, predicted, probability } = wrong;
            let said = format!("{predicted} with {}", percent(f64::from(*probability)));
            let mut lines = vec![one_line(&format!("sample {sample}: {said}, is {class}"))];
            lines.extend(drawn(*sample));
            lines
        };
        let blocks: Vec<Vec<String>> = self.mistakes.iter().map(block).collect();
        text.push_str(&draw::side_by_side(&blocks));
    }
}
