//! Images that are moved, turned, stretched and bent a little, at random: a network then
//! learns what a stroke is, and not where it is.
//!
//! The map goes backwards. For each pixel of the new image it says at which point of the
//! old image to look. Between four pixels of the old image the value is interpolated
//! (bilinearly, with paper outside, which is 0 unless it was set: see `paper.rs`). About the middle of the image, in this order:
//!
//! ```text
//! shear    x ← x + k·y
//! rotate   (x, y) ← (x·cos θ − y·sin θ, x·sin θ + y·cos θ)
//! scale    (x, y) ← (x·a, y·b)
//! shift    (x, y) ← (x + s, y + t)
//! deskew   (x, y) ← (x + lean·y + x̄, y + ȳ)           see `deskew.rs`
//! elastic  (x, y) ← (x + u(pixel), y + v(pixel))      see `elastic.rs`
//! ```
//!
//! Each letter is drawn anew for each image and epoch, except those of deskewing: that is
//! a function of the image, and optional.
//!
//! This module imports nothing from the rest of the crate, and no reader imports it.

// Settings, and what can be wrong with them.
mod error;
mod distortion;
// What makes the map of an image: the parts that are the same for all pixels.
mod matrix;
mod deskew;
// What moves the pixels.
mod shift;
mod sample;
mod elastic;
// What the ink is on.
mod paper;
// All of that for one image, and for a set of images.
mod warp;
mod images;

pub use distortion::{Distortion, Elastic};
pub use error::AugmentError;
pub use images::deskew_images;
pub use paper::Paper;
pub use warp::{Key, Warp};
