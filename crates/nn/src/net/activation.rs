//! Each activation beside its derivative.

use std::fmt;
use std::mem::discriminant;
use std::str::FromStr;

use kernels::{
    Binary, Elu, EluGradient, Gelu, GeluGradient, Identity, Isa, LeakyRelu, LeakyReluGradient,
    Relu, Sigmoid, Silu, SiluGradient, Simd, Tanh, Unary,
};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::one_of;

/// The function between a hidden layer's affine map and the next layer.
///
/// In files and on the command line it is a name, and behind a colon a parameter
/// where it has one:
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
    Tanh,
    /// `1 / (1 + e⁻ᶻ)`; `f′ = f·(1 − f)`.
    Sigmoid,
    /// `max(z, 0)`; `f′ = 1` where `f > 0`, else 0.
    Relu,
    /// `z` where it is above 0, else `slope·z`; `f′` is 1 or the slope.
    LeakyRelu {
        /// From 0 up and below 1; 0.01 unless given.
        slope: f32,
    },
    /// `z` where it is above 0, else `α·(eᶻ − 1)`; `f′` is 1 or `f + α` (Clevert,
    /// Unterthiner and Hochreiter 2016).
    Elu {
        /// α, above 0; 1 unless given.
        alpha: f32,
    },
    /// `z·Φ(z)`, where Φ is the normal distribution function;
    /// `f′ = Φ(z) + z·φ(z)` (Hendrycks and Gimpel 2016, exact).
    Gelu,
    /// `z·σ(z)`, where σ is the sigmoid; `f′ = σ·(1 + z·(1 − σ))`.
    Silu,
    /// `max(z₁, …, zₖ)` of k affine maps, each with weights of its own; the
    /// gradient goes to the first that is largest (Goodfellow et al. 2013).
    Maxout {
        /// k, from 2 to 64; 2 unless given.
        pieces: usize,
    },
}

/// Something to be done with a function that works number by number.
pub(crate) trait WithUnary {
    /// Does it.
    fn with<F: Unary>(self, f: F);
}

impl Activation {
    /// Every activation, its parameter at its default, with its name.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Tanh, "tanh"),
        (Self::Sigmoid, "sigmoid"),
        (Self::Relu, "relu"),
        (Self::LeakyRelu { slope: 0.01 }, "leaky-relu"),
        (Self::Elu { alpha: 1.0 }, "elu"),
        (Self::Gelu, "gelu"),
        (Self::Silu, "silu"),
        (Self::Maxout { pieces: 2 }, "maxout"),
    ];

    /// Affine maps of a unit: 1, but for maxout.
    #[must_use]
    pub fn pieces(self) -> usize {
        match self {
            Self::Maxout { pieces } => pieces,
            _ => 1,
        }
    }

    pub(crate) fn validate(self) -> Result<(), Error> {
        let out_of_range = |name, found, expected| Err(Error::OutOfRange { name, found, expected });
        match self {
            Self::Maxout { pieces } if !(2..=64).contains(&pieces) => {
                out_of_range("pieces of maxout", pieces as f64, "from 2 to 64")
            }
            Self::LeakyRelu { slope } if !(0.0..1.0).contains(&slope) => {
                out_of_range("slope of leaky-relu", slope.into(), "at least 0 and below 1")
            }
            // Below, 1/α would be infinite.
            Self::Elu { alpha } if !(alpha.is_finite() && alpha >= f32::MIN_POSITIVE) => {
                out_of_range("alpha of elu", alpha.into(), "a finite number above 0")
            }
            _ => Ok(()),
        }
    }

    /// Whether the derivative is a function of z, and not of `h = f(z)`: z is then
    /// kept until the backward pass.
    pub(crate) fn keeps_z(self) -> bool {
        match self {
            Self::Tanh | Self::Sigmoid | Self::Relu | Self::LeakyRelu { .. } | Self::Elu { .. } => {
                false
            }
            Self::Gelu | Self::Silu | Self::Maxout { .. } => true,
        }
    }

    /// Does `then` with the function, if it works number by number; else with the
    /// identity.
    pub(crate) fn with(self, then: impl WithUnary) {
        match self {
            Self::Tanh => then.with(Tanh),
            Self::Sigmoid => then.with(Sigmoid),
            Self::Relu => then.with(Relu),
            Self::LeakyRelu { slope } => then.with(LeakyRelu { slope }),
            Self::Elu { alpha } => then.with(Elu { alpha }),
            Self::Gelu => then.with(Gelu),
            Self::Silu => then.with(Silu),
            Self::Maxout { .. } => then.with(Identity),
        }
    }

    /// `h ← f(h)`, where the function works number by number.
    pub(crate) fn apply(self, isa: Isa, h: &mut [f32]) {
        struct Apply<'a>(Isa, &'a mut [f32]);
        impl WithUnary for Apply<'_> {
            fn with<F: Unary>(self, f: F) {
                kernels::map(self.0, f, self.1);
            }
        }
        self.with(Apply(isa, h));
    }

    /// `h = f(z)` for the units of one sample, of each of which z has
    /// [`pieces`](Self::pieces), as far apart as there are units.
    pub(crate) fn forward(self, isa: Isa, z: &[f32], h: &mut [f32]) {
        let (first, others) = z.split_at(h.len());
        h.copy_from_slice(first);
        match self {
            Self::Maxout { .. } => {
                for z in others.chunks_exact(h.len()) {
                    kernels::zip(isa, Larger, h, z);
                }
            }
            _ => self.apply(isa, h),
        }
    }

    /// `dz = da · mask · f′(z)`, in place of `da`, where f′ is a function of `f`:
    /// of z where it is [kept](Self::keeps_z), else of h; and the mask is that of
    /// dropout, if there was any.
    pub(crate) fn backward(self, isa: Isa, da: &mut [f32], mask: Option<&[f32]>, f: &[f32]) {
        match self {
            Self::Tanh => zip(isa, TanhGradient, da, mask, f),
            Self::Sigmoid => zip(isa, SigmoidGradient, da, mask, f),
            Self::Relu => zip(isa, ReluGradient, da, mask, f),
            Self::LeakyRelu { slope } => zip(isa, LeakyReluGradient { slope }, da, mask, f),
            Self::Elu { alpha } => zip(isa, EluGradient { alpha }, da, mask, f),
            Self::Gelu => zip(isa, GeluGradient, da, mask, f),
            Self::Silu => zip(isa, SiluGradient, da, mask, f),
            Self::Maxout { .. } => unreachable!("several z share a da"),
        }
    }

    /// `z ← dz`, where the units of one sample have several pieces; `h` are the
    /// largest of them.
    pub(crate) fn backward_pieces(z: &mut [f32], h: &[f32], da: &[f32]) {
        let units = h.len();
        for (unit, (h, da)) in h.iter().zip(da).enumerate() {
            // All of it goes to one piece, and nothing to the others.
            let mut rest = *da;
            for z in z.iter_mut().skip(unit).step_by(units) {
                *z = if *z == *h { std::mem::take(&mut rest) } else { 0.0 };
            }
        }
    }
}

