//! RMSProp: [`Optimizer::Rmsprop`] states the formula and its source.

use super::Optimizer;
use super::formula::{Formula, MAX_SLOTS, Moved, Scalars, at_least_0_below_1, of_root};
use crate::Error;
use crate::train::tiny::{flush, flush_square, normal};

pub(super) const fn alpha() -> f32 {
    0.99
}

pub(super) const fn epsilon() -> f32 {
    1e-8
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Rmsprop {
    pub(super) alpha: f32,
    pub(super) epsilon: f32,
    pub(super) momentum: f32,
}

impl Rmsprop {
    pub(super) const DEFAULT: Optimizer =
        Optimizer::Rmsprop { alpha: alpha(), epsilon: epsilon(), momentum: 0.0 };
}

impl Formula for Rmsprop {
    const SLOTS: &'static [&'static str] = &["s", "v"];

    fn validate(self) -> Result<(), Error> {
        at_least_0_below_1("alpha", self.alpha)?;
        at_least_0_below_1("momentum", self.momentum)?;
        of_root("epsilon", self.epsilon)
    }

    fn momentum(self) -> f32 {
        self.momentum
    }

    #[inline(always)]
    fn element(self, scalars: Scalars, w: f32, g: f32, kept: &mut [f32; MAX_SLOTS]) -> Moved {
        let Self { alpha, epsilon, momentum } = self;
        let Scalars { lr, shrink, .. } = scalars;
        let [s, v, ..] = kept;
        let q = flush_square(g);
        *s = normal(alpha * *s + (1.0 - alpha) * (q * q));
        let scale = s.sqrt() + epsilon;
        *v = flush(momentum * *v + g / scale);
        Moved { w: w - lr * *v, toward_0: shrink / scale }
    }
}
