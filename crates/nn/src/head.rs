//! What the outputs of a network mean: the targets, the loss of a row and its gradient,
//! what a prediction is, and which figures say how good it is.
//!
//! Each head is one file, with its formulas, and one row in [`Head::with`].

mod class_weights;
mod cross_entropy;
mod elements;
mod figures;
mod huber;
mod logistic;
mod multilabel;
mod objective;
mod softmax;
mod squared;

use std::fmt;
use std::mem::discriminant;
use std::str::FromStr;

use kernels::{Isa, MatMut, MatRef, RowLoss};
use serde::{Deserialize, Serialize};

use crate::error::one_of;
use crate::{Error, Examples, Targets};

pub use class_weights::ClassWeights;
pub use cross_entropy::{cross_entropy, one_hot};
pub use figures::Figures;
pub(crate) use figures::area_under_curve;
use huber::Huber;
use logistic::Logistic;
use multilabel::Multilabel;
pub(crate) use objective::{Objective, Positions, Rows, counted};
use softmax::Softmax;
pub(crate) use softmax::argmax;
use squared::Squared;

/// What the outputs of a network mean. It is saved with the network.
///
/// In files it is a name, with a parameter after a colon where it has one:
///
/// ```
/// use nn::Head;
/// assert_eq!("logistic".parse::<Head>()?, Head::Logistic);
/// assert_eq!("huber".parse::<Head>()?.to_string(), "huber:1");
/// # Ok::<(), nn::Error>(())
/// ```
///
/// Regression on two samples of one feature:
///
/// ```
/// use nn::*;
/// let shape =
///     Architecture { inputs: 1, hidden: vec![8], outputs: 1, activation: Activation::Tanh };
/// let mut network = Mlp::new(shape, Init::Xavier, 1)?.with_head(Head::Squared)?;
/// let inputs = Inputs::new(&[0.0, 1.0], 1)?;
/// let examples = Examples::new(inputs, Values::new(&[0.5, -2.0], 1)?)?;
/// let fit = Fit { epochs: 500, ..Fit::default() };
/// fit.train(&mut network, &examples, None, &Sequential)?;
/// let found = network.outputs(&inputs)?;
/// assert!((found[0] - 0.5).abs() < 0.01 && (found[1] + 2.0).abs() < 0.01);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
#[non_exhaustive]
pub enum Head {
    /// One of several classes: softmax with cross-entropy. Targets are class indices, one
    /// output is one class.
    #[default]
    Softmax,
    /// Real values: squared error, `(y − t)²`. Targets are [`Values`](crate::Values), one
    /// for each output.
    Squared,
    /// Real values with outliers: `½·(y − t)²` up to an error of δ, then `δ·(|y − t| − ½δ)`
    /// (Huber 1964). Targets are [`Values`](crate::Values), one for each output.
    Huber {
        /// δ, above 0; 1 unless given.
        delta: f32,
    },
    /// Yes or no: one output with a logistic sigmoid, and binary cross-entropy. Targets are
    /// the class indices 0 and 1.
    Logistic,
    /// Any of several labels: a logistic sigmoid for each output, and binary
    /// cross-entropy. Targets are [`Values`](crate::Values), 0 or 1 for each output.
    Multilabel,
}

/// A head: how it checks, judges and reads the outputs of a network.
///
/// `y` are predictions, `z` are outputs before the link: logits, where there is one. The
/// loss of a row of real values or labels is a mean over its outputs.
pub(crate) trait Kind {
    /// Whether a network may have this number of outputs.
    fn check_outputs(&self, outputs: usize) -> Result<(), Error> {
        let _ = outputs;
        Ok(())
    }

    /// Whether the targets of checked samples are what the head can learn from.
    fn check_targets(&self, examples: &Examples<'_>, outputs: usize) -> Result<(), Error>;

    /// Number of classes that samples are in, for class weights and label smoothing;
    /// `None` where there are no classes.
    fn classes(&self, outputs: usize) -> Option<usize> {
        let _ = outputs;
        None
    }

    /// Whether a prediction can equal its target, as a class can and a real value hardly
    /// does: whether accuracy says something.
    fn is_exact(&self) -> bool {
        true
    }

    /// The loss of each row and, in place of z, the gradient of the batch's mean loss.
    ///
    /// Shapes: z is rows × outputs, `losses` has an element for each row.
    fn gradient(
        &self,
        objective: &Objective,
        rows: &Rows<'_>,
        z: MatMut<'_>,
        losses: &mut [RowLoss],
    );

    /// The loss of each row, without weights of classes or label smoothing.
    ///
    /// Shapes: z is rows × outputs, `losses` has an element for each row.
    fn loss(&self, rows: &Rows<'_>, z: MatRef<'_>, losses: &mut [RowLoss]);

    /// From z to predictions, in place. Shape: rows × outputs.
    fn link(&self, isa: Isa, z: MatMut<'_>) {
        let _ = (isa, z);
    }

    /// The class that a row of predictions says, where there are classes.
    fn class(&self, predictions: &[f32]) -> Option<u32> {
        let _ = predictions;
        None
    }

    /// Figures of the predictions of all examples: examples × outputs, row-major. `None`
    /// where accuracy and loss say it all, and predictions need not be kept.
    fn figures(&self) -> Option<fn(&[f32], &Examples<'_>) -> Figures> {
        None
    }
}

impl Head {
    /// Every head, its parameter at its default, with its name.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Softmax, "softmax"),
        (Self::Squared, "squared"),
        (Self::Huber { delta: 1.0 }, "huber"),
        (Self::Logistic, "logistic"),
        (Self::Multilabel, "multilabel"),
    ];

