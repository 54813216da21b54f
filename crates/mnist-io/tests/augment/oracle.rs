//! An augmented image, computed by plain loops in f64.

use kernels::{Isa, Stream, uniform};
use mnist_io::{Distortion, Key};

use crate::images::posture;

/// `exp(−d²/2σ²)` up to 3σ.
fn gaussian(d: f64, sigma: f64) -> f64 {
    if d.abs() <= 3.0 * sigma { (-0.5 * (d / sigma).powi(2)).exp() } else { 0.0 }
}

/// The weight of each node in the displacement of each pixel of a side: pixels × nodes.
fn weights(pixels: usize, sigma: f64) -> Vec<Vec<f64>> {
    let nodes = ((pixels as f64 / (0.75 * sigma)).ceil() as usize).min(pixels);
    let distance = pixels as f64 / nodes as f64;
    let total: f64 = (-4000..=4000).map(|d| gaussian(f64::from(d), sigma)).sum();
    let weight = |pixel: usize, node: usize| {
        let center = distance * (node as f64 + 0.5) - 0.5;
        distance.sqrt() * gaussian(pixel as f64 - center, sigma) / total
    };
    (0..pixels).map(|pixel| (0..nodes).map(|node| weight(pixel, node)).collect()).collect()
}

/// The result of [`Warp::apply`](mnist_io::Warp::apply), from the same random numbers.
pub(crate) fn expected(
    (distortion, deskew): (&Distortion, bool),
    rows: usize,
    cols: usize,
    key: Key,
    image: &[f32],
) -> Vec<f64> {
    let ([mean_x, mean_y], lean) =
        if deskew { posture(image, rows, cols) } else { ([0.0; 2], 0.0) };
    let Distortion { shift, whole_pixels, rotate, scale, shear, elastic } = *distortion;
    let [shift, rotate, scale, shear] = [shift, rotate, scale, shear].map(f64::from);
    let sigma = f64::from(elastic.sigma);
    let (by_row, by_col) = (weights(rows, sigma), weights(cols, sigma));
    let (down, right) = (by_row[0].len(), by_col[0].len());

    let mut numbers = vec![0.0; 16 + 2 * down * right];
    let counter = [key.sample as u32, key.epoch as u32, u32::MAX];
    uniform(Isa::available()[0], Stream { seed: key.seed, counter, first: 0 }, &mut numbers);
    let numbers: Vec<_> = numbers.into_iter().map(f64::from).collect();
    let shifts = [numbers[0], numbers[1]].map(|number| {
        if whole_pixels { ((shift.floor() + 0.5) * number).round() } else { shift * number }
    });
    let angle = (rotate * numbers[2]).to_radians();
    let field = |axis: usize, row: usize, col: usize| {
        let mut sum = 0.0;
        for a in 0..down {
            for b in 0..right {
                let noise = numbers[16 + (axis * down + a) * right + b];
                sum += by_row[row][a] * noise * by_col[col][b];
            }
        }
        f64::from(elastic.displacement) * sum
    };
    let pixel = |row: f64, col: f64| {
        let inside = row >= 0.0 && row < rows as f64 && col >= 0.0 && col < cols as f64;
        if inside { f64::from(image[row as usize * cols + col as usize]) } else { 0.0 }
    };

    let mut to = Vec::new();
    for row in 0..rows {
        for col in 0..cols {
            let middle = [(cols as f64 - 1.0) / 2.0, (rows as f64 - 1.0) / 2.0];
            let (mut x, mut y) = (col as f64 - middle[0], row as f64 - middle[1]);
            x += shear * numbers[3] * y;
            (x, y) = (angle.cos() * x - angle.sin() * y, angle.sin() * x + angle.cos() * y);
            x *= 1.0 + scale * numbers[4];
            y *= 1.0 + scale * numbers[5];
            x += shifts[0];
            y += shifts[1];
            x += lean * y + mean_x + middle[0];
            y += mean_y + middle[1];
            if elastic.displacement > 0.0 {
                x += field(0, row, col);
                y += field(1, row, col);
            }
            let (left, top) = (x.floor(), y.floor());
            let (right_share, lower_share) = (x - left, y - top);
            let mut sum = 0.0;
            for (lower, right, weight) in [
                (0.0, 0.0, (1.0 - lower_share) * (1.0 - right_share)),
                (0.0, 1.0, (1.0 - lower_share) * right_share),
                (1.0, 0.0, lower_share * (1.0 - right_share)),
                (1.0, 1.0, lower_share * right_share),
            ] {
                sum += weight * pixel(top + lower, left + right);
            }
            to.push(sum);
        }
    }
    to
}
