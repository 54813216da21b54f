//! What the command line changes of a recipe: flags, which stand for a key each, and
//! `--set`, which takes any key.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use toml::Value;

use super::flags::SET;
use super::kind::{Fault, Kind, Notation};
use super::setting::{Given, Presence, Setting};
use super::{nearest, schedule, table};
use crate::error::{Error, Refused};
use crate::words::shell_word;

/// All changes of a command line, in its order: the setting of a flag, or none for
/// `--set`, and the text after it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edits(pub(super) Vec<(Option<&'static Setting>, OsString)>);

/// One setting, as the command line gives it.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub(super) setting: &'static Setting,
    /// None turns the setting off.
    pub(super) value: Option<Value>,
    pub(super) given: Given,
    /// A path that no recipe file can hold, because it is not UTF-8.
    pub(super) path: Option<PathBuf>,
}

impl Edit {
    pub(super) fn new(setting: &'static Setting, value: Option<Value>, given: Given) -> Self {
        Self { setting, value, given, path: None }
    }
}

impl Edits {
    /// Those of `--set`, one for each text.
    pub(crate) fn of_sets(texts: &[OsString]) -> Self {
        Self(texts.iter().map(|text| (None, text.clone())).collect())
    }

    /// Whether the command line changes nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the command line changes none but these keys.
    pub(crate) fn are_of(&self, keys: &[&str]) -> bool {
        self.0.iter().all(|(setting, text)| {
            let text = text.to_string_lossy();
            let typed = text.split_once('=').map_or("", |(key, _)| key.trim());
            keys.contains(&setting.map_or(typed, |setting| setting.key))
        })
    }

    /// Whether a flag or a `--set` gives this key a value.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.last(key).is_some()
    }

    /// Changes a key as `--set` does.
    pub(crate) fn set(&mut self, key: &str, text: &str) {
        self.0.push((None, format!("{key}={text}").into()));
    }

    /// Adds the changes of others after these.
    pub(crate) fn extend(&mut self, others: &Self) {
        self.0.extend(others.0.iter().cloned());
    }

    /// The last text that is given for a key, by its flag or by `--set`.
    pub(crate) fn last(&self, key: &str) -> Option<OsString> {
        self.0.iter().rev().find_map(|(setting, text)| match setting {
            Some(setting) => (setting.key == key).then(|| text.clone()),
            None => {
                let text = text.to_string_lossy();
                let (typed, value) = text.split_once('=')?;
                (typed.trim() == key).then(|| value.into())
            }
        })
    }

    /// The last text that is given for a key by its flag.
    pub(crate) fn flag(&self, key: &str) -> Option<&OsStr> {
        let of_key = |setting: &&'static Setting| setting.key == key;
        let mut texts = self.0.iter().rev();
        texts.find(|(setting, _)| setting.as_ref().is_some_and(of_key)).map(|(_, text)| &**text)
    }

    /// Gives a key the text of a value, as its flag does.
    pub(crate) fn push(&mut self, key: &str, text: OsString) {
        self.0.push((table::find(key), text));
    }

    /// The words that make these changes on a command line, but not those of the key
    /// `without`.
    pub(crate) fn words(&self, without: &str) -> Vec<String> {
        let mut words = Vec::new();
        for (setting, text) in &self.0 {
            let key = text.to_string_lossy();
            let key = key.split_once('=').map_or("", |(key, _)| key.trim());
            match setting {
                None if key == without => (),
                None => words.extend([format!("--{SET}"), shell_word(text.as_ref())]),
                Some(setting) if setting.key == without => (),
                Some(setting) => {
                    words.push(setting.on_command_line());
                    if !(matches!(setting.kind, Kind::Switch) && text == "true") {
                        words.push(shell_word(text.as_ref()));
                    }
                }
            }
        }
        words
    }

    /// Reads the text of each change.
    ///
    /// # Errors
    /// The first text that has another type than its setting, and a key that does not
    /// exist.
    pub(super) fn read(&self) -> Result<Vec<Edit>, Error> {
        let mut edits = Vec::new();
        for (setting, text) in &self.0 {
            match setting {
                Some(setting) => edits.extend(flag(setting, text)?),
                None => edits.extend(set(text)?),
            }
        }
        Ok(edits)
    }
}

