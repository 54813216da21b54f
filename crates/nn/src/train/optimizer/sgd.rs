//! Stochastic gradient descent with momentum: [`Optimizer::Sgd`] states the formula and
//! its source.

use super::Optimizer;
use super::formula::{Formula, MAX_SLOTS, Moved, Scalars, at_least_0_below_1};
use crate::Error;
use crate::train::tiny::flush;

#[derive(Clone, Copy, Debug)]
pub(super) struct Sgd {
    pub(super) momentum: f32,
}

impl Sgd {
    pub(super) const DEFAULT: Optimizer = Optimizer::Sgd { momentum: 0.0 };
}

impl Formula for Sgd {
    const SLOTS: &'static [&'static str] = &["v"];

    fn validate(self) -> Result<(), Error> {
        at_least_0_below_1("momentum", self.momentum)
    }

    fn momentum(self) -> f32 {
        self.momentum
    }

    #[inline(always)]
    fn element(self, scalars: Scalars, w: f32, g: f32, kept: &mut [f32; MAX_SLOTS]) -> Moved {
        let Scalars { lr, shrink, .. } = scalars;
        let [v, ..] = kept;
        *v = flush(self.momentum * *v + g);
        Moved { w: w - lr * *v, toward_0: shrink }
    }
}
