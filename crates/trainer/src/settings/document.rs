//! A recipe as a table of TOML: read from a file, changed by the command line, then
//! checked against the table of settings. It knows how each of its values was given, so
//! that an error names the line of the file, or the flag.

use std::collections::BTreeMap;
use std::path::PathBuf;

use toml::{Table, Value};

use super::edits::Edit;
use super::file::{self, Content, Source};
use super::kind::Notation;
use super::setting::{Given, Presence, Setting};
use super::table::{is_in, split};
use super::{Edits, nearest, schedule, table};
use crate::error::Error;

const OPTIMIZER: &str = "training.optimizer.kind";
const RATE: &str = "training.lr";

/// A recipe, and how its values were given.
pub(crate) struct Document {
    origin: String,
    pub(crate) table: Table,
    /// By key; tables are here too. A default is not.
    given: BTreeMap<String, Given>,
    /// The keys that the text turns off.
    off: Vec<String>,
    whole: bool,
    /// The paths that no file can hold, by key.
    pub(crate) paths: BTreeMap<&'static str, PathBuf>,
    /// What the user should know, a line each.
    pub(crate) notes: Vec<String>,
}

impl Document {
    /// Reads a text. Values are not checked yet, because the command line may replace
    /// them.
    ///
    /// # Errors
    /// The first line that is no TOML, has an unknown key, or a value instead of a
    /// table.
    pub(crate) fn read(source: &Source) -> Result<Self, Error> {
        let Content { table, given, off, whole } = file::read(source)?;
        let (origin, paths, notes) = (source.origin.clone(), BTreeMap::new(), Vec::new());
        Ok(Self { origin, table, given, off, whole, paths, notes })
    }

    /// The name of the recipe that it builds on, if there is a recipe of that name. `None` if
    /// it is whole or does not name one.
    pub(crate) fn builds_on(&self) -> Option<&str> {
        Some(self.text("recipe")).filter(|name| !self.whole && !name.is_empty())
    }

    /// Whether a recipe was most likely forgotten: it names none, and does not look like one
    /// itself, which has a network and a training.
    pub(crate) fn says_little(&self) -> bool {
        let has_both = ["network", "training"].iter().all(|key| self.given.contains_key(*key));
        !self.whole && self.text("recipe").is_empty() && !has_both
    }

    /// Lays it over the recipe that it builds on: a key of it replaces that of the recipe,
    /// and a new kind drops the parameters of the old one.
    pub(crate) fn over(self, mut base: Self) -> Self {
        let optimizer = base.text(OPTIMIZER).to_owned();
        for key in &self.off {
            file::remove(&mut base.table, key);
            base.forget(|given| given == key || is_in(given, key));
        }
        // Also a table without a key in it, which turns something on.
        let tables = self.given.keys().filter(|key| nearest::is_table(key));
        for key in tables {
            table_at(&mut base.table, key);
        }
        for setting in table::all().filter(|setting| !nearest::is_table(setting.key)) {
            let Some(value) = value_at(&self.table, setting.key) else { continue };
            let (parent, name) = split(setting.key);
            if name == "kind" {
                base.change_kind(parent, value);
            }
            table_at(&mut base.table, parent).insert(name.to_owned(), value.clone());
        }
        let says_rate = self.given.contains_key(RATE);
        base.given.extend(self.given);
        base.origin = self.origin;
        base.follow_optimizer(&optimizer, says_rate);
        base
    }

    /// Gives a top-level table the keys that it does not have.
    pub(crate) fn fill(&mut self, name: &str, defaults: Table) {
        let table = table_at(&mut self.table, name);
        for (key, value) in defaults {
            table.entry(key).or_insert(value);
        }
    }

    /// Applies what the command line changes. Of several edits of one key the last
    /// counts, and an edit of a whole table ends those of its keys that were typed
    /// before it.
    ///
    /// # Errors
    /// A text that a setting cannot take, and a part of a table that is off.
    pub(crate) fn edit(&mut self, edits: &Edits) -> Result<(), Error> {
        let edits = edits.read()?;
        let optimizer = self.text(OPTIMIZER).to_owned();
        for setting in table::all() {
            let Some(last) = edits.iter().rposition(|edit| edit.setting.key == setting.key) else {
                continue;
            };
            let replaces = |later: &Edit| is_in(setting.key, later.setting.key);
            if !edits[last + 1..].iter().any(replaces) {
                self.apply(&edits[last])?;
            }
        }
        let typed =
            self.given.get(RATE).is_some_and(|given| given.notation == Notation::CommandLine);
        self.follow_optimizer(&optimizer, typed);
        Ok(())
    }

    /// Changes the learning rate with the optimizer, unless who changed it said a rate too:
    /// what suits one optimizer is ten times too much or too little for another.
    fn follow_optimizer(&mut self, old: &str, typed: bool) {
        let new = self.text(OPTIMIZER).to_owned();
        let Some(rate) = table::usual_rate(&new).filter(|_| !typed) else { return };
        if table::usual_rate(old) == Some(rate) {
            return;
        }
        self.given.remove(RATE);
        let (parent, name) = split(RATE);
        let of_recipe = table_at(&mut self.table, parent).insert(name.to_owned(), rate.into());
        let of_recipe = of_recipe.map_or_else(String::new, |rate| rate.to_string());
        self.notes.push(format!(
            "the learning rate is {rate}, which is usual for {new}, and not the recipe's \
             {of_recipe} for {old}: --lr sets another"
        ));
    }

