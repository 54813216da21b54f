//! One step of any optimizer, on slices of the parameters.

use std::array;

use kernels::{Isa, Simd, SimdOp};

use super::Optimizer;
use super::formula::{Formula, MAX_SLOTS, Moment, Moved, Scalars};
use crate::train::tiny::normal;
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
            // A weight that only decays would become subnormal.
            w[i] = normal(soft::<L1>(moved));
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

    /// The formulas in `f64`, for one parameter: what two steps of gradients `g` move it by.
    fn moved(optimizer: Optimizer, lr: f64, gradients: [f64; 2]) -> f64 {
        let wide = f64::from;
        let (mut w, mut a, mut b) = (0.0, 0.0, 0.0);
        for (t, g) in (1..).zip(gradients) {
            w -= lr
                * match optimizer {
                    Optimizer::Sgd { momentum } => {
                        a = wide(momentum) * a + g;
                        a
                    }
                    Optimizer::Nesterov { momentum } => {
                        a = wide(momentum) * a + g;
                        g + wide(momentum) * a
                    }
                    Optimizer::Adagrad { epsilon } => {
                        a += g * g;
                        g / (a.sqrt() + wide(epsilon))
                    }
                    Optimizer::Rmsprop { alpha, epsilon, momentum } => {
                        a = wide(alpha) * a + (1.0 - wide(alpha)) * g * g;
                        b = wide(momentum) * b + g / (a.sqrt() + wide(epsilon));
                        b
                    }
                    Optimizer::Adadelta { rho, epsilon } => {
                        let (rho, epsilon) = (wide(rho), wide(epsilon));
                        a = rho * a + (1.0 - rho) * g * g;
                        let d = g * (b + epsilon).sqrt() / (a + epsilon).sqrt();
                        b = rho * b + (1.0 - rho) * d * d;
                        d
                    }
                    Optimizer::Adam { beta1, beta2, epsilon }
                    | Optimizer::Adamw { beta1, beta2, epsilon } => {
                        let (beta1, beta2) = (wide(beta1), wide(beta2));
                        a = beta1 * a + (1.0 - beta1) * g;
                        b = beta2 * b + (1.0 - beta2) * g * g;
                        let root = (b / (1.0 - beta2.powi(t))).sqrt();
                        a / (1.0 - beta1.powi(t)) / (root + wide(epsilon))
                    }
                };
        }
        w
    }

    fn with_epsilon(optimizer: Optimizer, value: f32) -> Optimizer {
        match optimizer {
            Optimizer::Adagrad { .. } => Optimizer::Adagrad { epsilon: value },
            Optimizer::Rmsprop { alpha, momentum, .. } => {
                Optimizer::Rmsprop { alpha, epsilon: value, momentum }
            }
            Optimizer::Adadelta { rho, .. } => Optimizer::Adadelta { rho, epsilon: value },
            Optimizer::Adam { beta1, beta2, .. } => {
                Optimizer::Adam { beta1, beta2, epsilon: value }
            }
            Optimizer::Adamw { beta1, beta2, .. } => {
                Optimizer::Adamw { beta1, beta2, epsilon: value }
            }
            other => other,
        }
    }

    /// Gradients of every size, and every ε that is allowed: the movement is that of the
    /// formulas in `f64`, to a share of the largest movement that these could give.
    #[test]
    fn gradients_of_any_size_move_a_parameter_as_the_formula_says() {
        let epsilons = [1e-32, 1e-24, 1e-16, 1e-15, 1e-12, 1e-10, 1e-8, 1e-4, 1.0, 1e4];
        for optimizer in optimizers() {
            for optimizer in epsilons.map(|epsilon| with_epsilon(optimizer, epsilon)) {
                if optimizer.validate().is_err() {
                    continue;
                }
                let fit = Fit { optimizer, ..Fit::default() };
                for exponent in -60..=60 {
                    // 1e-30 to 1e30.
                    let size = 10f32.powf(exponent as f32 / 2.0);
                    for ratio in [1.0, -0.5, 1e-3] {
                        let gradients = [size, ratio * size];
                        let (mut w, mut first, mut second) = ([0.0], [0.0], [0.0]);
                        for (step, g) in (1..).zip(gradients) {
                            let rule = Rule::new(&fit, 0.5, step);
                            let isa = Isa::active().unwrap();
                            rule.update(isa, &mut w, [&mut first, &mut second], &[g]);
                        }
                        let expected = moved(optimizer, 0.5, gradients.map(f64::from));
                        let error = (f64::from(w[0]) - expected).abs();
                        let case = format!("{optimizer:?}, {gradients:?}");
                        let squares = !matches!(
                            optimizer,
                            Optimizer::Sgd { .. } | Optimizer::Nesterov { .. }
                        );
                        if squares && size > 1e19 {
                            // The square is infinite: the parameter stands still.
                            assert!(w[0].abs() <= 1.0, "{case}: {}", w[0]);
                            continue;
                        }
                        // Beside the rounding, what a flushed square can be beside ε.
                        let scale = expected.abs().max(if squares { 1e-30 } else { 0.0 });
                        let lost = if size < 1e-14 { 0.035 * 0.5 } else { 0.0 };
                        assert!(error <= 1e-5 * scale + lost, "{case}: {} for {expected}", w[0]);
                    }
                }
            }
        }
    }

    /// With weight decay and no gradient, weights decay to 0 and are never subnormal.
    #[test]
    fn no_weight_becomes_subnormal() {
        for optimizer in optimizers() {
            let fit = Fit { optimizer, l2: 1.0, ..Fit::default() };
            let (mut w, mut first, mut second) = ([0.0; 32], [0.0; 32], [0.0; 32]);
            w.iter_mut().enumerate().for_each(|(i, w)| *w = 10f32.powi(-(i as i32) - 6));
            for step in 1..=600 {
                let rule = Rule::new(&fit, 0.25, step);
                let isa = Isa::active().unwrap();
                rule.update(isa, &mut w, [&mut first, &mut second], &[0.0; 32]);
                let all = w.iter().chain(&first).chain(&second);
                assert!(!all.clone().any(|x| x.is_subnormal()), "{optimizer:?}, step {step}");
            }
        }
        let (mut average, isa) = ([1e-37, 1.0], Isa::active().unwrap());
        for _ in 0..400 {
            super::super::average::take_in(isa, 0.25, &[0.0; 2], &mut average);
            assert!(!average.iter().any(|x| x.is_subnormal()));
        }
        assert_eq!(average, [0.0; 2]);
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