    /// The table of heads.
    pub(crate) fn with<R>(self, then: impl FnOnce(&dyn Kind) -> R) -> R {
        match self {
            Self::Softmax => then(&Softmax),
            Self::Squared => then(&Squared),
            Self::Huber { delta } => then(&Huber { delta }),
            Self::Logistic => then(&Logistic),
            Self::Multilabel => then(&Multilabel),
        }
    }

    /// The name without its parameter.
    pub(crate) fn name(self) -> &'static str {
        let row = Self::ALL.iter().find(|(known, _)| discriminant(known) == discriminant(&self));
        row.map_or("?", |(_, name)| name)
    }

    /// Whether a prediction is a class: one of several, or yes or no. With real values and
    /// with several labels it is none.
    #[must_use]
    pub fn has_classes(self) -> bool {
        self.with(|kind| kind.classes(1)).is_some()
    }

    /// Checks the parameter, and that a network may have this number of outputs.
    pub(crate) fn validate(self, outputs: usize) -> Result<(), Error> {
        if let Self::Huber { delta } = self
            && !(delta.is_finite() && delta > 0.0)
        {
            let (name, expected) = ("delta of huber", "a finite number above 0");
            return Err(Error::OutOfRange { name, found: delta.into(), expected });
        }
        self.with(|kind| kind.check_outputs(outputs))
    }

    /// Checks everything that a network of `inputs` inputs and `outputs` outputs relies on,
    /// once, so that the hot path need not.
    pub(crate) fn check(
        self,
        examples: &Examples<'_>,
        inputs: usize,
        outputs: usize,
    ) -> Result<(), Error> {
        examples.check_inputs(inputs)?;
        self.with(|kind| kind.check_targets(examples, outputs))
    }

    /// Names that a network with `outputs` outputs can have for its classes, or for what
    /// its outputs stand for.
    pub(crate) fn names(self, outputs: usize) -> usize {
        self.with(|kind| kind.classes(outputs)).unwrap_or(outputs)
    }
}

/// Checks that the targets are classes below `classes`.
fn check_classes(head: Head, examples: &Examples<'_>, classes: usize) -> Result<(), Error> {
    let Targets::Classes(_) = examples.targets() else {
        let (found, expected) = ("real values", "class indices");
        return Err(Error::Targets { head: head.name(), found, expected });
    };
    for position in 0..examples.len() {
        let label = examples.label(position);
        if label >= classes {
            return Err(Error::Label { sample: examples.index(position), label, classes });
        }
    }
    Ok(())
}

/// Checks that the targets are values that satisfy `valid`, one for each output.
fn check_values(
    head: Head,
    examples: &Examples<'_>,
    outputs: usize,
    expected: &'static str,
    valid: impl Fn(f32) -> bool,
) -> Result<(), Error> {
    let Targets::Values(values) = examples.targets() else {
        let (found, expected) = ("class indices", "real values");
        return Err(Error::Targets { head: head.name(), found, expected });
    };
    if values.width() != outputs {
        return Err(Error::TargetWidth { found: values.width(), expected: outputs });
    }
    for position in 0..examples.len() {
        let row = examples.values(position);
        if let Some(output) = row.iter().position(|value| !valid(*value)) {
            let (sample, value) = (examples.index(position), row[output]);
            return Err(Error::Target { sample, output, value, expected });
        }
    }
    Ok(())
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Huber { delta } => write!(f, ":{delta}"),
            Self::Softmax | Self::Squared | Self::Logistic | Self::Multilabel => Ok(()),
        }
    }
}

impl FromStr for Head {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let unknown = || Error::Unknown {
            kind: "head",
            found: text.to_owned(),
            expected: one_of(&Self::ALL),
        };
        let (name, parameter) = match text.split_once(':') {
            Some((name, parameter)) => (name, Some(parameter)),
            None => (text, None),
        };
        let row = Self::ALL.iter().find(|(_, known)| *known == name);
        let (head, _) = *row.ok_or_else(unknown)?;
        let head = match (head, parameter) {
            (head, None) => head,
            (Self::Huber { .. }, Some(delta)) => {
                Self::Huber { delta: delta.parse().map_err(|_| unknown())? }
            }
            (_, Some(_)) => return Err(unknown()),
        };
        head.validate(1)?;
        Ok(head)
    }
}

impl From<Head> for String {
    fn from(head: Head) -> Self {
        head.to_string()
    }
}

impl TryFrom<String> for Head {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::Head;

    #[test]
    fn names_lead_back_and_are_those_of_files() {
        for (head, name) in Head::ALL {
            assert_eq!(name.parse::<Head>().unwrap(), head);
            let text = head.to_string();
            assert_eq!(text.split(':').next(), Some(name));
            assert_eq!(serde_json::to_string(&head).unwrap(), format!("{text:?}"));
            assert_eq!(text.parse::<Head>().unwrap(), head);
        }
    }

    #[test]
    fn other_names_and_parameters_are_errors() {
        let names = Head::ALL.map(|(_, name)| name).join(", ");
        for text in ["sofmax", "", "softmax:1", "huber:", "huber:one"] {
            let error = text.parse::<Head>().unwrap_err().to_string();
            assert_eq!(error, format!("`{text}` is no head: expected one of {names}"));
        }
        for text in ["huber:0", "huber:-1", "huber:inf", "huber:nan"] {
            let error = text.parse::<Head>().unwrap_err().to_string();
            assert!(error.starts_with("delta of huber is "), "{error}");
        }
    }
}
