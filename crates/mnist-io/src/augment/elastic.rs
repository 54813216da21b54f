//! A smooth random field of displacements.
//!
//! White noise E, a number for each pixel, smoothed along rows and columns by
//! matrices K of a Gaussian's values, is `K·E·Kᵀ`. Numbers side by side have nearly
//! the same effect on the sum, so there are fewer of them, each standing for more
//! than one pixel: noise C on a grid of nodes that lie h ≤ ¾σ apart, in the field
//! `B·C·Bᵀ` with
//!
//! ```text
//! B[i][a] = √h · exp(−d²/2σ²) / Z,   d = i − (h·(a + ½) − ½), |d| ≤ 3σ
//! Z = Σ exp(−d²/2σ²) over whole d, |d| ≤ 3σ
//! ```
//!
//! The root keeps the variance, since noise of 1/h the numbers has to be stronger.
//! The covariance of any two pixels is that of `K·E·Kᵀ` to within 2 % of the
//! variance (4 %, with fewer than four nodes along a side), also where noise ends
//! at the border; with h = 1, for small σ, B is K. For σ = 4 and 28 × 28 pixels,
//! 100 numbers an axis take the place of 784, and the products shrink as much.

use std::ops::Range;

use super::Elastic;
use super::sample::BLOCK;

/// Distance of nodes at the most, as a share of σ.
const SPACING: f64 = 0.75;

/// The matrices B of an image size.
#[derive(Clone, Debug)]
pub(super) struct Smoothing {
    /// Nodes along a column, and along a row.
    pub(super) down: usize,
    pub(super) right: usize,
    /// Columns of the image, up to whole pairs of vectors.
    pub(super) width: usize,
    /// B for columns of pixels, times the displacement: rows × nodes.
    pub(super) by_row: Vec<f32>,
    /// For each row of pixels, the nodes whose weight is not 0.
    pub(super) near: Vec<Range<usize>>,
    /// Bᵀ for rows of pixels: nodes × width, with zeros behind the last column.
    pub(super) by_col: Vec<f32>,
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
            for (col, place) in line[..cols].iter_mut().enumerate() {
                *place = by_col.weight(col, node) as f32;
            }
        }
        let weight = |row| (0..down).map(move |node| displacement * by_row.weight(row, node));
        let near = (0..rows).map(|row| {
            let first = weight(row).take_while(|weight| *weight == 0.0).count();
            first..down - weight(row).rev().take_while(|weight| *weight == 0.0).count()
        });
        Self {
            down,
            right,
            width,
            near: near.collect(),
            by_row: (0..rows).flat_map(weight).map(|weight| weight as f32).collect(),
            by_col: by_col_padded,
        }
    }

    /// Random numbers that an image takes: a grid for each axis.
    pub(super) fn nodes(&self) -> usize {
        2 * self.down * self.right
    }
}

/// The matrix B of a side of an image.
#[derive(Clone, Copy)]
struct Basis {
    sigma: f64,
    nodes: usize,
    /// The distance h between nodes.
    apart: f64,
    /// √h / Z.
    factor: f64,
}

impl Basis {
    fn new(pixels: usize, sigma: f64) -> Self {
        let wanted = (pixels as f64 / (SPACING * sigma)).ceil();
        let nodes = (wanted as usize).clamp(1, pixels);
        let apart = pixels as f64 / nodes as f64;
        let reach = (3.0 * sigma).floor() as usize;
        let total = 1.0 + 2.0 * (1..=reach).map(|d| gaussian(d as f64, sigma)).sum::<f64>();
        Self { sigma, nodes, apart, factor: apart.sqrt() / total }
    }

    /// `B[pixel][node]`.
    fn weight(&self, pixel: usize, node: usize) -> f64 {
        let distance = pixel as f64 - (self.apart * (node as f64 + 0.5) - 0.5);
        self.factor * gaussian(distance, self.sigma)
    }
}

/// `exp(−distance²/2σ²)`, and 0 beyond 3σ.
fn gaussian(distance: f64, sigma: f64) -> f64 {
    if distance.abs() > 3.0 * sigma {
        return 0.0;
    }
    // Taylor's series of a sixteenth of the exponent, which is above −4.5, by
    // additions and multiplications alone: a library's `exp` promises no bits.
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

    /// Noise for each pixel has a covariance of `K·Kᵀ`, that on nodes of `B·Bᵀ`.
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
