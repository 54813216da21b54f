//! Sets of images of bytes.

use kernels::{Isa, scale_bytes};

use super::distortion::Distortion;
use super::error::AugmentError;
use super::paper::Paper;
use super::warp::{Key, Warp};

/// Deskewed copies of the images that `indices` names, in that order: see
/// [`Warp::deskewed`]. Their ink is on `paper`. `pixels` has images of `rows` × `cols` bytes, row-major, one after
/// another, as has the result; each pixel is rounded to the nearest byte.
///
/// # Errors
/// [`AugmentError::Size`] where a side is not between 1 and [`Warp::MAX_SIDE`].
///
/// # Panics
/// If an index is not below the number of images.
///
/// ```
/// // A leaning stroke, and an upright one.
/// let pixels = [0, 0, 9, 0, 9, 0, 9, 0, 0, 0, 9, 0, 0, 9, 0, 0, 9, 0];
/// let isa = mnist_io::Isa::active()?;
/// let deskewed = mnist_io::deskew_images(isa, 3, 3, mnist_io::Paper::BLACK, &pixels, [0, 1])?;
/// assert_eq!(deskewed[..9], pixels[9..]);
/// assert_eq!(deskewed[9..], pixels[9..]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn deskew_images(
    isa: Isa,
    rows: usize,
    cols: usize,
    paper: Paper,
    pixels: &[u8],
    indices: impl IntoIterator<Item = usize>,
) -> Result<Vec<u8>, AugmentError> {
    let warp = Warp::new(Distortion::default(), rows, cols)?.deskewed().on(paper);
    let indices = indices.into_iter();
    let mut image = vec![0.0; rows * cols];
    let count = pixels.len() / image.len();
    let mut deskewed = Vec::with_capacity(indices.size_hint().0 * image.len());
    for index in indices {
        // Checked here, so that the product below cannot overflow.
        assert!(index < count, "image {index} of {count}");
        let original = &pixels[index * image.len()..][..image.len()];
        scale_bytes(isa, original, 1.0, &mut image);
        warp.apply(isa, Key::default(), &mut image);
        // An interpolated value is between those of four pixels, so it is in range.
        deskewed.extend(image.iter().map(|pixel| (pixel + 0.5) as u8));
    }
    Ok(deskewed)
}
