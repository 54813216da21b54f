//! NEON (Advanced SIMD of AArch64): 4 lanes, 32 registers.

use std::arch::aarch64::*;
use std::arch::is_aarch64_feature_detected;

use crate::simd::{Registers, Simd, SimdOp, Table16, gather4_mask};

token! {
    /// Proof that the CPU has NEON.
    Neon: is_aarch64_feature_detected!["neon"]
}

// SAFETY of the implementation and of every block in it: `self` exists only if `detect`
// found NEON, which is all that these intrinsics need; methods that take a pointer pass on
// their own contract.
#[allow(clippy::undocumented_unsafe_blocks, reason = "one fact discharges all: see above")]
unsafe impl Simd for Neon {
    type F32 = float32x4_t;
    type I32 = int32x4_t;
    /// The first two lanes, the last two.
    type U64 = [uint64x2_t; 2];
    type Mask = uint32x4_t;
    // 24 of 32 registers accumulate; 4 hold the row of B, the others elements of A. Per
    // step of k: 24 FMAs for 10 loads.
    type Tile = Registers<6, 1, 4>;
    type Wide = Self;

    const NAME: &'static str = "neon";
    const LEN: usize = 4;
    const FUSES: bool = true;

    #[inline(always)]
    fn vectorize<O: SimdOp>(self, op: O) -> O::Output {
        self.with_features(op)
    }
    #[inline(always)]
    fn wide(self) -> Self::Wide {
        self
    }

