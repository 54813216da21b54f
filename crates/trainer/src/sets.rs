//! The images of a run.

use kernels::Isa;
use mnist_io::{Part, Samples, Targets};
use nn::{Columns, Examples, Monitor, Split};

use crate::augment::{self, Augmentation, Deskew};
use crate::config::Config;
use crate::data::table::{ColumnUse, Prepared, Tables};
use crate::data::{self, Checksums};
use crate::error::Error;
use crate::look::Look;

/// The images of a run.
pub(crate) struct Sets {
    pub(crate) training: Samples,
    test: Samples,
    /// How much each training sample counts, if the data say so.
    weights: Option<Vec<f32>>,
    /// Which training images are held out, if any are.
    split: Option<Split>,
    augmentation: Option<Augmentation>,
    deskew: Option<Deskew>,
    pub(crate) look: Look,
    /// How the rows of a table became features.
    pub(crate) columns: Option<Columns>,
    /// Which rows of their files the training and the test samples are, from 1; of a table alone.
    numbers: Option<[Vec<u64>; 2]>,
    /// What was made of the columns of a table.
    pub(crate) uses: Option<Vec<ColumnUse>>,
    /// What the user should know of how the data were read, a line each.
    pub(crate) notes: Vec<String>,
    isa: Isa,
}

impl Sets {
    /// Opens the test set too, so that a missing or damaged one is found before the
    /// training. The run looks at it once, after the training. Settings that the data have
    /// no use for are turned off in `config`.
    pub(crate) fn open(config: &mut Config, isa: Isa) -> Result<Self, Error> {
        config.data.check_labels()?;
        let (mut notes, mut uses) = (Vec::new(), None);
        let (training, test, split, table, weights) = if data::is_table(&config.data.dir) {
            let mut tables = Tables::open(config)?;
            notes = std::mem::take(&mut tables.notes);
            uses = Some(std::mem::take(&mut tables.uses));
            let size = config.data.size.take().is_some();
            if std::mem::take(&mut config.data.transpose) || size {
                notes.push("--size and --transpose are for images: they are left out".to_owned());
            }
            let weights = tables.training.weights.take();
            let split = data::held_out(config, &tables.training.targets)?;
            let Prepared { training, test, columns, numbers } = tables.prepare(split.as_ref())?;
            (training, test, split, Some((columns, numbers)), weights)
        } else {
            let (training, test) = data::parts(config, &mut notes)?;
            if config.data.target.take().is_some() {
                let dir = config.data.dir.display();
                notes.push(format!("--target is for tables, and {dir} is none: it is left out"));
            }
            let split = data::held_out(config, training.targets())?;
            (training, test, split, None, None)
        };
        if data::classes(&training).is_none()
            && let Some(rule) = &mut config.training.early_stopping
            && rule.monitor == Monitor::Accuracy
        {
            rule.monitor = Monitor::Loss;
            notes.push("numbers have no accuracy: early stopping watches the loss".to_owned());
        }
        data::check_pair(&config.data.dir, &training, &test)?;
        let test_path = config.data.test.as_ref().unwrap_or(&config.data.dir);
        data::check_finite(&config.data.dir, Part::Train, &training)?;
        data::check_finite(test_path, Part::Test, &test)?;
        let (columns, numbers) = table.unzip();
        let look = Look::new(config, &training, &test)?;
        let deskew = look.deskew(config);
        let images = (&training, look.paper, look.pixel_scale);
        let augmentation = Augmentation::new(config.augment, deskew.is_some(), images, isa)?;
        Ok(Self {
            training,
            test,
            weights,
            split,
            augmentation,
            deskew,
            look,
            columns,
            numbers,
            uses,
            notes,
            isa,
        })
    }

    /// What the user should know of the held-out samples.
    pub(crate) fn note(&self) -> Option<String> {
        const FEW: usize = 100;
        let (held_out, all) = (self.split.as_ref()?.validation.len(), self.training.len());
        let meaning = if self.has_classes() {
            format!(", so one sample is {:.1} % of the accuracy", 100.0 / held_out as f64)
        } else {
            String::new()
        };
        (held_out < FEW).then(|| {
            format!(
                "{held_out} of {all} samples are held out{meaning}: a larger --validation says more"
            )
        })
    }

