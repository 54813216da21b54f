//! What the command line changes of a recipe: flags, which stand for a key each, and
//! `--set`, which takes any key.

use toml::{Table, Value};

use super::kind::Kind;
use super::setting::{Presence, Setting};
use super::{nearest, table};
use crate::error::{Error, Range};

/// One setting, as the command line gives it.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    setting: &'static Setting,
    /// None deletes the setting.
    value: Option<Value>,
    /// The flag or key as it was typed, for errors.
    typed: String,
    text: String,
}

/// All changes of a command line, in its order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edits(pub(super) Vec<Edit>);

/// Reads the value of a flag, `--elastic 20:4`.
pub(super) fn parse_flag(setting: &'static Setting, text: &str) -> Result<Vec<Edit>, String> {
    parse(setting, setting.on_command_line(), text)
}

/// Reads the value of `--set`, `KEY=VALUE`.
pub(super) fn parse_set(text: &str) -> Result<Vec<Edit>, String> {
    let (key, value) =
        text.split_once('=').ok_or("expected KEY=VALUE, such as training.lr=0.003")?;
    let key = key.trim();
    let setting = table::find(key).ok_or_else(|| nearest::unknown(key))?;
    parse(setting, format!("--set {key}"), value)
}

/// An edit of the setting, and one of a second setting if the text has a colon and
/// the setting a use for it.
fn parse(setting: &'static Setting, typed: String, text: &str) -> Result<Vec<Edit>, String> {
    let (text, second) = match (setting.after_colon.and_then(table::find), text.split_once(':')) {
        (Some(second), Some((first, rest))) => (first, Some((second, rest))),
        _ => (text, None),
    };
    let mut edits = Vec::new();
    if let Some((second, text)) = second {
        let value = second.kind.parse(text).map_err(|error| {
            error.unwrap_or_else(|| format!("`{text}`: expected {}", second.expected()))
        })?;
        let typed = format!("the second number of {typed}");
        edits.push(Edit { setting: second, value: Some(value), typed, text: text.to_owned() });
    }
    let value = match (setting.presence, setting.kind, text.trim()) {
        (Presence::OrNone(_), _, "none") | (Presence::OrNone(_), Kind::Count(..), "0") => None,
        _ => {
            let value = setting.kind.parse(text);
            let expected = || format!("expected {}", setting.expected());
            Some(value.map_err(|error| error.unwrap_or_else(expected))?)
        }
    };
    edits.push(Edit { setting, value, typed, text: text.to_owned() });
    Ok(edits)
}

impl Edits {
    /// Changes a recipe. It has all of its keys: those that a file left out are at
    /// their defaults. Of several edits of one key the last counts, and an edit
    /// of a whole table ends those of its keys that were typed before it.
    ///
    /// # Errors
    /// A value out of range, or a setting that this recipe has no use for.
    pub(crate) fn apply(&self, recipe: &mut Table) -> Result<(), Error> {
        for setting in table::all() {
            let Some(last) = self.0.iter().rposition(|edit| edit.setting.key == setting.key) else {
                continue;
            };
            let replaces = |later: &Edit| {
                let rest = setting.key.strip_prefix(later.setting.key);
                rest.is_some_and(|rest| rest.starts_with('.'))
            };
            if !self.0[last + 1..].iter().any(replaces) {
                self.0[last].apply(recipe)?;
            }
        }
        check_parameters(recipe)
    }
}

impl Edit {
    fn apply(&self, recipe: &mut Table) -> Result<(), Error> {
        let key = self.setting.key;
        let Some(value) = &self.value else {
            if let Presence::OrNone(path) = self.setting.presence {
                let (parent, name) = split(path);
                table_at(recipe, parent).remove(name);
            }
            return Ok(());
        };
        self.check_range(value)?;
        self.check_presence(recipe)?;
        let (parent, name) = split(key);
        let table = table_at(recipe, parent);
        if name == "kind" && table.get(name) != Some(value) {
            // The parameters of the old kind are none of the new one.
            table.retain(|name, _| !is_parameter(&format!("{parent}.{name}")));
        }
        table.insert(name.to_owned(), value.clone());
        Ok(())
    }

