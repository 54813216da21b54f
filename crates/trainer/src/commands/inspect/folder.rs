//! A folder of data: files of IDX, or pictures.

use std::path::Path;

use mnist_io::{Features, Part, Picture, Samples};
use serde::Serialize;

use super::text::Text;
use crate::data::{self, classes};
use crate::draw;
use crate::error::Error;

/// Images that are drawn.
const DRAWN: usize = 4;

/// The longest side of an image that is drawn.
const LONGEST: usize = 100;

#[derive(Serialize)]
pub(super) struct DataFolder {
    path: String,
    /// The format of its files.
    format: &'static str,
    parts: Vec<PartInfo>,
    #[serde(skip)]
    drawn: String,
}

#[derive(Serialize)]
struct PartInfo {
    /// `train` or `test`.
    part: &'static str,
    samples: usize,
    /// Rows and columns of images, or the number of features.
    size: String,
    features: &'static str,
    classes: Vec<ClassInfo>,
}

#[derive(Serialize)]
struct ClassInfo {
    class: String,
    samples: usize,
}

impl DataFolder {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let training = data::open(path, Part::Train, None);
        let test = data::open(path, Part::Test, None);
        let (mut parts, mut drawn) = (Vec::new(), String::new());
        let mut failure = None;
        for (part, samples) in [("train", training), ("test", test)] {
            match samples {
                Ok(samples) => {
                    if drawn.is_empty() {
                        drawn = draw(&samples);
                    }
                    parts.push(PartInfo::new(part, &samples));
                }
                Err(Error::Data(mnist_io::Error::NoPart { .. })) => (),
                // What is damaged is more than a part that is not there.
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        match failure {
            Some(error) if parts.is_empty() || !is_absence(&error) => Err(error),
            _ => {
                let format = mnist_io::find_source(path)?.name();
                Ok(Self { path: path.display().to_string(), format, parts, drawn })
            }
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = Text::default();
        text.row("data", format!("{} ({})", self.path, self.format));
        for part in &self.parts {
            let PartInfo { part: name, samples, size, features, classes } = part;
            let count = classes.len();
            text.row(name, format!("{samples} samples of {size} {features} in {count} classes"));
        }
        if !self.parts.iter().any(|part| part.part == "test") {
            text.row("test", "none: a run tests on a share of the samples, --test-fraction");
        }
        let mut names: Vec<&String> = Vec::new();
        for class in self.parts.iter().flat_map(|part| &part.classes) {
            if !names.contains(&&class.class) {
                names.push(&class.class);
            }
        }
        let row = |name: &&String| {
            let samples = |part: &PartInfo| {
                let class = part.classes.iter().find(|class| class.class == **name);
                class.map_or(0, |class| class.samples).to_string()
            };
            let counts = self.parts.iter().map(samples);
            std::iter::once((*name).clone()).chain(counts).collect()
        };
        let rows: Vec<Vec<String>> = names.iter().map(row).collect();
        let parts = self.parts.iter().map(|part| part.part);
        let head: Vec<&str> = std::iter::once("class").chain(parts).collect();
        text.gap();
        text.table("<>>", &head, &rows);
        if !self.drawn.is_empty() {
            text.gap();
            text.block(&self.drawn);
        }
        text.finish()
    }
}

/// Whether a part is not there, which is no damage.
fn is_absence(error: &Error) -> bool {
    matches!(error, Error::Data(mnist_io::Error::MissingFile { .. }))
}

impl PartInfo {
    fn new(part: &'static str, samples: &Samples) -> Self {
        let mut found = Vec::new();
        if let Some(of) = classes(samples) {
            let mut counts = vec![0; of.count()];
            of.labels().iter().for_each(|label| counts[usize::from(*label)] += 1);
            let name = |class: usize| {
                let name = of.names().and_then(|names| names.names.get(class).cloned());
                name.unwrap_or_else(|| class.to_string())
            };
            let class = |(class, samples)| ClassInfo { class: name(class), samples };
            found = counts.into_iter().enumerate().map(class).collect();
        }
        let features = match samples.features() {
            Features::Bytes(_) => "bytes",
            Features::Real(_) => "real numbers",
        };
        let size = data::size(samples);
        Self { part, samples: samples.len(), size, features, classes: found }
    }
}

/// The first images, their smallest feature for paper and the largest for full ink.
fn draw(samples: &Samples) -> String {
    let Some(size) = data::image_size(samples) else { return String::new() };
    if size.rows > LONGEST || size.cols > LONGEST {
        return String::new();
    }
    let width = samples.width();
    let some = DRAWN.min(samples.len()) * width;
    let pixels: Vec<f32> = match samples.features() {
        Features::Bytes(bytes) => bytes[..some].iter().map(|byte| f32::from(*byte)).collect(),
        Features::Real(values) => values[..some].to_vec(),
    };
    let min = pixels.iter().copied().fold(f32::INFINITY, f32::min);
    let max = pixels.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if min >= max {
        return String::new();
    }
    let ink = |x: f32| (x - min) / (max - min);
    let images = pixels.chunks_exact(width).map(|image| draw::image(size.cols, image, ink));
    draw::side_by_side(&images.collect::<Vec<_>>())
}

/// Pictures that are in no folders of classes: they can be predicted.
#[derive(Serialize)]
pub(super) struct PictureFolder {
    path: String,
    pictures: usize,
    first: String,
}

impl PictureFolder {
    /// `None` if there is no picture.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, Error> {
        let files = Picture::files_in(path)?;
        Ok(files.first().map(|first| Self {
            path: path.display().to_string(),
            pictures: files.len(),
            first: first.display().to_string(),
        }))
    }

    pub(super) fn text(&self) -> String {
        let mut text = Text::default();
        text.row("pictures", &self.path);
        text.row("count", format!("{}, the first is {}", self.pictures, self.first));
        text.row(
            "classes",
            "none: `predict` takes them; to train, a folder for each class is needed",
        );
        text.finish()
    }
}
