//! Four vectors of AVX2 as one, for functions of single elements.
//!
//! ```text
//! for each operation of the function:
//!     for each of the four vectors: the operation
//! ```
//!
//! - **Latencies.** A function is a chain: each instruction waits for the one before it. A
//!   CPU overlaps the chains of consecutive vectors, but only as far as it looks ahead. A
//!   Zen 3 has 160 vector registers for all results that wait, enough for two or three
//!   vectors of tanh, and so it computes half of the time. Here the next instruction is of
//!   another chain, and rarely waits.
//! - **Lookups.** The 32 indices fit into one vector of bytes, and finding a byte takes one
//!   instruction of one micro-operation: with four bytes a value and what puts them together,
//!   three for each vector, where a permutation of each half of the table takes five.
//! - **The order of the program stays.** The compiler would rather keep fewer values in
//!   registers, and puts the operations of one vector together again: see [`together`].
//!
//! Sixteen registers are too few for some functions. What does not fit is stored and loaded
//! again, which takes less time than the latencies did.

use std::arch::asm;
use std::arch::x86_64::*;

use super::avx2::Avx2;
use crate::simd::sealed::Sealed;
use crate::simd::{Simd, SimdOp, Table16};

/// AVX2, four vectors at a time.
#[derive(Clone, Copy)]
pub(super) struct Quad(pub(super) Avx2);

impl Sealed for Quad {}

/// Of 32 indices, as bytes, one shuffle finds one of the four bytes of each value.
#[inline(always)]
fn lookup(s: Avx2, table: &Table16, [a, b, c, d]: [__m256i; 4]) -> [__m256; 4] {
    let fifteen = s.splat_i32(15);
    let [a, b] = [s.and(a, fifteen), s.and(b, fifteen)];
    let [c, d] = [s.and(c, fifteen), s.and(d, fifteen)];
    let [first, second, third, fourth] = &table.bytes;
    // SAFETY: `s` exists only if `detect` found AVX2.
    unsafe {
        let i = _mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
        let (first, second) = (shuffle(first, i), shuffle(second, i));
        let (third, fourth) = (shuffle(third, i), shuffle(fourth, i));
        // What packing has put together comes apart in the reverse order.
        let lower = _mm256_unpacklo_epi8(first, second);
        let upper = _mm256_unpacklo_epi8(third, fourth);
        let a = _mm256_castsi256_ps(_mm256_unpacklo_epi16(lower, upper));
        let b = _mm256_castsi256_ps(_mm256_unpackhi_epi16(lower, upper));
        let lower = _mm256_unpackhi_epi8(first, second);
        let upper = _mm256_unpackhi_epi8(third, fourth);
        let c = _mm256_castsi256_ps(_mm256_unpacklo_epi16(lower, upper));
        let d = _mm256_castsi256_ps(_mm256_unpackhi_epi16(lower, upper));
        together([a, b, c, d])
    }
}

/// `bytes[i]` for each byte i.
///
/// # Safety
/// The CPU has AVX2.
#[inline(always)]
unsafe fn shuffle(bytes: &[u8; 16], i: __m256i) -> __m256i {
    let bytes = hidden(bytes);
    // SAFETY: the caller vouches for AVX2; 16 bytes are loaded from 16.
    unsafe {
        let bytes = _mm_loadu_si128(bytes.as_ptr().cast());
        _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytes), i)
    }
}

/// Returns the four vectors. The compiler computes all of them before those of the next call
/// in the program. Otherwise it evaluates the polynomial of one vector and then that of
/// another, and keeps the bytes of all tables for it in memory.
#[inline]
#[target_feature(enable = "avx2")]
fn together([mut a, mut b, mut c, mut d]: [__m256; 4]) -> [__m256; 4] {
    // SAFETY: no instruction.
    unsafe {
        asm!(
            "/* {0} {1} {2} {3} */",
            inout(ymm_reg) a, inout(ymm_reg) b, inout(ymm_reg) c, inout(ymm_reg) d,
            options(nomem, nostack, preserves_flags)
        );
    }
    [a, b, c, d]
}

