//! Optimizers: how a step moves the parameters along the gradient.

mod average;
mod max_norm;
mod rule;
mod state;

use std::fmt;
use std::mem::discriminant;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;

pub use average::Average;
pub(crate) use rule::Rule;
pub(crate) use state::State;

/// The rule by which a step moves the parameters.
///
/// These are the formulas of PyTorch, and its defaults where a file or a name
/// says no more. `w` is a parameter and `lr` the learning rate of the epoch;
/// everything else starts at 0. But for [`Adamw`](Self::Adamw), `g` is the
/// gradient with that of the penalty: `g = ∂loss/∂w + λ·w`, where λ is
/// [`Fit::l2`](crate::Fit::l2) for weights and 0 for biases. `√` and squares are
/// those of each number on its own.
///
/// With [`Fit::l1`](crate::Fit::l1), what comes out as `w` is then brought nearer
/// to 0, and made 0 where that would change its sign:
///
/// ```text
/// w ← sign(w)·max(|w| − lr·l1·D/(1 − μ), 0)
/// ```
///
/// where `D` is the measure of the optimizer: 1 for SGD and Nesterov, `1/(√s + ε)`
/// for AdaGrad and RMSProp, `√(u + ε)/√(s + ε)` for AdaDelta and
/// `1/(√(s/(1 − β₂ᵗ)) + ε)` for Adam and AdamW; μ is 0 where there is none.
/// This is the composite step of forward-backward splitting (Duchi and Singer
/// 2009), in the measure of each optimizer (Duchi, Hazan and Singer 2011, section
/// 5.1). Where a run comes to rest, `loss + l1·‖W‖₁ + ½·λ·‖W‖²` has no way down;
/// with AdamW, whose λ is no penalty, without its last term.
///
/// A learning rate that suits one does not suit another: 0.1 with
/// [`Sgd`](Self::Sgd), 0.001 with [`Adam`](Self::Adam) and 1 with
/// [`Adadelta`](Self::Adadelta) are where to begin.
///
/// ```
/// use nn::{Fit, Optimizer};
/// let fit = Fit { lr: 0.001, optimizer: "adam".parse()?, ..Fit::default() };
/// let adam = Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
/// assert_eq!(fit.optimizer, adam);
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Optimizer {
    /// Stochastic gradient descent with momentum (Polyak 1964, in the form of
    /// Sutskever et al. 2013 that PyTorch uses):
    ///
    /// ```text
    /// v ← μ·v + g
    /// w ← w − lr·v
    /// ```
    Sgd {
        /// μ in `[0, 1)`; 0, which is no momentum, unless given.
        #[serde(default)]
        momentum: f32,
    },
    /// Nesterov's momentum (Nesterov 1983; Sutskever et al. 2013): the gradient
    /// counts once more, as if it were that of where the velocity leads.
    ///
    /// ```text
    /// v ← μ·v + g
    /// w ← w − lr·(g + μ·v)
    /// ```
    Nesterov {
        /// μ in `[0, 1)`; 0.9 unless given. (PyTorch has no default that works.)
        #[serde(default = "default::momentum")]
        momentum: f32,
    },
    /// Duchi, Hazan and Singer 2011: a parameter's rate falls with all of its
    /// gradients so far.
    ///
    /// ```text
    /// s ← s + g²
    /// w ← w − lr·g/(√s + ε)
    /// ```
    Adagrad {
        /// ε above 0; 10⁻¹⁰ unless given.
        #[serde(default = "default::adagrad_epsilon")]
        epsilon: f32,
    },
    /// Tieleman and Hinton 2012 (lecture 6.5 of their course), with the momentum
    /// of Graves 2013, section 4.2: the same with recent gradients.
    ///
    /// ```text
    /// s ← α·s + (1 − α)·g²
    /// v ← μ·v + g/(√s + ε)
    /// w ← w − lr·v
    /// ```
    Rmsprop {
        /// α in `[0, 1)`; 0.99 unless given.
        #[serde(default = "default::alpha")]
        alpha: f32,
        /// ε above 0; 10⁻⁸ unless given.
        #[serde(default = "default::epsilon")]
        epsilon: f32,
        /// μ in `[0, 1)`; 0, which is no momentum, unless given.
        #[serde(default)]
        momentum: f32,
    },
    /// Zeiler 2012: steps as long as the recent ones, in the unit of the
    /// parameter.
    ///
    /// ```text
    /// s ← ρ·s + (1 − ρ)·g²
    /// d ← g·√(u + ε)/√(s + ε)
    /// u ← ρ·u + (1 − ρ)·d²
    /// w ← w − lr·d
    /// ```
    Adadelta {
        /// ρ in `[0, 1)`; 0.9 unless given.
        #[serde(default = "default::rho")]
        rho: f32,
        /// ε above 0; 10⁻⁶ unless given.
        #[serde(default = "default::adadelta_epsilon")]
        epsilon: f32,
    },
    /// Kingma and Ba 2015, algorithm 1, where `t` counts the steps of the run
    /// from 1:
    ///
    /// ```text
    /// m ← β₁·m + (1 − β₁)·g
    /// s ← β₂·s + (1 − β₂)·g²
    /// w ← w − lr·(m/(1 − β₁ᵗ))/(√(s/(1 − β₂ᵗ)) + ε)
    /// ```
    Adam {
        /// β₁ in `[0, 1)`; 0.9 unless given.
        #[serde(default = "default::beta1")]
        beta1: f32,
        /// β₂ in `[0, 1)`; 0.999 unless given.
        #[serde(default = "default::beta2")]
        beta2: f32,
        /// ε above 0; 10⁻⁸ unless given.
        #[serde(default = "default::epsilon")]
        epsilon: f32,
    },
    /// [`Adam`](Self::Adam) with decoupled weight decay (Loshchilov and Hutter
    /// 2019, in the form that PyTorch uses): λ, which is
    /// [`Fit::l2`](crate::Fit::l2), is no penalty on the loss. `g` is `∂loss/∂w`
    /// alone, and the step shrinks the weight, as it was before the step, by
    /// the share `lr·λ`. λ is 0 for biases here too, and 0.01 in PyTorch unless
    /// given, where it is 0 here.
    ///
    /// ```text
    /// w ← w − lr·λ·w − lr·(m/(1 − β₁ᵗ))/(√(s/(1 − β₂ᵗ)) + ε)
    /// ```
    Adamw {
        /// β₁ in `[0, 1)`; 0.9 unless given.
        #[serde(default = "default::beta1")]
        beta1: f32,
        /// β₂ in `[0, 1)`; 0.999 unless given.
        #[serde(default = "default::beta2")]
        beta2: f32,
        /// ε above 0; 10⁻⁸ unless given.
        #[serde(default = "default::epsilon")]
        epsilon: f32,
    },
}

