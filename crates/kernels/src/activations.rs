//! The functions between two layers, each beside its derivative.

mod elu;
mod gelu;
mod sigmoid;
mod silu;
mod tanh;

pub use elu::{Elu, EluGradient, LeakyRelu, LeakyReluGradient};
pub use gelu::{Gelu, GeluGradient};
pub use sigmoid::Sigmoid;
pub use silu::{Silu, SiluGradient};
pub use tanh::Tanh;