/// Returns `bytes`. The compiler does not know that they are the same in each round of a loop,
/// and so does not copy all tables of a function to the stack before the loop.
#[inline(always)]
#[allow(clippy::pointers_in_nomem_asm_block, reason = "nothing is read there")]
fn hidden(bytes: &[u8; 16]) -> &[u8; 16] {
    let mut pointer: *const [u8; 16] = bytes;
    // SAFETY: no instruction, so the pointer is still that of `bytes`.
    unsafe {
        asm!("/* {0} */", inout(reg) pointer, options(nomem, nostack, preserves_flags));
        &*pointer
    }
}

/// Methods that do the same with each of the four vectors.
macro_rules! each {
    ($($name:ident($($x:ident: $X:ident),+) -> $Y:ident;)+) => {
        $(#[inline(always)]
        fn $name(self, $($x: Self::$X),+) -> Self::$Y {
            [
                self.0.$name($($x[0]),+),
                self.0.$name($($x[1]),+),
                self.0.$name($($x[2]),+),
                self.0.$name($($x[3]),+),
            ]
        })+
    };
}

/// The same, for the operations whose order is kept.
macro_rules! in_order {
    ($($name:ident($($x:ident: F32),+) -> F32;)+) => {
        $(#[inline(always)]
        fn $name(self, $($x: Self::F32),+) -> Self::F32 {
            let s = self.0;
            let v = [
                s.$name($($x[0]),+),
                s.$name($($x[1]),+),
                s.$name($($x[2]),+),
                s.$name($($x[3]),+),
            ];
            // SAFETY: the CPU has AVX2, because `s` exists only if `detect` found it.
            unsafe { together(v) }
        })+
    };
}

// SAFETY: each method is that of AVX2, once for each vector, and the value inside is the
// proof that the CPU has the instructions.
unsafe impl Simd for Quad {
    type F32 = [__m256; 4];
    type I32 = [__m256i; 4];
    type U64 = [[__m256i; 2]; 4];
    type Mask = [__m256; 4];
    /// Not used: a tile has many vectors already.
    type Tile = <Avx2 as Simd>::Tile;
    type SparseTile = <Avx2 as Simd>::SparseTile;
    type Wide = Self;

    const NAME: &'static str = Avx2::NAME;
    const LEN: usize = 4 * Avx2::LEN;
    const FUSES: bool = Avx2::FUSES;

    #[inline(always)]
    fn wide(self) -> Self {
        self
    }
    #[inline(always)]
    fn vectorize<O: SimdOp>(self, op: O) -> O::Output {
        self.0.vectorize(op)
    }

    #[inline(always)]
    unsafe fn load_ptr(self, src: *const f32) -> Self::F32 {
        // SAFETY: the caller vouches for the lanes of four vectors.
        unsafe {
            [
                self.0.load_ptr(src),
                self.0.load_ptr(src.add(Avx2::LEN)),
                self.0.load_ptr(src.add(2 * Avx2::LEN)),
                self.0.load_ptr(src.add(3 * Avx2::LEN)),
            ]
        }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, v: Self::F32, dst: *mut f32) {
        // SAFETY: as above.
        unsafe {
            self.0.store_ptr(v[0], dst);
            self.0.store_ptr(v[1], dst.add(Avx2::LEN));
            self.0.store_ptr(v[2], dst.add(2 * Avx2::LEN));
            self.0.store_ptr(v[3], dst.add(3 * Avx2::LEN));
        }
    }
    #[inline(always)]
    unsafe fn load_first(self, src: *const f32, n: usize) -> Self::F32 {
        let mut v = self.splat(0.0);
        for (k, v) in v.iter_mut().enumerate() {
            let from = k * Avx2::LEN;
            if from < n {
                // SAFETY: the caller vouches for the elements before `n`.
                *v = unsafe { self.0.load_first(src.add(from), Avx2::LEN.min(n - from)) };
            }
        }
        v
    }
    #[inline(always)]
    unsafe fn store_first(self, v: Self::F32, dst: *mut f32, n: usize) {
        for (k, v) in v.into_iter().enumerate() {
            let from = k * Avx2::LEN;
            if from < n {
                // SAFETY: as above.
                unsafe { self.0.store_first(v, dst.add(from), Avx2::LEN.min(n - from)) };
            }
        }
    }
    #[inline(always)]
    fn prefetch(self, address: *const f32) {
        self.0.prefetch(address);
    }
    #[inline(always)]
    fn prefetch_l2(self, address: *const f32) {
        self.0.prefetch_l2(address);
    }
    #[inline(always)]
    fn prefetch_write(self, address: *const f32) {
        self.0.prefetch_write(address);
    }
    #[inline(always)]
    fn list_nonzero(self, any: &[u32; 16], first: u32, to: &mut [u32; 16]) -> usize {
        self.0.list_nonzero(any, first, to)
    }
    #[inline(always)]
    fn transpose(self, from: &[f32; 256], to: &mut [f32; 256]) {
        self.0.transpose(from, to);
    }

