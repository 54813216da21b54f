//! Images to augment, and where their ink is.

use kernels::{Isa, Stream, uniform};

pub(crate) fn image(rows: usize, cols: usize, seed: u64) -> Vec<f32> {
    let mut image = vec![0.0; rows * cols];
    uniform(Isa::available()[0], Stream { seed, counter: [0; 3], first: 0 }, &mut image);
    image
}

/// A stroke that leans, beside the middle, of ink that is nowhere negative.
pub(crate) fn stroke(rows: usize, cols: usize, seed: u64) -> Vec<f32> {
    let mut image = image(rows, cols, seed);
    for (at, x) in image.iter_mut().enumerate() {
        let (row, col) = ((at / cols) as f64, (at % cols) as f64);
        let inside = (col - 0.1 * cols as f64 - 0.5 * row).abs() < 4.0 && row < 0.7 * rows as f64;
        *x = if inside { x.abs() } else { 0.0 };
    }
    image
}

/// Where the light of an image lies, in mean.
pub(crate) fn centroid(image: &[f32], cols: usize) -> [f64; 2] {
    let mut sums = [0.0; 2];
    for (at, light) in image.iter().enumerate() {
        sums[0] += f64::from(*light) * (at % cols) as f64;
        sums[1] += f64::from(*light) * (at / cols) as f64;
    }
    sums
}

/// Where the ink of an image is in mean, from the middle, and how far it leans.
pub(crate) fn posture(image: &[f32], rows: usize, cols: usize) -> ([f64; 2], f64) {
    let places = || {
        image.iter().enumerate().map(|(at, ink)| {
            let x = (at % cols) as f64 - (cols as f64 - 1.0) / 2.0;
            let y = (at / cols) as f64 - (rows as f64 - 1.0) / 2.0;
            (f64::from(*ink), x, y)
        })
    };
    let ink: f64 = places().map(|(ink, ..)| ink).sum();
    let mean = |of: &dyn Fn(f64, f64) -> f64| {
        places().map(|(ink, x, y)| ink * of(x, y)).sum::<f64>() / ink
    };
    let (x, y) = (mean(&|x, _| x), mean(&|_, y| y));
    let lean = mean(&|at_x, at_y| (at_x - x) * (at_y - y)) / mean(&|_, at_y| (at_y - y).powi(2));
    // No height, no lean.
    ([x, y], if lean.is_finite() { lean } else { 0.0 })
}
