//! Optimizers: how a step moves the parameters along the gradient.
//!
//! An optimizer is a file beside `formula.rs`, with its formula in code, its ranges and
//! its defaults; and here a variant of [`Optimizer`], which says the formula to those
//! who use it, and a row in `ALL` and in `with`.

mod formula;

mod adadelta;
mod adagrad;
mod adam;
mod adamw;
mod nesterov;
mod rmsprop;
mod sgd;

mod average;
mod max_norm;
mod rule;
mod state;

use std::fmt;
use std::mem::discriminant;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::Error;
use crate::error::one_of;

use adadelta::Adadelta;
use adagrad::Adagrad;
use adam::Adam;
use adamw::Adamw;
use nesterov::Nesterov;
use rmsprop::Rmsprop;
use rule::AnyFormula;
use sgd::Sgd;

pub use average::Average;
pub(crate) use rule::Rule;
pub(crate) use state::State;

/// The rule by which a step moves the parameters.
///
/// The formulas are those of PyTorch, and so are the defaults, unless a field says
/// otherwise. `w` is a parameter and `lr` the learning rate of the epoch; every other
/// letter to the left of an arrow starts at 0. Except in [`Adamw`](Self::Adamw), `g`
/// is the gradient with that of the penalty: `g = ∂loss/∂w + λ·w`, where λ is
/// [`Fit::l2`](crate::Fit::l2) for weights and 0 for biases. `√` and squares are taken
/// element by element.
///
/// With [`Fit::l1`](crate::Fit::l1), the step then moves each weight toward 0, and
/// sets it to 0 where its sign would change:
///
/// ```text
/// w ← sign(w)·max(|w| − lr·l1·D/(1 − μ), 0)
/// ```
///
/// D is the measure of the optimizer, and stands below its formula; μ is its momentum,
/// or 0 if it has none. This is the composite step of forward-backward splitting
/// (Duchi and Singer 2009), in the measure of each optimizer (Duchi, Hazan and Singer
/// 2011, section 5.1). Where a run comes to rest, no small change of the weights lowers
/// `loss + l1·‖W‖₁ + ½·λ·‖W‖²`, or with AdamW, whose λ is no penalty, this sum without
/// its last term.
///
/// `s` and `u` are kept in `f32`, as in PyTorch. The square of a gradient below about
/// 3·10⁻¹⁸ is 0 there. That of one above 1.8·10¹⁹ is infinite, and then a parameter stands
/// still. A weight or an average that would be subnormal, below 1.2·10⁻³⁸, becomes 0.
///
/// Each optimizer needs a learning rate of its own: [`usual_rate`](Self::usual_rate) is one
/// to begin with.
///
/// In files it is a table with the name as its `kind`. [`Fit`](crate::Fit) also reads the
/// name alone, as in `optimizer = "adam"`, which has the parameters at their defaults.
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
    ///
    /// D = 1.
    Sgd {
        /// μ in `[0, 1)`; 0 by default, which is no momentum.
        #[serde(default)]
        momentum: f32,
    },
    /// Nesterov's momentum (Nesterov 1983; Sutskever et al. 2013): the gradient
    /// counts once more, as if it were the gradient at the point to which the
    /// velocity leads.
    ///
    /// ```text
    /// v ← μ·v + g
    /// w ← w − lr·(g + μ·v)
    /// ```
    ///
    /// D = 1.
    Nesterov {
        /// μ in `[0, 1)`; 0.9 by default. (PyTorch's default is 0, which it refuses here.)
        #[serde(default = "nesterov::momentum")]
        momentum: f32,
    },
    /// AdaGrad (Duchi, Hazan and Singer 2011): the rate of a parameter falls with the
    /// squares of all its gradients so far.
    ///
    /// ```text
    /// s ← s + g²
    /// w ← w − lr·g/(√s + ε)
    /// ```
    ///
    /// D = 1/(√s + ε).
    Adagrad {
        /// ε of at least 10⁻¹⁶; 10⁻¹⁰ by default.
        #[serde(default = "adagrad::epsilon")]
        epsilon: f32,
    },
    /// RMSProp (Tieleman and Hinton 2012, lecture 6.5 of their course), with the
    /// momentum of Graves 2013, section 4.2: the rate of a parameter falls with the
    /// squares of its recent gradients.
    ///
    /// ```text
    /// s ← α·s + (1 − α)·g²
    /// v ← μ·v + g/(√s + ε)
    /// w ← w − lr·v
    /// ```
    ///
    /// D = 1/(√s + ε).
    Rmsprop {
        /// α in `[0, 1)`; 0.99 by default.
        #[serde(default = "rmsprop::alpha")]
        alpha: f32,
        /// ε of at least 10⁻¹⁶; 10⁻⁸ by default.
        #[serde(default = "rmsprop::epsilon")]
        epsilon: f32,
        /// μ in `[0, 1)`; 0 by default, which is no momentum.
        #[serde(default)]
        momentum: f32,
    },
    /// AdaDelta (Zeiler 2012): a step has the size of the recent steps, and so the
    /// unit of the parameter.
    ///
    /// ```text
    /// s ← ρ·s + (1 − ρ)·g²
    /// d ← g·√(u + ε)/√(s + ε)
    /// u ← ρ·u + (1 − ρ)·d²
    /// w ← w − lr·d
    /// ```
    ///
    /// D = √(u + ε)/√(s + ε), with the u of the step before.
    Adadelta {
        /// ρ in `[0, 1)`; 0.9 by default.
        #[serde(default = "adadelta::rho")]
        rho: f32,
        /// ε of at least 10⁻³²; 10⁻⁶ by default.
        #[serde(default = "adadelta::epsilon")]
        epsilon: f32,
    },
    /// Adam (Kingma and Ba 2015, algorithm 1), where `t` counts the steps of the run
    /// from 1:
    ///
    /// ```text
    /// m ← β₁·m + (1 − β₁)·g
    /// s ← β₂·s + (1 − β₂)·g²
    /// w ← w − lr·(m/(1 − β₁ᵗ))/(√(s/(1 − β₂ᵗ)) + ε)
    /// ```
    ///
    /// D = 1/(√(s/(1 − β₂ᵗ)) + ε).
    Adam {
        /// β₁ in `[0, 1)`; 0.9 by default.
        #[serde(default = "adam::beta1")]
        beta1: f32,
        /// β₂ in `[0, 1)`; 0.999 by default.
        #[serde(default = "adam::beta2")]
        beta2: f32,
        /// ε of at least 10⁻¹⁶; 10⁻⁸ by default.
        #[serde(default = "adam::epsilon")]
        epsilon: f32,
    },
    /// [`Adam`](Self::Adam) with decoupled weight decay (Loshchilov and Hutter
    /// 2019, in the form that PyTorch uses): λ, which is
    /// [`Fit::l2`](crate::Fit::l2), is no penalty on the loss. `g` is `∂loss/∂w`
    /// alone, and the step subtracts the fraction `lr·λ` of the weight that it
    /// found. λ is 0 for biases here too. The default of λ is 0 here and 0.01 in
    /// PyTorch.
    ///
    /// ```text
    /// m and s as in Adam
    /// w ← w − lr·λ·w − lr·(m/(1 − β₁ᵗ))/(√(s/(1 − β₂ᵗ)) + ε)
    /// ```
    ///
    /// D = 1/(√(s/(1 − β₂ᵗ)) + ε).
    Adamw {
        /// β₁ in `[0, 1)`; 0.9 by default.
        #[serde(default = "adam::beta1")]
        beta1: f32,
        /// β₂ in `[0, 1)`; 0.999 by default.
        #[serde(default = "adam::beta2")]
        beta2: f32,
        /// ε of at least 10⁻¹⁶; 10⁻⁸ by default.
        #[serde(default = "adam::epsilon")]
        epsilon: f32,
    },
}

