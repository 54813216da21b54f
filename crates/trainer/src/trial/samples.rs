//! The samples that trials train on and are judged on.

use kernels::Isa;
use mnist_io::{Part, Samples, Targets};
use nn::{Columns, Examples, Mlp, Monitor, Split};

use crate::augment::{self, Augmentation, Deskew};
use crate::config::Config;
use crate::data;
use crate::data::table::Tables;
use crate::error::Error;
use crate::look::Look;
use crate::network;

/// All samples but those that a run tests on.
pub(crate) struct TrialSamples {
    source: Source,
    /// What the user should know of how the data were read, a line each.
    pub(crate) notes: Vec<String>,
    /// Features of a sample, as a network takes them.
    width: usize,
}

enum Source {
    Images(Samples),
    /// Each fold learns from its own rows how cells become features.
    Table(Box<Tables>),
}

impl TrialSamples {
    /// Reads the data of a config. Their test part is left alone; where they have none, the
    /// share that a run with this config tests on is left out.
    pub(crate) fn open(config: &Config, isa: Isa) -> Result<Self, Error> {
        config.data.check_labels()?;
        let mut notes = Vec::new();
        let source = if data::is_table(&config.data.dir) {
            let mut tables = Tables::open_without_test(config)?;
            notes = std::mem::take(&mut tables.notes);
            Source::Table(Box::new(tables))
        } else {
            let samples = data::without_test(config, &mut notes)?;
            data::check_finite(&config.data.dir, Part::Train, &samples)?;
            Source::Images(samples)
        };
        let mut samples = Self { source, notes, width: 0 };
        let all = (0..samples.len() as u32).collect();
        let (width, lines) = {
            let whole = Split { train: all, validation: Vec::new() };
            let fold = samples.fold(config, &whole, isa)?;
            (fold.samples().width(), fold.look.lines().collect::<Vec<_>>())
        };
        samples.width = width;
        samples.notes.extend(lines);
        Ok(samples)
    }

    pub(crate) fn targets(&self) -> &Targets {
        match &self.source {
            Source::Images(samples) => samples.targets(),
            Source::Table(tables) => &tables.training.targets,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.targets().len()
    }

    pub(crate) fn has_classes(&self) -> bool {
        matches!(self.targets(), Targets::Classes(_))
    }

    /// CRC-32 of the samples, in hexadecimal digits.
    ///
    /// # Errors
    /// A table whose columns cannot be learned.
    pub(crate) fn checksum(&self) -> Result<String, Error> {
        Ok(match &self.source {
            Source::Images(samples) => data::checksum(samples),
            Source::Table(tables) => data::checksum(&tables.prepare_training(None)?.0),
        })
    }

    /// CRC-32 of how much each sample counts, in hexadecimal digits.
    pub(crate) fn checksum_of_weights(&self) -> String {
        let weights = match &self.source {
            Source::Images(_) => None,
            Source::Table(tables) => tables.training.weights.as_deref(),
        };
        data::checksum_of_weights(weights.unwrap_or_default())
    }

    /// `count` splits, each of which holds out another part: of each class, where there are
    /// classes.
    pub(crate) fn folds(&self, count: usize, seed: u64) -> Result<Vec<Split>, Error> {
        Ok(match self.targets() {
            Targets::Classes(classes) => Split::stratified_k_fold(classes.labels(), count, seed)?,
            Targets::Values(values) => Split::k_fold(values.len(), count, seed)?,
        })
    }

    /// Bytes that a trial takes, without the samples.
    pub(crate) fn memory(&self, config: &Config) -> u64 {
        let outputs = match self.targets() {
            Targets::Classes(classes) => classes.count(),
            Targets::Values(_) => 1,
        };
        let shape = config.architecture(self.width, outputs);
        network::memory(&config.training, &shape, self.len())
    }

    /// The samples as a network with this config takes them, of which `split` says what is
    /// trained on. What is learned of the columns of a table is learned from those rows.
    ///
    /// # Errors
    /// Settings that do not fit the samples.
    pub(super) fn fold<'a>(
        &'a self,
        config: &Config,
        split: &'a Split,
        isa: Isa,
    ) -> Result<Fold<'a>, Error> {
        let mut config = config.clone();
        match self.targets() {
            Targets::Classes(classes) => config.check_classes(classes.count())?,
            Targets::Values(_) => config.check_numbers()?,
        }
        if !self.has_classes()
            && let Some(rule) = &mut config.training.early_stopping
        {
            // Numbers have no accuracy.
            rule.monitor = Monitor::Loss;
        }
        let (samples, columns, weights) = match &self.source {
            Source::Images(samples) => (Held::Shared(samples), None, None),
            Source::Table(tables) => {
                let (samples, columns) = tables.prepare_training(Some(split))?;
                (Held::Own(samples), Some(columns), tables.training.weights.as_deref())
            }
        };
        let look = Look::at_training(&mut config, samples.get())?;
        let deskew = look.deskew(&config);
        let images = (samples.get(), look.paper, look.pixel_scale);
        let augmentation = Augmentation::new(config.augment, deskew.is_some(), images, isa)?;
        Ok(Fold { config, samples, weights, split, augmentation, deskew, look, columns, isa })
    }
}

/// Samples of a fold's own, or those of all.
enum Held<'a> {
    Own(Samples),
    Shared(&'a Samples),
}

impl Held<'_> {
    fn get(&self) -> &Samples {
        match self {
            Self::Own(samples) => samples,
            Self::Shared(samples) => samples,
        }
    }
}

/// The samples of a fold as a network takes them.
pub(super) struct Fold<'a> {
    /// Without the settings that the samples have no use for.
    pub(super) config: Config,
    samples: Held<'a>,
    /// How much each sample counts, if the data say so.
    weights: Option<&'a [f32]>,
    split: &'a Split,
    augmentation: Option<Augmentation>,
    deskew: Option<Deskew>,
    look: Look,
    columns: Option<Columns>,
    isa: Isa,
}

impl Fold<'_> {
    fn samples(&self) -> &Samples {
        self.samples.get()
    }

    /// The samples to train on, augmented.
    pub(super) fn training(&self) -> Result<Examples<'_>, Error> {
        let mut examples = data::examples(self.samples())?;
        if let Some(weights) = self.weights {
            examples = examples.weighted(weights)?;
        }
        if let Some(augmentation) = &self.augmentation {
            examples = examples.augmented(augmentation);
        }
        Ok(examples.subset(&self.split.train)?)
    }

    pub(super) fn held_out(&self) -> Result<augment::Prepared<'_>, Error> {
        let positions = Some(&self.split.validation[..]);
        augment::Prepared::new(self.samples(), positions, self.deskew, self.isa)
    }

    /// The network before training.
    pub(super) fn network(&self) -> Result<Mlp, Error> {
        // How many are trained at a time was decided by the memory of all ranks.
        network::for_samples(&self.config, self.samples(), self.columns.as_ref(), &self.look, 1)
    }

    /// The deviation of a target that is a number; the network learns it standardised.
    pub(super) fn deviation(&self) -> f64 {
        let target = self.columns.as_ref().and_then(Columns::target);
        target.and_then(|target| target.standard).map_or(1.0, |standard| standard.deviation)
    }
}
