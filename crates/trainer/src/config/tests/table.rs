//! The table of settings, beside what recipes have and what the crates that own the
//! settings say of them.

use toml::Value;

use super::{SHORT, edits, parse, source, with};
use crate::config::*;
use crate::settings::{Kind, Presence, Setting, all};

/// What a recipe file has for a value that is written so on the command line.
fn in_a_file(setting: &Setting, text: &str) -> Value {
    match setting.kind {
        Kind::Text | Kind::Path | Kind::Name(_) | Kind::Activation | Kind::Size => text.into(),
        Kind::Names => text.split(',').collect::<Vec<_>>().into(),
        Kind::Schedule => Table::from_iter([("kind".to_owned(), text.into())]).into(),
        Kind::Units | Kind::ClassWeights => read_value(&format!("[{text}]")),
        Kind::Switch | Kind::Count(..) => read_value(text),
        Kind::Number(_) | Kind::Double(_) => read_value(text.split(':').next().unwrap()),
    }
}

fn read_value(text: &str) -> Value {
    toml::from_str::<Table>(&format!("x = {text}")).unwrap().remove("x").unwrap()
}

/// Puts a value at a dotted key.
fn put(table: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        None => drop(table.insert(key.to_owned(), value)),
        Some((first, rest)) => {
            let inner = table.entry(first).or_insert_with(|| Table::new().into());
            put(inner.as_table_mut().unwrap(), rest, value);
        }
    }
}

fn value_at<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    match key.split_once('.') {
        None => table.get(key),
        Some((first, rest)) => value_at(table.get(first)?.as_table()?, rest),
    }
}

/// Recipes that have a use for the setting, and the `kind` that makes it so: one, or
/// one for each kind that has this parameter.
fn recipes_for(setting: &Setting) -> Vec<(Table, &'static str)> {
    let mut base: Table = toml::from_str(SHORT).unwrap();
    put(&mut base, "data.validation", 0.25.into());
    let parent = setting.key.rsplit_once('.').map_or("", |(parent, _)| parent);
    let kind = all().find(|s| s.key == format!("{parent}.kind") && s.key != setting.key);
    if let Some(kind) = kind {
        put(&mut base, kind.key, kind.default.into());
    }
    let (Presence::In(table) | Presence::OrNone(table)) = setting.presence else {
        let Presence::Of(kinds) = setting.presence else { return vec![(base, "")] };
        return kinds
            .iter()
            .map(|kind| {
                let mut recipe = base.clone();
                put(&mut recipe, &format!("{parent}.kind"), (*kind).into());
                // What else this kind must have.
                let of_kind =
                    |s: &&Setting| matches!(s.presence, Presence::Of(k) if k.contains(kind));
                for other in all().filter(of_kind).filter(|s| s.key.starts_with(parent)) {
                    if other.default_of(kind).is_none() {
                        let value =
                            if other.key.ends_with("every") { 7.into() } else { 0.5.into() };
                        put(&mut recipe, other.key, value);
                    }
                }
                (recipe, *kind)
            })
            .collect();
    };
    if table != setting.key {
        put(&mut base, table, Table::new().into());
    }
    vec![(base, "")]
}

fn config_of(recipe: &Table) -> Config {
    parse(&toml::to_string(recipe).unwrap()).unwrap()
}

#[test]
fn every_setting_is_the_same_as_a_flag_by_set_and_in_a_file() {
    for setting in all() {
        for (mut recipe, _) in recipes_for(setting) {
            let (key, example) = (setting.key, setting.example);
            let before = config_of(&recipe);
            let text = toml::to_string(&recipe).unwrap();
            let with_flags = |flags: &[&str]| Config::new(&source(&text), &edits(flags)).unwrap().0;
            let by_set = with_flags(&["--set", &format!("{key}={example}")]);
            put(&mut recipe, key, in_a_file(setting, example));
            if key == "training.optimizer.kind" {
                // On a command line it brings its own rate.
                put(&mut recipe, "training.lr", 0.001.into());
            }
            let in_file = config_of(&recipe);
            assert_eq!(by_set, in_file, "{key}");
            assert_ne!(in_file, before, "{key}: its example is its default");
            if let Some((flag, _)) = setting.flag {
                assert_eq!(with_flags(&[&format!("--{flag}={example}")]), in_file, "--{flag}");
            }
            let text = in_file.to_toml().unwrap();
            let again =
                Config { description: in_file.description.clone(), ..parse(&text).unwrap() };
            assert_eq!(again, in_file, "{text}");
        }
    }
}

