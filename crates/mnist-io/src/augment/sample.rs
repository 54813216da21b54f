//! Pixels of the new image, each interpolated between four of the old one.
//!
//! The image is copied into a table in which each pixel has the one below it
//! beside it, among zeros:
//!
//! ```text
//! … 0 0 p(0,0) 0 p(0,1) 0 p(0,2) …          row −1
//! … p(0,0) p(1,0) p(0,1) p(1,1) p(0,2) …    row 0
//! ```
//!
//! So the four neighbours of a place are four numbers in a row, one load a pixel
//! (`Simd::gather4`). Places outside the image are moved to its border of zeros.

use kernels::{AlignedBuf, Isa, Simd, SimdOp};

use super::elastic::Smoothing;
use super::matrix::Matrix;

/// Widths are whole blocks, which are whole vectors on every instruction set.
pub(super) const BLOCK: usize = 16;

/// Zeros before the table's first row, for the column before its first.
const LEAD: usize = 16;

/// A float of this size counts in ones, so its lower bits are an integer.
const ONES: f32 = 8_388_608.0;

/// Samples images of one size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sampler {
    rows: usize,
    cols: usize,
    /// Pairs in a row of the table. At least one behind the last column is 0, and
    /// is also the one before the first column of the next row.
    pairs: usize,
    /// Numbers in the table: so many that `gather4` may begin at any it is to.
    table: usize,
}

/// Elastic displacements of one image.
pub(super) struct Bend<'a> {
    pub(super) smoothing: &'a Smoothing,
    /// Numbers on (−1, 1), one for each node and axis.
    pub(super) noise: &'a [f32],
    pub(super) fields: &'a mut AlignedBuf,
}

impl Sampler {
    pub(super) fn new(rows: usize, cols: usize) -> Self {
        let pairs = (cols + 1).next_multiple_of(BLOCK);
        // Rows −1 to `rows`.
        let places = LEAD + (rows + 2) * 2 * pairs;
        Self { rows, cols, pairs, table: places.next_power_of_two() + 3 }
    }

    /// Replaces `image` by what lies where the map leads; `table` is scratch memory.
    pub(super) fn sample(
        &self,
        isa: Isa,
        matrix: &Matrix,
        bend: Option<Bend<'_>>,
        table: &mut AlignedBuf,
        image: &mut [f32],
    ) {
        table.resize(self.table);
        match bend {
            None => isa.dispatch(Sample { sampler: *self, matrix, bend: Straight, table, image }),
            Some(Bend { smoothing, noise, fields }) => {
                fields.resize(2 * smoothing.down * smoothing.width);
                let bend = Bent { smoothing, noise, fields };
                isa.dispatch(Sample { sampler: *self, matrix, bend, table, image });
            }
        }
    }
}

/// What is added to the place of a pixel.
trait Displace {
    /// Before the first pixel.
    fn prepare<S: Simd>(&mut self, s: S);
    /// For the pixels from `col` on in a row: along x, and along y, if anything.
    fn at<S: Simd>(&self, s: S, row: usize, col: usize) -> Option<[S::F32; 2]>;
}

struct Straight;

impl Displace for Straight {
    #[inline(always)]
    fn prepare<S: Simd>(&mut self, _: S) {}
    #[inline(always)]
    fn at<S: Simd>(&self, _: S, _: usize, _: usize) -> Option<[S::F32; 2]> {
        None
    }
}

struct Bent<'a> {
    smoothing: &'a Smoothing,
    noise: &'a [f32],
    /// Noise smoothed along rows: for each axis, nodes × width.
    fields: &'a mut [f32],
}

