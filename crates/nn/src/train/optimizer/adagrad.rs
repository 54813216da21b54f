//! AdaGrad: [`Optimizer::Adagrad`] states the formula and its source.

use super::Optimizer;
use super::formula::{Formula, MAX_SLOTS, Moved, Scalars, of_root};
use crate::Error;
use crate::train::tiny::flush_square;

pub(super) const fn epsilon() -> f32 {
    1e-10
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Adagrad {
    pub(super) epsilon: f32,
}

impl Adagrad {
    pub(super) const DEFAULT: Optimizer = Optimizer::Adagrad { epsilon: epsilon() };
}

impl Formula for Adagrad {
    const SLOTS: &'static [&'static str] = &["s"];

    fn validate(self) -> Result<(), Error> {
        of_root("epsilon", self.epsilon)
    }

    #[inline(always)]
    fn element(self, scalars: Scalars, w: f32, g: f32, kept: &mut [f32; MAX_SLOTS]) -> Moved {
        let Scalars { lr, shrink, .. } = scalars;
        let [s, ..] = kept;
        let q = flush_square(g);
        *s += q * q;
        let scale = s.sqrt() + self.epsilon;
        Moved { w: w - lr * (g / scale), toward_0: shrink / scale }
    }
}
