//! The confusion matrix and the scores of each class.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ratio;
use crate::{Error, Labels};

/// The confusion matrix: how many samples of each class were predicted as each class.
///
/// It is classes × classes, with a row for each true class and a column for each predicted
/// class, as in scikit-learn. A row sums to the number of samples of its class. The diagonal
/// counts the correct predictions.
///
/// 0/0, such as the precision of a class that was never predicted, is 0 here (scikit-learn's
/// `zero_division=0`).
///
/// ```
/// let labels = [0u8, 0, 1, 2];
/// let predicted = [0u8, 1, 1, 0];
/// let confusion = nn::Confusion::new(&labels, &predicted, 3)?;
/// assert_eq!(confusion.accuracy(), 0.5);
/// assert_eq!(confusion.count(2, 0), 1); // one sample of class 2 was predicted as class 0
/// assert_eq!(confusion.scores(1).unwrap().precision, 0.5);
/// println!("{confusion}");
/// # Ok::<(), nn::Error>(())
/// ```
///
/// It prints the matrix, with a dot for 0, and the scores:
///
/// ```text
/// true \ predicted  0  1  2  precision  recall      f1  support
///                0  1  1  .     0.5000  0.5000  0.5000        2
///                1  .  1  .     0.5000  1.0000  0.6667        1
///                2  1  .  .     0.0000  0.0000  0.0000        1
///            macro              0.3333  0.5000  0.3889        4
///         weighted              0.3750  0.5000  0.4167        4
/// accuracy 0.5000 (2 of 4 wrong)
/// ```
///
/// In files it is the list of its rows: `[[1,1,0],[0,1,0],[1,0,0]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Vec<Vec<usize>>", try_from = "Vec<Vec<usize>>")]
pub struct Confusion {
    classes: usize,
    samples: usize,
    /// classes × classes.
    counts: Vec<usize>,
}

/// Precision, recall and F1 of one class, or their means over the classes.
///
/// tp is the number of samples of the class that were predicted as the class, fp that of
/// samples of other classes that were predicted as it, and fn that of samples of the class
/// that were predicted as another (van Rijsbergen, *Information Retrieval*, 1979; the means
/// as in Sokolova and Lapalme, *A systematic analysis of performance measures for
/// classification tasks*, 2009).
///
/// ```
/// let confusion = nn::Confusion::new(&[0u8, 0, 1], &[0u8, 1, 1], 2)?;
/// let scores = confusion.scores(1).unwrap();
/// // One of two predictions of class 1 is right, and the only sample of class 1 is found.
/// assert_eq!((scores.precision, scores.recall, scores.support), (0.5, 1.0, 1));
/// assert_eq!(scores.f1, 2.0 / 3.0);
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Scores {
    /// tp / (tp + fp), in `[0, 1]`: the share of predictions of the class that are right.
    pub precision: f64,
    /// tp / (tp + fn), in `[0, 1]`: the share of the class's samples that are found.
    pub recall: f64,
    /// 2·tp / (2·tp + fp + fn), in `[0, 1]`: the harmonic mean of precision and recall. In an
    /// average over classes, it is the mean of the classes' F1.
    pub f1: f64,
    /// Number of samples of the class; in an average, of all classes.
    pub support: usize,
}

impl Confusion {
    /// With more classes the counts would take gigabytes.
    const MOST_CLASSES: usize = 1 << 14;

    /// The most samples of a matrix in a file. Their double is a `usize`.
    const MOST_SAMPLES: u128 = if usize::BITS > 53 { 1 << 53 } else { usize::MAX as u128 / 2 };

