//! Images to augment, and the position of their ink.

use kernels::{Isa, Stream, uniform};

pub(crate) fn image(rows: usize, cols: usize, seed: u64) -> Vec<f32> {
    let mut image = vec![0.0; rows * cols];
    uniform(Isa::available()[0], Stream { seed, counter: [0; 3], first: 0 }, &mut image);
    image
}

/// A leaning stroke beside the middle, whose ink is nowhere negative.
pub(crate) fn stroke(rows: usize, cols: usize, seed: u64) -> Vec<f32> {
    let mut image = image(rows, cols, seed);
    for (index, x) in image.iter_mut().enumerate() {
        let (row, col) = ((index / cols) as f64, (index % cols) as f64);
        let inside = (col - 0.1 * cols as f64 - 0.5 * row).abs() < 4.0 && row < 0.7 * rows as f64;
        *x = if inside { x.abs() } else { 0.0 };
    }
    image
}

/// The center of mass of an image, times its sum: x, y.
pub(crate) fn centroid(image: &[f32], cols: usize) -> [f64; 2] {
    let mut sums = [0.0; 2];
    for (index, light) in image.iter().enumerate() {
        sums[0] += f64::from(*light) * (index % cols) as f64;
        sums[1] += f64::from(*light) * (index / cols) as f64;
    }
    sums
}

/// The center of the ink of an image, from the middle of the image, and its lean.
pub(crate) fn posture(image: &[f32], rows: usize, cols: usize) -> ([f64; 2], f64) {
    let points = || {
        image.iter().enumerate().map(|(index, ink)| {
            let x = (index % cols) as f64 - (cols as f64 - 1.0) / 2.0;
            let y = (index / cols) as f64 - (rows as f64 - 1.0) / 2.0;
            (f64::from(*ink), x, y)
        })
    };
    let ink: f64 = points().map(|(ink, ..)| ink).sum();
    let mean = |of: &dyn Fn(f64, f64) -> f64| {
        points().map(|(ink, x, y)| ink * of(x, y)).sum::<f64>() / ink
    };
    let (x, y) = (mean(&|x, _| x), mean(&|_, y| y));
    let lean =
        mean(&|ink_x, ink_y| (ink_x - x) * (ink_y - y)) / mean(&|_, ink_y| (ink_y - y).powi(2));
    // Ink without height has no lean.
    ([x, y], if lean.is_finite() { lean } else { 0.0 })
}
