//! The data that a network is trained and evaluated on: samples and targets, borrowed from
//! the caller.

mod augment;
mod examples;
mod inputs;
mod split;
mod targets;

pub use augment::{Augment, Draw};
pub use examples::Examples;
pub(crate) use examples::check_weights;
pub use inputs::Inputs;
pub use split::Split;
pub(crate) use split::below;
pub use targets::{Labels, Targets, Values};
