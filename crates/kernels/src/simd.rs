//! The vector operations that the kernels need, and no more.
//!
//! An algorithm is written once, as a [`SimdOp`] whose `eval` is generic over `S: Simd`.
//! [`Isa::dispatch`](crate::Isa::dispatch) compiles it for each instruction set and runs
//! the version for the given one.
//!
//! Everything between `dispatch` and an instruction is `#[inline(always)]`: the compiler
//! may use the instruction set only inside of [`Simd::vectorize`]. A function that is not
//! inlined there is compiled without it, and passes its vectors through memory.

/// Keeps other crates from implementing [`Simd`](super::Simd) and [`Tile`](super::Tile).
pub(crate) mod sealed {
    /// Implemented for what this crate chose.
    pub trait Sealed {}
}

/// An instruction set: its vectors of `f32` and the operations on them.
///
/// A value of an implementing type exists only if the CPU has the instructions (see
/// [`Isa`](crate::Isa)), so all methods are safe except those that take pointers: the
/// value is the proof.
///
/// In each lane, each operation is the IEEE 754 operation, rounded to nearest even.
///
/// # Safety
/// An implementation promises three things that `unsafe` code relies on and that the
/// compiler cannot check: a value exists only after a check of the CPU; the methods that
/// take pointers touch no more memory than they say; and results are as documented, since
/// the matrix product reads the columns that [`list_nonzero`](Self::list_nonzero) lists.
///
/// The trait is sealed too: `unsafe` tells the author of the next instruction set what to
/// promise, and the seal lets methods be added without breaking other crates.
pub unsafe trait Simd: sealed::Sealed + Copy + Send + Sync + 'static {
    /// A vector of [`LEN`](Self::LEN) `f32`.
    type F32: Copy;
    /// A vector of [`LEN`](Self::LEN) `i32`.
    type I32: Copy;
    /// A vector of [`LEN`](Self::LEN) `u64`, which fills two registers.
    type U64: Copy;
    /// A truth value for each lane.
    type Mask: Copy;
    /// The tile of C that the [matrix product](crate::matmul()) keeps in registers.
    type Tile: Tile;
    /// The register tile of a product that leaves out steps of k: with fewer rows, there are
    /// more steps in which all of them are 0. Its rows divide those of [`Tile`](Self::Tile).
    type SparseTile: Tile;
    /// The same instruction set with the vectors of [`wide`](Self::wide).
    type Wide: Simd;

    /// Name of the instruction set, such as `avx2`.
    const NAME: &'static str;
    /// Lanes of a vector: a power of two that divides 16, or is up to 32 in
    /// [`Wide`](Self::Wide).
    const LEN: usize;
    /// Whether [`fma`](Self::fma) and [`fnma`](Self::fnma) round once.
    const FUSES: bool;

    /// Runs `op`, compiled for this instruction set. If the instruction set is more than
    /// what every CPU has, that is a function of its own, which is not inlined.
    fn vectorize<O: SimdOp>(self, op: O) -> O::Output;

    /// The same instruction set, for functions of single elements: with vectors of some
    /// registers where one after the other would wait for the latencies of its instructions.
    /// All lanes get the same bits as without.
    fn wide(self) -> Self::Wide;

    /// Reads [`LEN`](Self::LEN) elements; `src` need not be aligned.
    ///
    /// # Safety
    /// `src` is valid for reads of `LEN` elements.
    unsafe fn load_ptr(self, src: *const f32) -> Self::F32;

    /// Writes [`LEN`](Self::LEN) elements; `dst` need not be aligned.
    ///
    /// # Safety
    /// `dst` is valid for writes of `LEN` elements.
    unsafe fn store_ptr(self, v: Self::F32, dst: *mut f32);

    /// Reads the first `n ≤ LEN` elements; the other lanes become 0, and their memory is
    /// not touched.
    ///
    /// # Safety
    /// `src` is valid for reads of `n` elements, and `n ≤ LEN`.
    unsafe fn load_first(self, src: *const f32, n: usize) -> Self::F32;

    /// Writes the first `n ≤ LEN` lanes; memory after them is not touched.
    ///
    /// # Safety
    /// `dst` is valid for writes of `n` elements, and `n ≤ LEN`.
    unsafe fn store_first(self, v: Self::F32, dst: *mut f32, n: usize);

    /// Prefetches the cache line at `address` for reading. The address need not be valid.
    /// Does nothing where there is no such instruction.
    #[inline(always)]
    fn prefetch(self, address: *const f32) {
        let _ = address;
    }
    /// Prefetches the cache line at `address` into the L2 cache only, for a later read.
    #[inline(always)]
    fn prefetch_l2(self, address: *const f32) {
        let _ = address;
    }
    /// Prefetches the cache line at `address` for writing: other cores drop their copies.
    #[inline(always)]
    fn prefetch_write(self, address: *const f32) {
        let _ = address;
    }
    /// Writes `first + i` to `to` for each i where `any[i]` is not 0, in ascending order
    /// and without gaps; returns how many. The rest of `to` is unspecified.
    #[inline(always)]
    fn list_nonzero(self, any: &[u32; 16], first: u32, to: &mut [u32; 16]) -> usize {
        let mut len = 0;
        for (i, any) in (0..).zip(any) {
            // The next one overwrites it, unless `any` is not 0.
            to[len & 15] = first.wrapping_add(i);
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
    /// `a · b + c`, rounded once if the instruction set [can](Self::FUSES).
    fn fma(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// `c − a · b`, rounded once if the instruction set [can](Self::FUSES).
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
    /// `a` where the mask is true, else `b`.
    fn select(self, mask: Self::Mask, a: Self::F32, b: Self::F32) -> Self::F32;

    /// The largest integer that is not above `x`.
    fn floor(self, x: Self::F32) -> Self::F32;
    /// The nearest integer, ties to even.
    fn round(self, x: Self::F32) -> Self::F32;
    /// `x · 2ⁿ`, rounded once, for integers `|n| ≤ 252` where `x · 2^(n/2)` is a
    /// normal float or 0; NaN where x is NaN.
    fn mul_power_of_two(self, x: Self::F32, n: Self::F32) -> Self::F32;
    /// Converts integers to floats.
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
    /// Shifts right by `N` bits and copies the sign into them.
    fn shr<const N: i32>(self, x: Self::I32) -> Self::I32;
    /// `x` in every lane.
    fn splat_u64(self, x: u64) -> Self::U64;
    /// Each lane, read as `u32`, as a `u64`.
    fn widen(self, x: Self::I32) -> Self::U64;
    /// The lower half of each lane.
    fn narrow(self, x: Self::U64) -> Self::I32;
    /// The upper half of each lane, as a `u64`.
    fn upper_half(self, x: Self::U64) -> Self::U64;
    /// All 64 bits of the product of the lower halves of `a` and `b`.
    fn mul_lower_halves(self, a: Self::U64, b: Self::U64) -> Self::U64;
    /// Bitwise exclusive or.
    fn xor_u64(self, a: Self::U64, b: Self::U64) -> Self::U64;
    /// Value `i & 15` of the table for each lane `i`.
    fn lookup(self, table: &Table16, i: Self::I32) -> Self::F32;
    /// `a[0], b[0], a[1], b[1]` and so on, in two vectors.
    fn interleave(self, a: Self::F32, b: Self::F32) -> [Self::F32; 2];
    /// `table[j]`, `table[j + 1]`, `table[j + 2]` and `table[j + 3]` for each lane
    /// i, where j is i modulo 2ᵏ, the largest power of two with `2ᵏ + 3 ≤
    /// table.len()`: so every lane reads inside the table, for any i.
    ///
    /// # Panics
    /// If the table has fewer than four elements.
    fn gather4(self, table: &[f32], i: Self::I32) -> [Self::F32; 4];

    /// Writes the columns of 8 × 8 elements, of which row i begins at `rows[i]`: column j to
    /// `to[j·step..]`, in ascending order, 8 elements each or the first `step ≤ 8`.
    ///
    /// # Panics
    /// If a row has fewer than 8 elements, or `to` fewer than `7·step + 8`.
    #[inline(always)]
    fn columns_of_8(self, rows: [&[f32]; 8], to: &mut [f32], step: usize) {
        assert!(step <= 8 && to.len() >= 7 * step + 8);
        for j in 0..8 {
            for (i, row) in rows.iter().enumerate().take(step) {
                to[j * step + i] = row[j];
            }
        }
    }

    /// Transposes a 16 × 16 block: `to[j][i] = from[i][j]`.
    #[inline(always)]
    fn transpose(self, from: &[f32; 256], to: &mut [f32; 256]) {
        for (j, row) in to.chunks_exact_mut(16).enumerate() {
            for (i, to) in row.iter_mut().enumerate() {
                *to = from[16 * i + j];
            }
        }
    }

    /// Reads the first [`LEN`](Self::LEN) elements of `src`.
    ///
    /// # Panics
    /// If there are fewer.
    #[inline(always)]
    fn load(self, src: &[f32]) -> Self::F32 {
        assert!(src.len() >= Self::LEN);
        // SAFETY: the slice has at least LEN elements.
        unsafe { self.load_ptr(src.as_ptr()) }
    }

    /// Writes the first [`LEN`](Self::LEN) elements of `dst`.
    ///
    /// # Panics
    /// If there are fewer.
    #[inline(always)]
    fn store(self, v: Self::F32, dst: &mut [f32]) {
        assert!(dst.len() >= Self::LEN);
        // SAFETY: the slice has at least LEN elements.
        unsafe { self.store_ptr(v, dst.as_mut_ptr()) }
    }

    /// Reads all of `src`, which has at most [`LEN`](Self::LEN) elements; the other lanes
    /// become 0.
    ///
    /// # Panics
    /// If `src` is longer.
    #[inline(always)]
    fn load_partial(self, src: &[f32]) -> Self::F32 {
        assert!(src.len() <= Self::LEN);
        // SAFETY: the slice has the elements that are read, at most LEN.
        unsafe { self.load_first(src.as_ptr(), src.len()) }
    }

    /// Fills `dst`, which has at most [`LEN`](Self::LEN) elements.
    ///
    /// # Panics
    /// If `dst` is longer.
    #[inline(always)]
    fn store_partial(self, v: Self::F32, dst: &mut [f32]) {
        assert!(dst.len() <= Self::LEN);
        // SAFETY: the slice has the elements that are written, at most LEN.
        unsafe { self.store_first(v, dst.as_mut_ptr(), dst.len()) }
    }

    /// `|x|`.
    #[inline(always)]
    fn abs(self, x: Self::F32) -> Self::F32 {
        self.with_bits(self.and(self.bits(x), self.splat_i32(i32::MAX)))
    }

    /// The sign bit of each lane; all other bits are 0.
    #[inline(always)]
    fn sign(self, x: Self::F32) -> Self::I32 {
        self.and(self.bits(x), self.splat_i32(i32::MIN))
    }

    /// `x · 2ⁿ` for `|n| ≤ 252`, as two products with powers of two, because 2ⁿ alone may
    /// not be a float. The first product is exact where it is a normal float, so only
    /// the second rounds.
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
        let mut lanes = [0.0; 32];
        self.store(v, &mut lanes);
        lanes[..Self::LEN].iter().fold(0.0, |sum, x| sum + x)
    }
}

/// A table for [`Simd::lookup`].
#[derive(Debug)]
#[repr(align(64))]
pub struct Table16 {
    pub(crate) values: [f32; 16],
    /// Byte k of each value, the lowest first: for a CPU that shuffles 16 bytes faster than
    /// 16 floats.
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "AVX2 alone uses it"))]
    pub(crate) bytes: [[u8; 16]; 4],
}

