//! How far images may be changed: the settings.

use serde::{Deserialize, Serialize};

use super::error::AugmentError;

/// How far an image may be changed. Each value is the end of a range ±, from which every
/// image draws uniformly; 0 leaves that change out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Distortion {
    /// Shift along each axis, in pixels, 0 to 1024.
    pub shift: f32,
    /// Whether shifts are by whole pixels only. Each whole number of pixels within the
    /// range is then equally likely.
    pub whole_pixels: bool,
    /// Rotation, in degrees, 0 to 180.
    pub rotate: f32,
    /// Stretching of each axis, as a share of its length, at least 0 and below 1.
    pub scale: f32,
    /// Shear: horizontal pixels for each vertical pixel, 0 to 1.
    pub shear: f32,
    /// Displacement that differs from pixel to pixel.
    pub elastic: Elastic,
}

/// A field of displacements: a uniform random number on (−1, 1) for each pixel and axis,
/// smoothed by a Gaussian and multiplied (Simard, Steinkraus and Platt, "Best Practices for
/// Convolutional Neural Networks", ICDAR 2003).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Elastic {
    /// Factor of the smoothed field, in pixels, 0 to 1000; 0 leaves it out. A pixel then
    /// moves by about `displacement / (6·sigma)` along each axis.
    pub displacement: f32,
    /// Standard deviation of the Gaussian, in pixels, 0.1 to 1000.
    pub sigma: f32,
}

impl Default for Elastic {
    fn default() -> Self {
        Self { displacement: 0.0, sigma: 4.0 }
    }
}

impl Distortion {
    /// Checks every value against its range.
    ///
    /// # Errors
    /// [`AugmentError::OutOfRange`], which names the value.
    pub fn validate(&self) -> Result<(), AugmentError> {
        let Elastic { displacement, sigma } = self.elastic;
        // No range contains NaN.
        for (name, found, valid, expected) in [
            ("shift", self.shift, (0.0..=1024.0).contains(&self.shift), "0 to 1024 pixels"),
            ("rotate", self.rotate, (0.0..=180.0).contains(&self.rotate), "0 to 180 degrees"),
            ("scale", self.scale, (0.0..1.0).contains(&self.scale), "at least 0 and below 1"),
            ("shear", self.shear, (0.0..=1.0).contains(&self.shear), "0 to 1"),
            (
                "elastic displacement",
                displacement,
                (0.0..=1000.0).contains(&displacement),
                "0 to 1000 pixels",
            ),
            ("elastic sigma", sigma, (0.1..=1000.0).contains(&sigma), "0.1 to 1000 pixels"),
        ] {
            if !valid {
                return Err(AugmentError::OutOfRange { name, found, expected });
            }
        }
        Ok(())
    }

    /// Whether it leaves every image unchanged.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        let Self { shift, rotate, scale, shear, elastic, .. } = *self;
        [shift, rotate, scale, shear, elastic.displacement].iter().all(|range| *range == 0.0)
    }
}
