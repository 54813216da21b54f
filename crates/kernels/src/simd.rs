//! The vector operations that the kernels need, and no more.
//!
//! An algorithm is written once, as a [`SimdOp`] whose `eval` is generic over
//! `S: Simd`; [`Isa::dispatch`](crate::Isa::dispatch) compiles it for each
//! instruction set and runs the one that was asked for.
//!
//! Everything between `dispatch` and an instruction is `#[inline(always)]`:
//! a function that is not inlined is compiled without the instruction set, and
//! then passes its vectors through memory.

use crate::matmul::microkernel::Column;

/// An instruction set: its vectors of `f32` and what can be done with them.
///
/// A value of an implementing type exists only if the CPU has the instructions
/// (see [`Isa`](crate::Isa)), so every method but those that take pointers is
/// safe: holding the value is the proof.
///
/// Lane for lane, each operation is the IEEE 754 one, rounded to nearest even.
pub trait Simd: Copy + Send + Sync + 'static {
    /// A vector of [`LEN`](Self::LEN) `f32`.
    type F32: Copy;
    /// A vector of as many `i32`.
    type I32: Copy;
    /// A vector of as many `u64`, which takes two registers.
    type U64: Copy;
    /// A truth value for each lane.
    type Mask: Copy;

    /// Lanes of a vector; a power of two that divides 16.
    const LEN: usize;

    /// Reads [`LEN`](Self::LEN) numbers; `src` need not be aligned.
    ///
    /// # Safety
    /// `src` is valid for reads of `LEN` numbers.
    unsafe fn load_ptr(self, src: *const f32) -> Self::F32;

    /// Writes [`LEN`](Self::LEN) numbers; `dst` need not be aligned.
    ///
    /// # Safety
    /// `dst` is valid for writes of `LEN` numbers.
    unsafe fn store_ptr(self, v: Self::F32, dst: *mut f32);

    /// Reads the first `n ≤ LEN` numbers; the lanes behind are 0, and the
    /// memory behind is not touched.
    ///
    /// # Safety
    /// `src` is valid for reads of `n` numbers, and `n ≤ LEN`.
    unsafe fn load_first(self, src: *const f32, n: usize) -> Self::F32;

    /// Writes the first `n ≤ LEN` lanes; the memory behind is not touched.
    ///
    /// # Safety
    /// `dst` is valid for writes of `n` numbers, and `n ≤ LEN`.
    unsafe fn store_first(self, v: Self::F32, dst: *mut f32, n: usize);

    /// Asks for the cache line at `place`, which need not be valid: soon it will
    /// be read or written. A hint, and nothing where there is no such instruction.
    #[inline(always)]
    fn prefetch(self, place: *const f32) {
        let _ = place;
    }
    /// The same, for what will be read later: into the L2 cache only.
    #[inline(always)]
    fn prefetch_l2(self, place: *const f32) {
        let _ = place;
    }
    /// The same, for what will be written: no other core keeps it.
    #[inline(always)]
    fn prefetch_write(self, place: *const f32) {
        let _ = place;
    }
    /// Writes `first + i` for each i where `any[i]` is not 0, one behind the other;
    /// returns how many. What is behind them in `to` may be anything.
    #[inline(always)]
    fn list_nonzero(self, any: &[u32; 16], first: u32, to: &mut [u32; 16]) -> usize {
        let mut len = 0;
        for (number, any) in (first..).zip(any) {
            // Kept by the next one, unless it is not 0.
            to[len & 15] = number;
            len += usize::from(*any != 0);
        }
        len
    }
    /// `x` in every lane.
    fn splat(self, x: f32) -> Self::F32;
    /// `a + b`.
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a − b`.
    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a · b`.
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a / b`.
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a · b + c`, rounded once where the instruction set can.
    fn fma(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// `c − a · b`, rounded once where the instruction set can.
    fn fnma(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// `√x`; NaN where x is negative.
    fn sqrt(self, x: Self::F32) -> Self::F32;
    /// `a` where `a < b`, else `b`; so `b` where either is NaN.
    fn min(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a` where `a > b`, else `b`; so `b` where either is NaN.
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32;

    /// Where `a < b`.
    fn lt(self, a: Self::F32, b: Self::F32) -> Self::Mask;
    /// Where `a = b`; false where either is NaN.
    fn eq(self, a: Self::F32, b: Self::F32) -> Self::Mask;
    /// Where `a < b`, read as `u32`.
    fn lt_u32(self, a: Self::I32, b: Self::I32) -> Self::Mask;
    /// `a` where the mask holds, else `b`.
    fn select(self, mask: Self::Mask, a: Self::F32, b: Self::F32) -> Self::F32;

    /// The largest integer that is not above `x`.
    fn floor(self, x: Self::F32) -> Self::F32;
    /// The nearest integer, ties to even.
    fn round(self, x: Self::F32) -> Self::F32;
    /// `x · 2ⁿ`, rounded once, for integers `|n| ≤ 252` where `x · 2^(n/2)` is a
    /// normal float or 0; NaN where x is NaN.
    fn mul_power_of_two(self, x: Self::F32, n: Self::F32) -> Self::F32;
    /// The integers as floats.
    fn to_f32(self, x: Self::I32) -> Self::F32;
    /// The bits of each float.
    fn bits(self, x: Self::F32) -> Self::I32;
    /// The floats with these bits.
    fn with_bits(self, x: Self::I32) -> Self::F32;
    /// `x` in every lane.
    fn splat_i32(self, x: i32) -> Self::I32;
    /// `a + b`, wrapping.
    fn add_i32(self, a: Self::I32, b: Self::I32) -> Self::I32;
    /// `a − b`, wrapping.
    fn sub_i32(self, a: Self::I32, b: Self::I32) -> Self::I32;
    /// Bitwise and.
    fn and(self, a: Self::I32, b: Self::I32) -> Self::I32;
    /// Bitwise or.
    fn or(self, a: Self::I32, b: Self::I32) -> Self::I32;
    /// Bitwise exclusive or.
    fn xor(self, a: Self::I32, b: Self::I32) -> Self::I32;
    /// Shifts left by `N` bits.
    fn shl<const N: i32>(self, x: Self::I32) -> Self::I32;
    /// Shifts right by `N` bits, filling with the sign.
    fn shr<const N: i32>(self, x: Self::I32) -> Self::I32;
    /// `x` in every lane.
    fn splat_u64(self, x: u64) -> Self::U64;
    /// Each lane, read as `u32`, as a `u64`.
    fn widen(self, x: Self::I32) -> Self::U64;
    /// The lower half of each number.
    fn narrow(self, x: Self::U64) -> Self::I32;
    /// The upper half of each number, as a number.
    fn upper_half(self, x: Self::U64) -> Self::U64;
    /// Product of the lower halves of `a` and `b`, all of it.
    fn mul_lower_halves(self, a: Self::U64, b: Self::U64) -> Self::U64;
    /// Bitwise exclusive or.
    fn xor_u64(self, a: Self::U64, b: Self::U64) -> Self::U64;
    /// `table[i & 15]` for each lane `i`.
    fn lookup(self, table: &[f32; 16], i: Self::I32) -> Self::F32;
    /// `a[0], b[0], a[1], b[1]` and so on, in two vectors.
    fn interleave(self, a: Self::F32, b: Self::F32) -> [Self::F32; 2];
    /// `table[j]`, `table[j + 1]`, `table[j + 2]` and `table[j + 3]` for each lane
    /// i, where j is i modulo 2ᵏ, the largest power of two with `2ᵏ + 3 ≤
    /// table.len()`: so no lane reads outside, whatever is in it.
    ///
    /// # Panics
    /// If there are fewer than four numbers in the table.
    fn gather4(self, table: &[f32], i: Self::I32) -> [Self::F32; 4];

    /// Transposes a 16 × 16 block: `to[j][i] = from[i][j]`.
    #[inline(always)]
    fn transpose(self, from: &[f32; 256], to: &mut [f32; 256]) {
        for (j, row) in to.chunks_exact_mut(16).enumerate() {
            for (i, to) in row.iter_mut().enumerate() {
                *to = from[16 * i + j];
            }
        }
    }

    /// Computes a column of tiles of a matrix product with this instruction set's
    /// register tile; see [`matmul`](crate::matmul()).
    fn column(self, column: &Column<'_>);
    /// Rows of the register tile.
    const TILE_ROWS: usize;
    /// Panels of 16 columns of the register tile.
    const TILE_PANELS: usize;

    /// Reads the first [`LEN`](Self::LEN) numbers of `src`.
    ///
    /// # Panics
    /// If there are fewer.
    #[inline(always)]
    fn load(self, src: &[f32]) -> Self::F32 {
        assert!(src.len() >= Self::LEN);
        // SAFETY: the slice holds at least LEN numbers.
        unsafe { self.load_ptr(src.as_ptr()) }
    }

    /// Writes to the first [`LEN`](Self::LEN) places of `dst`.
    ///
    /// # Panics
    /// If there are fewer.
    #[inline(always)]
    fn store(self, v: Self::F32, dst: &mut [f32]) {
        assert!(dst.len() >= Self::LEN);
        // SAFETY: the slice holds at least LEN numbers.
        unsafe { self.store_ptr(v, dst.as_mut_ptr()) }
    }

    /// Reads all of `src`, which is at most [`LEN`](Self::LEN) long; the lanes
    /// behind are 0.
    ///
    /// # Panics
    /// If `src` is longer.
    #[inline(always)]
    fn load_partial(self, src: &[f32]) -> Self::F32 {
        assert!(src.len() <= Self::LEN);
        // SAFETY: the slice holds as many numbers as are read, at most LEN.
        unsafe { self.load_first(src.as_ptr(), src.len()) }
    }

    /// Fills `dst`, which is at most [`LEN`](Self::LEN) long.
    ///
    /// # Panics
    /// If `dst` is longer.
    #[inline(always)]
    fn store_partial(self, v: Self::F32, dst: &mut [f32]) {
        assert!(dst.len() <= Self::LEN);
        // SAFETY: the slice has room for as many numbers as are written, at most LEN.
        unsafe { self.store_first(v, dst.as_mut_ptr(), dst.len()) }
    }

    /// `|x|`.
    #[inline(always)]
    fn abs(self, x: Self::F32) -> Self::F32 {
        self.with_bits(self.and(self.bits(x), self.splat_i32(i32::MAX)))
    }

    /// The sign bit of each lane, and nothing else.
    #[inline(always)]
    fn sign(self, x: Self::F32) -> Self::I32 {
        self.and(self.bits(x), self.splat_i32(i32::MIN))
    }

    /// `x · 2ⁿ` for `|n| ≤ 252`, as two products with powers of two: one alone
    /// may be no float. The first is exact where its result is a normal float, so
    /// only the second rounds.
    #[inline(always)]
    fn mul_two_powers(self, x: Self::F32, n: Self::I32) -> Self::F32 {
        let half = self.shr::<1>(n);
        let rest = self.sub_i32(n, half);
        let bias = self.splat_i32(127);
        let first = self.with_bits(self.shl::<23>(self.add_i32(half, bias)));
        let second = self.with_bits(self.shl::<23>(self.add_i32(rest, bias)));
        self.mul(self.mul(x, first), second)
    }

    /// Sum of the lanes, first to last.
    #[inline(always)]
    fn sum(self, v: Self::F32) -> f32 {
        let mut lanes = [0.0; 16];
        self.store(v, &mut lanes);
        lanes[..Self::LEN].iter().fold(0.0, |sum, x| sum + x)
    }
}

/// What [`Simd::gather4`] leaves of an index into a table of `len` numbers: at
/// most `len − 4`.
///
/// # Panics
/// If `len` is below 4.
#[inline(always)]
pub(crate) fn gather4_mask(len: usize) -> i32 {
    assert!(len >= 4, "a table of {len} numbers");
    (1 << (len - 3).ilog2().min(30)) - 1
}

/// An algorithm that runs on any instruction set.
pub trait SimdOp {
    /// What it returns.
    type Output;

    /// Runs it. Implementations are marked `#[inline(always)]`.
    fn eval<S: Simd>(self, simd: S) -> Self::Output;
}

/// A function of one variable, lane by lane.
pub trait Unary: Copy + Send + Sync {
    /// Whether it changes nothing, so that a pass over memory can be skipped.
    const IDENTITY: bool = false;

    /// The function. Implementations are marked `#[inline(always)]`.
    fn apply<S: Simd>(self, simd: S, x: S::F32) -> S::F32;
}

/// `f(x) = x`.
#[derive(Clone, Copy, Debug)]
pub struct Identity;

impl Unary for Identity {
    const IDENTITY: bool = true;

    #[inline(always)]
    fn apply<S: Simd>(self, _: S, x: S::F32) -> S::F32 {
        x
    }
}

#[cfg(test)]
mod tests {
    use super::{Simd, SimdOp};
    use crate::isa::Isa;

    /// Runs `gather4` on indices, a vector at a time: four numbers for each.
    struct Gather<'a>(&'a [f32], &'a [i32; 16]);

    impl SimdOp for Gather<'_> {
        type Output = Vec<[f32; 4]>;
        #[inline(always)]
        fn eval<S: Simd>(self, s: S) -> Vec<[f32; 4]> {
            let indices = self.1.map(|i| f32::from_bits(i.cast_unsigned()));
            let mut found = vec![[0.0; 4]; 16];
            for (part, found) in found.chunks_exact_mut(S::LEN).enumerate() {
                let i = s.bits(s.load(&indices[part * S::LEN..]));
                for (k, numbers) in s.gather4(self.0, i).into_iter().enumerate() {
                    let mut lanes = [0.0; 16];
                    s.store(numbers, &mut lanes);
                    for (found, lane) in found.iter_mut().zip(lanes) {
                        found[k] = lane;
                    }
                }
            }
            found
        }
    }

    #[test]
    fn four_numbers_are_gathered_from_inside_whatever_the_index() {
        let numbers: Vec<f32> = (0..2000u16).map(f32::from).collect();
        for (len, places) in [(4, 1), (5, 2), (6, 2), (7, 4), (66, 32), (67, 64), (2000, 1024)] {
            let indices = std::array::from_fn(|lane| match lane {
                0..8 => 37 * lane as i32,
                8 => -1,
                9 => i32::MIN,
                10 => i32::MAX,
                _ => 1 << (lane * 2),
            });
            for isa in Isa::available() {
                let found = isa.dispatch(Gather(&numbers[..len], &indices));
                for (i, found) in indices.iter().zip(found) {
                    let first = i.rem_euclid(places) as f32;
                    assert_eq!(found, [0.0, 1.0, 2.0, 3.0].map(|k| first + k), "{isa}, {len}: {i}");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "a table of 3 numbers")]
    fn a_table_has_four_numbers() {
        Isa::available()[0].dispatch(Gather(&[0.0; 3], &[0; 16]));
    }

    #[test]
    fn floors() {
        struct Floor(f32);
        impl SimdOp for Floor {
            type Output = f32;
            #[inline(always)]
            fn eval<S: Simd>(self, s: S) -> f32 {
                let mut lanes = [0.0; 16];
                s.store(s.floor(s.splat(self.0)), &mut lanes);
                lanes[S::LEN - 1]
            }
        }
        for isa in Isa::available() {
            for (x, expected) in [
                (0.0, 0.0f32),
                (-0.0, -0.0),
                (0.75, 0.0),
                (-0.25, -1.0),
                (-1.0, -1.0),
                (2.5, 2.0),
                (-2.5, -3.0),
                (8_388_607.5, 8_388_607.0),
                (-1e30, -1e30),
                (1e-40, 0.0),
            ] {
                assert_eq!(isa.dispatch(Floor(x)).to_bits(), expected.to_bits(), "{isa}: {x}");
            }
        }
    }

    #[test]
    fn vectors_are_interleaved() {
        struct Both;
        impl SimdOp for Both {
            type Output = (usize, Vec<f32>);
            #[inline(always)]
            fn eval<S: Simd>(self, s: S) -> (usize, Vec<f32>) {
                let counts: [f32; 32] = std::array::from_fn(|i| i as f32);
                let mut to = vec![0.0; 2 * S::LEN];
                let [first, second] = s.interleave(s.load(&counts), s.load(&counts[16..]));
                s.store(first, &mut to);
                s.store(second, &mut to[S::LEN..]);
                (S::LEN, to)
            }
        }
        for isa in Isa::available() {
            let (len, found) = isa.dispatch(Both);
            let expected: Vec<_> = (0..len).flat_map(|i| [i as f32, 16.0 + i as f32]).collect();
            assert_eq!(found, expected, "{isa}");
        }
    }
}
