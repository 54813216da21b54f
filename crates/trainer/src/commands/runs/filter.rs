//! `--filter`: a name, a comparison and a value.

use std::cmp::Ordering;

use serde_json::Value;

use super::field::{Field, TEXTS, text};
use super::found::RunRow;
use crate::error::{Error, Refused};
use crate::settings::Kind;

/// A condition that a run fits or not.
#[derive(Debug)]
pub(super) struct Filter {
    field: Field,
    comparison: Comparison,
    wanted: Wanted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
    Contains,
}

/// The signs, those first of which another is the beginning.
const SIGNS: [(&str, Comparison); 8] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("!=", Comparison::NotEqual),
    ("==", Comparison::Equal),
    ("=", Comparison::Equal),
    ("<", Comparison::Less),
    (">", Comparison::More),
    ("~", Comparison::Contains),
];

#[derive(Debug, PartialEq)]
enum Wanted {
    None,
    Number(f64),
    /// In lower case.
    Text(String),
}

impl Filter {
    /// Reads a condition, such as `training.lr>=0.01`.
    pub(super) fn parse(condition: &str) -> Result<Self, Error> {
        let refused = |found: &str, reason: String| {
            let (what, found) = ("--filter".to_owned(), found.to_owned());
            Err(Error::Value(Refused { what, found, reason }))
        };
        let start = condition.find(['<', '>', '=', '!', '~']).unwrap_or(condition.len());
        let (name, rest) = condition.split_at(start);
        let sign = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign));
        let Some((sign, comparison)) = sign else {
            return refused(
                condition,
                "expected NAME, then =, !=, <, <=, >, >= or ~, then a value, such as \
                 'val_loss<0.1' or status=done"
                    .to_owned(),
            );
        };
        let (field, comparison) = (Field::named("--filter", name)?, *comparison);
        let wanted = rest[sign.len()..].trim();
        let has_order =
            !matches!(comparison, Comparison::Equal | Comparison::NotEqual | Comparison::Contains);
        // Times are texts whose order is that of time.
        let is_time = matches!(field, Field::Figure("time"));
        if has_order && !field.has_order() && !is_time {
            return refused(condition, format!("{} takes =, != and ~", name.trim()));
        }
        let wanted = match Wanted::of(field, wanted) {
            Some(_) if comparison == Comparison::Contains => Wanted::Text(wanted.to_lowercase()),
            Some(Wanted::None) if has_order => {
                return refused(condition, "none takes = and !=".to_owned());
            }
            Some(wanted) => wanted,
            None => {
                let expected = match field {
                    Field::Figure(_) => "a number or none".to_owned(),
                    Field::Setting(setting) => {
                        setting.kind.range(crate::settings::Notation::CommandLine)
                    }
                };
                return refused(condition, format!("expected {expected} after {sign}"));
            }
        };
        Ok(Self { field, comparison, wanted })
    }

    pub(super) fn fits(&self, run: &RunRow) -> bool {
        let value = self.field.value(run);
        let order = self.order(&value);
        match self.comparison {
            Comparison::Equal => order == Some(Ordering::Equal),
            Comparison::NotEqual => order != Some(Ordering::Equal),
            Comparison::Less => order == Some(Ordering::Less),
            Comparison::AtMost => order.is_some_and(Ordering::is_le),
            Comparison::More => order == Some(Ordering::Greater),
            Comparison::AtLeast => order.is_some_and(Ordering::is_ge),
            Comparison::Contains => match &self.wanted {
                Wanted::Text(part) => text(&value).to_lowercase().contains(part),
                _ => false,
            },
        }
    }

    /// How a value compares with what is wanted. `None` if they do not.
    fn order(&self, value: &Value) -> Option<Ordering> {
        match (&self.wanted, value) {
            (Wanted::None, Value::Null) => Some(Ordering::Equal),
            (Wanted::None, _) | (_, Value::Null) => None,
            (Wanted::Number(wanted), value) => value.as_f64()?.partial_cmp(wanted),
            (Wanted::Text(wanted), value) => Some(text(value).to_lowercase().cmp(wanted)),
        }
    }
}

