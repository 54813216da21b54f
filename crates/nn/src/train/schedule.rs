//! Learning-rate schedules: the rate of a step as a function of the progress of the run.

use serde::{Deserialize, Deserializer, Serialize};

use crate::Error;
use crate::math::{exp, half_cosine, ln, power};

/// The progress of a run before a step.
///
/// ```
/// use nn::{Curve, Progress, Schedule};
/// // Halfway: five of ten epochs, of ten steps each.
/// let at = Progress { step: 50, steps: 100, epoch: 5, epochs: 10 };
/// assert_eq!(Schedule::from(Curve::Linear { from: 0.0 }).rate(0.5, at), 0.25);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Steps taken so far in all epochs.
    pub step: u64,
    /// Steps of the whole run.
    pub steps: u64,
    /// Completed epochs so far.
    pub epoch: usize,
    /// Epochs of the whole run.
    pub epochs: usize,
}

/// How the learning rate changes during a run: an optional warm-up, then a [`Curve`].
///
/// ```
/// use nn::{Curve, Fit, Schedule};
/// let schedule = Schedule { curve: Curve::Cosine, warmup: 0.1 };
/// let fit = Fit { schedule, ..Fit::default() };
/// // A curve converts into a schedule without warm-up.
/// let fit = Fit { schedule: Curve::Linear { from: 0.3 }.into(), ..fit };
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// The rate after the warm-up.
    ///
    /// In files its fields stand on the same level as `warmup`, and unknown fields are errors.
    #[serde(flatten)]
    pub curve: Curve,
    /// Share of the run, in `[0, 1)`, during which the rate rises linearly. The rate of step
    /// `t` (from 0) is multiplied by `(t + 1) / (w + 1)`, where `w` is this share times the
    /// number of steps, and by 1 from step `w` on (Goyal et al. 2017, section 2.2).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub warmup: f32,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(share: &f32) -> bool {
    *share == 0.0
}

/// The formula of the learning rate.
///
/// `lr` is [`Fit::lr`](crate::Fit::lr). Some curves change once per epoch: `e` is the index
/// of the epoch, from 0. The others change with every step: `t` is the index of the step, from
/// 0, and `n` is the number of steps. With a warm-up, `t` and `n` count only the steps after
/// it, and `t` is 0 during the warm-up.
///
/// ```
/// use nn::{Curve, Progress, Schedule};
/// let halved: Schedule = Curve::Step { every: 2, factor: 0.5 }.into();
/// let rate = |epoch| {
///     halved.rate(0.5, Progress { step: 10 * epoch as u64, steps: 100, epoch, epochs: 10 })
/// };
/// assert_eq!([0, 1, 2, 3, 4].map(rate), [0.5, 0.5, 0.25, 0.25, 0.125]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub enum Curve {
    /// `lr`.
    #[default]
    #[serde(deserialize_with = "nothing_else")]
    Constant,
    /// `lr / Π (1 + decay·i)` for `i` in `0..=e`: the article divides the
    /// *current* rate by `1 + decay·i` in each epoch, so its decay compounds.
    Compounding {
        /// Decay, at least 0.
        decay: f32,
    },
    /// `lr / (1 + decay·e)`: the usual learning-rate decay.
    InverseTime {
        /// Decay, at least 0.
        decay: f32,
    },
    /// `lr · factor^⌊e/every⌋`, like PyTorch's `StepLR`.
    Step {
        /// Epochs after which the rate changes, at least 1.
        every: u32,
        /// Factor, above 0; 0.1 unless given.
        #[serde(default = "default::factor")]
        factor: f32,
    },
    /// `lr · factorᵉ`, like PyTorch's `ExponentialLR`.
    Exponential {
        /// Factor, above 0; if it is above 1, the rate grows.
        factor: f32,
    },
    /// `lr` until the share `from` of the run, then `lr · (1 − t/n)`, where `t` and `n` count
    /// the steps after that point. The rate would reach 0 one step after the last.
    Linear {
        /// Share of the whole run, in `[0, 1)`, during which the rate is constant; 0 unless
        /// given. If the warm-up is longer, the decay begins after the warm-up.
        #[serde(default)]
        from: f32,
    },
    /// `lr · (1 + cos(π·t/n)) / 2` (Loshchilov and Hutter 2017, eq. 5, one period
    /// down to 0), like PyTorch's `CosineAnnealingLR`.
    #[serde(deserialize_with = "nothing_else")]
    Cosine,
    /// From `lr / div_factor` up to `lr`, then down to `lr / (div_factor ·
    /// final_div_factor)` in the last step, both along half a cosine (Smith and Topin 2018,
    /// in the form of PyTorch's `OneCycleLR` with `cycle_momentum=False`: momentum stays
    /// constant).
    OneCycle {
        /// Share of the cycle in which the rate rises, in `[0, 1]`; 0.3 unless
        /// given.
        #[serde(default = "default::pct_start")]
        pct_start: f32,
        /// Divides `lr` to give the first rate; at least 1; 25 unless given.
        #[serde(default = "default::div_factor")]
        div_factor: f32,
        /// Divides the first rate to give the last rate; at least 1; 10⁴ unless given.
        #[serde(default = "default::final_div_factor")]
        final_div_factor: f32,
    },
}

