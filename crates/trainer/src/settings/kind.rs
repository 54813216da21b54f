//! What values a setting takes: from the text of a command line to a value as
//! recipe files have it, and whether that is in range.

use std::fmt;

use serde::de::value::Error as NameError;
use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::Value;

use super::schedule;

/// The most hidden layers, and the most units of each. More is a slip of the
/// keyboard, and would end in a machine without memory instead of in an error.
const MOST_LAYERS: usize = 64;
const MOST_UNITS: i64 = 65_536;

/// The type and the range of a setting.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Text,
    Path,
    /// `true` or `false`; as a flag, its name alone is `true`.
    Switch,
    /// A whole number between two bounds, both included. TOML's integers are
    /// signed, so nothing above `i64::MAX` could be written to a file.
    Count(i64, i64),
    Number(Interval),
    Name(Names),
    /// Units of the hidden layers, first to last.
    Units,
    /// A weight for each class, or `balanced`.
    ClassWeights,
    /// The whole of `training.schedule`, on one line.
    Schedule,
}

/// The names that a setting chooses from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    pub(crate) names: &'static [&'static str],
    /// What is wrong with a name.
    pub(crate) check: fn(&str) -> Result<(), String>,
}

impl Kind {
    /// A whole number of at least `low`.
    pub(super) const fn at_least(low: i64) -> Self {
        Self::Count(low, i64::MAX)
    }

    /// The value that `text` stands for on a command line. [`Kind::contains`] checks
    /// its range.
    ///
    /// # Errors
    /// What a name is no name of, or nothing, if only the type is wrong.
    pub(crate) fn parse(&self, text: &str) -> Result<Value, Option<String>> {
        let trimmed = text.trim();
        let value = match self {
            Self::Text => Some(Value::from(text)),
            Self::Path => (!text.is_empty()).then(|| text.into()),
            Self::Switch => trimmed.parse::<bool>().ok().map(Value::from),
            Self::Count(..) => trimmed.parse().ok().filter(|n: &i64| *n >= 0).map(Value::from),
            Self::Number(_) => trimmed.parse::<f64>().ok().map(Value::from),
            Self::Name(names) => {
                (names.check)(trimmed).map_err(Some)?;
                Some(trimmed.into())
            }
            Self::Units if matches!(trimmed, "" | "none") => Some(Value::Array(Vec::new())),
            Self::Units => list(text, |part| part.parse::<i64>().ok().filter(|n| *n >= 0)),
            Self::ClassWeights if trimmed == "balanced" => Some(trimmed.into()),
            Self::ClassWeights => list(text, |part| part.parse::<f64>().ok()),
            Self::Schedule => Some(schedule::parse(text)?.into()),
        };
        value.ok_or(None)
    }

    /// Whether the range has this value. Of a value that has another type, serde
    /// says so.
    pub(crate) fn contains(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Count(low, high), Value::Integer(n)) => (low..=high).contains(&n),
            (Self::Number(range), value) => number(value).is_none_or(|x| range.contains(x)),
            (Self::Units, Value::Array(units)) => {
                let in_range =
                    |n: &Value| n.as_integer().is_none_or(|n| (1..=MOST_UNITS).contains(&n));
                units.len() <= MOST_LAYERS && units.iter().all(in_range)
            }
            (Self::ClassWeights, Value::Array(weights)) => {
                let weights: Vec<f64> = weights.iter().filter_map(number).collect();
                let valid = |weight: &f64| weight.is_finite() && *weight >= 0.0;
                weights.iter().all(valid) && weights.iter().any(|weight| *weight > 0.0)
            }
            _ => true,
        }
    }
}

/// What values there are, as errors and `--help` say it.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("a text"),
            Self::Path => f.write_str("a path"),
            Self::Switch => f.write_str("true or false"),
            Self::Count(low, i64::MAX) => write!(f, "a whole number of at least {low}"),
            Self::Count(low, high) => write!(f, "a whole number from {low} to {high}"),
            Self::Number(range) => range.fmt(f),
            Self::Name(Names { names, .. }) => write!(f, "one of {}", names.join(", ")),
            Self::Units => write!(
                f,
                "units from 1 to {MOST_UNITS} for each of at most {MOST_LAYERS} layers, or none"
            ),
            Self::ClassWeights => {
                f.write_str("a number of at least 0 for each class, not all 0, or balanced")
            }
            Self::Schedule => {
                write!(f, "one of {}", schedule::KINDS.join(", "))
            }
        }
    }
}

