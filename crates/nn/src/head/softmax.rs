//! Cross-entropy: as the article writes it, and with what makes some samples,
//! classes and targets count otherwise.
//!
//! The kernel has softmax, cross-entropy and their gradient in one pass, for
//! targets that are one-hot and samples that count alike. Label smoothing and
//! weights are made of what it leaves: with s the softmax of the logits z, y the
//! label, w the weight of the sample, c those of the K classes and ε the
//! smoothing,
//!
//! ```text
//! tₖ   = cₖ·((1 − ε)·[k = y] + ε/K)               the target, T = Σₖ tₖ
//! L    = −Σₖ tₖ·ln sₖ = T·(−ln s_y) + Σₖ tₖ·(z_y − zₖ)
//! C    = Σ w·L / Σ w·c_y                          over the batch
//! ∂C/∂zₖ = w/Σ·(T·sₖ − tₖ)
//! ```
//!
//! These are PyTorch's `CrossEntropyLoss` with `weight` and `label_smoothing`
//! (Szegedy et al. 2016, section 7) for w = 1.

use std::fmt;

use kernels::{Isa, MatMut, RowLoss};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, Examples, Fit};

/// How much the samples of each class count.
///
/// In files it is a list of numbers or the word `balanced`.
///
/// ```
/// use nn::{ClassWeights, Error, Fit};
/// // Samples of class 1 count three times.
/// let class_weights = Some(ClassWeights::Each(vec![1.0, 3.0]));
/// Fit { class_weights, ..Fit::default() }.validate()?;
/// let class_weights = Some(ClassWeights::Each(vec![0.0, 0.0]));
/// let error = Fit { class_weights, ..Fit::default() }.validate().unwrap_err();
/// assert!(matches!(error, Error::NoWeight { .. }));
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ClassWeights {
    /// n/(K·nₖ) for class k, of which nₖ of the n samples are, in K classes that
    /// have any: all classes count alike (as in scikit-learn). Samples count as
    /// their weights say. A class without samples has a weight of 0.
    Balanced,
    /// One a class, finite and at least 0, not all of them 0.
    Each(Vec<f32>),
}

impl ClassWeights {
    fn validate(&self) -> Result<(), Error> {
        match self {
            Self::Balanced => Ok(()),
            Self::Each(weights) => check_weights("class", weights),
        }
    }
}

/// That each of some weights is one, and that one is above 0.
pub(crate) fn check_weights(what: &'static str, weights: &[f32]) -> Result<(), Error> {
    match weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
        Some(index) => Err(Error::Weight { what, index, value: weights[index] }),
        None if weights.iter().all(|weight| *weight == 0.0) => Err(Error::NoWeight { what }),
        None => Ok(()),
    }
}

