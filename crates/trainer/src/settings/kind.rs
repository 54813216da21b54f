//! What values a setting takes: from the text of a command line to a value as
//! recipe files have it, and what is wrong with a value.

use mnist_io::ImageSize;
use nn::Activation;
use toml::Value;

use super::nearest;

/// The most hidden layers, and the most units of each. More is a slip of the
/// keyboard, and would end in a machine without memory instead of in an error.
const MOST_LAYERS: usize = 64;
const MOST_UNITS: i64 = 65_536;

/// The most rows or columns of an image.
const MOST_SIDE: usize = 4096;

/// The fewest: less is no image.
const LEAST_SIDE: usize = 4;

/// How a value is written: `100,50` or `[100, 50]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    CommandLine,
    File,
}

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
    /// A number that is used in `f32`.
    Number(Interval),
    /// A number that is used in `f64`.
    Double(Interval),
    /// One of these names.
    Name(&'static [&'static str]),
    /// Names that the data have, such as those of columns.
    Names,
    /// Rows and columns of an image: `28x28`.
    Size,
    /// The name of an activation; its parameter may follow a colon.
    Activation,
    /// Units of the hidden layers, first to last.
    Units,
    /// A weight for each class, or `balanced`.
    ClassWeights,
    /// The whole of `training.schedule`, which is a table: its parts are settings too.
    Schedule,
}

/// What is wrong with a value.
#[derive(Debug, PartialEq)]
pub(crate) enum Fault {
    /// It has another type, or is out of range.
    Range,
    /// It is out of range only when it is rounded to `f32`, which is this.
    Rounded(f32),
    /// What the owner of the setting says of it.
    Reason(String),
}

impl Kind {
    /// A whole number of at least `low`.
    pub(super) const fn at_least(low: i64) -> Self {
        Self::Count(low, i64::MAX)
    }

    /// The value that `text` stands for on a command line; nothing if it has another
    /// type. [`Kind::fault`] checks its range.
    pub(crate) fn parse(self, text: &str) -> Option<Value> {
        let trimmed = text.trim();
        let name = trimmed.to_ascii_lowercase();
        match self {
            Self::Text | Self::Path => Some(text.into()),
            Self::Switch => name.parse::<bool>().ok().map(Value::from),
            Self::Count(..) => trimmed.parse::<i64>().ok().map(Value::from),
            Self::Number(_) | Self::Double(_) => trimmed.parse::<f64>().ok().map(Value::from),
            Self::Name(_) | Self::Activation | Self::Size => Some(name.into()),
            Self::Names if name == "none" => Some(Value::Array(Vec::new())),
            Self::Names => list(text, |part| Some(part.to_owned())),
            Self::Units if name == "none" => Some(Value::Array(Vec::new())),
            Self::Units => list(text, |part| part.parse::<i64>().ok()),
            Self::ClassWeights if name == "balanced" => Some(name.into()),
            Self::ClassWeights => list(text, |part| part.parse::<f64>().ok()),
            Self::Schedule => None,
        }
    }

    /// What is wrong with a value of a recipe, if anything is.
    pub(crate) fn fault(self, value: &Value) -> Option<Fault> {
        let valid = match (self, value) {
            (Self::Text, Value::String(_)) | (Self::Switch, Value::Boolean(_)) => true,
            (Self::Path, Value::String(path)) => !path.is_empty() && !path.contains('\0'),
            (Self::Count(low, high), Value::Integer(n)) => (low..=high).contains(n),
            (Self::Number(range), _) => return fault_of_number(range, value),
            (Self::Double(range), _) => number(value).is_some_and(|x| range.contains(x)),
            (Self::Name(names), Value::String(name)) => names.contains(&&**name),
            (Self::Activation, Value::String(name)) => return fault_of_activation(name),
            (Self::Names, Value::Array(names)) => {
                names.iter().all(|name| name.as_str().is_some_and(|name| !name.is_empty()))
            }
            (Self::Size, Value::String(size)) => image_size(size).is_some(),
            (Self::Units, Value::Array(units)) => {
                let in_range =
                    |n: &Value| n.as_integer().is_some_and(|n| (1..=MOST_UNITS).contains(&n));
                units.len() <= MOST_LAYERS && units.iter().all(in_range)
            }
            (Self::ClassWeights, Value::String(word)) => word == "balanced",
            (Self::ClassWeights, Value::Array(weights)) => {
                let fault = weights.iter().find_map(|x| fault_of_number(Interval::AtLeast(0.0), x));
                if fault.is_some() {
                    return fault;
                }
                weights.iter().filter_map(number).any(|weight| weight as f32 > 0.0)
            }
            (Self::Schedule, Value::Table(_)) => true,
            _ => false,
        };
        (!valid).then_some(Fault::Range)
    }