/// Rejects fields of a curve that has none, which serde would ignore.
fn nothing_else<'de, D: Deserializer<'de>>(fields: D) -> Result<(), D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}
    Nothing::deserialize(fields).map(|Nothing {}| ())
}

/// Default values of the curves' parameters.
mod default {
    pub(super) const fn factor() -> f32 {
        0.1
    }
    pub(super) const fn pct_start() -> f32 {
        0.3
    }
    pub(super) const fn div_factor() -> f32 {
        25.0
    }
    pub(super) const fn final_div_factor() -> f32 {
        1e4
    }
}

impl From<Curve> for Schedule {
    fn from(curve: Curve) -> Self {
        Self { curve, warmup: 0.0 }
    }
}

impl Schedule {
    /// The learning rate of the next step.
    ///
    /// ```
    /// use nn::{Curve, Progress, Schedule};
    /// let schedule: Schedule = Curve::InverseTime { decay: 1.0 }.into();
    /// let at = Progress { step: 600, steps: 6000, epoch: 1, epochs: 10 };
    /// assert_eq!(schedule.rate(0.1, at), 0.05);
    /// ```
    #[must_use]
    pub fn rate(&self, lr: f64, at: Progress) -> f64 {
        let warmup = f64::from(self.warmup) * at.steps as f64;
        let ramp = (at.step as f64 + 1.0) / (warmup + 1.0);
        ramp.min(1.0) * self.curve.rate(lr, at, warmup)
    }

    pub(crate) fn validate(&self) -> Result<(), Error> {
        share("warm-up", self.warmup, self.warmup < 1.0, "a share of at least 0 and below 1")?;
        self.curve.validate()
    }
}

