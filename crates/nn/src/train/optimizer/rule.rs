//! One step of each optimizer, on slices of the parameters.

use kernels::{Isa, Simd, SimdOp};

use super::Optimizer;
use crate::Fit;
use crate::math::power;
use crate::train::tiny::{flush, flush_square};

/// An optimizer at one step of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    optimizer: Optimizer,
    /// The learning rate; Adam's is divided by `1 − β₁ᵗ`.
    lr: f32,
    /// For Adam, `1/√(1 − β₂ᵗ)`.
    root: f32,
    /// λ of the penalty that is a part of the gradient of weights.
    penalty: f32,
    /// What a weight is multiplied by before it moves: 1, or `1 − lr·λ`.
    keep: f32,
    /// How much nearer to 0 L1 brings a weight, in the unit of `lr·g`.
    shrink: f32,
    /// What no unit's weights are longer than after the step.
    pub(super) max_norm: Option<f32>,
    /// What the parameters have as their share in the average, if there is one.
    pub(super) average: Option<f32>,
}

/// What a piece of the gradient belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    Weights,
    /// Not penalised.
    Biases,
}

impl Rule {
    /// Step `step` of a run, counted from 1.
    pub(crate) fn new(fit: &Fit, lr: f64, step: u64) -> Self {
        let Fit { optimizer, l1, l2, max_norm, average, .. } = *fit;
        // What momentum makes of a slope that stays as it is.
        let shrink = lr * f64::from(l1) / (1.0 - f64::from(optimizer.momentum()));
        let plain = Self {
            optimizer,
            lr: lr as f32,
            root: 1.0,
            penalty: l2,
            keep: 1.0,
            shrink: shrink as f32,
            max_norm,
            average: average.map(|average| average.share(step)),
        };
        match optimizer {
            Optimizer::Adam { beta1, beta2, .. } | Optimizer::Adamw { beta1, beta2, .. } => {
                let lr_corrected = lr / (1.0 - power(beta1.into(), step));
                let root = (1.0 - power(beta2.into(), step)).sqrt().recip();
                let corrected = Self { lr: lr_corrected as f32, root: root as f32, ..plain };
                if matches!(optimizer, Optimizer::Adam { .. }) {
                    return corrected;
                }
                let keep = 1.0 - lr * f64::from(l2);
                Self { penalty: 0.0, keep: keep as f32, ..corrected }
            }
            _ => plain,
        }
    }

    /// Updates some parameters and what is kept for each of them: as many of the
    /// slots as the optimizer has are as long as `w`.
    pub(super) fn update(
        mut self,
        isa: Isa,
        part: Part,
        w: &mut [f32],
        slots: [&mut [f32]; 2],
        gradient: &[f32],
    ) {
        if let Part::Biases = part {
            (self.penalty, self.keep, self.shrink) = (0.0, 1.0, 0.0);
        }
        isa.dispatch(Update { rule: self, w, slots, gradient });
    }
}

/// Plain Rust: inside `dispatch` it becomes vector instructions. A product and a
/// sum stay two roundings there, and square roots and quotients are exact but
/// for theirs, so that every instruction set computes the same bits.
struct Update<'a> {
    rule: Rule,
    w: &'a mut [f32],
    slots: [&'a mut [f32]; 2],
    gradient: &'a [f32],
}

impl SimdOp for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<S: Simd>(self, _: S) {
        match self.rule.shrink > 0.0 {
            true => self.step::<true>(),
            false => self.step::<false>(),
        }
    }
}

