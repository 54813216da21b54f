//! What can be wrong with the settings of an augmentation.

use thiserror::Error as ThisError;

/// Rows and columns of an image at the most.
pub(super) const MAX_SIDE: usize = 1024;

/// Why images cannot be augmented with these settings.
#[derive(Clone, Debug, PartialEq, ThisError)]
#[non_exhaustive]
pub enum AugmentError {
    /// A setting is outside its range.
    #[error("augmentation: {name} is {found}: expected {expected}")]
    OutOfRange {
        /// The name of the field.
        name: &'static str,
        /// Its value.
        found: f32,
        /// The range of the field, in words.
        expected: &'static str,
    },

    /// The images are too large, or have no pixels.
    #[error(
        "augmentation: the images have {rows} x {cols} pixels: expected 1 to {MAX_SIDE} along each side"
    )]
    Size {
        /// The height of an image.
        rows: usize,
        /// The width of an image.
        cols: usize,
    },
}
