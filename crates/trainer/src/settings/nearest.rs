//! Which key was meant by one that does not exist.

use std::collections::BTreeSet;

use super::setting::Setting;
use super::table;

/// More suggestions than these are no help.
const MOST: usize = 3;

/// What is wrong with a key that no setting has, and what to write instead.
pub(crate) fn unknown(key: &str) -> String {
    let nearest = nearest(key);
    let known = table_of(key);
    let keys = keys_in(known).join(", ");
    if !key.is_empty() && known == key {
        format!("`{key}` is a table: set one of its keys, which are {keys}")
    } else if !nearest.is_empty() {
        format!("there is no key `{key}`: did you mean {}?", nearest.join(" or "))
    } else if known.is_empty() {
        format!("there is no key `{key}`: expected one of {keys}")
    } else {
        format!("there is no key `{key}`: expected one of {keys} in `{known}`")
    }
}

/// What to write instead of a flag that does not exist.
pub(crate) fn unknown_flag(flag: &str) -> Option<String> {
    let name = flag.trim_start_matches('-');
    let (_, nearest) = best(table::all().filter_map(|setting| {
        let (distance, _) = distance_to(name, setting)?;
        Some((distance, setting))
    }))?;
    let writes = nearest.iter().take(MOST).map(|setting| match setting.flag {
        Some(flag) => format!("'--{flag}'"),
        None => format!("'--set {}={}'", setting.key, setting.example),
    });
    Some(format!("did you mean {}?", writes.collect::<Vec<_>>().join(" or ")))
}

/// Whether a key is a table that holds settings.
pub(crate) fn is_table(key: &str) -> bool {
    table::all().any(|setting| is_in(setting.key, key))
}

/// The keys and tables nearest to `key`, in backticks.
fn nearest(key: &str) -> Vec<String> {
    let settings = table::all().filter_map(|setting| {
        let (distance, moved) = distance_to(key, setting)?;
        Some((2 * distance + usize::from(moved), setting.key))
    });
    let tables = tables();
    let tables = tables.iter().filter_map(|table| Some((2 * close(key, table)?, *table)));
    let Some((_, nearest)) = best(settings.chain(tables)) else { return Vec::new() };
    nearest.iter().take(MOST).map(|key| format!("`{key}`")).collect()
}

/// All items of the smallest distance.
fn best<T>(items: impl Iterator<Item = (usize, T)>) -> Option<(usize, Vec<T>)> {
    let mut best: Option<(usize, Vec<T>)> = None;
    for (distance, item) in items {
        match &mut best {
            Some((least, found)) if *least == distance => found.push(item),
            Some((least, _)) if *least < distance => {}
            _ => best = Some((distance, vec![item])),
        }
    }
    best
}

/// How far `key` is from the key of a setting, or, if that is nearer, from its name
/// or flag alone, which is then in another table.
fn distance_to(key: &str, setting: &Setting) -> Option<(usize, bool)> {
    let name = last(key);
    let same_place = close(key, setting.key).map(|distance| (distance, false));
    let names = [Some(last(setting.key)), setting.flag];
    let moved = names.into_iter().flatten().filter_map(|known| Some((close(name, known)?, true)));
    same_place.into_iter().chain(moved).min()
}

/// The distance from `typed` to `known`, if it is small enough for a slip. The
/// beginning of a name, or a name and more, counts as one.
fn close(typed: &str, known: &str) -> Option<usize> {
    if typed == known {
        return Some(0);
    }
    let shorter = typed.len().min(known.len());
    let same_depth = typed.matches('.').count() == known.matches('.').count();
    if same_depth && shorter >= 3 && (typed.starts_with(known) || known.starts_with(typed)) {
        return Some(1);
    }
    let allowed = (last(typed).chars().count() / 3).max(1);
    Some(edit_distance(typed, known)).filter(|distance| *distance <= allowed)
}

