//! Pixels of the new image, each interpolated between four of the old one.
//!
//! The image is copied into a table. There, each pixel is followed by the pixel below it,
//! and the image has a border of zeros:
//!
//! ```text
//! … 0 0 p(0,0) 0 p(0,1) 0 p(0,2) …          row −1
//! … p(0,0) p(1,0) p(0,1) p(1,1) p(0,2) …    row 0
//! ```
//!
//! So the four neighbours of a point are four consecutive values, which is one load a pixel
//! (`Simd::gather4`). A point outside the image is moved into the border.

use kernels::{AlignedBuf, Isa, Simd, SimdOp};

use super::matrix::Matrix;

/// Widths are multiples of this, and so whole vectors on every instruction set.
pub(super) const BLOCK: usize = 16;

/// Zeros before the first row of the table: the border left of that row.
const LEAD: usize = 16;

/// 2²³. Floats from here to 2²⁴ are whole numbers, whose lower bits are the integer that was
/// added to 2²³.
const ONES: f32 = 8_388_608.0;

/// Samples images of one size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sampler {
    rows: usize,
    cols: usize,
    /// Pairs in a row of the table. At least one pair after the last column is 0; it is
    /// also the border left of the next row.
    pairs: usize,
    /// Length of the table, 2ᵏ + 3. `gather4` masks an offset to k bits and loads four
    /// values from there, so every load is inside, and no offset that is used is changed.
    table_len: usize,
}

/// What is added to the point of each pixel, after the matrix.
pub(super) trait Displace {
    /// Is called before the first pixel.
    fn prepare<S: Simd>(&mut self, s: S);
    /// For a vector of pixels of a row, from column `col` on: along x, and along y. `None`
    /// adds nothing.
    fn displacement<S: Simd>(&self, s: S, row: usize, col: usize) -> Option<[S::F32; 2]>;
}

/// No displacement.
pub(super) struct Straight;

impl Displace for Straight {
    #[inline(always)]
    fn prepare<S: Simd>(&mut self, _: S) {}
    #[inline(always)]
    fn displacement<S: Simd>(&self, _: S, _: usize, _: usize) -> Option<[S::F32; 2]> {
        None
    }
}

impl Sampler {
    pub(super) fn new(rows: usize, cols: usize) -> Self {
        let pairs = (cols + 1).next_multiple_of(BLOCK);
        // Rows −1 to `rows`.
        let used = LEAD + (rows + 2) * 2 * pairs;
        Self { rows, cols, pairs, table_len: used.next_power_of_two() + 3 }
    }

    /// Replaces each pixel of `image` by the value at its point; `table` is scratch memory.
    pub(super) fn sample(
        &self,
        isa: Isa,
        matrix: &Matrix,
        displace: impl Displace,
        table: &mut AlignedBuf,
        image: &mut [f32],
    ) {
        table.resize(self.table_len);
        isa.dispatch(Sample { sampler: *self, matrix, displace, table, image });
    }
}

struct Sample<'a, D> {
    sampler: Sampler,
    matrix: &'a Matrix,
    displace: D,
    table: &'a mut [f32],
    image: &'a mut [f32],
}

impl<D: Displace> SimdOp for Sample<'_, D> {
    type Output = ();

    #[inline(always)]
    fn eval<S: Simd>(self, s: S) {
        let Self { sampler, matrix, mut displace, table, image } = self;
        let Sampler { rows, cols, pairs, .. } = sampler;
        sampler.fill(s, image, table);
        displace.prepare(s);

        let lanes = lanes(s);
        let [x_x, y_x] = [matrix.x[0], matrix.y[0]].map(|step| s.splat(step));
        let border = s.splat(-1.0);
        let [last_x, last_y] = [cols, rows].map(|count| s.splat(count as f32));
        let (two, line) = (s.splat(2.0), s.splat((2 * pairs) as f32));
        let origin = s.splat(ONES + (LEAD + 2 * pairs) as f32);

        for (row, to) in image.chunks_exact_mut(cols).enumerate() {
            let y = s.splat(row as f32);
            let x_0 = s.fma(s.splat(matrix.x[1]), y, s.splat(matrix.x[2]));
            let y_0 = s.fma(s.splat(matrix.y[1]), y, s.splat(matrix.y[2]));
            for at in (0..cols).step_by(S::LEN) {
                // The last vector begins earlier, so that it is whole, if the row is that long.
                let col = at.min(cols.saturating_sub(S::LEN));
                let to = &mut to[col..];
                let x = s.add(s.splat(col as f32), lanes);
                let mut at_x = s.fma(x_x, x, x_0);
                let mut at_y = s.fma(y_x, x, y_0);
                if let Some([x, y]) = displace.displacement(s, row, col) {
                    at_x = s.add(at_x, x);
                    at_y = s.add(at_y, y);
                }
                let at_x = s.min(s.max(at_x, border), last_x);
                let at_y = s.min(s.max(at_y, border), last_y);
                let (left, top) = (s.floor(at_x), s.floor(at_y));
                let (right, down) = (s.sub(at_x, left), s.sub(at_y, top));
                let offset = s.fma(line, top, s.fma(two, left, origin));
                let [a, c, b, d] = s.gather4(table, s.bits(offset));
                let upper = s.fma(right, s.sub(b, a), a);
                let lower = s.fma(right, s.sub(d, c), c);
                let pixel = s.fma(down, s.sub(lower, upper), upper);
                if to.len() >= S::LEN {
                    s.store(pixel, to);
                } else {
                    s.store_partial(pixel, to);
                }
            }
        }
    }
}

impl Sampler {
    /// Writes the table.
    #[inline(always)]
    fn fill<S: Simd>(&self, s: S, image: &[f32], table: &mut [f32]) {
        let Self { rows, cols, pairs, .. } = *self;
        table[..LEAD].fill(0.0);
        let line_len = 2 * pairs;
        let mut lines = &mut table[LEAD..][..(rows + 2) * line_len];
        for line in 0..rows + 2 {
            let (to, rest) = lines.split_at_mut(line_len);
            lines = rest;
            // A row outside the image is empty, and reads as zeros.
            let row = |row: usize| if row < rows { &image[row * cols..][..cols] } else { &[] };
            let upper = if line == 0 { &[] } else { row(line - 1) };
            let lower = row(line);
            for (vector, to) in to.chunks_exact_mut(2 * S::LEN).enumerate() {
                let [upper, lower] =
                    [upper, lower].map(|row| load_or_zeros(s, row, vector * S::LEN));
                let [first, second] = s.interleave(upper, lower);
                s.store(first, to);
                s.store(second, &mut to[S::LEN..]);
            }
        }
    }
}

/// A vector of a row from column `col` on, with zeros after the end of the row.
#[inline(always)]
fn load_or_zeros<S: Simd>(s: S, row: &[f32], col: usize) -> S::F32 {
    match row.get(col..) {
        // A masked load from an address that is not valid takes long, even of no element.
        None | Some([]) => s.splat(0.0),
        Some(rest) if rest.len() < S::LEN => s.load_partial(rest),
        Some(rest) => s.load(rest),
    }
}

/// The index of each lane.
#[inline(always)]
fn lanes<S: Simd>(s: S) -> S::F32 {
    let counts: [f32; BLOCK] = std::array::from_fn(|i| i as f32);
    s.load(&counts)
}
