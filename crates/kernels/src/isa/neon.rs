//! NEON (Advanced SIMD of AArch64): 4 lanes, 32 registers.

use std::arch::aarch64::*;
use std::arch::{asm, is_aarch64_feature_detected};

use crate::simd::{Registers, Simd, SimdOp, Table16, gather4_mask};

token! {
    /// Proof that the CPU has NEON.
    Neon: is_aarch64_feature_detected!["neon"]
}

/// A 4 × 4 block, transposed.
///
/// # Safety
/// The CPU has NEON.
#[inline(always)]
unsafe fn transposed([a, b, c, d]: [float32x4_t; 4]) -> [float32x4_t; 4] {
    // SAFETY: the caller vouches for NEON.
    unsafe {
        let (ac, bd) = (vzipq_f32(a, c), vzipq_f32(b, d));
        let (low, high) = (vzipq_f32(ac.0, bd.0), vzipq_f32(ac.1, bd.1));
        [low.0, low.1, high.0, high.1]
    }
}

// SAFETY of the implementation and of every block in it: `self` exists only if `detect`
// found NEON, which is all that these intrinsics need; methods that take a pointer pass on
// their own contract.
#[allow(clippy::undocumented_unsafe_blocks, reason = "one fact discharges all: see above")]
unsafe impl Simd for Neon {
    type F32 = float32x4_t;
    type I32 = int32x4_t;
    /// The lower halves of the lanes, the upper halves.
    type U64 = [uint32x4_t; 2];
    type Mask = uint32x4_t;
    // 24 of 32 registers accumulate; 4 hold the row of B and 2, in turn, an element of A,
    // which a multiply-add takes from its lane. Per step of k: 24 FMAs for 10 loads, which
    // are 8 instructions, since LDP loads two vectors. A multiply-add takes four cycles, and
    // two can start per cycle on a Neoverse N1, four on a V1 or an Apple M1: at least 16
    // chains are needed. Four rows would be just these, with 8 loads for 16 FMAs; seven rows,
    // or six of two panels, need more registers than there are.
    type Tile = Registers<6, 1, 4>;
    type SparseTile = Self::Tile;
    // Two or four vectors at a time would find no registers: `lookup` keeps tables in them.
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
        debug_assert!(n <= 4);
        unsafe {
            let zero = vdupq_n_f32(0.0);
            match n {
                0 => zero,
                1 => vld1q_lane_f32::<0>(src, zero),
                2 => vcombine_f32(vld1_f32(src), vget_low_f32(zero)),
                3 => {
                    let two = vcombine_f32(vld1_f32(src), vget_low_f32(zero));
                    vld1q_lane_f32::<2>(src.add(2), two)
                }
                _ => vld1q_f32(src),
            }
        }
    }
    #[inline(always)]
    unsafe fn store_first(self, v: float32x4_t, dst: *mut f32, n: usize) {
        debug_assert!(n <= 4);
        unsafe {
            match n {
                0 => {}
                1 => vst1q_lane_f32::<0>(dst, v),
                2 => vst1_f32(dst, vget_low_f32(v)),
                3 => {
                    vst1_f32(dst, vget_low_f32(v));
                    vst1q_lane_f32::<2>(dst.add(2), v);
                }
                _ => vst1q_f32(dst, v),
            }
        }
    }
    // The standard library's function for these instructions is not stable.
    #[inline(always)]
    fn prefetch(self, address: *const f32) {
        unsafe {
            asm!("prfm pldl1keep, [{}]", in(reg) address, options(nostack, preserves_flags, readonly))
        }
    }
    #[inline(always)]
    fn prefetch_l2(self, address: *const f32) {
        unsafe {
            asm!("prfm pldl2keep, [{}]", in(reg) address, options(nostack, preserves_flags, readonly))
        }
    }
    #[inline(always)]
    fn prefetch_write(self, address: *const f32) {
        unsafe {
            asm!("prfm pstl1keep, [{}]", in(reg) address, options(nostack, preserves_flags, readonly))
        }
    }
    /// Sixteen blocks of 4 × 4.
    #[inline(always)]
    fn transpose(self, from: &[f32; 256], to: &mut [f32; 256]) {
        for top in 0..4 {
            for left in 0..4 {
                let row = |i: usize| self.load(&from[16 * (4 * top + i) + 4 * left..]);
                let columns = unsafe { transposed([row(0), row(1), row(2), row(3)]) };
                for (j, column) in columns.into_iter().enumerate() {
                    self.store(column, &mut to[16 * (4 * left + j) + 4 * top..]);
                }
            }
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
    fn splat_u64(self, x: u64) -> [uint32x4_t; 2] {
        unsafe { [vdupq_n_u32(x as u32), vdupq_n_u32((x >> 32) as u32)] }
    }
    #[inline(always)]
    fn widen(self, x: int32x4_t) -> [uint32x4_t; 2] {
        unsafe { [vreinterpretq_u32_s32(x), vdupq_n_u32(0)] }
    }
    #[inline(always)]
    fn narrow(self, [lower, _]: [uint32x4_t; 2]) -> int32x4_t {
        unsafe { vreinterpretq_s32_u32(lower) }
    }
    #[inline(always)]
    fn upper_half(self, [_, upper]: [uint32x4_t; 2]) -> [uint32x4_t; 2] {
        unsafe { [upper, vdupq_n_u32(0)] }
    }
    #[inline(always)]
    fn mul_lower_halves(self, [a, _]: [uint32x4_t; 2], [b, _]: [uint32x4_t; 2]) -> [uint32x4_t; 2] {
        unsafe {
            let first = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(a), vget_low_u32(b)));
            let last = vreinterpretq_u32_u64(vmull_high_u32(a, b));
            [vuzp1q_u32(first, last), vuzp2q_u32(first, last)]
        }
    }
    #[inline(always)]
    fn xor_u64(self, a: [uint32x4_t; 2], b: [uint32x4_t; 2]) -> [uint32x4_t; 2] {
        unsafe { [veorq_u32(a[0], b[0]), veorq_u32(a[1], b[1])] }
    }
    /// Four registers hold the 64 bytes of the table, and one shuffle finds those of all lanes.
    /// Inside a loop, the compiler loads five of the tables of a function before the loop.
    #[inline(always)]
    fn lookup(self, table: &Table16, i: int32x4_t) -> float32x4_t {
        unsafe {
            let i = vandq_u32(vreinterpretq_u32_s32(i), vdupq_n_u32(15));
            // Bytes 4i, 4i + 1, 4i + 2 and 4i + 3, the lowest first.
            let bytes = vmlaq_n_u32(vdupq_n_u32(0x0302_0100), i, 0x0404_0404);
            let table = vld1q_u8_x4(table.values.as_ptr().cast());
            vreinterpretq_f32_u8(vqtbl4q_u8(table, vreinterpretq_u8_u32(bytes)))
        }
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
        unsafe { transposed([a, b, c, d]) }
    }
}