/// What a parameter is if nobody says.
mod default {
    pub(super) const fn momentum() -> f32 {
        0.9
    }
    pub(super) const fn adagrad_epsilon() -> f32 {
        1e-10
    }
    pub(super) const fn alpha() -> f32 {
        0.99
    }
    pub(super) const fn rho() -> f32 {
        0.9
    }
    pub(super) const fn adadelta_epsilon() -> f32 {
        1e-6
    }
    pub(super) const fn beta1() -> f32 {
        0.9
    }
    pub(super) const fn beta2() -> f32 {
        0.999
    }
    pub(super) const fn epsilon() -> f32 {
        1e-8
    }
}

impl Optimizer {
    /// Every optimizer, its parameters at their defaults, with the name it has in
    /// files and on the command line.
    pub const ALL: [(Self, &'static str); 7] = {
        let (beta1, beta2) = (default::beta1(), default::beta2());
        let epsilon = default::epsilon();
        [
            (Self::Sgd { momentum: 0.0 }, "sgd"),
            (Self::Nesterov { momentum: default::momentum() }, "nesterov"),
            (Self::Adagrad { epsilon: default::adagrad_epsilon() }, "adagrad"),
            (Self::Rmsprop { alpha: default::alpha(), epsilon, momentum: 0.0 }, "rmsprop"),
            (
                Self::Adadelta { rho: default::rho(), epsilon: default::adadelta_epsilon() },
                "adadelta",
            ),
            (Self::Adam { beta1, beta2, epsilon }, "adam"),
            (Self::Adamw { beta1, beta2, epsilon }, "adamw"),
        ]
    };

    /// Numbers to keep for each parameter.
    pub(crate) fn slots(self) -> usize {
        match self {
            Self::Sgd { .. } | Self::Nesterov { .. } | Self::Adagrad { .. } => 1,
            Self::Rmsprop { .. }
            | Self::Adadelta { .. }
            | Self::Adam { .. }
            | Self::Adamw { .. } => 2,
        }
    }

    /// μ; 0 for those that have none.
    pub(crate) fn momentum(self) -> f32 {
        match self {
            Self::Sgd { momentum }
            | Self::Nesterov { momentum }
            | Self::Rmsprop { momentum, .. } => momentum,
            Self::Adagrad { .. }
            | Self::Adadelta { .. }
            | Self::Adam { .. }
            | Self::Adamw { .. } => 0.0,
        }
    }

    pub(crate) fn validate(self) -> Result<(), Error> {
        let factor = |name, value: f32| match (0.0..1.0).contains(&value) {
            true => Ok(()),
            false => Err(Error::OutOfRange {
                name,
                found: f64::from(value),
                expected: "a number of at least 0 and below 1",
            }),
        };
        // Where no gradient has come yet, which is everywhere in the padding, ε
        // is all that is left to divide by.
        let above_0 = |name, value: f32| match value.is_finite() && value > 0.0 {
            true => Ok(()),
            false => Err(Error::OutOfRange {
                name,
                found: f64::from(value),
                expected: "a finite number above 0",
            }),
        };
        match self {
            Self::Sgd { momentum } | Self::Nesterov { momentum } => factor("momentum", momentum),
            Self::Adagrad { epsilon } => above_0("epsilon", epsilon),
            Self::Rmsprop { alpha, epsilon, momentum } => {
                factor("alpha", alpha)?;
                factor("momentum", momentum)?;
                above_0("epsilon", epsilon)
            }
            Self::Adadelta { rho, epsilon } => {
                factor("rho", rho)?;
                above_0("epsilon", epsilon)
            }
            Self::Adam { beta1, beta2, epsilon } | Self::Adamw { beta1, beta2, epsilon } => {
                factor("beta1", beta1)?;
                factor("beta2", beta2)?;
                above_0("epsilon", epsilon)
            }
        }
    }
}

/// The name, without the parameters.
impl fmt::Display for Optimizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = Self::ALL.iter().find(|(known, _)| discriminant(known) == discriminant(self));
        f.write_str(row.map_or("?", |(_, name)| name))
    }
}

