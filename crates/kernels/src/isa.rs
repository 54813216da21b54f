//! The table of instruction sets: which ones exist, which ones this CPU has, and which one
//! runs.

use std::fmt;
use std::sync::OnceLock;

use crate::simd::{Simd, SimdOp, Tile};

/// Defines the token of an instruction set, a type whose values prove that the CPU has all
/// of the listed features: the check that makes a value, and the function that runs an
/// algorithm with them. On other CPUs there is only plain Rust.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! token {
    ($(#[$doc:meta])* $Token:ident: $has_feature:ident![$($feature:tt),+]) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub(super) struct $Token(());

        impl $crate::simd::sealed::Sealed for $Token {}

        impl $Token {
            pub(super) fn detect() -> Option<Self> {
                Self::missing().is_empty().then_some(Self(()))
            }

            /// The listed features that the CPU lacks.
            pub(super) fn missing() -> Vec<&'static str> {
                let features = [$(($feature, $has_feature!($feature))),+];
                features.into_iter().filter_map(|(name, found)| (!found).then_some(name)).collect()
            }

            #[inline(always)]
            fn with_features<O: $crate::simd::SimdOp>(self, op: O) -> O::Output {
                #[inline(never)]
                #[target_feature($(enable = $feature),+)]
                fn eval<O: $crate::simd::SimdOp>(op: O, isa: $Token) -> O::Output {
                    op.eval(isa)
                }
                // SAFETY: `self` exists only if `detect` found these features.
                unsafe { eval(op, self) }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod quad;
mod scalar;

/// Writes what has one entry for each instruction set, from one list of them.
macro_rules! table {
    ($($(#[$cfg:meta])? $module:ident::$Token:ident,)+) => {
        /// Each variant holds the token that proves its CPU check passed.
        #[derive(Clone, Copy, PartialEq, Eq)]
        enum Kind {
            $($(#[$cfg])? $Token($module::$Token),)+
        }

        impl Kind {
            fn available() -> Vec<Self> {
                let rows = [$($(#[$cfg])? $module::$Token::detect().map(Self::$Token),)+];
                rows.into_iter().flatten().collect()
            }

            /// What this CPU lacks of each instruction set that is compiled in.
            fn missing() -> Vec<(&'static str, Vec<&'static str>)> {
                vec![
                    $($(#[$cfg])? (<$module::$Token as Simd>::NAME, $module::$Token::missing()),)+
                ]
            }

            fn facts(self) -> Facts {
                match self {
                    $($(#[$cfg])? Self::$Token(_) => Facts::of::<$module::$Token>(),)+
                }
            }

            #[inline(always)]
            fn vectorize<O: SimdOp>(self, op: O) -> O::Output {
                match self {
                    $($(#[$cfg])? Self::$Token(isa) => isa.vectorize(op),)+
                }
            }
        }
    };
}

// Fastest first. The last one must be on every CPU.
table! {
    #[cfg(target_arch = "x86_64")]
    avx512::Avx512,
    #[cfg(target_arch = "x86_64")]
    avx2::Avx2,
    #[cfg(target_arch = "aarch64")]
    neon::Neon,
    scalar::Scalar,
}

/// What is known of an instruction set without running it.
struct Facts {
    name: &'static str,
    fuses: bool,
    tile_rows: usize,
}

impl Facts {
    fn of<S: Simd>() -> Self {
        Self { name: S::NAME, fuses: S::FUSES, tile_rows: S::Tile::ROWS }
    }
}

/// An instruction set that this CPU has.
///
/// Every constructor checks the CPU, so a kernel that is given an `Isa` can run its
/// instructions without a check of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Isa(Kind);

/// Environment variable that names the instruction set to use.
const OVERRIDE: &str = "KERNELS_ISA";

impl Isa {
    /// Every instruction set of this CPU, fastest first; the last is `scalar`,
    /// which every CPU has.
    #[must_use]
    pub fn available() -> Vec<Self> {
        Kind::available().into_iter().map(Self).collect()
    }

    /// The instruction set to use: the fastest, unless the environment variable
    /// `KERNELS_ISA` names another. The variable is read once in each process. Spaces
    /// around the name and the case of its letters do not matter, and an empty variable
    /// is as good as none.
    ///
    /// # Errors
    /// If `KERNELS_ISA` names an instruction set that this CPU does not have. The error says
    /// which of its features the CPU lacks.
    ///
    /// ```
    /// let isa = kernels::Isa::active()?;
    /// println!("{isa}");
    /// # Ok::<(), kernels::UnknownIsa>(())
    /// ```
    pub fn active() -> Result<Self, UnknownIsa> {
        static ACTIVE: OnceLock<Result<Isa, UnknownIsa>> = OnceLock::new();
        ACTIVE
            .get_or_init(|| {
                Self::chosen(&std::env::var_os(OVERRIDE).unwrap_or_default().to_string_lossy())
            })
            .clone()
    }

    /// The instruction set that the text of `KERNELS_ISA` chooses.
    fn chosen(text: &str) -> Result<Self, UnknownIsa> {
        match text.trim() {
            "" => Ok(Self::available()[0]),
            name => Self::by_name(&name.to_ascii_lowercase()),
        }
    }

    /// The instruction set with this name.
    ///
    /// # Errors
    /// If this CPU does not have it.
    pub fn by_name(name: &str) -> Result<Self, UnknownIsa> {
        Self::available()
            .into_iter()
            .find(|isa| isa.name() == name)
            .ok_or_else(|| UnknownIsa::new(name, Kind::missing()))
    }

    /// `avx512`, `avx2`, `neon` or `scalar`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.facts().name
    }

    /// Whether [`Simd::fma`] rounds once. All instruction sets for which this is true
    /// compute the same bits; `scalar` rounds twice, and differs once in 2²⁹ times.
    #[must_use]
    pub fn fuses(self) -> bool {
        self.0.facts().fuses
    }

    /// Rows of the register tile of [`matmul`](crate::matmul()): a caller that splits rows
    /// between threads loses least at multiples of it.
    #[must_use]
    pub fn tile_rows(self) -> usize {
        self.0.facts().tile_rows
    }

    /// Runs `op`, compiled for this instruction set.
    #[inline]
    pub fn dispatch<O: SimdOp>(self, op: O) -> O::Output {
        self.0.vectorize(op)
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

/// A name that is not the name of an instruction set of this CPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownIsa {
    name: String,
    /// What it needs and the CPU lacks; nothing if no such instruction set is compiled in.
    missing: Vec<&'static str>,
}

impl UnknownIsa {
    /// `missing` has what the CPU lacks of each instruction set.
    fn new(name: &str, missing: Vec<(&str, Vec<&'static str>)>) -> Self {
        let own = missing.into_iter().find(|(isa, _)| *isa == name);
        Self { name: name.to_owned(), missing: own.map_or_else(Vec::new, |(_, missing)| missing) }
    }
}

impl fmt::Display for UnknownIsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, missing } = self;
        write!(f, "{OVERRIDE}={name}: ")?;
        if missing.is_empty() {
            f.write_str("this CPU has no such instruction set")?;
        } else {
            write!(f, "this CPU lacks {}, which {name} needs", missing.join(", "))?;
        }
        let names: Vec<_> = Isa::available().into_iter().map(Isa::name).collect();
        write!(f, "; it has {}", names.join(", "))
    }
}

impl std::error::Error for UnknownIsa {}

#[cfg(test)]
mod tests {
    use super::{Isa, Kind, UnknownIsa};

    #[test]
    fn scalar_is_always_available_and_names_are_unique() {
        let isas = Isa::available();
        assert_eq!(isas.last().map(|isa| isa.name()), Some("scalar"));
        for isa in isas {
            assert_eq!(Isa::by_name(isa.name()), Ok(isa));
        }
    }

    #[test]
    fn an_environment_is_written_by_people() {
        let fastest = Isa::available()[0];
        for (text, expected) in
            [("", fastest), ("  ", fastest), ("scalar", scalar()), (" SCALAR\t", scalar())]
        {
            assert_eq!(Isa::chosen(text), Ok(expected), "{text:?}");
        }
        assert!(Isa::chosen("avx2,scalar").is_err());
    }

    fn scalar() -> Isa {
        Isa::by_name("scalar").unwrap()
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_known_ones() {
        let error = Isa::by_name("avx1024").unwrap_err().to_string();
        assert!(error.contains("avx1024") && error.contains("scalar"), "{error}");
    }

    #[test]
    fn what_the_cpu_lacks_is_named() {
        let rows =
            || vec![("avx512", vec!["avx512f", "fma"]), ("avx2", vec!["fma"]), ("scalar", vec![])];
        for (name, expected) in [
            ("avx512", "this CPU lacks avx512f, fma, which avx512 needs"),
            ("avx2", "this CPU lacks fma, which avx2 needs"),
            ("avx3", "this CPU has no such instruction set"),
        ] {
            let error = UnknownIsa::new(name, rows()).to_string();
            let expected = format!("KERNELS_ISA={name}: {expected}; it has ");
            assert!(error.starts_with(&expected), "{error}");
        }
    }

    #[test]
    fn an_instruction_set_is_available_if_nothing_is_missing() {
        for (name, missing) in Kind::missing() {
            match Isa::by_name(name) {
                Ok(_) => assert!(missing.is_empty(), "{name}: {missing:?}"),
                Err(error) => {
                    let error = error.to_string();
                    assert!(error.contains(missing[0]), "{name}: {error}");
                }
            }
        }
    }

    /// `KERNELS_REQUIRE=avx512,avx2` makes a test run fail on a machine that would skip
    /// these instruction sets without a word.
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
