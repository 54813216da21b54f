//! The activations: the table of all, and what each of them can do.
//!
//! An activation is a file in this folder, with its formula, its range, its forward and
//! its backward pass, and a row in the table.

mod elu;
mod gelu;
mod leaky_relu;
mod maxout;
mod relu;
mod sigmoid;
mod silu;
mod tanh;

use std::fmt;
use std::str::FromStr;

use kernels::{Binary, Elu, Gelu, Isa, LeakyRelu, Relu, Sigmoid, Silu, Tanh, Unary};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::one_of;
use maxout::Maxout;

/// Makes the enum and everything that lists its variants.
///
/// A row is a variant with its documentation, its name in files and, if it has one, its
/// parameter with the default. Its [`Kind`] is the type of the same name and field.
macro_rules! table {
    (
        $(#[$attribute:meta])*
        pub enum Activation {$(
            $(#[$row_attribute:meta])*
            $name:literal => $variant:ident $({
                $(#[$parameter_attribute:meta])*
                $parameter:ident: $type:ty = $default:literal
            })?,
        )*}
    ) => {
        $(#[$attribute])*
        pub enum Activation {$(
            $(#[$row_attribute])*
            $variant $({
                $(#[$parameter_attribute])*
                $parameter: $type,
            })?,
        )*}

        impl Activation {
            /// Every activation, its parameter at its default, with its name.
            pub const ALL: [(Self, &'static str); [$($name),*].len()] =
                [$((Self::$variant $({ $parameter: $default })?, $name)),*];

            fn name(self) -> &'static str {
                match self {$(
                    Self::$variant { .. } => $name,
                )*}
            }

            fn kind<R>(self, then: impl FnOnce(&dyn Kind) -> R) -> R {
                match self {$(
                    Self::$variant $({ $parameter })? => then(&$variant $({ $parameter })?),
                )*}
            }

            /// Calls `then` with the function if it works element by element, otherwise
            /// with the identity. Compiled for each activation, so that a matrix product
            /// can apply the function to its result.
            pub(crate) fn with(self, then: impl WithUnary) {
                match self {$(
                    Self::$variant $({ $parameter })? => {
                        then.with($variant $({ $parameter })?.function());
                    }
                )*}
            }
        }
    };
}

table! {
    /// The function between a hidden layer's affine map and the next layer.
    ///
    /// In files and on the command line it is a name, followed by a colon and a parameter
    /// if it has one:
    ///
    /// ```
    /// use nn::Activation;
    /// assert_eq!("relu".parse::<Activation>()?, Activation::Relu);
    /// assert_eq!("maxout:3".parse::<Activation>()?, Activation::Maxout { pieces: 3 });
    /// assert_eq!("maxout".parse::<Activation>()?.to_string(), "maxout:2");
    /// # Ok::<(), nn::Error>(())
    /// ```
    #[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(into = "String", try_from = "String")]
    #[non_exhaustive]
    pub enum Activation {
        /// `tanh(z)`, the article's choice; `f′ = 1 − f²`.
        #[default]
        "tanh" => Tanh,
        /// `1 / (1 + e⁻ᶻ)`; `f′ = f·(1 − f)`.
        "sigmoid" => Sigmoid,
        /// `max(z, 0)`; `f′ = 1` where `f > 0`, else 0.
        "relu" => Relu,
        /// `z` where it is above 0, else `slope·z`; `f′` is 1 or the slope (Maas, Hannun
        /// and Ng 2013).
        "leaky-relu" => LeakyRelu {
            /// At least 0 and below 1; 0.01 unless given.
            slope: f32 = 0.01
        },
        /// `z` where it is above 0, else `α·(eᶻ − 1)`; `f′` is 1 or `f + α` (Clevert,
        /// Unterthiner and Hochreiter 2016).
        "elu" => Elu {
            /// α, finite and above 0; 1 unless given.
            alpha: f32 = 1.0
        },
        /// `z·Φ(z)`, where Φ is the normal distribution function;
        /// `f′ = Φ(z) + z·φ(z)` (Hendrycks and Gimpel 2016, exact).
        "gelu" => Gelu,
        /// `z·σ(z)`, where σ is the sigmoid; `f′ = σ·(1 + z·(1 − σ))` (Hendrycks and
        /// Gimpel 2016).
        "silu" => Silu,
        /// `max(z₁, …, zₖ)` of k affine maps, each with weights of its own; the
        /// gradient goes to the first that is largest (Goodfellow et al. 2013).
        "maxout" => Maxout {
            /// k, from 2 to 64; 2 unless given.
            pieces: usize = 2
        },
    }
}

/// What an activation can do: its facts and its two passes.
trait Kind {
    /// The function if it works element by element, otherwise the identity.
    type Function: Unary
    where
        Self: Sized;

    /// Returns it.
    fn function(&self) -> Self::Function
    where
        Self: Sized;

    /// `h = f(z)` for the units of one sample; z has [`pieces`](Self::pieces) times the
    /// length of h.
    fn forward(&self, isa: Isa, z: &[f32], h: &mut [f32]);

    /// Whether the derivative is a function of z, and not of `h = f(z)`: z is then kept
    /// until the backward pass.
    fn keeps_z(&self) -> bool;

    /// `da ← da · mask · f′`, where f′ is a function of `f`: of z if it is
    /// [kept](Self::keeps_z), otherwise of h.
    fn backward(&self, isa: Isa, da: &mut [f32], mask: Option<&[f32]>, f: &[f32]);

    /// The two ends of the range, where the slope goes to 0; `None` unless there are two.
    fn ends(&self) -> Option<[f32; 2]> {
        None
    }

    /// Affine maps of a unit.
    fn pieces(&self) -> usize {
        1
    }

    /// The parameter, if there is one.
    fn parameter(&self) -> Option<&dyn fmt::Display> {
        None
    }

    /// The activation with another parameter; `None` if it has none or if `text` is no
    /// value of its type.
    fn with_parameter(&self, text: &str) -> Option<Activation> {
        let _ = text;
        None
    }

    /// Whether the parameter is within its range.
    fn validate(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// `h = f(z)`, element by element.
fn map(isa: Isa, f: impl Unary, z: &[f32], h: &mut [f32]) {
    h.copy_from_slice(z);
    kernels::map(isa, f, h);
}

/// `da ← gradient(da · mask, f)`, element by element.
fn zip(isa: Isa, gradient: impl Binary, da: &mut [f32], mask: Option<&[f32]>, f: &[f32]) {
    match mask {
        Some(mask) => kernels::zip_masked(isa, gradient, da, mask, f),
        None => kernels::zip(isa, gradient, da, f),
    }
}

/// Work that takes a function which works element by element.
pub(crate) trait WithUnary {
    /// Does it.
    fn with<F: Unary>(self, f: F);
}

impl Activation {
    /// Affine maps of a unit: 1, except for maxout.
    #[must_use]
    pub fn pieces(self) -> usize {
        self.kind(|kind| kind.pieces())
    }

    /// Whether the parameter is within its range.
    pub(crate) fn validate(self) -> Result<(), Error> {
        self.kind(|kind| kind.validate())
    }

    /// Whether the derivative is a function of z, and not of `h = f(z)`: z is then kept
    /// until the backward pass.
    pub(crate) fn keeps_z(self) -> bool {
        self.kind(|kind| kind.keeps_z())
    }

    /// The two ends of the range, where the slope goes to 0; `None` unless there are two.
    pub(crate) fn ends(self) -> Option<[f32; 2]> {
        self.kind(|kind| kind.ends())
    }

    /// `h ← f(h)`, where the function works element by element.
    pub(crate) fn apply(self, isa: Isa, h: &mut [f32]) {
        struct Apply<'a>(Isa, &'a mut [f32]);
        impl WithUnary for Apply<'_> {
            fn with<F: Unary>(self, f: F) {
                kernels::map(self.0, f, self.1);
            }
        }
        self.with(Apply(isa, h));
    }

    /// `h = f(z)` for the units of one sample. z has [`pieces`](Self::pieces) times the
    /// length of h: all first pieces, then all second ones.
    pub(crate) fn forward(self, isa: Isa, z: &[f32], h: &mut [f32]) {
        self.kind(|kind| kind.forward(isa, z, h));
    }

    /// `dz = da · mask · f′(z)`, which replaces `da`, for units of one piece. `f` is z if it
    /// is [kept](Self::keeps_z), otherwise h; the mask is that of dropout, if there was any.
    pub(crate) fn backward(self, isa: Isa, da: &mut [f32], mask: Option<&[f32]>, f: &[f32]) {
        self.kind(|kind| kind.backward(isa, da, mask, f));
    }

    /// `z ← dz` for the units of one sample, which have several pieces; `h` are the largest
    /// of them.
    pub(crate) fn backward_pieces(z: &mut [f32], h: &[f32], da: &[f32]) {
        maxout::backward(z, h, da);
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        self.kind(|kind| match kind.parameter() {
            Some(parameter) => write!(f, ":{parameter}"),
            None => Ok(()),
        })
    }
}

impl FromStr for Activation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let unknown = || Error::Unknown {
            kind: "activation",
            found: text.to_owned(),
            expected: one_of(&Self::ALL),
        };
        let (name, parameter) = match text.split_once(':') {
            Some((name, parameter)) => (name, Some(parameter)),
            None => (text, None),
        };
        let row = Self::ALL.iter().find(|(_, known)| *known == name);
        let (default, _) = *row.ok_or_else(unknown)?;
        let Some(parameter) = parameter else { return Ok(default) };
        let activation = default.kind(|kind| kind.with_parameter(parameter)).ok_or_else(unknown)?;
        activation.validate()?;
        Ok(activation)
    }
}

impl From<Activation> for String {
    fn from(activation: Activation) -> Self {
        activation.to_string()
    }
}

impl TryFrom<String> for Activation {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::Activation;

    #[test]
    fn names_read_back_and_are_those_of_files() {
        for (activation, name) in Activation::ALL {
            assert_eq!(name.parse::<Activation>().unwrap(), activation);
            let text = activation.to_string();
            assert_eq!(text.split(':').next(), Some(name));
            assert_eq!(text.parse::<Activation>().unwrap(), activation);
            let json = serde_json::to_string(&activation).unwrap();
            assert_eq!(json, format!("{text:?}"));
            assert_eq!(serde_json::from_str::<Activation>(&json).unwrap(), activation);
            activation.validate().unwrap();
        }
    }

    /// Model files hold these texts.
    #[test]
    fn the_texts_of_the_first_release() {
        let texts: Vec<_> = Activation::ALL.iter().map(|(known, _)| known.to_string()).collect();
        let expected =
            ["tanh", "sigmoid", "relu", "leaky-relu:0.01", "elu:1", "gelu", "silu", "maxout:2"];
        assert_eq!(texts, expected);
        for text in ["leaky-relu:0.2", "elu:0.7", "maxout:64"] {
            assert_eq!(text.parse::<Activation>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_names_and_parameters_are_errors() {
        let names: Vec<_> = Activation::ALL.iter().map(|(_, name)| *name).collect();
        let names = names.join(", ");
        for text in ["tahn", "", "tanh:1", "maxout:", "maxout:two", "maxout:2:3"] {
            let error = text.parse::<Activation>().unwrap_err().to_string();
            let expected = format!("`{text}` is no activation: expected one of {names}");
            assert_eq!(error, expected);
        }
        for (text, error) in [
            ("maxout:1", "pieces of maxout is 1: expected from 2 to 64"),
            ("maxout:65", "pieces of maxout is 65: expected from 2 to 64"),
            ("leaky-relu:1", "slope of leaky-relu is 1: expected at least 0 and below 1"),
            ("leaky-relu:nan", "slope of leaky-relu is NaN: expected at least 0 and below 1"),
            ("elu:0", "alpha of elu is 0: expected a finite number above 0"),
            ("elu:inf", "alpha of elu is inf: expected a finite number above 0"),
        ] {
            assert_eq!(text.parse::<Activation>().unwrap_err().to_string(), error);
        }
    }
}
