//! The recipes that come with the program. To add one, add a file to `recipes/`
//! and a row here.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::data;
use crate::error::Error;
use crate::run_dir;
use crate::settings::{Document, Edits, Source, nearest_names};
use crate::words::shell_word;

/// Name and TOML text of each recipe; the first is the default.
const RECIPES: &[(&str, &str)] = &[
    ("default", include_str!("../recipes/default.toml")),
    ("table", include_str!("../recipes/table.toml")),
    ("plain", include_str!("../recipes/plain.toml")),
    ("accurate", include_str!("../recipes/accurate.toml")),
    ("invariant", include_str!("../recipes/invariant.toml")),
    ("dropout", include_str!("../recipes/dropout.toml")),
    ("best", include_str!("../recipes/best.toml")),
    ("article", include_str!("../recipes/article.toml")),
];

/// The name of the recipe that such a run starts from where its data are a table.
const OF_TABLES: &str = RECIPES[1].0;

/// Columns of a terminal, and those that a recipe's name takes in `--help`.
const WIDTH: usize = 80;
const INDENT: usize = 12;

/// The name of the recipe that a run without `--recipe` and `--config` starts from.
pub(crate) const DEFAULT: &str = RECIPES[0].0;

/// A recipe file is some hundred bytes. A file of more than this is something else.
const LARGEST: u64 = 1 << 20;

/// The recipe that a command line starts from: that of `--config`, of `--recipe`, or without
/// both the one for its data.
pub(crate) fn choose(
    config: Option<&Path>,
    name: Option<&OsStr>,
    edits: &Edits,
) -> Result<Source, Error> {
    match (config, name) {
        (Some(path), _) => read(&data::home(path)),
        (None, Some(name)) => find(name),
        (None, None) => {
            let dir = edits.last("data.dir");
            find(dir.map_or(DEFAULT, |dir| usual(dir.as_ref())).as_ref())
        }
    }
}

/// The name of the recipe that a run without `--recipe` and `--config` starts from, with these
/// data.
pub(crate) fn usual(dir: &Path) -> &'static str {
    if data::is_table(dir) { OF_TABLES } else { DEFAULT }
}

/// The recipe of this name, whatever the case of its letters.
pub(crate) fn find(name: &OsStr) -> Result<Source, Error> {
    let typed = name.to_string_lossy();
    let row = RECIPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(&typed));
    let Some((name, text)) = row else {
        return Err(Error::UnknownRecipe { name: typed.into_owned(), instead: instead(name) });
    };
    Ok(built_in(name, text))
}

fn built_in(name: &str, text: &str) -> Source {
    let (text, origin, name) = (text.to_owned(), format!("recipe {name}"), name.to_owned());
    Source { text, origin, name, whole: true }
}

/// The recipe that a file builds on which names it: one of this program.
pub(crate) fn base(name: &str) -> Option<Source> {
    let (name, text) = RECIPES.iter().find(|(known, _)| *known == name)?;
    Some(built_in(name, text))
}

/// The recipes that were probably meant by a name that none has.
pub(crate) fn near(name: &str) -> Vec<&'static str> {
    nearest_names(name, &names())
}

/// The same of a name in a file, where `best-tuned` and `best2` are names of their own.
pub(crate) fn slip(name: &str) -> Vec<&'static str> {
    let own = |rest: &str| rest.starts_with(|c: char| !c.is_alphabetic());
    let named_after = |known: &&str| name.strip_prefix(*known).is_some_and(own);
    near(name).into_iter().filter(|known| !named_after(known)).collect()
}

/// The names of all recipes.
pub(crate) fn names() -> Vec<&'static str> {
    RECIPES.iter().map(|(name, _)| *name).collect()
}

/// What to write instead of a name that no recipe has.
fn instead(name: &OsStr) -> String {
    let path = Path::new(name);
    for file in [path, &path.join("config.toml")] {
        if file.is_file() {
            return format!("to start from a file, write --config {}", shell_word(file));
        }
    }
    let nearest = near(&name.to_string_lossy());
    if nearest.is_empty() {
        format!("the recipes are {}", names().join(", "))
    } else {
        format!("did you mean {}?", nearest.join(" or "))
    }
}

