//! Lends the network what changes images while it trains on them, and does to all others
//! what is done to each image.

use std::borrow::Cow;

use kernels::Isa;
use mnist_io::{Augment, Dataset, Draw, Warp};

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

/// The images of `data` as a network is given them that is not trained: deskewed, if it
/// was trained so, and to whole bytes.
pub(crate) fn prepared(data: &Dataset, deskew: bool, isa: Isa) -> Result<Cow<'_, [u8]>, Error> {
    if !deskew {
        return Ok(data.images().into());
    }
    let warp = Warp::new(Augment::default(), data.rows(), data.cols())?.deskewed();
    let mut image = vec![0.0; data.features()];
    let mut images = Vec::with_capacity(data.images().len());
    for pixels in data.images().chunks_exact(data.features()) {
        kernels::scale_bytes(isa, pixels, 1.0, &mut image);
        warp.apply(isa, Draw::default(), &mut image);
        // To the nearest byte. Each is between four of them, so none is out of range.
        images.extend(image.iter().map(|pixel| (pixel + 0.5) as u8));
    }
    Ok(images.into())
}

impl nn::Augment for Augmentation {
    fn augment(&self, draw: nn::Draw, features: &mut [f32]) {
        let nn::Draw { seed, epoch, sample } = draw;
        self.warp.apply(self.isa, Draw { seed, epoch, sample }, features);
    }
}
