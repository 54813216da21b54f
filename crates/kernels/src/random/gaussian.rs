//! Gaussian random numbers, by Box and Muller.
//!
//! ```text
//! x₀ = √(−2 ln u)·cos πv/2,  x₁ = √(−2 ln u)·sin πv/2
//! ```
//!
//! are two independent numbers of `|N(0, 1)|` where u and v are uniform, and two
//! more bits are their signs. (Box and Muller, "A Note on the Generation of Random
//! Normal Deviates", 1958, with the angle folded into one quadrant.) A word of
//! random bits gives u and a sign, the next v and a sign: 32 bits a number, so
//! that the largest that occurs is 6.66, beyond which one of 4·10¹⁰ would be.
//!
//! Two numbers take one logarithm, one root, a sine and a cosine, all of them
//! short polynomials without a choice by lane. Coefficients come from
//! `coefficients/gaussian.py`.

use crate::isa::Isa;
use crate::random::philox::{COUNTERS, MOST_NUMBERS, Stream};
use crate::simd::{Simd, SimdOp};

/// Numbers of a group of counters: one for each of their four words.
const GROUP: usize = 4 * COUNTERS;

/// Adds a number of `N(0, sigma²)` to each place of a row.
///
/// Which, is a function of stream and place alone: a shorter row gets the first
/// of the same numbers. They are drawn from the words that
/// [`dropout_mask`](crate::dropout_mask) draws from, so a row that is used with
/// both needs two streams.
///
/// # Panics
/// If `sigma` is negative or not finite, or as [`uniform`](crate::uniform).
pub fn add_gaussian(isa: Isa, stream: Stream, sigma: f32, row: &mut [f32]) {
    check(stream, sigma, row);
    isa.dispatch(Gaussian { stream, sigma, around: Around::Row, row });
}

/// Fills a row with numbers of `N(1, sigma²)`: the factors of Gaussian dropout
/// (Srivastava et al., "Dropout", JMLR 2014, section 10), which is as strong as
/// dropout of a rate p where `sigma² = p / (1 − p)`.
///
/// Place by place 1 and what [`add_gaussian`] adds.
///
/// # Panics
/// As [`add_gaussian`].
pub fn gaussian_mask(isa: Isa, stream: Stream, sigma: f32, mask: &mut [f32]) {
    check(stream, sigma, mask);
    isa.dispatch(Gaussian { stream, sigma, around: Around::One, row: mask });
}

fn check(stream: Stream, sigma: f32, row: &[f32]) {
    assert!(sigma >= 0.0 && sigma.is_finite(), "a standard deviation of {sigma}");
    stream.check(row.len(), MOST_NUMBERS);
}

struct Gaussian<'a> {
    stream: Stream,
    sigma: f32,
    around: Around,
    row: &'a mut [f32],
}

/// What the numbers are added to.
#[derive(Clone, Copy)]
enum Around {
    Row,
    One,
}

impl SimdOp for Gaussian<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<S: Simd>(self, s: S) {
        let Self { stream, sigma, around, row } = self;
        for (group, row) in row.chunks_mut(GROUP).enumerate() {
            if let Some(whole) = row.as_mut_array() {
                add_group(s, stream, sigma, around, group, whole);
            } else {
                let mut whole = [0.0; GROUP];
                whole[..row.len()].copy_from_slice(row);
                add_group(s, stream, sigma, around, group, &mut whole);
                row.copy_from_slice(&whole[..row.len()]);
            }
        }
    }
}

/// Words 0 and 1 are for the first half of a group, cosines before sines, words
/// 2 and 3 for the other.
#[inline(always)]
fn add_group<S: Simd>(
    s: S,
    stream: Stream,
    sigma: f32,
    around: Around,
    group: usize,
    row: &mut [f32; GROUP],
) {
    for at in (0..COUNTERS).step_by(S::LEN) {
        let [a, b, c, d] = stream.words(s, stream.group(group, GROUP), at);
        let [x0, x1] = pair(s, a, b);
        let [x2, x3] = pair(s, c, d);
        for (row, x) in row.chunks_exact_mut(COUNTERS).zip([x0, x1, x2, x3]) {
            let row = &mut row[at..];
            let around = match around {
                Around::Row => s.load(row),
                Around::One => s.splat(1.0),
            };
            s.store(s.fma(x, s.splat(sigma), around), row);
        }
    }
}

