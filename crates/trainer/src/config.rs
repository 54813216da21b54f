//! The settings of a run: a recipe, with the edits of the command line applied. A run
//! directory holds them as `config.toml`, which is itself a recipe.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mnist_io::Distortion;
use nn::{Activation, Architecture, ClassWeights, Curve, EarlyStopping, Fit, Init};
use serde::{Deserialize, Serialize, Serializer};
use toml::{Table, Value};

use crate::data::{self, Location};
use crate::error::{Error, Refused};
use crate::recipe;
use crate::settings::{COMPLETE, Document, Edits, Source};

/// Everything that decides what a run computes. The number of threads is not
/// here: it changes how long a run takes, and not a bit of the result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Name of the recipe before any edits. A recipe file may leave it out; the
    /// recipe then has the name of the file. With the name of one of the program's
    /// recipes, a file builds on that, unless it is complete.
    #[serde(default)]
    pub(crate) recipe: String,
    /// What the recipe is, in one line. It is not written to a run, because flags
    /// may have made it untrue.
    #[serde(default, skip_serializing)]
    pub(crate) description: String,
    #[serde(default)]
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
#[serde(default, deny_unknown_fields)]
pub(crate) struct Network {
    pub(crate) hidden: Vec<usize>,
    pub(crate) activation: Activation,
    pub(crate) init: Init,
}

/// What a recipe without these keys has.
impl Default for Network {
    fn default() -> Self {
        Self { hidden: vec![256], activation: Activation::Relu, init: Init::He }
    }
}

/// The data that the network is trained on. What most runs do not have is not written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Data {
    /// Relative to the current directory.
    #[serde(serialize_with = "lossy")]
    pub(crate) dir: PathBuf,
    /// Data to test on, where they are not a part of `dir`.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "lossy_option")]
    pub(crate) test: Option<PathBuf>,
    /// File of the labels of `dir`, where that is a file of IDX.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "lossy_option")]
    pub(crate) labels: Option<PathBuf>,
    /// File of the labels of `test`, where that is a file of IDX.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "lossy_option")]
    pub(crate) test_labels: Option<PathBuf>,
    /// Share of the samples that are tested on where there is no other part for that, in
    /// `(0, 1)`.
    #[serde(skip_serializing_if = "is_default_test_fraction")]
    pub(crate) test_fraction: f64,
    /// Share of the training set that is held out, in `[0, 1)`.
    pub(crate) validation: f64,
    /// Column of a table that is predicted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) task: Task,
    /// Columns that are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) ignore: Vec<String>,
    /// Columns whose numbers are names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) categorical: Vec<String>,
    /// Column that says how much a row counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) weight: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) missing: Missing,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) header: Header,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) separator: Separator,
    /// Size of the pictures, such as `28x28`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<String>,
    /// Whether rows and columns of images are exchanged.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) transpose: bool,
    /// Whether images are deskewed, in training and whenever the network is used.
    pub(crate) deskew: bool,
}

/// What a network learns to predict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Task {
    /// What the target looks like.
    #[default]
    Auto,
    Classification,
    Regression,
}

/// What a missing cell of a table is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Missing {
    #[default]
    Mean,
    Error,
}

/// Whether the first line of a table has names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Header {
    #[default]
    Auto,
    Yes,
    No,
}

/// What is between the cells of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Separator {
    #[default]
    Auto,
    Comma,
    Semicolon,
    Tab,
    Bar,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

const TEST_FRACTION: f64 = 0.2;

fn is_default_test_fraction(fraction: &f64) -> bool {
    *fraction == TEST_FRACTION
}

/// Writes a path as text. One that is not UTF-8 becomes another path, which most likely
/// does not exist, so a run is never repeated with other data.
fn lossy<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

fn lossy_option<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_ref().map(|path| path.to_string_lossy()).serialize(serializer)
}

impl Default for Data {
    fn default() -> Self {
        Self {
            dir: data::DEFAULT_DIR.into(),
            test: None,
            labels: None,
            test_labels: None,
            test_fraction: TEST_FRACTION,
            validation: 0.0,
            target: None,
            task: Task::Auto,
            ignore: Vec::new(),
            categorical: Vec::new(),
            weight: None,
            missing: Missing::Mean,
            header: Header::Auto,
            separator: Separator::Auto,
            size: None,
            transpose: false,
            deskew: false,
        }
    }
}

impl Data {
    /// Where the samples to train on lie.
    pub(crate) fn location(&self) -> Location<'_> {
        Location { path: &self.dir, labels: self.labels.as_deref(), flag: Some("--labels") }
    }

    /// Where the samples to test on lie, if they lie elsewhere.
    pub(crate) fn test_location(&self) -> Option<Location<'_>> {
        let labels = self.test_labels.as_deref();
        self.test.as_deref().map(|path| Location { path, labels, flag: Some("--test-labels") })
    }

    /// Checks that files of labels are named beside a file that can have some.
    pub(crate) fn check_labels(&self) -> Result<(), Error> {
        self.location().check()?;
        match (self.test_location(), &self.test_labels) {
            (Some(test), _) => test.check(),
            (None, Some(_)) => Err(Error::LabelsAlone),
            (None, None) => Ok(()),
        }
    }
}

/// With fewer rows, their mean and deviation say more of the rows than of the data.
const FEW_ROWS: usize = 3;

