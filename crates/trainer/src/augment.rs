//! Images between a source and the network: augmented while it trains, deskewed where it is
//! evaluated. The arithmetic is in `mnist-io`.

use std::path::Path;

use kernels::{Isa, scale_bytes};
use mnist_io::{
    Distortion, Features, ImageSize, Key, Paper, Samples, Targets, Warp, deskew_images,
};
use nn::{Examples, ImageForm, Mlp, Preparation};

use crate::data::{self, PIXEL_SCALE};
use crate::draw;
use crate::error::Error;

/// How images are deskewed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Deskew {
    /// What the ink is on, in the units of the data.
    pub(crate) paper: Paper,
    /// The factor that turns a byte into a feature.
    pub(crate) pixel_scale: f32,
}

impl Deskew {
    /// How the network in the file at `model` needs its images, if it says so.
    ///
    /// # Errors
    /// [`Error::Preparation`] if it names something that is not known.
    pub(crate) fn of(network: &Mlp, model: &Path) -> Result<Option<Self>, Error> {
        let pixel_scale = network.pixel_scale();
        let deskew = |paper| Some(Self { paper, pixel_scale });
        match network.preparation() {
            None | Some(Preparation::Columns(_)) => Ok(None),
            Some(Preparation::Image(form)) => {
                let paper = Paper { level: form.paper, dark_ink: form.ink < form.paper };
                Ok(if form.deskew { deskew(paper) } else { None })
            }
            Some(other) => match other.to_string().strip_prefix(WORD).and_then(paper_of_word) {
                Some(paper) => Ok(deskew(paper)),
                None => Err(Error::Preparation {
                    model: model.to_owned(),
                    found: other.to_string(),
                    known: WORD,
                }),
            },
        }
    }
}

/// What models of version 0.2 and before have as their preparation, if they have one:
/// `deskew` for light ink on 0, as in MNIST, otherwise such as `deskew-dark-on-255`.
const WORD: &str = "deskew";

/// The paper that such a word names after `deskew`.
fn paper_of_word(rest: &str) -> Option<Paper> {
    if rest.is_empty() {
        return Some(Paper::BLACK);
    }
    let (ink, level) = rest.strip_prefix('-')?.split_once("-on-")?;
    let dark_ink = match ink {
        "dark" => true,
        "light" => false,
        _ => return None,
    };
    let level = level.parse().ok().filter(|level: &f32| level.is_finite())?;
    Some(Paper { level, dark_ink })
}

/// Warps an image on its way into a training step.
pub(crate) struct Augmentation {
    warp: Warp,
    isa: Isa,
}

impl Augmentation {
    /// For these images; `None` if the settings leave them as they are. `paper` is in the
    /// units of the data, of which bytes are scaled before they are warped.
    pub(crate) fn new(
        distortion: Distortion,
        deskew: bool,
        (samples, paper, pixel_scale): (&Samples, Paper, f32),
        isa: Isa,
    ) -> Result<Option<Self>, Error> {
        if distortion.is_identity() && !deskew {
            return Ok(None);
        }
        let ImageSize { rows, cols } = data::image_size(samples).ok_or(Error::NotImages)?;
        let paper = match samples.features() {
            Features::Bytes(_) => paper.scaled(pixel_scale),
            Features::Real(_) => paper,
        };
        let warp = Warp::new(distortion, rows, cols)?.on(paper);
        Ok(Some(Self { warp: if deskew { warp.deskewed() } else { warp }, isa }))
    }
}

/// The samples that a network is evaluated on, as it takes them.
pub(crate) enum Prepared<'a> {
    /// As the source gives them: all, or those that `indices` names.
    Raw { samples: &'a Samples, indices: Option<&'a [u32]> },
    /// Deskewed.
    Deskewed(Samples),
}

