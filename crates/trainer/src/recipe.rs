//! The recipes that come with the program. To add one, add a file to `recipes/`
//! and a row here.

use std::fs;
use std::path::Path;

use crate::config::Config;
use crate::error::Error;

/// Name and TOML text of each recipe; the first is the default.
const RECIPES: &[(&str, &str)] = &[
    ("default", include_str!("../recipes/default.toml")),
    ("plain", include_str!("../recipes/plain.toml")),
    ("accurate", include_str!("../recipes/accurate.toml")),
    ("invariant", include_str!("../recipes/invariant.toml")),
    ("dropout", include_str!("../recipes/dropout.toml")),
    ("best", include_str!("../recipes/best.toml")),
    ("article", include_str!("../recipes/article.toml")),
];

/// Columns of a terminal, and those that a recipe's name takes in `--help`.
const WIDTH: usize = 80;
const INDENT: usize = 12;

/// The name of the recipe that a run without `--recipe` and `--config` starts from.
pub(crate) const DEFAULT: &str = RECIPES[0].0;

/// The recipe of this name.
pub(crate) fn find(name: &str) -> Result<Config, Error> {
    let row = RECIPES.iter().find(|(known, _)| *known == name);
    let (name, text) = row.ok_or_else(|| {
        let known: Vec<_> = RECIPES.iter().map(|(name, _)| *name).collect();
        Error::UnknownRecipe { name: name.into(), known: known.join(", ") }
    })?;
    Config::parse(text, &format!("recipe {name}"), name)
}

/// Reads a recipe file. Its name is the name of the recipe unless the file has one.
pub(crate) fn read(path: &Path) -> Result<Config, Error> {
    let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    Config::parse(&text, &path.display().to_string(), &name)
}

/// The recipes with their descriptions, for `--help`.
pub(crate) fn help() -> String {
    let mut help = "Recipes:".to_owned();
    for (name, _) in RECIPES {
        help += &format!("\n  {name:<10}");
        let mut column = INDENT;
        let description = find(name).map(|recipe| recipe.description).unwrap_or_default();
        for word in description.split(' ') {
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
    use std::path::Path;

    use super::*;

    #[test]
    fn every_recipe_is_valid_and_described() {
        for (name, _) in RECIPES {
            let recipe = find(name).unwrap();
            recipe.validate().unwrap();
            assert_eq!(recipe.recipe, *name);
            assert!(!recipe.description.is_empty(), "{name}");
        }
        assert!(find(DEFAULT).is_ok());
    }

    #[test]
    fn every_file_has_its_row() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes");
        let mut files: Vec<_> = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let mut rows: Vec<_> = RECIPES.iter().map(|row| format!("{}.toml", row.0)).collect();
        files.sort();
        rows.sort();
        assert_eq!(files, rows);
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = find("none").unwrap_err().to_string();
        assert_eq!(
            error,
            "there is no recipe `none`: the recipes are default, plain, accurate, invariant, \
             dropout, best, article"
        );
    }
}