    #[inline(always)]
    unsafe fn load_ptr(self, src: *const f32) -> float32x4_t {
        unsafe { vld1q_f32(src) }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, v: float32x4_t, dst: *mut f32) {
        unsafe { vst1q_f32(dst, v) }
    }
    #[inline(always)]
    unsafe fn load_first(self, src: *const f32, n: usize) -> float32x4_t {
        let mut lanes = [0.0; 4];
        unsafe {
            std::ptr::copy_nonoverlapping(src, lanes.as_mut_ptr(), n);
            vld1q_f32(lanes.as_ptr())
        }
    }
    #[inline(always)]
    unsafe fn store_first(self, v: float32x4_t, dst: *mut f32, n: usize) {
        let mut lanes = [0.0; 4];
        unsafe {
            vst1q_f32(lanes.as_mut_ptr(), v);
            std::ptr::copy_nonoverlapping(lanes.as_ptr(), dst, n);
        }
    }
    #[inline(always)]
    fn splat(self, x: f32) -> float32x4_t {
        unsafe { vdupq_n_f32(x) }
    }
    #[inline(always)]
    fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vaddq_f32(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vsubq_f32(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vmulq_f32(a, b) }
    }
    #[inline(always)]
    fn div(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vdivq_f32(a, b) }
    }
    #[inline(always)]
    fn sqrt(self, x: float32x4_t) -> float32x4_t {
        unsafe { vsqrtq_f32(x) }
    }
    #[inline(always)]
    fn fma(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        unsafe { vfmaq_f32(c, a, b) }
    }
    #[inline(always)]
    fn fnma(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        unsafe { vfmsq_f32(c, a, b) }
    }
    // `vminq_f32` would return NaN where either is NaN.
    #[inline(always)]
    fn min(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vbslq_f32(vcltq_f32(a, b), a, b) }
    }
    #[inline(always)]
    fn max(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vbslq_f32(vcgtq_f32(a, b), a, b) }
    }
    #[inline(always)]
    fn lt(self, a: float32x4_t, b: float32x4_t) -> uint32x4_t {
        unsafe { vcltq_f32(a, b) }
    }
    #[inline(always)]
    fn eq(self, a: float32x4_t, b: float32x4_t) -> uint32x4_t {
        unsafe { vceqq_f32(a, b) }
    }
    #[inline(always)]
    fn lt_u32(self, a: int32x4_t, b: int32x4_t) -> uint32x4_t {
        unsafe { vcltq_u32(vreinterpretq_u32_s32(a), vreinterpretq_u32_s32(b)) }
    }
    #[inline(always)]
    fn select(self, mask: uint32x4_t, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vbslq_f32(mask, a, b) }
    }
    #[inline(always)]
    fn floor(self, x: float32x4_t) -> float32x4_t {
        unsafe { vrndmq_f32(x) }
    }
    #[inline(always)]
    fn round(self, x: float32x4_t) -> float32x4_t {
        unsafe { vrndnq_f32(x) }
    }
    #[inline(always)]
    fn mul_power_of_two(self, x: float32x4_t, n: float32x4_t) -> float32x4_t {
        self.mul_two_powers(x, unsafe { vcvtnq_s32_f32(n) })
    }
    #[inline(always)]
    fn to_f32(self, x: int32x4_t) -> float32x4_t {
        unsafe { vcvtq_f32_s32(x) }
    }
    #[inline(always)]
    fn bits(self, x: float32x4_t) -> int32x4_t {
        unsafe { vreinterpretq_s32_f32(x) }
    }
    #[inline(always)]
    fn with_bits(self, x: int32x4_t) -> float32x4_t {
        unsafe { vreinterpretq_f32_s32(x) }
    }
    #[inline(always)]
    fn splat_i32(self, x: i32) -> int32x4_t {
        unsafe { vdupq_n_s32(x) }
    }
    #[inline(always)]
    fn add_i32(self, a: int32x4_t, b: int32x4_t) -> int32x4_t {
        unsafe { vaddq_s32(a, b) }
    }
    #[inline(always)]
    fn sub_i32(self, a: int32x4_t, b: int32x4_t) -> int32x4_t {
        unsafe { vsubq_s32(a, b) }
    }
    #[inline(always)]
    fn and(self, a: int32x4_t, b: int32x4_t) -> int32x4_t {
        unsafe { vandq_s32(a, b) }
    }
    #[inline(always)]
    fn or(self, a: int32x4_t, b: int32x4_t) -> int32x4_t {
        unsafe { vorrq_s32(a, b) }
    }
    #[inline(always)]
    fn xor(self, a: int32x4_t, b: int32x4_t) -> int32x4_t {
        unsafe { veorq_s32(a, b) }
    }
    #[inline(always)]
    fn shl<const N: i32>(self, x: int32x4_t) -> int32x4_t {
        unsafe { vshlq_s32(x, vdupq_n_s32(N)) }
    }
    #[inline(always)]
    fn shr<const N: i32>(self, x: int32x4_t) -> int32x4_t {
        // A shift by a negative count goes to the right.
        unsafe { vshlq_s32(x, vdupq_n_s32(-N)) }
    }
    #[inline(always)]
    fn splat_u64(self, x: u64) -> [uint64x2_t; 2] {
        unsafe { [vdupq_n_u64(x); 2] }
    }
    #[inline(always)]
    fn widen(self, x: int32x4_t) -> [uint64x2_t; 2] {
        unsafe {
            let x = vreinterpretq_u32_s32(x);
            [vmovl_u32(vget_low_u32(x)), vmovl_high_u32(x)]
        }
    }
    #[inline(always)]
    fn narrow(self, x: [uint64x2_t; 2]) -> int32x4_t {
        unsafe { vuzp1q_s32(vreinterpretq_s32_u64(x[0]), vreinterpretq_s32_u64(x[1])) }
    }
    #[inline(always)]
    fn upper_half(self, x: [uint64x2_t; 2]) -> [uint64x2_t; 2] {
        unsafe { [vshrq_n_u64::<32>(x[0]), vshrq_n_u64::<32>(x[1])] }
    }
    #[inline(always)]
    fn mul_lower_halves(self, a: [uint64x2_t; 2], b: [uint64x2_t; 2]) -> [uint64x2_t; 2] {
        unsafe {
            let first = vmull_u32(vmovn_u64(a[0]), vmovn_u64(b[0]));
            let last = vmull_u32(vmovn_u64(a[1]), vmovn_u64(b[1]));
            [first, last]
        }
    }
    #[inline(always)]
    fn xor_u64(self, a: [uint64x2_t; 2], b: [uint64x2_t; 2]) -> [uint64x2_t; 2] {
        unsafe { [veorq_u64(a[0], b[0]), veorq_u64(a[1], b[1])] }
    }
    #[inline(always)]
    fn lookup(self, table: &Table16, i: int32x4_t) -> float32x4_t {
        let mut lanes = [0; 4];
        unsafe { vst1q_s32(lanes.as_mut_ptr(), i) };
        let found = lanes.map(|i| table.values[(i & 15) as usize]);
        unsafe { vld1q_f32(found.as_ptr()) }
    }
    #[inline(always)]
    fn interleave(self, a: float32x4_t, b: float32x4_t) -> [float32x4_t; 2] {
        let both = unsafe { vzipq_f32(a, b) };
        [both.0, both.1]
    }
    /// One load of four elements for each lane, transposed.
    #[inline(always)]
    fn gather4(self, table: &[f32], i: int32x4_t) -> [float32x4_t; 4] {
        let mask = gather4_mask(table.len());
        let mut j = [0; 4];
        unsafe { vst1q_s32(j.as_mut_ptr(), self.and(i, self.splat_i32(mask))) };
        // The table has three more elements after the index that equals the mask.
        let [a, b, c, d] = j.map(|j| unsafe { vld1q_f32(table.as_ptr().add(j as usize)) });
        unsafe {
            let (ac, bd) = (vzipq_f32(a, c), vzipq_f32(b, d));
            let (low, high) = (vzipq_f32(ac.0, bd.0), vzipq_f32(ac.1, bd.1));
            [low.0, low.1, high.0, high.1]
        }
    }
}
