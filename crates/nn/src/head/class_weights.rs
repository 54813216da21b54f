//! Weights of classes in the loss.

use std::fmt;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::data::check_weights;
use crate::{Error, Examples};

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
    pub(super) fn validate(&self) -> Result<(), Error> {
        match self {
            Self::Balanced => Ok(()),
            Self::Each(weights) => check_weights("class", weights),
        }
    }

    /// The weights of `classes` classes, for examples that were checked.
    pub(super) fn of(&self, examples: &Examples<'_>, classes: usize) -> Result<Vec<f64>, Error> {
        match self {
            Self::Balanced => Ok(balanced(examples, classes)),
            Self::Each(weights) => {
                let (found, expected) = (weights.len(), classes);
                if found != expected {
                    let what = "list of class weights".into();
                    return Err(Error::Length { what, found, expected });
                }
                Ok(weights.iter().map(|&weight| weight.into()).collect())
            }
        }
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

#[cfg(test)]
mod tests {
    use super::ClassWeights;

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
}