/// The optimizer of that name, its parameters at their defaults.
impl FromStr for Optimizer {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let row = Self::ALL.iter().find(|(_, known)| *known == name);
        row.map(|(optimizer, _)| *optimizer).ok_or_else(|| Error::Unknown {
            kind: "optimizer",
            found: name.to_owned(),
            expected: "sgd, nesterov, adagrad, rmsprop, adadelta, adam, adamw",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Optimizer;

    #[test]
    fn names_lead_back_and_are_those_of_files() {
        for (optimizer, name) in Optimizer::ALL {
            assert_eq!(optimizer.to_string(), name);
            assert_eq!(name.parse::<Optimizer>().unwrap(), optimizer);
            let json = format!("{{\"kind\":{name:?}}}");
            assert_eq!(serde_json::from_str::<Optimizer>(&json).unwrap(), optimizer);
            let json = serde_json::to_string(&optimizer).unwrap();
            assert_eq!(serde_json::from_str::<Optimizer>(&json).unwrap(), optimizer, "{json}");
            optimizer.validate().unwrap();
        }
        let names: Vec<_> = Optimizer::ALL.iter().map(|(_, name)| *name).collect();
        let error = "adma".parse::<Optimizer>().unwrap_err().to_string();
        let expected = format!("`adma` is no optimizer: expected one of {}", names.join(", "));
        assert_eq!(error, expected);
    }

    #[test]
    fn a_parameter_of_another_optimizer_is_an_error() {
        for (_, name) in Optimizer::ALL {
            let json = format!("{{\"kind\":{name:?},\"gamma\":0.5}}");
            let error = serde_json::from_str::<Optimizer>(&json).unwrap_err().to_string();
            assert!(error.contains("unknown field `gamma`"), "{error}");
        }
    }
}
