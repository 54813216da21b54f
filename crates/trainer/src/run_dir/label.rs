//! What a run is called: its recipe, and in a few words what differs from it.

use toml::Value;

use super::name::slug;
use crate::config::Config;
use crate::error::{Error, Refused};
use crate::settings::{Kind, Presence, Setting, all};

/// Letters of all that differs. The name ends with [`MORE`] if something has no room.
const LONGEST: usize = 28;

const MORE: &str = "-more";

/// Words that are shorter than their flags.
const SHORT: [(&str, &str); 4] = [
    ("validation", "val"),
    ("batch-size", "batch"),
    ("label-smoothing", "smoothing"),
    ("test-fraction", "test"),
];

/// Letters of a name that the user chooses.
const LONGEST_NAME: usize = 64;

/// What a name says of the data. The rest says how to read them.
const OF_DATA: [&str; 5] =
    ["data.dir", "data.test-fraction", "data.validation", "data.size", "data.deskew"];

/// What says all with its value: `adamw`, and not `optimizer-adamw`.
const BY_VALUE: [&str; 3] =
    ["network.activation", "training.schedule.kind", "training.optimizer.kind"];

/// The name of a run with the settings `config`, which began as `base`:
/// `default-lr0.01-epochs3`.
pub(crate) fn of(config: &Config, base: &Config) -> Result<String, Error> {
    let (now, was) = (config.flat()?, base.flat()?);
    let mut label = slug(&config.recipe);
    let most = label.chars().count() + LONGEST;
    let differs = |setting: &&Setting| now.get(setting.key) != was.get(setting.key);
    let words = all().filter(differs);
    let words = words.filter_map(|setting| {
        let parent = setting.key.rsplit_once('.')?.0;
        let kind = now.get(&format!("{parent}.kind")).and_then(Value::as_str);
        let usual = setting.default_of(kind.unwrap_or_default());
        word(setting, now.get(setting.key), usual.filter(|_| !was.contains_key(setting.key)))
    });
    for word in words {
        if label.chars().count() + 1 + word.chars().count() > most {
            return Ok(label + MORE);
        }
        label += &format!("-{word}");
    }
    Ok(label)
}

/// A setting and its new value as a part of a name. `None` if it says nothing of itself.
/// `usual` is the default of a setting that was not there before.
fn word(setting: &Setting, value: Option<&Value>, usual: Option<&str>) -> Option<String> {
    let key = setting.key;
    let is_table = matches!(setting.kind, Kind::Schedule);
    if is_table || (key.starts_with("data.") && !OF_DATA.contains(&key)) {
        return None;
    }
    let last = key.rsplit('.').next().unwrap_or(key);
    let name = setting.flag.map_or(last, |(flag, _)| flag);
    let short = SHORT.iter().find(|(long, _)| *long == name);
    let name = short.map_or(name, |(_, short)| short);
    let can_be_off = matches!(setting.presence, Presence::OrNone(_));
    let Some(value) = value else { return can_be_off.then(|| format!("no-{name}")) };
    // What comes with another kind, or with a table that is turned on.
    let usual = usual.and_then(|usual| setting.kind.parse(usual));
    let is_usual = usual.is_some_and(|usual| is_same(&usual, value));
    if is_usual && !can_be_off && !key.ends_with(".kind") {
        return None;
    }
    Some(match value {
        Value::Boolean(true) => name.to_owned(),
        Value::Boolean(false) => format!("no-{name}"),
        Value::String(path) if key == "data.dir" => {
            let path = std::path::Path::new(path);
            clean(&path.file_stem().unwrap_or_default().to_string_lossy())
        }
        Value::String(text) if BY_VALUE.contains(&key) => clean(text),
        Value::String(text) => format!("{name}-{}", clean(text)),
        Value::Array(units) if matches!(setting.kind, Kind::Units) => {
            let units: Vec<_> = units.iter().map(ToString::to_string).collect();
            format!("{name}{}", if units.is_empty() { "0".to_owned() } else { units.join("x") })
        }
        // A list of weights is too long.
        Value::Array(_) => name.to_owned(),
        // `l2-1e-5`, and not `l21e-5`.
        value if name.ends_with(|c: char| c.is_ascii_digit()) => {
            format!("{name}-{}", number(value))
        }
        value => format!("{name}{}", number(value)),
    })
}

fn is_same(a: &Value, b: &Value) -> bool {
    let number = |value: &Value| value.as_float().or(value.as_integer().map(|n| n as f64));
    a == b || number(a).is_some() && number(a) == number(b)
}