impl Table16 {
    /// The table of these values.
    #[must_use]
    pub const fn new(values: [f32; 16]) -> Self {
        let mut bytes = [[0; 16]; 4];
        let mut i = 0;
        while i < 4 * 16 {
            bytes[i / 16][i % 16] = values[i % 16].to_le_bytes()[i / 16];
            i += 1;
        }
        Self { values, bytes }
    }
}

/// The mask that [`Simd::gather4`] applies to an index into a table of `len` elements. No
/// masked index is above `len − 4`.
///
/// # Panics
/// If `len` is below 4.
#[inline(always)]
pub(crate) fn gather4_mask(len: usize) -> i32 {
    assert!(len >= 4, "a table of {len} elements, but gather4 reads 4 at a time");
    (1 << (len - 3).ilog2().min(30)) - 1
}

/// An algorithm that runs on any instruction set.
pub trait SimdOp {
    /// What it returns.
    type Output;

    /// Runs it. Implementations are marked `#[inline(always)]`.
    fn eval<S: Simd>(self, simd: S) -> Self::Output;
}

/// Rows of a register tile at the most.
pub(crate) const MAX_TILE_ROWS: usize = 8;
/// Panels of a register tile at the most.
pub(crate) const MAX_TILE_PANELS: usize = 3;

