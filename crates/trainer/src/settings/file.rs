//! The text of a recipe file, checked against the table of settings.

use std::ops::Range;

use toml::Table;
use toml::de::DeTable;

use super::{nearest, table};

/// What is wrong with a text, and where.
pub(crate) struct Problem {
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
}

impl From<toml::de::Error> for Problem {
    fn from(error: toml::de::Error) -> Self {
        let message = error.message().replace('\n', ", ");
        Self { span: error.span().unwrap_or_default(), message }
    }
}

/// Checks that each key is known and each value in its range. Types are serde's to
/// check.
pub(crate) fn check(text: &str) -> Result<(), Problem> {
    let spans = DeTable::parse(text)?;
    let values: Table = toml::from_str(text)?;
    check_table("", spans.get_ref(), &values, text)
}

/// Checks the table at the path `prefix`, which is empty or ends with a dot. `spans`
/// and `values` have the same keys.
fn check_table(
    prefix: &str,
    spans: &DeTable<'_>,
    values: &Table,
    text: &str,
) -> Result<(), Problem> {
    for (name, spanned) in spans {
        let Some(value) = values.get(name.get_ref().as_ref()) else { continue };
        let key = format!("{prefix}{}", name.get_ref());
        let setting = table::find(&key);
        if setting.is_none() && !nearest::is_table(&key) {
            return Err(Problem { span: name.span(), message: nearest::unknown(&key) });
        }
        if let (Some(inner), Some(values)) = (spanned.get_ref().as_table(), value.as_table()) {
            check_table(&format!("{key}."), inner, values, text)?;
        } else if let Some(setting) = setting.filter(|setting| !setting.kind.contains(value)) {
            let found = text.get(spanned.span()).unwrap_or_default();
            let found = found.split_whitespace().collect::<Vec<_>>().join(" ");
            let message = format!("{key} is {found}: expected {}", setting.expected());
            return Err(Problem { span: spanned.span(), message });
        }
    }
    Ok(())
}
