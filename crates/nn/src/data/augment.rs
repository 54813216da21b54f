//! Data augmentation: changing samples during training.

/// Changes the features of a sample before a training step reads them, such as shifting an
/// image by a random offset.
///
/// The result must depend on the arguments alone. The calls come from any thread and in any
/// order, and must not change the result of training. Finite features must stay finite;
/// otherwise training ends with [`Error::Diverged`](crate::Error::Diverged).
///
/// ```
/// use nn::{Augment, Draw, Examples, Inputs};
///
/// /// Reverses the features every second time.
/// struct Mirror;
///
/// impl Augment for Mirror {
///     fn augment(&self, draw: Draw, features: &mut [f32]) {
///         if (draw.epoch + draw.sample) % 2 == 1 {
///             features.reverse();
///         }
///     }
/// }
///
/// let inputs = Inputs::new(&[0., 1., 1., 1.], 2)?;
/// let examples = Examples::new(inputs, &[0u8, 1])?.augmented(&Mirror);
/// # Ok::<(), nn::Error>(())
/// ```
pub trait Augment: Sync {
    /// Changes one sample. `features` (inputs) is what the network would read: bytes are
    /// already multiplied by [`Mlp::pixel_scale`](crate::Mlp::pixel_scale).
    fn augment(&self, draw: Draw, features: &mut [f32]);
}

/// Identifies a sample and an epoch. An [`Augment`] draws its random numbers from it.
///
/// [`Augment`] has an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// The run's [`Fit::seed`](crate::Fit::seed).
    pub seed: u64,
    /// The epoch, from 0.
    pub epoch: u64,
    /// Index of the sample in the whole set, also where the examples are a subset.
    pub sample: u64,
}

/// The [`Augment`] of some examples.
#[derive(Clone, Copy)]
pub(crate) struct Augmented<'a>(pub(crate) &'a dyn Augment);

impl std::fmt::Debug for Augmented<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Augmented")
    }
}
