//! Pictures of any size, one after another, as images of one size.

use std::path::Path;

use super::super::Picture;
use super::reserved;
use crate::error::Error;
use crate::samples::ImageSize;

/// The size of images whose pictures differ in size: MNIST's.
const DEFAULT: ImageSize = ImageSize { rows: 28, cols: 28 };

/// Pictures of one size keep it up to this number of pixels, 256 × 256. Photos would be millions of
/// inputs.
const MAX_COMMON: usize = 1 << 16;

pub(super) struct Images {
    /// The size of the images; `None` before the first.
    size: Option<ImageSize>,
    /// Whether the size stays, whatever the sizes of the pictures.
    fixed: bool,
    /// The images that there will be.
    count: usize,
    pixels: Vec<u8>,
}

impl Images {
    /// No image yet, and room for `count`: of the given size, or of one that the pictures decide.
    pub(super) fn new(size: Option<ImageSize>, count: usize) -> Self {
        Self { size, fixed: size.is_some(), count, pixels: Vec::new() }
    }

    /// Adds the picture of the file at `path`.
    pub(super) fn push(&mut self, path: &Path, picture: &Picture) -> Result<(), Error> {
        let found = picture.size();
        let size = match self.size {
            Some(size) if self.fixed || size == found => size,
            // The first of another size: those before it are scaled too.
            Some(size) => {
                let before = std::mem::take(&mut self.pixels);
                self.fixed = true;
                self.size = Some(DEFAULT);
                for image in before.chunks_exact(size.rows * size.cols) {
                    self.push(path, &Picture::from_grey(size.rows, size.cols, image.to_vec()))?;
                }
                DEFAULT
            }
            None if found.rows * found.cols <= MAX_COMMON => found,
            None => {
                self.fixed = true;
                DEFAULT
            }
        };
        self.size = Some(size);
        if self.pixels.is_empty() {
            let image = (size.rows as u64).saturating_mul(size.cols as u64);
            self.pixels = reserved(path, image.saturating_mul(self.count as u64))?;
        }
        self.pixels.extend(picture.fit(size, picture.paper()));
        Ok(())
    }

    /// The size of the images, and the pixels of all.
    pub(super) fn into_parts(self) -> (ImageSize, Vec<u8>) {
        (self.size.unwrap_or(DEFAULT), self.pixels)
    }
}