    /// What values there are, as errors and `--help` say it.
    pub(crate) fn range(self, notation: Notation) -> String {
        let of_file = notation == Notation::File;
        match self {
            Self::Text => "a text".to_owned(),
            Self::Path => "a path".to_owned(),
            Self::Switch => "true or false".to_owned(),
            Self::Count(low, i64::MAX) => format!("a whole number from {low} to 2^63 - 1"),
            Self::Count(low, high) => format!("a whole number from {low} to {high}"),
            Self::Number(range) | Self::Double(range) => range.to_string(),
            Self::Name(_) | Self::Activation => format!("one of {}", self.names().join(", ")),
            Self::Names if of_file => "a list of texts".to_owned(),
            Self::Names => "names with commas between them, or none".to_owned(),
            Self::Size => format!("rows and columns from {LEAST_SIDE} to {MOST_SIDE}, as in 28x28"),
            Self::Units => {
                let range = format!(
                    "units from 1 to {MOST_UNITS} for each of at most {MOST_LAYERS} layers"
                );
                if of_file { format!("a list of {range}") } else { range + ", or none" }
            }
            Self::ClassWeights if of_file => {
                "a list with a number of at least 0 for each class, not all 0, or \"balanced\""
                    .to_owned()
            }
            Self::ClassWeights => {
                "a number of at least 0 for each class, not all 0, or balanced".to_owned()
            }
            Self::Schedule if of_file => "a table".to_owned(),
            Self::Schedule => "a kind of schedule".to_owned(),
        }
    }

    /// A value that is written so on a command line, in this notation.
    pub(crate) fn written(self, text: &str, notation: Notation) -> String {
        match self {
            _ if notation == Notation::CommandLine => text.to_owned(),
            Self::Text | Self::Path | Self::Name(_) | Self::Activation | Self::Size => {
                format!("\"{text}\"")
            }
            Self::Names => format!("[\"{}\"]", text.replace(',', "\", \"")),
            Self::Schedule => format!("{{ kind = \"{text}\" }}"),
            Self::Units | Self::ClassWeights => format!("[{}]", text.replace(',', ", ")),
            _ => text.to_owned(),
        }
    }

