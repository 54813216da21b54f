//! Values that a command tries for a setting, as texts of a command line.

use toml::Value;

use super::edits::parse;
use super::kind::Kind;
use super::setting::Setting;
use super::table;
use crate::error::Refused;

/// The setting of this key, or the one that turns the table of this key on and off.
pub(crate) fn find(key: &str) -> Option<&'static Setting> {
    table::find(key).or_else(|| table::switch_of(key))
}

/// Checks that `--set KEY=TEXT` would take the text. Errors call the value `what`.
pub(crate) fn check_text(setting: &'static Setting, what: &str, text: &str) -> Result<(), Refused> {
    for edit in parse(setting, what.to_owned(), text)? {
        // Without a value it turns the setting off.
        if let Some(value) = &edit.value {
            edit.setting.check(value, &edit.given)?;
        }
    }
    Ok(())
}

/// Whether the setting is a whole number, `Some(true)`, or a real one; otherwise `None`.
pub(crate) fn is_whole(setting: &Setting) -> Option<bool> {
    match setting.kind {
        Kind::Count(..) => Some(true),
        Kind::Number(_) | Kind::Double(_) => Some(false),
        _ => None,
    }
}

/// A number in the shorter of its two notations: `0.003`, `1e30`.
pub(crate) fn number_text(number: f64) -> String {
    let (plain, powers) = (number.to_string(), format!("{number:e}"));
    if plain.len() <= powers.len().max(7) { plain } else { powers }
}

/// A value of a file as the command line writes it; `None` of what has no such text.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number_text(*number)),
        Value::Boolean(on) => Some(on.to_string()),
        Value::Array(parts) if parts.is_empty() => Some("none".to_owned()),
        Value::Array(parts) => {
            let nested = |part: &Value| part.is_array() || part.is_table();
            if parts.iter().any(nested) {
                return None;
            }
            let texts: Option<Vec<_>> = parts.iter().map(text_of).collect();
            Some(texts?.join(","))
        }
        Value::Datetime(_) | Value::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::number_text;

    #[test]
    fn numbers_are_written_short() {
        for (number, text) in [
            (0.1, "0.1"),
            (0.00003, "0.00003"),
            (1234567.0, "1234567"),
            (1e30, "1e30"),
            (1.234e-8, "1.234e-8"),
            (0.0, "0"),
        ] {
            assert_eq!(number_text(number), text);
            assert_eq!(text.parse::<f64>().unwrap(), number);
        }
    }
}