impl<'a> Prepared<'a> {
    /// Prepares the samples that `indices` names, or all of them: deskews them if the
    /// network is trained on deskewed images.
    pub(crate) fn new(
        samples: &'a Samples,
        indices: Option<&'a [u32]>,
        deskew: Option<Deskew>,
        isa: Isa,
    ) -> Result<Self, Error> {
        let Some(deskew) = deskew else { return Ok(Self::Raw { samples, indices }) };
        let size = data::image_size(samples).ok_or(Error::NotImages)?;
        let indices: Vec<usize> = match indices {
            Some(indices) => indices.iter().map(|&index| index as usize).collect(),
            None => (0..samples.len()).collect(),
        };
        let features = match samples.features() {
            // Nearly all images: deskewed ones are bytes again.
            Features::Bytes(bytes) if deskew.pixel_scale == PIXEL_SCALE => {
                let indices = indices.iter().copied();
                let bytes = deskew_images(isa, size.rows, size.cols, deskew.paper, bytes, indices)?;
                Features::Bytes(bytes.into())
            }
            features => Features::Real(deskewed(features, &indices, size, deskew, isa)?),
        };
        let positions: Vec<u32> = indices.iter().map(|&index| index as u32).collect();
        let targets = samples.targets().subset(&positions);
        Ok(Self::Deskewed(Samples::new(features, samples.width(), targets)))
    }

    /// Image `index` as lines for a terminal, in the form that a network takes. `pixel_scale` is
    /// the network's.
    pub(crate) fn drawn(&self, index: usize, form: &ImageForm, pixel_scale: f32) -> Vec<String> {
        draw::image(form.cols, &self.ink(index, form, pixel_scale), |ink| ink)
    }

    /// The grey levels of image `index` in the form that a network takes, rows × columns: 255 is
    /// white. `pixel_scale` is the network's.
    pub(crate) fn grey(&self, index: usize, form: &ImageForm, pixel_scale: f32) -> Vec<u8> {
        let dark_ink = form.ink < form.paper;
        let level = |ink: f32| (255.0 * if dark_ink { 1.0 - ink } else { ink }).round() as u8;
        self.ink(index, form, pixel_scale).into_iter().map(level).collect()
    }

    /// The ink of each pixel of image `index`, in the form that a network takes: 0 for paper and
    /// 1 for full ink, more or less. `pixel_scale` is the network's.
    pub(crate) fn ink(&self, index: usize, form: &ImageForm, pixel_scale: f32) -> Vec<f32> {
        let (samples, _) = self.place(index);
        let scale = match samples.features() {
            // Bytes of few levels, which are not rounded.
            Features::Real(_) if !form.real => pixel_scale,
            _ => 1.0,
        };
        let [paper, ink] = [form.paper, form.ink].map(|level| level * scale);
        let pixels = self.features(index);
        pixels.into_iter().map(|x| (x - paper) / (ink - paper)).collect()
    }

    /// The features of sample `index`, in the units of the data.
    pub(crate) fn features(&self, index: usize) -> Vec<f32> {
        let (samples, index) = self.place(index);
        let width = samples.width();
        let range = index * width..(index + 1) * width;
        match samples.features() {
            Features::Bytes(bytes) => bytes[range].iter().map(|byte| f32::from(*byte)).collect(),
            Features::Real(values) => values[range].to_vec(),
        }
    }

    /// The class of each sample; `None` where they have numbers.
    pub(crate) fn labels(&self) -> Option<Vec<u8>> {
        match self.targets() {
            (Targets::Classes(classes), Some(indices)) => {
                let labels = classes.labels();
                Some(indices.iter().map(|&index| labels[index as usize]).collect())
            }
            (Targets::Classes(classes), None) => Some(classes.labels().to_vec()),
            (Targets::Values(_), _) => None,
        }
    }

    /// The number that each sample has; `None` where they have classes.
    pub(crate) fn values(&self) -> Option<Vec<f32>> {
        match self.targets() {
            (Targets::Values(values), Some(indices)) => {
                Some(indices.iter().map(|&index| values[index as usize]).collect())
            }
            (Targets::Values(values), None) => Some(values.clone()),
            (Targets::Classes(_), _) => None,
        }
    }

