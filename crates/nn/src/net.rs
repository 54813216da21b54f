//! The network: its shape, its parameters, and what it answers.

pub(crate) mod activation;
pub(crate) mod dense;
mod init;
mod mlp;
mod model_file;
mod predictor;

pub use activation::Activation;
pub use init::Init;
pub(crate) use init::seeded;
pub use mlp::{Architecture, Mlp};
pub(crate) use mlp::{PIXEL_SCALE, unpack};
pub use predictor::Predictor;