/// Reads the value of a flag, `--elastic 20:4`.
fn flag(setting: &'static Setting, text: &OsStr) -> Result<Vec<Edit>, Refused> {
    let mut edits = parse(setting, setting.on_command_line(), &text.to_string_lossy())?;
    if matches!(setting.kind, Kind::Path) && text.to_str().is_none() {
        edits.iter_mut().for_each(|edit| edit.path = Some(text.into()));
    }
    Ok(edits)
}

/// Reads the value of `--set`, `KEY=VALUE`.
fn set(text: &OsStr) -> Result<Vec<Edit>, Error> {
    let refused = |reason: &str| Refused {
        what: "--set".to_owned(),
        found: text.to_string_lossy().into_owned(),
        reason: reason.to_owned(),
    };
    let utf8 = text.to_str().ok_or_else(|| refused("expected UTF-8; --data takes any path"))?;
    let (key, value) = utf8
        .split_once('=')
        .ok_or_else(|| refused("expected KEY=VALUE, such as training.lr=0.003"))?;
    let key = key.trim();
    let typed = format!("--set {key}");
    let switch = table::switch_of(key).filter(|_| is_none(value));
    match switch.or_else(|| table::find(key)) {
        Some(setting) => Ok(parse(setting, typed, value)?),
        None => Err(Error::Key { what: "--set".to_owned(), message: nearest::unknown(key) }),
    }
}

/// An edit of the setting, and more edits if the text has a colon and the setting a
/// use for it.
pub(super) fn parse(
    setting: &'static Setting,
    what: String,
    text: &str,
) -> Result<Vec<Edit>, Refused> {
    let given = |what: String, text: &str| Given {
        what,
        found: text.to_owned(),
        notation: Notation::CommandLine,
    };
    if matches!(setting.kind, Kind::Schedule) {
        return schedule::parse(setting, given(what, text));
    }
    match (setting.after_colon.and_then(table::find), text.split_once(':')) {
        (Some(second), Some((first, rest))) => {
            let rest = given(format!("the second number of {what}"), rest);
            Ok(vec![one(setting, given(what, first))?, one(second, rest)?])
        }
        _ => Ok(vec![one(setting, given(what, text))?]),
    }
}

/// The edit of one setting by the text of one value.
pub(super) fn one(setting: &'static Setting, given: Given) -> Result<Edit, Refused> {
    let zero = matches!(setting.kind, Kind::Count(..)) && given.found.trim() == "0";
    if matches!(setting.presence, Presence::OrNone(_)) && (is_none(&given.found) || zero) {
        return Ok(Edit::new(setting, None, given));
    }
    match setting.kind.parse(&given.found) {
        Some(value) => Ok(Edit::new(setting, Some(value), given)),
        None => Err(setting.refused(Fault::Range, &given)),
    }
}

/// Whether a text turns a setting off.
fn is_none(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case("none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_become_words_again() {
        let mut edits = Edits::default();
        for (key, text) in [
            ("data.dir", "my data"),
            ("data.deskew", "true"),
            ("training.lr", "0.1"),
            ("network.hidden", "16,16"),
            ("data.transpose", "false"),
        ] {
            edits.push(key, text.into());
        }
        edits.0.push((None, "training.lr = 1".into()));
        edits.0.push((None, "training.shuffle=false".into()));
        let expected = "--data 'my data' --deskew --hidden 16,16 --transpose false --set \
                        'training.shuffle=false'";
        assert_eq!(edits.words("training.lr").join(" "), expected);
        assert!(edits.words("").join(" ").contains("--lr 0.1"));
    }

    #[test]
    fn changes_of_some_keys() {
        let mut edits = Edits::default();
        assert!(edits.are_of(&[]));
        edits.push("data.dir", "copy".into());
        edits.set("data.test ", "other");
        assert!(edits.are_of(&["data.dir", "data.test"]));
        assert!(!edits.are_of(&["data.dir"]) && !edits.are_of(&["data.test"]));
        edits.set("training.lr", "data.dir");
        assert!(!edits.are_of(&["data.dir", "data.test"]));
    }
}
