//! The one error type of this crate.

use std::fmt;
use std::path::PathBuf;

/// An error: what went wrong, where, what was found and what was expected.
///
/// A call that returns an error has not changed the network.
///
/// ```
/// use nn::{Error, Inputs};
/// let error = Inputs::new(&[0.1, 0.2, 0.3], 2).unwrap_err();
/// assert!(matches!(error, Error::Ragged { elements: 3, width: 2 }));
/// assert_eq!(error.to_string(), "3 values are not a whole number of samples of 2 features");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A size that must be at least one is zero.
    #[error("{what} is 0: it must be at least 1")]
    Zero {
        /// The quantity, such as `units of layer 1`.
        what: String,
    },
    /// The number of parameters does not fit into the address space.
    #[error("a network of {layers:?} has too many parameters to address")]
    TooLarge {
        /// Units of every layer, inputs first.
        layers: Vec<usize>,
    },
    /// The system does not give the memory that a network, a run or its splits would need.
    #[error("{bytes} bytes of memory are needed: the system does not give them")]
    Memory {
        /// Bytes that are needed, at least.
        bytes: u64,
    },
    /// Batch normalisation would have only one row to normalise: every normalised value
    /// would be 0, and no weight could be learnt.
    #[error(
        "batch normalisation of a batch of {rows} row: expected 2 rows at least, for one has \
         no variance; raise the batch size, or turn batch normalisation off"
    )]
    OneRow {
        /// Rows of a batch: the batch size, or the number of samples if that is smaller.
        rows: usize,
    },
    /// A hyperparameter is outside its range.
    #[error("{name} is {}: expected {expected}", Shortest(*found))]
    OutOfRange {
        /// The hyperparameter's name.
        name: &'static str,
        /// Its value.
        found: f64,
        /// The allowed range.
        expected: &'static str,
    },
    /// A slice has the wrong length.
    #[error("{what} has {found} elements: expected {expected}")]
    Length {
        /// What the slice holds, such as `weights of layer 1`.
        what: String,
        /// Elements that it has.
        found: usize,
        /// Elements that it should have.
        expected: usize,
    },
    /// The number of features per sample differs from the number of the network's inputs.
    #[error("layer 0 takes {expected} features a sample: the samples have {found}")]
    Width {
        /// Features of each sample.
        found: usize,
        /// Inputs of the network.
        expected: usize,
    },
    /// The number of values is not a multiple of the number of features per sample.
    #[error("{elements} values are not a whole number of samples of {width} features")]
    Ragged {
        /// Number of values.
        elements: usize,
        /// Features per sample.
        width: usize,
    },
    /// The numbers of samples and labels differ.
    #[error("{samples} samples have {labels} labels: expected one label a sample")]
    Unpaired {
        /// Number of samples.
        samples: usize,
        /// Number of labels.
        labels: usize,
    },
    /// There are more samples than a `u32` can count.
    #[error("there are {samples} samples: expected at most {}", u32::MAX)]
    TooMany {
        /// Number of samples.
        samples: usize,
    },
    /// There are no samples.
    #[error("there are no samples: expected at least one")]
    Empty,
    /// A label is not below the number of classes.
    #[error(
        "sample {sample} has label {label}: the network knows classes 0 to {}{}",
        .classes - 1,
        one_output(*classes)
    )]
    Label {
        /// Index of the sample.
        sample: usize,
        /// Its label.
        label: usize,
        /// Number of classes.
        classes: usize,
    },
    /// A head cannot learn from targets of this form.
    #[error("the targets are {found}: the head {head} takes {expected}")]
    Targets {
        /// The head's name.
        head: &'static str,
        /// The form of the targets.
        found: &'static str,
        /// The form that the head takes.
        expected: &'static str,
    },
    /// The number of values per target differs from the number of the network's outputs.
    #[error("a target has {found} values: the network has {expected} outputs")]
    TargetWidth {
        /// Values per target.
        found: usize,
        /// Outputs of the network.
        expected: usize,
    },
    /// A target is not a value that the head can learn.
    #[error(
        "the target of output {output} for sample {sample} is {}: expected {expected}",
        Shortest((*value).into())
    )]
    Target {
        /// Index of the sample.
        sample: usize,
        /// Index of the output.
        output: usize,
        /// What was found.
        value: f32,
        /// What the head takes.
        expected: &'static str,
    },
    /// A head does not allow this number of outputs.
    #[error("the network has {found} outputs: the head {head} takes {expected}")]
    Outputs {
        /// The head's name.
        head: &'static str,
        /// Outputs of the network.
        found: usize,
        /// Outputs that the head takes.
        expected: usize,
    },
    /// A setting or method needs classes, and the head has none.
    #[error("{name} needs classes: the head {head} has none")]
    NoClasses {
        /// What needs classes, such as `label smoothing`.
        name: &'static str,
        /// The head's name.
        head: &'static str,
    },
    /// Early stopping watches accuracy, but the head predicts real values, which are never
    /// exact.
    #[error(
        "early stopping watches accuracy: real values of the head {head} are never exact; watch the loss"
    )]
    NotExact {
        /// The head's name.
        head: &'static str,
    },
    /// Two classes have the same name.
    #[error("classes {first} and {second} are both called `{name}`")]
    SameName {
        /// The name.
        name: String,
        /// Index of the first class that has it.
        first: usize,
        /// Index of the second.
        second: usize,
    },
    /// A prediction is not below the number of classes.
    #[error("sample {sample} is predicted as {predicted}: there are classes 0 to {}", .classes - 1)]
    Prediction {
        /// Index of the sample.
        sample: usize,
        /// The predicted class.
        predicted: usize,
        /// Number of classes.
        classes: usize,
    },
    /// A probability is not in `[0, 1]`.
    #[error(
        "the probability of class {class} for sample {sample} is {}: \
         expected a number from 0 to 1",
        Shortest((*value).into())
    )]
    Probability {
        /// Index of the sample.
        sample: usize,
        /// The class.
        class: usize,
        /// What was found.
        value: f32,
    },
    /// A feature is NaN or infinite.
    #[error("feature {feature} of sample {sample} is {value}: expected a finite number")]
    NotFinite {
        /// Index of the sample.
        sample: usize,
        /// Index of the feature in the sample.
        feature: usize,
        /// What was found.
        value: f32,
    },
    /// What a unit computes from its inputs, before its activation, is NaN or infinite, or
    /// the score of a perceptron is. No answer can be trusted then.
    #[error(
        "unit {unit} of layer {layer} gets {value} for sample {sample}: expected a finite \
         number; the features or the weights are too large"
    )]
    Overflow {
        /// Index of the sample.
        sample: usize,
        /// Index of the layer; 0 for a perceptron.
        layer: usize,
        /// Index of the unit, or of the piece of a maxout unit; 0 for a perceptron.
        unit: usize,
        /// What was found.
        value: f32,
    },
    /// The weight of a sample or of a class is negative, NaN or infinite.
    #[error(
        "the weight of {what} {index} is {}: expected a finite number of at least 0",
        Shortest((*value).into())
    )]
    Weight {
        /// `sample` or `class`.
        what: &'static str,
        /// Its index.
        index: usize,
        /// What was found.
        value: f32,
    },
    /// All weights are 0.
    #[error("no {what} has a weight above 0: expected one at least")]
    NoWeight {
        /// `sample`, `class`, or `sample's class`.
        what: &'static str,
    },
    /// A preparation is not known, or has values out of range.
    #[error("the preparation is not one that can be applied: {reason}")]
    Preparation {
        /// What was found and what was expected.
        reason: String,
    },
    /// A preparation gives another number of features than the network takes.
    #[error("the preparation gives {found} features: the network takes {expected}")]
    PreparationWidth {
        /// Features that the preparation gives.
        found: usize,
        /// Inputs of the network.
        expected: usize,
    },
    /// A subset names a sample that does not exist.
    #[error("the subset names sample {index} of {samples}")]
    Subset {
        /// The index.
        index: usize,
        /// Number of samples.
        samples: usize,
    },
    /// Early stopping is on, but there are no validation examples.
    #[error("early stopping watches validation examples: none were given")]
    NoValidation,
    /// There are too few samples to hold one out and keep one for training.
    #[error(
        "nothing can be held out of {samples} samples: expected two at least, \
         and two of one class where each class gives its share"
    )]
    NothingToHoldOut {
        /// Number of samples.
        samples: usize,
    },
    /// The loss or a parameter became NaN or infinite.
    #[error(
        "training diverged in step {step}, with a loss of {}: \
         try a lower learning rate than {}",
        Shortest(*loss),
        // It was computed from one.
        Shortest(f64::from(*lr as f32))
    )]
    Diverged {
        /// The step, counted from 1.
        step: u64,
        /// Mean loss of that step.
        loss: f64,
        /// Learning rate of that step.
        lr: f64,
    },
    /// A candidate of a search cannot be trained.
    #[error("candidate `{name}`: {source}")]
    Candidate {
        /// Its name.
        name: String,
        /// Why.
        source: Box<Self>,
    },
    /// A name that is not known.
    #[error("`{found}` is no {kind}: expected one of {expected}")]
    Unknown {
        /// What it should name, such as `activation`.
        kind: &'static str,
        /// The name.
        found: String,
        /// The names that are known, with commas between them.
        expected: String,
    },
    /// The environment selects an instruction set that is unknown or that this CPU lacks.
    #[error(transparent)]
    Isa(#[from] kernels::UnknownIsa),
    /// A file could not be read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// Bytes that should be a saved network are not one.
    #[error("{origin} is not a saved network: {reason}")]
    Model {
        /// The file, or `the input`.
        origin: String,
        /// What was found and what was expected.
        reason: String,
    },
    /// Bytes that should be a saved run or session are not one.
    #[error("{origin} is not a checkpoint: {reason}")]
    Checkpoint {
        /// The file, or `the input`.
        origin: String,
        /// What was found and what was expected.
        reason: String,
    },
    /// A run cannot continue with another number of training examples.
    #[error("the run was trained on {expected} samples: there are {found} now")]
    Resumed {
        /// Training examples now.
        found: usize,
        /// Training examples when the run was saved.
        expected: usize,
    },
}

