//! A smooth random field of displacements.
//!
//! White noise E, one random number for each pixel, smoothed along rows and columns by
//! matrices K of a Gaussian's values, is `K·E·Kᵀ`. Neighbouring random numbers have nearly
//! the same effect on the sum, so fewer are drawn, each for more than one pixel: noise C on
//! a grid of nodes at distance h ≤ ¾σ gives the field `B·C·Bᵀ` with
//!
//! ```text
//! B[i][a] = √h · exp(−d²/2σ²) / Z,   d = i − (h·(a + ½) − ½), |d| ≤ 3σ
//! Z = Σ exp(−d²/2σ²) over whole d, |d| ≤ 3σ
//! ```
//!
//! The root keeps the variance: 1/h of the random numbers have to be stronger. The
//! covariance of any two pixels is that of `K·E·Kᵀ` to within 2 % of the variance (4 %, with
//! fewer than four nodes along a side), also where noise ends at the border; with h = 1, for
//! small σ, B is K. For σ = 4 and 28 × 28 pixels, 100 random numbers an axis replace 784, and
//! the products shrink as much.

use std::ops::Range;

use kernels::{AlignedBuf, Simd};

use super::distortion::Elastic;
use super::sample::{BLOCK, Displace};

/// The largest distance of nodes, as a share of σ.
const SPACING: f64 = 0.75;

/// The matrices B of an image size.
#[derive(Clone, Debug)]
pub(super) struct Smoothing {
    /// Nodes along a column, and along a row.
    down: usize,
    right: usize,
    /// Columns of the image, rounded up to whole pairs of vectors.
    width: usize,
    /// B for columns of pixels, times the displacement: rows × nodes.
    by_row: Vec<f32>,
    /// For each row of pixels, the nodes whose weight is not 0.
    nonzero: Vec<Range<usize>>,
    /// Bᵀ for rows of pixels: nodes × width, with zeros after the last column.
    by_col: Vec<f32>,
}

impl Smoothing {
    pub(super) fn new(elastic: Elastic, rows: usize, cols: usize) -> Self {
        let sigma = f64::from(elastic.sigma);
        let displacement = f64::from(elastic.displacement);
        let width = cols.next_multiple_of(2 * BLOCK);
        let (by_row, by_col) = (Basis::new(rows, sigma), Basis::new(cols, sigma));
        let (down, right) = (by_row.nodes, by_col.nodes);

        let mut by_col_padded = vec![0.0; right * width];
        for (node, line) in by_col_padded.chunks_exact_mut(width).enumerate() {
            for (col, element) in line[..cols].iter_mut().enumerate() {
                *element = by_col.weight(col, node) as f32;
            }
        }
        let weight = |row| (0..down).map(move |node| displacement * by_row.weight(row, node));
        let nonzero = (0..rows).map(|row| {
            let first = weight(row).take_while(|weight| *weight == 0.0).count();
            first..down - weight(row).rev().take_while(|weight| *weight == 0.0).count()
        });
        Self {
            down,
            right,
            width,
            nonzero: nonzero.collect(),
            by_row: (0..rows).flat_map(weight).map(|weight| weight as f32).collect(),
            by_col: by_col_padded,
        }
    }

    /// The count of random numbers of an image: a grid for each axis.
    pub(super) fn nodes(&self) -> usize {
        2 * self.down * self.right
    }

    /// The field of one image from its noise, [`nodes`](Self::nodes) values on (−1, 1);
    /// `along_rows` is scratch memory.
    pub(super) fn field<'a>(
        &'a self,
        noise: &'a [f32],
        along_rows: &'a mut AlignedBuf,
    ) -> Field<'a> {
        along_rows.resize(2 * self.down * self.width);
        Field { smoothing: self, noise, along_rows }
    }
}

/// The elastic displacements of one image.
pub(super) struct Field<'a> {
    smoothing: &'a Smoothing,
    noise: &'a [f32],
    /// Noise that is smoothed along rows: nodes × width for x, then for y.
    along_rows: &'a mut [f32],
}