impl Serialize for ClassWeights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Balanced => serializer.serialize_str("balanced"),
            Self::Each(weights) => weights.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ClassWeights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = ClassWeights;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of numbers, one a class, or \"balanced\"")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ClassWeights, E> {
                match text {
                    "balanced" => Ok(ClassWeights::Balanced),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<ClassWeights, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(ClassWeights::Each)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Label smoothing and class weights, as they are for some classes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loss {
    /// ε.
    smoothing: f64,
    /// One a class; none at all where every class counts 1.
    classes: Vec<f64>,
}

impl Loss {
    /// That of `fit` for `examples` of `classes` classes, which were checked.
    pub(crate) fn new(fit: &Fit, examples: &Examples<'_>, classes: usize) -> Result<Self, Error> {
        let weights = match &fit.class_weights {
            None => Vec::new(),
            Some(ClassWeights::Each(weights)) => {
                let (found, expected) = (weights.len(), classes);
                if found != expected {
                    let what = "list of class weights".into();
                    return Err(Error::Length { what, found, expected });
                }
                weights.iter().map(|&weight| weight.into()).collect()
            }
            Some(ClassWeights::Balanced) => balanced(examples, classes),
        };
        let loss = Self { smoothing: fit.label_smoothing.into(), classes: weights };
        let counts = |position| loss.weight(examples, position) > 0.0;
        if !loss.classes.is_empty() && !(0..examples.len()).any(counts) {
            return Err(Error::NoWeight { what: "sample's class" });
        }
        Ok(loss)
    }

    /// Whether it is the plain cross-entropy of examples that all count alike.
    pub(crate) fn is_plain(&self, examples: &Examples<'_>) -> bool {
        self.smoothing == 0.0 && self.classes.is_empty() && !examples.has_weights()
    }

    /// c of every class, or nothing where each is 1.
    pub(crate) fn into_classes(self) -> Vec<f64> {
        self.classes
    }

    /// c of a class.
    fn class(&self, class: usize) -> f64 {
        self.classes.get(class).copied().unwrap_or(1.0)
    }

    /// `w·c_y` of an example: how much it counts in a mean.
    fn weight(&self, examples: &Examples<'_>, position: usize) -> f64 {
        examples.weight(position) * self.class(examples.label(position))
    }

    /// `Σ w·c_y` over a batch, in the order of its rows.
    pub(crate) fn total(&self, examples: &Examples<'_>, positions: &[u32]) -> f64 {
        if self.is_plain(examples) {
            return positions.len() as f64;
        }
        positions.iter().map(|&position| self.weight(examples, position as usize)).sum()
    }

    /// L of each row of logits and, in place of the logits, `∂C/∂z`, where
    /// `share(i)` is the w/Σ of row i.
    ///
    /// # Panics
    /// As the kernel does: there are as many labels and losses as rows, and each
    /// label is below the number of columns.
    pub(crate) fn gradient(
        &self,
        isa: Isa,
        z: MatMut<'_>,
        labels: &[u32],
        share: impl Fn(usize) -> f64,
        losses: &mut [RowLoss],
    ) {
        /// Rows at a time: as many as the kernel takes.
        const ROWS: usize = 16;
        let classes = z.cols();
        let uniform = self.smoothing / classes as f64;
        // Σ of tₖ but for what the label has alone.
        let spread: f64 = uniform * (0..classes).map(|k| self.class(k)).sum::<f64>();
        let mut rest = z;
        let chunks = labels.chunks(ROWS).zip(losses.chunks_mut(ROWS));
        for (chunk, (labels, losses)) in chunks.enumerate() {
            let mut z;
            (z, rest) = rest.split_rows(labels.len());
            // Σ tₖ·(z_y − zₖ), of which the kernel leaves no trace.
            let mut below = [0.0; ROWS];
            if self.smoothing > 0.0 {
                for (i, (below, &label)) in below.iter_mut().zip(labels).enumerate() {
                    let row = z.row_mut(i);
                    let of_label = f64::from(row[label as usize]);
                    let terms = row.iter().enumerate();
                    let terms = terms.map(|(k, &z)| self.class(k) * (of_label - f64::from(z)));
                    *below = uniform * terms.sum::<f64>();
                }
            }
            kernels::cross_entropy_gradient(isa, z.reborrow(), labels, 1.0, losses);
            for (i, (loss, &label)) in losses.iter_mut().zip(labels).enumerate() {
                let label = label as usize;
                let of_label = (1.0 - self.smoothing) * self.class(label);
                let sum = of_label + spread;
                loss.loss = (sum * f64::from(loss.loss) + below[i]) as f32;
                // The row is s − [k = y]; T·s − t is T times that, less tₖ
                // elsewhere, and at y as much more as there is elsewhere.
                let share = share(chunk * ROWS + i);
                let factor = (share * sum) as f32;
                let row = z.row_mut(i);
                row.iter_mut().for_each(|dz| *dz *= factor);
                if self.smoothing > 0.0 {
                    for (k, dz) in row.iter_mut().enumerate() {
                        let elsewhere = uniform * self.class(k);
                        let less = if k == label { elsewhere - spread } else { elsewhere };
                        *dz -= (share * less) as f32;
                    }
                }
            }
        }
    }
}

/// n/(K·nₖ) of each class.
fn balanced(examples: &Examples<'_>, classes: usize) -> Vec<f64> {
    let mut counts = vec![0.0; classes];
    for position in 0..examples.len() {
        counts[examples.label(position)] += examples.weight(position);
    }
    let samples: f64 = counts.iter().sum();
    let present = counts.iter().filter(|count| **count > 0.0).count() as f64;
    let weight = |count| if count > 0.0 { samples / (present * count) } else { 0.0 };
    counts.into_iter().map(weight).collect()
}

impl Fit {
    /// Ranges of what this file is about.
    pub(crate) fn validate_loss(&self) -> Result<(), Error> {
        if !(0.0..1.0).contains(&self.label_smoothing) {
            return Err(Error::OutOfRange {
                name: "label smoothing",
                found: self.label_smoothing.into(),
                expected: "at least 0 and below 1",
            });
        }
        self.class_weights.as_ref().map_or(Ok(()), ClassWeights::validate)
    }
}

/// One-hot labels: labels × classes, row-major; row i is 1 at `labels[i]` and 0
/// elsewhere. (The article's matrix is this one transposed.)
///
/// `None` where a label is not below `classes`.
///
/// ```
/// assert_eq!(nn::one_hot(&[1, 0], 3).unwrap(), [0., 1., 0., 1., 0., 0.]);
/// ```
#[must_use]
pub fn one_hot(labels: &[usize], classes: usize) -> Option<Vec<f32>> {
    let mut rows = vec![0.0; labels.len().checked_mul(classes)?];
    for (i, &label) in labels.iter().enumerate() {
        if label >= classes {
            return None;
        }
        rows[i * classes + label] = 1.0;
    }
    Some(rows)
}

/// Mean of `−Σⱼ targetᵢⱼ · ln probabilityᵢⱼ` over the rows i, in nats; both
/// slices are rows × classes, row-major. A target of 0 adds nothing, even where
/// the probability is 0.
///
/// `None` where the slices differ in length or are no whole rows.
///
/// ```
/// let loss = nn::cross_entropy(&[0.7, 0.2, 0.1], &[1.0, 0.0, 0.0], 3).unwrap();
/// assert!((loss - 0.357).abs() < 1e-3);
/// // The article prints 0.15: its logarithm has base 10.
/// assert!((loss / 10f64.ln() - 0.155).abs() < 1e-3);
/// ```
#[must_use]
pub fn cross_entropy(probabilities: &[f32], targets: &[f32], classes: usize) -> Option<f64> {
    let whole = classes > 0 && !targets.is_empty() && targets.len().is_multiple_of(classes);
    if !whole || probabilities.len() != targets.len() {
        return None;
    }
    let terms = probabilities.iter().zip(targets).filter(|(_, target)| **target != 0.0);
    let sum: f64 = terms.map(|(p, target)| -f64::from(*target) * f64::from(*p).ln()).sum();
    Some(sum / (targets.len() / classes) as f64)
}

#[cfg(test)]
mod tests {
    use super::{ClassWeights, cross_entropy, one_hot};

    #[test]
    fn class_weights_are_a_list_or_a_word() {
        for (weights, json) in [
            (ClassWeights::Balanced, "\"balanced\""),
            (ClassWeights::Each(vec![0.1, 2.0]), "[0.1,2.0]"),
        ] {
            assert_eq!(serde_json::to_string(&weights).unwrap(), json);
            assert_eq!(serde_json::from_str::<ClassWeights>(json).unwrap(), weights);
        }
        for wrong in ["\"even\"", "3", "{}", "[\"a\"]"] {
            let error = serde_json::from_str::<ClassWeights>(wrong).unwrap_err().to_string();
            let expected = "expected a list of numbers, one a class, or \"balanced\"";
            assert!(error.contains(expected) || wrong.contains('a'), "{wrong}: {error}");
        }
    }

    #[test]
    fn labels_out_of_range_have_no_row() {
        assert_eq!(one_hot(&[3], 3), None);
        assert_eq!(one_hot(&[], 3), Some(vec![]));
        // The article's example, one row a label.
        let y = one_hot(&[0, 1, 8, 7, 4, 5, 0, 1, 4], 9).unwrap();
        assert_eq!(y.iter().sum::<f32>(), 9.0);
        assert_eq!(y[2 * 9 + 8], 1.0);
    }

    #[test]
    fn the_articles_two_examples() {
        let label = one_hot(&[0], 3).unwrap();
        let first = cross_entropy(&[0.2, 0.7, 0.1], &label, 3).unwrap();
        assert!((first - 1.609).abs() < 1e-3);
        // It prints 0.70, which is the logarithm to base 10.
        assert!((first / 10f64.ln() - 0.70).abs() < 1e-2);
        assert_eq!(cross_entropy(&[0.5], &label, 3), None);
    }
}
