//! Plain Rust: one lane. It runs where no vector instruction set is known, and says in the
//! plainest way what each operation means.

use crate::simd::sealed::Sealed;
use crate::simd::{Registers, Simd, SimdOp, Table16, gather4_mask};

/// Needs no proof: every CPU runs plain Rust.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Scalar;

impl Sealed for Scalar {}

impl Scalar {
    pub(super) fn detect() -> Option<Self> {
        Some(Self)
    }

    pub(super) fn missing() -> Vec<&'static str> {
        Vec::new()
    }
}

// SAFETY: every CPU runs plain Rust; methods that take a pointer pass on their own
// contract; `list_nonzero` is the trait's own.
unsafe impl Simd for Scalar {
    type F32 = f32;
    type I32 = i32;
    type U64 = u64;
    type Mask = bool;
    // 2 × 16 accumulators, which the compiler puts into the vectors that it knows.
    type Tile = Registers<2, 1, 16>;
    type SparseTile = Self::Tile;
    type Wide = Self;

    const NAME: &'static str = "scalar";
    const LEN: usize = 1;
    const FUSES: bool = false;

    #[inline(always)]
    fn vectorize<O: SimdOp>(self, op: O) -> O::Output {
        op.eval(self)
    }
    #[inline(always)]
    fn wide(self) -> Self::Wide {
        self
    }

    #[inline(always)]
    unsafe fn load_ptr(self, src: *const f32) -> f32 {
        // SAFETY: valid for one read by this method's contract.
        unsafe { *src }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, v: f32, dst: *mut f32) {
        // SAFETY: valid for one write by this method's contract.
        unsafe { *dst = v }
    }
    #[inline(always)]
    unsafe fn load_first(self, src: *const f32, n: usize) -> f32 {
        // SAFETY: valid for `n` reads by this method's contract.
        if n == 0 { 0.0 } else { unsafe { *src } }
    }
    #[inline(always)]
    unsafe fn store_first(self, v: f32, dst: *mut f32, n: usize) {
        if n != 0 {
            // SAFETY: valid for `n` writes by this method's contract.
            unsafe { *dst = v }
        }
    }
    #[inline(always)]
    fn splat(self, x: f32) -> f32 {
        x
    }
    #[inline(always)]
    fn add(self, a: f32, b: f32) -> f32 {
        a + b
    }
    #[inline(always)]
    fn sub(self, a: f32, b: f32) -> f32 {
        a - b
    }
    #[inline(always)]
    fn mul(self, a: f32, b: f32) -> f32 {
        a * b
    }
    #[inline(always)]
    fn div(self, a: f32, b: f32) -> f32 {
        a / b
    }
    #[inline(always)]
    fn sqrt(self, x: f32) -> f32 {
        x.sqrt()
    }
    // Through f64, where a product of two f32 is exact: `f32::mul_add` is a call
    // into a library of a hundred instructions on a CPU without FMA. Rounding
    // the sum twice can differ from FMA in the last bit, once in 2²⁹ times.
    #[inline(always)]
    fn fma(self, a: f32, b: f32, c: f32) -> f32 {
        (f64::from(a) * f64::from(b) + f64::from(c)) as f32
    }
    #[inline(always)]
    fn fnma(self, a: f32, b: f32, c: f32) -> f32 {
        (f64::from(c) - f64::from(a) * f64::from(b)) as f32
    }
    #[inline(always)]
    fn min(self, a: f32, b: f32) -> f32 {
        if a < b { a } else { b }
    }
    #[inline(always)]
    fn max(self, a: f32, b: f32) -> f32 {
        if a > b { a } else { b }
    }
    #[inline(always)]
    fn lt(self, a: f32, b: f32) -> bool {
        a < b
    }
    #[inline(always)]
    fn eq(self, a: f32, b: f32) -> bool {
        a == b
    }
    #[inline(always)]
    fn lt_u32(self, a: i32, b: i32) -> bool {
        a.cast_unsigned() < b.cast_unsigned()
    }
    #[inline(always)]
    fn select(self, mask: bool, a: f32, b: f32) -> f32 {
        if mask { a } else { b }
    }
    #[inline(always)]
    fn floor(self, x: f32) -> f32 {
        x.floor()
    }
    #[inline(always)]
    fn round(self, x: f32) -> f32 {
        // Adding 1.5 · 2²³ leaves no bits for a fraction, so the sum is rounded
        // to an integer as IEEE rounds; the library's function may be a call.
        const SHIFT: f32 = 12_582_912.0;
        if x.abs() < 4_194_304.0 { (x + SHIFT) - SHIFT } else { x.round_ties_even() }
    }
    #[inline(always)]
    fn mul_power_of_two(self, x: f32, n: f32) -> f32 {
        self.mul_two_powers(x, n as i32)
    }
    #[inline(always)]
    fn to_f32(self, x: i32) -> f32 {
        x as f32
    }
    #[inline(always)]
    fn bits(self, x: f32) -> i32 {
        x.to_bits().cast_signed()
    }
    #[inline(always)]
    fn with_bits(self, x: i32) -> f32 {
        f32::from_bits(x.cast_unsigned())
    }
    #[inline(always)]
    fn splat_i32(self, x: i32) -> i32 {
        x
    }
    #[inline(always)]
    fn add_i32(self, a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }
    #[inline(always)]
    fn sub_i32(self, a: i32, b: i32) -> i32 {
        a.wrapping_sub(b)
    }
    #[inline(always)]
    fn and(self, a: i32, b: i32) -> i32 {
        a & b
    }
    #[inline(always)]
    fn or(self, a: i32, b: i32) -> i32 {
        a | b
    }
    #[inline(always)]
    fn xor(self, a: i32, b: i32) -> i32 {
        a ^ b
    }
    #[inline(always)]
    fn shl<const N: i32>(self, x: i32) -> i32 {
        x << N
    }
    #[inline(always)]
    fn shr<const N: i32>(self, x: i32) -> i32 {
        x >> N
    }
    #[inline(always)]
    fn splat_u64(self, x: u64) -> u64 {
        x
    }
    #[inline(always)]
    fn widen(self, x: i32) -> u64 {
        u64::from(x.cast_unsigned())
    }
    #[inline(always)]
    fn narrow(self, x: u64) -> i32 {
        x as i32
    }
    #[inline(always)]
    fn upper_half(self, x: u64) -> u64 {
        x >> 32
    }
    #[inline(always)]
    fn mul_lower_halves(self, a: u64, b: u64) -> u64 {
        (a & 0xFFFF_FFFF) * (b & 0xFFFF_FFFF)
    }
    #[inline(always)]
    fn xor_u64(self, a: u64, b: u64) -> u64 {
        a ^ b
    }
    #[inline(always)]
    fn lookup(self, table: &Table16, i: i32) -> f32 {
        table.values[(i & 15) as usize]
    }
    #[inline(always)]
    fn interleave(self, a: f32, b: f32) -> [f32; 2] {
        [a, b]
    }
    #[inline(always)]
    fn gather4(self, table: &[f32], i: i32) -> [f32; 4] {
        let j = (i & gather4_mask(table.len())) as usize;
        std::array::from_fn(|k| table[j + k])
    }
}
