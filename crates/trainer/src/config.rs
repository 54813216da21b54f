//! The settings of a run: a recipe with the flags laid over it, checked once.
//! A run directory holds them as `config.toml`, which is itself a recipe.

use std::fs;
use std::mem::discriminant;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use mnist_io::Distortion;
use nn::{Activation, Architecture, Average, BatchNorm, EarlyStopping, Fit, Init, Optimizer};
use serde::{Deserialize, Serialize};

use crate::cli::{OrNone, Overrides, TrainArgs};
use crate::data;
use crate::error::{Error, Range};
use crate::recipe;

// Sizes beyond these are slips of the keyboard, and would end in a machine
// without memory or in a run without end instead of in an error.
const UNITS: RangeInclusive<usize> = 1..=65_536;
const LAYERS: RangeInclusive<usize> = 0..=64;
const EPOCHS: RangeInclusive<usize> = 1..=1_000_000;
/// TOML's integers are signed, so no larger seed could be written down.
const SEEDS: RangeInclusive<u64> = 0..=i64::MAX as u64;

/// Everything that decides what a run computes. The number of threads is not
/// here: it changes how long a run takes, and not a bit of the result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Name of the recipe that the settings began as. A recipe file may leave
    /// it out and is then called what the file is called.
    #[serde(default)]
    pub(crate) recipe: String,
    /// What the recipe is, in a line. Not written to a run: flags may have made
    /// it untrue.
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

/// What is trained. How many inputs and outputs it has, the data say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Network {
    pub(crate) hidden: Vec<usize>,
    pub(crate) activation: Activation,
    pub(crate) init: Init,
}

/// What it is trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Data {
    /// From the current directory, if relative.
    pub(crate) dir: PathBuf,
    /// Share of the training set that is held out, in `[0, 1)`.
    pub(crate) validation: f64,
    /// Whether images are deskewed, in training and ever after.
    pub(crate) deskew: bool,
}

impl Default for Data {
    fn default() -> Self {
        Self { dir: data::DEFAULT_DIR.into(), validation: 0.0, deskew: false }
    }
}

impl Config {
    /// The settings that the command line asks for.
    pub(crate) fn resolve(args: &TrainArgs) -> Result<Self, Error> {
        let mut config = match (&args.config, &args.recipe) {
            (Some(path), _) => {
                let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                Self::parse(&text, &path.display().to_string(), &name)?
            }
            (None, Some(name)) => recipe::find(name)?,
            (None, None) => recipe::find(recipe::DEFAULT)?,
        };
        config.lay_over(&args.overrides)?;
        config.validate()?;
        Ok(config)
    }

    /// Reads a recipe; `origin` is where it is from, `name` what it is called
    /// unless it says so itself.
    pub(crate) fn parse(text: &str, origin: &str, name: &str) -> Result<Self, Error> {
        let mut config: Self = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let before = text.bytes().take(start);
            Error::Toml {
                origin: origin.to_owned(),
                line: 1 + before.filter(|&byte| byte == b'\n').count(),
                message: error.message().replace('\n', ", "),
            }
        })?;
        if config.recipe.is_empty() {
            config.recipe = name.to_owned();
        }
        Ok(config)
    }

    fn lay_over(&mut self, flags: &Overrides) -> Result<(), Error> {
        fn set<T>(field: &mut T, flag: Option<T>) {
            if let Some(value) = flag {
                *field = value;
            }
        }
        let Self { network, data, augment, training, .. } = self;
        set(&mut data.dir, flags.data.clone());
        set(&mut data.validation, flags.validation);
        set(&mut data.deskew, flags.deskew);
        set(&mut augment.shift, flags.shift);
        set(&mut augment.whole_pixels, flags.whole_pixels);
        set(&mut augment.rotate, flags.rotate);
        set(&mut augment.scale, flags.scale);
        set(&mut augment.shear, flags.shear);
        set(&mut augment.elastic.displacement, flags.elastic.map(|field| field.displacement));
        set(&mut augment.elastic.sigma, flags.elastic.and_then(|field| field.sigma));
        set(&mut network.hidden, flags.hidden.clone().map(|h| h.0));
        set(&mut network.activation, flags.activation);
        set(&mut network.init, flags.init);
        set(&mut training.epochs, flags.epochs);
        set(&mut training.batch_size, flags.batch_size);
        set(&mut training.lr, flags.lr);
        set(&mut training.schedule, flags.schedule);
        // The name of what is there already leaves its parameters as they are.
        let kind = discriminant(&training.optimizer);
        set(&mut training.optimizer, flags.optimizer.filter(|named| discriminant(named) != kind));
        if let Some(value) = flags.momentum {
            match &mut training.optimizer {
                Optimizer::Sgd { momentum } | Optimizer::Nesterov { momentum } => *momentum = value,
                &mut optimizer => return Err(Error::NoMomentum { optimizer }),
            }
        }
        set(&mut training.label_smoothing, flags.label_smoothing);
        set(&mut training.class_weights, flags.class_weights.clone().map(|flag| flag.0));
        set(&mut training.l1, flags.l1);
        set(&mut training.l2, flags.l2);
        training.clip_norm = flags.clip_norm.or(training.clip_norm);
        let average = flags.average.map(|decay| Average { decay });
        training.average = average.or(training.average);
        training.max_norm = flags.max_norm.or(training.max_norm);
        set(&mut training.dropout.hidden, flags.dropout);
        set(&mut training.dropout.input, flags.input_dropout);
        set(&mut training.dropout.kind, flags.dropout_kind);
        set(&mut training.noise.hidden, flags.noise);
        set(&mut training.noise.input, flags.input_noise);
        // What these flags do not name stays as it is.
        if let Some(OrNone(rows)) = flags.batch_norm {
            let before = training.batch_norm.unwrap_or_default();
            training.batch_norm = rows.map(|rows| BatchNorm { rows, ..before });
        }
        if let Some(OrNone(patience)) = flags.patience {
            let before = training.early_stopping.unwrap_or_default();
            let rule = patience.map(|patience| EarlyStopping { patience, ..before });
            training.early_stopping = rule;
        }
        match &mut training.early_stopping {
            Some(rule) => {
                set(&mut rule.monitor, flags.monitor);
                set(&mut rule.min_delta, flags.min_delta);
            }
            None if flags.monitor.is_some() || flags.min_delta.is_some() => {
                return Err(Error::NoPatience);
            }
            None => {}
        }
        set(&mut training.seed, flags.seed);
        Ok(())
    }

    /// Checks every setting against its range.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        within("number of hidden layers", self.network.hidden.len(), LAYERS)?;
        for &units in &self.network.hidden {
            within("units of a hidden layer", units, UNITS)?;
        }
        within("number of epochs", self.training.epochs, EPOCHS)?;
        within("seed", self.training.seed, SEEDS)?;
        if !(0.0..1.0).contains(&self.data.validation) {
            return Err(Error::Range(Range {
                what: "validation fraction",
                found: self.data.validation.to_string(),
                expected: "at least 0 and below 1".into(),
            }));
        }
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

fn within<T>(what: &'static str, found: T, range: RangeInclusive<T>) -> Result<(), Range>
where
    T: PartialOrd + std::fmt::Display,
{
    if range.contains(&found) {
        return Ok(());
    }
    Err(Range {
        what,
        found: found.to_string(),
        expected: format!("{} to {}", range.start(), range.end()),
    })
}

#[cfg(test)]
mod tests;
