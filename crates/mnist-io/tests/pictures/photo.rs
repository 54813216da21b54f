//! Photos of digits that were never taken: an image of MNIST as dark ink on a sheet, with a
//! light that falls from one side, and noise.

use mnist_io::Picture;

/// Numbers that look random (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// From 0 to below 1.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// About normal, with a deviation of 1: the sum of three.
    fn normal(&mut self) -> f64 {
        ((0..3).map(|_| self.unit()).sum::<f64>() - 1.5) * 2.0
    }
}

/// How a photo is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Photo {
    /// Pixels of the photo for each of the image.
    pub(crate) zoom: f64,
    /// Rows and columns of the photo, in images.
    pub(crate) sheet: [f64; 2],
    /// Where the image begins, as a part of the room that there is.
    pub(crate) offset: [f64; 2],
    /// Grey of the paper, and of the ink.
    pub(crate) paper: f64,
    pub(crate) ink: f64,
    /// Part of the light that is lost from one side to the other, down and right.
    pub(crate) shade: [f64; 2],
    /// Deviation of the noise.
    pub(crate) noise: f64,
}

impl Photo {
    pub(crate) fn random(random: &mut Random) -> Self {
        let mut pair = |low, high| [random.between(low, high), random.between(low, high)];
        let (sheet, offset, shade) = (pair(1.0, 2.5), pair(0.0, 1.0), pair(-0.25, 0.25));
        Self {
            zoom: random.between(3.0, 30.0),
            sheet,
            offset,
            paper: random.between(190.0, 250.0),
            ink: random.between(10.0, 70.0),
            shade,
            noise: random.between(0.0, 8.0),
        }
    }

    /// The photo of an image of 28 × 28 pixels, of which 0 is paper.
    pub(crate) fn take(&self, image: &[u8], random: &mut Random) -> Picture {
        let at = |row: i64, col: i64| {
            let inside = (0..28).contains(&row) && (0..28).contains(&col);
            if inside { f64::from(image[(row * 28 + col) as usize]) / 255.0 } else { 0.0 }
        };
        let [rows, cols] = self.sheet.map(|images| (28.0 * self.zoom * images) as usize);
        let room = [rows, cols].map(|pixels| pixels as f64 - 28.0 * self.zoom);
        let mut grey = Vec::with_capacity(rows * cols);
        for row in 0..rows {
            for col in 0..cols {
                // Where that is in the image, between the middles of four pixels.
                let y = (row as f64 + 0.5 - self.offset[0] * room[0]) / self.zoom - 0.5;
                let x = (col as f64 + 0.5 - self.offset[1] * room[1]) / self.zoom - 0.5;
                let (top, left) = (y.floor(), x.floor());
                let (down, right) = (y - top, x - left);
                let (top, left) = (top as i64, left as i64);
                let above = at(top, left) * (1.0 - right) + at(top, left + 1) * right;
                let below = at(top + 1, left) * (1.0 - right) + at(top + 1, left + 1) * right;
                let ink = above * (1.0 - down) + below * down;
                let light = 1.0
                    - self.shade[0] * (row as f64 / rows as f64 - 0.5)
                    - self.shade[1] * (col as f64 / cols as f64 - 0.5);
                let value = (self.paper + (self.ink - self.paper) * ink) * light;
                grey.push((value + self.noise * random.normal()).round().clamp(0.0, 255.0) as u8);
            }
        }
        Picture::from_grey(rows, cols, grey)
    }
}
