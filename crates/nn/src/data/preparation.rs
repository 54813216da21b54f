//! What is done to the data that people have before they are features: it is part of a
//! model, so that the model and raw data are all that is ever needed.

use serde::{Deserialize, Serialize};

use super::columns::Columns;
use crate::Error;

/// The version of the form that is written. A file with another one is refused.
const VERSION: u32 = 1;

/// What is done to raw data before the first layer. It is saved with the network.
///
/// In a file it is JSON with a version. This crate applies [`Columns`]. Of images it keeps
/// what a program has to know; that program does the work.
///
/// ```
/// use nn::{Column, Columns, Preparation, Standard};
/// let age = Column::number("age", Standard { mean: 40.0, deviation: 10.0 });
/// let city = Column::category("city", ["Oslo", "Rome"]);
/// let columns = Columns::new(vec![age, city])?;
/// let preparation = Preparation::Columns(columns);
/// assert_eq!("{\"version\":1,\"columns\":", &preparation.to_string()[..23]);
/// assert_eq!(Preparation::parse(&preparation.to_string())?, preparation);
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Preparation {
    /// The samples are images.
    Image(ImageForm),
    /// The samples are rows of a table.
    Columns(Columns),
    /// A word that only the program knows which set it.
    Named(String),
}

/// The form in which a network takes images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ImageForm {
    /// Height in pixels.
    pub rows: usize,
    /// Width in pixels.
    pub cols: usize,
    /// The value of a pixel without ink, in the units of the raw data: 0 for MNIST.
    pub paper: f32,
    /// The value of a pixel full of ink, in the same units: 255 for MNIST.
    pub ink: f32,
    /// Whether the raw data are real numbers, which are features as they are; otherwise they
    /// are bytes, which are multiplied by the network's
    /// [`pixel_scale`](crate::Mlp::pixel_scale).
    pub real: bool,
    /// Whether rows and columns of the raw data are exchanged first, as EMNIST needs it.
    pub transpose: bool,
    /// Whether images are sheared upright, and their ink centred.
    pub deskew: bool,
    /// Whether the ink of a raw image is in a box of 20/28 of its size, its centre of mass
    /// in the middle, as in MNIST. A picture of another form has to be brought to it.
    pub centred: bool,
}

impl ImageForm {
    /// Images of this size, in bytes, of light ink on 0, with which nothing is done.
    #[must_use]
    pub fn new(rows: usize, cols: usize) -> Self {
        Self {
            rows,
            cols,
            paper: 0.0,
            ink: 255.0,
            real: false,
            transpose: false,
            deskew: false,
            centred: false,
        }
    }

    fn validate(&self) -> Result<(), Error> {
        if self.rows == 0 || self.cols == 0 {
            return Err(Error::Zero { what: "rows or columns of an image".into() });
        }
        for (name, value) in [("the paper of an image", self.paper), ("its ink", self.ink)] {
            if !value.is_finite() {
                let (found, expected) = (f64::from(value), "a finite number");
                return Err(Error::OutOfRange { name, found, expected });
            }
        }
        Ok(())
    }
}

/// The JSON of a preparation, but for a word.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image: Option<ImageForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    columns: Option<Columns>,
}

/// The version alone, whatever else there is.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Preparation {
    /// Reads what [`Display`](std::fmt::Display) writes: JSON, or a word.
    ///
    /// # Errors
    /// [`Error::Preparation`] for JSON of another version or with other keys, and for values
    /// out of range.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if !text.starts_with('{') {
            return Ok(Self::Named(text.to_owned()));
        }
        let wrong = |error: serde_json::Error| Error::Preparation { reason: error.to_string() };
        let Version { version } = serde_json::from_str(text).map_err(wrong)?;
        if version != VERSION {
            let reason = format!(
                "its version is {version}, expected {VERSION}: a newer version of this program \
                 made it"
            );
            return Err(Error::Preparation { reason });
        }
        let preparation = match serde_json::from_str(text).map_err(wrong)? {
            File { image: Some(image), columns: None, .. } => Self::Image(image),
            File { image: None, columns: Some(columns), .. } => Self::Columns(columns),
            _ => {
                let reason = "expected either `image` or `columns`".to_owned();
                return Err(Error::Preparation { reason });
            }
        };
        preparation.validate()?;
        Ok(preparation)
    }

    /// The preparation of samples of which something else is predicted.
    pub(crate) fn without_target(self) -> Self {
        match self {
            Self::Columns(columns) => Self::Columns(columns.without_target()),
            other => other,
        }
    }

    /// Checks the ranges of its numbers.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        match self {
            Self::Image(image) => image.validate(),
            Self::Columns(columns) => columns.validate(),
            Self::Named(_) => Ok(()),
        }
    }

    /// The number of features that it gives, if it says so.
    pub(crate) fn width(&self) -> Option<usize> {
        match self {
            Self::Image(image) => Some(image.rows.saturating_mul(image.cols)),
            Self::Columns(columns) => Some(columns.width()),
            Self::Named(_) => None,
        }
    }
}

/// As the file of a model has it.
impl std::fmt::Display for Preparation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (image, columns) = match self {
            Self::Image(image) => (Some(*image), None),
            Self::Columns(columns) => (None, Some(columns.clone())),
            Self::Named(word) => return f.write_str(word),
        };
        let file = File { version: VERSION, image, columns };
        f.write_str(&serde_json::to_string(&file).expect("plain data"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_written_and_read() {
        let form = ImageForm { paper: 255.0, ink: 0.0, ..ImageForm::new(28, 20) };
        let text = Preparation::Image(form).to_string();
        assert_eq!(
            text,
            r#"{"version":1,"image":{"rows":28,"cols":20,"paper":255.0,"ink":0.0,"real":false,"transpose":false,"deskew":false,"centred":false}}"#
        );
        assert_eq!(Preparation::parse(&text).unwrap(), Preparation::Image(form));
    }

    #[test]
    fn a_word_stays_a_word() {
        for word in ["deskew", "größer, \"and\" so on", ""] {
            let named = Preparation::parse(word).unwrap();
            assert_eq!((named.to_string(), named), (word.into(), Preparation::Named(word.into())));
        }
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        let image = Preparation::Image(ImageForm::new(2, 3)).to_string();
        for (text, expected) in [
            (r#"{"version":2,"sound":{}}"#, "its version is 2, expected 1: a newer version"),
            (r#"{"version":1}"#, "expected either `image` or `columns`"),
            (r#"{"version":1,"sound":{}}"#, "unknown field `sound`"),
            ("{}", "missing field `version`"),
            (&image.replace("deskew", "wash"), "unknown field `wash`"),
            (&image.replace(":2,", ":0,"), "rows or columns of an image is 0"),
            (&image.replace("255.0", "1e60"), "number out of range"),
            (&image.replace(":2,", ":-2,"), "invalid value: integer `-2`"),
            (r#"{"version":1,"columns":{"columns":[]}}"#, "number of columns is 0"),
        ] {
            let error = Preparation::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let nested = "{\"a\":".repeat(100_000);
        assert!(Preparation::parse(&nested).is_err());
    }
}
