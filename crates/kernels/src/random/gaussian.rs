//! Gaussian random values, by the method of Box and Muller.
//!
//! ```text
//! x₀ = √(−2 ln u)·cos πv/2,  x₁ = √(−2 ln u)·sin πv/2
//! ```
//!
//! are two independent values of `|N(0, 1)|` if u and v are uniform; two more random bits
//! are their signs. (Box and Muller, "A Note on the Generation of Random Normal
//! Deviates", 1958, with the angle folded into one quadrant.) One word of random bits
//! gives u and a sign, the next gives v and a sign. With 32 bits for a value, the largest
//! that occurs is 6.66; of 4·10¹⁰ values of N(0, 1), one would lie beyond.
//!
//! Two values take one logarithm, one square root, a sine and a cosine: short
//! polynomials without a choice by lane. The coefficients come from
//! `coefficients/gaussian.py`.

use crate::isa::Isa;
use crate::math::polynomial;
use crate::random::philox::{COUNTERS, LONGEST_ROW, Stream};
use crate::simd::{Simd, SimdOp};

/// Elements of a group of counters: one for each of their four words.
const GROUP: usize = 4 * COUNTERS;

/// Adds a random value of `N(0, sigma²)` to each element of a row.
///
/// The value depends only on the stream and on the position in the row: a shorter row
/// gets the first of the same values. It comes from the same words as a
/// [`dropout_mask`](crate::dropout_mask), so a row that gets both needs two streams.
///
/// # Panics
/// If `sigma` is negative or not finite, or as [`uniform`](crate::uniform).
pub fn add_gaussian(isa: Isa, stream: Stream, sigma: f32, row: &mut [f32]) {
    check(stream, sigma, row);
    isa.dispatch(Gaussian { stream, sigma, mean: Mean::Row, row });
}

/// Fills a row with random values of `N(1, sigma²)`: the factors of Gaussian dropout
/// (Srivastava et al., "Dropout", JMLR 2014, section 10), which is as strong as
/// dropout of a rate p if `sigma² = p / (1 − p)`.
///
/// Each element is 1 plus what [`add_gaussian`] adds.
///
/// # Panics
/// As [`add_gaussian`].
pub fn gaussian_mask(isa: Isa, stream: Stream, sigma: f32, mask: &mut [f32]) {
    check(stream, sigma, mask);
    isa.dispatch(Gaussian { stream, sigma, mean: Mean::One, row: mask });
}

fn check(stream: Stream, sigma: f32, row: &[f32]) {
    assert!(sigma >= 0.0 && sigma.is_finite(), "a standard deviation of {sigma}");
    stream.check(row.len(), LONGEST_ROW);
}

struct Gaussian<'a> {
    stream: Stream,
    sigma: f32,
    mean: Mean,
    row: &'a mut [f32],
}

/// What the random values are added to.
#[derive(Clone, Copy)]
enum Mean {
    /// The elements of the row.
    Row,
    /// 1.
    One,
}

impl SimdOp for Gaussian<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<S: Simd>(mut self, s: S) {
        let row = std::mem::take(&mut self.row);
        for (group, row) in row.chunks_mut(GROUP).enumerate() {
            if let Some(whole) = row.as_mut_array() {
                self.group(s, group, whole);
            } else {
                let mut whole = [0.0; GROUP];
                whole[..row.len()].copy_from_slice(row);
                self.group(s, group, &mut whole);
                row.copy_from_slice(&whole[..row.len()]);
            }
        }
    }
}

impl Gaussian<'_> {
    /// One group. Words 0 and 1 fill its first half, words 2 and 3 its second; in each
    /// half, cosines come before sines.
    #[inline(always)]
    fn group<S: Simd>(&self, s: S, group: usize, row: &mut [f32; GROUP]) {
        for offset in (0..COUNTERS).step_by(S::LEN) {
            let [a, b, c, d] = self.stream.words(s, self.stream.group(group, GROUP), offset);
            let [x0, x1] = pair(s, a, b);
            let [x2, x3] = pair(s, c, d);
            for (row, x) in row.chunks_exact_mut(COUNTERS).zip([x0, x1, x2, x3]) {
                let row = &mut row[offset..];
                let mean = match self.mean {
                    Mean::Row => s.load(row),
                    Mean::One => s.splat(1.0),
                };
                s.store(s.fma(x, s.splat(self.sigma), mean), row);
            }
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

/// Two values of `N(0, 1)` in each lane, from two words.
#[inline(always)]
fn pair<S: Simd>(s: S, first: S::I32, second: S::I32) -> [S::F32; 2] {
    let rest = s.splat_i32(i32::MAX);
    // Half a step is added, so that u is not 0.
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

/// `−2 ln u` for u from 2⁻³² to 1; 0 for 1.
#[inline(always)]
fn minus_two_ln<S: Simd>(s: S, u: S::F32) -> S::F32 {
    // u = 2ᵏ·(1 + m)
    let bits = s.bits(u);
    let k = s.shr::<23>(s.sub_i32(bits, s.splat_i32(SQRT_HALF)));
    let m = s.sub(s.with_bits(s.sub_i32(bits, s.shl::<23>(k))), s.splat(1.0));
    let tail = s.mul(m, polynomial(s, &LOG, m));
    s.fma(s.to_f32(k), s.splat(MINUS_2_LN_2), tail)
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

    /// Words that a test of millions of values would hardly meet.
    #[test]
    fn the_largest_radius_is_finite_and_the_smallest_is_zero() {
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
