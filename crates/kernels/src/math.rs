//! Exponential and logarithm, of a vector at a time.

pub(crate) mod exp;
pub(crate) mod log;

pub use exp::Exp;
