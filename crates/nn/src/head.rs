//! What the outputs mean: targets, the loss of a row and its gradient.

mod softmax;

pub use softmax::{ClassWeights, cross_entropy, one_hot};
pub(crate) use softmax::{Loss, check_weights};
