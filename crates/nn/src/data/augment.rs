//! What changes samples while they are trained on.

/// Changes the features of a sample before a training step reads them, such as
/// shifting an image a little, so that a network sees it at another place.
///
/// A function of its arguments and of nothing else: it is called on any thread,
/// in any order, and the result of training is to be the same. It keeps finite
/// features finite; others end training with
/// [`Error::Diverged`](crate::Error::Diverged).
///
/// ```
/// use nn::{Augment, Draw, Examples, Inputs};
///
/// /// Every second time, the features from last to first.
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
    /// Changes one sample: its features as the network reads them, bytes already
    /// multiplied by [`Mlp::pixel_scale`](crate::Mlp::pixel_scale).
    fn augment(&self, draw: Draw, features: &mut [f32]);
}

/// For which sample, and when: what random numbers are drawn from.
///
/// [`Augment`] has an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// The run's [`Fit::seed`](crate::Fit::seed).
    pub seed: u64,
    /// The epoch, from 0.
    pub epoch: u64,
    /// Index of the sample in the whole set, of a subset too.
    pub sample: u64,
}

/// An [`Augment`] that examples carry.
#[derive(Clone, Copy)]
pub(crate) struct Augmented<'a>(pub(crate) &'a dyn Augment);

impl std::fmt::Debug for Augmented<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Augmented")
    }
}
