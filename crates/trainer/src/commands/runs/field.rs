//! What a run can be sorted, filtered and shown by: a figure of its summary, or a setting.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::NOTHING;
use super::found::RunRow;
use crate::error::{Error, Refused};
use crate::settings::{Kind, Presence, Setting, all, nearest_names};

/// Figures that are texts.
pub(super) const TEXTS: [&str; 9] =
    ["name", "path", "status", "time", "recipe", "run", "ended", "isa", "version"];

/// Figures that are numbers, or a list of them.
pub(super) const NUMBERS: [&str; 34] = [
    "seed",
    "layers",
    "parameters",
    "sparsity",
    "epochs",
    "kept_epoch",
    "train_samples",
    "held_out_samples",
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "best_val_loss",
    "best_val_loss_epoch",
    "best_val_accuracy",
    "best_val_accuracy_epoch",
    "test_accuracy",
    "test_errors",
    "test_rmse",
    "test_mae",
    "test_r2",
    "test_loss",
    "test_samples",
    "test_commonest",
    "train_seconds",
    "total_seconds",
    "saving_seconds",
    "samples_per_second",
    "gflops",
    "peak_rss_bytes",
    "threads",
    "ranks",
    "notes",
    "pid",
];

/// A figure or a setting.
#[derive(Clone, Copy, Debug)]
pub(super) enum Field {
    Figure(&'static str),
    Setting(&'static Setting),
}

impl Field {
    /// The figure or setting of this name. `what` is the flag that it comes from.
    pub(super) fn named(what: &str, name: &str) -> Result<Self, Error> {
        let name = name.trim();
        let figures = || TEXTS.iter().chain(&NUMBERS);
        if let Some(figure) = figures().find(|figure| **figure == name) {
            return Ok(Self::Figure(figure));
        }
        let is_named = |setting: &&'static Setting| {
            setting.key == name || setting.flag.is_some_and(|(flag, _)| flag == name)
        };
        if let Some(setting) = settings().find(is_named) {
            return Ok(Self::Setting(setting));
        }
        // The head of a column: `test acc`, which is also written test_acc.
        let joined = name.replace([' ', '-'], "_");
        let head = |figure: &'static str| Self::Figure(figure).head().replace(' ', "_");
        if let Some(figure) = figures().find(|f| **f == joined || head(f) == joined) {
            return Ok(Self::Figure(figure));
        }
        if let Some(setting) = ending(name) {
            return Ok(Self::Setting(setting));
        }
        // A near miss of a figure or its head stands for the figure, before any setting: a
        // setting such as `test` is nearer to `test_ac`, and has no order.
        let heads: Vec<_> = figures().map(|f| (head(f), *f)).collect();
        let known: Vec<&str> = heads.iter().flat_map(|(head, figure)| [&**head, *figure]).collect();
        let stands_for = |near: &str| {
            heads.iter().find(|(head, f)| head == near || *f == near).map(|(_, figure)| *figure)
        };
        let near = nearest_names(&name.replace(' ', "_"), &known);
        let mut near: Vec<&str> = near.into_iter().filter_map(stands_for).collect();
        near.dedup();
        if near.is_empty() {
            let flags = settings().filter_map(|setting| Some(setting.flag?.0));
            let known: Vec<_> = flags.chain(settings().map(|setting| setting.key)).collect();
            near = nearest_names(name, &known);
        }
        let meant = match &*near {
            [] => ", such as val_loss or training.lr".to_owned(),
            near => format!("; did you mean {}?", near.join(" or ")),
        };
        Err(Error::Value(Refused {
            what: what.to_owned(),
            found: if name.is_empty() { "empty".to_owned() } else { name.to_owned() },
            reason: format!("expected a figure of summary.json or a setting{meant}"),
        }))
    }

    /// What CSV calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Figure(figure) => figure,
            Self::Setting(setting) => setting.key,
        }
    }

    /// What a table calls it.
    pub(super) fn head(self) -> Cow<'static, str> {
        match self {
            Self::Figure("total_seconds") => "seconds".into(),
            Self::Figure(figure) => figure.replace("accuracy", "acc").replace('_', " ").into(),
            Self::Setting(setting) => match setting.flag {
                Some((flag, _)) => flag.into(),
                None => {
                    let end = end(setting.key);
                    let is_alone = ending(end).is_some();
                    (if is_alone { end } else { setting.key }).into()
                }
            },
        }
    }

    /// Its value in a run; null if the run has none.
    pub(super) fn value(self, run: &RunRow) -> Cow<'_, Value> {
        match self {
            Self::Figure(figure) => run.figure(figure),
            Self::Setting(setting) => match run.setting(setting.key) {
                Some(value) => Cow::Owned(value),
                // What most runs do not have is left out of their files.
                None if run.has_settings() && matches!(setting.presence, Presence::Always) => {
                    let usual = setting.kind.parse(setting.default);
                    Cow::Owned(usual.map_or(NOTHING, |usual| json(&usual)))
                }
                None => Cow::Owned(NOTHING),
            },
        }
    }

    /// Whether its values are numbers, which stand at the right of a column.
    pub(super) fn is_number(self) -> bool {
        match self {
            Self::Figure(figure) => NUMBERS.contains(&figure),
            Self::Setting(setting) => {
                matches!(setting.kind, Kind::Count(..) | Kind::Number(_) | Kind::Double(_))
            }
        }
    }

    /// Whether larger and smaller mean something.
    pub(super) fn has_order(self) -> bool {
        match self {
            Self::Figure(figure) => !["layers", "sparsity", "notes"].contains(&figure),
            Self::Setting(_) => self.is_number(),
        }
    }
}

