//! The table of instruction sets: what there is, what this CPU has, what runs.

use std::fmt;
use std::sync::OnceLock;

use crate::simd::{Simd, SimdOp};

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

/// An instruction set that this CPU has.
///
/// There is no way to make one but through a check of the CPU, so a kernel that
/// is given an `Isa` can run its instructions without asking again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Isa(Kind);

/// One row for each instruction set; each variant carries the token that proves
/// its CPU check passed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512(avx512::Avx512),
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
    #[cfg(target_arch = "aarch64")]
    Neon(neon::Neon),
    Scalar(scalar::Scalar),
}

/// Environment variable that names the instruction set to use.
const OVERRIDE: &str = "KERNELS_ISA";

impl Isa {
    /// Every instruction set of this CPU, fastest first; the last is `scalar`,
    /// which every CPU has.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let rows = [
            #[cfg(target_arch = "x86_64")]
            avx512::Avx512::detect().map(Kind::Avx512),
            #[cfg(target_arch = "x86_64")]
            avx2::Avx2::detect().map(Kind::Avx2),
            #[cfg(target_arch = "aarch64")]
            neon::Neon::detect().map(Kind::Neon),
            Some(Kind::Scalar(scalar::Scalar)),
        ];
        rows.into_iter().flatten().map(Isa).collect()
    }

    /// The instruction set to use: the fastest, unless the environment variable
    /// `KERNELS_ISA` names another. It is looked up once for each process.
    ///
    /// # Errors
    /// If `KERNELS_ISA` names what this CPU does not have.
    ///
    /// ```
    /// let isa = kernels::Isa::active()?;
    /// println!("{isa}");
    /// # Ok::<(), kernels::UnknownIsa>(())
    /// ```
    pub fn active() -> Result<Self, UnknownIsa> {
        static ACTIVE: OnceLock<Result<Isa, UnknownIsa>> = OnceLock::new();
        ACTIVE
            .get_or_init(|| match std::env::var_os(OVERRIDE) {
                None => Ok(Self::available()[0]),
                Some(name) => Self::by_name(&name.to_string_lossy()),
            })
            .clone()
    }

    /// The instruction set with this name, if this CPU has it.
    ///
    /// # Errors
    /// If it does not.
    pub fn by_name(name: &str) -> Result<Self, UnknownIsa> {
        Self::available()
            .into_iter()
            .find(|isa| isa.name() == name)
            .ok_or_else(|| UnknownIsa { asked: name.to_owned() })
    }

    /// `avx512`, `avx2`, `neon` or `scalar`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(_) => "avx2",
            #[cfg(target_arch = "aarch64")]
            Kind::Neon(_) => "neon",
            Kind::Scalar(_) => "scalar",
        }
    }

    /// Runs `op`, compiled for this instruction set.
    #[inline]
    pub fn dispatch<O: SimdOp>(self, op: O) -> O::Output {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(isa) => isa.run(op),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(isa) => isa.run(op),
            #[cfg(target_arch = "aarch64")]
            Kind::Neon(isa) => isa.run(op),
            Kind::Scalar(isa) => op.eval(isa),
        }
    }

    /// Rows of the register tile of [`matmul`](crate::matmul()): a caller that
    /// cuts rows for several threads loses least at multiples of it.
    #[must_use]
    pub fn tile_rows(self) -> usize {
        struct Rows;
        impl SimdOp for Rows {
            type Output = usize;
            #[inline(always)]
            fn eval<S: Simd>(self, _: S) -> usize {
                S::TILE_ROWS
            }
        }
        self.dispatch(Rows)
    }

    /// Panels of 16 columns of the register tile of [`matmul`](crate::matmul()).
    #[must_use]
    pub fn tile_panels(self) -> usize {
        struct Panels;
        impl SimdOp for Panels {
            type Output = usize;
            #[inline(always)]
            fn eval<S: Simd>(self, _: S) -> usize {
                S::TILE_PANELS
            }
        }
        self.dispatch(Panels)
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An instruction set was asked for that this CPU does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownIsa {
    asked: String,
}

impl fmt::Display for UnknownIsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Isa::available().into_iter().map(Isa::name).collect();
        write!(
            f,
            "{OVERRIDE}={}: this CPU has no such instruction set; it has {}",
            self.asked,
            names.join(", ")
        )
    }
}

impl std::error::Error for UnknownIsa {}

#[cfg(test)]
mod tests {
    use super::Isa;

    #[test]
    fn scalar_is_always_there_and_names_lead_back() {
        let isas = Isa::available();
        assert_eq!(isas.last().map(|isa| isa.name()), Some("scalar"));
        for isa in isas {
            assert_eq!(Isa::by_name(isa.name()), Ok(isa));
        }
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_known_ones() {
        let error = Isa::by_name("avx1024").unwrap_err().to_string();
        assert!(error.contains("avx1024") && error.contains("scalar"), "{error}");
    }

    /// `KERNELS_REQUIRE=avx512,avx2` makes a test run fail on a machine where
    /// these paths would be skipped in silence.
    #[test]
    fn required_instruction_sets_are_available() {
        let Ok(required) = std::env::var("KERNELS_REQUIRE") else { return };
        for name in required.split(',').filter(|name| !name.is_empty()) {
            assert!(
                Isa::by_name(name).is_ok(),
                "KERNELS_REQUIRE names {name}, which was not tested"
            );
        }
    }
}