/// A list that is parted by commas, if `element` can read each element.
fn list<T: Into<Value>>(text: &str, element: impl Fn(&str) -> Option<T>) -> Option<Value> {
    let elements: Option<Vec<Value>> =
        text.split(',').map(|part| element(part.trim()).map(Into::into)).collect();
    elements.map(Value::Array)
}

/// TOML's integers stand for real numbers too.
fn number(value: &Value) -> Option<f64> {
    value.as_float().or(value.as_integer().map(|n| n as f64))
}

/// A check of [`Names`]: reads a name as recipe files do, so that `nn` alone knows
/// what names there are.
pub(super) fn named<T: DeserializeOwned>(name: &str) -> Result<(), String> {
    let name = name.into_deserializer();
    T::deserialize(name).map(|_| ()).map_err(|error: NameError| error.to_string())
}

/// The names of a table such as `Activation::ALL`.
pub(super) const fn names_of<T, const N: usize>(all: &[(T, &'static str); N]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut i = 0;
    while i < N {
        names[i] = all[i].1;
        i += 1;
    }
    names
}

/// A range of real numbers; none contains NaN or an infinity.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Interval {
    AtLeast(f64),
    Above(f64),
    /// Both ends included.
    Within(f64, f64),
    /// `[0, 1)`.
    Share,
    /// `(0, 1]`.
    PositiveShare,
}

impl Interval {
    fn contains(self, x: f64) -> bool {
        x.is_finite()
            && match self {
                Self::AtLeast(low) => x >= low,
                Self::Above(low) => x > low,
                Self::Within(low, high) => (low..=high).contains(&x),
                Self::Share => (0.0..1.0).contains(&x),
                Self::PositiveShare => x > 0.0 && x <= 1.0,
            }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(low) => write!(f, "a finite number of at least {low}"),
            Self::Above(low) => write!(f, "a finite number above {low}"),
            Self::Within(low, high) => write!(f, "a number from {low} to {high}"),
            Self::Share => f.write_str("a number of at least 0 and below 1"),
            Self::PositiveShare => f.write_str("a number above 0 and at most 1"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_units() {
        let units = |list: &[i64]| Ok(Value::from(list.to_vec()));
        assert_eq!(Kind::Units.parse("100,50"), units(&[100, 50]));
        assert_eq!(Kind::Units.parse(" 100, 50"), units(&[100, 50]));
        assert_eq!(Kind::Units.parse(""), units(&[]));
        assert_eq!(Kind::Units.parse("none"), units(&[]));
        for wrong in ["100,", "a", "-1", "1.5", "100;50"] {
            assert_eq!(Kind::Units.parse(wrong), Err(None), "{wrong}");
        }
    }

    #[test]
    fn weights_of_classes() {
        let kind = Kind::ClassWeights;
        assert_eq!(kind.parse("balanced"), Ok("balanced".into()));
        assert_eq!(kind.parse("1, 0.5"), Ok(vec![1.0, 0.5].into()));
        for wrong in ["", "even", "1,", "1;2"] {
            assert_eq!(kind.parse(wrong), Err(None), "{wrong}");
        }
        for out_of_range in [vec![-1.0, 1.0], vec![0.0, 0.0], vec![f64::INFINITY], vec![]] {
            assert!(!kind.contains(&out_of_range.clone().into()), "{out_of_range:?}");
        }
    }

    #[test]
    fn counts_are_not_negative_and_fit_toml() {
        let kind = Kind::at_least(1);
        assert_eq!(kind.parse(" 20"), Ok(20.into()));
        for wrong in ["", "-1", "1.5", "no", "9223372036854775808"] {
            assert_eq!(kind.parse(wrong), Err(None), "{wrong}");
        }
        assert!(kind.contains(&1.into()) && !kind.contains(&0.into()));
    }

    #[test]
    fn intervals_and_their_ends() {
        use Interval::{Above, AtLeast, PositiveShare, Share, Within};
        for (range, inside, outside) in [
            (AtLeast(0.0), [0.0, 1e30], [-1e-9, -1.0]),
            (Above(0.0), [1e-9, 1e30], [0.0, -1.0]),
            (Within(0.1, 2.0), [0.1, 2.0], [0.09, 2.1]),
            (Share, [0.0, 0.999], [1.0, -0.1]),
            (PositiveShare, [1e-9, 1.0], [0.0, 1.1]),
        ] {
            assert!(inside.iter().all(|x| range.contains(*x)), "{range}");
            assert!(!outside.iter().any(|x| range.contains(*x)), "{range}");
            for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                assert!(!range.contains(x), "{range}: {x}");
            }
        }
    }
}