/// `dz ← f(dz · mask, h)`.
fn zip(isa: Isa, f: impl Binary, dz: &mut [f32], mask: Option<&[f32]>, h: &[f32]) {
    match mask {
        Some(mask) => kernels::zip_masked(isa, f, dz, mask, h),
        None => kernels::zip(isa, f, dz, h),
    }
}

/// The larger of two numbers.
#[derive(Clone, Copy)]
struct Larger;

impl Binary for Larger {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, x: S::F32, y: S::F32) -> S::F32 {
        s.max(x, y)
    }
}

/// `da · (1 − a²)`.
#[derive(Clone, Copy)]
struct TanhGradient;

impl Binary for TanhGradient {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, da: S::F32, a: S::F32) -> S::F32 {
        s.mul(da, s.fnma(a, a, s.splat(1.0)))
    }
}

/// `da · a·(1 − a)`.
#[derive(Clone, Copy)]
struct SigmoidGradient;

impl Binary for SigmoidGradient {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, da: S::F32, a: S::F32) -> S::F32 {
        s.mul(da, s.fnma(a, a, a))
    }
}

/// `da` where `a > 0`, else 0.
#[derive(Clone, Copy)]
struct ReluGradient;

impl Binary for ReluGradient {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, da: S::F32, a: S::F32) -> S::F32 {
        s.select(s.lt(s.splat(0.0), a), da, s.splat(0.0))
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = Self::ALL.iter().find(|(known, _)| discriminant(known) == discriminant(self));
        f.write_str(row.map_or("?", |(_, name)| name))?;
        match self {
            Self::Tanh | Self::Sigmoid | Self::Relu | Self::Gelu | Self::Silu => Ok(()),
            Self::LeakyRelu { slope } => write!(f, ":{slope}"),
            Self::Elu { alpha } => write!(f, ":{alpha}"),
            Self::Maxout { pieces } => write!(f, ":{pieces}"),
        }
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
        let (known, _) = *row.ok_or_else(unknown)?;
        let Some(parameter) = parameter else { return Ok(known) };
        let activation = match known {
            Self::Tanh | Self::Sigmoid | Self::Relu | Self::Gelu | Self::Silu => {
                return Err(unknown());
            }
            Self::LeakyRelu { .. } => {
                Self::LeakyRelu { slope: parameter.parse().map_err(|_| unknown())? }
            }
            Self::Elu { .. } => Self::Elu { alpha: parameter.parse().map_err(|_| unknown())? },
            Self::Maxout { .. } => {
                Self::Maxout { pieces: parameter.parse().map_err(|_| unknown())? }
            }
        };
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
    fn names_lead_back_and_are_those_of_files() {
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

    #[test]
    fn other_names_and_parameters_are_errors() {
        let names: Vec<_> = Activation::ALL.iter().map(|(_, name)| *name).collect();
        let names = names.join(", ");
        for text in ["tahn", "", "tanh:1", "maxout:", "maxout:two", "maxout:2:3"] {
            let error = text.parse::<Activation>().unwrap_err().to_string();
            let expected = format!("`{text}` is no activation: expected one of {names}");
            assert_eq!(error, expected);
        }
        for (text, name) in [
            ("maxout:1", "pieces of maxout"),
            ("maxout:65", "pieces of maxout"),
            ("leaky-relu:1", "slope of leaky-relu"),
            ("leaky-relu:nan", "slope of leaky-relu"),
            ("elu:0", "alpha of elu"),
            ("elu:inf", "alpha of elu"),
        ] {
            let error = text.parse::<Activation>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("{name} is ")), "{error}");
        }
    }

    #[test]
    fn only_the_first_of_equal_pieces_gets_the_gradient() {
        // Two units of three pieces each.
        let mut z = [1.0, 5.0, 3.0, 5.0, 3.0, 2.0];
        Activation::backward_pieces(&mut z, &[3.0, 5.0], &[0.5, 0.25]);
        assert_eq!(z, [0.0, 0.25, 0.5, 0.0, 0.0, 0.0]);
    }
}
