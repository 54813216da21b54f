//! What a setting is: a row of the table.

use toml::Value;

use super::kind::{Fault, Kind, Notation};
use crate::error::Refused;

/// One setting of a recipe. Its flag, its key in recipe files, its errors and its
/// help all come from here.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Dotted path in the recipe, such as `training.clip-norm`.
    pub(crate) key: &'static str,
    /// Flag of the command line, without its dashes, if it has one of its own; and what
    /// `--help` calls its value.
    pub(crate) flag: Option<(&'static str, &'static str)>,
    pub(crate) kind: Kind,
    pub(crate) presence: Presence,
    /// Key of a second setting that the flag's value may give after a colon, as in
    /// `--elastic 20:4`.
    pub(crate) after_colon: Option<&'static str>,
    /// The value that a recipe without this key gets, for `--help`: `none` if the
    /// setting is then off, empty if a recipe must have the key. Where kinds differ
    /// it is a list, such as `sgd 0, nesterov 0.9`.
    pub(crate) default: &'static str,
    /// A value other than the default, for errors, for tests, and as a start.
    pub(crate) example: &'static str,
    /// What the setting does, in one line without a full stop.
    pub(crate) help: &'static str,
    /// What else `--help` says, in whole sentences.
    pub(crate) more: &'static str,
}

/// How a value was given: what errors call it.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    /// The flag or key as it was typed, or the file, the line and the key.
    pub(crate) what: String,
    /// The text of the value.
    pub(crate) found: String,
    pub(crate) notation: Notation,
}

/// A text that was found, as part of one line: short, and not empty.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 80;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(MOST) {
        _ if text.is_empty() => "empty".to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Which runs have the setting.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Presence {
    /// Every run.
    Always,
    /// Runs that turn it on; the value `none` deletes this key or table.
    OrNone(&'static str),
    /// Runs that have this table, which another setting turns on.
    In(&'static str),
    /// Runs in which the `kind` beside this key is one of these.
    Of(&'static [&'static str]),
}

impl Setting {
    /// What a row is if it does not say so.
    pub(crate) const PLAIN: Self = Self {
        key: "",
        flag: None,
        kind: Kind::Text,
        presence: Presence::Always,
        after_colon: None,
        default: "",
        example: "",
        help: "",
        more: "",
    };

    /// How one sets it on the command line: `--lr`, or `--set training.shuffle`.
    pub(crate) fn on_command_line(&self) -> String {
        match self.flag {
            Some((flag, _)) => format!("--{flag}"),
            None => format!("--set {}", self.key),
        }
    }

    /// The same with a name for its value: `--lr RATE`.
    pub(crate) fn with_value_name(&self) -> String {
        let value = self.flag.map_or_else(String::new, |(_, value)| format!(" {value}"));
        self.on_command_line() + &value
    }

    /// What values it takes: `a number above 0, or none`.
    pub(crate) fn range(&self, notation: Notation) -> String {
        let range = self.kind.range(notation);
        let can_be_none = matches!(self.presence, Presence::OrNone(_));
        if can_be_none && notation == Notation::CommandLine { range + ", or none" } else { range }
    }

    /// The example, in this notation.
    pub(crate) fn example(&self, notation: Notation) -> String {
        let example = match (notation, self.after_colon) {
            // In a file the second number has a key of its own.
            (Notation::File, Some(_)) => self.example.split(':').next().unwrap_or_default(),
            _ => self.example,
        };
        self.kind.written(example, notation)
    }

    /// Checks the type and the range of a value.
    pub(crate) fn check(&self, value: &Value, given: &Given) -> Result<(), Refused> {
        match self.kind.fault(value) {
            None => Ok(()),
            Some(fault) => Err(self.refused(fault, given)),
        }
    }

    /// The error of a wrong value: what was found, what was expected, what to write.
    pub(super) fn refused(&self, fault: Fault, given: &Given) -> Refused {
        let found = shown(&given.found);
        let (found, reason) = match fault {
            Fault::Range => (found, self.expected(given)),
            Fault::Rounded(rounded) => {
                (format!("{found}, which is {rounded} in 32 bits"), self.expected(given))
            }
            Fault::Reason(reason) => (found, reason),
        };
        Refused { what: given.what.clone(), found, reason }
    }

    /// What was expected instead of a value, and what to write.
    fn expected(&self, Given { found, notation, .. }: &Given) -> String {
        let is_name = matches!(self.kind, Kind::Name(_) | Kind::Activation);
        let can_be_off = matches!(self.presence, Presence::OrNone(_));
        let off = ["\"none\"", "\"off\"", "false", "0", "[]", "\"\""];
        let meant = self.kind.meant(found).into_iter();
        let meant: Vec<_> = meant.map(|text| self.kind.written(&text, *notation)).collect();
        let write = match &*meant {
            _ if can_be_off && *notation == Notation::File && off.contains(&&**found) => {
                "; to turn it off, leave it out".to_owned()
            }
            [] if is_name || matches!(self.kind, Kind::Switch) => String::new(),
            [] => format!(", such as {}", self.example(*notation)),
            names if is_name => format!("; did you mean {}?", names.join(" or ")),
            [first, ..] => format!("; write {first}"),
        };
        format!("expected {}{write}", self.range(*notation))
    }

    /// The value that a recipe gets which has this `kind` and not this key; nothing
    /// if it must have the key.
    pub(crate) fn default_of(&self, kind: &str) -> Option<&'static str> {
        if !matches!(self.presence, Presence::Of(_)) {
            return (!self.default.is_empty()).then_some(self.default);
        }
        self.default.split(", ").find_map(|part| match part.split_once(' ') {
            Some((name, value)) => (name == kind).then_some(value),
            None => (!part.is_empty()).then_some(part),
        })
    }

    /// All that `--help` says of it.
    pub(crate) fn long_help(&self) -> String {
        let mut text = self.help.to_owned();
        if !self.more.is_empty() {
            text += &format!(". {}", self.more);
        }
        let default = match self.default {
            "" => "no default".to_owned(),
            default => format!("default {default}"),
        };
        text + &format!("\n[{}: {}; {default}]", self.key, self.range(Notation::CommandLine))
    }
}
