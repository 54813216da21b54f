//! Pictures in the page: small PNG files, as text.

use crate::encode::base64;
use nn::ImageForm;

/// Pixels of a side, at most: a larger image is made smaller, and the page with it.
const MOST_SIDE: usize = 64;

/// Shades of a picture.
const SHADES: usize = 256;

/// A grey image.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Image {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    /// From 0, paper, to 1, full ink: rows × cols.
    pub(crate) ink: Vec<f32>,
}

impl Image {
    /// An image of this size, or smaller where a side would be too long: each pixel is the mean
    /// of a square.
    pub(crate) fn new(rows: usize, cols: usize, ink: &[f32]) -> Self {
        let by = rows.max(cols).div_ceil(MOST_SIDE).max(1);
        let (small_rows, small_cols) = (rows.div_ceil(by), cols.div_ceil(by));
        let mut small = Vec::with_capacity(small_rows * small_cols);
        for row in 0..small_rows {
            for col in 0..small_cols {
                let rows = row * by..((row + 1) * by).min(rows);
                let columns = || col * by..((col + 1) * by).min(cols);
                let count = rows.len() * columns().len();
                let pixels = rows.flat_map(|row| columns().map(move |col| ink[row * cols + col]));
                small.push(pixels.sum::<f32>() / count as f32);
            }
        }
        Self { rows: small_rows, cols: small_cols, ink: small }
    }

    /// Dark ink on white paper, whatever the data have.
    pub(crate) fn to_uri(&self) -> String {
        let shade = |ink: &f32| 255 - (255.0 * ink.clamp(0.0, 1.0)).round() as u8;
        let pixels: Vec<u8> = self.ink.iter().map(shade).collect();
        uri(&encode(self.cols, self.rows, &pixels, None))
    }
}

/// The images of units' weights as one picture.
pub(crate) struct Sheet {
    pub(crate) uri: String,
    /// Size in pixels.
    pub(crate) cols: usize,
    pub(crate) rows: usize,
    pub(crate) units: usize,
}

/// Units of a sheet, at most, and in one of its rows.
const MOST_UNITS: usize = 60;
const ACROSS: usize = 12;

/// Pixels between two units.
const GAP: usize = 1;

/// Draws the weights of the first units, each with the image `form` as its inputs. A weight of 0
/// is transparent; positive and negative ones have two colours, and are the stronger the larger
/// they are beside the others of their unit. `None` if the weights are of another size.
pub(crate) fn weights(form: &ImageForm, weights: &[f32]) -> Option<Sheet> {
    let width = form.rows.checked_mul(form.cols).filter(|width| *width > 0)?;
    if weights.is_empty() || !weights.len().is_multiple_of(width) {
        return None;
    }
    let tiles: Vec<Image> = weights
        .chunks(width)
        .take(MOST_UNITS)
        .map(|unit| Image::new(form.rows, form.cols, unit))
        .collect();
    let Image { rows, cols, .. } = tiles[0];
    let across = tiles.len().min(ACROSS);
    let down = tiles.len().div_ceil(across);
    let (sheet_cols, sheet_rows) = (across * (cols + GAP) - GAP, down * (rows + GAP) - GAP);
    let middle = (SHADES / 2) as f32;
    let mut pixels = vec![middle as u8; sheet_cols * sheet_rows];
    for (at, tile) in tiles.iter().enumerate() {
        let largest = tile.ink.iter().fold(0.0, |largest: f32, weight| largest.max(weight.abs()));
        let (top, left) = (at / across * (rows + GAP), at % across * (cols + GAP));
        for (row, line) in tile.ink.chunks(cols).enumerate() {
            for (col, weight) in line.iter().enumerate() {
                let share = if largest > 0.0 { weight / largest } else { 0.0 };
                let shade = middle + share * (middle - 1.0);
                pixels[(top + row) * sheet_cols + left + col] = shade.round() as u8;
            }
        }
    }
    let bytes = encode(sheet_cols, sheet_rows, &pixels, Some(&diverging()));
    Some(Sheet { uri: uri(&bytes), cols: sheet_cols, rows: sheet_rows, units: tiles.len() })
}

