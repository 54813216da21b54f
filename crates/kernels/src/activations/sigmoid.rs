//! The logistic sigmoid and its derivative.
//!
//! ```text
//! t = |x| = r − c_j − n·ln 2            c_j near j·ln 2/16, so that r is small
//! eᵗ = 2⁻ⁿ·(m + h),  m = e^(−c_j),  h = m·(eʳ − 1)
//! σ(−t) = 1/(1 + eᵗ) = 2ⁿ/(2ⁿ + m + h),  σ(t) = 1 − σ(−t)
//! σ′(x) = σ(x)·(1 − σ(x))
//! ```
//!
//! With a table of sixteen m, three coefficients give h. Of the three terms of
//! 2ⁿ + m + h, two are exact floats, and h is so small that its rounding does not
//! count. The sum is rounded, and so is its reciprocal q; one correction repairs both.
//! The remainder `1 − q·(2ⁿ + m + h)` is computed product by product: m is at least
//! half of the sum, so at most ½ is left after q·m, and its rounding costs at most a
//! quarter of an ULP. For that, the c_j are a little less than j·ln 2/16: otherwise m
//! would be less than 2ⁿ + h where x is near 0.
//!
//! The constants come from `coefficients/sigmoid.py`.

use crate::elementwise::Binary;
use crate::simd::{Simd, Table16, Unary};

/// `1 / (1 + e⁻ˣ)`, within 0.90 ULP of the exact value, subnormal results
/// included (measured over all `f32`, on each instruction set:
/// `tests/accuracy.rs`). NaN gives NaN.
#[derive(Clone, Copy, Debug)]
pub struct Sigmoid;

/// `da · h·(1 − h)`: the derivative of [`Sigmoid`] as a function of its output h.
#[derive(Clone, Copy, Debug)]
pub struct SigmoidGradient;

/// At this t, σ(−t) is 0 in `f32`, and 2ⁿ⁺²⁴ still normal.
const LARGEST: f32 = 104.0;

/// The multiple of 2⁻¹⁷ near `j·ln 2/16 − 0.011` whose m is nearly a float.
#[rustfmt::skip]
static C: Table16 = Table16::new([
    -0.010_963_44, 0.032_325_745, 0.075_431_824, 0.118_957_52,
    0.162_406_92, 0.205_390_93, 0.248_985_29, 0.292_297_36,
    0.335_472_1, 0.379_386_9, 0.422_302_25, 0.465_644_84,
    0.508_918_76, 0.552_131_65, 0.595_718_4, 0.638_763_4,
]);

/// m, times 2²⁴.
#[rustfmt::skip]
static M: Table16 = Table16::new([
    16962164.0, 16243552.0, 15558233.0, 14895576.0,
    14262231.0, 13662172.0, 13079374.0, 12524972.0,
    11995717.0, 11480327.0, 10998067.0, 10531565.0,
    10085543.0, 9.659e6, 9247039.0, 8857445.0,
]);

/// `G(r) ≈ (eʳ − 1) / r` for −0.033 ≤ r ≤ 0.0112, lowest order first: within 0.02
/// ULP of 1 + r·G(r), before the rounding of its evaluation.
const G: [f32; 3] = [1.000_000_2, 0.499_996_72, 0.165_026_52];

/// `ln 2 / 16` in two parts; the first has so few bits that what is computed with
/// it is exact.
const LN2_HI: f32 = 0.043_321_61;
const LN2_LO: f32 = 8.928_792e-8;

/// A float of this size has no fraction bits: adding a value to it rounds the value
/// to an integer, which stands in the low bits. Here that integer is 16·n + j, plus 16
/// times 24 and the bias of an exponent, so that a shift makes 2ⁿ⁺²⁴ of it.
const INTEGER: f32 = 12_582_912.0 + 16.0 * (24.0 + 127.0);

impl Unary for Sigmoid {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, x: S::F32) -> S::F32 {
        let one = s.splat(1.0);
        // `min` returns its second argument if one is NaN.
        let t = s.min(s.splat(LARGEST), s.abs(x));
        let sixteenths = s.splat(-16.0 * std::f32::consts::LOG2_E);
        let j = s.bits(s.fma(t, sixteenths, s.splat(INTEGER)));
        let whole = s.and(j, s.splat_i32(!15));
        let n = s.sub(s.with_bits(whole), s.splat(INTEGER));
        // 2ⁿ, m and h are all times 2²⁴, because 2ⁿ itself may not be a normal float.
        // `lookup` reads the four low bits of the index.
        let power = s.with_bits(s.shl::<19>(whole));
        let m = s.lookup(&M, j);
        let r = s.add(t, s.fma(n, s.splat(LN2_HI), s.lookup(&C, j)));
        let r = s.fma(n, s.splat(LN2_LO), r);
        let g = s.fma(s.fma(s.splat(G[2]), r, s.splat(G[1])), r, s.splat(G[0]));
        let h = s.mul(s.mul(m, r), g);

        let q = s.div(one, s.add(s.add(m, power), h));
        let missing = s.fnma(q, h, s.fnma(q, power, s.fnma(q, m, one)));
        let y = s.mul(s.fma(q, missing, q), power);
        s.select(s.lt(x, s.splat(0.0)), y, s.sub(one, y))
    }
}

impl Binary for SigmoidGradient {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, da: S::F32, h: S::F32) -> S::F32 {
        s.mul(da, s.fnma(h, h, h))
    }
}
