//! Adam: [`Optimizer::Adam`] states the formula and its source.

use super::Optimizer;
use super::formula::{Formula, MAX_SLOTS, Moment, Moved, Scalars, at_least_0_below_1, of_root};
use crate::Error;
use crate::math::power;
use crate::train::tiny::{flush, flush_square, normal};

pub(super) const fn beta1() -> f32 {
    0.9
}

pub(super) const fn beta2() -> f32 {
    0.999
}

pub(super) const fn epsilon() -> f32 {
    1e-8
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Adam {
    pub(super) beta1: f32,
    pub(super) beta2: f32,
    pub(super) epsilon: f32,
}

impl Adam {
    pub(super) const DEFAULT: Optimizer =
        Optimizer::Adam { beta1: beta1(), beta2: beta2(), epsilon: epsilon() };
}

impl Formula for Adam {
    const SLOTS: &'static [&'static str] = &["m", "s"];

    fn validate(self) -> Result<(), Error> {
        at_least_0_below_1("beta1", self.beta1)?;
        at_least_0_below_1("beta2", self.beta2)?;
        of_root("epsilon", self.epsilon)
    }

    /// `lr·(m/(1 − β₁ᵗ))` is `(lr/(1 − β₁ᵗ))·m`, and `√(s/(1 − β₂ᵗ))` is
    /// `√s·(1/√(1 − β₂ᵗ))`: an element divides by neither.
    fn scalars(self, moment: Moment, plain: Scalars) -> Scalars {
        let Moment { step, lr, .. } = moment;
        let lr = lr / (1.0 - power(self.beta1.into(), step));
        let root = (1.0 - power(self.beta2.into(), step)).sqrt().recip();
        Scalars { lr: lr as f32, root: root as f32, ..plain }
    }

    #[inline(always)]
    fn element(self, scalars: Scalars, w: f32, g: f32, kept: &mut [f32; MAX_SLOTS]) -> Moved {
        let Self { beta1, beta2, epsilon } = self;
        let Scalars { lr, shrink, keep, root, .. } = scalars;
        let [m, s, ..] = kept;
        *m = flush(beta1 * *m + (1.0 - beta1) * g);
        let q = flush_square(g);
        *s = normal(beta2 * *s + (1.0 - beta2) * (q * q));
        let scale = s.sqrt() * root + epsilon;
        Moved { w: keep * w - lr * (*m / scale), toward_0: shrink / scale }
    }
}