/// The shape of a register tile, as a type, so that a [`TileOp`] gets it in constants.
pub trait Tile: sealed::Sealed {
    /// Rows of the tile, at most 8.
    const ROWS: usize;
    /// Panels of 16 columns of the tile, at most 3.
    const PANELS: usize;

    /// Runs `op` with this shape.
    fn visit<S: Simd, O: TileOp>(simd: S, op: O);
}

/// An algorithm that keeps a tile in registers, and so needs its shape in constants.
pub trait TileOp {
    /// Runs it for tiles of `ROWS` rows and `PANELS` panels, where a row of a panel is
    /// `VECTORS` vectors. Implementations are marked `#[inline(always)]`.
    fn eval<S: Simd, const ROWS: usize, const PANELS: usize, const VECTORS: usize>(self, simd: S);
}

/// A tile of `ROWS` rows and `PANELS` panels, where a row of a panel is `VECTORS` vectors.
pub(crate) enum Registers<const ROWS: usize, const PANELS: usize, const VECTORS: usize> {}

impl<const ROWS: usize, const PANELS: usize, const VECTORS: usize> sealed::Sealed
    for Registers<ROWS, PANELS, VECTORS>
{
}

impl<const ROWS: usize, const PANELS: usize, const VECTORS: usize> Tile
    for Registers<ROWS, PANELS, VECTORS>
{
    const ROWS: usize = {
        assert!(0 < ROWS && ROWS <= MAX_TILE_ROWS);
        ROWS
    };
    const PANELS: usize = {
        assert!(0 < PANELS && PANELS <= MAX_TILE_PANELS);
        PANELS
    };

    #[inline(always)]
    fn visit<S: Simd, O: TileOp>(simd: S, op: O) {
        op.eval::<S, ROWS, PANELS, VECTORS>(simd);
    }
}

/// A function of one variable, applied to each lane. A vector may have up to 32 lanes, where
/// several registers make one.
pub trait Unary: Copy + Send + Sync {
    /// Whether the function changes nothing, so that a pass over memory can be skipped.
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