    /// Counts the pairs of `labels` and `predicted`. Each has one class per sample, below
    /// `classes`.
    ///
    /// # Errors
    /// [`Error::Zero`] and [`Error::OutOfRange`] where `classes` is not from 1 to 16384,
    /// [`Error::Length`] where the lengths differ, [`Error::Empty`] where there are no
    /// samples, [`Error::Label`] and [`Error::Prediction`] for a class that is not below
    /// `classes`.
    pub fn new<'a>(
        labels: impl Into<Labels<'a>>,
        predicted: impl Into<Labels<'a>>,
        classes: usize,
    ) -> Result<Self, Error> {
        let (labels, predicted) = (labels.into(), predicted.into());
        Self::check_classes(classes)?;
        labels.check(classes)?;
        let (found, expected) = (predicted.len(), labels.len());
        if found != expected {
            return Err(Error::Length { what: "list of predictions".into(), found, expected });
        }
        let mut counts = vec![0; classes * classes];
        for (sample, (label, predicted)) in labels.iter().zip(predicted.iter()).enumerate() {
            if predicted >= classes {
                return Err(Error::Prediction { sample, predicted, classes });
            }
            counts[label * classes + predicted] += 1;
        }
        Ok(Self { classes, samples: expected, counts })
    }

    fn check_classes(classes: usize) -> Result<(), Error> {
        if classes <= Self::MOST_CLASSES {
            return Ok(());
        }
        let (name, found) = ("number of classes", classes as f64);
        Err(Error::OutOfRange { name, found, expected: "at most 16384" })
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Number of samples, at least 1.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// How many samples of class `label` were predicted as `predicted`; 0 for classes that do
    /// not exist.
    #[must_use]
    pub fn count(&self, label: usize, predicted: usize) -> usize {
        let row = self.rows().nth(label).unwrap_or_default();
        row.get(predicted).copied().unwrap_or_default()
    }

    /// The rows, first class to last. Each has a count for every predicted class.
    pub fn rows(&self) -> impl Iterator<Item = &[usize]> {
        self.counts.chunks_exact(self.classes)
    }

    /// Number of samples whose prediction is right.
    fn correct(&self) -> usize {
        self.counts.iter().step_by(self.classes + 1).sum()
    }

    /// Share of the samples whose prediction is right, in `[0, 1]`.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        ratio(self.correct() as f64, self.samples as f64)
    }

    /// Scores of class `class`; `None` if there is no such class.
    #[must_use]
    pub fn scores(&self, class: usize) -> Option<Scores> {
        let row = self.rows().nth(class)?;
        let hits = row[class] as f64;
        let support: usize = row.iter().sum();
        let predicted: usize = self.rows().map(|row| row[class]).sum();
        Some(Scores {
            precision: ratio(hits, predicted as f64),
            recall: ratio(hits, support as f64),
            // tp + fn is the support, tp + fp the number of predictions of the class.
            f1: ratio(2.0 * hits, (support + predicted) as f64),
            support,
        })
    }

    /// Unweighted mean over all classes. A class without samples and predictions counts as 0;
    /// scikit-learn leaves it out unless its `labels` name it.
    #[must_use]
    pub fn macro_average(&self) -> Scores {
        self.average(|_| 1.0)
    }

    /// Mean over all classes, weighted by their numbers of samples. Its recall equals the
    /// accuracy.
    ///
    /// ```
    /// let confusion = nn::Confusion::new(&[0u8, 0, 0, 1], &[0u8, 0, 1, 1], 2)?;
    /// assert_eq!(confusion.macro_average().precision, (1.0 + 0.5) / 2.0);
    /// assert_eq!(confusion.weighted_average().precision, (3.0 * 1.0 + 0.5) / 4.0);
    /// # Ok::<(), nn::Error>(())
    /// ```
    #[must_use]
    pub fn weighted_average(&self) -> Scores {
        self.average(|scores| scores.support as f64)
    }

    fn average(&self, weight: impl Fn(&Scores) -> f64) -> Scores {
        let mut mean = Scores { precision: 0.0, recall: 0.0, f1: 0.0, support: self.samples };
        let mut weights = 0.0;
        for scores in (0..self.classes).filter_map(|class| self.scores(class)) {
            let weight = weight(&scores);
            weights += weight;
            mean.precision += weight * scores.precision;
            mean.recall += weight * scores.recall;
            mean.f1 += weight * scores.f1;
        }
        for sum in [&mut mean.precision, &mut mean.recall, &mut mean.f1] {
            *sum = ratio(*sum, weights);
        }
        mean
    }
}

impl From<Confusion> for Vec<Vec<usize>> {
    fn from(confusion: Confusion) -> Self {
        confusion.rows().map(<[usize]>::to_vec).collect()
    }
}

/// The matrix of some rows, a row for each true class.
impl TryFrom<Vec<Vec<usize>>> for Confusion {
    type Error = Error;

