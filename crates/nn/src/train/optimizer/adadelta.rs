//! AdaDelta: [`Optimizer::Adadelta`] states the formula and its source.

use super::Optimizer;
use super::formula::{Formula, MAX_SLOTS, Moved, Scalars, at_least_0_below_1, of_square};
use crate::Error;
use crate::train::tiny::{flush_square, normal};

pub(super) const fn rho() -> f32 {
    0.9
}

pub(super) const fn epsilon() -> f32 {
    1e-6
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Adadelta {
    pub(super) rho: f32,
    pub(super) epsilon: f32,
}

impl Adadelta {
    pub(super) const DEFAULT: Optimizer = Optimizer::Adadelta { rho: rho(), epsilon: epsilon() };
}

impl Formula for Adadelta {
    const SLOTS: &'static [&'static str] = &["s", "u"];

    fn validate(self) -> Result<(), Error> {
        at_least_0_below_1("rho", self.rho)?;
        of_square("epsilon", self.epsilon)
    }

    #[inline(always)]
    fn element(self, scalars: Scalars, w: f32, g: f32, kept: &mut [f32; MAX_SLOTS]) -> Moved {
        let Self { rho, epsilon } = self;
        let Scalars { lr, shrink, .. } = scalars;
        let [s, u, ..] = kept;
        let q = flush_square(g);
        *s = normal(rho * *s + (1.0 - rho) * (q * q));
        let ratio = (*u + epsilon).sqrt() / (*s + epsilon).sqrt();
        let d = g * ratio;
        let q = flush_square(d);
        *u = normal(rho * *u + (1.0 - rho) * (q * q));
        Moved { w: w - lr * d, toward_0: shrink * ratio }
    }
}