    /// The targets of a whole set, and which of them are meant.
    fn targets(&self) -> (&Targets, Option<&[u32]>) {
        match self {
            Self::Raw { samples, indices } => (samples.targets(), *indices),
            Self::Deskewed(samples) => (samples.targets(), None),
        }
    }

    /// Where sample `index` is.
    fn place(&self, index: usize) -> (&Samples, usize) {
        match self {
            Self::Raw { samples, indices: None } => (*samples, index),
            Self::Raw { samples, indices: Some(indices) } => (*samples, indices[index] as usize),
            Self::Deskewed(samples) => (samples, index),
        }
    }

    /// As `nn` takes them.
    pub(crate) fn examples(&self) -> Result<Examples<'_>, Error> {
        match self {
            Self::Raw { samples, indices: None } => data::examples(samples),
            Self::Raw { samples, indices: Some(indices) } => {
                Ok(data::examples(samples)?.subset(indices)?)
            }
            Self::Deskewed(samples) => data::examples(samples),
        }
    }
}

/// Deskewed copies of the images that `indices` names, as the network takes them: real
/// values, and bytes with too few levels to be rounded.
fn deskewed(
    features: &Features,
    indices: &[usize],
    size: ImageSize,
    deskew: Deskew,
    isa: Isa,
) -> Result<Vec<f32>, Error> {
    let Deskew { paper, pixel_scale } = deskew;
    let width = size.rows * size.cols;
    let bytes = matches!(features, Features::Bytes(_));
    let paper = if bytes { paper.scaled(pixel_scale) } else { paper };
    let warp = Warp::new(Distortion::default(), size.rows, size.cols)?.deskewed().on(paper);
    let mut images = vec![0.0; indices.len() * width];
    for (&index, image) in indices.iter().zip(images.chunks_exact_mut(width)) {
        let pixels = index * width..(index + 1) * width;
        match features {
            Features::Bytes(bytes) => scale_bytes(isa, &bytes[pixels], pixel_scale, image),
            Features::Real(values) => image.copy_from_slice(&values[pixels]),
        }
        warp.apply(isa, Key::default(), image);
    }
    Ok(images)
}

impl nn::Augment for Augmentation {
    fn augment(&self, draw: nn::Draw, features: &mut [f32]) {
        let nn::Draw { seed, epoch, sample } = draw;
        self.warp.apply(self.isa, Key { seed, epoch, sample }, features);
    }
}

#[cfg(test)]
mod tests {
    use mnist_io::Classes;
    use nn::{Activation, Architecture, ImageForm};

    use super::*;

    const PLAIN: Deskew = Deskew { paper: Paper::BLACK, pixel_scale: PIXEL_SCALE };

    fn samples(features: Features) -> Samples {
        Samples::new(features, 9, Targets::Classes(Classes::new(vec![1, 0].into(), None)))
    }

    #[test]
    fn only_images_are_deskewed() {
        let isa = Isa::active().unwrap();
        let size = ImageSize { rows: 3, cols: 3 };
        let bytes = || samples(Features::Bytes(vec![0; 18].into()));
        let real = || samples(Features::Real(vec![0.0; 18]));

        for images in [bytes(), real()].map(|samples| samples.with_image_size(size)) {
            let prepared = Prepared::new(&images, Some(&[1]), Some(PLAIN), isa).unwrap();
            assert_eq!(prepared.examples().unwrap().len(), 1);
        }
        let line = bytes().with_image_size(ImageSize { rows: 1, cols: 9 });
        for other in [bytes(), real(), line] {
            let error = Prepared::new(&other, None, Some(PLAIN), isa).err().unwrap();
            assert!(matches!(error, Error::NotImages));
            let raw = Prepared::new(&other, None, None, isa).unwrap();
            assert_eq!(raw.examples().unwrap().len(), 2);
        }
    }

