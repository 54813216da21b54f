//! Which key was meant by one that does not exist.

use std::collections::BTreeSet;

use super::setting::Setting;
use super::table::{self, is_in, split};

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

/// What was meant by a flag that does not exist. `flags` are those that do; with `--set`
/// among them, there are the keys of settings too.
pub(crate) fn unknown_flag(flag: &str, flags: &[&str]) -> Option<String> {
    let typed = flag.trim_start_matches('-');
    let near = |known: &&str| Some((2 * close(typed, known)?, format!("--{known}")));
    let takes_settings = flags.contains(&"set");
    let flags = flags.iter().filter_map(near);
    let settings = table::all().filter(|_| takes_settings).filter_map(|setting| {
        let (distance, _) = distance_to(typed, setting)?;
        let write = match setting.flag {
            Some((flag, _)) => format!("--{flag}"),
            None => format!("--set {}={}", setting.key, setting.example),
        };
        // A flag of its own is nearer than a key.
        Some((2 * distance + usize::from(setting.flag.is_none()), write))
    });
    let (_, mut nearest) = best(flags.chain(settings))?;
    nearest.sort();
    nearest.dedup();
    nearest.truncate(MOST);
    Some(format!("did you mean {}?", nearest.join(" or ")))
}

/// The nearest of some names, whatever the case of the letters.
pub(crate) fn names<'a>(typed: &str, names: &[&'a str]) -> Vec<&'a str> {
    let near = names.iter().filter_map(|known| Some((close(typed, known)?, *known)));
    let mut nearest = best(near).map_or_else(Vec::new, |(_, names)| names);
    nearest.truncate(MOST);
    nearest
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
    let name = split(key).1;
    let same_place = close(key, setting.key).map(|distance| (distance, false));
    let names = [Some(split(setting.key).1), setting.flag.map(|(flag, _)| flag)];
    let moved = names.into_iter().flatten().filter_map(|known| Some((close(name, known)?, true)));
    same_place.into_iter().chain(moved).min()
}

/// The distance from `typed` to `known`, if it is small enough for a slip. The
/// beginning of a name, or a name and more, counts as one. Capitals and underscores do
/// not count.
fn close(typed: &str, known: &str) -> Option<usize> {
    let typed = &*typed.to_ascii_lowercase().replace('_', "-");
    if typed == known {
        return Some(0);
    }
    let shorter = typed.len().min(known.len());
    let same_depth = typed.matches('.').count() == known.matches('.').count();
    if same_depth && shorter >= 3 && (typed.starts_with(known) || known.starts_with(typed)) {
        return Some(1);
    }
    let allowed = (split(typed).1.chars().count() / 3).max(1);
    Some(edit_distance(typed, known)).filter(|distance| *distance <= allowed)
}

/// Insertions, deletions, replacements and swaps of neighbours that make `b` of `a`: the
/// optimal string alignment, by the recurrence of Wagner and Fischer 1974 with the swaps
/// of Damerau 1964.
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // Row i has the distances from the first i characters of `a` to each prefix of `b`.
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// The longest beginning of `key` that is a table; empty for the whole recipe.
fn table_of(key: &str) -> &str {
    let mut table = key;
    while !table.is_empty() && !is_table(table) {
        table = split(table).0;
    }
    table
}

/// The tables that hold settings, with their dotted path.
fn tables() -> BTreeSet<&'static str> {
    let mut tables = BTreeSet::new();
    for setting in table::all() {
        let mut path = split(setting.key).0;
        while !path.is_empty() {
            tables.insert(path);
            path = split(path).0;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_were_meant() {
        for (typed, meant) in [
            ("training.clip-nrm", "did you mean `training.clip-norm`?"),
            ("training.batch_size", "did you mean `training.batch-size`?"),
            ("traning.epochs", "did you mean `training.epochs`?"),
            ("Training.LR", "did you mean `training.lr`?"),
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
            ("--clip-nrm", Some("did you mean --clip-norm?")),
            ("--shuffle", Some("did you mean --set training.shuffle=false?")),
            ("--beta1", Some("did you mean --set training.optimizer.beta1=0.8?")),
            ("--recip", Some("did you mean --recipe?")),
            ("--Input_Dropout", Some("did you mean --input-dropout?")),
            ("--description", Some("did you mean --set description=mine?")),
            ("--nonsense", None),
        ] {
            assert_eq!(unknown_flag(typed, &["recipe", "set"]).as_deref(), meant);
        }
    }

    #[test]
    fn a_command_without_settings_suggests_none() {
        assert_eq!(unknown_flag("--shuffle", &["model"]), None);
        let meant = unknown_flag("--modle", &["model", "threads"]);
        assert_eq!(meant.as_deref(), Some("did you mean --model?"));
    }

    #[test]
    fn names_that_were_meant() {
        for (typed, meant) in [
            ("defualt", &["default"][..]),
            ("Best", &["best"]),
            ("acc", &["accurate"]),
            ("bet", &["best", "beet"]),
            ("x", &[]),
        ] {
            assert_eq!(names(typed, &["default", "accurate", "best", "beet"]), meant);
        }
    }

    /// Beside the definition, which takes exponential time.
    #[test]
    fn edit_distances() {
        fn slow(a: &[u8], b: &[u8]) -> usize {
            let swapped = match (a, b) {
                ([p, q, a @ ..], [r, s, b @ ..]) if (p, q) == (s, r) => 1 + slow(a, b),
                _ => usize::MAX,
            };
            swapped.min(match (a, b) {
                (_, []) => a.len(),
                ([], _) => b.len(),
                ([x, a @ ..], [y, b @ ..]) if x == y => slow(a, b),
                ([_, a1 @ ..], [_, b1 @ ..]) => 1 + slow(a1, b).min(slow(a, b1)).min(slow(a1, b1)),
            })
        }
        let words = ["", "a", "lr", "rl", "seed", "sede", "shear", "hsera", "rate", "rotate"];
        for a in words {
            for b in words {
                assert_eq!(edit_distance(a, b), slow(a.as_bytes(), b.as_bytes()), "{a}, {b}");
            }
        }
        assert_eq!(edit_distance("defualt", "default"), 1);
    }
}
