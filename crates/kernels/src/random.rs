//! Random values that are functions of where they are used.

mod dropout;
mod gaussian;
mod philox;

pub use dropout::{dropout, dropout_in_place, dropout_mask};
pub use gaussian::{add_gaussian, gaussian_mask};
pub use philox::{Stream, uniform};
