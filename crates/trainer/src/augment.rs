//! Lends the network what changes images while it trains on them.

use kernels::Isa;
use mnist_io::{Augment, Dataset, Draw, Warp};

use crate::error::Error;

/// Images that are warped on the way into a training step.
pub(crate) struct Augmentation {
    warp: Warp,
    isa: Isa,
}

impl Augmentation {
    /// For the images of `data`; none if the settings leave them as they are.
    pub(crate) fn new(augment: Augment, data: &Dataset, isa: Isa) -> Result<Option<Self>, Error> {
        if augment.is_identity() {
            return Ok(None);
        }
        let warp = Warp::new(augment, data.rows(), data.cols())?;
        Ok(Some(Self { warp, isa }))
    }
}

impl nn::Augment for Augmentation {
    fn augment(&self, draw: nn::Draw, features: &mut [f32]) {
        let nn::Draw { seed, epoch, sample } = draw;
        self.warp.apply(self.isa, Draw { seed, epoch, sample }, features);
    }
}