/// `LOG(m) ≈ −2 ln(1 + m) / m` for √½ ≤ 1 + m ≤ √2, `SIN(v²) ≈ sin(πv/2) / v` and
/// `COS(v²) ≈ cos(πv/2)` on [0, 1], lowest order first: within 2⁻²⁴, before the rounding of
/// their evaluation.
const LOG: [f32; 9] = [
    -2.0,
    0.999_999_8,
    -0.666_678_9,
    0.500_035_5,
    -0.399_244_73,
    0.331_406_12,
    -0.298_327_83,
    0.286_156_42,
    -0.174_776_23,
];
const SIN: [f32; 5] =
    [std::f32::consts::FRAC_PI_2, -0.645_962_8, 0.079_686_18, -0.004_668_948_2, 0.000_149_284_78];
const COS: [f32; 5] = [0.999_999_94, -1.233_697_7, 0.253_647_42, -0.020_804_573, 0.000_854_835_9];
const MINUS_2_LN_2: f32 = -1.386_294_4;

const TWO_TO_MINUS_31: f32 = 1.0 / 2_147_483_648.0;

/// The bits of √½.
const SQRT_HALF: i32 = 0x3F35_04F3;

/// Two numbers of `N(0, 1)` for each lane, from two words.
#[inline(always)]
fn pair<S: Simd>(s: S, first: S::I32, second: S::I32) -> [S::F32; 2] {
    let rest = s.splat_i32(i32::MAX);
    // Half a step up, so that u is not 0.
    let (step, half) = (s.splat(TWO_TO_MINUS_31), s.splat(0.5 * TWO_TO_MINUS_31));
    let u = s.fma(s.to_f32(s.and(first, rest)), step, half);
    let v = s.mul(s.to_f32(s.and(second, rest)), step);
    let radius = s.sqrt(minus_two_ln(s, u));
    let square = s.mul(v, v);
    let cos = s.mul(radius, polynomial(s, &COS, square));
    let sin = s.mul(s.mul(radius, v), polynomial(s, &SIN, square));
    let sign = s.splat_i32(i32::MIN);
    [
        s.with_bits(s.xor(s.bits(cos), s.and(first, sign))),
        s.with_bits(s.xor(s.bits(sin), s.and(second, sign))),
    ]
}

/// `−2 ln u` for u from 2⁻³² to 1, at which it is 0.
#[inline(always)]
fn minus_two_ln<S: Simd>(s: S, u: S::F32) -> S::F32 {
    // u = 2ᵏ·(1 + m)
    let bits = s.bits(u);
    let k = s.shr::<23>(s.sub_i32(bits, s.splat_i32(SQRT_HALF)));
    let m = s.sub(s.with_bits(s.sub_i32(bits, s.shl::<23>(k))), s.splat(1.0));
    let tail = s.mul(m, polynomial(s, &LOG, m));
    s.fma(s.to_f32(k), s.splat(MINUS_2_LN_2), tail)
}

/// `c[0] + c[1]·x + c[2]·x² + …`
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(s: S, c: &[f32; N], x: S::F32) -> S::F32 {
    let mut sum = s.splat(c[N - 1]);
    for &c in c[..N - 1].iter().rev() {
        sum = s.fma(sum, x, s.splat(c));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::pair;
    use crate::isa::Isa;
    use crate::simd::{Simd, SimdOp};

    struct Pair(i32, i32);

    impl SimdOp for Pair {
        type Output = [f32; 2];
        #[inline(always)]
        fn eval<S: Simd>(self, s: S) -> [f32; 2] {
            let [x, y] = pair(s, s.splat_i32(self.0), s.splat_i32(self.1));
            let mut lanes = [[0.0; 16]; 2];
            s.store(x, &mut lanes[0]);
            s.store(y, &mut lanes[1]);
            [lanes[0][0], lanes[1][0]]
        }
    }

    /// Words that a test of millions of numbers hardly meets.
    #[test]
    fn the_largest_radius_is_finite_and_the_least_is_zero() {
        for isa in Isa::available() {
            let [x, y] = isa.dispatch(Pair(0, 0));
            assert!((x - 6.660_436).abs() < 1e-5 && y == 0.0, "{isa}: {x}, {y}");
            let [x, y] = isa.dispatch(Pair(i32::MIN, -1));
            assert!(x.abs() < 1e-6 && (y + 6.660_436).abs() < 1e-5, "{isa}: {x}, {y}");
            let [x, y] = isa.dispatch(Pair(i32::MAX, -1));
            assert!(x == 0.0 && y == 0.0, "{isa}: {x}, {y}");
        }
    }
}
