//! An average of the parameters over the steps.

use kernels::{Isa, Simd, SimdOp};
use serde::{Deserialize, Serialize};

use crate::Error;

/// The exponential moving average of the parameters over the steps of a run
/// (Polyak and Juditsky 1992 for the plain average), which is steadier than they are
/// while the learning rate is high:
///
/// ```text
/// e ← d·e + (1 − d)·w      where d = min(decay, (1 + t)/(10 + t))
/// ```
///
/// and t counts the steps from 1, e begins as the parameters before the first. The
/// second bound, which is TensorFlow's, lets go of the beginning: with a decay of
/// 0.999 it is what counts for the first 9000 steps.
///
/// Training goes on with w, and reports its losses. The network that is validated,
/// that early stopping compares and keeps, and that is handed out is e. With batch
/// normalisation its gains are averaged too, and the running averages of w are
/// folded into e.
///
/// ```
/// use nn::{Average, Fit};
/// let average = Some(Average { decay: 0.99 });
/// Fit { average, ..Fit::default() }.validate()?;
/// // It would never move.
/// let average = Some(Average { decay: 1.0 });
/// assert!(Fit { average, ..Fit::default() }.validate().is_err());
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Average {
    /// Share of the average that a step leaves, at least 0 and below 1.
    pub decay: f32,
}

impl Default for Average {
    fn default() -> Self {
        Self { decay: 0.999 }
    }
}

impl Average {
    pub(crate) fn validate(self) -> Result<(), Error> {
        match (0.0..1.0).contains(&self.decay) {
            true => Ok(()),
            false => Err(Error::OutOfRange {
                name: "decay of the average",
                found: self.decay.into(),
                expected: "a number of at least 0 and below 1",
            }),
        }
    }

    /// 1 − d of step `step`, counted from 1.
    pub(super) fn share(self, step: u64) -> f32 {
        // (10 + t) − (1 + t) = 9.
        (1.0 - f64::from(self.decay)).max(9.0 / (10.0 + step as f64)) as f32
    }
}

/// Takes `w` into the average `e`, with a share of `share`.
pub(super) fn take_in(isa: Isa, share: f32, w: &[f32], e: &mut [f32]) {
    isa.dispatch(TakeIn { share, w, e });
}

struct TakeIn<'a> {
    share: f32,
    w: &'a [f32],
    e: &'a mut [f32],
}

impl SimdOp for TakeIn<'_> {
    type Output = ();

    /// What does not move has itself for its average, to the last bit.
    #[inline(always)]
    fn eval<S: Simd>(self, _: S) {
        let Self { share, w, e } = self;
        for (e, w) in e.iter_mut().zip(w) {
            *e += share * (w - *e);
        }
    }
}
