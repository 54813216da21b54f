//! What a look at the data may find, and the line that says so.

use std::fmt;

use mnist_io::Paper;

use super::classes::Group;
use crate::words::plural;

/// Something about the data that the user should know. Displayed as one line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Finding {
    /// No training sample is of these classes, and no test sample.
    Absent { classes: Group },
    /// Training shows these classes, and the test set has none of them.
    Untested { classes: Group },
    /// Classes have by far fewer training samples than the others: these in all.
    Stray { classes: Group, samples: usize, usual: usize },
    /// There are hardly more training samples than classes.
    Few { samples: usize, classes: usize },
    /// Most features are the same in all training samples.
    Constant { features: usize, of: usize },
    /// The brightest byte is far below 255.
    DarkBytes { largest: u8 },
    /// Features are far from the range that networks train well on.
    LargeFeatures { largest: f32 },
    /// All features are so near 0 that a network hardly sees them.
    SmallFeatures { largest: f32 },
    /// The features of one part reach much further than those of the other.
    OtherRange { train: f32, test: f32 },
    /// The test samples are training samples.
    SameSamples,
    /// The settings change images, and the samples are none.
    NotImages { sample: String },
    /// Images that are warped are not on black.
    Paper(Paper),
    /// Images are on white, which only batch normalisation takes away.
    LightPaper(Paper),
    /// The background of one part is far from that of the other.
    OtherPaper { train: Paper, test: Paper },
    /// The ink of one part is much broader for its height than that of the other.
    OtherOrientation,
    /// The ink is wider than tall.
    Transposed,
    /// Images may be shifted out of sight.
    FarShift { shift: f32, rows: usize, cols: usize },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent { classes } => write!(
                f,
                "no training sample is of {}: the network hardly ever predicts {}",
                classes,
                classes.them()
            ),
            Self::Untested { classes } => write!(
                f,
                "no test sample is of {}: the test accuracy says nothing of {}",
                classes,
                classes.them()
            ),
            Self::Stray { classes, samples, usual } => write!(
                f,
                "there {} of {}, and about {usual} of any other: check the labels",
                are(*samples, "training sample"),
                classes
            ),
            Self::Few { samples, classes } => write!(
                f,
                "there {} of {classes} classes: too few to learn from",
                are(*samples, "training sample")
            ),
            Self::Constant { features, of } => write!(
                f,
                "{features} of {of} features are the same in all training samples: \
                 the network cannot use them"
            ),
            Self::DarkBytes { largest } => write!(
                f,
                "the largest byte of the training samples is {largest}: \
                 bytes are scaled by 1/{largest} and not by 1/255, also when the model is used"
            ),
            Self::LargeFeatures { largest } => write!(
                f,
                "features of the training samples reach {largest}: \
                 networks train best on features from about -1 to 1"
            ),
            Self::SmallFeatures { largest } => write!(
                f,
                "features of the training samples reach {largest:e} only: \
                 networks train best on features from about -1 to 1"
            ),
            Self::OtherRange { train, test } => write!(
                f,
                "features of the training samples reach {train}, those of the test samples \
                 {test}: were they scaled in different ways?"
            ),
            Self::SameSamples => f.write_str(
                "the test samples are training samples: \
                 the test accuracy says nothing of new ones",
            ),
            Self::NotImages { sample } => write!(
                f,
                "samples of {sample} features are no images: \
                 augmentation and deskewing are left out"
            ),
            Self::Paper(paper) => write!(
                f,
                "the images have {}: they are moved and deskewed as such",
                Described(*paper)
            ),
            Self::LightPaper(paper) => write!(
                f,
                "the images have {}, and without batch normalisation networks learn slowly from \
                 that: invert the images, or add --batch-norm 100",
                Described(*paper)
            ),
            Self::OtherPaper { train, test } => write!(
                f,
                "the training images have {} and the test images {}: invert one of them",
                Described(*train),
                Described(*test)
            ),
            Self::OtherOrientation => f.write_str(
                "the ink of the training images has other proportions than that of the test \
                 images: was one part transposed?",
            ),
            Self::Transposed => f.write_str(
                "the images look transposed, with ink that is wider than tall: \
                 deskewing and shear assume upright images",
            ),
            Self::FarShift { shift, rows, cols } => write!(
                f,
                "images of {rows} x {cols} pixels are shifted by up to {shift}: many leave the \
                 picture, and an empty one teaches nothing; try a smaller --shift"
            ),
        }
    }
}

struct Described(Paper);

impl fmt::Display for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Paper { level, dark_ink } = self.0;
        write!(f, "{} ink on a background of {level}", if dark_ink { "dark" } else { "light" })
    }
}

fn are(samples: usize, what: &str) -> String {
    format!("{} {}", if samples == 1 { "is" } else { "are" }, plural(samples, what))
}