impl Displace for Bent<'_> {
    #[inline(always)]
    fn prepare<S: Simd>(&mut self, s: S) {
        let Smoothing { down, right, width, ref by_col, .. } = *self.smoothing;
        let (along_x, along_y) = self.fields.split_at_mut(down * width);
        let (noise_x, noise_y) = self.noise.split_at(down * right);
        let lines = along_x.chunks_exact_mut(width).zip(along_y.chunks_exact_mut(width));
        let noise = noise_x.chunks_exact(right).zip(noise_y.chunks_exact(right));
        for ((line_x, line_y), (noise_x, noise_y)) in lines.zip(noise) {
            // Four sums at once: each waits for its last addition.
            for col in (0..width).step_by(2 * S::LEN) {
                let mut sums = [[s.splat(0.0); 2]; 2];
                let mut weights = &by_col[col..];
                for (x, y) in noise_x.iter().zip(noise_y) {
                    let (first, second) = (s.load(weights), s.load(&weights[S::LEN..]));
                    for (noise, sums) in [x, y].into_iter().zip(&mut sums) {
                        let noise = s.splat(*noise);
                        *sums = [s.fma(noise, first, sums[0]), s.fma(noise, second, sums[1])];
                    }
                    weights = weights.get(width..).unwrap_or_default();
                }
                for (line, [first, second]) in [&mut *line_x, &mut *line_y].into_iter().zip(sums) {
                    s.store(first, &mut line[col..]);
                    s.store(second, &mut line[col + S::LEN..]);
                }
            }
        }
    }

    #[inline(always)]
    fn at<S: Simd>(&self, s: S, row: usize, col: usize) -> Option<[S::F32; 2]> {
        let Smoothing { down, width, ref by_row, ref near, .. } = *self.smoothing;
        let near = near[row].clone();
        let (along_x, along_y) = self.fields.split_at(down * width);
        let first = near.start * width + col;
        let (mut x, mut y) = (&along_x[first..], &along_y[first..]);
        let mut sums = [s.splat(0.0); 2];
        for weight in &by_row[row * down..][near] {
            let weight = s.splat(*weight);
            sums[0] = s.fma(weight, s.load(x), sums[0]);
            sums[1] = s.fma(weight, s.load(y), sums[1]);
            x = x.get(width..).unwrap_or_default();
            y = y.get(width..).unwrap_or_default();
        }
        Some(sums)
    }
}

struct Sample<'a, D> {
    sampler: Sampler,
    matrix: &'a Matrix,
    bend: D,
    table: &'a mut [f32],
    image: &'a mut [f32],
}

impl<D: Displace> SimdOp for Sample<'_, D> {
    type Output = ();

    #[inline(always)]
    fn eval<S: Simd>(self, s: S) {
        let Self { sampler, matrix, mut bend, table, image } = self;
        let Sampler { rows, cols, pairs, .. } = sampler;
        sampler.fill(s, image, table);
        bend.prepare(s);

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
                // The last vector begins early enough to be whole, if it can.
                let col = at.min(cols.saturating_sub(S::LEN));
                let to = &mut to[col..];
                let x = s.add(s.splat(col as f32), lanes);
                let mut at_x = s.fma(x_x, x, x_0);
                let mut at_y = s.fma(y_x, x, y_0);
                if let Some([x, y]) = bend.at(s, row, col) {
                    at_x = s.add(at_x, x);
                    at_y = s.add(at_y, y);
                }
                let at_x = s.min(s.max(at_x, border), last_x);
                let at_y = s.min(s.max(at_y, border), last_y);
                let (left, top) = (s.floor(at_x), s.floor(at_y));
                let (right, down) = (s.sub(at_x, left), s.sub(at_y, top));
                let place = s.fma(line, top, s.fma(two, left, origin));
                let [a, c, b, d] = s.gather4(table, s.bits(place));
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
        let mut places = &mut table[LEAD..][..(rows + 2) * line_len];
        for line in 0..rows + 2 {
            let (to, rest) = places.split_at_mut(line_len);
            places = rest;
            // A row that is outside is empty, and reads as zeros.
            let row = |row: usize| if row < rows { &image[row * cols..][..cols] } else { &[] };
            let upper = if line == 0 { &[] } else { row(line - 1) };
            let lower = row(line);
            for (part, to) in to.chunks_exact_mut(2 * S::LEN).enumerate() {
                let [upper, lower] = [upper, lower].map(|row| load_part(s, row, part * S::LEN));
                let [first, second] = s.interleave(upper, lower);
                s.store(first, to);
                s.store(second, &mut to[S::LEN..]);
            }
        }
    }
}

/// A vector of a row from `col` on, with zeros where the row has ended.
#[inline(always)]
fn load_part<S: Simd>(s: S, row: &[f32], col: usize) -> S::F32 {
    match row.get(col..) {
        // A load of no numbers from an address that is none takes long.
        None | Some([]) => s.splat(0.0),
        Some(rest) if rest.len() < S::LEN => s.load_partial(rest),
        Some(rest) => s.load(rest),
    }
}

/// The number of each lane.
#[inline(always)]
fn lanes<S: Simd>(s: S) -> S::F32 {
    let counts: [f32; BLOCK] = std::array::from_fn(|i| i as f32);
    s.load(&counts)
}
