//! The part of the map that is the same for all pixels of an image.
//!
//! It is computed in f64, by additions and multiplications alone: their bits are the same
//! on every machine, those of a library's sine are not.

use super::distortion::Distortion;

/// `x' = x[0]·x + x[1]·y + x[2]`, and y' with `y` likewise. The centers of pixels are whole
/// numbers, which count from the first row and column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matrix {
    pub(super) x: [f32; 3],
    pub(super) y: [f32; 3],
}

impl Matrix {
    pub(super) const IDENTITY: Self = Self { x: [1.0, 0.0, 0.0], y: [0.0, 1.0, 0.0] };

    /// First `self`, then `next`.
    pub(super) fn then(&self, next: &Self) -> Self {
        let through = |row: [f32; 3]| {
            let [of_x, of_y, origin] = row.map(f64::from);
            std::array::from_fn(|i| {
                let constant = if i == 2 { origin } else { 0.0 };
                (of_x * f64::from(self.x[i]) + of_y * f64::from(self.y[i]) + constant) as f32
            })
        };
        Self { x: through(next.x), y: through(next.y) }
    }

    /// The map that the first random numbers of an image, in `head`, stand for.
    pub(super) fn draw(distortion: &Distortion, head: &[f32], rows: usize, cols: usize) -> Self {
        let within = |range: f32, index: usize| f64::from(range) * f64::from(head[index]);
        let (sin, cos) = sin_cos(within(distortion.rotate, 2) * (std::f64::consts::PI / 180.0));
        let shear = within(distortion.shear, 3);
        let [right, down] = [4, 5].map(|index| 1.0 + within(distortion.scale, index));
        let [shift_x, shift_y] = shift(distortion, head);

        let x = [right * cos, right * (cos * shear - sin)];
        let y = [down * sin, down * (sin * shear + cos)];
        let center_x = (cols - 1) as f64 / 2.0;
        let center_y = (rows - 1) as f64 / 2.0;
        let about = |[of_x, of_y]: [f64; 2], center: f64, shift: f64| {
            let origin = center - of_x * center_x - of_y * center_y + shift;
            [of_x as f32, of_y as f32, origin as f32]
        };
        Self { x: about(x, center_x, shift_x), y: about(y, center_y, shift_y) }
    }
}

/// The shift along x and y, in pixels, that the random numbers in `head` stand for.
pub(super) fn shift(distortion: &Distortion, head: &[f32]) -> [f64; 2] {
    let range = f64::from(distortion.shift);
    [head[0], head[1]].map(|number| {
        let number = f64::from(number);
        if distortion.whole_pixels {
            // One of 2n + 1 equal parts of (0, 1).
            let whole = range.floor();
            ((number + 1.0) / 2.0 * (2.0 * whole + 1.0)).floor() - whole
        } else {
            range * number
        }
    })
}

/// Sine and cosine of an angle within ±π, by Taylor's series. The terms that are left out
/// are below 10⁻¹³.
fn sin_cos(angle: f64) -> (f64, f64) {
    let square = angle * angle;
    let (mut sin, mut cos) = (1.0, 1.0);
    for k in (1..13).rev() {
        let k = f64::from(2 * k);
        cos = 1.0 - cos * square / (k * (k - 1.0));
        sin = 1.0 - sin * square / (k * (k + 1.0));
    }
    (sin * angle, cos)
}

#[cfg(test)]
mod tests {
    use super::sin_cos;

    #[test]
    fn sine_and_cosine() {
        for step in -1800..=1800 {
            let angle = f64::from(step) / 1800.0 * std::f64::consts::PI;
            let (sin, cos) = sin_cos(angle);
            assert!((sin - angle.sin()).abs() < 1e-12, "{angle}");
            assert!((cos - angle.cos()).abs() < 1e-12, "{angle}");
        }
        assert_eq!(sin_cos(0.0), (0.0, 1.0));
    }
}
