//! Images between a source and the network: augmented while it trains, deskewed where it is
//! evaluated. The arithmetic is in `mnist-io`.

use kernels::Isa;
use mnist_io::{Distortion, Features, ImageSize, Key, Samples, Warp, deskew_images};
use nn::{Examples, Inputs};

use crate::data;
use crate::error::Error;

/// The preparation that the file of a model names if it takes deskewed images.
pub(crate) const DESKEW: &str = "deskew";

/// Warps an image on its way into a training step.
pub(crate) struct Augmentation {
    warp: Warp,
    isa: Isa,
}

impl Augmentation {
    /// For these images; `None` if the settings leave them as they are.
    pub(crate) fn new(
        distortion: Distortion,
        deskew: bool,
        samples: &Samples,
        isa: Isa,
    ) -> Result<Option<Self>, Error> {
        if distortion.is_identity() && !deskew {
            return Ok(None);
        }
        let ImageSize { rows, cols } = data::image_size(samples)?;
        let warp = Warp::new(distortion, rows, cols)?;
        Ok(Some(Self { warp: if deskew { warp.deskewed() } else { warp }, isa }))
    }
}

/// The samples that a network is evaluated on, as it takes them.
pub(crate) enum Prepared<'a> {
    /// As the source gives them: all, or those that `indices` names.
    Raw { samples: &'a Samples, indices: Option<&'a [u32]> },
    /// Deskewed to whole bytes, with their labels.
    Deskewed { pixels: Vec<u8>, labels: Vec<u8>, width: usize },
}

impl<'a> Prepared<'a> {
    /// Prepares the samples that `indices` names, or all of them: deskews them if the
    /// network is trained on deskewed images.
    pub(crate) fn new(
        samples: &'a Samples,
        indices: Option<&'a [u32]>,
        deskew: bool,
        isa: Isa,
    ) -> Result<Self, Error> {
        if !deskew {
            return Ok(Self::Raw { samples, indices });
        }
        let ImageSize { rows, cols } = data::image_size(samples)?;
        let Features::Bytes(images) = samples.features() else { return Err(Error::NotImages) };
        let indices: Vec<usize> = match indices {
            Some(indices) => indices.iter().map(|&index| index as usize).collect(),
            None => (0..samples.len()).collect(),
        };
        let pixels = deskew_images(isa, rows, cols, images, indices.iter().copied())?;
        let labels = data::classes(samples).labels();
        let labels = indices.iter().map(|&index| labels[index]).collect();
        Ok(Self::Deskewed { pixels, labels, width: samples.width() })
    }

    /// As `nn` takes them.
    pub(crate) fn examples(&self) -> Result<Examples<'_>, Error> {
        match self {
            Self::Raw { samples, indices: None } => data::examples(samples),
            Self::Raw { samples, indices: Some(indices) } => {
                Ok(data::examples(samples)?.subset(indices)?)
            }
            Self::Deskewed { pixels, labels, width } => {
                Ok(Examples::new(Inputs::pixels(pixels, *width)?, labels)?)
            }
        }
    }
}

impl nn::Augment for Augmentation {
    fn augment(&self, draw: nn::Draw, features: &mut [f32]) {
        let nn::Draw { seed, epoch, sample } = draw;
        self.warp.apply(self.isa, Key { seed, epoch, sample }, features);
    }
}

#[cfg(test)]
mod tests {
    use mnist_io::{Classes, Targets};

    use super::*;

    fn samples(features: Features) -> Samples {
        Samples::new(features, 4, Targets::Classes(Classes::new(vec![1, 0].into(), None)))
    }

    #[test]
    fn only_images_of_bytes_are_deskewed() {
        let isa = Isa::active().unwrap();
        let size = ImageSize { rows: 2, cols: 2 };
        let bytes = || samples(Features::Bytes(vec![0; 8].into()));
        let real = || samples(Features::Real(vec![0.0; 8]));

        let images = bytes().with_image_size(size);
        let prepared = Prepared::new(&images, Some(&[1]), true, isa).unwrap();
        assert_eq!(prepared.examples().unwrap().len(), 1);
        for other in [bytes(), real(), real().with_image_size(size)] {
            let error = Prepared::new(&other, None, true, isa).err().unwrap();
            assert!(matches!(error, Error::NotImages));
            let raw = Prepared::new(&other, None, false, isa).unwrap();
            assert_eq!(raw.examples().unwrap().len(), 2);
        }
    }

    #[test]
    fn only_images_are_augmented() {
        let isa = Isa::active().unwrap();
        let real = samples(Features::Real(vec![0.0; 8]));
        let shift = Distortion { shift: 1.0, ..Distortion::default() };
        for (distortion, deskew) in [(shift, false), (Distortion::default(), true)] {
            let error = Augmentation::new(distortion, deskew, &real, isa).err().unwrap();
            assert!(matches!(error, Error::NotImages));
        }
        assert!(Augmentation::new(Distortion::default(), false, &real, isa).unwrap().is_none());
        let images = real.with_image_size(ImageSize { rows: 1, cols: 4 });
        assert!(Augmentation::new(shift, false, &images, isa).unwrap().is_some());
    }
}
