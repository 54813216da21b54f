//! Functions of numbers, most of them in `f64`, that give the same bits on every platform. They use only operations
//! that IEEE 754 defines exactly. The standard library gives no such guarantee for `ln`,
//! `exp` or `cos`.

use std::f64::consts::{FRAC_PI_2, LN_2, SQRT_2};

use kernels::{Isa, Simd, SimdOp};

/// The largest of some numbers, in absolute value; at least infinity if one is NaN or
/// infinite. 0 if there are none.
pub(crate) fn largest(isa: Isa, numbers: &[f32]) -> f32 {
    struct Largest<'a>(&'a [f32]);
    impl SimdOp for Largest<'_> {
        type Output = u32;

        /// Without their signs, floats are in the order of their bits.
        #[inline(always)]
        fn eval<S: Simd>(self, _: S) -> u32 {
            let mut largest = [0; 32];
            let (chunks, rest) = self.0.as_chunks::<32>();
            for chunk in chunks {
                for (largest, x) in largest.iter_mut().zip(chunk) {
                    *largest = (x.to_bits() & !(1 << 31)).max(*largest);
                }
            }
            let rest = rest.iter().map(|x| x.to_bits() & !(1 << 31));
            rest.chain(largest).fold(0, u32::max)
        }
    }
    f32::from_bits(isa.dispatch(Largest(numbers)))
}

/// `baseⁿ` by squaring.
pub(crate) fn power(mut base: f64, mut n: u64) -> f64 {
    let mut product = 1.0;
    while n > 0 {
        if n % 2 == 1 {
            product *= base;
        }
        base *= base;
        n /= 2;
    }
    product
}

/// `ln x` for a normal `x` above 0, accurate to a few units in the last place.
///
/// `x = 2ᵏ·m` with `√½ ≤ m < √2`, and `ln m = 2·artanh s` with
/// `s = (m − 1)/(m + 1)`, which is at most 0.172.
pub(crate) fn ln(x: f64) -> f64 {
    let exponent = (x.to_bits() >> 52) as i64 - 1023;
    // The significand of x with the exponent of 1.
    let m = f64::from_bits(x.to_bits() & ((1 << 52) - 1) | 1023 << 52);
    let (k, m) = if m < SQRT_2 { (exponent, m) } else { (exponent + 1, m / 2.0) };
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    // s + s³/3 + s⁵/5 + …, the last term first; s²³/23 is below 2⁻⁶³.
    let series = (0..11).rev().fold(0.0, |sum, i| sum * square + 1.0 / f64::from(2 * i + 1));
    k as f64 * LN_2 + 2.0 * s * series
}

/// `eˣ` for |x| up to 700, accurate to a few units in the last place.
///
/// `x = k·ln 2 + r` with `|r| ≤ ½·ln 2`.
pub(crate) fn exp(x: f64) -> f64 {
    let k = (x / LN_2).round();
    let r = x - k * LN_2;
    // 1 + r + r²/2 + …, the last term first; r¹⁵/15! is below 2⁻⁶³.
    let series = (1..15).rev().fold(1.0, |sum, i| 1.0 + sum * r / f64::from(i));
    series * f64::from_bits(((1023 + k as i64) as u64) << 52)
}

/// `(1 + cos(π·x)) / 2` for `x` in `[0, 1]`: exactly 1 at 0, exactly 0 at 1, and always in
/// `[0, 1]`.
pub(crate) fn half_cosine(x: f64) -> f64 {
    // This is cos²(π·x/2). The sine of the distance to the nearer end makes both ends
    // exact.
    let sine = sine(x.min(1.0 - x) * FRAC_PI_2);
    if x < 0.5 { 1.0 - sine * sine } else { sine * sine }
}

/// `sin t` for `t` in `[0, π/4]`.
fn sine(t: f64) -> f64 {
    let square = t * t;
    // 1 − t²/3! + t⁴/5! − …, the last term first; t¹⁶/17! is below 2⁻⁵³.
    let series =
        (1..8).rev().fold(1.0, |sum, i| 1.0 - sum * square / f64::from(2 * i * (2 * i + 1)));
    t * series
}

#[cfg(test)]
mod tests {
    use kernels::Isa;

    use super::{exp, half_cosine, largest, ln, power};

    /// Four units in the last place of 1.
    const CLOSE: f64 = 4.0 * f64::EPSILON;

    #[test]
    fn the_largest_of_some_numbers() {
        for isa in Isa::available() {
            for len in 0..100 {
                let mut x: Vec<f32> = (0..len).map(|i| (i * 7 % 13) as f32 * -0.5).collect();
                let expected = x.iter().fold(0.0, |m, x| x.abs().max(m));
                assert_eq!(largest(isa, &x), expected, "{isa}, {len}");
                for (at, odd) in (0..len).zip([f32::NAN, f32::INFINITY, f32::NEG_INFINITY]) {
                    let before = std::mem::replace(&mut x[len - 1 - at], odd);
                    assert!(!largest(isa, &x).is_finite(), "{isa}, {len}");
                    x[len - 1 - at] = before;
                }
            }
        }
    }

    #[test]
    fn powers() {
        let mut product = 1.0;
        for n in 0..100 {
            let error: f64 = power(0.875, n) / product - 1.0;
            assert!(error.abs() < 1e-14, "{n}: {error}");
            product *= 0.875;
        }
        assert_eq!(power(0.0, 1), 0.0);
        assert_eq!(power(0.999, u64::MAX), 0.0);
    }

    #[test]
    fn ln_matches_the_library() {
        for i in 1..4000 {
            // From 10⁻⁸⁷ to 10⁸⁷, and densely around 1.
            for x in [1.1f64.powi(i - 2000), f64::from(i) / 2000.0] {
                let error = (ln(x) - x.ln()).abs();
                assert!(error <= CLOSE * x.ln().abs().max(0.1), "ln {x} is off by {error:e}");
            }
        }
        assert_eq!(ln(1.0), 0.0);
    }

    #[test]
    fn exp_matches_the_library() {
        for i in -4000..4000 {
            let x = f64::from(i) / 100.0;
            // x itself is rounded by half a unit in the last place.
            let error = (exp(x) / x.exp() - 1.0).abs();
            assert!(error <= CLOSE * x.abs().max(1.0), "exp {x} is off by {error:e}");
        }
        assert_eq!(exp(0.0), 1.0);
    }

    #[test]
    fn half_cosine_matches_the_library_and_falls_from_1_to_0() {
        let mut before = 1.0;
        for i in 0..=10_000 {
            let x = f64::from(i) / 10_000.0;
            let found = half_cosine(x);
            let expected = (1.0 + (std::f64::consts::PI * x).cos()) / 2.0;
            assert!((found - expected).abs() <= CLOSE, "{x}: {found}, expected {expected}");
            assert!(found <= before, "{x}: {found} after {before}");
            before = found;
        }
        assert_eq!((half_cosine(0.0), half_cosine(1.0)), (1.0, 0.0));
    }
}