impl Wanted {
    /// The value that a text stands for beside this figure or setting; `None` if it has
    /// another type.
    fn of(field: Field, found: &str) -> Option<Self> {
        let is_none = found.eq_ignore_ascii_case("none") || found.eq_ignore_ascii_case("null");
        let list = found.trim_start_matches('[').trim_end_matches(']');
        let list: String = list.chars().filter(|c| !c.is_whitespace()).collect();
        match field {
            Field::Setting(setting) => match setting.kind {
                Kind::Units if is_none => Some(Self::Text(String::new())),
                _ if is_none => Some(Self::None),
                Kind::Units | Kind::ClassWeights => {
                    setting.kind.parse(&list).map(|_| Self::Text(list.to_lowercase()))
                }
                Kind::Names => Some(Self::Text(list.to_lowercase())),
                Kind::Count(..) | Kind::Number(_) | Kind::Double(_) => number(found),
                _ => setting.kind.parse(found).map(|_| Self::Text(found.to_lowercase())),
            },
            _ if is_none => Some(Self::None),
            Field::Figure(figure) if TEXTS.contains(&figure) => {
                Some(Self::Text(found.to_lowercase()))
            }
            Field::Figure("layers" | "sparsity" | "notes") => Some(Self::Text(list)),
            Field::Figure(_) => number(found),
        }
    }
}

/// A number, or a share in percent: `98.5%`.
fn number(text: &str) -> Option<Wanted> {
    let (digits, unit) = match text.strip_suffix('%') {
        Some(digits) => (digits.trim_end(), 0.01),
        None => (text, 1.0),
    };
    let number: f64 = digits.parse().ok().filter(|x: &f64| !x.is_nan())?;
    Some(Wanted::Number(if unit == 1.0 { number } else { number / 100.0 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(summary: &str, settings: &str) -> RunRow {
        RunRow::of_texts("x", summary, settings)
    }

    #[test]
    fn conditions() {
        let summary = r#"{"status": "done", "recipe": "default", "val_loss": 0.25, "epochs": 3,
            "val_accuracy": 0.985, "layers": [784, 256, 10], "test_loss": null,
            "time": "2026-11-25T20:05:18Z"}"#;
        let settings = "[network]\nhidden = [256, 128]\nactivation = \"relu\"\n\
                        [training]\nlr = 0.01\nseed = 7\nshuffle = true\n\
                        [training.optimizer]\nkind = \"adam\"\n[data]\ndir = \"Data\"\n";
        let run = run(summary, settings);
        for (condition, fits) in [
            ("status=done", true),
            ("status=Done", true),
            ("status!=done", false),
            ("status=stopped", false),
            ("recipe~fau", true),
            ("val_loss<0.25", false),
            ("val_loss<=0.25", true),
            ("val_loss > 0.2", true),
            ("val_accuracy>=98.5%", true),
            ("val_accuracy>98.5 %", false),
            ("training.lr>=0.01", true),
            ("lr=1e-2", true),
            ("lr==0.010", true),
            ("lr!=0.01", false),
            ("hidden=[256, 128]", true),
            ("network.hidden=256,128", true),
            ("network.hidden=256", false),
            ("network.hidden=none", false),
            ("network.hidden~256", true),
            ("layers=784,256,10", true),
            ("optimizer=ADAM", true),
            ("optimizer=sgd", false),
            ("shuffle=true", true),
            ("data=data", true),
            // What the run does not have.
            ("test_loss=none", true),
            ("test_loss!=none", false),
            ("test_loss<1", false),
            ("test_loss!=1", true),
            ("batch-norm=none", true),
            ("batch-norm=50", false),
            ("batch-norm!=50", true),
            // A default that files leave out.
            ("data.task=auto", true),
            ("data.test-fraction=0.2", true),
            ("time>=2026-11", true),
            ("time<2026-11-25", false),
        ] {
            let filter = Filter::parse(condition).unwrap();
            assert_eq!(filter.fits(&run), fits, "{condition}");
        }
    }

    #[test]
    fn what_is_no_condition() {
        for (condition, part) in [
            ("", "expected NAME, then =, !=, <, <=, >, >= or ~, then a value"),
            ("status", "expected NAME, then"),
            ("=1", "is empty: expected a figure of summary.json or a setting"),
            ("val_los<1", "did you mean val_loss"),
            ("training.lrr<1", "did you mean training.lr?"),
            ("zzzzzz=1", "such as val_loss or training.lr"),
            ("val_loss<much", "expected a number or none after <"),
            ("lr=fast", "expected a finite number above 0 after ="),
            ("hidden>5", "hidden takes =, != and ~"),
            ("hidden=x", "expected units from 1"),
            ("optimizer=adma", "adma"),
            ("lr<none", "none takes = and !="),
            ("lr<nan", "expected a finite number"),
        ] {
            match Filter::parse(condition) {
                Err(error) => {
                    let error = error.to_string();
                    assert!(error.starts_with("--filter is ") && error.contains(part), "{error}");
                }
                // A name that no run has fits none.
                Ok(filter) => {
                    assert_eq!(part, "adma", "{condition}");
                    assert!(!filter.fits(&run("{}", "training.optimizer.kind = \"adam\"")));
                }
            }
        }
    }
}
