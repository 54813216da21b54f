//! A saved model, and the form in which it takes its samples.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use mnist_io::{Classes, Features, ImageSize, Samples, Targets};
use nn::{Columns, Head, ImageForm, Mlp, Preparation, Standard};

use crate::augment::Deskew;
use crate::data;
use crate::error::Error;
use crate::run_dir::{MODEL, Parent};

/// A network from a file.
pub(crate) struct Model {
    /// As the user named it.
    pub(crate) path: PathBuf,
    pub(crate) network: Mlp,
    pub(crate) deskew: Option<Deskew>,
}

impl Model {
    /// Reads a model, or that of a run.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let found = data::home(path);
        let of_run = found.join(MODEL);
        if found.is_dir() && !of_run.is_file() {
            return Err(match Parent::of(&found) {
                Some(parent) => parent.is_no_run(MODEL),
                None => Error::ModelFolder { path: found.into_owned() },
            });
        }
        let file = if found.is_dir() { &of_run } else { &*found };
        let network = Mlp::load(file).map_err(|error| match error {
            nn::Error::Io { path, source } => Error::io("read the model", &path)(source),
            error => error.into(),
        })?;
        let deskew = Deskew::of(&network, path)?;
        Ok(Self { path: path.to_owned(), network, deskew })
    }

    /// Whether the path is that of its file.
    pub(crate) fn is_file(&self, path: &Path) -> bool {
        let home = data::home(&self.path);
        let file = if home.is_dir() { home.join(MODEL) } else { home.into_owned() };
        let [own, path] = [&*file, &*data::home(path)].map(fs::canonicalize);
        own.ok().is_some_and(|own| path.is_ok_and(|path| path == own))
    }

    /// How the rows of a table become features, for a network that takes them.
    pub(crate) fn columns(&self) -> Option<&Columns> {
        match self.network.preparation() {
            Some(Preparation::Columns(columns)) => Some(columns),
            _ => None,
        }
    }

    /// The form of its images. Models of version 0.2 and before do not say what it is: they
    /// have MNIST's if they could.
    pub(crate) fn image(&self) -> Option<ImageForm> {
        let inputs = self.network.architecture().inputs;
        match self.network.preparation() {
            Some(Preparation::Image(form)) => Some(*form),
            Some(Preparation::Columns(_)) => None,
            _ => {
                let mut form = ImageForm::new(28, 28);
                form.centred = true;
                if let Some(Deskew { paper, .. }) = self.deskew {
                    form.paper = paper.level;
                    form.ink = if paper.dark_ink { 0.0 } else { 255.0 };
                }
                (inputs == 784).then_some(form)
            }
        }
    }

    /// The size of its images.
    pub(crate) fn image_size(&self) -> Option<ImageSize> {
        self.image().map(|ImageForm { rows, cols, .. }| ImageSize { rows, cols })
    }

    /// What to say where the real numbers in `path` are far larger than those of the images
    /// that it was trained on.
    pub(crate) fn scale_note(&self, path: &Path, features: &Features) -> Option<String> {
        let (Some(Preparation::Image(form)), Features::Real(values)) =
            (self.network.preparation(), features)
        else {
            return None;
        };
        let scale = if form.real { 1.0 } else { self.network.pixel_scale() };
        let usual = scale * form.paper.abs().max(form.ink.abs());
        let largest = values.iter().fold(0.0, |largest: f32, value| largest.max(value.abs()));
        // Twice, because noise and normalisation reach a little beyond.
        (largest > 2.0 * usual).then(|| {
            format!(
                "the numbers in {} go to {largest}, those that {} was trained on to {usual}: \
                 scale them to the same range",
                path.display(),
                self.path.display()
            )
        })
    }

    /// The number of classes that it tells apart; `None` if it predicts numbers.
    pub(crate) fn classes(&self) -> Option<usize> {
        match self.network.head() {
            Head::Softmax => Some(self.network.architecture().outputs),
            Head::Logistic => Some(2),
            _ => None,
        }
    }

    /// The real values that outputs stand for, in the units of the target. Errors call the
    /// sample `name`.
    pub(crate) fn values(&self, outputs: &[f32], name: &str) -> Result<Vec<f32>, Error> {
        let target = self.columns().and_then(|columns| columns.target());
        let standard = target.and_then(|target| target.standard).unwrap_or(Standard::NONE);
        let values: Vec<f32> = outputs.iter().map(|output| standard.invert(*output)).collect();
        match values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(Error::FarAway { input: name.to_owned(), value: *value }),
            None => Ok(values),
        }
    }

    /// The name of a class: its number, if it has no other.
    pub(crate) fn class_name(&self, class: usize) -> String {
        class_name(&self.network, class)
    }
}

/// The name that a network has for a class: its number, if it has no other.
pub(crate) fn class_name(network: &Mlp, class: usize) -> String {
    let name = network.class_names().and_then(|names| names.get(class));
    name.cloned().unwrap_or_else(|| class.to_string())
}

/// Images of this size as samples, whose classes are not known: all are 0.
pub(crate) fn images(features: Features, size: ImageSize) -> Samples {
    let width = size.rows * size.cols;
    let len = match &features {
        Features::Bytes(bytes) => bytes.len(),
        Features::Real(values) => values.len(),
    };
    let targets = Targets::Classes(Classes::new(vec![0; len / width].into(), None));
    Samples::new(features, width, targets).with_image_size(size)
}

/// The probability of each of `classes`, of a sample with these outputs: a logistic head has
/// that of the second one alone.
pub(crate) fn of_classes(outputs: &[f32], classes: usize) -> Cow<'_, [f32]> {
    match outputs {
        [second] if classes == 2 => vec![1.0 - second, *second].into(),
        _ => outputs.into(),
    }
}

/// The classes by their probability, the most probable one first, and of equals the first as in
/// `Predictor::classes`.
pub(crate) fn ranked(probabilities: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|a, b| probabilities[*b].total_cmp(&probabilities[*a]));
    order
}
