//! The natural logarithm of a sum of exponentials.
//!
//! ```text
//! x = 2ᵏ·(1 + m)  with √½ ≤ 1 + m < √2
//! ln x = k·ln 2 + m − m²/2 + m³·Q(m)
//! ```

use crate::math::exp::{LN2_HI, LN2_LO};
use crate::math::polynomial;
use crate::simd::Simd;

/// `Q(m) ≈ (ln(1 + m) − m + m²/2) / m³`, lowest order first: within 0.1 · 2⁻²⁴ of
/// the logarithm, before the rounding of its evaluation (`coefficients/log.py`).
const Q: [f32; 8] = [
    0.333_333_3,
    -0.250_008_2,
    0.200_012_43,
    -0.166_234_17,
    0.142_015_67,
    -0.131_595_13,
    0.127_621_65,
    -0.076_365_58,
];

/// The bits of √½.
const SQRT_HALF: i32 = 0x3F35_04F3;

/// `ln x` for normal positive x; NaN gives NaN. Other x give meaningless values:
/// softmax, the only caller, passes sums between 1 and the length of a row.
#[inline(always)]
pub(crate) fn ln<S: Simd>(s: S, x: S::F32) -> S::F32 {
    let bits = s.bits(x);
    let k = s.shr::<23>(s.sub_i32(bits, s.splat_i32(SQRT_HALF)));
    let m = s.sub(s.with_bits(s.sub_i32(bits, s.shl::<23>(k))), s.splat(1.0));
    let k = s.to_f32(k);
    let q = polynomial(s, &Q, m);
    let square = s.mul(m, m);
    let tail = s.fma(s.mul(square, m), q, s.mul(k, s.splat(LN2_LO)));
    let tail = s.fnma(square, s.splat(0.5), tail);
    let y = s.fma(k, s.splat(LN2_HI), s.add(m, tail));
    s.select(s.eq(x, x), y, x)
}

#[cfg(test)]
mod tests {
    use super::ln;
    use crate::elementwise::map;
    use crate::isa::Isa;
    use crate::simd::{Simd, Unary};

    #[derive(Clone, Copy)]
    struct Ln;

    impl Unary for Ln {
        #[inline(always)]
        fn apply<S: Simd>(self, s: S, x: S::F32) -> S::F32 {
            ln(s, x)
        }
    }

    /// Every 1009th float from 1 to 10⁶, the sums of rows of up to a million elements.
    #[test]
    fn within_an_ulp_and_a_half_of_the_exact_value() {
        let xs: Vec<f32> =
            (1f32.to_bits()..1e6f32.to_bits()).step_by(1009).map(f32::from_bits).collect();
        for isa in Isa::available() {
            let mut ys = xs.clone();
            map(isa, Ln, &mut ys);
            for (x, y) in xs.iter().zip(ys) {
                let exact = f64::from(*x).ln();
                let error = (f64::from(y) - exact).abs();
                assert!(error <= 1.5 * exact * f64::from(f32::EPSILON), "{isa}: ln {x} = {y}");
            }
            let mut nan = [f32::NAN];
            map(isa, Ln, &mut nan);
            assert!(nan[0].is_nan(), "{isa}");
        }
    }
}
