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
}

/// How each value and table of a recipe was given, by key.
pub(super) type ByKey = BTreeMap<String, Given>;

/// Reads a text.
///
/// # Errors
/// The first line that is no TOML, has an unknown key, or a value instead of a table.
pub(super) fn read(source: &Source) -> Result<(Table, ByKey), Error> {
    let Source { text, origin, .. } = source;
    let no_toml = |error: toml::de::Error| Error::Toml {
        origin: origin.clone(),
        line: line_of(text, error.span().unwrap_or_default().start),
        message: error.message().replace('\n', ", "),
    };
    let spans = DeTable::parse(text).map_err(no_toml)?;
    let mut reading = Reading { text, origin, given: ByKey::new(), first_wrong: None };
    reading.table("", spans.get_ref());
    match reading.first_wrong.take() {
        Some((start, wrong)) => Err(reading.error(start, wrong)),
        None => Ok((toml::from_str(text).map_err(no_toml)?, reading.given)),
    }
}

/// The walk over the keys of a text.
struct Reading<'a> {
    text: &'a str,
    origin: &'a str,
    given: ByKey,
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

fn is_too_long(value: &DeValue<'_>) -> bool {
    let number = value.as_integer();
    number.is_some_and(|n| i64::from_str_radix(n.as_str(), n.radix()).is_err())
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}
