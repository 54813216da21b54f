//! tanh, by a table of polynomials, and its derivative.
//!
//! ```text
//! y = |x|,  u = y + 1
//! j = interval of y                              math/intervals.rs
//! d = y − CENTER[j]
//! tanh y ≈ C[0][j] + d·(C[1][j] + C[2][j]·d + … + C[6][j]·d⁵)
//! tanh x = tanh y with the sign of x
//! tanh′ x = 1 − tanh² x
//! ```
//!
//! Near 0, tanh y is y·(1 + tiny). On the first interval the center is therefore 0,
//! the polynomial approximates `tanh(y)/y − 1`, and y replaces `C[0]`; subnormal
//! values come back exactly. From y = 9 on, tanh y is 1 to within 0.52 ULP.
//!
//! The tables come from `coefficients/tanh.py`; the polynomials are within 0.09
//! ULP before the rounding of their evaluation.

use crate::elementwise::Binary;
use crate::math::intervals::{interval, polynomial};
use crate::simd::{Simd, Table16, Unary};

/// `tanh x`, within 0.68 ULP of the exact value for every `f32` (measured over all
/// of them, on each instruction set: `tests/accuracy.rs`).
///
/// Odd, monotone, and never beyond ±1. `tanh ±∞ = ±1`, `tanh −0 = −0`, and NaN
/// gives NaN.
#[derive(Clone, Copy, Debug)]
pub struct Tanh;

/// `da · (1 − h²)`: the derivative of [`Tanh`] as a function of its output h.
#[derive(Clone, Copy, Debug)]
pub struct TanhGradient;

/// The last interval ends where y + 1 is 16; tanh y is 1 well before.
const LARGEST: f32 = 14.5;

#[rustfmt::skip]
static CENTER: Table16 = Table16::new([
    0.0, 0.333_333_22, 0.624_987_66, 0.875_001_85,
    1.250_003_2, 1.749_993_3, 2.249_965_2, 2.749_997,
    3.499_980_4, 4.500_052_5, 5.500_363, 6.498_972,
    7.971_192_4, 11.0, 13.0, 15.0,
]);

#[rustfmt::skip]
static C: [Table16; 7] = [
    Table16::new([
        0.0, 0.321_512_64, 0.554_591_2, 0.703_906_54,
        0.848_284_54, 0.941_374_8, 0.978_024_6, 0.991_859_7,
        0.998_177_8, 0.999_753_24, 0.999_966_6, 0.999_995_47,
        0.999_999_76, 1.0, 1.0, 1.0,
    ]),
    Table16::new([
        5.311_328_3e-9, 0.896_629_63, 0.692_428_65, 0.504_515_6,
        0.280_413_2, 0.113_813_475, 0.043_467_88, 0.016_214_387,
        0.003_641_094_8, 0.000_493_476_17, 6.675_757e-5, 9.060_08e-6,
        4.775_406_5e-7, 0.0, 0.0, 0.0,
    ]),
    Table16::new([
        -1.549_561_7e-6, -0.288_277_72, -0.384_014_58, -0.355_131_8,
        -0.237_870_32, -0.107_141_14, -0.042_512_674, -0.016_082_412,
        -0.003_634_435_1, -0.000_493_352_1, -6.675_516_5e-5, -9.059_975e-6,
        -4.769_49e-7, 0.0, 0.0, 0.0,
    ]),
    Table16::new([
        -0.333_259_82, -0.206_193, -0.017_847_516, 0.081_806_4,
        0.108_326_39, 0.062_928_78, 0.027_089_275, 0.010_546_422,
        0.002_411_860_5, 0.000_328_392_26, 4.445_248e-5, 6.033_500_5e-6,
        3.122_326e-7, 0.0, 0.0, 0.0,
    ]),
    Table16::new([
        -0.001_279_696_7, 0.162_368_21, 0.137_855_87, 0.060_792_75,
        -0.012_585_636, -0.023_523_934, -0.012_322_936, -0.005_099_581,
        -0.001_197_393_3, -0.000_164_054_47, -2.222_480_7e-5, -3.017_324_2e-6,
        -1.580_200_7e-7, 0.0, 0.0, 0.0,
    ]),
    Table16::new([
        0.143_470_88, 0.036_473_25, -0.054_196_578, -0.058_595_26,
        -0.019_697_452, 0.003_483_204_4, 0.003_979_640_5, 0.001_913_676_7,
        0.000_490_277_37, 6.828_643_4e-5, 9.272_425e-6, 1.258_844_1e-6,
        7.478_810_5e-8, 0.0, 0.0, 0.0,
    ]),
    Table16::new([
        -0.037_542_05, -0.070_145_54, -0.022_151_481, 0.013_031_523,
        0.015_105_262, 0.002_090_95, -0.000_724_033_2, -0.000_549_148_9,
        -0.000_157_655_84, -2.261_825e-5, -3.085_628_1e-6, -4.178_678_2e-7,
        -2.343_419_1e-8, 0.0, 0.0, 0.0,
    ]),
];

impl Unary for Tanh {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, x: S::F32) -> S::F32 {
        // `min` returns its second argument if that is NaN; then any interval will do,
        // because d is NaN.
        let y = s.min(s.splat(LARGEST), s.abs(x));
        let u = s.add(y, s.splat(1.0));
        let j = interval(s, u);
        let d = s.sub(y, s.lookup(&CENTER, j));
        let [c0, slope @ ..] = &C;
        let base = s.select(s.lt(u, s.splat(1.25)), y, s.lookup(c0, j));
        let t = s.fma(polynomial(s, slope, j, d), d, base);
        s.with_bits(s.or(s.bits(t), s.sign(x)))
    }
}

impl Binary for TanhGradient {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, da: S::F32, h: S::F32) -> S::F32 {
        s.mul(da, s.fnma(h, h, s.splat(1.0)))
    }
}
