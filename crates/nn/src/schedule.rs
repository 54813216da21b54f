//! Learning-rate schedules: the rate of an epoch as a function of the epoch.

use serde::{Deserialize, Serialize};

use crate::Error;

/// How the learning rate changes from epoch to epoch.
///
/// `e` counts epochs from 0, `n` is their number and `lr` the initial rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Schedule {
    /// `lr`.
    #[default]
    Constant,
    /// `lr / (1 + decay·e)`: what is usually meant by learning-rate decay.
    InverseTime {
        /// Decay, at least 0.
        decay: f32,
    },
    /// `lr / Π (1 + decay·i)` for `i` in `0..=e`: the article divides the
    /// *current* rate by `1 + decay·i` in each epoch, so its decay compounds.
    Compounding {
        /// Decay, at least 0.
        decay: f32,
    },
    /// `lr · (1 − e/n)`.
    Linear,
    /// `lr · (1 + cos(π·e/n)) / 2` (Loshchilov and Hutter 2017, one period).
    Cosine,
}

impl Schedule {
    /// The learning rate of epoch `epoch` (from 0) of `epochs`.
    ///
    /// ```
    /// use nn::Schedule;
    /// let halved = Schedule::InverseTime { decay: 1.0 };
    /// assert_eq!(halved.rate(0.1, 1, 10), 0.05);
    /// ```
    #[must_use]
    pub fn rate(self, lr: f64, epoch: usize, epochs: usize) -> f64 {
        let progress = epoch as f64 / epochs.max(1) as f64;
        match self {
            Self::Constant => lr,
            Self::InverseTime { decay } => lr / (1.0 + f64::from(decay) * epoch as f64),
            Self::Compounding { decay } => {
                (0..=epoch).fold(lr, |rate, i| rate / (1.0 + f64::from(decay) * i as f64))
            }
            Self::Linear => lr * (1.0 - progress),
            Self::Cosine => lr * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()),
        }
    }

    pub(crate) fn validate(self) -> Result<(), Error> {
        match self {
            Self::InverseTime { decay } | Self::Compounding { decay }
                if !(decay.is_finite() && decay >= 0.0) =>
            {
                Err(Error::OutOfRange {
                    name: "decay",
                    found: f64::from(decay),
                    expected: "a finite number of at least 0",
                })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;

    #[test]
    fn every_schedule_starts_at_the_initial_rate() {
        for schedule in [
            Schedule::Constant,
            Schedule::InverseTime { decay: 0.5 },
            Schedule::Compounding { decay: 0.5 },
            Schedule::Linear,
            Schedule::Cosine,
        ] {
            assert_eq!(schedule.rate(0.25, 0, 8), 0.25, "{schedule:?}");
        }
    }

    #[test]
    fn compounding_divides_the_current_rate() {
        // The article's loop, written out.
        let (decay, mut rate) = (0.1, 1.0);
        for i in 0..5 {
            rate /= 1.0 + f64::from(0.1f32) * f64::from(i);
            let found = Schedule::Compounding { decay }.rate(1.0, i as usize, 5);
            assert!((found - rate).abs() < 1e-12);
        }
    }

    #[test]
    fn linear_and_cosine_pass_their_midpoint() {
        assert_eq!(Schedule::Linear.rate(1.0, 5, 10), 0.5);
        assert!((Schedule::Cosine.rate(1.0, 5, 10) - 0.5).abs() < 1e-12);
    }
}