/// A number with the digits that it was typed with, or fewer.
fn number(value: &Value) -> String {
    match value.as_float() {
        Some(x) if x != 0.0 && !(1e-4..1e6).contains(&x.abs()) => format!("{x:e}"),
        Some(x) => x.to_string(),
        None => value.to_string(),
    }
}

/// A text as a part of the name of a directory.
fn clean(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || c == '.' || c == '_' || c == '-';
    let text: String = text.chars().map(|c| if plain(c) { c } else { '-' }).collect();
    text.trim_start_matches('.').to_owned()
}

/// Checks a name of the user's, of `--name`.
pub(crate) fn check(name: &str) -> Result<(), Error> {
    let plain = |c: char| c.is_alphanumeric() || "._-".contains(c);
    let begins = name.starts_with(char::is_alphanumeric);
    if begins && name.chars().all(plain) && name.chars().count() <= LONGEST_NAME {
        return Ok(());
    }
    Err(Error::Value(Refused {
        what: "--name".to_owned(),
        found: name.to_owned(),
        reason: format!(
            "expected at most {LONGEST_NAME} letters, digits, dots, dashes and underscores, the \
             first a letter or a digit; --out takes any directory"
        ),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe;
    use crate::settings::Edits;

    fn config(recipe: &str, sets: &[&str]) -> Config {
        let sets: Vec<_> = sets.iter().map(Into::into).collect();
        Config::new(&recipe::find(recipe.as_ref()).unwrap(), &Edits::of_sets(&sets)).unwrap().0
    }

    #[test]
    fn what_differs_is_in_the_name() {
        for (recipe, sets, expected) in [
            ("default", &[][..], "default"),
            ("default", &["training.lr=0.01", "training.epochs=3"], "default-epochs3-lr0.01"),
            ("default", &["network.hidden=512,256"], "default-hidden512x256"),
            ("default", &["network.hidden=none"], "default-hidden0"),
            ("default", &["training.batch-norm=none"], "default-no-batch-norm"),
            ("default", &["training.l2=0.00001"], "default-l2-1e-5"),
            ("default", &["training.shuffle=false"], "default-no-shuffle"),
            ("plain", &["data.deskew=true", "training.seed=7"], "plain-deskew-seed7"),
            ("plain", &["network.activation=leaky-relu:0.1"], "plain-leaky-relu-0.1"),
            // What a kind brings with it is not said; what it has of its own is.
            ("plain", &["training.optimizer.kind=adamw"], "plain-lr0.001-adamw"),
            (
                "plain",
                &["training.schedule.kind=step", "training.schedule.every=3"],
                "plain-step-every3",
            ),
            (
                "plain",
                &["data.validation=0.1", "training.early-stopping.patience=10"],
                "plain-val0.1-patience10",
            ),
            ("table", &["data.dir=/x/My data.csv", "data.target=y"], "table-My-data"),
            ("plain", &["training.class-weights=1,2,3"], "plain-class-weights"),
        ] {
            let name = of(&config(recipe, sets), &config(recipe, &[])).unwrap();
            assert_eq!(name, expected, "{sets:?}");
        }
    }

    #[test]
    fn a_name_is_short_and_says_that_there_is_more() {
        let sets = ["training.lr=0.01", "training.epochs=3", "training.batch-size=77"];
        let more = ["training.seed=4", "network.hidden=123,456,789", "augment.rotate=3"];
        let changed = config("default", &[&sets[..], &more].concat());
        let name = of(&changed, &config("default", &[])).unwrap();
        assert_eq!(name, "default-hidden123x456x789-epochs3-more");
        // Every setting at its example: whatever the name is, a directory can have it.
        for setting in all().filter(|s| matches!(s.presence, Presence::Always)) {
            let mut changed = config("plain", &[]);
            let set = format!("{}={}", setting.key, setting.example);
            if let Ok((other, _)) = Config::new(
                &recipe::find("plain".as_ref()).unwrap(),
                &Edits::of_sets(&[set.into()]),
            ) {
                changed = other;
            }
            let name = of(&changed, &config("plain", &[])).unwrap();
            assert!(name.len() <= 64 + LONGEST + MORE.len(), "{name}");
            let plain = |c: char| c.is_alphanumeric() || "._-".contains(c);
            assert!(name.chars().all(plain), "{}: {name}", setting.key);
        }
    }

    #[test]
    fn names_that_a_user_may_choose() {
        for right in ["a", "wide-net_2.1", "größer", &"x".repeat(64)] {
            assert!(check(right).is_ok(), "{right}");
        }
        for wrong in ["", "a/b", "..", ".x", "-x", "a b", "a\nb", &"x".repeat(65)] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
