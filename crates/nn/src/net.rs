//! The network: its architecture, parameters, predictions and file format.

pub(crate) mod activation;
pub(crate) mod dense;
mod init;
mod mlp;
mod model_file;
mod predictor;
mod transfer;

pub use activation::Activation;
pub use init::Init;
pub(crate) use init::seeded;
pub use mlp::{Architecture, Mlp};
pub(crate) use mlp::{PIXEL_SCALE, unpack};
pub(crate) use model_file::Description;
pub use predictor::Predictor;