/// The settings that a run has. (A schedule has its parts.)
pub(super) fn settings() -> impl Iterator<Item = &'static Setting> {
    all().filter(|setting| setting.key.contains('.') && !matches!(setting.kind, Kind::Schedule))
}

/// The last part of a key.
fn end(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

/// The setting whose key ends with this part, if there is only one.
fn ending(part: &str) -> Option<&'static Setting> {
    let mut found = settings().filter(|setting| end(setting.key) == part);
    found.next().filter(|_| found.next().is_none())
}

/// A value of a recipe as JSON has it.
pub(super) fn json(value: &toml::Value) -> Value {
    serde_json::to_value(value).unwrap_or(NOTHING)
}

/// A value as one text, for texts and lists: `256,256`.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(","),
        Value::Null => String::new(),
        value => value.to_string(),
    }
}

/// How runs are sorted.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) field: Field,
    is_falling: bool,
}

impl Order {
    /// Reads the value of `--sort`: a name, perhaps after a dash.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let name = text.strip_prefix('-');
        let field = Field::named("--sort", name.unwrap_or(text))?;
        Ok(Self { field, is_falling: name.is_some() })
    }

    pub(super) fn by_time() -> Self {
        Self { field: Field::Figure("time"), is_falling: false }
    }

    pub(super) fn compare(&self, a: &RunRow, b: &RunRow) -> Ordering {
        let [a, b] = [a, b].map(|run| self.field.value(run));
        let order = match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => text(&a).cmp(&text(&b)),
        };
        if self.is_falling { order.reverse() } else { order }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the table shows above a column chooses that column, with blanks or underscores.
    #[test]
    fn heads_of_the_table_are_names() {
        let figures: Vec<&str> = TEXTS.into_iter().chain(NUMBERS).collect();
        for figure in &figures {
            let head = Field::Figure(figure).head().into_owned();
            for typed in [head.replace(' ', "_"), head] {
                let found = Field::named("--sort", &typed).unwrap();
                assert_eq!(found.name(), *figure, "{typed}");
            }
        }
        // A figure counts before a setting of the same name.
        for setting in settings() {
            let head = Field::Setting(setting).head();
            if !figures.contains(&&*head) {
                let found = Field::named("--columns", &head).unwrap();
                assert_eq!(found.name(), setting.key, "{head}");
            }
        }
    }

    #[test]
    fn a_near_miss_of_a_head_is_a_figure() {
        for (typed, meant) in [
            ("test_ac", "test_accuracy"),
            ("tst acc", "test_accuracy"),
            ("val_acy", "val_accuracy"),
            ("test_accurcy", "test_accuracy"),
            ("second", "total_seconds"),
            ("batch-sise", "batch-size"),
        ] {
            let error = Field::named("--sort", typed).unwrap_err().to_string();
            assert!(error.ends_with(&format!("did you mean {meant}?")), "{typed}: {error}");
        }
    }
}