/// Insertions, deletions and replacements of a character that make `b` of `a`
/// (Levenshtein 1966), by the recurrence of Wagner and Fischer 1974.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    // Row i has the distances from the first i characters of `a` to each prefix of `b`.
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// The part of a dotted key after its last dot.
fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

/// The longest beginning of `key` that is a table; empty for the whole recipe.
fn table_of(key: &str) -> &str {
    let mut table = key;
    while !table.is_empty() && !is_table(table) {
        table = table.rsplit_once('.').map_or("", |(parent, _)| parent);
    }
    table
}

/// The tables that hold settings, with their dotted path.
fn tables() -> BTreeSet<&'static str> {
    let mut tables = BTreeSet::new();
    for setting in table::all() {
        let mut key = setting.key;
        while let Some((parent, _)) = key.rsplit_once('.') {
            tables.insert(parent);
            key = parent;
        }
    }
    tables
}

/// The names directly in a table, in the order of the settings.
fn keys_in(table: &str) -> Vec<&'static str> {
    let mut keys = Vec::new();
    for setting in table::all().filter(|setting| is_in(setting.key, table)) {
        let rest = setting.key[table.len()..].trim_start_matches('.');
        let name = rest.split('.').next().unwrap_or(rest);
        if !keys.contains(&name) {
            keys.push(name);
        }
    }
    keys
}

/// Whether `key` is inside `table`, at any depth.
fn is_in(key: &str, table: &str) -> bool {
    table.is_empty() || key.strip_prefix(table).is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_were_meant() {
        for (typed, meant) in [
            ("training.clip-nrm", "did you mean `training.clip-norm`?"),
            ("training.batch_size", "did you mean `training.batch-size`?"),
            ("traning.epochs", "did you mean `training.epochs`?"),
            // Moved to another table.
            ("l2", "did you mean `training.l2`?"),
            ("beta1", "did you mean `training.optimizer.beta1`?"),
            ("training.hidden", "did you mean `network.hidden` or `training.dropout.hidden` or"),
            // By the name of its flag.
            ("training.patience", "did you mean `training.early-stopping.patience`?"),
            ("training.input-dropout", "did you mean `training.dropout.input`?"),
            ("train", "did you mean `training`?"),
            ("augmentation", "did you mean `augment`?"),
            ("training.optimizer", "is a table: set one of its keys, which are kind, momentum,"),
            ("training.optimizer.gamma", "expected one of kind, momentum, alpha, "),
            ("colour", "expected one of recipe, description, data, network, training, augment"),
            ("", "expected one of recipe, description"),
        ] {
            let error = unknown(typed);
            assert!(error.contains(meant), "{typed}: {error}");
        }
    }

    #[test]
    fn flags_that_were_meant() {
        for (typed, meant) in [
            ("--clip-nrm", Some("did you mean '--clip-norm'?")),
            ("--shuffle", Some("did you mean '--set training.shuffle=false'?")),
            ("--beta1", Some("did you mean '--set training.optimizer.beta1=0.8'?")),
            ("--nonsense", None),
        ] {
            assert_eq!(unknown_flag(typed).as_deref(), meant);
        }
    }

    /// Beside the definition, which takes exponential time.
    #[test]
    fn edit_distances() {
        fn slow(a: &[u8], b: &[u8]) -> usize {
            match (a, b) {
                (_, []) => a.len(),
                ([], _) => b.len(),
                ([x, a @ ..], [y, b @ ..]) if x == y => slow(a, b),
                ([_, a1 @ ..], [_, b1 @ ..]) => 1 + slow(a1, b).min(slow(a, b1)).min(slow(a1, b1)),
            }
        }
        let words = ["", "a", "lr", "l2", "seed", "sed", "shear", "scale", "rate", "rotate"];
        for a in words {
            for b in words {
                assert_eq!(edit_distance(a, b), slow(a.as_bytes(), b.as_bytes()), "{a}, {b}");
            }
        }
    }
}
