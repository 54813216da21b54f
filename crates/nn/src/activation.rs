//! Each activation beside its derivative.

use std::fmt;
use std::str::FromStr;

use kernels::{Binary, Isa, MatMut, MatRef, PanelsRef, Relu, Sigmoid, Simd, Start, Tanh, Zeros};
use serde::{Deserialize, Serialize};

use crate::Error;

/// The function between a hidden layer's affine map and the next layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Activation {
    /// `tanh(z)`, the article's choice; `f′ = 1 − f²`.
    #[default]
    Tanh,
    /// `1 / (1 + e⁻ᶻ)`; `f′ = f·(1 − f)`.
    Sigmoid,
    /// `max(z, 0)`; `f′ = 1` where `f > 0`, else 0.
    Relu,
}

impl Activation {
    /// Every activation with the name it has in files and on the command line.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Tanh, "tanh"), (Self::Sigmoid, "sigmoid"), (Self::Relu, "relu")];

    /// `a = f(x·Wᵀ + b)`: one layer's forward pass over some rows.
    pub(crate) fn forward(
        self,
        isa: Isa,
        x: MatRef<'_>,
        weights: PanelsRef<'_>,
        bias: PanelsRef<'_>,
        a: MatMut<'_>,
        zeros: Zeros,
    ) {
        let bias = Start::Row(bias);
        match self {
            Self::Tanh => kernels::matmul_panels(isa, x, weights, bias, a, Tanh, zeros),
            Self::Sigmoid => kernels::matmul_panels(isa, x, weights, bias, a, Sigmoid, zeros),
            Self::Relu => kernels::matmul_panels(isa, x, weights, bias, a, Relu, zeros),
        }
    }

    /// `dz ← da · mask · f′(z)`, where `dz` comes in as `da`, f′ is a function of
    /// `h = f(z)`, and the mask is that of dropout, if there was any.
    pub(crate) fn backward(self, isa: Isa, dz: &mut [f32], mask: Option<&[f32]>, h: &[f32]) {
        match self {
            Self::Tanh => zip(isa, TanhGradient, dz, mask, h),
            Self::Sigmoid => zip(isa, SigmoidGradient, dz, mask, h),
            Self::Relu => zip(isa, ReluGradient, dz, mask, h),
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
        let row = Self::ALL.iter().find(|(activation, _)| activation == self);
        f.write_str(row.map_or("?", |(_, name)| name))
    }
}

impl FromStr for Activation {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let row = Self::ALL.iter().find(|(_, known)| *known == name);
        row.map(|(activation, _)| *activation).ok_or_else(|| Error::Unknown {
            kind: "activation",
            found: name.to_owned(),
            expected: "tanh, sigmoid, relu",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Activation;

    #[test]
    fn names_lead_back_and_are_those_of_files() {
        for (activation, name) in Activation::ALL {
            assert_eq!(activation.to_string(), name);
            assert_eq!(name.parse::<Activation>().unwrap(), activation);
            assert_eq!(serde_json::to_string(&activation).unwrap(), format!("{name:?}"));
        }
        let error = "tahn".parse::<Activation>().unwrap_err().to_string();
        assert_eq!(error, "`tahn` is no activation: expected one of tanh, sigmoid, relu");
    }
}