impl Optimizer {
    /// Every optimizer, its parameters at their defaults, with its name in files and on
    /// the command line.
    pub const ALL: [(Self, &'static str); 7] = [
        (Sgd::DEFAULT, "sgd"),
        (Nesterov::DEFAULT, "nesterov"),
        (Adagrad::DEFAULT, "adagrad"),
        (Rmsprop::DEFAULT, "rmsprop"),
        (Adadelta::DEFAULT, "adadelta"),
        (Adam::DEFAULT, "adam"),
        (Adamw::DEFAULT, "adamw"),
    ];

    /// [`Sgd`](Self::Sgd) with this momentum, which is 0 for none.
    #[must_use]
    pub const fn sgd(momentum: f32) -> Self {
        Self::Sgd { momentum }
    }

    /// [`Nesterov`](Self::Nesterov) with its default of a momentum of 0.9.
    #[must_use]
    pub const fn nesterov() -> Self {
        Nesterov::DEFAULT
    }

    /// [`Adagrad`](Self::Adagrad) with its default.
    #[must_use]
    pub const fn adagrad() -> Self {
        Adagrad::DEFAULT
    }

    /// [`Rmsprop`](Self::Rmsprop) with its defaults.
    #[must_use]
    pub const fn rmsprop() -> Self {
        Rmsprop::DEFAULT
    }

    /// [`Adadelta`](Self::Adadelta) with its defaults.
    #[must_use]
    pub const fn adadelta() -> Self {
        Adadelta::DEFAULT
    }

    /// [`Adam`](Self::Adam) with its defaults.
    ///
    /// ```
    /// use nn::{Fit, Optimizer};
    /// let optimizer = Optimizer::adam();
    /// let fit = Fit { optimizer, lr: optimizer.usual_rate(), ..Fit::default() };
    /// assert_eq!(fit.lr, 0.001);
    /// assert_eq!(fit, serde_json::from_str(r#"{"optimizer": "adam", "lr": 0.001}"#).unwrap());
    /// ```
    #[must_use]
    pub const fn adam() -> Self {
        Adam::DEFAULT
    }

    /// [`Adamw`](Self::Adamw) with its defaults; [`Fit::l2`](crate::Fit::l2) is its weight
    /// decay.
    #[must_use]
    pub const fn adamw() -> Self {
        Adamw::DEFAULT
    }

    /// A learning rate to begin with: what suits one optimizer is ten times too much or too
    /// little for another. Optimizers of the same scale have the same rate.
    #[must_use]
    pub fn usual_rate(self) -> f32 {
        match self {
            Self::Sgd { .. } | Self::Nesterov { .. } => 0.1,
            Self::Adagrad { .. } => 0.01,
            Self::Rmsprop { .. } | Self::Adam { .. } | Self::Adamw { .. } => 0.001,
            Self::Adadelta { .. } => 1.0,
        }
    }

    /// Reads a table, or a name.
    pub(crate) fn table_or_name<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct TableOrName;

        impl<'de> Visitor<'de> for TableOrName {
            type Value = Optimizer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an optimizer: its name, or a table with its `kind`")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Optimizer, E> {
                name.parse().map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Optimizer, A::Error> {
                Optimizer::deserialize(MapAccessDeserializer::new(map))
            }
        }

        from.deserialize_any(TableOrName)
    }