/// A colour and its opacity for each shade: blue, through nothing, to orange. They differ for
/// the colour-blind too.
fn diverging() -> Vec<[u8; 4]> {
    let middle = (SHADES / 2) as f32;
    let of_shade = |shade: usize| {
        let share = (shade as f32 - middle) / (middle - 1.0);
        let [r, g, b] = if share < 0.0 { [0, 114, 189] } else { [222, 94, 0] };
        // Weak weights would hardly be seen.
        [r, g, b, (255.0 * share.abs().min(1.0).powf(0.8)).round() as u8]
    };
    (0..SHADES).map(of_shade).collect()
}

/// A PNG file of 8 bits a pixel: grey, or with a palette of colours and opacities.
fn encode(cols: usize, rows: usize, pixels: &[u8], palette: Option<&[[u8; 4]]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, cols as u32, rows as u32);
    encoder.set_depth(png::BitDepth::Eight);
    match palette {
        None => encoder.set_color(png::ColorType::Grayscale),
        Some(palette) => {
            encoder.set_color(png::ColorType::Indexed);
            let colours: Vec<u8> = palette.iter().flat_map(|colour| colour[..3].to_vec()).collect();
            let opacities: Vec<u8> = palette.iter().map(|colour| colour[3]).collect();
            encoder.set_palette(colours);
            encoder.set_trns(opacities);
        }
    }
    // Memory refuses nothing, and the sizes are those of the pixels.
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(pixels));
    debug_assert!(written.is_ok(), "{written:?}");
    bytes
}

/// A PNG file as an address that needs no file.
fn uri(png: &[u8]) -> String {
    format!("data:image/png;base64,{}", base64(png))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_images_become_small() {
        let image = Image::new(2, 3, &[0.0, 0.5, 1.0, 1.0, 0.0, 0.0]);
        assert_eq!((image.rows, image.cols, image.ink.len()), (2, 3, 6));
        // 130 pixels need squares of three; the last one is a row and a column short.
        let ink: Vec<f32> = (0..130 * 130).map(|at| (at % 130) as f32).collect();
        let image = Image::new(130, 130, &ink);
        assert_eq!((image.rows, image.cols), (44, 44));
        assert_eq!((image.ink[0], image.ink[43]), (1.0, 129.0));
    }

    /// A reader of PNG finds the pixels again.
    fn decoded(bytes: &[u8]) -> (u32, u32, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (info.width, info.height, pixels)
    }

    #[test]
    fn pictures_are_whole() {
        let pixels = [0, 10, 255, 7, 8, 9];
        assert_eq!(decoded(&encode(3, 2, &pixels, None)), (3, 2, pixels.to_vec()));
        let of_palette = decoded(&encode(3, 2, &pixels, Some(&diverging())));
        assert_eq!(of_palette, (3, 2, pixels.to_vec()));
        let uri = Image::new(1, 1, &[1.0]).to_uri();
        assert!(uri.starts_with("data:image/png;base64,iVBORw0KGgo"), "{uri}");
    }

    #[test]
    fn units_stand_beside_each_other() {
        let form = ImageForm::new(2, 2);
        let of_units = |units: usize| weights(&form, &vec![0.5; 4 * units]).unwrap();
        let sheet = of_units(3);
        assert_eq!((sheet.cols, sheet.rows, sheet.units), (8, 2, 3));
        let sheet = of_units(500);
        assert_eq!((sheet.cols, sheet.rows, sheet.units), (35, 14, 60));
        assert!(weights(&form, &[0.0; 7]).is_none() && weights(&form, &[]).is_none());
        let colours = diverging();
        assert_eq!(
            (colours[128][3], colours[1], colours[255]),
            (0, [0, 114, 189, 255], [222, 94, 0, 255])
        );
    }
}
