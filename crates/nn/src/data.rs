//! The data that a network is trained and evaluated on: samples and targets, borrowed from
//! the caller.

mod augment;
mod columns;
mod examples;
mod inputs;
mod owned_inputs;
mod preparation;
mod split;
mod standard;
mod targets;

pub use augment::{Augment, Draw};
pub use columns::{Column, ColumnKind, Columns, Target};
pub use examples::Examples;
pub(crate) use examples::check_weights;
pub use inputs::Inputs;
pub use owned_inputs::OwnedInputs;
pub use preparation::{ImageForm, Preparation};
pub use split::Split;
pub(crate) use split::below;
pub use standard::Standard;
pub use targets::{Labels, Targets, Values};