    /// Calls `work` with the formula of the optimizer: the one `match` over all of them.
    fn with<T>(self, work: impl FnOnce(&dyn AnyFormula) -> T) -> T {
        match self {
            Self::Sgd { momentum } => work(&Sgd { momentum }),
            Self::Nesterov { momentum } => work(&Nesterov { momentum }),
            Self::Adagrad { epsilon } => work(&Adagrad { epsilon }),
            Self::Rmsprop { alpha, epsilon, momentum } => {
                work(&Rmsprop { alpha, epsilon, momentum })
            }
            Self::Adadelta { rho, epsilon } => work(&Adadelta { rho, epsilon }),
            Self::Adam { beta1, beta2, epsilon } => work(&Adam { beta1, beta2, epsilon }),
            Self::Adamw { beta1, beta2, epsilon } => work(&Adamw(Adam { beta1, beta2, epsilon })),
        }
    }

    /// The names of the values that the optimizer keeps for each parameter.
    pub(crate) fn slots(self) -> &'static [&'static str] {
        self.with(|formula| formula.slots())
    }

    /// Checks that each parameter is in its range.
    pub(crate) fn validate(self) -> Result<(), Error> {
        self.with(|formula| formula.check())
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
            expected: one_of(&Self::ALL),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Optimizer;
    use crate::Fit;

    #[test]
    fn names_parse_back_and_are_those_in_files() {
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

    /// As the documentation of each says.
    #[test]
    fn defaults() {
        let defaults = [
            Optimizer::Sgd { momentum: 0.0 },
            Optimizer::Nesterov { momentum: 0.9 },
            Optimizer::Adagrad { epsilon: 1e-10 },
            Optimizer::Rmsprop { alpha: 0.99, epsilon: 1e-8, momentum: 0.0 },
            Optimizer::Adadelta { rho: 0.9, epsilon: 1e-6 },
            Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
            Optimizer::Adamw { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
        ];
        assert_eq!(Optimizer::ALL.map(|(optimizer, _)| optimizer), defaults);
    }

    #[test]
    fn constructors_have_the_defaults() {
        let made = [
            Optimizer::sgd(0.0),
            Optimizer::nesterov(),
            Optimizer::adagrad(),
            Optimizer::rmsprop(),
            Optimizer::adadelta(),
            Optimizer::adam(),
            Optimizer::adamw(),
        ];
        assert_eq!(made, Optimizer::ALL.map(|(optimizer, _)| optimizer));
    }

    #[test]
    fn a_fit_reads_names_and_tables() {
        let read = |json: &str| serde_json::from_str::<Fit>(json).map(|fit| fit.optimizer);
        for (optimizer, name) in Optimizer::ALL {
            let expected = Fit { optimizer, ..Fit::default() };
            assert_eq!(read(&format!("{{\"optimizer\":{name:?}}}")).unwrap(), optimizer);
            assert_eq!(read(&serde_json::to_string(&expected).unwrap()).unwrap(), optimizer);
        }
        let error = |json| read(json).unwrap_err().to_string();
        assert!(error(r#"{"optimizer":"adma"}"#).starts_with("`adma` is no optimizer: expected"));
        assert!(
            error(r#"{"optimizer":3}"#).contains("expected an optimizer: its name, or a table")
        );
        assert!(error(r#"{"optimizer":{"kind":"adam","mu":1}}"#).contains("unknown field `mu`"));
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
