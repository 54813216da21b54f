//! Nesterov's momentum: [`Optimizer::Nesterov`] states the formula and its source.

use super::Optimizer;
use super::formula::{Formula, MAX_SLOTS, Moved, Scalars, at_least_0_below_1};
use crate::Error;
use crate::train::tiny::flush;

/// PyTorch has no default that works: its default is 0, and it refuses
/// `nesterov=True` without momentum.
pub(super) const fn momentum() -> f32 {
    0.9
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Nesterov {
    pub(super) momentum: f32,
}

impl Nesterov {
    pub(super) const DEFAULT: Optimizer = Optimizer::Nesterov { momentum: momentum() };
}

impl Formula for Nesterov {
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
        Moved { w: w - lr * (g + self.momentum * *v), toward_0: shrink }
    }
}