    /// What was probably meant by a wrong value, as one writes it on a command line.
    pub(crate) fn meant(self, text: &str) -> Vec<String> {
        let text = text.trim().trim_matches(['"', '\'']);
        let guesses = match self {
            Self::Name(_) | Self::Activation => {
                let (name, parameter) = text.split_at(text.find(':').unwrap_or(text.len()));
                let parameter = if matches!(self, Self::Activation) { parameter } else { "" };
                let names = nearest::names(name, &self.names());
                names.iter().map(|name| format!("{name}{parameter}")).collect()
            }
            Self::Count(..) => {
                let digits: String = text.chars().filter(|c| !",_' ".contains(*c)).collect();
                let whole = text.parse::<f64>().map(|x| x.to_string()).unwrap_or_default();
                vec![whole, digits]
            }
            Self::Number(_) | Self::Double(_) => {
                let percent = text.strip_suffix('%').and_then(|x| x.trim().parse::<f64>().ok());
                let share = percent.map_or_else(String::new, |x| (x / 100.0).to_string());
                vec![text.replace(',', "."), text.to_owned(), share]
            }
            Self::Units => {
                let is_list = |c: char| c.is_ascii_digit() || ",;:x[]() ".contains(c);
                let units = text.split(|c: char| !c.is_ascii_digit()).filter(|x| !x.is_empty());
                let units = units.collect::<Vec<_>>().join(",");
                vec![if text.chars().all(is_list) { units } else { String::new() }]
            }
            Self::ClassWeights => {
                let parts = text.split(|c: char| c.is_whitespace() || ";,[]".contains(c));
                vec![parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(",")]
            }
            Self::Switch => match &*text.to_ascii_lowercase() {
                "yes" | "on" | "1" | "true" => vec!["true".to_owned()],
                "no" | "off" | "0" | "false" | "none" => vec!["false".to_owned()],
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        let fits =
            |guess: &String| self.parse(guess).is_some_and(|value| self.fault(&value).is_none());
        guesses.into_iter().filter(fits).collect()
    }

    /// The names that it chooses from.
    pub(crate) fn names(self) -> Vec<&'static str> {
        match self {
            Self::Name(names) => names.to_vec(),
            Self::Activation => Activation::ALL.map(|(_, name)| name).to_vec(),
            _ => Vec::new(),
        }
    }
}

/// Rows and columns that a text such as `28x28` names.
pub(crate) fn image_size(text: &str) -> Option<ImageSize> {
    let side =
        |text: &str| text.parse().ok().filter(|side| (LEAST_SIDE..=MOST_SIDE).contains(side));
    let (rows, cols) = text.split_once('x')?;
    Some(ImageSize { rows: side(rows)?, cols: side(cols)? })
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

/// The fault of a number that is used in `f32`.
fn fault_of_number(range: Interval, value: &Value) -> Option<Fault> {
    let Some(x) = number(value) else { return Some(Fault::Range) };
    let rounded = x as f32;
    if range.contains(rounded.into()) {
        None
    } else if range.contains(x) {
        Some(Fault::Rounded(rounded))
    } else {
        Some(Fault::Range)
    }
}

fn fault_of_activation(text: &str) -> Option<Fault> {
    let error = text.parse::<Activation>().err()?;
    let (name, parameter) = text.split_once(':').unwrap_or((text, ""));
    let known = Activation::ALL.iter().any(|(_, known)| *known == name);
    Some(match error {
        nn::Error::Unknown { .. } if !known => Fault::Range,
        nn::Error::Unknown { .. } => {
            Fault::Reason(format!("{name} cannot take `{parameter}` as its parameter"))
        }
        error => Fault::Reason(error.to_string()),
    })
}

/// The names of a table such as `Init::ALL`.
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
    /// `(0, 1)`.
    ProperShare,
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
                Self::ProperShare => x > 0.0 && x < 1.0,
            }
    }
}