    fn check_range(&self, value: &Value) -> Result<(), Error> {
        let check = |setting: &Setting, value: &Value, what: &str, found: String| {
            if setting.kind.contains(value) {
                return Ok(());
            }
            Err(Range { what: what.to_owned(), found, expected: setting.expected() })
        };
        check(self.setting, value, &self.typed, self.text.trim().to_owned())?;
        for (name, value) in value.as_table().into_iter().flatten() {
            if let Some(setting) = table::find(&format!("{}.{name}", self.setting.key)) {
                check(setting, value, &format!("{name} of {}", self.typed), value.to_string())?;
            }
        }
        Ok(())
    }

    /// Checks that the recipe has a use for the setting.
    fn check_presence(&self, recipe: &Table) -> Result<(), Error> {
        match self.setting.presence {
            Presence::Always | Presence::OrNone(_) => Ok(()),
            Presence::In(path) => match value_at(recipe, path) {
                Some(_) => Ok(()),
                None => Err(Error::Off {
                    what: self.typed.clone(),
                    table: path,
                    switch: switch_of(path).map_or_else(String::new, with_value_name),
                }),
            },
            Presence::Of(kinds) => {
                let (parent, _) = split(self.setting.key);
                let key = format!("{parent}.kind");
                match value_at(recipe, &key).and_then(Value::as_str) {
                    Some(kind) if kinds.contains(&kind) => Ok(()),
                    kind => Err(Error::OtherKind {
                        what: self.typed.clone(),
                        kinds: and(kinds),
                        name: split(parent).1.to_owned(),
                        kind: kind.unwrap_or("none").to_owned(),
                        switch: table::find(&key).map_or(key, Setting::on_command_line),
                    }),
                }
            }
        }
    }
}

/// Checks that each kind has the parameters that have no default.
fn check_parameters(recipe: &Table) -> Result<(), Error> {
    for setting in table::all() {
        let Presence::Of(kinds) = setting.presence else { continue };
        let (parent, name) = split(setting.key);
        let Some(table) = value_at(recipe, parent).and_then(Value::as_table) else { continue };
        let Some(kind) = table.get("kind").and_then(Value::as_str) else { continue };
        if kinds.contains(&kind) && setting.default_of(kind).is_none() && !table.contains_key(name)
        {
            return Err(Error::NoParameter {
                name: split(parent).1.to_owned(),
                kind: kind.to_owned(),
                key: setting.key,
                example: setting.example,
            });
        }
    }
    Ok(())
}

/// Whether the setting of this key belongs to some kinds only.
fn is_parameter(key: &str) -> bool {
    table::find(key).is_some_and(|setting| matches!(setting.presence, Presence::Of(_)))
}

/// The setting that turns a table on.
fn switch_of(path: &str) -> Option<&'static Setting> {
    table::all().find(|s| matches!(s.presence, Presence::OrNone(table) if table == path))
}

fn with_value_name(setting: &Setting) -> String {
    format!("{} {}", setting.on_command_line(), setting.value_name)
}

/// `a, b and c`.
fn and(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A dotted key as the path of its table, empty for the whole recipe, and its name.
fn split(key: &str) -> (&str, &str) {
    key.rsplit_once('.').unwrap_or(("", key))
}

fn value_at<'a>(recipe: &'a Table, key: &str) -> Option<&'a Value> {
    let (parent, name) = split(key);
    if parent.is_empty() {
        return recipe.get(name);
    }
    value_at(recipe, parent)?.as_table()?.get(name)
}

/// The table at a path; a new one if the recipe has none there.
fn table_at<'a>(recipe: &'a mut Table, path: &str) -> &'a mut Table {
    let mut table = recipe;
    for name in path.split('.').filter(|name| !name.is_empty()) {
        let value = table.entry(name).or_insert_with(|| Table::new().into());
        if !value.is_table() {
            *value = Table::new().into();
        }
        let Value::Table(inner) = value else { unreachable!("made so above") };
        table = inner;
    }
    table
}