impl Update<'_> {
    /// With L1 or without.
    #[inline(always)]
    fn step<const L1: bool>(self) {
        let Self { rule, w, slots, gradient } = self;
        let Rule { optimizer, lr, root, penalty, keep, shrink, .. } = rule;
        let [first, second] = slots;
        match optimizer {
            Optimizer::Sgd { momentum } => {
                for ((w, v), g) in w.iter_mut().zip(first).zip(gradient) {
                    let g = g + penalty * *w;
                    *v = flush(momentum * *v + g);
                    *w = soft::<L1>(*w - lr * *v, shrink);
                }
            }
            Optimizer::Nesterov { momentum } => {
                for ((w, v), g) in w.iter_mut().zip(first).zip(gradient) {
                    let g = g + penalty * *w;
                    *v = flush(momentum * *v + g);
                    *w = soft::<L1>(*w - lr * (g + momentum * *v), shrink);
                }
            }
            Optimizer::Adagrad { epsilon } => {
                for ((w, s), g) in w.iter_mut().zip(first).zip(gradient) {
                    let g = g + penalty * *w;
                    let q = flush_square(g);
                    *s += q * q;
                    let scale = s.sqrt() + epsilon;
                    *w = soft::<L1>(*w - lr * (g / scale), shrink / scale);
                }
            }
            Optimizer::Rmsprop { alpha, epsilon, momentum } => {
                for (((w, s), v), g) in w.iter_mut().zip(first).zip(second).zip(gradient) {
                    let g = g + penalty * *w;
                    let q = flush_square(g);
                    *s = flush(alpha * *s + (1.0 - alpha) * (q * q));
                    let scale = s.sqrt() + epsilon;
                    *v = flush(momentum * *v + g / scale);
                    *w = soft::<L1>(*w - lr * *v, shrink / scale);
                }
            }
            Optimizer::Adadelta { rho, epsilon } => {
                for (((w, s), u), g) in w.iter_mut().zip(first).zip(second).zip(gradient) {
                    let g = g + penalty * *w;
                    let q = flush_square(g);
                    *s = flush(rho * *s + (1.0 - rho) * (q * q));
                    let share = (*u + epsilon).sqrt() / (*s + epsilon).sqrt();
                    let d = g * share;
                    let q = flush_square(d);
                    *u = flush(rho * *u + (1.0 - rho) * (q * q));
                    *w = soft::<L1>(*w - lr * d, shrink * share);
                }
            }
            Optimizer::Adam { beta1, beta2, epsilon }
            | Optimizer::Adamw { beta1, beta2, epsilon } => {
                for (((w, m), s), g) in w.iter_mut().zip(first).zip(second).zip(gradient) {
                    let g = g + penalty * *w;
                    *m = flush(beta1 * *m + (1.0 - beta1) * g);
                    let q = flush_square(g);
                    *s = flush(beta2 * *s + (1.0 - beta2) * (q * q));
                    let scale = s.sqrt() * root + epsilon;
                    *w = soft::<L1>(keep * *w - lr * (*m / scale), shrink / scale);
                }
            }
        }
    }
}

/// `sign(w)·max(|w| − t, 0)` with L1, `w` without. NaN stays NaN.
#[inline(always)]
fn soft<const L1: bool>(w: f32, t: f32) -> f32 {
    if !L1 {
        return w;
    }
    let size = w.abs() - t;
    if size <= 0.0 { 0.0 } else { size.copysign(w) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_kept_becomes_subnormal() {
        let optimizers = [
            Optimizer::Sgd { momentum: 0.9 },
            Optimizer::Nesterov { momentum: 0.9 },
            Optimizer::Adagrad { epsilon: 1e-10 },
            Optimizer::Rmsprop { alpha: 0.99, epsilon: 1e-8, momentum: 0.9 },
            Optimizer::Adadelta { rho: 0.9, epsilon: 1e-6 },
            Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
        ];
        // Gradients once, then none; and some whose squares are subnormal.
        for isa in Isa::available() {
            for optimizer in optimizers {
                let fit = Fit { optimizer, ..Fit::default() };
                let (mut w, mut first, mut second) = ([0.5; 40], [0.0; 40], [0.0; 40]);
                for step in 1..=120_000 {
                    let scale = if step == 1 { 1.0 } else { 0.0 };
                    let gradient: [f32; 40] = std::array::from_fn(|i| match i {
                        0 => 1e-21,
                        _ => scale * 10f32.powi(-(i as i32)),
                    });
                    let rule = Rule::new(&fit, 0.01, step);
                    rule.update(isa, Part::Weights, &mut w, [&mut first, &mut second], &gradient);
                    if step % 1000 == 0 {
                        let mut kept = first.iter().chain(&second);
                        let found = kept.find(|x| x.is_subnormal());
                        assert_eq!(found, None, "{isa}, {optimizer:?}, step {step}");
                    }
                }
            }
        }
    }
}
