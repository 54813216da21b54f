//! What the file of an optimizer has to define: the ranges of its parameters, and its
//! formula for one element.

use crate::Error;

/// The most values that an optimizer keeps for each parameter.
pub(crate) const MAX_SLOTS: usize = 2;

/// The formula of an optimizer, and the ranges of its parameters: a struct of these
/// parameters in a file of its own.
///
/// `rule.rs` has the loop over the elements, the penalties and the choice of the
/// instruction set, once for all optimizers.
pub(super) trait Formula: Copy {
    /// The values that the optimizer keeps for each parameter, by their letters in the
    /// formula; at most [`MAX_SLOTS`]. A checkpoint has them by these names.
    const SLOTS: &'static [&'static str];

    /// Checks that each parameter is in its range.
    fn validate(self) -> Result<(), Error>;

    /// μ; 0 for an optimizer without momentum.
    fn momentum(self) -> f32 {
        0.0
    }

    /// The scalars of one step; `plain` is what most optimizers need. What is the same
    /// for all elements is computed here, once a step and in `f64`.
    fn scalars(self, _: Moment, plain: Scalars) -> Scalars {
        plain
    }

    /// Moves one element. `g` is its gradient, with that of the penalty. The first
    /// values of `kept`, one for each of `SLOTS`, are what the step before left; this step updates them.
    ///
    /// - Where `w`, `g` and `kept` are 0, as they are in the padding, they must stay 0.
    /// - No kept value may become subnormal: see [`tiny`](crate::train::tiny). The loop
    ///   takes care of the element itself.
    /// - The function is `#[inline(always)]` and plain arithmetic, so that the loop
    ///   around it becomes vector instructions. A product and a sum are two roundings
    ///   there, and square roots and quotients are correctly rounded, so every
    ///   instruction set computes the same bits.
    fn element(self, scalars: Scalars, w: f32, g: f32, kept: &mut [f32; MAX_SLOTS]) -> Moved;
}

/// When a step happens, and with which settings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// The step of the run, counted from 1.
    pub(super) step: u64,
    /// The learning rate of the step.
    pub(super) lr: f64,
    pub(super) l1: f32,
    /// λ.
    pub(super) l2: f32,
}

/// The numbers of a step that are the same for all elements.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scalars {
    /// The learning rate; Adam divides it by `1 − β₁ᵗ`.
    pub(super) lr: f32,
    /// λ of the penalty, whose gradient is a part of `g`.
    pub(super) penalty: f32,
    /// `lr·l1/(1 − μ)`: times D, the distance by which L1 moves an element toward 0.
    pub(super) shrink: f32,
    /// What Adam multiplies an element by before it moves: 1, or `1 − lr·λ` in AdamW.
    pub(super) keep: f32,
    /// What Adam multiplies `√s` by: `1/√(1 − β₂ᵗ)`.
    pub(super) root: f32,
}

/// Where an element goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moved {
    /// The element after the step, before L1.
    pub(super) w: f32,
    /// `shrink·D`: the distance by which L1 then moves it toward 0.
    pub(super) toward_0: f32,
}

/// Checks a factor by which something decays.
pub(super) fn at_least_0_below_1(name: &'static str, value: f32) -> Result<(), Error> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    let expected = "a number of at least 0 and below 1";
    Err(Error::OutOfRange { name, found: value.into(), expected })
}

/// Checks an ε that is added to a root. Where no gradient has come yet, which is everywhere
/// in the padding, ε is all that is left to divide by. And where the square of a gradient is
/// flushed (see [`tiny`](crate::train::tiny)), the missing root must be small beside ε.
pub(super) fn of_root(name: &'static str, value: f32) -> Result<(), Error> {
    at_least(name, value, 1e-16, "a finite number of at least 1e-16: a smaller root is 0 in f32")
}

/// Checks an ε that is added to a square, as in [`of_root`].
pub(super) fn of_square(name: &'static str, value: f32) -> Result<(), Error> {
    at_least(name, value, 1e-32, "a finite number of at least 1e-32: a smaller square is 0 in f32")
}

fn at_least(
    name: &'static str,
    value: f32,
    least: f32,
    expected: &'static str,
) -> Result<(), Error> {
    if value.is_finite() && value >= least {
        return Ok(());
    }
    Err(Error::OutOfRange { name, found: value.into(), expected })
}