/// Reads a recipe file, or standard input for `-`. Its name is the name of the recipe
/// unless the file has one.
pub(crate) fn read(path: &Path) -> Result<Source, Error> {
    let stdin = path == Path::new("-");
    let refused =
        |found, instead: String| Err(Error::NoRecipe { path: path.to_owned(), found, instead });
    if path.is_dir() {
        let config = path.join("config.toml");
        return if config.is_file() {
            refused("a folder", format!("name its settings: --config {}", shell_word(&config)))
        } else {
            refused("a folder", "name a file in it".to_owned())
        };
    }
    let mut bytes = Vec::new();
    let read = if stdin {
        io::stdin().take(LARGEST + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
    };
    read.map_err(|source| unreadable(path, source))?;
    if is_model(&bytes) {
        let eval = format!("test it with eval --model {}", shell_word(path));
        return refused("a model", format!("{eval}, or name the config.toml of its run"));
    }
    if bytes.len() as u64 > LARGEST {
        return refused("larger than 1 MiB", "name the config.toml of a run".to_owned());
    }
    let origin = if stdin { "stdin".into() } else { path.display().to_string() };
    let name =
        if stdin { "stdin".into() } else { path.file_stem().unwrap_or_default().to_string_lossy() };
    match String::from_utf8(bytes) {
        Ok(text) => {
            // Settings of runs did not say so before they could build on a recipe.
            let whole = text.starts_with(run_dir::HEADING);
            Ok(Source { text, origin, name: name.into_owned(), whole })
        }
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let before = &error.as_bytes()[..valid];
            let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
            let message = "this is not UTF-8: save the recipe as UTF-8".to_owned();
            Err(Error::Toml { origin, line, message })
        }
    }
}

/// The error of a file that cannot be read, and what was meant if it is no file.
fn unreadable(path: &Path, source: io::Error) -> Error {
    let known = find(path.as_os_str()).ok();
    let instead = known.map_or_else(String::new, |recipe| {
        format!("; to start from the recipe of this name, write --recipe {}", recipe.name)
    });
    Error::RecipeFile { path: path.to_owned(), source, instead }
}

/// Whether bytes begin as a safetensors file does: the length of a JSON object, and
/// its brace.
fn is_model(bytes: &[u8]) -> bool {
    bytes.get(5..9) == Some(b"\0\0\0{")
}

/// The recipes with their descriptions, for `--help`.
pub(crate) fn help() -> String {
    let mut help = "Recipes:".to_owned();
    for (name, text) in RECIPES {
        help += &format!("\n  {name:<10}");
        let mut column = INDENT;
        let recipe = Document::read(&built_in(name, text));
        let description = recipe.map(|recipe| recipe.text("description").to_owned());
        for word in description.unwrap_or_default().split(' ') {
            if column + 1 + word.len() > WIDTH {
                help += &format!("\n{:INDENT$}", "");
                column = INDENT;
            }
            help += &format!(" {word}");
            column += 1 + word.len();
        }
    }
    help
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::Config;

    #[test]
    fn every_recipe_is_valid_and_described() {
        for (name, _) in RECIPES {
            let (recipe, notes) =
                Config::new(&find(name.as_ref()).unwrap(), &Edits::default()).unwrap();
            assert_eq!((&*recipe.recipe, notes), (*name, Vec::new()));
            assert!(!recipe.description.is_empty(), "{name}");
        }
        assert_eq!(find("Default".as_ref()).unwrap().name, DEFAULT);
    }

    #[test]
    fn every_file_has_its_row() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes");
        let mut files: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let mut rows: Vec<_> = RECIPES.iter().map(|row| format!("{}.toml", row.0)).collect();
        files.sort();
        rows.sort();
        assert_eq!(files, rows);
    }
}
