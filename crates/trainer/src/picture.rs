//! A picture in the form that a network takes.

use std::path::Path;

use mnist_io::{Features, ImageSize, Picture};
use nn::ImageForm;

use crate::error::Error;

/// Rows or columns of the smallest image that a digit is centred in.
const SMALLEST_DIGIT: usize = 4;

/// The pixels of a picture as those of one image of the training data, in their units. Errors
/// call the picture `name`.
pub(crate) fn features(
    picture: &Picture,
    form: &ImageForm,
    name: &Path,
) -> Result<Features, Error> {
    let ink = ink(picture, form, name)?;
    // Full ink is 255 here, and what it is in the data there.
    let level = |ink: &u8| form.paper + f32::from(*ink) / 255.0 * (form.ink - form.paper);
    if form.real {
        return Ok(Features::Real(ink.iter().map(level).collect()));
    }
    let bytes: Vec<u8> = ink.iter().map(|ink| level(ink).round() as u8).collect();
    Ok(Features::Bytes(bytes.into()))
}

/// A picture in the size that the network takes, 255 for full ink and 0 for the paper.
fn ink(picture: &Picture, form: &ImageForm, name: &Path) -> Result<Vec<u8>, Error> {
    let size = ImageSize { rows: form.rows, cols: form.cols };
    // There is no room for a digit in a smaller image.
    if form.centred && form.rows.min(form.cols) >= SMALLEST_DIGIT {
        let error = |error| mnist_io::Error::Picture { path: name.to_owned(), error };
        return Ok(picture.digit(size).map_err(error)?);
    }
    // Only where the paper of the training images is at one end of their range, that of a
    // picture at the other one means that it has to be inverted. Photos have no paper.
    let range = form.ink - form.paper;
    let dark_ink = range < 0.0;
    let on_paper =
        if dark_ink { form.paper >= -range * 0.9 } else { form.paper.abs() <= range * 0.1 };
    let paper = picture.paper();
    if on_paper && (paper > 127) != dark_ink {
        // Before it is scaled, so that it does not matter which of the two the picture was.
        let picture = picture.inverted();
        return Ok(inked(picture.fit(size, picture.paper()), dark_ink));
    }
    Ok(inked(picture.fit(size, paper), dark_ink))
}

/// From grey levels to the amount of ink.
fn inked(grey: Vec<u8>, dark_ink: bool) -> Vec<u8> {
    grey.into_iter().map(|grey| if dark_ink { 255 - grey } else { grey }).collect()
}