    fn apply(&mut self, edit: &Edit) -> Result<(), Error> {
        let Edit { setting, value, given, path } = edit;
        let (parent, name) = split(setting.key);
        let Some(value) = value else {
            if let Presence::OrNone(path) = setting.presence {
                let (parent, name) = split(path);
                table_at(&mut self.table, parent).remove(name);
            }
            return Ok(());
        };
        if let Presence::In(path) = setting.presence
            && value_at(&self.table, path).is_none()
        {
            return Err(Error::Off {
                what: given.what.clone(),
                table: path,
                switch: table::switch_of(path).map_or_else(String::new, Setting::with_value_name),
            });
        }
        if let Some(path) = path {
            self.paths.insert(setting.key, path.clone());
            self.notes.push(format!(
                "{} is not UTF-8, so config.toml cannot hold it: to repeat the run, give {} again",
                given.what, given.what
            ));
        }
        self.given.insert(setting.key.to_owned(), given.clone());
        if let Value::Table(_) = value {
            self.forget(|key| is_in(key, setting.key));
            self.given.insert(format!("{}.kind", setting.key), given.clone());
        }
        if name == "kind" {
            self.change_kind(parent, value);
        }
        table_at(&mut self.table, parent).insert(name.to_owned(), value.clone());
        Ok(())
    }

    /// Prepares a table for another kind: the parameters of the old kind are none of the
    /// new one.
    fn change_kind(&mut self, parent: &str, kind: &Value) {
        let table = table_at(&mut self.table, parent);
        let old = table.get("kind").cloned();
        if old.as_ref() == Some(kind) {
            return;
        }
        table.retain(|name, _| !is_parameter(&format!("{parent}.{name}")));
        self.forget(|key| split(key).0 == parent && is_parameter(key));
    }

    fn forget(&mut self, of: impl Fn(&str) -> bool) {
        self.given.retain(|key, _| !of(key));
    }

    /// Checks all values, and that each is of use.
    ///
    /// # Errors
    /// The first setting, in the order of the table, that is wrong or missing.
    pub(crate) fn check(&self) -> Result<(), Error> {
        for setting in table::all() {
            let kind = self.kind_beside(setting.key);
            match value_at(&self.table, setting.key) {
                Some(value) => {
                    let Some(given) = self.given.get(setting.key) else { continue };
                    if let Presence::Of(kinds) = setting.presence
                        && !kinds.contains(&kind)
                    {
                        return Err(other_kind(setting, kinds, kind, given));
                    }
                    setting.check(value, given)?;
                }
                None => self.check_absent(setting, kind)?,
            }
        }
        Ok(())
    }

    /// Checks that a recipe may leave the setting out.
    fn check_absent(&self, setting: &Setting, kind: &str) -> Result<(), Error> {
        let (parent, name) = split(setting.key);
        let has_table = value_at(&self.table, parent).is_some();
        let example = format!("{name} = {}", setting.example(Notation::File));
        let (what, add) = match setting.presence {
            Presence::Of(kinds) if kinds.contains(&kind) && setting.default_of(kind).is_none() => {
                let Some(Given { what, notation, .. }) = self.given.get(&format!("{parent}.kind"))
                else {
                    return Ok(());
                };
                if *notation == Notation::File {
                    (format!("{what} = {kind}"), example)
                } else if what.starts_with("--set ") {
                    (format!("{what}={kind}"), format!("--set {}={}", setting.key, setting.example))
                } else {
                    (
                        format!("{what} {kind}"),
                        format!("{what} {}", schedule::example(kind, setting)),
                    )
                }
            }
            Presence::Always if name == "kind" && has_table && table::has_kinds(parent) => {
                (self.what(parent).unwrap_or(parent).to_owned(), example)
            }
            _ => return Ok(()),
        };
        Err(Error::Incomplete { what, name: name.to_owned(), example: add })
    }

    /// What to call the value of a key in an error; nothing for a default.
    pub(crate) fn what(&self, key: &str) -> Option<&str> {
        self.given.get(key).map(|given| &*given.what)
    }

    /// The text at a key; empty if there is none.
    pub(crate) fn text(&self, key: &str) -> &str {
        value_at(&self.table, key).and_then(Value::as_str).unwrap_or_default()
    }

    /// The kind in the table of a key; empty if there is none.
    fn kind_beside(&self, key: &str) -> &str {
        self.text(&format!("{}.kind", split(key).0))
    }
}

/// The error of a parameter that belongs to other kinds.
fn other_kind(setting: &Setting, kinds: &[&str], kind: &str, given: &Given) -> Error {
    let (parent, _) = split(setting.key);
    let switch = table::find(&format!("{parent}.kind")).map(Setting::on_command_line);
    Error::OtherKind {
        what: given.what.clone(),
        kinds: and(kinds),
        name: split(parent).1.to_owned(),
        kind: kind.to_owned(),
        switch: match (given.notation, switch) {
            (Notation::CommandLine, Some(switch)) => format!(" with {switch}"),
            _ => String::new(),
        },
    }
}

/// Whether the setting of this key belongs to some kinds only.
fn is_parameter(key: &str) -> bool {
    table::find(key).is_some_and(|setting| matches!(setting.presence, Presence::Of(_)))
}

/// `a, b and c`.
fn and(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
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
    path.split('.').filter(|name| !name.is_empty()).fold(recipe, |table, name| {
        let value = table.entry(name).or_insert_with(|| Table::new().into());
        value.as_table_mut().expect("a recipe is read only if each of its tables is one")
    })
}
