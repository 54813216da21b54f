//! Activations, each beside its derivative, and softplus.
//!
//! A derivative is a [`Binary`](crate::Binary) that multiplies `da`, the gradient with
//! respect to the output of the function. It reads the output h where that is enough,
//! and otherwise the input z; its documentation says which.

mod elu;
mod gelu;
mod leaky_relu;
mod maxout;
mod relu;
mod sigmoid;
mod silu;
mod softplus;
mod tanh;

pub use elu::{Elu, EluGradient};
pub use gelu::{Gelu, GeluGradient};
pub use leaky_relu::{LeakyRelu, LeakyReluGradient};
pub use maxout::Larger;
pub use relu::{Relu, ReluGradient};
pub use sigmoid::{Sigmoid, SigmoidGradient};
pub use silu::{Silu, SiluGradient};
pub use softplus::Softplus;
pub use tanh::{Tanh, TanhGradient};
