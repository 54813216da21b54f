//! Memory that a run needs, computed before it is requested.

use crate::{Architecture, Error, Fit};

/// Bytes of an `f32`.
const F32: u64 = 4;

impl Fit {
    /// Bytes of memory that a run needs at least: the parameters and what the optimizer,
    /// clipping, the average and early stopping keep for each, and the activations of a batch
    /// of `samples` samples or fewer. What a run really needs is more by some per cent, and
    /// by what the data need.
    ///
    /// ```
    /// use nn::{Activation, Architecture, Fit};
    /// let shape = Architecture {
    ///     inputs: 784,
    ///     hidden: vec![65_536, 65_536],
    ///     outputs: 10,
    ///     activation: Activation::Relu,
    /// };
    /// // 4.3 billion parameters, and a velocity for each.
    /// assert!(Fit::default().memory(&shape, 60_000) > 34_000_000_000);
    /// ```
    #[must_use]
    pub fn memory(&self, shape: &Architecture, samples: usize) -> u64 {
        let gradient = u64::from(self.clip_norm.is_some());
        let parameters = (shape.parameters() as u64).saturating_mul(self.vectors() + gradient);
        // The input, and for each unit its activation and the gradient with respect to it.
        let units = shape.maps().into_iter().map(|(_, units)| (units as u64).saturating_mul(2));
        let row = units.fold(shape.inputs as u64, u64::saturating_add);
        let rows = self.batch_size.min(samples) as u64;
        parameters.saturating_add(row.saturating_mul(rows)).saturating_mul(F32)
    }

    /// Numbers that a run keeps from step to step for each parameter, itself included.
    pub(crate) fn vectors(&self) -> u64 {
        let kept = [self.average.is_some(), self.early_stopping.is_some()];
        1 + self.optimizer.slots().len() as u64 + kept.map(u64::from).iter().sum::<u64>()
    }
}

/// Checks that the system would give so much memory at one time. It is given back, and not
/// touched.
pub(crate) fn probe(bytes: u64) -> Result<(), Error> {
    let len = usize::try_from(bytes).map_err(|_| Error::Memory { bytes })?;
    Vec::<u8>::new().try_reserve_exact(len).map_err(|_| Error::Memory { bytes })
}
