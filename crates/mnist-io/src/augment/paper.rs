//! What images are drawn on. MNIST has light ink on black; scans have dark ink on white.

/// What the ink of images is on, and whether the ink is darker. A warp moves ink, and fills
/// with paper what it moves in from outside the image.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Paper {
    /// The value of a pixel without ink.
    pub level: f32,
    /// Whether ink has lower values than paper.
    pub dark_ink: bool,
}

impl Paper {
    /// Paper of 0 under light ink, as in MNIST.
    pub const BLACK: Self = Self { level: 0.0, dark_ink: false };

    /// The paper of some images of `rows` × `cols` pixels, row-major, one after another:
    /// the median of all pixels at their borders. Ink is dark if the mean of all pixels is
    /// below it. Without an image it is black, and where the median is not finite.
    ///
    /// ```
    /// use mnist_io::Paper;
    /// let cross = [1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0];
    /// let stroke = [1.0, 1.0, 1.0, 1.0, 0.2, 1.0, 1.0, 0.2, 1.0];
    /// assert_eq!(Paper::find(3, 3, &stroke), Paper { level: 1.0, dark_ink: true });
    /// assert_eq!(Paper::find(3, 3, &[&stroke[..], &cross].concat()).level, 1.0);
    /// ```
    #[must_use]
    pub fn find(rows: usize, cols: usize, images: &[f32]) -> Self {
        let mut values: Vec<f32> = Vec::new();
        for image in images.chunks_exact((rows * cols).max(1)) {
            for (row, pixels) in image.chunks_exact(cols).enumerate() {
                if row == 0 || row + 1 == rows {
                    values.extend(pixels);
                } else {
                    values.extend([pixels[0], pixels[cols - 1]]);
                }
            }
        }
        if values.is_empty() {
            return Self::BLACK;
        }
        let middle = values.len() / 2;
        let (_, level, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
        let level = *level;
        if !level.is_finite() {
            return Self::BLACK;
        }
        let above: f64 = images.iter().map(|&pixel| f64::from(pixel) - f64::from(level)).sum();
        // No minus in front of a 0, which would be another name for the same paper.
        Self { level: level + 0.0, dark_ink: above < 0.0 }
    }

    /// The paper of the same images with all pixels multiplied by `factor`, above 0.
    #[must_use]
    pub fn scaled(self, factor: f32) -> Self {
        Self { level: self.level * factor, ..self }
    }

    /// Row and column of the centre of mass of the ink of an image with rows of `cols` pixels.
    /// `None` if it has none.
    #[must_use]
    pub fn ink_centre(self, cols: usize, image: &[f32]) -> Option<[f64; 2]> {
        let [mut ink, mut row, mut col] = [0.0; 3];
        for (index, pixel) in image.iter().enumerate() {
            let own = f64::from(self.ink(*pixel).max(0.0));
            ink += own;
            row += own * (index / cols) as f64;
            col += own * (index % cols) as f64;
        }
        (ink > 0.0).then(|| [row / ink, col / ink])
    }

    /// Rows and columns of the smallest box that has the ink of an image with rows of `cols`
    /// pixels: the pixels with at least half the ink of the one that has most. `None` if it
    /// has none.
    #[must_use]
    pub fn ink_box(self, cols: usize, image: &[f32]) -> Option<[usize; 2]> {
        let most = image.iter().map(|pixel| self.ink(*pixel)).fold(0.0, f32::max);
        let inked = image.iter().enumerate().filter(|(_, pixel)| self.ink(**pixel) >= most / 2.0);
        let mut pixels = inked.map(|(index, _)| (index / cols, index % cols));
        if most <= 0.0 {
            return None;
        }
        let (first_row, first_col) = pixels.next()?;
        let (mut last_row, mut left, mut right) = (first_row, first_col, first_col);
        for (row, col) in pixels {
            (last_row, left, right) = (row, left.min(col), right.max(col));
        }
        Some([last_row - first_row + 1, right - left + 1])
    }

    /// How much ink a pixel has.
    fn ink(self, pixel: f32) -> f32 {
        if self.dark_ink { self.level - pixel } else { pixel - self.level }
    }

    /// Replaces each pixel by its ink: the image of the same ink on black.
    pub(super) fn to_ink(self, image: &mut [f32]) {
        for pixel in image {
            *pixel = self.ink(*pixel);
        }
    }

    /// The inverse of [`to_ink`](Self::to_ink).
    pub(super) fn put_ink(self, image: &mut [f32]) {
        for pixel in image {
            *pixel = if self.dark_ink { self.level - *pixel } else { self.level + *pixel };
        }
    }
}
