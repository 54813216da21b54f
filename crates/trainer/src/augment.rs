//! Lends the network what changes images while it trains on them, and does to all others
//! what is done to each image.

use std::borrow::Cow;

use kernels::Isa;
use mnist_io::{Augment, Dataset, Draw, Warp};
use nn::{Examples, Inputs};

use crate::error::Error;

/// What a model says of itself that takes deskewed images.
pub(crate) const DESKEW: &str = "deskew";

/// Images that are warped on the way into a training step.
pub(crate) struct Augmentation {
    warp: Warp,
    isa: Isa,
}

impl Augmentation {
    /// For the images of `data`; none if the settings leave them as they are.
    pub(crate) fn new(
        augment: Augment,
        deskew: bool,
        data: &Dataset,
        isa: Isa,
    ) -> Result<Option<Self>, Error> {
        if augment.is_identity() && !deskew {
            return Ok(None);
        }
        let warp = Warp::new(augment, data.rows(), data.cols())?;
        Ok(Some(Self { warp: if deskew { warp.deskewed() } else { warp }, isa }))
    }
}

/// Images as a network is given them that is not trained, with their labels.
pub(crate) struct Prepared<'a> {
    images: Cow<'a, [u8]>,
    labels: Cow<'a, [u8]>,
    features: usize,
    /// If they are some of these.
    positions: Option<&'a [u32]>,
}

impl<'a> Prepared<'a> {
    /// Of `data`, all or those at some positions: deskewed, if the network was trained so,
    /// and to whole bytes.
    pub(crate) fn new(
        data: &'a Dataset,
        positions: Option<&'a [u32]>,
        deskew: bool,
        isa: Isa,
    ) -> Result<Self, Error> {
        let (images, labels, features) = (data.images(), data.labels(), data.features());
        if !deskew {
            return Ok(Self { images: images.into(), labels: labels.into(), features, positions });
        }
        let positions: Cow<'_, [u32]> = match positions {
            Some(positions) => positions.into(),
            None => (0..labels.len() as u32).collect(),
        };
        let warp = Warp::new(Augment::default(), data.rows(), data.cols())?.deskewed();
        let mut image = vec![0.0; features];
        let mut deskewed = Vec::with_capacity(positions.len() * features);
        for position in positions.iter() {
            let pixels = &images[*position as usize * features..][..features];
            kernels::scale_bytes(isa, pixels, 1.0, &mut image);
            warp.apply(isa, Draw::default(), &mut image);
            // To the nearest byte. Each is between four of them, so none is out of range.
            deskewed.extend(image.iter().map(|pixel| (pixel + 0.5) as u8));
        }
        let labels = positions.iter().map(|position| labels[*position as usize]).collect();
        Ok(Self { images: deskewed.into(), labels, features, positions: None })
    }

    /// As `nn` takes them.
    pub(crate) fn examples(&self) -> Result<Examples<'_>, Error> {
        let examples = Examples::new(Inputs::pixels(&self.images, self.features)?, &*self.labels)?;
        Ok(match self.positions {
            Some(positions) => examples.subset(positions)?,
            None => examples,
        })
    }
}

impl nn::Augment for Augmentation {
    fn augment(&self, draw: nn::Draw, features: &mut [f32]) {
        let nn::Draw { seed, epoch, sample } = draw;
        self.warp.apply(self.isa, Draw { seed, epoch, sample }, features);
    }
}