impl Curve {
    /// The rate at `at`, where the first `warmup` steps are a warm-up.
    fn rate(self, lr: f64, at: Progress, warmup: f64) -> f64 {
        let e = at.epoch as u64;
        // (t, n): the steps taken since step `first`, and the number of steps from it on.
        let since = |first: f64| {
            let n = (at.steps as f64 - first).max(1.0);
            ((at.step as f64 - first).clamp(0.0, n), n)
        };
        match self {
            Self::Constant => lr,
            Self::InverseTime { decay } => lr / (1.0 + f64::from(decay) * e as f64),
            Self::Compounding { decay } => {
                let decay = f64::from(decay);
                let by_factor = e.min(MOST_FACTORS);
                let rate = (0..=by_factor).fold(lr, |rate, i| rate / (1.0 + decay * i as f64));
                // If the rate is above 0 after these factors, the decay is small.
                if e == by_factor || rate == 0.0 {
                    rate
                } else {
                    rate * compounded(decay, by_factor, e)
                }
            }
            Self::Step { every, factor } => lr * power(factor.into(), e / u64::from(every.max(1))),
            Self::Exponential { factor } => lr * power(factor.into(), e),
            Self::Linear { from } => {
                let (t, n) = since(warmup.max(f64::from(from) * at.steps as f64));
                lr * (1.0 - t / n)
            }
            Self::Cosine => {
                let (t, n) = since(warmup);
                lr * half_cosine(t / n)
            }
            Self::OneCycle { pct_start, div_factor, final_div_factor } => {
                let (t, n) = since(warmup);
                let first = lr / f64::from(div_factor);
                let last = first / f64::from(final_div_factor);
                // Both are indices of steps, as in PyTorch: the last step has the last rate,
                // not the step after it.
                let (peak, end) = (f64::from(pct_start) * n - 1.0, n - 1.0);
                let (from, to, share) = if t < peak {
                    (first, lr, t / peak)
                } else if t < end {
                    (lr, last, (t - peak) / (end - peak))
                } else if t > peak {
                    return last;
                } else {
                    return lr;
                };
                to + (from - to) * half_cosine(share)
            }
        }
    }

    fn validate(self) -> Result<(), Error> {
        match self {
            Self::Constant | Self::Cosine => Ok(()),
            Self::InverseTime { decay } | Self::Compounding { decay } => {
                at_least("decay", decay, 0.0, "a finite number of at least 0")
            }
            Self::Step { every, factor } => {
                if every == 0 {
                    return Err(Error::Zero { what: "epochs of a learning rate's step".into() });
                }
                above_0("factor of the learning rate", factor)
            }
            Self::Exponential { factor } => above_0("factor of the learning rate", factor),
            Self::Linear { from } => {
                share("start of the decay", from, from < 1.0, "a share of at least 0 and below 1")
            }
            Self::OneCycle { pct_start, div_factor, final_div_factor } => {
                share("pct-start", pct_start, pct_start <= 1.0, "a share from 0 to 1")?;
                at_least("div-factor", div_factor, 1.0, "a finite number of at least 1")?;
                at_least("final-div-factor", final_div_factor, 1.0, "a finite number of at least 1")
            }
        }
    }
}

/// The most factors of [`Curve::Compounding`] that are divided by one after the other.
const MOST_FACTORS: u64 = 1 << 20;

/// `Π 1/(1 + decay·i)` for the many `i` in `first + 1..=last`. The sum of the logarithms is
/// an integral by the midpoint rule, whose error is below `decay²/24` for each epoch.
fn compounded(decay: f64, first: u64, last: u64) -> f64 {
    // ∫ ln(1 + decay·x) dx. Where that is almost decay·x, the formula cancels.
    let integral = |x: f64| {
        let y = decay * x;
        if y < 1e-4 {
            y * x * (0.5 - y / 6.0 + y * y / 12.0)
        } else {
            ((1.0 + y) * ln(1.0 + y) - y) / decay
        }
    };
    let exponent = integral(first as f64 + 0.5) - integral(last as f64 + 0.5);
    // Below it is no normal number.
    if exponent < -700.0 { 0.0 } else { exp(exponent) }
}

fn check(name: &'static str, x: f32, valid: bool, expected: &'static str) -> Result<(), Error> {
    if !valid {
        return Err(Error::OutOfRange { name, found: f64::from(x), expected });
    }
    Ok(())
}

/// Checks that a share is at least 0 and `valid`.
fn share(name: &'static str, x: f32, valid: bool, expected: &'static str) -> Result<(), Error> {
    check(name, x, valid && x >= 0.0, expected)
}

fn at_least(name: &'static str, x: f32, low: f32, expected: &'static str) -> Result<(), Error> {
    check(name, x, x.is_finite() && x >= low, expected)
}

fn above_0(name: &'static str, x: f32) -> Result<(), Error> {
    check(name, x, x.is_finite() && x > 0.0, "a finite number above 0")
}
