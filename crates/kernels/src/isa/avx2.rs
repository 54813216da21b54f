//! AVX2 with FMA: 8 lanes, 16 registers.

use std::arch::asm;
use std::arch::x86_64::*;

use super::quad::Quad;
use crate::simd::{Registers, Simd, SimdOp, Table16, gather4_mask};

token! {
    /// Proof that the CPU has AVX2 and FMA.
    Avx2: is_x86_feature_detected!["avx2", "fma"]
}

/// A mask of the first `n` of 8 lanes, in the form that `vmaskmovps` takes.
///
/// # Safety
/// The CPU has AVX2.
#[inline(always)]
unsafe fn first(n: usize) -> __m256i {
    debug_assert!(n <= 8);
    // SAFETY: the caller vouches for AVX2.
    unsafe {
        _mm256_cmpgt_epi32(_mm256_set1_epi32(n as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
    }
}

/// The columns of 8 × 8 elements: single lanes are exchanged, then pairs of lanes, then halves
/// of vectors.
///
/// # Safety
/// The CPU has AVX.
#[inline(always)]
unsafe fn transposed(r: [__m256; 8]) -> [__m256; 8] {
    let mut columns = r;
    // SAFETY: the caller vouches for AVX.
    unsafe {
        let mut halves = r;
        for half in [0, 4] {
            let [a, b, c, d] = [r[half], r[half + 1], r[half + 2], r[half + 3]];
            let (ab_low, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
            let (cd_low, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
            halves[half] = _mm256_shuffle_ps::<0x44>(ab_low, cd_low);
            halves[half + 1] = _mm256_shuffle_ps::<0xEE>(ab_low, cd_low);
            halves[half + 2] = _mm256_shuffle_ps::<0x44>(ab_high, cd_high);
            halves[half + 3] = _mm256_shuffle_ps::<0xEE>(ab_high, cd_high);
        }
        for j in 0..4 {
            columns[j] = _mm256_permute2f128_ps::<0x20>(halves[j], halves[j + 4]);
            columns[j + 4] = _mm256_permute2f128_ps::<0x31>(halves[j], halves[j + 4]);
        }
    }
    columns
}

/// For each set of 8 lanes, as bits, its lanes in ascending order, a byte each.
const LANES_OF: [u64; 256] = {
    let mut table = [0; 256];
    let mut set = 0;
    while set < 256 {
        let (mut lane, mut len) = (0, 0);
        while lane < 8 {
            if set >> lane & 1 == 1 {
                table[set] |= lane << (8 * len);
                len += 1;
            }
            lane += 1;
        }
        set += 1;
    }
    table
};

/// [`Simd::columns_of_8`].
///
/// # Panics
/// If a row has fewer than 8 elements, or `to` fewer than `7·step + 8`.
///
/// # Safety
/// The CPU has AVX.
#[inline(always)]
pub(super) unsafe fn columns_of_8(rows: [&[f32]; 8], to: &mut [f32], step: usize) {
    assert!(step <= 8 && to.len() >= 7 * step + 8);
    let to = to.as_mut_ptr();
    // SAFETY: the caller vouches for AVX. Each row has 8 elements. The last store, at
    // 7·step, ends where `to` does at the latest.
    unsafe {
        // Loops and no closures, which might not be inlined: then they would be compiled
        // without AVX.
        let mut r = [_mm256_setzero_ps(); 8];
        for (r, row) in r.iter_mut().zip(rows) {
            *r = _mm256_loadu_ps(row[..8].as_ptr());
        }
        for (j, column) in transposed(r).into_iter().enumerate() {
            _mm256_storeu_ps(to.add(j * step), column);
        }
    }
}

// SAFETY of the implementation and of every block in it: `self` exists only if `detect`
// found AVX2 and FMA, which is all that these intrinsics need; methods that take a pointer
// pass on their own contract.
#[allow(clippy::undocumented_unsafe_blocks, reason = "one fact discharges all: see above")]
unsafe impl Simd for Avx2 {
    type F32 = __m256;
    type I32 = __m256i;
    /// Even lanes, odd lanes.
    type U64 = [__m256i; 2];
    type Mask = __m256;
    // 12 of 16 registers accumulate; 2 hold the row of B and one the broadcast
    // element of A. Per step of k: 12 FMAs for 8 loads.
    type Tile = Registers<6, 1, 2>;
    // 12 FMAs for 8 loads here too: 2 broadcast elements and 6 vectors of B.
    type SparseTile = Registers<2, 3, 2>;
    type Wide = Quad;

    const NAME: &'static str = "avx2";
    const LEN: usize = 8;
    const FUSES: bool = true;

    #[inline(always)]
    fn vectorize<O: SimdOp>(self, op: O) -> O::Output {
        self.with_features(op)
    }
    #[inline(always)]
    fn wide(self) -> Self::Wide {
        Quad(self)
    }

    /// Four blocks of 8 × 8.
    #[inline(always)]
    fn transpose(self, from: &[f32; 256], to: &mut [f32; 256]) {
        for (top, left) in [(0, 0), (0, 8), (8, 0), (8, 8)] {
            let row = |i: usize| self.load(&from[16 * (top + i) + left..]);
            let r: [__m256; 8] = [row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7)];
            let columns = unsafe { transposed(r) };
            for (j, column) in columns.into_iter().enumerate() {
                self.store(column, &mut to[16 * (left + j) + top..]);
            }
        }
    }

    #[inline(always)]
    fn columns_of_8(self, rows: [&[f32]; 8], to: &mut [f32], step: usize) {
        unsafe { columns_of_8(rows, to, step) }
    }

    #[inline(always)]
    fn list_nonzero(self, any: &[u32; 16], first: u32, to: &mut [u32; 16]) -> usize {
        let mut len = 0;
        for half in [0, 8] {
            // Each half has 8 elements. The first list has at most 8, so there is room for 8
            // more.
            unsafe {
                let any = _mm256_loadu_si256(any[half..].as_ptr().cast());
                let zeros = _mm256_cmpeq_epi32(any, _mm256_setzero_si256());
                let zeros = _mm256_movemask_ps(_mm256_castsi256_ps(zeros)) as u8;
                let lanes = _mm_cvtsi64_si128(LANES_OF[usize::from(!zeros)] as i64);
                let first = _mm256_set1_epi32(first.wrapping_add(half as u32) as i32);
                let list = _mm256_add_epi32(_mm256_cvtepu8_epi32(lanes), first);
                _mm256_storeu_si256(to[len..].as_mut_ptr().cast(), list);
                len += zeros.count_zeros() as usize;
            }
        }
        len
    }

    #[inline(always)]
    unsafe fn load_ptr(self, src: *const f32) -> __m256 {
        unsafe { _mm256_loadu_ps(src) }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, v: __m256, dst: *mut f32) {
        unsafe { _mm256_storeu_ps(dst, v) }
    }
    #[inline(always)]
    unsafe fn load_first(self, src: *const f32, n: usize) -> __m256 {
        unsafe { _mm256_maskload_ps(src, first(n)) }
    }
    #[inline(always)]
    unsafe fn store_first(self, v: __m256, dst: *mut f32, n: usize) {
        // Four lanes, two and one: AMD's CPUs take dozens of micro-operations for a masked
        // store. n is mostly what it was at the call before, so the branches are predicted.
        debug_assert!(n <= 8);
        unsafe {
            if n == 8 {
                return _mm256_storeu_ps(dst, v);
            }
            let mut rest = _mm256_castps256_ps128(v);
            if n & 4 != 0 {
                _mm_storeu_ps(dst, rest);
                rest = _mm256_extractf128_ps::<1>(v);
            }
            if n & 2 != 0 {
                _mm_storel_pd(dst.add(n & 4).cast(), _mm_castps_pd(rest));
                rest = _mm_movehl_ps(rest, rest);
            }
            if n & 1 != 0 {
                _mm_store_ss(dst.add(n & 6), rest);
            }
        }
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
    fn splat(self, x: f32) -> __m256 {
        unsafe { _mm256_set1_ps(x) }
    }
    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_mul_ps(a, b) }
    }
    #[inline(always)]
    fn div(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_div_ps(a, b) }
    }
    #[inline(always)]
    fn sqrt(self, x: __m256) -> __m256 {
        unsafe { _mm256_sqrt_ps(x) }
    }
    #[inline(always)]
    fn fma(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn fnma(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        unsafe { _mm256_fnmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn min(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_min_ps(a, b) }
    }
    #[inline(always)]
    fn max(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_max_ps(a, b) }
    }
    #[inline(always)]
    fn lt(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_cmp_ps::<_CMP_LT_OQ>(a, b) }
    }
    #[inline(always)]
    fn eq(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_cmp_ps::<_CMP_EQ_OQ>(a, b) }
    }
    #[inline(always)]
    fn lt_u32(self, a: __m256i, b: __m256i) -> __m256 {
        // AVX2 has only the signed comparison: subtract 2³¹ from both sides.
        let (a, b) = (self.xor(a, self.splat_i32(i32::MIN)), self.xor(b, self.splat_i32(i32::MIN)));
        unsafe { _mm256_castsi256_ps(_mm256_cmpgt_epi32(b, a)) }
    }
    #[inline(always)]
    fn select(self, mask: __m256, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_blendv_ps(b, a, mask) }
    }
    #[inline(always)]
    fn floor(self, x: __m256) -> __m256 {
        unsafe { _mm256_floor_ps(x) }
    }
    #[inline(always)]
    fn round(self, x: __m256) -> __m256 {
        unsafe { _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x) }
    }
    #[inline(always)]
    fn mul_power_of_two(self, x: __m256, n: __m256) -> __m256 {
        self.mul_two_powers(x, unsafe { _mm256_cvtps_epi32(n) })
    }
    #[inline(always)]
    fn to_f32(self, x: __m256i) -> __m256 {
        unsafe { _mm256_cvtepi32_ps(x) }
    }
    #[inline(always)]
    fn bits(self, x: __m256) -> __m256i {
        unsafe { _mm256_castps_si256(x) }
    }
    #[inline(always)]
    fn with_bits(self, x: __m256i) -> __m256 {
        unsafe { _mm256_castsi256_ps(x) }
    }
    #[inline(always)]
    fn splat_i32(self, x: i32) -> __m256i {
        unsafe { _mm256_set1_epi32(x) }
    }
    #[inline(always)]
    fn add_i32(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_add_epi32(a, b) }
    }
    #[inline(always)]
    fn sub_i32(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_sub_epi32(a, b) }
    }
    #[inline(always)]
    fn and(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_and_si256(a, b) }
    }
    #[inline(always)]
    fn or(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_or_si256(a, b) }
    }
    #[inline(always)]
    fn xor(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_xor_si256(a, b) }
    }
    #[inline(always)]
    fn shl<const N: i32>(self, x: __m256i) -> __m256i {
        unsafe { _mm256_slli_epi32::<N>(x) }
    }
    #[inline(always)]
    fn shr<const N: i32>(self, x: __m256i) -> __m256i {
        unsafe { _mm256_srai_epi32::<N>(x) }
    }
    #[inline(always)]
    fn splat_u64(self, x: u64) -> [__m256i; 2] {
        unsafe { [_mm256_set1_epi64x(x.cast_signed()); 2] }
    }
    #[inline(always)]
    fn widen(self, x: __m256i) -> [__m256i; 2] {
        unsafe {
            [_mm256_and_si256(x, _mm256_set1_epi64x(0xFFFF_FFFF)), _mm256_srli_epi64::<32>(x)]
        }
    }
    #[inline(always)]
    fn narrow(self, [even, odd]: [__m256i; 2]) -> __m256i {
        unsafe { _mm256_blend_epi32::<0xAA>(even, _mm256_slli_epi64::<32>(odd)) }
    }
    #[inline(always)]
    fn upper_half(self, x: [__m256i; 2]) -> [__m256i; 2] {
        unsafe { [_mm256_srli_epi64::<32>(x[0]), _mm256_srli_epi64::<32>(x[1])] }
    }
    #[inline(always)]
    fn mul_lower_halves(self, a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] {
        unsafe { [_mm256_mul_epu32(a[0], b[0]), _mm256_mul_epu32(a[1], b[1])] }
    }
    #[inline(always)]
    fn xor_u64(self, a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] {
        [self.xor(a[0], b[0]), self.xor(a[1], b[1])]
    }
    #[inline(always)]
    fn lookup(self, table: &Table16, i: __m256i) -> __m256 {
        let table = &table.values;
        unsafe {
            let low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table.as_ptr()), i);
            let high = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table.as_ptr().add(8)), i);
            // Bit 3 of the index, moved to the sign, chooses the half.
            let bit3 = _mm256_castsi256_ps(_mm256_slli_epi32::<28>(i));
            _mm256_blendv_ps(low, high, bit3)
        }
    }
    #[inline(always)]
    fn interleave(self, a: __m256, b: __m256) -> [__m256; 2] {
        unsafe {
            // Of each half of a vector.
            let (low, high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
            [_mm256_permute2f128_ps::<0x20>(low, high), _mm256_permute2f128_ps::<0x31>(low, high)]
        }
    }
    /// One load of four elements for each lane, transposed: half the time of a gather.
    #[inline(always)]
    fn gather4(self, table: &[f32], i: __m256i) -> [__m256; 4] {
        let mask = gather4_mask(table.len());
        let mut lanes = [0i32; 8];
        unsafe {
            _mm256_storeu_si256(lanes.as_mut_ptr().cast(), self.and(i, self.splat_i32(mask)))
        };
        // The table has three more elements after the index that equals the mask.
        // Volatile, so that the indices are read from memory, one MOVSXD each. Otherwise the
        // compiler takes them out of the vector by VPEXTRD and VEXTRACTI, which use the
        // ports that the shuffles below need, and extends their signs after that.
        let four = |lane: usize| unsafe {
            _mm_loadu_ps(table.as_ptr().add(std::ptr::read_volatile(&lanes[lane]) as usize))
        };
        // Lanes 0 and 4, 1 and 5, and so on.
        let r: [__m256; 4] = std::array::from_fn(|lane| unsafe {
            _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(four(lane)), four(lane + 4))
        });
        unsafe {
            let (ab_low, ab_high) =
                (_mm256_unpacklo_ps(r[0], r[1]), _mm256_unpackhi_ps(r[0], r[1]));
            let (cd_low, cd_high) =
                (_mm256_unpacklo_ps(r[2], r[3]), _mm256_unpackhi_ps(r[2], r[3]));
            [
                _mm256_shuffle_ps::<0x44>(ab_low, cd_low),
                _mm256_shuffle_ps::<0xEE>(ab_low, cd_low),
                _mm256_shuffle_ps::<0x44>(ab_high, cd_high),
                _mm256_shuffle_ps::<0xEE>(ab_high, cd_high),
            ]
        }
    }
}