impl Displace for Field<'_> {
    #[inline(always)]
    fn prepare<S: Simd>(&mut self, s: S) {
        let Smoothing { down, right, width, ref by_col, .. } = *self.smoothing;
        let (along_x, along_y) = self.along_rows.split_at_mut(down * width);
        let (noise_x, noise_y) = self.noise.split_at(down * right);
        let lines = along_x.chunks_exact_mut(width).zip(along_y.chunks_exact_mut(width));
        let noise = noise_x.chunks_exact(right).zip(noise_y.chunks_exact(right));
        for ((line_x, line_y), (noise_x, noise_y)) in lines.zip(noise) {
            // Four sums at once, because each addition waits for the last one of its sum.
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
    fn displacement<S: Simd>(&self, s: S, row: usize, col: usize) -> Option<[S::F32; 2]> {
        let Smoothing { down, width, ref by_row, ref nonzero, .. } = *self.smoothing;
        let nonzero = nonzero[row].clone();
        let (along_x, along_y) = self.along_rows.split_at(down * width);
        let first = nonzero.start * width + col;
        let (mut x, mut y) = (&along_x[first..], &along_y[first..]);
        let mut sums = [s.splat(0.0); 2];
        for weight in &by_row[row * down..][nonzero] {
            let weight = s.splat(*weight);
            sums[0] = s.fma(weight, s.load(x), sums[0]);
            sums[1] = s.fma(weight, s.load(y), sums[1]);
            x = x.get(width..).unwrap_or_default();
            y = y.get(width..).unwrap_or_default();
        }
        Some(sums)
    }
}

/// The matrix B of a side of an image.
#[derive(Clone, Copy)]
struct Basis {
    sigma: f64,
    nodes: usize,
    /// The distance h of nodes.
    distance: f64,
    /// √h / Z.
    factor: f64,
}

impl Basis {
    fn new(pixels: usize, sigma: f64) -> Self {
        let wanted = (pixels as f64 / (SPACING * sigma)).ceil();
        let nodes = (wanted as usize).clamp(1, pixels);
        let distance = pixels as f64 / nodes as f64;
        let reach = (3.0 * sigma).floor() as usize;
        let total = 1.0 + 2.0 * (1..=reach).map(|d| gaussian(d as f64, sigma)).sum::<f64>();
        Self { sigma, nodes, distance, factor: distance.sqrt() / total }
    }

    /// `B[pixel][node]`.
    fn weight(&self, pixel: usize, node: usize) -> f64 {
        let d = pixel as f64 - (self.distance * (node as f64 + 0.5) - 0.5);
        self.factor * gaussian(d, self.sigma)
    }
}

/// `exp(−distance²/2σ²)`, and 0 beyond 3σ.
fn gaussian(distance: f64, sigma: f64) -> f64 {
    if distance.abs() > 3.0 * sigma {
        return 0.0;
    }
    // Taylor's series of a sixteenth of the exponent, which is above −4.5, by additions and
    // multiplications alone: the bits of a library's `exp` depend on the library.
    let exponent = -0.5 * (distance / sigma) * (distance / sigma) / 16.0;
    let mut power = 1.0;
    for k in (1..13).rev() {
        power = 1.0 + power * exponent / f64::from(k);
    }
    (0..4).fold(power, |power, _| power * power)
}

#[cfg(test)]
mod tests {
    use super::Basis;

    /// Noise for each pixel has the covariance `K·Kᵀ`, noise on nodes has `B·Bᵀ`.
    #[test]
    fn nodes_keep_variance_and_covariance_of_noise_for_each_pixel() {
        for pixels in [1, 5, 28, 64, 100] {
            for sigma in [0.1, 0.5, 1.0, 1.34, 2.0, 3.0, 4.0, 5.5, 8.0, 20.0] {
                let basis = Basis::new(pixels, sigma);
                let density = |d: f64| (-0.5 * d * d / (sigma * sigma)).exp();
                let reach = (3.0 * sigma).floor() as i32;
                let total: f64 = (-reach..=reach).map(|d| density(f64::from(d))).sum();
                let smooth = |i: usize, j: usize| {
                    let d = i.abs_diff(j);
                    if d <= reach as usize { density(d as f64) / total } else { 0.0 }
                };
                let bound = if basis.nodes < 4 { 0.04 } else { 0.02 };
                for i in 0..pixels {
                    let variance: f64 = (0..pixels).map(|k| smooth(i, k).powi(2)).sum();
                    for j in 0..pixels {
                        let dense: f64 = (0..pixels).map(|k| smooth(i, k) * smooth(j, k)).sum();
                        let nodes =
                            (0..basis.nodes).map(|a| basis.weight(i, a) * basis.weight(j, a));
                        let off = (nodes.sum::<f64>() - dense) / variance;
                        assert!(off.abs() < bound, "{pixels}, {sigma}: {i}, {j}: {off}");
                    }
                }
            }
        }
    }

    #[test]
    fn few_nodes_where_the_field_is_smooth_and_one_a_pixel_where_it_is_not() {
        for (sigma, nodes) in [(0.1, 28), (1.3, 28), (1.4, 27), (4.0, 10), (10.0, 4), (1000.0, 1)] {
            assert_eq!(Basis::new(28, sigma).nodes, nodes, "{sigma}");
        }
    }
}
