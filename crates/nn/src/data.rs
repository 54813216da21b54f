//! What a network is trained on and judged by: samples, borrowed from the caller.

mod augment;
mod examples;
mod split;

pub use augment::{Augment, Draw};
pub use examples::{Examples, Inputs, Labels};
pub use split::Split;
pub(crate) use split::below;
