//! The text of a recipe: its keys, and the line of each.

use std::collections::BTreeMap;

use toml::Table;
use toml::de::{DeTable, DeValue};

use super::kind::{Fault, Kind, Notation};
use super::nearest;
use super::setting::{Given, Setting, shown};
use super::table::{self, split};
use crate::error::{Error, Refused};

/// The text of a recipe.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) text: String,
    /// Where it is from, for errors.
    pub(crate) origin: String,
    /// The name of the recipe, unless the text has another.
    pub(crate) name: String,
    /// Whether the text has all that differs from the defaults, and so builds on no recipe,
    /// unless it says otherwise.
    pub(crate) whole: bool,
}

/// The key with which a text says that it is whole. It is no setting: it says how to read
/// the others.
pub(crate) const COMPLETE: &str = "complete";

/// What a text has.
pub(super) struct Content {
    pub(super) table: Table,
    pub(super) given: ByKey,
    /// The keys of settings and tables that it turns off.
    pub(super) off: Vec<String>,
    pub(super) whole: bool,
}

/// How each value and table of a recipe was given, by key.
pub(super) type ByKey = BTreeMap<String, Given>;

/// Reads a text.
///
/// # Errors
/// The first line that is no TOML, has an unknown key, or a value instead of a table.
pub(super) fn read(source: &Source) -> Result<Content, Error> {
    let Source { text, origin, whole, .. } = source;
    let no_toml = |error: toml::de::Error| Error::Toml {
        origin: origin.clone(),
        line: line_of(text, error.span().unwrap_or_default().start),
        message: error.message().replace('\n', ", "),
    };
    let spans = DeTable::parse(text).map_err(no_toml)?;
    let mut reading = Reading {
        text,
        origin,
        given: ByKey::new(),
        off: Vec::new(),
        complete: None,
        first_wrong: None,
    };
    reading.table("", spans.get_ref());
    if let Some((start, wrong)) = reading.first_wrong.take() {
        return Err(reading.error(start, wrong));
    }
    let mut table: Table = toml::from_str(text).map_err(no_toml)?;
    table.remove(COMPLETE);
    let Reading { given, off, complete, .. } = reading;
    off.iter().for_each(|key| remove(&mut table, key));
    Ok(Content { table, given, off, whole: complete.unwrap_or(*whole) })
}

/// Takes the value at a dotted key away, if there is one.
pub(super) fn remove(table: &mut Table, key: &str) {
    match key.split_once('.') {
        None => drop(table.remove(key)),
        Some((first, rest)) => {
            if let Some(inner) = table.get_mut(first).and_then(toml::Value::as_table_mut) {
                remove(inner, rest);
            }
        }
    }
}

/// The walk over the keys of a text.
struct Reading<'a> {
    text: &'a str,
    origin: &'a str,
    given: ByKey,
    off: Vec<String>,
    complete: Option<bool>,
    /// What is wrong first in the text, and where that is.
    first_wrong: Option<(usize, Wrong)>,
}

enum Wrong {
    Unknown(String),
    /// A name in quotes with a dot in it.
    Dotted(String),
    NoTable {
        key: String,
        found: String,
    },
    /// Neither true nor false after `complete`.
    NoSwitch(String),
    /// A whole number that TOML cannot hold.
    TooLong {
        setting: &'static Setting,
        found: String,
    },
}

impl Reading<'_> {
    /// Reads the table at a path.
    fn table(&mut self, path: &str, spans: &DeTable<'_>) {
        for (name, value) in spans {
            let (start, name) = (name.span().start, name.get_ref());
            if name.contains('.') {
                self.wrong(start, Wrong::Dotted(name.to_string()));
                continue;
            }
            let key = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
            if key == COMPLETE {
                self.complete = value.get_ref().as_bool();
                if self.complete.is_none() {
                    let found = self.text.get(value.span()).unwrap_or_default();
                    self.wrong(start, Wrong::NoSwitch(found.to_owned()));
                }
                continue;
            }
            if value.get_ref().as_str() == Some("none") && can_be_off(&key) {
                self.off.push(key);
                continue;
            }
            let is_table = nearest::is_table(&key);
            if !is_table && table::find(&key).is_none() {
                self.wrong(start, Wrong::Unknown(key));
                continue;
            }
            let found = self.text.get(value.span()).unwrap_or_default().to_owned();
            if let Some(setting) = table::find(&key).filter(|_| is_too_long(value.get_ref())) {
                self.wrong(start, Wrong::TooLong { setting, found });
                continue;
            }
            let inner = value.get_ref().as_table();
            if is_table && inner.is_none() {
                self.wrong(start, Wrong::NoTable { key, found });
                continue;
            }
            let what = self.what(start, &key);
            let given = Given { what, found, notation: Notation::File };
            self.given.insert(key.clone(), given);
            if let Some(inner) = inner.filter(|_| is_table) {
                self.table(&key, inner);
            }
        }
    }

    fn wrong(&mut self, start: usize, wrong: Wrong) {
        if self.first_wrong.as_ref().is_none_or(|(first, _)| start < *first) {
            self.first_wrong = Some((start, wrong));
        }
    }

    fn error(&self, start: usize, wrong: Wrong) -> Error {
        let line = line_of(self.text, start);
        let what = format!("{}, line {line}", self.origin);
        match wrong {
            Wrong::Unknown(key) => Error::Key { what, message: nearest::unknown(&key) },
            Wrong::Dotted(name) => {
                let message = format!("there is no key \"{name}\": write dots outside of quotes");
                Error::Key { what, message }
            }
            Wrong::NoTable { key, found } => {
                let reason = format!("expected a table, such as {}", example_of_table(&key));
                let what = self.what(start, &key);
                Refused { what, found: shown(&found), reason }.into()
            }
            Wrong::NoSwitch(found) => {
                let what = self.what(start, COMPLETE);
                let reason = "expected true or false".to_owned();
                Refused { what, found: shown(&found), reason }.into()
            }
            Wrong::TooLong { setting, found } => {
                let what = self.what(start, setting.key);
                let given = Given { what, found, notation: Notation::File };
                setting.refused(Fault::Range, &given).into()
            }
        }
    }

    /// What errors call the value of a key.
    fn what(&self, start: usize, key: &str) -> String {
        format!("{}, line {}: {key}", self.origin, line_of(self.text, start))
    }
}

/// How a file writes the table of settings at this path.
fn example_of_table(path: &str) -> String {
    let directly_in = table::all()
        .find(|setting| split(setting.key).0 == path && !matches!(setting.kind, Kind::Schedule));
    match directly_in {
        Some(first) if path.contains('.') => {
            format!("{{ {} = {} }}", split(first.key).1, first.example(Notation::File))
        }
        _ => format!("[{path}]"),
    }
}

/// Whether `"none"` turns a setting or a table off. A text or a path may be this word.
fn can_be_off(key: &str) -> bool {
    let is_word = |setting: &Setting| matches!(setting.kind, Kind::Text | Kind::Path);
    table::switch_of(key).is_some_and(|setting| !is_word(setting))
}

fn is_too_long(value: &DeValue<'_>) -> bool {
    let number = value.as_integer();
    number.is_some_and(|n| i64::from_str_radix(n.as_str(), n.radix()).is_err())
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}
