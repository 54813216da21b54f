//! Pictures of curves.

pub(crate) mod braille;