    /// # Errors
    /// [`Error::Zero`] and [`Error::OutOfRange`] for the number of classes, [`Error::Length`]
    /// where a row has not one count for each class, [`Error::Empty`] where all counts are 0,
    /// and [`Error::OutOfRange`] where they add up to more than 2⁵³.
    fn try_from(rows: Vec<Vec<usize>>) -> Result<Self, Error> {
        let classes = rows.len();
        Self::check_classes(classes)?;
        if classes == 0 {
            return Err(Error::Zero { what: "number of classes".into() });
        }
        if let Some((class, row)) = rows.iter().enumerate().find(|(_, row)| row.len() != classes) {
            let what = format!("row {class} of the confusion matrix");
            return Err(Error::Length { what, found: row.len(), expected: classes });
        }
        let counts = rows.concat();
        let samples = counts.iter().fold(0u128, |sum, count| sum + *count as u128);
        match samples {
            0 => Err(Error::Empty),
            // No sum of them is rounded, as an integer or in `f64`.
            1..=Self::MOST_SAMPLES => Ok(Self { classes, samples: samples as usize, counts }),
            _ => {
                let (name, found) = ("number of samples", samples as f64);
                Err(Error::OutOfRange { name, found, expected: "at most 2^53" })
            }
        }
    }
}

impl fmt::Display for Confusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = |number: usize| number.to_string().len();
        let most = self.counts.iter().copied().max().unwrap_or_default();
        // Two spaces and the widest count or class.
        let cell = 2 + digits(most).max(digits(self.classes - 1));
        let corner = "true \\ predicted";
        let first = corner.len();

        write!(f, "{corner}")?;
        for class in 0..self.classes {
            write!(f, "{class:>cell$}")?;
        }
        writeln!(f, "  precision  recall      f1  support")?;

        let tail = |f: &mut fmt::Formatter<'_>, scores: &Scores| {
            let Scores { precision, recall, f1, support } = scores;
            writeln!(f, "{precision:>11.4}{recall:>8.4}{f1:>8.4}{support:>9}")
        };
        for (class, row) in self.rows().enumerate() {
            write!(f, "{class:>first$}")?;
            for count in row {
                match count {
                    0 => write!(f, "{:>cell$}", ".")?,
                    _ => write!(f, "{count:>cell$}")?,
                }
            }
            if let Some(scores) = self.scores(class) {
                tail(f, &scores)?;
            }
        }
        for (name, scores) in
            [("macro", self.macro_average()), ("weighted", self.weighted_average())]
        {
            write!(f, "{name:>first$}{:1$}", "", cell * self.classes)?;
            tail(f, &scores)?;
        }
        let wrong = self.samples - self.correct();
        write!(f, "accuracy {:.4} ({wrong} of {} wrong)", self.accuracy(), self.samples)
    }
}

#[cfg(test)]
mod tests {
    use super::Confusion;

    #[test]
    fn it_comes_back_from_a_file() {
        let confusion = Confusion::new(&[0u8, 0, 1, 2], &[0u8, 1, 1, 0], 3).unwrap();
        let json = serde_json::to_string(&confusion).unwrap();
        assert_eq!(json, "[[1,1,0],[0,1,0],[1,0,0]]");
        assert_eq!(serde_json::from_str::<Confusion>(&json).unwrap(), confusion);
        let scores = confusion.scores(1).unwrap();
        let json = serde_json::to_string(&scores).unwrap();
        assert_eq!(serde_json::from_str::<super::Scores>(&json).unwrap(), scores);
    }

    #[test]
    fn a_matrix_that_cannot_be_is_refused() {
        for (json, expected) in [
            ("[]", "number of classes is 0: it must be at least 1"),
            ("[[1,2],[3]]", "row 1 of the confusion matrix has 1 elements: expected 2"),
            ("[[0,0],[0,0]]", "there are no samples: expected at least one"),
            (
                "[[9007199254740992,1],[0,0]]",
                "number of samples is 9007199254740992: expected at most 2^53",
            ),
            (
                "[[18446744073709551615,18446744073709551615],[0,0]]",
                "number of samples is 3.689349e19: expected at most 2^53",
            ),
        ] {
            let error = serde_json::from_str::<Confusion>(json).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
