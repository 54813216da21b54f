//! The settings of a run: a recipe, with the edits of the command line applied. A run
//! directory holds them as `config.toml`, which is itself a recipe.

use std::path::PathBuf;

use mnist_io::Distortion;
use nn::{Activation, Architecture, Fit, Init};
use serde::{Deserialize, Serialize};
use toml::Table;

use crate::data;
use crate::error::Error;
use crate::settings::{self, Edits, Problem};

/// Everything that decides what a run computes. The number of threads is not
/// here: it changes how long a run takes, and not a bit of the result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Name of the recipe before any edits. A recipe file may leave it out; the
    /// recipe then has the name of the file.
    #[serde(default)]
    pub(crate) recipe: String,
    /// What the recipe is, in one line. It is not written to a run, because flags
    /// may have made it untrue.
    #[serde(default, skip_serializing)]
    pub(crate) description: String,
    pub(crate) network: Network,
    #[serde(default)]
    pub(crate) data: Data,
    #[serde(default)]
    pub(crate) augment: Distortion,
    #[serde(default)]
    pub(crate) training: Fit,
}

/// The network, without the numbers of its inputs and outputs, which depend on the
/// data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Network {
    pub(crate) hidden: Vec<usize>,
    pub(crate) activation: Activation,
    pub(crate) init: Init,
}

/// The data that the network is trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Data {
    /// Relative to the current directory.
    pub(crate) dir: PathBuf,
    /// Share of the training set that is held out, in `[0, 1)`.
    pub(crate) validation: f64,
    /// Whether images are deskewed, in training and whenever the network is used.
    pub(crate) deskew: bool,
}

impl Default for Data {
    fn default() -> Self {
        Self { dir: data::DEFAULT_DIR.into(), validation: 0.0, deskew: false }
    }
}

impl Config {
    /// Reads a recipe; `origin` is where it is from, `name` its name unless the text
    /// has another.
    ///
    /// # Errors
    /// The first line that has an unknown key, a value out of range or of another
    /// type, or no TOML.
    pub(crate) fn parse(text: &str, origin: &str, name: &str) -> Result<Self, Error> {
        let parsed =
            settings::check(text).and_then(|()| toml::from_str(text).map_err(Problem::from));
        let mut config: Self = parsed.map_err(|Problem { span, message }| {
            let before = text.bytes().take(span.start);
            let line = 1 + before.filter(|&byte| byte == b'\n').count();
            Error::Toml { origin: origin.to_owned(), line, message }
        })?;
        if config.recipe.is_empty() {
            config.recipe = name.to_owned();
        }
        Ok(config)
    }

    /// This recipe with the edits of the command line, checked as a whole.
    pub(crate) fn edited(self, edits: &Edits) -> Result<Self, Error> {
        let mut recipe = Table::try_from(&self)?;
        edits.apply(&mut recipe)?;
        let mut config: Self = recipe
            .try_into()
            .map_err(|error| Error::Edited { message: Problem::from(error).message })?;
        if config.description.is_empty() {
            config.description = self.description;
        }
        config.validate()?;
        Ok(config)
    }

    /// Checks what is not a matter of one key alone, and all ranges again as the
    /// crates have them that own the settings.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        self.augment.validate()?;
        self.training.validate()?;
        if self.training.early_stopping.is_some() && self.data.validation == 0.0 {
            return Err(Error::NothingToWatch);
        }
        Ok(())
    }

    /// The network for images of `inputs` pixels in `outputs` classes.
    pub(crate) fn architecture(&self, inputs: usize, outputs: usize) -> Architecture {
        Architecture {
            inputs,
            hidden: self.network.hidden.clone(),
            outputs,
            activation: self.network.activation,
        }
    }

    /// The settings as a recipe file.
    pub(crate) fn to_toml(&self) -> Result<String, Error> {
        Ok(toml::to_string(self)?)
    }
}

#[cfg(test)]
mod tests;