impl Config {
    /// The settings of a recipe with the edits of the command line, and what the user
    /// should know of them, a line each.
    ///
    /// # Errors
    /// What is wrong with the text, an edit, a value or all of them together. A value
    /// that an edit replaces is not looked at.
    pub(crate) fn new(source: &Source, edits: &Edits) -> Result<(Self, Vec<String>), Error> {
        let mut document = Document::read(source)?;
        if let Some(name) = document.builds_on() {
            if let Some(base) = recipe::base(name) {
                document = document.over(Document::read(&base)?);
            } else if let near @ [_, ..] = &*recipe::slip(name) {
                let what = document.what("recipe").unwrap_or("recipe").to_owned();
                let reason = format!(
                    "there is no such recipe to build on: did you mean {}? To keep the name, and \
                     build on none, write {COMPLETE} = true",
                    near.join(" or ")
                );
                return Err(Refused { what, found: format!("{name:?}"), reason }.into());
            }
        }
        let from_defaults = document.says_little();
        document.fill("network", Table::try_from(Network::default())?);
        document.fill("data", Table::try_from(Data::default())?);
        document.fill("augment", Table::try_from(Distortion::default())?);
        document.fill("training", Table::try_from(Fit::default())?);
        document.edit(edits)?;
        document.check()?;
        let mut config: Self =
            document.table.clone().try_into().map_err(|error: toml::de::Error| Error::Edited {
                message: error.message().replace('\n', ", "),
            })?;
        if let Some(dir) = document.paths.get("data.dir") {
            config.data.dir.clone_from(dir);
        }
        let Data { test, labels, test_labels, .. } = &mut config.data;
        let optional =
            [("data.test", test), ("data.labels", labels), ("data.test-labels", test_labels)];
        for (key, setting) in optional {
            if let Some(path) = document.paths.get(key) {
                *setting = Some(path.clone());
            }
        }
        if config.recipe.is_empty() {
            config.recipe.clone_from(&source.name);
        }
        if config.training.early_stopping.is_some() && config.data.validation == 0.0 {
            let early = "training.early-stopping";
            let what = document.what(&format!("{early}.patience")).or(document.what(early));
            return Err(Error::NothingToWatch { what: what.unwrap_or(early).to_owned() });
        }
        config.validate()?;
        let mut notes = document.notes;
        if from_defaults {
            notes.push(format!(
                "{} names no recipe, so what it leaves out is as the brackets of trainer train \
                 --help show, and of no recipe: to build on one, write recipe = \"{}\" at its \
                 top; if it is meant so, write {COMPLETE} = true",
                source.origin,
                recipe::usual(&config.data.dir)
            ));
        }
        notes.extend(config.notes());
        Ok((config, notes))
    }

    /// Checks all ranges again as the crates have them that own the settings.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        self.augment.validate()?;
        self.training.validate()?;
        Ok(())
    }

    /// What the user should know of settings that are right, and not what they seem.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let epochs = self.training.epochs;
        // The first epoch is the best so far, so the run stops after 1 + patience at least.
        if let Some(EarlyStopping { patience, .. }) = self.training.early_stopping
            && epochs <= patience.saturating_add(1)
        {
            notes.push(format!(
                "a run of {epochs} epochs cannot stop early with a patience of {patience}: it \
                 only keeps its best network; it needs more than {} epochs",
                patience.saturating_add(1)
            ));
        }
        if let Some(ClassWeights::Each(weights)) = &self.training.class_weights
            && let zeros @ 1.. = weights.iter().filter(|weight| **weight == 0.0).count()
        {
            notes.push(format!(
                "{zeros} of {} classes have a weight of 0: the network does not learn them",
                weights.len()
            ));
        }
        if let Curve::Step { every, .. } = self.training.schedule.curve
            && every as usize >= epochs
        {
            notes.push(format!(
                "the schedule `step` changes the learning rate after {every} epochs, and the run \
                 has {epochs}: it never does"
            ));
        }
        let batch = self.training.batch_size;
        let rows = self.training.batch_norm.map(|norm| norm.rows.min(batch));
        if let Some(rows) = rows.filter(|rows| *rows < FEW_ROWS) {
            notes.push(format!(
                "batch normalisation over {rows} rows keeps little of what differs between \
                 them: a larger --batch-size trains better, or --batch-norm none"
            ));
        }
        notes
    }

    /// Checks that class weights have one for each class of the data.
    pub(crate) fn check_classes(&self, expected: usize) -> Result<(), Error> {
        match &self.training.class_weights {
            Some(ClassWeights::Each(weights)) if weights.len() != expected => {
                Err(Error::ClassWeights { found: weights.len(), expected })
            }
            _ => Ok(()),
        }
    }

    /// Checks that no setting is for classes alone, where a number is predicted.
    pub(crate) fn check_numbers(&self) -> Result<(), Error> {
        let fit = &self.training;
        let (key, flag) = if fit.class_weights.is_some() {
            ("training.class-weights", "--class-weights")
        } else if fit.label_smoothing != 0.0 {
            ("training.label-smoothing", "--label-smoothing")
        } else {
            return Ok(());
        };
        Err(Error::NeedsClasses { key, flag })
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

    /// All settings of a recipe file by their keys, such as `training.lr`.
    pub(crate) fn flat(&self) -> Result<BTreeMap<String, Value>, Error> {
        let mut all = BTreeMap::new();
        // Not of the struct itself: the text has the digits of an `f32`, and no others.
        let table = self.to_toml()?.parse::<Table>();
        let table = table.map_err(|error| Error::Edited { message: error.to_string() })?;
        let mut open = vec![(String::new(), Value::Table(table))];
        while let Some((key, value)) = open.pop() {
            match value {
                Value::Table(table) => open.extend(table.into_iter().map(|(name, value)| {
                    let key = if key.is_empty() { name } else { format!("{key}.{name}") };
                    (key, value)
                })),
                value => drop(all.insert(key, value)),
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests;