impl std::fmt::Display for Interval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtLeast(low) => write!(f, "a finite number of at least {low}"),
            Self::Above(low) => write!(f, "a finite number above {low}"),
            Self::Within(low, high) => write!(f, "a number from {low} to {high}"),
            Self::Share => f.write_str("a number of at least 0 and below 1"),
            Self::PositiveShare => f.write_str("a number above 0 and at most 1"),
            Self::ProperShare => f.write_str("a number above 0 and below 1"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_units() {
        let units = |list: &[i64]| Some(Value::from(list.to_vec()));
        assert_eq!(Kind::Units.parse("100,50"), units(&[100, 50]));
        assert_eq!(Kind::Units.parse(" 100, 50"), units(&[100, 50]));
        assert_eq!(Kind::Units.parse("None"), units(&[]));
        for wrong in ["", "100,", "a", "1.5", "100;50"] {
            assert_eq!(Kind::Units.parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn weights_of_classes() {
        let kind = Kind::ClassWeights;
        assert_eq!(kind.parse("Balanced"), Some("balanced".into()));
        assert_eq!(kind.parse("1, 0.5"), Some(vec![1.0, 0.5].into()));
        for wrong in ["", "even", "1,", "1;2"] {
            assert_eq!(kind.parse(wrong), None, "{wrong}");
        }
        for wrong in [vec![-1.0, 1.0], vec![0.0, 0.0], vec![f64::INFINITY], vec![], vec![1e-50]] {
            assert!(kind.fault(&wrong.clone().into()).is_some(), "{wrong:?}");
        }
    }

    #[test]
    fn what_was_meant() {
        let share = Kind::Number(Interval::Share);
        let epochs = Kind::Count(1, 1_000_000);
        for (kind, typed, meant) in [
            (share, "0,1", Some("0.1")),
            (share, "10%", Some("0.1")),
            (share, "\"0.1\"", Some("0.1")),
            (share, "1,1", None),
            (share, "a tenth", None),
            (epochs, "5.0", Some("5")),
            (epochs, "1e3", Some("1000")),
            (epochs, "10,000", Some("10000")),
            (epochs, "10_000", Some("10000")),
            (epochs, "2.5", None),
            (epochs, "-5", None),
            (Kind::Units, "100 50", Some("100,50")),
            (Kind::Units, "[100, 50]", Some("100,50")),
            (Kind::Units, "100x50", Some("100,50")),
            (Kind::Units, "-5", None),
            (Kind::Units, "1.5", None),
            (Kind::ClassWeights, "[1; 2.5]", Some("1,2.5")),
            (Kind::ClassWeights, "a b", None),
            (Kind::Name(&["adam"]), "adam:0.9", Some("adam")),
            (Kind::Switch, "yes", Some("true")),
            (Kind::Switch, "maybe", None),
            (Kind::Activation, "rleu", Some("relu")),
            (Kind::Activation, "leaky_relu:0.1", Some("leaky-relu:0.1")),
            (Kind::Activation, "softplus", None),
            (Kind::Text, "x", None),
        ] {
            assert_eq!(kind.meant(typed).first().map(String::as_str), meant, "{typed}");
        }
    }

    #[test]
    fn numbers_that_f32_cannot_hold() {
        let fault = |range, x: f64| Kind::Number(range).fault(&x.into());
        assert_eq!(fault(Interval::Above(0.0), 1e-50), Some(Fault::Rounded(0.0)));
        assert_eq!(fault(Interval::Above(0.0), 1e39), Some(Fault::Rounded(f32::INFINITY)));
        assert_eq!(fault(Interval::Share, 0.999_999_999_99), Some(Fault::Rounded(1.0)));
        assert_eq!(fault(Interval::AtLeast(0.0), 1e-50), None);
        assert_eq!(Kind::Double(Interval::AtLeast(0.0)).fault(&1e39.into()), None);
    }

    #[test]
    fn intervals_and_their_ends() {
        use Interval::{Above, AtLeast, PositiveShare, ProperShare, Share, Within};
        for (range, inside, outside) in [
            (AtLeast(0.0), [0.0, 1e30], [-1e-9, -1.0]),
            (Above(0.0), [1e-9, 1e30], [0.0, -1.0]),
            (Within(0.1, 2.0), [0.1, 2.0], [0.09, 2.1]),
            (Share, [0.0, 0.999], [1.0, -0.1]),
            (PositiveShare, [1e-9, 1.0], [0.0, 1.1]),
            (ProperShare, [1e-9, 0.999], [0.0, 1.0]),
        ] {
            assert!(inside.iter().all(|x| range.contains(*x)), "{range}");
            assert!(!outside.iter().any(|x| range.contains(*x)), "{range}");
            for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                assert!(!range.contains(x), "{range}: {x}");
            }
        }
    }
}
