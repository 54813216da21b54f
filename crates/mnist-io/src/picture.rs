//! Pictures: files of pixels as phones, scanners and drawing programs write them.

mod decode;
mod digit;
pub(crate) mod error;
mod exif;
mod folders;
mod jpeg;
mod png;
mod pnm;
mod resize;

use std::fs;
use std::path::{Path, PathBuf};

pub use folders::Pictures;

use crate::error::Error;
use crate::mapped::Access;
use crate::samples::ImageSize;
pub(crate) use decode::is_picture;
use decode::{MAX_FILE, MAX_PIXELS};
use error::PictureError;

/// A picture in shades of grey: 0 is black, 255 is white.
///
/// Colours become the luma of Rec. 601, 0.299 R + 0.587 G + 0.114 B, which is what a JPEG
/// file itself holds. What is transparent is paper.
///
/// ```
/// use mnist_io::{ImageSize, Picture};
///
/// let file = b"P2 3 2 255   0 128 255   9 8 7";
/// let picture = Picture::decode(file, "drawing.pgm".as_ref())?;
/// assert_eq!(picture.size(), ImageSize { rows: 2, cols: 3 });
/// assert_eq!(picture.grey(), [0, 128, 255, 9, 8, 7]);
/// # Ok::<(), mnist_io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    size: ImageSize,
    grey: Vec<u8>,
}

impl Picture {
    /// The bytes of the largest file that is read.
    pub const LARGEST_FILE: u64 = MAX_FILE;

    /// Whether a file with these first bytes is a picture of a format that is read.
    #[must_use]
    pub fn begins(start: &[u8]) -> bool {
        is_picture(start)
    }

    /// The files in the folder `dir`, and below it, that are pictures by their names or else by
    /// their first bytes, in the order of their paths. Links to folders are followed; a folder
    /// that several of them lead to is looked at once.
    ///
    /// # Errors
    /// If a folder cannot be read.
    pub fn files_in(dir: &Path) -> Result<Vec<PathBuf>, Error> {
        folders::pictures_below(dir)
    }