    #[inline(always)]
    fn splat(self, x: f32) -> Self::F32 {
        [self.0.splat(x); 4]
    }
    #[inline(always)]
    fn splat_i32(self, x: i32) -> Self::I32 {
        [self.0.splat_i32(x); 4]
    }
    #[inline(always)]
    fn splat_u64(self, x: u64) -> Self::U64 {
        [self.0.splat_u64(x); 4]
    }
    each! {
        add(a: F32, b: F32) -> F32;
        sub(a: F32, b: F32) -> F32;
        mul(a: F32, b: F32) -> F32;
        sqrt(x: F32) -> F32;
        min(a: F32, b: F32) -> F32;
        max(a: F32, b: F32) -> F32;
        lt(a: F32, b: F32) -> Mask;
        eq(a: F32, b: F32) -> Mask;
        lt_u32(a: I32, b: I32) -> Mask;
        select(mask: Mask, a: F32, b: F32) -> F32;
        floor(x: F32) -> F32;
        round(x: F32) -> F32;
        mul_power_of_two(x: F32, n: F32) -> F32;
        to_f32(x: I32) -> F32;
        bits(x: F32) -> I32;
        with_bits(x: I32) -> F32;
        add_i32(a: I32, b: I32) -> I32;
        sub_i32(a: I32, b: I32) -> I32;
        and(a: I32, b: I32) -> I32;
        or(a: I32, b: I32) -> I32;
        xor(a: I32, b: I32) -> I32;
        widen(x: I32) -> U64;
        narrow(x: U64) -> I32;
        upper_half(x: U64) -> U64;
        mul_lower_halves(a: U64, b: U64) -> U64;
        xor_u64(a: U64, b: U64) -> U64;
    }
    in_order! {
        div(a: F32, b: F32) -> F32;
        fma(a: F32, b: F32, c: F32) -> F32;
        fnma(a: F32, b: F32, c: F32) -> F32;
    }
    #[inline(always)]
    fn shl<const N: i32>(self, x: Self::I32) -> Self::I32 {
        let s = self.0;
        [s.shl::<N>(x[0]), s.shl::<N>(x[1]), s.shl::<N>(x[2]), s.shl::<N>(x[3])]
    }
    #[inline(always)]
    fn shr<const N: i32>(self, x: Self::I32) -> Self::I32 {
        let s = self.0;
        [s.shr::<N>(x[0]), s.shr::<N>(x[1]), s.shr::<N>(x[2]), s.shr::<N>(x[3])]
    }
    #[inline(always)]
    fn lookup(self, table: &Table16, i: Self::I32) -> Self::F32 {
        lookup(self.0, table, i)
    }
    #[inline(always)]
    fn interleave(self, a: Self::F32, b: Self::F32) -> [Self::F32; 2] {
        let s = self.0;
        let [a, b, c, d] = [
            s.interleave(a[0], b[0]),
            s.interleave(a[1], b[1]),
            s.interleave(a[2], b[2]),
            s.interleave(a[3], b[3]),
        ];
        [[a[0], a[1], b[0], b[1]], [c[0], c[1], d[0], d[1]]]
    }
    #[inline(always)]
    fn gather4(self, table: &[f32], i: Self::I32) -> [Self::F32; 4] {
        let s = self.0;
        let found = i.map(|i| s.gather4(table, i));
        std::array::from_fn(|k| [found[0][k], found[1][k], found[2][k], found[3][k]])
    }
}
