//! Settings of dropout and noise, which training applies between the layers.

use serde::{Deserialize, Serialize};

use crate::Error;

/// Dropout: the share of units that are dropped in each training step, or the strength of
/// Gaussian dropout.
///
/// Both kinds multiply a unit by a random factor with a mean of 1, so prediction needs no
/// scaling.
///
/// ```
/// use nn::{Dropout, Fit};
/// let dropout = Dropout { input: 0.2, hidden: 0.5, ..Dropout::default() };
/// Fit { dropout, ..Fit::default() }.validate()?;
/// // A rate of 1 would drop every unit.
/// let dropout = Dropout { hidden: 1.0, ..dropout };
/// assert!(Fit { dropout, ..Fit::default() }.validate().is_err());
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Dropout {
    /// Rate for the network's inputs, in `[0, 1)`.
    pub input: f32,
    /// Rate for the units of every hidden layer, in `[0, 1)`.
    pub hidden: f32,
    /// Distribution of the factors.
    pub kind: DropoutKind,
}

/// Distribution of the random factors of dropout with rate p.
///
/// ```
/// use nn::{Dropout, DropoutKind};
/// assert_eq!(Dropout::default().kind, DropoutKind::Bernoulli);
/// let gaussian = Dropout { hidden: 0.5, kind: DropoutKind::Gaussian, ..Dropout::default() };
/// assert_eq!(gaussian.input, 0.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DropoutKind {
    /// 0 with probability p, else 1/(1 − p): inverted dropout (Srivastava et al.
    /// 2014).
    #[default]
    Bernoulli,
    /// Normally distributed with a mean of 1 and the variance of Bernoulli dropout,
    /// p/(1 − p) (Srivastava et al. 2014, section 10).
    Gaussian,
}

/// Standard deviations of the normal noise that each training step adds.
///
/// Prediction adds no noise.
///
/// ```
/// use nn::{Fit, Noise};
/// let noise = Noise { input: 0.1, ..Noise::default() };
/// assert_eq!(noise.hidden, 0.0);
/// Fit { noise, ..Fit::default() }.validate()?;
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Noise {
    /// Noise on the network's inputs, at least 0.
    pub input: f32,
    /// Noise on z of every hidden layer, which goes into its activation, and on the logits;
    /// at least 0. With batch normalisation it is added after the normalisation and before
    /// the gain. So it is relative to the normalised values, and training cannot make it
    /// less important with a large gain.
    pub hidden: f32,
}

impl Dropout {
    pub(crate) fn validate(self) -> Result<(), Error> {
        for (name, rate) in [("dropout of inputs", self.input), ("dropout", self.hidden)] {
            if !(0.0..1.0).contains(&rate) {
                return Err(Error::OutOfRange {
                    name,
                    found: f64::from(rate),
                    expected: "a rate of at least 0 and below 1",
                });
            }
        }
        Ok(())
    }
}

impl Noise {
    pub(crate) fn validate(self) -> Result<(), Error> {
        for (name, sigma) in [("noise on inputs", self.input), ("noise", self.hidden)] {
            if !(sigma.is_finite() && sigma >= 0.0) {
                return Err(Error::OutOfRange {
                    name,
                    found: f64::from(sigma),
                    expected: "a finite number of at least 0",
                });
            }
        }
        Ok(())
    }
}
