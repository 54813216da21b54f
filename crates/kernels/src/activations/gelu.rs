//! GELU, `z·Φ(z)`, and its derivative, by tables of polynomials.
//!
//! ```text
//! t = |z|,  E = e^(−t²/2),  M(t) = Φ(−t)/E,  G(t) = M(t) − t/√(2π)
//! z·Φ(z) = max(z, 0) − t·E·M(t)
//! Φ(z) + z·φ(z) = E·G(t) where z < 0, else 1 − E·G(t)
//! ```
//!
//! Φ is the distribution function of N(0, 1), and φ its density. (Hendrycks and
//! Gimpel, "Gaussian Error Linear Units", 2016; the exact function, not its
//! approximation by tanh.)
//!
//! Φ(−t) falls to 10⁻⁴⁵, and no polynomial follows it there. M, which is half of
//! erfcx(t/√2), falls only from 0.5 to 0.03: a polynomial of degree 5 for each of the
//! 16 intervals of `math/intervals.rs` is enough. Nothing cancels: for z > 0, at most
//! z/2 is subtracted. E is computed from t² and the rounding error of t², because an
//! absolute error of a large exponent is a relative error of the result.
//!
//! The tables come from `coefficients/gelu.py`; the polynomials are within 1.2 ULP
//! before the rounding of their evaluation.

use crate::elementwise::Binary;
use crate::math::exp::{LN2_HI, LN2_LO, Reduced, Scaled, exp_of_reduced, exp_polynomial};
use crate::math::intervals::{interval, polynomial};
use crate::simd::{Simd, Table16, Unary};

/// `z·Φ(z)`, within 4.02 ULP of the exact value for every `f32`, subnormal results
/// included (measured over all of them, on each instruction set:
/// `tests/accuracy.rs`).
///
/// `∞` gives ∞, `−∞` gives −0, `±0` gives itself, and NaN gives NaN.
#[derive(Clone, Copy, Debug)]
pub struct Gelu;

/// `da · (Φ(z) + z·φ(z))`: the derivative of [`Gelu`] as a function of its input z. (Its
/// output would not do: two z may have the same one.)
///
/// The derivative is within 2.85 ULP of the larger of its two terms. That is its own
/// ULP except for z near −0.75, where the terms cancel. `∞` gives da, `−∞` gives −0·da,
/// and NaN gives NaN.
#[derive(Clone, Copy, Debug)]
pub struct GeluGradient;

/// The last interval ends where t + 1 is 16; Φ(−t) is 0 well before.
const LARGEST: f32 = 14.9;

#[rustfmt::skip]
static CENTER: Table16 = Table16::new([
    0.125, 0.375, 0.625, 0.875,
    1.25, 1.75, 2.25, 2.75,
    3.5, 4.5, 5.5, 6.5,
    8.0, 1.0e1, 12.0, 14.0,
]);

#[rustfmt::skip]
static M: [Table16; 6] = [
    Table16::new([
        0.453_793_23, 0.379_604_43, 0.323_356_18, 0.279_770_58,
        0.230_760_32, 0.185_231_67, 0.153_651_94, 0.130_724_73,
        0.106_345_16, 0.084_803_395, 0.070_342_7, 0.060_015_675,
        0.049_122_55, 0.039_506_696, 0.033_018_973, 0.028_352_661,
    ]),
    Table16::new([
        -0.342_218_13, -0.256_590_63, -0.196_844_68, -0.154_143_04,
        -0.110_491_864, -0.074_786_864, -0.053_225_42, -0.039_449_263,
        -0.026_734_242, -0.017_327_016, -0.012_057_464, -0.008_840_390_5,
        -0.005_961_913, -0.003_875_339_4, -0.002_714_627_4, -0.002_005_033,
    ]),
    Table16::new([
        0.205_504_24, 0.141_690_48, 0.100_157_36, 0.072_441_08,
        0.046_321_88, 0.027_176_159, 0.016_947_187, 0.011_120_191,
        0.006_387_098_7, 0.003_415_731, 0.002_013_185_8, 0.001_276_58,
        0.000_713_559_57, 0.000_376_621_23, 0.000_221_705_11, 0.000_141_093_38,
    ]),
    Table16::new([
        -0.105_508_894, -0.067_814_88, -0.044_745_885, -0.030_249_573,
        -0.017_530_79, -0.009_075_604, -0.005_031_243, -0.002_957_299_8,
        -0.001_459_126, -0.000_651_790_8, -0.000_328_052_2, -0.000_180_917_57,
        -8.427_266e-5, -3.627_845_2e-5, -1.799_022_2e-5, -9.881_819e-6,
    ]),
    Table16::new([
        0.048_438_07, 0.029_193_167, 0.018_518_407, 0.011_939_703_5,
        0.006_152_657, 0.002_856_832_2, 0.001_415_270_4, 0.000_741_205_6,
        0.000_325_710_1, 0.000_122_353_46, 5.310_699e-5, 2.524_319e-5,
        1.002_218_05e-5, 3.523_835_2e-6, 1.475_460_9e-6, 6.978_448e-7,
    ]),
    Table16::new([
        -0.019_992_584, -0.011_597_943_5, -0.006_770_685, -0.004_083_466_7,
        -0.001_971_610_1, -0.000_829_940_1, -0.000_375_445_6, -0.000_170_355_05,
        -6.842_271e-5, -2.194_413e-5, -8.223_365_5e-6, -3.381_512_4e-6,
        -1.160_976_5e-6, -3.316_949e-7, -1.203_305_5e-7, -4.796_672_6e-8,
    ]),
];