/// Serde lists the keys that a table may have when it meets one that it may not.
#[test]
fn every_key_that_a_recipe_may_have_is_a_setting() {
    let mut found = 0;
    for setting in all() {
        let Some((table, _)) = setting.key.rsplit_once('.') else { continue };
        for (mut recipe, kind) in recipes_for(setting) {
            if setting.key.ends_with(".kind") {
                put(&mut recipe, setting.key, setting.default.into());
            }
            put(&mut recipe, &format!("{table}.zzz"), 1.into());
            let error = toml::from_str::<Config>(&toml::to_string(&recipe).unwrap()).unwrap_err();
            let message = error.message();
            let (_, expected) = message.split_once("`zzz`").expect(message);
            for name in expected.split('`').skip(1).step_by(2) {
                let key = format!("{table}.{name}");
                let known = all().any(|s| s.key == key || s.key.starts_with(&format!("{key}.")));
                assert!(known, "{key} (kind {kind:?}) has no row in the table of settings");
                found += 1;
            }
        }
    }
    assert!(found > all().count(), "of {found} keys");
    let error = toml::from_str::<Config>("zzz = 1").unwrap_err();
    for name in error.message().split('`').skip(3).step_by(2) {
        assert!(all().any(|s| s.key.split('.').next() == Some(name)), "{name}");
    }
}

#[test]
fn defaults_are_those_of_a_recipe_without_the_key() {
    for setting in all() {
        for (mut recipe, kind) in recipes_for(setting) {
            let key = setting.key;
            // The short recipe has these.
            if let Some(name) = key.strip_prefix("network.") {
                recipe["network"].as_table_mut().unwrap().remove(name);
            }
            let Some(default) = setting.default_of(kind) else {
                let (table, name) = key.rsplit_once('.').unwrap();
                let Some(Value::Table(table)) = value_at(&recipe, table) else { unreachable!() };
                assert!(table.contains_key(name), "{key} of {kind}: a recipe must have it");
                let mut without = table.clone();
                without.remove(name);
                put(&mut recipe, key.rsplit_once('.').unwrap().0, without.into());
                let text = toml::to_string(&recipe).unwrap();
                assert!(parse(&text).is_err(), "{key} of {kind} has a default");
                continue;
            };
            let text = config_of(&recipe).to_toml().unwrap();
            let written: Table = toml::from_str(&text).unwrap();
            let found = value_at(&written, key);
            let number = |value: &Value| value.as_float().or(value.as_integer().map(|n| n as f64));
            match (key, default) {
                ("recipe", _) => assert_eq!(found, Some(&"x".into())),
                ("data.validation", _) => assert_eq!(Data::default().validation, 0.0),
                // What most runs do not have is left out of files.
                (_, default) if !["none", "empty"].contains(&default) && found.is_none() => {
                    let mut with = recipe.clone();
                    put(&mut with, key, in_a_file(setting, default));
                    assert_eq!(config_of(&with), config_of(&recipe), "{key} = {default}");
                }
                (_, "none" | "empty") => assert_eq!(found, None, "{key}"),
                // Files leave a warm-up of 0 out.
                ("training.schedule.warmup", "0") => assert_eq!(found, None),
                _ => {
                    let (found, expected) = (found.expect(key), in_a_file(setting, default));
                    let same = number(found).is_some() && number(found) == number(&expected);
                    assert!(same || *found == expected, "{key} {kind}: {found}, not {default}");
                }
            }
        }
    }
}

/// The crates that own the settings have the last word on their ranges.
#[test]
fn ranges_are_those_of_nn_and_of_mnist_io() {
    let probes = [
        "-1",
        "0",
        "1",
        "2",
        "1025",
        "-0.5",
        "1e-3",
        "0.05",
        "0.5",
        "0.999",
        "1.0",
        "1.001",
        "1.5",
        "64.5",
        "180.5",
        "1000.5",
        "1e30",
        "nan",
        "inf",
        "1e39",
        "1e-50",
        "0.99999999999",
    ];
    let mut refused = 0;
    for setting in all().filter(|setting| !setting.key.starts_with("data.")) {
        let whole = matches!(setting.kind, Kind::Count(..));
        if !whole && !matches!(setting.kind, Kind::Number(_) | Kind::Double(_)) {
            continue;
        }
        for (recipe, _) in recipes_for(setting) {
            for probe in probes.iter().filter(|probe| !whole || probe.parse::<i64>().is_ok()) {
                let mut recipe = recipe.clone();
                put(&mut recipe, setting.key, read_value(probe));
                let text = toml::to_string(&recipe).unwrap();
                let owners = toml::from_str::<Config>(&text).is_ok_and(|c| c.validate().is_ok());
                let table = parse(&text).is_ok();
                assert_eq!(table, owners, "{} = {probe}", setting.key);
                refused += usize::from(!table);
            }
        }
    }
    assert!(refused > 100, "{refused}");
}

