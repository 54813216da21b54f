//! The names of columns.

use std::collections::HashMap;

use super::error::{TableError, shown};

/// The most names that a message lists.
pub(crate) const LISTED: usize = 12;

/// The name of the column at `index` if the file has none for it.
pub(crate) fn of_index(index: usize) -> String {
    format!("column {}", index + 1)
}

/// The names in a header, which is at `line`.
pub(crate) fn of_header(
    line: u64,
    cells: impl Iterator<Item = impl AsRef<[u8]>>,
) -> Result<Vec<String>, TableError> {
    let mut places = HashMap::new();
    let mut names = Vec::new();
    for (index, cell) in cells.enumerate() {
        let cell = cell.as_ref();
        let Ok(text) = str::from_utf8(cell) else {
            return Err(TableError::NotUtf8 { line, column: index + 1, found: shown(cell) });
        };
        let name = if text.is_empty() { of_index(index) } else { text.to_owned() };
        if let Some(first) = places.insert(name.clone(), index + 1) {
            let (name, second) = (shown(name.as_bytes()), index + 1);
            return Err(TableError::DuplicateName { line, name, first, second });
        }
        names.push(name);
    }
    Ok(names)
}

/// What to say of a `name` that is not among `names`.
pub(crate) fn advice(name: &str, names: &[String]) -> String {
    match nearest(name, names) {
        Some(near) => format!("did you mean `{}`?", shown(near.as_bytes())),
        None => format!("the columns are {}", list(names)),
    }
}

/// The names as messages list them.
pub(crate) fn list(names: &[String]) -> String {
    let shown: Vec<_> =
        names.iter().take(LISTED).map(|name| format!("`{}`", shown(name.as_bytes()))).collect();
    let more = names.len().saturating_sub(LISTED);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

/// The name that was probably meant by `name`: one that is as good as the same, or in
/// which a third of the characters at the most is wrong.
pub(crate) fn nearest<'a>(name: &str, names: &'a [String]) -> Option<&'a String> {
    // Between longer texts the distance takes long, and nobody types them.
    const LONGEST: usize = 100;
    // A header may have very many names.
    const COMPARED: usize = 10_000;
    let plain = |text: &str| -> Vec<char> {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let wanted = plain(name);
    if wanted.len() > LONGEST {
        return None;
    }
    let near = names
        .iter()
        .take(COMPARED)
        .map(|candidate| (plain(candidate), candidate))
        .filter(|(text, _)| {
            !text.is_empty() && 3 * text.len().abs_diff(wanted.len()) <= wanted.len()
        })
        .map(|(text, candidate)| (distance(&wanted, &text), candidate))
        .min_by_key(|(distance, _)| *distance)?;
    (3 * near.0 <= wanted.len()).then_some(near.1)
}

/// The number of characters to insert, delete or replace.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name() {
        let names = ["sepal length (cm)", "colour", "x1", "x2", "Ärger"].map(str::to_owned);
        for (name, expected) in [
            ("sepal_length", Some("sepal length (cm)")),
            ("Sepal.Length..cm.", Some("sepal length (cm)")),
            ("color", Some("colour")),
            ("COLOUR", Some("colour")),
            ("ärger", Some("Ärger")),
            ("x3", None),
            ("", None),
        ] {
            let found = nearest(name, &names).map(String::as_str);
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn distances() {
        for (a, b, expected) in
            [("", "", 0), ("ab", "", 2), ("", "ab", 2), ("kitten", "sitting", 3), ("ab", "ba", 2)]
        {
            let [a, b] = [a, b].map(|text| text.chars().collect::<Vec<_>>());
            assert_eq!(distance(&a, &b), expected);
        }
    }
}