    /// Reads the file at `path`: PNG, JPEG, PGM, PPM or PBM, known by its first bytes.
    ///
    /// # Errors
    /// If the file cannot be read, is in another format, is damaged, or has more than 100
    /// million pixels. That is found out before memory is taken for them.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_with(path.as_ref(), Access::read())
    }

    fn open_with(path: &Path, access: Access) -> Result<Self, Error> {
        if let Ok(metadata) = fs::metadata(path)
            && metadata.is_file()
            && metadata.len() > MAX_FILE
        {
            let error = PictureError::FileSize { found: metadata.len(), most: MAX_FILE };
            return Err(Error::Picture { path: path.into(), error });
        }
        Self::decode(&access.open(path)?, path)
    }

    /// The picture in the `bytes` of a file; errors call them `name`.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn decode(bytes: &[u8], name: &Path) -> Result<Self, Error> {
        Self::decode_up_to(bytes, name, MAX_PIXELS)
    }

    /// As [`decode`](Self::decode), for a program that has memory for a picture of `most` pixels
    /// only. A larger one is an error before memory is taken for it.
    ///
    /// ```
    /// use mnist_io::Picture;
    /// let error = Picture::decode_up_to(b"P2 3 2 255 0 0 0 0 0 0", "a.pgm".as_ref(), 5);
    /// assert!(error.unwrap_err().to_string().contains("expected no more than 5 in all"));
    /// ```
    ///
    /// # Errors
    /// As [`open`](Self::open), but for `most`.
    pub fn decode_up_to(bytes: &[u8], name: &Path, most: usize) -> Result<Self, Error> {
        decode::decode(bytes, most.min(MAX_PIXELS))
            .map_err(|error| Error::Picture { path: name.into(), error })
    }

    /// The most memory in bytes that it takes to decode the `bytes` of a file and to find the
    /// [digit](Self::digit) in it or [fit](Self::fit) it, as far as its header says. A program
    /// that decodes several at a time can so know what there is room for.
    ///
    /// ```
    /// use mnist_io::Picture;
    /// let photo = b"P5 4000 3000 255 ";
    /// let most = Picture::memory(photo, "a.pgm".as_ref(), 100_000_000)?;
    /// assert!((12_000_000..100_000_000).contains(&most));
    /// # Ok::<(), mnist_io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`decode_up_to`](Self::decode_up_to), as far as the header is concerned.
    pub fn memory(bytes: &[u8], name: &Path, most: usize) -> Result<usize, Error> {
        decode::memory(bytes, most.min(MAX_PIXELS))
            .map_err(|error| Error::Picture { path: name.into(), error })
    }

    /// The picture with these pixels: `rows` × `cols`, row-major.
    ///
    /// # Panics
    /// If there is no pixel, or if `grey` has other than `rows` × `cols`.
    #[must_use]
    pub fn from_grey(rows: usize, cols: usize, grey: Vec<u8>) -> Self {
        let (size, len) = (ImageSize { rows, cols }, grey.len());
        let pixels = rows.checked_mul(cols);
        assert!(len > 0 && pixels == Some(len), "{len} pixels for a picture of {size}");
        Self { size, grey }
    }

    /// Its size. Never without pixels.
    #[must_use]
    pub fn size(&self) -> ImageSize {
        self.size
    }

    /// The pixels, row-major.
    #[must_use]
    pub fn grey(&self) -> &[u8] {
        &self.grey
    }

    /// The picture with black and white exchanged.
    ///
    /// ```
    /// use mnist_io::Picture;
    /// let picture = Picture::from_grey(1, 3, vec![0, 100, 255]);
    /// assert_eq!(picture.inverted().grey(), [255, 155, 0]);
    /// ```
    #[must_use]
    pub fn inverted(&self) -> Self {
        Self { size: self.size, grey: self.grey.iter().map(|grey| 255 - grey).collect() }
    }

    /// The grey of the paper: the median of the pixels at the border.
    #[must_use]
    pub fn paper(&self) -> u8 {
        let ImageSize { rows, cols } = self.size;
        let mut border = Vec::with_capacity(2 * (rows + cols));
        for (row, pixels) in self.grey.chunks_exact(cols).enumerate() {
            if row == 0 || row + 1 == rows {
                border.extend(pixels);
            } else {
                border.extend([pixels[0], pixels[cols - 1]]);
            }
        }
        let middle = border.len() / 2;
        *border.select_nth_unstable(middle).1
    }

    /// The whole picture, scaled to the largest that fits into `size` and centred. The rest
    /// is filled with `paper`. A picture of this size comes back as it is.
    ///
    /// A pixel of a smaller picture is the mean of the area that it covers; a larger picture
    /// is interpolated linearly. The result has the same bytes on every CPU.
    ///
    /// ```
    /// use mnist_io::{ImageSize, Picture};
    /// let wide = Picture::from_grey(1, 4, vec![0, 100, 200, 250]);
    /// let size = ImageSize { rows: 2, cols: 2 };
    /// assert_eq!(wide.fit(size, 255), [50, 225, 255, 255]);
    /// ```
    ///
    /// # Panics
    /// If `size` has no pixel.
    #[must_use]
    pub fn fit(&self, size: ImageSize, paper: u8) -> Vec<u8> {
        assert!(size.rows > 0 && size.cols > 0, "an image of {size} pixels");
        if size == self.size {
            return self.grey.clone();
        }
        let inner = resize::inside(self.size, size);
        let scaled = resize::resize(&self.grey, self.size, inner);
        let (top, left) = ((size.rows - inner.rows) / 2, (size.cols - inner.cols) / 2);
        let mut image = vec![paper; size.rows * size.cols];
        let rows = image.chunks_exact_mut(size.cols).skip(top);
        for (row, scaled) in rows.zip(scaled.chunks_exact(inner.cols)) {
            for (pixel, value) in row[left..].iter_mut().zip(scaled) {
                *pixel = resize::to_byte(*value);
            }
        }
        image
    }

    /// The digit in a photo or drawing, in the form that MNIST has: `size` pixels, light ink
    /// on black.
    ///
    /// The picture shows one digit, dark on light or light on dark, anywhere, of any size, in
    /// uneven light. The paper under the ink is estimated from what surrounds it. The ink is
    /// cut out, scaled into a box of 20/28 of `size`, and centred by its centre of mass. Specks
    /// away from the digit are left out, and full ink becomes 255.
    ///
    /// An image that has this form already comes back as it is, and one that has it inverted
    /// comes back with light ink.
    ///
    /// # Errors
    /// [`PictureError::NoInk`] if nothing stands out from the paper.
    ///
    /// # Panics
    /// If `size` has less than 4 rows or columns.
    pub fn digit(&self, size: ImageSize) -> Result<Vec<u8>, PictureError> {
        assert!(size.rows >= 4 && size.cols >= 4, "a digit in {size} pixels");
        digit::digit(self, size)
    }
}
