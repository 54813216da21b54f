//! One step of any optimizer, on slices of the parameters.

use std::array;

use kernels::{Isa, Simd, SimdOp};

use super::Optimizer;
use super::formula::{Formula, MAX_SLOTS, Moment, Moved, Scalars};
use crate::{Error, Fit};

/// An optimizer at one step of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    optimizer: Optimizer,
    scalars: Scalars,
    /// The largest norm that a unit's weights have after the step.
    pub(super) max_norm: Option<f32>,
    /// The share of the parameters in their average, if there is one.
    pub(super) average: Option<f32>,
}

impl Rule {
    /// Step `step` of a run, counted from 1.
    pub(crate) fn new(fit: &Fit, lr: f64, step: u64) -> Self {
        let Fit { optimizer, l1, l2, max_norm, average, .. } = *fit;
        let scalars = optimizer.with(|formula| formula.begin(Moment { step, lr, l1, l2 }));
        Self { optimizer, scalars, max_norm, average: average.map(|average| average.share(step)) }
    }

    /// The rule for biases and gains, which bear no penalty.
    pub(super) fn without_penalty(self) -> Self {
        let scalars = Scalars { penalty: 0.0, keep: 1.0, shrink: 0.0, ..self.scalars };
        Self { scalars, ..self }
    }

    /// Moves the parameters `w` along their gradient, and updates what the optimizer
    /// keeps for them. Each slot that it uses is as long as `w`.
    pub(super) fn update(
        self,
        isa: Isa,
        w: &mut [f32],
        slots: [&mut [f32]; MAX_SLOTS],
        gradient: &[f32],
    ) {
        let Self { optimizer, scalars, .. } = self;
        optimizer.with(|formula| formula.update(isa, Piece { scalars, w, slots, gradient }));
    }
}

/// Some parameters, with all that a step needs to move them.
pub(super) struct Piece<'a> {
    scalars: Scalars,
    w: &'a mut [f32],
    slots: [&'a mut [f32]; MAX_SLOTS],
    gradient: &'a [f32],
}

/// Any [`Formula`] as a trait object: what the code around the optimizers calls.
pub(super) trait AnyFormula {
    /// The names of the values that it keeps for each parameter.
    fn slots(&self) -> &'static [&'static str];

    /// Checks that each parameter of the optimizer is in its range.
    fn check(&self) -> Result<(), Error>;

    /// The scalars of a step.
    fn begin(&self, moment: Moment) -> Scalars;

    /// Moves some parameters.
    fn update(&self, isa: Isa, piece: Piece<'_>);
}

impl<F: Formula> AnyFormula for F {
    fn slots(&self) -> &'static [&'static str] {
        F::SLOTS
    }

    fn check(&self) -> Result<(), Error> {
        self.validate()
    }

    fn begin(&self, moment: Moment) -> Scalars {
        let Moment { lr, l1, l2, .. } = moment;
        // While the gradient is constant, momentum makes steps 1/(1 − μ) times as
        // long. L1 has to match them.
        let shrink = lr * f64::from(l1) / (1.0 - f64::from(self.momentum()));
        let shrink = shrink as f32;
        let plain = Scalars { lr: lr as f32, penalty: l2, shrink, keep: 1.0, root: 1.0 };
        self.scalars(moment, plain)
    }

    fn update(&self, isa: Isa, piece: Piece<'_>) {
        isa.dispatch(Update { formula: *self, piece });
    }
}

/// The loop over some parameters. It is plain Rust: inside `dispatch` it becomes
/// vector instructions.
struct Update<'a, F> {
    formula: F,
    piece: Piece<'a>,
}

impl<F: Formula> SimdOp for Update<'_, F> {
    type Output = ();

    #[inline(always)]
    fn eval<S: Simd>(self, _: S) {
        if self.piece.scalars.shrink > 0.0 {
            self.each::<true>();
        } else {
            self.each::<false>();
        }
    }
}

impl<F: Formula> Update<'_, F> {
    /// Moves each element, with L1 or without.
    #[inline(always)]
    fn each<const L1: bool>(self) {
        let Self { formula, piece: Piece { scalars, w, slots, gradient } } = self;
        let n = w.len();
        let gradient = &gradient[..n];
        let mut used = 0..F::SLOTS.len();
        let slots = slots.map(|slot| if used.next().is_some() { &mut slot[..n] } else { slot });
        for i in 0..n {
            let g = gradient[i] + scalars.penalty * w[i];
            let mut kept = array::from_fn(|k| if k < F::SLOTS.len() { slots[k][i] } else { 0.0 });
            let moved = formula.element(scalars, w[i], g, &mut kept);
            for k in 0..F::SLOTS.len() {
                slots[k][i] = kept[k];
            }
            w[i] = soft::<L1>(moved);
        }
    }
}

/// With L1, `sign(w)·max(|w| − t, 0)`, where t is the distance toward 0; `w` without.
/// NaN stays NaN.
#[inline(always)]
fn soft<const L1: bool>(Moved { w, toward_0 }: Moved) -> f32 {
    if !L1 {
        return w;
    }
    let size = w.abs() - toward_0;
    if size <= 0.0 { 0.0 } else { size.copysign(w) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every optimizer, and those with momentum once more where the default has none.
    fn optimizers() -> Vec<Optimizer> {
        let mut optimizers = Optimizer::ALL.map(|(optimizer, _)| optimizer).to_vec();
        optimizers.push(Optimizer::Sgd { momentum: 0.9 });
        optimizers.push(Optimizer::Rmsprop { alpha: 0.99, epsilon: 1e-8, momentum: 0.9 });
        optimizers
    }

    #[test]
    fn no_kept_value_becomes_subnormal() {
        // Gradients in the first step, then none; and one whose square is subnormal.
        for isa in Isa::available() {
            for optimizer in optimizers() {
                let fit = Fit { optimizer, ..Fit::default() };
                let (mut w, mut first, mut second) = ([0.5; 40], [0.0; 40], [0.0; 40]);
                for step in 1..=120_000 {
                    let scale = if step == 1 { 1.0 } else { 0.0 };
                    let gradient: [f32; 40] = array::from_fn(|i| match i {
                        0 => 1e-21,
                        _ => scale * 10f32.powi(-(i as i32)),
                    });
                    let rule = Rule::new(&fit, 0.01, step);
                    rule.update(isa, &mut w, [&mut first, &mut second], &gradient);
                    if step % 1000 == 0 {
                        let mut kept = first.iter().chain(&second);
                        let found = kept.find(|x| x.is_subnormal());
                        assert_eq!(found, None, "{isa}, {optimizer:?}, step {step}");
                    }
                }
            }
        }
    }

    #[test]
    fn padding_stays_0() {
        for optimizer in optimizers() {
            for (l1, l2) in [(0.0, 0.0), (1e-3, 1e-2)] {
                let fit = Fit { optimizer, l1, l2, ..Fit::default() };
                let (mut w, mut first, mut second) = ([0.0; 16], [0.0; 16], [0.0; 16]);
                for step in 1..=3 {
                    let rule = Rule::new(&fit, 0.01, step);
                    let isa = Isa::active().unwrap();
                    rule.update(isa, &mut w, [&mut first, &mut second], &[0.0; 16]);
                }
                assert_eq!([w, first, second], [[0.0; 16]; 3], "{optimizer:?}");
            }
        }
    }
}
