//! An average of the parameters over the steps.

use kernels::{Isa, Simd, SimdOp};
use serde::{Deserialize, Serialize};

use super::formula::at_least_0_below_1;
use crate::Error;
use crate::train::tiny::normal;

/// The exponential moving average of the parameters over the steps of a run
/// (Polyak and Juditsky 1992 for the plain average). It is steadier than the
/// parameters while the learning rate is high:
///
/// ```text
/// e ← d·e + (1 − d)·w      where d = min(decay, (1 + t)/(10 + t))
/// ```
///
/// t counts the steps from 1, and e starts as the parameters before the first step.
/// The second bound, which is TensorFlow's, forgets the beginning sooner: with a
/// decay of 0.999 it is the smaller one for the first 9000 steps.
///
/// Training goes on with w and reports the losses of w. The network that is
/// validated, that early stopping compares and keeps, and that is handed out is e.
/// With batch normalisation, e averages the gains too, and the running averages of
/// mean and variance, which belong to w, are folded into e.
///
/// ```
/// use nn::{Average, Fit};
/// let average = Some(Average { decay: 0.99 });
/// Fit { average, ..Fit::default() }.validate()?;
/// // With a decay of 1 the average would never move.
/// let average = Some(Average { decay: 1.0 });
/// assert!(Fit { average, ..Fit::default() }.validate().is_err());
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Average {
    /// The weight of the old average at each step, at least 0 and below 1.
    pub decay: f32,
}

impl Default for Average {
    fn default() -> Self {
        Self { decay: 0.999 }
    }
}

impl Average {
    pub(crate) fn validate(self) -> Result<(), Error> {
        at_least_0_below_1("decay of the average", self.decay)
    }

    /// 1 − d of step `step`, counted from 1.
    pub(super) fn share(self, step: u64) -> f32 {
        // (10 + t) − (1 + t) = 9.
        (1.0 - f64::from(self.decay)).max(9.0 / (10.0 + step as f64)) as f32
    }
}

/// `e ← e + share·(w − e)`, where `e` is the average of `w`.
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

    /// In this form the average of a constant is the constant, to the last bit.
    #[inline(always)]
    fn eval<S: Simd>(self, _: S) {
        let Self { share, w, e } = self;
        for (e, w) in e.iter_mut().zip(w) {
            *e = normal(*e + share * (w - *e));
        }
    }
}