/// Serde lists the names that it knows when it meets one that it does not.
#[test]
fn names_are_those_of_nn() {
    for setting in all() {
        let Kind::Name(names) = setting.kind else { continue };
        let (mut recipe, _) = recipes_for(setting).remove(0);
        put(&mut recipe, setting.key, "zzz".into());
        let error = toml::from_str::<Config>(&toml::to_string(&recipe).unwrap()).unwrap_err();
        let message = error.message();
        let (_, listed) = message.split_once("expected ").expect(message);
        let listed = listed.trim_start_matches("one of ").replace(" or ", ", ").replace('`', "");
        assert_eq!(listed, names.join(", "), "{}", setting.key);
    }
}

#[test]
fn rows_are_short_and_in_order() {
    let keys: Vec<_> = all().map(|setting| setting.key).collect();
    for (i, setting) in all().enumerate() {
        let key = setting.key;
        assert!(!keys[..i].contains(&key), "{key} is there twice");
        // In 80 columns, beside the longest flag.
        assert!(setting.help.chars().count() <= 46 || setting.flag.is_none(), "{key}");
        assert!(!setting.help.is_empty() && !setting.help.ends_with('.'), "{key}");
        assert!(setting.more.is_empty() || setting.more.ends_with('.'), "{key}");
        let before = |other: &str| {
            assert!(keys[..i].contains(&other), "{key} stands before {other}, which it needs");
        };
        match setting.presence {
            Presence::In(table) => assert!(
                all().take(i).any(|s| matches!(s.presence, Presence::OrNone(t) if t == table)),
                "{key}: nothing before it turns {table} on"
            ),
            Presence::Of(_) => before(&format!("{}.kind", key.rsplit_once('.').unwrap().0)),
            Presence::Always | Presence::OrNone(_) => {}
        }
    }
}

/// The first block of TOML in the document has all keys; those of its own tables are
/// in the blocks after it.
#[test]
fn the_document_names_every_key_and_its_recipe_is_one() {
    let package = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    if package.join("Cargo.toml.orig").exists() {
        return; // A published package, which has no documents.
    }
    let document = std::fs::read_to_string(package.join("../../docs/formats.md")).unwrap();
    let blocks = blocks_of(&document);
    let mut named = Vec::new();
    for (i, block) in blocks.iter().enumerate() {
        // Keys that may be absent are commented out.
        let on = block.replace("\n# ", "\n").replace("validation = 0.0", "validation = 0.1");
        let recipes = if i == 0 { vec![on] } else { on.lines().map(with).collect() };
        for recipe in recipes {
            parse(&recipe).unwrap_or_else(|error| panic!("{error} in {recipe}"));
            leaves("", &toml::from_str(&recipe).unwrap(), &mut named);
        }
    }
    let shown = parse(blocks_of(&document)[0]).unwrap();
    assert_eq!((shown.data, shown.augment), (Data::default(), Distortion::default()));
    assert_eq!(shown.network, Network::default());
    assert_eq!(shown.training, Fit::default(), "the document shows defaults");
    for setting in all().filter(|setting| setting.key != "training.schedule") {
        assert!(named.contains(&setting.key.to_owned()), "{} is not in formats.md", setting.key);
    }
}

/// The blocks of TOML in a document.
fn blocks_of(document: &str) -> Vec<&str> {
    let blocks = document.split("```toml\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap()).collect()
}

fn leaves(prefix: &str, table: &Table, found: &mut Vec<String>) {
    for (name, value) in table {
        match value {
            Value::Table(inner) => leaves(&format!("{prefix}{name}."), inner, found),
            _ => found.push(format!("{prefix}{name}")),
        }
    }
}
