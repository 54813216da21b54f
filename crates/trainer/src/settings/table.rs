//! Every setting, a row each. To add one, add a field to `nn::Fit`, or to `Data` or
//! `Network` in `config.rs`, and a row here, in the section that suits it.
//!
//! Edits are applied in the order of this table, not of the command line: a `kind`
//! comes before its parameters, and the setting that turns a table on before the rest
//! of the table.

mod augmentation;
mod data;
mod network;
mod regularisation;
mod training;

use super::setting::{Presence, Setting};

pub(crate) use training::usual_rate;

/// Settings that `--help` shows under one heading.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) heading: &'static str,
    pub(crate) settings: &'static [Setting],
}

/// All settings, in the order of `--help`.
pub(crate) static SECTIONS: [Section; 6] = [
    Section { heading: "Recipe", settings: data::RECIPE },
    Section { heading: "Data", settings: data::SETTINGS },
    Section { heading: "Network", settings: network::SETTINGS },
    Section { heading: "Training", settings: training::SETTINGS },
    Section { heading: "Regularisation", settings: regularisation::SETTINGS },
    Section { heading: "Augmentation of the training images", settings: augmentation::SETTINGS },
];

/// All settings, without their headings.
pub(crate) fn all() -> impl Iterator<Item = &'static Setting> {
    SECTIONS.iter().flat_map(|section| section.settings)
}

/// The setting that has this key.
pub(crate) fn find(key: &str) -> Option<&'static Setting> {
    all().find(|setting| setting.key == key)
}

/// The setting that turns a table on.
pub(crate) fn switch_of(path: &str) -> Option<&'static Setting> {
    all().find(|s| matches!(s.presence, Presence::OrNone(table) if table == path))
}

/// Whether what a table has depends on its `kind`.
pub(crate) fn has_kinds(path: &str) -> bool {
    all().any(|s| matches!(s.presence, Presence::Of(_)) && split(s.key).0 == path)
}

/// A dotted key as the path of its table, empty for the whole recipe, and its name.
pub(crate) fn split(key: &str) -> (&str, &str) {
    key.rsplit_once('.').unwrap_or(("", key))
}

/// Whether `key` is inside the table at `path`, at any depth.
pub(crate) fn is_in(key: &str, path: &str) -> bool {
    path.is_empty() || key.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'))
}
