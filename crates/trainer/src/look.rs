//! One look at the data before training: whether there is something to learn in them, and
//! what is taken for granted of images and may not be so.
//!
//! What no training can mend is an error. The rest are findings, which become a line each.
//! Pixels are looked at in a few samples; only what is odd there is looked for in all.

mod classes;
mod features;
mod finding;

use mnist_io::{Distortion, Features, ImageSize, Paper, Samples};
use nn::{ImageForm, Mlp, Preparation};

use crate::augment::Deskew;
use crate::config::Config;
use crate::data;
use crate::error::Error;
use classes::Counts;
use features::Sample;
use finding::Finding;

/// Ink that is so much broader for its height in one part than in the other is turned there.
const OTHER_BREADTH: f64 = 1.5;

/// What was found in the data of a run.
pub(crate) struct Look {
    findings: Vec<Finding>,
    /// The size of the images, where the samples are images.
    image: Option<ImageSize>,
    /// Whether their ink is where MNIST has it.
    centred: bool,
    /// The value of a pixel full of ink.
    ink: f32,
    /// Whether the features are real numbers.
    real: bool,
    /// What the ink of the images is on, in the units of the data.
    pub(crate) paper: Paper,
    /// The factor that turns a byte into a feature.
    pub(crate) pixel_scale: f32,
    /// The classes that no training sample is of.
    absent: Vec<usize>,
}

impl Look {
    /// Looks at the data. Where the samples are not images, the settings of
    /// augmentation and deskewing are turned off in `config`.
    ///
    /// # Errors
    /// If the training samples are all of one class or all alike, or if the test samples
    /// have a class that none of them is of.
    pub(crate) fn new(config: &mut Config, train: &Samples, test: &Samples) -> Result<Self, Error> {
        let dir = &config.data.dir;
        let counts = Counts::new(train, test);
        let mut findings = match &counts {
            Some(counts) => counts.check(dir)?,
            None => Vec::new(),
        };
        let sample = Sample::of(train);
        let test_sample = Sample::of(test);
        findings.extend(features::check(dir, (train, &sample), (test, &test_sample))?);

        let warps = config.data.deskew || !config.augment.is_identity();
        let (mut paper, mut ink, mut centred) = (Paper::BLACK, 0.0, false);
        if let Some(ImageSize { rows, cols }) = data::image_size(train) {
            let largest = sample.largest();
            paper = sample.paper(rows, cols);
            ink = sample.ink(paper);
            centred = sample.is_centred(paper, rows, cols);
            let in_test = test_sample.paper(rows, cols);
            if (in_test.level - paper.level).abs() > largest / 2.0 {
                findings.push(Finding::OtherPaper { train: paper, test: in_test });
            }
            if paper.level > largest / 2.0 && config.training.batch_norm.is_none() {
                findings.push(Finding::LightPaper(paper));
            } else if paper != Paper::BLACK && warps {
                findings.push(Finding::Paper(paper));
            }
            let [breadth, breadth_in_test] = [(&sample, paper), (&test_sample, in_test)]
                .map(|(sample, paper)| sample.breadth(paper, rows, cols));
            if breadth.max(breadth_in_test) > OTHER_BREADTH * breadth.min(breadth_in_test) {
                findings.push(Finding::OtherOrientation);
            }
            let shift = config.augment.shift;
            if f64::from(shift) >= rows.min(cols) as f64 {
                findings.push(Finding::FarShift { shift, rows, cols });
            }
            let assumes_upright = config.data.deskew || config.augment.shear != 0.0;
            if assumes_upright && sample.lies(paper, rows, cols) {
                findings.push(Finding::Transposed);
            }
        } else if warps {
            config.data.deskew = false;
            config.augment = Distortion::default();
            findings.push(Finding::NotImages { sample: data::size(train) });
        }
        let pixel_scale = features::pixel_scale(train);
        if pixel_scale != data::PIXEL_SCALE {
            findings.push(Finding::DarkBytes { largest: (1.0 / pixel_scale).round() as u8 });
        }
        let absent = counts.as_ref().map(Counts::absent).unwrap_or_default();
        let image = data::image_size(train);
        let real = matches!(train.features(), Features::Real(_));
        Ok(Self { findings, image, centred, ink, real, paper, pixel_scale, absent })
    }

    /// Looks at the samples that are trained on, and at no others.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub(crate) fn at_training(config: &mut Config, train: &Samples) -> Result<Self, Error> {
        let mut look = Self::new(config, train, train)?;
        // What the two parts have in common says nothing here.
        look.findings.retain(|finding| *finding != Finding::SameSamples);
        Ok(look)
    }

    /// What the user should know before the training, a line for each finding.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        self.findings.iter().map(Finding::to_string)
    }

    /// The form in which the network takes images.
    fn form(&self, config: &Config) -> Option<ImageForm> {
        let ImageSize { rows, cols } = self.image?;
        let mut form = ImageForm::new(rows, cols);
        (form.paper, form.ink, form.real) = (self.paper.level, self.ink, self.real);
        (form.deskew, form.transpose) = (config.data.deskew, config.data.transpose);
        form.centred = self.centred;
        Some(form)
    }

    /// How images are deskewed, if the settings ask for it.
    pub(crate) fn deskew(&self, config: &Config) -> Option<Deskew> {
        let (paper, pixel_scale) = (self.paper, self.pixel_scale);
        config.data.deskew.then_some(Deskew { paper, pixel_scale })
    }

    /// Makes a network ready for the data, before its training.
    pub(crate) fn apply(&self, config: &Config, network: &mut Mlp) -> Result<(), Error> {
        network.set_pixel_scale(self.pixel_scale)?;
        if let Some(form) = self.form(config) {
            network.set_preparation(Some(Preparation::Image(form)))?;
        }
        classes::silence(network, &self.absent, config.training.label_smoothing.into())
    }
}
