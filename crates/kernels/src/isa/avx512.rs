//! AVX-512: 16 lanes, 32 registers, masks for free.

use std::arch::asm;
use std::arch::x86_64::*;

use crate::simd::{Registers, Simd, SimdOp, Table16, gather4_mask};

token! {
    /// Proof that the CPU has FMA, POPCNT and the AVX-512 subsets F, BW, DQ and VL, which
    /// every server and desktop core with AVX-512 has had since 2017.
    Avx512: is_x86_feature_detected![
        "avx512f", "avx512bw", "avx512dq", "avx512vl", "fma", "popcnt"
    ]
}

impl Avx512 {
    /// Four elements of a 16 × 16 block from offset `at` on, then the four elements that
    /// are four, eight and twelve rows below: four loads, and no shuffle.
    #[inline(always)]
    fn quarters(self, block: &[f32; 256], at: usize) -> __m512 {
        let at = &block[at..at + 12 * 16 + 4];
        // SAFETY: each of the four loads ends inside of `at`; the CPU has AVX-512, because
        // `self` exists only if `detect` found it.
        unsafe {
            let first = _mm512_castps128_ps512(_mm_loadu_ps(at.as_ptr()));
            let half = _mm512_insertf32x4::<1>(first, _mm_loadu_ps(at[64..].as_ptr()));
            let most = _mm512_insertf32x4::<2>(half, _mm_loadu_ps(at[128..].as_ptr()));
            _mm512_insertf32x4::<3>(most, _mm_loadu_ps(at[192..].as_ptr()))
        }
    }
}

/// The first `n` of 16 lanes.
#[inline(always)]
fn first(n: usize) -> __mmask16 {
    debug_assert!(n <= 16);
    ((1u32 << n) - 1) as __mmask16
}

// SAFETY of the implementation and of every block in it: `self` exists only if `detect`
// found AVX-512 F, BW, DQ and VL, which is all that these intrinsics need; methods that
// take a pointer pass on their own contract. `list_nonzero` compresses the indices of the
// lanes that are not 0, and counts these lanes.
#[allow(clippy::undocumented_unsafe_blocks, reason = "one fact discharges all: see above")]
unsafe impl Simd for Avx512 {
    type F32 = __m512;
    type I32 = __m512i;
    /// Even lanes, odd lanes.
    type U64 = [__m512i; 2];
    type Mask = __mmask16;
    // 24 of 32 registers accumulate; 3 hold the row of B and one the broadcast
    // element of A. Per step of k: 24 FMAs for 11 loads.
    type Tile = Registers<8, 3, 1>;
    // 12 FMAs for 7 loads; four rows are 0 together more often than eight.
    type SparseTile = Registers<4, 3, 1>;
    type Wide = Self;

    const NAME: &'static str = "avx512";
    const LEN: usize = 16;
    const FUSES: bool = true;

    #[inline(always)]
    fn columns_of_8(self, rows: [&[f32]; 8], to: &mut [f32], step: usize) {
        unsafe { super::avx2::columns_of_8(rows, to, step) }
    }

    #[inline(always)]
    fn vectorize<O: SimdOp>(self, op: O) -> O::Output {
        self.with_features(op)
    }
    #[inline(always)]
    fn wide(self) -> Self::Wide {
        self
    }

