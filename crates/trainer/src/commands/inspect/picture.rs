//! A picture, and the digit in it.

use std::path::Path;

use mnist_io::{ImageSize, Picture};
use serde::Serialize;

use super::text::Text;
use crate::draw;
use crate::error::Error;
use crate::limits;

/// The size of MNIST's images.
const SIZE: ImageSize = ImageSize { rows: 28, cols: 28 };

/// Names of formats by their first bytes.
const FORMATS: [(&[u8], &str); 8] = [
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"P1", "PBM"),
    (b"P2", "PGM"),
    (b"P3", "PPM"),
    (b"P4", "PBM"),
    (b"P5", "PGM"),
    (b"P6", "PPM"),
];

#[derive(Serialize)]
pub(super) struct PictureInfo {
    path: String,
    bytes: u64,
    format: &'static str,
    rows: usize,
    cols: usize,
    /// Grey of the darkest and the lightest pixel, and of the paper.
    darkest: u8,
    lightest: u8,
    paper: u8,
    /// The digit in MNIST's form: 28 × 28 pixels, 255 for ink. `None` if there is no ink.
    digit: Option<Vec<u8>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    no_digit: Option<String>,
}

impl PictureInfo {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let head = super::first_bytes(path)?;
        let picture = Picture::open(path)?;
        let format = FORMATS.iter().find(|(start, _)| head.starts_with(start));
        let ImageSize { rows, cols } = picture.size();
        let (digit, no_digit) = match picture.digit(SIZE) {
            Ok(digit) => (Some(digit), None),
            Err(error) => (None, Some(error.to_string())),
        };
        Ok(Self {
            path: path.display().to_string(),
            bytes: super::size_of(path),
            format: format.map_or("a picture", |(_, name)| name),
            rows,
            cols,
            darkest: picture.grey().iter().copied().min().unwrap_or(0),
            lightest: picture.grey().iter().copied().max().unwrap_or(0),
            paper: picture.paper(),
            digit,
            no_digit,
        })
    }

    pub(super) fn text(&self) -> String {
        let mut text = Text::default();
        let (format, bytes) = (self.format, limits::bytes(self.bytes));
        text.row("picture", format!("{} ({format}, {bytes})", self.path));
        text.row("size", format!("{} x {} pixels (rows x columns)", self.rows, self.cols));
        let (darkest, lightest, paper) = (self.darkest, self.lightest, self.paper);
        text.row("grey", format!("from {darkest} to {lightest}; the paper is {paper}"));
        if let Some(why) = &self.no_digit {
            text.row("digit", why);
        }
        if let Some(digit) = &self.digit {
            text.row("digit", "what a model trained on MNIST sees of it:");
            text.gap();
            let pixels: Vec<f32> = digit.iter().map(|pixel| f32::from(*pixel) / 255.0).collect();
            text.block(&draw::side_by_side(&[draw::image(SIZE.cols, &pixels, |ink| ink)]));
        }
        text.finish()
    }
}