    #[test]
    fn bytes_of_few_levels_are_deskewed_without_rounding() {
        let isa = Isa::active().unwrap();
        // A leaning stroke of 4 x 4 pixels of 0 and 1, twice; dark ink on 1.
        let ink = [0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0];
        let bytes: Vec<u8> = [ink, ink].concat().iter().map(|ink| 1 - ink).collect();
        let targets = Targets::Classes(Classes::new(vec![1, 0].into(), None));
        let size = ImageSize { rows: 4, cols: 4 };
        let samples =
            Samples::new(Features::Bytes(bytes.into()), 16, targets).with_image_size(size);
        let paper = Paper { level: 1.0, dark_ink: true };
        let deskew = Deskew { paper, pixel_scale: 0.5 };
        let prepared = Prepared::new(&samples, None, Some(deskew), isa).unwrap();
        let Prepared::Deskewed(found) = prepared else { panic!() };
        let Features::Real(found) = found.features() else { panic!() };
        let mut expected = ink.map(|ink| 0.5 * (1.0 - ink as f32));
        let warp = Warp::new(Distortion::default(), 4, 4).unwrap().deskewed();
        warp.on(paper.scaled(0.5)).apply(isa, Key::default(), &mut expected);
        assert_eq!(found[16..], expected);
        assert!(expected.iter().any(|pixel| *pixel > 0.0 && *pixel < 0.5), "{expected:?}");
    }

    #[test]
    fn only_images_are_augmented() {
        let isa = Isa::active().unwrap();
        let real = samples(Features::Real(vec![0.0; 18]));
        let shift = Distortion { shift: 1.0, ..Distortion::default() };
        let new = |distortion, deskew, samples: &Samples| {
            Augmentation::new(distortion, deskew, (samples, Paper::BLACK, 1.0), isa)
        };
        for (distortion, deskew) in [(shift, false), (Distortion::default(), true)] {
            let error = new(distortion, deskew, &real).err().unwrap();
            assert!(matches!(error, Error::NotImages));
        }
        assert!(new(Distortion::default(), false, &real).unwrap().is_none());
        let images = real.with_image_size(ImageSize { rows: 3, cols: 3 });
        assert!(new(shift, false, &images).unwrap().is_some());
    }

    #[test]
    fn a_preparation_is_what_its_name_says() {
        let shape =
            Architecture { inputs: 4, hidden: vec![], outputs: 2, activation: Activation::Relu };
        let mut network = Mlp::zeros(shape).unwrap();
        network.set_pixel_scale(0.25).unwrap();
        let path = Path::new("model");
        assert_eq!(Deskew::of(&network, path).unwrap(), None);
        for (name, level, dark_ink) in [
            ("deskew", 0.0, false),
            ("deskew-dark-on-255", 255.0, true),
            ("deskew-light-on-37", 37.0, false),
            ("deskew-dark-on-0.1", 0.1, true),
            ("deskew-light-on--1.5", -1.5, false),
            ("deskew-dark-on-0", 0.0, true),
        ] {
            let deskew = Deskew { paper: Paper { level, dark_ink }, pixel_scale: 0.25 };
            network.set_preparation(Some(Preparation::Named(name.into()))).unwrap();
            assert_eq!(Deskew::of(&network, path).unwrap(), Some(deskew));
        }
        let mut form = ImageForm::new(2, 2);
        (form.paper, form.ink) = (9.0, 0.0);
        for skewed in [false, true] {
            form.deskew = skewed;
            network.set_preparation(Some(Preparation::Image(form))).unwrap();
            let deskew = Deskew { paper: Paper { level: 9.0, dark_ink: true }, pixel_scale: 0.25 };
            assert_eq!(Deskew::of(&network, path).unwrap(), skewed.then_some(deskew));
        }
        for name in [
            "",
            "wash",
            "deskewed",
            "Deskew",
            "deskew-",
            "deskew-grey-on-1",
            "deskew-dark-on-",
            "deskew-dark-on-NaN",
            "deskew-dark-on-inf",
            "deskew-dark",
        ] {
            network.set_preparation(Some(Preparation::Named(name.into()))).unwrap();
            let error = Deskew::of(&network, path).unwrap_err().to_string();
            assert!(error.contains(&format!("`{name}`")), "{error}");
        }
    }
}