    /// Four columns at a time, as four blocks of 4 × 4 side by side. Each is transposed by
    /// exchanging single lanes, then pairs of lanes.
    #[inline(always)]
    fn transpose(self, from: &[f32; 256], to: &mut [f32; 256]) {
        for left in [0, 4, 8, 12] {
            let (a, b) = (self.quarters(from, left), self.quarters(from, left + 16));
            let (c, d) = (self.quarters(from, left + 32), self.quarters(from, left + 48));
            unsafe {
                let (ab_low, ab_high) = (_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
                let (cd_low, cd_high) = (_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
                self.store(_mm512_shuffle_ps::<0x44>(ab_low, cd_low), &mut to[16 * left..]);
                self.store(_mm512_shuffle_ps::<0xEE>(ab_low, cd_low), &mut to[16 * left + 16..]);
                self.store(_mm512_shuffle_ps::<0x44>(ab_high, cd_high), &mut to[16 * left + 32..]);
                self.store(_mm512_shuffle_ps::<0xEE>(ab_high, cd_high), &mut to[16 * left + 48..]);
            }
        }
    }

    #[inline(always)]
    unsafe fn load_ptr(self, src: *const f32) -> __m512 {
        unsafe { _mm512_loadu_ps(src) }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, v: __m512, dst: *mut f32) {
        unsafe { _mm512_storeu_ps(dst, v) }
    }
    #[inline(always)]
    unsafe fn load_first(self, src: *const f32, n: usize) -> __m512 {
        unsafe { _mm512_maskz_loadu_ps(first(n), src) }
    }
    #[inline(always)]
    unsafe fn store_first(self, v: __m512, dst: *mut f32, n: usize) {
        unsafe { _mm512_mask_storeu_ps(dst, first(n), v) }
    }
    #[inline(always)]
    fn prefetch(self, address: *const f32) {
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) }
    }
    #[inline(always)]
    fn prefetch_l2(self, address: *const f32) {
        unsafe { _mm_prefetch::<_MM_HINT_T1>(address.cast()) }
    }
    #[inline(always)]
    fn prefetch_write(self, address: *const f32) {
        // Not `_MM_HINT_ET0`, which the compiler turns into PREFETCHT0 unless it may use
        // PREFETCHW. A CPU without PREFETCHW, such as Haswell, executes it as a NOP.
        unsafe {
            asm!("prefetchw [{}]", in(reg) address, options(nostack, preserves_flags, readonly))
        }
    }
    #[inline(always)]
    fn list_nonzero(self, any: &[u32; 16], first: u32, to: &mut [u32; 16]) -> usize {
        unsafe {
            let indices = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
            let lanes = _mm512_add_epi32(_mm512_set1_epi32(first as i32), indices);
            let any = _mm512_loadu_si512(any.as_ptr().cast());
            let mask = _mm512_test_epi32_mask(any, any);
            // Compressed in a register: to memory it takes some CPUs a hundred cycles.
            let list = _mm512_maskz_compress_epi32(mask, lanes);
            _mm512_storeu_si512(to.as_mut_ptr().cast(), list);
            mask.count_ones() as usize
        }
    }
    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        unsafe { _mm512_set1_ps(x) }
    }
    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_mul_ps(a, b) }
    }
    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_div_ps(a, b) }
    }
    #[inline(always)]
    fn sqrt(self, x: __m512) -> __m512 {
        unsafe { _mm512_sqrt_ps(x) }
    }
    #[inline(always)]
    fn fma(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn fnma(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        unsafe { _mm512_fnmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_min_ps(a, b) }
    }
    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_max_ps(a, b) }
    }
    #[inline(always)]
    fn lt(self, a: __m512, b: __m512) -> __mmask16 {
        unsafe { _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b) }
    }
    #[inline(always)]
    fn eq(self, a: __m512, b: __m512) -> __mmask16 {
        unsafe { _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b) }
    }
    #[inline(always)]
    fn lt_u32(self, a: __m512i, b: __m512i) -> __mmask16 {
        unsafe { _mm512_cmplt_epu32_mask(a, b) }
    }
    #[inline(always)]
    fn select(self, mask: __mmask16, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_mask_blend_ps(mask, b, a) }
    }
    #[inline(always)]
    fn floor(self, x: __m512) -> __m512 {
        unsafe { _mm512_roundscale_ps::<_MM_FROUND_TO_NEG_INF>(x) }
    }
    #[inline(always)]
    fn round(self, x: __m512) -> __m512 {
        unsafe { _mm512_roundscale_ps::<_MM_FROUND_TO_NEAREST_INT>(x) }
    }
    #[inline(always)]
    fn mul_power_of_two(self, x: __m512, n: __m512) -> __m512 {
        unsafe { _mm512_scalef_ps(x, n) }
    }
    #[inline(always)]
    fn to_f32(self, x: __m512i) -> __m512 {
        unsafe { _mm512_cvtepi32_ps(x) }
    }
    #[inline(always)]
    fn bits(self, x: __m512) -> __m512i {
        unsafe { _mm512_castps_si512(x) }
    }
    #[inline(always)]
    fn with_bits(self, x: __m512i) -> __m512 {
        unsafe { _mm512_castsi512_ps(x) }
    }
    #[inline(always)]
    fn splat_i32(self, x: i32) -> __m512i {
        unsafe { _mm512_set1_epi32(x) }
    }
    #[inline(always)]
    fn add_i32(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_add_epi32(a, b) }
    }
    #[inline(always)]
    fn sub_i32(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_sub_epi32(a, b) }
    }
    #[inline(always)]
    fn and(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_and_si512(a, b) }
    }
    #[inline(always)]
    fn or(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_or_si512(a, b) }
    }
    #[inline(always)]
    fn xor(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_xor_si512(a, b) }
    }
    #[inline(always)]
    fn shl<const N: i32>(self, x: __m512i) -> __m512i {
        unsafe { _mm512_sllv_epi32(x, _mm512_set1_epi32(N)) }
    }
    #[inline(always)]
    fn shr<const N: i32>(self, x: __m512i) -> __m512i {
        unsafe { _mm512_srav_epi32(x, _mm512_set1_epi32(N)) }
    }
    #[inline(always)]
    fn splat_u64(self, x: u64) -> [__m512i; 2] {
        unsafe { [_mm512_set1_epi64(x.cast_signed()); 2] }
    }
    #[inline(always)]
    fn widen(self, x: __m512i) -> [__m512i; 2] {
        unsafe { [_mm512_and_si512(x, _mm512_set1_epi64(0xFFFF_FFFF)), _mm512_srli_epi64::<32>(x)] }
    }
    #[inline(always)]
    fn narrow(self, [even, odd]: [__m512i; 2]) -> __m512i {
        unsafe { _mm512_mask_blend_epi32(0xAAAA, even, _mm512_slli_epi64::<32>(odd)) }
    }
    #[inline(always)]
    fn upper_half(self, x: [__m512i; 2]) -> [__m512i; 2] {
        unsafe { [_mm512_srli_epi64::<32>(x[0]), _mm512_srli_epi64::<32>(x[1])] }
    }
    #[inline(always)]
    fn mul_lower_halves(self, a: [__m512i; 2], b: [__m512i; 2]) -> [__m512i; 2] {
        unsafe { [_mm512_mul_epu32(a[0], b[0]), _mm512_mul_epu32(a[1], b[1])] }
    }
    #[inline(always)]
    fn xor_u64(self, a: [__m512i; 2], b: [__m512i; 2]) -> [__m512i; 2] {
        [self.xor(a[0], b[0]), self.xor(a[1], b[1])]
    }
    #[inline(always)]
    fn lookup(self, table: &Table16, i: __m512i) -> __m512 {
        unsafe { _mm512_permutexvar_ps(i, _mm512_loadu_ps(table.values.as_ptr())) }
    }
    #[inline(always)]
    fn interleave(self, a: __m512, b: __m512) -> [__m512; 2] {
        unsafe {
            // From 16 on, lanes are those of b.
            let low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            let high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
            [_mm512_permutex2var_ps(a, low, b), _mm512_permutex2var_ps(a, high, b)]
        }
    }
    /// One load of four elements for each lane, transposed.
    #[inline(always)]
    fn gather4(self, table: &[f32], i: __m512i) -> [__m512; 4] {
        let mask = gather4_mask(table.len());
        let mut lanes = [0i32; 16];
        unsafe { _mm512_storeu_epi32(lanes.as_mut_ptr(), self.and(i, self.splat_i32(mask))) };
        // The table has three more elements after the index that equals the mask.
        // Volatile, so that the indices are read from memory, one MOVSXD each. Otherwise the
        // compiler takes them out of the vector by VPEXTRD and VEXTRACTI, which use the
        // ports that the shuffles below need, and extends their signs after that.
        let four = |lane: usize| unsafe {
            _mm_loadu_ps(table.as_ptr().add(std::ptr::read_volatile(&lanes[lane]) as usize))
        };
        // Lanes 0, 4, 8 and 12; then 1, 5, 9 and 13; and so on.
        let r: [__m512; 4] = std::array::from_fn(|lane| unsafe {
            let x = _mm512_castps128_ps512(four(lane));
            let x = _mm512_insertf32x4::<1>(x, four(lane + 4));
            let x = _mm512_insertf32x4::<2>(x, four(lane + 8));
            _mm512_insertf32x4::<3>(x, four(lane + 12))
        });
        unsafe {
            let (ab_low, ab_high) =
                (_mm512_unpacklo_ps(r[0], r[1]), _mm512_unpackhi_ps(r[0], r[1]));
            let (cd_low, cd_high) =
                (_mm512_unpacklo_ps(r[2], r[3]), _mm512_unpackhi_ps(r[2], r[3]));
            [
                _mm512_shuffle_ps::<0x44>(ab_low, cd_low),
                _mm512_shuffle_ps::<0xEE>(ab_low, cd_low),
                _mm512_shuffle_ps::<0x44>(ab_high, cd_high),
                _mm512_shuffle_ps::<0xEE>(ab_high, cd_high),
            ]
        }
    }
}
