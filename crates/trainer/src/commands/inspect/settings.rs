//! Settings, and what they change of their recipe.

use std::path::Path;

use serde::Serialize;

use super::text::Text;
use crate::config::Config;
use crate::error::Error;
use crate::recipe;
use crate::settings::{Edits, Source};
use crate::words::{program, shell_word};

/// The settings of a file or a run.
#[derive(Serialize)]
pub(super) struct Settings {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    recipe: String,
    /// Whether the recipe is one of this program; if it is not, all settings that are not those
    /// of the recipe `default` are listed.
    known_recipe: bool,
    /// What is not as in the recipe.
    changed: Vec<Change>,
    #[serde(skip)]
    command: Option<String>,
}

#[derive(Serialize)]
struct Change {
    key: String,
    /// As recipe files have it; `none` if there is none.
    value: String,
    recipe: String,
}

impl Settings {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let source = recipe::read(path)?;
        let command = format!("{} --config {}", program(), shell_word(path));
        let path = Some(path.display().to_string());
        Ok(Self { path, command: Some(command), ..Self::new(&source)? })
    }

    /// The same as a part of something else.
    pub(super) fn without_path(self) -> Self {
        Self { path: None, command: None, ..self }
    }

    /// The settings that `text` has, which are those of `path`.
    pub(super) fn of(path: &Path, text: &str) -> Result<Self, Error> {
        let origin = format!("the settings of {}", path.display());
        Self::new(&Source { text: text.to_owned(), origin, name: String::new(), whole: true })
    }

    fn new(source: &Source) -> Result<Self, Error> {
        let (config, _) = Config::new(source, &Edits::default())?;
        let known = recipe::find(config.recipe.as_ref()).ok();
        let known_recipe = known.is_some();
        let base = known.map_or_else(|| recipe::find(recipe::DEFAULT.as_ref()), Ok)?;
        let (base, _) = Config::new(&base, &Edits::default())?;
        let (now, was) = (config.flat()?, base.flat()?);
        let none = || "none".to_owned();
        let mut keys: Vec<&String> = now.keys().chain(was.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        let change = |key: &String| {
            let [value, recipe] =
                [&now, &was].map(|all| all.get(key).map_or_else(none, ToString::to_string));
            let changed = value != recipe && key != "recipe";
            changed.then(|| Change { key: key.clone(), value, recipe })
        };
        let changed = keys.into_iter().filter_map(change).collect();
        let recipe = config.recipe;
        Ok(Self { path: None, recipe, known_recipe, changed, command: None })
    }

    /// Adds the recipe and what was changed.
    pub(super) fn write(&self, text: &mut Text) {
        let recipe = if self.known_recipe {
            self.recipe.clone()
        } else {
            format!("{}, which is not of this program; beside it is `default`", self.recipe)
        };
        text.row("recipe", recipe);
        if self.changed.is_empty() {
            text.row("changed", "nothing");
            return;
        }
        let row =
            |change: &Change| vec![change.key.clone(), change.value.clone(), change.recipe.clone()];
        let rows: Vec<Vec<String>> = self.changed.iter().map(row).collect();
        text.gap();
        text.table("<<<", &["setting", "value", "in the recipe"], &rows);
    }

    pub(super) fn text(&self) -> String {
        let mut text = Text::default();
        if let Some(path) = &self.path {
            text.row("settings", path);
        }
        self.write(&mut text);
        if let Some(command) = &self.command {
            text.block(&format!("\nto train with them:\n  {command}\n"));
        }
        text.finish()
    }
}
