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
pub(super) const NUMBERS: [&str; 33] = [
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
        // The last part of a key, if only one key has it.
        let ends = |setting: &&'static Setting| setting.key.rsplit('.').next() == Some(name);
        if let (Some(setting), 1) = (settings().find(ends), settings().filter(ends).count()) {
            return Ok(Self::Setting(setting));
        }
        let keys = settings().map(|setting| setting.key);
        let flags = settings().filter_map(|setting| Some(setting.flag?.0));
        let known: Vec<&str> = figures().copied().chain(flags).chain(keys).collect();
        let near = nearest_names(name, &known);
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
                None => setting.key.rsplit('.').next().unwrap_or(setting.key).into(),
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