    /// The images to train on, augmented.
    pub(crate) fn training(&self) -> Result<Examples<'_>, Error> {
        let mut examples = data::examples(&self.training)?;
        if let Some(weights) = &self.weights {
            examples = examples.weighted(weights)?;
        }
        if let Some(augmentation) = &self.augmentation {
            examples = examples.augmented(augmentation);
        }
        Ok(match &self.split {
            Some(split) => examples.subset(&split.train)?,
            None => examples,
        })
    }

    pub(crate) fn held_out(&self) -> Result<Option<augment::Prepared<'_>>, Error> {
        let Some(split) = &self.split else { return Ok(None) };
        let positions = Some(&split.validation[..]);
        augment::Prepared::new(&self.training, positions, self.deskew, self.isa).map(Some)
    }

    /// At most `most` of the images to train on, spread over all of them: their positions in
    /// the whole set.
    pub(crate) fn some(&self, most: usize) -> Vec<u32> {
        let all = match &self.split {
            Some(split) => split.train.len(),
            None => self.training.len(),
        };
        let position = |i: usize| (i as u128 * all as u128 / all.min(most) as u128) as usize;
        let positions = (0..all.min(most)).map(position);
        match &self.split {
            Some(split) => positions.map(|position| split.train[position]).collect(),
            None => positions.map(|position| position as u32).collect(),
        }
    }

    /// These images, without augmentation.
    pub(crate) fn plain<'a>(
        &'a self,
        positions: &'a [u32],
    ) -> Result<augment::Prepared<'a>, Error> {
        augment::Prepared::new(&self.training, Some(positions), self.deskew, self.isa)
    }

    /// Copies of these images, as a network takes them.
    pub(crate) fn copies(&self, positions: &[u32]) -> Result<Samples, Error> {
        let plain = augment::Prepared::new(&self.training, Some(positions), self.deskew, self.isa)?;
        Ok(match plain {
            augment::Prepared::Deskewed(samples) => samples,
            augment::Prepared::Raw { .. } => self.training.subset(positions),
        })
    }

    /// Number of images that are trained on.
    pub(crate) fn trained_on(&self) -> usize {
        self.training.len() - self.held_out_len()
    }

    pub(crate) fn test(&self) -> Result<augment::Prepared<'_>, Error> {
        augment::Prepared::new(&self.test, None, self.deskew, self.isa)
    }

    /// Which rows of their file the test samples are, from 1; `None` where they are of no table.
    pub(crate) fn test_rows(&self) -> Option<Vec<u64>> {
        self.numbers.as_ref().map(|[_, test]| test.clone())
    }

    /// The same of the training samples at `positions`.
    pub(crate) fn training_rows(&self, positions: &[u32]) -> Option<Vec<u64>> {
        let [training, _] = self.numbers.as_ref()?;
        Some(positions.iter().map(|&position| training[position as usize]).collect())
    }

    /// The same of the held-out samples.
    pub(crate) fn held_out_rows(&self) -> Option<Vec<u64>> {
        self.training_rows(&self.split.as_ref()?.validation)
    }

    /// Number of images that are held out.
    pub(crate) fn held_out_len(&self) -> usize {
        self.split.as_ref().map_or(0, |split| split.validation.len())
    }

    /// Whether classes are predicted, and no number.
    pub(crate) fn has_classes(&self) -> bool {
        data::classes(&self.training).is_some()
    }

    /// The answers of the test samples.
    pub(crate) fn test_targets(&self) -> &Targets {
        self.test.targets()
    }

    pub(crate) fn checksums(&self) -> Checksums {
        Checksums::of(&self.training, &self.test)
    }

    /// CRC-32 of how much each training sample counts, in hexadecimal digits.
    pub(crate) fn checksum_of_weights(&self) -> String {
        data::checksum_of_weights(self.weights.as_deref().unwrap_or_default())
    }
}
