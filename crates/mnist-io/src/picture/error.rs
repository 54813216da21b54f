//! What can be wrong with a picture.

use thiserror::Error as ThisError;

use crate::samples::ImageSize;

/// Why bytes are no picture that can be used, or a picture no digit.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum PictureError {
    /// There are no bytes.
    #[error("found an empty file, expected a picture: PNG, JPEG, PGM, PPM or PBM")]
    Empty,

    /// Another format.
    #[error("found {found}, expected a picture: PNG, JPEG, PGM, PPM or PBM; {advice}")]
    OtherFile {
        /// What it is.
        found: &'static str,
        /// What to do.
        advice: &'static str,
    },

    /// The file is larger than any picture should be.
    #[error(
        "found a file of {found} bytes, expected no more than {most}; save the picture smaller"
    )]
    FileSize {
        /// Its bytes.
        found: u64,
        /// The bytes it may have.
        most: u64,
    },

    /// The header announces more pixels than are read.
    #[error(
        "found a picture of {size} pixels, expected no more than {most} in all; save it smaller"
    )]
    TooManyPixels {
        /// The size of the picture.
        size: ImageSize,
        /// The pixels it may have.
        most: usize,
    },

    /// The header announces no pixels.
    #[error("found a picture of {size} pixels, expected at least one row and one column")]
    NoPixels {
        /// The size of the picture.
        size: ImageSize,
    },

    /// The file is too small for what its header announces.
    #[error(
        "found {found} bytes for a picture of {size} pixels, expected at least {least}; the file is damaged or cut short: save or fetch it again"
    )]
    TooSmall {
        /// The bytes of the file.
        found: usize,
        /// The size of the picture.
        size: ImageSize,
        /// The bytes that a file of this size has at least.
        least: usize,
    },

    /// The file does not keep to its format.
    #[error("found a damaged {format} file ({what}); save or fetch it again")]
    Damaged {
        /// The format.
        format: &'static str,
        /// What is wrong, and where that is known.
        what: String,
    },

    /// The pixels do not fit into memory.
    #[error("found a picture of {size} pixels, expected no more than fits into memory")]
    Memory {
        /// The size of the picture.
        size: ImageSize,
    },

    /// Nothing stands out from the paper.
    #[error(
        "found no ink: nothing differs from the paper by more than {found} grey levels, expected a digit that differs by at least {expected}; write it with a darker pen, or cut the picture so that the digit fills it"
    )]
    NoInk {
        /// How much the most different part of the picture differs from its paper.
        found: u32,
        /// How much a digit has to, given the noise in the picture.
        expected: u32,
    },
}

impl PictureError {
    /// Damage that another crate describes, made one line.
    pub(super) fn damaged(format: &'static str, what: impl ToString) -> Self {
        let what = what.to_string();
        let words: Vec<_> = what.split(|c: char| c.is_whitespace() || c.is_control()).collect();
        let words = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>();
        Self::Damaged { format, what: words.join(" ").trim_end_matches('.').to_owned() }
    }
}