impl Error {
    /// For `map_err`: what happened to the file at `path`.
    pub(crate) fn io(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

/// What was probably forgotten where there is one class.
fn one_output(classes: usize) -> &'static str {
    if classes == 1 { "; with 1 output, yes or no needs the head logistic" } else { "" }
}

/// The names of a table of (value, name) rows, as [`Error::Unknown`] lists them.
pub(crate) fn one_of<T>(table: &[(T, &str)]) -> String {
    let names: Vec<_> = table.iter().map(|(_, name)| *name).collect();
    names.join(", ")
}

/// Prints a number with the digits that the user typed. An `f32` such as 0.1 would print
/// as 0.10000000149011612 once it is an `f64`, and 1e-30 as 32 digits.
struct Shortest(f64);

impl fmt::Display for Shortest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let narrow = self.0 as f32;
        // Zeros that only say where the point is are left to the exponent.
        let plain = self.0 == 0.0 || !self.0.is_finite() || (0.99e-5..1e16).contains(&self.0.abs());
        let began_as_f32 = f64::from(narrow) == self.0 && !(plain && self.0.fract() == 0.0);
        match (plain, began_as_f32) {
            (true, true) => fmt::Display::fmt(&narrow, f),
            (true, false) => fmt::Display::fmt(&self.0, f),
            (false, true) => fmt::LowerExp::fmt(&narrow, f),
            (false, false) => fmt::LowerExp::fmt(&self.0, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_output_brings_the_hint_at_yes_or_no() {
        let error = |classes| Error::Label { sample: 3, label: 2, classes }.to_string();
        assert_eq!(error(2), "sample 3 has label 2: the network knows classes 0 to 1");
        let hint = "; with 1 output, yes or no needs the head logistic";
        let expected = format!("sample 3 has label 2: the network knows classes 0 to 0{hint}");
        assert_eq!(error(1), expected);
    }

    #[test]
    fn numbers_have_the_digits_that_were_typed() {
        for (number, text) in [
            (0.0, "0"),
            (-1.0, "-1"),
            (2.5, "2.5"),
            (f64::from(0.1f32), "0.1"),
            (0.1, "0.1"),
            (f64::from(1e-5f32), "0.00001"),
            (1e-5, "0.00001"),
            (f64::from(9e-6f32), "9e-6"),
            (f64::from(-1e-30f32), "-1e-30"),
            (-1e-30, "-1e-30"),
            (f64::from(f32::MIN_POSITIVE), "1.1754944e-38"),
            (f64::from(33_554_433f32), "33554432"),
            (1e15, "1000000000000000"),
            (f64::from(3e38f32), "3e38"),
            (1.25e300, "1.25e300"),
            (f64::INFINITY, "inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(Shortest(number).to_string(), text, "{number:e}");
        }
    }
}