#[rustfmt::skip]
static G: [Table16; 6] = [
    Table16::new([
        0.403_925_45, 0.230_001_08, 0.074_017_24, -0.069_303_92,
        -0.267_917_5, -0.512_917_34, -0.743_968_2, -0.966_366_5,
        -1.289_952_9, -1.710_436_8, -2.123_839_9, -2.533_109_2,
        -3.142_415_8, -3.949_916_1, -4.754_288, -5.556_839_5,
    ]),
    Table16::new([
        -0.741_160_4, -0.655_532_9, -0.595_786_9, -0.553_085_3,
        -0.509_434_16, -0.473_729_13, -0.452_167_7, -0.438_391_54,
        -0.425_676_52, -0.416_269_3, -0.410_999_75, -0.407_782_67,
        -0.404_904_2, -0.402_817_6, -0.401_656_9, -0.400_947_3,
    ]),
    Table16::new([
        0.205_501_11, 0.141_688_78, 0.100_164_84, 0.072_446_15,
        0.046_319_17, 0.027_178_61, 0.016_946_595, 0.011_118_615,
        0.006_388_665_6, 0.003_414_233_2, 0.002_013_497_8, 0.001_277_859_4,
        0.000_714_082_15, 0.000_376_787_88, 0.000_220_138_57, 0.000_142_705_52,
    ]),
    Table16::new([
        -0.105_512_67, -0.067_819_47, -0.044_751_97, -0.030_247_292,
        -0.017_532_688, -0.009_076_006, -0.005_031_878_6, -0.002_957_126_1,
        -0.001_459_035_8, -0.000_651_712_2, -0.000_328_021_15, -0.000_180_864_37,
        -8.429_430_5e-5, -3.626_740_4e-5, -1.802_889_2e-5, -9.914_301e-6,
    ]),
    Table16::new([
        0.048_638_433, 0.029_301_923, 0.018_038_763, 0.011_615_16,
        0.006_199_692_4, 0.002_817_607, 0.001_425_079_7, 0.000_765_554_55,
        0.000_319_596_73, 0.000_128_363_64, 5.188_699e-5, 2.013_103e-5,
        9.507_285_5e-6, 3.349_607_6e-6, 3.042_409_2e-6, -9.142_865_5e-7,
    ]),
    Table16::new([
        -0.019_826_433, -0.011_376_882, -0.006_517_921, -0.004_182_957_6,
        -0.001_930_992_9, -0.000_826_352_3, -0.000_368_090_35, -0.000_174_604_5,
        -6.886_19e-5, -2.218_104_2e-5, -8.386_248e-6, -3.557_705_4e-6,
        -1.146_154_3e-6, -3.630_591_4e-7, -9.319_682e-8, -2.626_791_8e-8,
    ]),
];

impl Unary for Gelu {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, z: S::F32) -> S::F32 {
        // `min` and `max` return their second argument if one is NaN.
        let t = s.min(s.splat(LARGEST), s.abs(z));
        let Scaled { m, n } = bell(s, t);
        let lost = s.mul(t, s.mul(m, at(s, &M, t)));
        // −0 and not 0, so that a result that underflows keeps the sign of z.
        s.sub(s.max(s.splat(-0.0), z), s.mul_power_of_two(lost, n))
    }
}

impl Binary for GeluGradient {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, da: S::F32, z: S::F32) -> S::F32 {
        let t = s.min(s.splat(LARGEST), s.abs(z));
        let Scaled { m, n } = bell(s, t);
        let below = s.mul_power_of_two(s.mul(m, at(s, &G, t)), n);
        let slope = s.select(s.lt(z, s.splat(0.0)), below, s.sub(s.splat(1.0), below));
        s.mul(da, slope)
    }
}

/// `e^(−t²/2)` for t up to [`LARGEST`].
#[inline(always)]
fn bell<S: Simd>(s: S, t: S::F32) -> Scaled<S::F32> {
    let square = s.mul(t, t);
    let rest = s.fnma(t, t, square);
    let n = s.round(s.mul(square, s.splat(-0.5 * std::f32::consts::LOG2_E)));
    let r = s.fnma(n, s.splat(LN2_HI), s.mul(square, s.splat(-0.5)));
    let r = s.fnma(n, s.splat(LN2_LO), r);
    let r = s.fma(rest, s.splat(0.5), r);
    exp_of_reduced(s, Reduced { n, r, p: exp_polynomial(s, r) })
}

/// The polynomial of the interval of t, at t.
#[inline(always)]
fn at<S: Simd>(s: S, c: &[Table16; 6], t: S::F32) -> S::F32 {
    let j = interval(s, s.add(t, s.splat(1.0)));
    polynomial(s, c, j, s.sub(t, s.lookup(&CENTER, j)))
}
