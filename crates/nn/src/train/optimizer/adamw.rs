//! AdamW: [`Optimizer::Adamw`] states the formula and its source. Its elements move
//! as Adam's do, with a weight decay that is a factor of the element and no part of
//! the gradient.

use super::Optimizer;
use super::adam::{Adam, beta1, beta2, epsilon};
use super::formula::{Formula, MAX_SLOTS, Moment, Moved, Scalars};
use crate::Error;

#[derive(Clone, Copy, Debug)]
pub(super) struct Adamw(pub(super) Adam);

impl Adamw {
    pub(super) const DEFAULT: Optimizer =
        Optimizer::Adamw { beta1: beta1(), beta2: beta2(), epsilon: epsilon() };
}

impl Formula for Adamw {
    const SLOTS: &'static [&'static str] = Adam::SLOTS;

    fn validate(self) -> Result<(), Error> {
        self.0.validate()
    }

    fn scalars(self, moment: Moment, plain: Scalars) -> Scalars {
        let keep = 1.0 - moment.lr * f64::from(moment.l2);
        Scalars { penalty: 0.0, keep: keep as f32, ..self.0.scalars(moment, plain) }
    }

    #[inline(always)]
    fn element(self, scalars: Scalars, w: f32, g: f32, kept: &mut [f32; MAX_SLOTS]) -> Moved {
        self.0.element(scalars, w, g, kept)
    }
}
